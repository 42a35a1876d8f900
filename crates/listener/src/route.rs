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
    /// `/{tenant}/{environment}/{name}`; the segments are not ids yet.
    Target(Target<'a>),
    /// Nothing that could be there.
    Nothing,
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
        for path in ["/admin", "/admin/", "/admin/v1/openapi.json"] {
            assert_eq!(route(path), Route::Admin, "{path}");
        }
    }
}
