//! A tenant at one revision, compiled for decisions: sets of profiles as bits, effective permissions
//! per (user, environment), and per target the profiles that open it.
//!
//! Compiling checks every reference. What dangles, or is there twice, is an error and no snapshot:
//! whoever cannot build one denies everything. [`crate::validate_change`] keeps such rows out.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use lockgate_model::{
    Definition, Digest, Kind, Permission, TargetKind,
    definition::{Deployment, Revision, Unreadable, ValidIn},
    id::{AclId, EnvironmentId, ProfileId, ProjectId, TargetName, TenantId, UserId},
    permission::Permissions,
    principal::UserKind,
};

use crate::{
    RuleText, Scope,
    profile_set::ProfileSet,
    references::{self, Fault},
    rows::{Place, Rows, unreadable},
    rule,
};

/// The id of the list that the first deploy assigns where nothing is assigned.
pub(crate) const DEFAULT_ACL: &str = "default";

/// A tenant at one revision. Immutable; decisions borrow it.
#[derive(Debug)]
pub struct TenantSnapshot {
    tenant: TenantId,
    revision: Revision,
    pub(crate) suspended: bool,
    pub(crate) rows: Rows,
    pub(crate) profiles: Vec<ProfileId>,
    pub(crate) users: HashMap<UserId, UserFacts>,
    pub(crate) environments: HashMap<EnvironmentId, EnvironmentFacts>,
    /// Where projects are edited: the environment of order 0.
    pub(crate) development: Option<EnvironmentId>,
    /// Everything that can be called in some environment, or is in the newest version of a project.
    pub(crate) known: HashSet<(TargetKind, TargetName)>,
    /// Project permissions by user, their groups included.
    pub(crate) projects: HashMap<(UserId, ProjectId), Permissions>,
}

/// A user, compiled.
#[derive(Debug)]
pub(crate) struct UserFacts {
    pub kind: UserKind,
    pub enabled: bool,
    pub api_allowed: bool,
    /// Profiles of the user and of its groups.
    pub profiles: ProfileSet,
    /// What counts everywhere: from profiles valid in all environments.
    pub tenant_wide: Permissions,
    /// What counts in each environment, by its number. Empty set where no profile is valid.
    pub by_environment: Vec<Permissions>,
    /// What counts somewhere.
    pub anywhere: Permissions,
}

/// An environment, compiled.
#[derive(Debug)]
pub(crate) struct EnvironmentFacts {
    pub number: usize,
    pub needs_green_run: bool,
    /// The one before it in the promotion order.
    pub before: Option<EnvironmentId>,
    /// Profiles valid here.
    pub valid: ProfileSet,
    pub targets: Targets,
    /// For what is deployed nowhere yet: what the first deploy would assign.
    pub default_gate: ByKind<Option<Gate>>,
}

/// One value for each kind of target.
#[derive(Debug, Default)]
pub(crate) struct ByKind<T> {
    integrations: T,
    rest_apis: T,
    soap_apis: T,
}

impl<T> ByKind<T> {
    pub fn get(&self, kind: TargetKind) -> &T {
        match kind {
            TargetKind::Integrations => &self.integrations,
            TargetKind::RestApis => &self.rest_apis,
            TargetKind::SoapApis => &self.soap_apis,
        }
    }
    fn get_mut(&mut self, kind: TargetKind) -> &mut T {
        match kind {
            TargetKind::Integrations => &mut self.integrations,
            TargetKind::RestApis => &mut self.rest_apis,
            TargetKind::SoapApis => &mut self.soap_apis,
        }
    }
}

/// The targets of an environment.
pub(crate) type Targets = ByKind<HashMap<TargetName, TargetFacts>>;

/// A target in an environment, compiled.
#[derive(Debug)]
pub(crate) struct TargetFacts {
    /// What opens it; `None` where no list is assigned.
    pub gate: Option<Gate>,
    pub deployed: Option<DeployedFacts>,
    /// The orchestration behind an API.
    pub orchestration: Option<TargetName>,
}

/// A list, seen by one kind of target in one environment.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub acl: AclId,
    /// Profiles on the list that are valid in the environment and may execute the kind.
    pub open: Arc<ProfileSet>,
    /// The allow rule's text for each of them.
    pub rules: Arc<BTreeMap<usize, RuleText>>,
}

/// What is deployed of a target.
#[derive(Debug)]
pub(crate) struct DeployedFacts {
    pub version: u64,
    /// `None` for an API.
    pub module: Option<Digest>,
    pub publisher: UserId,
    /// Publisher or adopter is enabled and still holds `deploy` there.
    pub right_stands: bool,
}

impl TenantSnapshot {
    /// Compiles a tenant's rows. Pure; the rows may come in any order.
    ///
    /// # Errors
    /// A row of another tenant, one that cannot be read, one that is there twice, and one that
    /// names what does not exist. Deny everything then.
    pub fn build(tenant: TenantId, revision: Revision, definitions: &[Definition]) -> Result<Self, Unreadable> {
        if let Some(foreign) = definitions.iter().find(|row| row.tenant != tenant) {
            return Err(unreadable(foreign.kind, &foreign.id, "it belongs to another tenant"));
        }
        Ok(Self::compile(tenant, revision, Rows::read(definitions)?)?)
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// Its revision.
    pub fn revision(&self) -> Revision {
        self.revision
    }
    /// The operator has suspended it.
    pub fn is_suspended(&self) -> bool {
        self.suspended
    }
    /// Its environments in promotion order.
    pub fn environments(&self) -> Vec<&EnvironmentId> {
        let mut all: Vec<_> = self.rows.environments.iter().collect();
        all.sort_by_key(|(_, environment)| environment.order);
        all.into_iter().map(|(id, _)| id).collect()
    }
    /// The environment before this one in the promotion order; `None` for the first.
    pub fn environment_before(&self, environment: &EnvironmentId) -> Option<&EnvironmentId> {
        self.environments.get(environment)?.before.as_ref()
    }
    /// Where projects are edited: the environment of order 0 (Development).
    pub fn development(&self) -> Option<&EnvironmentId> {
        self.development.as_ref()
    }
    /// Its users.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.rows.users.keys()
    }
    /// What is deployed in an environment, by project.
    pub fn deployments(&self, environment: &EnvironmentId) -> impl Iterator<Item = &Deployment> {
        self.rows.deployments.iter().filter(move |((at, _), _)| at == environment).map(|(_, deployment)| deployment)
    }
    /// The list a target uses in an environment; `None` where nothing is assigned.
    pub fn acl_of(&self, environment: &EnvironmentId, kind: TargetKind, name: &TargetName) -> Option<&AclId> {
        self.rows.assignments.get(&(environment.clone(), kind, name.clone()))
    }
    /// What a user may do in a scope, all profiles and project permissions together; the view that
    /// `access matrix` and the console's own menus draw. Enforcement asks `decide…`.
    pub fn effective(&self, user: &UserId, scope: &Scope) -> Permissions {
        match self.users.get(user) {
            Some(facts) if facts.enabled && !self.suspended => crate::gate::held(self, user, facts, scope),
            _ => Permissions::NONE,
        }
    }

    pub(crate) fn compile(tenant: TenantId, revision: Revision, rows: Rows) -> Result<Self, Fault> {
        let missing = || Fault::Other(unreadable(Kind::Tenant, "tenant", "it is missing"));
        let suspended = rows.tenant.as_ref().ok_or_else(missing)?.suspended;
        references::check(&rows)?;
        let profiles: Vec<ProfileId> = rows.profiles.keys().cloned().collect();
        let numbers: HashMap<&ProfileId, usize> = profiles.iter().enumerate().map(|(n, id)| (id, n)).collect();
        let development = rows.environments.iter().find(|(_, e)| e.order == 0).map(|(id, _)| id.clone());
        let users = users(&rows, &numbers);
        let known = known(&rows);
        let environments = environments(&rows, &numbers, &users, &known);
        let projects = project_permissions(&rows);
        Ok(Self { tenant, revision, suspended, profiles, users, environments, development, known, projects, rows })
    }
}

/// The permissions of a profile that count in an environment: without those that count only from a
/// profile valid in all environments, if it is not one (no climbing from a stage to the tenant).
fn counting(profile: &lockgate_model::definition::Profile) -> Permissions {
    match profile.valid_in {
        ValidIn::All => profile.permissions,
        ValidIn::Environments(_) => profile.permissions.iter().filter(|p| !p.tenant_wide_only()).collect(),
    }
}

pub(crate) fn valid_in(valid: &ValidIn, environment: &EnvironmentId) -> bool {
    match valid {
        ValidIn::All => true,
        ValidIn::Environments(named) => named.contains(environment),
    }
}

fn users(rows: &Rows, numbers: &HashMap<&ProfileId, usize>) -> HashMap<UserId, UserFacts> {
    let counted: BTreeMap<&ProfileId, Permissions> = rows.profiles.iter().map(|(id, p)| (id, counting(p))).collect();
    rows.users
        .iter()
        .map(|(id, user)| {
            let of_groups = user.groups.iter().filter_map(|g| rows.groups.get(g)).flat_map(|g| &g.profiles);
            let held: Vec<&ProfileId> = user.profiles.iter().chain(of_groups).collect();
            // A service account never has the user interface, whatever its profiles say.
            let mask = |permissions: Permissions| match user.kind {
                UserKind::Service => permissions.iter().filter(|p| *p != Permission::UserInterfaceAccess).collect(),
                UserKind::Native | UserKind::Idp => permissions,
            };
            let sum = |wanted: &dyn Fn(&ValidIn) -> bool| {
                let of = held.iter().filter(|id| rows.profiles.get(**id).is_some_and(|p| wanted(&p.valid_in)));
                mask(of.filter_map(|id| counted.get(*id)).fold(Permissions::NONE, |all, p| all.union(*p)))
            };
            let facts = UserFacts {
                kind: user.kind,
                enabled: user.enabled,
                api_allowed: user.api_allowed,
                profiles: held.iter().filter_map(|id| numbers.get(*id).copied()).collect(),
                tenant_wide: sum(&|valid| *valid == ValidIn::All),
                by_environment: rows.environments.keys().map(|e| sum(&|valid| valid_in(valid, e))).collect(),
                anywhere: sum(&|_| true),
            };
            (id.clone(), facts)
        })
        .collect()
}

fn known(rows: &Rows) -> HashSet<(TargetKind, TargetName)> {
    let mut known = HashSet::new();
    for (id, project) in &rows.projects {
        if let Some(names) = rows.versions.get(&(id.clone(), project.head)) {
            known.extend(names.0.iter().cloned());
        }
    }
    for deployment in rows.deployments.values() {
        known.extend(deployment.orchestrations.keys().map(|name| (TargetKind::Integrations, name.clone())));
        known.extend(deployment.apis.iter().map(|(name, api)| (api.kind, name.clone())));
    }
    known
}

fn environments(
    rows: &Rows,
    numbers: &HashMap<&ProfileId, usize>,
    users: &HashMap<UserId, UserFacts>,
    known: &HashSet<(TargetKind, TargetName)>,
) -> HashMap<EnvironmentId, EnvironmentFacts> {
    let mut by_order: Vec<_> = rows.environments.iter().map(|(id, e)| (e.order, id)).collect();
    by_order.sort();
    let mut all = HashMap::new();
    for (number, (id, environment)) in rows.environments.iter().enumerate() {
        let gates = Gates { rows, numbers, environment: id };
        let mut targets = gates.deployed(number, users);
        for ((_, kind, name), acl) in rows.assignments.iter().filter(|((at, ..), _)| at == id) {
            let known = known.contains(&(*kind, name.clone()));
            let of_kind = targets.get_mut(*kind);
            if known && !of_kind.contains_key(name) {
                let facts = TargetFacts { gate: gates.gate(acl, *kind), deployed: None, orchestration: None };
                of_kind.insert(name.clone(), facts);
            }
        }
        let before = by_order.iter().rev().find(|(order, _)| *order < environment.order).map(|(_, id)| (*id).clone());
        let default = |kind| rows.acls.get_key_value(DEFAULT_ACL).and_then(|(acl, _)| gates.gate(acl, kind));
        let facts = EnvironmentFacts {
            number,
            needs_green_run: environment.needs_green_run,
            before,
            valid: rows
                .profiles
                .iter()
                .filter(|(_, p)| valid_in(&p.valid_in, id))
                .filter_map(|(p, _)| numbers.get(p).copied())
                .collect(),
            targets,
            default_gate: ByKind {
                integrations: default(TargetKind::Integrations),
                rest_apis: default(TargetKind::RestApis),
                soap_apis: default(TargetKind::SoapApis),
            },
        };
        all.insert(id.clone(), facts);
    }
    all
}

/// Compiles the gates of one environment.
struct Gates<'a> {
    rows: &'a Rows,
    numbers: &'a HashMap<&'a ProfileId, usize>,
    environment: &'a EnvironmentId,
}

impl Gates<'_> {
    fn gate(&self, acl: &AclId, kind: TargetKind) -> Option<Gate> {
        let list = self.rows.acls.get(acl)?;
        let mut open = ProfileSet::default();
        let mut rules = BTreeMap::new();
        for id in &list.profiles {
            let (Some(profile), Some(number)) = (self.rows.profiles.get(id), self.numbers.get(id)) else { continue };
            if valid_in(&profile.valid_in, self.environment) && profile.permissions.contains(kind.execute()) {
                open.insert(*number);
                let pairs = [("profile", id.as_str()), ("acl", acl.as_str())];
                rules.insert(*number, RuleText::with(rule::EXECUTE, &pairs));
            }
        }
        Some(Gate { acl: acl.clone(), open: Arc::new(open), rules: Arc::new(rules) })
    }

    fn assigned(&self, kind: TargetKind, name: &TargetName) -> Option<Gate> {
        let place: Place = (self.environment.clone(), kind, name.clone());
        self.gate(self.rows.assignments.get(&place)?, kind)
    }

    fn deployed(&self, number: usize, users: &HashMap<UserId, UserFacts>) -> Targets {
        let mut targets = Targets::default();
        for (_, deployment) in self.rows.deployments.iter().filter(|((at, _), _)| at == self.environment) {
            let stands = |user: &UserId| {
                users.get(user).is_some_and(|facts| {
                    facts.enabled && facts.by_environment.get(number).is_some_and(|p| p.contains(Permission::Deploy))
                })
            };
            let right_stands = stands(&deployment.publisher) || deployment.adopted_by.as_ref().is_some_and(stands);
            let deployed = |module| DeployedFacts {
                version: deployment.version,
                module,
                publisher: deployment.publisher.clone(),
                right_stands,
            };
            for (name, module) in &deployment.orchestrations {
                let facts = TargetFacts {
                    gate: self.assigned(TargetKind::Integrations, name),
                    deployed: Some(deployed(Some(module.module))),
                    orchestration: None,
                };
                targets.get_mut(TargetKind::Integrations).insert(name.clone(), facts);
            }
            for (name, api) in &deployment.apis {
                // An API without its own list uses that of its orchestration; what it asks of a
                // profile is still the permission of its own kind.
                let gate = self.assigned(api.kind, name).or_else(|| {
                    let place: Place = (self.environment.clone(), TargetKind::Integrations, api.orchestration.clone());
                    self.gate(self.rows.assignments.get(&place)?, api.kind)
                });
                let facts = TargetFacts {
                    gate,
                    deployed: Some(deployed(None)),
                    orchestration: Some(api.orchestration.clone()),
                };
                targets.get_mut(api.kind).insert(name.clone(), facts);
            }
        }
        targets
    }
}

fn project_permissions(rows: &Rows) -> HashMap<(UserId, ProjectId), Permissions> {
    let mut all: HashMap<(UserId, ProjectId), Permissions> = HashMap::new();
    for ((project, _), given) in &rows.project_permissions {
        let members = rows
            .users
            .iter()
            .filter(|(id, user)| given.users.contains(id) || user.groups.iter().any(|g| given.groups.contains(g)));
        for (user, _) in members {
            let held = all.entry((user.clone(), project.clone())).or_default();
            *held = held.union(given.permissions);
        }
    }
    all
}
