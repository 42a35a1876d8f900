//! What the server and the libraries below say becomes the product's error, their words kept private.

use std::io;

use lockgate_connector_api::{Error, Kind, files::change};

use crate::reply::Reply;

/// A reply that refuses its command (RFC 959 §4.2, RFC 4217, RFC 2428), with its code as status.
pub(crate) fn refused(reply: &Reply) -> Error {
    let words = reply.words();
    let (kind, text) = match reply.code {
        ..400 => (Kind::Protocol, "the server's answer is not one to the request"),
        421 => (Kind::Unavailable, "the server closes the session for now"),
        425 | 426 => (Kind::Unreachable, "the server could not carry the content over its data connection"),
        450 | 451 => (Kind::Unavailable, "the server cannot do that for now"),
        452 | 552 => (Kind::Rejected, "the server has no space left for this account"),
        430 | 530 => (Kind::Authentication, "the server does not accept the account's sign-in"),
        532 => (Kind::Authorization, "the server does not let this account do it"),
        500..=504 => (Kind::Protocol, "the server does not understand the request"),
        521 | 522 | 533..=536 => (Kind::Rejected, "the server does not protect the data connection as it is asked to"),
        550 | 551 | 553 => of_file(&words),
        _ => (Kind::Rejected, "the server refused the request"),
    };
    Error::new(kind, "ftps-status", text)
        .with_status(reply.code)
        .with_private(words.chars().take(4096).collect::<String>())
}

/// Why a file was refused stands in the words alone. They are those of the servers' operating systems;
/// in another language they say no more than that it was refused.
fn of_file(words: &str) -> (Kind, &'static str) {
    let words = words.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["permission", "denied", "not permitted", "not allowed", "read-only", "prohibited"]) {
        (Kind::Authorization, "the server does not let this account do it")
    } else if says(&["not empty"]) {
        (Kind::Conflict, "the folder is not empty")
    } else if says(&[
        "no such",
        "not found",
        "cannot find",
        "can't find",
        "doesn't exist",
        "does not exist",
        "not exist",
    ]) {
        (Kind::NotFound, "the server has nothing at that path")
    } else if says(&["exists", "already"]) {
        (Kind::Conflict, "there is something of that name already")
    } else {
        (Kind::Rejected, "the server refused the request")
    }
}

/// Nothing is at a path, as the server said in its words.
pub(crate) fn missing(reply: &Reply) -> Error {
    change::nothing_there().with_status(reply.code).with_private(reply.words())
}

/// A failure of reading or writing.
pub(crate) fn of_io(error: &io::Error) -> Error {
    of_tls(error).unwrap_or_else(|| broken().with_private(error.to_string()))
}

/// The error that an I/O error is if TLS made it.
pub(crate) fn of_tls(error: &io::Error) -> Option<Error> {
    use rustls::Error as Tls;
    let tls = error.get_ref()?.downcast_ref::<Tls>()?;
    let (kind, code, text) = match tls {
        Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented | Tls::UnsupportedNameType => (
            Kind::Identity,
            "ftps-certificate",
            "the server did not prove its identity: its certificate does not match the account's `identity`",
        ),
        Tls::AlertReceived(_) => (
            Kind::Identity,
            "ftps-alert",
            "the server broke off the TLS session (does it want a client certificate, or another one?)",
        ),
        Tls::PeerIncompatible(_) => {
            (Kind::Identity, "ftps-tls", "the server offers no TLS 1.2 or 1.3 with ciphers we accept")
        }
        _ => (
            Kind::Protocol,
            "ftps-tls",
            "the server does not speak TLS correctly (explicit or implicit: setting `tls`)",
        ),
    };
    Some(Error::new(kind, code, text).with_private(tls.to_string()))
}

/// The connection broke.
pub(crate) fn broken() -> Error {
    Error::new(Kind::Unreachable, "ftps-broken", "the connection to the server broke")
}

/// A content ended without the end of its TLS session: it may have been cut (RFC 8446 §6.1).
pub(crate) fn cut() -> Error {
    Error::new(
        Kind::Unreachable,
        "ftps-cut",
        "the data connection ended without the end of its TLS session, so the content may be cut",
    )
}

/// A reply that FTP does not have there.
pub(crate) fn malformed() -> Error {
    Error::new(Kind::Protocol, "ftps-protocol", "the server's answer is not FTP")
}

/// The server gives no TLS.
pub(crate) fn insecure(text: &'static str) -> Error {
    Error::new(Kind::Identity, "ftps-no-tls", text)
}
