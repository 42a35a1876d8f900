//! Opening a database file: settings, migrations, and a small pool of readers.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction};
use tokio::sync::Semaphore;

use super::failure::failed;
use crate::Error;

/// Readers per file: reads are short, and writes never wait for them.
const READERS: usize = 4;

const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The only connection that writes to a file.
pub(super) fn writing(path: &Path) -> Result<Connection, Error> {
    let open = || -> Result<Connection, rusqlite::Error> {
        let db = connect(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: the log is synced at every commit. That is what makes an append durable.
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        // What is erased is overwritten, not only unlinked.
        db.pragma_update(None, "secure_delete", true)?;
        Ok(db)
    };
    open().map_err(failed("open its files"))
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    // No CREATE: the file is there, made with its mode before SQLite sees it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY_WAIT)?;
    // No temporary files on disk.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Writes the head of the file as it is: nothing changes, and the commit is as durable as any.
pub(super) fn probe(db: &Connection) -> Result<(), Error> {
    // The number is free for applications to use, and this one does not.
    db.pragma_update(None, "user_version", 0).map_err(failed("write"))
}

/// Brings a file to the newest form; refuses one that a newer version wrote.
pub(super) fn migrate(runner: refinery::Runner, db: &mut Connection) -> Result<(), Error> {
    runner.run(db).map(|_| ()).map_err(|e| {
        Error::Unusable(format!(
            "its files do not fit this version of the program ({}); use the version that wrote them or a newer one",
            e.to_string().to_lowercase()
        ))
    })
}

/// Connections that only read, each query in its own consistent view.
#[derive(Debug, Clone)]
pub(super) struct Readers(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    free: Semaphore,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Pool { path, idle: Mutex::new(Vec::new()), free: Semaphore::new(READERS) }))
    }

    /// Runs a query on a blocking thread.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = self.0.free.acquire().await.map_err(|_| Error::Closed)?;
        let pool = self.0.clone();
        let answer = tokio::task::spawn_blocking(move || {
            // Not bound in the `match`: the lock must not be held while a file is opened.
            let idle = pool.idle().pop();
            let mut db = match idle {
                Some(db) => db,
                None => reading(&pool.path)?,
            };
            let view = db.transaction().map_err(failed("read"))?;
            let answer = query(&view);
            drop(view);
            pool.idle().push(db);
            answer
        });
        answer.await.map_err(|_| Error::Closed)?
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that only reads.
pub(super) fn reading(path: &Path) -> Result<Connection, Error> {
    let open = || -> Result<Connection, rusqlite::Error> {
        let db = connect(path)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(db)
    };
    open().map_err(failed("open its files"))
}
