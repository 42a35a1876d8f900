//! How accounts sign in at the stand-in, and what it asks of them: bearer tokens, digests (RFC 7616) and tokens for
//! client credentials (RFC 6749 §4.4).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_model::Digest;
use serde_json::{Value, json};

/// How an account signs in.
#[derive(Clone, Copy)]
pub enum SignsIn {
    /// Not at all.
    Never,
    /// By a token that it holds.
    Bearer,
    /// By a digest over a password that it holds.
    Digest,
    /// By a token that it is given for a secret that it holds.
    OAuth2,
}

const SECRET: &str = "a-secret-of-the-test";
const GIVEN: &str = "a-token-given-by-the-stand-in";
const NONCE: &str = "drawn-once";
/// Where tokens are given.
pub const TOKENS: &str = "/token";

/// What the stand-in says before any mock is asked.
pub enum Said {
    /// It goes on: the account has signed in.
    Welcome,
    /// It asks for a digest.
    Challenge(String),
    /// It gives a token.
    Token(Value),
    /// Something is wrong.
    Wrong(String),
}

impl SignsIn {
    /// Settings of the account at this origin, as `account add --set` takes them.
    pub fn settings(self, origin: &str) -> Vec<String> {
        match self {
            Self::Never => vec![],
            Self::Bearer => vec!["auth=bearer".to_owned()],
            Self::Digest => vec!["auth=digest".to_owned(), "username=ada".to_owned()],
            Self::OAuth2 => {
                vec!["auth=oauth2".to_owned(), format!("token_url={origin}{TOKENS}"), "client_id=lockgate".to_owned()]
            }
        }
    }

    /// The name of its secret, and the secret.
    pub fn secret(self) -> Option<(&'static str, &'static str)> {
        let name = match self {
            Self::Never => return None,
            Self::Bearer => "token",
            Self::Digest => "password",
            Self::OAuth2 => "client_secret",
        };
        Some((name, SECRET))
    }

    /// Looks at a request, as the stand-in reads it.
    pub fn looks(self, came: &Value) -> Said {
        let shown = came["headers"]["authorization"].as_str().unwrap_or_default();
        let is = |right: bool| if right { Said::Welcome } else { Said::Wrong(format!("it does not sign in: {came}")) };
        match self {
            Self::Never => Said::Welcome,
            Self::Bearer => is(shown == format!("Bearer {SECRET}")),
            Self::OAuth2 if came["path"] == TOKENS => {
                let client = format!("Basic {}", STANDARD.encode(format!("lockgate:{SECRET}")));
                let asked = came["body"].as_str().is_some_and(|body| body.contains("grant_type=client_credentials"));
                match shown == client && asked && came["method"] == "POST" {
                    true => Said::Token(json!({ "access_token": GIVEN, "token_type": "Bearer", "expires_in": 3600 })),
                    false => Said::Wrong(format!("no client asks for a token so: {came}")),
                }
            }
            Self::OAuth2 => is(shown == format!("Bearer {GIVEN}")),
            Self::Digest => match shown.strip_prefix("Digest ") {
                Some(shown) => is(is_digest(shown, came)),
                None => Said::Challenge(format!(
                    "Digest realm=\"flows\", nonce=\"{NONCE}\", qop=\"auth\", algorithm=SHA-256"
                )),
            },
        }
    }
}

/// RFC 7616 §3.4.1, with `qop=auth`.
fn is_digest(shown: &str, came: &Value) -> bool {
    let pairs = shown.split(", ").filter_map(|pair| pair.split_once('='));
    let shown: BTreeMap<&str, &str> = pairs.map(|(name, value)| (name, value.trim_matches('"'))).collect();
    let hash = |text: String| Digest::of(text.as_bytes()).hex();
    let who = hash(format!("ada:flows:{SECRET}"));
    let what = hash(format!("{}:{}", came["method"].as_str().unwrap(), shown["uri"]));
    let right = hash(format!("{who}:{NONCE}:{}:{}:auth:{what}", shown["nc"], shown["cnonce"]));
    shown["username"] == "ada" && shown["uri"].starts_with(came["path"].as_str().unwrap()) && shown["response"] == right
}
