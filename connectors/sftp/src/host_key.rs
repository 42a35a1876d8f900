//! The host key that an account expects, and what a server shows.

use lockgate_connector_api::{Error, Kind};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey, ssh_key::Fingerprint};

/// What the server's key must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostKey {
    /// A key with this SHA-256 digest.
    Fingerprint(Fingerprint),
    /// This key.
    Whole(Box<PublicKey>),
}

/// Signatures of host keys that are accepted, best first; none of them is of SHA-1.
const ACCEPTED: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

impl HostKey {
    /// Reads a fingerprint as OpenSSH prints it (`SHA256:…`) or a whole public key
    /// (`ssh-ed25519 AAAA…`), as it stands in a `.pub` file.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let parsed = if text.starts_with("SHA256:") {
            text.trim_end_matches('=').parse().ok().map(Self::Fingerprint)
        } else {
            PublicKey::from_openssh(text).ok().map(|key| Self::Whole(Box::new(key)))
        };
        parsed.filter(|key| !key.algorithms().is_empty()).ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                "sftp-host-key",
                "the account's host key is neither `SHA256:…` nor a public key such as `ssh-ed25519 AAAA…`",
            )
        })
    }

    /// Whether that is the key.
    pub fn is(&self, shown: &PublicKey) -> bool {
        match self {
            Self::Fingerprint(fingerprint) => shown.fingerprint(HashAlg::Sha256) == *fingerprint,
            Self::Whole(key) => key.key_data() == shown.key_data(),
        }
    }

    /// The signatures to ask a server for: those of the key where its kind is known, since a server
    /// shows one of several keys as it is asked.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let fits = |one: &Algorithm| match self {
            Self::Fingerprint(_) => true,
            Self::Whole(key) => one.clone().is_rsa() && key.algorithm().is_rsa() || *one == key.algorithm(),
        };
        ACCEPTED.into_iter().filter(fits).collect()
    }

    /// Those to ask a server for that is to show any key.
    pub fn any() -> Vec<Algorithm> {
        ACCEPTED.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZnIdUXeWQ+xlbfTAsMjXl4Xu3wKR4mY+QNyJR8l+HR";

    #[test]
    fn what_is_no_host_key_is_refused() {
        for text in ["", "SHA256:", "SHA256:abc", "MD5:00:11", "ssh-ed25519", "ssh-ed25519 AAAA", "any", "*"] {
            assert_eq!(HostKey::parse(text).unwrap_err().kind(), Kind::Configuration, "{text}");
        }
    }

    #[test]
    fn both_forms_mean_the_key() {
        let shown = PublicKey::from_openssh(KEY).unwrap();
        let whole = HostKey::parse(&format!(" {KEY} root@host\n")).unwrap();
        let printed = shown.fingerprint(HashAlg::Sha256).to_string();
        let fingerprint = HostKey::parse(&printed).unwrap();
        assert!(whole.is(&shown) && fingerprint.is(&shown));
        assert_eq!(whole.algorithms(), [Algorithm::Ed25519]);
        assert_eq!(fingerprint.algorithms().len(), ACCEPTED.len());
        let other =
            printed.replace(printed.as_bytes()[9] as char, if printed.as_bytes()[9] == b'A' { "B" } else { "A" });
        assert!(!HostKey::parse(&other).unwrap().is(&shown));
    }
}
