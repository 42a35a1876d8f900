//! The keys of an installation, and what is derived from them per tenant and purpose (HKDF-SHA256, RFC 5869).

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{hkdf, hmac};
use lockgate_model::{
    Digest, Timestamp,
    id::{EnvironmentId, TenantId},
};
use zeroize::Zeroizing;

use crate::{
    Binding, Error, HeadSigner, KeyWrapper, MasterKey, Sealed, Secret, TokenKeys,
    file::{private_directory, read_private, rewrite_private},
    ring::{Key, Ring},
};

/// Bytes of the master key and of every key derived from it.
pub(crate) const KEY_BYTES: usize = 32;

/// File of the master key, where it is in one.
pub const MASTER: &str = "master.key";
/// The next master key, while keys are rotated.
const NEXT: &str = "master.key.next";
/// File of the keys that it wraps.
pub const RING: &str = "keyring";

/// Who keeps the master key.
#[derive(Debug, Clone)]
pub enum Keeper {
    /// The file `master.key` in the data directory.
    File,
    /// Somebody else: it is not in the data directory.
    Elsewhere(Arc<dyn KeyWrapper>),
}

impl Keeper {
    /// What wraps for an installation in a directory; `None` where its master key is missing.
    pub fn wrapper(&self, dir: &Path) -> Result<Option<Arc<dyn KeyWrapper>>, Error> {
        match self {
            Self::Elsewhere(wrapper) => Ok(Some(wrapper.clone())),
            Self::File => {
                private_directory(dir)?;
                Ok(MasterKey::read(&dir.join(MASTER))?.map(|key| Arc::new(key) as Arc<dyn KeyWrapper>))
            }
        }
    }
}

/// The keys behind all others of an installation.
///
/// The first start lays 32 random bytes into `master.key` (mode 0600), and everything is derived from them. From the
/// first rotation on, and from the start where somebody else keeps the master key, the keys lie in `keyring`, wrapped by
/// it. Who holds the master key and the keyring can open every sealed secret; the master key is in no backup.
pub struct Master {
    dir: PathBuf,
    root: Key,
    held: RwLock<Arc<Held>>,
}

/// What a rotation exchanges.
struct Held {
    /// As it lies in the file.
    ring: Ring,
    /// With those that were dropped since the start: what is under way may need them still.
    opens: Ring,
    wrapper: Arc<dyn KeyWrapper>,
}

impl Master {
    /// Opens the keys in a private directory, or makes them at the first start, with the master key in a file there.
    /// Refuses a directory or file that others may use, and links.
    pub fn open_or_create(dir: &Path) -> Result<Self, Error> {
        Self::open_or_create_by(dir, &Keeper::File)
    }

    /// The same, whoever keeps the master key.
    pub fn open_or_create_by(dir: &Path, keeper: &Keeper) -> Result<Self, Error> {
        if let Some(found) = Self::open(dir, keeper)? {
            return Ok(found);
        }
        match keeper {
            Keeper::File => {
                let key = MasterKey::random()?;
                key.write(&dir.join(MASTER))?;
                Ok(Self::of_file(dir, key))
            }
            Keeper::Elsewhere(wrapper) => {
                let ring = Ring::random()?;
                rewrite_private(&dir.join(RING), &ring.wrapped(&**wrapper)?)?;
                Ok(Self::new(dir, ring, wrapper.clone()))
            }
        }
    }

    /// Opens the keys in a private directory; `None` if there are none. Refuses as above, and another master key than
    /// the one that wrapped them.
    pub fn open(dir: &Path, keeper: &Keeper) -> Result<Option<Self>, Error> {
        private_directory(dir)?;
        let ring = read_private(&dir.join(RING))?;
        match (keeper, ring) {
            (Keeper::File, None) => Ok(MasterKey::read(&dir.join(MASTER))?.map(|key| Self::of_file(dir, key))),
            (Keeper::File, Some(ring)) => Self::open_ring(dir, &ring).map(Some),
            (Keeper::Elsewhere(wrapper), Some(ring)) => {
                let opened = Self::new(dir, Ring::unwrapped(&ring, &**wrapper)?, wrapper.clone());
                // Where a rotation to this keeper ended before it could.
                remove(&dir.join(MASTER))?;
                Ok(Some(opened))
            }
            (Keeper::Elsewhere(_), None) if dir.join(MASTER).symlink_metadata().is_ok() => Err(Error::unusable(
                "the master key",
                "this installation keeps it in `master.key`; start it with that, then rotate its keys to another keeper",
            )),
            (Keeper::Elsewhere(_), None) => Ok(None),
        }
    }

    /// The keyring under the master key in the file, or under the next one where a rotation ended between the two.
    fn open_ring(dir: &Path, ring: &[u8]) -> Result<Self, Error> {
        let missing =
            || Error::unusable("the master key", "`master.key` is missing; put it back, or name who keeps it");
        let opened =
            |key: MasterKey| -> Result<Self, Error> { Ok(Self::new(dir, Ring::unwrapped(ring, &key)?, Arc::new(key))) };
        let now = MasterKey::read(&dir.join(MASTER))?.map(&opened);
        if let Some(Ok(opened)) = now {
            return Ok(opened);
        }
        if let Some(Ok(opened)) = MasterKey::read(&dir.join(NEXT))?.map(opened) {
            take_name(dir)?;
            return Ok(opened);
        }
        now.unwrap_or_else(|| Err(missing()))
    }

    fn of_file(dir: &Path, key: MasterKey) -> Self {
        Self::new(dir, Ring::of_root(Zeroizing::new(*key.bytes())), Arc::new(key))
    }

    fn new(dir: &Path, ring: Ring, wrapper: Arc<dyn KeyWrapper>) -> Self {
        let (root, opens) = (ring.root.clone(), ring.clone());
        Self { dir: dir.to_owned(), root, held: RwLock::new(Arc::new(Held { ring, opens, wrapper })) }
    }

    fn held(&self) -> Arc<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
    }

    /// Takes another master key and another key to seal with; what was sealed before opens as before. Answers the number
    /// of the new key. It is durable when this returns; a crash meanwhile leaves the old keys or the new ones, and so does
    /// a failure. To be asked by one at a time.
    pub fn rotate(&self, to: &Keeper) -> Result<u32, Error> {
        self.finish()?;
        let held = self.held();
        let ring = held.ring.grown()?;
        let wrapper: Arc<dyn KeyWrapper> = match to {
            Keeper::File => {
                let key = MasterKey::random()?;
                remove(&self.dir.join(NEXT))?;
                key.write(&self.dir.join(NEXT))?;
                Arc::new(key)
            }
            Keeper::Elsewhere(wrapper) => wrapper.clone(),
        };
        let wrapped = ring.wrapped(&*wrapper)?;
        // Who wraps must open as well, before there is nothing else that does.
        Ring::unwrapped(&wrapped, &*wrapper)?;
        rewrite_private(&self.dir.join(RING), &wrapped)?;
        // From here on this is what lies there, whatever becomes of the names.
        let (current, opens) = (ring.current, held.opens.with(&ring));
        self.hold(Held { ring, opens, wrapper });
        match to {
            Keeper::File => take_name(&self.dir)?,
            Keeper::Elsewhere(_) => remove(&self.dir.join(MASTER))?,
        }
        Ok(current)
    }

    /// What lies in the directory is what this process holds: a rotation that failed between its two files is finished
    /// first. Refuses a keyring that its own keeper does not open: the next rotation writes it anew. To be asked before
    /// the files are taken elsewhere, and not while a rotation goes on.
    pub fn settle(&self) -> Result<(), Error> {
        self.finish()?;
        match read_private(&self.dir.join(RING))? {
            Some(ring) => Ring::unwrapped(&ring, &*self.wrapper()).map(drop),
            None => Ok(()),
        }
    }

    /// Finishes a rotation that failed between its two files: the next master key, which another rotation would make
    /// anew, is the only one then that opens the keyring.
    fn finish(&self) -> Result<(), Error> {
        let held = self.held();
        let (ring, next) = (read_private(&self.dir.join(RING))?, MasterKey::read(&self.dir.join(NEXT)));
        let (Some(ring), Ok(Some(next))) = (ring, next) else { return Ok(()) };
        let Ok(ring) = Ring::unwrapped(&ring, &next) else { return Ok(()) };
        // It may be that which failed.
        sync(&self.dir)?;
        take_name(&self.dir)?;
        let opens = held.opens.with(&ring);
        self.hold(Held { ring, opens, wrapper: Arc::new(next) });
        Ok(())
    }

    /// Drops the keys that seal nothing any more, from the file; this process can still open with them. Answers the
    /// numbers of those that are left.
    pub fn retire(&self, used: impl Fn(u32) -> bool) -> Result<Vec<u32>, Error> {
        let held = self.held();
        let short = held.ring.without(used);
        let left = short.numbers();
        if left != held.ring.numbers() {
            rewrite_private(&self.dir.join(RING), &short.wrapped(&*held.wrapper)?)?;
            self.hold(Held { ring: short, opens: held.opens.clone(), wrapper: held.wrapper.clone() });
        }
        Ok(left)
    }

    /// Number of the key that new secrets are sealed with.
    pub fn current(&self) -> u32 {
        self.held().ring.current
    }

    /// Who wraps the keys.
    pub fn wrapper(&self) -> Arc<dyn KeyWrapper> {
        self.held().wrapper.clone()
    }

    /// A key of its own for a tenant and purpose, to make keyed digests with.
    pub fn hmac_key(&self, tenant: &TenantId, purpose: &str) -> Result<HmacKey, Error> {
        let key = derive(&self.root, "hmac", tenant.as_str(), purpose)?;
        Ok(HmacKey(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())))
    }

    /// Signs heads of a tenant's audit chains.
    pub fn head_signer(&self, tenant: &TenantId) -> Result<HeadSigner, Error> {
        let seed = derive(&self.root, "sign", tenant.as_str(), "audit heads")?;
        HeadSigner::from_seed(seed.as_slice())
    }

    /// What access tokens of an environment are signed with at a time.
    pub fn token_keys(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        now: Timestamp,
    ) -> Result<TokenKeys, Error> {
        TokenKeys::derive(self, tenant, environment, now)
    }

    /// What a rotation exchanges with the key that secrets are sealed with: who had the keys before it cannot make this.
    pub(crate) fn seed(&self, tenant: &TenantId, purpose: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
        let held = self.held();
        let current = held.ring.seals.get(&held.ring.current).unwrap_or(&self.root);
        derive(current, "sign", tenant.as_str(), purpose)
    }

    /// Seals a secret for one row.
    pub fn seal(&self, binding: &Binding<'_>, secret: &[u8]) -> Result<Sealed, Error> {
        let held = self.held();
        let number = held.ring.current;
        let key = tenant_key(&held.opens, number, binding.tenant)?;
        Sealed::seal((number, &key), binding, secret)
    }

    /// Opens what was sealed for this very row.
    pub fn unseal(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Secret, Error> {
        let key = tenant_key(&self.held().opens, sealed.key(), binding.tenant)?;
        sealed.open(&key, binding)
    }

    /// What tells these keys from others, and nothing about them.
    pub fn known_by(&self) -> Result<Digest, Error> {
        derive(&self.root, "known by", "", "").map(|key| Digest::of(key.as_slice()))
    }
}

fn tenant_key(ring: &Ring, number: u32, tenant: &TenantId) -> Result<Key, Error> {
    let key = match ring.seals.get(&number) {
        Some(key) => key,
        None if number == 0 && ring.from_root => &ring.root,
        None => return Err(Error::NotSealedHere),
    };
    derive(key, "seal", tenant.as_str(), "")
}

/// The next master key becomes the one there is.
fn take_name(dir: &Path) -> Result<(), Error> {
    let path = dir.join(MASTER);
    fs::rename(dir.join(NEXT), &path).map_err(|e| Error::File {
        doing: "replace",
        path,
        reason: e.to_string().to_lowercase(),
    })?;
    sync(dir)
}

/// Names in a directory are durable.
fn sync(dir: &Path) -> Result<(), Error> {
    let synced = fs::File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|e| Error::File { doing: "sync", path: dir.to_owned(), reason: e.to_string().to_lowercase() })
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File { doing: "remove", path: path.to_owned(), reason: e.to_string().to_lowercase() })
        }
        _ => Ok(()),
    }
}

fn derive(from: &Key, family: &str, tenant: &str, purpose: &str) -> Result<Key, Error> {
    // A digest over length-prefixed parts: no two (family, tenant, purpose) give the same info.
    let info =
        Digest::of_parts([b"lockgate key v1".as_slice(), family.as_bytes(), tenant.as_bytes(), purpose.as_bytes()]);
    let mut out = Zeroizing::new([0; KEY_BYTES]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"lockgate")
        .extract(from.as_slice())
        .expand(&[&info.0], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .map_err(|_| Error::Provider("derive a key"))?;
    Ok(out)
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
