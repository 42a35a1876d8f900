//! Definitions that people administer.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A definition with its id.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its id.
    pub id: String,
    /// Revision of the tenant that wrote it.
    pub revision: u64,
    /// The body of its kind.
    pub body: DefinitionBody,
}

/// The body of a definition; which one, its kind says.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum DefinitionBody {
    /// Kind `users`.
    User(User),
    /// Kind `profiles`.
    Profile(Profile),
    /// Kind `environments`.
    Environment(Environment),
    /// Kind `project-permissions`.
    ProjectPermission(ProjectPermission),
    /// Kind `acls`.
    Acl(Acl),
    /// Kind `groups`.
    Group(Group),
}

/// A person or service account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Native, by single sign-on, or a service account.
    pub kind: UserKind,
    /// For people.
    #[serde(default)]
    pub title: String,
    /// A disabled user may do nothing. Default `true`.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Lets a user by single sign-on call APIs.
    #[serde(default)]
    pub api_allowed: bool,
    /// Profiles given to this user.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Groups it is in.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// What kind of user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UserKind {
    /// Password here; console and APIs.
    Native,
    /// By single sign-on; console only, unless `api_allowed`.
    Idp,
    /// A program; no console.
    Service,
}

/// A group: whatever a user may be given, a group may be given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// For people.
    #[serde(default)]
    pub title: String,
    /// Profiles given to every member.
    #[serde(default)]
    pub profiles: Vec<String>,
}

/// An access profile: permissions, and where they hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// For people.
    pub title: String,
    /// Identifiers of permissions.
    #[schema(example = json!(["deploy", "logs-view"]))]
    pub permissions: Vec<String>,
    /// Where.
    pub valid_in: ValidIn,
}

/// Where a profile is valid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValidIn {
    /// In all environments, present and future.
    All,
    /// In these; at least one.
    Environments(Vec<String>),
}

/// A named list of access profiles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    /// For people.
    pub title: String,
    /// Who may execute what names this list.
    pub profiles: Vec<String>,
}

/// The ACL of a target in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The list.
    #[schema(value_type = super::Id)]
    pub acl: String,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// For people.
    pub title: String,
    /// Place in the promotion order, from 0.
    pub order: u32,
    /// A deploy needs a green run of the same digest in the environment before.
    #[serde(default)]
    pub needs_green_run: bool,
}

/// Permissions on one project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectPermission {
    /// Permissions of the project area.
    pub permissions: Vec<String>,
    /// Given to these users.
    #[serde(default)]
    #[schema(value_type = Vec<super::Id>)]
    pub users: Vec<String>,
    /// Given to these groups.
    #[serde(default)]
    #[schema(value_type = Vec<super::Id>)]
    pub groups: Vec<String>,
}

/// A batch of definitions: all are made so, in this order; the first refusal ends it.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The definitions.
    pub items: Vec<BatchItem>,
}

/// A kind in the singular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BatchKind {
    /// A person or service account.
    User,
    /// A group.
    Group,
    /// An access profile.
    Profile,
    /// A list of access profiles.
    Acl,
    /// An environment.
    Environment,
    /// The ACL of a target.
    Assignment,
    /// Permissions on a project.
    ProjectPermission,
    /// The binding of an account, without its secrets: those that it has stay.
    Account,
}

/// One definition of a batch.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// Its kind.
    pub kind: BatchKind,
    /// Its id: `environment/kind/name` for an assignment, `project/name` for a project permission,
    /// `environment/account` for an account.
    pub id: String,
    /// Its body; absent deletes it.
    #[serde(default)]
    pub body: Option<Value>,
}
