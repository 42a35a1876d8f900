//! The rows of a tenant that access reads, as their types, by their ids.
//!
//! A row that cannot be read is an error, never skipped: a snapshot that left out an unreadable row
//! would decide on a tenant that nobody defined.

use std::{collections::BTreeSet, sync::Arc};

use lockgate_model::{
    Definition, Kind, SharedMap, TargetKind,
    definition::{
        Acl, Assignment, Deployment, Environment, Group, Profile, Project, ProjectPermission, ProjectVersion,
        SupportGrant, Tenant, Unreadable, User,
    },
    id::{AclId, EnvironmentId, GroupId, KeyId, ProfileId, ProjectId, TargetName, UserId},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// A target in an environment.
pub(crate) type Place = (EnvironmentId, TargetKind, TargetName);

/// What access reads of an API key or a client certificate; the rest of the body belongs to `identity`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KeyOwner {
    pub user: UserId,
    #[serde(default)]
    pub environment: Option<EnvironmentId>,
}

/// What a project version can be called by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(pub BTreeSet<(TargetKind, TargetName)>);

#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub tenant: Option<Tenant>,
    pub environments: SharedMap<EnvironmentId, Environment>,
    pub users: SharedMap<UserId, User>,
    pub groups: SharedMap<GroupId, Group>,
    pub profiles: SharedMap<ProfileId, Profile>,
    pub acls: SharedMap<AclId, Acl>,
    pub assignments: SharedMap<Place, AclId>,
    pub projects: SharedMap<ProjectId, Project>,
    pub project_permissions: SharedMap<(ProjectId, String), ProjectPermission>,
    pub versions: SharedMap<(ProjectId, u64), Arc<Names>>,
    pub deployments: SharedMap<(EnvironmentId, ProjectId), Arc<Deployment>>,
    pub credentials: SharedMap<UserId, ()>,
    pub keys: SharedMap<KeyId, KeyOwner>,
    pub certificates: SharedMap<String, KeyOwner>,
    /// By their ids.
    pub support: SharedMap<String, SupportGrant>,
    /// Accounts and their secrets: only that their environment exists matters here.
    pub placed: SharedMap<(EnvironmentId, Kind, String), ()>,
}

pub(crate) fn unreadable(kind: Kind, id: &str, reason: impl ToString) -> Unreadable {
    Unreadable { kind, id: id.to_owned(), reason: reason.to_string() }
}

fn body<T: DeserializeOwned>(kind: Kind, id: &str, body: &Value) -> Result<T, Unreadable> {
    T::deserialize(body).map_err(|e| unreadable(kind, id, e))
}

fn parsed<T: std::str::FromStr<Err: ToString>>(kind: Kind, id: &str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|e: T::Err| unreadable(kind, id, e.to_string()))
}

fn pair(kind: Kind, id: &str) -> Result<(&str, &str), Unreadable> {
    id.split_once('/').ok_or_else(|| unreadable(kind, id, "its id has two parts, separated by `/`"))
}

pub(crate) fn target_kind(text: &str) -> Option<TargetKind> {
    [TargetKind::Integrations, TargetKind::RestApis, TargetKind::SoapApis].into_iter().find(|k| k.as_str() == text)
}

pub(crate) fn place(id: &str) -> Result<Place, Unreadable> {
    let kind = Kind::Assignment;
    let mut parts = id.splitn(3, '/');
    let (Some(environment), Some(target), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unreadable(kind, id, "its id has three parts, separated by `/`"));
    };
    let reason = "its kind is none of integrations, rest-apis, soap-apis";
    let target = target_kind(target).ok_or_else(|| unreadable(kind, id, reason))?;
    Ok((parsed(kind, id, environment)?, target, parsed(kind, id, name)?))
}

fn names(kind: Kind, id: &str, version: &ProjectVersion) -> Result<Names, Unreadable> {
    let mut names = BTreeSet::new();
    names.extend(version.orchestrations.iter().map(|name| (TargetKind::Integrations, name.clone())));
    for object in version.objects.keys() {
        if let Some((TargetKind::RestApis | TargetKind::SoapApis, _)) =
            object.split_once('/').and_then(|(of, name)| Some((target_kind(of)?, name)))
        {
            let (of, name) = pair(kind, object)?;
            if let Some(of) = target_kind(of) {
                names.insert((of, parsed(kind, id, name)?));
            }
        }
    }
    Ok(Names(names))
}

impl Rows {
    /// Reads all rows of a tenant. A row twice is an error: which one holds would be a guess.
    pub fn read(definitions: &[Definition]) -> Result<Self, Unreadable> {
        let mut rows = Self::default();
        let mut seen = BTreeSet::new();
        for row in definitions {
            if !seen.insert((row.kind, row.id.as_str())) {
                return Err(unreadable(row.kind, &row.id, "it is there twice"));
            }
            rows.put(row.kind, &row.id, &row.body)?;
        }
        Ok(rows)
    }

    /// Puts one row, in place of the one with the same id.
    pub fn put(&mut self, kind: Kind, id: &str, json: &Value) -> Result<(), Unreadable> {
        match kind {
            Kind::Tenant => {
                if id != "tenant" {
                    return Err(unreadable(kind, id, "the id of a tenant's own row is `tenant`"));
                }
                self.tenant = Some(body(kind, id, json)?);
            }
            Kind::Environment => {
                self.environments.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::User => {
                self.users.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::Group => {
                self.groups.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::Profile => {
                self.profiles.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::Acl => {
                self.acls.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::Assignment => {
                let assignment: Assignment = body(kind, id, json)?;
                self.assignments.insert(place(id)?, assignment.acl);
            }
            Kind::Project => {
                self.projects.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::ProjectPermission => {
                let (project, name) = pair(kind, id)?;
                self.project_permissions.insert((parsed(kind, id, project)?, name.to_owned()), body(kind, id, json)?);
            }
            Kind::ProjectVersion => {
                let (project, number) = pair(kind, id)?;
                let version: ProjectVersion = body(kind, id, json)?;
                self.versions.insert(
                    (parsed(kind, id, project)?, parsed(kind, id, number)?),
                    Arc::new(names(kind, id, &version)?),
                );
            }
            Kind::Deployment => {
                let (environment, project) = pair(kind, id)?;
                let deployment: Deployment = body(kind, id, json)?;
                if deployment.project.as_str() != project {
                    return Err(unreadable(kind, id, "its body names another project"));
                }
                let key = (parsed(kind, id, environment)?, deployment.project.clone());
                self.deployments.insert(key, Arc::new(deployment));
            }
            Kind::Credential => {
                self.credentials.insert(parsed(kind, id, id)?, ());
            }
            Kind::ApiKey => {
                self.keys.insert(parsed(kind, id, id)?, body(kind, id, json)?);
            }
            Kind::ClientCertificate => {
                self.certificates.insert(id.to_owned(), body(kind, id, json)?);
            }
            Kind::SupportGrant => {
                self.support.insert(id.to_owned(), body(kind, id, json)?);
            }
            Kind::Account | Kind::Secret => {
                let (environment, _) = pair(kind, id)?;
                self.placed.insert((parsed(kind, id, environment)?, kind, id.to_owned()), ());
            }
            Kind::Egress | Kind::Limits | Kind::PasswordPolicy => {}
        }
        Ok(())
    }

    /// Takes a row away; one that is not there is no error.
    pub fn remove(&mut self, kind: Kind, id: &str) -> Result<(), Unreadable> {
        match kind {
            Kind::Tenant => self.tenant = None,
            Kind::Environment => self.environments.remove(id),
            Kind::User => self.users.remove(id),
            Kind::Group => self.groups.remove(id),
            Kind::Profile => self.profiles.remove(id),
            Kind::Acl => self.acls.remove(id),
            Kind::Assignment => self.assignments.remove(&place(id)?),
            Kind::Project => self.projects.remove(id),
            Kind::ProjectPermission => {
                let (project, name) = pair(kind, id)?;
                self.project_permissions.remove(&(parsed(kind, id, project)?, name.to_owned()));
            }
            Kind::ProjectVersion => {
                let (project, number) = pair(kind, id)?;
                self.versions.remove(&(parsed(kind, id, project)?, parsed(kind, id, number)?));
            }
            Kind::Deployment => {
                let (environment, project) = pair(kind, id)?;
                self.deployments.remove(&(parsed(kind, id, environment)?, parsed(kind, id, project)?));
            }
            Kind::Credential => self.credentials.remove(id),
            Kind::ApiKey => self.keys.remove(id),
            Kind::ClientCertificate => self.certificates.remove(id),
            Kind::SupportGrant => self.support.remove(id),
            Kind::Account | Kind::Secret => {
                let (environment, _) = pair(kind, id)?;
                self.placed.remove(&(parsed(kind, id, environment)?, kind, id.to_owned()));
            }
            Kind::Egress | Kind::Limits | Kind::PasswordPolicy => {}
        }
        Ok(())
    }
}
