//! The one maker of TLS server configurations.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{Error, Identity, TrustRoots, provider, shown::HolderVerifier};

/// Whether clients prove themselves with a certificate.
#[derive(Debug, Clone)]
pub enum ClientCertificates {
    /// They are not asked.
    None,
    /// They are asked; one that is shown must come from these authorities.
    Optional(TrustRoots),
    /// They are asked, and need not show one. Any is taken whose key the client holds: by itself it lets
    /// nobody in, whoever reads it has to know whose it is ([`ShownCertificate`](crate::ShownCertificate)).
    Shown,
    /// Without one from these authorities there is no connection.
    Required(TrustRoots),
}

/// A configuration for a listener, TLS 1.3 or 1.2. `alpn` in order of preference.
pub fn server_config(own: &Identity, clients: &ClientCertificates, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, Error> {
    let provider = provider();
    let verifier = |roots: &TrustRoots| WebPkiClientVerifier::builder_with_provider(roots.store(), provider.clone());
    let holder: Arc<dyn ClientCertVerifier> = Arc::new(HolderVerifier::new(&provider));
    let verifier = match clients {
        ClientCertificates::None => Ok(WebPkiClientVerifier::no_client_auth()),
        ClientCertificates::Shown => Ok(holder),
        ClientCertificates::Optional(roots) => verifier(roots).allow_unauthenticated().build(),
        ClientCertificates::Required(roots) => verifier(roots).build(),
    }
    .map_err(|e| Error::unusable("the CA certificate of the clients", e))?;
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes server configurations")]
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::Provider("offer TLS 1.2 and 1.3"))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(own.resolver());
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
