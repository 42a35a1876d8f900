//! Text that arrives as bytes in pieces of any size: decoded, without its byte order mark, and with
//! its place in the source.

use crate::charset::{Charset, CharsetDecoder};
use crate::format::FormatError;

/// What was pushed and not yet taken.
pub(crate) struct Feed {
    charset: Charset,
    /// None for UTF-8, which is held as it comes: who takes a record looks whether it is text.
    decoder: Option<CharsetDecoder>,
    held: Vec<u8>,
    /// How much of it was taken.
    taken: usize,
    /// Where in the source the rest begins.
    offset: u64,
    /// Bytes of a byte order mark that were seen; none when it is past or never came.
    mark: Option<usize>,
    ended: bool,
    /// What could not be decoded, behind all that could.
    wrong: Option<FormatError>,
    piece: String,
}

impl Feed {
    pub(crate) fn new(charset: Charset) -> Self {
        let decoder = (charset != Charset::UTF_8).then(|| charset.decoder_at(0));
        Self::begun(charset, decoder, Some(0))
    }
    /// Bytes as they are: nothing is decoded, and a byte order mark is data.
    pub(crate) fn bytes(charset: Charset) -> Self {
        Self::begun(charset, None, None)
    }
    fn begun(charset: Charset, decoder: Option<CharsetDecoder>, mark: Option<usize>) -> Self {
        let (held, piece) = (Vec::new(), String::new());
        Self { charset, decoder, held, taken: 0, offset: 0, mark, ended: false, wrong: None, piece }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.ended || self.wrong.is_some() {
            return;
        }
        // What is left moves to the front, but not again and again.
        if self.taken * 2 >= self.held.len() {
            self.held.drain(..self.taken);
            self.taken = 0;
        }
        let mut bytes = bytes;
        while let (Some(seen), Some((first, rest))) = (self.mark, bytes.split_first()) {
            let mark = self.charset.mark();
            if mark.get(seen) != Some(first) {
                // What began like a mark was text.
                self.mark = None;
                self.decode(mark.get(..seen).unwrap_or_default(), false);
                break;
            }
            bytes = rest;
            self.mark = Some(seen + 1).filter(|seen| *seen < mark.len());
            if self.mark.is_none() {
                self.offset = mark.len() as u64;
                self.decoder = self.decoder.take().map(|_| self.charset.decoder_at(self.offset));
            }
        }
        self.decode(bytes, false);
    }
    pub(crate) fn end(&mut self) {
        if !self.ended && self.wrong.is_none() {
            let seen = self.mark.take().unwrap_or(0);
            self.decode(self.charset.mark().get(..seen).unwrap_or_default(), true);
            self.ended = true;
        }
    }

    fn decode(&mut self, bytes: &[u8], last: bool) {
        let Some(decoder) = &mut self.decoder else {
            self.held.extend_from_slice(bytes);
            return;
        };
        self.piece.clear();
        let decoded = decoder.decode(bytes, last, &mut self.piece);
        self.held.extend_from_slice(self.piece.as_bytes());
        self.wrong = decoded.err();
    }

    /// What was not taken yet, as UTF-8.
    pub(crate) fn rest(&self) -> &[u8] {
        self.held.get(self.taken..).unwrap_or_default()
    }
    /// Nothing will follow the rest.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
    /// Bytes of memory that it holds.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.capacity() + self.piece.capacity()
    }
    /// What is wrong behind the rest.
    pub(crate) fn wrong(&self) -> Option<&FormatError> {
        self.wrong.as_ref()
    }
    /// Takes so many bytes of the rest.
    pub(crate) fn take(&mut self, length: usize) {
        self.offset = self.offset(length);
        self.taken += length;
    }
    /// Where this byte of the rest stands in the source.
    pub(crate) fn offset(&self, at: usize) -> u64 {
        let before = self.rest().get(..at).unwrap_or_default();
        self.offset + if self.decoder.is_some() { self.charset.bytes_of(before) } else { before.len() as u64 }
    }
}
