//! The path of an operation with the values of its parameters.

use std::collections::BTreeMap;

use lockgate_model::Span;

use super::description::{Described, MEND};
use crate::documents::Refusal;
use crate::flow::http;
use crate::flow::tree::{Piece, Template};

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 2_000;

/// Parameters of the path by name.
pub(super) type Parts = BTreeMap<String, Template>;

/// A path as it is sent, and as the manifest has it.
pub(super) struct Path {
    pub path: Template,
    pub detail: String,
}

/// The path of an operation below `base`.
pub(super) fn of(described: &Described<'_>, base: &str, parts: &Parts, span: Span) -> Result<Path, Refusal> {
    let whole = format!("{base}{}", described.path);
    let refuse = |message: String| described.operation.refuse("LG-OPENAPI-DOCUMENT", message, MEND);
    let is_dots = |segment: &str| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if whole.len() > PATH_BYTES_MAX {
        return Err(refuse(format!("the path has more than {PATH_BYTES_MAX} bytes")));
    }
    if whole.contains(['?', '#']) || whole.split('/').any(is_dots) || whole.chars().any(char::is_control) {
        return Err(refuse(format!("the path `{whole}` has a query, a fragment or a segment of dots")));
    }
    if pieces(&whole, parts).is_none() {
        let what = format!("the path `{whole}` has a parameter that is not described, or a brace that is none's");
        return Err(refuse(what));
    }
    if let Some(unused) = parts.keys().find(|name| !whole.contains(&format!("{{{name}}}"))) {
        return Err(refuse(format!("the path `{whole}` has no place for the parameter `{unused}`")));
    }
    let path = match whole.contains('{') {
        false => Template::Constant(http::json(&whole)),
        true if whole.contains("//") => {
            return Err(refuse(format!("the path `{whole}` has parameters, and an empty segment")));
        }
        true if http::is_text(&whole) => {
            let encoded = |piece| match piece {
                Piece::Value(value) => Piece::Value(Box::new(http::encoded(*value, span))),
                text => text,
            };
            Template::Text(pieces(&whole, parts).unwrap_or_default().into_iter().map(encoded).collect())
        }
        true => {
            let segments = whole.trim_start_matches('/').split('/');
            let segments = segments.map(|segment| match segment {
                plain if !plain.contains('{') => Template::Constant(http::json(plain)),
                _ => Template::Text(self::pieces(segment, parts).unwrap_or_default()),
            });
            Template::Array(segments.collect())
        }
    };
    let detail = whole.split_once('{').map_or_else(|| whole.clone(), |(fixed, _)| format!("{fixed}*"));
    Ok(Path { path, detail })
}

/// A text split at its parameters; none where one of them has no value.
fn pieces(text: &str, parts: &Parts) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if !before.is_empty() {
            out.push(Piece::Text(before.to_owned()));
        }
        out.push(Piece::Value(Box::new(parts.get(name)?.clone())));
        rest = after;
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest.to_owned()));
    }
    (!out.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('}')))).then_some(out)
}
