//! `use.secrets` and `use.authentications`: what a flow may say about credentials, which is never a credential.
//!
//! A policy names its scheme and a secret by name. It is a demand: the account that covers the call must present this
//! scheme in its environment, where its binding holds the secret. Whatever would be a credential is refused; a password
//! that an expression takes out of the run's data is none of the flow's.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Diagnostic;

use super::formula::{Place, template};
use super::reuse::{Reusable, own_or_reused};
use super::tree::Template;
use crate::reader::{Reader, find, list, nearest};

/// Schemes of the standard, and what an https account presents for them. OpenID Connect is OAuth 2 to a client that
/// signs in for itself (OpenID Connect Core 1.0 §1).
const SCHEMES: [(&str, &str); 5] =
    [("basic", "basic"), ("bearer", "bearer"), ("digest", "digest"), ("oauth2", "oauth2"), ("oidc", "oauth2")];

/// Who signs in.
enum SignsIn {
    /// The account, by this scheme.
    Account(&'static str),
    /// The call, with a user and password out of its data.
    Data(Template),
}

/// Reads `use.secrets`: names.
pub(super) fn secrets(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let items = reader.array(node, "`use.secrets`").unwrap_or_default();
    items.iter().filter_map(|item| reader.string(item, "a secret's name").map(str::to_owned)).collect()
}

/// Checks `use.authentications`.
pub(super) fn policies(reader: &mut Reader<'_>, policies: &[(Key, Node)], secrets: &[String]) {
    for (_, node) in policies {
        policy(reader, node, secrets);
    }
}

/// Reads the `authentication` of a call: a policy, or the name of one. Gives the scheme that the account must
/// present, or the user and password that the call brings out of its data.
pub(super) fn authentication(
    reader: &mut Reader<'_>,
    node: Option<&Node>,
    reusable: &Reusable<'_>,
) -> (Option<&'static str>, Option<Template>) {
    let Some(node) = node else { return (None, None) };
    let named = node.entries().and_then(|entries| find(entries, "use"));
    if named.is_some() {
        for (key, _) in node.entries().unwrap_or_default().iter().filter(|(key, _)| key.text != "use") {
            let help = "an authentication is the name of one under `use.authentications`, or a policy of its own";
            reader.problem_help("LG-FLOW-REFUSED", key.span, format!("`{}` stands beside `use`", key.text), help);
        }
    }
    let defined = (reusable.authentications, "authentication", "use.authentications");
    let read = |reader: &mut Reader<'_>, node: &Node| policy(reader, node, &reusable.secrets);
    match own_or_reused(reader, named.unwrap_or(node), defined, read) {
        Some(SignsIn::Account(scheme)) => (Some(scheme), None),
        Some(SignsIn::Data(basic)) => (None, Some(basic)),
        None => (None, None),
    }
}

fn policy(reader: &mut Reader<'_>, node: &Node, secrets: &[String]) -> Option<SignsIn> {
    let entries = reader.object_of(node, "an authentication", &SCHEMES.map(|(name, _)| name))?;
    let [(key, value)] = entries else {
        reader.problem(
            "LG-FLOW-VALUE",
            node.span,
            format!("an authentication names one of {}", list(SCHEMES.iter().map(|(name, _)| *name))),
        );
        return None;
    };
    let fields = reader.object(value, &format!("`{}`", key.text))?;
    if key.text == "basic"
        && let Some(password) = find(fields, "password")
        && find(fields, "use").is_none()
        && password.as_text().is_some_and(|text| text.trim_start().starts_with("${"))
    {
        return from_data(reader, value);
    }
    for (field, _) in fields.iter().filter(|(field, _)| field.text != "use") {
        reader.problem_help(
            "LG-FLOW-REFUSED",
            field.span,
            "credentials in a flow are refused",
            format!(
                "write `{}: {{ use: NAME }}` with a name under `use.secrets`; the account's binding holds the secret",
                key.text
            ),
        );
    }
    let secret = match find(fields, "use") {
        Some(secret) => secret,
        // What stands in its place is told already.
        None if !fields.is_empty() => return None,
        None => reader.required(fields, "use", &format!("`{}`", key.text), value.span)?,
    };
    let name = reader.string(secret, "`use`")?;
    if !secrets.iter().any(|known| known == name) {
        let known = secrets.iter().map(String::as_str);
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name it under `use.secrets`: [{name}]"),
        };
        let problem = Diagnostic::new("LG-FLOW-REFERENCE", secret.span, format!("there is no secret `{name}`"));
        reader.refuse(problem.help(help).token(name));
    }
    SCHEMES.iter().find(|(name, _)| *name == key.text).map(|(_, presented)| SignsIn::Account(presented))
}

/// A user and a password that the run was given.
fn from_data(reader: &mut Reader<'_>, node: &Node) -> Option<SignsIn> {
    let entries = reader.object_of(node, "`basic`", &["username", "password"])?;
    for key in ["username", "password"] {
        let value = reader.required(entries, key, "`basic`", node.span)?;
        reader.string(value, &format!("`{key}`"))?;
    }
    Some(SignsIn::Data(template(reader, node, Place::Task)))
}
