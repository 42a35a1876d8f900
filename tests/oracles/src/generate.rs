//! Tenants and requests by chance, from a seed. Rows fit together, as a snapshot demands; only who
//! published may be gone. What changes in a tenant by chance is in [`crate::mutate`].

use std::collections::BTreeMap;

use crate::random::Random;

use crate::world::*;

/// Environments of every world, in promotion order.
pub const ENVIRONMENTS: [&str; 4] = ["development", "test", "prelive", "live"];
/// An environment that changes make and end.
pub const MOON: &str = "moon";
pub(crate) const PROFILES: [&str; 7] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6"];
pub(crate) const GROUPS: [&str; 3] = ["g0", "g1", "g2"];
pub(crate) const USERS: [&str; 6] = ["u0", "u1", "u2", "u3", "u4", "u5"];
pub(crate) const ACLS: [&str; 3] = ["default", "a1", "a2"];
/// Projects of every world. Each holds an orchestration and an API in front of it.
pub const PROJECTS: [&str; 3] = ["default", "x", "y"];
pub(crate) const GLOBAL: [&str; 7] = [
    "user-management",
    "access-control",
    "manage-company-capabilities",
    "audit-log",
    "stages-administer",
    "advanced-security-administer",
    "solution-create",
];
pub(crate) const PERSONAL: [&str; 2] = ["user-interface-access", "manage-personal-setup"];
pub(crate) const PLACED: [&str; 4] = ["deploy", "runs-control", "logs-view", "apis-manage"];
pub(crate) const EXECUTE: [&str; 3] = ["integrations.execute", "rest-apis.execute", "soap-apis.execute"];
/// Names of project permissions, and the project of each.
pub(crate) const GIVEN: [(&str, &str); 3] = [("one", "default"), ("two", "x"), ("three", "x")];
const ACCOUNTS: [&str; 3] = ["erp", "files", "mail"];
const HOSTS: [&str; 3] = ["a.example", "b.example", "c.example"];
const SCHEMES: [&str; 2] = ["basic", "bearer"];
/// Names of API keys. Changes end them, and make them anew.
pub const KEYS: [&str; 6] = ["k0", "k1", "k2", "k3", "k4", "k5"];
pub(crate) const EDIT: [&str; 4] =
    ["integrations.create", "integrations.update", "accounts.delete", "listeners.update"];

pub(crate) fn some(random: &mut Random, of: &[&str], percent: usize) -> Names {
    of.iter().filter(|_| random.percent(percent)).map(|name| (*name).to_owned()).collect()
}

/// The orchestration of a project.
pub fn orchestration(project: &str) -> Target {
    Target { project: project.to_owned(), kind: TargetKind::Orchestration, name: format!("{project}-flow") }
}

/// The API in front of it.
pub fn api(project: &str) -> Target {
    let kind = if project == "y" { TargetKind::SoapApi } else { TargetKind::RestApi };
    Target { project: project.to_owned(), kind, name: format!("{project}-api") }
}

/// A tenant.
pub fn world(random: &mut Random) -> World {
    let mut world = World { suspended: random.percent(2), asks_second_factor: random.percent(10), ..World::default() };
    world.environments = ENVIRONMENTS.map(str::to_owned).into();
    world.ask_for_green_run = some(random, &ENVIRONMENTS, 20);
    for name in PROFILES {
        let mut named = some(random, &ENVIRONMENTS, 50);
        named.insert(random.pick(&ENVIRONMENTS).to_owned());
        let valid = if random.percent(30) { Valid::Everywhere } else { Valid::In(named) };
        let mut permissions = some(random, &EXECUTE, 60);
        for (of, percent) in [(&GLOBAL[..], 30), (&PERSONAL, 40), (&PLACED, 45), (&EDIT, 30)] {
            permissions.extend(some(random, of, percent));
        }
        world.profiles.insert(name.to_owned(), Profile { permissions, valid });
    }
    for name in GROUPS {
        world.groups.insert(name.to_owned(), Group { profiles: some(random, &PROFILES, 20) });
    }
    for name in USERS {
        let kind = match random.below(5) {
            0 => Kind::Service,
            1 => Kind::Idp { calls_apis: random.percent(50) },
            _ => Kind::Native,
        };
        let (profiles, groups) = (some(random, &PROFILES, 25), some(random, &GROUPS, 30));
        let (enabled, second_factor) = (random.percent(90), random.percent(50));
        world.users.insert(name.to_owned(), User { kind, enabled, second_factor, profiles, groups });
    }
    world.acls = ACLS.map(|name| (name.to_owned(), some(random, &PROFILES, 50))).into();
    for project in PROJECTS {
        let (flow, api) = (orchestration(project), api(project));
        world.pushed.extend([&flow, &api].into_iter().filter(|_| random.percent(70)).cloned());
        for environment in ENVIRONMENTS {
            for (target, percent) in [(&flow, 85), (&api, 50)] {
                if random.percent(percent) {
                    let acl = random.pick(&ACLS).to_owned();
                    world.assigned.insert((target.clone(), environment.to_owned()), acl);
                }
            }
            if random.percent(if project == "x" { 30 } else { 75 }) {
                let publisher = if random.percent(5) { "gone" } else { random.pick(&USERS) }.to_owned();
                let adopted = if random.percent(30) { [random.pick(&USERS).to_owned()].into() } else { Names::new() };
                let holds = [(flow.kind, flow.name.clone()), (api.kind, api.name.clone())].into();
                let key = (project.to_owned(), environment.to_owned());
                world.deployments.insert(key, Deployment { publisher, adopted, holds });
            }
        }
    }
    let mut given = BTreeMap::new();
    for (name, project) in GIVEN {
        let permissions = some(random, &[&EDIT[..], &EXECUTE].concat(), 50);
        let (users, groups) = (some(random, &USERS, 25), some(random, &GROUPS, 25));
        given.insert(name.to_owned(), ProjectPermission { project: project.to_owned(), permissions, users, groups });
    }
    world.project_permissions = given;
    for name in ["s0", "s1", "s2"] {
        let mut environments = some(random, &ENVIRONMENTS, 40);
        environments.insert(random.pick(&ENVIRONMENTS).to_owned());
        let from = HOURS - i64::try_from(random.below(90)).unwrap_or_default();
        let until = from + 1 + i64::try_from(random.below(90)).unwrap_or_default();
        let giver = random.pick(&USERS).to_owned();
        world.support.insert(name.to_owned(), Support { environments, giver, from, until });
    }
    for name in KEYS {
        let user = random.pick(&USERS).to_owned();
        world.keys.insert(name.to_owned(), key(random, user));
    }
    world
}

/// An API key of a user.
pub(crate) fn key(random: &mut Random, user: Name) -> Key {
    let names = PROJECTS.into_iter().flat_map(|project| [orchestration(project).name, api(project).name]);
    let narrowed = random.percent(30);
    let targets = names.filter(|_| narrowed && random.percent(50)).collect();
    let environment = random.percent(60).then(|| random.pick(&ENVIRONMENTS).to_owned());
    let ends = match random.below(10) {
        0 => Some(NOW - 1),
        1 => Some(NOW),
        2 => Some(NOW + 1),
        _ => None,
    };
    Key { user, environment, targets, ends }
}

/// Who asks, by hand or by an API; a key is no password and no session.
fn caller(random: &mut Random, world: &World, ways: &[Channel]) -> Caller {
    let principal = if random.percent(3) { "nobody" } else { random.pick(&USERS) };
    let channel = ways[random.below(ways.len())];
    let mut caller = Caller { foreign: random.percent(1), ..Caller::new(principal, channel) };
    let by_key = matches!(channel, Channel::Rest | Channel::Soap | Channel::Cli | Channel::SubFlow);
    if by_key && !caller.foreign && random.percent(15) {
        let name = random.pick(&KEYS);
        if let Some(key) = world.keys.get(name) {
            caller.principal = key.user.clone();
        }
        caller.key = Some(Shown { name: name.to_owned(), right: random.percent(97) });
    }
    caller
}

/// By hand, and now and then by what has no hand.
fn by_hand(random: &mut Random, world: &World) -> Caller {
    let ways: &[Channel] =
        if random.percent(3) { &[Channel::Schedule, Channel::Poll] } else { &[Channel::Cli, Channel::Console] };
    caller(random, world, ways)
}

fn deploy(random: &mut Random, caller: Caller, environment: Name, project: Name) -> Deploy {
    let mut bound = BTreeMap::new();
    for name in some(random, &ACCOUNTS, 80) {
        let connector = random.pick(&["https", "https", "sftp"]).to_owned();
        let scheme = random.percent(60).then(|| random.pick(&SCHEMES).to_owned());
        let host = random.pick(&HOSTS).to_owned();
        bound.insert(name, Binding { connector, scheme, host });
    }
    // Mostly what is bound, so that some of it is covered.
    let mut needs = std::collections::BTreeSet::new();
    for (name, of) in &bound {
        if random.percent(50) {
            continue;
        }
        let other = random.percent(5).then(|| random.pick(&SCHEMES).to_owned());
        let scheme = if random.percent(30) { of.scheme.clone() } else { other };
        needs.insert((name.clone(), of.connector.clone(), scheme));
    }
    for name in some(random, &ACCOUNTS, 8) {
        needs.insert((name, random.pick(&["https", "sftp"]).to_owned(), None));
    }
    let hosts = if random.percent(40) { some(random, &HOSTS, 40) } else { Names::new() };
    let run_as = random.percent(20).then(|| random.pick(&USERS).to_owned());
    Deploy { caller, environment, project, needs, hosts, bound, green: random.percent(60), run_as }
}

/// The hour of most requests.
const HOURS: i64 = 400_000;

/// A request, mostly about what there is.
pub fn request(random: &mut Random, world: &World) -> Request {
    let environment = if random.percent(3) { MOON } else { random.pick(&ENVIRONMENTS) }.to_owned();
    let kind = random.below(15);
    if kind <= 7 {
        let project = random.pick(&PROJECTS);
        let through = random.percent(50).then(|| api(project));
        let ways = [
            Channel::Rest,
            Channel::Soap,
            Channel::Cli,
            Channel::Console,
            Channel::Schedule,
            Channel::Poll,
            Channel::SubFlow,
        ];
        let restart = kind >= 6;
        let caller = if restart { by_hand(random, world) } else { caller(random, world, &ways) };
        let asked = Execute { caller, orchestration: orchestration(project), through, environment };
        return if restart { Request::Restart(asked) } else { Request::Execute(asked) };
    }
    if kind == 14 {
        let permission =
            random.pick(&["logs-view", "settings-view", "logs-view", "deploy", "user-management"]).to_owned();
        let at = HOURS + i64::try_from(random.below(30)).unwrap_or_default() - 10;
        return Request::Look { permission, environment, at };
    }
    let caller = by_hand(random, world);
    match kind {
        8 => {
            let project = random.pick(&PROJECTS).to_owned();
            Request::Deploy(deploy(random, caller, environment, project))
        }
        9 => {
            let project = random.pick(&PROJECTS).to_owned();
            Request::Adopt { caller, environment, project, ends: random.percent(50) }
        }
        10 => {
            let project = random.pick(&["default", "x", "y", "new"]).to_owned();
            Request::Push(Push { caller, project, permission: random.pick(&EDIT).to_owned() })
        }
        11 => {
            let project = random.pick(&["default", "x", "y", "new"]).to_owned();
            let permission = random.pick(&[&EDIT[..], &["deploy", "export"], &GLOBAL].concat()).to_owned();
            Request::Act { caller, permission, at: Place::Project(project) }
        }
        12 => {
            if random.percent(25) {
                return Request::Console(caller);
            }
            let permission = random.pick(&[&GLOBAL[..], &PERSONAL].concat()).to_owned();
            Request::Act { caller, permission, at: Place::Tenant }
        }
        _ => {
            let permission = random.pick(&[&GLOBAL[..], &PLACED, &PERSONAL].concat()).to_owned();
            Request::Act { caller, permission, at: Place::Environment(environment) }
        }
    }
}
