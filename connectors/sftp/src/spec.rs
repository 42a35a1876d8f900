//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, Field, IdentityKind, Operation, Scheme, Spec};
use lockgate_model::manifest::StreamContent;

pub(crate) const SFTP: Scheme = Scheme { name: "sftp", port: 22 };

pub(crate) const SPEC: Spec = Spec {
    name: "sftp",
    help: "Files on an SSH server (SFTP).",
    about: include_str!("about.md"),
    address: AddressForm { scheme: SFTP, path: true, example: "sftp://files.example.com/outgoing" },
    identities: &[IdentityKind::HostKey],
    fields: &[
        Field::text("username", "User name.").required(),
        Field::choice("auth", &["key", "password"], "How the account signs in.").default("key"),
        Field::integer("sessions_max", 1, 64, "Sessions at once; further calls wait.").default("8"),
        Field::secret("private_key", "Private key in OpenSSH or PEM format.").when("auth", "key"),
        Field::secret("passphrase", "Passphrase of the private key, if it has one.").together_with("private_key"),
        Field::secret("password", "Password.").when("auth", "password"),
    ],
    operations: &[
        Operation {
            name: "list",
            version: "1.0.0",
            constant: &[],
            takes: None,
            gives: None,
            idempotent: true,
            help: "Lists a folder.",
            input: include_str!("schemas/list.json"),
            output: include_str!("schemas/list_output.json"),
        },
        Operation {
            name: "stat",
            version: "1.0.0",
            constant: &[],
            takes: None,
            gives: None,
            idempotent: true,
            help: "Tells kind, size and time of a file or folder.",
            input: include_str!("schemas/stat.json"),
            output: include_str!("schemas/stat_output.json"),
        },
        Operation {
            name: "get",
            version: "1.0.0",
            constant: &[],
            takes: None,
            gives: Some(StreamContent::Bytes),
            idempotent: true,
            help: "Reads a file.",
            input: include_str!("schemas/get.json"),
            output: include_str!("schemas/get_output.json"),
        },
        Operation {
            name: "put",
            version: "1.0.0",
            constant: &[],
            takes: Some("body"),
            gives: None,
            idempotent: true,
            help: "Writes a file, as a whole or not at all.",
            input: include_str!("schemas/put.json"),
            output: include_str!("schemas/put_output.json"),
        },
        Operation {
            name: "move",
            version: "1.0.0",
            constant: &[],
            takes: None,
            gives: None,
            idempotent: false,
            help: "Moves or renames a file or folder.",
            input: include_str!("schemas/move.json"),
            output: NOTHING,
        },
        Operation {
            name: "delete",
            version: "1.0.0",
            constant: &[],
            takes: None,
            gives: None,
            idempotent: true,
            help: "Deletes a file, or a folder that is empty.",
            input: include_str!("schemas/path.json"),
            output: NOTHING,
        },
        Operation {
            name: "mkdir",
            version: "1.0.0",
            constant: &[],
            takes: None,
            gives: None,
            idempotent: true,
            help: "Makes a folder; one that is there already is as good.",
            input: include_str!("schemas/path.json"),
            output: NOTHING,
        },
    ],
};

const NOTHING: &str = include_str!("schemas/nothing.json");
