//! Projects, accounts and deployments.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
    /// Number of the newest version.
    pub head: u64,
}

/// A pushed version of a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectVersion {
    /// Its number, from 1.
    pub version: u64,
    /// Digest of its sources.
    pub source: String,
    /// Who pushed it.
    pub pushed_by: String,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub pushed_at: i64,
    /// Orchestrations it holds.
    pub orchestrations: Vec<String>,
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pushed {
    /// The project.
    pub project: String,
    /// Its new version; the head's when nothing differs.
    pub version: u64,
    /// Digest of the sources.
    pub source: String,
    /// Orchestrations it holds.
    pub orchestrations: Vec<String>,
    /// `false` when the head holds the same sources already.
    pub changed: bool,
}

/// An account as it is shown: everything but the secrets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Connector.
    pub connector: String,
    /// Address in the connector's form.
    pub address: String,
    /// How the server proves itself.
    pub identity: ServerIdentity,
    /// Settings that are no secrets.
    pub settings: BTreeMap<String, String>,
    /// Names of the secrets that are set.
    pub secrets: Vec<String>,
    /// Revision of the tenant that wrote it.
    pub revision: u64,
}

/// What an account is bound to.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountBinding {
    /// Connector.
    pub connector: String,
    /// Address in the connector's form.
    #[schema(example = "https://erp.example.com/api")]
    pub address: String,
    /// How the server proves itself.
    pub identity: ServerIdentity,
    /// Settings that are no secrets.
    #[serde(default)]
    #[schema(required = false)]
    pub settings: BTreeMap<String, String>,
    /// Secrets to set; write-only. Those that are not named stay as they are.
    #[serde(default)]
    #[schema(required = false, write_only)]
    pub secrets: BTreeMap<String, String>,
    /// Secrets to remove.
    #[serde(default)]
    #[schema(required = false)]
    pub forget: Vec<String>,
}

/// How a server proves itself. There is no way to write "not at all".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerIdentity {
    /// A CA certificate in PEM: chain and name are verified against it alone.
    Ca(String),
    /// The machine's root certificates.
    System,
    /// SHA-256 of the server certificate: `sha256:` and 64 hex digits.
    Pin(String),
    /// SSH host key: its fingerprint (`SHA256:…`) or the whole public key, as OpenSSH prints them.
    HostKey(String),
}

/// What a deploy did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    /// Where.
    pub environment: String,
    /// What.
    pub project: String,
    /// Its version.
    pub version: u64,
    /// Digest of its sources.
    pub source: String,
    /// Its orchestrations.
    pub orchestrations: Vec<DeployedOrchestration>,
    /// Worth knowing: the ACL that was assigned, and whether it is the default one.
    pub notes: Vec<String>,
}

/// One orchestration that is active now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployedOrchestration {
    /// Its name.
    pub name: String,
    /// Digest of the module: the same bytes in every environment.
    pub module: String,
    /// What it may touch.
    pub manifest: Manifest,
    /// The ACL that says who may run it here.
    pub acl: String,
}

/// What is active of a project in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The project.
    pub project: String,
    /// Its version.
    pub version: u64,
    /// Digest of its sources.
    pub source: String,
    /// Who deployed it: the publish right stands on this user.
    pub publisher: String,
    /// Who has adopted it since.
    pub adopted_by: Option<String>,
    /// As whom its schedules run, if not as who adopted or deployed it.
    pub run_as: Option<String>,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub deployed_at: i64,
    /// A rollback: when the deployment was made whose bytes it brought back.
    #[serde(default)]
    pub restores: Option<i64>,
    /// Its orchestrations, by name.
    pub orchestrations: BTreeMap<String, DeployedModule>,
    /// Its REST and SOAP APIs, by name.
    pub apis: BTreeMap<String, DeployedApi>,
}

/// One API of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployedApi {
    /// `rest-apis` or `soap-apis`.
    pub kind: super::TargetKind,
    /// The orchestration of the same deployment that it calls.
    pub orchestration: String,
}

/// One orchestration of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployedModule {
    /// Digest of the module.
    pub module: String,
    /// What it may touch.
    pub manifest: Manifest,
    /// The bound account of each operation of the manifest, by index.
    pub accounts: Vec<String>,
}

/// Everything one orchestration may touch, derived by the compiler.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Connector operations.
    pub operations: Vec<Authority>,
    /// Orchestrations it may run.
    pub runs: Vec<Subflow>,
    /// When it runs by itself.
    #[serde(default)]
    pub schedule: Option<super::Timing>,
}

/// One orchestration that may be run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subflow {
    /// The namespace it must have; left out in what was compiled before this was told.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The version it must have.
    pub version: String,
    /// Whether its end is waited for.
    pub awaits: bool,
}

/// One operation that may be called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Connector.
    pub connector: String,
    /// Operation.
    pub operation: String,
    /// Version of the operation.
    pub version: String,
    /// The account it goes through.
    pub account: AccountRef,
    /// Detail that is fixed at compile time, such as a path.
    #[serde(default)]
    pub detail: Vec<String>,
    /// How the account must prove who calls, where the flow says so.
    #[serde(default)]
    pub scheme: Option<String>,
}

/// Which account an operation uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountRef {
    /// A declaration of the project, by name.
    Declared(String),
    /// A literal https origin.
    Origin(String),
}
