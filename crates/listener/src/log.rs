//! One line per request: method, route pattern, status, duration, tenant, run. No path, no query, no
//! header and no body: they may carry data.

use std::time::Instant;

use http::{Method, StatusCode};
use lockgate_model::{RunId, id::TenantId};

/// The line of a request; written when it is dropped, so that a caller who goes away leaves one too.
pub(crate) struct Line {
    method: &'static str,
    route: &'static str,
    began: Instant,
    status: Option<StatusCode>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) run: Option<RunId>,
}

impl Line {
    pub(crate) fn begin(method: &Method, route: &'static str) -> Self {
        Self { method: known(method), route, began: Instant::now(), status: None, tenant: None, run: None }
    }

    pub(crate) fn end(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let duration_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            method = self.method,
            route = self.route,
            status = self.status.map(|s| s.as_u16()),
            gone = self.status.is_none().then_some(true),
            duration_us,
            tenant = self.tenant.as_ref().map(tracing::field::display),
            run = self.run.map(tracing::field::display),
            "request"
        );
    }
}

/// A method is free text to HTTP; only known ones are written down.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}
