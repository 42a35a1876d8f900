//! A call's input becomes the message that is sent.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use lockgate_connector_api::{
    Address, Body, Call, Error,
    http::{Content, Request, Target, complete, header_value, push_key, push_trace},
};
use lockgate_document::{Kind as Is, Node};
use lockgate_soap::{Operation, mtom::Writer};

use crate::{
    failure::{input, value},
    security::{Along, Messages},
};

/// The content id of an attachment: the text `cid:attachment` is where it belongs.
const ATTACHMENT: &str = "attachment";
const ACCEPT: &str = "application/soap+xml, text/xml, multipart/related";
const KEYS: [&str; 8] = ["wsdl", "port", "operation", "input", "headers", "path", "attachment", "attachment_type"];

/// A message on its way.
pub(crate) struct Prepared {
    pub request: Request,
    /// Its id, which an answer names.
    pub message_id: Option<String>,
}

/// The message of a call.
///
/// # Errors
/// `Input` when the input breaks a rule; nothing was sent then.
pub(crate) fn of_call(
    messages: &Messages,
    address: &Address,
    operation: &Operation,
    repeatable: bool,
    call: Call,
) -> Result<Prepared, Error> {
    let given = call.input.root();
    if let Some((key, _)) = given.entries().find(|(key, _)| !KEYS.contains(key)) {
        let error = input("the input has a key that the operation does not know");
        return Err(error.with_private(format!("`{}`", key.escape_debug())));
    }
    if !matches!(given.get("headers").kind(), Is::Undefined | Is::Null | Is::Object) {
        return Err(input("`headers` must be an object"));
    }
    let target = target(address.base(), given.get("path"))?;
    // Whom the message is for is where it goes.
    let to = format!("{}{}", address.origin(), target.path_and_query());
    let attachment = attachment(given, call.body)?;
    if attachment.is_some() && messages.guards() {
        return Err(input(
            "an attachment cannot go along with a message that is signed or encrypted: it would be neither",
        ));
    }
    let ids: BTreeSet<String> = attachment.iter().map(|_| ATTACHMENT.to_owned()).collect();
    let Along { blocks, body_id, content_key, message_id } = messages.along(operation, &to)?;
    let message = lockgate_soap::Request {
        body: given.get("input"),
        headers: given.get("headers"),
        blocks: &blocks,
        body_id,
        attachments: &ids,
    };
    let envelope = operation.request(&message, &call.limits).map_err(|error| value(&error))?;
    let mut headers = HeaderMap::new();
    let content = match attachment {
        None => {
            push(&mut headers, operation.version.http_headers(&operation.action))?;
            let envelope = messages.sealed(envelope, content_key).map_err(|error| value(&error))?;
            Content::Full(envelope.into())
        }
        Some((content, media_type)) => {
            let boundary = lockgate_model::run::unique();
            let writer = Writer::new(&boundary, operation.version, &operation.action).map_err(|error| value(&error))?;
            push(&mut headers, writer.http_headers())?;
            let mut before = writer.envelope();
            before.extend(envelope);
            before.extend(writer.attachment(ATTACHMENT, &media_type).map_err(|error| value(&error))?);
            between(before, content, writer.end())
        }
    };
    headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
    if let Some(trace) = &call.trace {
        push_trace(&mut headers, trace)?;
    }
    if !repeatable {
        push_key(&mut headers, call.idempotency_key.as_deref())?;
    }
    complete(&mut headers);
    let repeatable = repeatable && matches!(content, Content::Full(_));
    let request = Request { method: Method::POST, target, headers, content, repeatable, follows: false };
    Ok(Prepared { request, message_id })
}

/// Below the account's address, with a query if there is one.
fn target(base: &str, path: Node<'_>) -> Result<Target, Error> {
    let path = match path.kind() {
        Is::Undefined | Is::Null => return Ok(Target::base(base)),
        _ => path.as_str().ok_or_else(|| input("`path` must be a text"))?,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.strip_prefix('/').unwrap_or(path);
    let whole = if path.is_empty() { base.to_owned() } else { format!("{base}/{path}") };
    let whole = if whole.is_empty() { "/".to_owned() } else { whole };
    Target::redirected(base, &whole, query).ok_or_else(|| input("`path` is no plain path with a query"))
}

/// The attachment and its media type.
fn attachment(given: Node<'_>, stream: Option<Body>) -> Result<Option<(Body, String)>, Error> {
    let (text, media_type) = (given.get("attachment"), given.get("attachment_type"));
    let content = match (stream, text.kind()) {
        (Some(stream), _) => stream,
        (None, Is::Undefined | Is::Null) if media_type.is_undefined() => return Ok(None),
        (None, Is::String) => Body::full(Bytes::copy_from_slice(text.as_str().unwrap_or_default().as_bytes())),
        (None, _) => return Err(input("`attachment` must be a stream or a text")),
    };
    let media_type = match media_type.kind() {
        Is::Undefined | Is::Null => "application/octet-stream",
        _ => media_type.as_str().ok_or_else(|| input("`attachment_type` must be a text"))?,
    };
    Ok(Some((content, media_type.to_owned())))
}

fn push(headers: &mut HeaderMap, given: Vec<(&'static str, String)>) -> Result<(), Error> {
    for (name, value) in given {
        headers.insert(HeaderName::from_static(name), header_value(&value)?);
    }
    Ok(())
}

/// A content between two pieces.
fn between(before: Vec<u8>, content: Body, after: Vec<u8>) -> Content {
    let around = (before.len() + after.len()) as u64;
    let length = content.length().map(|length| length.saturating_add(around));
    let piece = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]);
    Content::Stream(Body::new(piece(before).chain(content).chain(piece(after))).with_length(length))
}
