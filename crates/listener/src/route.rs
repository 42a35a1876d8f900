//! What a path asks for, before anybody is authenticated.

use std::borrow::Cow;

use lockgate_model::id::RESERVED_TENANTS;
use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `/healthz`: the process lives.
    Health,
    /// `/readyz`: it takes requests.
    Ready,
    /// `/metrics`: its counts.
    Metrics,
    /// `/admin…`: the admin API.
    Admin,
    /// `/oauth2/{tenant}/{environment}/token`: clients get access tokens.
    Token(Place<'a>),
    /// `/oauth2/{tenant}/{environment}/.well-known/jwks.json`: what tells true access tokens.
    TokenKeys(Place<'a>),
    /// `/{tenant}/{environment}/{name}`; the segments are not ids yet.
    Target(Target<'a>),
    /// Nothing that could be there.
    Nothing,
}

/// An environment of a tenant as an address names it, percent-decoded; not ids yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) tenant: Cow<'a, str>,
    pub(crate) environment: Cow<'a, str>,
}

/// The segments of a target's address, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) tenant: Cow<'a, str>,
    pub(crate) environment: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
}

impl Route<'_> {
    /// The pattern, for the log.
    pub(crate) fn pattern(&self) -> &'static str {
        match self {
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Admin => "/admin",
            Self::Token(_) => "/oauth2/{tenant}/{environment}/token",
            Self::TokenKeys(_) => "/oauth2/{tenant}/{environment}/.well-known/jwks.json",
            Self::Target(_) => "/{tenant}/{environment}/{name}",
            Self::Nothing => "-",
        }
    }
}

/// The route of a path.
pub(crate) fn route(path: &str) -> Route<'_> {
    match path {
        "/healthz" => return Route::Health,
        "/readyz" => return Route::Ready,
        "/metrics" => return Route::Metrics,
        _ => {}
    }
    let Some(path) = path.strip_prefix('/') else { return Route::Nothing };
    let mut segments = path.split('/');
    let first = segments.next().unwrap_or_default();
    if first == "admin" {
        return Route::Admin;
    }
    if first == "oauth2" {
        return oauth2(segments);
    }
    let Some(tenant) = decoded(first) else { return Route::Nothing };
    // They begin product URLs; no tenant can be behind them.
    if RESERVED_TENANTS.contains(&tenant.as_ref()) {
        return Route::Nothing;
    }
    match (segments.next().and_then(decoded), segments.next().and_then(decoded), segments.next()) {
        (Some(environment), Some(name), None) => Route::Target(Target { tenant, environment, name }),
        _ => Route::Nothing,
    }
}

/// What is below `/oauth2`.
fn oauth2<'a>(mut segments: std::str::Split<'a, char>) -> Route<'a> {
    let place = segments.next().and_then(decoded).zip(segments.next().and_then(decoded));
    let Some((tenant, environment)) = place else { return Route::Nothing };
    let place = Place { tenant, environment };
    match (segments.next(), segments.next(), segments.next()) {
        (Some("token"), None, _) => Route::Token(place),
        (Some(".well-known"), Some("jwks.json"), None) => Route::TokenKeys(place),
        _ => Route::Nothing,
    }
}

/// A segment, decoded once. An encoded slash stays within its segment, where no id has one.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    if segment.is_empty() {
        return None;
    }
    percent_decode_str(segment).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target<'a>(tenant: &'a str, environment: &'a str, name: &'a str) -> Route<'a> {
        Route::Target(Target { tenant: tenant.into(), environment: environment.into(), name: name.into() })
    }

    #[test]
    fn what_is_no_address_of_a_target_is_nothing() {
        for path in [
            "",
            "*",
            "/",
            "//",
            "///",
            "/acme",
            "/acme/live",
            "/acme/live/",
            "/acme//order",
            "//live/order",
            "/acme/live/order/",
            "/acme/live/order/1",
            "/console/live/order",
            "/metrics/",
            "/portal",
            "/oauth2/a/b",
            "/oauth2/a/b/",
            "/oauth2/a/b/token/",
            "/oauth2/a/b/token/x",
            "/oauth2/a//token",
            "/oauth2/a/b/.well-known",
            "/oauth2/a/b/.well-known/jwks.json/x",
            "/oauth2/a/token",
            "/%61dmin/v1/x",
            "/healthz/x/y",
            "/acme/live/%ff",
            "healthz",
        ] {
            assert_eq!(route(path), Route::Nothing, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_once_and_stay_apart() {
        assert_eq!(route("/acme/live/order-to-erp"), target("acme", "live", "order-to-erp"));
        assert_eq!(route("/acme/live/orders%40eu"), target("acme", "live", "orders@eu"));
        assert_eq!(route("/acme/live/a%2Fb"), target("acme", "live", "a/b"));
        assert_eq!(route("/acme/live/%252e%252e"), target("acme", "live", "%2e%2e"));
        assert_eq!(route("/administrator/live/x"), target("administrator", "live", "x"));
    }

    #[test]
    fn product_urls_are_told_apart() {
        assert_eq!(route("/healthz"), Route::Health);
        assert_eq!(route("/readyz"), Route::Ready);
        assert_eq!(route("/metrics"), Route::Metrics);
        let live = || Place { tenant: "acme".into(), environment: "live".into() };
        assert_eq!(route("/oauth2/acme/live/token"), Route::Token(live()));
        assert_eq!(route("/oauth2/acme/live/.well-known/jwks.json"), Route::TokenKeys(live()));
        for path in ["/admin", "/admin/", "/admin/v1/openapi.json"] {
            assert_eq!(route(path), Route::Admin, "{path}");
        }
    }
}
