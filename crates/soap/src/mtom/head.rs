//! Heads of parts, and media types with their parameters.

use super::{ID_BYTES_MAX, wrong};
use crate::SoapError;

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartHead {
    /// `content-id` without its angle brackets.
    pub content_id: Option<String>,
    /// `content-type` with its parameters.
    pub content_type: Option<String>,
}

impl PartHead {
    /// Reads the lines before the empty one (RFC 5322 §2.2).
    pub(super) fn parse(lines: &str) -> Result<PartHead, SoapError> {
        let mut head = PartHead::default();
        // A line that begins with white space goes on with the one before.
        let unfolded = lines.replace("\r\n ", " ").replace("\r\n\t", " ");
        for line in unfolded.split("\r\n").filter(|line| !line.is_empty()) {
            let (name, value) =
                line.split_once(':').ok_or_else(|| wrong("a line in the head of a part is no header"))?;
            let value = value.trim();
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "content-id" => &mut head.content_id,
                "content-type" => &mut head.content_type,
                "content-transfer-encoding" => {
                    if !["binary", "8bit", "7bit"].iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
                        return Err(wrong("a part has a transfer encoding: send it as binary, as MTOM has it"));
                    }
                    continue;
                }
                _ => continue,
            };
            if place.replace(value.to_owned()).is_some() {
                return Err(wrong("the head of a part says something twice"));
            }
        }
        if let Some(id) = &mut head.content_id {
            let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
            *id = bare.to_owned();
        }
        if head.content_id.as_ref().is_some_and(|id| id.len() > ID_BYTES_MAX) {
            return Err(wrong("a content id is longer than any should be"));
        }
        Ok(head)
    }
}

/// The content id that a text `cid:…` names (RFC 2392): what is written `%XX` is the character.
pub fn content_id(reference: &str) -> Option<String> {
    let mut rest = reference.strip_prefix("cid:")?.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A parameter of a media type, its quotes taken off (RFC 9110 §8.3.1).
pub(super) fn parameter(media: &str, wanted: &str) -> Option<String> {
    let mut rest = media.split_once(';')?.1;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (name, after) = rest.split_once('=')?;
        let mut value = String::new();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut letters = quoted.char_indices();
            let mut end = None;
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '"' => {
                        end = Some(at);
                        break;
                    }
                    '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
                    letter => value.push(letter),
                }
            }
            rest = quoted.get(end? + 1..)?;
        } else {
            let end = after.find(';').unwrap_or(after.len());
            let (found, left) = after.split_at_checked(end)?;
            found.trim().clone_into(&mut value);
            rest = left;
        }
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}
