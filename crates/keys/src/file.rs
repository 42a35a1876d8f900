//! Private files: mode 0600 in a directory of mode 0700, never through a symbolic link.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::Error;

/// Largest private file read, in bytes: a key or a chain of certificates is far below.
const BYTES_MAX: u64 = 1024 * 1024;

/// Makes sure of a directory that only its owner can enter; makes it if it is not there.
pub(crate) fn private_directory(dir: &Path) -> Result<(), Error> {
    match DirBuilder::new().recursive(true).mode(0o700).create(dir) {
        Ok(()) => {}
        Err(e) => return Err(failed("make the directory", dir, &e)),
    }
    let found = fs::symlink_metadata(dir).map_err(|e| failed("look at", dir, &e))?;
    if !found.is_dir() {
        return Err(not_private(dir, "it is a link; name the directory itself".into()));
    }
    refuse_wide(dir, found.mode(), "700")
}

/// Reads a private file; `None` if there is none.
pub(crate) fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let listed = match fs::symlink_metadata(path) {
        Ok(listed) => listed,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("look at", path, &e)),
    };
    if !listed.is_file() {
        return Err(not_private(path, "it is not a plain file; put the file itself there, not a link".into()));
    }
    let mut file = File::open(path).map_err(|e| failed("open", path, &e))?;
    let opened = file.metadata().map_err(|e| failed("look at", path, &e))?;
    // The name may have been given to another file between the two looks.
    if (opened.dev(), opened.ino()) != (listed.dev(), listed.ino()) {
        return Err(not_private(path, "it was exchanged while it was opened; try again".into()));
    }
    refuse_wide(path, opened.mode(), "600")?;
    if opened.len() > BYTES_MAX {
        return Err(Error::File { doing: "read", path: path.to_owned(), reason: "it is larger than any key".into() });
    }
    // Sized once: a buffer that grows would leave unwiped copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(opened.len() as usize + 1));
    (&mut file).take(BYTES_MAX).read_to_end(&mut bytes).map_err(|e| failed("read", path, &e))?;
    Ok(Some(bytes))
}

/// Writes a private file beside a path, durably: it has its name only when it is whole.
fn written_aside(path: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let partial = partial_name(path);
    // A left-over of a crash was never read under its real name.
    match fs::remove_file(&partial) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(partial)
}

/// Writes a new private file, durably. Refuses to replace one: a lost key is lost for good.
/// A crash leaves either no file under the name or the whole of it.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |e: std::io::Error| failed("write", path, &e);
    let partial = written_aside(path, bytes).map_err(failed)?;
    // A hard link fails where the name is taken; a rename would replace it.
    let linked = fs::hard_link(&partial, path).map_err(failed);
    fs::remove_file(&partial).map_err(failed)?;
    linked?;
    if let Some(dir) = path.parent() {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    }
    Ok(())
}

/// Writes a private file in the place of the one that is there, if there is one. A crash leaves one of
/// them, or none: only for what can be made again.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed("replace", path, &e)),
        _ => create_private(path, bytes),
    }
}

/// Writes a private file over the one that is there, if there is one. A crash leaves one of them, whole.
pub(crate) fn rewrite_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |e: std::io::Error| failed("write", path, &e);
    let partial = written_aside(path, bytes).map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)?;
    match path.parent() {
        Some(dir) => File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed),
        None => Ok(()),
    }
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn refuse_wide(path: &Path, mode: u32, right: &str) -> Result<(), Error> {
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(not_private(
        path,
        format!("others may use it (mode {:03o}); if nobody did, run: chmod {right} {}", mode & 0o777, path.display()),
    ))
}

fn not_private(path: &Path, reason: String) -> Error {
    Error::NotPrivate { path: path.to_owned(), reason }
}

fn failed(doing: &'static str, path: &Path, error: &std::io::Error) -> Error {
    Error::File { doing, path: path.to_owned(), reason: error.to_string().to_lowercase() }
}
