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
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate =
                certificate.map_err(|_| Error::unusable("the CA certificate", "its PEM text cannot be read"))?;
            roots.add(certificate).map_err(|e| Error::unusable("the CA certificate", e))?;
        }
        if roots.is_empty() {
            return Err(Error::unusable(
                "the CA certificate",
                "there is none in the text; it begins with `-----BEGIN CERTIFICATE-----`",
            ));
        }
        Ok(Self(Arc::new(roots)))
    }

    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        self.0.clone()
    }
}
