//! Every reference between the rows of a tenant leads somewhere, and nothing is left to a guess.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashSet},
};

use lockgate_model::{
    Kind, SharedMap, TargetKind,
    definition::{Unreadable, ValidIn},
    id::AclId,
    permission::Area,
};

use crate::{
    rows::{Place, Rows, place, unreadable},
    shipped::Row,
};

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

/// Checks all rows.
pub(crate) fn check(rows: &Rows) -> Result<(), Fault> {
    Kind::ALL.iter().try_for_each(|kind| check_kind(rows, *kind, None))
}

/// Checks what a change can have broken: the rows it put, and those that can name what it took away.
pub(crate) fn check_change(rows: &Rows, puts: &[Row], deletes: &[(Kind, String)]) -> Result<(), Fault> {
    for kind in Kind::ALL {
        let naming = deletes.iter().any(|(deleted, _)| named_by(*deleted).contains(kind));
        let put = || puts.iter().filter(|(of, ..)| of == kind);
        // What is unique in the tenant or its environments is looked at as a whole.
        let whole = matches!(kind, Kind::Environment | Kind::Deployment) && put().next().is_some();
        if naming || whole {
            check_kind(rows, *kind, None)?;
        } else {
            put().try_for_each(|(_, id, _)| check_kind(rows, *kind, Some(id)))?;
        }
    }
    Ok(())
}

/// Whose rows name rows of a kind.
fn named_by(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Environment => &[
            Kind::Profile,
            Kind::Assignment,
            Kind::Deployment,
            Kind::ApiKey,
            Kind::ClientCertificate,
            Kind::SupportGrant,
            Kind::Account,
            Kind::Secret,
        ],
        Kind::Profile => &[Kind::Group, Kind::User, Kind::Acl],
        Kind::Group => &[Kind::User, Kind::ProjectPermission],
        Kind::User => {
            &[Kind::ProjectPermission, Kind::Credential, Kind::ApiKey, Kind::ClientCertificate, Kind::SupportGrant]
        }
        Kind::Acl => &[Kind::Assignment],
        Kind::Project => &[Kind::ProjectPermission, Kind::Deployment],
        _ => &[],
    }
}

/// A row that is being checked.
struct Checked<I> {
    kind: Kind,
    id: I,
}

fn row<I: Fn() -> String>(kind: Kind, id: I) -> Checked<I> {
    Checked { kind, id }
}

impl<I: Fn() -> String> Checked<I> {
    /// All names are keys of what they name.
    fn names<'a, N: Ord + Clone + ToString + 'a, V>(
        &self,
        kind: Kind,
        names: impl IntoIterator<Item = &'a N>,
        there: &SharedMap<N, V>,
    ) -> Result<(), Fault> {
        match names.into_iter().find(|name| !there.contains_key(*name)) {
            None => Ok(()),
            Some(name) => {
                Err(Fault::Dangling { kind: self.kind, id: (self.id)(), names: kind, name: name.to_string() })
            }
        }
    }
    fn other(&self, reason: String) -> Fault {
        Fault::Other(unreadable(self.kind, &(self.id)(), reason))
    }
}

/// All rows of a map, or one.
fn some<'a, K: Ord + Borrow<str> + 'a, V>(
    rows: &'a SharedMap<K, V>,
    only: Option<&str>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    let one = only.and_then(|id| rows.entry(id));
    let all = only.is_none().then(|| rows.iter());
    one.into_iter().chain(all.into_iter().flatten())
}

/// Checks the rows of a kind, or one of them.
fn check_kind(rows: &Rows, kind: Kind, only: Option<&str>) -> Result<(), Fault> {
    match kind {
        Kind::Environment => orders(rows),
        Kind::Profile => some(&rows.profiles, only).try_for_each(|(id, profile)| {
            let ValidIn::Environments(named) = &profile.valid_in else { return Ok(()) };
            if named.is_empty() {
                return Err(Fault::Nowhere { id: id.to_string() });
            }
            row(kind, || id.to_string()).names(Kind::Environment, named, &rows.environments)
        }),
        Kind::Group => some(&rows.groups, only).try_for_each(|(id, group)| {
            row(kind, || id.to_string()).names(Kind::Profile, &group.profiles, &rows.profiles)
        }),
        Kind::User => some(&rows.users, only).try_for_each(|(id, user)| {
            let row = row(kind, || id.to_string());
            row.names(Kind::Profile, &user.profiles, &rows.profiles)?;
            row.names(Kind::Group, &user.groups, &rows.groups)
        }),
        Kind::Acl => some(&rows.acls, only)
            .try_for_each(|(id, acl)| row(kind, || id.to_string()).names(Kind::Profile, &acl.profiles, &rows.profiles)),
        Kind::Assignment => match only.map(place) {
            Some(at) => {
                let at = at.map_err(Fault::Other)?;
                rows.assignments.entry(&at).map_or(Ok(()), |(at, acl)| assignment(rows, at, acl))
            }
            None => rows.assignments.iter().try_for_each(|(at, acl)| assignment(rows, at, acl)),
        },
        Kind::ProjectPermission => rows.project_permissions.iter().try_for_each(|((of, name), given)| {
            let row = row(kind, || format!("{of}/{name}"));
            row.names(Kind::Project, [of], &rows.projects)?;
            row.names(Kind::User, &given.users, &rows.users)?;
            row.names(Kind::Group, &given.groups, &rows.groups)?;
            match given.permissions.iter().find(|p| p.area() != Area::Project) {
                Some(p) => Err(row.other(format!("`{p}` is no permission on a project"))),
                None => Ok(()),
            }
        }),
        Kind::Deployment => deployments(rows),
        // A name that comes back must not find the credentials, keys, accounts or secrets of what had
        // it before.
        Kind::Credential => some(&rows.credentials, only)
            .try_for_each(|(id, ())| row(kind, || id.to_string()).names(Kind::User, [id], &rows.users)),
        Kind::ApiKey => some(&rows.keys, only).try_for_each(|(id, key)| {
            let row = row(kind, || id.to_string());
            row.names(Kind::User, [&key.user], &rows.users)?;
            row.names(Kind::Environment, &key.environment, &rows.environments)
        }),
        Kind::ClientCertificate => some(&rows.certificates, only).try_for_each(|(id, certificate)| {
            let row = row(kind, || id.to_string());
            row.names(Kind::User, [&certificate.user], &rows.users)?;
            row.names(Kind::Environment, &certificate.environment, &rows.environments)
        }),
        // An environment that comes back must not be found by who looked at the one before.
        Kind::SupportGrant => some(&rows.support, only).try_for_each(|(id, grant)| {
            let row = row(kind, || id.clone());
            row.names(Kind::User, [&grant.given_by], &rows.users)?;
            row.names(Kind::Environment, &grant.environments, &rows.environments)
        }),
        Kind::Account | Kind::Secret => rows
            .placed
            .keys()
            .filter(|(_, of, id)| *of == kind && only.is_none_or(|only| only == id))
            .try_for_each(|(at, _, id)| row(kind, || id.clone()).names(Kind::Environment, [at], &rows.environments)),
        Kind::Tenant | Kind::Project | Kind::ProjectVersion | Kind::Egress | Kind::Limits | Kind::PasswordPolicy => {
            Ok(())
        }
    }
}

fn orders(rows: &Rows) -> Result<(), Fault> {
    let mut orders = BTreeMap::new();
    for (id, environment) in rows.environments.iter() {
        if let Some(other) = orders.insert(environment.order, id) {
            return Err(Fault::SameOrder { id: id.to_string(), other: other.to_string() });
        }
    }
    Ok(())
}

fn assignment(rows: &Rows, (at, kind, name): &Place, acl: &AclId) -> Result<(), Fault> {
    let row = row(Kind::Assignment, || format!("{at}/{}/{name}", kind.as_str()));
    row.names(Kind::Environment, [at], &rows.environments)?;
    row.names(Kind::Acl, [acl], &rows.acls)
}

fn deployments(rows: &Rows) -> Result<(), Fault> {
    let mut names = HashSet::new();
    for ((at, project), deployment) in rows.deployments.iter() {
        let row = row(Kind::Deployment, || format!("{at}/{project}"));
        row.names(Kind::Environment, [at], &rows.environments)?;
        row.names(Kind::Project, [project], &rows.projects)?;
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
