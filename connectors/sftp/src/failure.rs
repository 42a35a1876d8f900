//! What the SSH library and the server say becomes the product's error, their words kept private.

use lockgate_connector_api::{Error, Kind};

use crate::algorithms;

/// Why a connection ended: the library's word or ours.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The SSH library's.
    Ssh(russh::Error),
    /// The product's, already told.
    Told(Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl From<russh::SendError> for Failure {
    fn from(_: russh::SendError) -> Self {
        Self::Ssh(russh::Error::SendError)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ssh(error) => of(&error),
            Failure::Told(error) => error,
        }
    }
}

/// A failure of the SSH connection.
pub(crate) fn of(error: &russh::Error) -> Error {
    use russh::{AlgorithmKind, Error as Ssh};
    let (kind, code, text) = match error {
        Ssh::NoCommonAlgo { kind: AlgorithmKind::Key, ours, .. } if ours.iter().all(|name| name.contains("-cert-")) => {
            (
                Kind::Identity,
                "sftp-host-certificate",
                "the server did not prove its identity: it shows no certificate, as the account's host CA would have signed",
            )
        }
        Ssh::NoCommonAlgo { kind, theirs, .. } => {
            let error = Error::new(
                Kind::Identity,
                "sftp-algorithms",
                "the server offers only algorithms that are not accepted (old ones can be admitted by the setting `legacy_algorithms`)",
            );
            let theirs = theirs.join(", ").escape_debug().take(1024).collect::<String>();
            return error.with_private(format!("for {} it offers: {theirs}", algorithms::purpose(kind)));
        }
        Ssh::UnknownKey | Ssh::WrongServerSig => {
            (Kind::Identity, "sftp-host-key", "the server did not prove that it has the account's host key")
        }
        Ssh::Version | Ssh::KexInit | Ssh::Kex | Ssh::UnknownAlgo | Ssh::StrictKeyExchangeViolation { .. } => {
            (Kind::Protocol, "sftp-ssh", "the server does not speak SSH correctly (is it an SSH port?)")
        }
        Ssh::ChannelOpenFailure(_) => {
            (Kind::Unavailable, "sftp-channel", "the server opens no further session for this account now")
        }
        Ssh::RequestDenied => (Kind::Rejected, "sftp-subsystem", "the server offers no SFTP to this account"),
        _ => return broken().with_private(error.to_string()),
    };
    Error::new(kind, code, text).with_private(error.to_string())
}

/// The connection broke.
pub(crate) fn broken() -> Error {
    Error::new(Kind::Unreachable, "sftp-broken", "the connection to the server broke")
}

/// An answer that SFTP does not have there.
pub(crate) fn malformed() -> Error {
    Error::new(Kind::Protocol, "sftp-protocol", "the server's answer is not SFTP")
}

/// A status that is not success (draft-ietf-secsh-filexfer-02 §7, and those of version 6 that
/// servers send in version 3 as well).
pub(crate) fn status(code: u32, words: &str) -> Error {
    let (kind, text) = match code {
        2 | 10 => (Kind::NotFound, "the server has nothing at that path"),
        3 | 12 => (Kind::Authorization, "the server does not let this account do it"),
        11 => (Kind::Conflict, "there is something of that name already"),
        17 => (Kind::Conflict, "somebody else holds the file"),
        18 => (Kind::Conflict, "the folder is not empty"),
        5 => (Kind::Protocol, "the server does not understand the request"),
        6 | 7 => (Kind::Unavailable, "the server has lost its files for now"),
        8 => (Kind::Rejected, "the server cannot do that"),
        14 | 15 => (Kind::Rejected, "the server has no space left for this account"),
        _ => (Kind::Rejected, "the server refused the request"),
    };
    let code = u16::try_from(code).unwrap_or(u16::MAX);
    Error::new(kind, "sftp-status", text).with_status(code).with_private(words.chars().take(4096).collect::<String>())
}
