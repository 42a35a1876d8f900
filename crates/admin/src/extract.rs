//! What handlers take: the caller, the place, the query, the body; in that order, so that a stranger
//! learns nothing of the last three.

use std::{collections::HashMap, net::SocketAddr};

use axum::{
    body::HttpBody as _,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, request::Parts};
use lockgate_model::TraceContext;
use lockgate_runtime::{Caller, Error, Runtime};
use serde::de::DeserializeOwned;

use crate::{log::Proved, respond::Refused};

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
        let path: Result<Path<HashMap<String, String>>, _> = Path::from_request_parts(parts, runtime).await;
        let tenant = path.ok().and_then(|Path(mut names)| names.remove("tenant")).unwrap_or_default();
        let caller = runtime.authenticate(&tenant, credential(&parts.headers), &source).await?;
        if let Some(Proved(proved)) = parts.extensions.get() {
            let _ = proved.set(caller.tenant().clone());
        }
        Ok(Self(caller))
    }
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

/// The query, parsed.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Refused::request(
                StatusCode::BAD_REQUEST,
                "LG-QUERY",
                format!("the query cannot be read: {rejection}"),
            )),
        }
    }
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

/// A JSON body, parsed.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Body<T> {
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
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let response: Response = rejection.into_response();
            if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Refused::request(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "LG-BODY-TOO-LARGE",
                    "the body is larger than this address takes",
                )
            } else {
                Refused::request(
                    StatusCode::BAD_REQUEST,
                    "LG-BODY-BROKEN",
                    "the body was broken off or came too slowly",
                )
            }
        })?;
        let parsed = if bytes.len() <= INLINE_BYTES_MAX {
            serde_json::from_slice(&bytes)
        } else {
            let parse = tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes));
            parse.await.map_err(|_| Error::Internal { what: "reading the body".into() })?
        };
        parsed.map(Self).map_err(|error| {
            let text = format!("the body cannot be read: {error}");
            Refused::request(StatusCode::BAD_REQUEST, "LG-BODY", text)
        })
    }
}

/// A body that need not be there.
impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refused> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
