//! What the practice file server holds: files and folders in memory, pure and bounded.

use std::collections::{BTreeMap, BTreeSet};

/// Bytes of all files together.
pub(crate) const BYTES_MAX: usize = 64 << 20;
/// Files and folders together.
const ENTRIES_MAX: usize = 10_000;
/// Longest path in bytes.
const PATH_BYTES_MAX: usize = 1024;

/// Why something cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Missing,
    InTheWay,
    NotEmpty,
    Full,
}

/// A file.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub bytes: Vec<u8>,
    /// Seconds since the epoch, as the caller tells time.
    pub modified_s: u32,
}

/// All files and folders. Paths are names with `/` between them; the empty one is the root.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: BTreeMap<String, File>,
    folders: BTreeSet<String>,
    bytes: usize,
}

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    File(&'a File),
    Folder,
}

/// A path as a client writes it, in the one form used here; `..` ends at the root.
pub(crate) fn plain(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Files {
    /// What is there.
    pub fn find(&self, path: &str) -> Result<Found<'_>, Refused> {
        match self.files.get(path) {
            Some(file) => Ok(Found::File(file)),
            None if path.is_empty() || self.folders.contains(path) => Ok(Found::Folder),
            None => Err(Refused::Missing),
        }
    }

    /// All files: path and size.
    pub fn all(&self) -> Vec<(String, u64)> {
        self.files.iter().map(|(path, file)| (path.clone(), file.bytes.len() as u64)).collect()
    }

    /// Names in a folder, and what they are.
    pub fn list(&self, folder: &str) -> Result<Vec<(String, Found<'_>)>, Refused> {
        if !matches!(self.find(folder)?, Found::Folder) {
            return Err(Refused::Missing);
        }
        let inside = |path: &str| folder_of(path) == folder && !path.is_empty();
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let folders = self.folders.iter().filter(|path| inside(path)).map(|path| (name(path), Found::Folder));
        let files = self.files.iter().filter(|(path, _)| inside(path));
        Ok(folders.chain(files.map(|(path, file)| (name(path), Found::File(file)))).collect())
    }

    /// Makes an empty file, or empties the one that is there if `new` is false.
    pub fn create(&mut self, path: &str, new: bool, now_s: u32) -> Result<(), Refused> {
        match self.find(path) {
            Ok(Found::Folder) => return Err(Refused::InTheWay),
            Ok(Found::File(_)) if new => return Err(Refused::InTheWay),
            Ok(Found::File(_)) => {}
            Err(_) => self.room_for(path)?,
        }
        let old = self.files.insert(path.to_owned(), File { bytes: Vec::new(), modified_s: now_s });
        self.bytes -= old.map_or(0, |old| old.bytes.len());
        Ok(())
    }

    /// Writes into a file that is there; a gap before `offset` is filled with zeros.
    pub fn write(&mut self, path: &str, offset: u64, bytes: &[u8], now_s: u32) -> Result<(), Refused> {
        let file = self.files.get_mut(path).ok_or(Refused::Missing)?;
        let begin = usize::try_from(offset).ok().filter(|begin| *begin <= BYTES_MAX).ok_or(Refused::Full)?;
        let end = begin.saturating_add(bytes.len());
        let more = end.saturating_sub(file.bytes.len());
        if self.bytes + more > BYTES_MAX {
            return Err(Refused::Full);
        }
        if more > 0 {
            file.bytes.resize(end, 0);
            self.bytes += more;
        }
        if let Some(place) = file.bytes.get_mut(begin..end) {
            place.copy_from_slice(bytes);
        }
        file.modified_s = now_s;
        Ok(())
    }

    /// Makes a folder.
    pub fn make_folder(&mut self, path: &str) -> Result<(), Refused> {
        if self.find(path).is_ok() {
            return Err(Refused::InTheWay);
        }
        self.room_for(path)?;
        self.folders.insert(path.to_owned());
        Ok(())
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) -> Result<(), Refused> {
        let file = self.files.remove(path).ok_or(Refused::Missing)?;
        self.bytes -= file.bytes.len();
        Ok(())
    }

    /// Removes a folder that is empty.
    pub fn remove_folder(&mut self, path: &str) -> Result<(), Refused> {
        if !self.folders.contains(path) {
            return Err(Refused::Missing);
        }
        if !self.list(path)?.is_empty() {
            return Err(Refused::NotEmpty);
        }
        self.folders.remove(path);
        Ok(())
    }

    /// Renames a file; one that is there already is replaced or in the way.
    pub fn rename(&mut self, from: &str, to: &str, replace: bool) -> Result<(), Refused> {
        if !self.files.contains_key(from) {
            return Err(Refused::Missing);
        }
        if from == to {
            return Ok(());
        }
        match self.find(to) {
            Ok(Found::Folder) => return Err(Refused::InTheWay),
            Ok(Found::File(_)) if !replace => return Err(Refused::InTheWay),
            Ok(Found::File(_)) => self.remove(to)?,
            Err(_) => self.room_for(to)?,
        }
        if let Some(file) = self.files.remove(from) {
            self.files.insert(to.to_owned(), file);
        }
        Ok(())
    }

    fn room_for(&self, path: &str) -> Result<(), Refused> {
        if !matches!(self.find(folder_of(path))?, Found::Folder) {
            return Err(Refused::Missing);
        }
        let full = self.files.len() + self.folders.len() >= ENTRIES_MAX || path.len() > PATH_BYTES_MAX;
        if full { Err(Refused::Full) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded() {
        let mut files = Files::default();
        files.create("a", true, 0).unwrap();
        assert_eq!(files.write("a", BYTES_MAX as u64, b"x", 0), Err(Refused::Full));
        assert_eq!(files.write("a", u64::MAX, b"x", 0), Err(Refused::Full));
        files.write("a", BYTES_MAX as u64 - 1, b"x", 0).unwrap();
        files.create("b", true, 0).unwrap();
        assert_eq!(files.write("b", 0, b"x", 0), Err(Refused::Full));
        files.remove("a").unwrap();
        files.write("b", 0, b"x", 0).unwrap();
        assert_eq!(files.create(&"n".repeat(2000), true, 0), Err(Refused::Full));
        for n in 0..ENTRIES_MAX - 1 {
            files.make_folder(&n.to_string()).unwrap();
        }
        assert_eq!(files.make_folder("one-more"), Err(Refused::Full));
    }

    #[test]
    fn paths_end_at_the_root() {
        for (written, path) in [("/", ""), (".", ""), ("../../a", "a"), ("/a//b/./c/../d", "a/b/d")] {
            assert_eq!(plain(written), path);
        }
    }

    #[test]
    fn files_and_folders() {
        let mut files = Files::default();
        assert_eq!(files.create("in/a", true, 0), Err(Refused::Missing));
        files.make_folder("in").unwrap();
        files.create("in/a", true, 5).unwrap();
        assert_eq!(files.create("in/a", true, 0), Err(Refused::InTheWay));
        files.write("in/a", 2, b"xy", 7).unwrap();
        assert!(matches!(files.find("in/a"), Ok(Found::File(f)) if f.bytes == b"\0\0xy" && f.modified_s == 7));
        assert_eq!(files.remove_folder("in"), Err(Refused::NotEmpty));
        files.create("b", true, 0).unwrap();
        assert_eq!(files.rename("b", "in/a", false), Err(Refused::InTheWay));
        files.rename("b", "in/a", true).unwrap();
        assert_eq!(files.all(), [("in/a".to_owned(), 0)]);
        assert_eq!(files.rename("missing", "x", true), Err(Refused::Missing));
        files.rename("in/a", "in/a", false).unwrap();
        files.remove("in/a").unwrap();
        files.remove_folder("in").unwrap();
        assert!(files.list("").unwrap().is_empty());
    }
}
