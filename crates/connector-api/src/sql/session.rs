//! What a database's protocol must be able to do.

use std::time::Instant;

use lockgate_document::Builder;
use lockgate_model::Limits;

use super::{Account, Codes};
use crate::{Egress, Error, Route};

/// A server of one account.
pub trait Server: Send + Sync + 'static {
    /// A connection to it.
    type Session: Session;

    /// The account.
    fn account(&self) -> &Account;

    /// Opens a connection and signs in. The caller ends it at the deadline.
    fn open(&self, egress: &Egress, deadline: Instant) -> impl Future<Output = Result<Self::Session, Error>> + Send;

    /// Opens one for a single call, which streams a file to the server.
    fn open_to_load(
        &self,
        egress: &Egress,
        deadline: Instant,
    ) -> impl Future<Output = Result<Self::Session, Error>> + Send {
        self.open(egress, deadline)
    }

    /// Ends at the server what a connection that was given up is doing there.
    fn end(&self, egress: &Egress, session: Self::Session, deadline: Instant) -> impl Future<Output = ()> + Send;
}

/// A connection, signed in, used by one call at a time.
pub trait Session: Send + 'static {
    /// The columns of rows.
    type Columns: ?Sized + Send + Sync + 'static;

    /// How it fails.
    const CODES: Codes;

    /// The addresses by which it goes.
    fn route(&self) -> Route;

    /// Whether nothing has come from the server unasked: it is there, as far as we know.
    fn is_quiet(&mut self) -> bool;

    /// Whether a statement of a caller's may still be at work.
    fn is_running(&self) -> bool;

    /// Asks the server whether it is there.
    fn ping(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes it as good as new for another call. False where it cannot be: it serves none.
    fn renew(&mut self) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Says goodbye, as far as the server listens.
    fn close(self) -> impl Future<Output = ()> + Send;

    /// Writes the next row as an object, if there is one.
    fn row(
        &mut self,
        columns: &Self::Columns,
        limits: &Limits,
        out: &mut Builder,
    ) -> impl Future<Output = Result<Row, Error>> + Send;
}

/// What comes next of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A row of so many bytes of data.
    Written(u64),
    /// Their end; the statement counted so many.
    End(u64),
}
