//! Old servers: refused unless the account admits what they offer, by name.

use lockgate_connector_api::{Error, Kind as Is};
use lockgate_testkit::{contract::tells_nothing, ssh_peer::Openssh};

use crate::account::{KEYS, Kind, Opening};

const OLD: &str =
    "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1\nCiphers aes128-cbc\nMACs hmac-sha1\n";

async fn tested(server: &Openssh, admitted: Option<&str>) -> Result<(), Error> {
    let mut opening = Opening::usual(Kind::Openssh);
    opening.settings.extend(admitted.map(|names| ("legacy_algorithms", names.to_owned())));
    opening.open(server.port()).unwrap().test().await
}

#[tokio::test]
async fn an_old_server_is_refused_by_what_it_offers() {
    let Some(server) = Openssh::start_adding(&KEYS, OLD) else { return };
    for (admitted, offered) in [
        (None, "for key exchange it offers: diffie-hellman-group1-sha1, diffie-hellman-group14-sha1"),
        (Some("diffie-hellman-group14-sha1"), "for encryption it offers: aes128-cbc"),
        (Some("diffie-hellman-group14-sha1 aes256-cbc"), "for encryption it offers: aes128-cbc"),
        (Some("diffie-hellman-group1-sha1 aes128-cbc"), "for integrity it offers: hmac-sha1"),
    ] {
        let error = tested(&server, admitted).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Is::Identity, "sftp-algorithms"), "{admitted:?}: {error}");
        assert!(error.to_string().contains("`legacy_algorithms`"), "{error}");
        assert!(error.private().reveal().starts_with(offered), "{admitted:?}: {}", error.private().reveal());
        tells_nothing(&error);
    }
    assert_eq!(server.log("userauth-request"), 0, "somebody signed in");
}

#[tokio::test]
async fn a_group_exchange_with_sha_1_is_refused() {
    let only = "diffie-hellman-group-exchange-sha1";
    let Some(server) = Openssh::start_adding(&KEYS, &format!("KexAlgorithms {only}\n")) else { return };
    let error = tested(&server, None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Is::Identity, "sftp-algorithms"), "{error}");
    let told = error.private().reveal();
    assert!(told.starts_with(&format!("for key exchange it offers: {only}")), "{told}");
    assert_eq!(server.log("userauth-request"), 0, "somebody signed in");
}

#[tokio::test]
async fn an_old_server_is_taken_by_what_is_admitted() {
    let Some(server) = Openssh::start_adding(&KEYS, OLD) else { return };
    for kex in ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"] {
        let admitted = format!("{kex} aes128-cbc hmac-sha1");
        tested(&server, Some(&admitted)).await.unwrap_or_else(|e| panic!("{e} {}", e.private().reveal()));
    }
    for (admitted, only) in [
        ("ecdh-sha2-nistp384", "KexAlgorithms ecdh-sha2-nistp384\n"),
        ("aes256-cbc", "Ciphers aes256-cbc\nMACs hmac-sha2-256\n"),
        ("hmac-sha1-etm@openssh.com", "Ciphers aes128-ctr\nMACs hmac-sha1-etm@openssh.com\n"),
    ] {
        let Some(server) = Openssh::start_adding(&KEYS, only) else { return };
        assert_eq!(tested(&server, None).await.unwrap_err().kind(), Is::Identity, "{only}");
        tested(&server, Some(admitted)).await.unwrap_or_else(|e| panic!("{only}: {e} {}", e.private().reveal()));
    }
}

/// What is admitted is not what is wished for.
#[tokio::test]
async fn a_server_that_can_do_better_does() {
    let old = "diffie-hellman-group14-sha1 aes128-cbc hmac-sha1";
    let and = "KexAlgorithms diffie-hellman-group14-sha1,curve25519-sha256\nCiphers aes128-cbc,aes256-ctr\nMACs hmac-sha1,hmac-sha2-256\n";
    let Some(server) = Openssh::start_adding(&KEYS, and) else { return };
    tested(&server, Some(old)).await.unwrap();
    assert!(server.log("kex: algorithm: curve25519-sha256") > 0);
    assert!(server.log("cipher: aes256-ctr MAC: hmac-sha2-256") > 0);
    assert_eq!(server.log("cipher: aes128-cbc"), 0);
}
