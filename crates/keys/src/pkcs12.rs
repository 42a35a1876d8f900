//! Reads one key and its chain out of a PKCS#12 file (RFC 7292).

use p12_keystore::{Pkcs12Archive, error::Error as P12Error};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, Identity, Secret, identity::pem};

const WHAT: &str = "the PKCS#12 file";

/// Largest file in bytes; real ones have a few thousand.
const BYTES_MAX: usize = 1024 * 1024;

/// Longest chain taken along.
const CHAIN_MAX: usize = 10;

pub(crate) fn read(file: &[u8], password: &str) -> Result<Identity, Error> {
    if file.len() > BYTES_MAX {
        return Err(Error::unusable(WHAT, "it is larger than 1 MiB"));
    }
    let archive = Pkcs12Archive::from_pkcs12(file, password).map_err(explain)?;
    let key = match archive.keys.as_slice() {
        [key] => key,
        [] => {
            return Err(Error::unusable(WHAT, "it holds no private key; export the certificate together with its key"));
        }
        several => {
            return Err(Error::unusable(
                WHAT,
                format!("it holds {} private keys; export the one that is meant", several.len()),
            ));
        }
    };
    // The local key id marks the key's own certificate; some writers leave it out, so the other
    // certificates follow as candidates and the key itself says which is its own.
    let local_id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let marked = |c: &p12_keystore::CertificateBag| local_id.is_some() && c.local_key_id.as_deref() == local_id;
    let (own, others): (Vec<_>, Vec<_>) = archive.certs.iter().partition(|c| marked(c));
    let mut refusal = None;
    for leaf in own.into_iter().chain(others) {
        let chain = chain_from(leaf, &archive.certs);
        let der = key.key.as_der().to_vec();
        let key_pem = Secret::from(pem("PRIVATE KEY", &der));
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
        match Identity::new(chain, der, key_pem) {
            Ok(identity) => return Ok(identity),
            Err(e) => refusal = refusal.or(Some(e)),
        }
    }
    Err(refusal.unwrap_or_else(|| {
        Error::unusable(WHAT, "it holds no certificate; export the key together with its certificate")
    }))
}

/// The leaf and its issuers, without the self-signed root: the peer has that one or does not trust
/// it.
fn chain_from(
    leaf: &p12_keystore::CertificateBag,
    all: &[p12_keystore::CertificateBag],
) -> Vec<CertificateDer<'static>> {
    let mut chain = vec![CertificateDer::from(leaf.cert.as_der().to_vec())];
    let mut last = &leaf.cert;
    while chain.len() < CHAIN_MAX && last.issuer() != last.subject() {
        let issuer = all.iter().map(|c| &c.cert).find(|c| c.subject() == last.issuer() && c.subject() != c.issuer());
        let Some(issuer) = issuer else { break };
        chain.push(CertificateDer::from(issuer.as_der().to_vec()));
        last = issuer;
    }
    chain
}

fn explain(error: P12Error) -> Error {
    let reason = match error {
        P12Error::MacError(_) | P12Error::UnpadError | P12Error::Pkcs5Error(_) => {
            "the password is wrong, or the file is damaged"
        }
        P12Error::UnsupportedEncryptionScheme | P12Error::UnsupportedMacAlgorithm | P12Error::InvalidParameters => {
            "its encryption is not supported; export it again with AES-256 and SHA-256"
        }
        _ => "it is not a PKCS#12 file, or it is damaged",
    };
    Error::unusable(WHAT, reason)
}
