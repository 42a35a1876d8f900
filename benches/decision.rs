//! One execute decision among a hundred tenants, beside Cedar and a bare hash look-up; and what a
//! change of one row costs.
//!
//! 100 tenants have 100,000 users and 10,000 lists together: each 1,000 users, 50 profiles, 100
//! orchestrations deployed, each with a list of its own. Requests go over all users in an order that no
//! cache foresees, so figures are those of cold snapshots; who asks for what is put together before the clock
//! runs, as a request has just done when it asks. One tenant that has it all is measured as well.
//! Of many short rounds the quickest is told, and the one in the middle: short ones are seldom interrupted.

use std::{
    collections::{BTreeSet, HashMap},
    hint::black_box,
    time::Instant,
};

use lockgate_access::{TenantSnapshot, decide_execute};
use lockgate_model::{
    Channel, Definition, Kind, Principal, Target, TargetKind, Timestamp,
    definition::Revision,
    id::{EnvironmentId, TargetName, TenantId, UserId},
    principal::CredentialKind,
};
use lockgate_oracles::{cedar::Cedar, product, sets::Answer, world};
use serde_json::json;

const TENANTS: usize = 100;
const PROFILES: usize = 50;
/// Without a common divisor with the counts: goes once over everything, far apart.
const STEP: usize = 7_919;

/// A tenant. Four profiles for each user, a quarter of the profiles on each list.
fn tenant(users: usize, acls: usize, profiles: usize) -> world::World {
    let mut tenant = world::World { environments: vec!["development".into(), "live".into()], ..Default::default() };
    for n in 0..profiles {
        let permissions = ["integrations.execute", "deploy"].map(str::to_owned).into();
        let valid = world::Valid::In(["live".to_owned()].into());
        tenant.profiles.insert(format!("p{n}"), world::Profile { permissions, valid });
    }
    for n in 0..users {
        let given = (0..4).map(|m| format!("p{}", (n * 7 + m * 13) % profiles)).collect();
        let user = world::User {
            kind: world::Kind::Native,
            enabled: true,
            second_factor: false,
            profiles: given,
            groups: Default::default(),
        };
        tenant.users.insert(format!("u{n}"), user);
    }
    let mut holds = BTreeSet::new();
    for n in 0..acls {
        tenant
            .acls
            .insert(format!("a{n}"), (n..profiles + n).step_by(4).map(|p| format!("p{}", p % profiles)).collect());
        let flow = flow(n);
        holds.insert((flow.kind, flow.name.clone()));
        tenant.assigned.insert((flow, "live".into()), format!("a{n}"));
    }
    let deployment = world::Deployment { publisher: "u0".into(), adopted: Default::default(), holds };
    tenant.deployments.insert(("default".into(), "live".into()), deployment);
    tenant
}

fn flow(n: usize) -> world::Target {
    world::Target { project: "default".into(), kind: world::TargetKind::Orchestration, name: format!("f{n}") }
}

type Question = (Principal, Target);

/// What the user of a number asks of its tenant.
fn question(tenant: &TenantId, n: usize, acls: usize) -> Question {
    let principal = Principal {
        tenant: tenant.clone(),
        user: UserId::parse(&format!("u{n}")).unwrap(),
        credential: CredentialKind::Basic,
        only_environment: None,
        only_targets: Vec::new(),
    };
    let target = Target {
        environment: EnvironmentId::parse("live").unwrap(),
        kind: TargetKind::Integrations,
        name: TargetName::parse(&format!("f{}", n % acls)).unwrap(),
    };
    (principal, target)
}

fn decides(snapshot: &TenantSnapshot, (principal, target): &Question) -> bool {
    decide_execute(snapshot, principal, target.clone(), Channel::Rest, Timestamp(0)).is_allowed()
}

const DECISIONS: (usize, usize) = (2_000, 200);
const CHANGES: (usize, usize) = (25, 1);

/// So many rounds of `each` calls about what `ask` puts together before the clock runs; the time of one call.
fn measure<Q, A>(what: &str, (rounds, each): (usize, usize), ask: impl Fn(usize) -> Q, call: impl Fn(&Q) -> A) {
    let round = |round: usize| {
        let asked: Vec<Q> = (0..each).map(|n| ask((round * each + n) * STEP)).collect();
        let begun = Instant::now();
        for question in &asked {
            black_box(call(question));
        }
        begun.elapsed().as_secs_f64() / each as f64
    };
    let mut all: Vec<f64> = (0..rounds).map(round).collect();
    all.sort_by(f64::total_cmp);
    let text = |seconds: f64| match seconds {
        ms if ms >= 1e-4 => format!("{:.2} ms", ms * 1e3),
        us if us >= 1e-5 => format!("{:.1} us", us * 1e6),
        ns => format!("{:.0} ns", ns * 1e9),
    };
    println!("{what:<60} {:>10} {:>10}", text(all[0]), text(all[rounds / 2]));
}

/// A decision among a hundred tenants, and what stands beside it.
fn decisions() {
    let (users, acls) = (100_000 / TENANTS, 10_000 / TENANTS);
    let world = tenant(users, acls, PROFILES);
    let names: Vec<TenantId> = (0..TENANTS).map(|n| TenantId::parse(&format!("t{n}")).unwrap()).collect();
    let build = |name: &TenantId| {
        let rows = product::definitions(name.as_str(), &world);
        (name.clone(), TenantSnapshot::build(name.clone(), Revision(1), &rows).unwrap())
    };
    let snapshots: HashMap<TenantId, TenantSnapshot> = names.iter().map(build).collect();
    let any = |n: usize| question(&names[n / users % TENANTS], n % users, acls);
    let ours = |question: &Question| decides(&snapshots[&question.0.tenant], question);
    measure("decision, 100 tenants, 100,000 users, 10,000 ACLs", DECISIONS, any, ours);

    // What any decision has to find, if nothing were to be decided.
    type Found = (HashMap<UserId, bool>, HashMap<TargetName, bool>);
    let found: HashMap<&TenantId, Found> = names
        .iter()
        .map(|name| {
            let users = (0..users).map(|n| (UserId::parse(&format!("u{n}")).unwrap(), true)).collect();
            let targets = (0..acls).map(|n| (TargetName::parse(&format!("f{n}")).unwrap(), true)).collect();
            (name, (users, targets))
        })
        .collect();
    measure("  look-ups of tenant, user and target in hash maps", DECISIONS, any, |(principal, target)| {
        let (users, targets) = &found[&principal.tenant];
        users[&principal.user] && targets[&target.name]
    });

    let key = |(principal, target): Question| (principal.tenant, principal.user, target.name);
    let answers: HashMap<_, bool> = (0..TENANTS * users).map(|n| (key(any(n)), ours(&any(n)))).collect();
    measure("  look-up of the answer in a hash map of 100,000", DECISIONS, |n| key(any(n)), |key| answers[key]);

    let cedar = Cedar::new(&world);
    let request = |n: usize| {
        let caller = world::Caller::new(&format!("u{}", n % users), world::Channel::Rest);
        let (orchestration, environment) = (flow(n % acls), "live".to_owned());
        world::Request::Execute(world::Execute { caller, orchestration, through: None, environment })
    };
    for n in 0..users {
        assert_eq!(ours(&any(n)), cedar.answer(&request(n)) == Answer::Allowed, "{:?}", request(n));
    }
    measure("  cedar-policy, one of these tenants", (500, 1), request, |request| cedar.answer(request));
    let allowed = answers.values().filter(|allowed| **allowed).count();
    println!("{allowed} of {} are allowed", answers.len());
}

/// One tenant by size: the decision, and the snapshot after one user got another profile.
fn change() {
    for (users, acls) in [(1_000, 100), (10_000, 1_000), (100_000, 10_000)] {
        let name = TenantId::parse("t0").unwrap();
        let rows: Vec<Definition> = product::definitions("t0", &tenant(users, acls, PROFILES));
        let snapshot = TenantSnapshot::build(name.clone(), Revision(1), &rows).unwrap();
        println!("one tenant of {users} users, {acls} ACLs");
        let any = |n: usize| question(&name, n % users, acls);
        measure("  decision", DECISIONS, any, |question| decides(&snapshot, question));
        measure(
            "  snapshot from its rows",
            CHANGES,
            |_| (),
            |()| TenantSnapshot::build(name.clone(), Revision(1), &rows).unwrap(),
        );
        let put = [(Kind::User, "u7".to_owned(), json!({"kind": "native", "profiles": ["p1"]}))];
        measure("  snapshot after one change", CHANGES, |_| (), |()| snapshot.after(&put, &[]).unwrap());
    }
}

fn main() {
    println!("{:<60} {:>10} {:>10}", "", "quickest", "middle");
    decisions();
    change();
}
