//! May this principal store this version of a project: each object that differs asks its own
//! permission.

use std::collections::BTreeMap;

use lockgate_model::{
    Channel, Digest, Permission, Principal, Timestamp,
    id::ProjectId,
    permission::{Area, Permissions},
};

use crate::{
    Act, Decision, RuleText, Scope, TenantSnapshot,
    gate::{self, No, forbidden},
    rule,
};

/// An object's kind is none that a project has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no object of a project: its kind is none that has permissions")]
pub struct UnknownObject(String);

/// What storing `new` over `head` needs: `<kind>.create`, `.update` or `.delete` for each object
/// (`<kind>/<name>` → digest) that differs.
///
/// A version that differs in nothing is still a new version: it needs `integrations.update`.
pub fn push_permissions(
    head: &BTreeMap<String, Digest>,
    new: &BTreeMap<String, Digest>,
) -> Result<Permissions, UnknownObject> {
    let created = new.keys().filter(|object| !head.contains_key(*object)).map(|object| (object, "create"));
    let updated = new
        .iter()
        .filter(|(object, digest)| head.get(*object).is_some_and(|before| before != *digest))
        .map(|(object, _)| (object, "update"));
    let deleted = head.keys().filter(|object| !new.contains_key(*object)).map(|object| (object, "delete"));
    let mut needs = created
        .chain(updated)
        .chain(deleted)
        .map(|(object, verb)| permission(object, verb))
        .collect::<Result<Permissions, _>>()?;
    if needs.is_empty() {
        needs.insert(Permission::IntegrationsUpdate);
    }
    Ok(needs)
}

fn permission(object: &str, verb: &str) -> Result<Permission, UnknownObject> {
    let unknown = || UnknownObject(object.chars().take(80).collect());
    let (kind, _) = object.split_once('/').ok_or_else(unknown)?;
    let found: Permission = format!("{kind}.{verb}").parse().map_err(|_| unknown())?;
    if found.area() == Area::Project { Ok(found) } else { Err(unknown()) }
}

/// Decides a push: every permission of `needs` by a profile valid in Development, or by permission
/// on this project. A project that does not exist yet is judged by profile alone.
pub fn decide_push(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    project: ProjectId,
    needs: Permissions,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    let answer = judge(snapshot, principal, &project, needs, channel);
    Decision::new(snapshot, principal, channel, now, Act::Push { project, needs }, answer)
}

fn judge(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    project: &ProjectId,
    needs: Permissions,
    channel: Channel,
) -> Result<RuleText, No> {
    let user = gate::user(snapshot, principal)?;
    gate::project_visible(snapshot, principal, user, project)?;
    gate::standing(snapshot, principal, user, channel)?;
    gate::not_narrowed(principal, snapshot.development.as_ref())?;
    let held = gate::held(snapshot, &principal.user, user, &Scope::Project(project.clone()));
    let editing = |permission: &Permission| permission.area() == Area::Project && held.contains(*permission);
    match needs.iter().find(|permission| !editing(permission)) {
        Some(missing) => Err(forbidden(RuleText::with(rule::NO_PUSH, &[("permission", missing.as_str())]))),
        None if needs.is_empty() => Err(forbidden(RuleText::with(rule::NO_PUSH, &[]))),
        None => Ok(rule::PUSH.into()),
    }
}
