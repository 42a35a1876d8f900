//! Definitions: the rows that say what a tenant is. Versioned, typed, written as JSON.
//!
//! A row is (tenant, kind, id, revision, body). The id of an object that belongs to an environment
//! is `environment/name`. Typed bodies are below; the store hands out rows only.

use std::{
    collections::BTreeMap,
    fmt,
    num::{NonZeroU32, NonZeroU64},
    str::FromStr,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use crate::support::SupportGrant;
use crate::{
    Digest, Manifest, Timestamp,
    id::{AccountName, AclId, EnvironmentId, GroupId, ProfileId, ProjectId, TargetName, TenantId, UserId},
    permission::Permissions,
    principal::{TargetKind, UserKind},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// What is kept of runs unless the operator says otherwise.
const DAYS_KEPT: NonZeroU32 = NonZeroU32::new(30).unwrap();
const RUNS_KEPT: NonZeroU64 = NonZeroU64::new(1_000_000).unwrap();

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What kind of definition a row is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $($(#[$doc])* $name,)* }
        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];
            /// Stable text form.
            pub fn as_str(self) -> &'static str { match self { $(Kind::$name => $text,)* } }
        }
    };
}

kinds! {
    /// The tenant itself; id `tenant`. Body [`Tenant`].
    Tenant = "tenant";
    /// [`Environment`].
    Environment = "environment";
    /// [`User`].
    User = "user";
    /// [`Group`].
    Group = "group";
    /// [`Profile`].
    Profile = "profile";
    /// [`Acl`].
    Acl = "acl";
    /// Which ACL a target uses; id `environment/kind/name`. Body [`Assignment`].
    Assignment = "assignment";
    /// [`Project`].
    Project = "project";
    /// [`ProjectPermission`]; id `project/name`.
    ProjectPermission = "project-permission";
    /// A pushed version; id `project/number`. Body [`ProjectVersion`].
    ProjectVersion = "project-version";
    /// What is active; id `environment/project`. Body [`Deployment`].
    Deployment = "deployment";
    /// [`AccountBinding`]; id `environment/account`.
    Account = "account";
    /// A sealed secret; id `environment/account/field`. Body is the sealed form of `keys`.
    Secret = "secret";
    /// Password hash or first-login token of a user; id is the user's. Body belongs to `identity`.
    Credential = "credential";
    /// An API key; id is the key's. Body belongs to `identity`.
    ApiKey = "api-key";
    /// A client certificate that a user proves itself with; id is its fingerprint in hex. Body belongs to `identity`.
    ClientCertificate = "client-certificate";
    /// What the tenant asks of passwords; id `password-policy`. Body belongs to `identity`.
    PasswordPolicy = "password-policy";
    /// What the operator may look at for a time; id is the grant's. Body [`SupportGrant`].
    SupportGrant = "support-grant";
    /// Operator's allowance of a private range; id `environment/cidr/ports`. Body [`EgressAllowance`].
    Egress = "egress";
    /// Limits of the tenant; id `limits`. Body [`crate::Limits`].
    Limits = "limits";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|k| k.as_str() == text)
            .ok_or_else(|| UnknownKind(text.chars().take(40).collect()))
    }
}
/// The text names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of definition")]
pub struct UnknownKind(String);

/// A tenant's revision: one counter orders all its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub kind: Kind,
    /// Which; unique per tenant and kind.
    pub id: String,
    /// Revision that wrote it.
    pub revision: Revision,
    /// The typed body as JSON.
    pub body: serde_json::Value,
}

/// A row's body is not what its kind says.
#[derive(Debug, Clone, thiserror::Error)]
#[error("definition {kind}/{id} cannot be read: {reason}")]
pub struct Unreadable {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What the reader said.
    pub reason: String,
}

impl Definition {
    /// The body as its type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        T::deserialize(&self.body).map_err(|e| Unreadable {
            kind: self.kind,
            id: self.id.clone(),
            reason: e.to_string(),
        })
    }
}

/// The tenant itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// For people.
    pub title: String,
    /// Nothing runs in a suspended tenant.
    #[serde(default)]
    pub suspended: bool,
    /// How long records of its runs are kept.
    #[serde(default)]
    pub retention: Retention,
}

/// How long records of runs are kept, and how many: what is beyond either is removed. Open runs stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days after a run's end.
    pub days_max: NonZeroU32,
    /// The newest so many.
    pub runs_max: NonZeroU64,
    /// Days after which entries of the audit log are removed; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_days_max: Option<NonZeroU32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days_max: DAYS_KEPT, runs_max: RUNS_KEPT, audit_days_max: None }
    }
}

impl Retention {
    /// A run that ended before this time is no longer kept.
    pub fn ended_since(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(-i64::from(self.days_max.get()) * DAY_MS)
    }

    /// An entry of the audit log before this time is no longer kept; none where all are.
    pub fn audit_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.audit_days_max.map(|days| now.plus_ms(-i64::from(days.get()) * DAY_MS))
    }
}

/// An environment (stage).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// For people.
    pub title: String,
    /// Place in the promotion order, from 0; projects are edited where it is 0.
    pub order: u32,
    /// A deploy needs a green run of the same digest in the environment before.
    #[serde(default)]
    pub needs_green_run: bool,
}

/// A person or service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Native, IDP or service account.
    pub kind: UserKind,
    /// For people.
    #[serde(default)]
    pub title: String,
    /// A disabled user may nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// An IDP user that may use API channels all the same.
    #[serde(default)]
    pub api_allowed: bool,
    /// Profiles given to this user.
    #[serde(default)]
    pub profiles: Vec<ProfileId>,
    /// Groups it is in.
    #[serde(default)]
    pub groups: Vec<GroupId>,
}
fn yes() -> bool {
    true
}

/// A group: whatever a user may be given, a group may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// For people.
    #[serde(default)]
    pub title: String,
    /// Profiles given to every member.
    #[serde(default)]
    pub profiles: Vec<ProfileId>,
}

/// Where a profile is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidIn {
    /// In all environments, present and future: a tenant-level role.
    All,
    /// In these; never empty (saving one without is refused).
    Environments(Vec<EnvironmentId>),
}

/// An access profile: permissions, and where they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// For people.
    pub title: String,
    /// What it permits.
    pub permissions: Permissions,
    /// Where.
    pub valid_in: ValidIn,
}

/// A named list of access profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    /// For people.
    pub title: String,
    /// Who may execute what names this list.
    pub profiles: Vec<ProfileId>,
}

/// The one ACL of a target in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The list.
    pub acl: AclId,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// For people.
    pub title: String,
    /// Number of the newest version; 0 before the first push.
    #[serde(default)]
    pub head: u64,
}

/// Permissions on one project, given to users and groups; it grants nothing in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectPermission {
    /// Permissions of the project area.
    pub permissions: Permissions,
    /// Given to these users.
    #[serde(default)]
    pub users: Vec<UserId>,
    /// Given to these groups.
    #[serde(default)]
    pub groups: Vec<GroupId>,
}

/// A pushed version of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectVersion {
    /// Digest over the canonical manifest of its sources.
    pub source: Digest,
    /// Digest of the stored bundle.
    pub bundle: Digest,
    /// Who pushed it.
    pub pushed_by: UserId,
    /// When.
    pub pushed_at: Timestamp,
    /// `<kind>/<name>` → digest of that object, for the difference with the next push.
    pub objects: BTreeMap<String, Digest>,
    /// Orchestrations it holds.
    pub orchestrations: Vec<TargetName>,
}

/// What is active of a project in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The project.
    pub project: ProjectId,
    /// Its version.
    pub version: u64,
    /// Digest of its sources.
    pub source: Digest,
    /// Who deployed it: the publish right stands on this user.
    pub publisher: UserId,
    /// Who has adopted it since.
    #[serde(default)]
    pub adopted_by: Option<UserId>,
    /// As whom its schedules run, if not as the one on whom the publish right stands.
    #[serde(default)]
    pub run_as: Option<UserId>,
    /// When it was deployed.
    pub deployed_at: Timestamp,
    /// A rollback: when the deployment was made whose bytes it brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<Timestamp>,
    /// Its orchestrations.
    pub orchestrations: BTreeMap<TargetName, DeployedModule>,
    /// Its REST and SOAP APIs, each in front of one of its orchestrations.
    #[serde(default)]
    pub apis: BTreeMap<TargetName, DeployedApi>,
}

impl Deployment {
    /// The principal of its schedules: the named one; else who adopted it last, else who deployed it.
    pub fn runs_as(&self) -> &UserId {
        self.run_as.as_ref().or(self.adopted_by.as_ref()).unwrap_or(&self.publisher)
    }
}

/// One API of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployedApi {
    /// REST or SOAP.
    pub kind: TargetKind,
    /// The orchestration of the same deployment that it calls.
    pub orchestration: TargetName,
}

/// One orchestration of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployedModule {
    /// Digest of the module's bytes.
    pub module: Digest,
    /// What it may touch.
    pub manifest: Manifest,
    /// The bound account of each operation of the manifest, by index.
    #[serde(default)]
    pub accounts: Vec<AccountName>,
}

/// How the server's identity is proved. There is no way to write "not at all".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerIdentity {
    /// A CA certificate in PEM: chain and name are verified against it alone.
    Ca(String),
    /// The machine's root certificates.
    System,
    /// SHA-256 of the server certificate; chain and name do not matter then.
    Pin(Digest),
    /// SSH host key: its fingerprint (`SHA256:…`) or the whole public key, as OpenSSH prints them.
    HostKey(String),
}

/// Address, identity and secrets of an account in an environment. Secrets lie apart, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountBinding {
    /// Connector.
    pub connector: String,
    /// Address in the connector's form (`https://host[:port][/base]`).
    pub address: String,
    /// How the server proves itself.
    pub identity: ServerIdentity,
    /// Further settings of the connector's `Spec`, none secret.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Names of the secret fields that are set.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// A private range an environment may reach; set by the operator alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressAllowance {
    /// The environment.
    pub environment: EnvironmentId,
    /// Range in CIDR form.
    pub cidr: String,
    /// First port.
    pub port_first: u16,
    /// Last port.
    pub port_last: u16,
}
