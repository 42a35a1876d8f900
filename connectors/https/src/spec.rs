//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{AddressForm, Field, IdentityKind, Operation, Scheme, Spec};
use lockgate_model::manifest::StreamContent;

pub(crate) const HTTPS: Scheme = Scheme { name: "https", port: 443 };

pub(crate) const SPEC: Spec = Spec {
    name: "https",
    help: "Requests to one HTTPS endpoint.",
    about: include_str!("about.md"),
    address: AddressForm { scheme: HTTPS, path: true, example: "https://erp.example.com/api/v2" },
    identities: &[IdentityKind::Ca, IdentityKind::System, IdentityKind::Pin],
    fields: &[
        Field::choice(
            "auth",
            &["none", "basic", "digest", "bearer", "oauth2", "header"],
            "How requests sign in. A client certificate comes on top of any of them.",
        )
        .default("none"),
        Field::text("username", "User name.").when("auth", &["basic", "digest"]),
        Field::text(
            "token_url",
            "Address of the token endpoint (OAuth 2.0 client credentials), such as `https://login.example.com/oauth2/token`. It proves itself as the account's server does, and passes the same check of addresses.",
        )
        .when("auth", &["oauth2"]),
        Field::text("client_id", "Id of the client at the token endpoint.").when("auth", &["oauth2"]),
        Field::choice(
            "client_auth",
            &["basic", "post", "certificate"],
            "How the client proves itself at the token endpoint: its secret by Basic authentication or in the content, or the account's client certificate.",
        )
        .default("basic")
        .only_when("auth", &["oauth2"]),
        Field::text("scope", "Scopes to ask for, between spaces.").only_when("auth", &["oauth2"]),
        Field::text("audience", "For whom the token is to be, where the endpoint wants to know.")
            .only_when("auth", &["oauth2"]),
        Field::text("header_name", "Name of the header that carries the key, such as `x-api-key`.")
            .when("auth", &["header"]),
        Field::choice(
            "redirects",
            &["same-origin", "any-origin", "none"],
            "Which redirects are followed. Another origin gets no credentials and no body.",
        )
        .default("same-origin"),
        Field::host_port(
            "proxy",
            "An HTTP proxy to go through by CONNECT. TLS runs through it end to end; it is given the checked address, not the name.",
        ),
        Field::integer(
            "requests_max",
            3,
            1024,
            "Requests in flight at once; further calls wait. Two of them are kept free of calls that stream to the next call, which may need one and pass its own answer on.",
        )
        .default("64"),
        Field::secret("password", "Password.").when("auth", &["basic", "digest"]),
        Field::secret("client_secret", "Secret of the client. None where `client_auth` is `certificate`.")
            .only_when("auth", &["oauth2"]),
        Field::secret("token", "Bearer token.").when("auth", &["bearer"]),
        Field::secret("header_value", "Value of that header.").when("auth", &["header"]),
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ],
    operations: &[
        operation("get", true, "Reads a resource.", WITHOUT_BODY),
        operation("head", true, "Reads the headers of a resource.", WITHOUT_BODY),
        sending("put", true, "Writes a resource at its path."),
        operation("delete", true, "Removes a resource.", WITH_BODY),
        sending("post", false, "Hands in data."),
        sending("patch", false, "Changes a part of a resource."),
        operation("request", false, "Any of the above, the method given in the input.", WITH_METHOD),
    ],
};

const fn operation(name: &'static str, idempotent: bool, help: &'static str, input: &'static str) -> Operation {
    Operation {
        name,
        version: "1.0.0",
        idempotent,
        keyed: !idempotent,
        help,
        constant: &[],
        input,
        output: include_str!("schemas/output.json"),
        takes: None,
        gives: Some(StreamContent::Bytes),
    }
}

/// An operation whose body may be a stream.
const fn sending(name: &'static str, idempotent: bool, help: &'static str) -> Operation {
    let mut operation = operation(name, idempotent, help, WITH_BODY);
    operation.takes = Some("body");
    operation
}

const WITHOUT_BODY: &str = include_str!("schemas/without_body.json");
const WITH_BODY: &str = include_str!("schemas/with_body.json");
const WITH_METHOD: &str = include_str!("schemas/with_method.json");
