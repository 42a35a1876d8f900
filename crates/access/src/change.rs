//! What saving must refuse: a change that would leave the tenant unreadable, or locked out.

use lockgate_model::{
    Kind, Permission,
    definition::{Deployment, Profile, Revision, Unreadable},
};
use serde::Deserialize;

use crate::{
    TenantSnapshot,
    references::{self, Fault},
    rows::Rows,
    shipped::{Row, shipped_profiles},
    snapshot::DEFAULT_ACL,
    users::UserFacts,
};

/// Why a change is not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Stable code; the table is in `docs/access.md`.
    pub code: &'static str,
    /// What is wrong, on what, and what to do.
    pub message: String,
}

fn refusal(code: &'static str, message: String) -> Refusal {
    Refusal { code, message }
}

/// Checks a change before it is committed: `puts` are (kind, id, body), `deletes` (kind, id).
/// A change is judged as a whole, so an object and what names it can go together.
pub fn validate_change(snapshot: &TenantSnapshot, puts: &[Row], deletes: &[(Kind, String)]) -> Result<(), Refusal> {
    snapshot.after(puts, deletes).map(drop)
}

impl TenantSnapshot {
    /// The tenant as it would be after a change, at the next revision: what `what-if` decides on.
    ///
    /// # Errors
    /// What [`validate_change`] refuses.
    pub fn after(&self, puts: &[Row], deletes: &[(Kind, String)]) -> Result<Self, Refusal> {
        fixed(puts, deletes)?;
        let rows = self.changed(puts, deletes).map_err(|e| refusal("unreadable", e.to_string()))?;
        named_by_deployments(&rows, deletes)?;
        let revision = Revision(self.revision().0.saturating_add(1));
        let after = self.moved(revision, rows, puts, deletes).map_err(|fault| explain(fault, deletes))?;
        if has_administrator(self) && !has_administrator(&after) {
            return Err(refusal(
                "last-administrator",
                "nobody would be left who may manage users and access: give another enabled user a profile \
                 valid in all environments with `user-management` and `access-control` first"
                    .to_owned(),
            ));
        }
        Ok(after)
    }

    /// The tenant after a change that was made: what [`TenantSnapshot::build`] makes of all rows then, for the
    /// cost of what changed.
    ///
    /// # Errors
    /// Those of [`TenantSnapshot::build`]. Deny everything then.
    pub fn follow(&self, revision: Revision, puts: &[Row], deletes: &[(Kind, String)]) -> Result<Self, Unreadable> {
        let rows = self.changed(puts, deletes)?;
        if self.users.are_worn() {
            references::check(&rows)?;
            return Ok(Self::compile(self.tenant().clone(), revision, rows, None)?);
        }
        Ok(self.moved(revision, rows, puts, deletes)?)
    }

    /// The rows after a change.
    fn changed(&self, puts: &[Row], deletes: &[(Kind, String)]) -> Result<Rows, Unreadable> {
        let mut rows = self.rows.clone();
        deletes.iter().try_for_each(|(kind, id)| rows.remove(*kind, id))?;
        puts.iter().try_for_each(|(kind, id, body)| rows.put(*kind, id, body))?;
        Ok(rows)
    }

    /// Compiles rows after a change, and of the rest takes what is here.
    fn moved(&self, revision: Revision, rows: Rows, puts: &[Row], deletes: &[(Kind, String)]) -> Result<Self, Fault> {
        references::check_change(&rows, puts, deletes)?;
        let deleted = deletes.iter().map(|(kind, id)| (*kind, id.as_str()));
        let changed = puts.iter().map(|(kind, id, _)| (*kind, id.as_str())).chain(deleted).collect();
        Self::compile(self.tenant().clone(), revision, rows, Some((self, &changed)))
    }
}

/// A user by whose right something is active, or as whom it runs, is not deleted: a later user of the
/// same id would have that right. Only a change is judged by this: rows of which nobody knows who they
/// meant give no right, and the tenant stays readable.
fn named_by_deployments(rows: &Rows, deletes: &[(Kind, String)]) -> Result<(), Refusal> {
    for (_, user) in deletes.iter().filter(|(kind, _)| *kind == Kind::User) {
        let names = |deployment: &Deployment| {
            let named = [Some(&deployment.publisher), deployment.adopted_by.as_ref(), deployment.run_as.as_ref()];
            named.into_iter().flatten().any(|named| named.as_str() == user)
        };
        let naming = rows.deployments.iter().filter(|(_, deployment)| names(deployment));
        let naming: Vec<String> = naming.map(|((at, project), _)| format!("`{at}/{project}`")).collect();
        if !naming.is_empty() {
            let message = format!(
                "user `{user}` is in use by deployment {}: let somebody else deploy it anew, or end it, first; a \
                 disabled user can do nothing meanwhile",
                naming.join(", ")
            );
            return Err(refusal("in-use", message));
        }
    }
    Ok(())
}

/// What stays as it ships.
fn fixed(puts: &[Row], deletes: &[(Kind, String)]) -> Result<(), Refusal> {
    let shipped = shipped_profiles();
    let is_shipped = |id: &str| shipped.iter().find(|(name, _)| name.as_str() == id);
    for (kind, id) in deletes {
        match kind {
            Kind::Tenant => {
                return Err(refusal("tenant-row", "a tenant is removed by the operator alone".to_owned()));
            }
            Kind::Acl if id == DEFAULT_ACL => {
                return Err(refusal("default-acl", "the ACL `default` stays: empty it instead".to_owned()));
            }
            Kind::Profile if is_shipped(id).is_some() => return Err(shipped_profile(id)),
            _ => {}
        }
    }
    for (kind, id, body) in puts {
        if *kind != Kind::Profile {
            continue;
        }
        if let Some((_, profile)) = is_shipped(id)
            && Profile::deserialize(body).ok().as_ref() != Some(profile)
        {
            return Err(shipped_profile(id));
        }
    }
    Ok(())
}

fn shipped_profile(id: &str) -> Refusal {
    refusal(
        "shipped-profile",
        format!("profile `{id}` ships with Lockgate and stays as it is: make one of your own and give that"),
    )
}

fn explain(fault: Fault, deletes: &[(Kind, String)]) -> Refusal {
    match fault {
        Fault::Dangling { kind, id, names, name } => {
            if deletes.iter().any(|(kind, id)| *kind == names && *id == name) {
                let code = if names == Kind::Acl { "acl-in-use" } else { "in-use" };
                let message = format!("{names} `{name}` is in use by {kind} `{id}`: take it away there first");
                refusal(code, message)
            } else {
                let message =
                    format!("{kind} `{id}` names the {names} `{name}`, which does not exist: create it first");
                refusal("dangling-reference", message)
            }
        }
        Fault::Nowhere { id } => refusal(
            "profile-without-environment",
            format!("profile `{id}` is valid in no environment: name at least one, or all"),
        ),
        Fault::SameOrder { id, other } => refusal(
            "promotion-order",
            format!("environments `{id}` and `{other}` have the same place in the promotion order: give each its own"),
        ),
        Fault::Other(unreadable) => refusal("unreadable", unreadable.to_string()),
    }
}

/// Someone enabled may manage users and access of the whole tenant.
fn has_administrator(snapshot: &TenantSnapshot) -> bool {
    let may = |user: UserFacts<'_>| {
        let held = user.held.tenant_wide;
        user.enabled && held.contains(Permission::UserManagement) && held.contains(Permission::AccessControl)
    };
    snapshot.users.values().any(may)
}
