//! The failures that all connectors of databases have in the same words, under codes of their own.

use lockgate_document::Fault;

use crate::{Error, Kind};

/// The codes of one connector.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// The account cannot work as it is bound, such as `postgres-account`.
    pub account: &'static str,
    /// What is asked for breaks a rule of the operation.
    pub input: &'static str,
    /// No connection became free.
    pub busy: &'static str,
    /// It did not end in time.
    pub timeout: &'static str,
    /// The connection broke.
    pub broken: &'static str,
    /// Rows are larger than the run's limits.
    pub too_large: &'static str,
    /// Whether it was committed is not known.
    pub commit_unknown: &'static str,
    /// A step of a transaction did not do what it says.
    pub unmet: &'static str,
}

impl Codes {
    /// The account's settings do not make sense.
    pub fn account(self, text: &'static str) -> Error {
        Error::new(Kind::Configuration, self.account, text)
    }

    /// What is asked for breaks a rule of the operation: nothing was executed.
    pub fn input(self, text: &'static str) -> Error {
        Error::new(Kind::Input, self.input, text)
    }

    /// All connections are taken.
    pub fn busy(self) -> Error {
        let text = "all of the account's connections were taken until the deadline (setting `connections_max`)";
        Error::new(Kind::Timeout, self.busy, text)
    }

    /// Rows did not come to their end by the deadline.
    pub fn late(self) -> Error {
        Error::new(Kind::Timeout, self.timeout, "the rows did not end in time")
    }

    /// The connection broke.
    pub fn broken(self) -> Error {
        Error::new(Kind::Unreachable, self.broken, "the connection to the server broke")
    }

    /// The answer grows past the limits of the run.
    pub fn too_large(self) -> Error {
        let text = "the rows are larger than the limit of a reply (read them as a stream, or fewer of them)";
        Error::new(Kind::TooLarge, self.too_large, text)
    }

    /// A document cannot be built.
    pub fn fault(self, fault: &Fault) -> Error {
        self.too_large().with_private(fault.to_string())
    }

    /// A step of a transaction did not do what it says: all of it is undone.
    pub fn unmet(self, text: &'static str) -> Error {
        Error::new(Kind::Conflict, self.unmet, text)
    }

    /// What went wrong with a commit: where its answer did not come, nobody knows.
    pub fn commit(self, error: Error) -> Error {
        match error.kind() {
            Kind::Unreachable | Kind::Timeout | Kind::Protocol | Kind::Identity => Error::new(
                Kind::Unreachable,
                self.commit_unknown,
                "the connection broke while the changes were being committed: they are done, or nothing of them is",
            )
            .with_private(error.private().reveal().clone()),
            _ => error,
        }
    }
}
