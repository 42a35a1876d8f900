//! Documents that stand elsewhere: `{ endpoint: … }`, a literal https address or a path within the project.

use lockgate_mapping::yaml::Node;
use lockgate_model::Span;

use crate::documents::{Named, Refusal};
use crate::reader::{Reader, find};

/// Reads an external resource: what it names, and where that is written.
pub(super) fn resource<'n>(reader: &mut Reader<'_>, node: &'n Node, what: &str) -> Option<(&'n str, Span)> {
    let entries = reader.object_of(node, what, &["endpoint", "name"])?;
    let endpoint = reader.required(entries, "endpoint", what, node.span)?;
    let uri = match endpoint.entries() {
        Some(entries) => {
            reader.object_with(endpoint, "`endpoint`", &["uri"], &["authentication"]);
            if let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "authentication") {
                reader.problem_help(
                    "LG-FLOW-REFUSED",
                    key.span,
                    "documents are fetched without credentials",
                    "put a copy of the document into documents/, and name it by its path",
                );
            }
            reader.required(entries, "uri", "`endpoint`", endpoint.span)?
        }
        None => endpoint,
    };
    let text = reader.string(uri, "the endpoint")?;
    if text.contains("${") || text.contains('{') {
        reader.problem_help(
            "LG-IMPORT-ADDRESS",
            uri.span,
            "the address of a document cannot be computed",
            "it is fetched once, by `lockgate build`: write it out",
        );
        return None;
    }
    find(entries, "name").and_then(|name| reader.string(name, "`name`"));
    Some((text, uri.span))
}

/// Tells why there is no document, or what is wrong in it, where it is named.
pub(super) fn tell(reader: &mut Reader<'_>, named: &Named, refusal: Refusal) {
    reader.problem_help(refusal.code, named.span, refusal.message, refusal.help);
}
