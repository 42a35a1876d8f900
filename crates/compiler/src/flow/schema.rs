//! JSON Schemas of inputs, outputs and exports, read where they stand so that what is wrong with them is told
//! there.
//!
//! Deliberately absent: fetching. A schema stands in the flow.

use lockgate_document::{Document, schema::Schema};
use lockgate_mapping::yaml::Node;
use lockgate_model::{Diagnostic, Limits, Span};

use super::task::not_yet;
use crate::reader::{Reader, find};
use crate::types::shown;

/// Regular expressions of all schemas of a flow: each may take 1 MiB.
pub(super) const PATTERNS_MAX: usize = 128;

/// Reads a `schema`: its document as JSON, and how many regular expressions it has.
pub(super) fn schema(reader: &mut Reader<'_>, node: &Node) -> Option<(String, usize)> {
    let entries = reader.object_with(node, "`schema`", &["format", "document"], &["resource"])?;
    if let Some(format) = find(entries, "format")
        && let Some(text) = reader.string(format, "`schema.format`")
        && text != "json"
    {
        let message = format!("schemas of the format `{text}` are not read here");
        reader.problem_help("LG-FLOW-VALUE", format.span, message, "write a JSON Schema: `format: json`");
    }
    if let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "resource") {
        not_yet(reader, key, "schemas that stand elsewhere", "put the schema under `document`");
        return None;
    }
    let document = reader.required(entries, "document", "`schema`", node.span)?;
    let json = document.to_json();
    // What is wrong with the YAML itself is told already.
    let parsed = Document::parse(json.as_bytes(), &Limits::default()).ok()?;
    match Schema::from_json(parsed.root()) {
        Ok(schema) => Some((json, schema.patterns())),
        Err(found) => {
            for problem in found {
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
