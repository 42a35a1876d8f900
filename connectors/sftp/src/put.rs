//! A content goes out, many writes ahead of their answers.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};
use lockgate_connector_api::{
    Error,
    files::{Remote, content::Content, input::Exists, not_stored, put::Unstored},
};

use crate::{
    failure,
    session::Session,
    wire::{Open, Reply, Request},
};

/// Bytes and writes that may be out without their answers.
const AHEAD_BYTES_MAX: u64 = 4 << 20;
const AHEAD_MAX: usize = 64;

/// Writes a content to a file, to the server's disk where it can.
pub(crate) async fn store(
    session: &mut Session,
    to: &Remote,
    exists: Exists,
    content: &mut Content,
) -> Result<(), Unstored> {
    let how = match exists {
        _ if content.is_resumed() => Open::There,
        Exists::Refuse => Open::New,
        Exists::Replace => Open::Over,
    };
    let file = match session.open(to.as_str(), how).await {
        Ok(file) => session.file.insert(file).clone(),
        Err(error) if error.code() == "sftp-status" => return Err(Unstored::Refused(error)),
        Err(error) => return Err(error.into()),
    };
    let mut out = write(session, &file, content).await?;
    // Asked for at once: what concerns one file is done in the order in which it is asked (§6.1).
    let fsync = if session.fsync { Some(session.send(&Request::Fsync(&file)).await?) } else { None };
    let size = session.send(&Request::HandleStat(&file)).await?;
    let close = session.send_close().await?;
    while !out.ids.is_empty() {
        out.written(session, content).await?;
    }
    if let Some(fsync) = fsync {
        session.done(fsync).await?;
    }
    let stored = match session.answer(size).await? {
        Reply::Attributes(attributes) => attributes.size,
        // Every write was answered, and some servers let nobody look.
        Reply::Status(..) => None,
        _ => return Err(failure::malformed().into()),
    };
    if stored.is_some_and(|stored| stored != content.at()) {
        return Err(not_stored().into());
    }
    if let Some(close) = close {
        session.done(close).await?;
    }
    Ok(())
}

/// Sends all of a content; gives the writes that are still out.
async fn write(session: &mut Session, file: &Bytes, content: &mut Content) -> Result<Writes, Error> {
    let chunk = session.write_bytes as usize;
    let mut out = Writes { offset: content.at(), ..Writes::default() };
    // Small pieces are put together, large ones are cut and never copied.
    let mut small = BytesMut::new();
    while let Some(mut piece) = content.next().await? {
        if !small.is_empty() {
            let filling = piece.split_to(piece.len().min(chunk - small.len()));
            small.extend_from_slice(&filling);
            if small.len() == chunk {
                out.send(session, file, content, small.split().freeze()).await?;
            }
        }
        while piece.len() >= chunk {
            out.send(session, file, content, piece.split_to(chunk)).await?;
        }
        if piece.has_remaining() {
            small.extend_from_slice(&piece);
        }
    }
    if !small.is_empty() {
        out.send(session, file, content, small.freeze()).await?;
    }
    Ok(out)
}

/// Writes that are out.
#[derive(Default)]
struct Writes {
    /// Where the next one stands.
    offset: u64,
    ids: VecDeque<(u32, u64)>,
    bytes: u64,
}

impl Writes {
    async fn send(
        &mut self,
        session: &mut Session,
        file: &Bytes,
        whole: &mut Content,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let length = bytes.len() as u64;
        let full = |out: &Self| out.ids.len() >= AHEAD_MAX || out.bytes + length > AHEAD_BYTES_MAX;
        while !self.ids.is_empty() && (full(self) || self.front_is_there(session)?) {
            self.written(session, whole).await?;
        }
        let id = session.send_content(file, self.offset, bytes).await?;
        self.ids.push_back((id, length));
        self.bytes += length;
        self.offset += length;
        Ok(())
    }

    fn front_is_there(&self, session: &mut Session) -> Result<bool, Error> {
        self.ids.front().map_or(Ok(false), |(id, _)| session.has_answer(*id))
    }

    /// Waits for the first write that is out, behind which all is stored.
    async fn written(&mut self, session: &mut Session, whole: &mut Content) -> Result<(), Error> {
        let Some((id, length)) = self.ids.pop_front() else { return Ok(()) };
        match session.answer(id).await? {
            Reply::Status(0, _) => {}
            Reply::Status(code, words) => return Err(failure::status(code, &words)),
            _ => return Err(failure::malformed()),
        }
        self.bytes -= length;
        whole.is_stored(self.offset - self.bytes);
        Ok(())
    }
}
