//! `get`: a file comes in as a stream, as fast as its reader takes it.
//!
//! A file that turns out shorter or longer than its size, or that changes meanwhile, is a failed
//! read: whoever writes it has not finished.

use bytes::Bytes;
use futures_util::stream;
use lockgate_connector_api::{
    Body, Context, Error, Kind,
    files::{Attributes, Lease, Remote, Session as _, What, change, changed, no_file, unread},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    account::Account,
    ascii::Incoming,
    data::{Asked, Data},
    transfer::Transfer,
};

/// A file that is being read.
struct Reading {
    lease: Lease<Account>,
    data: Data,
    path: Remote,
    /// What was told before it was opened.
    attributes: Attributes,
    /// Where its next byte stands, as the server sends it.
    at: u64,
    /// None where bytes are bytes.
    lines: Option<Incoming>,
    at_end: bool,
}

/// What is to be read.
pub(crate) struct Get {
    pub path: Remote,
    pub transfer: Transfer,
    /// Byte at which to begin.
    pub offset: u64,
}

/// Opens a file and gives its attributes and content, which must be read by the deadline.
pub(crate) async fn get(
    mut lease: Lease<Account>,
    cx: &Context,
    get: Get,
    deadline: Instant,
) -> Result<(Attributes, Body), Error> {
    let (attributes, data) = match begin(&mut lease, cx, &get, deadline).await {
        Ok(begun) => begun,
        Err(error) => {
            lease.give_back();
            return Err(error);
        }
    };
    let Get { path, transfer, offset } = get;
    let is_binary = transfer == Transfer::Binary;
    let length = attributes.size.filter(|_| is_binary).map(|size| size.saturating_sub(offset));
    let lines = (!is_binary).then(Incoming::default);
    let reading = Reading { lease, data, path, attributes, at: offset, lines, at_end: false };
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

async fn begin(
    lease: &mut Lease<Account>,
    cx: &Context,
    get: &Get,
    deadline: Instant,
) -> Result<(Attributes, Data), Error> {
    let session = &mut lease.session;
    let attributes = session.follow(&get.path).await?.ok_or_else(change::nothing_there)?;
    if !matches!(attributes.what, What::File | What::Other) {
        return Err(no_file());
    }
    if attributes.size.is_some_and(|size| get.offset > size) {
        return Err(Error::new(Kind::Conflict, "ftps-offset", "the file ends before that offset"));
    }
    session.represent(get.transfer).await?;
    let asked = Asked { offset: get.offset, verb: "RETR", argument: get.path.as_str() };
    let data = Data::open(session, cx, asked, deadline).await?;
    Ok((attributes, data))
}

impl Reading {
    /// The next bytes, or none at the proven end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        while !self.at_end {
            let piece = match self.data.read(&mut self.lease.session).await? {
                Some(bytes) => {
                    self.at = self.at.saturating_add(bytes.len() as u64);
                    let too_long = self.lines.is_none() && self.attributes.size.is_some_and(|size| self.at > size);
                    if too_long {
                        return Err(changed());
                    }
                    self.lines.as_mut().map_or_else(|| bytes.clone(), |lines| lines.piece(&bytes))
                }
                None => {
                    self.at_end = true;
                    self.prove_end().await?;
                    self.lines.as_mut().and_then(Incoming::rest).unwrap_or_default()
                }
            };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// All has come, and the file is the one that was opened.
    async fn prove_end(&mut self) -> Result<(), Error> {
        if self.lines.is_none() && self.attributes.size.is_some_and(|size| self.at != size) {
            return Err(changed());
        }
        let now = self.lease.session.follow(&self.path).await?.ok_or_else(changed)?;
        if now.size != self.attributes.size || now.modified != self.attributes.modified {
            return Err(changed());
        }
        Ok(())
    }
}
