//! The front door: one port, on which a request goes to health, to the admin API or to a target.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version, header};
use lockgate_runtime::{Error, Runtime};
use tower_service::Service;

use crate::{
    Handler, Reply, ReplyBody, RequestBody, Settings,
    body::Intake,
    log::Line,
    reply::{BoxError, full},
    respond,
    route::{Route, route},
    site,
    watched::Watched,
};

/// Knows the operator's token.
type IsToken = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Everything behind the port. `A` is the admin API: a tower service, so that this crate knows
/// nothing of it.
#[derive(Clone)]
pub struct Front<A> {
    pub(crate) runtime: Runtime,
    pub(crate) intake: Intake,
    admin: A,
    stopping: Arc<AtomicBool>,
    may_see_metrics: Option<IsToken>,
}

impl<A> Front<A> {
    /// The front door of a runtime, with the admin API behind `/admin`.
    pub fn new(runtime: Runtime, admin: A, settings: &Settings) -> Self {
        let intake = Intake::new(settings, runtime.telemetry().clone());
        Self { runtime, intake, admin, stopping: Arc::default(), may_see_metrics: None }
    }

    /// Shows `/metrics` to who sends a bearer token that `is_token` knows. Without this nobody is
    /// shown it.
    #[must_use]
    pub fn with_metrics(mut self, is_token: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.may_see_metrics = Some(Arc::new(is_token));
        self
    }
}

impl<A, B> Handler for Front<A>
where
    A: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    A::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn handle(&self, request: Request<RequestBody>) -> Reply {
        let path = request.uri().path().to_owned();
        let route = route(&path);
        let watched = Watched::begin(self.runtime.telemetry(), &route);
        let reply = self.answer(request, &route).await;
        watched.end(&reply);
        reply
    }

    fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn out_of_time(&self) -> bool {
        self.runtime.cancel_waited_for();
        true
    }
}

impl<A> Front<A> {
    async fn answer<B>(&self, request: Request<RequestBody>, route: &Route<'_>) -> Reply
    where
        A: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let refused = head_problem(&request).map(respond::bad_head);
        let refused = refused.or_else(|| site::is_of_another(&request).then(respond::of_another_site));
        if matches!(route, Route::Admin) {
            return match refused {
                Some(refused) => refused,
                None => self.to_admin(request).await,
            };
        }
        let mut line = Line::begin(request.method(), route.pattern());
        let reply = match (refused, route) {
            (Some(refused), _) => refused,
            (None, Route::Health) => health(request.method(), None),
            (None, Route::Ready) => health(request.method(), self.not_ready().await),
            (None, Route::Metrics) => self.metrics(&request),
            (None, Route::Token(place)) => self.to_token(request, place).await,
            (None, Route::TokenKeys(place)) => self.to_token_keys(request.method(), place),
            (None, Route::Target(target)) => self.to_target(request, target, &mut line).await,
            (None, Route::Nothing | Route::Admin) => respond::error(&Error::not_found("such address")),
        };
        line.end(reply.status());
        reply
    }

    /// Why no requests should be sent here now.
    async fn not_ready(&self) -> Option<String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("stopping\n".to_owned());
        }
        self.runtime.not_ready().await.map(|reason| format!("{reason}\n"))
    }

    /// The counts, for the operator's own eyes: they name tenants.
    fn metrics(&self, request: &Request<RequestBody>) -> Reply {
        let Some(is_token) = &self.may_see_metrics else { return respond::error(&Error::not_found("such address")) };
        let mut shown = request.headers().get_all(header::AUTHORIZATION).iter();
        let token = match (shown.next(), shown.next()) {
            (Some(one), None) => one.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")),
            _ => None,
        };
        if !token.is_some_and(|token| is_token(token)) {
            return respond::error(&Error::Unauthenticated);
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return respond::method_not_allowed("GET, HEAD");
        }
        full(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", self.runtime.metrics())
    }

    async fn to_admin<B>(&self, request: Request<RequestBody>) -> Reply
    where
        A: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut admin = self.admin.clone();
        // Held until it is answered: what is read from the body lives that long.
        let place = self.intake.budget.place();
        let request = request.map(|body| body.within(place.clone()));
        // A service may be called once it says that it is ready.
        let answered = match std::future::poll_fn(|cx| admin.poll_ready(cx)).await {
            Ok(()) => admin.call(request).await,
            Err(never) => match never {},
        };
        drop(place);
        match answered {
            Ok(reply) => reply.map(ReplyBody::mounted),
            Err(never) => match never {},
        }
    }
}

/// Where a request came from, without port.
pub(crate) fn source(request: &Request<RequestBody>) -> String {
    let address = request.extensions().get::<SocketAddr>();
    address.map(|a| a.ip().to_canonical().to_string()).unwrap_or_default()
}

/// What hyper lets through and HTTP forbids: a request of HTTP/1.1 names its host exactly once
/// (RFC 9112 §3.2).
fn head_problem<B>(request: &Request<B>) -> Option<&'static str> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    match request.version() {
        Version::HTTP_11 if hosts != 1 => Some("the request must have exactly one `host` header"),
        _ if hosts > 1 => Some("the request has more than one `host` header"),
        _ => None,
    }
}

/// Well, unless something is wrong.
fn health(method: &Method, wrong: Option<String>) -> Reply {
    if method != Method::GET && method != Method::HEAD {
        return respond::method_not_allowed("GET, HEAD");
    }
    let status = if wrong.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    full(status, "text/plain; charset=utf-8", wrong.unwrap_or_else(|| "ok\n".to_owned()))
}
