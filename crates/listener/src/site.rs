//! Requests that another site makes a browser send. A browser adds by itself what its user has shown before, a Basic
//! password or a client certificate; so what comes from another site changes nothing here and runs nothing.
//!
//! Browsers say where a request comes from (Fetch Metadata, §2; older ones by `origin`, RFC 6454 §7); what is no
//! browser says nothing and is nobody's page. A token is shown by whoever makes the request, never by the browser
//! alone, and passes.

use http::{HeaderMap, Method, Request, header};

/// It would change something, with what a browser may have added, and another site asked for it.
pub(crate) fn is_of_another<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    changes && !shows_token(headers) && comes_from_another(request)
}

fn shows_token(headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scheme = shown.and_then(|value| value.split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
}

fn comes_from_another<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    if let Some(site) = headers.get("sec-fetch-site") {
        // `none`: its user typed the address.
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let here = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let here = here.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let there = origin.to_str().ok().and_then(|origin| origin.strip_prefix("https://"));
    there.is_none() || there != here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_site_asks_for_is_told_apart() {
        let basic = ("authorization", "Basic YTpi");
        for (method, headers, another) in [
            ("POST", &[basic, ("sec-fetch-site", "cross-site")][..], true),
            ("POST", &[basic, ("sec-fetch-site", "same-site")], true),
            ("DELETE", &[("sec-fetch-site", "cross-site")], true),
            ("POST", &[basic, ("sec-fetch-site", "same-origin")], false),
            ("POST", &[basic, ("sec-fetch-site", "none")], false),
            ("POST", &[basic, ("sec-fetch-site", "same-origin"), ("origin", "https://rewritten")], false),
            ("GET", &[basic, ("sec-fetch-site", "cross-site")], false),
            ("POST", &[("authorization", "bearer t"), ("sec-fetch-site", "cross-site")], false),
            ("POST", &[basic, ("origin", "https://evil.example")], true),
            ("POST", &[basic, ("origin", "null")], true),
            ("POST", &[basic, ("origin", "http://gate.example")], true),
            ("POST", &[basic, ("origin", "https://gate.example")], false),
            ("POST", &[basic], false),
        ] {
            let mut request = Request::builder().method(method).uri("/x").header("host", "gate.example");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(is_of_another(&request.body(()).unwrap()), another, "{method} {headers:?}");
        }
        // HTTP/2 names the host in the address.
        let request = Request::builder().method("PUT").uri("https://gate.example/x");
        let request = request.header("origin", "https://gate.example");
        assert!(!is_of_another(&request.body(()).unwrap()));
    }
}
