//! The tokenizer: characters in, tags and texts out; all of well-formedness (XML 1.0, fifth edition)
//! that is seen without knowing namespaces.
//!
//! It works on whatever characters are at hand. A text comes in as many pieces as it takes; a tag
//! waits until it is whole; comments and processing instructions are looked at and dropped.
//!
//! Deliberately absent: document types. Without them there is no entity but the five of §4.6 and no
//! attribute has another type than CDATA.

use std::ops::Range;

use super::input::Input;
use super::names::{self, is_space};
use super::problem::Problem;
use super::{ATTRIBUTES_MAX, NAME_BYTES_MAX, TAG_BYTES_MAX};
use crate::fault::Fault;
use crate::format::FormatError;

/// Longest reference that is looked at: `&#x10ffff;` with a few zeros before it.
const REFERENCE_BYTES_MAX: usize = 64;

/// A part of a document.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// Characters that stand as they are; lines end by a line feed.
    Text(&'a str),
    /// Characters of a CDATA section, or what a reference names: never white space between elements.
    Data(&'a str),
    Start(Tag<'a>),
    /// The innermost element ends.
    End,
    /// The document ends, and was well-formed.
    Done,
    /// More bytes must come.
    More,
}

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    text: &'a str,
    attributes: &'a [Attribute],
    values: &'a str,
}

/// An attribute: where its name stands in the tag, and its value in the values of all.
#[derive(Debug)]
struct Attribute {
    name: Range<usize>,
    value: Range<usize>,
}

/// An attribute as it is read: its value is normalised, and `at` is its place in the tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) at: usize,
}

impl<'a> Tag<'a> {
    /// Bytes of the tag.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }
    /// The attributes, in order.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Named<'a>> + use<'a> {
        let (text, values) = (self.text, self.values);
        self.attributes.iter().map(move |Attribute { name, value }| Named {
            name: text.get(name.clone()).unwrap_or_default(),
            value: values.get(value.clone()).unwrap_or_default(),
            at: name.start,
        })
    }
}

/// What was found, before it is lent out.
enum Step {
    /// So many characters that were just taken.
    Text(usize),
    Data(usize),
    LineEnd(bool),
    Reference(char),
    Start(usize),
    End,
    Nothing,
    Done,
    More,
}

/// What the characters at hand belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Content,
    Comment,
    Instruction,
    Data,
    /// An empty element whose end is due.
    EmptyElement,
}

#[derive(Debug)]
pub(super) struct Tokenizer {
    input: Input,
    within: Within,
    /// Names of the open elements, end to end, and where each begins.
    names: String,
    open: Vec<usize>,
    depth_max: usize,
    had_root: bool,
    /// Of a tag that is not whole: how much was looked through, and the quote that is open there.
    seen: usize,
    quote: Option<u8>,
    attributes: Vec<Attribute>,
    values: String,
    /// Numbers of attributes, to find those of one name.
    order: Vec<usize>,
    character: [u8; 4],
}

type Stepped = Result<Step, FormatError>;

impl Tokenizer {
    pub(super) fn new(depth_max: usize) -> Tokenizer {
        Tokenizer {
            input: Input::new(),
            within: Within::Content,
            names: String::new(),
            open: Vec::new(),
            depth_max,
            had_root: false,
            seen: 0,
            quote: None,
            attributes: Vec::new(),
            values: String::new(),
            order: Vec::new(),
            character: [0; 4],
        }
    }
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }
    pub(super) fn end(&mut self) {
        self.input.end();
    }
    /// The place in the document so many bytes of characters before what comes next.
    pub(super) fn place_before(&self, bytes: usize) -> u64 {
        self.input.place_before(bytes)
    }

    #[cfg(test)]
    pub(super) fn bytes_held(&self) -> usize {
        self.input.bytes_held() + self.names.capacity() + self.values.capacity()
    }

    /// The next part of the document.
    pub(super) fn next(&mut self) -> Result<Token<'_>, FormatError> {
        let step = loop {
            match self.step()? {
                Step::Nothing => {}
                Step::More => {
                    if !self.input.more()? {
                        return Ok(Token::More);
                    }
                }
                step => break step,
            }
        };
        Ok(match step {
            Step::Text(length) => Token::Text(self.input.last(length)),
            Step::Data(length) => Token::Data(self.input.last(length)),
            Step::LineEnd(false) => Token::Text("\n"),
            Step::LineEnd(true) => Token::Data("\n"),
            Step::Reference(c) => Token::Data(c.encode_utf8(&mut self.character)),
            Step::Start(length) => {
                let name = self.names.get(self.open.last().copied().unwrap_or_default()..).unwrap_or_default();
                let (attributes, values) = (&self.attributes, &self.values);
                Token::Start(Tag { name, text: self.input.last(length), attributes, values })
            }
            Step::End => Token::End,
            Step::Done => Token::Done,
            Step::Nothing | Step::More => Token::More,
        })
    }

    fn step(&mut self) -> Stepped {
        match self.within {
            Within::Content if self.open.is_empty() => self.outside(),
            Within::Content => self.content(),
            Within::Comment => self.comment(),
            Within::Instruction => self.instruction(),
            Within::Data => self.data(),
            Within::EmptyElement => {
                self.within = Within::Content;
                self.pop();
                Ok(Step::End)
            }
        }
    }

    /// Before and after the root element.
    fn outside(&mut self) -> Stepped {
        let space = self.input.rest().bytes().take_while(|byte| is_space(*byte)).count();
        self.input.take(space);
        match self.input.rest().as_bytes().first() {
            Some(b'<') => self.markup(),
            Some(_) => self.refuse_character().and_then(|()| self.fail(Problem::TextOutside, 0)),
            None if self.input.is_whole() && self.had_root => Ok(Step::Done),
            None => self.more(),
        }
    }

    fn content(&mut self) -> Stepped {
        let plain = plain(self.input.rest(), |byte| matches!(byte, b'<' | b'&' | b']' | b'\r'));
        if plain > 0 {
            self.input.take(plain);
            return Ok(Step::Text(plain));
        }
        match self.input.rest().as_bytes() {
            [b'<', ..] => self.markup(),
            [b'&', ..] => self.reference(),
            [b']', b']', b'>', ..] => self.fail(Problem::Brackets, 0),
            [b']'] | [b']', b']'] if !self.input.is_whole() => Ok(Step::More),
            [b']', ..] => {
                self.input.take(1);
                Ok(Step::Text(1))
            }
            [b'\r', ..] => self.line_end(false),
            [] => self.more(),
            _ => self.fail(Problem::Character, 0),
        }
    }

    /// A carriage return, and a line feed that follows it, are a line feed (§2.11).
    fn line_end(&mut self, is_data: bool) -> Stepped {
        match self.input.rest().as_bytes() {
            [_, b'\n', ..] => {
                self.input.take(2);
                Ok(Step::LineEnd(is_data))
            }
            [_] if !self.input.is_whole() => Ok(Step::More),
            _ => {
                self.input.take(1);
                Ok(Step::LineEnd(is_data))
            }
        }
    }

    fn reference(&mut self) -> Stepped {
        let rest = self.input.rest();
        match end_of_reference(rest) {
            Some(end) => {
                let inside = rest.get(1..end).unwrap_or_default();
                let c = referred(inside).or_else(|problem| self.fail(problem, 0))?;
                self.input.take(end + 1);
                Ok(Step::Reference(c))
            }
            None if rest.len() <= REFERENCE_BYTES_MAX && is_reference(rest) => self.more(),
            None => self.fail(Problem::Ampersand, 0),
        }
    }

    fn markup(&mut self) -> Stepped {
        let rest = self.input.rest();
        let openings = ["<!--", "<![CDATA[", "<!DOCTYPE", "<?", "</"];
        let Some(opening) = openings.iter().find(|opening| rest.starts_with(**opening)) else {
            if openings.iter().any(|opening| opening.starts_with(rest)) {
                return self.more();
            }
            return if rest.starts_with("<!") { self.fail(Problem::Markup, 0) } else { self.start_tag() };
        };
        match *opening {
            "<!DOCTYPE" => return self.fail(Problem::Doctype, 0),
            "<?" => return self.begin_instruction(),
            "</" => return self.end_tag(),
            "<!--" => self.within = Within::Comment,
            _ if self.open.is_empty() => return self.fail(Problem::TextOutside, 0),
            _ => self.within = Within::Data,
        }
        let length = opening.len();
        self.input.take(length);
        Ok(Step::Nothing)
    }

    fn comment(&mut self) -> Stepped {
        self.skip(|byte| byte == b'-');
        match self.input.rest().as_bytes() {
            [b'-', b'-', b'>', ..] => self.leave(3),
            [b'-', b'-', _, ..] => self.fail(Problem::Hyphens, 0),
            [] | [b'-'] | [b'-', b'-'] => self.more(),
            [b'-', ..] => self.pass(),
            _ => self.fail(Problem::Character, 0),
        }
    }

    fn begin_instruction(&mut self) -> Stepped {
        let inside = self.input.rest().get(2..).unwrap_or_default();
        let is_end = |byte: u8| is_space(byte) || byte == b'?';
        let Some(length) = inside.bytes().position(is_end) else {
            return if inside.len() > NAME_BYTES_MAX { self.fail(Problem::NameLength, 2) } else { self.more() };
        };
        let name = inside.get(..length).unwrap_or_default();
        if name.len() > NAME_BYTES_MAX {
            return self.fail(Problem::NameLength, 2);
        }
        if name.eq_ignore_ascii_case("xml") {
            return self.fail(Problem::LateDeclaration, 0);
        }
        if !names::is_plain_name(name) {
            return self.fail(Problem::Instruction, 2);
        }
        match inside.as_bytes().get(length..) {
            // A question mark right after the name belongs to the end.
            Some([b'?', b'>', ..]) => {}
            Some([b'?']) => return self.more(),
            Some([b'?', ..]) => return self.fail(Problem::Instruction, 2 + length),
            _ => {}
        }
        self.input.take(2 + length);
        self.within = Within::Instruction;
        Ok(Step::Nothing)
    }

    fn instruction(&mut self) -> Stepped {
        self.skip(|byte| byte == b'?');
        match self.input.rest().as_bytes() {
            [b'?', b'>', ..] => self.leave(2),
            [] | [b'?'] => self.more(),
            [b'?', ..] => self.pass(),
            _ => self.fail(Problem::Character, 0),
        }
    }

    fn data(&mut self) -> Stepped {
        let plain = plain(self.input.rest(), |byte| matches!(byte, b']' | b'\r'));
        if plain > 0 {
            self.input.take(plain);
            return Ok(Step::Data(plain));
        }
        match self.input.rest().as_bytes() {
            [b']', b']', b'>', ..] => self.leave(3),
            [] | [b']'] | [b']', b']'] => self.more(),
            [b']', ..] => {
                self.input.take(1);
                Ok(Step::Data(1))
            }
            [b'\r', ..] => self.line_end(true),
            _ => self.fail(Problem::Character, 0),
        }
    }

    /// Goes to the next such byte, or to a character that XML does not have.
    fn skip(&mut self, is_stop: impl Fn(u8) -> bool) {
        let plain = plain(self.input.rest(), is_stop);
        self.input.take(plain);
    }
    fn pass(&mut self) -> Stepped {
        self.input.take(1);
        Ok(Step::Nothing)
    }
    fn leave(&mut self, bytes: usize) -> Stepped {
        self.input.take(bytes);
        self.within = Within::Content;
        Ok(Step::Nothing)
    }

    fn end_tag(&mut self) -> Stepped {
        let Some(length) = self.tag_length()? else { return self.more() };
        let inside = self.input.rest().get(2..length - 1).unwrap_or_default();
        let name = inside.trim_end_matches([' ', '\t', '\n', '\r']);
        let Some(expected) = self.open.last().and_then(|begin| self.names.get(*begin..)) else {
            return self.fail(Problem::Unopened, 0);
        };
        if name != expected {
            return self.fail(if names::split(name).is_some() { Problem::Mismatch } else { Problem::Name }, 2);
        }
        self.input.take(length);
        self.pop();
        Ok(Step::End)
    }
    fn pop(&mut self) {
        let begin = self.open.pop().unwrap_or_default();
        self.names.truncate(begin);
    }

    fn start_tag(&mut self) -> Stepped {
        let Some(length) = self.tag_length()? else { return self.more() };
        if self.open.is_empty() && self.had_root {
            return self.fail(Problem::SecondRoot, 0);
        }
        if self.open.len() >= self.depth_max {
            return Err(FormatError::fault(&Fault::DepthExceeded, self.input.place(0)));
        }
        let tag = self.input.rest().get(..length).unwrap_or_default();
        let inside = tag.get(..length - 1).unwrap_or_default();
        let (inside, is_empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        self.attributes.clear();
        self.values.clear();
        let mut reading = Reading { text: inside, at: 1 };
        let read = reading.tag(&mut self.attributes, &mut self.values);
        let name = match read {
            Ok(name) => name,
            Err(problem) => {
                let at = reading.at;
                return self.fail(problem, at);
            }
        };
        self.order.clear();
        self.order.extend(0..self.attributes.len());
        let name_of = |number: usize| self.attributes.get(number).and_then(|one| tag.get(one.name.clone()));
        self.order.sort_unstable_by_key(|&number| (name_of(number), number));
        let twice = self.order.windows(2).find_map(|pair| match pair {
            [one, other] if name_of(*one) == name_of(*other) => self.attributes.get(*other),
            _ => None,
        });
        if let Some(twice) = twice {
            return self.fail(Problem::Duplicate, twice.name.start);
        }
        self.open.push(self.names.len());
        self.names.push_str(tag.get(name).unwrap_or_default());
        self.had_root = true;
        if is_empty {
            self.within = Within::EmptyElement;
        }
        self.input.take(length);
        Ok(Step::Start(length))
    }

    /// Length of the tag that comes next with its `>`; none when that is not at hand.
    fn tag_length(&mut self) -> Result<Option<usize>, FormatError> {
        let rest = self.input.rest().as_bytes();
        let mut at = self.seen.max(1);
        while let Some(&byte) = rest.get(at) {
            match (self.quote, byte) {
                (_, b'<') => return self.fail(Problem::LessThan, at),
                (None, b'>') => {
                    (self.seen, self.quote) = (0, None);
                    return Ok(Some(at + 1));
                }
                (None, b'"' | b'\'') => self.quote = Some(byte),
                (Some(quote), _) if quote == byte => self.quote = None,
                _ => {}
            }
            at += 1;
            if at >= TAG_BYTES_MAX {
                return self.fail(Problem::TagLength, 0);
            }
        }
        self.seen = at;
        Ok(None)
    }

    /// At the end of what is at hand: an error when nothing can follow.
    fn more(&self) -> Stepped {
        if self.input.is_whole() { self.fail(Problem::End, self.input.rest().len()) } else { Ok(Step::More) }
    }
    /// A character that XML does not have is worse than one in a wrong place.
    fn refuse_character(&self) -> Result<(), FormatError> {
        match self.input.rest().chars().next() {
            Some(c) if !names::is_char(c) => self.fail(Problem::Character, 0),
            _ => Ok(()),
        }
    }
    #[cold]
    fn fail<T>(&self, problem: Problem, at: usize) -> Result<T, FormatError> {
        Err(problem.at(self.input.place(at)))
    }
}

/// Length of the run of characters of XML at the start that holds no such byte.
fn plain(text: &str, is_stop: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..) {
        let is_special = |byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 0xef) || is_stop(*byte);
        let Some(run) = rest.iter().position(is_special) else { break };
        from += run;
        match bytes.get(from..) {
            // U+FFFE and U+FFFF in UTF-8; other characters begin like them.
            Some([0xef, 0xbf, 0xbe | 0xbf, ..]) => return from,
            Some([0xef, ..]) => from += 3,
            _ => return from,
        }
    }
    bytes.len()
}

/// Where the `;` of the reference stands that the text begins with.
fn end_of_reference(text: &str) -> Option<usize> {
    let end = text.bytes().take(REFERENCE_BYTES_MAX).position(|byte| byte == b';')?;
    text.get(..end).is_some_and(is_reference).then_some(end)
}
/// Could this be the beginning of a reference?
fn is_reference(text: &str) -> bool {
    !text.bytes().any(|byte| is_space(byte) || matches!(byte, b'<' | b'>' | b'"' | b'\''))
        && !text.get(1..).unwrap_or_default().contains('&')
}

/// What stands between `&` and `;` as a character (§4.1, §4.6).
fn referred(name: &str) -> Result<char, Problem> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ if names::is_plain_name(name) => Err(Problem::Entity),
            _ => Err(Problem::Ampersand),
        };
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Problem::Ampersand);
    }
    let number = u32::from_str_radix(digits, radix).map_err(|_| Problem::NumberOfNone)?;
    char::from_u32(number).filter(|c| names::is_char(*c)).ok_or(Problem::NumberOfNone)
}

/// The inside of a start tag, and how far it was read.
struct Reading<'a> {
    text: &'a str,
    at: usize,
}

impl Reading<'_> {
    /// Where the name stands; the attributes are appended. After a problem `at` is its place.
    fn tag(&mut self, attributes: &mut Vec<Attribute>, values: &mut String) -> Result<Range<usize>, Problem> {
        let name = self.name()?;
        loop {
            let space = self.space();
            if self.rest().is_empty() {
                return Ok(name);
            }
            if space == 0 {
                return Err(Problem::Attribute);
            }
            if attributes.len() == ATTRIBUTES_MAX {
                return Err(Problem::Attributes);
            }
            let name = self.name()?;
            self.space();
            self.expect(|byte| byte == b'=')?;
            self.space();
            let quote = self.expect(|byte| matches!(byte, b'"' | b'\''))?;
            let begin = values.len();
            self.value(quote, values)?;
            attributes.push(Attribute { name, value: begin..values.len() });
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }
    fn space(&mut self) -> usize {
        let space = self.rest().bytes().take_while(|byte| is_space(*byte)).count();
        self.at += space;
        space
    }
    fn expect(&mut self, is_it: impl Fn(u8) -> bool) -> Result<u8, Problem> {
        let byte = self.rest().bytes().next().filter(|byte| is_it(*byte)).ok_or(Problem::Attribute)?;
        self.at += 1;
        Ok(byte)
    }
    fn name(&mut self) -> Result<Range<usize>, Problem> {
        let is_end = |byte: u8| is_space(byte) || matches!(byte, b'=' | b'"' | b'\'' | b'/');
        let rest = self.rest();
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        if length > NAME_BYTES_MAX {
            return Err(Problem::NameLength);
        }
        names::split(rest.get(..length).unwrap_or_default()).ok_or(Problem::Name)?;
        let begin = self.at;
        self.at += length;
        Ok(begin..self.at)
    }
    /// A value up to its quote, normalised (§3.3.3): white space is a space, unless it was a reference.
    fn value(&mut self, quote: u8, values: &mut String) -> Result<(), Problem> {
        loop {
            let rest = self.rest();
            let plain = plain(rest, |byte| byte == quote || matches!(byte, b'&' | b'\t' | b'\n' | b'\r'));
            values.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            let rest = self.rest();
            match rest.as_bytes() {
                [byte, ..] if *byte == quote => {
                    self.at += 1;
                    return Ok(());
                }
                [b'&', ..] => {
                    let end = end_of_reference(rest).ok_or(Problem::Ampersand)?;
                    values.push(referred(rest.get(1..end).unwrap_or_default())?);
                    self.at += end + 1;
                }
                [b'\r', b'\n', ..] => {
                    values.push(' ');
                    self.at += 2;
                }
                [b'\t' | b'\n' | b'\r', ..] => {
                    values.push(' ');
                    self.at += 1;
                }
                [] => return Err(Problem::Tag),
                _ => return Err(Problem::Character),
            }
        }
    }
}
