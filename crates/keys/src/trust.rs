//! Authorities that somebody else runs: whose signature on a certificate we believe.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::Error;

/// One or more trusted authorities.
#[derive(Debug, Clone)]
pub struct TrustRoots(Arc<RootCertStore>);

impl TrustRoots {
    /// From PEM text with one or more certificates. One that cannot be read refuses the whole.
    pub fn from_pem(text: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in Self::certificates(text)? {
            roots.add(certificate).map_err(|e| Error::unusable("the CA certificate", e))?;
        }
        Ok(Self(Arc::new(roots)))
    }

    /// The certificates of a PEM text, of which there is one at least.
    pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
        let unreadable = |_| Error::unusable("the CA certificate", "its PEM text cannot be read");
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let all = all.map_err(unreadable)?;
        if all.is_empty() {
            return Err(Error::unusable(
                "the CA certificate",
                "there is none in the text; it begins with `-----BEGIN CERTIFICATE-----`",
            ));
        }
        Ok(all)
    }

    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        self.0.clone()
    }
}
