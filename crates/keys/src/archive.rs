//! Encrypted archives: a stream of bytes under a key of its own, which is wrapped by the master key or by a passphrase.
//!
//! ```text
//! "lockgate archive" | length of the head: 4 bytes | head: JSON, with the wrapped key | chunk | chunk | …
//! ```
//!
//! Chunks of 64 KiB are sealed one by one, in the manner of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, 2015): the nonce of each is its number and whether
//! it is the last, so that none can be moved, doubled, dropped or cut off; and all are bound to every byte of the head. What is read
//! was verified, and the end is told only behind the last chunk. Memory is one chunk, however long the archive is.
//!
//! Both layers are AES-256-GCM (NIST SP 800-38D). A passphrase becomes a key by Argon2id (RFC 9106, section 4, the second
//! choice: 64 MiB, 3 passes, 4 lanes).
//!
//! Deliberately absent: what is in an archive, and files.

use std::{
    fmt,
    io::{self, Read, Write},
};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use lockgate_model::Digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Error, KeyWrapper, MasterKey, Secret,
    master::{KEY_BYTES, random_key},
    seal::Base64,
};

/// Shortest passphrase, in bytes: an archive can be guessed at without anybody noticing.
pub const PASSPHRASE_BYTES_MIN: usize = 16;

const MAGIC: &[u8; 16] = b"lockgate archive";
/// The form written today.
const FORM: u32 = 1;
const HEAD_BYTES_MAX: u32 = 64 * 1024;
const TAG_BYTES: usize = 16;
const CHUNK_BYTES: usize = 64 * 1024;
const SALT_BYTES: usize = 16;

const WHAT: &str = "the archive";

/// What opens an archive.
#[derive(Debug, Clone, Copy)]
pub enum Unlock<'a> {
    /// Who keeps the master key of the installation.
    Master(&'a dyn KeyWrapper),
    /// A passphrase, for archives that outlive it.
    Passphrase(&'a Secret),
}

/// The public part, which nothing is true of before a chunk was opened with it.
#[derive(Serialize, Deserialize)]
struct Head {
    form: u32,
    /// Salt of the passphrase; none where the master key wraps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Base64>,
    /// The archive's own key, wrapped.
    wrapped: String,
}

impl Unlock<'_> {
    fn wrap(self, key: &[u8; KEY_BYTES]) -> Result<(Option<Base64>, String), Error> {
        match self {
            Unlock::Master(wrapper) => Ok((None, wrapper.wrap(key)?)),
            Unlock::Passphrase(passphrase) if passphrase.expose().len() < PASSPHRASE_BYTES_MIN => {
                let reason = format!("it is shorter than {PASSPHRASE_BYTES_MIN} bytes; take some words by chance");
                Err(Error::unusable("the passphrase", reason))
            }
            Unlock::Passphrase(passphrase) => {
                let mut salt = vec![0; SALT_BYTES];
                aws_lc_rs::rand::fill(&mut salt).map_err(|_| Error::Provider("draw random bytes"))?;
                let wrapped = stretched(passphrase, &salt)?.wrap(key)?;
                Ok((Some(Base64(salt)), wrapped))
            }
        }
    }

    fn unwrap(self, salt: Option<&Base64>, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        match (self, salt) {
            (Unlock::Master(wrapper), None) => wrapper.unwrap(wrapped),
            (Unlock::Passphrase(passphrase), Some(salt)) => stretched(passphrase, &salt.0)?.unwrap(wrapped),
            (Unlock::Master(_), Some(_)) => Err(Error::unusable(WHAT, "it was made with a passphrase: give it")),
            (Unlock::Passphrase(_), None) => {
                Err(Error::unusable(WHAT, "it was made with the master key and without a passphrase: give none"))
            }
        }
    }
}

/// A passphrase as a key that wraps.
fn stretched(passphrase: &Secret, salt: &[u8]) -> Result<MasterKey, Error> {
    let failed = || Error::Provider("stretch a passphrase");
    let params = Params::new(64 * 1024, 3, 4, Some(KEY_BYTES)).map_err(|_| failed())?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, key.as_mut_slice())
        .map_err(|_| failed())?;
    Ok(MasterKey::of(key))
}

/// Seals and opens chunks, each at its place.
struct Chunks {
    key: LessSafeKey,
    head: Digest,
    number: u64,
}

impl Chunks {
    fn new(key: &[u8], head: &[u8]) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Provider("use a key"))?;
        let head = Digest::of_parts([b"lockgate archive chunk".as_slice(), head]);
        Ok(Self { key: LessSafeKey::new(key), head, number: 0 })
    }

    /// The nonce of the next chunk. The key is for this archive alone, so that none comes twice.
    fn nonce(&self, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        let (number, end) = (self.number.to_be_bytes(), [u8::from(last)]);
        for (to, from) in nonce.iter_mut().skip(3).zip(number.iter().chain(&end)) {
            *to = *from;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), Error> {
        let sealed = self.key.seal_in_place_append_tag(self.nonce(last), Aad::from(self.head.0), chunk);
        self.number += 1;
        sealed.map_err(|_| Error::Provider("seal an archive"))
    }

    /// Opens the next chunk in place.
    fn open(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), Error> {
        let nonce = self.nonce(last);
        self.number += 1;
        let plain = self.key.open_in_place(nonce, Aad::from(self.head.0), chunk).map(|plain| plain.len());
        chunk.truncate(plain.map_err(|_| changed())?);
        Ok(())
    }
}

fn changed() -> Error {
    Error::unusable(WHAT, "it was changed or cut off; use another copy")
}

/// Encrypts what is written into it. Without [`ArchiveWriter::finish`] there is no archive.
pub struct ArchiveWriter<W> {
    to: W,
    chunks: Chunks,
    plain: Zeroizing<Vec<u8>>,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive. Refuses a passphrase of fewer than [`PASSPHRASE_BYTES_MIN`] bytes.
    pub fn create(mut to: W, unlock: Unlock<'_>) -> Result<Self, Error> {
        let key = random_key()?;
        let (salt, wrapped) = unlock.wrap(&key)?;
        let head = serde_json::to_vec(&Head { form: FORM, salt, wrapped }).map_err(|e| Error::unusable(WHAT, e))?;
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes();
        for part in [MAGIC.as_slice(), &length, &head] {
            to.write_all(part).map_err(written)?;
        }
        let chunks = Chunks::new(key.as_slice(), &head)?;
        Ok(Self { to, chunks, plain: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES)) })
    }

    /// Ends the archive; gives back what it was written into.
    pub fn finish(mut self) -> Result<W, Error> {
        self.chunks.seal(&mut self.plain, true)?;
        self.to.write_all(&self.plain).map_err(written)?;
        self.to.flush().map_err(written)?;
        Ok(self.to)
    }
}

fn written(error: io::Error) -> Error {
    Error::unusable(WHAT, format!("it cannot be written: {}", error.to_string().to_lowercase()))
}

impl<W: Write> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until more comes: only then it is not the last.
        if self.plain.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.chunks.seal(&mut self.plain, false).map_err(io::Error::other)?;
            self.to.write_all(&self.plain)?;
            self.plain.clear();
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.plain.len());
        self.plain.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W> fmt::Debug for ArchiveWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchiveWriter([secret])")
    }
}

/// An archive that is read: each byte of it was verified, and its end is told only if nothing is missing.
pub struct Archive<R> {
    from: R,
    chunks: Chunks,
    /// The chunk that is handed out, and how much of it was.
    plain: Zeroizing<Vec<u8>>,
    given: usize,
    /// Sealed bytes that were read ahead: whether a chunk is the last shows only behind it.
    ahead: Vec<u8>,
    ended: bool,
}

impl<R: Read> Archive<R> {
    /// Begins to read. Refuses what is no archive or a newer one, and another key than the one it was made with.
    pub fn open(mut from: R, unlock: Unlock<'_>) -> Result<Self, Error> {
        let none = || Error::unusable(WHAT, "it is none: it begins otherwise, or was cut off");
        let mut begin = [0; MAGIC.len() + 4];
        from.read_exact(&mut begin).map_err(|_| none())?;
        let (magic, length) = begin.split_at(MAGIC.len());
        let length = u32::from_be_bytes(length.try_into().unwrap_or_default());
        if magic != MAGIC || length > HEAD_BYTES_MAX {
            return Err(none());
        }
        let mut bytes = vec![0; length as usize];
        from.read_exact(&mut bytes).map_err(|_| none())?;
        let form = serde_json::from_slice::<Form>(&bytes).map_err(|_| none())?.form;
        if form != FORM {
            let reason = format!("its form is {form}, this version reads {FORM}: use the version that made it");
            return Err(Error::unusable(WHAT, reason));
        }
        let head: Head = serde_json::from_slice(&bytes).map_err(|_| none())?;
        let key = unlock.unwrap(head.salt.as_ref(), &head.wrapped)?;
        let chunks = Chunks::new(&key, &bytes)?;
        let plain = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES + 1));
        Ok(Self { from, chunks, plain, given: 0, ahead: Vec::new(), ended: false })
    }

    /// Opens the next chunk; nothing behind the last.
    fn next(&mut self) -> io::Result<()> {
        let whole = CHUNK_BYTES + TAG_BYTES;
        self.plain.clear();
        self.given = 0;
        // One byte more than a chunk: without it this is the last one.
        let missing = (whole + 1 - self.ahead.len()) as u64;
        self.plain.append(&mut self.ahead);
        (&mut self.from).take(missing).read_to_end(&mut self.plain)?;
        self.ended = self.plain.len() <= whole;
        let sealed = self.plain.len().min(whole);
        self.ahead = self.plain.split_off(sealed);
        self.chunks.open(&mut self.plain, self.ended).map_err(io::Error::other)
    }
}

/// Of a newer form nothing else is known.
#[derive(Deserialize)]
struct Form {
    form: u32,
}

impl<R: Read> Read for Archive<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plain.len() && !self.ended && !to.is_empty() {
            self.next()?;
        }
        let left = self.plain.get(self.given..).unwrap_or_default();
        let count = left.len().min(to.len());
        for (to, from) in to.iter_mut().zip(left) {
            *to = *from;
        }
        self.given += count;
        Ok(count)
    }
}

impl<R> fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Archive([secret])")
    }
}
