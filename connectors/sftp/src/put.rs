//! `put`: a file appears under its name as a whole or not at all.
//!
//! The content is written to a temporary name in the same folder, its size is checked, and only then
//! is it renamed. The work runs in a task of its own, so that a call that is given up still removes
//! the temporary file.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::StreamExt as _;
use lockgate_connector_api::{Body, Context, Error, Kind};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    change, failure,
    input::Exists,
    path::Remote,
    pool::{Account, Lease},
    session::Session,
    wire::{Open, Reply, Request},
};

/// Bytes and writes that may be out without their answers.
const AHEAD_BYTES_MAX: u64 = 4 << 20;
const AHEAD_MAX: usize = 64;
/// How long the removal of a temporary file may take, over the same session and over a new one.
const REMOVE_SAME: Duration = Duration::from_secs(2);
const REMOVE_NEW: Duration = Duration::from_secs(10);

const PREFIX: &str = ".lockgate-";
const SUFFIX: &str = ".part";

/// Whether a name is one of a file that is being written.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// What is to be written, and where.
pub(crate) struct Put {
    pub path: Remote,
    pub exists: Exists,
    pub content: Body,
}

/// Writes a file; gives its size. The deadline holds; what is left to tidy up then is tidied up
/// behind it.
pub(crate) async fn put(account: Arc<Account>, cx: Context, put: Put, deadline: Instant) -> Result<u64, Error> {
    let (tell, told) = oneshot::channel();
    let (wanted, gone) = oneshot::channel::<Infallible>();
    tokio::spawn(work(account, cx, put, before(deadline), gone, tell));
    let outcome = told.await.map_err(|_| failure::broken())?;
    drop(wanted);
    outcome
}

/// A little earlier, so that what became of the temporary file can still be told by the deadline.
fn before(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 10).min(Duration::from_millis(100))
}

async fn work(
    account: Arc<Account>,
    cx: Context,
    put: Put,
    deadline: Instant,
    gone: oneshot::Receiver<Infallible>,
    tell: oneshot::Sender<Result<u64, Error>>,
) {
    let temporary = match temporary(&put.path) {
        Ok(temporary) => temporary,
        Err(error) => return drop(tell.send(Err(error))),
    };
    let mut upload = Upload { lease: None, handle: None, created: false };
    let outcome = tokio::select! {
        outcome = timeout_at(deadline, upload.run(&account, &cx, put, &temporary, deadline)) => {
            outcome.unwrap_or_else(|_| Err(failure::late()))
        }
        // The one who called is gone: it will not hear of this.
        _ = gone => Err(failure::late()),
    };
    let error = match outcome {
        Ok(size) => {
            if let Some(lease) = upload.lease {
                lease.give_back();
            }
            return drop(tell.send(Ok(size)));
        }
        Err(error) => error,
    };
    let created = upload.created;
    let mut removing = std::pin::pin!(upload.remove(&account, &cx, &temporary));
    let left = |error: Error| {
        let detail = format!("{}; `{}` may be left there", error.private().reveal(), temporary.as_str());
        error.with_private(detail.trim_start_matches("; ").to_owned())
    };
    match timeout_at(deadline, &mut removing).await {
        Ok(true) => drop(tell.send(Err(error))),
        Ok(false) => drop(tell.send(Err(left(error)))),
        Err(_) => {
            drop(tell.send(Err(if created { left(error) } else { error })));
            removing.await;
        }
    }
}

/// A file on its way.
struct Upload {
    lease: Option<Lease>,
    handle: Option<Bytes>,
    /// The temporary file may be there.
    created: bool,
}

impl Upload {
    async fn run(
        &mut self,
        account: &Arc<Account>,
        cx: &Context,
        put: Put,
        temporary: &Remote,
        deadline: Instant,
    ) -> Result<u64, Error> {
        let Self { lease, handle, created } = self;
        let session = &mut lease.insert(account.lease(cx, deadline).await?).session;
        // Told before gigabytes were sent for nothing; the rename decides.
        change::check_free(session, &put.path, put.exists).await?;
        *created = true;
        let opened = session.open(temporary.as_str(), Open::New).await;
        if opened.as_ref().is_err_and(|error| error.code() == "sftp-status") {
            *created = false;
        }
        let file = handle.insert(opened?);
        let size = write(session, file, put.content).await?;
        if session.fsync {
            session.order(&Request::Fsync(file)).await?;
        }
        let stored = session.attributes(&Request::HandleStat(file)).await?.size;
        if stored.is_some_and(|stored| stored != size) {
            return Err(Error::new(
                Kind::Unavailable,
                "sftp-size",
                "the server has not stored as many bytes as it was sent; nothing is left under the file's name",
            ));
        }
        if let Some(file) = handle.take() {
            session.order(&Request::Close(&file)).await?;
        }
        change::rename(session, temporary, &put.path, put.exists).await?;
        Ok(size)
    }

    /// Removes the temporary file; false when it may still be there.
    async fn remove(mut self, account: &Arc<Account>, cx: &Context, temporary: &Remote) -> bool {
        if !self.created {
            if let Some(mut lease) = self.lease.take()
                && matches!(timeout(REMOVE_SAME, lease.session.settle()).await, Ok(Ok(())))
            {
                lease.give_back();
            }
            return true;
        }
        if let Some(mut lease) = self.lease.take() {
            let removing = async {
                lease.session.settle().await?;
                if let Some(file) = &self.handle {
                    // A server that has no room may fail to close as well.
                    let _ = lease.session.order(&Request::Close(file)).await;
                }
                gone(&mut lease.session, temporary).await
            };
            if matches!(timeout(REMOVE_SAME, removing).await, Ok(Ok(()))) {
                lease.give_back();
                return true;
            }
        }
        let removing = async {
            let mut lease = account.fresh(cx, Instant::now() + REMOVE_NEW).await?;
            gone(&mut lease.session, temporary).await?;
            lease.give_back();
            Ok::<_, Error>(())
        };
        matches!(timeout(REMOVE_NEW, removing).await, Ok(Ok(())))
    }
}

async fn gone(session: &mut Session, temporary: &Remote) -> Result<(), Error> {
    match session.order(&Request::Remove(temporary.as_str())).await {
        Err(error) if error.kind() != Kind::NotFound => Err(error),
        _ => Ok(()),
    }
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

fn unlike() -> Error {
    Error::new(Kind::Input, "sftp-length", "the streamed body is not as long as it was said to be")
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

/// A name beside the file that nobody else takes.
fn temporary(path: &Remote) -> Result<Remote, Error> {
    let random = getrandom::u64().map_err(|_| {
        Error::new(Kind::Unavailable, "sftp-random", "this machine gives no random numbers for a temporary name")
    })?;
    Ok(path.beside(&format!("{PREFIX}{random:016x}{SUFFIX}")))
}
