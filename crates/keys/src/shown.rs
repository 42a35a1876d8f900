//! Certificates that clients show without any authority that both trust: the handshake proves that the
//! client holds the key, and nothing more. Whose certificate it is, somebody who knows has to have said.

use lockgate_model::{Digest, Timestamp};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{Error, TrustRoots, fingerprint};

/// A client's certificate, as far as it is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownCertificate {
    /// SHA-256 of the certificate.
    pub certificate: Digest,
    /// SHA-256 of its public key (the SubjectPublicKeyInfo of RFC 5280 §4.1), which stays when a certificate
    /// is renewed.
    pub public_key: Digest,
    /// The first moment it is valid.
    pub from: Timestamp,
    /// The last moment it is valid.
    pub until: Timestamp,
}

impl ShownCertificate {
    /// From a certificate in DER form.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (_, read) = x509_parser::parse_x509_certificate(der)
            .map_err(|_| Error::unusable("the certificate of the client", "it cannot be read"))?;
        let at = |seconds: i64| Timestamp(seconds.saturating_mul(1_000_000));
        Ok(Self {
            certificate: fingerprint(der),
            public_key: Digest::of(read.public_key().raw),
            from: at(read.validity().not_before.timestamp()),
            until: at(read.validity().not_after.timestamp()),
        })
    }

    /// From the one certificate of a PEM text (RFC 7468).
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        match TrustRoots::certificates(text.as_bytes())?.as_slice() {
            [one] => Self::from_der(one),
            _ => Err(Error::unusable("the certificate of the client", "the text holds several; give its own alone")),
        }
    }
}

/// Asks for a certificate and takes any whose key the client proves to hold, or none.
#[derive(Debug)]
pub(crate) struct HolderVerifier {
    algorithms: WebPkiSupportedAlgorithms,
}

impl HolderVerifier {
    pub(crate) fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for HolderVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// No authority is asked: what this says is that it is a certificate. It lets nobody in by itself.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        ShownCertificate::from_der(end_entity)
            .map(|_| ClientCertVerified::assertion())
            .map_err(|_| TlsError::InvalidCertificate(CertificateError::BadEncoding))
    }

    // A certificate is public: only the handshake's signature shows that the client holds its key.
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
