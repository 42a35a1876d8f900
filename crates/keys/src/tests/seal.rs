use lockgate_model::id::{EnvironmentId, TenantId};

use crate::{Binding, Error, Master, Sealed, Secret};

fn master() -> (tempfile::TempDir, Master) {
    let dir = tempfile::tempdir().unwrap();
    let master = Master::open_or_create(&dir.path().join("keys")).unwrap();
    (dir, master)
}

fn tenant(text: &str) -> TenantId {
    TenantId::parse(text).unwrap()
}

fn environment(text: &str) -> EnvironmentId {
    EnvironmentId::parse(text).unwrap()
}

#[test]
fn a_sealed_secret_opens_in_its_own_row_only() {
    let (_dir, master) = master();
    let (acme, other) = (tenant("acme"), tenant("acm"));
    let (live, test) = (environment("live"), environment("elive"));
    let own = Binding { tenant: &acme, environment: Some(&live), id: "live/erp/password", version: 7 };
    let sealed = master.seal(&own, b"correct horse").unwrap();
    assert_eq!(master.unseal(&own, &sealed).unwrap().expose(), b"correct horse");
    let swapped = [
        Binding { tenant: &other, ..own },
        Binding { environment: Some(&test), ..own },
        Binding { environment: None, ..own },
        Binding { id: "live/erp/passwor", ..own },
        Binding { version: 8, ..own },
        // Names that give the same bytes when they are only put side by side.
        Binding { tenant: &other, environment: Some(&test), ..own },
    ];
    for binding in swapped {
        let refused = master.unseal(&binding, &sealed);
        assert!(matches!(refused, Err(Error::NotSealedHere)), "{binding:?}");
    }
}

#[test]
fn parts_of_two_sealed_secrets_cannot_be_mixed() {
    let (_dir, master) = master();
    let acme = tenant("acme");
    let own = Binding { tenant: &acme, environment: None, id: "a", version: 1 };
    let one = serde_json::to_value(master.seal(&own, b"one").unwrap()).unwrap();
    let two = serde_json::to_value(master.seal(&own, b"two").unwrap()).unwrap();
    for part in ["wrapped", "nonce", "ciphertext"] {
        let mut mixed = one.clone();
        mixed[part] = two[part].clone();
        let mixed: Sealed = serde_json::from_value(mixed).unwrap();
        assert!(master.unseal(&own, &mixed).is_err(), "{part}");
    }
}

#[test]
fn a_sealed_secret_that_was_changed_or_cut_is_refused() {
    let (_dir, master) = master();
    let acme = tenant("acme");
    let own = Binding { tenant: &acme, environment: None, id: "a", version: 1 };
    let sealed = serde_json::to_value(master.seal(&own, b"secret").unwrap()).unwrap();
    for (part, value) in [
        ("wrapped", ""),
        ("wrapped", "AAAA"),
        ("nonce", ""),
        ("nonce", "AAAA"),
        ("ciphertext", ""),
        ("ciphertext", "AAAA"),
    ] {
        let mut cut = sealed.clone();
        cut[part] = value.into();
        let cut: Sealed = serde_json::from_value(cut).unwrap();
        assert!(master.unseal(&own, &cut).is_err(), "{part} = `{value}`");
    }
    let mut newer = sealed.clone();
    newer["v"] = 3.into();
    let newer: Sealed = serde_json::from_value(newer).unwrap();
    let refused = master.unseal(&own, &newer).unwrap_err().to_string();
    assert!(refused.contains("its form is 3"), "{refused}");
}

#[test]
fn another_master_key_opens_nothing() {
    let (_dir, master) = master();
    let (_other_dir, other) = self::master();
    let acme = tenant("acme");
    let own = Binding { tenant: &acme, environment: None, id: "a", version: 1 };
    let sealed = master.seal(&own, b"secret").unwrap();
    assert!(matches!(other.unseal(&own, &sealed), Err(Error::NotSealedHere)));
}

#[test]
fn the_sealed_form_is_json_with_four_members_and_never_the_same_twice() {
    let (_dir, master) = master();
    let acme = tenant("acme");
    let own = Binding { tenant: &acme, environment: None, id: "a", version: 1 };
    let one = master.seal(&own, b"").unwrap();
    let two = master.seal(&own, b"").unwrap();
    assert_ne!(one, two);
    assert_eq!(master.unseal(&own, &one).unwrap().expose(), b"");
    let json = serde_json::to_value(&one).unwrap();
    let members: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["v", "wrapped", "nonce", "ciphertext"]);
}

#[test]
fn keyed_digests_differ_by_tenant_purpose_master_and_split() {
    let (_dir, master) = master();
    let (_other_dir, other) = self::master();
    let digest = |master: &Master, t: &str, purpose: &str, parts: [&[u8]; 2]| {
        master.hmac_key(&tenant(t), purpose).unwrap().digest(parts)
    };
    let base = digest(&master, "acme", "idempotency", [b"ab", b"c"]);
    assert_eq!(base, digest(&master, "acme", "idempotency", [b"ab", b"c"]));
    assert_ne!(base, digest(&master, "acme", "idempotency", [b"a", b"bc"]));
    assert_ne!(base, digest(&master, "acme", "basic", [b"ab", b"c"]));
    assert_ne!(base, digest(&master, "acm", "eidempotency", [b"ab", b"c"]));
    assert_ne!(base, digest(&other, "acme", "idempotency", [b"ab", b"c"]));
}

#[test]
fn no_secret_is_printed() {
    let (_dir, master) = master();
    let printed = format!(
        "{:?} {:?} {:?}",
        Secret::from("hunter2".to_owned()),
        master,
        master.hmac_key(&tenant("acme"), "x").unwrap()
    );
    assert_eq!(printed, "[secret] Master([secret]) HmacKey([secret])");
}
