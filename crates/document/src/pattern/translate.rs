//! From the syntax of ECMAScript to that of crate `regex`, in one pass.
//!
//! Every class and character is written as ranges of code points, so that nothing depends on tables
//! or flags of the other side.

use super::PatternError;
use super::charset::CharSet;

/// Groups within groups at most.
const DEPTH_MAX: usize = 100;

const SURROGATE: &str = "half a surrogate pair is no character: write the character itself";
const NOTHING_TO_REPEAT: &str = "there is nothing to repeat here";

/// The source in the other syntax, every capturing group as one.
pub(super) fn translate(source: &str, any_case: bool, lines: bool) -> Result<String, PatternError> {
    let mut translator = Translator { source, at: 0, any_case, lines, depth: 0, names: Vec::new(), out: String::new() };
    translator.alternatives()?;
    match translator.peek() {
        None => Ok(translator.out),
        Some(_) => Err(translator.wrong("this closing parenthesis has no opening one")),
    }
}

struct Translator<'a> {
    source: &'a str,
    /// Byte that comes next.
    at: usize,
    any_case: bool,
    lines: bool,
    depth: usize,
    names: Vec<&'a str>,
    out: String,
}

/// What a backslash makes of what follows it.
enum Escape {
    Char(char),
    Set(CharSet),
    /// Between a word and what is none, or not.
    Boundary(bool),
}

impl<'a> Translator<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }
    fn eat(&mut self, text: &str) -> bool {
        let eaten = self.rest().starts_with(text);
        self.at += if eaten { text.len() } else { 0 };
        eaten
    }
    fn wrong(&self, message: &'static str) -> PatternError {
        wrong(self.at, message)
    }

    /// Up to the end or a closing parenthesis.
    fn alternatives(&mut self) -> Result<(), PatternError> {
        while let Some(c) = self.peek().filter(|c| *c != ')') {
            if c == '|' {
                self.at += 1;
                self.out.push('|');
            } else if self.term(c)? {
                self.quantifier()?;
            }
        }
        Ok(())
    }

    /// One term; can it be repeated?
    fn term(&mut self, c: char) -> Result<bool, PatternError> {
        let start = self.at;
        match c {
            '(' => self.group()?,
            '[' => self.class()?,
            '*' | '+' | '?' => return Err(self.wrong(NOTHING_TO_REPEAT)),
            '{' if self.count().is_some() => return Err(wrong(start, NOTHING_TO_REPEAT)),
            _ => {
                self.at += c.len_utf8();
                match c {
                    '^' => return Ok(self.assertion(if self.lines { "(?mR:^)" } else { r"\A" })),
                    '$' => return Ok(self.assertion(if self.lines { "(?mR:$)" } else { r"\z" })),
                    '.' => CharSet::dot().write(&mut self.out),
                    '\\' => match self.escape(start, false)? {
                        Escape::Char(c) => self.character(c),
                        Escape::Set(set) => self.set(set, false),
                        Escape::Boundary(true) => return Ok(self.assertion(r"(?-u:\b)")),
                        Escape::Boundary(false) => return Ok(self.assertion(r"(?-u:\B)")),
                    },
                    _ => self.character(c),
                }
            }
        }
        Ok(true)
    }

    fn assertion(&mut self, text: &str) -> bool {
        self.out.push_str(text);
        false
    }
    fn character(&mut self, c: char) {
        if c.is_ascii_alphanumeric() && !(self.any_case && c.is_ascii_alphabetic()) {
            self.out.push(c);
        } else {
            self.set(CharSet::one(c), false);
        }
    }
    fn set(&mut self, set: CharSet, negated: bool) {
        let set = if self.any_case { set.any_case() } else { set };
        if negated { set.complement() } else { set }.write(&mut self.out);
    }

    fn group(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        let refused = |message| Err(wrong(start, message));
        if self.depth == DEPTH_MAX {
            return refused("the groups nest too deeply");
        }
        self.at += 1;
        if self.eat("?=") || self.eat("?!") || self.eat("?<=") || self.eat("?<!") {
            return refused("looking around is not supported: it cannot be done in linear time");
        }
        if self.eat("?:") {
            self.out.push_str("(?:");
        } else if self.eat("?<") {
            self.name()?;
            self.out.push('(');
        } else if self.rest().starts_with('?') {
            return refused("such a group is not known: there are `(…)`, `(?:…)` and `(?<name>…)`");
        } else {
            self.out.push('(');
        }
        self.depth += 1;
        self.alternatives()?;
        self.depth -= 1;
        if !self.eat(")") {
            return refused("this group is not closed");
        }
        self.out.push(')');
        Ok(())
    }

    /// A group's name, up to `>`: checked, then dropped, for matches give groups by number.
    fn name(&mut self) -> Result<(), PatternError> {
        let Some((name, _)) = self.rest().split_once('>') else {
            return Err(self.wrong("the name of the group is not closed"));
        };
        let starts = |c: char| c.is_alphabetic() || matches!(c, '$' | '_');
        if !name.starts_with(starts) || !name.chars().all(|c| starts(c) || c.is_alphanumeric()) {
            return Err(self.wrong("the name of a group consists of letters, digits, `$` and `_`"));
        }
        if self.names.contains(&name) {
            return Err(self.wrong("two groups have this name"));
        }
        self.names.push(name);
        self.at += name.len() + 1;
        Ok(())
    }

    fn quantifier(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        if let Some((least, most)) = self.count() {
            if most.is_some_and(|most| most < least) {
                return Err(wrong(start, "the larger number of repetitions comes first"));
            }
            let most = most.map_or(String::new(), |most| most.to_string());
            self.out.push_str(&format!("{{{least},{most}}}"));
        } else if let Some(c @ ('*' | '+' | '?')) = self.peek() {
            self.at += 1;
            self.out.push(c);
        } else {
            return Ok(());
        }
        if self.eat("?") {
            self.out.push('?');
        }
        Ok(())
    }

    /// Takes `{n}`, `{n,}` or `{n,m}`; any other brace is a character. Numbers saturate.
    fn count(&mut self) -> Option<(u32, Option<u32>)> {
        let (inner, _) = self.rest().strip_prefix('{')?.split_once('}')?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
            is_number.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let count = match inner.split_once(',') {
            None => number(inner).map(|n| (n, Some(n)))?,
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        self.at += inner.len() + 2;
        Some(count)
    }

    fn class(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        self.at += 1;
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        loop {
            let first_at = self.at;
            let Some(first) = self.class_atom(start)? else { break };
            let range = self.rest().starts_with('-') && !self.rest().starts_with("-]");
            if !range {
                first.add(&mut ranges);
                continue;
            }
            self.at += 1;
            let Some(last) = self.class_atom(start)? else { break };
            match (first, last) {
                (Escape::Char(first), Escape::Char(last)) if first > last => {
                    return Err(wrong(first_at, "this range begins behind its end"));
                }
                (Escape::Char(first), Escape::Char(last)) => ranges.push((first as u32, last as u32)),
                // No range with a class on one side: all three count (ECMA-262 §B.1.2.7).
                (first, last) => {
                    first.add(&mut ranges);
                    Escape::Char('-').add(&mut ranges);
                    last.add(&mut ranges);
                }
            }
        }
        self.set(CharSet::of(ranges), negated);
        Ok(())
    }

    /// The next of a class that began at `start`; none is its end.
    fn class_atom(&mut self, start: usize) -> Result<Option<Escape>, PatternError> {
        let at = self.at;
        match self.bump() {
            None => Err(wrong(start, "this class is not closed")),
            Some(']') => Ok(None),
            Some('\\') => self.escape(at, true).map(Some),
            Some(c) => Ok(Some(Escape::Char(c))),
        }
    }

    /// What follows a backslash, which stands at `start`.
    fn escape(&mut self, start: usize, in_class: bool) -> Result<Escape, PatternError> {
        let refused = |message| Err(wrong(start, message));
        let Some(c) = self.bump() else { return refused("nothing follows this backslash") };
        let escaped = match c {
            'd' => return Ok(Escape::Set(CharSet::digits())),
            'D' => return Ok(Escape::Set(CharSet::digits().complement())),
            'w' => return Ok(Escape::Set(CharSet::word())),
            'W' => return Ok(Escape::Set(CharSet::word().complement())),
            's' => return Ok(Escape::Set(CharSet::space())),
            'S' => return Ok(Escape::Set(CharSet::space().complement())),
            'b' | 'B' if !in_class => return Ok(Escape::Boundary(c == 'b')),
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => '\0',
            '1'..='9' if !in_class => {
                return refused("back-references are not supported: they cannot be done in linear time");
            }
            '0'..='9' => return refused("octal escapes are not supported: write \\x and two hexadecimal digits"),
            'k' if self.rest().starts_with('<') => {
                return refused("back-references are not supported: they cannot be done in linear time");
            }
            'p' | 'P' if self.rest().starts_with('{') => {
                return refused("properties of characters need the flag `u`, which there is not: write ranges");
            }
            'u' if self.rest().starts_with('{') => {
                return refused("\\u{…} needs the flag `u`, which there is not: write the character itself");
            }
            'c' => return Ok(Escape::Char(self.control(in_class))),
            'x' => self.hexadecimal(2).and_then(char::from_u32).unwrap_or('x'),
            'u' => match self.hexadecimal(4) {
                None => 'u',
                Some(unit) => match self.character_of(unit) {
                    Some(c) => c,
                    None => return refused(SURROGATE),
                },
            },
            c => c,
        };
        Ok(Escape::Char(escaped))
    }

    /// `\cX`; without such a letter the backslash stands for itself (ECMA-262 §B.1.2).
    fn control(&mut self, in_class: bool) -> char {
        let wanted = |c: &char| c.is_ascii_alphabetic() || (in_class && (c.is_ascii_digit() || *c == '_'));
        match self.peek().filter(wanted) {
            Some(c) => {
                self.at += 1;
                char::from((c as u32 % 32) as u8)
            }
            None => {
                self.at -= 1;
                '\\'
            }
        }
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let text = self.rest().get(..digits).filter(|text| text.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        self.at += digits;
        u32::from_str_radix(text, 16).ok()
    }

    /// The character of a UTF-16 unit, or of the pair that it begins.
    fn character_of(&mut self, unit: u32) -> Option<char> {
        if let Some(c) = char::from_u32(unit) {
            return Some(c);
        }
        let low = if self.eat("\\u") { self.hexadecimal(4)? } else { return None };
        let pair = [u16::try_from(unit).ok()?, u16::try_from(low).ok()?];
        char::decode_utf16(pair).next()?.ok()
    }
}

impl Escape {
    /// Into a class. Boundaries are none there.
    fn add(self, ranges: &mut Vec<(u32, u32)>) {
        match self {
            Escape::Char(c) => ranges.push((c as u32, c as u32)),
            Escape::Set(set) => ranges.extend(set.ranges()),
            Escape::Boundary(_) => {}
        }
    }
}

fn wrong(offset: usize, message: &'static str) -> PatternError {
    PatternError { offset, message }
}
