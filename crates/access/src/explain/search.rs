//! Reads a snapshot for the links between a user and a target.

use lockgate_model::{
    Channel, Permission, Principal, Target, TargetKind,
    definition::{User, ValidIn},
    id::{EnvironmentId, ProfileId, ProjectId, UserId},
    permission::Permissions,
    principal::UserKind,
};

use super::{Grant, Missing, Step};
use crate::{
    Scope, TenantSnapshot,
    shipped::shipped_profiles,
    snapshot::{DEFAULT_ACL, valid_in},
    targets::{EnvironmentFacts, Gate, Published},
    users::UserFacts,
};

/// One explanation in the making.
pub(super) struct Search<'a> {
    pub snapshot: &'a TenantSnapshot,
    pub principal: &'a Principal,
    pub channel: Channel,
    pub row: Option<&'a User>,
}

impl<'a> Search<'a> {
    pub fn about_user(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        let user = &self.principal.user;
        if self.principal.tenant != *self.snapshot.tenant() {
            return missing;
        }
        let Some(row) = self.row else {
            missing.push(self.link(format!("there is no user `{user}`"), [vec![Grant::AddUser(user.clone())]]));
            return missing;
        };
        if self.snapshot.suspended {
            let resume = Grant::ResumeTenant(self.snapshot.tenant().clone());
            missing.push(self.link("the tenant is suspended".to_owned(), [vec![resume]]));
        }
        if !row.enabled {
            missing.push(self.link(format!("user `{user}` is disabled"), [vec![Grant::EnableUser(user.clone())]]));
        }
        if row.kind == UserKind::Idp && !row.api_allowed && self.channel.is_api(self.principal.credential) {
            let link = format!("user `{user}` comes by single sign-on and may not use API channels");
            missing.push(self.link(link, [vec![Grant::AllowApi(user.clone())]]));
        }
        missing
    }

    /// The orchestration behind an API.
    pub fn behind(&self, target: &Target) -> Option<Target> {
        let here = self.snapshot.environment(&target.environment)?;
        let name = here.target(target.kind, &target.name)?.orchestration.clone()?;
        Some(Target { environment: target.environment.clone(), kind: TargetKind::Integrations, name })
    }

    pub fn about_target(&self, target: &Target) -> Vec<Missing> {
        let mut missing = Vec::new();
        let environment = &target.environment;
        let Some(here) = self.snapshot.environment(environment) else {
            let add = Grant::AddEnvironment(environment.clone());
            missing.push(self.link(format!("there is no environment `{environment}`"), [vec![add]]));
            return missing;
        };
        let facts = here.target(target.kind, &target.name);
        if facts.is_none() && !self.snapshot.known.contains(&(target.kind, target.name.clone())) {
            let link = format!("there is no `{}/{}` in any project: push one", target.kind.as_str(), target.name);
            missing.push(Missing { link, remedies: Vec::new() });
            return missing;
        }
        let user = self.snapshot.users.get(&self.principal.user);
        match (here.gate(target.kind, facts), user) {
            (Some(gate), Some(user)) => missing.extend(self.about_gate(target, gate, user)),
            (None, user) => {
                missing.push(self.no_list(target));
                // With the default list in place, that list is asked.
                let default = here.default_gate(target.kind);
                missing.extend(default.zip(user).and_then(|(gate, user)| self.about_gate(target, gate, user)));
            }
            (Some(_), None) => {}
        }
        if matches!(self.channel, Channel::Restart | Channel::Resume) {
            missing.extend(user.and_then(|user| self.about_control(target, here, user)));
        }
        match facts.and_then(|facts| here.published(facts)) {
            None => missing.push(self.not_deployed(target)),
            Some((published, _)) if !published.right_stands => missing.push(self.right_fallen(target, published)),
            Some(_) => {}
        }
        missing
    }

    fn no_list(&self, target: &Target) -> Missing {
        let link = format!("no ACL is assigned to `{}` in `{}`", target.name, target.environment);
        let default = self.snapshot.rows.acls.keys().find(|id| id.as_str() == DEFAULT_ACL);
        self.link(link, default.map(|acl| vec![Grant::Assign(acl.clone(), target.clone())]))
    }

    /// No profile of the user is on the list, valid here and may execute: which one change to which
    /// profile would do, and what to make if none would.
    fn about_gate(&self, target: &Target, gate: Gate<'_>, user: UserFacts<'_>) -> Option<Missing> {
        if gate.opened_by(&user.held.profiles).is_some() {
            return None;
        }
        let (name, environment) = (&self.principal.user, &target.environment);
        let permission = target.kind.execute();
        let link = format!(
            "no profile of `{name}` is on the ACL `{}`, valid in `{environment}` and permits `{permission}`",
            gate.list.acl
        );
        let list = self.snapshot.rows.acls.get(&gate.list.acl)?;
        let mut remedies = Vec::new();
        // What the user holds already, one step away.
        for (id, steps) in self.held(user).map(|id| (id, self.steps(id, permission, environment))) {
            let Some(mut steps) = steps else { continue };
            if !list.profiles.contains(id) {
                steps.push(Grant::ListProfile(gate.list.acl.clone(), id.clone()));
            }
            remedies.push(steps);
        }
        remedies.sort_by_key(Vec::len);
        // What is on the list already and opens it: the narrowest profile first, none that
        // administers the tenant.
        let mut open: Vec<(usize, &ProfileId)> = gate
            .opening()
            .filter_map(|number| self.snapshot.profiles.get(number))
            .filter_map(|id| Some((self.breadth(id)?, id)))
            .collect();
        open.sort();
        remedies.extend(open.into_iter().map(|(_, id)| vec![Grant::GiveProfile(name.clone(), id.clone())]));
        if remedies.is_empty() {
            remedies.extend(self.new_profile(target, gate));
        }
        Some(self.link(link, remedies))
    }

    fn held<'s>(&'s self, user: UserFacts<'s>) -> impl Iterator<Item = &'a ProfileId> + 's {
        user.held.profiles.common(&user.held.profiles).filter_map(|number| self.snapshot.profiles.get(number))
    }

    /// What makes a profile permit this here; `None` for a shipped one that does not already.
    fn steps(&self, id: &ProfileId, permission: Permission, environment: &EnvironmentId) -> Option<Vec<Grant>> {
        let profile = self.snapshot.rows.profiles.get(id)?;
        let mut steps = Vec::new();
        if !profile.permissions.contains(permission) {
            steps.push(Grant::Permit(id.clone(), permission));
        }
        if !valid_in(&profile.valid_in, environment) {
            steps.push(Grant::Extend(id.clone(), environment.clone()));
        }
        let fixed = shipped_profiles().iter().any(|(shipped, _)| shipped == id);
        (steps.is_empty() || !fixed).then_some(steps)
    }

    /// How many permissions a profile gives; `None` if it administers the tenant.
    fn breadth(&self, id: &ProfileId) -> Option<usize> {
        let profile = self.snapshot.rows.profiles.get(id)?;
        let tenant_wide = profile.valid_in == ValidIn::All && profile.permissions.iter().any(|p| p.tenant_wide_only());
        (!tenant_wide).then(|| profile.permissions.iter().count())
    }

    fn new_profile(&self, target: &Target, gate: Gate<'_>) -> Option<Vec<Grant>> {
        let kind = match target.kind {
            TargetKind::Integrations => "",
            TargetKind::RestApis => "rest-",
            TargetKind::SoapApis => "soap-",
        };
        let base = format!("{kind}caller-{}", target.environment);
        let id = std::iter::once(base.clone())
            .chain((2..100).map(|n| format!("{base}-{n}")))
            .filter_map(|name| ProfileId::parse(&name).ok())
            .find(|id| !self.snapshot.rows.profiles.contains_key(id))?;
        Some(vec![
            Grant::AddProfile(id.clone(), target.kind.execute(), target.environment.clone()),
            Grant::ListProfile(gate.list.acl.clone(), id.clone()),
            Grant::GiveProfile(self.principal.user.clone(), id),
        ])
    }

    fn about_control(&self, target: &Target, here: &EnvironmentFacts, user: UserFacts<'_>) -> Option<Missing> {
        let control = Permission::RunsControl;
        let held = user.held.by_environment.get(here.number).copied().unwrap_or_default();
        if held.contains(control) {
            return None;
        }
        let (name, environment) = (&self.principal.user, &target.environment);
        let link = format!("no profile of `{name}` valid in `{environment}` permits `{control}`");
        Some(self.link(link, self.givers(control, here).map(|id| vec![Grant::GiveProfile(name.clone(), id)])))
    }

    /// Profiles valid here that permit something, the narrowest first.
    fn givers(&self, permission: Permission, here: &EnvironmentFacts) -> impl Iterator<Item = ProfileId> {
        let mut giving: Vec<(usize, ProfileId)> = here
            .valid
            .common(&here.valid)
            .filter_map(|number| self.snapshot.profiles.get(number))
            .filter(|id| self.snapshot.rows.profiles.get(*id).is_some_and(|p| p.permissions.contains(permission)))
            .filter_map(|id| Some((self.breadth(id)?, id.clone())))
            .collect();
        giving.sort();
        giving.into_iter().map(|(_, id)| id)
    }

    fn not_deployed(&self, target: &Target) -> Missing {
        let link = format!("`{}` is not deployed in `{}`", target.name, target.environment);
        let project = self.project_of(target);
        self.link(link, project.map(|project| vec![Grant::Deploy(project, target.environment.clone())]))
    }

    fn right_fallen(&self, target: &Target, published: &Published) -> Missing {
        let (publisher, environment) = (&published.publisher, &target.environment);
        let held = |facts: UserFacts<'_>, here: &EnvironmentFacts| {
            facts.held.by_environment.get(here.number).is_some_and(|p| p.contains(Permission::Deploy))
        };
        let here = self.snapshot.environment(environment);
        let mut remedies = Vec::new();
        let link = match self.snapshot.users.get(publisher) {
            None => format!("the publish right has fallen: its publisher `{publisher}` is no more"),
            Some(facts) => {
                let mut steps = Vec::new();
                if !facts.enabled {
                    steps.push(Grant::EnableUser(publisher.clone()));
                }
                let lacking = here.filter(|here| !held(facts, here));
                let giver = lacking.and_then(|here| self.givers(Permission::Deploy, here).next());
                if lacking.is_none() || giver.is_some() {
                    steps.extend(giver.map(|id| Grant::GiveProfile(publisher.clone(), id)));
                    remedies.push(steps);
                }
                let why = if lacking.is_some() {
                    format!("`{publisher}` does not hold `deploy` in `{environment}` any more")
                } else {
                    format!("its publisher `{publisher}` is disabled")
                };
                format!("the publish right has fallen: {why}")
            }
        };
        let again = self.project_of(target).map(|project| vec![Grant::Deploy(project, environment.clone())]);
        remedies.extend(again);
        self.link(link, remedies)
    }

    /// The project whose deployment or newest version holds the target.
    fn project_of(&self, target: &Target) -> Option<ProjectId> {
        let rows = &self.snapshot.rows;
        let deployed = rows.deployments.iter().filter(|(_, d)| match target.kind {
            TargetKind::Integrations => d.orchestrations.contains_key(&target.name),
            TargetKind::RestApis | TargetKind::SoapApis => {
                d.apis.get(&target.name).is_some_and(|api| api.kind == target.kind)
            }
        });
        let named = (target.kind, target.name.clone());
        let pushed = rows.projects.iter().filter(|(id, project)| {
            rows.versions.get(&((*id).clone(), project.head)).is_some_and(|names| names.0.contains(&named))
        });
        deployed.map(|((_, project), _)| project).chain(pushed.map(|(id, _)| id)).next().cloned()
    }

    fn link(&self, link: String, remedies: impl IntoIterator<Item = Vec<Grant>>) -> Missing {
        let step = |grant: Grant| Step { who: self.who(&grant), grant };
        let remedies = remedies.into_iter().map(|grants| grants.into_iter().map(step).collect()).collect();
        Missing { link, remedies }
    }

    fn who(&self, grant: &Grant) -> Vec<UserId> {
        if grant.needs().is_empty() {
            return Vec::new();
        }
        let held = |id: &UserId| -> Permissions {
            let scope = match grant {
                Grant::Deploy(_, environment) => Scope::Environment(environment.clone()),
                _ => Scope::Tenant,
            };
            self.snapshot.effective(id, &scope)
        };
        let may = |id: &&UserId| {
            let held = held(id);
            grant.needs().iter().all(|permission| held.contains(*permission))
        };
        self.snapshot.rows.users.keys().filter(may).take(5).cloned().collect()
    }
}
