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
    /// Its environments.
    pub environments: Names,
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
    /// What is published in an environment.
    pub deployments: BTreeMap<(Name, Name), Deployment>,
    /// Project permissions, many for one project.
    pub project_permissions: BTreeMap<Name, ProjectPermission>,
}

/// A user or service account.
#[derive(Debug, Clone)]
pub struct User {
    /// Which kind.
    pub kind: Kind,
    /// Whether it may do anything at all.
    pub enabled: bool,
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

/// What is asked.
#[derive(Debug, Clone)]
pub enum Request {
    /// To execute.
    Execute(Execute),
    /// To restart a run.
    Restart(Execute),
    /// To deploy.
    Deploy(Deploy),
    /// To store one object that differs.
    Push(Push),
    /// To do what one permission stands for: in an environment, or in the tenant.
    Act {
        /// Who.
        principal: Name,
        /// By which way.
        channel: Channel,
        /// The permission.
        permission: Name,
        /// Where, for what happens in an environment.
        environment: Option<Name>,
    },
}

/// An execute request.
#[derive(Debug, Clone)]
pub struct Execute {
    /// Who.
    pub principal: Name,
    /// By which way.
    pub channel: Channel,
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
    pub principal: Name,
    /// By which way.
    pub channel: Channel,
    /// Where.
    pub environment: Name,
    /// The accounts of the version's authority manifest.
    pub needs: Names,
    /// The accounts that are bound there.
    pub bound: Names,
    /// The same digest had a green run in the environment before.
    pub green: bool,
}

/// One object of a push.
#[derive(Debug, Clone)]
pub struct Push {
    /// Who.
    pub principal: Name,
    /// By which way.
    pub channel: Channel,
    /// The project; none has the name of the Default Project but itself.
    pub project: Name,
    /// `<kind>.create`, `.update` or `.delete`.
    pub permission: Name,
}
