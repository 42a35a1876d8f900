//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, Field, IdentityKind, Proxy, Scheme, Spec, files::operations};

use crate::algorithms;

pub(crate) const SFTP: Scheme = Scheme { name: "sftp", port: 22 };

pub(crate) const SPEC: Spec = Spec {
    name: "sftp",
    help: "Files on an SSH server (SFTP).",
    about: include_str!("about.md"),
    address: AddressForm { scheme: SFTP, path: true, example: "sftp://files.example.com/outgoing" },
    identities: &[IdentityKind::HostKey],
    fields: &[
        Field::text("username", "User name.").required(),
        Field::choice(
            "auth",
            &["key", "password", "key-and-password"],
            "How the account signs in. A password is also the answer to the one question of a server that asks (keyboard-interactive).",
        )
        .default("key"),
        Field::integer(
            "sessions_max",
            2,
            64,
            "Sessions at once; further calls wait. One of them is kept free of calls that stream to the next call, which may need it.",
        )
        .default("8"),
        Proxy::FIELD,
        Field::exception(
            algorithms::SETTING,
            &algorithms::OLD,
            "Old algorithms that are accepted from a server that offers no better ones.",
        ),
        Field::secret("private_key", "Private key in OpenSSH or PEM format.")
            .when("auth", &["key", "key-and-password"]),
        Field::secret("passphrase", "Passphrase of the private key, if it has one.").together_with("private_key"),
        Field::secret(
            "certificate",
            "OpenSSH certificate of the private key (`…-cert.pub`), for servers that trust a CA.",
        )
        .together_with("private_key"),
        Field::secret("password", "Password.").when("auth", &["password", "key-and-password"]),
    ],
    operations: &[
        operations::LIST,
        operations::STAT,
        operations::GET,
        operations::PUT,
        operations::MOVE,
        operations::DELETE,
        operations::MKDIR,
    ],
};
