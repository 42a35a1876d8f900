//! Why may somebody execute something, or why not, and who may do what: the same engine as enforcement.

use lockgate_access::{
    Cell, DeniedStatus, Explanation, MatrixPart, Scope, SupportRight, Verdict, decide, decide_execute, support_rights,
};
use lockgate_model::{Channel, Kind, Permission, Target, definition::Revision, id::UserId};
use serde::Serialize;

use crate::{Caller, Error, Runtime};

/// A page of who may do what.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The revision of the tenant it holds for.
    pub revision: Revision,
    /// The rights, by user and scope.
    pub cells: Vec<Cell>,
    /// The last user of this page; absent if there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<UserId>,
    /// What the operator may look at by grants that stand now; with the last page, unless one user is asked about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub support: Vec<SupportRight>,
}

impl Runtime {
    /// Explains the decision on a user and a target. One may ask about oneself, but not by a credential that is for calls
    /// alone, and is told no more than a call would tell: what is answered with 404 is not explained. With `access-control`
    /// everything is.
    pub async fn why(&self, caller: &Caller, user: &UserId, target: &Target) -> Result<Explanation, Error> {
        if caller.principal.only_environment.as_ref().is_some_and(|only| *only != target.environment) {
            return Err(Error::not_found(format!("environment `{}`", target.environment)));
        }
        if *user != caller.principal.user || !caller.principal.only_targets.is_empty() {
            let view = self.may_read(caller, Permission::AccessControl, Scope::Tenant).await?;
            return Ok(lockgate_access::why(&view.snapshot, user, target));
        }
        let view = self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let (principal, scope) = (&caller.principal, Scope::Tenant);
        let sees_all = decide(&view.snapshot, principal, Permission::AccessControl, scope, Channel::Admin, self.now());
        if !sees_all.is_allowed() && self.hides(caller, target.clone())? {
            return Err(Error::not_found("such object"));
        }
        Ok(lockgate_access::why(&view.snapshot, user, target))
    }

    /// Whether a call of a target would be told that there is nothing. It is none, and leaves no trace.
    pub fn hides(&self, caller: &Caller, target: Target) -> Result<bool, Error> {
        let view = self.view(caller.tenant())?;
        let decision = decide_execute(&view.snapshot, &caller.principal, target, Channel::Rest, self.now());
        Ok(decision.verdict() == Verdict::Deny(DeniedStatus::NotFound))
    }

    /// A page of who may do what; with `access-control`. Where a page goes on
    /// of a revision that is no longer the newest, it is a conflict: half of it would be of another tenant.
    pub async fn matrix(&self, caller: &Caller, part: MatrixPart, of: Option<Revision>) -> Result<Matrix, Error> {
        let view = self.may_read(caller, Permission::AccessControl, Scope::Tenant).await?;
        if let Some(environment) = &part.environment
            && !view.snapshot.environments().contains(&environment)
        {
            return Err(Error::not_found(format!("environment `{environment}`")));
        }
        if let Some(user) = &part.user
            && view.row(Kind::User, user.as_str()).is_none()
        {
            return Err(Error::not_found(format!("user `{user}`")));
        }
        if of.is_some_and(|of| of != view.revision) {
            let message = "the tenant was changed since the first page; begin again".into();
            return Err(Error::Conflict { code: "LG-BUSY", message });
        }
        let now = self.now();
        let page = tokio::task::spawn_blocking(move || {
            let page = lockgate_access::matrix(&view.snapshot, &part);
            let last = page.next.is_none() && part.user.is_none();
            let mut support = support_rights(&view.snapshot, &view.credentials.support(), now);
            support.retain(|right| last && part.environment.as_ref().is_none_or(|only| *only == right.environment));
            Matrix { revision: view.revision, cells: page.cells, next: page.next, support }
        });
        page.await.map_err(|_| Error::Internal { what: "the matrix".into() })
    }
}
