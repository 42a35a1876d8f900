//! Counts requests and times them, and reads the trace that a request is in.

use std::{sync::Arc, time::Instant};

use http::HeaderMap;
use http_body::Body as _;
use lockgate_model::TraceContext;
use lockgate_runtime::{Route as Counted, Telemetry};

use crate::{Reply, route::Route};

/// A request under way; dropped before its reply, its caller went away.
pub(crate) struct Watched {
    telemetry: Arc<Telemetry>,
    route: Counted,
    began: Instant,
    status: Option<u16>,
}

impl Watched {
    pub(crate) fn begin(telemetry: &Arc<Telemetry>, route: &Route<'_>) -> Self {
        let route = match route {
            Route::Health | Route::Ready => Counted::Health,
            Route::Metrics => Counted::Metrics,
            Route::Admin => Counted::Admin,
            Route::Target(_) => Counted::Target,
            Route::Token(_) | Route::TokenKeys(_) => Counted::Token,
            Route::Nothing => Counted::None,
        };
        Self { telemetry: telemetry.clone(), route, began: Instant::now(), status: None }
    }

    pub(crate) fn end(mut self, reply: &Reply) {
        self.status = Some(reply.status().as_u16());
        if self.route == Counted::Target {
            self.telemetry.metrics.reply_body(reply.body().size_hint().lower());
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.telemetry.metrics.request(self.route, self.status, self.began.elapsed());
    }
}

/// The trace a request is in; none where its header is not one, or not one alone.
pub(crate) fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
    // Several headers of a list are one list (RFC 9110 §5.3).
    let states: Vec<&str> = headers.get_all("tracestate").iter().filter_map(|state| state.to_str().ok()).collect();
    let state = (!states.is_empty()).then(|| states.join(","));
    TraceContext::read(parent.to_str().ok()?, state.as_deref())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(headers: &[(&'static str, &str)]) -> Option<TraceContext> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        trace(&map)
    }

    #[test]
    fn two_parents_are_none_and_two_states_are_one() {
        assert!(read(&[]).is_none());
        assert!(read(&[("tracestate", "a=1")]).is_none());
        assert!(read(&[("traceparent", "nonsense"), ("tracestate", "a=1")]).is_none());
        assert!(read(&[("traceparent", PARENT), ("traceparent", PARENT)]).is_none());
        let read = read(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]).unwrap();
        assert_eq!((read.traceparent().as_str(), read.tracestate()), (PARENT, Some("a=1,b=2")));
    }
}
