//! Bytes to segments, for both syntaxes, over pieces that may be cut anywhere.
//!
//! What divides the text is read from the head of each interchange: from the fixed ISA of X12, from
//! UNA or the defaults of EDIFACT. Blanks and line ends after a terminator are passed over.

use std::borrow::Cow;

use super::{
    characters::{Characters, Repertoire},
    limits::SEGMENT_BYTES_MAX,
    segment::Segment,
    service,
    syntax::{Delimiters, Mode, Syntax},
};
use crate::format::FormatError;

pub(super) struct Tokenizer {
    characters: Characters,
    buffer: Vec<u8>,
    /// Where the next byte lies in the buffer.
    start: usize,
    /// Bytes from there that hold no terminator.
    scanned: usize,
    /// Is the byte after those released?
    released: bool,
    /// How many bytes lie before the next one in all that was read.
    offset: u64,
    ended: bool,
    mode: Option<Mode>,
    /// From a UNA whose UNB is still to come.
    advice: Option<Delimiters>,
    number: u64,
}

/// Length of ISA with its terminator: all its elements have fixed widths (X12.5).
const ISA_BYTES: usize = 106;
/// UNA and its six characters.
const UNA_BYTES: usize = 9;

impl Tokenizer {
    pub fn new(characters: Characters) -> Tokenizer {
        Tokenizer {
            characters,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            released: false,
            offset: 0,
            ended: false,
            mode: None,
            advice: None,
            number: 0,
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }
    pub fn end(&mut self) {
        self.ended = true;
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// How the open interchange is to be read.
    pub fn mode(&self) -> Option<&Mode> {
        self.mode.as_ref()
    }
    pub fn offset(&self) -> u64 {
        self.offset
    }
    /// The interchange has ended; another may begin.
    pub fn leave(&mut self) {
        self.mode = None;
        self.number = 0;
    }

    /// The next segment; none when more bytes are needed or all were read.
    pub fn next(&mut self) -> Result<Option<Segment>, FormatError> {
        self.skip_blanks();
        match self.mode {
            Some(mode) => self.segment(&mode),
            None => self.head(),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
    fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
        self.scanned = 0;
        self.released = false;
    }
    /// An error of the segment that begins here, or of what is none.
    fn refused<T>(&self, code: &'static str, what: &str) -> Result<T, FormatError> {
        Err(self.error(code, 0, what))
    }
    fn error(&self, code: &'static str, place: usize, what: &str) -> FormatError {
        let message = match self.mode {
            Some(_) => format!("segment {}: {what}", self.number + 1),
            None => what.to_owned(),
        };
        FormatError::new(code, self.offset + place as u64, message)
    }
    fn decode<'a>(&self, mode: &Mode, bytes: &'a [u8]) -> Result<Cow<'a, str>, FormatError> {
        let Mode { characters, delimiters, .. } = mode;
        characters.decode(bytes, delimiters).map_err(|place| self.error("LG-CHARSET", place, &characters.refusal()))
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\r' | b'\n' | b'\t')).count();
        // Only between segments: what was scanned of one has no blank at its start.
        if blanks > 0 {
            self.consume(blanks);
        }
    }

    /// The first segment of an interchange, which says how the others are to be read.
    fn head(&mut self) -> Result<Option<Segment>, FormatError> {
        let (rest, ended) = (self.rest(), self.ended);
        if rest.is_empty() {
            return match (ended, self.advice) {
                (true, Some(_)) => self.refused("LG-EDI-END", "the bytes end after UNA: UNB must follow"),
                _ => Ok(None),
            };
        }
        let tag = rest.get(..3).unwrap_or(rest);
        let known: &[&[u8]] = if self.advice.is_some() { &[b"UNB"] } else { &[b"ISA", b"UNA", b"UNB"] };
        if !known.iter().any(|known| known.starts_with(tag)) {
            let message = match self.advice {
                Some(_) => "UNB must follow UNA",
                None => "an interchange begins with ISA (X12), UNA or UNB (EDIFACT)",
            };
            return self.refused("LG-EDI-BEGIN", message);
        }
        match tag {
            b"ISA" => self.isa(),
            b"UNA" => self.una(),
            b"UNB" => self.unb(),
            _ => self.wait("the bytes end in the head of an interchange"),
        }
    }
    /// More bytes are needed.
    fn wait(&self, when_ended: &'static str) -> Result<Option<Segment>, FormatError> {
        if self.ended { self.refused("LG-EDI-END", when_ended) } else { Ok(None) }
    }

    fn isa(&mut self) -> Result<Option<Segment>, FormatError> {
        let Some(bytes) = self.rest().get(..ISA_BYTES) else {
            return self.wait("the bytes end in ISA, which has 106");
        };
        let mode = Mode {
            syntax: Syntax::X12,
            delimiters: Delimiters::X12,
            characters: self.characters.into(),
            version: 0,
            either_mark: false,
        };
        let (mode, mut segment) = service::read_isa(bytes, mode, self.offset)?;
        (segment.offset, segment.number) = (self.offset, 1);
        (self.mode, self.number) = (Some(mode), 1);
        self.consume(ISA_BYTES);
        Ok(Some(segment))
    }

    fn una(&mut self) -> Result<Option<Segment>, FormatError> {
        let Some(&[_, _, _, component, element, decimal, release, repetition, segment]) =
            self.rest().first_chunk::<UNA_BYTES>()
        else {
            return self.wait("the bytes end in UNA, which has 9");
        };
        let unless_blank = |byte: u8| (byte != b' ').then_some(byte);
        let advice = Delimiters {
            element,
            component,
            repetition: unless_blank(repetition),
            segment,
            release: unless_blank(release),
            decimal,
        };
        // Whether the fifth place counts is known with the version of UNB alone.
        if !(Delimiters { repetition: None, ..advice }).are_sound() {
            return self.refused("LG-EDI-DELIMITERS", UNSOUND);
        }
        self.advice = Some(advice);
        self.consume(UNA_BYTES);
        self.next()
    }

    fn unb(&mut self) -> Result<Option<Segment>, FormatError> {
        let divided = match (self.advice, self.rest().get(3)) {
            (Some(advice), _) => advice,
            (None, Some(&0x1d)) => Delimiters::LEVEL_B,
            (None, _) => Delimiters::EDIFACT,
        };
        // UNB itself repeats nothing.
        let delimiters = Delimiters { repetition: None, ..divided };
        let Some(length) = self.scan(&delimiters)? else { return Ok(None) };
        let bytes = self.rest().get(..length).unwrap_or_default();
        // Syntax identifier and version, by themselves: they say how to read the rest.
        let first = bytes.split(|byte| *byte == delimiters.element).nth(1).unwrap_or_default();
        let mut components = first.split(|byte| *byte == delimiters.component);
        let identifier = components.next().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let version = match components.next() {
            Some(&[digit @ b'1'..=b'4']) => digit - b'0',
            _ => return self.refused("LG-EDI-SYNTAX", "the version in UNB (0002) is not 1, 2, 3 or 4"),
        };
        let Some(characters) = Repertoire::of_identifier(identifier, version) else {
            let message = "the syntax identifier in UNB (0001) is none of UNOA to UNOK, UNOW and UNOY";
            return self.refused("LG-EDI-SYNTAX", message);
        };
        let repetition = divided.repetition.filter(|_| version >= 4);
        let either_mark = self.advice.is_none() || version >= 4;
        let mode = Mode { syntax: Syntax::Edifact, delimiters, characters, version, either_mark };
        let segment = Segment::parse(&self.decode(&mode, bytes)?, &mode, self.offset, 1)?;
        let mode = Mode { delimiters: Delimiters { repetition, ..delimiters }, ..mode };
        if !mode.delimiters.are_sound() {
            return self.refused("LG-EDI-DELIMITERS", UNSOUND);
        }
        (self.mode, self.advice, self.number) = (Some(mode), None, 1);
        self.consume(length + 1);
        Ok(Some(segment))
    }

    fn segment(&mut self, mode: &Mode) -> Result<Option<Segment>, FormatError> {
        let rest = self.rest();
        let tag_len = rest.iter().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).take(4).count();
        let after = rest.get(tag_len);
        let divides = after.is_some_and(|byte| *byte == mode.delimiters.element || *byte == mode.delimiters.segment);
        let begins = rest.first().is_none_or(u8::is_ascii_uppercase);
        if !begins || tag_len > 3 || after.is_some() && !(divides && tag_len >= 2) {
            return self
                .refused("LG-EDI-TAG", "no segment begins here: a tag is two or three capital letters or digits");
        }
        if service::is_binary(mode.syntax, rest.get(..tag_len).filter(|_| divides).unwrap_or_default()) {
            return self.refused("LG-EDI-BINARY", "this segment holds binary data, which is not read");
        }
        let Some(length) = self.scan(&mode.delimiters)? else { return Ok(None) };
        let bytes = self.rest().get(..length).unwrap_or_default();
        let text = self.decode(mode, bytes)?;
        let segment = Segment::parse(&text, mode, self.offset, self.number + 1)?;
        self.number += 1;
        self.consume(length + 1);
        Ok(Some(segment))
    }

    /// How many bytes lie before the terminator of the segment at hand; none while it is to come.
    fn scan(&mut self, delimiters: &Delimiters) -> Result<Option<usize>, FormatError> {
        let mut at = self.scanned;
        let mut released = self.released;
        let mut found = false;
        for byte in self.rest().iter().skip(at) {
            if released {
                released = false;
            } else if *byte == delimiters.segment {
                found = true;
                break;
            } else {
                released = delimiters.release == Some(*byte);
            }
            at += 1;
            if at > SEGMENT_BYTES_MAX {
                return self.refused("LG-EDI-LIMIT", "a segment is longer than 1 MiB: its terminator is missing");
            }
        }
        (self.scanned, self.released) = (at, released);
        if found {
            return Ok(Some(at));
        }
        if self.ended && at == 0 {
            return self.refused("LG-EDI-END", "the bytes end before the trailer of the interchange");
        }
        if self.ended {
            return self.refused("LG-EDI-END", "the bytes end within a segment");
        }
        Ok(None)
    }
}

const UNSOUND: &str = "the delimiters are not all different signs that are neither letters, digits nor blanks";
