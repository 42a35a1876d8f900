//! What can go wrong at the port. No text holds a secret or a body of a row.

use lockgate_model::{
    audit::Broken,
    definition::{Kind, Revision},
    id::TenantId,
};

/// Why the store did not do it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tenant has moved on since the caller read it. Nothing was written.
    #[error("tenant `{tenant}` is at revision {found}, not {expected}: read it again, then repeat the change")]
    Conflict {
        /// Whose.
        tenant: TenantId,
        /// What the caller had read.
        expected: Revision,
        /// What it is.
        found: Revision,
    },
    /// A row to be deleted is not there. Nothing was written.
    #[error("there is no {kind} `{id}` to delete")]
    Absent {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// The port does not take such a request. Nothing was written.
    #[error("the store refuses it: {0}")]
    Refused(String),
    /// The audit log was changed from outside.
    #[error("the audit log was tampered with: {0}")]
    Broken(#[from] Broken),
    /// What lies on disk is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The data directory cannot be used as it is.
    #[error("cannot open the store: {0}")]
    Unusable(String),
    /// The medium or the database failed; the request may be repeated.
    #[error("the store cannot {doing}: {reason}")]
    Failed {
        /// What it was about to do.
        doing: &'static str,
        /// What the database said.
        reason: String,
    },
    /// The store was closed, or closed itself after the medium failed to keep what was written.
    #[error("the store is closed: see the server's log, then restart it")]
    Closed,
}

impl Error {
    /// Whether the same request may succeed later without anybody changing anything else.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}
