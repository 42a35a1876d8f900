//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, Field, IdentityKind, Operation, Proxy, Scheme, Spec, files::operations};

/// The port is that of FTP (RFC 4217 §2), as TLS is asked for there.
pub(crate) const FTPS: Scheme = Scheme { name: "ftps", port: 21 };

pub(crate) const SPEC: Spec = Spec {
    name: "ftps",
    help: "Files on an FTP server, over TLS (FTPS).",
    about: include_str!("about.md"),
    address: AddressForm { scheme: FTPS, path: true, example: "ftps://files.example.com/outgoing" },
    identities: &[IdentityKind::Ca, IdentityKind::System, IdentityKind::Pin],
    fields: &[
        Field::text("username", "User name.").required(),
        Field::choice(
            "auth",
            &["password", "certificate"],
            "How the account signs in. With `certificate`, the client certificate is enough; it may be shown with a password too.",
        )
        .default("password"),
        Field::choice(
            "tls",
            &["explicit", "implicit"],
            "When TLS begins: asked for on the port of FTP, or with the connection (the port is 990 mostly; write it in the address).",
        )
        .default("explicit"),
        Field::integer(
            "sessions_max",
            2,
            64,
            "Sessions at once; further calls wait. One of them is kept free of calls that stream to the next call, which may need it.",
        )
        .default("8"),
        Field::TLS_VERSION,
        Proxy::FIELD,
        Field::secret("password", "Password.").when("auth", &["password"]),
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ],
    operations: &[
        operations::LIST,
        operations::STAT,
        Operation { input: include_str!("schemas/get.json"), ..operations::GET },
        Operation { input: include_str!("schemas/put.json"), ..operations::PUT },
        operations::MOVE,
        operations::DELETE,
        operations::MKDIR,
    ],
};
