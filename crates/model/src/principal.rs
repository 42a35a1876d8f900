//! Who asks, by which way, for what.

use serde::{Deserialize, Serialize};

use crate::{
    Permission,
    id::{EnvironmentId, TargetName, TenantId, UserId},
};

/// What kind of user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserKind {
    /// Password here; console and APIs.
    Native,
    /// By single sign-on; console only, unless an administrator lets that user call APIs.
    Idp,
    /// A program; no console.
    Service,
}

/// What was presented and found true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// User id and password with the request.
    Basic,
    /// An API key.
    ApiKey,
    /// A login session.
    Session,
    /// An access token that a client was given for its credentials.
    AccessToken,
    /// A client certificate of the connection.
    Certificate,
    /// No credential of its own: named by a schedule, a poll or the run that calls a sub-flow.
    RunAs,
    /// A login session of a user who has to enrol a second factor before anything else.
    Enrolment,
    /// None: the operator, over the local socket, by a grant of the tenant. It is no user of the tenant.
    Support,
}

/// An authenticated user of one tenant. Made by `identity` alone; it carries no rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// How it proved itself.
    pub credential: CredentialKind,
    /// Set for a credential that is narrowed to one environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_environment: Option<EnvironmentId>,
    /// Not empty for a credential that may call these orchestrations and APIs and do nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_targets: Vec<TargetName>,
}

/// The way in. Every one asks `access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// REST listener.
    Rest,
    /// SOAP listener.
    Soap,
    /// A schedule's fire.
    Schedule,
    /// A poll's find.
    Poll,
    /// `run.workflow` in another run.
    SubFlow,
    /// A person's run now: console or command line in a login session.
    Manual,
    /// Restart of an ended run.
    Restart,
    /// Resume of a waiting run.
    Resume,
    /// The admin API: administration, deploy, push.
    Admin,
}

impl Channel {
    /// Closed to IDP users unless an administrator lets that user call APIs.
    pub fn is_api(self, credential: CredentialKind) -> bool {
        matches!(self, Self::Rest | Self::Soap | Self::Schedule | Self::Poll)
            || matches!(
                credential,
                CredentialKind::Basic
                    | CredentialKind::ApiKey
                    | CredentialKind::AccessToken
                    | CredentialKind::Certificate
            )
    }
    /// Stable text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Soap => "soap",
            Self::Schedule => "schedule",
            Self::Poll => "poll",
            Self::SubFlow => "sub-flow",
            Self::Manual => "manual",
            Self::Restart => "restart",
            Self::Resume => "resume",
            Self::Admin => "admin",
        }
    }
}

/// What kind of thing is executed; each has its own execute permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// An orchestration.
    Integrations,
    /// A REST API in front of an orchestration.
    RestApis,
    /// A SOAP API in front of an orchestration.
    SoapApis,
}

impl TargetKind {
    /// `<kind>.execute`.
    pub fn execute(self) -> Permission {
        match self {
            Self::Integrations => Permission::IntegrationsExecute,
            Self::RestApis => Permission::RestApisExecute,
            Self::SoapApis => Permission::SoapApisExecute,
        }
    }
    /// Stable text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integrations => "integrations",
            Self::RestApis => "rest-apis",
            Self::SoapApis => "soap-apis",
        }
    }
}

/// What is to be executed, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The environment.
    pub environment: EnvironmentId,
    /// Orchestration, REST API or SOAP API.
    pub kind: TargetKind,
    /// Its name, unique in the tenant.
    pub name: TargetName,
}
