//! The host key that an account expects, and what a server shows: a key, or a certificate of it that a
//! host CA has signed (OpenSSH's PROTOCOL.certkeys).

use lockgate_connector_api::{Error, Kind};
use russh::keys::{
    Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey,
    ssh_key::{Fingerprint, certificate::CertType},
};

/// What the server's key must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostKey {
    /// A key with this SHA-256 digest.
    Fingerprint(Fingerprint),
    /// This key.
    Whole(Box<PublicKey>),
    /// One with a certificate of the CA whose key has this digest.
    Authority(Fingerprint),
}

/// What marks the key of a CA, as in a `known_hosts` file.
const AUTHORITY: &str = "@cert-authority";

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
    /// (`ssh-ed25519 AAAA…`), as it stands in a `.pub` file; with `@cert-authority` before it, it is
    /// that of a CA.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (is_authority, key) = text.strip_prefix(AUTHORITY).map_or((false, text), |key| (true, key.trim_start()));
        let parsed = if key.starts_with("SHA256:") {
            key.trim_end_matches('=').parse().ok().map(Self::Fingerprint)
        } else {
            PublicKey::from_openssh(key).ok().map(|key| Self::Whole(Box::new(key)))
        };
        let parsed = parsed.filter(|key| !key.algorithms().is_empty()).ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                "sftp-host-key",
                "the account's host key is neither `SHA256:…` nor a public key such as `ssh-ed25519 AAAA…`, with or without `@cert-authority` before it",
            )
        })?;
        Ok(match (is_authority, parsed) {
            (true, Self::Whole(key)) => Self::Authority(key.fingerprint(HashAlg::Sha256)),
            (true, Self::Fingerprint(fingerprint)) => Self::Authority(fingerprint),
            (_, key) => key,
        })
    }

    /// Whether that is the key.
    pub fn is(&self, shown: &PublicKey) -> bool {
        match self {
            Self::Fingerprint(fingerprint) => shown.fingerprint(HashAlg::Sha256) == *fingerprint,
            Self::Whole(key) => key.key_data() == shown.key_data(),
            // Nobody has certified a bare key.
            Self::Authority(_) => false,
        }
    }

    /// Whether the CA has certified that the key belongs to a host, for now. Tells what is wrong.
    pub fn check(&self, shown: &Certificate, host: &str) -> Result<(), &'static str> {
        let Self::Authority(authority) = self else { return Err("nobody asked for a certificate") };
        if shown.signature_key().fingerprint(HashAlg::Sha256) != *authority {
            return Err("another CA has signed it");
        }
        if shown.cert_type() != CertType::Host {
            return Err("it is that of a user");
        }
        if !ACCEPTED.contains(&shown.signature().algorithm()) {
            return Err("it is signed with an algorithm that is not accepted, such as SHA-1");
        }
        if !shown.critical_options().is_empty() {
            return Err("it has critical options, of which none is known for hosts");
        }
        // One without names would be good for every host.
        if !shown.valid_principals().iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return Err("it is for other hosts");
        }
        shown.validate([authority]).map_err(|_| "it is not valid now, or not what the CA has signed")
    }

    /// The signatures to ask a server for: those of the key where its kind is known, since a server
    /// shows one of several keys as it is asked.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let fits = |one: &Algorithm| match self {
            Self::Fingerprint(_) => true,
            Self::Whole(key) => one.clone().is_rsa() && key.algorithm().is_rsa() || *one == key.algorithm(),
            Self::Authority(_) => false,
        };
        ACCEPTED.into_iter().filter(fits).collect()
    }

    /// The signatures of keys with certificates to ask for.
    pub fn certified(&self) -> Vec<Algorithm> {
        if matches!(self, Self::Authority(_)) { ACCEPTED.into() } else { Vec::new() }
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
        for text in [
            "",
            "SHA256:",
            "SHA256:abc",
            "MD5:00:11",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "any",
            "*",
            AUTHORITY,
            "@revoked SHA256:",
        ] {
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
        let authority = HostKey::parse(&format!("@cert-authority {KEY}")).unwrap();
        assert_eq!(authority, HostKey::parse(&format!("@cert-authority {printed}")).unwrap());
        assert!(!authority.is(&shown) && authority.algorithms().is_empty() && whole.certified().is_empty());
        assert_eq!(whole.algorithms(), [Algorithm::Ed25519]);
        assert_eq!(fingerprint.algorithms().len(), ACCEPTED.len());
        let other =
            printed.replace(printed.as_bytes()[9] as char, if printed.as_bytes()[9] == b'A' { "B" } else { "A" });
        assert!(!HostKey::parse(&other).unwrap().is(&shown));
    }
}
