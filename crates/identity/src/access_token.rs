//! Access tokens of clients: JWTs (RFC 7519) of the profile for OAuth 2.0 (RFC 9068), signed with Ed25519
//! (RFC 8037).
//!
//! There is one algorithm and one type. The header is held to them and chooses nothing, so there is no
//! `none`, and no key is ever taken for another algorithm's. Signing and verifying is crate `keys`'s: here
//! is what is signed and what it has to say.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockgate_model::{
    Timestamp,
    id::{EnvironmentId, KeyId, TenantId, UserId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::random::{self, NoRandom};

/// A token ends this long after it was given.
pub const ACCESS_TOKEN_SECONDS: i64 = 600;

/// Longest token that is read, in bytes.
const TOKEN_BYTES_MAX: usize = 2_048;
const ALGORITHM: &str = "EdDSA";
const TYPE: &str = "at+jwt";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// What a token says (RFC 9068 §2.2). Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who gave it: the token endpoint of an environment.
    pub iss: String,
    /// What it is for: the listeners of that environment.
    pub aud: String,
    /// As whom its bearer acts.
    pub sub: UserId,
    /// The client it was given to.
    pub client_id: KeyId,
    /// When it was given.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// A name of its own, for the audit log.
    pub jti: String,
}

impl Claims {
    /// Of a token that is given now.
    pub fn new(
        tenant: &TenantId,
        environment: &EnvironmentId,
        (user, client): (UserId, KeyId),
        now: Timestamp,
    ) -> Result<Self, NoRandom> {
        let iat = seconds(now);
        Ok(Self {
            iss: issuer(tenant, environment),
            aud: audience(tenant, environment),
            sub: user,
            client_id: client,
            iat,
            exp: iat + ACCESS_TOKEN_SECONDS,
            jti: random::hex::<16>()?.to_string(),
        })
    }

    /// It was given by this environment for itself, and is good now.
    pub(crate) fn hold(&self, tenant: &TenantId, environment: &EnvironmentId, now: Timestamp) -> bool {
        let now = seconds(now);
        self.iss == issuer(tenant, environment)
            && self.aud == audience(tenant, environment)
            && self.iat <= now
            && now < self.exp
            && self.exp - self.iat <= ACCESS_TOKEN_SECONDS
            && self.jti.len() == 32
    }

    /// What is signed (RFC 7515 §5.1): header and claims, encoded.
    pub fn message(&self, kid: &str) -> String {
        let header = Header { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: kid.to_owned() };
        format!("{}.{}", encoded(&header), encoded(self))
    }
}

fn issuer(tenant: &TenantId, environment: &EnvironmentId) -> String {
    format!("urn:lockgate:tokens:{tenant}:{environment}")
}
/// No id has a colon.
const AUDIENCE: &str = "urn:lockgate:apis:";
fn audience(tenant: &TenantId, environment: &EnvironmentId) -> String {
    format!("{AUDIENCE}{tenant}:{environment}")
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000_000)
}

fn encoded(value: &impl Serialize) -> String {
    // Texts and numbers are always written.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn decoded<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A token as presented: of the right form, and nothing about it has been found true yet.
#[derive(Clone)]
pub struct AccessToken {
    kid: String,
    message: String,
    signature: Vec<u8>,
    claims: Claims,
}

impl AccessToken {
    /// Reads one; `None` for any other algorithm, type, header or claim than those above.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = decoded(header)?;
        if header.alg != ALGORITHM || header.typ != TYPE {
            return None;
        }
        Some(Self {
            kid: header.kid,
            message: message.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            claims: decoded(claims)?,
        })
    }

    /// The environment of this tenant it says to be for. Whose key has signed it is asked by this.
    pub fn environment(&self, tenant: &TenantId) -> Option<EnvironmentId> {
        let (of, environment) = self.claims.aud.strip_prefix(AUDIENCE)?.split_once(':')?;
        (of == tenant.as_str()).then(|| EnvironmentId::parse(environment).ok()).flatten()
    }

    /// The name of the key that it says to be signed with.
    pub fn kid(&self) -> &str {
        &self.kid
    }
    /// What is signed.
    pub fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }
    /// Its signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
    /// What it says.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("claims", &self.claims).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn places() -> (TenantId, EnvironmentId) {
        ("acme".parse().unwrap(), "live".parse().unwrap())
    }
    fn claims() -> Claims {
        let (tenant, live) = places();
        Claims::new(&tenant, &live, ("robot".parse().unwrap(), "k1".parse().unwrap()), NOW).unwrap()
    }
    fn token(header: &serde_json::Value, claims: &serde_json::Value) -> String {
        format!("{}.{}.c2ln", encoded(header), encoded(claims))
    }

    #[test]
    fn any_other_form_is_refused() {
        let good = serde_json::to_value(claims()).unwrap();
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "x"});
        assert!(AccessToken::parse(&token(&header, &good)).is_some());
        for (member, value) in [
            ("alg", json!("none")),
            ("alg", json!("None")),
            ("alg", json!("HS256")),
            ("alg", json!("ES256")),
            ("alg", json!(null)),
            ("typ", json!("JWT")),
            ("kid", json!(7)),
            ("crit", json!(["exp"])),
            ("jwk", json!({"kty": "OKP"})),
            ("jku", json!("https://evil.example")),
        ] {
            let mut other = header.clone();
            other[member] = value.clone();
            assert!(AccessToken::parse(&token(&other, &good)).is_none(), "{member}: {value}");
        }
        for (member, value) in
            [("exp", json!("9")), ("sub", json!("No Id")), ("admin", json!(true)), ("aud", json!([]))]
        {
            let mut other = good.clone();
            other[member] = value.clone();
            assert!(AccessToken::parse(&token(&header, &other)).is_none(), "{member}: {value}");
        }
        let missing = json!({"sub": "robot"});
        let long = format!("{}{}", token(&header, &good), "A".repeat(TOKEN_BYTES_MAX));
        let unsigned = claims().message("x");
        for bad in ["", ".", "..", "a.b", "a.b.c", &token(&header, &missing), &long, &unsigned] {
            assert!(AccessToken::parse(bad).is_none(), "{bad:.40}");
        }
    }

    #[test]
    fn claims_hold_in_their_place_and_time_alone() {
        let (tenant, live) = places();
        let after = |seconds: i64| Timestamp(NOW.0 + seconds * 1_000_000);
        assert!(claims().hold(&tenant, &live, NOW) && claims().hold(&tenant, &live, after(ACCESS_TOKEN_SECONDS - 1)));
        for (tenant, environment, at) in [
            ("acme", "live", after(ACCESS_TOKEN_SECONDS)),
            ("acme", "live", after(-1)),
            ("acme", "test", NOW),
            ("other", "live", NOW),
        ] {
            assert!(
                !claims().hold(&tenant.parse().unwrap(), &environment.parse().unwrap(), at),
                "{tenant} {environment}"
            );
        }
        let other = [
            Claims { iss: "urn:lockgate:tokens:acme:test".into(), ..claims() },
            Claims { exp: claims().exp + 1, ..claims() },
            Claims { jti: String::new(), ..claims() },
        ];
        assert!(other.iter().all(|claims| !claims.hold(&tenant, &live, NOW)));
    }

    #[test]
    fn it_names_the_environment_it_is_for() {
        let (tenant, live) = places();
        let read = AccessToken::parse(&format!("{}.c2ln", claims().message("x"))).unwrap();
        assert_eq!((read.environment(&tenant), read.kid()), (Some(live), "x"));
        assert_eq!(read.environment(&"other".parse().unwrap()), None);
        assert_eq!(read.claims(), &claims_of(&read));
        assert!(!format!("{read:?}").contains("c2ln"));
    }

    fn claims_of(token: &AccessToken) -> Claims {
        decoded(token.message.split_once('.').unwrap().1).unwrap()
    }
}
