//! Passwords and their hashes: Argon2id (RFC 9106) with 19 MiB, 2 passes, 1 lane, as PHC strings.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::{Policy, random, random::NoRandom, text::SecretText};

/// Memory of one hash in KiB: 19 MiB.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Longest password in bytes that is looked at; nobody types more.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// What an unknown user's password is verified against: made with the same parameters from bytes
/// that were thrown away, so that it costs the same and never fits.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$oDNGvGUFmWPNIinaB++OUQ$UDB8ifFfIdmE9fgWEttcJrQvIrgF1k0/wjtOFtV+tv4";

/// A password as it was presented or chosen. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct Password(SecretText);

impl Password {
    /// Takes it over; the text is wiped with it.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// A new one of 23 characters and some 119 bits that the policy takes, easy to type off a screen.
    pub fn generate(policy: Policy) -> Result<Self, NoRandom> {
        // No I, l, O, 0, 1: they are mistaken for each other.
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        loop {
            let mut text = Zeroizing::new(String::with_capacity(23));
            while text.len() < 23 {
                if text.len() % 6 == 5 {
                    text.push('-');
                    continue;
                }
                let bytes = random::key()?;
                // Bytes past the last whole multiple would make some letters more likely.
                let fair = bytes.iter().find_map(|b| LETTERS.get(usize::from(*b) % 64));
                text.extend(fair.map(|b| char::from(*b)));
            }
            let password = Self(text.into());
            if policy.check(&[], &password).is_ok() {
                return Ok(password);
            }
        }
    }

    /// The text, for hashing and for showing it once to who is to have it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(d)?))
    }
}

/// A password could not be hashed: it is longer than any, or the system gave no random bytes or
/// memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: use at most {PASSWORD_BYTES_MAX} bytes, or try again later")]
pub struct HashFailed;

/// The hash of a password, as a PHC string with its own salt. Costly to make and to verify (19 MiB
/// and tens of milliseconds each): do neither on a thread that serves requests.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(String);

impl Hash {
    /// Hashes a password with a new salt.
    pub fn of(password: &Password) -> Result<Self, HashFailed> {
        if password.expose().len() > PASSWORD_BYTES_MAX {
            return Err(HashFailed);
        }
        let hash = argon2().ok_or(HashFailed)?.hash_password(password.expose().as_bytes()).map_err(|_| HashFailed)?;
        Ok(Self(hash.to_string()))
    }

    /// Reads a PHC string, if it is one of Argon2id.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        (hash.algorithm == argon2::ARGON2ID_IDENT && hash.hash.is_some()).then(|| Self(text.to_owned()))
    }

    /// The hash that no password has.
    pub(crate) fn nobody() -> Self {
        Self(NOBODY.to_owned())
    }

    /// The password is the one that was hashed.
    pub fn verify(&self, password: &Password) -> bool {
        let (Ok(hash), Some(argon2)) = (PasswordHash::new(&self.0), argon2()) else { return false };
        password.expose().len() <= PASSWORD_BYTES_MAX
            && argon2.verify_password(password.expose().as_bytes(), &hash).is_ok()
    }

    /// It was made with today's parameters; hash again at the next login otherwise.
    pub fn is_current(&self) -> bool {
        let parameters = PasswordHash::new(&self.0).ok().and_then(|hash| Params::try_from(&hash).ok());
        parameters.is_some_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, PASSES, LANES))
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an Argon2id hash"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[test]
    fn another_password_does_not_verify() {
        let hash = Hash::of(&password("harbour-pilot-7")).unwrap();
        for wrong in ["", "harbour-pilot-8", "Harbour-pilot-7", "harbour-pilot-7 "] {
            assert!(!hash.verify(&password(wrong)), "`{wrong}`");
        }
        assert!(hash.verify(&password("harbour-pilot-7")));
    }

    #[test]
    fn nobody_has_the_work_of_a_real_hash_and_fits_nothing() {
        let nobody = Hash::nobody();
        assert!(Hash::parse(nobody.as_str()).is_some() && nobody.is_current());
        for text in ["", "nobody", "harbour-pilot-7"] {
            assert!(!nobody.verify(&password(text)));
        }
    }

    #[test]
    fn a_password_longer_than_any_is_neither_hashed_nor_verified() {
        let long = password(&"a".repeat(PASSWORD_BYTES_MAX + 1));
        assert_eq!(Hash::of(&long).unwrap_err(), HashFailed);
        assert!(!Hash::nobody().verify(&long));
        assert!(Hash::of(&password(&"a".repeat(PASSWORD_BYTES_MAX))).is_ok());
    }

    #[test]
    fn hashes_are_phc_strings_with_their_own_salt() {
        let (a, b) = (Hash::of(&password("same")).unwrap(), Hash::of(&password("same")).unwrap());
        assert!(a.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", a.as_str());
        assert_ne!(a, b);
        assert!(a.is_current());
        let weak = "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHQ$1yyRZqH/x8BJX1Yb7Cn3CCs7QZqY4hJ8AWQl5OmIsQ8";
        assert!(!Hash::parse(weak).unwrap().is_current());
    }

    #[test]
    fn what_is_no_argon2id_is_no_hash() {
        for bad in [
            "",
            "hunter2",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo",
            "$argon2id$v=19$m=19456,t=2,p=1",
        ] {
            assert!(Hash::parse(bad).is_none(), "`{bad}`");
        }
    }

    #[test]
    fn generated_passwords_pass_both_policies_and_differ() {
        let mut seen = std::collections::BTreeSet::new();
        for policy in [Policy::Classic, Policy::Nist] {
            for _ in 0..200 {
                let password = Password::generate(policy).unwrap();
                assert_eq!(policy.check(&[], &password), Ok(()));
                assert_eq!(password.expose().len(), 23);
                assert!(seen.insert(password.expose().to_owned()));
            }
        }
    }

    #[test]
    fn neither_is_printed() {
        let shown = format!("{:?} {:?}", password("hunter2"), Hash::nobody());
        assert_eq!(shown, "[secret] [hash]");
    }
}
