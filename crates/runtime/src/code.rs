//! Machine code of modules, kept in files so that a start does not compile what was compiled before.
//!
//! A file holds code and nothing else, under a seal with a key of the module's tenant (see [`lockgate_engine::Compiled`]):
//! it is proven before any of it is mapped, and whoever can write here can do no more than make a module be compiled
//! again. Files that cannot be read or written are as good as absent.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use lockgate_model::{Digest, Timestamp, id::TenantId};

/// A longer file is none of ours.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The files of one installation.
#[derive(Debug)]
pub(crate) struct CodeFolder {
    path: PathBuf,
    bytes_max: u64,
}

impl CodeFolder {
    /// Keeps files in a folder, which is made when the first is written.
    pub(crate) fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self { path, bytes_max }
    }

    /// What was kept of a module.
    pub(crate) fn read(&self, tenant: &TenantId, module: &Digest, now: Timestamp) -> Option<Vec<u8>> {
        let path = self.file(tenant, module);
        let file = fs::File::open(&path).ok()?;
        if file.metadata().ok()?.len() > FILE_BYTES_MAX {
            return None;
        }
        // Those used longest ago make room; a time that cannot be set only makes this one older.
        let since_epoch = Duration::from_micros(u64::try_from(now.0).unwrap_or(0));
        let _ = file.set_modified(SystemTime::UNIX_EPOCH + since_epoch);
        fs::read(path).ok()
    }

    /// Keeps what a module needs, in the place of what was kept before.
    pub(crate) fn write(&self, tenant: &TenantId, module: &Digest, sealed: &[u8]) {
        if let Err(error) = self.try_write(&self.file(tenant, module), sealed) {
            tracing::warn!(folder = %self.path.display(), %error, "machine code cannot be kept; it is compiled again at the next start");
        }
    }

    fn try_write(&self, path: &Path, sealed: &[u8]) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let new = path.with_extension(format!("{:x}.new", std::process::id()));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(sealed)?;
        drop(file);
        fs::rename(new, path)?;
        self.make_room()
    }

    /// Removes the files that were used longest ago until the rest fits.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let known = entry.metadata()?;
            files.push((known.modified()?, known.len(), entry.path()));
        }
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        files.sort();
        for (_, length, path) in files {
            if bytes <= self.bytes_max {
                break;
            }
            fs::remove_file(path)?;
            bytes = bytes.saturating_sub(length);
        }
        Ok(())
    }

    fn file(&self, tenant: &TenantId, module: &Digest) -> PathBuf {
        self.path.join(format!("{tenant}-{}", module.hex()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After all that these tests write.
    const LATER: Timestamp = Timestamp(4_000_000_000_000_000);

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let folder = std::env::temp_dir().join(format!("lockgate-code-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let (tenant, code) = (TenantId::parse("acme").unwrap(), CodeFolder::new(folder.clone(), 25));
        let modules: Vec<Digest> = (0..4u8).map(|n| Digest::of(&[n])).collect();
        assert_eq!(code.read(&tenant, &modules[0], LATER), None);
        for module in &modules[..2] {
            code.write(&tenant, module, b"0123456789");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(code.read(&tenant, &modules[0], LATER).is_some(), "and now it is the youngest");
        code.write(&tenant, &modules[2], b"0123456789");
        assert_eq!(code.read(&tenant, &modules[1], LATER), None);
        assert!(code.read(&tenant, &modules[0], LATER).is_some() && code.read(&tenant, &modules[2], LATER).is_some());
        // In the place of what was there, not beside it.
        code.write(&tenant, &modules[2], b"9876543210");
        assert_eq!(code.read(&tenant, &modules[2], LATER).unwrap(), b"9876543210");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        assert_eq!(code.read(&TenantId::parse("other").unwrap(), &modules[2], LATER), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
