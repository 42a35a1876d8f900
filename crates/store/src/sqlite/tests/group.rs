//! Group commit: many jobs, few syncs; a job that fails fails alone; a thread that died answers.

use rusqlite::Connection;

use super::{
    super::writer::{Book, Writer},
    Place, entry, tenant,
};
use crate::{Error, Store};

#[tokio::test]
async fn many_appends_share_few_transactions() {
    let place = Place::new();
    let store = place.open();
    let mut receipts = Vec::new();
    for _ in 0..2_000 {
        receipts.push(store.append(&tenant(), entry("login")).await.unwrap());
    }
    for receipt in receipts {
        receipt.durable().await.unwrap();
    }
    let counts = store.counts();
    assert_eq!(counts.run_jobs, 2_000);
    assert!(counts.run_transactions * 4 < counts.run_jobs, "{} transactions", counts.run_transactions);
}

/// Writes numbers; refuses odd ones after having written them, and dies of 13.
struct Numbers {
    forgotten: u32,
}

impl Book for Numbers {
    type Job = u32;
    type Answer = u32;

    fn write(&mut self, db: &Connection, &job: &u32) -> Result<u32, Error> {
        assert_ne!(job, 13);
        db.execute("INSERT INTO numbers VALUES (?1)", [job]).unwrap();
        if job % 2 == 1 {
            return Err(Error::Refused("odd".into()));
        }
        Ok(self.forgotten)
    }

    fn flush(&mut self, _: &Connection) -> Result<(), Error> {
        Ok(())
    }

    fn forget(&mut self) {
        self.forgotten += 1;
    }
}

fn numbers(file: &std::path::Path) -> Writer<Numbers> {
    let db = Connection::open(file).unwrap();
    db.execute_batch("CREATE TABLE IF NOT EXISTS numbers (n INTEGER)").unwrap();
    Writer::start("numbers", db, Numbers { forgotten: 0 }).unwrap()
}

#[tokio::test]
async fn a_job_that_fails_takes_no_other_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("numbers.sqlite");
    let writer = numbers(&file);
    let mut pending = Vec::new();
    for n in 0..10 {
        pending.push((n, writer.queue(n).await.unwrap()));
    }
    for (n, pending) in pending {
        let answer = pending.durable().await;
        // It was told each time to forget what the failed ones had written.
        match answer {
            Ok(forgotten) => assert!(n % 2 == 0 && forgotten >= n / 2, "{n}: {forgotten}"),
            Err(error) => assert!(n % 2 == 1, "{n}: {error}"),
        }
    }
    drop(writer);
    let db = Connection::open(&file).unwrap();
    let sum: u32 = db.query_row("SELECT sum(n) FROM numbers", [], |row| row.get(0)).unwrap();
    assert_eq!(sum, 2 + 4 + 6 + 8);
}

#[tokio::test]
async fn a_writer_that_died_answers_closed_and_hangs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let writer = numbers(&dir.path().join("numbers.sqlite"));
    let dies = writer.queue(13).await.unwrap();
    assert!(matches!(dies.durable().await, Err(Error::Closed)));
    let late = match writer.queue(2).await {
        Ok(pending) => pending.durable().await,
        Err(error) => Err(error),
    };
    assert!(matches!(late, Err(Error::Closed)));
}
