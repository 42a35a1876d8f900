//! Every reference between the rows of a tenant leads somewhere, and nothing is left to a guess.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::{
    Kind, TargetKind,
    definition::{Unreadable, ValidIn},
    permission::Area,
};

use crate::rows::{Rows, unreadable};

/// What is wrong with the rows as a whole.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A row names what is not there.
    Dangling { kind: Kind, id: String, names: Kind, name: String },
    /// A profile is valid in no environment.
    Nowhere { id: String },
    /// Two environments have the same place in the promotion order.
    SameOrder { id: String, other: String },
    /// Anything else, in words.
    Other(Unreadable),
}

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Dangling { kind, id, names, name } => {
                unreadable(kind, &id, format!("it names the {names} `{name}`, which does not exist"))
            }
            Fault::Nowhere { id } => unreadable(Kind::Profile, &id, "it is valid in no environment"),
            Fault::SameOrder { id, other } => {
                let reason = format!("`{other}` has the same place in the promotion order");
                unreadable(Kind::Environment, &id, reason)
            }
            Fault::Other(unreadable) => unreadable,
        }
    }
}

/// A row that is being checked.
struct Row {
    kind: Kind,
    id: String,
}

fn row(kind: Kind, id: impl ToString) -> Row {
    Row { kind, id: id.to_string() }
}

impl Row {
    /// All names are keys of what they name.
    fn names<'a, N: Ord + ToString + 'a>(
        &self,
        kind: Kind,
        mut names: impl Iterator<Item = &'a N>,
        exists: impl Fn(&N) -> bool,
    ) -> Result<(), Fault> {
        match names.find(|name| !exists(name)) {
            None => Ok(()),
            Some(name) => {
                Err(Fault::Dangling { kind: self.kind, id: self.id.clone(), names: kind, name: name.to_string() })
            }
        }
    }
    fn other(&self, reason: String) -> Fault {
        Fault::Other(unreadable(self.kind, &self.id, reason))
    }
}

pub(crate) fn check(rows: &Rows) -> Result<(), Fault> {
    let environment = |id: &_| rows.environments.contains_key(id);
    let profile = |id: &_| rows.profiles.contains_key(id);
    let user = |id: &_| rows.users.contains_key(id);
    let group = |id: &_| rows.groups.contains_key(id);
    let project = |id: &_| rows.projects.contains_key(id);

    let mut orders = BTreeMap::new();
    for (id, environment) in &rows.environments {
        if let Some(other) = orders.insert(environment.order, id) {
            return Err(Fault::SameOrder { id: id.to_string(), other: other.to_string() });
        }
    }
    for (id, profile) in &rows.profiles {
        if let ValidIn::Environments(named) = &profile.valid_in {
            if named.is_empty() {
                return Err(Fault::Nowhere { id: id.to_string() });
            }
            row(Kind::Profile, id).names(Kind::Environment, named.iter(), environment)?;
        }
    }
    for (id, group) in &rows.groups {
        row(Kind::Group, id).names(Kind::Profile, group.profiles.iter(), profile)?;
    }
    for (id, user) in &rows.users {
        let row = row(Kind::User, id);
        row.names(Kind::Profile, user.profiles.iter(), profile)?;
        row.names(Kind::Group, user.groups.iter(), group)?;
    }
    for (id, acl) in &rows.acls {
        row(Kind::Acl, id).names(Kind::Profile, acl.profiles.iter(), profile)?;
    }
    for ((at, kind, name), acl) in &rows.assignments {
        let row = row(Kind::Assignment, format!("{at}/{}/{name}", kind.as_str()));
        row.names(Kind::Environment, [at].into_iter(), environment)?;
        row.names(Kind::Acl, [acl].into_iter(), |id| rows.acls.contains_key(id))?;
    }
    for ((of, name), given) in &rows.project_permissions {
        let row = row(Kind::ProjectPermission, format!("{of}/{name}"));
        row.names(Kind::Project, [of].into_iter(), project)?;
        row.names(Kind::User, given.users.iter(), user)?;
        row.names(Kind::Group, given.groups.iter(), group)?;
        if let Some(p) = given.permissions.iter().find(|p| p.area() != Area::Project) {
            return Err(row.other(format!("`{p}` is no permission on a project")));
        }
    }
    deployments(rows)?;
    // A name that comes back must not find the credentials, keys, accounts or secrets of what had
    // it before.
    for id in &rows.credentials {
        row(Kind::Credential, id).names(Kind::User, [id].into_iter(), user)?;
    }
    for (id, key) in &rows.keys {
        let row = row(Kind::ApiKey, id);
        row.names(Kind::User, [&key.user].into_iter(), user)?;
        row.names(Kind::Environment, key.environment.iter(), environment)?;
    }
    for (at, kind, id) in &rows.placed {
        row(*kind, id).names(Kind::Environment, [at].into_iter(), environment)?;
    }
    Ok(())
}

fn deployments(rows: &Rows) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for ((at, project), deployment) in &rows.deployments {
        let row = row(Kind::Deployment, format!("{at}/{project}"));
        row.names(Kind::Environment, [at].into_iter(), |id| rows.environments.contains_key(id))?;
        row.names(Kind::Project, [project].into_iter(), |id| rows.projects.contains_key(id))?;
        for (name, api) in &deployment.apis {
            if api.kind == TargetKind::Integrations {
                return Err(row.other(format!("the API `{name}` is neither REST nor SOAP")));
            }
            if !deployment.orchestrations.contains_key(&api.orchestration) {
                let orchestration = &api.orchestration;
                return Err(row.other(format!("the API `{name}` calls `{orchestration}`, which it does not hold")));
            }
        }
        // Names are unique in a tenant, orchestrations and APIs together.
        for name in deployment.orchestrations.keys().chain(deployment.apis.keys()) {
            if !names.insert((at, name)) {
                return Err(row.other(format!("`{name}` is deployed twice in `{at}`")));
            }
        }
    }
    Ok(())
}
