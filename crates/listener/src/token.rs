//! `POST /oauth2/{tenant}/{environment}/token`: OAuth 2.0 client credentials (RFC 6749 §4.4), by
//! `client_secret_basic` or `client_secret_post`; and the keys that tell true tokens (RFC 7517).
//!
//! Deliberately absent: other grants, scopes (what a client may do is given to its user, and narrowed at its
//! key), refresh tokens (RFC 6749 §4.4.3 says there should be none).

use std::{collections::BTreeMap, str};

use http::{HeaderValue, Method, Request, StatusCode, header};
use lockgate_runtime::{Basic, Error, SecretText};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::{
    Front, Reply, RequestBody,
    front::source,
    reply::{json as json_reply, set},
    respond,
    route::Place,
};

/// Bytes of a request: an id, a secret and the names of what they are.
const FORM_BYTES_MAX: u64 = 4 << 10;
/// RFC 7617. The realm is the product's: a tenant's name would tell that it exists.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"lockgate\", charset=\"UTF-8\"");

/// An error of the token endpoint (RFC 6749 §5.2).
struct Refused {
    status: StatusCode,
    error: &'static str,
    text: &'static str,
}

const fn refused(error: &'static str, text: &'static str) -> Refused {
    Refused { status: StatusCode::BAD_REQUEST, error, text }
}
/// It never says what is wrong.
const CLIENT: Refused = Refused {
    status: StatusCode::UNAUTHORIZED,
    error: "invalid_client",
    text: "no valid client id and secret were presented for this tenant and environment",
};

/// Told to a client that has proved itself.
const SUSPENDED: Refused = refused("unauthorized_client", "the tenant is suspended");

/// A client as presented.
struct Client {
    id: String,
    secret: SecretText,
}

impl<A> Front<A> {
    pub(crate) async fn to_token(&self, request: Request<RequestBody>, place: &Place<'_>) -> Reply {
        if request.method() != Method::POST {
            return respond::method_not_allowed("POST");
        }
        let source = source(&request);
        let (head, body) = request.into_parts();
        let form = match self.intake.form(&head.headers, body, FORM_BYTES_MAX).await {
            Ok(form) => form,
            Err(refusal) => return respond::refusal(&refusal),
        };
        let client = match client(&head.headers, &form) {
            Ok(client) => client,
            Err(refused) => return refused.reply(),
        };
        let place = (&*place.tenant, &*place.environment);
        match self.runtime.give_token(place, &client.id, &client.secret, &source).await {
            Ok(given) => {
                let told =
                    json!({"access_token": given.token.as_str(), "token_type": "Bearer", "expires_in": given.seconds});
                json_reply(StatusCode::OK, "application/json", &told)
            }
            Err(Error::Unauthenticated) => CLIENT.reply(),
            Err(Error::Forbidden { .. }) => SUSPENDED.reply(),
            Err(error) => respond::error(&error),
        }
    }

    pub(crate) fn to_token_keys(&self, method: &Method, place: &Place<'_>) -> Reply {
        if method != Method::GET && method != Method::HEAD {
            return respond::method_not_allowed("GET, HEAD");
        }
        match self.runtime.token_key_set(&place.tenant, &place.environment) {
            Some(Ok(keys)) => json_reply(StatusCode::OK, "application/jwk-set+json", &keys),
            Some(Err(error)) => respond::error(&error),
            None => respond::error(&Error::not_found("such address")),
        }
    }
}

impl Refused {
    fn reply(&self) -> Reply {
        let told = json!({"error": self.error, "error_description": self.text});
        let mut reply = json_reply(self.status, "application/json", &told);
        if self.status == StatusCode::UNAUTHORIZED {
            set(&mut reply, header::WWW_AUTHENTICATE, CHALLENGE);
        }
        reply
    }
}

/// The client that a request is of, if it is one for its credentials.
fn client(headers: &http::HeaderMap, form: &[u8]) -> Result<Client, Refused> {
    let mut form = pairs(form).ok_or(refused("invalid_request", "the form cannot be read, or has a name twice"))?;
    match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(refused("unsupported_grant_type", "the grant type is `client_credentials`")),
        None => return Err(refused("invalid_request", "`grant_type` is missing: it is `client_credentials`")),
    }
    if form.get("scope").is_some_and(|scope| !scope.is_empty()) {
        return Err(refused("invalid_scope", "there are no scopes: a client may what its user may"));
    }
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let posted = (form.remove("client_id"), form.remove("client_secret"));
    let twice = refused("invalid_request", "the client proves itself once: by Basic authentication or in the form");
    match (authorization.next(), authorization.next(), posted) {
        (None, _, (Some(id), Some(secret))) => Ok(Client { id, secret: SecretText::new(secret) }),
        // RFC 6749 §3.2.1 lets the id stand in the form as well.
        (Some(one), None, (id, None)) => {
            let basic = one.to_str().ok().and_then(Basic::parse).ok_or(CLIENT)?;
            let (user, secret) = (basic.user.as_str(), basic.password.expose());
            // RFC 6749 §2.3.1: both are form-encoded before they become Basic.
            let (user, secret) = decoded(user).zip(decoded(secret)).ok_or(CLIENT)?;
            if id.is_some_and(|id| id != user) {
                return Err(twice);
            }
            Ok(Client { id: user, secret: SecretText::new(secret) })
        }
        (None, ..) => Err(CLIENT),
        _ => Err(twice),
    }
}

/// The pairs of a form (`application/x-www-form-urlencoded`), no name twice (RFC 6749 §3.2).
fn pairs(form: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in str::from_utf8(form).ok()?.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if pairs.insert(decoded(name)?, decoded(value)?).is_some() {
            return None;
        }
    }
    Some(pairs)
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn asked(basic: Option<&'static str>, form: &str) -> Result<(String, String), &'static str> {
        let mut headers = HeaderMap::new();
        if let Some(basic) = basic {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(basic));
        }
        let client = client(&headers, form.as_bytes()).map_err(|refused| refused.error)?;
        Ok((client.id, client.secret.expose().to_owned()))
    }

    /// `k1:s&1`, the ampersand encoded as RFC 6749 asks.
    const BASIC: &str = "Basic azE6cyUyNjE=";

    #[test]
    fn what_is_no_request_of_a_client_is_refused() {
        let grant = "grant_type=client_credentials";
        for (basic, form, error) in [
            (None, String::new(), "invalid_request"),
            (None, "grant_type=".into(), "unsupported_grant_type"),
            (None, "grant_type=password&username=a&password=b".into(), "unsupported_grant_type"),
            (None, format!("{grant}&{grant}"), "invalid_request"),
            (None, format!("{grant}&client_id=%ff&client_secret=s"), "invalid_request"),
            (None, grant.into(), "invalid_client"),
            (None, format!("{grant}&client_id=k1"), "invalid_client"),
            (None, format!("{grant}&client_secret=s"), "invalid_client"),
            (None, format!("{grant}&scope=admin&client_id=k1&client_secret=s"), "invalid_scope"),
            (Some("Bearer x"), grant.into(), "invalid_client"),
            (Some(BASIC), format!("{grant}&client_secret=s"), "invalid_request"),
            (Some(BASIC), format!("{grant}&client_id=k2"), "invalid_request"),
        ] {
            assert_eq!(asked(basic, &form), Err(error), "{form}");
        }
    }

    #[test]
    fn a_client_comes_by_either_way() {
        let both = Ok(("k1".to_owned(), "s&1".to_owned()));
        assert_eq!(asked(Some(BASIC), "grant_type=client_credentials&scope="), both);
        assert_eq!(asked(Some(BASIC), "grant_type=client_credentials&client_id=k1"), both);
        assert_eq!(asked(None, "client_id=k1&client_secret=s%261&grant_type=client%5Fcredentials"), both);
    }
}
