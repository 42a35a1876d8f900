//! Takes gzip (RFC 1952) off an answer's content, piece by piece.
//!
//! What comes in is fed in small slices, so that a bomb unfolds only as far as its reader takes it; whoever collects
//! the content has a limit of bytes, and that counts what has been unfolded.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures_util::{StreamExt as _, stream};

use crate::{Body, Error, Kind};

/// Bytes that are unfolded at a time: at most about 4 MiB come out of them.
const SLICE_BYTES: usize = 4 << 10;

struct Decoding {
    content: Body,
    left: Bytes,
    /// None once the content has ended.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    /// Whether there was any content at all.
    begun: bool,
}

/// The content without its gzip.
pub(crate) fn decoded(content: Body) -> Body {
    let decoding =
        Decoding { content, left: Bytes::new(), decoder: Some(MultiGzDecoder::new(Vec::new())), begun: false };
    Body::new(stream::try_unfold(decoding, |mut decoding| async move {
        let piece = decoding.next().await?;
        Ok(piece.map(|piece| (piece, decoding)))
    }))
}

impl Decoding {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.left.is_empty() {
                match self.content.next().await.transpose()? {
                    Some(piece) => self.left = piece,
                    None => return self.end(),
                }
            }
            let slice = self.left.split_to(self.left.len().min(SLICE_BYTES));
            self.begun |= !slice.is_empty();
            let Some(decoder) = &mut self.decoder else { return Ok(None) };
            decoder.write_all(&slice).map_err(|error| wrong(&error))?;
            let out = std::mem::take(decoder.get_mut());
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
    }

    fn end(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(decoder) = self.decoder.take().filter(|_| self.begun) else { return Ok(None) };
        let out = decoder.finish().map_err(|error| wrong(&error))?;
        Ok((!out.is_empty()).then(|| out.into()))
    }
}

fn wrong(error: &std::io::Error) -> Error {
    Error::new(Kind::Protocol, "https-gzip", "the endpoint's answer is not the gzip that it says, or was cut off")
        .with_private(error.to_string())
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn in_pieces(bytes: Vec<u8>, of: usize) -> Body {
        let pieces: Vec<_> = bytes.chunks(of).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Body::new(stream::iter(pieces))
    }

    #[tokio::test]
    async fn content_comes_out_as_it_was_however_it_is_cut() {
        let content: Vec<u8> = (0..200_000_u32).flat_map(|n| (n % 251).to_le_bytes()).collect();
        for of in [1, 7, 4096, 1 << 20] {
            let content = if of == 1 { &content[..3000] } else { &content[..] };
            assert_eq!(decoded(in_pieces(packed(content), of)).collect(1 << 20).await.unwrap(), content, "{of}");
        }
        let twice = [packed(b"one "), packed(b"two")].concat();
        assert_eq!(decoded(in_pieces(twice, 5)).collect(100).await.unwrap(), "one two");
        assert_eq!(decoded(in_pieces(packed(b""), 5)).collect(100).await.unwrap(), "");
        assert_eq!(decoded(in_pieces(Vec::new(), 5)).collect(100).await.unwrap(), "", "no content at all");
    }

    #[tokio::test]
    async fn what_is_cut_off_or_no_gzip_is_an_error() {
        let whole = packed(&[7; 10_000]);
        for bytes in [whole[..whole.len() - 1].to_vec(), whole[..5].to_vec(), b"no gzip at all".to_vec()] {
            let error = decoded(in_pieces(bytes, 3)).collect(1 << 20).await.unwrap_err();
            assert_eq!(error.code(), "https-gzip");
        }
        let mut flipped = whole.clone();
        let at = flipped.len() - 6;
        flipped[at] ^= 1;
        assert!(decoded(in_pieces(flipped, 100)).collect(1 << 20).await.is_err(), "its check sum is wrong");
    }

    #[tokio::test]
    async fn a_bomb_unfolds_no_further_than_it_is_read() {
        let bomb = packed(&vec![0; 64 << 20]);
        let mut body = decoded(Body::full(bomb.clone()));
        let piece = body.next().await.unwrap().unwrap();
        assert!(piece.len() <= 5 << 20, "{}", piece.len());
        let refused = decoded(Body::full(bomb)).collect(1 << 20).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::TooLarge);
    }
}
