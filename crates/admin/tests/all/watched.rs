//! A store that notes what it is asked, and about whom: how much work a request is, without a clock.

use std::{collections::BTreeSet, mem, sync::Mutex};

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

/// The store, and what was asked since somebody last looked.
pub struct Watched {
    store: SqliteStore,
    asked: Mutex<Vec<(&'static str, TenantId)>>,
}

impl Watched {
    pub fn new(store: SqliteStore) -> Self {
        Self { store, asked: Mutex::new(Vec::new()) }
    }

    /// What was asked since the last time, by verb and tenant.
    pub fn asked(&self) -> Vec<(&'static str, TenantId)> {
        mem::take(&mut *self.asked.lock().unwrap())
    }

    fn note(&self, verb: &'static str, tenant: &TenantId) -> &SqliteStore {
        self.asked.lock().unwrap().push((verb, tenant.clone()));
        &self.store
    }
}

#[async_trait]
impl Store for Watched {
    fn writer(&self) -> &WriterId {
        self.store.writer()
    }
    async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        self.store.tenants().await
    }
    async fn definitions(&self, tenant: &TenantId) -> Result<(Revision, Vec<Definition>), Error> {
        self.note("definitions", tenant).definitions(tenant).await
    }
    async fn definitions_since(&self, tenant: &TenantId, since: Revision) -> Result<Since, Error> {
        self.note("definitions", tenant).definitions_since(tenant, since).await
    }
    async fn history(&self, tenant: &TenantId, kind: Kind, id: &str) -> Result<Vec<Version>, Error> {
        self.note("history", tenant).history(tenant, kind, id).await
    }
    async fn next_revision(&self, tenant: &TenantId) -> Result<Revision, Error> {
        self.note("next_revision", tenant).next_revision(tenant).await
    }
    async fn commit(&self, change: Change) -> Result<Revision, Error> {
        self.note("commit", &change.tenant).commit(change).await
    }
    async fn activate(&self, permit: DeployPermit, change: Change) -> Result<Revision, Error> {
        self.note("activate", &change.tenant).activate(permit, change).await
    }
    async fn blob_put(&self, tenant: &TenantId, bytes: Vec<u8>) -> Result<Digest, Error> {
        self.note("blob_put", tenant).blob_put(tenant, bytes).await
    }
    async fn blob_get(&self, tenant: &TenantId, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.note("blob_get", tenant).blob_get(tenant, digest).await
    }
    async fn module_put(&self, tenant: &TenantId, key: ModuleKey, module: Digest) -> Result<(), Error> {
        self.note("module_put", tenant).module_put(tenant, key, module).await
    }
    async fn module_get(&self, tenant: &TenantId, key: &ModuleKey) -> Result<Option<Digest>, Error> {
        self.note("module_get", tenant).module_get(tenant, key).await
    }
    async fn open_run(&self, decision: &Decision, run: RunRecord) -> Result<AuditReceipt, Error> {
        self.note("open_run", decision.tenant()).open_run(decision, run).await
    }
    async fn record(&self, decision: &Decision) -> Result<AuditReceipt, Error> {
        self.note("record", decision.tenant()).record(decision).await
    }
    async fn close_run(&self, tenant: &TenantId, run: RunId, end: RunEnd) {
        self.note("close_run", tenant).close_run(tenant, run, end).await;
    }
    async fn append(&self, tenant: &TenantId, entry: Entry) -> Result<AuditReceipt, Error> {
        self.note("append", tenant).append(tenant, entry).await
    }
    async fn runs(&self, tenant: &TenantId, query: RunQuery) -> Result<Vec<RunRecord>, Error> {
        self.note("runs", tenant).runs(tenant, query).await
    }
    async fn run(&self, tenant: &TenantId, run: RunId) -> Result<Option<RunRecord>, Error> {
        self.note("run", tenant).run(tenant, run).await
    }
    async fn remove_runs(&self, tenant: &TenantId, kept: RunsKept) -> Result<u64, Error> {
        self.note("remove_runs", tenant).remove_runs(tenant, kept).await
    }
    async fn green(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        modules: BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error> {
        self.note("green", tenant).green(tenant, environment, modules).await
    }
    async fn schedule_step(
        &self,
        tenant: &TenantId,
        key: &ScheduleKey,
        step: Step,
        entries: Vec<Entry>,
    ) -> Result<Option<ScheduleState>, Error> {
        self.note("schedule_step", tenant).schedule_step(tenant, key, step, entries).await
    }
    async fn schedules(&self, tenant: &TenantId) -> Result<Vec<(ScheduleKey, ScheduleState)>, Error> {
        self.note("schedules", tenant).schedules(tenant).await
    }
    async fn audit(&self, tenant: &TenantId, after: Option<(WriterId, u64)>, limit: u32) -> Result<Vec<Link>, Error> {
        self.note("audit", tenant).audit(tenant, after, limit).await
    }
    async fn audit_heads(&self, tenant: &TenantId) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
        self.note("audit_heads", tenant).audit_heads(tenant).await
    }
    async fn audit_find(
        &self,
        tenant: &TenantId,
        query: AuditQuery,
        before: Option<LogPlace>,
        limit: u32,
    ) -> Result<Found, Error> {
        self.note("audit", tenant).audit_find(tenant, query, before, limit).await
    }
    async fn audit_removable(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        begins: Vec<SignedHead>,
    ) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
        self.note("audit", tenant).audit_removable(tenant, before, begins).await
    }
    async fn remove_audit(&self, anchor: SignedHead) -> Result<(), Error> {
        self.store.remove_audit(anchor).await
    }
    async fn audit_anchors(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
        self.note("audit", tenant).audit_anchors(tenant).await
    }
    async fn keep_head(&self, head: SignedHead) -> Result<(), Error> {
        let tenant = head.tenant.clone();
        self.note("keep_head", &tenant).keep_head(head).await
    }
    async fn signed_heads(&self, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
        self.note("signed_heads", tenant).signed_heads(tenant).await
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
