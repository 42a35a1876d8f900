//! How long records of runs and entries of the audit log are kept: per tenant, as the operator says. Runs that are
//! older, or beyond the newest so many, are removed in the background; open runs stay. The audit log stays unless the
//! operator says for how long: then it is removed from its beginning, down to an entry whose hash is signed. What remains
//! is proved from there on, and nobody without the key can make such a beginning.

use std::{
    num::{NonZeroU32, NonZeroU64},
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::FutureExt;
use lockgate_keys::HeadKey;
use lockgate_model::{
    Kind,
    audit::{Entry, Outcome, SignedHead},
    definition::{Retention, Tenant},
    id::TenantId,
};
use lockgate_store::RunsKept;

use crate::{Error, Runtime};

/// What is to be kept; what is not given stays as it is.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// Days after a run's end.
    pub days_max: Option<NonZeroU32>,
    /// The newest so many runs.
    pub runs_max: Option<NonZeroU64>,
    /// Days of the audit log.
    pub audit_days_max: Option<NonZeroU32>,
}

/// Between two passes, unless the operator changes what is kept.
const EVERY: Duration = Duration::from_secs(600);

impl Runtime {
    /// Removes what is no longer kept, over and over, until `stop`.
    pub async fn keep_runs_short(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let pass = async {
                if AssertUnwindSafe(self.remove_old_runs()).catch_unwind().await.is_err() {
                    tracing::error!("a defect kept old run records from being removed; it is tried again");
                }
                let _ = tokio::time::timeout(EVERY, self.0.retention.notified()).await;
            };
            tokio::select! {
                () = &mut stop => return,
                () = pass => {}
            }
        }
    }

    /// Removes records that are no longer kept, of all tenants. What one tenant meets is not the others'.
    pub async fn remove_old_runs(&self) {
        for tenant in self.0.views.tenants() {
            match self.remove_old_entries_of(&tenant).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(%tenant, removed, "audit entries that are no longer kept are removed"),
                Err(error) => {
                    tracing::error!(%tenant, %error, "old audit entries cannot be removed; it is tried again")
                }
            }
            match self.remove_old_runs_of(&tenant).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(%tenant, removed, "run records that are no longer kept are removed"),
                Err(error) => tracing::error!(%tenant, %error, "old run records cannot be removed; it is tried again"),
            }
        }
    }

    async fn remove_old_runs_of(&self, tenant: &TenantId) -> Result<u64, Error> {
        // Of a tenant that cannot be read nobody knows what is kept.
        let Some(view) = self.0.views.get(tenant) else { return Ok(0) };
        let Some(row) = view.read::<Tenant>(Kind::Tenant, "tenant")? else { return Ok(0) };
        let kept =
            RunsKept { ended_since: row.retention.ended_since(self.now()), runs_max: row.retention.runs_max.get() };
        Ok(self.0.store.remove_runs(tenant, kept).await?)
    }

    /// Removes entries of the log that are no longer kept, batch by batch; the log tells of it before.
    async fn remove_old_entries_of(&self, tenant: &TenantId) -> Result<u64, Error> {
        let Some(view) = self.0.views.get(tenant) else { return Ok(0) };
        let Some(row) = view.read::<Tenant>(Kind::Tenant, "tenant")? else { return Ok(0) };
        let Some(since) = row.retention.audit_since(self.now()) else { return Ok(0) };
        let store = &self.0.store;
        let signer = self.head_signer(tenant)?;
        // Of a log that is not what was signed nothing goes: an anchor would make true what is before it.
        if !self.sign_heads(tenant).await? {
            return Err(Error::Internal { what: "the audit log".into() });
        }
        let mut begins = store.audit_anchors(tenant).await?;
        refuse_false_anchors(&signer.public(), &begins)?;
        let mut places = store.audit_removable(tenant, since, begins.clone()).await?;
        if places.is_empty() {
            return Ok(0);
        }
        let mut entry = Entry::new(self.now(), "audit-removal", Outcome::Done, "operator");
        entry.detail.insert("before".to_owned(), since.to_string());
        self.record(tenant, entry).await?;
        let mut removed = 0;
        while !places.is_empty() {
            for (writer, seq, hash) in places {
                let anchor = signer.sign_anchor(tenant, &writer, (seq, hash), self.now());
                store.remove_audit(anchor.clone()).await?;
                let before = begins.iter().position(|begin| begin.writer == writer).map(|at| begins.swap_remove(at));
                removed += seq - before.map_or(0, |before| before.seq);
                begins.push(anchor);
            }
            places = store.audit_removable(tenant, since, begins.clone()).await?;
        }
        Ok(removed)
    }

    /// Operator: how long run records of a tenant are kept.
    pub fn operator_retention(&self, tenant: &TenantId) -> Result<Retention, Error> {
        let row = self.view(tenant)?.read::<Tenant>(Kind::Tenant, "tenant")?;
        row.map(|row| row.retention).ok_or_else(|| Error::not_found(format!("tenant `{tenant}`")))
    }

    /// Operator: says how long run records of a tenant are kept, and how many; what is not given stays as
    /// it is. What is no longer kept is removed soon.
    pub async fn operator_keep(&self, tenant: &TenantId, keep: Keep) -> Result<(), Error> {
        let keep = |row: &mut Tenant| {
            let kept = row.retention;
            row.retention = Retention {
                days_max: keep.days_max.unwrap_or(kept.days_max),
                runs_max: keep.runs_max.unwrap_or(kept.runs_max),
                audit_days_max: keep.audit_days_max.or(kept.audit_days_max),
            };
        };
        self.change_tenant(tenant, "retention", keep).await?;
        self.0.retention.notify_one();
        Ok(())
    }
}

/// An anchor that is signed over another would make true whatever that one says: where nobody knows who wrote it, nothing
/// is removed and nothing is signed.
fn refuse_false_anchors(key: &HeadKey, anchors: &[SignedHead]) -> Result<(), Error> {
    let Some(SignedHead { tenant, writer, seq, .. }) = anchors.iter().find(|anchor| !key.holds_anchor(anchor)) else {
        return Ok(());
    };
    tracing::error!(%tenant, %writer, seq, "where the audit log begins is not signed by this installation: nothing of it is removed; see `lockgate audit verify`");
    Err(Error::Internal { what: "the audit log".into() })
}
