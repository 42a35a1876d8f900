//! `get`: a file comes in as a stream, many reads ahead of its reader.
//!
//! A file that turns out shorter or longer than its size, or that changes meanwhile, is a failed
//! read: whoever writes it has not finished.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::stream;
use lockgate_connector_api::{
    Body, Error,
    files::{Attributes, Lease, Remote, What, changed, no_file, unread},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    account::Account,
    failure,
    wire::{Open, Reply, Request},
};

/// Bytes asked for ahead of the reader.
const AHEAD_BYTES_MAX: u64 = 4 << 20;
/// Reads asked for ahead of the reader.
const AHEAD_MAX: usize = 64;

/// A file that is being read.
struct Reading {
    lease: Lease<Account>,
    handle: Bytes,
    /// What was told when it was opened.
    attributes: Attributes,
    /// Reads that are out, in the order of the file.
    out: VecDeque<Part>,
    out_bytes: u64,
    /// Where the next read begins.
    next: u64,
    /// Content of one read: what the server is seen to answer.
    chunk: u32,
    /// Bytes handed to the reader.
    read: u64,
}

#[derive(Clone, Copy)]
struct Part {
    id: u32,
    offset: u64,
    length: u32,
}

/// Opens a file and gives its attributes and content, which must be read by the deadline.
pub(crate) async fn get(
    mut lease: Lease<Account>,
    path: &Remote,
    deadline: Instant,
) -> Result<(Attributes, Body), Error> {
    let handle = match lease.session.open(path.as_str(), Open::Read).await {
        Ok(handle) => handle,
        Err(error) => {
            lease.give_back();
            return Err(error);
        }
    };
    lease.session.file = Some(handle.clone());
    let attributes = lease.session.attributes(&Request::HandleStat(&handle)).await?;
    if !matches!(attributes.what, What::File | What::Other) {
        lease.settle_and_give_back().await;
        return Err(no_file());
    }
    let chunk = lease.session.read_bytes;
    let reading = Reading { lease, handle, attributes, out: VecDeque::new(), out_bytes: 0, next: 0, chunk, read: 0 };
    let pieces = stream::try_unfold(Some(reading), move |reading| async move {
        let Some(mut reading) = reading else { return Ok(None) };
        let piece = timeout_at(deadline, reading.piece()).await.map_err(|_| unread())??;
        match piece {
            Some(piece) => Ok(Some((piece, Some(reading)))),
            None => {
                reading.lease.give_back();
                Ok(None)
            }
        }
    });
    Ok((attributes, Body::new(pieces).with_length(attributes.size)))
}

impl Reading {
    /// The next bytes, or none at the proven end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            self.ask_ahead().await?;
            let Some(part) = self.out.pop_front() else {
                self.prove_end().await?;
                return Ok(None);
            };
            let answer = self.lease.session.answer(part.id).await?;
            self.out_bytes -= u64::from(part.length);
            let bytes = match answer {
                Reply::Data(bytes) => bytes,
                Reply::Status(1, _) if self.attributes.size.is_none() => {
                    // The end, of a file whose size nobody knew; reads past it answer the same.
                    self.lease.session.take_in_all().await?;
                    self.out.clear();
                    self.out_bytes = 0;
                    self.attributes.size = Some(self.read);
                    continue;
                }
                Reply::Status(1, _) => return Err(changed()),
                Reply::Status(code, words) => return Err(failure::status(code, &words)),
                _ => return Err(failure::malformed()),
            };
            let got = u32::try_from(bytes.len()).map_err(|_| failure::malformed())?;
            if got == 0 || got > part.length {
                return Err(failure::malformed());
            }
            if got < part.length {
                // The server gives less at a time: the rest of this part comes next, and later
                // parts are cut to what it gives.
                self.chunk = self.chunk.min(got.max(4 << 10));
                let rest = self.read_at(part.offset + u64::from(got), part.length - got).await?;
                self.out.push_front(rest);
            }
            self.read += u64::from(got);
            return Ok(Some(bytes));
        }
    }

    async fn ask_ahead(&mut self) -> Result<(), Error> {
        while self.out.len() < AHEAD_MAX && self.out_bytes < AHEAD_BYTES_MAX {
            let left = self.attributes.size.map_or(u64::MAX, |size| size.saturating_sub(self.next));
            let length = u32::try_from(left).unwrap_or(u32::MAX).min(self.chunk);
            if length == 0 {
                break;
            }
            let part = self.read_at(self.next, length).await?;
            self.next += u64::from(length);
            self.out.push_back(part);
        }
        Ok(())
    }

    async fn read_at(&mut self, offset: u64, length: u32) -> Result<Part, Error> {
        let id = self.lease.session.send(&Request::Read { handle: &self.handle, offset, length }).await?;
        self.out_bytes += u64::from(length);
        Ok(Part { id, offset, length })
    }

    /// The file ends here, and is the one that was opened.
    async fn prove_end(&mut self) -> Result<(), Error> {
        let session = &mut self.lease.session;
        let past = Request::Read { handle: &self.handle, offset: self.read, length: 1 };
        let id = session.send(&past).await?;
        match session.answer(id).await? {
            Reply::Status(1, _) => {}
            Reply::Data(_) => return Err(changed()),
            Reply::Status(code, words) => return Err(failure::status(code, &words)),
            _ => return Err(failure::malformed()),
        }
        let now = session.attributes(&Request::HandleStat(&self.handle)).await?;
        if now.size.is_some_and(|size| Some(size) != self.attributes.size) || now.modified != self.attributes.modified {
            return Err(changed());
        }
        session.close().await
    }
}
