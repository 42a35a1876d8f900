//! How a run reaches its accounts, or the mocks that stand in for them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use lockgate_connector_api::{Answer, Call, Error};
use lockgate_document::Document;
use lockgate_model::{
    Timestamp,
    id::AccountName,
    manifest::{AccountRef, Authority, Subflow},
};

use crate::{Budget, Failure};

/// Where in the run a call is made: what its idempotency key is derived from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSite {
    /// Index into the manifest's operations.
    pub operation: u32,
    /// Pointer of the task that calls.
    pub task: String,
    /// Its places within the branches around it, the outermost first.
    pub branch: Vec<u64>,
    /// How many calls of this task succeeded before in this branch of the run. A repetition after a failure has
    /// the occurrence of the call it repeats, and so may carry the same key. Another iteration
    /// after a failure that was caught has it too: the key must cover the call's input as well.
    pub occurrence: u32,
}

/// An orchestration that a run runs.
pub struct SubRun {
    /// Where it is run.
    pub site: CallSite,
    /// Which.
    pub subflow: Subflow,
    /// What it is given.
    pub input: Document,
    /// When the run around it ends at the latest.
    pub deadline: Instant,
    /// What it may cost, within what the run around it has left; one that is not waited for has a budget of its own.
    pub budget: Arc<Budget>,
}

/// How an orchestration that a run runs ended.
pub struct SubEnd {
    /// Its output; undefined where it goes on by itself.
    pub result: Result<Document, SubFailure>,
    /// What it cost: the run around it is charged for it.
    pub cost: u64,
}

/// Why an orchestration that a run runs gave nothing.
pub enum SubFailure {
    /// It has failed.
    Failed(Box<Failure>),
    /// It did not run.
    Refused {
        /// Last path segment of the standard's error type, such as `authorization`.
        kind: &'static str,
        /// Stable code.
        code: String,
        /// What it becomes over HTTP.
        status: u16,
        /// What the caller is told.
        detail: String,
    },
}

/// The accounts of one deployment, opened. Implemented by the runtime.
pub trait Calls: Send + Sync {
    /// Calls an operation of the bound account; fills in the idempotency key where the endpoint takes one.
    fn call(&self, site: CallSite, call: Call) -> BoxFuture<'static, Result<Answer, Error>>;
    /// Runs an orchestration of the same environment, for the principal of this run: its own list is asked.
    fn run(self: Arc<Self>, sub: SubRun) -> BoxFuture<'static, SubEnd>;
    /// The account that an operation goes through.
    fn account(&self, operation: u32) -> AccountName;
}

/// The orchestrations beside a module that runs outside any environment: what it runs where no mock stands for it.
pub trait Siblings: Send + Sync {
    /// Whether there is one of this name.
    fn has(&self, name: &str) -> bool;
    /// Runs one, with the mocks of the run around it, beginning at `now` on the clock of that run. Where time is
    /// virtual, nobody waits for it any longer than `until`.
    fn run(self: Arc<Self>, sub: SubRun, now: Timestamp, until: Option<Timestamp>) -> BoxFuture<'static, SiblingEnd>;
}

/// How a sibling ended.
pub struct SiblingEnd {
    /// As it does in an environment.
    pub end: SubEnd,
    /// Virtual time that passed for it, in milliseconds: so much later the run around it goes on.
    pub took_ms: u64,
}

/// Answers in place of connectors, for [`evaluate`](crate::Engine::evaluate).
#[derive(Debug, Default)]
pub struct Mocks {
    /// By `account.operation` (`erp.post`), else by account (`erp`, or the origin of an https call),
    /// else by `connector.operation` (`https.post`); any of these for the calls of one flow alone as `flow/key`,
    /// which is looked for first. Each call takes the next of the list; the last stays.
    pub answers: BTreeMap<String, Vec<Mock>>,
    /// How `wait` passes.
    pub waits: Waits,
    /// What was taken so far, by all runs that these are for.
    pub taken: Taken,
}

/// Calls so far, by list of mocks.
#[derive(Debug, Default)]
pub struct Taken(Mutex<BTreeMap<String, usize>>);

impl Taken {
    /// Calls that took from a list before this one.
    fn next(&self, key: &str) -> usize {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.to_owned()).or_default();
        *count += 1;
        *count - 1
    }
}

/// What one mocked call gives.
#[derive(Debug)]
pub enum Mock {
    /// An answer.
    Answer(Arc<Document>),
    /// An error.
    Error(MockError),
}

/// An error as a connector would report it.
#[derive(Debug, Clone)]
pub struct MockError {
    /// Last path segment of the standard's error type, such as `communication`; another word is `runtime`.
    pub kind: String,
    /// The endpoint's status, if it answered with one.
    pub status: Option<u16>,
    /// How long it wants to be left alone, if it said so.
    pub retry_after: Option<Duration>,
    /// What the caller is told.
    pub detail: String,
    /// What the endpoint said in its protocol's own terms: a member of the error object.
    pub told: Option<(&'static str, Arc<Document>)>,
}

/// How time passes in [`evaluate`](crate::Engine::evaluate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waits {
    /// A wait takes no time, and the clock is moved on by it.
    #[default]
    Virtual,
    /// A wait takes its time.
    Real,
}

impl Mocks {
    /// The mock for the next call of an operation by a flow, the list that it is from, and how many calls took from
    /// there before; none where no list is for it.
    pub(crate) fn next(&self, flow: &str, authority: &Authority) -> Option<(&Mock, &str, usize)> {
        let account = account_text(&authority.account);
        let keys = [
            format!("{account}.{}", authority.operation),
            account.to_owned(),
            format!("{}.{}", authority.connector, authority.operation),
        ];
        let own = keys.iter().map(|key| format!("{flow}/{key}"));
        let mut all = own.chain(keys.iter().cloned());
        let (key, list) = all.find_map(|key| self.answers.get_key_value(&key)).filter(|(_, list)| !list.is_empty())?;
        let before = self.taken.next(key);
        Some((list.get(before).or(list.last())?, key, before))
    }
}

/// The account as its author wrote it.
pub(crate) fn account_text(account: &AccountRef) -> &str {
    match account {
        AccountRef::Declared(name) => name.as_str(),
        AccountRef::Origin(origin) => origin,
    }
}
