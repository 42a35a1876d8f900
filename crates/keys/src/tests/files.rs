use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use lockgate_model::id::TenantId;

use crate::{Master, Token};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_master_key_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    Master::open_or_create(&keys).unwrap();
    let file = keys.join("master.key");
    for wide in [0o640, 0o604, 0o660, 0o622, 0o601] {
        fs::set_permissions(&file, fs::Permissions::from_mode(wide)).unwrap();
        let refused = Master::open_or_create(&keys).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{wide:o}: {refused}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o750)).unwrap();
    let refused = Master::open_or_create(&keys).unwrap_err().to_string();
    assert!(refused.contains("chmod 700"), "{refused}");
}

#[test]
fn links_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    Master::open_or_create(&keys).unwrap();
    let linked = dir.path().join("linked");
    symlink(&keys, &linked).unwrap();
    assert!(Master::open_or_create(&linked).is_err());

    let file = keys.join("master.key");
    let moved = dir.path().join("moved.key");
    fs::rename(&file, &moved).unwrap();
    symlink(&moved, &file).unwrap();
    let refused = Master::open_or_create(&keys).unwrap_err().to_string();
    assert!(refused.contains("not a plain file"), "{refused}");
}

#[test]
fn a_damaged_master_key_is_refused_and_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    Master::open_or_create(&keys).unwrap();
    let file = keys.join("master.key");
    for bytes in [&b""[..], &[1; 31], &[1; 33]] {
        fs::write(&file, bytes).unwrap();
        assert!(Master::open_or_create(&keys).is_err());
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
}

#[test]
fn the_key_is_private_from_the_start_and_the_same_at_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("a").join("keys");
    let digest = |master: Master| {
        let acme = TenantId::parse("acme").unwrap();
        master.hmac_key(&acme, "x").unwrap().digest([&b"x"[..]])
    };
    let first = digest(Master::open_or_create(&keys).unwrap());
    assert_eq!(mode(&keys), 0o700);
    assert_eq!(mode(&keys.join("master.key")), 0o600);
    assert_eq!(fs::read(keys.join("master.key")).unwrap().len(), 32);
    // The left-over of a crash while the key was written.
    fs::write(keys.join("master.key.partial"), b"half").unwrap();
    assert_eq!(digest(Master::open_or_create(&keys).unwrap()), first);
}

#[test]
fn a_token_is_made_once_and_known_by_its_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    let token = Token::open_or_create(&keys, "metrics.token").unwrap();
    let file = keys.join("metrics.token");
    assert_eq!(mode(&file), 0o600);
    let text = fs::read_to_string(&file).unwrap();
    for wrong in
        ["", "x", &text.to_lowercase(), &text.replacen(text.chars().next().unwrap(), "", 1), &format!("{text} ")]
    {
        assert!(!token.is(wrong), "{wrong}");
    }
    assert!(token.is(&text));
    assert!(Token::open_or_create(&keys, "metrics.token").unwrap().is(&text));
    assert!(!Token::open_or_create(&keys, "other.token").unwrap().is(&text));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Token::open_or_create(&keys, "metrics.token").is_err());
    fs::write(&file, "guess").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = Token::open_or_create(&keys, "metrics.token").unwrap_err().to_string();
    assert!(refused.contains("shorter"), "{refused}");
}
