use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

use super::now;
use crate::{Authority, Identity};

fn entry(identity: &Identity, local_id: &str) -> KeyStoreEntry {
    let key = PrivatePkcs8KeyDer::from_pem_slice(identity.key_pem().expose()).unwrap();
    let chain = identity.chain().iter().map(|c| Certificate::from_der(c));
    KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(
        local_id,
        PrivateKey::from_der(key.secret_pkcs8_der()).unwrap(),
        chain.collect::<Result<Vec<_>, _>>().unwrap(),
    ))
}

fn refusal(file: &[u8], password: &str) -> String {
    Identity::from_pkcs12(file, password).unwrap_err().to_string()
}

#[test]
fn a_wrong_password_no_key_two_keys_and_rubbish_are_told_apart() {
    let authority = Authority::create("test ca", now()).unwrap();
    let one = authority.client("one", now()).unwrap();
    let mut store = KeyStore::new();
    store.add_entry("one", entry(&one, "1"));
    let file = store.writer("right").write().unwrap();
    let refused = refusal(&file, "wrong");
    assert!(refused.contains("password is wrong"), "{refused}");

    store.add_entry("two", entry(&authority.client("two", now()).unwrap(), "2"));
    let file = store.writer("right").write().unwrap();
    let refused = refusal(&file, "right");
    assert!(refused.contains("holds 2 private keys"), "{refused}");

    let mut certificates = KeyStore::new();
    let certificate = Certificate::from_der(&one.chain()[0]).unwrap();
    certificates.add_entry("one", KeyStoreEntry::Certificate(certificate));
    let file = certificates.writer("right").write().unwrap();
    let refused = refusal(&file, "right");
    assert!(refused.contains("no private key"), "{refused}");

    for rubbish in [&b""[..], b"rubbish", &[0x30, 0x82, 0xff, 0xff]] {
        let refused = refusal(rubbish, "right");
        assert!(refused.contains("not a PKCS#12 file"), "{refused}");
    }
}

#[test]
fn a_file_with_one_key_becomes_an_identity() {
    let authority = Authority::create("test ca", now()).unwrap();
    let one = authority.client("one", now()).unwrap();
    let mut store = KeyStore::new();
    store.add_entry("one", entry(&one, "1"));
    let file = store.writer("right").write().unwrap();
    let read = Identity::from_pkcs12(&file, "right").unwrap();
    assert_eq!(read.fingerprint(), one.fingerprint());
    // It can be written as PEM and read again.
    let again = Identity::from_pem(read.chain_pem().as_bytes(), read.key_pem().expose()).unwrap();
    assert_eq!(again.fingerprint(), one.fingerprint());
}
