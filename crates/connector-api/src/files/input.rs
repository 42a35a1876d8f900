//! A call's input, read and refused before anything is sent.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use lockgate_document::{Builder, Kind as Is, Node};
use lockgate_model::{Limits, duration::iso8601};

use super::output::Parse;
use crate::{Body, Error, Kind};

/// Entries of one listing, where the call names no number.
const ENTRIES: usize = 1000;
/// And at most.
const ENTRIES_MAX: usize = 100_000;

/// The longest time for which a file is watched.
const STABLE_MAX: Duration = Duration::from_secs(3600);

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exists {
    /// It stays and the call fails.
    Refuse,
    /// It is replaced.
    Replace,
}

/// How a content is represented on its way (RFC 959 §3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// Byte by byte.
    Binary,
    /// Lines, whose ends are translated.
    Ascii,
}

/// A misspelt key would silently do nothing, so it is refused.
pub fn known_keys(input: Node<'_>, known: &[&str]) -> Result<(), Error> {
    if !matches!(input.kind(), Is::Object | Is::Undefined) {
        return Err(refused("the input must be an object"));
    }
    match input.entries().map(|(key, _)| key).find(|key| !known.contains(key)) {
        None => Ok(()),
        Some(key) => Err(refused("the input has a key that the operation does not know")
            .with_private(format!("`{}`", key.escape_debug()))),
    }
}

/// A path that must be there.
pub fn path<'a>(input: Node<'a>, key: &str) -> Result<&'a str, Error> {
    input
        .get(key)
        .as_str()
        .filter(|path| !path.is_empty())
        .ok_or_else(|| refused("a path is missing or no text").with_private(format!("`{key}`")))
}

/// A path that may be left out: the base then.
pub fn folder(input: Node<'_>) -> Result<&str, Error> {
    optional(input, "path").map(Option::unwrap_or_default)
}

/// `exists`: what becomes of a file that is there already.
pub fn exists(input: Node<'_>) -> Result<Exists, Error> {
    match optional(input, "exists")? {
        None | Some("refuse") => Ok(Exists::Refuse),
        Some("replace") => Ok(Exists::Replace),
        Some(_) => Err(refused("`exists` must be `refuse` or `replace`")),
    }
}

/// `temporary`: whether a content is written to another name first, and renamed when it is whole.
pub fn temporary(input: Node<'_>) -> Result<bool, Error> {
    let given = input.get("temporary");
    match given.kind() {
        Is::Undefined | Is::Null => Ok(true),
        _ => given.as_bool().ok_or_else(|| refused("`temporary` must be `true` or `false`")),
    }
}

/// `parse`: how a content is to be read.
pub fn parse(input: Node<'_>) -> Result<Parse, Error> {
    match optional(input, "parse")? {
        None => Ok(Parse::Auto),
        Some("json") => Ok(Parse::Json),
        Some("text") => Ok(Parse::Text),
        Some("base64" | "bytes") => Ok(Parse::Base64),
        Some(_) => Err(refused("`parse` must be `json`, `text`, `bytes` or `base64`")),
    }
}

/// `transfer`: how a content is represented on its way.
pub fn transfer(input: Node<'_>) -> Result<Transfer, Error> {
    match optional(input, "transfer")? {
        None | Some("binary") => Ok(Transfer::Binary),
        Some("ascii") => Ok(Transfer::Ascii),
        Some(_) => Err(refused("`transfer` must be `binary` or `ascii`")),
    }
}

/// `offset`: the byte at which to begin.
pub fn offset(input: Node<'_>, transfer: Transfer) -> Result<u64, Error> {
    let given = input.get("offset");
    if matches!(given.kind(), Is::Undefined | Is::Null) {
        return Ok(0);
    }
    let offset = given.as_i64().and_then(|offset| u64::try_from(offset).ok());
    match offset.ok_or_else(|| refused("`offset` must be a whole number of bytes"))? {
        1.. if transfer == Transfer::Ascii => {
            Err(refused("`offset` counts bytes, which `transfer: ascii` does not keep"))
        }
        offset => Ok(offset),
    }
}

/// `stable`: how long a file must stay the same.
pub fn stable(input: Node<'_>) -> Result<Option<Duration>, Error> {
    let Some(text) = optional(input, "stable")? else { return Ok(None) };
    let span = iso8601(text).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    // Servers tell times in whole seconds.
    let span = span.filter(|span| (Duration::from_secs(1)..=STABLE_MAX).contains(span));
    span.map(Some).ok_or_else(|| refused("`stable` must be a time from `PT1S` to `PT1H`"))
}

/// `pattern` of a listing, of names in the one folder.
pub fn pattern(input: Node<'_>) -> Result<Option<&str>, Error> {
    match optional(input, "pattern")? {
        Some(pattern) if pattern.len() > 256 => Err(refused("`pattern` is longer than 256 bytes")),
        Some(pattern) if pattern.contains('/') || pattern.contains("**") => {
            Err(refused("`pattern` is of names in one folder: no `/` and no `**`"))
        }
        pattern => Ok(pattern),
    }
}

/// `entries_max` of a listing.
pub fn entries_max(input: Node<'_>) -> Result<usize, Error> {
    let given = input.get("entries_max");
    if matches!(given.kind(), Is::Undefined | Is::Null) {
        return Ok(ENTRIES);
    }
    given
        .as_i64()
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| (1..=ENTRIES_MAX).contains(n))
        .ok_or_else(|| refused("`entries_max` must be a whole number from 1 to 100000"))
}

/// The content of a file: streamed, or in the input.
pub fn content(input: Node<'_>, stream: Option<Body>, limits: &Limits) -> Result<Body, Error> {
    let (body, base64) = (input.get("body"), input.get("body_base64"));
    let given = [stream.is_some(), !body.is_undefined(), !base64.is_undefined()];
    match given.iter().filter(|given| **given).count() {
        1 => {}
        0 => return Err(refused("there is no content: give `body`, `body_base64` or a streamed body")),
        _ => return Err(refused("more than one of `body`, `body_base64` and a streamed body is given")),
    }
    if let Some(stream) = stream {
        return Ok(stream);
    }
    if !base64.is_undefined() {
        let text = base64.as_str().ok_or_else(|| refused("`body_base64` must be a text"))?;
        return STANDARD.decode(text).map(Body::full).map_err(|_| refused("`body_base64` is no base64"));
    }
    match body.as_str() {
        Some(text) => Ok(Body::full(Bytes::copy_from_slice(text.as_bytes()))),
        None => print(body, limits).map(Body::full),
    }
}

fn print(body: Node<'_>, limits: &Limits) -> Result<Vec<u8>, Error> {
    let printed = || {
        let mut builder = Builder::new(limits);
        builder.value(body)?;
        builder.finish()?.print(limits.arena_bytes_max)
    };
    printed().map_err(|fault| refused("`body` cannot be written as JSON").with_private(fault.to_string()))
}

fn optional<'a>(input: Node<'a>, key: &'static str) -> Result<Option<&'a str>, Error> {
    let given = input.get(key);
    match given.kind() {
        Is::Undefined | Is::Null => Ok(None),
        Is::String => Ok(given.as_str()),
        _ => Err(refused("a key of the input must be a text").with_private(format!("`{key}`"))),
    }
}

fn refused(text: &'static str) -> Error {
    Error::new(Kind::Input, "file-input", text)
}
