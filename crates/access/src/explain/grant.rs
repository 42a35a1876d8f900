//! What would close a missing link, as the command that does it.

use std::fmt;

use lockgate_model::{
    Permission, Target, TargetKind,
    id::{AclId, EnvironmentId, ProfileId, ProjectId, TenantId, UserId},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A link that is missing.
#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    /// What is missing, in words.
    pub link: String,
    /// Ways to close it, the narrowest first: any one of them, with all its steps. Empty where no
    /// command can (a narrowed key stays narrow).
    pub remedies: Vec<Vec<Step>>,
}

/// One step of a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub grant: Grant,
    /// Up to five users who may do it; empty for the operator's steps.
    pub who: Vec<UserId>,
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut out = s.serialize_struct("Step", 3)?;
        out.serialize_field("command", &self.grant.to_string())?;
        out.serialize_field("needs", &self.grant.needs_text())?;
        out.serialize_field("who", &self.who)?;
        out.end()
    }
}

/// What would close a link. Its text is the command that does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Create the user.
    AddUser(UserId),
    /// Enable the user.
    EnableUser(UserId),
    /// Let an IDP user use API channels.
    AllowApi(UserId),
    /// Give the user a profile.
    GiveProfile(UserId, ProfileId),
    /// Create a profile with one permission, valid in one environment.
    AddProfile(ProfileId, Permission, EnvironmentId),
    /// Add a permission to a profile.
    Permit(ProfileId, Permission),
    /// Make a profile valid in one more environment.
    Extend(ProfileId, EnvironmentId),
    /// Put a profile on a list.
    ListProfile(AclId, ProfileId),
    /// Assign a list to a target.
    Assign(AclId, Target),
    /// Deploy, or deploy again: the publish right then stands on who does it.
    Deploy(ProjectId, EnvironmentId),
    /// Create the environment.
    AddEnvironment(EnvironmentId),
    /// Resume the tenant.
    ResumeTenant(TenantId),
}

impl Grant {
    /// The permissions it needs, all of them; none for the operator's. Giving rights is more than
    /// keeping the list of users, so that nobody gives them to themself by the latter alone.
    pub fn needs(&self) -> &'static [Permission] {
        match self {
            Self::AddUser(_) => &[Permission::UserManagement],
            Self::EnableUser(_) | Self::AllowApi(_) | Self::GiveProfile(..) => {
                &[Permission::UserManagement, Permission::AccessControl]
            }
            Self::AddProfile(..) | Self::Permit(..) | Self::Extend(..) | Self::ListProfile(..) | Self::Assign(..) => {
                &[Permission::AccessControl]
            }
            Self::Deploy(..) => &[Permission::Deploy],
            Self::AddEnvironment(_) => &[Permission::StagesAdminister],
            Self::ResumeTenant(_) => &[],
        }
    }

    /// The same for people.
    pub(crate) fn needs_text(&self) -> String {
        match self.needs() {
            [] => "operator".to_owned(),
            all => all.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" and "),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddUser(user) => write!(f, "lockgate user add {user}"),
            Self::EnableUser(user) => write!(f, "lockgate user enable {user}"),
            Self::AllowApi(user) => write!(f, "lockgate user allow-api {user}"),
            Self::GiveProfile(user, profile) => write!(f, "lockgate user grant {user} --profile {profile}"),
            Self::AddProfile(profile, permission, environment) => {
                write!(f, "lockgate profile add {profile} --permission {permission} --env {environment}")
            }
            Self::Permit(profile, permission) => {
                write!(f, "lockgate profile extend {profile} --permission {permission}")
            }
            Self::Extend(profile, environment) => {
                write!(f, "lockgate profile extend {profile} --env {environment}")
            }
            Self::ListProfile(acl, profile) => write!(f, "lockgate acl add {acl} --profile {profile}"),
            Self::Assign(acl, target) => {
                write!(f, "lockgate acl assign {acl} --to {} --env {}", target.name, target.environment)?;
                match target.kind {
                    TargetKind::Integrations => Ok(()),
                    other => write!(f, " --kind {}", other.as_str()),
                }
            }
            Self::Deploy(project, environment) => write!(f, "lockgate deploy {project} {environment}"),
            Self::AddEnvironment(environment) => write!(f, "lockgate env add {environment}"),
            Self::ResumeTenant(tenant) => write!(f, "lockgate operator tenant resume {tenant}"),
        }
    }
}
