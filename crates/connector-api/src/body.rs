//! Streamed bytes, in and out of a call.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use crate::{Error, Kind};

/// Bytes that pass through in pieces: a single pass, pulled by the reader, so that a slow reader
/// slows the writer and memory stays flat however long it is.
pub struct Body {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
    length: Option<u64>,
}

impl Body {
    /// A body of unknown length.
    pub fn new(pieces: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self { pieces: Box::pin(pieces), length: None }
    }

    /// A body that is wholly at hand.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        Self { pieces: Box::pin(stream::iter((!bytes.is_empty()).then_some(Ok(bytes)))), length: Some(length) }
    }

    /// States the length in bytes. A body that turns out shorter or longer is a failed call.
    #[must_use]
    pub fn with_length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }

    /// The length in bytes, where it is known beforehand.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// All bytes, or `TooLarge` as soon as one more than `bytes_max` is seen.
    pub async fn collect(mut self, bytes_max: u64) -> Result<Bytes, Error> {
        let too_large = || Error::new(Kind::TooLarge, "body-too-large", "the body is larger than the limit");
        if self.length.is_some_and(|length| length > bytes_max) {
            return Err(too_large());
        }
        let mut all = BytesMut::new();
        let mut first: Option<Bytes> = None;
        while let Some(piece) = self.next().await.transpose()? {
            let have = first.as_ref().map_or(all.len(), Bytes::len) as u64;
            if have.saturating_add(piece.len() as u64) > bytes_max {
                return Err(too_large());
            }
            // One piece is the common case and is handed on without a copy.
            match (first.take(), all.is_empty()) {
                (None, true) => first = Some(piece),
                (held, _) => {
                    if let Some(held) = held {
                        all.extend_from_slice(&held);
                    }
                    all.extend_from_slice(&piece);
                }
            }
        }
        Ok(first.unwrap_or_else(|| all.freeze()))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(list: &[&'static str]) -> Body {
        Body::new(stream::iter(list.iter().map(|p| Ok(Bytes::from_static(p.as_bytes()))).collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn one_byte_past_the_limit_is_refused() {
        assert_eq!(pieces(&["ab", "cd"]).collect(3).await.unwrap_err().kind(), Kind::TooLarge);
        assert_eq!(Body::full("abcd").collect(3).await.unwrap_err().kind(), Kind::TooLarge);
        assert_eq!(pieces(&["ab", "cd"]).collect(4).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_failing_piece_fails_the_whole() {
        let body =
            Body::new(stream::iter([Ok(Bytes::from_static(b"a")), Err(Error::new(Kind::Unreachable, "x", "x"))]));
        assert_eq!(body.collect(10).await.unwrap_err().kind(), Kind::Unreachable);
    }

    #[tokio::test]
    async fn pieces_come_together_in_order() {
        assert_eq!(pieces(&[]).collect(0).await.unwrap(), "");
        assert_eq!(pieces(&["a", "", "b", "c"]).collect(9).await.unwrap(), "abc");
        assert_eq!(Body::full("abc").length(), Some(3));
    }
}
