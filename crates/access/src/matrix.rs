//! Who may do what where: every right of every user, one by one, with the path that gives it; and what a
//! change of the tenant gives and takes.
//!
//! There is no rule in here. The rights are those of [`TenantSnapshot::effective`], which enforcement reads
//! too, and what may be executed is what [`decide_execute`] says; the tests ask `decide…` about every cell.
//! A user is taken to come as its kind does, as in [`crate::why`].
//!
//! Deliberately absent: what nobody may. Whatever has no cell is a no; [`crate::why`] tells what is missing.

use std::{collections::BTreeSet, fmt};

use lockgate_model::{
    Permission, Target, TargetKind, Timestamp,
    id::{AclId, EnvironmentId, ProfileId, ProjectId, TargetName, UserId},
};
use serde::{Serialize, Serializer};

use crate::{
    Scope, TenantSnapshot, Via, administer, decide_execute,
    explain::{path, via, way_in},
};

/// Cells of one page.
const CELLS_MAX: usize = 10_000;
/// Questions asked for one page: it may have few cells among many users.
const QUESTIONS_MAX: usize = 200_000;

/// A right that a user has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Who.
    pub user: UserId,
    /// Where.
    #[serde(serialize_with = "as_text")]
    pub scope: Scope,
    /// What.
    #[serde(serialize_with = "as_text")]
    pub right: Right,
    /// What gives it.
    #[serde(flatten)]
    pub by: By,
    /// How the user has that.
    pub via: Via,
}

/// What a user may do in a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// What the permission is asked for. To hold `<kind>.execute` opens nothing yet: a list has to.
    Permission(Permission),
    /// To run what is deployed.
    Execute(TargetKind, TargetName),
}

/// `deploy`, `execute integrations/order`.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission(permission) => permission.fmt(f),
            Self::Execute(kind, name) => write!(f, "execute {}/{name}", kind.as_str()),
        }
    }
}

/// What gives a right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum By {
    /// An access profile; to execute, by being on a list.
    Profile {
        /// The profile.
        profile: ProfileId,
        /// The list of the target.
        #[serde(skip_serializing_if = "Option::is_none")]
        acl: Option<AclId>,
    },
    /// A permission on the project.
    ProjectPermission {
        /// Its name.
        project_permission: String,
    },
}

fn as_text<S: Serializer>(text: &impl fmt::Display, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(text)
}

/// Which part of the matrix: everything, unless narrowed.
#[derive(Debug, Clone, Default)]
pub struct MatrixPart {
    /// Of this user alone.
    pub user: Option<UserId>,
    /// In this environment alone.
    pub environment: Option<EnvironmentId>,
    /// Of the users behind this one, in the order of their ids.
    pub after: Option<UserId>,
}

/// Cells of some users, and behind whom it goes on.
#[derive(Debug, Clone, Serialize)]
pub struct MatrixPage {
    /// The cells, by user and scope.
    pub cells: Vec<Cell>,
    /// The last user of this page; absent if there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<UserId>,
}

/// A page of the matrix: whole users, until there are some 10,000 cells or 200,000 questions were asked.
pub fn matrix(snapshot: &TenantSnapshot, part: &MatrixPart) -> MatrixPage {
    let asked = Asked::of(snapshot, part.environment.as_ref());
    let (mut cells, mut questions) = (Vec::new(), 0);
    let mut users = snapshot
        .users()
        .filter(|id| part.user.as_ref().is_none_or(|only| only == *id))
        .skip_while(|id| part.after.as_ref().is_some_and(|after| *id <= after))
        .peekable();
    while let Some(user) = users.next() {
        cells.extend(asked.of_user(snapshot, user));
        questions += asked.questions();
        if (cells.len() >= CELLS_MAX || questions >= QUESTIONS_MAX) && users.peek().is_some() {
            return MatrixPage { cells, next: Some(user.clone()) };
        }
    }
    MatrixPage { cells, next: None }
}

/// What a change gives and takes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Difference {
    /// Rights that are there after it alone.
    pub gained: Vec<Cell>,
    /// Rights that were there before it alone.
    pub lost: Vec<Cell>,
    /// There are more than are told.
    pub more: bool,
}

/// Who may do more and who may do less in `after` than in `before`; some 10,000 of either at most. A right
/// that another path gives is neither.
pub fn difference(before: &TenantSnapshot, after: &TenantSnapshot) -> Difference {
    let (asked_before, asked_after) = (Asked::of(before, None), Asked::of(after, None));
    let mut all = Difference::default();
    let users: BTreeSet<&UserId> = before.users().chain(after.users()).collect();
    for user in users {
        if all.gained.len() >= CELLS_MAX || all.lost.len() >= CELLS_MAX {
            all.more = true;
            break;
        }
        let (was, is) = (asked_before.of_user(before, user), asked_after.of_user(after, user));
        all.gained.extend(without(&is, &was));
        all.lost.extend(without(&was, &is));
    }
    all
}

/// The cells of rights that the others have not.
fn without<'a>(cells: &'a [Cell], others: &[Cell]) -> impl Iterator<Item = Cell> + use<'a> {
    let right = |cell: &Cell| (cell.scope.clone(), cell.right.clone());
    let others: BTreeSet<(Scope, Right)> = others.iter().map(right).collect();
    cells.iter().filter(move |cell| !others.contains(&right(cell))).cloned()
}

/// What is asked about each user.
struct Asked {
    scopes: Vec<Scope>,
    targets: Vec<Target>,
}

impl Asked {
    fn of(snapshot: &TenantSnapshot, within: Option<&EnvironmentId>) -> Self {
        let here = |environment: &&EnvironmentId| within.is_none_or(|only| only == *environment);
        let environments: Vec<&EnvironmentId> = snapshot.environments().into_iter().filter(here).collect();
        let mut scopes: Vec<Scope> = environments.iter().map(|id| Scope::Environment((*id).clone())).collect();
        if within.is_none() {
            scopes.insert(0, Scope::Tenant);
            scopes.extend(snapshot.projects().cloned().map(Scope::Project));
        }
        let deployed = environments.into_iter().filter_map(|id| Some((id, snapshot.environment(id)?)));
        let targets = deployed.flat_map(|(id, here)| {
            let target =
                |(kind, name): (TargetKind, &TargetName)| Target { environment: id.clone(), kind, name: name.clone() };
            here.deployed().into_iter().map(target)
        });
        let targets = targets.collect();
        Self { scopes, targets }
    }

    fn questions(&self) -> usize {
        self.scopes.len() + self.targets.len()
    }

    fn of_user(&self, snapshot: &TenantSnapshot, user: &UserId) -> Vec<Cell> {
        let permissions = self.scopes.iter().flat_map(|scope| permissions(snapshot, user, scope));
        permissions.chain(self.executes(snapshot, user)).collect()
    }

    fn executes<'a>(&'a self, snapshot: &'a TenantSnapshot, user: &'a UserId) -> impl Iterator<Item = Cell> + 'a {
        let (principal, channel) = way_in(snapshot, user);
        self.targets.iter().filter_map(move |target| {
            // The formula has no time in it.
            let decision = decide_execute(snapshot, &principal, target.clone(), channel, Timestamp::from_ms(0));
            let taken = decision.is_allowed().then(|| path(snapshot, user, target))??;
            Some(Cell {
                user: user.clone(),
                scope: Scope::Environment(target.environment.clone()),
                right: Right::Execute(target.kind, target.name.clone()),
                by: By::Profile { profile: taken.profile, acl: Some(taken.acl) },
                via: taken.via,
            })
        })
    }
}

fn permissions<'a>(
    snapshot: &'a TenantSnapshot,
    user: &'a UserId,
    scope: &'a Scope,
) -> impl Iterator<Item = Cell> + 'a {
    let held = snapshot.effective(user, scope);
    held.iter().filter(|permission| scope.asks(*permission)).filter_map(move |permission| {
        let (by, via) = match administer::giving(snapshot, user, permission, scope) {
            Some(profile) => (By::Profile { profile: profile.clone(), acl: None }, via(snapshot, user, profile)?),
            None => {
                let Scope::Project(project) = scope else { return None };
                let (name, via) = given(snapshot, user, project, permission)?;
                (By::ProjectPermission { project_permission: name.to_owned() }, via)
            }
        };
        Some(Cell { user: user.clone(), scope: scope.clone(), right: Right::Permission(permission), by, via })
    })
}

fn given<'a>(
    snapshot: &'a TenantSnapshot,
    user: &UserId,
    project: &ProjectId,
    permission: Permission,
) -> Option<(&'a str, Via)> {
    let (name, given) = administer::project_permission(snapshot, user, project, permission)?;
    if given.users.contains(user) {
        return Some((name, Via::User));
    }
    let groups = &snapshot.rows.users.get(user)?.groups;
    groups.iter().find(|group| given.groups.contains(group)).map(|group| (name, Via::Group(group.clone())))
}
