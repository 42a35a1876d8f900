//! `get`: a file comes in as a stream, as fast as its reader takes it, from one connection or, when
//! that breaks and the file is still the same, from another.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::{Attributes, Lease, Pool, Remote, Server, Session as _, changed, input::Transfer, unread};
use crate::{Body, Context, Error, Kind, Part};

/// How often a content is gone on with over another connection.
const RESUMED_MAX: u32 = 8;

/// What is to be read.
#[derive(Debug, Clone)]
pub struct Get {
    /// The file.
    pub path: Remote,
    /// How it travels.
    pub transfer: Transfer,
    /// Byte at which to begin.
    pub offset: u64,
}

/// A file that is being read.
struct Reading<S: Server> {
    lease: Lease<S>,
    file: <S::Session as super::Session>::Reading,
    get: Get,
    cx: Context,
    deadline: Instant,
    /// What was told when it was opened.
    attributes: Attributes,
    resumed: u32,
}

/// Opens a file and gives its attributes and content, which must be read by the deadline.
///
/// # Errors
/// The server's.
pub async fn get<S: Server>(
    pool: &Arc<Pool<S>>,
    cx: &Context,
    part: Part,
    get: Get,
    deadline: Instant,
) -> Result<(Attributes, Body), Error> {
    let mut lease = pool.lease(cx, part, deadline).await?;
    let (attributes, file) = match lease.session.read(cx, &get, deadline).await {
        Ok(opened) => opened,
        Err(error) => {
            lease.give_back();
            return Err(error);
        }
    };
    let length =
        attributes.size.filter(|_| get.transfer == Transfer::Binary).map(|size| size.saturating_sub(get.offset));
    let reading = Reading { lease, file, get, cx: cx.clone(), deadline, attributes, resumed: 0 };
    let pieces = stream::try_unfold(Some(reading), move |reading| async move {
        let Some(mut reading) = reading else { return Ok(None) };
        match timeout_at(deadline, reading.piece()).await.map_err(|_| unread())?? {
            Some(piece) => Ok(Some((piece, Some(reading)))),
            None => {
                reading.lease.give_back();
                Ok(None)
            }
        }
    });
    Ok((attributes, Body::new(pieces).with_length(length)))
}

impl<S: Server> Reading<S> {
    /// The next bytes, or none at the proven end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.lease.session.next(&mut self.file).await {
                Ok(piece) => {
                    self.get.offset += piece.as_ref().map_or(0, |piece| piece.len() as u64);
                    return Ok(piece);
                }
                Err(error) if error.kind() == Kind::Unreachable && self.can_resume() => self.resume(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where ends of lines are translated, nobody knows which byte of the file comes next; and without
    /// a size and a time nobody knows whether it is the same file.
    fn can_resume(&self) -> bool {
        let is_told = self.attributes.size.is_some() && self.attributes.modified.is_some();
        self.resumed < RESUMED_MAX && self.get.transfer == Transfer::Binary && is_told
    }

    /// Opens the file anew, over another connection and at the next byte. The place is kept.
    async fn resume(&mut self, broken: Error) -> Result<(), Error> {
        self.resumed += 1;
        self.lease.renew(&self.cx, self.deadline).await.map_err(|_| broken.clone())?;
        let read = self.lease.session.read(&self.cx, &self.get, self.deadline).await;
        // A server that only begins at the beginning may well do so for a call that is repeated.
        let (attributes, file) = read.map_err(|error| match error.kind() {
            Kind::NotFound | Kind::Conflict => error,
            _ => broken,
        })?;
        if attributes != self.attributes {
            return Err(changed());
        }
        self.file = file;
        Ok(())
    }
}
