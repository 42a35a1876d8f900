//! A file comes in, many reads ahead of its reader.
//!
//! One that turns out shorter or longer than its size, or that changes meanwhile, is a failed read:
//! whoever writes it has not finished.

use std::collections::VecDeque;

use bytes::Bytes;
use lockgate_connector_api::{
    Error,
    files::{Attributes, Session as _, What, changed, get::Get, no_file, short},
};

use crate::{
    failure,
    session::Session,
    wire::{Open, Reply, Request},
};

/// Bytes asked for ahead of the reader.
const AHEAD_BYTES_MAX: u64 = 4 << 20;
/// Reads asked for ahead of the reader.
const AHEAD_MAX: usize = 64;

/// A file that is being read.
pub(crate) struct Reading {
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

/// Opens a file.
pub(crate) async fn open(session: &mut Session, get: &Get) -> Result<(Attributes, Reading), Error> {
    let handle = session.open(get.path.as_str(), Open::Read).await?;
    session.file = Some(handle.clone());
    let attributes = session.attributes(&Request::HandleStat(&handle)).await?;
    let refusal = match attributes.what {
        What::Folder | What::Link => Some(no_file()),
        _ => attributes.size.filter(|size| get.offset > *size).map(|_| short()),
    };
    if let Some(refusal) = refusal {
        session.settle().await?;
        return Err(refusal);
    }
    let (chunk, from) = (session.read_bytes, get.offset);
    Ok((attributes, Reading { handle, attributes, out: VecDeque::new(), out_bytes: 0, next: from, chunk, read: from }))
}

impl Reading {
    /// The next bytes, or none at the proven end.
    pub async fn piece(&mut self, session: &mut Session) -> Result<Option<Bytes>, Error> {
        loop {
            self.ask_ahead(session).await?;
            let Some(part) = self.out.pop_front() else {
                self.prove_end(session).await?;
                return Ok(None);
            };
            let answer = session.answer(part.id).await?;
            self.out_bytes -= u64::from(part.length);
            let bytes = match answer {
                Reply::Data(bytes) => bytes,
                Reply::Status(1, _) if self.attributes.size.is_none() => {
                    // The end, of a file whose size nobody knew; reads past it answer the same.
                    session.take_in_all().await?;
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
                let rest = self.read_at(session, part.offset + u64::from(got), part.length - got).await?;
                self.out.push_front(rest);
            }
            self.read += u64::from(got);
            return Ok(Some(bytes));
        }
    }

    async fn ask_ahead(&mut self, session: &mut Session) -> Result<(), Error> {
        while self.out.len() < AHEAD_MAX && self.out_bytes < AHEAD_BYTES_MAX {
            let left = self.attributes.size.map_or(u64::MAX, |size| size.saturating_sub(self.next));
            let length = u32::try_from(left).unwrap_or(u32::MAX).min(self.chunk);
            if length == 0 {
                break;
            }
            let part = self.read_at(session, self.next, length).await?;
            self.next += u64::from(length);
            self.out.push_back(part);
        }
        Ok(())
    }

    async fn read_at(&mut self, session: &mut Session, offset: u64, length: u32) -> Result<Part, Error> {
        let id = session.send(&Request::Read { handle: &self.handle, offset, length }).await?;
        self.out_bytes += u64::from(length);
        Ok(Part { id, offset, length })
    }

    /// The file ends here, and is the one that was opened.
    async fn prove_end(&mut self, session: &mut Session) -> Result<(), Error> {
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
