//! The port: what the use cases ask of a store, whatever database stands behind it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lockgate_access::{AuditReceipt, Decision, DeployPermit};
use lockgate_model::{
    Digest, RunId, RunRecord, Timestamp,
    audit::{AuditQuery, Entry, Link, SignedHead},
    definition::{Definition, Kind, Revision},
    id::{EnvironmentId, TargetName, TenantId, WriterId},
    run::{Phase, RunEnd},
    schedule::{ScheduleState, Step},
};
use tokio::sync::broadcast;

use crate::Error;

/// Largest blob in bytes: a bundle or a module beyond this is refused.
pub const BLOB_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A row to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// What.
    pub kind: Kind,
    /// Which.
    pub id: String,
    /// The typed body as JSON.
    pub body: serde_json::Value,
}

/// Rows that change together, or not at all, and the audit entry that tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Whose rows.
    pub tenant: TenantId,
    /// Durable before the rows are. The store sets its `revision` to the one it announces. One that has a revision
    /// already was made with rows for that very one: if the change would get another, it is a conflict.
    pub entry: Entry,
    /// The revision the caller decided on; when the tenant is elsewhere by now, nothing happens.
    /// `None` for a change that is right whatever else changed.
    pub expected: Option<Revision>,
    /// Rows to write: new ones and new versions of old ones.
    pub puts: Vec<Put>,
    /// Rows to delete; each must be there.
    pub deletes: Vec<(Kind, String)>,
}

/// What the changes since a revision came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// The revision that the tenant is at.
    pub revision: Revision,
    /// Rows that were written, as they are now.
    pub puts: Vec<Definition>,
    /// Rows that were deleted, and are not there again; some may never have been there before.
    pub deletes: Vec<(Kind, String)>,
}

/// One version of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Revision that wrote it.
    pub revision: Revision,
    /// When, as its audit entry says.
    pub at: Timestamp,
    /// It ended here.
    pub deleted: bool,
    /// Its body. `None` for a deletion, and for a replaced secret, credential or API key: those are
    /// erased when they are replaced.
    pub body: Option<serde_json::Value>,
}

/// What fixes the bytes of a module: the same key always compiles to the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModuleKey {
    /// Digest of the project's sources.
    pub source: Digest,
    /// The orchestration.
    pub orchestration: TargetName,
    /// Version of the compiler.
    pub compiler: String,
    /// Version of the module ABI.
    pub abi: u32,
}

/// Runs that a query finds where it names no limit.
pub const RUNS_DEFAULT: u32 = 100;
/// Runs that a query finds at most.
pub const RUNS_MAX: u32 = 1_000;

/// Which runs, newest first. Members that are absent do not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunQuery {
    /// Of this environment.
    pub environment: Option<EnvironmentId>,
    /// Of this orchestration or API.
    pub name: Option<TargetName>,
    /// In this phase.
    pub phase: Option<Phase>,
    /// Opened before this one: the last id of the page before.
    pub before: Option<RunId>,
    /// Opened as this one or later.
    pub since: Option<RunId>,
    /// At most so many; 0 means [`RUNS_DEFAULT`], and [`RUNS_MAX`] is the most.
    pub limit: u32,
}

/// Which records of runs stay. Those of open runs stay in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunsKept {
    /// Runs that ended then or later.
    pub ended_since: Timestamp,
    /// The newest so many, open ones among them.
    pub runs_max: u64,
}

/// Entries of one look at most.
pub const FOUND_MAX: u32 = 1_000;

/// Entries that a look came upon, newest first, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The entries in their places.
    pub links: Vec<Link>,
    /// Where the next look begins; `None` where nothing is left. There may be more behind it even if nothing was found.
    pub next: Option<LogPlace>,
}

/// A place in the log by time. No two entries have the same.
pub type LogPlace = (Timestamp, WriterId, u64);

/// What became durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Something of definitions: a change, bytes, an indexed module.
    Definitions,
    /// Something of runs and audit.
    Runs,
}

/// Files that hold all of a store as it was at one moment. They are removed when this is dropped.
#[derive(Debug)]
pub struct Snapshot {
    /// The folder they lie in.
    folder: PathBuf,
    /// Their names in it.
    pub names: &'static [&'static str],
    /// What [`Store::configuration`] said at that moment.
    pub configuration: Digest,
}

impl Snapshot {
    pub(crate) fn new(folder: PathBuf, names: &'static [&'static str], configuration: Digest) -> Self {
        Self { folder, names, configuration }
    }

    /// The folder that they lie in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next start.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Is told of each thing that became durable how long it took, from asking for it. It is called
/// where the store writes, so it must be quick.
pub type Observer = Arc<dyn Fn(Written, Duration) + Send + Sync>;

/// A schedule: an orchestration has at most one in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleKey {
    /// Where.
    pub environment: EnvironmentId,
    /// The orchestration.
    pub name: TargetName,
}

/// Definitions, deployments, modules, runs and audit of all tenants.
///
/// Every method of a tenant reads and writes rows of that tenant alone.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The writer under whose name this process appends to the audit chains.
    fn writer(&self) -> &WriterId;

    /// Every tenant that ever had a change, in the order of their ids.
    async fn tenants(&self) -> Result<Vec<TenantId>, Error>;

    /// All rows of a tenant and the revision they are at, read as one. Revision 0 and no row for a
    /// tenant that is not there.
    async fn definitions(&self, tenant: &TenantId) -> Result<(Revision, Vec<Definition>), Error>;

    /// What changed in a tenant after a revision, read as one.
    async fn definitions_since(&self, tenant: &TenantId, since: Revision) -> Result<Since, Error>;

    /// Every version of one row, oldest first.
    async fn history(&self, tenant: &TenantId, kind: Kind, id: &str) -> Result<Vec<Version>, Error>;

    /// The revision that the next change of a tenant gets, if none comes before it.
    async fn next_revision(&self, tenant: &TenantId) -> Result<Revision, Error>;

    /// Makes a change: its audit entry becomes durable first, announcing the revision; then the
    /// rows are written in one transaction. Returns the revision when both are durable. It runs to
    /// its end even if the caller stops waiting.
    ///
    /// Refuses rows of [`Kind::Deployment`]: those need [`Store::activate`].
    async fn commit(&self, change: Change) -> Result<Revision, Error>;

    /// Activates what the permit names; waits for the permit's receipt first. The store writes the
    /// deployment row out of the permit, so that nothing else can be activated with it; its modules
    /// must be stored. The change may add assignments of ACLs in that environment, nothing else. A
    /// change that deletes the very row ends the deployment instead. If the row was written after
    /// the revision the permit was decided on, that is a conflict; `expected` asks for more.
    async fn activate(&self, permit: DeployPermit, change: Change) -> Result<Revision, Error>;

    /// Stores a bundle or a module under its digest; storing the same bytes again is free.
    async fn blob_put(&self, tenant: &TenantId, bytes: Vec<u8>) -> Result<Digest, Error>;

    /// The bytes behind a digest, checked against it.
    async fn blob_get(&self, tenant: &TenantId, digest: &Digest) -> Result<Option<Vec<u8>>, Error>;

    /// Remembers what a key compiled to. The module must be stored; a key never changes its module.
    async fn module_put(&self, tenant: &TenantId, key: ModuleKey, module: Digest) -> Result<(), Error>;

    /// What a key compiled to, if it was compiled before.
    async fn module_get(&self, tenant: &TenantId, key: &ModuleKey) -> Result<Option<Digest>, Error>;

    /// Records a decision on executing and, if it allows, the run it opens: one append. Returns
    /// when the append is queued; the receipt says when it is durable. A denial appends its entries
    /// and opens no run. The run must be the one the decision is about.
    async fn open_run(&self, decision: &Decision, run: RunRecord) -> Result<AuditReceipt, Error>;

    /// Records a decision that opens no run: on deploying, pushing, administering. All its parts
    /// are one append.
    async fn record(&self, decision: &Decision) -> Result<AuditReceipt, Error>;

    /// Closes a run. Queued, not awaited: the store tries it again until it is durable or the store is
    /// closed. A close that never became durable leaves the run to be found `lost` at the next start.
    async fn close_run(&self, tenant: &TenantId, run: RunId, end: RunEnd);

    /// Appends an entry that is no decision: a login, a refused credential, an export.
    async fn append(&self, tenant: &TenantId, entry: Entry) -> Result<AuditReceipt, Error>;

    /// Runs, newest first.
    async fn runs(&self, tenant: &TenantId, query: RunQuery) -> Result<Vec<RunRecord>, Error>;

    /// One run.
    async fn run(&self, tenant: &TenantId, run: RunId) -> Result<Option<RunRecord>, Error>;

    /// Removes the records of a tenant's runs that are not to stay, the oldest first, in batches that are
    /// each durable as a whole, and says how many there were. Neither the audit log nor what is green
    /// changes by it.
    async fn remove_runs(&self, tenant: &TenantId, kept: RunsKept) -> Result<u64, Error>;

    /// Those of the modules that completed a run in an environment, however long ago and whatever ran
    /// there since. It becomes durable with the end of the run.
    async fn green(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        modules: BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error>;

    /// Takes a step of a schedule and records what tells of it, in one write: the state after it when
    /// both are durable. `None` when the step is not possible (any more): nothing was written then,
    /// entries neither. Of two that claim the same occurrence one succeeds.
    async fn schedule_step(
        &self,
        tenant: &TenantId,
        key: &ScheduleKey,
        step: Step,
        entries: Vec<Entry>,
    ) -> Result<Option<ScheduleState>, Error>;

    /// The state of each schedule of a tenant that was ever touched, by environment and name. A run
    /// that was claimed and whose process ended before it did is found [lost].
    ///
    /// [lost]: lockgate_model::schedule::Stands::Lost
    async fn schedules(&self, tenant: &TenantId) -> Result<Vec<(ScheduleKey, ScheduleState)>, Error>;

    /// Links of the tenant's audit chains, by writer and place, after the given one; at most
    /// `limit`, and 10,000 at once. Fails with [`Error::Broken`] where a link cannot be read.
    async fn audit(&self, tenant: &TenantId, after: Option<(WriterId, u64)>, limit: u32) -> Result<Vec<Link>, Error>;

    /// The last place and hash of each of the tenant's chains: what a signed head is made of.
    async fn audit_heads(&self, tenant: &TenantId) -> Result<Vec<(WriterId, u64, Digest)>, Error>;

    /// Entries that a query finds, newest first, before a place; at most `limit`, and [`FOUND_MAX`] at once. One look goes
    /// past a bounded number of entries.
    async fn audit_find(
        &self,
        tenant: &TenantId,
        query: AuditQuery,
        before: Option<LogPlace>,
        limit: u32,
    ) -> Result<Found, Error>;

    /// The next place of each chain up to which entries may be removed that are older than a time: a bounded number of
    /// them at once. What the store needs itself stays: the entry of a change that is being written, and the end.
    ///
    /// A chain begins behind its anchor among `begins`, whose signatures the caller has verified, or at its first entry:
    /// one that begins elsewhere is [`Error::Broken`], whatever [`Store::audit_anchors`] says.
    async fn audit_removable(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        begins: Vec<SignedHead>,
    ) -> Result<Vec<(WriterId, u64, Digest)>, Error>;

    /// Removes the entries of a chain down to an anchor and keeps the anchor in place of an older one, at once or not at
    /// all. Refuses an anchor that is not what [`Store::audit_removable`] says of its chain now, or in part.
    async fn remove_audit(&self, anchor: SignedHead) -> Result<(), Error>;

    /// Where each of the tenant's chains begins that was removed in part, by writer.
    async fn audit_anchors(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error>;

    /// Keeps a signed head in place of an older one of its chain.
    async fn keep_head(&self, head: SignedHead) -> Result<(), Error>;

    /// The newest signed head of each of the tenant's chains, by writer: all before it is under its hash.
    async fn signed_heads(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error>;

    /// A digest over the configuration of all tenants: definitions, deployments and the index of modules, with the
    /// digests of the bytes they name; each of these is checked. docs/backup.md says how it is made. Two stores with the
    /// same digest decide and run the same.
    async fn configuration(&self) -> Result<Digest, Error>;

    /// Copies everything as it is at one moment, while others go on reading and writing. Changes alone wait, for the
    /// time of two queries.
    async fn snapshot(&self) -> Result<Snapshot, Error>;

    /// Proves that definitions, runs and audit can be written now: something is written durably, and
    /// nothing of it remains.
    async fn writable(&self) -> Result<(), Error>;

    /// Tells `observer` from now on how long writing takes; a second one changes nothing.
    fn observe(&self, observer: Observer);

    /// Tells each revision after it became durable. A receiver that lagged has to read every
    /// tenant again.
    fn revisions(&self) -> broadcast::Receiver<(TenantId, Revision)>;
}
