//! A content on its way to a server: a single pass, of which what the server may not have yet is kept,
//! so that the way can be gone on with over another connection.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::StreamExt as _;

use super::{input::Transfer, unlike};
use crate::{Body, Error};

/// Bytes that are kept, and pieces. What a server has not stored of more than that is lost with its
/// connection; buffers of a connection hold less.
const KEPT_BYTES_MAX: u64 = 8 << 20;
const KEPT_PIECES_MAX: usize = 4096;
/// A short content.
const SHORT_BYTES_MAX: u64 = 64 << 10;

/// The content.
#[derive(Debug)]
pub struct Content {
    body: Body,
    transfer: Transfer,
    /// Pieces that were taken from the body and may be asked for again.
    kept: VecDeque<Bytes>,
    kept_bytes: u64,
    /// Bytes taken from the body.
    taken: u64,
    /// Where the next piece stands.
    at: u64,
    /// The server has all before this.
    stored: u64,
    is_resumed: bool,
}

impl Content {
    /// From its beginning.
    pub fn new(body: Body, transfer: Transfer) -> Self {
        Self { body, transfer, kept: VecDeque::new(), kept_bytes: 0, taken: 0, at: 0, stored: 0, is_resumed: false }
    }

    /// Whether it is known to be sent sooner than a server answers.
    pub fn is_short(&self) -> bool {
        self.body.length().is_some_and(|length| length <= SHORT_BYTES_MAX)
    }

    /// How it travels.
    pub fn transfer(&self) -> Transfer {
        self.transfer
    }

    /// Where its next piece stands; at its end, its length.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Whether it is gone on with, in a file that is there.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// Those of the source, and `Input` when it is not as long as it was said to be.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.at < self.taken {
            let piece = self.kept_at(self.at);
            self.at += piece.len() as u64;
            return Ok(Some(piece));
        }
        let stated = self.body.length();
        let Some(piece) = self.body.next().await.transpose()? else {
            return if stated.is_some_and(|stated| self.taken != stated) { Err(unlike()) } else { Ok(None) };
        };
        self.taken = self.taken.saturating_add(piece.len() as u64);
        if stated.is_some_and(|stated| self.taken > stated) {
            return Err(unlike());
        }
        self.at = self.taken;
        if !piece.is_empty() {
            self.kept_bytes += piece.len() as u64;
            self.kept.push_back(piece.clone());
        }
        while self.kept_bytes > KEPT_BYTES_MAX || self.kept.len() > KEPT_PIECES_MAX {
            self.forget_one();
        }
        Ok(Some(piece))
    }

    /// The server has stored all before that byte.
    pub fn is_stored(&mut self, before: u64) {
        self.stored = before;
        while self.kept.front().is_some_and(|piece| self.kept_from() + piece.len() as u64 <= before) {
            self.forget_one();
        }
    }

    /// All before this is stored, as [`Content::is_stored`] said.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Goes on from that byte. False where that is not kept any more, or was not taken yet.
    #[must_use]
    pub fn rewind(&mut self, to: u64) -> bool {
        let is_kept = (self.kept_from()..=self.taken).contains(&to);
        if is_kept {
            (self.at, self.is_resumed) = (to, true);
        }
        is_kept
    }

    fn kept_from(&self) -> u64 {
        self.taken - self.kept_bytes
    }

    /// The rest of the kept piece in which a byte stands.
    fn kept_at(&self, at: u64) -> Bytes {
        let mut from = self.kept_from();
        for piece in &self.kept {
            let end = from + piece.len() as u64;
            if at < end {
                let skipped = usize::try_from(at - from).unwrap_or_default().min(piece.len());
                return piece.slice(skipped..);
            }
            from = end;
        }
        Bytes::new()
    }

    fn forget_one(&mut self) {
        if let Some(piece) = self.kept.pop_front() {
            self.kept_bytes -= piece.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn content(pieces: &[&'static [u8]]) -> Content {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
        Content::new(Body::new(stream::iter(pieces)), Transfer::Binary)
    }

    async fn rest(content: &mut Content) -> Vec<u8> {
        let mut rest = Vec::new();
        while let Some(piece) = content.next().await.unwrap() {
            rest.extend_from_slice(&piece);
        }
        rest
    }

    #[tokio::test]
    async fn what_is_kept_comes_again_from_any_byte() {
        let mut content = content(&[b"abc", b"", b"d", b"efgh"]);
        assert_eq!(rest(&mut content).await, b"abcdefgh");
        for at in 0..=8 {
            assert!(content.rewind(at));
            assert_eq!(rest(&mut content).await, b"abcdefgh"[usize::try_from(at).unwrap()..]);
            assert_eq!(content.at(), 8);
        }
        assert!(!content.rewind(9), "nobody has taken that");
    }

    #[tokio::test]
    async fn what_is_stored_is_let_go() {
        let mut content = content(&[b"abc", b"def"]);
        assert_eq!(content.next().await.unwrap().unwrap(), "abc");
        content.is_stored(2);
        assert!(content.rewind(2), "a piece is kept until all of it is stored");
        assert_eq!(rest(&mut content).await, b"cdef");
        content.is_stored(4);
        assert_eq!((content.rewind(2), content.rewind(3), content.stored()), (false, true, 4));
        content.is_stored(6);
        assert!(content.rewind(6) && !content.rewind(5));
        assert_eq!(rest(&mut content).await, b"");
    }

    #[tokio::test]
    async fn no_more_is_kept_than_fits() {
        static PIECE: [u8; 1 << 20] = [7; 1 << 20];
        let mut large =
            Content::new(Body::new(stream::repeat_with(|| Ok(Bytes::from_static(&PIECE)))), Transfer::Binary);
        for _ in 0..20 {
            large.next().await.unwrap();
        }
        assert_eq!((large.rewind(11 << 20), large.rewind(12 << 20)), (false, true));
        let mut small = Content::new(Body::new(stream::repeat_with(|| Ok(Bytes::from_static(b"x")))), Transfer::Binary);
        for _ in 0..5000 {
            small.next().await.unwrap();
        }
        assert!(small.kept.len() <= KEPT_PIECES_MAX && !small.rewind(0));
    }

    #[tokio::test]
    async fn another_length_than_was_said_is_a_failed_content() {
        for stated in [2, 4] {
            let body = Body::new(stream::iter([Ok(Bytes::from_static(b"abc"))])).with_length(Some(stated));
            let mut content = Content::new(body, Transfer::Binary);
            let failed = match content.next().await {
                Ok(_) => content.next().await,
                failed => failed,
            };
            assert_eq!(failed.unwrap_err().code(), "file-length");
        }
    }
}
