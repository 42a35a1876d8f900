//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{
    AddressForm, Field, IdentityKind, Operation, Proxy, Spec,
    http::{HTTPS, fields},
};
use lockgate_model::manifest::StreamContent;

pub(crate) const SPEC: Spec = Spec {
    name: "soap",
    help: "Operations of a SOAP service.",
    about: include_str!("about.md"),
    address: AddressForm { scheme: HTTPS, path: true, example: "https://erp.example.com/services/orders" },
    identities: &[IdentityKind::Ca, IdentityKind::System, IdentityKind::Pin],
    fields: &[
        fields::AUTH,
        fields::USERNAME,
        fields::TOKEN_URL,
        fields::CLIENT_ID,
        fields::CLIENT_AUTH,
        fields::SCOPE,
        fields::AUDIENCE,
        fields::HEADER_NAME,
        Field::choice(
            "security",
            &["none", "username-text", "username-digest"],
            "How the message itself says who asks (WS-Security UsernameToken): not at all, with the password as it is, or with a digest of it. It comes on top of `auth`.",
        )
        .default("none"),
        Field::text("token_username", "User name in the message.").when("security", &["username-text", "username-digest"]),
        Field::integer(
            "lifetime_seconds",
            10,
            86_400,
            "How long a message is good for, as its timestamp says. One goes along with a user name or a signature.",
        )
        .default("300"),
        Field::choice(
            "encryption_digest",
            &["sha1", "sha256"],
            "The digest of RSA-OAEP, and of its mask, by which the key of a message is encrypted for `encryption_certificate`. Every service knows `sha1`, whose collisions do no harm there; `sha256` is of XML Encryption 1.1.",
        )
        .default("sha1"),
        Field::choice(
            "addressing",
            &["none", "1.0"],
            "Whether messages carry the headers of WS-Addressing 1.0; an answer to another message is refused then.",
        )
        .default("none"),
        Field::TLS_VERSION,
        Proxy::FIELD,
        fields::REQUESTS_MAX,
        fields::PASSWORD,
        fields::CLIENT_SECRET,
        fields::TOKEN,
        fields::HEADER_VALUE,
        Field::secret("token_password", "Password in the message, or in its digest.")
            .when("security", &["username-text", "username-digest"]),
        Field::secret(
            "signing_key",
            "Private key in PEM (PKCS#8; RSA or P-256) by which messages are signed: body and timestamp.",
        )
        .together_with("signing_certificate"),
        Field::secret("signing_certificate", "Its certificate in PEM, which goes along.").together_with("signing_key"),
        Field::secret(
            "answer_certificate",
            "Certificates in PEM by whose keys answers are signed. With it, an answer that none of them signed is refused.",
        ),
        Field::secret(
            "encryption_certificate",
            "Certificate in PEM, with a key of RSA, of who reads the messages: their bodies are encrypted for it.",
        ),
        Field::secret(
            "decryption_key",
            "Private key in PEM (PKCS#8, RSA) for which answers are encrypted. With it, an answer whose body is not encrypted for it is refused.",
        ),
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ],
    operations: &[
        operation("call", false, "Calls an operation of the service."),
        operation("read", true, "Calls an operation that only reads, so that it may be repeated."),
    ],
};

const fn operation(name: &'static str, idempotent: bool, help: &'static str) -> Operation {
    Operation {
        name,
        version: "1.0.0",
        idempotent,
        keyed: !idempotent,
        help,
        constant: &["wsdl", "port", "operation", "path"],
        input: include_str!("schemas/input.json"),
        output: include_str!("schemas/output.json"),
        takes: Some("attachment"),
        gives: Some(StreamContent::Bytes),
    }
}
