//! What the server, TLS and the network say becomes the product's error, their words kept private.

use std::io;

use fallible_iterator::FallibleIterator as _;
use lockgate_connector_api::{Error, Kind, TlsCodes, sql::Codes};
use lockgate_document::Document;
use postgres_protocol::message::backend::ErrorResponseBody;

/// Bytes of a server's words that are kept for the caller.
const WORDS_BYTES_MAX: usize = 4 << 10;

/// Code of the error that a prepared statement is not there any more, or not as it was.
pub(crate) const GONE: &str = "postgres-statement-gone";

/// What goes wrong with TLS.
const TLS: TlsCodes = TlsCodes { certificate: "postgres-certificate", alert: "postgres-alert", tls: "postgres-tls" };

/// The failures that every database has.
pub(crate) const CODES: Codes = Codes {
    account: "postgres-account",
    input: "postgres-input",
    busy: "postgres-busy",
    timeout: "postgres-timeout",
    broken: "postgres-broken",
    too_large: "postgres-too-large",
    commit_unknown: "postgres-commit-unknown",
    unmet: "postgres-unmet",
};

/// Code of the error that the server does not keep to the protocol.
pub(crate) const PROTOCOL: &str = "postgres-protocol";

/// The server says something that the protocol does not have here.
pub(crate) fn protocol(detail: &str) -> Error {
    Error::new(Kind::Protocol, PROTOCOL, "the server does not speak the PostgreSQL protocol correctly")
        .with_private(detail)
}

/// What is asked for breaks a rule of the operation; nothing was executed.
pub(crate) fn input(text: &'static str) -> Error {
    CODES.input(text)
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

/// An error that the server reports, and its SQLSTATE.
#[derive(Debug)]
pub(crate) struct Reported {
    /// Five letters or digits.
    pub state: String,
    words: String,
}

impl Reported {
    /// Reads the server's message.
    pub fn read(body: &ErrorResponseBody) -> Self {
        let (mut state, mut words, mut stale) = (String::new(), String::new(), false);
        let mut fields = body.fields();
        while let Ok(Some(field)) = fields.next() {
            let text = String::from_utf8_lossy(field.value_bytes());
            let label = match field.type_() {
                b'C' => {
                    state = text.chars().filter(char::is_ascii_alphanumeric).take(5).collect();
                    continue;
                }
                b'R' if text == "RevalidateCachedQuery" => {
                    // "cached plan must not change result type": its table was altered.
                    stale = true;
                    continue;
                }
                b'M' => "",
                b'D' => "; detail: ",
                b'H' => "; hint: ",
                b'P' => "; at character ",
                b'W' => "; where: ",
                b'n' => "; constraint ",
                _ => continue,
            };
            words.push_str(label);
            words.push_str(&text);
        }
        let end = words.char_indices().map(|(at, _)| at).find(|at| *at >= WORDS_BYTES_MAX);
        words.truncate(end.unwrap_or(words.len()));
        if stale {
            state = "26000".to_owned();
        }
        Self { state, words }
    }

    /// The error it is. What the server said goes after its SQLSTATE and stays private.
    pub fn error(&self) -> Error {
        let (kind, code, text) = meaning(&self.state);
        Error::new(kind, code, text)
            .with_private(format!("SQLSTATE {}: {}", self.state, self.words))
            .with_told("sqlstate", Document::text(&self.state))
    }
}

/// What an SQLSTATE means for a call (PostgreSQL manual, appendix A).
fn meaning(state: &str) -> (Kind, &'static str, &'static str) {
    match (state, state.get(..2).unwrap_or_default()) {
        ("57014", _) => (Kind::Timeout, "postgres-timeout", "the statement did not end in time"),
        ("25006", _) => (
            Kind::Rejected,
            "postgres-read-only",
            "the statement changes data, which `query` does not (use `execute` or `batch`)",
        ),
        ("42501", _) => {
            (Kind::Authorization, "postgres-permission", "the server does not let this account's role do it")
        }
        ("3D000", _) => (Kind::Configuration, "postgres-database", "the server has no such database"),
        ("40003" | "08007", _) => (
            Kind::Unreachable,
            CODES.commit_unknown,
            "the server does not know whether the changes were committed: they are done, or nothing of them is",
        ),
        ("40001" | "40P01" | "55P03", _) => (
            Kind::Unavailable,
            "postgres-contention",
            "other transactions were in the way and the server undid this one (it may succeed later)",
        ),
        ("57P01" | "57P02" | "57P03" | "57P05" | "25P03", _) => {
            (Kind::Unavailable, "postgres-shutdown", "the server is starting, stopping, or has ended the connection")
        }
        ("26000", _) => (Kind::Unavailable, GONE, "the statement must be prepared anew (it may succeed later)"),
        ("P0002", _) => (Kind::NotFound, "postgres-not-found", "the statement found nothing"),
        (_, "28") => (Kind::Authentication, "postgres-sign-in", "the server does not accept the account's credentials"),
        (_, "23") => (Kind::Conflict, "postgres-constraint", "a constraint of the database forbids it"),
        (_, "53" | "58") => (Kind::Unavailable, "postgres-resources", "the server is out of resources"),
        (_, "08") => (Kind::Unreachable, "postgres-broken", "the connection to the server broke"),
        (_, "22") => (Kind::Rejected, "postgres-value", "the server does not accept a value"),
        (_, "42") => (Kind::Rejected, "postgres-statement", "the server does not accept the statement"),
        _ => (Kind::Rejected, "postgres-refused", "the server refused the statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_decides_the_kind() {
        for (state, kind) in [
            ("28P01", Kind::Authentication),
            ("28000", Kind::Authentication),
            ("42501", Kind::Authorization),
            ("42P01", Kind::Rejected),
            ("23505", Kind::Conflict),
            ("40001", Kind::Unavailable),
            ("40P01", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("57P01", Kind::Unavailable),
            ("57P03", Kind::Unavailable),
            ("57014", Kind::Timeout),
            ("22003", Kind::Rejected),
            ("25006", Kind::Rejected),
            ("3D000", Kind::Configuration),
            ("08006", Kind::Unreachable),
            ("", Kind::Rejected),
            ("é", Kind::Rejected),
        ] {
            assert_eq!(meaning(state).0, kind, "{state}");
        }
    }
}
