//! `project.yaml`: id, title and account declarations.
//!
//! ```yaml
//! project: order-to-erp
//! title: Orders to the ERP
//! accounts:
//!   erp: { connector: https, operations: [post] }
//! ```

use std::collections::BTreeMap;

use lockgate_mapping::yaml::Node;
use lockgate_model::id::{AccountName, ProjectId};
use lockgate_model::{Digest, Span};

use super::sources::Catalog;
use crate::reader::{Reader, find, list, nearest};

/// An account that a project uses, by a name of its own; an environment binds it to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The connector it goes through.
    pub connector: String,
    /// Operations that the project's flows may call on it.
    pub operations: Vec<String>,
    /// Places in project.yaml, for problems: the connector, then the operations.
    pub(super) spans: Vec<Span>,
}

impl Declaration {
    /// Digest of what it says.
    pub(super) fn digest(&self) -> Digest {
        let mut operations: Vec<&str> = self.operations.iter().map(String::as_str).collect();
        operations.sort_unstable();
        Digest::of_parts(std::iter::once(self.connector.as_bytes()).chain(operations.iter().map(|o| o.as_bytes())))
    }
}

/// The whole file.
#[derive(Debug, Clone, Default)]
pub(super) struct ProjectFile {
    pub id: Option<ProjectId>,
    pub title: Option<String>,
    pub accounts: BTreeMap<AccountName, Declaration>,
    /// Declarations under names that are none: the problem is recorded.
    pub misnamed: Vec<Declaration>,
    /// The file, or its `accounts`, could not be read: nothing is known of what it declares.
    pub unread: bool,
}

/// Reads `project.yaml`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> ProjectFile {
    let mut file = ProjectFile::default();
    let Some(entries) = reader.object_of(node, "project.yaml", &super::PROJECT_KEYS) else {
        file.unread = true;
        return file;
    };
    if let Some(node) = reader.required(entries, "project", "project.yaml", node.span)
        && let Some(text) = reader.string(node, "`project`")
    {
        match ProjectId::parse(text) {
            Ok(id) => file.id = Some(id),
            Err(invalid) => reader.problem("LG-PROJECT-VALUE", node.span, invalid.to_string()),
        }
    }
    file.title = find(entries, "title").and_then(|node| reader.string(node, "`title`")).map(str::to_owned);
    let Some(node) = find(entries, "accounts") else { return file };
    let Some(accounts) = reader.object(node, "`accounts`") else {
        file.unread = true;
        return file;
    };
    for (key, node) in accounts {
        let declaration = declaration(reader, &key.text, node, key.span);
        match AccountName::parse(&key.text) {
            Ok(name) => {
                file.accounts.insert(name, declaration);
            }
            Err(invalid) => {
                reader.problem("LG-PROJECT-VALUE", key.span, invalid.to_string());
                file.misnamed.push(declaration);
            }
        }
    }
    file
}

/// Reads one declaration; what is missing or wrong in it stays empty.
fn declaration(reader: &mut Reader<'_>, name: &str, node: &Node, at: Span) -> Declaration {
    let what = format!("account `{name}`");
    let mut declaration = Declaration { connector: String::new(), operations: Vec::new(), spans: vec![at] };
    let Some(entries) = reader.object(node, &what) else { return declaration };
    for (key, _) in entries {
        match key.text.as_str() {
            "connector" | "operations" => {}
            "address" | "identity" | "secrets" | "settings" => reader.problem_help(
                "LG-PROJECT-VALUE",
                key.span,
                format!("{what} has `{}`, which belongs to its binding", key.text),
                "a project only names what it uses; each environment binds it: `lockgate account set`",
            ),
            _ => reader.unknown_key(key, &what, &["connector", "operations"]),
        }
    }
    let connector = reader.required(entries, "connector", &what, at);
    let operations = reader.required(entries, "operations", &what, at);
    if let Some(node) = connector
        && let Some(connector) = reader.string(node, "`connector`")
    {
        connector.clone_into(&mut declaration.connector);
        declaration.spans = vec![node.span];
    }
    let operations = operations.and_then(|node| reader.array(node, "`operations`"));
    let Some(operations) = operations else { return declaration };
    if operations.is_empty() {
        reader.problem("LG-PROJECT-VALUE", at, format!("{what} uses no operation"));
    }
    for node in operations {
        let Some(operation) = reader.string(node, "an operation") else { continue };
        if declaration.operations.iter().any(|known| known == operation) {
            reader.problem("LG-PROJECT-VALUE", node.span, format!("`{operation}` stands here twice"));
        }
        declaration.operations.push(operation.to_owned());
        declaration.spans.push(node.span);
    }
    declaration
}

/// What the catalog does not have.
pub(super) fn check<'d>(
    reader: &mut Reader<'_>,
    declarations: impl IntoIterator<Item = &'d Declaration>,
    catalog: &Catalog,
) {
    for declaration in declarations {
        if declaration.connector.is_empty() {
            continue;
        }
        let mut spans = declaration.spans.iter().copied();
        let at = spans.next().unwrap_or_default();
        let Some(operations) = catalog.connectors.get(&declaration.connector) else {
            let known = catalog.connectors.keys().map(String::as_str);
            let help = match nearest(&declaration.connector, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("installed: {}", list(known)),
            };
            let message = format!("there is no connector `{}`", declaration.connector);
            reader.problem_help("LG-UNKNOWN-CONNECTOR", at, message, help);
            continue;
        };
        for (operation, span) in declaration.operations.iter().zip(spans) {
            if !operations.contains_key(operation) {
                let known = operations.keys().map(String::as_str);
                let help = match nearest(operation, known.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", list(known)),
                };
                let message = format!("connector `{}` has no operation `{operation}`", declaration.connector);
                reader.problem_help("LG-UNKNOWN-OPERATION", span, message, help);
            }
        }
    }
}
