//! How an account signs in: what goes along with each request to its own origin.
//!
//! A header that never changes, an answer to the server's challenge (`digest`), or a token that another endpoint gives
//! out (`oauth2`). Challenges and tokens are kept in memory, for as long as the account is open.

pub(crate) mod digest;
pub(crate) mod oauth2;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Error, Kind, Secret};

use digest::Digest;
use oauth2::Tokens;

/// How requests sign in.
pub(crate) enum SignIn {
    /// Not at all: a call may bring a user's own credentials.
    None,
    /// By a header that stays the same; its value is marked sensitive.
    Header(HeaderName, HeaderValue),
    /// By digests over the server's challenge (RFC 7616).
    Digest(Digest),
    /// By a token for client credentials (RFC 6749 §4.4).
    OAuth2(Box<Tokens>),
}

impl SignIn {
    /// Whether the account itself signs in.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether a 401 may be answered by another proof.
    pub fn renews(&self) -> bool {
        matches!(self, Self::Digest(_) | Self::OAuth2(_))
    }

    /// What was sent beyond the account's own secrets.
    pub fn shown(&self) -> Vec<Secret> {
        match self {
            Self::None | Self::Header(..) | Self::Digest(_) => Vec::new(),
            Self::OAuth2(tokens) => tokens.shown(),
        }
    }

    /// The header that it sets.
    pub fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::None => None,
            Self::Header(name, _) => Some(name),
            Self::Digest(_) | Self::OAuth2(_) => Some(&header::AUTHORIZATION),
        }
    }

    /// An answer of 401 to a request that signed in with `used`: takes note of it, and says whether the request may be
    /// taken when it is sent once more.
    pub fn refused(&self, answer: &HeaderMap, used: Option<&HeaderValue>) -> bool {
        match self {
            Self::None | Self::Header(..) => false,
            Self::Digest(digest) => digest.challenged(answer, used),
            Self::OAuth2(tokens) => tokens.refused(used),
        }
    }
}

/// A header's value that no log shows.
pub(crate) fn sensitive(secret: &Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_| invalid("a secret holds a character that cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn invalid(text: &'static str) -> Error {
    Error::new(Kind::Configuration, "https-account", text)
}
