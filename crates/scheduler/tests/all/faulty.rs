//! A store that fails when the test says so, and is the embedded one otherwise.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use lockgate_access::{AuditReceipt, Decision, DeployPermit};
use lockgate_model::{
    Digest, Kind, RunId, RunRecord, Timestamp,
    audit::{AuditQuery, Entry, Link, SignedHead},
    definition::{Definition, Revision},
    id::{EnvironmentId, TenantId, WriterId},
    run::RunEnd,
    schedule::{ScheduleState, Step},
};
use lockgate_store::{
    Change, Error, Found, LogPlace, ModuleKey, Observer, RunQuery, RunsKept, ScheduleKey, Since, Snapshot, SqliteStore,
    Store, Version,
};
use tokio::sync::broadcast;

/// How often what fails from now on.
#[derive(Default)]
pub struct Faults {
    /// Readings of definitions.
    pub definitions: AtomicU32,
    /// Ends of scheduled runs.
    pub ends: AtomicU32,
    /// Steps of schedules: they meet a defect.
    pub steps: AtomicU32,
    /// Readings of the clock: they meet a defect.
    pub clock: AtomicU32,
}

pub fn hits(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}

pub struct Faulty {
    pub store: SqliteStore,
    pub faults: Arc<Faults>,
}

fn failed() -> Error {
    Error::Failed { doing: "do it", reason: "the test says so".into() }
}

#[async_trait]
impl Store for Faulty {
    fn writer(&self) -> &WriterId {
        self.store.writer()
    }
    async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        self.store.tenants().await
    }
    async fn definitions(&self, tenant: &TenantId) -> Result<(Revision, Vec<Definition>), Error> {
        match hits(&self.faults.definitions) {
            true => Err(failed()),
            false => self.store.definitions(tenant).await,
        }
    }
    async fn definitions_since(&self, tenant: &TenantId, since: Revision) -> Result<Since, Error> {
        match hits(&self.faults.definitions) {
            true => Err(failed()),
            false => self.store.definitions_since(tenant, since).await,
        }
    }
    async fn history(&self, tenant: &TenantId, kind: Kind, id: &str) -> Result<Vec<Version>, Error> {
        self.store.history(tenant, kind, id).await
    }
    async fn next_revision(&self, tenant: &TenantId) -> Result<Revision, Error> {
        self.store.next_revision(tenant).await
    }
    async fn commit(&self, change: Change) -> Result<Revision, Error> {
        self.store.commit(change).await
    }
    async fn activate(&self, permit: DeployPermit, change: Change) -> Result<Revision, Error> {
        self.store.activate(permit, change).await
    }
    async fn blob_put(&self, tenant: &TenantId, bytes: Vec<u8>) -> Result<Digest, Error> {
        self.store.blob_put(tenant, bytes).await
    }
    async fn blob_get(&self, tenant: &TenantId, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.store.blob_get(tenant, digest).await
    }
    async fn module_put(&self, tenant: &TenantId, key: ModuleKey, module: Digest) -> Result<(), Error> {
        self.store.module_put(tenant, key, module).await
    }
    async fn module_get(&self, tenant: &TenantId, key: &ModuleKey) -> Result<Option<Digest>, Error> {
        self.store.module_get(tenant, key).await
    }
    async fn open_run(&self, decision: &Decision, run: RunRecord) -> Result<AuditReceipt, Error> {
        self.store.open_run(decision, run).await
    }
    async fn record(&self, decision: &Decision) -> Result<AuditReceipt, Error> {
        self.store.record(decision).await
    }
    async fn close_run(&self, tenant: &TenantId, run: RunId, end: RunEnd) {
        self.store.close_run(tenant, run, end).await;
    }
    async fn append(&self, tenant: &TenantId, entry: Entry) -> Result<AuditReceipt, Error> {
        self.store.append(tenant, entry).await
    }
    async fn runs(&self, tenant: &TenantId, query: RunQuery) -> Result<Vec<RunRecord>, Error> {
        self.store.runs(tenant, query).await
    }
    async fn run(&self, tenant: &TenantId, run: RunId) -> Result<Option<RunRecord>, Error> {
        self.store.run(tenant, run).await
    }
    async fn remove_runs(&self, tenant: &TenantId, kept: RunsKept) -> Result<u64, Error> {
        self.store.remove_runs(tenant, kept).await
    }
    async fn green(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        modules: BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error> {
        self.store.green(tenant, environment, modules).await
    }
    async fn schedule_step(
        &self,
        tenant: &TenantId,
        key: &ScheduleKey,
        step: Step,
        entries: Vec<Entry>,
    ) -> Result<Option<ScheduleState>, Error> {
        assert!(!hits(&self.faults.steps), "the test says so");
        if matches!(step, Step::End { .. }) && hits(&self.faults.ends) {
            return Err(failed());
        }
        self.store.schedule_step(tenant, key, step, entries).await
    }
    async fn schedules(&self, tenant: &TenantId) -> Result<Vec<(ScheduleKey, ScheduleState)>, Error> {
        self.store.schedules(tenant).await
    }
    async fn audit(&self, tenant: &TenantId, after: Option<(WriterId, u64)>, limit: u32) -> Result<Vec<Link>, Error> {
        self.store.audit(tenant, after, limit).await
    }
    async fn audit_heads(&self, tenant: &TenantId) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
        self.store.audit_heads(tenant).await
    }
    async fn audit_find(
        &self,
        tenant: &TenantId,
        query: AuditQuery,
        before: Option<LogPlace>,
        limit: u32,
    ) -> Result<Found, Error> {
        self.store.audit_find(tenant, query, before, limit).await
    }
    async fn audit_removable(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        begins: Vec<SignedHead>,
    ) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
        self.store.audit_removable(tenant, before, begins).await
    }
    async fn remove_audit(&self, anchor: SignedHead) -> Result<(), Error> {
        self.store.remove_audit(anchor).await
    }
    async fn audit_anchors(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
        self.store.audit_anchors(tenant).await
    }
    async fn keep_head(&self, head: SignedHead) -> Result<(), Error> {
        self.store.keep_head(head).await
    }
    async fn signed_heads(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
        self.store.signed_heads(tenant).await
    }
    async fn configuration(&self) -> Result<Digest, Error> {
        self.store.configuration().await
    }
    async fn snapshot(&self) -> Result<Snapshot, Error> {
        self.store.snapshot().await
    }
    async fn writable(&self) -> Result<(), Error> {
        self.store.writable().await
    }
    fn observe(&self, observer: Observer) {
        self.store.observe(observer);
    }
    fn revisions(&self) -> broadcast::Receiver<(TenantId, Revision)> {
        self.store.revisions()
    }
}
