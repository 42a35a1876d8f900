//! What stands at the other end of a run's calls, and the calls themselves.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::AtomicU64},
};

use futures_util::{FutureExt, future::BoxFuture};
use lockgate_access::ExecutePermit;
use lockgate_connector_api::{Answer, Call, Error, Kind, Streamed, http};
use lockgate_document::{Builder, Document, Fault, Value, formats::Content};
use lockgate_model::{
    Limits, Timestamp,
    id::AccountName,
    manifest::{Authority, Subflow},
};

use crate::{
    Budget, CallSite, Called, Calls, Failure, Mock, Mocks, SiblingEnd, Siblings, SubEnd, SubFailure, SubRun,
    calls::account_text,
    flight::CallAsked,
    host::Host,
    problem::Problem,
    raised::RAISED,
    stop::Stop,
    streams::{Contents, Open, no_stream, whole},
};

/// The member of an answer that is its content.
const BODY: &str = "body";

/// What stands at the other end of a run's calls.
pub(crate) enum Reach {
    /// Bound accounts, under a permit.
    Bound {
        permit: Box<ExecutePermit>,
        calls: Arc<dyn Calls>,
        /// The permit's receipt has become durable.
        durable: bool,
    },
    /// Mocks, and other orchestrations beside.
    Mocked(Beside),
}

/// What stands beside a module that runs outside any environment.
pub struct Beside {
    /// In place of connectors.
    pub mocks: Arc<Mocks>,
    /// In place of the environment's orchestrations, for which no mock stands.
    pub siblings: Option<Arc<dyn Siblings>>,
    /// When nobody waits for the run any more, where time is virtual.
    pub until: Option<Timestamp>,
    /// What it may cost, within what a run that waits for it may; none for one that nobody waits for.
    pub budget: Option<Arc<Budget>>,
}

/// A call that has ended.
pub(crate) struct Answered {
    pub(crate) result: Result<Given, Wrong>,
    /// What it cost elsewhere, in units.
    pub(crate) cost: u64,
    /// When it comes on the run's clock, where that is later than it was asked for.
    pub(crate) comes_ms: Option<i64>,
    /// What was asked.
    pub(crate) asked: Asked,
}

/// What is kept of a call that is under way.
pub(crate) struct Asked {
    pub(crate) slot: u32,
    pub(crate) pc: u32,
    pub(crate) task: String,
    pub(crate) branch: Vec<u64>,
}

/// Why a call gave nothing.
pub(crate) enum Wrong {
    Problem(Problem),
    /// An error object that another orchestration raised.
    Raised(Document),
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What a call gave.
pub(crate) struct Given {
    /// None where the data stays as it is.
    pub(crate) document: Option<Arc<Document>>,
    /// A stream for the next call of the strand.
    pub(crate) opened: Option<Open>,
    /// The account, and bytes read and written.
    pub(crate) passed: Option<(AccountName, u64, u64)>,
}

/// A call that can begin.
pub(crate) struct Begun {
    pub(crate) call: BoxFuture<'static, Answered>,
    /// The account that is called.
    pub(crate) account: Option<AccountName>,
    /// The account that the call reads a stream from, and bytes so far.
    pub(crate) source: Option<(AccountName, Arc<AtomicU64>)>,
    /// What an orchestration that is waited for takes from.
    pub(crate) budget: Option<Arc<Budget>>,
}

impl Reach {
    /// No call is made before the run's entry in the audit log cannot be lost any more.
    pub(crate) async fn durable(&mut self, stop: &Stop) -> Result<(), Problem> {
        let Reach::Bound { permit, durable: durable @ false, .. } = self else { return Ok(()) };
        tokio::select! {
            biased;
            why = stop.reached() => return Err(Problem::stopped(why)),
            receipt = permit.receipt().durable() => receipt.map_err(|e| Problem::not_durable(e.to_string()))?,
        }
        *durable = true;
        Ok(())
    }

    /// Prepares a call; `stream` is what the strand's call before opened, `occurrence` counts the task's calls, and
    /// `limit` is in how many milliseconds nobody waits for it any more.
    pub(crate) fn call(
        &mut self,
        host: &Host,
        asked: CallAsked,
        (stream, occurrence): (Option<Open>, u32),
        limit: Option<(u64, u32)>,
        stop: &Stop,
    ) -> Begun {
        let CallAsked { operation, input, slot, pc, task, branch, feeds: _ } = asked;
        let asked = Asked { slot, pc, task, branch };
        let Some(authority) = host.module.callee(operation) else {
            return Begun::failed(Problem::undeclared(), asked);
        };
        match self {
            Reach::Mocked(beside) => {
                let mock = beside.mocks.next(&host.module.header().name, authority);
                if let (Some(siblings), Some(subflow), None) = (&beside.siblings, host.module.subflow(operation), &mock)
                    && siblings.has(subflow.name.as_str())
                {
                    let sub = sub_run(host, subflow, (operation, input), &asked, occurrence, stop);
                    return run_beside(host, Arc::clone(siblings), sub, asked, until(host, limit, beside.until));
                }
                mocked(host, mock, (operation, authority), &input, asked, stream)
            }
            Reach::Bound { calls, .. } => {
                if let Some(subflow) = host.module.subflow(operation) {
                    let sub = sub_run(host, subflow, (operation, input), &asked, occurrence, stop);
                    return run(Arc::clone(calls), sub, asked);
                }
                let account = calls.account(operation);
                let (task, branch) = (asked.task.clone(), asked.branch.clone());
                let site = CallSite { operation, task, branch, occurrence };
                let mut call = Call::new(authority.operation.clone(), input, stop.deadline());
                call.limits = host.limits;
                let contents = host.module.contents(operation);
                let parse = contents.and_then(|contents| contents.parse.clone());
                call.stream = authority.streams || parse.is_some();
                let mut source = None;
                if authority.takes.is_some() {
                    let format = contents.and_then(|contents| contents.format.as_deref());
                    let body = stream.ok_or_else(no_stream).and_then(|open| {
                        source = open.account.clone().map(|account| (account, Arc::clone(&open.read)));
                        open.body(format, &host.limits)
                    });
                    match body {
                        Ok(body) => call.body = Some(body),
                        Err(error) => return Begun { source, ..Begun::failed(Problem::connector(&error), asked) },
                    }
                }
                let (calls, streams, from) = (Arc::clone(calls), authority.streams, account.clone());
                let operation = authority.operation.clone();
                // The connector's own code may panic where it is called and where it is polled.
                let (limits, reads) = (host.limits, parse.clone().filter(|_| !streams));
                let calling = async move {
                    let answer = calls.call(site, call).await?;
                    match reads {
                        Some(parse) => read(answer, &parse, &limits).await,
                        None => Ok(answer),
                    }
                };
                let calling = AssertUnwindSafe(calling).catch_unwind();
                let call = calling.map(move |answer| {
                    let result = match answer {
                        Err(_) => Err(Problem::connector_panicked()),
                        Ok(Err(error)) => Err(Problem::connector(&error)),
                        Ok(Ok(answer)) => given(answer, (from, operation), streams.then_some(parse)),
                    };
                    Answered { result: result.map_err(Wrong::from), cost: 0, comes_ms: None, asked }
                });
                Begun { call: call.boxed(), account: Some(account), source, budget: None }
            }
        }
    }
}

impl Begun {
    fn failed(problem: Problem, asked: Asked) -> Self {
        let call = std::future::ready(Answered { result: Err(problem.into()), cost: 0, comes_ms: None, asked }).boxed();
        Self { call, account: None, source: None, budget: None }
    }
}

/// Reads what an answer streams as its member `body`, by what the bytes mean.
async fn read(answer: Answer, parse: &Content, limits: &Limits) -> Result<Answer, Error> {
    let body = answer.stream.and_then(Streamed::bytes).ok_or_else(no_stream)?;
    let bytes = body.collect(limits.reply_bytes_max).await?;
    let value = whole(&bytes, parse, limits)?;
    let output = with_body(&answer.output, &value, limits);
    let output =
        output.map_err(|_| Error::new(Kind::TooLarge, "body-too-large", "the content is larger than the limit"))?;
    Ok(Answer { output, stream: None, read: answer.read.saturating_add(bytes.len() as u64), written: answer.written })
}

/// An answer with its content.
fn with_body(answer: &Document, body: &Document, limits: &Limits) -> Result<Document, Fault> {
    let mut output = Builder::new(limits);
    output.begin_object()?;
    for (name, value) in answer.root().entries().filter(|(name, _)| *name != BODY) {
        output.key(name)?;
        output.value(value)?;
    }
    output.key(BODY)?;
    output.value(body.root())?;
    output.end()?;
    output.finish()
}

/// `streams` is what the bytes of a stream mean, where the answer is one.
fn given(
    answer: Answer,
    (account, operation): (AccountName, String),
    streams: Option<Option<Arc<Content>>>,
) -> Result<Given, Problem> {
    let opened = match streams {
        Some(parse) => {
            let streamed = answer.stream.ok_or_else(no_stream).map_err(|error| Problem::connector(&error))?;
            let (account, operation) = (Some(account.clone()), operation.into());
            Some(Open { streamed, parse, account, operation, read: Arc::default() })
        }
        None => None,
    };
    let passed = Some((account, answer.read, answer.written));
    Ok(Given { document: Some(Arc::new(answer.output)), opened, passed })
}

/// Another orchestration, as it is asked for.
fn sub_run(
    host: &Host,
    subflow: &Subflow,
    (operation, input): (u32, Document),
    asked: &Asked,
    occurrence: u32,
    stop: &Stop,
) -> SubRun {
    let site = CallSite { operation, task: asked.task.clone(), branch: asked.branch.clone(), occurrence };
    let budget = Arc::new(host.budget().within());
    SubRun { site, subflow: subflow.clone(), input, deadline: stop.deadline(), budget }
}

/// Another orchestration of the environment.
fn run(calls: Arc<dyn Calls>, sub: SubRun, asked: Asked) -> Begun {
    let awaits = sub.subflow.awaits;
    let budget = Some(Arc::clone(&sub.budget)).filter(|_| awaits);
    let running = AssertUnwindSafe(async move { calls.run(sub).await }).catch_unwind();
    let call = running.map(move |end| match end {
        Ok(end) => ran(end, awaits, None, asked),
        Err(_) => lost(asked),
    });
    Begun { call: call.boxed(), account: None, source: None, budget }
}

/// Another orchestration beside the module.
fn run_beside(host: &Host, siblings: Arc<dyn Siblings>, sub: SubRun, asked: Asked, until: Option<Timestamp>) -> Begun {
    let (awaits, now) = (sub.subflow.awaits, host.now_ms());
    let budget = Some(Arc::clone(&sub.budget)).filter(|_| awaits);
    let running = AssertUnwindSafe(async move { siblings.run(sub, Timestamp::from_ms(now), until).await });
    let call = running.catch_unwind().map(move |end| match end {
        Ok(SiblingEnd { end, took_ms: 0 }) => ran(end, awaits, None, asked),
        Ok(SiblingEnd { end, took_ms }) => ran(end, awaits, Some(now.saturating_add_unsigned(took_ms)), asked),
        Err(_) => lost(asked),
    });
    Begun { call: call.boxed(), account: None, source: None, budget }
}

/// When nobody waits any more for what a strand asks for now.
fn until(host: &Host, limit: Option<(u64, u32)>, until: Option<Timestamp>) -> Option<Timestamp> {
    let limit = limit.map(|(ms, _)| Timestamp::from_ms(host.now_ms().saturating_add_unsigned(ms)));
    limit.into_iter().chain(until).min()
}

fn ran(SubEnd { result, cost }: SubEnd, awaits: bool, comes_ms: Option<i64>, asked: Asked) -> Answered {
    let given = |output| Given { document: awaits.then(|| Arc::new(output)), opened: None, passed: None };
    let result = result.map(given).map_err(|failure| match failure {
        SubFailure::Failed(failure) => Wrong::of(*failure),
        SubFailure::Refused { kind, code, status, detail } => {
            Wrong::Problem(Problem::subflow(kind, code, status, status, detail))
        }
    });
    Answered { result, cost, comes_ms, asked }
}

fn lost(asked: Asked) -> Answered {
    Answered { result: Err(Wrong::Problem(Problem::lost())), cost: 0, comes_ms: None, asked }
}

impl Wrong {
    /// The failure of an orchestration that was run, as that of the task that ran it.
    fn of(failure: Failure) -> Self {
        let Failure { error, document, message, .. } = failure;
        let field = |key: &str| document.as_ref().map(|document| document.root().get(key));
        if error.code == RAISED {
            let text = |key: &'static str| {
                let text = field(key)?.as_str()?.to_owned();
                Some((key, Value::from(text)))
            };
            let status =
                field("status").and_then(|status| status.as_i64()).map(|status| ("status", Value::from(status)));
            let fields = [text("type"), status, text("title"), text("detail")];
            return Self::Raised(Document::object(fields.into_iter().flatten()));
        }
        let status = field("status").and_then(|status| u16::try_from(status.as_i64()?).ok());
        // What was wrong with the input of the orchestration is none of the caller's.
        let over_http = error.status.max(500);
        Self::Problem(Problem::subflow(&error.kind, error.code, status.unwrap_or(500), over_http, message))
    }
}

/// The error that an https endpoint's mocked answer is by its status, as it is where there is an endpoint.
fn refused(authority: &Authority, input: &Document, answer: &Document) -> Option<Error> {
    let https = authority.connector.as_str() == "https";
    let status = u16::try_from(answer.root().get("status").as_i64().filter(|_| https)?).ok()?;
    http::is_refusal(status, input.root().get("redirect").as_bool()).then(|| http::refusal_of(status, None))
}

/// A call that takes a mock.
fn mocked(
    host: &Host,
    mock: Option<(&Mock, &str, usize)>,
    (operation, authority): (u32, &Authority),
    input: &Document,
    asked: Asked,
    stream: Option<Open>,
) -> Begun {
    let watch = host.watch.clone();
    if let Some(watch) = &watch {
        watch.called(&asked.task, &Called { authority, input, mock: mock.map(|(_, key, before)| (key, before)) });
    }
    let account = account_text(&authority.account);
    let document = match mock.map(|(mock, ..)| mock) {
        Some(Mock::Answer(document)) => match refused(authority, input, document) {
            Some(error) => return Begun::failed(Problem::connector(&error), asked),
            None => Arc::clone(document),
        },
        Some(Mock::Error(error)) => return Begun::failed(Problem::mock(error), asked),
        None => {
            let problem = Problem::no_mock(account, &authority.connector, &authority.operation);
            return Begun::failed(problem, asked);
        }
    };
    let contents = host.module.contents(operation);
    let (parse, format) = match contents {
        Some(Contents { parse, format }) => (parse.clone(), format.clone()),
        None => (None, None),
    };
    let opened = authority.streams.then(|| Open::mocked(&document, account, &authority.operation, parse.clone()));
    let document = match parse.filter(|_| !authority.streams) {
        Some(parse) => match mocked_content(&document, &parse, &host.limits) {
            Ok(read) => read.map_or(document, Arc::new),
            Err(error) => return Begun::failed(Problem::connector(&error), asked),
        },
        None => document,
    };
    // Who does not wait for an orchestration has nothing of its output.
    let document = host.module.subflow(operation).is_none_or(|run| run.awaits).then_some(document);
    if authority.takes.is_none() {
        let result = Ok(Given { document, opened, passed: None });
        let call = std::future::ready(Answered { result, cost: 0, comes_ms: None, asked }).boxed();
        return Begun { call, account: None, source: None, budget: None };
    }
    let limits: Limits = host.limits;
    let call = async move {
        let body = stream.ok_or_else(no_stream).and_then(|open| open.body(format.as_deref(), &limits));
        let written = match body {
            Ok(body) => body.collect(limits.arena_bytes_max).await,
            Err(error) => Err(error),
        };
        let result = match written {
            Ok(content) => {
                if let Some(watch) = watch {
                    watch.streamed(&asked.task, &content);
                }
                Ok(Given { document, opened, passed: None })
            }
            Err(error) => Err(Problem::connector(&error).into()),
        };
        Answered { result, cost: 0, comes_ms: None, asked }
    };
    Begun { call: call.boxed(), account: None, source: None, budget: None }
}

/// A mocked answer whose bytes mean something: where it says what it `stream`s, that is read.
fn mocked_content(answer: &Document, parse: &Content, limits: &Limits) -> Result<Option<Document>, Error> {
    let Some(text) = answer.root().get("stream").as_str() else { return Ok(None) };
    let body = whole(text.as_bytes(), parse, limits)?;
    with_body(answer, &body, limits).map(Some).map_err(|_| no_stream())
}
