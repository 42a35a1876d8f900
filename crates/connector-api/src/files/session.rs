//! What a protocol must be able to do.

use lockgate_model::Timestamp;
use tokio::time::Instant;

use super::Remote;
use crate::{Context, Error, Vetted};

/// A server of one account.
pub trait Server: Send + Sync + 'static {
    /// A session with it.
    type Session: Session;

    /// Opens a session, signed in and ready, by the deadline.
    fn open(&self, cx: &Context, deadline: Instant) -> impl Future<Output = Result<Self::Session, Error>> + Send;
}

/// A session, used by one call at a time. A path that is not there is `NotFound` in all of them.
pub trait Session: Send + 'static {
    /// The address it goes to.
    fn vetted(&self) -> Vetted;

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

    /// Renames. Servers differ in what happens where the new name is taken.
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
