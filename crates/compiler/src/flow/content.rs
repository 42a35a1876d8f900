//! What bytes mean, under `parse` and `format` of a call: a format by its name, `csv`, or with what describes it:
//! `{ csv: { delimiter: ';' } }`, `{ fixed: documents/statement.yaml }`.

use lockgate_document::{Document, formats};
use lockgate_mapping::yaml::Node;
use lockgate_model::{Limits, manifest::ContentFormat};

use super::resource::tell;
use super::tree::Content;
use crate::described;
use crate::documents::{Documents, Refusal};
use crate::reader::{Reader, list};

/// Names a format of content, and not something that a connector knows by itself?
pub(super) fn is_format(node: &Node) -> bool {
    node.as_text().is_none_or(|text| formats::Content::NAMES.contains(&text))
}

/// Reads it; `what` names it in problems.
pub(super) fn content(reader: &mut Reader<'_>, node: &Node, what: &str, documents: &Documents<'_>) -> Option<Content> {
    let (name, description) = match (node.as_text(), node.entries()) {
        (Some(name), _) => (name, None),
        (None, Some([(key, description)])) => (key.text.as_str(), Some(description)),
        _ => {
            reader.problem_help("LG-FLOW-VALUE", node.span, format!("{what} is one format"), help());
            return None;
        }
    };
    if !formats::Content::NAMES.contains(&name) {
        reader.problem_help("LG-FLOW-VALUE", node.span, format!("there is no format `{name}`"), help());
        return None;
    }
    let Some(path) = description.and_then(Node::as_text) else {
        return described(reader, node, name, description, None);
    };
    let named = reader.named(description.map_or(node.span, |description| description.span));
    match documents.find("", path, &named).and_then(|(at, document)| documents.tree(at, document)) {
        Ok(at) => described(reader, node, name, Some(at.node), Some(path)),
        Err(refusal) => {
            tell(reader, &named, refusal);
            None
        }
    }
}

/// The format by its description, which stands in the flow or in a file.
fn described(
    reader: &mut Reader<'_>,
    node: &Node,
    name: &str,
    description: Option<&Node>,
    file: Option<&str>,
) -> Option<Content> {
    let text = description.map(Node::to_json);
    let value = match &text {
        Some(text) => Document::parse(text.as_bytes(), &Limits::default()).ok()?,
        None => Document::undefined(),
    };
    let problems = match formats::Content::read(name, value.root())? {
        Ok(content) => {
            let records = content.has_records();
            return Some(Content {
                format: ContentFormat { name: name.to_owned(), description: text },
                span: node.span,
                records,
            });
        }
        Err(problems) => problems,
    };
    for problem in &problems.0 {
        let told = described::diagnostic(description.unwrap_or(node), problem);
        match file {
            None => reader.refuse(told),
            Some(file) => {
                let named = reader.named(node.span);
                let message = format!("`{file}`: {}", told.message);
                let help =
                    told.help.unwrap_or_else(|| format!("docs/formats has what a description of {name} may say"));
                tell(reader, &named, Refusal::new("LG-FORMAT", message, help));
            }
        }
    }
    None
}

fn help() -> String {
    format!(
        "one of {}, or one of them with its description, as `{{ csv: {{ delimiter: ';' }} }}`",
        list(formats::Content::NAMES)
    )
}
