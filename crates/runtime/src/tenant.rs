//! Operator: tenants come into being with their environments, shipped profiles, default ACL and
//! administrator.

use lockgate_access::Scope;
use lockgate_identity::{Credential, Password};
use lockgate_model::{
    Kind, Permission,
    audit::{Entry, Outcome},
    definition::{Retention, Revision, Tenant},
    id::{RESERVED_TENANTS, TenantId, UserId},
};
use lockgate_store::{Change, Put};
use serde::Serialize;

use crate::{Caller, Error, Runtime, credential, push::json};

/// A tenant to be created.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// For people.
    pub title: String,
    /// Its administrator.
    pub administrator: UserId,
}

/// A tenant, as its own administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnTenant {
    /// Its id.
    pub id: TenantId,
    /// For people.
    pub title: String,
    /// How long its records are kept.
    pub retention: Retention,
}

impl Runtime {
    /// The record of the caller's tenant, which the operator keeps.
    pub async fn own_tenant(&self, caller: &Caller) -> Result<OwnTenant, Error> {
        let view = self.may_read(caller, Permission::ManageCompanyCapabilities, Scope::Tenant).await?;
        let row: Option<Tenant> = view.read(Kind::Tenant, "tenant")?;
        let row = row.ok_or_else(|| Error::not_found("tenant"))?;
        Ok(OwnTenant { id: view.tenant.clone(), title: row.title, retention: row.retention })
    }

    /// Operator: creates a tenant; returns the administrator's one-time token for the first login.
    pub async fn operator_create_tenant(&self, new: NewTenant) -> Result<String, Error> {
        let key = self.0.views.digest_key(&new.id)?;
        let (token, row) = credential::token_row(&key, new.administrator.clone(), self.now())?;
        self.create_tenant(&new, row).await?;
        Ok(token)
    }

    /// Operator: creates a tenant whose administrator has a password from the start (quickstart).
    pub async fn operator_create_tenant_with_password(&self, new: NewTenant, password: Password) -> Result<(), Error> {
        let row = self.with_password(self.share(new.id.as_str(), ""), Credential::default(), password).await?;
        self.create_tenant(&new, json(&row)?).await
    }

    /// Operator: gives a tenant's user another password (quickstart, for whoever lost it).
    pub async fn operator_set_password(
        &self,
        tenant: &TenantId,
        user: &UserId,
        password: Password,
    ) -> Result<(), Error> {
        let view = self.view(tenant)?;
        let old = view.credentials.stored(user).cloned().ok_or_else(|| Error::not_found(format!("user `{user}`")))?;
        let body = json(&self.with_password(self.share(tenant.as_str(), ""), old, password).await?)?;
        let mut entry = Entry::new(self.now(), "operator-password", Outcome::Done, "operator");
        entry.object = format!("user/{user}");
        let puts = vec![Put { kind: Kind::Credential, id: user.to_string(), body }];
        let change = Change { tenant: tenant.clone(), entry, expected: Some(view.revision), puts, deletes: Vec::new() };
        let committed = self.0.store.commit(change).await;
        let settled = self.settle(tenant, committed).await?;
        self.0.sessions.close_user(tenant, user);
        match settled {
            Some(_) => Ok(()),
            None => {
                Err(Error::Conflict { code: "LG-BUSY", message: "the tenant was changed in between; try again".into() })
            }
        }
    }

    async fn create_tenant(&self, new: &NewTenant, credential: serde_json::Value) -> Result<(), Error> {
        if RESERVED_TENANTS.contains(&new.id.as_str()) {
            return Err(Error::invalid(
                "LG-TENANT-RESERVED",
                format!("`{}` begins product URLs; choose another id", new.id),
            ));
        }
        if self.0.views.get(&new.id).is_some() || self.0.store.tenants().await?.contains(&new.id) {
            return Err(Error::Conflict {
                code: "LG-TENANT-EXISTS",
                message: format!("tenant `{}` exists already", new.id),
            });
        }
        let mut entry = Entry::new(self.now(), "operator-tenant", Outcome::Done, "operator");
        entry.object = format!("tenant/{}", new.id);
        let mut puts: Vec<Put> = lockgate_access::tenant_seed(&new.title, &new.administrator)
            .into_iter()
            .map(|(kind, id, body)| Put { kind, id, body })
            .collect();
        puts.push(Put { kind: Kind::Credential, id: new.administrator.to_string(), body: credential });
        let change = Change { tenant: new.id.clone(), entry, expected: Some(Revision(0)), puts, deletes: Vec::new() };
        let committed = self.0.store.commit(change).await;
        match self.settle(&new.id, committed).await? {
            Some(_) => Ok(()),
            None => Err(Error::Conflict {
                code: "LG-TENANT-EXISTS",
                message: format!("tenant `{}` exists already", new.id),
            }),
        }
    }

    /// Operator: suspends a tenant, in which nothing runs and nobody does anything then, or resumes it.
    pub async fn operator_suspend(&self, tenant: &TenantId, suspended: bool) -> Result<(), Error> {
        self.change_tenant(tenant, "suspended", |row| row.suspended = suspended).await
    }

    /// Changes a field of the tenant's own row, for the operator; nothing happens where nothing differs.
    pub(crate) async fn change_tenant(
        &self,
        tenant: &TenantId,
        field: &str,
        change: impl FnOnce(&mut Tenant),
    ) -> Result<(), Error> {
        let view = self.view(tenant)?;
        let old: Tenant =
            view.read(Kind::Tenant, "tenant")?.ok_or_else(|| Error::not_found(format!("tenant `{tenant}`")))?;
        let mut row = old.clone();
        change(&mut row);
        if row == old {
            return Ok(());
        }
        let mut entry = Entry::new(self.now(), "operator-tenant", Outcome::Done, "operator");
        entry.object = format!("tenant/{tenant}");
        entry.fields = vec![field.to_owned()];
        let puts = vec![Put { kind: Kind::Tenant, id: "tenant".to_owned(), body: json(&row)? }];
        let change = Change { tenant: tenant.clone(), entry, expected: Some(view.revision), puts, deletes: Vec::new() };
        let committed = self.0.store.commit(change).await;
        match self.settle(tenant, committed).await? {
            Some(_) => Ok(()),
            None => {
                Err(Error::Conflict { code: "LG-BUSY", message: "the tenant was changed in between; try again".into() })
            }
        }
    }

    /// Operator: all tenants of this installation.
    pub fn operator_tenants(&self) -> Vec<TenantId> {
        self.0.views.tenants()
    }
}
