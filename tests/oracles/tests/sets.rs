//! Random requests through the product's snapshot and through the set model.
//!
//! `LOCKGATE_SEED` and `LOCKGATE_CASES` (worlds, 500 requests each) say which and how many,
//! `LOCKGATE_CASE` runs one world alone.

use std::{collections::BTreeMap, env, time::Instant};

use lockgate_oracles::{
    generate, product,
    random::Random,
    sets::{self, Answer},
    world::{Request, World},
};

/// Worlds of a run on every push: a million requests. Of a long one: ten million.
const WORLDS: u64 = 2_000;
const WORLDS_LONG: u64 = 20_000;
const REQUESTS: usize = 500;
/// Decisions that each rule must make in a run, so that none goes unproven.
const DECIDED_MIN: u64 = 200;
const RULES: [&str; 22] = [
    "user.unknown",
    "environment.unknown",
    "environment.no-profile",
    "project.no-profile",
    "target.unknown",
    "tenant.suspended",
    "user.disabled",
    "channel.idp-user",
    "channel.service-account",
    "execute.no-runs-control",
    "execute.no-acl",
    "execute.not-on-acl",
    "execute.no-permission",
    "execute.not-deployed",
    "execute.publish-right-fallen",
    "execute.allowed",
    "deploy.no-permission",
    "deploy.allowed",
    "push.no-permission",
    "push.allowed",
    "administer.no-permission",
    "administer.allowed",
];

fn number(name: &str) -> Option<u64> {
    let text = env::var_os(name)?.into_string().unwrap_or_else(|_| panic!("{name} is no text"));
    Some(text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

fn same(product: Answer, sets: Answer) -> bool {
    // 401 is said before access is asked: here it is enough that it is no.
    if sets == Answer::Unknown { product != Answer::Allowed } else { product == sets }
}

fn differs(world: &World, request: &Request) -> bool {
    !same(product::answer(&product::snapshot(world), request).0, sets::answer(world, request))
}

/// The world with one thing less, as long as it differs.
fn minimised(mut world: World, request: &Request) -> World {
    loop {
        let mut less: Vec<World> = Vec::new();
        let mut push = |cut: &dyn Fn(&mut World)| {
            let mut smaller = world.clone();
            cut(&mut smaller);
            less.push(smaller);
        };
        world.assigned.keys().for_each(|key| {
            push(&|w| {
                w.assigned.remove(key);
            })
        });
        world.deployments.keys().for_each(|key| {
            push(&|w| {
                w.deployments.remove(key);
            })
        });
        world.project_permissions.keys().for_each(|key| {
            push(&|w| {
                w.project_permissions.remove(key);
            })
        });
        for (name, user) in &world.users {
            user.profiles.iter().for_each(|p| {
                push(&|w| {
                    w.users.get_mut(name).unwrap().profiles.remove(p);
                })
            });
            user.groups.iter().for_each(|g| {
                push(&|w| {
                    w.users.get_mut(name).unwrap().groups.remove(g);
                })
            });
        }
        for (name, profile) in &world.profiles {
            let cut = |p| {
                push(&|w| {
                    w.profiles.get_mut(name).unwrap().permissions.remove(p);
                })
            };
            profile.permissions.iter().for_each(cut);
        }
        for (name, profiles) in &world.acls {
            profiles.iter().for_each(|p| {
                push(&|w| {
                    w.acls.get_mut(name).unwrap().remove(p);
                })
            });
        }
        match less.into_iter().find(|less| differs(less, request)) {
            Some(smaller) => world = smaller,
            None => return world,
        }
    }
}

#[test]
fn random_requests_are_answered_as_the_set_model_answers() {
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let long = env::var_os("LOCKGATE_LONG").is_some();
    let worlds = number("LOCKGATE_CASES").unwrap_or(if long { WORLDS_LONG } else { WORLDS });
    let one = number("LOCKGATE_CASE");
    let (mut answers, mut rules) = (BTreeMap::<Answer, u64>::new(), BTreeMap::<String, u64>::new());
    let begun = Instant::now();
    for case in one.map_or(0..worlds, |one| one..one + 1) {
        let mut random = Random::new(seed, case);
        let world = generate::world(&mut random);
        let snapshot = product::snapshot(&world);
        for _ in 0..REQUESTS {
            let request = generate::request(&mut random);
            let ((product, rule), sets) = (product::answer(&snapshot, &request), sets::answer(&world, &request));
            if !same(product, sets) {
                let small = minimised(world, &request);
                let model = sets::answer(&small, &request);
                panic!(
                    "seed {seed}, case {case}: {request:#?}\n{product:?} by {rule}, the sets say {sets:?}; so \
                     too ({model:?}) in {small:#?}"
                );
            }
            *answers.entry(product).or_default() += 1;
            *rules.entry(rule).or_default() += 1;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("seed {seed}, {worlds} worlds of {REQUESTS} requests in {seconds:.0} s: {answers:?}");
    eprintln!("{rules:#?}");
    if one.is_none() && worlds >= WORLDS {
        let all: u64 = answers.values().sum();
        assert!(answers[&Answer::Allowed] * 10 > all, "too few are allowed: {answers:?}");
        for rule in RULES {
            let decided = rules.get(rule).copied().unwrap_or_default();
            assert!(decided >= DECIDED_MIN, "{rule} decided {decided} times");
        }
    }
}
