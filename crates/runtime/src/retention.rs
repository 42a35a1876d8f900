//! How long records of runs are kept: per tenant, as the operator says. What is older, or beyond the
//! newest so many, is removed in the background; open runs and the audit log stay.

use std::{
    num::{NonZeroU32, NonZeroU64},
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::FutureExt;
use lockgate_model::{
    Kind,
    definition::{Retention, Tenant},
    id::TenantId,
};
use lockgate_store::RunsKept;

use crate::{Error, Runtime};

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

    /// Operator: how long run records of a tenant are kept.
    pub fn operator_retention(&self, tenant: &TenantId) -> Result<Retention, Error> {
        let row = self.view(tenant)?.read::<Tenant>(Kind::Tenant, "tenant")?;
        row.map(|row| row.retention).ok_or_else(|| Error::not_found(format!("tenant `{tenant}`")))
    }

    /// Operator: says how long run records of a tenant are kept, and how many; what is not given stays as
    /// it is. What is no longer kept is removed soon.
    pub async fn operator_keep(
        &self,
        tenant: &TenantId,
        days_max: Option<NonZeroU32>,
        runs_max: Option<NonZeroU64>,
    ) -> Result<(), Error> {
        let keep = |row: &mut Tenant| {
            let kept = row.retention;
            row.retention =
                Retention { days_max: days_max.unwrap_or(kept.days_max), runs_max: runs_max.unwrap_or(kept.runs_max) };
        };
        self.change_tenant(tenant, "retention", keep).await?;
        self.0.retention.notify_one();
        Ok(())
    }
}
