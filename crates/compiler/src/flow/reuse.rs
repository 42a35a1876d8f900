//! `use`: what a flow defines once, under a name, and what refers to it.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Diagnostic;

use super::authentication;
use super::errors::error;
use super::formula::Place;
use super::length::timeout;
use super::retry::policy;
use super::task::not_yet;
use crate::reader::{Reader, find, list, nearest};

/// What the flow defines for reuse.
#[derive(Default)]
pub(super) struct Reusable<'n> {
    /// `use.errors`
    pub errors: &'n [(Key, Node)],
    /// `use.retries`
    pub retries: &'n [(Key, Node)],
    /// `use.timeouts`
    pub timeouts: &'n [(Key, Node)],
    /// `use.functions`
    pub functions: &'n [(Key, Node)],
    /// `use.authentications`
    pub authentications: &'n [(Key, Node)],
    /// `use.secrets`: their names.
    pub secrets: Vec<String>,
}

/// Reads `use`.
pub(super) fn reusable<'n>(reader: &mut Reader<'_>, node: Option<&'n Node>) -> Reusable<'n> {
    const NOT_YET: &[&str] = &["extensions", "catalogs"];
    const KEYS: &[&str] = &["errors", "retries", "timeouts", "functions", "authentications", "secrets"];
    let mut reusable = Reusable::default();
    let Some(node) = node else { return reusable };
    let Some(entries) = reader.object_with(node, "`use`", KEYS, NOT_YET) else {
        return reusable;
    };
    for (key, value) in entries {
        match key.text.as_str() {
            "errors" => {
                reusable.errors = reader.object(value, "`use.errors`").unwrap_or_default();
                for (_, value) in reusable.errors {
                    error(reader, value);
                }
            }
            "retries" => {
                reusable.retries = reader.object(value, "`use.retries`").unwrap_or_default();
                for (_, value) in reusable.retries {
                    policy(reader, value);
                }
            }
            "timeouts" => {
                reusable.timeouts = reader.object(value, "`use.timeouts`").unwrap_or_default();
                for (_, value) in reusable.timeouts {
                    timeout(reader, value, Place::Task);
                }
            }
            "functions" => reusable.functions = reader.object(value, "`use.functions`").unwrap_or_default(),
            "secrets" => reusable.secrets = authentication::secrets(reader, value),
            "authentications" => {
                reusable.authentications = reader.object(value, "`use.authentications`").unwrap_or_default();
            }
            known if NOT_YET.contains(&known) => not_yet(reader, key, &format!("`use.{known}`"), ""),
            _ => {}
        }
    }
    authentication::policies(reader, reusable.authentications, &reusable.secrets);
    reusable
}

/// Reads what stands at a place itself, or what it names of `defined`: those definitions, what one of them is,
/// and where they stand.
pub(super) fn own_or_reused<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    (defined, what, place): (&[(Key, Node)], &str, &str),
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> Option<T> {
    let Some(name) = node.as_text() else { return read(reader, node) };
    if let Some(defined) = find(defined, name) {
        // Its own problems are reported where it is defined.
        return read(&mut reader.silent(), defined);
    }
    let known = defined.iter().map(|(key, _)| key.text.as_str());
    let help = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("defined under `{place}`: {}", list(known)),
    };
    let message = format!("there is no {what} `{name}`");
    reader.refuse(Diagnostic::new("LG-FLOW-REFERENCE", node.span, message).help(help).token(name));
    None
}
