//! Characters to tokens, one at a time: whether `/` opens a regular expression depends on where
//! the parser stands.
//!
//! Positions follow the standard's implementation: the position of a token is where it *ends*, in
//! UTF-16 units from the start of the expression. Spans are bytes.

use lockgate_model::diagnostic::Span;

use super::{Problem, problem};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// An operator or bracket, also the words `and`, `or`, `in`.
    Operator(&'static str),
    /// A name, plain or in backticks.
    Name(String),
    /// `$name`; empty for `$`, `$` for `$$`.
    Variable(String),
    Text(String),
    /// Value and digits as written.
    Number(f64, String),
    Boolean(bool),
    Null,
    /// Its pattern and its flags.
    Regex(String, String),
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) span: Span,
    pub(super) position: u32,
}

/// Operators of two characters first: the longest wins.
const OPERATORS: [&str; 33] = [
    "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":",
    "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^", "&",
];

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}')
}

fn ends_name(c: char) -> bool {
    is_blank(c) || ".[]{}(),@#;:?+-*/%|=<>^&!~".contains(c)
}

/// The tokens of one expression.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
    /// UTF-16 units before `at`.
    units: u32,
    /// A comment was passed over.
    pub(super) comments: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, units: 0, comments: false }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.units += if c.len_utf16() == 2 { 2 } else { 1 };
        Some(c)
    }

    fn skip(&mut self, bytes: usize) {
        let end = self.at + bytes;
        while self.at < end && self.bump().is_some() {}
    }

    fn blanks_and_comments(&mut self) -> Result<(), Problem> {
        loop {
            while self.peek().is_some_and(is_blank) {
                self.bump();
            }
            if !self.rest().starts_with("/*") {
                return Ok(());
            }
            self.comments = true;
            let start = self.at;
            match self.rest().get(2..).and_then(|rest| rest.find("*/")) {
                Some(length) => self.skip(length + 4),
                None => {
                    return Err(problem("S0106", Span::new(start, start + 2), "this comment is not closed")
                        .help("end it with `*/`"));
                }
            }
        }
    }

    /// The next token. `operand`: an operand may stand here, so `/` opens a regular expression.
    pub(super) fn next(&mut self, operand: bool) -> Result<Lexeme, Problem> {
        self.blanks_and_comments()?;
        let start = self.at;
        let token = self.token(operand)?;
        Ok(Lexeme { token, span: Span::new(start, self.at), position: self.units })
    }

    fn token(&mut self, operand: bool) -> Result<Token, Problem> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        if operand && first == '/' {
            return self.regex();
        }
        if let Some(unknown) = ["!", "~"].iter().find(|o| self.rest().starts_with(**o)) {
            let known = ["!=", "~>"].iter().any(|o| self.rest().starts_with(*o));
            if !known {
                let span = Span::new(self.at, self.at + 1);
                return Err(problem("S0204", span, format!("unknown operator `{unknown}`")).token(*unknown));
            }
        }
        if let Some(operator) = OPERATORS.iter().find(|o| self.rest().starts_with(**o)) {
            self.skip(operator.len());
            return Ok(Token::Operator(operator));
        }
        match first {
            '"' | '\'' => self.string(first),
            '0'..='9' => self.number(),
            '`' => self.quoted_name(),
            _ => Ok(self.word()),
        }
    }

    fn string(&mut self, quote: char) -> Result<Token, Problem> {
        let start = self.at;
        self.bump();
        // Escapes may name halves of surrogate pairs, so the text is gathered as UTF-16.
        let mut units: Vec<u16> = Vec::new();
        while let Some(c) = self.bump() {
            if c == quote {
                return String::from_utf16(&units).map(Token::Text).map_err(|_| {
                    problem("D3140", Span::new(start, self.at), "half of a surrogate pair is no character")
                        .help("write the character itself, or both halves one after the other")
                });
            }
            if c == '\\' {
                units.push(self.escape()?);
            } else {
                units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            }
        }
        Err(problem("S0101", Span::new(start, self.at), "this string is not closed")
            .help(format!("end it with {quote}")))
    }

    fn escape(&mut self) -> Result<u16, Problem> {
        let span = Span::new(self.at.saturating_sub(1), self.at);
        let plain = match self.peek() {
            Some(c @ ('"' | '\\' | '/')) => c as u16,
            Some('b') => 8,
            Some('f') => 12,
            Some('n') => 10,
            Some('r') => 13,
            Some('t') => 9,
            Some('u') => {
                let digits = self.rest().get(1..5).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(unit) = digits.and_then(|d| u16::from_str_radix(d, 16).ok()) else {
                    return Err(problem("S0104", span, "`\\u` must be followed by 4 hex digits"));
                };
                self.skip(4);
                unit
            }
            other => {
                let token = other.map(String::from).unwrap_or_default();
                return Err(problem("S0103", span, format!("`\\{token}` is not an escape sequence"))
                    .help("a backslash itself is written `\\\\`")
                    .token(token));
            }
        };
        self.bump();
        Ok(plain)
    }

    fn digits(&self, from: usize) -> usize {
        self.rest().bytes().skip(from).take_while(u8::is_ascii_digit).count()
    }

    fn number(&mut self) -> Result<Token, Problem> {
        let byte = |at: usize| self.rest().as_bytes().get(at).copied();
        let mut length = if byte(0) == Some(b'0') { 1 } else { self.digits(0) };
        if byte(length) == Some(b'.') && self.digits(length + 1) > 0 {
            length += 1 + self.digits(length + 1);
        }
        if matches!(byte(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(byte(length + 1), Some(b'+' | b'-')));
            let digits = self.digits(length + 1 + sign);
            if digits > 0 {
                length += 1 + sign + digits;
            }
        }
        let lexeme = self.rest().get(..length).unwrap_or_default().to_owned();
        let span = Span::new(self.at, self.at + length);
        match lexeme.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.skip(length);
                Ok(Token::Number(value, lexeme))
            }
            _ => Err(problem("S0102", span, format!("the number {lexeme} is out of range")).token(lexeme)),
        }
    }

    fn quoted_name(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        self.bump();
        let Some(length) = self.rest().find('`') else {
            return Err(problem("S0105", Span::new(start, self.text.len()), "this name is not closed")
                .help("end it with a backtick"));
        };
        let name = self.rest().get(..length).unwrap_or_default().to_owned();
        self.skip(length + 1);
        Ok(Token::Name(name))
    }

    fn word(&mut self) -> Token {
        let length = self.rest().find(ends_name).unwrap_or(self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default();
        self.skip(length);
        if let Some(name) = word.strip_prefix('$') {
            return Token::Variable(name.to_owned());
        }
        match word {
            "and" => Token::Operator("and"),
            "or" => Token::Operator("or"),
            "in" => Token::Operator("in"),
            "true" => Token::Boolean(true),
            "false" => Token::Boolean(false),
            "null" => Token::Null,
            _ => Token::Name(word.to_owned()),
        }
    }

    /// The end is a `/` that is not escaped and not inside brackets.
    fn regex(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        self.bump();
        let body = self.at;
        let mut depth = 0i32;
        let mut backslashes = 0;
        while let Some(c) = self.peek() {
            let escaped = backslashes % 2 == 1;
            match c {
                '/' if depth == 0 && !escaped => {
                    let pattern = self.text.get(body..self.at).unwrap_or_default().to_owned();
                    if pattern.is_empty() {
                        return Err(problem(
                            "S0301",
                            Span::new(start, self.at + 1),
                            "a regular expression cannot be empty",
                        ));
                    }
                    self.bump();
                    let after = self.at;
                    while matches!(self.peek(), Some('i' | 'm')) {
                        self.bump();
                    }
                    let flags = self.text.get(after..self.at).unwrap_or_default().to_owned();
                    return Ok(Token::Regex(pattern, flags));
                }
                '(' | '[' | '{' if backslashes == 0 => depth += 1,
                ')' | ']' | '}' if backslashes == 0 => depth -= 1,
                _ => {}
            }
            backslashes = if c == '\\' { backslashes + 1 } else { 0 };
            self.bump();
        }
        Err(problem("S0302", Span::new(start, self.at), "this regular expression is not closed")
            .help("end it with `/`"))
    }
}
