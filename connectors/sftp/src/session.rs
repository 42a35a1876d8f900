//! One SFTP session, used by one call at a time.
//!
//! Requests go out without waiting for answers, which come in any order; who asks for an answer
//! takes in what arrives until it is there. Small requests go out together when somebody waits for an
//! answer: each packet of SSH wakes two processes at the server. While requests wait for room on their
//! way out, arrivals are taken in as well, so that two full pipes never wait for each other.

use std::{collections::HashMap, sync::Arc};

use bytes::{Bytes, BytesMut};
use lockgate_connector_api::{
    Context, Error, Kind, Route,
    files::{self, Attributes, Remote, content::Content, get::Get, input::Exists, listing::Listing, put::Unstored},
};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use crate::{
    connection::{Connection, Opened},
    failure,
    get::{self, Reading},
    listing, put,
    ssh::Ended,
    wire::{self, Named, Open, Reply, Request},
};

/// Content of one read or write where the server states no limits (§3 promises 32 KiB).
const CHUNK_BYTES: u32 = 32 << 10;
/// The most for one, however much the server takes.
const CHUNK_BYTES_MAX: u32 = 255 << 10;
/// Requests that wait for others to go out with.
const UNSENT_BYTES_MAX: usize = 32 << 10;
/// Arrivals that nobody has asked for yet.
const ARRIVED_BYTES_MAX: usize = 16 << 20;

/// The session.
pub(crate) struct Session {
    incoming: ChannelReadHalf,
    outgoing: Arc<ChannelWriteHalf<Msg>>,
    connection: Arc<Connection>,
    _place: OwnedSemaphorePermit,
    /// A file that is open.
    pub file: Option<Bytes>,
    unsent: BytesMut,
    arriving: BytesMut,
    arrived_bytes: usize,
    /// Every request that is out, and its answer once that is in.
    answers: HashMap<u32, Option<Reply>>,
    id_next: u32,
    /// A request was given up halfway, so nothing can follow it.
    torn: bool,
    pub posix_rename: bool,
    pub fsync: bool,
    /// Content of one read, at most.
    pub read_bytes: u32,
    /// Content of one write, at most.
    pub write_bytes: u32,
}

impl Session {
    /// Greets the server (§4) and asks for its limits.
    pub async fn greet(opened: Opened) -> Result<Self, Error> {
        let Opened { channel, connection, place } = opened;
        let (incoming, outgoing) = channel.split();
        let mut session = Self {
            incoming,
            outgoing: Arc::new(outgoing),
            connection,
            _place: place,
            file: None,
            unsent: BytesMut::new(),
            arriving: BytesMut::new(),
            arrived_bytes: 0,
            answers: HashMap::new(),
            id_next: 1,
            torn: false,
            posix_rename: false,
            fsync: false,
            read_bytes: CHUNK_BYTES,
            write_bytes: CHUNK_BYTES,
        };
        session.put_out(&Request::Init.packet(0)).await?;
        let extensions = loop {
            match wire::take(&mut session.arriving).map_err(|_| failure::malformed())? {
                Some((None, Reply::Version(3.., extensions))) => break extensions,
                Some(_) => return Err(failure::malformed()),
                None => session.take_in().await?,
            }
        };
        let has = |name: &str| extensions.iter().any(|e| **e == *name.as_bytes());
        (session.posix_rename, session.fsync) = (has(wire::POSIX_RENAME), has(wire::FSYNC));
        if has(wire::LIMITS) {
            session.learn_limits().await?;
        }
        Ok(session)
    }

    /// Packet, read and write at most (OpenSSH's PROTOCOL §4.8); 0 says nothing.
    async fn learn_limits(&mut self) -> Result<(), Error> {
        let Ok(Reply::Extended(limits)) = self.asked(&Request::Limits).await else { return self.check_open() };
        let limit = |place: usize| {
            let bytes = limits.get(place..place + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes);
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        for (chunk, stated) in [(&mut self.read_bytes, limit(8)), (&mut self.write_bytes, limit(16))] {
            if stated > 0 {
                *chunk = stated.min(CHUNK_BYTES_MAX);
            }
        }
        Ok(())
    }

    /// Sends a request; its answer is taken by [`Session::answer`].
    pub async fn send(&mut self, request: &Request<'_>) -> Result<u32, Error> {
        let id = self.announce();
        self.put_out(&request.packet(id)).await?;
        Ok(id)
    }

    /// Sends a write and its content.
    pub async fn send_content(&mut self, handle: &Bytes, offset: u64, content: Bytes) -> Result<u32, Error> {
        let id = self.announce();
        let length = u32::try_from(content.len()).map_err(|_| failure::malformed())?;
        self.put_out(&Request::Write { handle, offset, length }.packet(id)).await?;
        if self.unsent.len() + content.len() <= UNSENT_BYTES_MAX {
            self.put_out(&content).await?;
        } else {
            // Not copied.
            self.send_out().await?;
            self.write(content).await?;
        }
        Ok(id)
    }

    fn announce(&mut self) -> u32 {
        let id = self.id_next;
        self.id_next = self.id_next.wrapping_add(1);
        self.answers.insert(id, None);
        id
    }

    /// The answer to a request that was sent.
    pub async fn answer(&mut self, id: u32) -> Result<Reply, Error> {
        loop {
            if matches!(self.answers.get(&id), Some(Some(_)))
                && let Some(Some(reply)) = self.answers.remove(&id)
            {
                self.arrived_bytes -= weight(&reply);
                return Ok(reply);
            }
            if !self.sort()? {
                self.take_in().await?;
            }
        }
    }

    /// Whether the answer is there already.
    pub fn has_answer(&mut self, id: u32) -> Result<bool, Error> {
        while self.sort()? {}
        Ok(matches!(self.answers.get(&id), Some(Some(_))))
    }

    /// Takes in all answers that are still out and forgets them.
    pub async fn take_in_all(&mut self) -> Result<(), Error> {
        self.check_open()?;
        let ids: Vec<u32> = self.answers.keys().copied().collect();
        for id in ids {
            self.answer(id).await?;
        }
        Ok(())
    }

    /// Sends a request and waits for its answer; a status that is not success is an error.
    pub async fn asked(&mut self, request: &Request<'_>) -> Result<Reply, Error> {
        let id = self.send(request).await?;
        match self.answer(id).await? {
            Reply::Status(code, words) if code != 0 => Err(failure::status(code, &words)),
            reply => Ok(reply),
        }
    }

    /// Asks for something that answers with success alone.
    pub async fn order(&mut self, request: &Request<'_>) -> Result<(), Error> {
        match self.asked(request).await? {
            Reply::Status(..) => Ok(()),
            _ => Err(failure::malformed()),
        }
    }

    /// The answer to a request that was sent and answers with success alone.
    pub async fn done(&mut self, id: u32) -> Result<(), Error> {
        match self.answer(id).await? {
            Reply::Status(0, _) => Ok(()),
            Reply::Status(code, words) => Err(failure::status(code, &words)),
            _ => Err(failure::malformed()),
        }
    }

    /// Opens a file.
    pub async fn open(&mut self, path: &str, how: Open) -> Result<Bytes, Error> {
        self.handle(&Request::Open(path, how)).await
    }

    /// Opens a file or folder.
    pub async fn handle(&mut self, request: &Request<'_>) -> Result<Bytes, Error> {
        match self.asked(request).await? {
            Reply::Handle(handle) => Ok(handle),
            _ => Err(failure::malformed()),
        }
    }

    /// Attributes of a file.
    pub async fn attributes(&mut self, request: &Request<'_>) -> Result<Attributes, Error> {
        match self.asked(request).await? {
            Reply::Attributes(attributes) => Ok(attributes),
            _ => Err(failure::malformed()),
        }
    }

    /// Closes the file that is open.
    pub async fn close(&mut self) -> Result<(), Error> {
        match self.send_close().await? {
            Some(close) => self.done(close).await,
            None => Ok(()),
        }
    }

    /// Asks for the file that is open to be closed.
    pub async fn send_close(&mut self) -> Result<Option<u32>, Error> {
        match self.file.take() {
            Some(file) => self.send(&Request::Close(&file)).await.map(Some),
            None => Ok(None),
        }
    }

    /// The next entries of an open folder, or none at its end.
    pub async fn entries(&mut self, id: u32) -> Result<Option<Vec<Named>>, Error> {
        match self.answer(id).await? {
            Reply::Names(names) => Ok(Some(names)),
            Reply::Status(1, _) => Ok(None),
            Reply::Status(code, words) => Err(failure::status(code, &words)),
            _ => Err(failure::malformed()),
        }
    }

    async fn put_out(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.check_open()?;
        self.unsent.extend_from_slice(bytes);
        if self.unsent.len() >= UNSENT_BYTES_MAX { self.send_out().await } else { Ok(()) }
    }

    async fn send_out(&mut self) -> Result<(), Error> {
        let bytes = self.unsent.split().freeze();
        if bytes.is_empty() { Ok(()) } else { self.write(bytes).await }
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.check_open()?;
        // Until it is out as a whole, a caller that goes away leaves half a request behind.
        self.torn = true;
        let Self { outgoing, incoming, arriving, connection, .. } = self;
        let ended = &connection.ended;
        let mut sending = std::pin::pin!(outgoing.data_bytes(bytes));
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => match sent {
                    Ok(()) => break,
                    Err(error) => return Err(cause(ended, || failure::of(&error))),
                },
                message = incoming.wait() => keep(message, arriving, ended)?,
            }
        }
        self.torn = false;
        Ok(())
    }

    async fn take_in(&mut self) -> Result<(), Error> {
        self.send_out().await?;
        let message = self.incoming.wait().await;
        keep(message, &mut self.arriving, &self.connection.ended)
    }

    /// Puts one arrived packet where its asker finds it; false when no whole one is there.
    fn sort(&mut self) -> Result<bool, Error> {
        let Some((id, reply)) = wire::take(&mut self.arriving).map_err(|_| failure::malformed())? else {
            return Ok(false);
        };
        self.arrived_bytes += weight(&reply);
        // An answer to nothing, a second answer, or more than was asked for.
        match id.and_then(|id| self.answers.get_mut(&id)) {
            Some(place @ None) if self.arrived_bytes <= ARRIVED_BYTES_MAX => *place = Some(reply),
            _ => return Err(failure::malformed()),
        }
        Ok(true)
    }

    fn check_open(&self) -> Result<(), Error> {
        let is_broken = self.torn || self.connection.handle.is_closed();
        if is_broken { Err(cause(&self.connection.ended, failure::broken)) } else { Ok(()) }
    }
}

impl files::Session for Session {
    type Reading = Reading;

    /// Writes are answered in any order, so what is there may have holes.
    const STORES_IN_ORDER: bool = false;

    const OPENS_NEW: bool = true;

    fn route(&self) -> Route {
        self.connection.route
    }

    fn is_whole(&self) -> bool {
        let is_quiet = !self.torn && self.answers.is_empty() && self.arriving.is_empty() && self.unsent.is_empty();
        is_quiet && self.file.is_none() && self.check_open().is_ok()
    }

    async fn ask(&mut self) -> Result<(), Error> {
        self.asked(&Request::RealPath(".")).await.map(drop)
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.take_in_all().await?;
        // A server that has no room may fail to close as well.
        let _ = self.close().await;
        Ok(())
    }

    async fn find(&mut self, path: &Remote) -> Result<Option<Attributes>, Error> {
        found(self.attributes(&Request::LinkStat(path.as_str())).await)
    }

    async fn follow(&mut self, path: &Remote) -> Result<Option<Attributes>, Error> {
        found(self.attributes(&Request::Stat(path.as_str())).await)
    }

    async fn rename(&mut self, from: &Remote, to: &Remote) -> Result<(), Error> {
        self.order(&Request::Rename(from.as_str(), to.as_str())).await
    }

    async fn replace(&mut self, from: &Remote, to: &Remote) -> Result<bool, Error> {
        if self.posix_rename {
            self.order(&Request::PosixRename(from.as_str(), to.as_str())).await?;
        }
        Ok(self.posix_rename)
    }

    async fn remove(&mut self, path: &Remote) -> Result<(), Error> {
        self.order(&Request::Remove(path.as_str())).await
    }

    async fn remove_folder(&mut self, path: &Remote) -> Result<(), Error> {
        self.order(&Request::RemoveFolder(path.as_str())).await
    }

    async fn make_folder(&mut self, path: &Remote) -> Result<(), Error> {
        self.order(&Request::MakeFolder(path.as_str())).await
    }

    async fn list(&mut self, _: &Context, folder: &Remote, listing: &mut Listing<'_>, _: Instant) -> Result<(), Error> {
        listing::list(self, folder, listing).await
    }

    async fn read(&mut self, _: &Context, get: &Get, _: Instant) -> Result<(Attributes, Reading), Error> {
        get::open(self, get).await
    }

    async fn next(&mut self, file: &mut Reading) -> Result<Option<Bytes>, Error> {
        file.piece(self).await
    }

    async fn store(
        &mut self,
        _: &Context,
        to: &Remote,
        exists: Exists,
        content: &mut Content,
        _: Instant,
    ) -> Result<(), Unstored> {
        put::store(self, to, exists, content).await
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        use files::Session as _;
        if !self.is_whole() {
            // Its connection may be what went wrong.
            self.connection.close_to_others();
        }
        // Others may go on over the connection; without others it ends by itself.
        if Arc::strong_count(&self.connection) > 1
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let outgoing = Arc::clone(&self.outgoing);
            runtime.spawn(async move { outgoing.close().await });
        }
    }
}

fn found(attributes: Result<Attributes, Error>) -> Result<Option<Attributes>, Error> {
    match attributes {
        Ok(attributes) => Ok(Some(attributes)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn weight(reply: &Reply) -> usize {
    match reply {
        Reply::Data(bytes) | Reply::Extended(bytes) | Reply::Handle(bytes) => bytes.len(),
        Reply::Names(names) => names.iter().map(|n| n.name.len() + size_of::<Named>()).sum(),
        Reply::Status(_, words) => words.len(),
        Reply::Version(..) | Reply::Attributes(_) => 0,
    }
}

fn keep(message: Option<ChannelMsg>, arriving: &mut BytesMut, ended: &Ended) -> Result<(), Error> {
    match message {
        Some(ChannelMsg::Data { data }) if arriving.len() + data.len() <= ARRIVED_BYTES_MAX => {
            arriving.extend_from_slice(&data);
            Ok(())
        }
        Some(ChannelMsg::Data { .. }) => Err(failure::malformed()),
        Some(ChannelMsg::Failure) => Err(failure::of(&russh::Error::RequestDenied)),
        Some(ChannelMsg::Eof | ChannelMsg::Close) | None => Err(cause(ended, failure::broken)),
        // What a server prints beside (stderr), window changes, success of what was requested.
        Some(_) => Ok(()),
    }
}

/// The cause of the end, if the connection has told it.
fn cause(ended: &Ended, otherwise: impl FnOnce() -> Error) -> Error {
    ended.get().cloned().unwrap_or_else(otherwise)
}
