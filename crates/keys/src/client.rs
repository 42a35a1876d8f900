//! The one maker of TLS client configurations.

use std::sync::Arc;

use lockgate_model::definition::ServerIdentity;
use rustls::{ClientConfig, client::WebPkiServerVerifier, client::danger::ServerCertVerifier, crypto::CryptoProvider};

use crate::{Error, Identity, TrustRoots, pin::PinVerifier, provider};

/// A configuration for connections to one server, TLS 1.3 or 1.2. The server proves itself as
/// `server` says; we prove ourselves with `own`, if the server asks. `alpn` in order of preference.
///
/// Loads the machine's roots for [`ServerIdentity::System`]: call it once per account, not per
/// connection.
pub fn client_config(
    server: &ServerIdentity,
    own: Option<&Identity>,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, Error> {
    let provider = provider();
    let verifier: Arc<dyn ServerCertVerifier> = match server {
        ServerIdentity::Ca(pem) => {
            let roots = TrustRoots::from_pem(pem.as_bytes())?;
            WebPkiServerVerifier::builder_with_provider(roots.store(), provider.clone())
                .build()
                .map_err(|e| Error::unusable("the CA certificate", e))?
        }
        ServerIdentity::System => Arc::new(
            rustls_platform_verifier::Verifier::new(provider.clone())
                .map_err(|e| Error::unusable("this machine's root certificates", e))?,
        ),
        ServerIdentity::Pin(digest) => Arc::new(PinVerifier::new(*digest, &provider)),
        ServerIdentity::HostKey(_) => return Err(Error::NotTls),
    };
    made(provider, verifier, own, alpn)
}

/// A configuration for connections to any server that a public authority vouches for, or one of `more`, PEM text.
/// TLS 1.3 or 1.2; we do not prove ourselves.
pub fn public_client_config(more: Option<&str>, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, Error> {
    let provider = provider();
    let more = more.map_or(Ok(Vec::new()), |pem| TrustRoots::certificates(pem.as_bytes()))?;
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(more, provider.clone())
        .map_err(|e| Error::unusable("this machine's root certificates", e))?;
    made(provider, Arc::new(verifier), None, alpn)
}

fn made(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    own: Option<&Identity>,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, Error> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes client configurations")]
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::Provider("offer TLS 1.2 and 1.3"))?
        // "Dangerous" because a verifier is handed over: each of those above verifies.
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match own {
        Some(own) => builder.with_client_cert_resolver(own.resolver()),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
