//! Random requests through the product's snapshot, through the set model and through Cedar.
//!
//! `LOCKGATE_SEED` and `LOCKGATE_CASES` (worlds, 500 requests each) say which and how many,
//! `LOCKGATE_CASE` runs one world alone.

use std::{collections::BTreeMap, env, time::Instant};

use lockgate_oracles::{
    cedar::Cedar,
    generate, product,
    random::Random,
    sets::{self, Answer},
    shrink::minimised,
    world::{Request, World},
};

/// Worlds of a run on every push: a million requests against the sets, a hundred thousand against Cedar.
const WORLDS: u64 = 2_000;
const WORLDS_CEDAR: u64 = 200;
/// Of a long run so many times more.
const LONG: u64 = 10;
const REQUESTS: usize = 500;
/// Decisions that each rule must make in a run, so that none goes unproven: one of so many.
const DECIDED_OF: u64 = 5_000;
const RULES: [&str; 35] = [
    "user.unknown",
    "environment.unknown",
    "environment.no-profile",
    "key.other-environment",
    "key.narrowed",
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
    "deploy.not-deployed",
    "deploy.account-unbound",
    "deploy.account-other-connector",
    "deploy.no-green-run",
    "deploy.allowed",
    "push.no-permission",
    "push.allowed",
    "administer.no-permission",
    "administer.allowed",
    "console.no-user-interface-access",
    "console.allowed",
    "support.no-grant",
    "support.not-shown",
    "support.ended",
    "support.right-fallen",
    "support.allowed",
];

fn number(name: &str) -> Option<u64> {
    let text = env::var_os(name)?.into_string().unwrap_or_else(|_| panic!("{name} is no text"));
    Some(text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Takes a world in, and gives what answers requests about it.
type Oracle = for<'w> fn(&'w World) -> Box<dyn Fn(&Request) -> Answer + 'w>;

fn by_sets<'w>(world: &'w World) -> Box<dyn Fn(&Request) -> Answer + 'w> {
    Box::new(|request| sets::answer(world, request))
}

fn by_cedar<'w>(world: &'w World) -> Box<dyn Fn(&Request) -> Answer + 'w> {
    let cedar = Cedar::new(world);
    Box::new(move |request| cedar.answer(request))
}

fn same(product: Answer, oracle: Answer) -> bool {
    // 401 is said before access is asked: here it is enough that it is no.
    if oracle == Answer::Unknown { product != Answer::Allowed } else { product == oracle }
}

/// Runs one world; gives each answer's rule.
fn run(oracle: Oracle, seed: u64, case: u64, mut decided: impl FnMut(Answer, String)) {
    let mut random = Random::new(seed, case);
    let world = generate::world(&mut random);
    let (snapshot, asked) = (product::snapshot(&world), oracle(&world));
    for _ in 0..REQUESTS {
        let request = generate::request(&mut random);
        let ((product, rule), told) = (product::answer(&snapshot, &request), asked(&request));
        if !same(product, told) {
            let differs =
                |less: &World| !same(product::answer(&product::snapshot(less), &request).0, oracle(less)(&request));
            let small = minimised(world.clone(), differs);
            panic!(
                "seed {seed}, case {case}: {request:#?}\n{product:?} by {rule}, the oracle says {told:?} (sets: {:?}); \
                 so too in {small:#?}",
                sets::answer(&world, &request)
            );
        }
        decided(product, rule);
    }
}

fn compare(name: &str, oracle: Oracle, on_every_push: u64) {
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let long = if env::var_os("LOCKGATE_LONG").is_some() { LONG } else { 1 };
    let worlds = number("LOCKGATE_CASES").unwrap_or(on_every_push * long);
    let one = number("LOCKGATE_CASE");
    let (mut answers, mut rules) = (BTreeMap::<Answer, u64>::new(), BTreeMap::<String, u64>::new());
    let begun = Instant::now();
    for case in one.map_or(0..worlds, |one| one..one + 1) {
        run(oracle, seed, case, |answer, rule| {
            *answers.entry(answer).or_default() += 1;
            *rules.entry(rule).or_default() += 1;
        });
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{name}: seed {seed}, {worlds} worlds of {REQUESTS} requests in {seconds:.0} s: {answers:?}");
    eprintln!("{rules:#?}");
    if one.is_none() && worlds >= on_every_push {
        let all: u64 = answers.values().sum();
        assert!(answers[&Answer::Allowed] * 10 > all, "too few are allowed: {answers:?}");
        for rule in RULES {
            let decided = rules.get(rule).copied().unwrap_or_default();
            assert!(decided * DECIDED_OF >= all, "{rule} decided {decided} times");
        }
    }
}

#[test]
fn random_requests_are_answered_as_the_set_model_answers() {
    compare("sets", by_sets, WORLDS);
}

#[test]
fn random_requests_are_answered_as_cedar_answers() {
    compare("cedar", by_cedar, WORLDS_CEDAR);
}
