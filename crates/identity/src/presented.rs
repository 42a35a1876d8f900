//! What an `Authorization` header carries.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{AccessToken, ApiKey, Password, SessionToken};

/// Longest header that is read, in bytes.
const HEADER_BYTES_MAX: usize = 4_096;

/// A credential as presented: nothing about it has been found true yet.
#[derive(Debug)]
pub enum Presented {
    /// User id and password (RFC 7617, UTF-8).
    Basic(Basic),
    /// `Bearer lgk_<id>_<secret>`.
    ApiKey(ApiKey),
    /// `Bearer lgs_<token>`: a login session.
    Session(SessionToken),
    /// `Bearer <JWT>`: what a client was given for its credentials.
    AccessToken(AccessToken),
}

/// User id and password with one request.
#[derive(Debug, Clone)]
pub struct Basic {
    /// As sent; it may be no id at all.
    pub user: String,
    /// As sent.
    pub password: Password,
}

/// The header is none of the forms; answered like a wrong credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authorization header is neither Basic, nor an API key, a session or an access token")]
pub struct Malformed;

impl Basic {
    /// Reads the value of an `Authorization` header that is Basic; `None` for any other.
    pub fn parse(header: &str) -> Option<Self> {
        match Presented::parse(header) {
            Ok(Presented::Basic(basic)) => Some(basic),
            _ => None,
        }
    }
}

impl Presented {
    /// Reads the value of an `Authorization` header (RFC 9110 §11.6.2).
    pub fn parse(header: &str) -> Result<Self, Malformed> {
        if header.len() > HEADER_BYTES_MAX {
            return Err(Malformed);
        }
        let (scheme, rest) = header.trim().split_once(' ').ok_or(Malformed)?;
        let token = rest.trim_start();
        if scheme.eq_ignore_ascii_case("basic") {
            basic(token).map(Self::Basic)
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let key = ApiKey::parse(token).map(Self::ApiKey);
            key.or_else(|| SessionToken::parse(token).map(Self::Session))
                .or_else(|| AccessToken::parse(token).map(Self::AccessToken))
                .ok_or(Malformed)
        } else {
            Err(Malformed)
        }
    }
}

/// RFC 7617 §2: base64 of the user id, a colon, and the password; neither has control characters.
fn basic(token: &str) -> Result<Basic, Malformed> {
    let bytes = Zeroizing::new(STANDARD.decode(token).map_err(|_| Malformed)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| Malformed)?;
    let (user, password) = text.split_once(':').ok_or(Malformed)?;
    if text.chars().any(char::is_control) {
        return Err(Malformed);
    }
    Ok(Basic { user: user.to_owned(), password: Password::new(password.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic_of(text: &[u8]) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn what_is_no_credential_is_malformed() {
        let long = format!("Basic {}", "A".repeat(HEADER_BYTES_MAX));
        let key = format!("Bearer lgk__{}", "a".repeat(64));
        let short = format!("Bearer lgk_id_{}", "a".repeat(63));
        let upper = format!("Bearer lgk_id_{}", "A".repeat(64));
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Digest x",
            "Bearer",
            "Bearer x",
            "Bearer lgk_",
            "Bearer lgk_id",
            "Bearer lgs_",
            "Bearer lgt_ada_00",
            &basic_of(b"no colon"),
            &basic_of(b"ada:line\nbreak"),
            &basic_of(b"a\0da:x"),
            &basic_of(b"ada:\xff\xfe"),
            &long,
            &key,
            &short,
            &upper,
        ] {
            assert!(Presented::parse(bad).is_err(), "`{bad}` was taken");
        }
    }

    #[test]
    fn basic_is_utf_8_and_splits_at_the_first_colon() {
        let Ok(Presented::Basic(basic)) = Presented::parse(&basic_of("ada:pä:ß".as_bytes())) else { panic!() };
        assert_eq!((basic.user.as_str(), basic.password.expose()), ("ada", "pä:ß"));
        let Ok(Presented::Basic(empty)) = Presented::parse(&basic_of(b"ada:")) else { panic!() };
        assert_eq!(empty.password.expose(), "");
        assert!(matches!(Presented::parse("bAsIc  YTpi"), Ok(Presented::Basic(_))), "schemes have no case");
    }

    #[test]
    fn keys_and_sessions_are_told_apart() {
        let hex = "0123456789abcdef".repeat(4);
        let Ok(Presented::ApiKey(key)) = Presented::parse(&format!("Bearer lgk_my_key_{hex}")) else { panic!() };
        assert_eq!(key.id().as_str(), "my_key", "the secret is what follows the last underscore");
        assert!(matches!(Presented::parse(&format!("Bearer lgs_{hex}")), Ok(Presented::Session(_))));
    }

    #[test]
    fn nothing_presented_is_printed() {
        let hex = "0123456789abcdef".repeat(4);
        for header in [basic_of(b"ada:hunter2-hunter2"), format!("Bearer lgk_id_{hex}"), format!("Bearer lgs_{hex}")] {
            let shown = format!("{:?}", Presented::parse(&header).unwrap());
            assert!(!shown.contains("hunter2") && !shown.contains(&hex), "{shown}");
        }
    }
}
