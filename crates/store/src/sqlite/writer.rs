//! One thread per file writes it, with group commit: whatever has queued up while the disk was busy
//! goes into one transaction and one sync, and then everybody who waits is told.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::failure::{failed, is_fatal};
use crate::Error;

/// Jobs that may wait; a caller beyond that waits for room.
const QUEUE_MAX: usize = 4096;

/// Jobs in one transaction.
const BATCH_MAX: usize = 1024;

/// What is written into one file: how a job becomes rows.
pub(super) trait Book: Send + 'static {
    /// What is asked.
    type Job: Send + 'static;
    /// What is answered, once it is durable.
    type Answer: Send + 'static;

    /// Writes one job; the book may keep back what later jobs of the same transaction may save it. If it
    /// fails, whatever it wrote is undone, and the other jobs of the same transaction stand. It may be
    /// asked for the same job again after that.
    fn write(&mut self, db: &Connection, job: &Self::Job) -> Result<Self::Answer, Error>;

    /// Writes what was kept back: the transaction, or its step, ends.
    fn flush(&mut self, db: &Connection) -> Result<(), Error>;

    /// Something written was undone: what is remembered about the file may be wrong.
    fn forget(&mut self);
}

/// Is told how long each job took.
type Watch = Box<dyn Fn(Duration) + Send + Sync>;

/// How much a writer has done since it started.
#[derive(Default)]
pub(super) struct Tally {
    /// Jobs that became durable.
    pub(super) jobs: AtomicU64,
    /// Transactions, each with one sync.
    pub(super) transactions: AtomicU64,
    /// Who wants to know how long jobs take, from being queued until they are durable.
    watch: OnceLock<Watch>,
}

struct Queued<B: Book> {
    job: B::Job,
    done: Done<B>,
    since: Instant,
}

/// Who wants to know how a job went.
enum Done<B: Book> {
    /// Somebody waits for it.
    Awaited(oneshot::Sender<Result<B::Answer, Error>>),
    /// Nobody, unless it fails.
    OnlyIfFailed(OnlyIfFailed<B>),
}

type OnlyIfFailed<B> = Box<dyn FnOnce(<B as Book>::Job, Error) + Send>;

impl<B: Book> Queued<B> {
    fn tell(self, outcome: Result<B::Answer, Error>) {
        match (self.done, outcome) {
            // Nobody may be waiting any more.
            (Done::Awaited(to), outcome) => drop(to.send(outcome)),
            (Done::OnlyIfFailed(failed), Err(error)) => failed(self.job, error),
            (Done::OnlyIfFailed(_), Ok(_)) => {}
        }
    }
}

/// The queue in front of the thread that writes.
pub(super) struct Writer<B: Book> {
    /// Present until the writer is dropped.
    queue: Option<mpsc::Sender<Queued<B>>>,
    thread: Option<JoinHandle<()>>,
    tally: Arc<Tally>,
}

/// A job that was queued.
pub(super) struct Pending<A>(oneshot::Receiver<Result<A, Error>>);

impl<A> Pending<A> {
    /// Waits until the job is durable, or cannot be.
    pub(super) async fn durable(self) -> Result<A, Error> {
        // The thread is gone: it closed itself, or the program ends.
        self.0.await.unwrap_or(Err(Error::Closed))
    }
}

impl<B: Book> Writer<B> {
    pub(super) fn start(name: &str, db: Connection, book: B) -> Result<Self, Error> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let tally = Arc::new(Tally::default());
        let counted = tally.clone();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(book, db, jobs, &counted))
            .map_err(|e| Error::Unusable(e.to_string().to_lowercase()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), tally })
    }

    /// Queues a job behind those that were queued before; waits only while the queue is full.
    pub(super) async fn queue(&self, job: B::Job) -> Result<Pending<B::Answer>, Error> {
        let (to, pending) = oneshot::channel();
        self.send(job, Done::Awaited(to)).await?;
        Ok(Pending(pending))
    }

    /// The same for a job that nobody waits for. Where it fails it is handed back, on the thread that writes; where
    /// the writer ends before it came to it, it is not.
    pub(super) async fn queue_aside(
        &self,
        job: B::Job,
        failed: impl FnOnce(B::Job, Error) + Send + 'static,
    ) -> Result<(), Error> {
        self.send(job, Done::OnlyIfFailed(Box::new(failed))).await
    }

    async fn send(&self, job: B::Job, done: Done<B>) -> Result<(), Error> {
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        queue.send(Queued { job, done, since: Instant::now() }).await.map_err(|_| Error::Closed)
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Tells `watch` from now on how long jobs take; a second one changes nothing.
    pub(super) fn watch(&self, watch: impl Fn(Duration) + Send + Sync + 'static) {
        let _ = self.tally.watch.set(Box::new(watch));
    }
}

impl<B: Book> Drop for Writer<B> {
    /// Waits for what is queued: at most a few transactions.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a writer of the store ended by a panic");
        }
    }
}

fn work<B: Book>(mut book: B, mut db: Connection, mut jobs: mpsc::Receiver<Queued<B>>, tally: &Tally) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while jobs.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        gather(&mut jobs, &mut batch);
        if let Err(error) = commit(&mut book, &mut db, &mut batch, tally) {
            // Dropping the receiver answers `Closed` to all that wait or come.
            tracing::error!(%error, "the store closes itself: its medium failed; restart the server after it is repaired");
            return;
        }
    }
}

/// Whoever queued these may be about to queue more on this core, the end of what they opened among them: they are let
/// on as long as more comes. Where there is nobody to let on, that is no time at all.
fn gather<T>(jobs: &mut mpsc::Receiver<T>, batch: &mut Vec<T>) {
    loop {
        let before = batch.len();
        std::thread::yield_now();
        while batch.len() < BATCH_MAX
            && let Ok(queued) = jobs.try_recv()
        {
            batch.push(queued);
        }
        if batch.len() == before || batch.len() >= BATCH_MAX {
            return;
        }
    }
}

/// Writes a batch in one transaction and tells each job how it went. An error closes the writer:
/// nobody can say then whether the batch became durable, and the next start finds out.
fn commit<B: Book>(
    book: &mut B,
    db: &mut Connection,
    batch: &mut Vec<Queued<B>>,
    tally: &Tally,
) -> Result<(), rusqlite::Error> {
    let mut written = Vec::with_capacity(batch.len());
    let told = match write_all(book, db, batch, &mut written) {
        Ok(()) => {
            tally.transactions.fetch_add(1, Ordering::Relaxed);
            tally.jobs.fetch_add(written.len() as u64, Ordering::Relaxed);
            let watch = tally.watch.get();
            for (queued, answer) in written {
                if let Some(watch) = watch {
                    watch(queued.since.elapsed());
                }
                queued.tell(Ok(answer));
            }
            return Ok(());
        }
        Err(Lost::Medium(error)) if is_fatal(&error) => return Err(error),
        Err(Lost::Medium(error)) => failed("write")(error),
        Err(Lost::Undone(error)) => error,
    };
    book.forget();
    for queued in written.into_iter().map(|(queued, _)| queued).chain(batch.drain(..)) {
        queued.tell(Err(told.clone()));
    }
    Ok(())
}

/// Why a whole transaction was lost.
enum Lost {
    /// It could not begin, go on or be committed.
    Medium(rusqlite::Error),
    /// A step failed so that SQLite undid everything, as it does on a full disk.
    Undone(Error),
}

impl From<rusqlite::Error> for Lost {
    fn from(error: rusqlite::Error) -> Self {
        Self::Medium(error)
    }
}

type Written<B> = Vec<(Queued<B>, <B as Book>::Answer)>;

/// Writes and commits. A job that fails alone is answered here; an error means that none of
/// `written` was kept and none of what is left in `batch` was tried.
fn write_all<B: Book>(
    book: &mut B,
    db: &mut Connection,
    batch: &mut Vec<Queued<B>>,
    written: &mut Written<B>,
) -> Result<(), Lost> {
    // Jobs rarely fail, and steps cost as much as a row: so first all of them as one.
    if let Some(answers) = write_as_one(book, db, batch)? {
        written.extend(batch.drain(..).zip(answers));
        return Ok(());
    }
    book.forget();
    write_in_steps(book, db, batch, written)
}

/// All jobs or none; `None` if one fails.
fn write_as_one<B: Book>(
    book: &mut B,
    db: &mut Connection,
    batch: &[Queued<B>],
) -> Result<Option<Vec<B::Answer>>, rusqlite::Error> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut write = || {
        let answers = batch.iter().map(|queued| book.write(&transaction, &queued.job)).collect::<Result<_, _>>()?;
        book.flush(&transaction)?;
        Ok::<_, Error>(answers)
    };
    match write() {
        Ok(answers) => transaction.commit().map(|()| Some(answers)),
        // Dropping it undoes it. Which job it was, and why, is found step by step.
        Err(_) => Ok(None),
    }
}

fn write_in_steps<B: Book>(
    book: &mut B,
    db: &mut Connection,
    batch: &mut Vec<Queued<B>>,
    written: &mut Written<B>,
) -> Result<(), Lost> {
    let mut transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Taken from the end, so that what is left stays in `batch` on error.
    batch.reverse();
    while let Some(queued) = batch.pop() {
        let step = match transaction.savepoint() {
            Ok(step) => step,
            Err(error) => {
                batch.push(queued);
                return Err(error.into());
            }
        };
        match book.write(&step, &queued.job).and_then(|answer| book.flush(&step).map(|()| answer)) {
            Ok(answer) => {
                written.push((queued, answer));
                step.commit()?;
            }
            Err(error) => {
                let undone = step.is_autocommit();
                // Undoes the step, if there is still something to undo.
                drop(step);
                book.forget();
                queued.tell(Err(error.clone()));
                if undone {
                    return Err(Lost::Undone(error));
                }
            }
        }
    }
    Ok(transaction.commit()?)
}
