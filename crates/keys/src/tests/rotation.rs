//! Master keys that are exchanged, kept elsewhere, lost, and half exchanged.

use std::{fs, path::Path, sync::Arc};

use lockgate_model::id::TenantId;

use crate::{Binding, Error, Keeper, Master, MasterKey, Sealed, Secret};

/// A directory that a process dies in: what it held is gone, what it wrote is there.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn dir(&self) -> std::path::PathBuf {
        self.0.path().join("keys")
    }
    fn file(&self, name: &str) -> std::path::PathBuf {
        self.dir().join(name)
    }
    fn open(&self, keeper: &Keeper) -> Result<Master, Error> {
        Master::open_or_create_by(&self.dir(), keeper)
    }
}

fn elsewhere() -> Keeper {
    Keeper::Elsewhere(Arc::new(MasterKey::random().unwrap()))
}

fn sealed(master: &Master, secret: &[u8]) -> Sealed {
    with_binding(|binding| master.seal(binding, secret)).unwrap()
}

fn opened(master: &Master, sealed: &Sealed) -> Result<Vec<u8>, Error> {
    with_binding(|binding| master.unseal(binding, sealed)).map(|secret| secret.expose().to_vec())
}

fn with_binding<T>(then: impl FnOnce(&Binding<'_>) -> T) -> T {
    let tenant = TenantId::parse("acme").unwrap();
    then(&Binding { tenant: &tenant, environment: None, id: "live/erp/password", version: 7 })
}

fn copied(from: &Path, name: &str, to: &Path) {
    fs::copy(from, to.join(name)).unwrap();
}

#[test]
fn what_was_sealed_before_opens_until_its_key_is_dropped() {
    let place = Place::new();
    let master = place.open(&Keeper::File).unwrap();
    let tenant = TenantId::parse("acme").unwrap();
    let (digest, heads) = (master.hmac_key(&tenant, "x").unwrap(), master.head_signer(&tenant).unwrap().public());
    let zero = sealed(&master, b"zero");
    assert_eq!(zero.key(), 0);
    let old_key = fs::read(place.file("master.key")).unwrap();
    assert_eq!(master.rotate(&Keeper::File).unwrap(), 1);
    assert_ne!(fs::read(place.file("master.key")).unwrap(), old_key);
    let one = sealed(&master, b"one");
    assert_eq!(one.key(), 1);
    let again = place.open(&Keeper::File).unwrap();
    for master in [&master, &again] {
        assert_eq!(opened(master, &zero).unwrap(), b"zero");
        assert_eq!(opened(master, &one).unwrap(), b"one");
        // What was digested and signed before is so still.
        assert_eq!(master.hmac_key(&tenant, "x").unwrap().digest([b"a".as_slice()]), digest.digest([b"a".as_slice()]));
        assert_eq!(master.head_signer(&tenant).unwrap().public(), heads);
    }
    assert_eq!(master.rotate(&Keeper::File).unwrap(), 2);
    assert_eq!(master.retire(|number| number == 1).unwrap(), [1, 2]);
    assert_eq!(opened(&master, &zero).unwrap(), b"zero", "what is under way is not disturbed");
    assert_eq!(master.rotate(&Keeper::File).unwrap(), 3);
    let again = place.open(&Keeper::File).unwrap();
    assert!(opened(&again, &zero).is_err(), "a dropped key came back with the next rotation");
    assert_eq!(opened(&again, &one).unwrap(), b"one");
    assert_eq!(again.retire(|_| false).unwrap(), [3]);
}

#[test]
fn the_old_master_key_and_the_files_do_not_open_what_was_sealed_since() {
    let place = Place::new();
    let master = place.open(&Keeper::File).unwrap();
    let stolen = fs::read(place.file("master.key")).unwrap();
    master.rotate(&Keeper::File).unwrap();
    let one = sealed(&master, b"one");
    master.retire(|_| false).unwrap();
    // The thief comes again for everything but the master key.
    let thief = Place::new();
    drop(thief.open(&Keeper::File).unwrap());
    fs::write(thief.file("master.key"), &stolen).unwrap();
    let alone = thief.open(&Keeper::File).unwrap();
    assert!(opened(&alone, &one).is_err());
    copied(&place.file("keyring"), "keyring", &thief.dir());
    let refused = thief.open(&Keeper::File).unwrap_err().to_string();
    assert!(refused.contains("not the one that wrapped"), "{refused}");
}

#[test]
fn a_crash_anywhere_in_a_rotation_leaves_keys_that_open() {
    let place = Place::new();
    let master = place.open(&Keeper::File).unwrap();
    master.rotate(&Keeper::File).unwrap();
    let secret = sealed(&master, b"secret");
    let [old_key, old_ring] = ["master.key", "keyring"].map(|name| fs::read(place.file(name)).unwrap());
    master.rotate(&Keeper::File).unwrap();
    let [new_key, new_ring] = ["master.key", "keyring"].map(|name| fs::read(place.file(name)).unwrap());
    let write = |name: &str, bytes: Option<&[u8]>| match bytes {
        Some(bytes) => fs::write(place.file(name), bytes).unwrap(),
        None => drop(fs::remove_file(place.file(name))),
    };
    let half = &new_ring[..new_ring.len() / 2];
    // What lies there after each step: the next key, a part of the next keyring, the next keyring, its key.
    for (step, (key, next, ring, partial)) in [
        (&old_key, None, &old_ring, None),
        (&old_key, Some(&new_key[..7]), &old_ring, None),
        (&old_key, Some(&new_key[..]), &old_ring, None),
        (&old_key, Some(&new_key[..]), &old_ring, Some(half)),
        (&old_key, Some(&new_key[..]), &new_ring, None),
        (&new_key, None, &new_ring, None),
    ]
    .into_iter()
    .enumerate()
    {
        write("master.key", Some(key));
        write("keyring", Some(ring));
        if let Some(next) = next {
            drop(fs::remove_file(place.file("master.key.next")));
            MasterKey::of(zeroize::Zeroizing::new([0; 32])).write(&place.file("master.key.next")).unwrap();
            fs::write(place.file("master.key.next"), next).unwrap();
        }
        write("keyring.partial", partial);
        let found = place.open(&Keeper::File).unwrap_or_else(|e| panic!("step {step}: {e}"));
        assert_eq!(opened(&found, &secret).unwrap(), b"secret", "step {step}");
        // And it can be rotated from there.
        found.rotate(&Keeper::File).unwrap();
        assert_eq!(opened(&place.open(&Keeper::File).unwrap(), &secret).unwrap(), b"secret", "step {step}");
    }
}

#[test]
fn a_rotation_that_failed_between_its_files_and_is_tried_again_loses_no_key() {
    let place = Place::new();
    let master = place.open(&Keeper::File).unwrap();
    master.rotate(&Keeper::File).unwrap();
    let secret = sealed(&master, b"secret");
    let old_key = fs::read(place.file("master.key")).unwrap();
    place.open(&Keeper::File).unwrap().rotate(&Keeper::File).unwrap();
    // The next keyring has its name, its key has not: the sync between the two failed. This process goes on.
    MasterKey::of(zeroize::Zeroizing::new([0; 32])).write(&place.file("master.key.next")).unwrap();
    fs::copy(place.file("master.key"), place.file("master.key.next")).unwrap();
    fs::write(place.file("master.key"), old_key).unwrap();
    // And the next attempt fails where it writes another keyring.
    fs::create_dir(place.file("keyring.partial")).unwrap();
    assert!(master.rotate(&Keeper::File).is_err());
    assert_eq!(opened(&place.open(&Keeper::File).unwrap(), &secret).unwrap(), b"secret");
    assert_eq!(opened(&master, &sealed(&master, b"since")).unwrap(), b"since");
    let since = sealed(&master, b"since");
    fs::remove_dir(place.file("keyring.partial")).unwrap();
    master.rotate(&Keeper::File).unwrap();
    let again = place.open(&Keeper::File).unwrap();
    assert_eq!(opened(&again, &secret).unwrap(), b"secret");
    assert_eq!(opened(&again, &since).unwrap(), b"since");
}

#[test]
fn a_rotation_that_failed_after_its_keyring_leaves_files_that_fit() {
    for to in [Keeper::File, elsewhere()] {
        let place = Place::new();
        let master = place.open(&Keeper::File).unwrap();
        let secret = sealed(&master, b"secret");
        let old_key = fs::read(place.file("master.key")).unwrap();
        // Neither can its place be taken nor can it be removed.
        fs::remove_file(place.file("master.key")).unwrap();
        fs::create_dir(place.file("master.key")).unwrap();
        fs::write(place.file("master.key").join("x"), "").unwrap();
        assert!(master.rotate(&to).is_err());
        // What wraps here is what wrapped the keyring that lies there: who copies it has both.
        let (taken, wrapper) = (Place::new(), master.wrapper());
        drop(taken.open(&Keeper::Elsewhere(wrapper.clone())).unwrap());
        copied(&place.file("keyring"), "keyring", &taken.dir());
        let restored = taken.open(&Keeper::Elsewhere(wrapper)).unwrap();
        assert_eq!(opened(&restored, &secret).unwrap(), b"secret");
        fs::remove_dir_all(place.file("master.key")).unwrap();
        fs::write(place.file("master.key"), old_key).unwrap();
        master.settle().unwrap();
        assert_eq!(opened(&place.open(&to).unwrap(), &secret).unwrap(), b"secret");
    }
}

#[test]
fn what_another_wrapped_is_not_taken_for_a_backup() {
    let place = Place::new();
    let master = place.open(&Keeper::File).unwrap();
    master.settle().unwrap();
    master.rotate(&Keeper::File).unwrap();
    master.settle().unwrap();
    // Another process rotated in between, to a keeper that this one knows nothing of.
    let next = elsewhere();
    place.open(&Keeper::File).unwrap().rotate(&next).unwrap();
    assert!(master.settle().is_err());
    master.rotate(&next).unwrap();
    master.settle().unwrap();
}

#[test]
fn who_had_the_keys_before_a_rotation_signs_no_access_token() {
    let place = Place::new();
    let master = place.open(&Keeper::File).unwrap();
    let (tenant, live) = (TenantId::parse("acme").unwrap(), "live".parse().unwrap());
    let at = lockgate_model::Timestamp(1_800_000_000_000_000);
    let keys = |master: &Master| master.token_keys(&tenant, &live, at).unwrap();
    let stolen = keys(&master);
    let signature = stolen.current().sign(b"token");
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &signature).unwrap();
    assert!(keys(&master).hold(stolen.current().kid(), b"token", &bytes));
    master.rotate(&Keeper::File).unwrap();
    for master in [&master, &place.open(&Keeper::File).unwrap()] {
        assert!(!keys(master).hold(stolen.current().kid(), b"token", &bytes));
        assert!(!keys(master).jwks().to_string().contains(stolen.current().kid()));
    }
    assert_eq!(keys(&master).current().kid(), keys(&place.open(&Keeper::File).unwrap()).current().kid());
}

#[test]
fn a_master_key_that_is_kept_elsewhere_is_not_in_the_directory() {
    let place = Place::new();
    let vault = elsewhere();
    let master = place.open(&vault).unwrap();
    let secret = sealed(&master, b"secret");
    assert!(!place.file("master.key").exists());
    assert_eq!(opened(&place.open(&vault).unwrap(), &secret).unwrap(), b"secret");
    for other in [elsewhere(), Keeper::File] {
        assert!(place.open(&other).is_err(), "{other:?}");
    }
    assert!(!place.file("master.key").exists(), "a start by the wrong keeper made a key");
    // To another keeper, and to a file and back.
    let next = elsewhere();
    master.rotate(&next).unwrap();
    assert!(place.open(&vault).is_err());
    master.rotate(&Keeper::File).unwrap();
    assert!(place.file("master.key").exists() && place.open(&next).is_err());
    assert_eq!(opened(&place.open(&Keeper::File).unwrap(), &secret).unwrap(), b"secret");
    master.rotate(&next).unwrap();
    assert!(!place.file("master.key").exists());
    // It was removed even if the process died before it could.
    fs::write(place.file("master.key"), [0; 32]).unwrap();
    assert_eq!(opened(&place.open(&next).unwrap(), &secret).unwrap(), b"secret");
    assert!(!place.file("master.key").exists());
}

#[test]
fn an_installation_is_not_made_anew_by_a_keeper_that_has_no_part_in_it() {
    let place = Place::new();
    drop(place.open(&Keeper::File).unwrap());
    let refused = place.open(&elsewhere()).unwrap_err().to_string();
    assert!(refused.contains("rotate"), "{refused}");
    assert!(place.file("master.key").exists() && !place.file("keyring").exists());
}

#[test]
fn a_keyring_that_was_changed_is_refused() {
    let place = Place::new();
    let vault = elsewhere();
    let secret = sealed(&place.open(&vault).unwrap(), b"secret");
    let text = fs::read_to_string(place.file("keyring")).unwrap();
    for (from, to) in [
        ("\"form\": 1", "\"form\": 2"),
        ("\"current\": 1", "\"current\": 2"),
        ("\"wrapped\": \"", "\"wrapped\": \"A"),
        ("    1\n", "    1,\n    2\n"),
        ("    1\n", "    \n"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        fs::write(place.file("keyring"), changed).unwrap();
        assert!(place.open(&vault).is_err(), "{from} -> {to}");
    }
    // A number that was exchanged opens nothing: the number is no more than a name.
    fs::write(place.file("keyring"), text.replace("    1\n", "    5\n").replace("\"current\": 1", "\"current\": 5"))
        .unwrap();
    assert!(opened(&place.open(&vault).unwrap(), &secret).is_err());
}

#[test]
fn a_master_key_in_text_is_32_bytes() {
    let text = |text: &str| MasterKey::from_text(&Secret::from(text.to_owned()));
    assert!(text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").is_ok());
    for wrong in ["", "AAAA", "not base64 at all !", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert!(text(wrong).is_err(), "{wrong}");
    }
}
