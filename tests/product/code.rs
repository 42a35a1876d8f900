//! Machine code that is kept over a restart, and what becomes of it when somebody changes it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use crate::house::{House, ORDER};

fn files(house: &House) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(house.data.join("code")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn machine_code_outlives_a_restart_and_is_compiled_again_where_it_was_changed() {
    let house = House::start();
    let admin = house.administrator();
    assert_eq!(house.order(&admin, ORDER).status, 200);
    let kept = files(&house);
    assert!(!kept.is_empty());
    for file in &kept {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    let before: Vec<_> = kept.iter().map(|file| fs::read(file).unwrap()).collect();

    // The practice endpoint has another port after a start, and the modules are the same.
    let house = house.restart(&["--new-password"]);
    let admin = house.administrator();
    assert_eq!(house.order(&admin, ORDER).status, 200, "{}", house.log());
    assert!(!house.log().contains("kept machine code was not good"), "{}", house.log());

    for file in files(&house) {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&file, bytes).unwrap();
    }
    let house = house.restart(&["--new-password"]);
    let admin = house.administrator();
    assert_eq!(house.order(&admin, ORDER).status, 200, "{}", house.log());
    assert!(house.log().contains("kept machine code was not good"), "{}", house.log());
    for (file, before) in kept.iter().zip(before) {
        assert!(fs::read(file).unwrap() == before, "{} was not made good", file.display());
    }
}
