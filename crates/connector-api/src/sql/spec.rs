//! What the declarations of databases have in common.

use lockgate_model::manifest::StreamContent;

use crate::{Field, Operation, Proxy};

/// The settings and secrets of an account; who signs in, and what becomes of the password, in words.
pub const fn fields(username: &'static str, password: &'static str) -> [Field; 9] {
    [
        Field::text("username", username).required(),
        Field::integer(
            "connections_max",
            2,
            100,
            "Connections at once; further calls wait. One of them is kept free of calls that stream to the next call, which may need it.",
        )
        .default("10"),
        Field::TLS_VERSION,
        Proxy::FIELD,
        Field::secret("password", password),
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ]
}

/// `query`
pub const QUERY: Operation = Operation {
    name: "query",
    version: "1.0.0",
    idempotent: true,
    keyed: false,
    help: "Reads rows in a transaction that can only read. As a stream, each row is a record.",
    constant: &["sql"],
    input: include_str!("schemas/one.json"),
    output: include_str!("schemas/rows.json"),
    takes: None,
    gives: Some(StreamContent::Records),
};

/// `execute`
pub const EXECUTE: Operation = Operation {
    name: "execute",
    version: "1.0.0",
    idempotent: false,
    keyed: false,
    help: "Runs one statement that changes data.",
    constant: &["sql"],
    input: include_str!("schemas/one.json"),
    output: include_str!("schemas/changed.json"),
    takes: None,
    gives: None,
};

/// `batch`
pub const BATCH: Operation = Operation {
    name: "batch",
    version: "1.0.0",
    idempotent: false,
    keyed: false,
    help: "Runs one statement for each list of parameters, in one transaction: all of it or nothing.",
    constant: &["sql"],
    input: include_str!("schemas/many.json"),
    output: include_str!("schemas/counts.json"),
    takes: None,
    gives: None,
};

/// `load`
pub const LOAD: Operation = Operation {
    name: "load",
    version: "1.0.0",
    idempotent: false,
    keyed: false,
    help: "Loads what streams in into a table, in one transaction: all of it or nothing.",
    constant: &["table", "columns"],
    input: include_str!("schemas/load.json"),
    output: include_str!("schemas/loaded.json"),
    takes: Some("body"),
    gives: None,
};

/// `call`
pub const CALL: Operation = Operation {
    name: "call",
    version: "1.0.0",
    idempotent: false,
    keyed: false,
    help: "Calls a procedure or function, and gives what comes out of it.",
    constant: &["routine"],
    input: include_str!("schemas/call.json"),
    output: include_str!("schemas/called.json"),
    takes: None,
    gives: None,
};

/// `transaction`
pub const TRANSACTION: Operation = Operation {
    name: "transaction",
    version: "1.0.0",
    idempotent: false,
    keyed: false,
    help: "Runs several statements in one transaction: all of it or nothing. A step can take what an earlier one gave.",
    constant: &["steps[].sql", "steps[].take"],
    input: include_str!("schemas/transaction.json"),
    output: include_str!("schemas/committed.json"),
    takes: None,
    gives: None,
};
