//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, Field, IdentityKind, Operation, Scheme, Spec, sql};
use lockgate_model::manifest::StreamContent;

pub(crate) const MYSQL: Scheme = Scheme { name: "mysql", port: 3306 };

pub(crate) const SPEC: Spec = Spec {
    name: "mysql",
    help: "Queries and changes in one MySQL or MariaDB database.",
    about: include_str!("about.md"),
    address: AddressForm { scheme: MYSQL, path: true, example: "mysql://db.example.com/orders" },
    identities: &[IdentityKind::Ca, IdentityKind::System, IdentityKind::Pin],
    fields: &[
        Field::text("username", "The user that signs in, by password, client certificate or both.").required(),
        Field::integer(
            "connections_max",
            2,
            100,
            "Connections at once; further calls wait. One of them is kept free of calls that stream to the next call, which may need it.",
        )
        .default("10"),
        Field::secret("password", "Its password, shown to a verified server alone."),
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ],
    operations: &[
        Operation {
            name: "query",
            version: "1.0.0",
            idempotent: true,
            keyed: false,
            help: "Reads rows in a transaction that can only read. As a stream, each row is a record.",
            constant: &["sql"],
            input: include_str!("schemas/one.json"),
            output: sql::ROWS,
            takes: None,
            gives: Some(StreamContent::Records),
        },
        Operation {
            name: "execute",
            version: "1.0.0",
            idempotent: false,
            keyed: false,
            help: "Runs one statement that changes data, or calls a procedure.",
            constant: &["sql"],
            input: include_str!("schemas/one.json"),
            output: include_str!("schemas/changed.json"),
            takes: None,
            gives: None,
        },
        Operation {
            name: "batch",
            version: "1.0.0",
            idempotent: false,
            keyed: false,
            help: "Runs one statement for each list of parameters, in one transaction: all of it or nothing.",
            constant: &["sql"],
            input: include_str!("schemas/many.json"),
            output: sql::COUNTS,
            takes: None,
            gives: None,
        },
        Operation {
            name: "load",
            version: "1.0.0",
            idempotent: false,
            keyed: false,
            help: "Loads lines that stream in into a table (`load data local`), in one transaction: all of them or none.",
            constant: &["sql"],
            input: include_str!("schemas/load.json"),
            output: include_str!("schemas/loaded.json"),
            takes: Some("body"),
            gives: None,
        },
    ],
};

#[cfg(test)]
mod tests {
    use lockgate_connector_api::Address;

    use super::*;

    #[test]
    fn the_declaration_is_whole() {
        Address::parse(MYSQL, SPEC.address.path, SPEC.address.example).unwrap();
        for operation in SPEC.operations {
            for schema in [operation.input, operation.output] {
                let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
                assert!(schema["properties"].is_object(), "{}", operation.name);
            }
            let input: serde_json::Value = serde_json::from_str(operation.input).unwrap();
            assert!(operation.constant.iter().all(|member| input["properties"][member].is_object()));
        }
    }
}
