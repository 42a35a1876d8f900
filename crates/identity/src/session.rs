//! Session tokens: drawn here, kept by their digest in the runtime's table of live sessions.

use lockgate_model::Digest;

use crate::{
    random::{self, NoRandom},
    text::{SecretText, hex_256},
};

/// The token of a login session, `lgs_<64 hex digits>`: 256 random bits that say nothing by
/// themselves; the table behind says whose session it is and whether it lives.
#[derive(Debug, Clone)]
pub struct SessionToken(SecretText);

impl SessionToken {
    /// A new one.
    pub fn generate() -> Result<Self, NoRandom> {
        let hex = random::hex::<32>()?;
        Ok(Self(format!("lgs_{}", hex.as_str()).into()))
    }

    /// Reads one; `None` if it has not the form.
    pub fn parse(text: &str) -> Option<Self> {
        hex_256(text.strip_prefix("lgs_")?)?;
        Some(Self(text.to_owned().into()))
    }

    /// The token, for the one reply that carries it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the table keeps instead of the token. The token has 256 bits: a plain digest is enough.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.expose().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_come_back() {
        let (a, b) = (SessionToken::generate().unwrap(), SessionToken::generate().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert_ne!(a.digest(), b.digest());
        assert_eq!(SessionToken::parse(a.expose()).unwrap().digest(), a.digest());
        assert!(!format!("{a:?}").contains("lgs_"));
    }
}
