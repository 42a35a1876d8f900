//! What connectors to servers of files have in common, whatever protocol they speak: paths, inputs
//! and outputs of the operations, what may be replaced by what, and how a change of several steps is
//! undone.
//!
//! A connector implements [`Server`] and [`Session`], the few requests that every such protocol has.
//! From them follow [`Pool`] (sessions are lent out and kept), [`get`], [`put`] (of a [`content`]),
//! [`change`] (`move`, `delete`, `mkdir` and the rename that ends a `put`), [`undo`] and [`calls`], which
//! runs the operations. [`path`] keeps a call below the account's base, [`input`], [`output`] and
//! [`listing`] read calls and write answers, [`stable`] watches files, [`operations`] declares them.
//!
//! Deliberately absent: how bytes are asked for and sent, which differs by protocol.

pub mod calls;
pub mod change;
pub mod content;
pub mod get;
pub mod input;
pub mod listing;
pub mod operations;
pub mod output;
pub mod path;
mod pool;
pub mod put;
mod session;
pub mod stable;
pub mod undo;

pub use path::{Base, Remote};
pub use pool::{Lease, Pool};
pub use session::{Attributes, Server, Session, What};

use std::sync::Arc;

use tokio::time::Instant;

use crate::{Context, Error, Kind, Part};

/// The entries of a folder that a listing shows, and whether there are more.
///
/// # Errors
/// The server's.
pub(crate) async fn list<S: Server>(
    pool: &Arc<Pool<S>>,
    cx: &Context,
    part: Part,
    folder: &Remote,
    mut listing: listing::Listing<'_>,
    deadline: Instant,
) -> Result<(Vec<(String, Attributes)>, bool), Error> {
    let mut lease = pool.lease(cx, part, deadline).await?;
    let listed = lease.session.list(cx, folder, &mut listing, deadline).await;
    lease.give_back();
    listed.and_then(|()| listing.finish())
}

/// The deadline passed.
pub fn late() -> Error {
    Error::new(Kind::Timeout, "file-timeout", "the server did not answer in time")
}

/// A streamed content that is not as long as it was said to be.
pub fn unlike() -> Error {
    Error::new(Kind::Input, "file-length", "the streamed body is not as long as it was said to be")
}

/// Fewer or more bytes are stored than were sent.
pub fn not_stored() -> Error {
    Error::new(Kind::Unavailable, "file-size", "the server has not stored as many bytes as it was sent")
}

/// A file is not the one that was opened.
pub fn changed() -> Error {
    Error::new(
        Kind::Unavailable,
        "file-changed",
        "the file changed while it was read, or ended before its size (is it still being written?)",
    )
}

/// There is no file to read.
pub fn no_file() -> Error {
    Error::new(Kind::Rejected, "file-folder", "there is a folder at that path, and no file")
}

/// The bytes asked for stand behind a file's end.
pub fn short() -> Error {
    Error::new(Kind::Conflict, "file-offset", "the file ends before that offset")
}

/// The file was not read in time.
pub fn unread() -> Error {
    Error::new(Kind::Timeout, "file-timeout", "the file was not read to its end in time")
}
