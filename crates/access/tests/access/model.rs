//! Random small tenants: the crate against a model written a second time, from the words of
//! `docs/access.md` alone, with sets and loops and nothing compiled.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::{Grant, Scope, decide, decide_deploy, decide_execute, decide_push, why_by};
use lockgate_model::{
    Channel, Kind, Permission as P, Principal, Target, TargetKind,
    definition::{Acl, Assignment, DeployedApi, Profile, ProjectPermission, Tenant as TenantRow, User, ValidIn},
    permission::Permissions,
    principal::{CredentialKind, UserKind},
};
use serde_json::json;

use crate::tenant::*;

/// SplitMix64: a case is found again by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
    fn some<T: Clone + Ord>(&mut self, from: &[T], percent: usize) -> BTreeSet<T> {
        from.iter().filter(|_| self.chance(percent)).cloned().collect()
    }
}

type Name = &'static str;
const ENVIRONMENTS: [Name; 3] = ["development", "test", "live"];
const PROFILES: [Name; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
const GROUPS: [Name; 2] = ["g0", "g1"];
const USERS: [Name; 4] = ["u0", "u1", "u2", "u3"];
const ACLS: [Name; 3] = ["default", "a1", "a2"];
const PROJECTS: [Name; 2] = ["x", "y"];
/// What each project holds: an orchestration and an API in front of it.
const HELD: [(Name, Name, TargetKind); 2] = [("xo", "xa", TargetKind::RestApis), ("yo", "ya", TargetKind::SoapApis)];
const PERMISSIONS: [P; 12] = [
    P::IntegrationsExecute,
    P::RestApisExecute,
    P::SoapApisExecute,
    P::Deploy,
    P::RunsControl,
    P::LogsView,
    P::UserManagement,
    P::StagesAdminister,
    P::UserInterfaceAccess,
    P::ManagePersonalSetup,
    P::IntegrationsUpdate,
    P::AccountsUpdate,
];

/// `None`: valid in all environments.
type ValidWhere = Option<BTreeSet<Name>>;

#[derive(Clone)]
struct Person {
    kind: UserKind,
    enabled: bool,
    api_allowed: bool,
    profiles: BTreeSet<Name>,
    groups: BTreeSet<Name>,
}
#[derive(Clone)]
struct Active {
    publisher: Name,
    adopter: Option<Name>,
}
/// Permissions on a project, the users and the groups they are given to.
type Given = (BTreeSet<P>, BTreeSet<Name>, BTreeSet<Name>);
#[derive(Clone)]
struct World {
    suspended: bool,
    profiles: BTreeMap<Name, (BTreeSet<P>, ValidWhere)>,
    groups: BTreeMap<Name, BTreeSet<Name>>,
    people: BTreeMap<Name, Person>,
    acls: BTreeMap<Name, BTreeSet<Name>>,
    assigned: BTreeMap<(Name, TargetKind, Name), Name>,
    active: BTreeMap<(Name, usize), Active>,
    project: BTreeMap<Name, Given>,
}

fn kinds() -> [(Name, TargetKind); 4] {
    let [(xo, xa, rest), (yo, ya, soap)] = HELD;
    [(xo, TargetKind::Integrations), (xa, rest), (yo, TargetKind::Integrations), (ya, soap)]
}

fn world(dice: &mut Dice) -> World {
    let mut world = World {
        suspended: dice.chance(3),
        profiles: BTreeMap::new(),
        groups: BTreeMap::new(),
        people: BTreeMap::new(),
        acls: BTreeMap::new(),
        assigned: BTreeMap::new(),
        active: BTreeMap::new(),
        project: BTreeMap::new(),
    };
    for profile in PROFILES {
        let mut places = dice.some(&ENVIRONMENTS, 45);
        if places.is_empty() {
            places.insert(dice.pick(&ENVIRONMENTS));
        }
        let places = if dice.chance(25) { None } else { Some(places) };
        world.profiles.insert(profile, (dice.some(&PERMISSIONS, 40), places));
    }
    for group in GROUPS {
        world.groups.insert(group, dice.some(&PROFILES, 20));
    }
    for user in USERS {
        let kind = dice.pick(&[UserKind::Native, UserKind::Native, UserKind::Idp, UserKind::Service]);
        let (enabled, api_allowed) = (dice.chance(88), dice.chance(50));
        let (profiles, groups) = (dice.some(&PROFILES, 25), dice.some(&GROUPS, 30));
        world.people.insert(user, Person { kind, enabled, api_allowed, profiles, groups });
    }
    for acl in ACLS {
        world.acls.insert(acl, dice.some(&PROFILES, 40));
    }
    for environment in ENVIRONMENTS {
        for (name, kind) in kinds() {
            if dice.chance(65) {
                world.assigned.insert((environment, kind, name), dice.pick(&ACLS));
            }
        }
        for project in 0..PROJECTS.len() {
            if dice.chance(70) {
                let publisher = dice.pick(&[USERS[0], USERS[1], USERS[2], USERS[3], "gone"]);
                let adopter = if dice.chance(30) { Some(dice.pick(&USERS)) } else { None };
                world.active.insert((environment, project), Active { publisher, adopter });
            }
        }
    }
    for project in PROJECTS {
        let editing = [P::IntegrationsUpdate, P::AccountsUpdate, P::IntegrationsExecute];
        world.project.insert(project, (dice.some(&editing, 50), dice.some(&USERS, 25), dice.some(&GROUPS, 25)));
    }
    world
}

impl World {
    fn rows(&self) -> Tenant {
        let mut rows = Tenant::default();
        let all = |names: &BTreeSet<Name>| names.iter().copied().collect::<Vec<_>>();
        rows.put(
            Kind::Tenant,
            "tenant",
            &TenantRow { title: String::new(), suspended: self.suspended, retention: Default::default() },
        );
        for (order, environment) in (0..).zip(ENVIRONMENTS) {
            rows.put(Kind::Environment, environment, &json!({"title": "", "order": order}));
        }
        for (name, (permissions, places)) in &self.profiles {
            let permissions: Vec<P> = permissions.iter().copied().collect();
            rows.profile(name, &permissions, places.as_ref().map(&all).as_deref());
        }
        for (name, profiles) in &self.groups {
            rows.group(name, &all(profiles));
        }
        for (name, person) in &self.people {
            let user = User {
                kind: person.kind,
                title: String::new(),
                enabled: person.enabled,
                api_allowed: person.api_allowed,
                profiles: ids(&all(&person.profiles)),
                groups: ids(&all(&person.groups)),
            };
            rows.put(Kind::User, name, &user);
        }
        for (name, profiles) in &self.acls {
            rows.put(Kind::Acl, name, &Acl { title: String::new(), profiles: ids(&all(profiles)) });
        }
        for ((environment, kind, name), acl) in &self.assigned {
            rows.assign(&format!("{environment}/{}/{name}", kind.as_str()), acl);
        }
        for project in PROJECTS {
            rows.put(Kind::Project, project, &json!({"title": ""}));
            let (permissions, users, groups) = &self.project[project];
            let given = ProjectPermission {
                permissions: permissions.iter().copied().collect(),
                users: ids(&all(users)),
                groups: ids(&all(groups)),
            };
            rows.put(Kind::ProjectPermission, &format!("{project}/developer"), &given);
        }
        for ((environment, project), active) in &self.active {
            let (orchestration, api, kind) = HELD[*project];
            let mut row = deployment(PROJECTS[*project], active.publisher, &[orchestration]);
            row.adopted_by = active.adopter.map(id);
            row.apis.insert(id(api), DeployedApi { kind, orchestration: id(orchestration) });
            rows.put(Kind::Deployment, &format!("{environment}/{}", PROJECTS[*project]), &row);
        }
        rows
    }

    // --- the model: ACCESS §1 and §3 in their own words

    fn holds(&self, user: &str) -> BTreeSet<Name> {
        let Some(person) = self.people.get(user) else { return BTreeSet::new() };
        let of_groups = person.groups.iter().flat_map(|group| self.groups[group].iter());
        person.profiles.iter().chain(of_groups).copied().collect()
    }
    fn valid(&self, profile: &str, environment: &str) -> bool {
        self.profiles[profile].1.as_ref().is_none_or(|places| places.contains(environment))
    }
    fn everywhere(&self, profile: &str) -> bool {
        self.profiles[profile].1.is_none()
    }
    /// Held in an environment by a profile valid there.
    fn may(&self, user: &str, permission: P, environment: &str) -> bool {
        let only_from_everywhere = [
            P::UserManagement,
            P::AccessControl,
            P::ManageCompanyCapabilities,
            P::AuditLog,
            P::StagesAdminister,
            P::AdvancedSecurityAdminister,
            P::SolutionCreate,
            P::SolutionUpdate,
            P::SolutionDelete,
        ];
        let service = self.people.get(user).is_some_and(|p| p.kind == UserKind::Service);
        if service && permission == P::UserInterfaceAccess {
            return false;
        }
        self.holds(user).into_iter().any(|profile| {
            self.valid(profile, environment)
                && self.profiles[profile].0.contains(&permission)
                && (self.everywhere(profile) || !only_from_everywhere.contains(&permission))
        })
    }
    fn may_in_tenant(&self, user: &str, permission: P) -> bool {
        let service = self.people.get(user).is_some_and(|p| p.kind == UserKind::Service);
        if service && permission == P::UserInterfaceAccess {
            return false;
        }
        let personal = [P::UserInterfaceAccess, P::ManagePersonalSetup].contains(&permission);
        self.holds(user)
            .into_iter()
            .any(|profile| self.profiles[profile].0.contains(&permission) && (personal || self.everywhere(profile)))
    }
    fn given_on_project(&self, user: &str, project: &str) -> BTreeSet<P> {
        let Some((permissions, users, groups)) = self.project.get(project) else { return BTreeSet::new() };
        let member = self.people[user].groups.iter().any(|group| groups.contains(group));
        if users.contains(user) || member { permissions.clone() } else { BTreeSet::new() }
    }
    fn any_profile_in(&self, user: &str, environment: &str) -> bool {
        self.holds(user).into_iter().any(|profile| self.valid(profile, environment))
    }
    /// 403 for the tenant, the user or the way in.
    fn standing(&self, who: &Principal, channel: Channel) -> bool {
        let person = &self.people[who.user.as_str()];
        let console = who.credential == CredentialKind::Session;
        let by_key_or_password = matches!(who.credential, CredentialKind::Basic | CredentialKind::ApiKey);
        let api_way = matches!(channel, Channel::Rest | Channel::Soap | Channel::Schedule | Channel::Poll);
        let by_itself = matches!(channel, Channel::Schedule | Channel::Poll | Channel::SubFlow);
        let open = match person.kind {
            UserKind::Native => true,
            UserKind::Idp => person.api_allowed || !(api_way || by_key_or_password),
            UserKind::Service => !console,
        };
        !self.suspended && person.enabled && open && (who.credential != CredentialKind::RunAs || by_itself)
    }
    fn stands(&self, active: &Active, environment: &str) -> bool {
        let right =
            |user: &str| self.people.get(user).is_some_and(|p| p.enabled) && self.may(user, P::Deploy, environment);
        right(active.publisher) || active.adopter.is_some_and(right)
    }
    fn visible(&self, who: &Principal, environment: &str) -> bool {
        let user = who.user.as_str();
        self.people.contains_key(user)
            && ENVIRONMENTS.contains(&environment)
            && self.any_profile_in(user, environment)
            && who.only_environment.as_ref().is_none_or(|only| only.as_str() == environment)
    }

    fn one(
        &self,
        who: &Principal,
        environment: Name,
        kind: TargetKind,
        name: Name,
        channel: Channel,
    ) -> lockgate_access::Verdict {
        let project = HELD.iter().position(|(o, a, _)| *o == name || *a == name);
        let known = project.is_some_and(|p| ENVIRONMENTS.iter().any(|e| self.active.contains_key(&(*e, p))))
            && kinds().contains(&(name, kind));
        let (true, true, Some(project)) = (self.visible(who, environment), known, project) else { return E404 };
        let user = who.user.as_str();
        let control = matches!(channel, Channel::Restart | Channel::Resume);
        if !self.standing(who, channel) || (control && !self.may(user, P::RunsControl, environment)) {
            return E403;
        }
        let active = self.active.get(&(environment, project));
        let own = self.assigned.get(&(environment, kind, name));
        let of_orchestration = self.assigned.get(&(environment, TargetKind::Integrations, HELD[project].0));
        let list = match (own, active) {
            (Some(own), _) => own,
            (None, Some(_)) => match of_orchestration {
                Some(list) if kind != TargetKind::Integrations => list,
                _ => return E403,
            },
            // What the first deploy would assign.
            (None, None) => &"default",
        };
        let opens = |profile: &Name| {
            self.valid(profile, environment)
                && self.acls[list].contains(profile)
                && self.profiles[profile].0.contains(&kind.execute())
        };
        match (self.holds(user).iter().any(opens), active) {
            (false, _) => E403,
            (true, Some(active)) if self.stands(active, environment) => ALLOW,
            (true, _) => E409,
        }
    }

    fn execute(
        &self,
        who: &Principal,
        environment: Name,
        kind: TargetKind,
        name: Name,
        channel: Channel,
    ) -> lockgate_access::Verdict {
        let first = self.one(who, environment, kind, name, channel);
        let behind = HELD.iter().position(|(_, api, of)| *api == name && *of == kind);
        match behind {
            Some(project) if first == ALLOW => {
                self.one(who, environment, TargetKind::Integrations, HELD[project].0, channel)
            }
            // 403 goes before 409, of whichever part.
            Some(project) if first == E409 && self.active.contains_key(&(environment, project)) => {
                match self.one(who, environment, TargetKind::Integrations, HELD[project].0, channel) {
                    E403 => E403,
                    _ => E409,
                }
            }
            _ => first,
        }
    }
}

fn anyone(dice: &mut Dice) -> Principal {
    let credential = dice.pick(&[
        CredentialKind::Basic,
        CredentialKind::Basic,
        CredentialKind::ApiKey,
        CredentialKind::Session,
        CredentialKind::RunAs,
    ]);
    let user = dice.pick(&["u0", "u1", "u2", "u3", "u0", "u1", "u2", "u3", "nobody"]);
    let narrowed = credential == CredentialKind::ApiKey && dice.chance(40);
    let only_environment = narrowed.then(|| id(dice.pick(&ENVIRONMENTS)));
    Principal { only_environment, ..principal(user, credential) }
}

fn any_channel(dice: &mut Dice) -> Channel {
    use Channel::*;
    dice.pick(&[Rest, Rest, Rest, Soap, Schedule, Poll, SubFlow, Manual, Manual, Restart, Resume])
}

const ASKED: usize = 40;

/// Tenants that are made up: 60,000 decisions of each kind for every push, 6 million with
/// `./test --long`.
fn worlds() -> u64 {
    if std::env::var_os("LOCKGATE_LONG").is_some() { 150_000 } else { 1_500 }
}

#[test]
fn execute_is_what_the_model_says() {
    let mut answers = BTreeMap::new();
    for seed in 0..worlds() {
        let mut dice = Dice(seed);
        let world = world(&mut dice);
        let snapshot = world.rows().snapshot();
        for _ in 0..ASKED {
            let who = anyone(&mut dice);
            let environment = dice.pick(&["development", "test", "live", "live", "moon"]);
            let (name, kind) = dice.pick(&kinds());
            let kind = if dice.chance(5) { TargetKind::RestApis } else { kind };
            let channel = any_channel(&mut dice);
            let target = Target { environment: id(environment), kind, name: id(name) };
            let decision = decide_execute(&snapshot, &who, target.clone(), channel, NOW);
            let expected = world.execute(&who, environment, kind, name, channel);
            assert_eq!(
                decision.verdict(),
                expected,
                "seed {seed}: {who:?} {target:?} {channel:?}: {}",
                decision.rule()
            );
            *answers.entry(format!("{expected:?}")).or_insert(0) += 1;

            let explained = why_by(&snapshot, &who, &target, channel);
            assert_eq!((explained.allowed, explained.rule.as_str()), (decision.is_allowed(), decision.rule()));
            assert_eq!(explained.missing.is_empty(), explained.allowed, "seed {seed}: {explained}");
            assert_eq!(explained.paths.is_empty(), !explained.allowed, "seed {seed}: {explained}");
        }
    }
    assert!(answers.len() == 4 && answers.values().all(|n| *n > 500), "every answer is asked for: {answers:?}");
}

#[test]
fn acts_are_what_the_model_says() {
    let mut answers = BTreeMap::new();
    for seed in 0..worlds() {
        let mut dice = Dice(seed ^ 0xAC75);
        let world = world(&mut dice);
        let snapshot = world.rows().snapshot();
        for _ in 0..ASKED {
            let who = anyone(&mut dice);
            let user = who.user.as_str();
            let exists = world.people.contains_key(user);
            let permission = dice.pick(&PERMISSIONS);
            let project = dice.pick(&["x", "y", "new"]);
            let environment = dice.pick(&["development", "test", "live", "moon"]);
            let sees_project = exists
                && (world.any_profile_in(user, "development") || !world.given_on_project(user, project).is_empty());
            let narrowed_off =
                |within: &[&str]| who.only_environment.as_ref().is_some_and(|e| !within.contains(&e.as_str()));
            let on_project = |permission: P| {
                world.may(user, permission, "development")
                    || world.given_on_project(user, project).contains(&permission)
            };
            let forbid = |yes: bool| if yes { ALLOW } else { E403 };
            let standing = exists && world.standing(&who, Channel::Admin);
            let at = Channel::Admin;
            let (what, verdict, expected) = match dice.roll(5) {
                0 => {
                    let got = decide(&snapshot, &who, permission, Scope::Tenant, at, NOW).verdict();
                    let yes = standing && !narrowed_off(&[]) && world.may_in_tenant(user, permission);
                    ("tenant", got, if exists { forbid(yes) } else { E404 })
                }
                1 => {
                    let scope = Scope::Environment(id(environment));
                    let got = decide(&snapshot, &who, permission, scope, at, NOW).verdict();
                    let yes = standing && world.may(user, permission, environment);
                    ("environment", got, if world.visible(&who, environment) { forbid(yes) } else { E404 })
                }
                2 => {
                    let got = decide(&snapshot, &who, permission, Scope::Project(id(project)), at, NOW).verdict();
                    let yes = standing && !narrowed_off(&["development"]) && on_project(permission);
                    ("project", got, if sees_project { forbid(yes) } else { E404 })
                }
                3 => {
                    let needs = [P::IntegrationsUpdate, dice.pick(&[P::AccountsUpdate, P::IntegrationsUpdate])];
                    let set: Permissions = needs.into_iter().collect();
                    let got = decide_push(&snapshot, &who, id(project), set, at, NOW).verdict();
                    let yes = standing && !narrowed_off(&["development"]) && needs.into_iter().all(on_project);
                    ("push", got, if sees_project { forbid(yes) } else { E404 })
                }
                _ => {
                    let got = decide_deploy(&snapshot, &who, id(environment), id(project), at, NOW).verdict();
                    let yes = standing && world.may(user, P::Deploy, environment);
                    ("deploy", got, if world.visible(&who, environment) { forbid(yes) } else { E404 })
                }
            };
            assert_eq!(verdict, expected, "seed {seed}: {what} by {who:?}: {permission} {environment} {project}");
            *answers.entry(format!("{what} {expected:?}")).or_insert(0) += 1;
        }
    }
    assert!(answers.len() == 15 && answers.values().all(|n| *n > 100), "every answer is asked for: {answers:?}");
}

/// What `why` says would help does help: with the first remedy of every missing link in place, the
/// same request is allowed.
#[test]
fn the_remedies_heal() {
    let mut healed = 0;
    for seed in 0..400 {
        let mut dice = Dice(seed ^ 0x4EA1);
        let world = world(&mut dice);
        let mut rows = world.rows();
        let snapshot = rows.snapshot();
        let who = Principal { user: id(dice.pick(&USERS)), ..by_basic("u0") };
        let (name, kind) = dice.pick(&kinds());
        let target = Target { environment: id(dice.pick(&ENVIRONMENTS)), kind, name: id(name) };
        let channel = any_channel(&mut dice);
        let explained = why_by(&snapshot, &who, &target, channel);
        let all = |missing: &lockgate_access::Missing| {
            let remedy = missing.remedies.iter().find(|steps| steps.iter().all(|step| can_apply(&step.grant)));
            remedy.map(|steps| steps.iter().map(|step| step.grant.clone()).collect::<Vec<_>>())
        };
        let Some(steps) = explained.missing.iter().map(all).collect::<Option<Vec<_>>>() else { continue };
        if explained.allowed || !explained.missing.iter().all(|m| !m.remedies.is_empty()) {
            continue;
        }
        steps.iter().flatten().for_each(|grant| apply(&mut rows, grant));
        let answer = rows.execute(&who, target.clone(), channel);
        assert_eq!(answer.0, ALLOW, "seed {seed}: {} after\n{explained}", answer.1);
        healed += 1;
    }
    assert!(healed > 100, "only {healed} were healed");
}

fn can_apply(grant: &Grant) -> bool {
    !matches!(grant, Grant::Deploy(..) | Grant::AddUser(_) | Grant::AddEnvironment(_))
}

fn apply(rows: &mut Tenant, grant: &Grant) {
    match grant {
        Grant::EnableUser(user) => rows.edit(Kind::User, user.as_str(), |u: &mut User| u.enabled = true),
        Grant::AllowApi(user) => rows.edit(Kind::User, user.as_str(), |u: &mut User| u.api_allowed = true),
        Grant::GiveProfile(user, profile) => {
            rows.edit(Kind::User, user.as_str(), |u: &mut User| u.profiles.push(profile.clone()));
        }
        Grant::AddProfile(profile, permission, environment) => {
            rows.profile(profile.as_str(), &[*permission], Some(&[environment.as_str()]));
        }
        Grant::Permit(profile, permission) => {
            rows.edit(Kind::Profile, profile.as_str(), |p: &mut Profile| p.permissions.insert(*permission));
        }
        Grant::Extend(profile, environment) => rows.edit(Kind::Profile, profile.as_str(), |p: &mut Profile| {
            if let ValidIn::Environments(named) = &mut p.valid_in {
                named.push(environment.clone());
            }
        }),
        Grant::ListProfile(acl, profile) => {
            rows.edit(Kind::Acl, acl.as_str(), |a: &mut Acl| a.profiles.push(profile.clone()));
        }
        Grant::Assign(acl, target) => {
            let place = format!("{}/{}/{}", target.environment, target.kind.as_str(), target.name);
            rows.put(Kind::Assignment, &place, &Assignment { acl: acl.clone() });
        }
        Grant::ResumeTenant(_) => rows.edit(Kind::Tenant, "tenant", |t: &mut TenantRow| t.suspended = false),
        Grant::Deploy(..) | Grant::AddUser(_) | Grant::AddEnvironment(_) => panic!("not applied here"),
    }
}
