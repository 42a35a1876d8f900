//! The environments of a tenant, compiled: what can be called in each, and which profiles open it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use lockgate_model::{
    Digest, Permission, TargetKind,
    definition::Deployment,
    id::{AclId, EnvironmentId, TargetName, UserId},
};

use crate::{
    key::Key,
    profile_set::ProfileSet,
    rows::Rows,
    snapshot::{DEFAULT_ACL, valid_in},
    users::{Numbers, Users},
};

/// An environment, compiled.
#[derive(Debug)]
pub(crate) struct EnvironmentFacts {
    pub id: EnvironmentId,
    pub number: usize,
    pub needs_green_run: bool,
    /// The one before it in the promotion order.
    pub before: Option<EnvironmentId>,
    /// Profiles valid here.
    pub valid: ProfileSet,
    /// Of these, those that may execute each kind.
    executing: ByKind<ProfileSet>,
    pub targets: Arc<Targets>,
    /// For what is deployed nowhere yet: what the first deploy would assign.
    default: Option<List>,
    /// What is deployed here, in the order of projects.
    published: Vec<Published>,
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
pub(crate) type Targets = ByKind<HashMap<Key, TargetFacts>>;

/// A target in an environment, compiled.
#[derive(Debug)]
pub(crate) struct TargetFacts {
    name: TargetName,
    /// Its list; `None` where none is assigned.
    list: Option<List>,
    /// Which of what is published here holds it, and the digest of its module (an API has none).
    deployed: Option<(usize, Option<Digest>)>,
    /// The orchestration behind an API.
    pub orchestration: Option<TargetName>,
}

/// A list of the tenant. Targets have theirs by them.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub acl: AclId,
    /// The same, to be copied without touching where it lies.
    pub key: Key,
    pub profiles: ProfileSet,
}

/// All lists of a tenant.
pub(crate) type Lists = HashMap<AclId, List>;

/// A list, seen by one kind of target in one environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub list: &'a List,
    /// Profiles that are valid in the environment and may execute the kind.
    executing: &'a ProfileSet,
}

impl<'a> Gate<'a> {
    /// The first of these profiles that opens it: on the list, valid here, and it may execute the kind.
    pub fn opened_by(&self, profiles: &ProfileSet) -> Option<usize> {
        profiles.first_of_three(&self.list.profiles, self.executing)
    }
    /// All profiles that open it.
    pub fn opening(&self) -> impl Iterator<Item = usize> + use<'a> {
        self.list.profiles.common(self.executing)
    }
}

/// A project that is deployed.
#[derive(Debug)]
pub(crate) struct Published {
    pub version: u64,
    pub publisher: UserId,
    /// Publisher or adopter is enabled and still holds `deploy` there.
    pub right_stands: bool,
}

impl EnvironmentFacts {
    /// A target that is deployed or has a list here.
    pub fn target(&self, kind: TargetKind, name: &TargetName) -> Option<&TargetFacts> {
        self.targets.get(kind).get(name.as_str().as_bytes())
    }

    /// What is published of a target, and the digest of its module.
    pub fn published(&self, target: &TargetFacts) -> Option<(&Published, Option<Digest>)> {
        let (number, module) = target.deployed?;
        Some((self.published.get(number)?, module))
    }

    /// The list that is asked: the assigned one, or, for what has never been deployed here, the one
    /// that the first deploy would assign.
    pub fn gate<'a>(&'a self, kind: TargetKind, target: Option<&'a TargetFacts>) -> Option<Gate<'a>> {
        let list = match target {
            Some(TargetFacts { list: Some(list), .. }) => list,
            Some(TargetFacts { deployed: Some(_), .. }) => return None,
            _ => return self.default_gate(kind),
        };
        Some(Gate { list, executing: self.executing.get(kind) })
    }

    pub fn default_gate(&self, kind: TargetKind) -> Option<Gate<'_>> {
        Some(Gate { list: self.default.as_ref()?, executing: self.executing.get(kind) })
    }

    /// What can be called here, by kind and name.
    pub fn deployed(&self) -> Vec<(TargetKind, &TargetName)> {
        let mut all: Vec<_> = [TargetKind::Integrations, TargetKind::RestApis, TargetKind::SoapApis]
            .into_iter()
            .flat_map(|kind| self.targets.get(kind).values().map(move |facts| (kind, facts)))
            .filter(|(_, facts)| facts.deployed.is_some())
            .map(|(kind, facts)| (kind, &facts.name))
            .collect();
        all.sort();
        all
    }
}

pub(crate) fn lists(rows: &Rows, numbers: &Numbers<'_>) -> Lists {
    let list = |(acl, list): (&AclId, &lockgate_model::definition::Acl)| {
        let profiles = list.profiles.iter().filter_map(|id| numbers.get(id).copied()).collect();
        (acl.clone(), List { acl: acl.clone(), key: Key::of(acl.as_str()), profiles })
    };
    rows.acls.iter().map(list).collect()
}

/// All environments, in the order of their ids. `same` gives the targets of one that no change concerns.
pub(crate) fn environments(
    rows: &Rows,
    (numbers, lists): (&Numbers<'_>, &Lists),
    users: &Users,
    known: &HashSet<(TargetKind, TargetName)>,
    same: impl Fn(&EnvironmentId) -> Option<Arc<Targets>>,
) -> Vec<EnvironmentFacts> {
    let mut by_order: Vec<_> = rows.environments.iter().map(|(id, e)| (e.order, id)).collect();
    by_order.sort();
    let compile = |(number, (id, environment)): (usize, (&EnvironmentId, &lockgate_model::definition::Environment))| {
        let before = by_order.iter().rev().find(|(order, _)| *order < environment.order).map(|(_, id)| (*id).clone());
        let valid_and = |wanted: &dyn Fn(Permission) -> bool, all: bool| -> ProfileSet {
            let here = rows.profiles.iter().filter(|(_, profile)| valid_in(&profile.valid_in, id));
            let wanted = here.filter(|(_, profile)| all || profile.permissions.iter().any(wanted));
            wanted.filter_map(|(profile, _)| numbers.get(profile).copied()).collect()
        };
        let executing = |kind: TargetKind| valid_and(&|permission| permission == kind.execute(), false);
        EnvironmentFacts {
            id: id.clone(),
            number,
            needs_green_run: environment.needs_green_run,
            before,
            valid: valid_and(&|_| true, true),
            executing: ByKind {
                integrations: executing(TargetKind::Integrations),
                rest_apis: executing(TargetKind::RestApis),
                soap_apis: executing(TargetKind::SoapApis),
            },
            targets: same(id).unwrap_or_else(|| Arc::new(targets(rows, lists, known, id))),
            default: lists.get(DEFAULT_ACL).cloned(),
            published: deployments(rows, id).map(|deployment| published(deployment, number, users)).collect(),
        }
    };
    rows.environments.iter().enumerate().map(compile).collect()
}

fn deployments<'a>(rows: &'a Rows, environment: &'a EnvironmentId) -> impl Iterator<Item = &'a Deployment> {
    rows.deployments.iter().filter(move |((at, _), _)| at == environment).map(|(_, deployment)| &**deployment)
}

fn published(deployment: &Deployment, environment: usize, users: &Users) -> Published {
    let stands = |user: &UserId| {
        users.get(user).is_some_and(|user| {
            let held = user.held.by_environment.get(environment);
            user.enabled && held.is_some_and(|held| held.contains(Permission::Deploy))
        })
    };
    Published {
        version: deployment.version,
        publisher: deployment.publisher.clone(),
        right_stands: stands(&deployment.publisher) || deployment.adopted_by.as_ref().is_some_and(stands),
    }
}

fn targets(
    rows: &Rows,
    lists: &Lists,
    known: &HashSet<(TargetKind, TargetName)>,
    environment: &EnvironmentId,
) -> Targets {
    let mut assigned: ByKind<HashMap<&TargetName, &List>> = ByKind::default();
    for ((_, kind, name), acl) in rows.assignments.iter().filter(|((at, ..), _)| at == environment) {
        if let Some(list) = lists.get(acl) {
            assigned.get_mut(*kind).insert(name, list);
        }
    }
    let list = |kind, name: &TargetName| assigned.get(kind).get(name).map(|list| List::clone(list));
    let mut targets = Targets::default();
    for (number, deployment) in deployments(rows, environment).enumerate() {
        for (name, module) in &deployment.orchestrations {
            let facts = TargetFacts {
                name: name.clone(),
                list: list(TargetKind::Integrations, name),
                deployed: Some((number, Some(module.module))),
                orchestration: None,
            };
            targets.get_mut(TargetKind::Integrations).insert(Key::of(name.as_str()), facts);
        }
        for (name, api) in &deployment.apis {
            // An API without its own list uses that of its orchestration; what it asks of a
            // profile is still the permission of its own kind.
            let facts = TargetFacts {
                name: name.clone(),
                list: list(api.kind, name).or_else(|| list(TargetKind::Integrations, &api.orchestration)),
                deployed: Some((number, None)),
                orchestration: Some(api.orchestration.clone()),
            };
            targets.get_mut(api.kind).insert(Key::of(name.as_str()), facts);
        }
    }
    for (kind, name) in known {
        if let Some(list) = list(*kind, name)
            && !targets.get(*kind).contains_key(name.as_str().as_bytes())
        {
            let facts = TargetFacts { name: name.clone(), list: Some(list), deployed: None, orchestration: None };
            targets.get_mut(*kind).insert(Key::of(name.as_str()), facts);
        }
    }
    targets
}
