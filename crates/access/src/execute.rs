//! May this principal run this target, by this way, now?
//!
//! Execute is allowed ⇔ the user is enabled ∧ the channel is open to its kind ∧ one profile of the
//! user or its groups is valid in the environment, on the target's list there and has
//! `<kind>.execute` ∧ the publish right stands. One profile must do all three: being on the list by
//! one and holding the permission by another is not enough.

use lockgate_model::{Channel, Permission, Principal, Target, TargetKind, Timestamp, id::EnvironmentId};

use crate::{
    Act, Decision, RuleText, TenantSnapshot,
    gate::{self, No, forbidden, not_found, not_published},
    rule,
    snapshot::{EnvironmentFacts, Gate, TargetFacts, UserFacts},
};

/// Decides whether `target` may run. Pure and quick: no allocation on the allow path of an
/// orchestration.
///
/// For an API the orchestration behind it is asked as well, in the same decision: module and permit
/// are the orchestration's. A sub-flow is asked with the same principal and
/// [`Channel::SubFlow`]. [`Channel::Restart`] and [`Channel::Resume`] need `runs-control` besides.
pub fn decide_execute(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    target: Target,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    let found = find(snapshot, principal, &target);
    let deployed = found.as_ref().ok().and_then(|found| found.target?.deployed.as_ref());
    let (version, module) = deployed.map_or((0, None), |deployed| (deployed.version, deployed.module));
    let orchestration = found.as_ref().ok().and_then(|found| found.target?.orchestration.clone());
    let answer = found.and_then(|found| judge(snapshot, principal, &target, &found, channel));
    let next = orchestration.map(|name| Target {
        environment: target.environment.clone(),
        kind: TargetKind::Integrations,
        name,
    });
    let act = Act::Execute { target, version, module };
    let decision = Decision::new(snapshot, principal, channel, now, act, answer);
    match next {
        // An orchestration has none behind it, so this goes one step and no further.
        Some(next) => decision.and_also(decide_execute(snapshot, principal, next, channel, now)),
        None => decision,
    }
}

/// What the request is about, as far as the caller may know that it exists.
pub(crate) struct Found<'a> {
    pub user: &'a UserFacts,
    pub environment: &'a EnvironmentFacts,
    /// `None`: known in the tenant, but neither deployed nor assigned here.
    pub target: Option<&'a TargetFacts>,
}

impl<'a> Found<'a> {
    /// The list that is asked: the assigned one, or, for what has never been deployed here, the one
    /// that the first deploy would assign.
    pub fn gate(&self, kind: TargetKind) -> Option<&'a Gate> {
        match self.target {
            Some(TargetFacts { gate: Some(gate), .. }) => Some(gate),
            Some(TargetFacts { deployed: Some(_), .. }) => None,
            _ => self.environment.default_gate.get(kind).as_ref(),
        }
    }
}

fn find<'a>(snapshot: &'a TenantSnapshot, principal: &Principal, target: &Target) -> Result<Found<'a>, No> {
    let user = gate::user(snapshot, principal)?;
    let environment = gate::visible(snapshot, principal, user, &target.environment)?;
    let here = environment.targets.get(target.kind).get(&target.name);
    if here.is_none() && !snapshot.known.contains(&(target.kind, target.name.clone())) {
        return Err(not_found(rule::UNKNOWN_TARGET));
    }
    Ok(Found { user, environment, target: here })
}

fn judge(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    target: &Target,
    found: &Found<'_>,
    channel: Channel,
) -> Result<RuleText, No> {
    gate::standing(snapshot, principal, found.user, channel)?;
    if matches!(channel, Channel::Restart | Channel::Resume) {
        let held = found.user.by_environment.get(found.environment.number);
        if !held.is_some_and(|held| held.contains(Permission::RunsControl)) {
            return Err(forbidden(rule::NO_RUNS_CONTROL));
        }
    }
    let gate = found.gate(target.kind).ok_or_else(|| forbidden(rule::NO_ACL))?;
    let number =
        found.user.profiles.first_common(&gate.open).ok_or_else(|| closed(snapshot, found.user, target, gate))?;
    let allowed = gate.rules.get(&number).ok_or_else(|| forbidden(rule::NO_ACL))?;
    let deployed = found.target.and_then(|t| t.deployed.as_ref()).ok_or_else(|| not_published(rule::NOT_DEPLOYED))?;
    if !deployed.right_stands {
        return Err(not_published(RuleText::with(rule::RIGHT_FALLEN, &[("publisher", deployed.publisher.as_str())])));
    }
    Ok(allowed.clone())
}

/// Which of the three a caller lacks whom no profile lets in.
fn closed(snapshot: &TenantSnapshot, user: &UserFacts, target: &Target, gate: &Gate) -> No {
    let acl = ("acl", gate.acl.as_str());
    if on_list_here(snapshot, user, &target.environment, gate) {
        forbidden(RuleText::with(rule::NO_EXECUTE, &[acl, ("permission", target.kind.execute().as_str())]))
    } else {
        forbidden(RuleText::with(rule::NOT_ON_ACL, &[acl]))
    }
}

fn on_list_here(snapshot: &TenantSnapshot, user: &UserFacts, environment: &EnvironmentId, gate: &Gate) -> bool {
    let (Some(list), Some(here)) = (snapshot.rows.acls.get(&gate.acl), snapshot.environments.get(environment)) else {
        return false;
    };
    user.profiles
        .common(&here.valid)
        .filter_map(|number| snapshot.profiles.get(number))
        .any(|id| list.profiles.contains(id))
}
