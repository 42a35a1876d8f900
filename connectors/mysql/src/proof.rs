//! How a password is proved to the server, over what the server made up for this connection.
//!
//! Two ways hash: `mysql_native_password` with SHA-1 (MariaDB, MySQL before 8), and
//! `caching_sha2_password` with SHA-256 (MySQL from 8 on). `client_ed25519` (MariaDB) signs: the SHA-512
//! of the password stands where RFC 8032, section 5.1.5, has the hash of a private key. What they send is
//! worth an attack by guessing to whoever reads it, so nothing of it leaves outside of TLS.
//!
//! Deliberately absent: `mysql_old_password` (broken), `mysql_clear_password` and `sha256_password`
//! (the password itself, asked for at once), `parsec` (MariaDB from 11.6 on).

use aws_lc_rs::digest::{self, Algorithm};
use ed25519_dalek::{
    VerifyingKey,
    hazmat::{ExpandedSecretKey, raw_sign},
};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `mysql_native_password`
    Native,
    /// `caching_sha2_password`
    CachingSha2,
    /// `client_ed25519`
    Ed25519,
}

impl Way {
    /// By the name that the server gives it.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"mysql_native_password" => Some(Self::Native),
            b"caching_sha2_password" => Some(Self::CachingSha2),
            b"client_ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The server's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Ed25519 => "client_ed25519",
        }
    }

    /// Bytes that the server makes up for it.
    pub fn seed_bytes(self) -> usize {
        match self {
            Self::Native | Self::CachingSha2 => 20,
            Self::Ed25519 => 32,
        }
    }

    /// What proves the password.
    pub fn proof(self, password: &[u8], seed: &[u8]) -> Vec<u8> {
        let (algorithm, seed_first) = match self {
            Self::Native => (&digest::SHA1_FOR_LEGACY_USE_ONLY, true),
            Self::CachingSha2 => (&digest::SHA256, false),
            Self::Ed25519 => return signature(password, seed),
        };
        let once = hash(algorithm, &[password]);
        let twice = hash(algorithm, &[&once]);
        let mixed = if seed_first { hash(algorithm, &[seed, &twice]) } else { hash(algorithm, &[&twice, seed]) };
        once.iter().zip(mixed).map(|(one, other)| one ^ other).collect()
    }
}

/// The key is made of the password for this one use; that it is its own public key's is what makes the
/// signature safe to give.
fn signature(password: &[u8], seed: &[u8]) -> Vec<u8> {
    let expanded = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(password)));
    let key = ExpandedSecretKey::from_bytes(&expanded);
    raw_sign::<Sha512>(&key, seed, &VerifyingKey::from(&key)).to_bytes().to_vec()
}

fn hash(algorithm: &'static Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(algorithm);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What the server does with a proof: it has the hash of the hash, and finds the hash.
    #[test]
    fn the_server_finds_the_hash_that_it_has() {
        let seed: Vec<u8> = (1..=20).collect();
        let proof = Way::Native.proof(b"hush", &seed);
        let stored = hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[&hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[b"hush"])]);
        let mask = hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[&seed, &stored]);
        let found: Vec<u8> = proof.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        assert_eq!(hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[&found]), stored);
        let proof = Way::CachingSha2.proof(b"hush", &seed);
        let stored = hash(&digest::SHA256, &[&hash(&digest::SHA256, &[b"hush"])]);
        let mask = hash(&digest::SHA256, &[&stored, &seed]);
        let found: Vec<u8> = proof.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        assert_eq!(hash(&digest::SHA256, &[&found]), stored);
    }

    /// `select ed25519_password('secret')` of MariaDB is this key in base64.
    #[test]
    fn the_key_is_the_servers() {
        let expanded = <[u8; 64]>::from(Sha512::digest(b"secret"));
        let key = VerifyingKey::from(&ExpandedSecretKey::from_bytes(&expanded));
        assert_eq!(STANDARD_NO_PAD.encode(key.as_bytes()), "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY");
        let signed = ed25519_dalek::Signature::from_slice(&Way::Ed25519.proof(b"secret", &[7; 32])).unwrap();
        key.verify_strict(&[7; 32], &signed).unwrap();
        assert!(key.verify_strict(&[8; 32], &signed).is_err());
    }

    /// `select password('hush')` of MariaDB is the hash of the hash.
    #[test]
    fn the_hash_is_the_servers() {
        let stored =
            hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[&hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[b"password"])]);
        assert_eq!(hex(&stored), "2470c0c06dee42fd1618bb99005adca2ec9d1e19");
    }
}
