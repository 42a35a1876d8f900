//! What the server, TLS and the network say becomes the product's error, their words kept private.

use std::io;

use lockgate_connector_api::{Error, Kind, TlsCodes, sql::Codes};
use lockgate_document::Document;

use crate::fields::Fields;

/// Bytes of a server's words that are kept for the caller.
const WORDS_BYTES_MAX: usize = 4 << 10;

/// What goes wrong with TLS.
const TLS: TlsCodes = TlsCodes { certificate: "mysql-certificate", alert: "mysql-alert", tls: "mysql-tls" };

/// The failures that every database has.
pub(crate) const CODES: Codes = Codes {
    account: "mysql-account",
    input: "mysql-input",
    busy: "mysql-busy",
    timeout: "mysql-timeout",
    broken: "mysql-broken",
    too_large: "mysql-too-large",
    commit_unknown: "mysql-commit-unknown",
    unmet: "mysql-unmet",
};

/// The server says something that the protocol does not have here.
pub(crate) fn protocol(detail: &str) -> Error {
    Error::new(Kind::Protocol, "mysql-protocol", "the server does not speak the MySQL protocol correctly")
        .with_private(detail)
}

/// An answer without rows is longer than any.
pub(crate) fn too_long() -> Error {
    protocol("an answer is too long")
}

/// What is asked for breaks a rule of the operation; nothing was executed.
pub(crate) fn input(text: &'static str) -> Error {
    CODES.input(text)
}

/// The server asks for a file of this machine.
pub(crate) fn asks_for_a_file() -> Error {
    Error::new(Kind::Protocol, "mysql-file", "the server asks for a file that nobody offered; it was given nothing")
}

/// The server does not let us in, or not in a way that we would go.
pub(crate) fn sign_in(text: &'static str) -> Error {
    Error::new(Kind::Authentication, "mysql-sign-in", text)
}

/// A failure of reading or writing.
pub(crate) fn of_io(error: &io::Error) -> Error {
    if let Some(error) = TLS.error(error) {
        return error;
    }
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => protocol(&error.to_string()),
        _ => CODES.broken().with_private(error.to_string()),
    }
}

/// The error that the server reports in a packet, after its first byte.
pub(crate) fn reported(packet: &[u8]) -> Error {
    let mut fields = Fields(packet);
    let Ok(number) = fields.short() else { return protocol("an error without a number") };
    // Before anybody has said who they are, there is no state.
    let state = match fields.0.split_at_checked(6) {
        Some(([b'#', state @ ..], rest)) => {
            fields = Fields(rest);
            String::from_utf8_lossy(state).chars().filter(char::is_ascii_alphanumeric).collect()
        }
        _ => "HY000".to_owned(),
    };
    let mut words = String::from_utf8_lossy(fields.0).into_owned();
    let end = words.char_indices().map(|(at, _)| at).find(|at| *at >= WORDS_BYTES_MAX);
    words.truncate(end.unwrap_or(words.len()));
    said(number, &state, &words)
}

/// The same, of somebody who has signed in: what is not let in now is a statement.
pub(crate) fn refused(packet: &[u8]) -> Error {
    let error = reported(packet);
    match error.kind() {
        Kind::Authentication => permission().with_private(error.private().reveal().clone()),
        _ => error,
    }
}

fn permission() -> Error {
    Error::new(Kind::Authorization, "mysql-permission", "the server does not let this account's user do it")
}

/// The error that is known by the server's number and state.
pub(crate) fn said(number: u16, state: &str, words: &str) -> Error {
    let (kind, code, text) = meaning(number, state);
    Error::new(kind, code, text)
        .with_private(format!("SQLSTATE {state}: error {number}: {words}"))
        .with_told("sqlstate", Document::text(state))
}

/// What an error means for a call: by its number where the server's states say too little (MySQL
/// error reference; MariaDB error codes), else by its SQLSTATE.
fn meaning(number: u16, state: &str) -> (Kind, &'static str, &'static str) {
    match (number, state.get(..2).unwrap_or_default()) {
        (1317 | 1969 | 3024, _) => (Kind::Timeout, "mysql-timeout", "the statement did not end in time"),
        (1792, _) => (
            Kind::Rejected,
            "mysql-read-only",
            "the statement changes data, which `query` does not (use `execute` or `batch`)",
        ),
        (1148 | 3948 | 4166, _) => {
            (Kind::Input, "mysql-input", "a file of the caller's is loaded by the operation `load` alone")
        }
        (1153, _) => (
            Kind::Input,
            "mysql-input",
            "the parameters are larger than the server takes at once (its `max_allowed_packet`)",
        ),
        (1295, _) => (
            Kind::Input,
            "mysql-input",
            "the statement is of a kind that the server cannot prepare, so it cannot be executed here",
        ),
        (1044 | 1142 | 1143 | 1227 | 1370 | 1419, _) => {
            (Kind::Authorization, "mysql-permission", "the server does not let this account's user do it")
        }
        (1049, _) => (Kind::Configuration, "mysql-database", "the server has no such database"),
        (1130 | 1275 | 1698 | 1820 | 1862 | 3118 | 3955 | 4151, _) | (_, "28") => {
            (Kind::Authentication, "mysql-sign-in", "the server does not accept the account's credentials")
        }
        (1020 | 1205 | 1213 | 3572, _) | (_, "40") => (
            Kind::Unavailable,
            "mysql-contention",
            "other transactions were in the way and the server undid this one (it may succeed later)",
        ),
        (1021 | 1037 | 1038 | 1040 | 1041 | 1114 | 1129 | 1135 | 1203 | 1226, _) => {
            (Kind::Unavailable, "mysql-resources", "the server is out of resources, or lets us have no more of them")
        }
        (1053 | 1077 | 1079 | 1927 | 3169 | 4031, _) => {
            (Kind::Unavailable, "mysql-shutdown", "the server is starting, stopping, or has ended the connection")
        }
        (1461, _) => (Kind::Unavailable, "mysql-resources", "the server holds too many prepared statements"),
        (3819, _) | (_, "23") => (Kind::Conflict, "mysql-constraint", "a constraint of the database forbids it"),
        (1265 | 1364 | 1365 | 1366 | 1411, _) | (_, "22") => {
            (Kind::Rejected, "mysql-value", "the server does not accept a value")
        }
        (_, "02") => (Kind::NotFound, "mysql-not-found", "the statement found nothing"),
        (_, "08") => (Kind::Unreachable, "mysql-broken", "the connection to the server broke"),
        (_, "42") => (Kind::Rejected, "mysql-statement", "the server does not accept the statement"),
        _ => (Kind::Rejected, "mysql-refused", "the server refused the statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_state_decide_the_kind() {
        for (number, state, kind) in [
            (1045, "28000", Kind::Authentication),
            (1044, "42000", Kind::Authorization),
            (1142, "42000", Kind::Authorization),
            (1146, "42S02", Kind::Rejected),
            (1049, "42000", Kind::Configuration),
            (1062, "23000", Kind::Conflict),
            (4025, "23000", Kind::Conflict),
            (3819, "HY000", Kind::Conflict),
            (1213, "40001", Kind::Unavailable),
            (1205, "HY000", Kind::Unavailable),
            (1040, "08004", Kind::Unavailable),
            (1053, "08S01", Kind::Unavailable),
            (1969, "70100", Kind::Timeout),
            (3024, "HY000", Kind::Timeout),
            (1264, "22003", Kind::Rejected),
            (1792, "25006", Kind::Rejected),
            (1158, "08S01", Kind::Unreachable),
            (1644, "45000", Kind::Rejected),
            (1643, "02000", Kind::NotFound),
            (0, "", Kind::Rejected),
            (0, "é", Kind::Rejected),
        ] {
            assert_eq!(meaning(number, state).0, kind, "{number} {state}");
        }
    }

    #[test]
    fn errors_are_read_with_and_without_a_state() {
        for (packet, told) in [
            (&b"\x15\x04#28000no"[..], "SQLSTATE 28000: error 1045: no"),
            (b"\x10\x04Too many", "SQLSTATE HY000: error 1040: Too many"),
        ] {
            assert_eq!(reported(packet).private().reveal(), told);
        }
        assert_eq!(reported(b"\x10").kind(), Kind::Protocol);
    }
}
