//! A certificate chain with its private key: what a server or a client proves itself with.

use std::{fmt, path::Path, sync::Arc};

use lockgate_model::{Digest, Timestamp};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{
    Error, Secret,
    file::{create_private, private_directory, read_private},
    pkcs12, provider,
};

/// SHA-256 of a certificate in DER form: what is pinned, printed and compared.
pub fn fingerprint(certificate: &[u8]) -> Digest {
    Digest::of(certificate)
}

/// A certificate chain, the end entity first, and the private key that belongs to it.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    /// PEM of the chain followed by PEM of the key, as it came in or was made.
    key_pem: Secret,
}

impl Identity {
    /// From PEM texts (RFC 7468): certificates, and a private key in PKCS#8, SEC 1 or PKCS#1 form,
    /// not encrypted. Both may be the same text. The key must belong to the first certificate.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Error::unusable("the certificate", "its PEM text cannot be read"))?;
        let parsed = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            let encrypted = key.windows(9).any(|w| w == b"ENCRYPTED");
            Error::unusable(
                "the private key",
                if encrypted {
                    "it is encrypted; give it decrypted, or as PKCS#12 with its password"
                } else {
                    "its PEM text holds no private key that can be read"
                },
            )
        })?;
        Self::new(chain, parsed, Secret::new(key.to_vec()))
    }

    /// From a PKCS#12 file (RFC 7292), such as browsers and Java export. The file must hold exactly
    /// one private key and its certificate. Takes up to a second: call it on a blocking thread.
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        pkcs12::read(file, password)
    }

    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        key_pem: Secret,
    ) -> Result<Self, Error> {
        if chain.is_empty() {
            return Err(Error::unusable("the certificate", "there is none in the text"));
        }
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|e| match e {
            rustls::Error::InconsistentKeys(_) => {
                Error::unusable("the private key", "it does not belong to the first certificate of the chain")
            }
            e => Error::unusable("the certificate with its key", e),
        })?;
        Ok(Self { certified: Arc::new(certified), key_pem })
    }

    /// Loads what [`Identity::save`] wrote; `None` if there is none.
    pub fn load(dir: &Path, name: &str) -> Result<Option<Self>, Error> {
        private_directory(dir)?;
        let chain = read_private(&dir.join(format!("{name}.pem")))?;
        let key = read_private(&dir.join(format!("{name}.key")))?;
        match (chain, key) {
            (Some(chain), Some(key)) => Self::from_pem(&chain, &key).map(Some),
            // The key is written first: alone, it is the left-over of a crash, or half a loss.
            (None, Some(_)) => Err(Error::unusable(
                "the stored certificate",
                format!("`{name}.key` is there without `{name}.pem`; put it back or remove both"),
            )),
            (Some(_), None) => Err(Error::unusable(
                "the stored certificate",
                format!("`{name}.pem` is there without `{name}.key`; put it back or remove both"),
            )),
            (None, None) => Ok(None),
        }
    }

    /// Writes `name.key` and `name.pem` into a private directory. Refuses to replace them.
    pub fn save(&self, dir: &Path, name: &str) -> Result<(), Error> {
        private_directory(dir)?;
        create_private(&dir.join(format!("{name}.key")), self.key_pem.expose())?;
        create_private(&dir.join(format!("{name}.pem")), self.chain_pem().as_bytes())
    }

    /// The chain as PEM text.
    pub fn chain_pem(&self) -> String {
        self.certified.cert.iter().map(|c| pem("CERTIFICATE", c)).collect()
    }

    /// The private key as PEM text.
    pub fn key_pem(&self) -> &Secret {
        &self.key_pem
    }

    /// The chain in DER form, the end entity first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// SHA-256 of the end-entity certificate.
    pub fn fingerprint(&self) -> Digest {
        self.certified.end_entity_cert().map_or(Digest([0; 32]), |c| fingerprint(c))
    }

    /// The last moment the end-entity certificate is valid.
    pub fn expires(&self) -> Result<Timestamp, Error> {
        let unreadable = || Error::unusable("the certificate", "it cannot be read");
        let certificate = self.certified.end_entity_cert().map_err(|_| unreadable())?;
        expiry(certificate).ok_or_else(unreadable)
    }

    pub(crate) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(self.certified.clone()))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, key [secret])", self.fingerprint())
    }
}

/// The last moment a certificate is valid.
pub(crate) fn expiry(certificate: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let seconds = certificate.validity().not_after.timestamp();
    Some(Timestamp(seconds.saturating_mul(1_000_000)))
}

/// PEM text of some DER (RFC 7468): lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut text = format!("-----BEGIN {label}-----\n");
    // 48 bytes are 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
