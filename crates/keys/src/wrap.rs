//! Who keeps the master key: what wraps the keys of an installation, so that they may lie beside the data.

use std::{fmt, path::Path};

use aws_lc_rs::{aead::NONCE_LEN, hkdf};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    Error, Secret,
    file::{create_private, read_private},
    master::{KEY_BYTES, random_key},
    seal::{decrypt, encrypt},
};

/// Wraps keys and unwraps them: a key in this process, or a service that never gives its own away.
///
/// It is asked at a start, for a backup, and to rotate; not for requests. It may block.
pub trait KeyWrapper: Send + Sync + fmt::Debug {
    /// Encrypts a few dozen bytes; the text is printable.
    fn wrap(&self, plain: &[u8]) -> Result<String, Error>;
    /// Decrypts what it wrapped. Refuses what was changed, or wrapped by another.
    fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, Error>;
}

/// A master key of 32 bytes in this process.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl MasterKey {
    /// A new one by chance.
    pub(crate) fn random() -> Result<Self, Error> {
        random_key().map(Self)
    }

    /// From text: base64 of its 32 bytes, as `openssl rand -base64 32` writes it.
    pub fn from_text(text: &Secret) -> Result<Self, Error> {
        let decoded = text.expose_text().and_then(|text| STANDARD.decode(text.trim()).ok()).map(Zeroizing::new);
        let bytes = decoded.filter(|bytes| bytes.len() == KEY_BYTES).ok_or_else(|| {
            Error::unusable(
                "the master key",
                format!("it is not {KEY_BYTES} bytes in base64: `openssl rand -base64 32`"),
            )
        })?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// From a private file of 32 bytes; `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Error> {
        let Some(bytes) = read_private(path)? else { return Ok(None) };
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(Error::File {
                doing: "read the master key in",
                path: path.to_owned(),
                reason: format!(
                    "it holds {} bytes instead of {KEY_BYTES}; put the right file back from where it is kept",
                    bytes.len()
                ),
            });
        }
        key.copy_from_slice(&bytes);
        Ok(Some(Self(key)))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        create_private(path, self.0.as_slice())
    }

    pub(crate) fn of(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// What it wraps with: never the key itself, which other keys of the first form are derived from.
    fn wrapping(&self) -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
        let mut out = Zeroizing::new([0; KEY_BYTES]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"lockgate")
            .extract(self.0.as_slice())
            .expand(&[b"lockgate key wrapper v1"], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .map_err(|_| Error::Provider("derive a key"))?;
        Ok(out)
    }
}

/// Wrapped keys bind nothing: each is in a file that is bound to all of its bytes.
const BOUND: [u8; 32] = *b"lockgate wrapped by a master key";

impl KeyWrapper for MasterKey {
    fn wrap(&self, plain: &[u8]) -> Result<String, Error> {
        let (nonce, sealed) = encrypt(&*self.wrapping()?, BOUND, plain)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let other = || Error::unusable("the master key", "it is not the one that wrapped this");
        let bytes = STANDARD.decode(wrapped).map_err(|_| other())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(other)?;
        decrypt(&*self.wrapping()?, nonce, BOUND, sealed).map_err(|_| other())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([secret])")
    }
}
