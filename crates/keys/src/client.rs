//! The one maker of TLS client configurations.

use std::{collections::BTreeMap, sync::Arc};

use lockgate_model::definition::ServerIdentity;
use rustls::{
    ClientConfig, SupportedProtocolVersion,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    version::{TLS12, TLS13},
};

use crate::{Error, Identity, TrustRoots, pin::PinVerifier, provider};

/// The versions of TLS that are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// 1.3, and 1.2 for servers that know no better.
    #[default]
    Both,
    /// RFC 8446 alone.
    Tls13,
    /// RFC 5246 alone.
    Tls12,
}

impl Versions {
    /// As an account chooses, by the field that every connector with TLS has.
    pub fn chosen(settings: &BTreeMap<String, String>) -> Self {
        match settings.get("tls_version").map(String::as_str) {
            Some("1.3") => Self::Tls13,
            Some("1.2") => Self::Tls12,
            _ => Self::Both,
        }
    }

    fn offered(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        let [new, old] = BOTH.each_ref();
        match self {
            Self::Both => &BOTH,
            Self::Tls13 => std::slice::from_ref(new),
            Self::Tls12 => std::slice::from_ref(old),
        }
    }
}

/// A configuration for connections to one server. The server proves itself as
/// `server` says; we prove ourselves with `own`, if the server asks. `alpn` in order of preference.
///
/// Loads the machine's roots for [`ServerIdentity::System`]: call it once per account, not per
/// connection.
pub fn client_config(
    server: &ServerIdentity,
    own: Option<&Identity>,
    versions: Versions,
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
    made(provider, verifier, own, versions, alpn)
}

/// A configuration for connections to any server that a public authority vouches for, or one of `more`, PEM text.
/// We do not prove ourselves.
pub fn public_client_config(more: Option<&str>, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, Error> {
    let provider = provider();
    let more = more.map_or(Ok(Vec::new()), |pem| TrustRoots::certificates(pem.as_bytes()))?;
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(more, provider.clone())
        .map_err(|e| Error::unusable("this machine's root certificates", e))?;
    made(provider, Arc::new(verifier), None, Versions::Both, alpn)
}

fn made(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    own: Option<&Identity>,
    versions: Versions,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, Error> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes client configurations")]
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions.offered())
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
