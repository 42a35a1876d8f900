//! What handlers take: the caller, the place, the query, the body; in that order, so that a stranger
//! learns nothing of the last three, and the last two are not looked at before access has been asked.

use std::{borrow::Cow, error::Error as _, net::SocketAddr};

use axum::{
    body::HttpBody as _,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request, rejection::BytesRejection},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header, request::Parts};
use lockgate_model::TraceContext;
use lockgate_runtime::{Caller, Error, Runtime};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::{
    gate,
    log::Proved,
    objects,
    respond::{Refused, TOO_LARGE},
};

/// Bodies up to this size are parsed where they arrived; larger ones on a blocking thread.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// Where a request came from: an address without port; empty on a local socket.
pub(crate) struct Source(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let address = parts.extensions.get::<SocketAddr>();
        Ok(Self(address.map(|a| a.ip().to_canonical().to_string()).unwrap_or_default()))
    }
}

/// The authenticated caller of a tenant's route.
pub(crate) struct Asker(pub(crate) Caller);

impl FromRequestParts<Runtime> for Asker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, runtime: &Runtime) -> Result<Self, Refused> {
        let Ok(Source(source)) = Source::from_request_parts(parts, runtime).await;
        let tenant = tenant(parts.uri.path()).unwrap_or_default();
        let caller = runtime.authenticate_administration(&tenant, credential(&parts.headers), &source).await?;
        parts.extensions.insert(caller.clone());
        if let Some(Proved(proved)) = parts.extensions.get() {
            let _ = proved.set(caller.tenant().clone());
        }
        Ok(Self(caller))
    }
}

/// The tenant in a path, whatever the rest of it is: one that cannot be read must not make the caller a
/// stranger.
fn tenant(path: &str) -> Option<Cow<'_, str>> {
    let segment = path.strip_prefix("/admin/v1/tenants/")?.split('/').next()?;
    percent_decode_str(segment).decode_utf8().ok()
}

/// The one `Authorization` header; of two nobody could say which one was meant.
fn credential(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}

/// The ids of a path. One that cannot be an id names nothing that exists: 404.
pub(crate) struct Place<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(place)) => Ok(Self(place)),
            Err(_) => Err(Refused::not_found("such object")),
        }
    }
}

/// The query, parsed; not looked at before access has been asked. To be taken after [`Asker`].
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Runtime> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, runtime: &Runtime) -> Result<Self, Refused> {
        gate::pass(parts, runtime).await?;
        read_query(parts.uri.query().unwrap_or_default(), &[]).map(Self)
    }
}

/// A query that anybody may send: the operator's.
pub(crate) struct OpenQuery<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for OpenQuery<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        read_query(parts.uri.query().unwrap_or_default(), &[]).map(Self)
    }
}

/// A query as its type; `besides` are parameters that were read already.
pub(crate) fn read_query<T: DeserializeOwned>(query: &str, besides: &[&str]) -> Result<T, Refused> {
    let unreadable = || "the query cannot be read".to_owned();
    let wrong = |text| Refused::request(StatusCode::BAD_REQUEST, "LG-QUERY", text);
    let uri = Uri::try_from(format!("/?{query}")).map_err(|_| wrong(unreadable()))?;
    Query::try_from_uri(&uri).map(|Query(query)| query).map_err(|rejection| {
        let reason = rejection.source().map(ToString::to_string);
        wrong(reason.map_or_else(unreadable, |reason| wrong_query(query, &reason, besides)))
    })
}

/// Which value of which parameter is wrong, and what it can be. `reason` begins with the parameter's
/// name where the parser knows it.
fn wrong_query(query: &str, reason: &str, besides: &[&str]) -> String {
    let expected = |reason: &str| reason.split_once(", expected ").map(|(_, allowed)| allowed.replace("one of ", ""));
    if let Some(name) = reason.strip_prefix("duplicate field ") {
        return format!("the query has {name} more than once");
    }
    let Some((name, reason)) = reason.split_once(": ") else { return format!("the query cannot be read: {reason}") };
    if reason.starts_with("unknown field") {
        let known = expected(reason).into_iter().chain(besides.iter().map(|besides| format!("`{besides}`")));
        return format!("the query has no parameter `{name}`; it has {}", known.collect::<Vec<_>>().join(", "));
    }
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value = pairs.filter(|(n, _)| decoded(n) == name).map(|(_, value)| decoded(value)).next().unwrap_or_default();
    let allowed = match (reason.strip_prefix("unknown variant").and_then(expected), reason) {
        (Some(known), _) => format!("it is one of {known}"),
        (None, "invalid digit found in string" | "cannot parse integer from empty string") => {
            "it is a whole number".to_owned()
        }
        (None, "number too large to fit in target type" | "number too small to fit in target type") => {
            "it is a smaller number".to_owned()
        }
        (None, reason) => reason.to_owned(),
    };
    format!("`{name}` cannot be `{value}`: {allowed}")
}

/// The trace the request is in (W3C Trace Context), if it says so in a way that can be read.
pub(crate) struct Traced(pub(crate) Option<TraceContext>);

impl<S: Send + Sync> FromRequestParts<S> for Traced {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let one = |name| {
            let mut all = parts.headers.get_all(name).iter();
            match (all.next(), all.next()) {
                (Some(one), None) => one.to_str().ok(),
                _ => None,
            }
        };
        Ok(Self(one("traceparent").and_then(|parent| TraceContext::read(parent, one("tracestate")))))
    }
}

/// A JSON body, parsed; not read before access has been asked. To be taken after [`Asker`].
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + Send + 'static> FromRequest<Runtime> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, runtime: &Runtime) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        gate::pass(&mut parts, runtime).await?;
        let OpenBody(parsed) = OpenBody::from_request(Request::from_parts(parts, body), runtime).await?;
        Ok(Self(parsed))
    }
}

/// The same where nobody is established: a login, and what comes over the operator's socket.
pub(crate) struct OpenBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for OpenBody<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Refused::request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "LG-CONTENT-TYPE",
                "the body is not declared as JSON: send `content-type: application/json`",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(not_taken)?;
        let parsed = if bytes.len() <= INLINE_BYTES_MAX {
            objects::read(&bytes)
        } else {
            let parse = tokio::task::spawn_blocking(move || objects::read(&bytes));
            parse.await.map_err(|_| Error::Internal { what: "reading the body".into() })?
        };
        parsed.map(Self).map_err(|error| {
            let text = format!("the body cannot be read: {error}");
            Refused::request(StatusCode::BAD_REQUEST, "LG-BODY", text)
        })
    }
}

/// Why a body was not taken.
fn not_taken(rejection: BytesRejection) -> Refused {
    // Whoever brings the body may say what it is to be answered with.
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&rejection);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<Error>() {
            return error.clone().into();
        }
        source = error.source();
    }
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let text = "the body is larger than this address takes";
        return Refused::request(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE, text);
    }
    Refused::request(StatusCode::BAD_REQUEST, "LG-BODY-BROKEN", "the body was broken off or came too slowly")
}

/// A body that need not be there.
impl<T: DeserializeOwned + Send + 'static> OptionalFromRequest<Runtime> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, runtime: &Runtime) -> Result<Option<Self>, Refused> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<Runtime>>::from_request(request, runtime).await.map(Some)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
