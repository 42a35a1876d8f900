//! The data directory: private, and used by one process at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::Error;

/// Folder of a snapshot, as long as there is one.
const SNAPSHOT: &str = "snapshot";

/// A data directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The lock goes with the file handle.
    _lock: File,
}

impl Directory {
    /// Takes the directory: makes it with mode 0700 if it is not there, refuses it if others may
    /// enter it or another process holds it.
    pub fn take(path: &Path) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| unusable(path, e.to_string()))?;
        refuse_wide(path, "700", fs::Metadata::is_dir)?;
        let lock = private_file(&path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {
                let this = Self { path: path.to_owned(), _lock: lock };
                // Of a process that ended while it made a snapshot.
                match fs::remove_dir_all(this.path.join(SNAPSHOT)) {
                    Err(e) if e.kind() != ErrorKind::NotFound => Err(unusable(path, e.to_string())),
                    _ => Ok(this),
                }
            }
            Err(TryLockError::WouldBlock) => Err(unusable(path, "another server uses it; stop that one first".into())),
            Err(TryLockError::Error(e)) => Err(unusable(path, e.to_string())),
        }
    }

    /// A database file in it, made with mode 0600 if it is not there. SQLite gives the same mode to
    /// the files it lays beside it.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        private_file(&path)?;
        Ok(path)
    }

    /// A database file that is there.
    pub(super) fn existing(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// An empty folder for a snapshot; refused while there is one.
    pub(super) fn snapshot(&self) -> Result<PathBuf, Error> {
        let path = self.path.join(SNAPSHOT);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(path),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                Err(Error::Refused("another backup is being made: wait until it is done".into()))
            }
            Err(e) => Err(unusable(&path, e.to_string())),
        }
    }
}

/// A new empty file that is its owner's alone.
pub(super) fn new_file(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map(|_| ()).map_err(|e| unusable(path, e.to_string()))
}

fn private_file(path: &Path) -> Result<File, Error> {
    if path.symlink_metadata().is_ok() {
        refuse_wide(path, "600", fs::Metadata::is_file)?;
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|e| unusable(path, e.to_string()))
}

fn refuse_wide(path: &Path, right: &str, kind: fn(&fs::Metadata) -> bool) -> Result<(), Error> {
    let found = fs::symlink_metadata(path).map_err(|e| unusable(path, e.to_string()))?;
    if !kind(&found) {
        return Err(unusable(path, "it is a link or something else; name the thing itself".into()));
    }
    if found.mode() & 0o077 != 0 {
        return Err(unusable(
            path,
            format!(
                "others may use it (mode {:03o}); if nobody did, run: chmod {right} {}",
                found.mode() & 0o777,
                path.display()
            ),
        ));
    }
    Ok(())
}

fn unusable(path: &Path, reason: String) -> Error {
    Error::Unusable(format!("{}: {}", path.display(), reason.to_lowercase()))
}
