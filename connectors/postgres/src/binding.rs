//! Channel binding `tls-server-end-point` (RFC 5929 §4): the password's proof holds for the server
//! whose certificate we saw, and for no other.

use aws_lc_rs::digest::{self, Algorithm};
use lockgate_connector_api::{Error, Kind};
use rustls::pki_types::CertificateDer;
use x509_parser::{oid_registry as oid, prelude::*, signature_algorithm::SignatureAlgorithm};

/// The hash of the server's certificate that both sides compare.
pub(crate) fn of(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    let unknown = || {
        Error::new(
            Kind::Identity,
            "postgres-binding",
            "the server's certificate has a signature that SCRAM cannot bind to (RSA or ECDSA with SHA-2 can be)",
        )
    };
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| unknown())?;
    let algorithm = hash(&parsed).ok_or_else(unknown)?;
    Ok(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// The hash of the certificate's signature; SHA-256 in the place of MD5 and SHA-1.
fn hash(certificate: &X509Certificate<'_>) -> Option<&'static Algorithm> {
    let signature = &certificate.signature_algorithm;
    let algorithm = SignatureAlgorithm::try_from(signature);
    let hash = match &algorithm {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => parameters.hash_algorithm_oid(),
        _ => &signature.algorithm,
    };
    let is = |one_of: &[oid::Oid<'_>]| one_of.contains(hash);
    if is(&[
        oid::OID_PKCS1_SHA256WITHRSA,
        oid::OID_SIG_ECDSA_WITH_SHA256,
        oid::OID_NIST_HASH_SHA256,
        oid::OID_PKCS1_SHA1WITHRSA,
        oid::OID_PKCS1_MD5WITHRSAENC,
        oid::OID_HASH_SHA1,
    ]) {
        Some(&digest::SHA256)
    } else if is(&[oid::OID_PKCS1_SHA384WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA384, oid::OID_NIST_HASH_SHA384]) {
        Some(&digest::SHA384)
    } else if is(&[oid::OID_PKCS1_SHA512WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA512, oid::OID_NIST_HASH_SHA512]) {
        Some(&digest::SHA512)
    } else {
        None
    }
}
