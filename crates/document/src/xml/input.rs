//! Bytes that arrive piece by piece become characters: byte order mark, XML declaration, character
//! set (XML 1.0 §4.3.3 and appendix F).
//!
//! What the declaration says has been heeded when the first character comes out, so that the
//! declaration itself does not come out.
//!
//! Deliberately absent: what a transport says of the character set; a document says it itself.

use std::collections::VecDeque;

use super::problem::Problem;
use super::{declaration, names};
use crate::charset::{Charset, CharsetDecoder};
use crate::format::FormatError;

/// Bytes that become characters at once.
const PIECE_BYTES: usize = 64 << 10;
/// Longest XML declaration, in characters.
const DECLARATION_CHARS_MAX: usize = 1_000;

/// Characters to be read, and bytes to become some. Not `Debug`: it is all data.
pub(super) struct Input {
    raw: VecDeque<u8>,
    is_ended: bool,
    decoding: Option<Decoding>,
    /// Found in the bytes that follow `text`.
    failed: Option<FormatError>,
    is_whole: bool,
    text: String,
    /// Bytes of `text` that were taken.
    taken: usize,
    /// Bytes of the document before `text`.
    before: u64,
}

struct Decoding {
    charset: Charset,
    decoder: CharsetDecoder,
}

/// What the first bytes of a document say.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    charset: Charset,
    mark_bytes: usize,
    declaration_chars: usize,
}

impl Input {
    pub(super) fn new() -> Input {
        Input {
            raw: VecDeque::new(),
            is_ended: false,
            decoding: None,
            failed: None,
            is_whole: false,
            text: String::new(),
            taken: 0,
            before: 0,
        }
    }
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.raw.extend(bytes);
    }
    pub(super) fn end(&mut self) {
        self.is_ended = true;
    }

    #[cfg(test)]
    pub(super) fn bytes_held(&self) -> usize {
        self.raw.capacity() + self.text.capacity()
    }

    /// The characters at hand that were not taken.
    pub(super) fn rest(&self) -> &str {
        self.text.get(self.taken..).unwrap_or_default()
    }
    /// Goes past the first `bytes` bytes of the rest.
    pub(super) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }
    /// The `bytes` bytes that were taken last.
    pub(super) fn last(&self, bytes: usize) -> &str {
        self.text.get(self.taken.saturating_sub(bytes)..self.taken).unwrap_or_default()
    }
    /// Are the characters at hand the last ones?
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }
    /// Place of byte `index` of the rest in the document. In a character set that has two forms of a
    /// character it is reckoned from the usual one.
    pub(super) fn place(&self, index: usize) -> u64 {
        self.before + self.bytes_before(self.taken + index)
    }
    /// The same, so many bytes before the rest.
    pub(super) fn place_before(&self, bytes: usize) -> u64 {
        self.before + self.bytes_before(self.taken.saturating_sub(bytes))
    }
    fn bytes_before(&self, end: usize) -> u64 {
        match &self.decoding {
            Some(Decoding { charset, .. }) if *charset != Charset::UTF_8 => {
                let mut bytes = Vec::new();
                // They came out of the set, and nearly all can be written in it.
                let _ = charset.encode(self.text.get(..end).unwrap_or_default(), &mut bytes);
                bytes.len() as u64
            }
            _ => end as u64,
        }
    }

    /// Brings more characters to hand; false when more bytes must come first.
    pub(super) fn more(&mut self) -> Result<bool, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.decoding.is_none() {
            return self.begin();
        }
        self.before += self.bytes_before(self.taken);
        self.text.drain(..self.taken);
        self.taken = 0;
        let Some(Decoding { decoder, .. }) = &mut self.decoding else { return Ok(false) };
        let (first, _) = self.raw.as_slices();
        let piece = first.get(..PIECE_BYTES).unwrap_or(first);
        if piece.is_empty() && (!self.is_ended || self.is_whole) {
            return Ok(false);
        }
        let is_last = self.is_ended && piece.len() == self.raw.len();
        let result = decoder.decode(piece, is_last, &mut self.text);
        self.raw.drain(..piece.len());
        // What came before the bad bytes is read first, wherever pieces are cut.
        self.failed = result.err();
        self.is_whole = is_last && self.failed.is_none();
        Ok(true)
    }

    fn begin(&mut self) -> Result<bool, FormatError> {
        let head = head(self.raw.make_contiguous(), self.is_ended).map_err(|problem| problem.at(0))?;
        let Some(Head { charset, mark_bytes, declaration_chars }) = head else { return Ok(false) };
        // The decoder drops the mark, and everything in the declaration is ASCII.
        self.before = mark_bytes as u64;
        self.decoding = Some(Decoding { charset, decoder: charset.decoder() });
        let more = self.more()?;
        while self.text.len() < declaration_chars && self.more()? {}
        self.taken = declaration_chars;
        Ok(more)
    }
}

/// A way to write ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Bytes,
    BigPairs,
    LittlePairs,
}

/// Reads the first bytes; none when more are needed.
fn head(bytes: &[u8], is_ended: bool) -> Result<Option<Head>, Problem> {
    if bytes.len() < 4 && !is_ended {
        return Ok(None);
    }
    let (family, mark_bytes) = match bytes {
        // UTF-32 in four orders of bytes, and EBCDIC.
        [0, 0, 0xfe, 0xff, ..]
        | [0xff, 0xfe, 0, 0, ..]
        | [0, 0, 0xff, 0xfe, ..]
        | [0xfe, 0xff, 0, 0, ..]
        | [0, 0, 0, b'<', ..]
        | [b'<', 0, 0, 0, ..]
        | [0, 0, b'<', 0, ..]
        | [0, b'<', 0, 0, ..]
        | [0x4c, 0x6f, 0xa7, 0x94, ..] => return Err(Problem::Charset),
        [0xef, 0xbb, 0xbf, ..] => (Family::Bytes, 3),
        [0xfe, 0xff, ..] => (Family::BigPairs, 2),
        [0xff, 0xfe, ..] => (Family::LittlePairs, 2),
        [0, b'<', 0, b'?', ..] => (Family::BigPairs, 0),
        [b'<', 0, b'?', 0, ..] => (Family::LittlePairs, 0),
        _ => (Family::Bytes, 0),
    };
    let rest = bytes.get(mark_bytes..).unwrap_or_default();
    let text = family.ascii(rest);
    let is_long = text.len() == DECLARATION_CHARS_MAX;
    // All that is at hand is ASCII, and more of it may come.
    let is_cut = !is_ended && !is_long && text.len() == rest.len() / family.width();
    let inside = text.strip_prefix("<?xml").filter(|inside| inside.bytes().next().is_some_and(names::is_space));
    let Some(inside) = inside else {
        if is_cut && "<?xml".starts_with(&text) {
            return Ok(None);
        }
        let charset = family.charset(mark_bytes, None)?;
        return Ok(Some(Head { charset, mark_bytes, declaration_chars: 0 }));
    };
    // Nothing in a declaration holds a `>`.
    match inside.split_once('>') {
        Some((inside, _)) => {
            let inside = inside.strip_suffix('?').ok_or(Problem::Declaration)?;
            let charset = family.charset(mark_bytes, declaration::parse(inside)?.encoding)?;
            Ok(Some(Head { charset, mark_bytes, declaration_chars: "<?xml?>".len() + inside.len() }))
        }
        None if is_cut => Ok(None),
        None if is_long => Err(Problem::DeclarationLength),
        None if text.len() == rest.len() / family.width() => Err(Problem::End),
        None => Err(Problem::Declaration),
    }
}

impl Family {
    /// Bytes of an ASCII character.
    fn width(self) -> usize {
        if self == Family::Bytes { 1 } else { 2 }
    }
    /// The first characters, as far as they are ASCII.
    fn ascii(self, bytes: &[u8]) -> String {
        let narrow = |pair: &[u8]| match (self, pair) {
            (Family::BigPairs, [0, low]) | (Family::LittlePairs, [low, 0]) | (Family::Bytes, [low]) => Some(*low),
            _ => None,
        };
        let ascii = bytes.chunks(self.width()).map_while(narrow).take_while(u8::is_ascii).take(DECLARATION_CHARS_MAX);
        ascii.map(char::from).collect()
    }

    /// The character set of a document that says that it is written in `encoding`.
    fn charset(self, mark_bytes: usize, encoding: Option<&str>) -> Result<Charset, Problem> {
        let named = |name: &str| Charset::named(name).ok_or(Problem::Charset);
        let pairs = [named("utf-16be")?, named("utf-16le")?];
        let own = match self {
            Family::Bytes => Charset::UTF_8,
            Family::BigPairs => named("utf-16be")?,
            Family::LittlePairs => named("utf-16le")?,
        };
        match encoding {
            // Without a mark, another set than UTF-8 must be named.
            None if self == Family::Bytes || mark_bytes > 0 => Ok(own),
            None => Err(Problem::OtherCharset),
            Some(name) => {
                let charset = named(name)?;
                // These names leave the order of bytes to the mark.
                let is_open = ["utf-16", "iso-10646-ucs-2"].iter().any(|open| name.eq_ignore_ascii_case(open));
                let agrees = match self {
                    Family::Bytes => (mark_bytes == 0 && !pairs.contains(&charset)) || charset == own,
                    _ if is_open => mark_bytes > 0,
                    _ => charset == own,
                };
                match (agrees, self) {
                    (false, _) => Err(Problem::OtherCharset),
                    (true, Family::Bytes) => Ok(charset),
                    (true, _) => Ok(own),
                }
            }
        }
    }
}
