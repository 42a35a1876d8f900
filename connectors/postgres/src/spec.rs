//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, IdentityKind, Scheme, Spec, sql};

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
    operations: &[sql::QUERY, sql::EXECUTE, sql::BATCH],
};
