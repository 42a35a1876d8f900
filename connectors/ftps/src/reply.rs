//! Replies of a server (RFC 959 §4.2): a code of three digits, and words on one line or several.

use bytes::BytesMut;

/// Longest reply, in bytes.
const REPLY_BYTES_MAX: usize = 64 << 10;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Three digits, the first of them 1 to 5.
    pub code: u16,
    /// The words of each line, the code left out where it stands.
    pub lines: Vec<String>,
}

impl Reply {
    /// What the first digit says (RFC 959 §4.2.1).
    pub fn class(&self) -> Class {
        match self.code / 100 {
            1 => Class::Preliminary,
            2 => Class::Done,
            3 => Class::More,
            4 => Class::NotNow,
            _ => Class::Never,
        }
    }

    /// All words in one text.
    pub fn words(&self) -> String {
        self.lines.join("\n")
    }
}

/// What a reply says about its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Begun; another reply follows.
    Preliminary,
    /// Done.
    Done,
    /// Well so far; a further command must follow.
    More,
    /// Not done, for now.
    NotNow,
    /// Not done.
    Never,
}

/// The bytes are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Takes the first whole reply out of what has arrived.
pub(crate) fn take(arrived: &mut BytesMut) -> Result<Option<Reply>, Malformed> {
    let Some((reply, length)) = first(arrived)? else {
        return if arrived.len() < REPLY_BYTES_MAX { Ok(None) } else { Err(Malformed) };
    };
    let _ = arrived.split_to(length);
    Ok(Some(reply))
}

/// The first whole reply and its length in bytes.
fn first(arrived: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
    let (mut lines, mut length) = (Vec::new(), 0);
    let mut open: Option<u16> = None;
    for line in arrived.split_inclusive(|byte| *byte == b'\n') {
        let Some(line_text) = line.strip_suffix(b"\n") else { break };
        length += line.len();
        if length > REPLY_BYTES_MAX {
            return Err(Malformed);
        }
        let text = line_text.strip_suffix(b"\r").unwrap_or(line_text);
        let (code, words) = (code(text), text.get(4..).unwrap_or_default());
        let mark = text.get(3).copied();
        let words = match (open, code, mark) {
            // A line between the first and the last may look like anything.
            (Some(first), Some(code), Some(b' ') | None) if first == code => {
                lines.push(shown(words));
                return Ok(Some((Reply { code, lines }, length)));
            }
            (Some(first), Some(code), Some(b'-')) if first == code => words,
            (Some(_), ..) => text,
            (None, Some(code), Some(b'-')) => {
                open = Some(code);
                words
            }
            (None, Some(code), Some(b' ') | None) => {
                return Ok(Some((Reply { code, lines: vec![shown(words)] }, length)));
            }
            _ => return Err(Malformed),
        };
        lines.push(shown(words));
    }
    // What cannot become a reply is told before its line ends: a server of another protocol may send
    // no line at all.
    match arrived.iter().take(3).all(u8::is_ascii_digit) {
        true => Ok(None),
        false => Err(Malformed),
    }
}

fn code(line: &[u8]) -> Option<u16> {
    let [first @ b'1'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9'] = *line.first_chunk::<3>()? else {
        return None;
    };
    let digit = |byte: u8| u16::from(byte - b'0');
    Some(digit(first) * 100 + digit(second) * 10 + digit(third))
}

fn shown(words: &[u8]) -> String {
    String::from_utf8_lossy(words).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(u16, Vec<String>)>, Malformed> {
        let mut arrived = BytesMut::from(text);
        let mut replies = Vec::new();
        while let Some(reply) = take(&mut arrived)? {
            replies.push((reply.code, reply.lines));
        }
        assert!(arrived.is_empty(), "left: {arrived:?}");
        Ok(replies)
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for text in
            ["SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n", "\r\n", "22\r\n", "220x\r\n", "620 x\r\n", "020 x\r\n", "\0", "2a"]
        {
            assert_eq!(take(&mut BytesMut::from(text)), Err(Malformed), "{text:?}");
        }
        assert_eq!(take(&mut BytesMut::from("220-".repeat(20_000).as_str())), Err(Malformed));
        assert_eq!(take(&mut BytesMut::from("220-x\r\n".repeat(10_000).as_str())), Err(Malformed));
    }

    #[test]
    fn a_reply_is_taken_when_it_is_whole() {
        for part in ["", "2", "220", "220 hello", "220-hello\r\n", "220-a\r\n220", "220-a\r\n 220 b\r\n"] {
            assert_eq!(take(&mut BytesMut::from(part)), Ok(None), "{part:?}");
        }
        let words = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert_eq!(all("220 hello\r\n").unwrap(), [(220, words(&["hello"]))]);
        assert_eq!(all("226\r\n150 b\n").unwrap(), [(226, words(&[""])), (150, words(&["b"]))]);
        assert_eq!(
            all("211-a\r\n MLST x\r\n150 in between\r\n211-b\r\n211 end\r\n").unwrap(),
            [(211, words(&["a", " MLST x", "150 in between", "b", "end"]))]
        );
    }
}
