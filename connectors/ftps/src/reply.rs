//! Replies of a server (RFC 959 §4.2): a code of three digits, and words on one line or several.

use bytes::BytesMut;

/// Longest reply and longest line of one, in bytes.
const REPLY_BYTES_MAX: usize = 64 << 10;
const LINE_BYTES_MAX: usize = 8 << 10;

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

/// Replies out of what arrives, line by line.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// A reply of several lines whose last one is not there yet: its code and lines.
    open: Option<(u16, Vec<String>)>,
    bytes: usize,
}

impl Replies {
    /// Takes the next whole reply out of what has arrived.
    pub fn take(&mut self, arrived: &mut BytesMut) -> Result<Option<Reply>, Malformed> {
        while let Some(end) = arrived.iter().position(|byte| *byte == b'\n') {
            let line = arrived.split_to(end + 1);
            self.bytes += line.len();
            if line.len() > LINE_BYTES_MAX || self.bytes > REPLY_BYTES_MAX {
                return Err(Malformed);
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            if let Some(reply) = self.line(line.strip_suffix(b"\r").unwrap_or(line))? {
                self.bytes = 0;
                return Ok(Some(reply));
            }
        }
        // What cannot become a reply is told before its line ends: a server of another protocol may send
        // no line at all.
        let is_begun = self.open.is_some() || arrived.iter().take(3).all(u8::is_ascii_digit);
        if is_begun && arrived.len() <= LINE_BYTES_MAX { Ok(None) } else { Err(Malformed) }
    }

    /// Whether a reply has begun and not ended.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The reply that ends with a line.
    fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        let (code, words) = (code(line), line.get(4..).unwrap_or_default());
        let is_last = matches!(line.get(3), Some(b' ') | None);
        match (self.open.take(), code) {
            (None, Some(code)) if is_last => Ok(Some(Reply { code, lines: vec![shown(words)] })),
            (None, Some(code)) if line.get(3) == Some(&b'-') => {
                self.open = Some((code, vec![shown(words)]));
                Ok(None)
            }
            (None, _) => Err(Malformed),
            (Some((first, mut lines)), Some(code)) if first == code && is_last => {
                lines.push(shown(words));
                Ok(Some(Reply { code, lines }))
            }
            // A line between the first and the last may look like anything.
            (Some((first, mut lines)), code) => {
                let is_marked = code == Some(first) && line.get(3) == Some(&b'-');
                lines.push(shown(if is_marked { words } else { line }));
                self.open = Some((first, lines));
                Ok(None)
            }
        }
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

    /// All replies of a text, which arrives in pieces of that length.
    fn all(text: &str, piece: usize) -> Result<Vec<(u16, Vec<String>)>, Malformed> {
        let (mut arrived, mut replies, mut found) = (BytesMut::new(), Replies::default(), Vec::new());
        for piece in text.as_bytes().chunks(piece) {
            arrived.extend_from_slice(piece);
            while let Some(reply) = replies.take(&mut arrived)? {
                found.push((reply.code, reply.lines));
            }
        }
        assert!(arrived.is_empty() && !replies.is_open(), "left: {arrived:?}");
        Ok(found)
    }

    fn once(text: &str) -> Result<Option<Reply>, Malformed> {
        Replies::default().take(&mut BytesMut::from(text))
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for text in
            ["SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n", "\r\n", "22\r\n", "220x\r\n", "620 x\r\n", "020 x\r\n", "\0", "2a"]
        {
            assert_eq!(once(text), Err(Malformed), "{text:?}");
        }
        assert_eq!(once(&"220-".repeat(20_000)), Err(Malformed));
        assert_eq!(once(&"220-x\r\n".repeat(10_000)), Err(Malformed));
    }

    #[test]
    fn a_reply_is_taken_when_it_is_whole() {
        for part in ["", "2", "220", "220 hello", "220-hello\r\n", "220-a\r\n220", "220-a\r\n 220 b\r\n"] {
            assert_eq!(once(part), Ok(None), "{part:?}");
        }
        let words = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        for piece in 1..50 {
            assert_eq!(all("220 hello\r\n", piece).unwrap(), [(220, words(&["hello"]))]);
            assert_eq!(all("226\r\n150 b\n", piece).unwrap(), [(226, words(&[""])), (150, words(&["b"]))]);
            assert_eq!(
                all("211-a\r\n MLST x\r\n150 in between\r\n211-b\r\n211 end\r\n", piece).unwrap(),
                [(211, words(&["a", " MLST x", "150 in between", "b", "end"]))]
            );
        }
    }
}
