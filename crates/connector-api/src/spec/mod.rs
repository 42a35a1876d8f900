//! A connector's declaration: one value that checks bindings, lists the connector and writes its
//! page. Everything in it is fixed text of an author.

mod check;
mod page;

use std::collections::BTreeMap;

use lockgate_model::{definition::ServerIdentity, manifest::StreamContent};
use serde_json::{Value, json};

use crate::Scheme;
pub use check::Problem;

/// What a connector is and takes.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Name in flows and bindings, such as `https`.
    pub name: &'static str,
    /// One sentence for people.
    pub help: &'static str,
    /// A few paragraphs of Markdown for the page; may be empty.
    pub about: &'static str,
    /// The form of addresses.
    pub address: AddressForm,
    /// How a server may prove itself. Never empty: there is no unverified endpoint.
    pub identities: &'static [IdentityKind],
    /// Settings and secrets of an account.
    pub fields: &'static [Field],
    /// What it can do.
    pub operations: &'static [Operation],
}

/// The form of a connector's addresses.
#[derive(Debug, Clone, Copy)]
pub struct AddressForm {
    /// The one scheme.
    pub scheme: Scheme,
    /// Whether a base path may follow.
    pub path: bool,
    /// An example that passes the check.
    pub example: &'static str,
}

/// The ways a server proves itself, without their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// A CA of the account's own.
    Ca,
    /// The machine's root certificates.
    System,
    /// The digest of its certificate.
    Pin,
    /// An SSH host key.
    HostKey,
}

impl IdentityKind {
    /// The kind of a binding's identity.
    pub fn of(identity: &ServerIdentity) -> Self {
        match identity {
            ServerIdentity::Ca(_) => Self::Ca,
            ServerIdentity::System => Self::System,
            ServerIdentity::Pin(_) => Self::Pin,
            ServerIdentity::HostKey(_) => Self::HostKey,
        }
    }

    /// As written in a binding.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::System => "system",
            Self::Pin => "pin",
            Self::HostKey => "host-key",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Ca => "chain and host name are verified against this CA certificate (PEM) alone",
            Self::System => "chain and host name are verified against the machine's root certificates",
            Self::Pin => "the server's certificate has this SHA-256 digest; its chain and names do not matter then",
            Self::HostKey => {
                "the server has this SSH host key, given by its fingerprint (`SHA256:…`) or as a whole; or, with `@cert-authority` before it, a certificate of its key that this authority has signed"
            }
        }
    }
}

/// A setting or secret of an account.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name in bindings.
    pub name: &'static str,
    /// One sentence for people.
    pub help: &'static str,
    /// What may stand in it.
    pub kind: FieldKind,
    /// It must be set.
    pub required: bool,
    /// What holds when it is not set.
    pub default: Option<&'static str>,
    /// It has a meaning only where another setting has one of these values.
    pub when: Option<When>,
    /// It is set only together with that field.
    pub together_with: Option<&'static str>,
    /// It is set only where that field is not.
    pub instead_of: Option<&'static str>,
}

/// Where a field has a meaning; it is refused elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The setting that decides.
    pub name: &'static str,
    /// Its values.
    pub values: &'static [&'static str],
    /// It must be set there.
    pub required: bool,
}

impl When {
    /// In words: "`auth` is `basic` or `digest`".
    pub fn words(&self) -> String {
        let values: Vec<String> = self.values.iter().map(|value| format!("`{value}`")).collect();
        format!("`{}` is {}", self.name, values.join(" or "))
    }
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// A whole number.
    Integer {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// One of these.
    Choice(&'static [&'static str]),
    /// One or several of these, with blanks between them: what an account admits against the
    /// connector's own rule. The audit log tells what is set.
    Exception(&'static [&'static str]),
    /// `host:port`.
    HostPort,
    /// A secret: sealed, write-only.
    Secret,
}

impl Field {
    const fn new(name: &'static str, help: &'static str, kind: FieldKind) -> Self {
        Self { name, help, kind, required: false, default: None, when: None, together_with: None, instead_of: None }
    }

    /// A line of text.
    pub const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, FieldKind::Text)
    }

    /// A whole number from `min` to `max`.
    pub const fn integer(name: &'static str, min: u64, max: u64, help: &'static str) -> Self {
        Self::new(name, help, FieldKind::Integer { min, max })
    }

    /// One of `values`.
    pub const fn choice(name: &'static str, values: &'static [&'static str], help: &'static str) -> Self {
        Self::new(name, help, FieldKind::Choice(values))
    }

    /// An exception from the connector's own rule: one or several of `names`.
    pub const fn exception(name: &'static str, names: &'static [&'static str], help: &'static str) -> Self {
        Self::new(name, help, FieldKind::Exception(names))
    }

    /// A host and a port.
    pub const fn host_port(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, FieldKind::HostPort)
    }

    /// A secret.
    pub const fn secret(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, FieldKind::Secret)
    }

    /// It must be set.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What holds when it is not set.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Required when the setting `name` is one of `values`, refused otherwise.
    #[must_use]
    pub const fn when(mut self, name: &'static str, values: &'static [&'static str]) -> Self {
        self.when = Some(When { name, values, required: true });
        self
    }

    /// Allowed when the setting `name` is one of `values`, refused otherwise.
    #[must_use]
    pub const fn only_when(mut self, name: &'static str, values: &'static [&'static str]) -> Self {
        self.when = Some(When { name, values, required: false });
        self
    }

    /// Set only together with the field `name`.
    #[must_use]
    pub const fn together_with(mut self, name: &'static str) -> Self {
        self.together_with = Some(name);
        self
    }

    /// Set only where the field `name` is not.
    #[must_use]
    pub const fn instead_of(mut self, name: &'static str) -> Self {
        self.instead_of = Some(name);
        self
    }

    /// Whether it is a secret.
    pub fn is_secret(&self) -> bool {
        self.kind == FieldKind::Secret
    }

    /// Which version of TLS is spoken; read by `runtime` for `keys`, as the fields `CLIENT_*` are.
    pub const TLS_VERSION: Field = Field::choice(
        "tls_version",
        &["1.3", "1.2"],
        "The one version of TLS that is offered, where not both are: then the server takes 1.3 if it knows it.",
    );
    /// Our certificate for endpoints that ask for one (PEM, leaf first). The fields
    /// `CLIENT_*` are the same in every TLS connector; `runtime` reads them by these names and
    /// `keys` puts them into the TLS configuration, so a connector never sees a private key.
    pub const CLIENT_CERTIFICATE: Field = Field::secret(
        "client_certificate",
        "Our certificate chain in PEM, leaf first, for endpoints that ask for one.",
    )
    .together_with("client_key");
    /// Its private key.
    pub const CLIENT_KEY: Field =
        Field::secret("client_key", "Its private key in PEM (PKCS#8).").together_with("client_certificate");
    /// Both in one PKCS#12 file.
    pub const CLIENT_P12: Field = Field::secret(
        "client_p12",
        "Certificate and key as a PKCS#12 file in base64, instead of `client_certificate` and `client_key`.",
    )
    .together_with("client_p12_password")
    .instead_of("client_certificate");
    /// Its password.
    pub const CLIENT_P12_PASSWORD: Field =
        Field::secret("client_p12_password", "The password of the PKCS#12 file.").together_with("client_p12");
}

/// One thing a connector can do.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Name in flows: `https.get`.
    pub name: &'static str,
    /// Version, three numbers; a call names it or its leading part.
    pub version: &'static str,
    /// Repeating it changes nothing more (RFC 9110 §9.2.2), so a repeat is safe without a key.
    pub idempotent: bool,
    /// It carries the idempotency key of its occurrence, for endpoints that know one.
    pub keyed: bool,
    /// One sentence for people.
    pub help: &'static str,
    /// Members of its input that must stand in the flow as they are, because a deployment must know
    /// them (an SQL statement): the compiler refuses an expression there. `steps[].sql` is a member of
    /// each item of a list.
    pub constant: &'static [&'static str],
    /// JSON Schema (2020-12) of its input.
    pub input: &'static str,
    /// JSON Schema (2020-12) of its output.
    pub output: &'static str,
    /// The member of its input that may be a stream instead of a value ([`crate::Call::body`]).
    pub takes: Option<&'static str>,
    /// What it gives when a stream is asked for ([`crate::Call::stream`]); nothing: it cannot.
    pub gives: Option<StreamContent>,
}

impl Spec {
    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|o| o.name == name)
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// Exceptions from the connector's own rules that are set, by their fields' names.
    pub fn exceptions<'a>(&self, settings: &'a BTreeMap<String, String>) -> BTreeMap<&'static str, &'a str> {
        let exceptions = self.fields.iter().filter(|field| matches!(field.kind, FieldKind::Exception(_)));
        exceptions.filter_map(|field| Some((field.name, settings.get(field.name)?.as_str()))).collect()
    }

    /// The declaration as JSON, for `lockgate connector doc --json` and forms.
    pub fn to_json(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(field_json).collect();
        let operations: Vec<Value> = self.operations.iter().map(operation_json).collect();
        json!({
            "name": self.name,
            "help": self.help,
            "address": {"scheme": self.address.scheme.name, "port": self.address.scheme.port,
                        "path": self.address.path, "example": self.address.example},
            "identities": self.identities.iter().map(|i| i.as_str()).collect::<Vec<_>>(),
            "fields": fields,
            "operations": operations,
        })
    }
}

fn field_json(field: &Field) -> Value {
    let kind = match field.kind {
        FieldKind::Text => json!({"type": "text"}),
        FieldKind::Integer { min, max } => json!({"type": "integer", "min": min, "max": max}),
        FieldKind::Choice(values) => json!({"type": "choice", "values": values}),
        FieldKind::Exception(names) => json!({"type": "exception", "values": names}),
        FieldKind::HostPort => json!({"type": "host-port"}),
        FieldKind::Secret => json!({"type": "secret"}),
    };
    json!({
        "name": field.name,
        "help": field.help,
        "kind": kind,
        "required": field.required,
        "default": field.default,
        "when": field.when.map(|when| json!({"field": when.name, "values": when.values, "required": when.required})),
        "together_with": field.together_with,
        "instead_of": field.instead_of,
    })
}

fn operation_json(operation: &Operation) -> Value {
    json!({
        "name": operation.name,
        "version": operation.version,
        "idempotent": operation.idempotent,
        "keyed": operation.keyed,
        "help": operation.help,
        "constant": operation.constant,
        "input": schema_json(operation.input),
        "output": schema_json(operation.output),
        "takes": operation.takes,
        "gives": operation.gives.map(content_name),
    })
}

pub(super) fn content_name(content: StreamContent) -> &'static str {
    match content {
        StreamContent::Bytes => "bytes",
        StreamContent::Records => "records",
    }
}

/// A schema is fixed text; one that is no JSON is shown as the text it is, and the contract suite
/// refuses the connector.
fn schema_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests;
