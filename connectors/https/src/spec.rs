//! The declaration of the connector: what an account takes and what it can do.

use lockgate_connector_api::{
    AddressForm, Field, IdentityKind, Operation, Proxy, Spec,
    http::{HTTPS, fields},
};
use lockgate_model::manifest::StreamContent;

pub(crate) const SPEC: Spec = Spec {
    name: "https",
    help: "Requests to one HTTPS endpoint.",
    about: include_str!("about.md"),
    address: AddressForm { scheme: HTTPS, path: true, example: "https://erp.example.com/api/v2" },
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
            "redirects",
            &["same-origin", "any-origin", "none"],
            "Which redirects are followed. Another origin gets no credentials and no body.",
        )
        .default("same-origin"),
        Field::TLS_VERSION,
        Proxy::FIELD,
        fields::REQUESTS_MAX,
        fields::PASSWORD,
        fields::CLIENT_SECRET,
        fields::TOKEN,
        fields::HEADER_VALUE,
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ],
    operations: &[
        operation("get", true, "Reads a resource.", WITHOUT_BODY),
        operation("head", true, "Reads the headers of a resource.", WITHOUT_BODY),
        pages(),
        sending("put", true, "Writes a resource at its path."),
        operation("delete", true, "Removes a resource.", WITH_BODY),
        sending("post", false, "Hands in data."),
        sending("patch", false, "Changes a part of a resource."),
        operation(
            "request",
            false,
            "A request by any method, which is given in the input: those above, or another as PROPFIND.",
            WITH_METHOD,
        ),
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

/// The operation that reads a list page by page.
pub(crate) const PAGES: &str = "pages";

const fn pages() -> Operation {
    let help = "Reads a list that comes in pages, all of it. As a stream, each of its items is a record.";
    let mut operation = operation(PAGES, true, help, include_str!("schemas/pages.json"));
    operation.output = include_str!("schemas/pages_output.json");
    operation.gives = Some(StreamContent::Records);
    operation
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
