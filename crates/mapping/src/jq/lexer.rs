//! Characters to tokens. A text with expressions in it is one token whose pieces are places in the source.

use lockgate_model::diagnostic::Span;

use super::{Helped, Problem, outside, syntax};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bracket or an operator.
    Sign(&'static str),
    /// A name or word.
    Word(String),
    /// `.name`
    Field(String),
    /// `$name`
    Variable(String),
    /// A number in the notation of JSON.
    Number(String),
    /// A string.
    Text(Vec<Part>),
    /// `@name`
    Format(String),
    End,
}

/// A part of a string.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// What stands between `\(` and its `)`: bytes of the source.
    Code(usize, usize),
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) span: Span,
}

/// The longest first.
const SIGNS: [&str; 34] = [
    "?//=", "?//", "//=", "..", "//", "==", "!=", "<=", ">=", "|=", "+=", "-=", "*=", "/=", "%=", ".", "[", "]", "(",
    ")", "{", "}", "|", ",", ":", ";", "=", "<", ">", "+", "-", "*", "/", "%",
];

/// Strings within strings.
const STRINGS_MAX: u16 = 32;

/// The tokens of a part of a text.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

impl<'a> Lexer<'a> {
    /// Of the bytes from `at` to `end`.
    pub(super) fn new(text: &'a str, at: usize, end: usize) -> Self {
        Self { text, at, end }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn word_length(text: &str) -> usize {
        match text.chars().next() {
            Some(c) if starts_word(c) => {
                text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
            }
            _ => 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<Lexeme, Problem> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            if !self.rest().starts_with('#') {
                break;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
        let start = self.at;
        let token = self.token()?;
        Ok(Lexeme { token, span: Span::new(start, self.at) })
    }

    fn token(&mut self) -> Result<Token, Problem> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let after = rest.get(1..).unwrap_or_default();
        let word = |text: &str| text.get(..Self::word_length(text)).unwrap_or_default().to_owned();
        match first {
            '"' => return self.string(),
            '0'..='9' => return self.number(),
            '.' if after.starts_with(|c: char| c.is_ascii_digit()) => return self.number(),
            '.' if after.starts_with(starts_word) => {
                let name = word(after);
                self.at += 1 + name.len();
                return Ok(Token::Field(name));
            }
            '$' if after.starts_with(starts_word) => {
                let name = word(after);
                self.at += 1 + name.len();
                return Ok(Token::Variable(name));
            }
            '@' if after.starts_with(starts_word) => {
                let name = word(after);
                self.at += 1 + name.len();
                return Ok(Token::Format(name));
            }
            _ if starts_word(first) => {
                let name = word(rest);
                self.at += name.len();
                if self.rest().starts_with("::") {
                    return Err(outside(self.here(start_of(self.at, &name)), "a module", "write the expression out"));
                }
                return Ok(Token::Word(name));
            }
            '?' if !rest.starts_with("?//") => {
                self.at += 1;
                return Ok(Token::Sign("?"));
            }
            _ => {}
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let span = Span::new(self.at, self.at + first.len_utf8());
        let problem = syntax(span, format!("`{first}` cannot stand here"));
        Err(match first {
            '\'' => problem.help("strings stand in double quotes: `\"text\"`"),
            '&' => problem.help("texts are joined by `+`, or written `\"\\(.a) \\(.b)\"`"),
            '!' => problem.help("the opposite of a value is `… | not`"),
            _ => problem,
        })
    }

    fn here(&self, start: usize) -> Span {
        Span::new(start, self.at)
    }

    /// `1`, `1.`, `.5`, `1e3`, in the notation of JSON.
    fn number(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(0);
        let mut length = whole;
        let mut fraction = 0;
        if bytes.get(length) == Some(&b'.') {
            fraction = digits(length + 1);
            length += 1 + fraction;
        }
        let mantissa = length;
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let power = digits(length + 1 + sign);
            if power > 0 {
                length += 1 + sign + power;
            }
        }
        let text = self.rest();
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let kept = part(0, whole).trim_start_matches('0');
        let kept = if kept.is_empty() { "0" } else { kept };
        let point = if fraction > 0 { "." } else { "" };
        let lexeme = format!("{kept}{point}{}{}", part(mantissa - fraction, mantissa), part(mantissa, length));
        self.at += length;
        if self.rest().starts_with(starts_word) {
            return Err(syntax(Span::new(start, self.at + 1), "a name cannot follow a number directly"));
        }
        if !lexeme.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(syntax(self.here(start), "the number is out of range"));
        }
        Ok(Token::Number(lexeme))
    }

    fn string(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        let (mut parts, mut text) = (Vec::new(), String::new());
        self.at += 1;
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(syntax(self.here(start), "this string is not closed").help("end it with `\"`"));
            };
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' if self.rest().starts_with('(') => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    let from = self.at + 1;
                    let Some(to) = self.closing(from, 0)? else {
                        return Err(syntax(self.here(start), "`\\(` in this string is not closed"));
                    };
                    parts.push(Part::Code(from, to));
                    self.at = to + 1;
                }
                '\\' => text.push(self.escape()?),
                _ => text.push(c),
            }
        }
        if !text.is_empty() || parts.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Token::Text(parts))
    }

    /// Where the `)` stands that closes what begins at `from`.
    fn closing(&self, from: usize, strings: u16) -> Result<Option<usize>, Problem> {
        let bytes = self.text.as_bytes();
        let byte = |at: usize| bytes.get(at).copied().filter(|_| at < self.end);
        let (mut at, mut depth) = (from, 0_u32);
        while let Some(c) = byte(at) {
            match c {
                b'(' => depth += 1,
                b')' if depth == 0 => return Ok(Some(at)),
                b')' => depth -= 1,
                b'#' => {
                    while byte(at).is_some_and(|c| c != b'\n') {
                        at += 1;
                    }
                }
                b'"' => {
                    if strings >= STRINGS_MAX {
                        let span = Span::new(at, at + 1);
                        return Err(syntax(span, format!("strings stand in more than {STRINGS_MAX} others")));
                    }
                    at += 1;
                    loop {
                        match (byte(at), byte(at + 1)) {
                            (None, _) => return Ok(None),
                            (Some(b'"'), _) => break,
                            (Some(b'\\'), Some(b'(')) => match self.closing(at + 2, strings + 1)? {
                                Some(end) => at = end + 1,
                                None => return Ok(None),
                            },
                            (Some(b'\\'), _) => at += 2,
                            _ => at += 1,
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Ok(None)
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at - 1;
        let Some(c) = self.rest().chars().next() else { return Ok('\\') };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit(start)?;
                if !(0xD800..0xDC00).contains(&first) {
                    return self.character(start, u32::from(first));
                }
                if !self.rest().starts_with("\\u") {
                    return self.character(start, u32::from(first));
                }
                self.at += 2;
                let second = self.unit(start)?;
                let pair = char::decode_utf16([first, second]).next();
                return match pair {
                    Some(Ok(c)) => Ok(c),
                    _ => self.character(start, u32::from(first)),
                };
            }
            _ => {
                let problem = syntax(self.here(start), format!("`\\{c}` is not an escape sequence"));
                return Err(problem.help("a backslash itself is written `\\\\`"));
            }
        })
    }

    fn unit(&mut self, start: usize) -> Result<u16, Problem> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => Err(syntax(self.here(start), "`\\u` must be followed by 4 hex digits")),
        }
    }

    fn character(&self, start: usize, unit: u32) -> Result<char, Problem> {
        char::from_u32(unit).ok_or_else(|| {
            syntax(self.here(start), "half of a surrogate pair is no character").help("write the character itself")
        })
    }
}

fn start_of(end: usize, name: &str) -> usize {
    end - name.len()
}
