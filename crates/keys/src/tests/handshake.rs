//! Handshakes over memory. A client that refuses has not sent a byte of its request; a server that
//! refuses has not read one (in TLS 1.3 the client may have sent it by then, RFC 8446 §4.4.2).

use std::sync::Arc;

use lockgate_model::{Digest, definition::ServerIdentity};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{DAY_MS, now};
use crate::{
    ALPN_HTTP, Authority, ClientCertificates, Error, Identity, Versions, client_config, presented_fingerprint,
    server_config,
};

const NAME: &str = "api.example";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n";

/// What the client said of it, and what the server got to read.
struct Met {
    client: Result<(), std::io::Error>,
    request: Vec<u8>,
    alpn: Option<Vec<u8>>,
}

async fn meet(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Met {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let served = tokio::spawn(async move {
        let mut request = Vec::new();
        if let Ok(mut stream) = TlsAcceptor::from(server).accept(far).await {
            let mut buffer = [0; REQUEST.len()];
            if stream.read_exact(&mut buffer).await.is_ok() {
                request = buffer.to_vec();
            }
            let _ = stream.write_all(b"ok").await;
            let _ = stream.shutdown().await;
        }
        request
    });
    let mut alpn = None;
    let attempt = async {
        let name = ServerName::try_from(NAME).unwrap();
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        alpn = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        stream.write_all(REQUEST).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        assert_eq!(answer, b"ok");
        Ok(())
    };
    let client = attempt.await;
    Met { client, request: served.await.unwrap(), alpn }
}

async fn refused(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> std::io::Error {
    let met = meet(client, server).await;
    assert!(met.request.is_empty(), "the server read the request");
    met.client.expect_err("the connection stood")
}

fn plain(identity: &Identity) -> Arc<ServerConfig> {
    server_config(identity, &ClientCertificates::None, &[]).unwrap()
}

fn trusting(authority: &Authority, own: Option<&Identity>) -> Arc<ClientConfig> {
    client_config(&ServerIdentity::Ca(authority.certificate_pem()), own, Versions::Both, &[]).unwrap()
}

struct Pki {
    authority: Authority,
    server: Identity,
}

fn pki() -> Pki {
    let authority = Authority::create("test ca", now()).unwrap();
    let server = authority.server(&[NAME], now()).unwrap();
    Pki { authority, server }
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let (ours, theirs) = (pki(), pki());
    let error = refused(trusting(&ours.authority, None), plain(&theirs.server)).await;
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let long_ago = now().plus_ms(-500 * DAY_MS);
    let authority = Authority::create("test ca", long_ago).unwrap();
    let server = authority.server(&[NAME], long_ago).unwrap();
    let error = refused(trusting(&authority, None), plain(&server)).await;
    assert!(error.to_string().contains("xpired"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_refused() {
    let authority = Authority::create("test ca", now()).unwrap();
    let server = authority.server(&[NAME], now().plus_ms(2 * DAY_MS)).unwrap();
    refused(trusting(&authority, None), plain(&server)).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let pki = pki();
    let server = pki.authority.server(&["other.example"], now()).unwrap();
    let error = refused(trusting(&pki.authority, None), plain(&server)).await;
    assert!(error.to_string().contains("name"), "{error}");
}

#[tokio::test]
async fn a_client_certificate_is_no_server_certificate() {
    let pki = pki();
    let posing = pki.authority.client(NAME, now()).unwrap();
    refused(trusting(&pki.authority, None), plain(&posing)).await;
}

#[tokio::test]
async fn a_leaf_cannot_sign_another_certificate() {
    let pki = pki();
    let forged = forge(&pki.server);
    refused(trusting(&pki.authority, None), plain(&forged)).await;
}

/// A certificate signed with a leaf's key, the leaf as its issuer behind it.
fn forge(leaf: &Identity) -> Identity {
    let key = std::str::from_utf8(leaf.key_pem().expose()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_der(&leaf.chain()[0], rcgen::KeyPair::from_pem(key).unwrap());
    let own = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &issuer.unwrap()).unwrap();
    let chain = format!("{}{}", certificate.pem(), leaf.chain_pem());
    Identity::from_pem(chain.as_bytes(), own.serialize_pem().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_wrong_pin_is_refused_and_tells_what_was_shown() {
    let pki = pki();
    let pinned = client_config(&ServerIdentity::Pin(Digest([0; 32])), None, Versions::Both, &[]).unwrap();
    let error = refused(pinned, plain(&pki.server)).await;
    let tls = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()).unwrap();
    assert_eq!(presented_fingerprint(tls), Some(pki.server.fingerprint()));
    assert!(error.to_string().contains("pin"), "{error}");
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_refused() {
    // The thief has the public certificate and a key of its own.
    let pki = pki();
    let thief = pki.authority.server(&[NAME], now()).unwrap();
    let provider = crate::provider();
    let key = rustls_pki_types::pem::PemObject::from_pem_slice(thief.key_pem().expose()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let posing = rustls::sign::CertifiedKey::new(pki.server.chain().to_vec(), key);
    for version in rustls::ALL_VERSIONS {
        #[expect(clippy::disallowed_methods, reason = "the impostor of this test is made in `keys` too")]
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(posing.clone())));
        let pin = ServerIdentity::Pin(pki.server.fingerprint());
        let client = client_config(&pin, None, Versions::Both, &[]).unwrap();
        let error = refused(client, Arc::new(server)).await;
        assert!(error.to_string().contains("ignature"), "{error}");
    }
}

#[tokio::test]
async fn only_the_version_that_is_chosen_is_offered() {
    let pki = pki();
    let identity = ServerIdentity::Ca(pki.authority.certificate_pem());
    let key = pki.server.key_pem();
    let server = |version| {
        let key = rustls_pki_types::pem::PemObject::from_pem_slice(key.expose()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the server of one version of this test is made in `keys` too")]
        let server = ServerConfig::builder_with_provider(crate::provider()).with_protocol_versions(&[version]).unwrap();
        Arc::new(server.with_no_client_auth().with_single_cert(pki.server.chain().to_vec(), key).unwrap())
    };
    let (old, new) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for (chosen, met) in [(None, [true, true]), (Some("1.3"), [false, true]), (Some("1.2"), [true, false])] {
        let settings = chosen.map(|name| ("tls_version".to_owned(), name.to_owned())).into_iter().collect();
        for (version, is_met) in [old, new].into_iter().zip(met) {
            let client = client_config(&identity, None, Versions::chosen(&settings), &[]).unwrap();
            let outcome = meet(client, server(version)).await.client;
            assert_eq!(outcome.is_ok(), is_met, "{chosen:?} {:?}: {outcome:?}", version.version);
        }
    }
}

#[tokio::test]
async fn a_required_client_certificate_is_required() {
    let (ours, theirs) = (pki(), pki());
    let trust = ours.authority.trust().unwrap();
    let required = server_config(&ours.server, &ClientCertificates::Required(trust.clone()), &[]).unwrap();
    let foreign = theirs.authority.client("agent", now()).unwrap();
    let as_server = ours.authority.server(&["agent"], now()).unwrap();
    for own in [None, Some(&foreign), Some(&as_server)] {
        refused(trusting(&ours.authority, own), required.clone()).await;
    }
    let own = ours.authority.client("agent", now()).unwrap();
    let met = meet(trusting(&ours.authority, Some(&own)), required).await;
    met.client.unwrap();
    assert_eq!(met.request, REQUEST);

    // Optional: none is fine, a foreign one is not.
    let optional = server_config(&ours.server, &ClientCertificates::Optional(trust), &[]).unwrap();
    let met = meet(trusting(&ours.authority, None), optional.clone()).await;
    met.client.unwrap();
    refused(trusting(&ours.authority, Some(&foreign)), optional).await;
}

#[tokio::test]
async fn a_shown_client_certificate_is_anybodys_who_holds_its_key_and_nobody_elses() {
    let (ours, theirs) = (pki(), pki());
    let shown = server_config(&ours.server, &ClientCertificates::Shown, &[]).unwrap();
    let foreign = theirs.authority.client("agent", now()).unwrap();
    for own in [None, Some(&foreign)] {
        let met = meet(trusting(&ours.authority, own), shown.clone()).await;
        met.client.unwrap();
        assert_eq!(met.request, REQUEST);
    }
    // The thief has the public certificate and a key of its own.
    let thief = theirs.authority.client("agent", now()).unwrap();
    let key = rustls_pki_types::pem::PemObject::from_pem_slice(thief.key_pem().expose()).unwrap();
    let key = crate::provider().key_provider.load_private_key(key).unwrap();
    let posing = rustls::sign::CertifiedKey::new(foreign.chain().to_vec(), key);
    let posing = Arc::new(rustls::sign::SingleCertAndKey::from(posing));
    for version in rustls::ALL_VERSIONS {
        let mut client = (*trusting(&ours.authority, None)).clone();
        client.client_auth_cert_resolver = posing.clone();
        #[expect(clippy::disallowed_methods, reason = "a server of one version is made for this test in `keys` too")]
        let server = ServerConfig::builder_with_provider(crate::provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(Arc::new(crate::shown::HolderVerifier::new(&crate::provider())))
            .with_cert_resolver(ours.server.resolver());
        refused(Arc::new(client), Arc::new(server)).await;
    }
}

#[tokio::test]
async fn the_machines_roots_do_not_know_our_authority() {
    let pki = pki();
    // A machine without any roots refuses even earlier.
    if let Ok(client) = client_config(&ServerIdentity::System, None, Versions::Both, &[]) {
        refused(client, plain(&pki.server)).await;
    }
}

#[test]
fn a_host_key_is_no_tls_identity() {
    let identity = ServerIdentity::HostKey("ssh-ed25519 AAAA".to_owned());
    assert!(matches!(client_config(&identity, None, Versions::Both, &[]), Err(Error::NotTls)));
}

#[tokio::test]
async fn the_right_server_is_met_by_authority_and_by_pin() {
    let pki = pki();
    let server = server_config(&pki.server, &ClientCertificates::None, ALPN_HTTP).unwrap();
    let by_authority = ServerIdentity::Ca(pki.authority.certificate_pem());
    let by_pin = ServerIdentity::Pin(pki.server.fingerprint());
    for identity in [by_authority, by_pin] {
        let client = client_config(&identity, None, Versions::Both, ALPN_HTTP).unwrap();
        let met = meet(client, server.clone()).await;
        met.client.unwrap();
        assert_eq!(met.request, REQUEST);
        assert_eq!(met.alpn.as_deref(), Some(&b"h2"[..]));
    }
}
