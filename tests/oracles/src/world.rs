//! A tenant as plain data: the nouns of the access model, and what may be asked about them.
//!
//! Names are text, sets are sets; nothing here decides. A world may be broken (an ACL names a profile
//! that is gone, a publisher was deleted): what stands in rows need not fit together.

use std::collections::{BTreeMap, BTreeSet};

/// Whatever has a name.
pub type Name = String;
/// Names.
pub type Names = BTreeSet<Name>;

/// One tenant.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The operator suspended it.
    pub suspended: bool,
    /// It asks a second factor of users with a password.
    pub asks_second_factor: bool,
    /// Its environments, in promotion order.
    pub environments: Vec<Name>,
    /// Environments that ask for a green run in the one before.
    pub ask_for_green_run: Names,
    /// Users and service accounts.
    pub users: BTreeMap<Name, User>,
    /// Groups.
    pub groups: BTreeMap<Name, Group>,
    /// Access profiles, the shipped ones among them.
    pub profiles: BTreeMap<Name, Profile>,
    /// ACLs: names of access profiles.
    pub acls: BTreeMap<Name, Names>,
    /// Which ACL a target names in an environment.
    pub assigned: BTreeMap<(Target, Name), Name>,
    /// What the newest versions of projects hold, published or not.
    pub pushed: BTreeSet<Target>,
    /// What is published in an environment, by project and environment.
    pub deployments: BTreeMap<(Name, Name), Deployment>,
    /// Project permissions, many for one project.
    pub project_permissions: BTreeMap<Name, ProjectPermission>,
    /// Grants of support access.
    pub support: BTreeMap<Name, Support>,
    /// API keys.
    pub keys: BTreeMap<Name, Key>,
}

/// Now, in some unit: what ends then has ended.
pub const NOW: i64 = 1_700_000_000_000_000;

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whose.
    pub user: Name,
    /// The only environment it is good for.
    pub environment: Option<Name>,
    /// The orchestrations and APIs it may call, and do nothing else; none for no such limit.
    pub targets: Names,
    /// When it ends.
    pub ends: Option<i64>,
}

/// A user or service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Which kind.
    pub kind: Kind,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// It has a second factor.
    pub second_factor: bool,
    /// Access profiles given to it alone.
    pub profiles: Names,
    /// Groups it is in.
    pub groups: Names,
}

/// Kinds of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user with a password here.
    Native,
    /// A user of an identity provider, and whether an administrator lets it call APIs.
    Idp {
        /// It may.
        calls_apis: bool,
    },
    /// A service account.
    Service,
}

/// A group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Access profiles given to all in it.
    pub profiles: Names,
}

/// An access profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its permissions, by their stable identifiers.
    pub permissions: Names,
    /// Where it is valid.
    pub valid: Valid,
}

/// Environments of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Valid {
    /// All, present and future.
    Everywhere,
    /// The named ones.
    In(Names),
}

/// Permissions for one project.
#[derive(Debug, Clone)]
pub struct ProjectPermission {
    /// The project.
    pub project: Name,
    /// Permissions of projects.
    pub permissions: Names,
    /// Users it is given to.
    pub users: Names,
    /// Groups it is given to.
    pub groups: Names,
}

/// A project published in an environment.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Who deployed it.
    pub publisher: Name,
    /// Who has adopted it since.
    pub adopted: Names,
    /// What it holds: targets, by kind and name.
    pub holds: BTreeSet<(TargetKind, Name)>,
}

/// A grant of support access. Times are hours.
#[derive(Debug, Clone)]
pub struct Support {
    /// Where.
    pub environments: Names,
    /// Who opened it.
    pub giver: Name,
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub until: i64,
}

/// What may be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// An orchestration (permission `integrations.execute`).
    Orchestration,
    /// A REST API.
    RestApi,
    /// A SOAP API.
    SoapApi,
}

/// One orchestration or API of a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its project.
    pub project: Name,
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: Name,
}

/// Ways in (ACCESS.md §3, "every way in asks").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// A call of a REST API.
    Rest,
    /// A call of a SOAP API.
    Soap,
    /// The command line.
    Cli,
    /// The console.
    Console,
    /// A schedule.
    Schedule,
    /// A poll.
    Poll,
    /// One flow calls another.
    SubFlow,
}

/// Who asks, and how.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Name,
    /// By which way. What a schedule or a poll began has no credential of its own.
    pub channel: Channel,
    /// By an API key.
    pub key: Option<Shown>,
    /// It is a user of another tenant.
    pub foreign: bool,
}

/// An API key as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its name; there may be none of it any more.
    pub name: Name,
    /// With its secret, and not with another.
    pub right: bool,
}

impl Caller {
    /// Somebody of the tenant, without a key.
    pub fn new(principal: &str, channel: Channel) -> Self {
        Self { principal: principal.to_owned(), channel, key: None, foreign: false }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Request {
    /// To execute.
    Execute(Execute),
    /// To restart a run.
    Restart(Execute),
    /// To deploy.
    Deploy(Deploy),
    /// To adopt what is published of a project, or to end it.
    Adopt {
        /// Who.
        caller: Caller,
        /// Where.
        environment: Name,
        /// Of which project.
        project: Name,
        /// To end it.
        ends: bool,
    },
    /// To store one object that differs.
    Push(Push),
    /// To do what one permission stands for.
    Act {
        /// Who.
        caller: Caller,
        /// The permission.
        permission: Name,
        /// Where.
        at: Place,
    },
    /// To open the console.
    Console(Caller),
    /// Of the operator: to look at something, for which a user would need this permission.
    Look {
        /// The permission.
        permission: Name,
        /// Where.
        environment: Name,
        /// At which hour.
        at: i64,
    },
}

/// Where a permission is asked.
#[derive(Debug, Clone)]
pub enum Place {
    /// In no environment: what is of the tenant itself.
    Tenant,
    /// In an environment.
    Environment(Name),
    /// On a project.
    Project(Name),
}

/// An execute request.
#[derive(Debug, Clone)]
pub struct Execute {
    /// Who.
    pub caller: Caller,
    /// The orchestration.
    pub orchestration: Target,
    /// The API it is called through.
    pub through: Option<Target>,
    /// Where.
    pub environment: Name,
}

/// A deploy request, with what the manifest and the store say.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// Who.
    pub caller: Caller,
    /// Where.
    pub environment: Name,
    /// Of which project.
    pub project: Name,
    /// Accounts of the version's authority manifest: name, connector, and how it is to prove who calls.
    pub needs: BTreeSet<(Name, Name, Option<Name>)>,
    /// Hosts that the manifest names in place of accounts, called over HTTPS.
    pub hosts: Names,
    /// Accounts that are bound there.
    pub bound: BTreeMap<Name, Binding>,
    /// The same digest had a green run in the environment before, if there is one.
    pub green: bool,
    /// As whom its schedules are to run; the caller if nobody is named.
    pub run_as: Option<Name>,
}

/// An account, bound.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Its connector.
    pub connector: Name,
    /// How it proves who calls.
    pub scheme: Option<Name>,
    /// The host of its address.
    pub host: Name,
}

/// One object of a push.
#[derive(Debug, Clone)]
pub struct Push {
    /// Who.
    pub caller: Caller,
    /// The project.
    pub project: Name,
    /// `<kind>.create`, `.update` or `.delete`.
    pub permission: Name,
}
