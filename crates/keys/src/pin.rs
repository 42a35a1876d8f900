//! A server known by its certificate alone: neither chain, name nor dates matter.

use std::{fmt, sync::Arc};

use lockgate_model::Digest;
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::fingerprint;

/// Accepts the one certificate that has the pinned SHA-256, if the server holds its key.
#[derive(Debug)]
pub(crate) struct PinVerifier {
    pin: Digest,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinVerifier {
    pub(crate) fn new(pin: Digest, provider: &CryptoProvider) -> Self {
        Self { pin, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let presented = fingerprint(end_entity);
        if presented == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let mismatch: Arc<dyn std::error::Error + Send + Sync> = Arc::new(PinMismatch { presented });
        Err(TlsError::InvalidCertificate(CertificateError::Other(OtherError(mismatch))))
    }

    // A certificate is public: only the handshake's signature shows that the server holds its key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The server showed another certificate than the pinned one.
struct PinMismatch {
    presented: Digest,
}

impl fmt::Display for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server's certificate is not the pinned one but {}; compare it with its owner, then pin it",
            self.presented
        )
    }
}

/// The same text: rustls prints the `Debug` form of foreign errors to people.
impl fmt::Debug for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PinMismatch {}

/// The fingerprint a server showed in a handshake that failed for its pin: what a person is asked
/// to compare. Connecting with a pin that no certificate has is the way to learn it, and sends
/// nothing.
pub fn presented_fingerprint(error: &TlsError) -> Option<Digest> {
    match error {
        TlsError::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            other.downcast_ref::<PinMismatch>().map(|m| m.presented)
        }
        _ => None,
    }
}
