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
        Field::integer(
            "sessions_max",
            2,
            64,
            "Sessions at once; further calls wait. One of them is kept free of calls that stream to the next call, which may need it.",
        )
        .default("8"),
        Field::secret("private_key", "Private key in OpenSSH or PEM format.").when("auth", &["key"]),
        Field::secret("passphrase", "Passphrase of the private key, if it has one.").together_with("private_key"),
        Field::secret("password", "Password.").when("auth", &["password"]),
    ],
    operations: &[
        operation(
            "list",
            true,
            "Lists a folder.",
            include_str!("schemas/list.json"),
            include_str!("schemas/list_output.json"),
        ),
        operation(
            "stat",
            true,
            "Tells kind, size and time of a file or folder.",
            include_str!("schemas/stat.json"),
            include_str!("schemas/stat_output.json"),
        ),
        Operation {
            gives: Some(StreamContent::Bytes),
            ..operation(
                "get",
                true,
                "Reads a file.",
                include_str!("schemas/get.json"),
                include_str!("schemas/get_output.json"),
            )
        },
        Operation {
            takes: Some("body"),
            ..operation(
                "put",
                true,
                "Writes a file, as a whole or not at all.",
                include_str!("schemas/put.json"),
                include_str!("schemas/put_output.json"),
            )
        },
        operation("move", false, "Moves or renames a file or folder.", include_str!("schemas/move.json"), NOTHING),
        operation(
            "delete",
            true,
            "Deletes a file, or a folder that is empty.",
            include_str!("schemas/path.json"),
            NOTHING,
        ),
        operation(
            "mkdir",
            true,
            "Makes a folder; one that is there already is as good.",
            include_str!("schemas/path.json"),
            NOTHING,
        ),
    ],
};

const fn operation(
    name: &'static str,
    idempotent: bool,
    help: &'static str,
    input: &'static str,
    output: &'static str,
) -> Operation {
    Operation { name, version: "1.0.0", idempotent, help, constant: &[], input, output, takes: None, gives: None }
}

const NOTHING: &str = include_str!("schemas/nothing.json");
