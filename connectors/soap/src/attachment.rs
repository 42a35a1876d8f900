//! An answer in parts (MTOM), read piece by piece as its reader takes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Body, Error, Kind};
use lockgate_soap::{
    SoapError,
    mtom::{Event, PartHead, Reader},
};

use crate::failure;

/// Contents of attachments by their ids.
pub(crate) type Attachments = BTreeMap<String, Bytes>;

/// The parts of an answer.
pub(crate) struct Parts {
    reader: Reader,
    content: Body,
}

enum Piece {
    Part(PartHead),
    Data(Bytes),
    EndOfPart,
    Done,
}

impl Parts {
    /// Those of a content of this media type.
    pub fn new(media_type: &str, content: Body) -> Result<Self, SoapError> {
        Ok(Self { reader: Reader::new(media_type)?, content })
    }

    async fn next(&mut self) -> Result<Piece, Error> {
        loop {
            match self.reader.event().map_err(|error| failure::answer(&error))? {
                Event::Part(head) => return Ok(Piece::Part(head)),
                Event::Data(data) => return Ok(Piece::Data(Bytes::copy_from_slice(data))),
                Event::EndOfPart => return Ok(Piece::EndOfPart),
                Event::Done => return Ok(Piece::Done),
                Event::More => {}
            }
            match self.content.next().await.transpose()? {
                Some(piece) => self.reader.push(&piece),
                None => self.reader.end(),
            }
        }
    }

    /// What follows the last part is nothing, but only who has read it knows that the answer has ended.
    async fn end(&mut self) -> Result<(), Error> {
        while let Some(piece) = self.content.next().await.transpose()? {
            self.reader.push(&piece);
            self.reader.event().map_err(|error| failure::answer(&error))?;
        }
        Ok(())
    }

    /// The envelope, which is the first part.
    pub async fn envelope(&mut self, bytes_max: u64) -> Result<Vec<u8>, Error> {
        match self.next().await? {
            Piece::Part(_) => self.part(bytes_max).await,
            _ => Err(none()),
        }
    }

    async fn part(&mut self, bytes_max: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            match self.next().await? {
                Piece::Data(data) if (bytes.len() + data.len()) as u64 > bytes_max => {
                    return Err(Error::new(Kind::TooLarge, "body-too-large", "the body is larger than the limit"));
                }
                Piece::Data(data) => bytes.extend_from_slice(&data),
                _ => return Ok(bytes),
            }
        }
    }

    /// All attachments, together no longer than so many bytes.
    pub async fn attachments(mut self, bytes_max: u64) -> Result<Attachments, Error> {
        let mut all = Attachments::new();
        let mut left = bytes_max;
        loop {
            match self.next().await? {
                Piece::Part(head) => {
                    let bytes = self.part(left).await?;
                    let id = head.content_id.unwrap_or_default();
                    left = left.saturating_sub((bytes.len() + id.len()) as u64);
                    // Nobody can say which of two was meant.
                    if !id.is_empty() && all.insert(id, bytes.into()).is_some() {
                        return Err(refused("the answer has two attachments of one content id"));
                    }
                }
                Piece::Done => {
                    self.end().await?;
                    return Ok(all);
                }
                Piece::Data(_) | Piece::EndOfPart => {}
            }
        }
    }

    /// Refuses any.
    pub async fn none(mut self) -> Result<(), Error> {
        match self.next().await? {
            Piece::Done => self.end().await,
            _ => Err(refused("the answer has attachments, which nobody has signed")),
        }
    }

    /// The one attachment as a stream: that to which the message refers by these ids.
    pub async fn stream(mut self, referred: &[String]) -> Result<Body, Error> {
        let Some((id, others)) = referred.split_first() else { return Err(none()) };
        if others.iter().any(|other| other != id) {
            return Err(several());
        }
        match self.next().await? {
            Piece::Part(head) if head.content_id.as_ref() == Some(id) => {}
            _ => return Err(missing()),
        }
        Ok(Body::new(stream::try_unfold(self, |mut parts| async move {
            match parts.next().await? {
                Piece::Data(data) => Ok(Some((data, parts))),
                Piece::EndOfPart => match parts.next().await? {
                    Piece::Done => {
                        parts.end().await?;
                        Ok(None)
                    }
                    _ => Err(several()),
                },
                Piece::Part(_) | Piece::Done => Ok(None),
            }
        })))
    }
}

/// Nothing is there to be streamed.
pub(crate) fn none() -> Error {
    refused("the answer has no attachment that could be streamed: leave out `stream`")
}

fn several() -> Error {
    refused("the answer has several attachments, of which a stream can be one alone: leave out `stream`")
}

/// The message refers to what is not there.
pub(crate) fn missing() -> Error {
    refused("the answer refers to an attachment that it does not have")
}

fn refused(text: &'static str) -> Error {
    Error::new(Kind::Protocol, "soap-attachment", text)
}
