//! Limits of runs: the product's, over them what the operator set of the tenant, over those what it set of one
//! environment. The tenant sees them, and changes none.

use std::collections::BTreeMap;

use lockgate_access::Scope;
use lockgate_model::{
    Definition, Kind, Limit, Limits, Permission, Quota,
    audit::{Entry, Outcome},
    definition::Unreadable,
    id::{EnvironmentId, TenantId},
};
use lockgate_store::{Change, Put};
use serde::{Deserialize, Serialize};

use crate::{Caller, Error, Runtime, View, push::json};

/// Id of the tenant's own row; those of environments have theirs in front.
const OF_TENANT: &str = "limits";

/// Limits to be set; `null` lets one fall back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsChange {
    /// Of this environment alone.
    #[serde(default)]
    pub environment: Option<EnvironmentId>,
    /// By name.
    pub set: BTreeMap<Limit, Option<u64>>,
}

/// Limits of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantLimits {
    /// Those that hold where an environment has none of its own.
    pub limits: Limits,
    /// Of these the operator set so many.
    pub set: Quota,
    /// Of each environment.
    pub environments: BTreeMap<EnvironmentId, EnvironmentLimits>,
}

/// Limits of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentLimits {
    /// Those that hold.
    pub limits: Limits,
    /// Of these the operator set so many of this environment.
    pub set: Quota,
}

/// What a view holds of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeldLimits {
    of_tenant: Limits,
    of_environments: BTreeMap<String, Limits>,
}

impl HeldLimits {
    /// From all rows of the kind.
    pub(crate) fn of<'r>(rows: impl Iterator<Item = &'r Definition>) -> Result<Self, Unreadable> {
        let mut held = Self::default();
        let rows: Vec<_> = rows.collect();
        if let Some(row) = rows.iter().find(|row| row.id == OF_TENANT) {
            held.of_tenant = row.read::<Quota>()?.over(held.of_tenant);
        }
        for row in rows {
            if let Some((environment, _)) = row.id.split_once('/') {
                let limits = row.read::<Quota>()?.over(held.of_tenant);
                held.of_environments.insert(environment.to_owned(), limits);
            }
        }
        Ok(held)
    }

    /// In an environment.
    pub(crate) fn at(&self, environment: &str) -> Limits {
        self.of_environments.get(environment).copied().unwrap_or(self.of_tenant)
    }
}

impl Runtime {
    /// The limits of the caller's tenant.
    pub async fn own_limits(&self, caller: &Caller) -> Result<TenantLimits, Error> {
        shown(&*self.may_read(caller, Permission::ManageCompanyCapabilities, Scope::Tenant).await?)
    }

    /// Operator: the limits of a tenant.
    pub fn operator_limits(&self, tenant: &TenantId) -> Result<TenantLimits, Error> {
        shown(&*self.view(tenant)?)
    }

    /// Operator: sets limits of a tenant, or of one of its environments. Runs that have begun keep theirs.
    pub async fn operator_set_limits(&self, tenant: &TenantId, change: LimitsChange) -> Result<(), Error> {
        let view = self.view(tenant)?;
        let (id, object) = match &change.environment {
            None => (OF_TENANT.to_owned(), format!("tenant/{tenant}")),
            Some(environment) if view.row(Kind::Environment, environment.as_str()).is_some() => {
                (row_id(environment), format!("environment/{environment}"))
            }
            Some(environment) => return Err(Error::not_found(format!("environment `{environment}`"))),
        };
        let old = quota(&view, &id)?;
        let mut quota = old.clone();
        for (limit, value) in &change.set {
            quota.set(*limit, *value).map_err(|reason| Error::invalid("LG-LIMIT", reason))?;
        }
        if quota == old {
            return Ok(());
        }
        let mut entry = Entry::new(self.now(), "operator-limits", Outcome::Done, "operator");
        entry.object = object;
        entry.fields = change.set.keys().map(ToString::to_string).collect();
        let told = |value: &Option<u64>| value.map_or_else(|| "default".to_owned(), |value| value.to_string());
        entry.detail = change.set.iter().map(|(limit, value)| (limit.to_string(), told(value))).collect();
        let (puts, deletes) = match quota.is_empty() {
            true => (vec![], vec![(Kind::Limits, id)]),
            false => (vec![Put { kind: Kind::Limits, id, body: json(&quota)? }], vec![]),
        };
        let change = Change { tenant: tenant.clone(), entry, expected: Some(view.revision), puts, deletes };
        self.commit_once(change).await
    }
}

fn row_id(environment: &EnvironmentId) -> String {
    format!("{environment}/{OF_TENANT}")
}

fn quota(view: &View, id: &str) -> Result<Quota, Error> {
    Ok(view.read(Kind::Limits, id)?.unwrap_or_default())
}

fn shown(view: &View) -> Result<TenantLimits, Error> {
    let environments = view.snapshot.environments().into_iter().map(|environment| {
        let limits = view.limits.at(environment.as_str());
        Ok((environment.clone(), EnvironmentLimits { limits, set: quota(view, &row_id(environment))? }))
    });
    Ok(TenantLimits {
        limits: view.limits.of_tenant,
        set: quota(view, OF_TENANT)?,
        environments: environments.collect::<Result<_, Error>>()?,
    })
}
