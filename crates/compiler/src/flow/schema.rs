//! JSON Schemas of inputs, outputs and exports, read where they stand so that what is wrong with them is told
//! there. One that stands elsewhere, and what a schema refers to, becomes part of the flow.
//!
//! Deliberately absent: fetching. What stands elsewhere is locked.

use lockgate_document::{
    Document,
    schema::{Schema, SchemaPlace, SchemaProblem},
};
use lockgate_mapping::yaml::Node;
use lockgate_model::{Diagnostic, Limits, Span};

use super::resource::{resource, tell};
use crate::documents::bundle::{Broken, Bundle, bundle};
use crate::documents::{Documents, Named, Refusal};
use crate::reader::{Reader, find};
use crate::types::shown;

/// Regular expressions of all schemas of a flow: each may take 1 MiB.
pub(super) const PATTERNS_MAX: usize = 128;
/// Problems of one document that are told.
const TOLD_MAX: usize = 5;

/// Reads a `schema`: its document as JSON, and how many regular expressions it has.
pub(super) fn schema(reader: &mut Reader<'_>, node: &Node, documents: &Documents<'_>) -> Option<(String, usize)> {
    let entries = reader.object_of(node, "`schema`", &["format", "document", "resource"])?;
    if let Some(format) = find(entries, "format")
        && let Some(text) = reader.string(format, "`schema.format`")
        && !matches!(text, "json" | "json:2020-12" | "json:draft-07")
    {
        let message = format!("schemas of the format `{text}` are not read here");
        reader.problem_help("LG-FLOW-VALUE", format.span, message, "write a JSON Schema: `format: json`");
    }
    match (find(entries, "document"), find(entries, "resource")) {
        (Some(document), None) => inline(reader, document, documents),
        (None, Some(node)) => elsewhere(reader, node, documents),
        (Some(_), Some(resource)) => {
            let help = "keep one of them";
            reader.problem_help("LG-FLOW-VALUE", resource.span, "a schema has a `document` or a `resource`", help);
            None
        }
        (None, None) => {
            reader.required(entries, "document", "`schema`", node.span);
            None
        }
    }
}

fn inline(reader: &mut Reader<'_>, document: &Node, documents: &Documents<'_>) -> Option<(String, usize)> {
    let named = reader.named(document.span);
    let bundle = bundled(reader, documents, ("", document, ""), &named)?;
    // What is wrong with the YAML itself is told already.
    let parsed = Document::parse(bundle.json.as_bytes(), &Limits::default()).ok()?;
    match Schema::from_json(parsed.root()) {
        Ok(schema) => Some((bundle.json, schema.patterns())),
        Err(found) => {
            for problem in found {
                if let Some(refusal) = foreign(documents, &bundle, &problem) {
                    tell(reader, &named, refusal);
                    continue;
                }
                let problem = shown(problem, "", Some(document));
                let span = Span::new(
                    (problem.span.start as usize).max(document.span.start as usize),
                    problem.span.end as usize,
                );
                reader.refuse(Diagnostic { span, file: String::new(), ..problem });
            }
            None
        }
    }
}

/// A schema under `resource`.
fn elsewhere(reader: &mut Reader<'_>, node: &Node, documents: &Documents<'_>) -> Option<(String, usize)> {
    let (text, span) = resource(reader, node, "`schema.resource`")?;
    let named = reader.named(span);
    let (document, fragment) = text.split_once('#').unwrap_or((text, ""));
    let at = documents.find("", document, &named).and_then(|(at, document)| documents.tree(at, document));
    let at = match at {
        Ok(at) => at,
        Err(refusal) => {
            tell(reader, &named, refusal);
            return None;
        }
    };
    let bundle = bundled(reader, documents, (at.location, at.node, fragment), &named)?;
    if let Err(refusal) = documents.charge(bundle.json.len()) {
        tell(reader, &named, refusal);
        return None;
    }
    let parsed = match Document::parse(bundle.json.as_bytes(), &Limits::default()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = format!("`{}` cannot be read: {}", at.location, error.message());
            tell(reader, &named, Refusal::new("LG-IMPORT-DOCUMENT", message, "split the schema"));
            return None;
        }
    };
    match Schema::from_json(parsed.root()) {
        Ok(schema) => Some((bundle.json, schema.patterns())),
        Err(found) => {
            for problem in found.into_iter().take(TOLD_MAX) {
                let refusal = foreign(documents, &bundle, &problem).unwrap_or_else(|| {
                    let pointer = match &problem.place {
                        SchemaPlace::Pointer(pointer) => pointer.as_str(),
                        SchemaPlace::Bytes { .. } => "",
                    };
                    placed(documents, at.location, pointer, &problem)
                });
                tell(reader, &named, refusal);
            }
            None
        }
    }
}

/// The schema with what it refers to.
fn bundled(
    reader: &mut Reader<'_>,
    documents: &Documents<'_>,
    (location, root, pointer): (&str, &Node, &str),
    named: &Named,
) -> Option<Bundle> {
    match bundle(documents, (location, root, pointer), named) {
        Ok(bundle) => Some(bundle),
        Err(broken) => {
            for Broken { location, span, refusal } in broken.into_iter().take(TOLD_MAX) {
                // In the flow itself there is a place to show.
                let span = if location.is_empty() { span } else { named.span };
                reader.problem_help(refusal.code, span, refusal.message, refusal.help);
            }
            None
        }
    }
}

/// A problem of a part of another document, where that is.
fn foreign(documents: &Documents<'_>, bundle: &Bundle, problem: &SchemaProblem) -> Option<Refusal> {
    let (location, pointer) = bundle.at(problem)?;
    Some(placed(documents, location, &pointer, problem))
}

/// A problem at a pointer of a document.
fn placed(documents: &Documents<'_>, location: &str, pointer: &str, problem: &SchemaProblem) -> Refusal {
    let at = documents.at(location);
    let line = at.and_then(|at| Some(at.to(documents.pointed(at.node, pointer)?).line()));
    let line = line.map_or(String::new(), |line| format!(" (line {line} of `{location}`)"));
    Refusal::new(problem.code, format!("{}{line}", problem.message), problem.help.clone())
}
