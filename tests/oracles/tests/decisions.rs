//! Random requests through the product's snapshot, through the set model and through Cedar.
//!
//! `LOCKGATE_SEED` and `LOCKGATE_CASES` (worlds, 500 requests each) say which and how many,
//! `LOCKGATE_CASE` runs one world alone.

use std::{collections::BTreeMap, env, time::Instant};

use lockgate_oracles::{
    cedar::Cedar,
    generate,
    mutate::mutate,
    product,
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
/// Requests after which the tenant changes. To Cedar a tenant costs more than a hundred requests.
const BETWEEN_CHANGES: usize = 50;
const BETWEEN_CHANGES_CEDAR: usize = 250;
/// Decisions that each rule must make in a run, so that none goes unproven: one of so many.
const DECIDED_OF: u64 = 10_000;
/// Rules that no request can meet: they answer code that asked wrongly, and have tests in `lockgate-access`.
const OF_WRONG_CODE: [&str; 7] = [
    "deploy.other-version",
    "deploy.run-as",
    "deploy.unchecked",
    "decision.mixed",
    "permit.no-run",
    "permit.wrong-act",
    "support.elsewhere",
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

/// Runs one world, which changes now and then; gives each answer's rule.
fn run(oracle: Oracle, between: usize, seed: u64, case: u64, mut decided: impl FnMut(Answer, &str)) {
    let mut random = Random::new(seed, case);
    let mut world = generate::world(&mut random);
    let mut tenant = product::Tenant::new(&world);
    for epoch in 0..REQUESTS / between {
        if epoch > 0 {
            mutate(&mut random, &mut world);
            tenant.follow(&world);
        }
        let asked = oracle(&world);
        for _ in 0..between {
            let request = generate::request(&mut random, &world);
            let (product, rule) = product::answer(&tenant.snapshot, &tenant.credentials, &request);
            let told = asked(&request);
            if !same(product, told) {
                differs(oracle, &world, &request, (product, &rule, told), &format!("seed {seed}, case {case}.{epoch}"));
            }
            decided(product, &rule);
        }
    }
}

/// Panics with the least that differs still, if what the rows make differs too.
fn differs(
    oracle: Oracle,
    world: &World,
    request: &Request,
    (product, rule, told): (Answer, &str, Answer),
    of: &str,
) -> ! {
    let still = |less: &World| {
        let (anew, _) = product::answer(&product::snapshot(less), &product::credentials(less), request);
        !same(anew, oracle(less)(request))
    };
    let small = if still(world) { Some(minimised(world.clone(), still)) } else { None };
    panic!(
        "{of}: {request:#?}\n{product:?} by {rule}, the oracle says {told:?} (sets: {:?}); so too in (none: only after \
         the changes) {small:#?}",
        sets::answer(world, request)
    );
}

fn compare(name: &str, oracle: Oracle, between: usize, on_every_push: u64) {
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let long = if env::var_os("LOCKGATE_LONG").is_some() { LONG } else { 1 };
    let worlds = number("LOCKGATE_CASES").unwrap_or(on_every_push * long);
    let one = number("LOCKGATE_CASE");
    let (mut answers, mut rules) = (BTreeMap::<Answer, u64>::new(), BTreeMap::<String, u64>::new());
    let begun = Instant::now();
    for case in one.map_or(0..worlds, |one| one..one + 1) {
        run(oracle, between, seed, case, |answer, rule| {
            *answers.entry(answer).or_default() += 1;
            match rules.get_mut(rule) {
                Some(count) => *count += 1,
                None => drop(rules.insert(rule.to_owned(), 1)),
            }
        });
        if (case + 1) % 10_000 == 0 {
            eprintln!("{name}: {} worlds after {:.0} s", case + 1, begun.elapsed().as_secs_f64());
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let requests = REQUESTS / between * between;
    eprintln!("{name}: seed {seed}, {worlds} worlds of {requests} requests in {seconds:.0} s: {answers:?}");
    eprintln!("{rules:#?}");
    if one.is_none() && worlds >= on_every_push {
        let all: u64 = answers.values().sum();
        assert!(answers[&Answer::Allowed] * 10 > all, "too few are allowed: {answers:?}");
        for rule in lockgate_access::RULES.iter().filter(|rule| !OF_WRONG_CODE.contains(rule)) {
            let decided = rules.get(*rule).copied().unwrap_or_default();
            assert!(decided * DECIDED_OF >= all, "{rule} decided {decided} times");
        }
        let never = OF_WRONG_CODE.iter().filter(|rule| rules.contains_key(**rule)).collect::<Vec<_>>();
        assert!(never.is_empty(), "{never:?} did decide");
    }
}

#[test]
fn random_requests_are_answered_as_the_set_model_answers() {
    compare("sets", by_sets, BETWEEN_CHANGES, WORLDS);
}

#[test]
fn random_requests_are_answered_as_cedar_answers() {
    compare("cedar", by_cedar, BETWEEN_CHANGES_CEDAR, WORLDS_CEDAR);
}
