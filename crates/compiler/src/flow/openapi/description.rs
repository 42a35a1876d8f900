//! A description of an API, and the operation of it that a call names: OpenAPI 3.0 and 3.1, Swagger 2.0.
//!
//! Each description is searched once for all of its calls. A `$ref` is followed within the document and into other
//! documents that are locked; one that leads back to itself ends after [`REFS_MAX`] steps.

use std::collections::BTreeMap;

use lockgate_mapping::yaml::Node;

use crate::documents::{At, Documents, Named, Refusal};
use crate::reader::{list, nearest};

/// References from one place to another, until a value is there.
const REFS_MAX: usize = 32;
/// Operations of one description.
const OPERATIONS_MAX: usize = 10_000;
/// Operations among which a misspelt one is looked for.
const NEAR_MAX: usize = 2_000;
/// What the https connector can send; `trace` is what it cannot.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// Which language a description is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Swagger 2.0
    Swagger,
    /// OpenAPI 3.0 and 3.1
    OpenApi,
}

/// The operations of a description.
#[derive(Debug)]
pub(crate) struct Index {
    dialect: Dialect,
    /// `operationId` to the number of the path and the method of each that is called so.
    operations: BTreeMap<String, Vec<(usize, &'static str)>>,
    /// Why a path could not be followed, of the first such.
    lost: Option<Refusal>,
}

/// An operation where it is described.
pub(super) struct Described<'d> {
    pub dialect: Dialect,
    pub method: &'static str,
    /// Its path as a template: `/pets/{petId}`.
    pub path: String,
    /// The whole description.
    pub root: At<'d>,
    /// The path's item.
    pub item: At<'d>,
    /// The operation.
    pub operation: At<'d>,
}

/// What is not there, or cannot be used.
pub(super) enum Unfound {
    Document(Refusal),
    Operation(Refusal),
}

impl From<Refusal> for Unfound {
    fn from(refusal: Refusal) -> Self {
        Unfound::Document(refusal)
    }
}

/// The operation of an id, in the document that is written.
pub(super) fn find<'d>(
    documents: &'d Documents<'_>,
    written: &str,
    id: &str,
    named: &Named,
) -> Result<Described<'d>, Unfound> {
    let (location, document) = documents.find("", written, named)?;
    let root = documents.tree(location, document)?;
    let index = document.operations.get_or_init(|| index(documents, root, named));
    let index = index.as_ref().map_err(Refusal::clone)?;
    let Some(places) = index.operations.get(id) else {
        if let Some(lost) = &index.lost {
            return Err(Unfound::Document(lost.clone()));
        }
        let known = || index.operations.keys().map(String::as_str).take(NEAR_MAX);
        let help = match nearest(id, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", list(known().take(20))),
        };
        let message = format!("`{location}` has no operation `{id}`");
        return Err(Unfound::Operation(Refusal::new("LG-OPENAPI-OPERATION", message, help)));
    };
    let paths = root.node.get("paths").and_then(Node::entries).unwrap_or_default();
    let [(number, method)] = places.as_slice() else {
        let shown = |(number, method): &(usize, &str)| Some(format!("`{method} {}`", paths.get(*number)?.0.text));
        let all: Vec<String> = places.iter().take(5).filter_map(shown).collect();
        let message = format!("`{location}` has {} operations `{id}`: {}", places.len(), all.join(", "));
        let help = "an operationId is unique: write the call as `call: http`, or mend a copy in documents/";
        return Err(Unfound::Operation(Refusal::new("LG-OPENAPI-OPERATION", message, help)));
    };
    let lost = || root.refuse("LG-OPENAPI-DOCUMENT", "an operation cannot be found again", "see the description");
    let (path, item) = paths.get(*number).ok_or_else(lost)?;
    let item = follow(documents, root.to(item), named)?;
    let operation = item.to(item.node.get(method).ok_or_else(lost)?);
    Ok(Described { dialect: index.dialect, method, path: path.text.clone(), root, item, operation })
}

fn index<'d>(documents: &'d Documents<'_>, root: At<'d>, named: &Named) -> Result<Index, Refusal> {
    let version = |key: &str| {
        let scalar = root.node.get(key).and_then(Node::scalar);
        scalar.map(|scalar| scalar.text.as_str())
    };
    let dialect = match (version("swagger"), version("openapi")) {
        (Some("2.0"), _) => Dialect::Swagger,
        (_, Some(version)) if version.starts_with("3.0") || version.starts_with("3.1") => Dialect::OpenApi,
        _ => {
            let help = "its root says `openapi: 3.0.x`, `openapi: 3.1.x` or `swagger: '2.0'`";
            return Err(root.refuse("LG-OPENAPI-DOCUMENT", "this is no description of an API that is read", help));
        }
    };
    let mut operations: BTreeMap<String, Vec<(usize, &'static str)>> = BTreeMap::new();
    let (mut count, mut lost) = (0, None);
    let paths = root.node.get("paths").and_then(Node::entries).unwrap_or_default();
    for (number, (path, item)) in paths.iter().enumerate() {
        if !path.text.starts_with('/') {
            continue;
        }
        let item = match follow(documents, root.to(item), named) {
            Ok(item) => item,
            // The concern of who calls what is not found elsewhere.
            Err(refusal) => {
                lost = lost.or(Some(refusal));
                continue;
            }
        };
        for method in METHODS {
            let Some(operation) = item.node.get(method) else { continue };
            count += 1;
            if count > OPERATIONS_MAX {
                let message = format!("the description has more than {OPERATIONS_MAX} operations");
                return Err(root.refuse("LG-OPENAPI-DOCUMENT", message, "put the part that is called into documents/"));
            }
            if let Some(id) = operation.get("operationId").and_then(Node::as_text) {
                operations.entry(id.to_owned()).or_default().push((number, method));
            }
        }
    }
    Ok(Index { dialect, operations, lost })
}

/// The value that a place is, or refers to.
pub(super) fn follow<'d>(documents: &'d Documents<'_>, from: At<'d>, named: &Named) -> Result<At<'d>, Refusal> {
    let mut at = from;
    for _ in 0..REFS_MAX {
        let Some(written) = at.node.get("$ref").and_then(Node::as_text) else { return Ok(at) };
        let (document, fragment) = written.split_once('#').unwrap_or((written, ""));
        let to = match document {
            "" => documents.at(at.location),
            document => {
                let (location, document) = documents.find(at.location, document, named)?;
                Some(documents.tree(location, document)?)
            }
        };
        let to =
            to.and_then(|to| Some(to.to(documents.pointed(to.node, &lockgate_document::schema::decoded(fragment)?)?)));
        at = to.ok_or_else(|| at.refuse("LG-OPENAPI-DOCUMENT", documents.nowhere(written), MEND))?;
    }
    Err(from.refuse("LG-OPENAPI-DOCUMENT", format!("more than {REFS_MAX} references lead to each other here"), MEND))
}

/// What to do about a description that is wrong.
pub(super) const MEND: &str = "the description is wrong here: mend a copy in documents/, or write `call: http`";

impl At<'_> {
    /// A problem with this value, by its line.
    pub(super) fn refuse(self, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Refusal {
        let message = format!("{} (line {} of `{}`)", message.into(), self.line(), self.location);
        Refusal::new(code, message, help)
    }
}
