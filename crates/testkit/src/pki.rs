//! A PKI for tests: one CA that is trusted, one that is not, and every server certificate that a
//! client must refuse.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::Engine as _;
use lockgate_model::{Digest, definition::ServerIdentity};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};

/// What is wrong with a server's certificate, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Nothing: `localhost`, 127.0.0.1, `::1`.
    Good,
    /// Ended in 2021.
    Expired,
    /// Begins in 2090.
    NotYetValid,
    /// Issued for another host.
    WrongHost,
    /// Issued by a CA that nobody trusts.
    UnknownCa,
    /// Signed by its own key.
    SelfSigned,
    /// For clients only.
    WrongUsage,
    /// The host stands in the common name alone.
    CommonNameOnly,
}

impl Server {
    /// All that must be refused.
    pub const BAD: [Server; 7] = [
        Server::Expired,
        Server::NotYetValid,
        Server::WrongHost,
        Server::UnknownCa,
        Server::SelfSigned,
        Server::WrongUsage,
        Server::CommonNameOnly,
    ];
}

/// The CAs. Certificates are made when asked for.
pub struct Pki {
    trusted: CertifiedIssuer<'static, KeyPair>,
    unknown: CertifiedIssuer<'static, KeyPair>,
    shown: Mutex<Option<Digest>>,
}

/// A certificate with its key.
pub struct Identity {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its key, PKCS#8.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// With a key of RSA, signed by itself.
    pub fn of_rsa() -> Self {
        let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        Self { certificate: certificate.der().clone(), key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
    }

    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The key in PEM.
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", self.key.secret_der())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

impl Default for Pki {
    fn default() -> Self {
        Self::new()
    }
}

impl Pki {
    /// New keys, new CAs.
    pub fn new() -> Self {
        Self { trusted: authority("Test CA"), unknown: authority("Unknown CA"), shown: Mutex::default() }
    }

    /// The trusted CA's certificate in PEM.
    pub fn ca_pem(&self) -> String {
        self.trusted.pem()
    }

    /// A server's certificate.
    pub fn server(&self, kind: Server) -> Identity {
        let names: &[&str] = match kind {
            Server::WrongHost => &["other.example"],
            Server::CommonNameOnly => &[],
            _ => &["localhost", "127.0.0.1", "::1"],
        };
        let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match kind {
            Server::WrongUsage => ExtendedKeyUsagePurpose::ClientAuth,
            _ => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        match kind {
            Server::Expired => params.not_after = date_time_ymd(2021, 1, 1),
            Server::NotYetValid => params.not_before = date_time_ymd(2090, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match kind {
            Server::UnknownCa => params.signed_by(&key, &self.unknown).unwrap(),
            Server::SelfSigned => params.self_signed(&key).unwrap(),
            _ => params.signed_by(&key, &self.trusted).unwrap(),
        };
        *self.shown.lock().unwrap() = Some(lockgate_keys::fingerprint(certificate.der()));
        identity(certificate.der().clone(), &key)
    }

    /// A client's certificate of the trusted CA, or of the unknown one.
    pub fn client(&self, name: &str, trusted: bool) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let issuer = if trusted { &self.trusted } else { &self.unknown };
        identity(params.signed_by(&key, issuer).unwrap().der().clone(), &key)
    }

    /// A server's configuration. With `client_certificate` it refuses clients without one of the
    /// trusted CA.
    #[expect(
        clippy::disallowed_methods,
        reason = "the peers of tests stand outside the product, whose configurations `keys` makes"
    )]
    pub fn server_config(&self, kind: Server, client_certificate: bool, alpn: &[&str]) -> Arc<ServerConfig> {
        let Identity { certificate, key } = self.server(kind);
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if client_certificate {
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
        config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// A client's configuration that trusts the trusted CA alone.
    pub fn client_config(&self, own: Option<Identity>) -> Arc<ClientConfig> {
        self.client_config_for(&ServerIdentity::Ca(self.ca_pem()), own, &BTreeMap::new())
    }

    /// A client's configuration for a server that proves itself so, as the product makes it for an account of these settings.
    pub fn client_config_for(
        &self,
        server: &ServerIdentity,
        own: Option<Identity>,
        settings: &BTreeMap<String, String>,
    ) -> Arc<ClientConfig> {
        let own = own.map(|own| {
            let (certificate, key) = (own.certificate_pem(), own.key_pem());
            lockgate_keys::Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
        });
        let versions = lockgate_keys::Versions::chosen(settings);
        lockgate_keys::client_config(server, own.as_ref(), versions, lockgate_keys::ALPN_HTTP).unwrap()
    }

    /// The digest of the server's certificate that was made last.
    pub fn shown(&self) -> Digest {
        self.shown.lock().unwrap().expect("no server has a certificate yet")
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.der().clone()).unwrap();
        roots
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn identity(certificate: CertificateDer<'static>, key: &KeyPair) -> Identity {
    Identity { certificate, key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())) }
}
