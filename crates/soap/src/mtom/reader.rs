//! Reading: bytes in as they arrive, parts out piece by piece.

use super::{AROUND_BYTES_MAX, HEAD_BYTES_MAX, PARTS_MAX, PartHead, head::parameter, is_boundary, wrong};
use crate::SoapError;

/// Something of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins; the first is the envelope.
    Part(PartHead),
    /// Bytes of the part.
    Data(&'a [u8]),
    /// The part ends.
    EndOfPart,
    /// The message ends.
    Done,
    /// More bytes must come.
    More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Head,
    Data,
    /// Behind the last boundary, where anything may stand.
    Done,
}

/// A message in parts that arrives piece by piece.
#[derive(Debug)]
pub struct Reader {
    /// A line end, two hyphens and the boundary.
    delimiter: Vec<u8>,
    /// The id that the message names as that of its envelope.
    start: Option<String>,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were taken.
    taken: usize,
    state: State,
    parts: usize,
    /// Bytes before the first part and behind the last.
    around: usize,
    is_ended: bool,
}

/// What stands at a place of the buffer.
enum Found {
    /// So many bytes that are surely data.
    Data(usize),
    /// A boundary behind so many bytes, with its own length; the last one or not.
    Boundary { at: usize, length: usize, is_last: bool },
}

impl Reader {
    /// Is a body of this media type one in parts?
    pub fn takes(content_type: &str) -> bool {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("multipart/related")
    }

    /// Nothing yet, of a message with this `content-type`.
    pub fn new(content_type: &str) -> Result<Reader, SoapError> {
        if !Reader::takes(content_type) {
            return Err(wrong("the message is not multipart/related"));
        }
        let boundary = parameter(content_type, "boundary").filter(|boundary| is_boundary(boundary));
        let boundary = boundary.ok_or_else(|| wrong("the media type names no boundary, or one that cannot be"))?;
        let start = parameter(content_type, "start");
        let bare = |id: String| id.trim_start_matches('<').trim_end_matches('>').to_owned();
        Ok(Reader {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            start: start.map(bare),
            // The first boundary may stand at the very start.
            buffer: b"\r\n".to_vec(),
            taken: 0,
            state: State::Preamble,
            parts: 0,
            around: 0,
            is_ended: false,
        })
    }

    /// Takes the next bytes. Ask [`Reader::event`] until it wants more, before more are given.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        match self.state {
            State::Done => self.around += bytes.len(),
            _ => self.buffer.extend_from_slice(bytes),
        }
    }
    /// No more bytes will come.
    pub fn end(&mut self) {
        self.is_ended = true;
    }
    /// Bytes that are held.
    pub fn bytes_held(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next event.
    pub fn event(&mut self) -> Result<Event<'_>, SoapError> {
        loop {
            if self.around > AROUND_BYTES_MAX {
                return Err(wrong("too much stands before the first part, or behind the last"));
            }
            match self.state {
                State::Done => return Ok(Event::Done),
                State::Head => return self.head(),
                State::Preamble | State::Data => {}
            }
            let is_data = self.state == State::Data;
            match self.find() {
                Found::Boundary { at: 0, length, is_last } => {
                    self.taken += length;
                    self.state = if is_last { State::Done } else { State::Head };
                    if is_data {
                        return Ok(Event::EndOfPart);
                    }
                    if is_last {
                        return Err(wrong("the message has no part"));
                    }
                }
                Found::Data(0) if self.is_ended => {
                    return Err(wrong("the message ends before its last boundary: it was cut off"));
                }
                Found::Data(0) => return Ok(Event::More),
                Found::Data(length) | Found::Boundary { at: length, .. } => {
                    let from = self.taken;
                    self.taken += length;
                    if is_data {
                        return Ok(Event::Data(self.buffer.get(from..self.taken).unwrap_or_default()));
                    }
                    self.around += length;
                }
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// The next boundary, or how much is surely none.
    fn find(&self) -> Found {
        let rest = self.rest();
        let mut from = 0;
        while let Some(at) = rest.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'\r')) {
            let at = from + at;
            let here = rest.get(at..).unwrap_or_default();
            if here.len() < self.delimiter.len() {
                if self.delimiter.starts_with(here) && !self.is_ended {
                    return Found::Data(at);
                }
            } else if let Some(behind) = here.strip_prefix(self.delimiter.as_slice()) {
                match self.behind(behind) {
                    Some(Some((length, is_last))) => {
                        let length = self.delimiter.len() + length;
                        return Found::Boundary { at, length, is_last };
                    }
                    // It cannot be told yet.
                    Some(None) => return Found::Data(at),
                    None => {}
                }
            }
            from = at + 1;
        }
        Found::Data(rest.len())
    }

    /// What follows a boundary: two hyphens, or blanks and a line end. None where it is none; inner none where more
    /// bytes must tell.
    fn behind(&self, behind: &[u8]) -> Option<Option<(usize, bool)>> {
        let blanks = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match behind.get(blanks..).unwrap_or_default() {
            [b'-', b'-', ..] if blanks == 0 => Some(Some((2, true))),
            [b'\r', b'\n', ..] => Some(Some((blanks + 2, false))),
            [] | [b'\r'] if !self.is_ended && blanks < HEAD_BYTES_MAX => Some(None),
            [b'-'] if blanks == 0 && !self.is_ended => Some(None),
            _ => None,
        }
    }

    fn head(&mut self) -> Result<Event<'_>, SoapError> {
        let rest = self.rest();
        // A head may be empty: then its empty line comes at once.
        let (lines, length) = match rest {
            [b'\r', b'\n', ..] => (0, 2),
            _ => match rest.windows(4).take(HEAD_BYTES_MAX).position(|four| four == b"\r\n\r\n") {
                Some(lines) => (lines, lines + 4),
                None if rest.len() > HEAD_BYTES_MAX => return Err(wrong("the head of a part is longer than 16 KiB")),
                None if self.is_ended => {
                    return Err(wrong("the message ends within the head of a part: it was cut off"));
                }
                None => return Ok(Event::More),
            },
        };
        let lines = rest.get(..lines).and_then(|lines| str::from_utf8(lines).ok());
        let head = PartHead::parse(lines.ok_or_else(|| wrong("the head of a part is no text"))?)?;
        // The line end before a boundary that follows at once is that of the empty line.
        self.taken += length - 2;
        match self.find() {
            Found::Boundary { at: 0, .. } => {}
            // It cannot be told yet.
            Found::Data(0) if !self.is_ended => {
                self.taken -= length - 2;
                return Ok(Event::More);
            }
            _ => self.taken += 2,
        }
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(wrong("the message has too many parts"));
        }
        if self.parts == 1 && self.start.is_some() && self.start != head.content_id {
            return Err(wrong("the envelope is not the first part"));
        }
        self.state = State::Data;
        Ok(Event::Part(head))
    }
}
