//! What a protocol must be able to do.

use bytes::Bytes;
use lockgate_model::Timestamp;
use tokio::time::Instant;

use super::{Base, Remote, content::Content, get::Get, input::Exists, listing::Listing, put::Unstored};
use crate::{Context, Error, Route};

/// A server of one account.
pub trait Server: Send + Sync + 'static {
    /// A session with it.
    type Session: Session;

    /// Whether contents may travel as lines (`transfer: ascii`).
    const TAKES_LINES: bool = false;

    /// Where the account's files lie.
    fn base(&self) -> &Base;

    /// Opens a session, signed in and ready, by the deadline.
    fn open(&self, cx: &Context, deadline: Instant) -> impl Future<Output = Result<Self::Session, Error>> + Send;
}

/// A session, used by one call at a time. A path that is not there is `NotFound` in all of them.
pub trait Session: Send + 'static {
    /// A file that is being read.
    type Reading: Send + 'static;

    /// Whether what is stored of a content is its beginning, however much of it that is.
    const STORES_IN_ORDER: bool;

    /// Whether it opens a new file, and refuses one that is there, in one step.
    const OPENS_NEW: bool;

    /// The addresses by which it goes.
    fn route(&self) -> Route;

    /// Whether another call may use it: nothing is out, nothing was given up halfway.
    fn is_whole(&self) -> bool;

    /// A request that changes nothing, before one that must not be sent twice.
    fn ask(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes a session whole again whose call was given up: what is out comes in, what is open is
    /// closed.
    fn settle(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// What is at a path, a link itself; none where nothing is.
    fn find(&mut self, path: &Remote) -> impl Future<Output = Result<Option<Attributes>, Error>> + Send;

    /// What a path leads to; none where nothing is.
    fn follow(&mut self, path: &Remote) -> impl Future<Output = Result<Option<Attributes>, Error>> + Send;

    /// Renames by the plain request. Servers differ in what happens where the new name is taken.
    fn rename(&mut self, from: &Remote, to: &Remote) -> impl Future<Output = Result<(), Error>> + Send;

    /// Renames and replaces in one step. False where the server has no request for it: nothing was
    /// sent then.
    fn replace(&mut self, from: &Remote, to: &Remote) -> impl Future<Output = Result<bool, Error>> + Send {
        let _ = (from, to);
        async { Ok(false) }
    }

    /// Removes a file or link.
    fn remove(&mut self, path: &Remote) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes a folder that is empty.
    fn remove_folder(&mut self, path: &Remote) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes a folder.
    fn make_folder(&mut self, path: &Remote) -> impl Future<Output = Result<(), Error>> + Send;

    /// Shows the entries of a folder to a listing.
    fn list(
        &mut self,
        cx: &Context,
        folder: &Remote,
        listing: &mut Listing<'_>,
        deadline: Instant,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Opens a file, and tells what it is. An error leaves nothing open.
    fn read(
        &mut self,
        cx: &Context,
        get: &Get,
        deadline: Instant,
    ) -> impl Future<Output = Result<(Attributes, Self::Reading), Error>> + Send;

    /// The next bytes of it; none at its end, once that is proven: as long as it was said to be, and
    /// still the file that was opened.
    fn next(&mut self, file: &mut Self::Reading) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;

    /// Writes a content, from where it stands to its end, to a file that is there when the content is gone
    /// on with, and else to a new one: one that is there is replaced or, where [`Session::OPENS_NEW`],
    /// refused. What is stored then is as long as the content, where the server tells.
    fn store(
        &mut self,
        cx: &Context,
        to: &Remote,
        exists: Exists,
        content: &mut Content,
        deadline: Instant,
    ) -> impl Future<Output = Result<(), Unstored>> + Send;
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a pipe, or the server does not say.
    Other,
}

/// What a server tells of a file; parts may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// What it is.
    pub what: What,
    /// Bytes.
    pub size: Option<u64>,
    /// Time of the last change, in whole seconds.
    pub modified: Option<Timestamp>,
}

impl Attributes {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.what == What::Folder
    }
}
