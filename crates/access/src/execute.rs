//! May this principal run this target, by this way, now?
//!
//! Execute is allowed ⇔ the user is enabled ∧ the channel is open to its kind ∧ one profile of the
//! user or its groups is valid in the environment, on the target's list there and has
//! `<kind>.execute` ∧ the publish right stands. One profile must do all three: being on the list by
//! one and holding the permission by another is not enough.

use lockgate_model::{Channel, Permission, Principal, Target, TargetKind, Timestamp, id::TargetName};

use crate::{
    Act, Decision, RuleText, TenantSnapshot,
    gate::{self, No, forbidden, not_found, not_published},
    rule,
    targets::{EnvironmentFacts, Gate, TargetFacts},
    users::UserFacts,
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
    let called = target.name.clone();
    decide_called(snapshot, principal, target, &called, channel, now)
}

/// `called` is what the caller named: the target, or the API in front of it.
fn decide_called(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    target: Target,
    called: &TargetName,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    let found = find(snapshot, principal, &target);
    let here = found.as_ref().ok().and_then(|found| Some((found.environment, found.target?)));
    let deployed = here.and_then(|(environment, target)| environment.published(target));
    let (version, module) = deployed.map_or((0, None), |(published, module)| (published.version, module));
    let orchestration = here.and_then(|(_, target)| target.orchestration.clone());
    let answer = found.and_then(|found| judge(snapshot, principal, &target, called, &found, channel));
    let next = orchestration.map(|name| Target {
        environment: target.environment.clone(),
        kind: TargetKind::Integrations,
        name,
    });
    let act = Act::Execute { target, version, module };
    let decision = Decision::new(snapshot, principal, channel, now, act, answer);
    match next {
        // An orchestration has none behind it, so this goes one step and no further.
        Some(next) => decision.and_also(decide_called(snapshot, principal, next, called, channel, now)),
        None => decision,
    }
}

/// What the request is about, as far as the caller may know that it exists.
struct Found<'a> {
    user: UserFacts<'a>,
    environment: &'a EnvironmentFacts,
    /// `None`: known in the tenant, but neither deployed nor assigned here.
    target: Option<&'a TargetFacts>,
}

fn find<'a>(snapshot: &'a TenantSnapshot, principal: &Principal, target: &Target) -> Result<Found<'a>, No> {
    let user = gate::user(snapshot, principal)?;
    let environment = gate::visible(snapshot, principal, user, &target.environment)?;
    let here = environment.target(target.kind, &target.name);
    if here.is_none() && !snapshot.known.contains(&(target.kind, target.name.clone())) {
        return Err(not_found(rule::UNKNOWN_TARGET));
    }
    Ok(Found { user, environment, target: here })
}

fn judge(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    target: &Target,
    called: &TargetName,
    found: &Found<'_>,
    channel: Channel,
) -> Result<RuleText, No> {
    gate::standing(snapshot, principal, found.user, channel)?;
    gate::calls_it(principal, called, channel)?;
    if matches!(channel, Channel::Restart | Channel::Resume) {
        let held = found.user.held.by_environment.get(found.environment.number);
        if !held.is_some_and(|held| held.contains(Permission::RunsControl)) {
            return Err(forbidden(rule::NO_RUNS_CONTROL));
        }
    }
    let gate = found.environment.gate(target.kind, found.target).ok_or_else(|| forbidden(rule::NO_ACL))?;
    let opened_by = gate.opened_by(&found.user.held.profiles);
    let number = opened_by.ok_or_else(|| closed(found.user, found.environment, target, gate))?;
    let profile = snapshot.profiles.get(number).ok_or_else(|| forbidden(rule::NO_ACL))?;
    let published = found.target.and_then(|target| found.environment.published(target));
    let (published, _) = published.ok_or_else(|| not_published(rule::NOT_DEPLOYED))?;
    if !published.right_stands {
        return Err(not_published(RuleText::with(rule::RIGHT_FALLEN, &[("publisher", published.publisher.as_str())])));
    }
    Ok(RuleText::executes(profile, &gate.list.key))
}

/// Which of the three a caller lacks whom no profile lets in.
fn closed(user: UserFacts<'_>, environment: &EnvironmentFacts, target: &Target, gate: Gate<'_>) -> No {
    let acl = ("acl", gate.list.acl.as_str());
    // On the list by a profile that is valid here, but may not execute.
    if user.held.profiles.first_of_three(&gate.list.profiles, &environment.valid).is_some() {
        forbidden(RuleText::with(rule::NO_EXECUTE, &[acl, ("permission", target.kind.execute().as_str())]))
    } else {
        forbidden(RuleText::with(rule::NOT_ON_ACL, &[acl]))
    }
}
