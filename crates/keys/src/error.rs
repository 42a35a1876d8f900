//! What can go wrong with keys. No text holds key material or a password.

use std::path::PathBuf;

/// Why a key, certificate or sealed secret cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A private file or its directory is not private, or not what it should be.
    #[error("{} is not private: {reason}", path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {reason}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A sealed secret does not open: it was changed, moved from another row, or sealed under
    /// another master key. Which of these cannot be told.
    #[error(
        "a sealed secret cannot be opened: it was changed or moved, or the master key is another one; set the secret again"
    )]
    NotSealedHere,
    /// A certificate, key or PKCS#12 file that was given cannot be used.
    #[error("{what} cannot be used: {reason}")]
    Unusable {
        /// Which thing.
        what: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// Such an identity of a server has no meaning in TLS.
    #[error("a host key proves an SSH server, not a TLS one: use `ca`, `system` or `pin`")]
    NotTls,
    /// The cryptographic provider failed; random numbers or memory are the usual reasons.
    #[error("the cryptographic provider failed to {0}")]
    Provider(&'static str),
}

impl Error {
    /// A thing that was given cannot be used.
    pub fn unusable(what: &'static str, reason: impl ToString) -> Self {
        Self::Unusable { what, reason: reason.to_string() }
    }
}
