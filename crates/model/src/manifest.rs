//! The authority manifest: everything a module can reach, derived by the compiler.
//!
//! A deployment is refused when the manifest names what no bound account covers. The digest of
//! the module fixes the manifest: it is carried in the custom section `lockgate.ops`.

mod reach;

use serde::{Deserialize, Serialize};

use crate::{
    Schedule,
    id::{AccountName, TargetName},
};

/// Which account an operation uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountRef {
    /// A declaration of the project, by name.
    Declared(AccountName),
    /// A literal https origin (`https://host[:port]`), bound at deploy to the https account that covers it.
    Origin(String),
}

/// One operation a module can call; its index is the `op` of the intrinsic `call`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Authority {
    /// Connector, such as `https`.
    pub connector: String,
    /// Operation, such as `post`.
    pub operation: String,
    /// Version of the operation as written (`1` when the call names none).
    pub version: String,
    /// The account it goes through.
    pub account: AccountRef,
    /// Literal detail known at compile time: the https path or its fixed prefix ending in `*`,
    /// a directory, a SOAP action, the SHA-256 of an SQL statement, the name of a
    /// table or routine. What an operation has several of is told with its name: `from /in/*` and `to /out/*`,
    /// `method GET`, `column id`. Empty when nothing is fixed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<String>,
    /// How the account must prove who calls, where the flow says so: `basic` or `bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// What the bytes of its answer mean; without it they are as they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parse: Option<ContentFormat>,
    /// Its answer streams into the task that comes next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub streams: bool,
    /// It takes the stream of the call before it, written like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<StreamFormat>,
}

/// What a stream is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamContent {
    /// The content of a file or of an answer.
    Bytes,
    /// Records, such as rows.
    Records,
}

/// How a stream is written as the content of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamFormat {
    /// Bytes as they are.
    Bytes,
    /// Records in this format.
    Records(ContentFormat),
}

/// What bytes mean, as a flow says it: a format by its name and what describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentFormat {
    /// Such as `csv`; crate `document` has them.
    pub name: String,
    /// The description as JSON text; none for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An orchestration that a module can run; its index is the `n` of the intrinsic `run`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subflow {
    /// The namespace it must have (`document.namespace`); empty in what was compiled before this was told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    pub name: TargetName,
    /// The version it must have (`document.version`).
    pub version: String,
    /// Its end is waited for.
    pub awaits: bool,
}

impl std::fmt::Display for Subflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.version)
    }
}

/// Everything one orchestration's module may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Connector operations, in the order of the module's operation table.
    #[serde(default)]
    pub operations: Vec<Authority>,
    /// Orchestrations it may run.
    #[serde(default)]
    pub runs: Vec<Subflow>,
    /// When it runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}
