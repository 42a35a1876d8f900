//! Sign-ins and proofs with more to them: questions, certificates of users and of hosts.

use std::{fs, path::Path};

use lockgate_connector_api::{Error, Kind as Is};
use lockgate_testkit::{
    contract::{CANARY, files::Account, tells_nothing},
    ssh_peer::{Openssh, Shown},
};

use crate::account::{Fields, KEYS, Kind, Opening};

fn by(auth: &str, secrets: Fields) -> Opening {
    let settings = vec![("username", Openssh::user()), ("auth", auth.to_owned())];
    Opening { settings, secrets, ..Opening::usual(Kind::Openssh) }
}

fn password(password: &str) -> (&'static str, String) {
    ("password", password.to_owned())
}

fn key() -> (&'static str, String) {
    ("private_key", KEYS.private("user_plain"))
}

async fn refused(account: Account, kind: Is) -> Error {
    let error = account.test().await.expect_err("it must be refused");
    assert_eq!(error.kind(), kind, "{error} {}", error.private().reveal());
    tells_nothing(&error);
    error
}

#[tokio::test]
async fn a_password_answers_the_one_question_of_a_server() {
    let Some(server) = Openssh::start_asking(&KEYS, CANARY, false, "") else { return };
    let account = |text: &str| by("password", vec![password(text)]).open(server.port()).unwrap();
    refused(account("wrong"), Is::Authentication).await;
    account(CANARY).test().await.unwrap_or_else(|e| panic!("{e} {}", e.private().reveal()));
}

#[tokio::test]
async fn a_server_that_asks_for_more_hears_no_second_answer() {
    let Some(server) = Openssh::start_asking(&KEYS, CANARY, true, "") else { return };
    let error = refused(by("password", vec![password(CANARY)]).open(server.port()).unwrap(), Is::Authentication).await;
    assert_eq!(error.code(), "sftp-questions", "{error}");
    assert!(error.private().reveal().contains("assword"), "{}", error.private().reveal());
}

#[tokio::test]
async fn a_server_may_want_a_key_and_a_password() {
    let both = "AuthenticationMethods publickey,keyboard-interactive\n";
    let Some(server) = Openssh::start_asking(&KEYS, CANARY, false, both) else { return };
    let open = |opening: Opening| opening.open(server.port()).unwrap();
    let error = refused(open(by("key", vec![key()])), Is::Authentication).await;
    assert!(error.to_string().contains("wants more"), "{error}");
    refused(open(by("password", vec![password(CANARY)])), Is::Authentication).await;
    refused(open(by("key-and-password", vec![key(), password("wrong")])), Is::Authentication).await;
    open(by("key-and-password", vec![key(), password(CANARY)])).test().await.unwrap();
}

#[tokio::test]
async fn a_certificate_signs_in_where_its_ca_is_trusted() {
    let only_certificates = format!("TrustedUserCAKeys {}\nAuthorizedKeysFile none\n", public("ca").display());
    let Some(server) = Openssh::start_adding(&KEYS, &only_certificates) else { return };
    let user = Openssh::user();
    let with = |certificate: &Path| {
        let certificate = ("certificate", fs::read_to_string(certificate).unwrap());
        by("key", vec![key(), certificate]).open(server.port())
    };
    refused(by("key", vec![key()]).open(server.port()).unwrap(), Is::Authentication).await;
    for (ca, more) in [
        ("ca_other", ["-n", &*user, "-V", "+1h"]),
        ("ca", ["-n", "somebody", "-V", "+1h"]),
        ("ca", ["-n", &*user, "-V", "20200101:20200102"]),
    ] {
        let account = with(&KEYS.certified(ca, "user_plain", &more)).unwrap();
        refused(account, Is::Authentication).await;
    }
    let good = ["-n", &*user, "-V", "-1m:+1h"];
    with(&KEYS.certified("ca", "user_plain", &good)).unwrap().test().await.unwrap();
    // That of an RSA key, which never signs with SHA-1.
    let rsa = |server: &Openssh| {
        let certificate = fs::read_to_string(KEYS.certified("ca", "user_rsa", &good)).unwrap();
        let secrets = vec![("private_key", KEYS.private("user_rsa")), ("certificate", certificate)];
        by("key", secrets).open(server.port()).unwrap()
    };
    rsa(&server).test().await.unwrap_or_else(|e| panic!("{e} {}", e.private().reveal()));
    assert!(server.log("RSA-CERT") > 0, "it signed in by something else");
    for (algorithms, is_taken) in [("rsa-sha2-512-cert-v01@openssh.com", true), ("ssh-rsa-cert-v01@openssh.com", false)]
    {
        let only = format!("{only_certificates}PubkeyAcceptedAlgorithms {algorithms}\n");
        let Some(server) = Openssh::start_adding(&KEYS, &only) else { return };
        match is_taken {
            true => rsa(&server).test().await.unwrap_or_else(|e| panic!("{e} {}", e.private().reveal())),
            false => drop(refused(rsa(&server), Is::Authentication).await),
        }
    }
    for unusable in [
        KEYS.certified("ca", "user_rsa", &good),
        KEYS.certified("ca", "user_plain", &["-h", "-n", &user]),
        public("user_plain"),
    ] {
        let Err(error) = with(&unusable) else { panic!("opened with {}", unusable.display()) };
        assert_eq!(error.kind(), Is::Configuration);
        tells_nothing(&error);
    }
}

#[tokio::test]
async fn a_host_is_known_by_its_ca() {
    let host = |ca: &str, more: &[&str]| {
        let certificate = KEYS.certified(ca, "host_ed25519", more);
        Openssh::start_adding(&KEYS, &format!("HostCertificate {}\n", certificate.display()))
    };
    let open = |server: &Openssh, host_key: String| {
        Opening { host_key, ..Opening::usual(Kind::Openssh) }.open(server.port()).unwrap()
    };
    let authority = || format!("@cert-authority {}", KEYS.public("ca"));
    // Certificates that prove nothing.
    for (ca, more) in [
        ("ca_other", &["-h", "-n", "localhost", "-V", "-1m:+1h"][..]),
        ("ca", &["-h", "-n", "other.example", "-V", "-1m:+1h"]),
        ("ca", &["-h", "-V", "-1m:+1h"]),
        ("ca", &["-h", "-n", "localhost", "-V", "20200101:20200102"]),
        ("ca", &["-h", "-n", "localhost", "-V", "20980101:20990101"]),
    ] {
        let Some(server) = host(ca, more) else { return };
        let error = refused(open(&server, authority()), Is::Identity).await;
        assert_eq!(error.code(), "sftp-host-certificate", "{more:?}: {error}");
        assert_eq!(server.log("userauth-request"), 0, "{more:?}: somebody signed in");
    }
    // None at all, though the key itself is that of the CA.
    let Some(server) = Openssh::start(&KEYS, Shown::Own) else { return };
    for key in ["ca", "host_ed25519"] {
        let error = refused(open(&server, format!("@cert-authority {}", KEYS.public(key))), Is::Identity).await;
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    // Signed with SHA-1.
    let Some(server) = host("ca_rsa", &["-t", "ssh-rsa", "-h", "-n", "localhost", "-V", "-1m:+1h"]) else { return };
    refused(open(&server, format!("@cert-authority {}", KEYS.public("ca_rsa"))), Is::Identity).await;

    let good = ["-h", "-n", "other.example,LOCALHOST", "-V", "-1m:+1h"];
    for (ca, authority) in [
        ("ca", authority()),
        ("ca", format!("@cert-authority {}", KEYS.fingerprint("ca"))),
        ("ca_rsa", format!("@cert-authority {}", KEYS.public("ca_rsa"))),
    ] {
        let Some(server) = host(ca, &good) else { return };
        open(&server, authority).test().await.unwrap_or_else(|e| panic!("{ca}: {e} {}", e.private().reveal()));
        // Who knows the key needs no certificate.
        open(&server, KEYS.fingerprint("host_ed25519")).test().await.unwrap();
    }
}

fn public(name: &str) -> std::path::PathBuf {
    KEYS.file(&format!("{name}.pub"))
}
