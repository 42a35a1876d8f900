//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, IdentityKind, Scheme, Spec, sql};

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
    operations: &[sql::QUERY, sql::EXECUTE, sql::BATCH, sql::TRANSACTION, sql::CALL, sql::LOAD],
};
