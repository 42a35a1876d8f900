//! Tenants and requests by chance, from a seed. Rows fit together, as a snapshot demands; only who
//! published may be gone.

use std::collections::BTreeMap;

use crate::random::Random;

use crate::world::*;

/// Environments of every world, in promotion order.
pub const ENVIRONMENTS: [&str; 4] = ["development", "test", "prelive", "live"];
/// Where projects are edited.
pub const DEVELOPMENT: &str = ENVIRONMENTS[0];
const PROFILES: [&str; 7] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6"];
const GROUPS: [&str; 3] = ["g0", "g1", "g2"];
const USERS: [&str; 6] = ["u0", "u1", "u2", "u3", "u4", "u5"];
const ACLS: [&str; 3] = ["default", "a1", "a2"];
/// Projects of every world. Each holds an orchestration and an API in front of it.
pub const PROJECTS: [&str; 3] = ["default", "x", "y"];
const GLOBAL: [&str; 7] = [
    "user-management",
    "access-control",
    "manage-company-capabilities",
    "audit-log",
    "stages-administer",
    "advanced-security-administer",
    "solution-create",
];
const PERSONAL: [&str; 2] = ["user-interface-access", "manage-personal-setup"];
const PLACED: [&str; 4] = ["deploy", "runs-control", "logs-view", "apis-manage"];
const EXECUTE: [&str; 3] = ["integrations.execute", "rest-apis.execute", "soap-apis.execute"];
/// Names of project permissions, and the project of each.
const GIVEN: [(&str, &str); 3] = [("one", "default"), ("two", "x"), ("three", "x")];
const ACCOUNTS: [&str; 3] = ["erp", "files", "mail"];
const EDIT: [&str; 4] = ["integrations.create", "integrations.update", "accounts.delete", "listeners.update"];

fn some(random: &mut Random, of: &[&str], percent: usize) -> Names {
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
    let mut world = World { suspended: random.percent(2), ..World::default() };
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
        world.users.insert(name.to_owned(), User { kind, enabled: random.percent(90), profiles, groups });
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
    world
}

/// Who asks, by hand or by an API; a narrowed key is no password and no session.
fn caller(random: &mut Random, ways: &[Channel]) -> Caller {
    let principal = if random.percent(3) { "nobody" } else { random.pick(&USERS) }.to_owned();
    let channel = ways[random.below(ways.len())];
    let by_key = matches!(channel, Channel::Rest | Channel::Soap | Channel::Cli | Channel::SubFlow);
    let key_of = (by_key && random.percent(12)).then(|| random.pick(&ENVIRONMENTS).to_owned());
    Caller { principal, channel, key_of }
}

const BY_HAND: [Channel; 2] = [Channel::Cli, Channel::Console];

fn deploy(random: &mut Random, caller: Caller, environment: Name, project: Name) -> Deploy {
    let bind = |random: &mut Random, percent| {
        let names = some(random, &ACCOUNTS, percent).into_iter();
        names.map(|name| (name, random.pick(&["https", "https", "sftp"]).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let bound = bind(random, 80);
    // Mostly what is bound, so that some of it is covered.
    let mut needs: std::collections::BTreeSet<_> =
        bound.iter().filter(|_| random.percent(50)).map(|(name, of)| (name.clone(), of.clone())).collect();
    needs.extend(bind(random, 10));
    let run_as = random.percent(20).then(|| random.pick(&USERS).to_owned());
    Deploy { caller, environment, project, needs, bound, green: random.percent(60), run_as }
}

/// The hour of most requests.
const HOURS: i64 = 400_000;

/// A request, mostly about what there is.
pub fn request(random: &mut Random) -> Request {
    let environment = if random.percent(3) { "moon" } else { random.pick(&ENVIRONMENTS) }.to_owned();
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
        let caller = caller(random, if restart { &BY_HAND } else { &ways });
        let asked = Execute { caller, orchestration: orchestration(project), through, environment };
        return if restart { Request::Restart(asked) } else { Request::Execute(asked) };
    }
    if kind == 14 {
        let permission =
            random.pick(&["logs-view", "settings-view", "logs-view", "deploy", "user-management"]).to_owned();
        let at = HOURS + i64::try_from(random.below(30)).unwrap_or_default() - 10;
        return Request::Look { permission, environment, at };
    }
    let caller = caller(random, &BY_HAND);
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
