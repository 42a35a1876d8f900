use lockgate_model::Timestamp;
use x509_parser::{extensions::GeneralName, prelude::*};

use super::{DAY_MS, now};
use crate::{Authority, Identity, LEAF_DAYS_MAX, TrustRoots};

const AT: Timestamp = Timestamp(1_760_000_000_000_000);

#[test]
fn a_certificate_needs_real_names() {
    let authority = Authority::create("test ca", AT).unwrap();
    assert!(authority.server(&[], AT).is_err());
    for bad in ["", "a b", "http://a.example", "a.example:443", "ä.example"] {
        assert!(authority.server(&[bad], AT).is_err(), "`{bad}` was taken");
    }
}

#[test]
fn an_issued_certificate_says_what_it_must() {
    let authority = Authority::create("test ca", AT).unwrap();
    let server = authority.server(&["api.example", "127.0.0.1", "::1"], AT).unwrap();
    let (_, certificate) = parse_x509_certificate(&server.chain()[0]).unwrap();
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names.len(), 3);
    assert!(matches!(names[0], GeneralName::DNSName("api.example")));
    assert!(matches!(names[1], GeneralName::IPAddress([127, 0, 0, 1])));
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    assert!(!certificate.is_ca());
    let validity = certificate.validity();
    let days = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400;
    assert_eq!(days, LEAF_DAYS_MAX);
    assert_eq!(server.expires().unwrap().ms() / 1000, validity.not_after.timestamp());

    let again = authority.server(&["api.example"], AT).unwrap();
    let (_, other) = parse_x509_certificate(&again.chain()[0]).unwrap();
    assert_ne!(certificate.raw_serial(), other.raw_serial());
    assert_eq!(certificate.raw_serial().len(), 16);

    let client = authority.client("agent-7", AT).unwrap();
    let (_, certificate) = parse_x509_certificate(&client.chain()[0]).unwrap();
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
}

#[test]
fn nothing_outlives_the_authority() {
    let authority = Authority::create("test ca", AT).unwrap();
    let late = AT.plus_ms(3600 * DAY_MS);
    let leaf = authority.server(&["a.example"], late).unwrap();
    assert_eq!(leaf.expires().unwrap(), AT.plus_ms(3650 * DAY_MS));
}

#[test]
fn a_saved_authority_is_the_same_and_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca");
    assert!(Authority::load(&ca).unwrap().is_none());
    let first = Authority::open_or_create(&ca, "test ca", AT).unwrap();
    let second = Authority::open_or_create(&ca, "another name", AT).unwrap();
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert!(Authority::create("x", AT).unwrap().save(&ca).is_err());
    assert_eq!(Authority::load(&ca).unwrap().unwrap().fingerprint(), first.fingerprint());
    std::fs::remove_file(ca.join("ca.pem")).unwrap();
    let refused = Authority::open_or_create(&ca, "x", AT).unwrap_err().to_string();
    assert!(refused.contains("without `ca.pem`"), "{refused}");
}

#[test]
fn a_saved_identity_comes_back_and_foreign_keys_do_not_fit() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::create("test ca", now()).unwrap();
    let one = authority.server(&["a.example"], now()).unwrap();
    let two = authority.server(&["a.example"], now()).unwrap();
    let keys = dir.path().join("tls");
    one.save(&keys, "server").unwrap();
    let loaded = Identity::load(&keys, "server").unwrap().unwrap();
    assert_eq!(loaded.fingerprint(), one.fingerprint());

    let refused = Identity::from_pem(one.chain_pem().as_bytes(), two.key_pem().expose());
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("does not belong"), "{refused}");
    assert!(Identity::from_pem(b"", one.key_pem().expose()).is_err());
    assert!(Identity::from_pem(one.chain_pem().as_bytes(), b"").is_err());
    assert!(!format!("{one:?}").contains("BEGIN"));
}

#[test]
fn trust_without_a_certificate_is_refused() {
    for bad in [
        "",
        "nothing",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        assert!(TrustRoots::from_pem(bad.as_bytes()).is_err(), "`{bad}`");
    }
}

#[test]
fn a_kept_certificate_is_the_same_until_it_ends_soon_or_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let authority = Authority::create("ours", AT).unwrap();
    let names = ["localhost", "127.0.0.1", "::1"];
    let kept = |authority: &Authority, names: &[&str], days: i64| {
        authority.kept_server(&dir, names, AT.plus_ms(days * DAY_MS)).unwrap().fingerprint()
    };
    let first = kept(&authority, &names, 0);
    assert_eq!(kept(&authority, &names, 1), first);
    assert_eq!(kept(&authority, &["::1"], 300), first, "all names that are asked for are in it");
    let mode = std::fs::metadata(dir.join("server.pem")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);

    let second = kept(&authority, &names, LEAF_DAYS_MAX - 10);
    assert_ne!(second, first, "it would end soon");
    let third = kept(&authority, &["gate.example"], LEAF_DAYS_MAX - 10);
    assert_ne!(third, second, "it lacked a name");
    assert_ne!(kept(&Authority::create("other", AT).unwrap(), &["gate.example"], 380), third, "it is of another");
    std::fs::write(dir.join("server.pem"), "nothing").unwrap();
    let last = kept(&authority, &names, 0);
    assert_eq!(kept(&authority, &names, 0), last);
}
