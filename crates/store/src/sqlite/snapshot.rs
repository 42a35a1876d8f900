//! All of the store as it was at one moment, as files beside it.
//!
//! Both files are pinned between two changes, each by a read transaction; from then on everybody goes on writing, and
//! SQLite's backup copies what was pinned. The write-ahead log cannot be cut short meanwhile, so it may grow.

use std::{path::Path, sync::Arc, time::Duration};

use lockgate_model::Digest;
use rusqlite::{Connection, backup::Backup};

use super::{Files, configuration, connection::reading, directory::new_file, failure::failed};
use crate::{Error, Snapshot};

/// The files of a store.
pub(super) const NAMES: &[&str] = &["definitions.sqlite", "runs.sqlite"];

/// Pages that are copied at once.
const PAGES: i32 = 1024;

/// Copies both files as they are now.
pub(super) async fn take(files: Arc<Files>) -> Result<Snapshot, Error> {
    let between = files.between.clone().write_owned().await;
    let taken = tokio::task::spawn_blocking(move || {
        let pinned: Vec<(&str, Connection)> = NAMES
            .iter()
            .map(|name| Ok((*name, pinned(&files.directory.existing(name))?)))
            .collect::<Result<_, Error>>()?;
        drop(between);
        // From here on it removes itself.
        let mut snapshot = Snapshot::new(files.directory.snapshot()?, NAMES, Digest::of(b""));
        for (name, db) in &pinned {
            copy(db, &snapshot.folder().join(name))?;
        }
        if let Some((_, definitions)) = pinned.first() {
            snapshot.configuration = configuration::digest(definitions)?;
        }
        Ok(snapshot)
    });
    taken.await.map_err(|_| Error::Closed)?
}

/// A connection that sees the file as it is now, whatever is written from here on.
fn pinned(path: &Path) -> Result<Connection, Error> {
    let db = reading(path)?;
    db.execute_batch("BEGIN; SELECT count(*) FROM meta").map_err(failed("copy its files"))?;
    Ok(db)
}

fn copy(from: &Connection, path: &Path) -> Result<(), Error> {
    let copy = || -> Result<(), rusqlite::Error> {
        let mut to = Connection::open(path)?;
        // Who loses the machine now makes another backup.
        to.pragma_update(None, "synchronous", "OFF")?;
        let backup = Backup::new(from, &mut to)?;
        backup.run_to_completion(PAGES, Duration::ZERO, None)?;
        drop(backup);
        to.close().map_err(|(_, error)| error)
    };
    new_file(path)?;
    copy().map_err(failed("copy its files"))
}
