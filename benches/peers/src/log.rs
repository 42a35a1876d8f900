//! What the service on axum appends durably: one thread writes whatever has queued up while the disk was busy, and
//! syncs once for all of it. Either a line in a file, the least that there is; or what Lockgate appends, into the same
//! tables with the same indexes: an entry chained by its hash, and the run.

use std::{fs::File, io::Write, path::Path};

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

const WAITING_MAX: usize = 4_096;
const BATCH_MAX: usize = 1_024;

/// Bytes of an entry, and of a run's record and outcome, as Lockgate writes them for this request.
const ENTRY: usize = 343;
const RECORD: usize = 436;
const OUTCOME: usize = 252;
const TABLES: [&str; 4] = [
    include_str!("../../../crates/store/migrations/runs/V1__runs.sql"),
    include_str!("../../../crates/store/migrations/runs/V2__schedules.sql"),
    include_str!("../../../crates/store/migrations/runs/V3__green.sql"),
    include_str!("../../../crates/store/migrations/runs/V4__look_ups.sql"),
];

/// Where records are queued.
#[derive(Clone)]
pub struct Log(mpsc::Sender<oneshot::Sender<()>>);

impl Log {
    /// A file of lines, or a database where its name ends so.
    pub fn open(path: &Path) -> Self {
        let (log, mut waiting) = mpsc::channel(WAITING_MAX);
        let mut write: Box<dyn FnMut(usize) + Send> =
            if path.extension().is_some_and(|end| end == "sqlite") { rows(path) } else { lines(path) };
        std::thread::spawn(move || {
            let mut batch: Vec<oneshot::Sender<()>> = Vec::new();
            while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
                write(batch.len());
                for done in batch.drain(..) {
                    let _ = done.send(());
                }
            }
        });
        Self(log)
    }

    /// Queues a record; the receiver hears when it is durable.
    pub async fn append(&self) -> oneshot::Receiver<()> {
        let (done, durable) = oneshot::channel();
        self.0.send(done).await.unwrap();
        durable
    }
}

fn lines(path: &Path) -> Box<dyn FnMut(usize) + Send> {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    Box::new(move |count| {
        file.write_all(&vec![b'.'; count * (ENTRY + RECORD)]).unwrap();
        file.sync_data().unwrap();
    })
}

fn rows(path: &Path) -> Box<dyn FnMut(usize) + Send> {
    let mut db = Connection::open(path).unwrap();
    for (setting, value) in [("journal_mode", "WAL"), ("synchronous", "FULL"), ("secure_delete", "ON")] {
        db.pragma_update(None, setting, value).unwrap();
    }
    TABLES.iter().for_each(|tables| db.execute_batch(tables).unwrap());
    let (writer, module) = ("w-0123456789abcdef0123456789abcdef", format!("sha256:{}", "0".repeat(64)));
    let (entry, record, outcome) = ("e".repeat(ENTRY), "r".repeat(RECORD), "o".repeat(OUTCOME));
    let (mut seq, mut head) = (0_i64, [0_u8; 32]);
    Box::new(move |count| {
        let transaction = db.transaction().unwrap();
        for _ in 0..count {
            seq += 1;
            let mut hash = Sha256::new();
            hash.update(head);
            hash.update(&entry);
            let hash: [u8; 32] = hash.finalize().into();
            transaction
                .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
                .unwrap()
                .execute(params!["demo", writer, seq, head, hash, seq, "execute", entry])
                .unwrap();
            head = hash;
            let run = format!("01a2066f-68e5-748a-b9a9-{seq:012}");
            transaction
                .prepare_cached("INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
                .unwrap()
                .execute(params![
                    "demo",
                    run,
                    writer,
                    "development",
                    "invoice",
                    "completed",
                    seq,
                    seq,
                    record,
                    outcome,
                    module
                ])
                .unwrap();
        }
        transaction.commit().unwrap();
    })
}
