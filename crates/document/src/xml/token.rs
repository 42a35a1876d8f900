//! The tokenizer: characters in, tags and texts out; all of well-formedness (XML 1.0, fifth edition)
//! that is seen without knowing namespaces.
//!
//! It works on whatever characters are at hand. A text comes in as many pieces as it takes; a tag
//! waits until it is whole; comments and processing instructions are looked at and dropped.
//!
//! Deliberately absent: document types. Without them there is no entity but the five of §4.6 and no
//! attribute has another type than CDATA.

use super::input::Input;
use super::names::{self, is_space, plain};
use super::problem::Problem;
use super::tag::{Attributes, Tag};
use super::{NAME_BYTES_MAX, TAG_BYTES_MAX, reference};
use crate::fault::Fault;
use crate::format::FormatError;

/// A part of a document.
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
    attributes: Attributes,
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
            attributes: Attributes::default(),
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
        self.input.bytes_held() + self.names.capacity() + self.attributes.bytes_held()
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
                Token::Start(Tag { name, text: self.input.last(length), attributes: &self.attributes })
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
        match reference::read(self.input.rest()) {
            Ok(Some((c, length))) => {
                self.input.take(length);
                Ok(Step::Reference(c))
            }
            Ok(None) => self.more(),
            Err(problem) => self.fail(problem, 0),
        }
    }

    fn markup(&mut self) -> Stepped {
        match self.input.rest().as_bytes().get(1) {
            None => self.more(),
            Some(b'/') => self.end_tag(),
            Some(b'?') => self.begin_instruction(),
            Some(b'!') => self.begin_section(),
            Some(_) => self.start_tag(),
        }
    }

    fn begin_section(&mut self) -> Stepped {
        let rest = self.input.rest();
        let openings = [("<!--", Within::Comment), ("<![CDATA[", Within::Data)];
        if let Some(&(opening, within)) = openings.iter().find(|(opening, _)| rest.starts_with(opening)) {
            if within == Within::Data && self.open.is_empty() {
                return self.fail(Problem::TextOutside, 0);
            }
            self.input.take(opening.len());
            self.within = within;
            return Ok(Step::Nothing);
        }
        match rest {
            _ if rest.starts_with("<!DOCTYPE") => self.fail(Problem::Doctype, 0),
            _ if ["<!--", "<![CDATA[", "<!DOCTYPE"].iter().any(|opening| opening.starts_with(rest)) => self.more(),
            _ => self.fail(Problem::Markup, 0),
        }
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
        let name = match self.attributes.read(inside) {
            Ok(name) => name,
            Err((problem, at)) => return self.fail(problem, at),
        };
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
