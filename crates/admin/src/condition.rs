//! Entity tags (RFC 9110 §8.8.3) and the conditions that name them (§13.1). A thing's tag is the revision that
//! wrote it, in quotes: equal tags mean equal bodies.

use axum::{
    Json,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use lockgate_model::definition::Revision;
use lockgate_runtime::{Condition, Named};
use serde::Serialize;

/// What a change is to hold of. A condition that cannot be read does not hold: nothing is changed by mistake.
pub(crate) struct Conditions(pub(crate) Condition);

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let read = |name, otherwise| {
            let told = parts.headers.contains_key(&name);
            told.then(|| named(&parts.headers, &name, name == header::IF_MATCH).unwrap_or(otherwise))
        };
        let at = read(header::IF_MATCH, Named::These(Vec::new()));
        Ok(Self(Condition { at, not_at: read(header::IF_NONE_MATCH, Named::Any) }))
    }
}

/// What of a thing the asker has already. What cannot be read is nothing.
pub(crate) struct Known(Option<Named>);

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(named(&parts.headers, &header::IF_NONE_MATCH, false)))
    }
}

impl Known {
    /// A thing with its tag; 304 without it for who has it.
    pub(crate) fn answer(&self, revision: Revision, thing: impl Serialize) -> Response {
        let known = self.0.as_ref().is_some_and(|named| named.has(revision));
        let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { Json(thing).into_response() };
        if let Ok(tag) = HeaderValue::try_from(format!("\"{revision}\"")) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// The tags of a header: those that are no revision of ours name nothing. `None`: it cannot be read. Compared
/// strongly, a weak tag names nothing either (§8.8.3.2).
fn named(headers: &HeaderMap, name: &HeaderName, strong: bool) -> Option<Named> {
    let lines: Option<Vec<&str>> = headers.get_all(name).iter().map(|line| line.to_str().ok()).collect();
    let text = lines?.join(",");
    if text.trim() == "*" {
        return Some(Named::Any);
    }
    // Empty elements of a list say nothing (§5.6.1.2).
    let between = |of: char| of.is_whitespace() || of == ',';
    let mut rest = text.trim_start_matches(between);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (weak, opened) = rest.strip_prefix("W/").map_or((false, rest), |rest| (true, rest));
        let (tag, behind) = opened.strip_prefix('"')?.split_once('"')?;
        if !(weak && strong) {
            found.extend(tag.parse().ok().filter(|number: &u64| number.to_string() == tag).map(Revision));
        }
        rest = behind.trim_start_matches(between);
        if !rest.is_empty() && !behind.trim_start().starts_with(',') {
            return None;
        }
    }
    (!text.trim_matches(between).is_empty()).then_some(Named::These(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_the_standard_writes_them() {
        let these = |all: &[u64]| Some(Named::These(all.iter().map(|one| Revision(*one)).collect()));
        for (lines, strong, weak) in [
            (&["*"][..], Some(Named::Any), Some(Named::Any)),
            (&["\"7\""], these(&[7]), these(&[7])),
            (&["\"7\", \"8\"", "\"9\""], these(&[7, 8, 9]), these(&[7, 8, 9])),
            (&["W/\"7\",\"8\""], these(&[8]), these(&[7, 8])),
            (&["\"a,b\", \"8\""], these(&[8]), these(&[8])),
            (&["\"07\""], these(&[]), these(&[])),
            (&[", \"7\" ,, \"8\",", ","], these(&[7, 8]), these(&[7, 8])),
            (&[" , ,"], None, None),
            (&["7"], None, None),
            (&["\"7"], None, None),
            (&["\"7\" \"8\""], None, None),
            (&["*, \"7\""], None, None),
            (&[""], None, None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::IF_MATCH, HeaderValue::from_static(line));
            }
            let read = |strong| named(&headers, &header::IF_MATCH, strong);
            assert_eq!((read(true), read(false)), (strong, weak), "{lines:?}");
        }
    }
}
