//! The characters that an interchange may hold, and their bytes.
//!
//! EDIFACT says it in the interchange itself: the syntax identifier of UNB (data element 0001). X12
//! leaves it to the partners, so that it is an option. Control characters are data in neither.

use std::borrow::Cow;

use super::syntax::Delimiters;
use crate::charset::Charset;

/// The characters of X12 interchanges; X12.6 has its basic and extended sets within ASCII and leaves
/// national characters to the partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Characters {
    /// The printable ones of ASCII.
    #[default]
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
}

impl Characters {
    /// `ascii`, `latin1` or `utf8`.
    pub fn named(name: &str) -> Option<Characters> {
        Some(match name {
            "ascii" => Characters::Ascii,
            "latin1" => Characters::Latin1,
            "utf8" => Characters::Utf8,
            _ => return None,
        })
    }
}

/// The characters of one interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repertoire {
    /// Printable ASCII.
    Ascii,
    /// Level A of ISO 9735: no small letters and few signs; `true` in version 4, which has `_` too.
    LevelA(bool),
    /// Level B: level A and small letters.
    LevelB(bool),
    /// A part of ISO 8859.
    Iso8859(Charset),
    Utf8,
}

impl From<Characters> for Repertoire {
    fn from(characters: Characters) -> Self {
        match characters {
            Characters::Ascii => Repertoire::Ascii,
            // In the standard of labels this name means windows-1252; the bytes that differ are
            // control characters here, which are refused.
            Characters::Latin1 => Charset::named("iso-8859-1").map_or(Repertoire::Ascii, Repertoire::Iso8859),
            Characters::Utf8 => Repertoire::Utf8,
        }
    }
}

impl Repertoire {
    /// The repertoire of a syntax identifier; none for UNOX (code extension by ISO 2022) and others.
    pub fn of_identifier(identifier: &str, version: u8) -> Option<Repertoire> {
        let part = match identifier {
            "UNOA" => return Some(Repertoire::LevelA(version >= 4)),
            "UNOB" => return Some(Repertoire::LevelB(version >= 4)),
            "UNOW" | "UNOY" => return Some(Repertoire::Utf8),
            "UNOC" => "iso-8859-1",
            "UNOD" => "iso-8859-2",
            "UNOE" => "iso-8859-5",
            "UNOF" => "iso-8859-7",
            "UNOG" => "iso-8859-3",
            "UNOH" => "iso-8859-4",
            "UNOI" => "iso-8859-6",
            "UNOJ" => "iso-8859-8",
            "UNOK" => "iso-8859-9",
            _ => return None,
        };
        Charset::named(part).map(Repertoire::Iso8859)
    }

    /// What is wrong with bytes that it does not have.
    pub fn refusal(self) -> String {
        let name = match self {
            Repertoire::Ascii => "printable ASCII",
            Repertoire::LevelA(_) => "UNOA",
            Repertoire::LevelB(_) => "UNOB",
            Repertoire::Iso8859(_) => "the interchange's part of ISO 8859",
            Repertoire::Utf8 => "UTF-8",
        };
        format!("these bytes are no text in {name}")
    }

    /// May this byte stand for itself?
    fn has_ascii(self, byte: u8) -> bool {
        let level = |small: bool, line: bool| match byte {
            b'A'..=b'Z' | b'0'..=b'9' => true,
            b' ' | b'.' | b',' | b'-' | b'(' | b')' | b'/' | b'=' | b'\'' | b'+' | b':' | b'?' => true,
            b'!' | b'"' | b'%' | b'&' | b'*' | b';' | b'<' | b'>' => true,
            b'a'..=b'z' => small,
            b'_' => line,
            _ => false,
        };
        match self {
            Repertoire::LevelA(line) => level(false, line),
            Repertoire::LevelB(line) => level(true, line),
            _ => matches!(byte, b' '..=b'~'),
        }
    }

    /// The text of one segment, whose delimiters may be control characters; or the place of the byte
    /// that is none.
    pub fn decode<'a>(self, bytes: &'a [u8], delimiters: &Delimiters) -> Result<Cow<'a, str>, usize> {
        let mut wide = false;
        for (place, byte) in bytes.iter().enumerate() {
            if byte.is_ascii() {
                if !self.has_ascii(*byte) && !delimiters.has(*byte) {
                    return Err(place);
                }
            } else {
                wide = true;
                let is_control = *byte < 0xa0;
                match self {
                    Repertoire::Iso8859(_) if !is_control => {}
                    Repertoire::Utf8 => {}
                    _ => return Err(place),
                }
            }
        }
        let text = match self {
            Repertoire::Iso8859(charset) if wide => {
                let mut text = String::new();
                charset.decoder().decode(bytes, true, &mut text).map_err(|error| error.offset() as usize)?;
                Cow::Owned(text)
            }
            _ => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|error| error.valid_up_to())?),
        };
        match text.char_indices().find(|(_, sign)| !sign.is_ascii() && sign.is_control()) {
            Some((place, _)) => Err(place),
            None => Ok(text),
        }
    }

    /// Appends one character; false, and nothing appended, when it does not exist here.
    pub fn encode(self, sign: char, out: &mut Vec<u8>) -> bool {
        if let (true, Ok(byte)) = (sign.is_ascii(), u8::try_from(sign)) {
            if self.has_ascii(byte) {
                out.push(byte);
            }
            return self.has_ascii(byte);
        }
        let before = out.len();
        let text = sign.encode_utf8(&mut [0; 4]).to_owned();
        let written = match self {
            Repertoire::Utf8 => {
                out.extend_from_slice(text.as_bytes());
                !sign.is_control()
            }
            Repertoire::Iso8859(charset) => {
                charset.encode(&text, out).is_ok() && out.get(before..).unwrap_or_default().iter().all(|b| *b >= 0xa0)
            }
            _ => false,
        };
        if !written {
            out.truncate(before);
        }
        written
    }
}
