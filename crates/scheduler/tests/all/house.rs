//! A tenant `acme` of `ada`, a clock that stands still until it is set, and a connector `gate` that
//! notes each call and answers when the test lets it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::{
    AddressForm, Answer, Call, Config, Connector, Context, Error, IdentityKind, Operation, Registry, Scheme, Spec,
};
use lockgate_engine::{Engine, EngineConfig};
use lockgate_keys::Master;
use lockgate_model::{
    Kind, RunRecord, Timestamp,
    audit::Entry,
    definition::ServerIdentity,
    id::{EnvironmentId, ProjectId, TargetName, TenantId, UserId},
    schedule::{ScheduleState, Stands},
};
use lockgate_runtime::{
    Binding, Caller, Clock, Condition, Deploy, Login, NewTenant, Parts, RunFilter, Runtime, Sources,
};
use lockgate_scheduler::Scheduler;
use lockgate_store::SqliteStore;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::faulty::{Faults, Faulty, hits};

const PASSWORD: &str = "Correct-Horse-7";
/// When the clock begins: 2026-01-01T00:00:00Z.
pub const START_S: i64 = 1_767_225_600;
const GATES: Scheme = Scheme { name: "gates", port: 99 };

/// What went through a gate, and whether it is open.
pub struct Ledger {
    /// Input and idempotency key of each call.
    pub calls: Mutex<Vec<(Value, Option<String>)>>,
    open: watch::Sender<bool>,
}

static LEDGERS: Mutex<BTreeMap<String, Arc<Ledger>>> = Mutex::new(BTreeMap::new());

fn ledgers() -> MutexGuard<'static, BTreeMap<String, Arc<Ledger>>> {
    LEDGERS.lock().unwrap()
}

struct Gate(Arc<Ledger>);

impl Connector for Gate {
    const SPEC: Spec = Spec {
        name: "gate",
        help: "A gate.",
        about: "",
        address: AddressForm { scheme: GATES, path: false, example: "gates://one.example" },
        identities: &[IdentityKind::System],
        fields: &[],
        operations: &[Operation {
            name: "pass",
            version: "1.0.0",
            idempotent: false,
            keyed: false,
            help: "Waits until the gate is open.",
            constant: &[],
            input: "{}",
            output: "{}",
            takes: None,
            gives: None,
        }],
    };

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let host = config.address.host_and_port();
        Ok(Self(ledgers().iter().find(|(name, _)| host.starts_with(name.as_str())).unwrap().1.clone()))
    }

    async fn invoke(&self, _: &Context, call: Call) -> Result<Answer, Error> {
        let input = serde_json::from_slice(&call.input.print(u64::MAX).unwrap()).unwrap();
        self.0.calls.lock().unwrap().push((input, call.idempotency_key));
        let _ = self.0.open.subscribe().wait_for(|open| *open).await;
        Ok(Answer { output: call.input, stream: None, read: 0, written: 0 })
    }

    async fn test(&self, _: &Context, _: Instant) -> Result<(), Error> {
        Ok(())
    }
}

pub struct House {
    pub runtime: Runtime,
    pub scheduler: Scheduler,
    pub ada: Caller,
    pub ledger: Arc<Ledger>,
    pub faults: Arc<Faults>,
    /// Host of its connector.
    gate: String,
    clock: Arc<AtomicI64>,
    dir: tempfile::TempDir,
}

impl House {
    pub async fn open() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let gate = format!("gate-{}.example", NUMBER.fetch_add(1, Ordering::Relaxed));
        let ledger = Arc::new(Ledger { calls: Mutex::default(), open: watch::Sender::new(true) });
        ledgers().insert(gate.clone(), ledger.clone());
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(START_S * 1_000_000));
        let faults = Arc::new(Faults::default());
        let runtime = runtime(dir.path(), &clock, &faults).await;
        let new = NewTenant {
            id: TenantId::parse("acme").unwrap(),
            title: "Acme".into(),
            administrator: UserId::parse("ada").unwrap(),
        };
        let token = runtime.operator_create_tenant(new).await.unwrap();
        let ada = log_in(&runtime, "ada", &token).await;
        let scheduler = Scheduler::new(runtime.clone());
        let house = Self { runtime, scheduler, ada, ledger, faults, gate, clock, dir };
        house.bind("development").await;
        house
            .put(
                Kind::Profile,
                "runner",
                json!({"title": "", "permissions": ["integrations.execute"], "valid_in": here()}),
            )
            .await;
        house.put(Kind::Acl, "runners", json!({"title": "", "profiles": ["runner"]})).await;
        house
    }

    /// Ends as a crash does, with runs under way, and starts again on the same files.
    pub async fn crash(self) -> Self {
        let Self { runtime, scheduler, ada, ledger, faults, gate, clock, dir } = self;
        drop(scheduler);
        drop(runtime);
        let runtime = runtime_again(dir.path(), &clock, &faults).await;
        let scheduler = Scheduler::new(runtime.clone());
        Self { runtime, scheduler, ada, ledger, faults, gate, clock, dir }
    }

    /// Binds the account `gate` in an environment.
    pub async fn bind(&self, environment: &str) {
        let binding = Binding {
            connector: "gate".into(),
            address: format!("gates://{}", self.gate),
            identity: ServerIdentity::System,
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            forget: Vec::new(),
        };
        let environment = EnvironmentId::parse(environment).unwrap();
        self.runtime
            .bind_account(&self.ada, &environment, &"gate".parse().unwrap(), binding, Condition::default())
            .await
            .unwrap();
    }

    pub async fn put(&self, kind: Kind, id: &str, body: Value) {
        self.runtime.put_definition(&self.ada, kind, id, body).await.unwrap();
    }

    /// A user with a password.
    pub async fn user(&self, id: &str, profiles: &[&str]) -> Caller {
        self.put(Kind::User, id, json!({"kind": "native", "profiles": profiles})).await;
        let token = self.runtime.invite(&self.ada, &UserId::parse(id).unwrap()).await.unwrap();
        log_in(&self.runtime, id, &token).await
    }

    /// Pushes and deploys the flow `tick` with a schedule.
    pub async fn deploy(&self, schedule: &str) {
        self.deploy_as(&self.ada, schedule, Deploy::default()).await.unwrap();
    }

    pub async fn deploy_as(
        &self,
        caller: &Caller,
        schedule: &str,
        deploy: Deploy,
    ) -> Result<(), lockgate_runtime::Error> {
        let flow = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: tick, version: '1.0.0', \
             metadata: {{ timezone: Asia/Kathmandu }} }}\n\
             evaluate: {{ language: jsonata }}\nschedule: {schedule}\ndo:\n  \
             - pass: {{ call: 'gate.pass:1@default', with: {{ account: gate, at: '${{ $ }}' }} }}\n"
        );
        let project = "project: clock\naccounts: { gate: { connector: gate, operations: [pass] } }\n";
        let files = [("project.yaml".to_owned(), project.to_owned()), ("tick.flow.yaml".to_owned(), flow)];
        let clock = ProjectId::parse("clock").unwrap();
        self.runtime.push(&self.ada, &clock, Sources(files.into())).await.unwrap();
        self.runtime.deploy(caller, &development(), &clock, deploy).await.map(drop)
    }

    /// Sets the clock, in seconds after its beginning.
    pub fn at(&self, seconds: i64) {
        self.clock.store((START_S + seconds) * 1_000_000, Ordering::SeqCst);
    }

    /// Sets the clock and does what is due, without waiting for runs.
    pub async fn turn(&mut self, seconds: i64) -> Option<i64> {
        self.at(seconds);
        self.scheduler.turn().await.map(|next| next.0 / 1_000_000 - START_S)
    }

    /// Sets the clock, does what is due, and waits until it is done. Returns when the next is due.
    pub async fn through(&mut self, seconds: i64) -> Option<i64> {
        self.turn(seconds).await;
        self.scheduler.settled().await;
        self.turn(seconds).await
    }

    pub fn shut(&self) {
        self.ledger.open.send_replace(false);
    }
    pub fn let_pass(&self) {
        self.ledger.open.send_replace(true);
    }

    /// Occurrences that came through, in seconds after the clock's beginning.
    pub fn passed(&self) -> Vec<i64> {
        let calls = self.ledger.calls.lock().unwrap();
        calls.iter().map(|(input, _)| seconds(input["at"]["scheduled"].as_str().unwrap())).collect()
    }

    /// Waits until so many calls have come.
    pub async fn calls(&self, count: usize) {
        within("a call", || self.ledger.calls.lock().unwrap().len() >= count).await;
    }

    pub async fn state(&self) -> ScheduleState {
        let planned = self.runtime.planned(self.ada.tenant()).await.unwrap();
        planned.into_iter().next().map(|(_, state)| state).unwrap_or_default()
    }

    /// Waits until no run of the schedule goes on.
    pub async fn idle(&self) {
        let began = Instant::now();
        while self.state().await.last.is_some_and(|last| last.stands == Stands::Running) {
            assert!(began.elapsed() < Duration::from_secs(60), "the run does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Entries of the audit log with this event.
    pub async fn entries(&self, event: &str) -> Vec<Entry> {
        let page = self.runtime.audit(&self.ada, None, 10_000).await.unwrap();
        page.links.into_iter().map(|link| link.entry).filter(|entry| entry.event == event).collect()
    }

    /// Why occurrences were skipped, the first, the last, and how many.
    pub async fn skips(&self) -> Vec<(String, i64, i64, String)> {
        let skip = |entry: &Entry| {
            let detail = |name: &str| entry.detail[name].clone();
            (detail("why"), seconds(&detail("first")), seconds(&detail("last")), detail("count"))
        };
        self.entries("schedule-skip").await.iter().map(skip).collect()
    }

    /// Runs, the oldest first.
    pub async fn runs(&self) -> Vec<RunRecord> {
        let filter = RunFilter { limit: 1_000, ..RunFilter::default() };
        let mut runs = self.runtime.runs(&self.ada, &development(), filter).await.unwrap();
        runs.reverse();
        runs
    }
}

fn seconds(text: &str) -> i64 {
    // Times of the tests lie in the first day.
    let clock = text.strip_prefix("2026-01-01T").unwrap_or_else(|| panic!("{text}"));
    let part = |at: usize| clock[at..at + 2].parse::<i64>().unwrap();
    part(0) * 3_600 + part(3) * 60 + part(6)
}

pub fn development() -> EnvironmentId {
    EnvironmentId::parse("development").unwrap()
}
pub fn tick() -> TargetName {
    TargetName::parse("tick").unwrap()
}
pub fn here() -> Value {
    json!({"environments": ["development"]})
}

/// Waits until something holds; it hangs rather than being late.
pub async fn within(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn runtime(dir: &Path, clock: &Arc<AtomicI64>, faults: &Arc<Faults>) -> Runtime {
    let store = SqliteStore::open(&dir.join("store"), now(clock)).unwrap();
    with_store(dir, clock, Faulty { store, faults: faults.clone() }).await
}

/// The last runtime may still be letting go of its files.
async fn runtime_again(dir: &Path, clock: &Arc<AtomicI64>, faults: &Arc<Faults>) -> Runtime {
    let mut store = None;
    within("the store", || {
        store = SqliteStore::open(&dir.join("store"), now(clock)).ok();
        store.is_some()
    })
    .await;
    with_store(dir, clock, Faulty { store: store.unwrap(), faults: faults.clone() }).await
}

fn now(clock: &AtomicI64) -> Timestamp {
    Timestamp(clock.load(Ordering::SeqCst))
}

async fn with_store(dir: &Path, clock: &Arc<AtomicI64>, store: Faulty) -> Runtime {
    let mut registry = Registry::new();
    registry.add::<Gate>();
    let (told, faults) = (clock.clone(), store.faults.clone());
    let parts = Parts {
        store: Arc::new(store),
        engine: Arc::new(Engine::new(EngineConfig { stacks_max: 16, ..EngineConfig::default() }).unwrap()),
        master: Arc::new(Master::open_or_create(&dir.join("keys")).unwrap()),
        registry: Arc::new(registry),
        clock: Clock::from_fn(move || {
            assert!(!hits(&faults.clock), "the test says so");
            now(&told)
        }),
    };
    Runtime::open(parts).await.unwrap()
}

async fn log_in(runtime: &Runtime, user: &str, token: &str) -> Caller {
    let secret = |text: &str| serde_json::from_value(json!(text)).unwrap();
    // Who has no console is told so after the password is set: it is good for what follows.
    let told = runtime.login("acme", &Login::by_token(user, secret(token), secret(PASSWORD)), "").await;
    assert!(matches!(told, Ok(_) | Err(lockgate_runtime::Error::Forbidden { .. })), "{:?}", told.err());
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")));
    runtime.authenticate("acme", Some(&basic), "").await.unwrap()
}
