//! The master key, and what is derived from it per tenant and purpose (HKDF-SHA256, RFC 5869).

use std::{fmt, path::Path};

use aws_lc_rs::{hkdf, hmac};
use lockgate_model::{Digest, id::TenantId};
use zeroize::Zeroizing;

use crate::{
    Binding, Error, HeadSigner, Sealed, Secret,
    file::{create_private, private_directory, read_private},
};

/// Bytes of the master key and of every key derived from it.
pub(crate) const KEY_BYTES: usize = 32;

const FILE: &str = "master.key";

/// The key behind all others of an installation: 32 random bytes in a file of mode 0600.
///
/// Whoever holds it can open every sealed secret; it is in no backup of the store.
pub struct Master(Zeroizing<[u8; KEY_BYTES]>);

impl Master {
    /// Opens `dir/master.key`, or makes it at the first start. Refuses a directory or file that
    /// others may use, and links.
    pub fn open_or_create(dir: &Path) -> Result<Self, Error> {
        private_directory(dir)?;
        let path = dir.join(FILE);
        if let Some(bytes) = read_private(&path)? {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            if bytes.len() != KEY_BYTES {
                return Err(Error::File {
                    doing: "read the master key in",
                    path,
                    reason: format!(
                        "it holds {} bytes instead of {KEY_BYTES}; put the right file back from where it is kept",
                        bytes.len()
                    ),
                });
            }
            key.copy_from_slice(&bytes);
            return Ok(Self(key));
        }
        let key = random_key()?;
        create_private(&path, key.as_slice())?;
        Ok(Self(key))
    }

    /// A key of its own for a tenant and purpose, to make keyed digests with.
    pub fn hmac_key(&self, tenant: &TenantId, purpose: &str) -> Result<HmacKey, Error> {
        let key = self.derive("hmac", tenant, purpose)?;
        Ok(HmacKey(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())))
    }

    /// Signs heads of a tenant's audit chains.
    pub fn head_signer(&self, tenant: &TenantId) -> Result<HeadSigner, Error> {
        let seed = self.derive("sign", tenant, "audit heads")?;
        HeadSigner::from_seed(seed.as_slice())
    }

    /// Seals a secret for one row.
    pub fn seal(&self, binding: &Binding<'_>, secret: &[u8]) -> Result<Sealed, Error> {
        let key = self.derive("seal", binding.tenant, "")?;
        Sealed::seal(&key, binding, secret)
    }

    /// Opens what was sealed for this very row.
    pub fn unseal(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Secret, Error> {
        let key = self.derive("seal", binding.tenant, "")?;
        sealed.open(&key, binding)
    }

    fn derive(&self, family: &str, tenant: &TenantId, purpose: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
        // A digest over length-prefixed parts: no two (family, tenant, purpose) give the same info.
        let info = Digest::of_parts([
            b"lockgate key v1".as_slice(),
            family.as_bytes(),
            tenant.as_str().as_bytes(),
            purpose.as_bytes(),
        ]);
        let mut out = Zeroizing::new([0; KEY_BYTES]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"lockgate")
            .extract(self.0.as_slice())
            .expand(&[&info.0], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .map_err(|_| Error::Provider("derive a key"))?;
        Ok(out)
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Master([secret])")
    }
}

/// Makes keyed digests (HMAC-SHA256, RFC 2104) that nobody outside can make or guess.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// The keyed digest of some parts, each preceded by its length, so that no two lists collide.
    pub fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut out = [0; 32];
        // HMAC-SHA256 has 32 bytes; `zip` needs no proof of it.
        for (to, from) in out.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Digest(out)
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey([secret])")
    }
}

/// A fresh random key.
pub(crate) fn random_key() -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| Error::Provider("draw random bytes"))?;
    Ok(key)
}
