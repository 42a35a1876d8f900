//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, IdentityKind, Operation, Scheme, Spec, sql};
use lockgate_model::manifest::StreamContent;

pub(crate) const SPEC: Spec = Spec {
    name: "postgres",
    help: "Queries and changes in one PostgreSQL database.",
    about: include_str!("about.md"),
    address: AddressForm {
        scheme: Scheme { name: "postgres", port: 5432 },
        path: true,
        example: "postgres://db.example.com/orders",
    },
    identities: &[IdentityKind::Ca, IdentityKind::System, IdentityKind::Pin],
    fields: &sql::fields(
        "The role that signs in, by password, client certificate or both.",
        "Its password, proved by SCRAM-SHA-256 with channel binding and never sent.",
    ),
    operations: &[sql::QUERY, sql::EXECUTE, sql::BATCH, sql::TRANSACTION, sql::CALL, sql::LOAD, UNLOAD],
};

/// `unload`
const UNLOAD: Operation = Operation {
    name: "unload",
    version: "1.0.0",
    idempotent: true,
    keyed: false,
    help: "Gives the rows of a table as CSV (`copy … to stdout`): as the server writes it, without a look at its values.",
    constant: &["table", "columns"],
    input: include_str!("schemas/unload.json"),
    output: include_str!("schemas/unloaded.json"),
    takes: None,
    gives: Some(StreamContent::Bytes),
};
