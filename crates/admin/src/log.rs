//! One line per request: method, route pattern, status, duration, tenant. No path, no query, no
//! header and no body: they may carry what is not ours to keep.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use lockgate_model::id::TenantId;

/// The tenant somebody proved to be of; before that it is a guess of theirs and is not written down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proved(pub(crate) Arc<OnceLock<TenantId>>);

/// Writes the line of a request when it is answered.
pub(crate) async fn line(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let proved = Proved::default();
    request.extensions_mut().insert(proved.clone());
    let response = next.run(request).await;
    tracing::info!(
        method = method.as_str(),
        route = path.as_ref().map_or("-", MatchedPath::as_str),
        status = response.status().as_u16(),
        duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        tenant = proved.0.get().map(tracing::field::display),
        "request"
    );
    response
}
