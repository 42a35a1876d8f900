//! Character sets: bytes to text and back, strictly.
//!
//! Names and tables are those of the WHATWG Encoding Standard, through `encoding_rs`. A byte that
//! the set does not define and a character that it does not have are refused, never replaced. A
//! byte order mark of the set at the very start is dropped.
//!
//! Deliberately absent: guessing.

use encoding_rs::{DecoderResult, EncoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::format::FormatError;

/// A character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

impl Charset {
    /// UTF-8.
    pub const UTF_8: Charset = Charset(UTF_8);

    /// The set of this name or label, in any case: `utf-8`, `iso-8859-15`, `windows-1252`, `utf-16le`.
    pub fn named(name: &str) -> Option<Charset> {
        Encoding::for_label_no_replacement(name.as_bytes()).map(Charset)
    }
    /// The name in the standard, in lower case.
    pub fn name(self) -> String {
        self.0.name().to_ascii_lowercase()
    }
    /// Reads bytes of this set piece by piece.
    pub fn decoder(self) -> CharsetDecoder {
        CharsetDecoder { inner: self.0.new_decoder_with_bom_removal(), taken: 0 }
    }

    /// Reads bytes of this set from behind the byte order mark, which is so many bytes long.
    pub(crate) fn decoder_at(self, offset: u64) -> CharsetDecoder {
        CharsetDecoder { inner: self.0.new_decoder_without_bom_handling(), taken: offset }
    }

    /// How many bytes these whole characters of UTF-8 have in this set.
    pub(crate) fn bytes_of(self, text: &[u8]) -> u64 {
        // Every byte that does not continue a character begins one.
        let characters = || text.iter().filter(|byte| *byte & 0xc0 != 0x80).count() as u64;
        if self == Charset::UTF_8 {
            text.len() as u64
        } else if self.0.is_single_byte() {
            characters()
        } else if self.0 == UTF_16LE || self.0 == UTF_16BE {
            // Characters of four bytes in UTF-8 are those of two units.
            2 * (characters() + text.iter().filter(|byte| **byte >= 0xf0).count() as u64)
        } else {
            let mut bytes = Vec::new();
            // What was decoded from this set can be encoded in it.
            let _ = self.encode(std::str::from_utf8(text).unwrap_or_default(), &mut bytes);
            bytes.len() as u64
        }
    }
    /// Are ASCII characters single bytes of the same value, wherever they stand?
    pub(crate) fn holds_ascii(self) -> bool {
        self.0.is_ascii_compatible()
    }
    /// The byte order mark of this set in itself; empty when it has none.
    pub(crate) fn mark(self) -> &'static [u8] {
        match self.0 {
            set if set == UTF_8 => b"\xef\xbb\xbf",
            set if set == UTF_16LE => b"\xff\xfe",
            set if set == UTF_16BE => b"\xfe\xff",
            _ => b"",
        }
    }

    /// Appends a text in this set.
    pub fn encode(self, text: &str, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if self == Charset::UTF_8 {
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        // The standard writes no UTF-16.
        if self.0 == UTF_16LE || self.0 == UTF_16BE {
            let bytes = |unit: u16| if self.0 == UTF_16LE { unit.to_le_bytes() } else { unit.to_be_bytes() };
            out.extend(text.encode_utf16().flat_map(bytes));
            return Ok(());
        }
        let lacking = || {
            let message = format!("a character of the text does not exist in {}", self.name());
            FormatError::new("LG-CHARSET", 0, message)
        };
        let mut encoder = self.0.new_encoder();
        let (begin, mut rest) = (out.len(), text);
        loop {
            let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len());
            out.reserve(room.max(16));
            let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, out, true);
            rest = rest.get(read..).unwrap_or_default();
            match result {
                EncoderResult::InputEmpty => break,
                EncoderResult::OutputFull => {}
                EncoderResult::Unmappable(_) => return Err(lacking()),
            }
        }
        // The standard writes some characters as others that look like them: a yen sign as a backslash.
        let written = out.get(begin..).unwrap_or_default();
        let read = self.0.decode_without_bom_handling_and_without_replacement(written);
        if read.is_some_and(|read| read == text) { Ok(()) } else { Err(lacking()) }
    }
}

/// Bytes to text, across pieces.
pub struct CharsetDecoder {
    inner: encoding_rs::Decoder,
    taken: u64,
}

impl CharsetDecoder {
    /// Appends the text of these bytes to `out`; `last` when no more follow. A character that is cut by
    /// the end of a piece waits for the next one.
    pub fn decode(&mut self, bytes: &[u8], last: bool, out: &mut String) -> Result<(), FormatError> {
        let mut rest = bytes;
        loop {
            let room = self.inner.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(rest.len());
            out.reserve(room.max(16));
            let (result, read) = self.inner.decode_to_string_without_replacement(rest, out, last);
            rest = rest.get(read..).unwrap_or_default();
            self.taken += read as u64;
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    let at = self.taken.saturating_sub(u64::from(length) + u64::from(after));
                    let name = self.inner.encoding().name().to_ascii_lowercase();
                    return Err(FormatError::new("LG-CHARSET", at, format!("these bytes are no text in {name}")));
                }
            }
        }
    }
}

impl std::fmt::Debug for CharsetDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CharsetDecoder({}, {} bytes taken)", self.inner.encoding().name(), self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(name: &str, pieces: &[&[u8]]) -> Result<String, FormatError> {
        let mut decoder = Charset::named(name).unwrap().decoder();
        let mut text = String::new();
        for piece in pieces {
            decoder.decode(piece, false, &mut text)?;
        }
        decoder.decode(b"", true, &mut text).map(|()| text)
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_place() {
        for (name, pieces, at) in [
            ("utf-8", [&b"ab\xff"[..], b"c"], 2),
            ("utf-8", [b"a\xc3", b"("], 1),
            ("utf-8", [b"a\xc3", b""], 1),
            ("utf-16le", [b"a\0\0\xd8b\0", b""], 2),
            ("shift_jis", [b"a\x81", b" "], 1),
        ] {
            let error = decoded(name, &pieces).unwrap_err();
            assert_eq!((error.code(), error.offset()), ("LG-CHARSET", at), "{name} {pieces:?}");
        }
        assert!(Charset::named("utf-7").is_none());
        assert!(Charset::named("hz-gb-2312").is_none());
    }

    #[test]
    fn a_character_that_the_set_lacks_is_refused() {
        let mut out = Vec::new();
        for (name, text) in [("iso-8859-15", "a€ж"), ("shift_jis", "5 ¥"), ("euc-jp", "‾"), ("iso-2022-jp", "ｱ")]
        {
            let error = Charset::named(name).unwrap().encode(text, &mut out).unwrap_err();
            assert_eq!(error.code(), "LG-CHARSET", "{name}");
        }
    }

    #[test]
    fn text_goes_there_and_back() {
        for (name, sign) in [
            ("utf-8", "😀"),
            ("utf-16le", "😀"),
            ("utf-16be", "ж"),
            ("windows-1252", "€"),
            ("iso-8859-15", "€"),
            ("gb18030", "中"),
            ("euc-jp", "日"),
        ] {
            let charset = Charset::named(name).unwrap();
            let text = format!("a{sign}").repeat(5_000);
            let mut bytes = Vec::new();
            charset.encode(&text, &mut bytes).unwrap();
            let (left, right) = bytes.split_at(4_097);
            assert_eq!(decoded(name, &[left, right]).unwrap(), text, "{name}");
        }
        let mut bytes = Vec::new();
        Charset::named("ISO-8859-15").unwrap().encode("5 €", &mut bytes).unwrap();
        assert_eq!(bytes, b"5 \xa4");
        assert_eq!(decoded("utf-8", &[b"\xef", b"\xbb\xbfa"]).unwrap(), "a");
    }
}
