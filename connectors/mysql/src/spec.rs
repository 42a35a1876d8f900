//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, IdentityKind, Operation, Scheme, Spec, sql};

// As every database has them, with `types`: the server does not tell those of parameters.
const QUERY: Operation = Operation { input: ONE, constant: &["sql", "types"], ..sql::QUERY };
const EXECUTE: Operation = Operation { input: ONE, constant: &["sql", "types"], ..sql::EXECUTE };
const BATCH: Operation =
    Operation { input: include_str!("schemas/many.json"), constant: &["sql", "types"], ..sql::BATCH };
const TRANSACTION: Operation = Operation {
    input: include_str!("schemas/transaction.json"),
    constant: &["steps[].sql", "steps[].take", "steps[].types"],
    ..sql::TRANSACTION
};
const ONE: &str = include_str!("schemas/one.json");

pub(crate) const SPEC: Spec = Spec {
    name: "mysql",
    help: "Queries and changes in one MySQL or MariaDB database.",
    about: include_str!("about.md"),
    address: AddressForm {
        scheme: Scheme { name: "mysql", port: 3306 },
        path: true,
        example: "mysql://db.example.com/orders",
    },
    identities: &[IdentityKind::Ca, IdentityKind::System, IdentityKind::Pin],
    fields: &sql::fields(
        "The user that signs in, by password, client certificate or both.",
        "Its password, shown to a verified server alone.",
    ),
    operations: &[QUERY, EXECUTE, BATCH, TRANSACTION, sql::CALL, sql::LOAD],
};
