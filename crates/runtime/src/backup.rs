//! Operator: backup of the whole installation into one encrypted archive while it serves, and restore into an empty
//! data directory.
//!
//! Inside the archive: `about` as JSON, then files, each with its name (length in 1 byte), its length (8 bytes,
//! big-endian) and its bytes; a name without bytes ends it. Which files there are is fixed: a name that this version
//! does not know is of a newer one. The master key is in no archive.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use lockgate_keys::{
    Archive, ArchiveWriter, Keeper, KeyWrapper, MASTER, Master, PASSPHRASE_BYTES_MIN, RING, Secret, Unlock,
};
use lockgate_model::{
    Digest, Timestamp,
    audit::{Entry, Outcome},
};
use lockgate_store::{Snapshot, SqliteStore, Store};
use serde::{Deserialize, Serialize};

use crate::{Error, Runtime, SecretText};

/// Files of the store; then the wrapped keys and the installation's own authority, as far as there are any.
const STORE: [&str; 2] = ["definitions.sqlite", "runs.sqlite"];
const BESIDE: [&str; 3] = [RING, "ca.key", "ca.pem"];
const ABOUT: &str = "about";
const ABOUT_BYTES_MAX: u64 = 64 * 1024;
/// Where a restore works until everything is there.
const PARTIAL: &str = "restore";

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// Version of the product that made it.
    product: String,
    /// When.
    at: Timestamp,
    /// Digest of the configuration in it.
    configuration: Digest,
    /// What tells the keys that open its secrets.
    master: Digest,
}

/// A backup that is about to be written.
pub struct Backup {
    snapshot: Snapshot,
    /// Small files, as they were when the snapshot was taken.
    beside: Vec<(&'static str, Secret)>,
    wrapper: Arc<dyn KeyWrapper>,
    about: About,
    passphrase: Option<Secret>,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// When the backup was made.
    pub at: Timestamp,
    /// Digest of the configuration, as it was then.
    pub configuration: Digest,
}

impl Runtime {
    /// Operator: the digest of the whole configuration; docs/backup.md says how it is made.
    pub async fn operator_configuration(&self) -> Result<Digest, Error> {
        Ok(self.0.store.configuration().await?)
    }

    /// Operator: takes everything as it is now, for an archive under the master key or a passphrase. Each tenant's audit
    /// log tells of it, in the backup too. `dir` is the data directory, for what lies beside the store.
    pub async fn operator_backup(&self, dir: &Path, passphrase: Option<&SecretText>) -> Result<Backup, Error> {
        let passphrase = passphrase.map(|text| Secret::new(text.expose().as_bytes().to_vec()));
        if passphrase.as_ref().is_some_and(|p| p.expose().len() < PASSPHRASE_BYTES_MIN) {
            let message =
                format!("the passphrase is shorter than {PASSPHRASE_BYTES_MIN} bytes; take some words by chance");
            return Err(Error::invalid("LG-BACKUP", message));
        }
        for tenant in self.0.store.tenants().await? {
            self.record(&tenant, Entry::new(self.now(), "operator-backup", Outcome::Done, "operator")).await?;
        }
        // No rotation between what is sealed and the keys that it is sealed with.
        let _keys = self.0.rotating.lock().await;
        // Nor one that failed between the keyring and who opens it.
        let master = self.0.master.clone();
        let settled = tokio::task::spawn_blocking(move || master.settle()).await;
        let settled = settled.map_err(|_| Error::Internal { what: "the keys".into() })?;
        settled.map_err(|e| {
            let message =
                format!("the keys do not fit together, as after a rotation that failed; rotate them again ({e})");
            Error::invalid("LG-BACKUP", message)
        })?;
        let snapshot = self.0.store.snapshot().await?;
        let beside = BESIDE.iter().filter_map(|name| read_beside(dir, name).transpose());
        let beside = beside.collect::<io::Result<_>>().map_err(|e| failed(&e))?;
        let about = About {
            product: env!("CARGO_PKG_VERSION").to_owned(),
            at: self.now(),
            configuration: snapshot.configuration,
            master: known_by(&self.0.master)?,
        };
        Ok(Backup { snapshot, beside, wrapper: self.0.master.wrapper(), about, passphrase })
    }
}

/// A file beside the store; none where there is none: who serves with a certificate of their own may have removed the
/// authority.
fn read_beside(dir: &Path, name: &'static str) -> io::Result<Option<(&'static str, Secret)>> {
    match fs::read(dir.join(name)) {
        Ok(bytes) => Ok(Some((name, Secret::new(bytes)))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// What tells a master key without telling anything of it.
fn known_by(master: &Master) -> Result<Digest, Error> {
    master.known_by().map_err(|e| failed(&e))
}

impl Backup {
    /// Digest of the configuration in it.
    pub fn configuration(&self) -> Digest {
        self.about.configuration
    }

    /// Bytes before encryption; of them comes hardly more after it.
    pub fn bytes(&self) -> u64 {
        let store = self.files().into_iter().filter_map(|(_, path)| fs::metadata(path).ok()).map(|found| found.len());
        store.sum::<u64>() + self.beside.iter().map(|(_, bytes)| bytes.expose().len() as u64).sum::<u64>()
    }

    fn files(&self) -> [(&'static str, PathBuf); 2] {
        STORE.map(|name| (name, self.snapshot.folder().join(name)))
    }

    /// Writes the archive, which is one only when this returns. It blocks, and takes the memory of a chunk.
    pub fn write(self, to: impl Write) -> Result<(), Error> {
        let unlock = match &self.passphrase {
            Some(passphrase) => Unlock::Passphrase(passphrase),
            None => Unlock::Master(&*self.wrapper),
        };
        let mut archive = ArchiveWriter::create(to, unlock).map_err(|e| failed(&e))?;
        let about = serde_json::to_vec(&self.about).map_err(|e| failed(&e))?;
        put(&mut archive, ABOUT, about.len() as u64, about.as_slice()).map_err(|e| failed(&e))?;
        for (name, path) in self.files() {
            let mut put = || -> io::Result<()> {
                let file = File::open(&path)?;
                put(&mut archive, name, file.metadata()?.len(), file)
            };
            put().map_err(|e| failed(&e))?;
        }
        for (name, bytes) in &self.beside {
            put(&mut archive, name, bytes.expose().len() as u64, bytes.expose()).map_err(|e| failed(&e))?;
        }
        archive.write_all(&[0]).map_err(|e| failed(&e))?;
        archive.finish().map(|_| ()).map_err(|e| failed(&e))
    }
}

fn put(archive: &mut impl Write, name: &str, length: u64, bytes: impl Read) -> io::Result<()> {
    archive.write_all(&[u8::try_from(name.len()).unwrap_or(u8::MAX)])?;
    archive.write_all(name.as_bytes())?;
    archive.write_all(&length.to_be_bytes())?;
    let written = io::copy(&mut bytes.take(length), archive)?;
    if written == length { Ok(()) } else { Err(io::Error::other("a file became shorter while it was read")) }
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::invalid("LG-BACKUP", format!("the backup cannot be made: {}", error.to_string().to_lowercase()))
}

fn refused(reason: impl std::fmt::Display) -> Error {
    Error::invalid("LG-RESTORE", format!("nothing was restored: {reason}"))
}

/// Restores an archive into a data directory that holds nothing, or the master key alone where that is kept in a file. Everything is written aside, opened
/// and held to the digest that the archive tells before any of it gets its name. The restored store goes on under a new
/// name as a writer of the audit log, so that no chain has two ends; each tenant's log tells of it.
///
/// It blocks, and takes bounded memory.
pub fn restore(
    from: impl Read,
    dir: &Path,
    keeper: &Keeper,
    passphrase: Option<&Secret>,
    now: Timestamp,
) -> Result<Restored, Error> {
    // A log that SQLite left behind would be replayed into what is restored, and so on: nothing else may be there.
    for name in fs::read_dir(dir).into_iter().flatten().flatten().map(|found| found.file_name()) {
        if name != MASTER && name != PARTIAL {
            let (place, name) = (dir.display(), name.display());
            return Err(refused(format!(
                "`{place}` is not empty, it has `{name}`; name a directory that has nothing in it"
            )));
        }
    }
    let wrapper = keeper.wrapper(dir).map_err(refused)?.ok_or_else(|| {
        refused(format!("put the master key of the installation into `{}` first", dir.join(MASTER).display()))
    })?;
    // Where the master key is kept elsewhere there need be no directory yet.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|e| refused(format!("`{}`: {}", dir.display(), e.to_string().to_lowercase())))?;
    let unlock = passphrase.map_or(Unlock::Master(&*wrapper), Unlock::Passphrase);
    let archive = Archive::open(from, unlock).map_err(refused)?;
    let partial = Partial::make(dir)?;
    let (about, names) = unpack(archive, &partial.0)?;
    prove(&partial.0, dir, keeper, &about)?;
    if let Some(missing) = STORE.iter().find(|name| !names.contains(*name)) {
        return Err(refused(format!("`{missing}` is not in it")));
    }
    let restored = open(&partial.0, &about, now)?;
    // The keys before what they open, and last what a server looks for: a restore that breaks off is no store.
    let order = BESIDE.iter().chain(STORE.iter().rev()).filter(|name| names.contains(*name));
    for (done, name) in order.clone().enumerate() {
        // A hard link fails where the name was taken meanwhile; a rename would replace it.
        if let Err(e) = fs::hard_link(partial.0.join(name), dir.join(name)) {
            order.clone().take(done).for_each(|name| drop(fs::remove_file(dir.join(name))));
            return Err(refused(e.to_string().to_lowercase()));
        }
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| refused(e.to_string().to_lowercase()))?;
    Ok(restored)
}

/// Whether the master key opens the keys that the secrets in the archive are sealed with.
fn prove(partial: &Path, dir: &Path, keeper: &Keeper, about: &About) -> Result<(), Error> {
    let other = || refused("the master key here is not the one that opens the secrets in it; put that one here");
    if let Keeper::File = keeper {
        fs::hard_link(dir.join(MASTER), partial.join(MASTER)).map_err(|e| refused(e.to_string().to_lowercase()))?;
    }
    let master = Master::open(partial, keeper).map_err(|_| other())?.ok_or_else(other)?;
    if about.master == known_by(&master)? { Ok(()) } else { Err(other()) }
}

/// A folder beside what comes of it, which goes with this value.
struct Partial(PathBuf);

impl Partial {
    fn make(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(PARTIAL);
        // Of a restore that was killed; it never had a name that counts.
        let _ = fs::remove_dir_all(&path);
        DirBuilder::new().mode(0o700).create(&path).map_err(|e| refused(e.to_string().to_lowercase()))?;
        Ok(Self(path))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes the files of an archive into a folder, down to its verified end.
fn unpack(mut archive: impl Read, to: &Path) -> Result<(About, Vec<&'static str>), Error> {
    let unread = |e: io::Error| refused(e.to_string().to_lowercase());
    let mut about: Option<About> = None;
    let mut names = Vec::new();
    while let Some((name, length)) = begin(&mut archive).map_err(unread)? {
        if name == ABOUT && about.is_none() && length <= ABOUT_BYTES_MAX {
            let mut bytes = Vec::new();
            (&mut archive).take(length).read_to_end(&mut bytes).map_err(unread)?;
            about = Some(serde_json::from_slice(&bytes).map_err(|_| newer())?);
            continue;
        }
        let known = STORE.iter().chain(&BESIDE).find(|known| **known == name).ok_or_else(newer)?;
        if names.contains(known) {
            return Err(refused(format!("`{known}` is twice in it")));
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to.join(known));
        let mut file = file.map_err(unread)?;
        let written = io::copy(&mut (&mut archive).take(length), &mut file).map_err(unread)?;
        if written != length {
            return Err(refused("it was cut off; use another copy"));
        }
        file.sync_all().map_err(unread)?;
        names.push(known);
    }
    // The end is told only where nothing is missing behind it.
    if archive.read(&mut [0]).map_err(unread)? != 0 {
        return Err(newer());
    }
    Ok((about.ok_or_else(newer)?, names))
}

fn newer() -> Error {
    refused("there is something in it that this version does not know; use the version that made it or a newer one")
}

/// Name and length of the next file; none at the end.
fn begin(archive: &mut impl Read) -> io::Result<Option<(String, u64)>> {
    let mut count = [0];
    archive.read_exact(&mut count)?;
    let [count] = count;
    if count == 0 {
        return Ok(None);
    }
    let (mut name, mut length) = (vec![0; count.into()], [0; 8]);
    archive.read_exact(&mut name)?;
    archive.read_exact(&mut length)?;
    Ok(Some((String::from_utf8_lossy(&name).into_owned(), u64::from_be_bytes(length))))
}

/// Opens what was unpacked, as a server will, and holds it to what the archive says.
fn open(dir: &Path, about: &About, now: Timestamp) -> Result<Restored, Error> {
    let store = SqliteStore::open_restored(dir, now).map_err(refused)?;
    let tasks = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    tasks.block_on(async {
        let found = store.configuration().await.map_err(refused)?;
        if found != about.configuration {
            return Err(refused(format!("the digest of its configuration is {found}, not {}", about.configuration)));
        }
        for tenant in store.tenants().await.map_err(refused)? {
            let mut entry = Entry::new(now, "operator-restore", Outcome::Done, "operator");
            entry.detail.insert("backup".to_owned(), about.at.to_string());
            let receipt = store.append(&tenant, entry).await.map_err(refused)?;
            receipt.durable().await.map_err(|_| refused("the audit log cannot be written"))?;
        }
        Ok(Restored { at: about.at, configuration: found })
    })
}
