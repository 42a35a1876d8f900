//! Lines of a text on their way (RFC 959 §3.1.1.1): they end with CR LF there and with LF here.

use bytes::{Bytes, BytesMut};

/// Lines that come in: CR LF becomes LF, a CR alone stays.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// The last byte was a CR, which is held back until the next one tells what it is.
    after_cr: bool,
}

impl Incoming {
    /// The next bytes.
    pub fn piece(&mut self, bytes: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(bytes.len() + 1);
        for part in bytes.split_inclusive(|byte| *byte == b'\r') {
            if std::mem::take(&mut self.after_cr) && part.first() != Some(&b'\n') {
                out.extend_from_slice(b"\r");
            }
            let (text, ends) = part.strip_suffix(b"\r").map_or((part, false), |text| (text, true));
            out.extend_from_slice(text);
            self.after_cr = ends;
        }
        out.freeze()
    }

    /// What was held back at the end.
    pub fn rest(&mut self) -> Option<Bytes> {
        std::mem::take(&mut self.after_cr).then_some(Bytes::from_static(b"\r"))
    }
}

/// Lines that go out: LF becomes CR LF, and a CR LF stays one.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    after_cr: bool,
}

impl Outgoing {
    /// The next bytes.
    pub fn piece(&mut self, bytes: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(bytes.len() + bytes.len() / 32 + 2);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(text) => {
                    out.extend_from_slice(text);
                    let is_whole = text.last().map_or(self.after_cr, |byte| *byte == b'\r');
                    out.extend_from_slice(if is_whole { b"\n" } else { b"\r\n" });
                    self.after_cr = false;
                }
                None => {
                    out.extend_from_slice(line);
                    self.after_cr = line.last() == Some(&b'\r');
                }
            }
        }
        out.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole, and cut at every place.
    fn pieces(text: &str) -> impl Iterator<Item = [&[u8]; 2]> {
        (0..=text.len()).map(|at| text.as_bytes().split_at(at)).map(|(a, b)| [a, b])
    }

    #[test]
    fn lines_come_in() {
        for (sent, here) in
            [("a\r\nb\r\n", "a\nb\n"), ("\r\r\n\r", "\r\n\r"), ("a\nb", "a\nb"), ("", ""), ("\r\n", "\n")]
        {
            for parts in pieces(sent) {
                let mut incoming = Incoming::default();
                let mut got: Vec<u8> = parts.iter().flat_map(|part| incoming.piece(part)).collect();
                got.extend(incoming.rest().into_iter().flatten());
                assert_eq!(got, here.as_bytes(), "{parts:?}");
            }
        }
    }

    #[test]
    fn lines_go_out() {
        for (here, sent) in
            [("a\nb\n", "a\r\nb\r\n"), ("a\r\nb", "a\r\nb"), ("\n\n", "\r\n\r\n"), ("\r", "\r"), ("", "")]
        {
            for parts in pieces(here) {
                let mut outgoing = Outgoing::default();
                let got: Vec<u8> = parts.iter().flat_map(|part| outgoing.piece(part)).collect();
                assert_eq!(got, sent.as_bytes(), "{parts:?}");
            }
        }
    }
}
