//! Strict key exchange (the remedy of CVE-2023-48795): without it, ciphers with which somebody in the middle
//! could cut off the beginning of what is sent are refused before anybody signs in.
//!
//! The servers at hand all have it, so the one here is the SSH library's, told to offer none.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use lockgate_connector_api::{Error, Kind as Is};
use lockgate_testkit::contract::tells_nothing;
use russh::{
    Preferred, cipher, kex,
    keys::PrivateKey,
    mac,
    server::{Auth, Config, Handler, VerifiedPublicKey, run_stream},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::account::{KEYS, Kind, Opening};

/// A server that lets nobody in.
struct Closed {
    port: u16,
    /// How many tried to sign in.
    tried: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Door(Arc<AtomicUsize>);

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Auth::reject())
    }
}

impl Closed {
    async fn start(strict: bool, ciphers: &'static [cipher::Name], macs: &'static [mac::Name]) -> Self {
        let strict = strict.then_some(kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER);
        let config = Arc::new(Config {
            keys: vec![PrivateKey::from_openssh(KEYS.private("host_ed25519")).unwrap()],
            preferred: Preferred {
                kex: Cow::Owned([kex::CURVE25519].into_iter().chain(strict).collect()),
                cipher: Cow::Borrowed(ciphers),
                mac: Cow::Borrowed(macs),
                ..Preferred::default()
            },
            ..Config::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, tried) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let door = Door(Arc::clone(&tried));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(session) = run_stream(Arc::clone(&config), stream, door.clone()).await {
                    tokio::spawn(session);
                }
            }
        });
        Self { port, tried, serving }
    }

    async fn refuses(&self, admitted: &str) -> Error {
        let mut opening = Opening::usual(Kind::Openssh);
        opening.settings.push(("legacy_algorithms", admitted.to_owned()));
        let error = opening.open(self.port).unwrap().test().await.expect_err("nobody is let in");
        tells_nothing(&error);
        error
    }

    fn tried(&self) -> usize {
        self.tried.load(Ordering::SeqCst)
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// By cipher and integrity: what must be admitted first, and whether it is safe without.
const WAYS: [(cipher::Name, mac::Name, &str, bool); 5] = [
    (cipher::CHACHA20_POLY1305, mac::HMAC_SHA256, "", false),
    (cipher::AES_128_CBC, mac::HMAC_SHA256_ETM, "aes128-cbc", false),
    (cipher::AES_128_CBC, mac::HMAC_SHA256, "aes128-cbc", true),
    (cipher::AES_256_GCM, mac::HMAC_SHA256, "", true),
    (cipher::AES_256_CTR, mac::HMAC_SHA256_ETM, "", true),
];

#[tokio::test]
async fn a_server_without_strict_key_exchange_is_taken_with_safe_ciphers_alone() {
    for (cipher, mac, admitted, is_safe) in WAYS {
        for strict in [false, true] {
            let what = format!("{} {} strict {strict}", cipher.as_ref(), mac.as_ref());
            let server = Closed::start(strict, vec![cipher].leak(), vec![mac].leak()).await;
            let error = server.refuses(admitted).await;
            if is_safe || strict {
                assert_eq!(error.kind(), Is::Authentication, "{what}: {error} {}", error.private().reveal());
                assert!(server.tried() > 0, "{what}");
            } else {
                assert_eq!((error.kind(), error.code()), (Is::Identity, "sftp-algorithms"), "{what}: {error}");
                assert!(error.to_string().contains("strict key exchange"), "{what}: {error}");
                assert_eq!(server.tried(), 0, "{what}: somebody tried to sign in");
            }
        }
    }
}
