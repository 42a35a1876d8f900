//! `put`: a file appears under its name as a whole or not at all.
//!
//! The content is written to a temporary name in the same folder, its size is checked, and only then
//! is it renamed.

use std::{collections::VecDeque, sync::Arc};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::StreamExt as _;
use lockgate_connector_api::{
    Body, Context, Error,
    files::{
        Pool, Remote, change,
        input::Exists,
        not_stored,
        undo::{self, Traces},
        unlike,
    },
};
use tokio::time::Instant;

use crate::{
    account::Account,
    failure,
    session::Session,
    wire::{Open, Reply, Request},
};

/// Bytes and writes that may be out without their answers.
const AHEAD_BYTES_MAX: u64 = 4 << 20;
const AHEAD_MAX: usize = 64;

/// What is to be written, and where.
pub(crate) struct Put {
    pub path: Remote,
    pub exists: Exists,
    pub content: Body,
}

/// Writes a file; gives its size. The deadline holds; what is left to tidy up then is tidied up
/// behind it.
pub(crate) async fn put(pool: Arc<Pool<Account>>, cx: Context, put: Put, deadline: Instant) -> Result<u64, Error> {
    undo::whole(pool, cx, deadline, |session, traces| Box::pin(upload(put, session, traces))).await
}

async fn upload(put: Put, session: &mut Session, traces: &mut Traces) -> Result<u64, Error> {
    let Put { path, exists, content } = put;
    // Told before gigabytes were sent for nothing; the rename decides.
    change::check_free(session, &path, exists).await?;
    let temporary = path.temporary()?;
    traces.temporary = Some(temporary.clone());
    let opened = session.open(temporary.as_str(), Open::New).await;
    if opened.as_ref().is_err_and(|error| error.code() == "sftp-status") {
        traces.temporary = None;
    }
    let file = session.file.insert(opened?).clone();
    let size = write(session, &file, content).await?;
    if session.fsync {
        session.order(&Request::Fsync(&file)).await?;
    }
    let stored = session.attributes(&Request::HandleStat(&file)).await?.size;
    if stored.is_some_and(|stored| stored != size) {
        return Err(not_stored());
    }
    session.close().await?;
    change::rename(session, traces, &temporary, &path, exists).await?;
    Ok(size)
}

/// Writes a content from the beginning of a file; gives its length.
async fn write(session: &mut Session, file: &Bytes, mut content: Body) -> Result<u64, Error> {
    let stated = content.length();
    let chunk = session.write_bytes as usize;
    let mut out = Writes::default();
    // Small pieces are put together, large ones are cut and never copied.
    let mut small = BytesMut::new();
    while let Some(piece) = content.next().await.transpose()? {
        let mut piece = piece;
        if !small.is_empty() {
            let filling = piece.split_to(piece.len().min(chunk - small.len()));
            small.extend_from_slice(&filling);
            if small.len() == chunk {
                out.send(session, file, small.split().freeze()).await?;
            }
        }
        while piece.len() >= chunk {
            out.send(session, file, piece.split_to(chunk)).await?;
        }
        if piece.has_remaining() {
            small.extend_from_slice(&piece);
        }
        if stated.is_some_and(|stated| out.offset + small.len() as u64 > stated) {
            return Err(unlike());
        }
    }
    if !small.is_empty() {
        out.send(session, file, small.freeze()).await?;
    }
    while !out.ids.is_empty() {
        out.written(session).await?;
    }
    if stated.is_some_and(|stated| out.offset != stated) { Err(unlike()) } else { Ok(out.offset) }
}

/// Writes that are out.
#[derive(Default)]
struct Writes {
    offset: u64,
    ids: VecDeque<(u32, u64)>,
    bytes: u64,
}

impl Writes {
    async fn send(&mut self, session: &mut Session, file: &Bytes, content: Bytes) -> Result<(), Error> {
        let length = content.len() as u64;
        let full = |out: &Self| out.ids.len() >= AHEAD_MAX || out.bytes + length > AHEAD_BYTES_MAX;
        while !self.ids.is_empty() && (full(self) || self.front_is_there(session)?) {
            self.written(session).await?;
        }
        let id = session.send_content(file, self.offset, content).await?;
        self.ids.push_back((id, length));
        self.bytes += length;
        self.offset += length;
        Ok(())
    }

    fn front_is_there(&self, session: &mut Session) -> Result<bool, Error> {
        self.ids.front().map_or(Ok(false), |(id, _)| session.has_answer(*id))
    }

    async fn written(&mut self, session: &mut Session) -> Result<(), Error> {
        let Some((id, length)) = self.ids.pop_front() else { return Ok(()) };
        self.bytes -= length;
        match session.answer(id).await? {
            Reply::Status(0, _) => Ok(()),
            Reply::Status(code, words) => Err(failure::status(code, &words)),
            _ => Err(failure::malformed()),
        }
    }
}
