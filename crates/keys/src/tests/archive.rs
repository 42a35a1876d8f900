use std::io::{Cursor, Read, Write};

use crate::{Archive, ArchiveWriter, Error, MasterKey, Secret, Unlock};

const CHUNK: usize = 64 * 1024;
/// A sealed chunk with its tag.
const SEALED: usize = CHUNK + 16;

fn master() -> MasterKey {
    MasterKey::random().unwrap()
}

fn made(unlock: Unlock<'_>, plain: &[u8]) -> Vec<u8> {
    let mut writer = ArchiveWriter::create(Vec::new(), unlock).unwrap();
    // In parts of odd sizes, as a copy writes them.
    for part in plain.chunks(10_007) {
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap()
}

fn read(unlock: Unlock<'_>, archive: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let mut archive = Archive::open(Cursor::new(archive), unlock).map_err(|e| e.to_string())?;
    archive.read_to_end(&mut plain).map_err(|e| e.to_string())?;
    Ok(plain)
}

/// Bytes that repeat nowhere, so that a piece in the wrong place shows.
fn plain(length: usize) -> Vec<u8> {
    (0..length.div_ceil(4)).flat_map(|n| (n as u32).to_le_bytes()).take(length).collect()
}

#[test]
fn any_byte_that_was_changed_is_found() {
    let master = master();
    let mut archive = made(Unlock::Master(&master), b"a few bytes");
    for at in 0..archive.len() {
        for bit in [0x01, 0x80] {
            archive[at] ^= bit;
            assert!(read(Unlock::Master(&master), &archive).is_err(), "byte {at}, bit {bit:#x}");
            archive[at] ^= bit;
        }
    }
    assert_eq!(read(Unlock::Master(&master), &archive).unwrap(), b"a few bytes");
}

#[test]
fn what_was_cut_moved_doubled_or_added_is_found() {
    let master = master();
    let own = Unlock::Master(&master);
    // The last chunk is full: nothing about its length tells that it is the last.
    let archive = made(own, &plain(4 * CHUNK));
    let head = archive.len() - 4 * SEALED;
    let chunk = |n: usize| &archive[head + n * SEALED..head + (n + 1) * SEALED];
    let of = |chunks: &[usize]| {
        let mut bytes = archive[..head].to_vec();
        chunks.iter().for_each(|n| bytes.extend(chunk(*n)));
        bytes
    };
    assert_eq!(read(own, &of(&[0, 1, 2, 3])).unwrap(), plain(4 * CHUNK));
    for wrong in [&[][..], &[0], &[0, 1, 2], &[1, 2, 3], &[1, 0, 2, 3], &[0, 1, 1, 3], &[0, 1, 2, 3, 3], &[3]] {
        assert!(read(own, &of(wrong)).is_err(), "{wrong:?}");
    }
    for cut in [0, 1, 15, 16, 20, head - 1, head, head + 1, head + SEALED - 1, archive.len() - 1] {
        assert!(read(own, &archive[..cut]).is_err(), "cut after {cut} bytes");
    }
    assert!(read(own, &[archive.as_slice(), b"x"].concat()).is_err(), "a byte behind the end");
    // Chunks of another archive of the same key.
    let other = made(own, &plain(4 * CHUNK));
    let mixed = [&of(&[0, 1, 2])[..], &other[head + 3 * SEALED..]].concat();
    assert!(read(own, &mixed).is_err());
}

#[test]
fn every_length_comes_back() {
    let master = master();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 200_001] {
        let archive = made(Unlock::Master(&master), &plain(length));
        assert_eq!(read(Unlock::Master(&master), &archive).unwrap(), plain(length), "{length} bytes");
    }
}

#[test]
fn another_key_opens_nothing() {
    let (own, other) = (master(), master());
    let words = Secret::from("correct horse battery staple".to_owned());
    let wrong = Secret::from("correct horse battery stable".to_owned());
    let by_key = made(Unlock::Master(&own), b"plain");
    let by_words = made(Unlock::Passphrase(&words), b"plain");
    assert_eq!(read(Unlock::Passphrase(&words), &by_words).unwrap(), b"plain");
    for (archive, unlock) in [
        (&by_key, Unlock::Master(&other)),
        (&by_key, Unlock::Passphrase(&words)),
        (&by_words, Unlock::Passphrase(&wrong)),
        (&by_words, Unlock::Master(&own)),
    ] {
        assert!(read(unlock, archive).is_err(), "{unlock:?}");
    }
    let short = Secret::from("too short".to_owned());
    let refused = ArchiveWriter::create(Vec::new(), Unlock::Passphrase(&short)).unwrap_err();
    assert!(matches!(refused, Error::Unusable { what: "the passphrase", .. }), "{refused}");
}

#[test]
fn a_newer_archive_says_so_and_what_is_none_too() {
    let master = master();
    let archive = made(Unlock::Master(&master), b"plain");
    let head = br#"{"form":1,"#;
    let at = archive.windows(head.len()).position(|w| w == head).unwrap();
    let mut newer = archive.clone();
    newer[at + 8] = b'2';
    let refused = read(Unlock::Master(&master), &newer).unwrap_err();
    assert!(refused.contains("its form is 2"), "{refused}");
    let refused = read(Unlock::Master(&master), b"SQLite format 3\0 and more of it").unwrap_err();
    assert!(refused.contains("it is none"), "{refused}");
    let mut endless = archive;
    endless[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(read(Unlock::Master(&master), &endless).is_err());
}

#[test]
fn nothing_of_the_plain_text_is_in_it() {
    let master = master();
    let archive = made(Unlock::Master(&master), &b"canary ".repeat(30_000));
    assert!(!archive.windows(6).any(|window| window == b"canary"));
}
