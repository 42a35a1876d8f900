//! The matrix of a tenant, and what a change gives and takes: each cell beside what `decide` and
//! `decide_execute` say to the same question, and beside the set model; in tenants by chance.

use std::collections::BTreeMap;

use lockgate_access::{By, Cell, MatrixPart, Scope, TenantSnapshot, decide, decide_execute, difference, matrix};
use lockgate_model::{
    Channel, Permission, Principal, Target, TargetKind, Timestamp, id::UserId, principal::CredentialKind,
};
use lockgate_oracles::{
    generate::{self, api, orchestration},
    product,
    random::Random,
    sets::{self, Answer},
    world::{self, Caller, Kind, Request, World},
};

const SEED: u64 = 7;
const WORLDS: u64 = 60;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// What is allowed, by user, scope and right: the rule that says so.
type Allowed = BTreeMap<(String, String, String), String>;

/// By asking every question.
fn decided(snapshot: &TenantSnapshot, world: &World) -> Allowed {
    let mut allowed = Allowed::new();
    for (name, user) in &world.users {
        let credential = match user.kind {
            Kind::Native => CredentialKind::Basic,
            Kind::Idp { .. } => CredentialKind::Session,
            Kind::Service => CredentialKind::ApiKey,
        };
        let principal = Principal {
            tenant: snapshot.tenant().clone(),
            user: id(name),
            credential,
            only_environment: None,
            only_targets: Vec::new(),
        };
        let session = credential == CredentialKind::Session;
        let caller = Caller::new(name, if session { world::Channel::Console } else { world::Channel::Cli });
        let mut put = |scope: &Scope, right: String, decision: &lockgate_access::Decision, model: Answer| {
            assert_eq!(decision.is_allowed(), model == Answer::Allowed, "{name} {scope} {right}: {}", decision.rule());
            if decision.is_allowed() {
                allowed.insert((name.clone(), scope.to_string(), right), decision.parts()[0].rule().to_owned());
            }
        };
        let mut scopes = vec![(Scope::Tenant, world::Place::Tenant)];
        let environments = world.environments.iter();
        scopes.extend(environments.map(|e| (Scope::Environment(id(e)), world::Place::Environment(e.clone()))));
        let projects = generate::PROJECTS.iter();
        scopes.extend(projects.map(|p| (Scope::Project(id(p)), world::Place::Project((*p).to_owned()))));
        for (scope, at) in &scopes {
            for permission in Permission::ALL.iter().filter(|permission| scope.asks(**permission)) {
                let decision = decide(snapshot, &principal, *permission, scope.clone(), Channel::Admin, Timestamp(0));
                let permission = permission.to_string();
                let request = Request::Act { caller: caller.clone(), permission: permission.clone(), at: at.clone() };
                put(scope, permission, &decision, sets::answer(world, &request));
            }
        }
        for environment in &world.environments {
            for project in generate::PROJECTS {
                for through in [None, Some(api(project))] {
                    let orchestration = orchestration(project);
                    let called = through.as_ref().unwrap_or(&orchestration);
                    let kind = match called.kind {
                        world::TargetKind::Orchestration => TargetKind::Integrations,
                        world::TargetKind::RestApi => TargetKind::RestApis,
                        world::TargetKind::SoapApi => TargetKind::SoapApis,
                    };
                    let target = Target { environment: id(environment), kind, name: id(&called.name) };
                    let right = format!("execute {}/{}", kind.as_str(), called.name);
                    let channel = if credential == CredentialKind::Session { Channel::Manual } else { Channel::Rest };
                    let decision = decide_execute(snapshot, &principal, target, channel, Timestamp(0));
                    let asked = world::Execute {
                        caller: caller.clone(),
                        orchestration,
                        through,
                        environment: environment.clone(),
                    };
                    let scope = Scope::Environment(id(environment));
                    put(&scope, right, &decision, sets::answer(world, &Request::Execute(asked)));
                }
            }
        }
    }
    allowed
}

/// The cells, with the rule that each one's path amounts to.
fn told(cells: &[Cell]) -> Allowed {
    let rule = |cell: &Cell| match &cell.by {
        By::Profile { profile, acl: Some(acl) } => format!("execute.allowed profile={profile} acl={acl}"),
        By::Profile { profile, acl: None } => {
            format!("administer.allowed permission={} profile={profile}", cell.right)
        }
        By::ProjectPermission { project_permission: name } => {
            format!("administer.allowed permission={} project-permission={name}", cell.right)
        }
    };
    let key = |cell: &Cell| (cell.user.to_string(), cell.scope.to_string(), cell.right.to_string());
    let all: Allowed = cells.iter().map(|cell| (key(cell), rule(cell))).collect();
    assert_eq!(all.len(), cells.len(), "a cell stands twice");
    all
}

#[test]
fn every_cell_is_a_yes_of_enforcement_and_every_yes_is_a_cell() {
    let (mut cells, mut by_project_permission) = (0, 0);
    for case in 0..WORLDS {
        let world = generate::world(&mut Random::new(SEED, case));
        let snapshot = product::snapshot(&world);
        let page = matrix(&snapshot, &MatrixPart::default());
        assert_eq!(page.next, None);
        assert_eq!(told(&page.cells), decided(&snapshot, &world), "seed {SEED}, case {case}");
        cells += page.cells.len();
        by_project_permission +=
            page.cells.iter().filter(|cell| matches!(cell.by, By::ProjectPermission { .. })).count();
    }
    assert!(
        cells > 2_000 && by_project_permission > 50,
        "{cells} cells, {by_project_permission} by project permission"
    );
}

#[test]
fn a_part_holds_the_cells_of_the_whole_that_are_of_it() {
    let world = generate::world(&mut Random::new(SEED, 1));
    let snapshot = product::snapshot(&world);
    let whole = matrix(&snapshot, &MatrixPart::default()).cells;
    let only = |wanted: &dyn Fn(&Cell) -> bool| whole.iter().filter(|cell| wanted(cell)).cloned().collect::<Vec<_>>();
    let user: UserId = id("u2");
    let part = MatrixPart { user: Some(user.clone()), ..MatrixPart::default() };
    assert_eq!(matrix(&snapshot, &part).cells, only(&|cell| cell.user == user));
    let part = MatrixPart { after: Some(user.clone()), ..MatrixPart::default() };
    assert_eq!(matrix(&snapshot, &part).cells, only(&|cell| cell.user > user));
    let part = MatrixPart { environment: Some(id("live")), ..MatrixPart::default() };
    assert_eq!(matrix(&snapshot, &part).cells, only(&|cell| cell.scope == Scope::Environment(id("live"))));
    let part = MatrixPart { environment: Some(id("nowhere")), ..MatrixPart::default() };
    assert!(matrix(&snapshot, &part).cells.is_empty());
}

#[test]
fn a_difference_is_what_one_has_and_the_other_has_not() {
    let (mut gained, mut lost) = (0, 0);
    for case in 0..WORLDS {
        let [before, after] = [case, case + WORLDS].map(|case| generate::world(&mut Random::new(SEED, case)));
        let snapshots = [&before, &after].map(product::snapshot);
        let [was, is] = [decided(&snapshots[0], &before), decided(&snapshots[1], &after)];
        let differs = difference(&snapshots[0], &snapshots[1]);
        let without = |one: &Allowed, other: &Allowed| -> Allowed {
            one.iter().filter(|(key, _)| !other.contains_key(*key)).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        assert_eq!(told(&differs.gained), without(&is, &was), "case {case}");
        assert_eq!(told(&differs.lost), without(&was, &is), "case {case}");
        assert!(!differs.more);
        let nothing = difference(&snapshots[0], &product::snapshot(&before));
        assert!(nothing.gained.is_empty() && nothing.lost.is_empty());
        gained += differs.gained.len();
        lost += differs.lost.len();
    }
    assert!(gained > 500 && lost > 500, "{gained} {lost}");
}

#[test]
fn pages_of_many_users_are_the_whole() {
    let mut world = generate::world(&mut Random::new(SEED, 3));
    world.suspended = false;
    let like = world.users.values().max_by_key(|user| user.profiles.len()).unwrap().clone();
    for n in 0..1_500 {
        world.users.insert(format!("m{n:04}"), world::User { enabled: true, ..like.clone() });
    }
    let snapshot = product::snapshot(&world);
    let (mut part, mut users, mut pages) = (MatrixPart::default(), Vec::new(), 0);
    loop {
        let page = matrix(&snapshot, &part);
        assert!(page.cells.len() < 10_200, "{}", page.cells.len());
        users.extend(page.cells.iter().map(|cell| cell.user.clone()));
        pages += 1;
        part.after = page.next;
        if part.after.is_none() {
            break;
        }
    }
    assert!(pages > 2 && users.is_sorted(), "{pages} pages");
    users.dedup();
    assert!(users.len() >= 1_500, "{}", users.len());
}

#[test]
fn the_snapshot_after_changes_decides_as_the_one_of_the_rows_does() {
    use lockgate_model::{Definition, definition::Revision};
    // Somebody stays who may manage users and access: to take away the last is refused.
    let world = |case| {
        let mut world = generate::world(&mut Random::new(SEED + 1, case));
        let permissions = ["user-management", "access-control"].map(str::to_owned).into();
        world.profiles.insert("root".to_owned(), world::Profile { permissions, valid: world::Valid::Everywhere });
        let root = world::User {
            second_factor: false,
            kind: Kind::Native,
            enabled: true,
            profiles: ["root".to_owned()].into(),
            groups: world::Names::new(),
        };
        world.users.insert("root".to_owned(), root);
        world
    };
    let mut changes = 0;
    for case in 0..30 {
        let [before, after] = [case, case + 30].map(world);
        let mut snapshot = product::snapshot(&before);
        let rows = |world: &World| -> BTreeMap<_, Definition> {
            let all = product::definitions("acme", world).into_iter();
            all.map(|row| ((row.kind, row.id.clone()), row)).collect()
        };
        let (mut now, goal) = (rows(&before), rows(&after));
        // Row by row, and some in pairs; the kinds follow each other as they name each other.
        let mut steps: Vec<_> = goal.iter().filter(|(key, row)| now.get(key) != Some(row)).collect();
        steps.sort_by_key(|((kind, id), _)| (*kind == lockgate_model::Kind::Deployment, *kind, (*id).clone()));
        for pair in steps.chunks(if case % 2 == 0 { 1 } else { 2 }) {
            let puts: Vec<_> = pair.iter().map(|((kind, id), row)| (*kind, id.clone(), row.body.clone())).collect();
            snapshot = snapshot.after(&puts, &[]).unwrap_or_else(|no| panic!("case {case}: {pair:?}: {no}"));
            now.extend(pair.iter().map(|(key, row)| ((*key).clone(), (*row).clone())));
            changes += 1;
            if changes % 7 == 0 {
                same_as_of_rows(&snapshot, &now);
            }
        }
        for key in now.keys().filter(|key| !goal.contains_key(*key)).cloned().collect::<Vec<_>>() {
            snapshot = snapshot.after(&[], std::slice::from_ref(&key)).unwrap();
            now.remove(&key);
        }
        same_as_of_rows(&snapshot, &now);
        let answers = |snapshot: &TenantSnapshot| -> Vec<_> {
            let mut random = Random::new(SEED, case);
            let credentials = product::credentials(&after);
            (0..500).map(|_| product::answer(snapshot, &credentials, &generate::request(&mut random, &after))).collect()
        };
        assert_eq!(answers(&snapshot), answers(&product::snapshot(&after)), "case {case}");
    }
    assert!(changes > 500, "{changes}");

    fn same_as_of_rows(snapshot: &TenantSnapshot, rows: &BTreeMap<(lockgate_model::Kind, String), Definition>) {
        let rows: Vec<_> = rows.values().cloned().collect();
        let fresh = TenantSnapshot::build(snapshot.tenant().clone(), Revision(1), &rows).unwrap();
        let cells = |snapshot| matrix(snapshot, &MatrixPart::default()).cells;
        assert_eq!(cells(snapshot), cells(&fresh));
    }
}
