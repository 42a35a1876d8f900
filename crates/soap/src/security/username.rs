//! User names with passwords (WS-Security UsernameToken Profile 1.1).

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};

use super::{WSSE, WSU, name, timestamp};
use crate::{
    Block, SoapError,
    envelope::{Envelope, elements, text_of},
};

/// Types of passwords (§3.1), and how a nonce is written.
const TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
/// Random bytes of a nonce that we make.
pub const NONCE_BYTES: usize = 16;
/// Longest nonce that is read, in characters.
const NONCE_CHARS_MAX: usize = 256;

/// How the password goes along. It has no `Debug` form.
#[derive(Clone, Copy)]
pub enum Password<'a> {
    /// As it is: the connection keeps it secret.
    Text(&'a str),
    /// As the digest of nonce, time and password.
    Digest(&'a str),
}

/// A user, as a request says who asks. It has no `Debug` form.
#[derive(Clone, Copy)]
pub struct UsernameToken<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: Password<'a>,
    /// Random bytes, each time others.
    pub nonce: &'a [u8; NONCE_BYTES],
    /// When the token is made.
    pub created: Timestamp,
}

impl UsernameToken<'_> {
    /// The element of a security header.
    pub fn block(&self) -> Block {
        let created = timestamp::written(self.created);
        let (kind, password) = match self.password {
            Password::Text(password) => (TEXT, password.to_owned()),
            Password::Digest(password) => (DIGEST, digested(self.nonce, &created, password)),
        };
        Block::new(WSSE, "UsernameToken")
            .child(Block::new(WSSE, "Username").text(self.user))
            .child(Block::new(WSSE, "Password").attribute("", "Type", kind).text(password))
            .child(Block::new(WSSE, "Nonce").attribute("", "EncodingType", BASE64).text(STANDARD.encode(self.nonce)))
            .child(Block::new(WSU, "Created").text(created))
    }
}

/// Base64 of SHA-1 over nonce, time and password, as the profile fixes it (§3.1). What keeps the password is
/// TLS; the digest keeps it out of logs of the endpoint.
fn digested(nonce: &[u8], created: &str, password: &str) -> String {
    let mut all = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for part in [nonce, created.as_bytes(), password.as_bytes()] {
        all.update(part);
    }
    STANDARD.encode(all.finish())
}

/// A user as a message presents it, for who serves. It has no `Debug` form.
pub struct Presented {
    /// The user's name, which nobody has proved yet.
    pub user: String,
    /// The nonce as it stands there: who serves refuses one that it has seen within the lifetime of tokens.
    pub nonce: Option<String>,
    /// When the token was made.
    pub created: Option<Timestamp>,
    created_text: String,
    is_digest: bool,
    password: String,
}

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-SECURITY", message)
}

impl Presented {
    /// The user that an envelope presents, where it presents one.
    pub fn of(envelope: &mut Envelope<'_>) -> Result<Option<Presented>, SoapError> {
        let found = envelope.with_block(&name(), |names, security| {
            let mut found = None;
            for (key, node) in elements(security)? {
                let mark = names.enter(node);
                if names.element(key) == (WSSE, "UsernameToken") {
                    let mut fields = [None, None, None, None];
                    for (key, part) in elements(node)? {
                        let mark = names.enter(part);
                        let place = match names.element(key) {
                            (WSSE, "Username") => 0,
                            (WSSE, "Password") => 1,
                            (WSSE, "Nonce") => 2,
                            (WSU, "Created") => 3,
                            _ => return Err(wrong("a user token holds what the profile does not name")),
                        };
                        names.leave(mark);
                        if fields.get_mut(place).is_none_or(|field| field.replace(part).is_some()) {
                            return Err(wrong("a user token says something twice"));
                        }
                    }
                    if found.replace(Presented::token(fields)?).is_some() {
                        return Err(wrong("a security header holds two user tokens"));
                    }
                }
                names.leave(mark);
            }
            Ok(found)
        })?;
        Ok(found.flatten())
    }

    fn token(fields: [Option<lockgate_document::Node<'_>>; 4]) -> Result<Presented, SoapError> {
        let [user, password, nonce, created] = fields;
        let user =
            user.map(text_of).filter(|user| !user.is_empty()).ok_or_else(|| wrong("a user token has no name"))?;
        let password = password.ok_or_else(|| wrong("a user token has no password"))?;
        let is_digest = match password.get("@Type").as_str() {
            Some(TEXT) | None => false,
            Some(DIGEST) => true,
            Some(_) => return Err(wrong("the password is of a type that the profile does not name")),
        };
        let nonce = nonce.map(|nonce| text_of(nonce).trim().to_owned());
        if nonce.as_ref().is_some_and(|nonce| nonce.len() > NONCE_CHARS_MAX) {
            return Err(wrong("a nonce is longer than any should be"));
        }
        let created_text = created.map(|created| text_of(created).trim().to_owned()).unwrap_or_default();
        if is_digest && (nonce.is_none() || created_text.is_empty()) {
            return Err(wrong("a digest without nonce and time could be sent again by anybody who saw it"));
        }
        let at = if created_text.is_empty() { None } else { Some(timestamp::read(&created_text)?) };
        let password = text_of(password).to_owned();
        Ok(Presented { user: user.to_owned(), nonce, created: at, created_text, is_digest, password })
    }

    /// Is this the user's password? It costs the same time, whatever it is.
    pub fn proves(&self, password: &str) -> bool {
        let expected = match (&self.nonce, self.is_digest) {
            (_, false) => password.to_owned(),
            (Some(nonce), true) => match STANDARD.decode(nonce) {
                Ok(nonce) => digested(&nonce, &self.created_text, password),
                Err(_) => return false,
            },
            (None, true) => return false,
        };
        constant_time::verify_slices_are_equal(expected.as_bytes(), self.password.as_bytes()).is_ok()
    }

    /// Refuses a token that was made too long ago, or in the future, where it says when; clocks may differ by `skew`.
    pub fn check(&self, now: Timestamp, age_max: SignedDuration, skew: SignedDuration) -> Result<(), SoapError> {
        let Some(created) = self.created else { return Ok(()) };
        let age = now.duration_since(created);
        if age > age_max.saturating_add(skew) || age < -skew {
            return Err(wrong("the user token was not made just now: compare the clocks"));
        }
        Ok(())
    }
}
