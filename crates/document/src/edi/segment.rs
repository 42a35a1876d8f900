//! A segment: its tag and the pieces of its elements that are not empty.
//!
//! Only what holds something is kept, with its place. Two segments that differ in empty elements at
//! their ends are therefore the same segment, which is what both standards say.

use super::{limits, syntax::Mode};
use crate::format::FormatError;

/// Where a piece stands. Elements, repetitions and components count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub element: u32,
    pub repetition: u32,
    pub component: u32,
}

impl Place {
    pub const FIRST: Place = Place { element: 1, repetition: 1, component: 1 };

    pub fn of(element: u32, component: u32) -> Place {
        Place { element, repetition: 1, component }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub place: Place,
    start: usize,
    end: usize,
}

/// Two or three capital letters or digits, the first a letter.
pub(super) fn is_tag(text: &str) -> bool {
    (2..=3).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[derive(Clone)]
pub(super) struct Segment {
    tag_len: usize,
    text: String,
    pieces: Vec<Piece>,
    /// Byte of the tag in all that was read; 0 where it is written.
    pub offset: u64,
    /// Its number in the interchange, whose head is 1.
    pub number: u64,
}

/// The same content, wherever it stands.
impl PartialEq for Segment {
    fn eq(&self, other: &Segment) -> bool {
        self.tag() == other.tag() && self.pieces().eq(other.pieces())
    }
}

impl Segment {
    pub fn new(tag: &str) -> Segment {
        Segment { tag_len: tag.len(), text: tag.to_owned(), pieces: Vec::new(), offset: 0, number: 0 }
    }

    /// Adds the next piece; an empty one leaves no trace. Pieces come in the order of their places.
    pub fn push(&mut self, place: Place, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.close(place, start);
    }
    fn close(&mut self, place: Place, start: usize) {
        let end = self.text.len();
        if start < end {
            self.pieces.push(Piece { place, start, end });
        }
    }

    pub fn tag(&self) -> &str {
        self.text.get(..self.tag_len).unwrap_or_default()
    }
    pub fn pieces(&self) -> impl Iterator<Item = (Place, &str)> {
        self.pieces.iter().map(|piece| (piece.place, self.text_of(piece)))
    }
    pub fn text_of(&self, piece: &Piece) -> &str {
        self.text.get(piece.start..piece.end).unwrap_or_default()
    }
    /// The pieces of one element.
    pub fn element(&self, element: u32) -> &[Piece] {
        let start = self.pieces.partition_point(|piece| piece.place.element < element);
        let end = self.pieces.partition_point(|piece| piece.place.element <= element);
        self.pieces.get(start..end).unwrap_or_default()
    }
    /// The last element that holds something.
    pub fn elements(&self) -> u32 {
        self.pieces.last().map_or(0, |piece| piece.place.element)
    }
    /// A component of the first repetition; empty where there is none.
    pub fn get(&self, element: u32, component: u32) -> &str {
        let wanted = Place::of(element, component);
        let found = self.pieces.binary_search_by_key(&wanted, |piece| piece.place);
        found.ok().and_then(|at| self.pieces.get(at)).map_or("", |piece| self.text_of(piece))
    }
    /// About what it holds in memory.
    pub fn bytes(&self) -> u64 {
        (size_of::<Segment>() + self.text.capacity() + self.pieces.capacity() * size_of::<Piece>()) as u64
    }

    /// Takes a text without its terminator apart. The tag must have been checked.
    pub fn parse(text: &str, mode: &Mode, offset: u64, number: u64) -> Result<Segment, FormatError> {
        let mut segment =
            Segment { tag_len: 0, text: String::with_capacity(text.len()), pieces: Vec::new(), offset, number };
        let delimiters = &mode.delimiters;
        let (mut place, mut start) = (Place { element: 0, ..Place::FIRST }, 0);
        let mut rest = text;
        while let Some(next) =
            rest.find(|sign: char| u8::try_from(sign).is_ok_and(|b| b.is_ascii() && delimiters.has(b)))
        {
            let (before, after) = rest.split_at_checked(next).unwrap_or((rest, ""));
            segment.text.push_str(before);
            let byte = after.bytes().next().unwrap_or_default();
            rest = after.get(1..).unwrap_or_default();
            if delimiters.release == Some(byte) {
                let released = rest.chars().next();
                segment.text.extend(released);
                rest = rest.get(released.map_or(0, char::len_utf8)..).unwrap_or_default();
                continue;
            }
            if place.element == 0 {
                segment.tag_len = segment.text.len();
            } else {
                segment.close(place, start);
            }
            start = segment.text.len();
            place = match byte {
                _ if byte == delimiters.element => Place { element: place.element + 1, ..Place::FIRST },
                _ if byte == delimiters.component => Place { component: place.component + 1, ..place },
                _ => Place { repetition: place.repetition + 1, component: 1, ..place },
            };
            if place.element > limits::ELEMENTS_MAX
                || place.component > limits::COMPONENTS_MAX
                || place.repetition > limits::REPETITIONS_MAX
            {
                let message = "has more elements, repetitions or components than any message needs";
                return Err(segment.refused("LG-EDI-LIMIT", None, message));
            }
        }
        segment.text.push_str(rest);
        if place.element == 0 {
            segment.tag_len = segment.text.len();
        } else {
            segment.close(place, start);
        }
        Ok(segment)
    }

    /// An error of this segment, or of a place in it.
    pub fn refused(&self, code: &'static str, place: Option<Place>, what: impl std::fmt::Display) -> FormatError {
        let mut message = format!("segment {} ({})", self.number, self.tag());
        if let Some(place) = place {
            message.push_str(&format!(", element {}", place.element));
            if place.repetition > 1 {
                message.push_str(&format!(", repetition {}", place.repetition));
            }
            if place.component > 1 {
                message.push_str(&format!(", component {}", place.component));
            }
        }
        message.push_str(&format!(": {what}"));
        FormatError::new(code, self.offset, message)
    }
}

/// Tag and size, no data.
impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment({}, {} pieces)", self.tag(), self.pieces.len())
    }
}
