//! Why an execute is allowed or not: the path profile → list → environment, or every missing link
//! with the commands that would close it.
//!
//! The verdict is [`decide_execute`]'s own; `search` only reads the same snapshot again to tell what
//! would have to be there.

mod grant;
mod search;

use std::fmt;

use lockgate_model::{
    Channel, Principal, Target, Timestamp,
    definition::Revision,
    id::{AclId, GroupId, ProfileId, UserId},
    principal::{CredentialKind, UserKind},
};
use serde::Serialize;

pub use self::grant::{Grant, Missing, Step};
use self::search::Search;
use crate::{
    TenantSnapshot, decide_execute,
    rule::{self, RuleText},
};

/// The answer of `access why`.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Who.
    pub user: UserId,
    /// What, and where.
    pub target: Target,
    /// By which way.
    pub channel: Channel,
    /// The revision of the tenant this holds for.
    pub revision: Revision,
    /// The live decision.
    pub allowed: bool,
    /// The rule that decided.
    pub rule: String,
    /// What lets the user in: one path for the target, one more for the orchestration behind an API.
    pub paths: Vec<PathTaken>,
    /// Every link that is missing; all of them must be closed.
    pub missing: Vec<Missing>,
}

/// A path that lets a user in.
#[derive(Debug, Clone, Serialize)]
pub struct PathTaken {
    /// Where it leads.
    pub target: Target,
    /// The profile that is on the list, valid in the environment, and may execute.
    pub profile: ProfileId,
    /// How the user holds it.
    pub via: Via,
    /// The list.
    pub acl: AclId,
    /// On whose publish right the deployment stands.
    pub publisher: UserId,
}

/// How a user holds a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Given to the user itself.
    User,
    /// Given to a group the user is in.
    Group(GroupId),
}

/// Explains the way a user of its kind would come: by REST with a password or key; an IDP user
/// without leave for APIs by a session.
pub fn why(snapshot: &TenantSnapshot, user: &UserId, target: &Target) -> Explanation {
    let (principal, channel) = way_in(snapshot, user);
    why_by(snapshot, &principal, target, channel)
}

/// The way that a user of its kind comes.
pub(crate) fn way_in(snapshot: &TenantSnapshot, user: &UserId) -> (Principal, Channel) {
    let (credential, channel) = match snapshot.users.get(user).map(|facts| facts.kind) {
        Some(UserKind::Idp) => (CredentialKind::Session, Channel::Manual),
        Some(UserKind::Service) => (CredentialKind::ApiKey, Channel::Rest),
        Some(UserKind::Native) | None => (CredentialKind::Basic, Channel::Rest),
    };
    let tenant = snapshot.tenant().clone();
    let user = user.clone();
    (Principal { tenant, user, credential, only_environment: None, only_targets: Vec::new() }, channel)
}

/// What lets a user in whom a decision let in.
pub(crate) fn path(snapshot: &TenantSnapshot, user: &UserId, target: &Target) -> Option<PathTaken> {
    let here = snapshot.environment(&target.environment)?;
    let facts = here.target(target.kind, &target.name)?;
    let gate = here.gate(target.kind, Some(facts))?;
    let number = gate.opened_by(&snapshot.users.get(user)?.held.profiles)?;
    let profile = snapshot.profiles.get(number)?;
    Some(PathTaken {
        target: target.clone(),
        profile: profile.clone(),
        via: via(snapshot, user, profile)?,
        acl: gate.list.acl.clone(),
        publisher: here.published(facts)?.0.publisher.clone(),
    })
}

/// How a user holds a profile.
pub(crate) fn via(snapshot: &TenantSnapshot, user: &UserId, profile: &ProfileId) -> Option<Via> {
    let row = snapshot.rows.users.get(user)?;
    if row.profiles.contains(profile) {
        return Some(Via::User);
    }
    let holds = |id: &&GroupId| snapshot.rows.groups.get(*id).is_some_and(|g| g.profiles.contains(profile));
    row.groups.iter().find(holds).map(|id| Via::Group(id.clone()))
}

/// Explains exactly this principal, by this way.
pub fn why_by(snapshot: &TenantSnapshot, principal: &Principal, target: &Target, channel: Channel) -> Explanation {
    // The formula has no time in it; the decision is read here and not recorded.
    let decision = decide_execute(snapshot, principal, target.clone(), channel, Timestamp::from_ms(0));
    let allowed = decision.is_allowed();
    let search = Search { snapshot, principal, channel, row: snapshot.rows.users.get(&principal.user) };
    let (mut paths, mut missing) = (Vec::new(), Vec::new());
    if allowed {
        let targets = decision.parts().into_iter().filter_map(|part| part.target());
        paths.extend(targets.filter_map(|target| path(snapshot, &principal.user, target)));
    } else {
        missing.extend(search.about_user());
        missing.extend(search.about_target(target));
        // The decision stops where the caller may not know more; what is missing goes on behind.
        missing.extend(search.behind(target).iter().flat_map(|target| search.about_target(target)));
        if missing.is_empty() {
            missing.push(Missing { link: unclosable(&decision.settled_rule()), remedies: Vec::new() });
        }
    }
    Explanation {
        user: principal.user.clone(),
        target: target.clone(),
        channel,
        revision: snapshot.revision(),
        allowed,
        rule: decision.rule().to_owned(),
        paths,
        missing,
    }
}

fn unclosable(rule: &RuleText) -> String {
    match rule.code() {
        rule::OTHER_TENANT => "the principal belongs to another tenant".to_owned(),
        rule::KEY_OTHER_ENVIRONMENT => "the API key is narrowed to another environment: use another key".to_owned(),
        rule::SERVICE_IN_CONSOLE => "a service account has no console: use its API key".to_owned(),
        rule::RUN_AS_BY_HAND => "a schedule's or poll's principal cannot be used by hand".to_owned(),
        code => format!("rule `{code}` says no"),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, target, .. } = self;
        let verdict = if self.allowed { "may" } else { "may not" };
        writeln!(f, "{user} {verdict} execute {}/{} in {}", target.kind.as_str(), target.name, target.environment)?;
        writeln!(f, "  rule {} at revision {}", self.rule, self.revision)?;
        for path in &self.paths {
            let holder = match &path.via {
                Via::User => user.to_string(),
                Via::Group(group) => format!("{user} (group {group})"),
            };
            writeln!(
                f,
                "  {holder} -> profile {} -> ACL {} -> {}/{} in {}, published by {}",
                path.profile,
                path.acl,
                path.target.kind.as_str(),
                path.target.name,
                path.target.environment,
                path.publisher
            )?;
        }
        for missing in &self.missing {
            writeln!(f, "  missing: {}", missing.link)?;
            for (n, remedy) in missing.remedies.iter().enumerate() {
                for (m, step) in remedy.iter().enumerate() {
                    let lead = match (n, m) {
                        (0, 0) => "grant with:",
                        (_, 0) => "or with:",
                        _ => "and then:",
                    };
                    let needs = step.grant.needs_text();
                    write!(f, "    {lead:<11} {}   (needs {needs}", step.grant)?;
                    for (k, who) in step.who.iter().enumerate() {
                        write!(f, "{} {who}", if k == 0 { ":" } else { "," })?;
                    }
                    writeln!(f, ")")?;
                }
            }
        }
        Ok(())
    }
}
