//! Random requests by HTTP: a real server over TLS, whose tenants change while it serves, answers as the set model
//! answers, and at once after each change.
//!
//! `LOCKGATE_SEED` and `LOCKGATE_CASES` (tenants, 500 requests each) say which and how many, `LOCKGATE_CASE` runs one
//! tenant alone. Tenants are on the server four at a time, each with all requests between two changes at a time.

mod projects;
mod question;
mod server;
mod tenant;

use std::{collections::BTreeMap, env, sync::Mutex, time::Instant};

use futures_util::{StreamExt as _, future::join_all, stream};
use lockgate_identity::{Hash, Password};
use lockgate_oracles::{
    generate,
    mutate::mutate,
    random::Random,
    sets::{self, Answer},
    world::{Names, Request, World},
};
use serde_json::json;

use crate::{
    projects::Projects,
    question::{Question, draw, move_grants, rule},
    server::{Ask, By, PASSWORD, Server, Told},
    tenant::{Tenant, complete},
};

/// Tenants of a run on every push: twenty thousand requests.
const TENANTS: u64 = 40;
/// Of a long run so many times more.
const LONG: u64 = 10;
const REQUESTS: usize = 500;
/// Requests after which the tenant changes.
const BETWEEN_CHANGES: usize = 50;
/// Tenants at a time.
const AT_A_TIME: usize = 4;
/// Of a hundred changes the operator suspends the tenant, or lets it go on.
const SUSPENDS: usize = 3;
/// The rules that refusals name, each so often in a run at least, so that none goes unproven. Of a 404 no rule is told.
const RULES: [(&str, u64); 18] = [
    ("administer.no-permission", 100),
    ("channel.idp-user", 100),
    ("deploy.no-green-run", 4),
    ("deploy.no-permission", 100),
    ("deploy.not-deployed", 20),
    ("execute.no-acl", 50),
    ("execute.no-permission", 100),
    ("execute.not-deployed", 100),
    ("execute.not-on-acl", 100),
    ("execute.publish-right-fallen", 100),
    ("key.narrowed", 4),
    ("key.other-target", 4),
    ("push.no-permission", 50),
    ("support.ended", 20),
    ("support.no-grant", 20),
    ("support.right-fallen", 20),
    ("tenant.suspended", 20),
    ("user.second-factor-needed", 20),
];

fn number(name: &str) -> Option<u64> {
    let text = env::var_os(name)?.into_string().unwrap_or_else(|_| panic!("{name} is no text"));
    Some(text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// What was answered.
#[derive(Default)]
struct Tally {
    answers: BTreeMap<Answer, u64>,
    rules: BTreeMap<String, u64>,
    kinds: BTreeMap<(&'static str, Answer), u64>,
    changes: [usize; 2],
}

/// Changes the tenant by chance.
fn change(random: &mut Random, world: &mut World) {
    let suspended = world.suspended;
    mutate(random, world);
    // Of a tenant that is suspended little is to be learnt.
    world.suspended = if suspended { random.percent(20) } else { random.percent(SUSPENDS) };
    complete(world);
}

/// Asks one request, and holds the answer to the model's.
async fn ask(tenant: &Tenant<'_>, world: &World, question: &Question, of: &str, tally: &Mutex<Tally>) -> Answer {
    let told = match question.from {
        Some(from) => tenant.server.ask_from(from, &question.ask).await,
        None => tenant.server.ask(&tenant.line, &question.ask).await,
    };
    let (expected, answer) = (question.expected(world), question.answer(&told));
    // In a tenant that is suspended who somebody is may be known still: it is enough that all is denied.
    let same = answer == Some(expected) || world.suspended && answer.is_some_and(|answer| answer != Answer::Allowed);
    let Some(answer) = answer.filter(|_| same) else { differs(world, question, &told, expected, of) };
    let mut tally = tally.lock().unwrap();
    *tally.answers.entry(answer).or_default() += 1;
    *tally.kinds.entry((question.kind(), answer)).or_default() += 1;
    if let Some(rule) = rule(&told) {
        *tally.rules.entry(rule.to_owned()).or_default() += 1;
    }
    answer
}

fn differs(world: &World, question: &Question, told: &Told, expected: Answer, of: &str) -> ! {
    let model = sets::answer(world, &question.request);
    panic!("{of}: {question:#?}\nis answered {told:?}, expected {expected:?} (sets: {model:?}) in {world:#?}");
}

/// Runs one tenant, which changes now and then.
async fn run(server: &Server, shared: &Shared, seed: u64, case: u64, tally: &Mutex<Tally>) {
    let mut random = Random::new(seed, case);
    let mut world = generate::world(&mut random);
    move_grants(&mut world);
    complete(&mut world);
    let mut tenant = Tenant::begin(server, shared, format!("t{case}"), &world).await;
    for epoch in 0..REQUESTS / BETWEEN_CHANGES {
        if epoch > 0 {
            change(&mut random, &mut world);
            tenant.follow(&world).await;
        }
        let of = format!("seed {seed}, case {case}.{epoch}");
        let drawn = (0..BETWEEN_CHANGES).map(|_| draw(&mut random, &world, &tenant));
        let (changing, others): (Vec<_>, Vec<_>) = drawn.partition(Question::changes);
        join_all(others.iter().map(|question| ask(&tenant, &world, question, &of, tally))).await;
        for question in changing {
            let answer = ask(&tenant, &world, &question, &of, tally).await;
            if let (Answer::Allowed, Request::Adopt { caller, environment, project, .. }) = (answer, question.request) {
                let adopted: Names = [caller.principal].into();
                world.deployments.get_mut(&(project, environment)).unwrap().adopted = adopted;
                tenant.became(&world);
            }
        }
    }
    let mut tally = tally.lock().unwrap();
    tally.changes = [0, 1].map(|way| tally.changes[way] + tenant.changes[way]);
}

/// What all tenants have.
pub struct Shared {
    projects: Projects,
    password: Hash,
    /// A session of another tenant.
    foreign: String,
}

impl Shared {
    async fn make(server: &Server) -> Self {
        let projects = std::thread::Builder::new().stack_size(64 << 20).spawn(Projects::compile).unwrap();
        let password = Hash::of(&Password::new(PASSWORD.to_owned())).unwrap();
        let line = server.line().await;
        let send = async |by, path: &str, body: serde_json::Value| {
            let (path, body) = (path.to_owned(), Some(body.to_string()));
            let told = server.ask(&line, &Ask { by, method: "POST", path, only_if: None, body }).await;
            assert_eq!(told.status, 200, "{told:?}");
            told.json()
        };
        let made = json!({"id": "other", "title": "", "administrator": "u0"});
        let token = send(By::Socket, "/operator/tenants", made).await["token"].clone();
        let login = json!({"user": "u0", "token": token, "new_password": PASSWORD});
        let session = send(By::Nothing, "/admin/v1/tenants/other/login", login).await["session"].clone();
        Self { projects: projects.join().unwrap(), password, foreign: session.as_str().unwrap().to_owned() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_requests_by_http_are_answered_as_the_set_model_answers() {
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let long = if env::var_os("LOCKGATE_LONG").is_some() { LONG } else { 1 };
    let (all, one) = (number("LOCKGATE_CASES").unwrap_or(TENANTS * long), number("LOCKGATE_CASE"));
    let (begun, tally) = (Instant::now(), Mutex::default());
    let server = Server::start().await;
    let shared = Shared::make(&server).await;
    let cases = one.map_or(0..all, |one| one..one + 1);
    let (server, shared, counted) = (&server, &shared, &tally);
    let runs = stream::iter(cases).map(|case| run(server, shared, seed, case, counted));
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;

    let Tally { answers, rules, kinds, changes } = tally.into_inner().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let told: u64 = answers.values().sum();
    eprintln!("by HTTP: seed {seed}, {all} tenants, {told} requests in {seconds:.0} s: {answers:?}");
    eprintln!("changed {} times by the admin API, {} times by the store", changes[0], changes[1]);
    eprintln!("{kinds:#?}\n{rules:#?}");
    if one.is_none() && all >= TENANTS {
        assert!(told >= 20_000 && answers.len() == 5, "{answers:?}");
        assert!(answers[&Answer::Allowed] * 10 > told, "too few are allowed: {answers:?}");
        assert!(changes.iter().all(|times| *times > 50), "{changes:?}");
        for (rule, times) in RULES {
            let found = rules.get(rule).copied().unwrap_or_default();
            assert!(found >= times * long, "{rule} was told {found} times");
        }
    }
}
