//! The port on SQLite: two files in one private directory, one process.
//!
//! `definitions.sqlite` holds definitions, blobs and the module index; `runs.sqlite` holds runs, audit
//! and the states of schedules, so that keeping those short never touches definitions. Each has one writing thread with
//! group commit and a few readers.
//!
//! A change spans both files: announced in the audit log, then written. Whatever happens between
//! the two is found at the next start and told by a `not-applied` entry. Files that do not belong
//! together, because one of them was put back from an older copy, are refused.

mod chain;
mod change;
mod close;
mod configuration;
mod connection;
mod definitions;
mod directory;
mod failure;
mod green;
mod heads;
mod log;
mod open;
mod record;
mod removal;
mod runs;
mod schedules;
mod snapshot;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
};

use async_trait::async_trait;
use futures_util::FutureExt;
use lockgate_access::{AuditReceipt, Decision, DeployPermit, NotDurable};
use lockgate_model::{
    Digest, RunId, RunRecord, Timestamp,
    audit::{AuditQuery, Entry, Link, SignedHead},
    definition::{Definition, Kind, Revision},
    id::{EnvironmentId, TenantId, WriterId},
    run::{Phase, RunEnd},
    schedule::{ScheduleState, Step},
};
use tokio::sync::broadcast;

pub use self::directory::Directory;
use self::{
    connection::Readers,
    definitions::DefinitionsBook,
    runs::{Place, RunsBook},
    writer::{Pending, Tally, Writer},
};
use crate::{
    BLOB_BYTES_MAX, Change, Error, Found, LogPlace, ModuleKey, Observer, RunQuery, RunsKept, ScheduleKey, Since,
    Snapshot, Store, Version, Written,
};

const LINKS_MAX: u32 = 10_000;

/// The store of one process, in a private directory.
#[derive(Clone)]
pub struct SqliteStore(Arc<Files>);

/// Both files and what belongs to them.
struct Files {
    writer: WriterId,
    definitions: Writer<DefinitionsBook>,
    runs: Writer<RunsBook>,
    read_definitions: Readers,
    read_runs: Readers,
    /// One change of a tenant at a time, between its check and its commit.
    changing: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
    /// Changes share it from their announcement until they are written; a snapshot begins between them.
    between: Arc<tokio::sync::RwLock<()>>,
    revisions: broadcast::Sender<(TenantId, Revision)>,
    /// Dropped last, when nobody writes any more.
    directory: Directory,
}

/// How much the writers did since the store was opened: appends against the syncs they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Appends, closed runs and announced changes that became durable.
    pub run_jobs: u64,
    /// Transactions of the file of runs and audit.
    pub run_transactions: u64,
    /// Changes, blobs and indexed modules that became durable.
    pub definition_jobs: u64,
    /// Transactions of the file of definitions.
    pub definition_transactions: u64,
}

impl SqliteStore {
    /// Opens a data directory, or makes it (mode 0700, files 0600). Settles what a crash left: a
    /// change that was announced and never written gets its `not-applied` entry, runs left running
    /// become `lost`, both with the time `now`. One process at a time.
    ///
    /// Blocks for the time of a few disk accesses: call it at start, before serving.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, Error> {
        Self::open_in(Directory::take(dir)?, now)
    }

    /// The same in a directory that is held already, since other files of it were opened first.
    pub fn open_in(directory: Directory, now: Timestamp) -> Result<Self, Error> {
        open::open(directory, now, |_| Ok(())).map(|files| Self(Arc::new(files)))
    }

    /// The same for files that were restored from a backup: it goes on under a new name, since the store that they are
    /// a copy of may go on under the old one.
    pub fn open_restored(dir: &Path, now: Timestamp) -> Result<Self, Error> {
        // What the copied store left open is settled in its name.
        drop(Self::open(dir, now)?);
        open::rename(dir)?;
        Self::open(dir, now)
    }

    /// What the writers did since.
    pub fn counts(&self) -> Counts {
        let read = |tally: &Tally| (tally.jobs.load(Ordering::Relaxed), tally.transactions.load(Ordering::Relaxed));
        let (run_jobs, run_transactions) = read(self.0.runs.tally());
        let (definition_jobs, definition_transactions) = read(self.0.definitions.tally());
        Counts { run_jobs, run_transactions, definition_jobs, definition_transactions }
    }

    async fn queue(
        &self,
        tenant: &TenantId,
        entries: Vec<Entry>,
        run: Option<RunRecord>,
    ) -> Result<AuditReceipt, Error> {
        let opened = run.as_ref().map(|run| run.id);
        let pending =
            self.0.runs.queue(runs::Job::Append { tenant: tenant.clone(), entries, run: run.map(Arc::new) }).await?;
        Ok(receipt(opened, pending))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the place: the entry is queued, and the receipt waits for its commit"
)]
fn receipt(run: Option<RunId>, pending: Pending<Place>) -> AuditReceipt {
    let durable = async move {
        match pending.durable().await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "an audit entry could not be written; what needed it is refused");
                Err(NotDurable)
            }
        }
    };
    AuditReceipt::issue(run, durable.boxed())
}

#[async_trait]
impl Store for SqliteStore {
    fn writer(&self) -> &WriterId {
        &self.0.writer
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        let tenants = self.0.read_definitions.read(|db| definitions::tenants(db)).await?;
        Ok(tenants.into_iter().map(|(tenant, ..)| tenant).collect())
    }

    async fn definitions(&self, tenant: &TenantId) -> Result<(Revision, Vec<Definition>), Error> {
        let tenant = tenant.clone();
        self.0
            .read_definitions
            .read(move |db| Ok((definitions::revision(db, &tenant)?, definitions::all(db, &tenant)?)))
            .await
    }

    async fn definitions_since(&self, tenant: &TenantId, since: Revision) -> Result<Since, Error> {
        let tenant = tenant.clone();
        self.0.read_definitions.read(move |db| definitions::since(db, &tenant, since)).await
    }

    async fn history(&self, tenant: &TenantId, kind: Kind, id: &str) -> Result<Vec<Version>, Error> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.0.read_definitions.read(move |db| definitions::history(db, &tenant, kind, &id)).await
    }

    async fn next_revision(&self, tenant: &TenantId) -> Result<Revision, Error> {
        let (owner, announcer) = (tenant.clone(), self.0.writer.clone());
        // One that is announced meanwhile is seen here or becomes the current one.
        let announced = self.0.read_runs.read(move |db| chain::announced(db, &owner, &announcer)).await?;
        let owner = tenant.clone();
        let current = self.0.read_definitions.read(move |db| definitions::revision(db, &owner)).await?;
        Ok(current.max(announced).next())
    }

    async fn commit(&self, change: Change) -> Result<Revision, Error> {
        change::commit(self.0.clone(), change).await
    }

    async fn activate(&self, permit: DeployPermit, change: Change) -> Result<Revision, Error> {
        change::activate(self.0.clone(), permit, change).await
    }

    async fn blob_put(&self, tenant: &TenantId, bytes: Vec<u8>) -> Result<Digest, Error> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(Error::Refused(format!(
                "{} bytes are more than one blob may have ({BLOB_BYTES_MAX})",
                bytes.len()
            )));
        }
        let digest = Digest::of(&bytes);
        let owner = tenant.clone();
        let stored = self.0.read_definitions.read(move |db| definitions::blob_exists(db, &owner, &digest)).await?;
        if !stored {
            let job = definitions::Job::Blob { tenant: tenant.clone(), digest, bytes };
            self.0.definitions.queue(job).await?.durable().await?;
        }
        Ok(digest)
    }

    async fn blob_get(&self, tenant: &TenantId, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let (tenant, digest) = (tenant.clone(), *digest);
        self.0.read_definitions.read(move |db| definitions::blob(db, &tenant, &digest)).await
    }

    async fn module_put(&self, tenant: &TenantId, key: ModuleKey, module: Digest) -> Result<(), Error> {
        let job = definitions::Job::Module { tenant: tenant.clone(), key, module };
        self.0.definitions.queue(job).await?.durable().await
    }

    async fn module_get(&self, tenant: &TenantId, key: &ModuleKey) -> Result<Option<Digest>, Error> {
        let (tenant, key) = (tenant.clone(), key.clone());
        self.0.read_definitions.read(move |db| definitions::module(db, &tenant, &key)).await
    }

    async fn open_run(&self, decision: &Decision, run: RunRecord) -> Result<AuditReceipt, Error> {
        let Some(decided) = decision.record(run.id) else {
            return Err(Error::Refused("the decision is not about executing, so it opens no run".into()));
        };
        if (&decided.tenant, &decided.target, &decided.principal) != (&run.tenant, &run.target, &run.principal) {
            return Err(Error::Refused("the run is not the one the decision is about".into()));
        }
        if !decision.is_allowed() {
            return self.queue(decision.tenant(), decision.entries(None), None).await;
        }
        if decided.module != run.module || run.phase != Phase::Running {
            return Err(Error::Refused("the run is not the one the decision is about".into()));
        }
        self.queue(decision.tenant(), decision.entries(Some(run.id)), Some(run)).await
    }

    async fn record(&self, decision: &Decision) -> Result<AuditReceipt, Error> {
        self.queue(decision.tenant(), decision.entries(None), None).await
    }

    async fn close_run(&self, tenant: &TenantId, run: RunId, end: RunEnd) {
        let end = Box::new(runs::EndOf { tenant: tenant.clone(), run, end });
        let (files, tasks) = (Arc::downgrade(&self.0), tokio::runtime::Handle::current());
        // The caller does not wait, but a failure must not be silent.
        let failed = move |job, error| {
            if let runs::Job::Close(end) = job {
                tasks.spawn(close::again(files, end, error));
            }
        };
        if let Err(error) = self.0.runs.queue_aside(runs::Job::Close(end), failed).await {
            tracing::error!(%error, %run, "a run could not be closed in the store");
        }
    }

    async fn append(&self, tenant: &TenantId, entry: Entry) -> Result<AuditReceipt, Error> {
        self.queue(tenant, vec![entry], None).await
    }

    async fn runs(&self, tenant: &TenantId, query: RunQuery) -> Result<Vec<RunRecord>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| runs::find(db, &tenant, &query)).await
    }

    async fn run(&self, tenant: &TenantId, run: RunId) -> Result<Option<RunRecord>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| runs::get(db, &tenant, run)).await
    }

    async fn remove_runs(&self, tenant: &TenantId, kept: RunsKept) -> Result<u64, Error> {
        removal::remove(&self.0, tenant, kept).await
    }

    async fn green(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        modules: BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error> {
        let (tenant, environment) = (tenant.clone(), environment.clone());
        self.0.read_runs.read(move |db| green::among(db, &tenant, &environment, modules)).await
    }

    async fn schedule_step(
        &self,
        tenant: &TenantId,
        key: &ScheduleKey,
        step: Step,
        entries: Vec<Entry>,
    ) -> Result<Option<ScheduleState>, Error> {
        let job = runs::Job::Schedule { tenant: tenant.clone(), key: key.clone(), step, entries };
        Ok(self.0.runs.queue(job).await?.durable().await?.schedule)
    }

    async fn schedules(&self, tenant: &TenantId) -> Result<Vec<(ScheduleKey, ScheduleState)>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| schedules::all(db, &tenant)).await
    }

    async fn audit(&self, tenant: &TenantId, after: Option<(WriterId, u64)>, limit: u32) -> Result<Vec<Link>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| chain::links(db, &tenant, after, limit.min(LINKS_MAX))).await
    }

    async fn audit_heads(&self, tenant: &TenantId) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| chain::heads(db, &tenant)).await
    }

    async fn audit_find(
        &self,
        tenant: &TenantId,
        query: AuditQuery,
        before: Option<LogPlace>,
        limit: u32,
    ) -> Result<Found, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| log::find(db, &tenant, &query, before.as_ref(), limit)).await
    }

    async fn audit_removable(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        begins: Vec<SignedHead>,
    ) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| log::removable(db, &tenant, before, &begins)).await
    }

    async fn remove_audit(&self, anchor: SignedHead) -> Result<(), Error> {
        self.0.runs.queue(runs::Job::RemoveAudit(Box::new(anchor))).await?.durable().await.map(|_| ())
    }

    async fn audit_anchors(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| heads::anchors(db, &tenant)).await
    }

    async fn keep_head(&self, head: SignedHead) -> Result<(), Error> {
        self.0.runs.queue(runs::Job::KeepHead(Box::new(head))).await?.durable().await.map(|_| ())
    }

    async fn signed_heads(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
        let tenant = tenant.clone();
        self.0.read_runs.read(move |db| heads::newest(db, &tenant)).await
    }

    async fn configuration(&self) -> Result<Digest, Error> {
        self.0.read_definitions.read(|db| configuration::digest(db)).await
    }

    async fn snapshot(&self) -> Result<Snapshot, Error> {
        snapshot::take(self.0.clone()).await
    }

    async fn writable(&self) -> Result<(), Error> {
        self.0.runs.queue(runs::Job::Probe).await?.durable().await?;
        self.0.definitions.queue(definitions::Job::Probe).await?.durable().await
    }

    fn observe(&self, observer: Observer) {
        let runs = observer.clone();
        self.0.runs.watch(move |took| runs(Written::Runs, took));
        self.0.definitions.watch(move |took| observer(Written::Definitions, took));
    }

    fn revisions(&self) -> broadcast::Receiver<(TenantId, Revision)> {
        self.0.revisions.subscribe()
    }
}
