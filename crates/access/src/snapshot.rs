//! A tenant at one revision, compiled for decisions: sets of profiles as bits, what is held per given
//! profiles and groups, and per target the list that opens it.
//!
//! Compiling checks every reference. What dangles, or is there twice, is an error and no snapshot:
//! whoever cannot build one denies everything. [`crate::validate_change`] keeps such rows out.
//!
//! The snapshot after a change shares with the one before what the change does not concern.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use lockgate_model::{
    Definition, Kind, TargetKind,
    definition::{Deployment, Revision, Unreadable, ValidIn},
    id::{AclId, EnvironmentId, GroupId, ProfileId, ProjectId, TargetName, TenantId, UserId},
    permission::Permissions,
};

use crate::{
    Scope,
    references::{self, Fault},
    rows::{Rows, unreadable},
    targets::{EnvironmentFacts, Lists, environments, lists},
    users::{Numbers, UserFacts, Users},
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
    /// By their numbers.
    pub(crate) profiles: Arc<Vec<ProfileId>>,
    pub(crate) users: Users,
    lists: Arc<Lists>,
    environments: Vec<EnvironmentFacts>,
    /// Where projects are edited: the first environment of the promotion order.
    pub(crate) development: Option<EnvironmentId>,
    /// Everything that can be called in some environment, or is in the newest version of a project.
    pub(crate) known: Arc<HashSet<(TargetKind, TargetName)>>,
    given: Arc<Given>,
}

/// Permissions on projects, by those they are given to.
#[derive(Debug, Default)]
struct Given {
    users: HashMap<UserId, BTreeMap<ProjectId, Permissions>>,
    groups: HashMap<GroupId, BTreeMap<ProjectId, Permissions>>,
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
        let rows = Rows::read(definitions)?;
        references::check(&rows)?;
        Ok(Self::compile(tenant, revision, rows, None)?)
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
        self.environment(environment)?.before.as_ref()
    }
    /// Where projects are edited: the first environment of the promotion order (Development).
    pub fn development(&self) -> Option<&EnvironmentId> {
        self.development.as_ref()
    }
    /// Its users, in the order of their ids.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.rows.users.keys()
    }
    /// What is deployed in an environment, by project.
    pub fn deployments(&self, environment: &EnvironmentId) -> impl Iterator<Item = &Deployment> {
        self.rows.deployments.iter().filter(move |((at, _), _)| at == environment).map(|(_, deployment)| &**deployment)
    }
    /// The list a target uses in an environment; `None` where nothing is assigned.
    pub fn acl_of(&self, environment: &EnvironmentId, kind: TargetKind, name: &TargetName) -> Option<&AclId> {
        self.rows.assignments.get(&(environment.clone(), kind, name.clone()))
    }
    /// Its projects.
    pub fn projects(&self) -> impl Iterator<Item = &ProjectId> {
        self.rows.projects.keys()
    }
    /// What a user may do in a scope, all profiles and project permissions together; the view that
    /// [`crate::matrix`] and the console's own menus draw. Enforcement asks `decide…`.
    pub fn effective(&self, user: &UserId, scope: &Scope) -> Permissions {
        match self.users.get(user) {
            Some(facts) if facts.enabled && !self.suspended => crate::gate::held(self, user, facts, scope),
            _ => Permissions::NONE,
        }
    }

    /// An environment: there are few.
    pub(crate) fn environment(&self, id: &EnvironmentId) -> Option<&EnvironmentFacts> {
        self.environments.iter().find(|facts| facts.id == *id)
    }

    /// Permissions given to a user on a project, by its groups too.
    pub(crate) fn given(&self, user: &UserId, facts: UserFacts<'_>, project: &ProjectId) -> Permissions {
        let groups = facts.held.groups.iter().filter_map(|group| self.given.groups.get(group));
        let all = groups.chain(self.given.users.get(user)).filter_map(|given| given.get(project));
        all.fold(Permissions::NONE, |all, permissions| all.union(*permissions))
    }

    /// Compiles rows whose references are checked; with the snapshot before a change, only what the change
    /// concerns.
    pub(crate) fn compile(
        tenant: TenantId,
        revision: Revision,
        rows: Rows,
        change: Option<(&Self, &BTreeSet<(Kind, &str)>)>,
    ) -> Result<Self, Fault> {
        let missing = || Fault::Other(unreadable(Kind::Tenant, "tenant", "it is missing"));
        let suspended = rows.tenant.as_ref().ok_or_else(missing)?.suspended;
        // The snapshot before, unless the change concerns one of these kinds.
        let same = |kinds: &[Kind]| {
            let (before, changed) = change?;
            (!changed.iter().any(|(kind, _)| kinds.contains(kind))).then_some(before)
        };
        let profiles = match same(&[Kind::Profile]) {
            Some(before) => before.profiles.clone(),
            None => Arc::new(rows.profiles.keys().cloned().collect()),
        };
        let numbers: Numbers<'_> = profiles.iter().enumerate().map(|(n, id)| (id, n)).collect();
        let lists = match same(&[Kind::Profile, Kind::Acl]) {
            Some(before) => before.lists.clone(),
            None => Arc::new(lists(&rows, &numbers)),
        };
        let mut users = match (change, same(&[Kind::Profile, Kind::Group, Kind::Environment])) {
            (_, Some(before)) => before.users.clone(),
            (Some((before, _)), None) => before.users.again(&rows, &numbers),
            (None, None) => Users::for_about(rows.users.keys().count()),
        };
        match change {
            None => rows.users.iter().for_each(|(id, user)| users.put(id.as_str(), Some(user), &rows, &numbers)),
            Some((_, changed)) => changed
                .iter()
                .filter(|(kind, _)| *kind == Kind::User)
                .for_each(|(_, id)| users.put(id, rows.users.get(*id), &rows, &numbers)),
        }
        let known = match same(&[Kind::Project, Kind::ProjectVersion, Kind::Deployment]) {
            Some(before) => before.known.clone(),
            None => Arc::new(known(&rows)),
        };
        let given = match same(&[Kind::ProjectPermission]) {
            Some(before) => before.given.clone(),
            None => Arc::new(Given::of(&rows)),
        };
        let of_targets =
            [Kind::Profile, Kind::Acl, Kind::Assignment, Kind::Project, Kind::ProjectVersion, Kind::Deployment];
        let unchanged = same(&of_targets);
        let environments = environments(&rows, (&numbers, &lists), &users, &known, |id| {
            unchanged.and_then(|before| before.environment(id)).map(|before| before.targets.clone())
        });
        let development = rows.environments.iter().min_by_key(|(_, e)| e.order).map(|(id, _)| id.clone());
        drop(numbers);
        Ok(Self { tenant, revision, suspended, rows, profiles, users, lists, environments, development, known, given })
    }
}

pub(crate) fn valid_in(valid: &ValidIn, environment: &EnvironmentId) -> bool {
    match valid {
        ValidIn::All => true,
        ValidIn::Environments(named) => named.contains(environment),
    }
}

fn known(rows: &Rows) -> HashSet<(TargetKind, TargetName)> {
    let mut known = HashSet::new();
    for (id, project) in rows.projects.iter() {
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

impl Given {
    fn of(rows: &Rows) -> Self {
        fn add<K: std::hash::Hash + Eq + Clone>(
            all: &mut HashMap<K, BTreeMap<ProjectId, Permissions>>,
            to: &[K],
            project: &ProjectId,
            permissions: Permissions,
        ) {
            for id in to {
                let held = all.entry(id.clone()).or_default().entry(project.clone()).or_default();
                *held = held.union(permissions);
            }
        }
        let mut all = Self::default();
        for ((project, _), given) in rows.project_permissions.iter() {
            add(&mut all.users, &given.users, project, given.permissions);
            add(&mut all.groups, &given.groups, project, given.permissions);
        }
        all
    }
}
