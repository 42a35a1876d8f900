//! What stands at the other end of a run's calls, and the calls themselves.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::AtomicU64},
};

use futures_util::{FutureExt, future::BoxFuture};
use lockgate_access::ExecutePermit;
use lockgate_connector_api::{Answer, Call};
use lockgate_document::Document;
use lockgate_model::{Limits, id::AccountName, manifest::Authority};

use crate::{
    CallSite, Called, Calls, Mock, Mocks,
    calls::account_text,
    flight::CallAsked,
    host::Host,
    problem::Problem,
    stop::Stop,
    streams::{Open, no_stream},
};

/// What stands at the other end of a run's calls.
pub(crate) enum Reach {
    /// Bound accounts, under a permit.
    Bound {
        permit: ExecutePermit,
        calls: Arc<dyn Calls>,
        /// The permit's receipt has become durable.
        durable: bool,
    },
    /// Mocks.
    Mocked {
        mocks: Mocks,
        /// Calls so far, by list of mocks.
        taken: BTreeMap<String, usize>,
    },
}

/// A call that has ended.
pub(crate) struct Answered {
    pub(crate) result: Result<Given, Problem>,
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

/// What a call gave.
pub(crate) struct Given {
    pub(crate) document: Arc<Document>,
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

    /// Prepares a call; `stream` is what the strand's call before opened, `occurrence` counts the task's calls.
    pub(crate) fn call(
        &mut self,
        host: &Host,
        asked: CallAsked,
        stream: Option<Open>,
        occurrence: u32,
        stop: &Stop,
    ) -> Begun {
        let CallAsked { operation, input, slot, pc, task, branch } = asked;
        let asked = Asked { slot, pc, task, branch };
        let Some(authority) = host.module.operation(operation) else {
            return Begun::failed(Problem::undeclared(), asked);
        };
        match self {
            Reach::Mocked { mocks, taken } => mocked(host, (mocks, taken), authority, &input, asked, stream),
            Reach::Bound { calls, .. } => {
                let account = calls.account(operation);
                let (task, branch) = (asked.task.clone(), asked.branch.clone());
                let site = CallSite { operation, task, branch, occurrence };
                let mut call = Call::new(authority.operation.clone(), input, stop.deadline());
                call.limits = host.limits;
                call.stream = authority.streams;
                let mut source = None;
                if let Some(format) = &authority.takes {
                    let body = stream.ok_or_else(no_stream).and_then(|open| {
                        source = open.account.clone().map(|account| (account, Arc::clone(&open.read)));
                        open.body(format)
                    });
                    match body {
                        Ok(body) => call.body = Some(body),
                        Err(error) => return Begun { source, ..Begun::failed(Problem::connector(&error), asked) },
                    }
                }
                let (calls, streams, from) = (Arc::clone(calls), authority.streams, account.clone());
                // The connector's own code may panic where it is called and where it is polled.
                let calling = AssertUnwindSafe(async move { calls.call(site, call).await }).catch_unwind();
                let call = calling.map(move |answer| {
                    let result = match answer {
                        Err(_) => Err(Problem::connector_panicked()),
                        Ok(Err(error)) => Err(Problem::connector(&error)),
                        Ok(Ok(answer)) => given(answer, from, streams),
                    };
                    Answered { result, asked }
                });
                Begun { call: call.boxed(), account: Some(account), source }
            }
        }
    }
}

impl Begun {
    fn failed(problem: Problem, asked: Asked) -> Self {
        let call = std::future::ready(Answered { result: Err(problem), asked }).boxed();
        Self { call, account: None, source: None }
    }
}

fn given(answer: Answer, account: AccountName, streams: bool) -> Result<Given, Problem> {
    let opened = match streams {
        true => {
            let streamed = answer.stream.ok_or_else(no_stream).map_err(|error| Problem::connector(&error))?;
            Some(Open { streamed, account: Some(account.clone()), read: Arc::default() })
        }
        false => None,
    };
    let passed = Some((account, answer.read, answer.written));
    Ok(Given { document: Arc::new(answer.output), opened, passed })
}

/// A call that takes a mock.
fn mocked(
    host: &Host,
    (mocks, taken): (&Mocks, &mut BTreeMap<String, usize>),
    authority: &Authority,
    input: &Document,
    asked: Asked,
    stream: Option<Open>,
) -> Begun {
    let watch = host.watch.clone();
    let mock = mocks.next(authority, taken, |mock| {
        if let Some(watch) = &watch {
            watch.called(&asked.task, &Called { authority, input, mock });
        }
    });
    let account = account_text(&authority.account);
    let document = match mock {
        Some(Mock::Answer(document)) => Arc::clone(document),
        Some(Mock::Error(error)) => return Begun::failed(Problem::mock(error), asked),
        None => {
            let problem = Problem::no_mock(account, &authority.connector, &authority.operation);
            return Begun::failed(problem, asked);
        }
    };
    let opened = authority.streams.then(|| Open::mocked(&document, account));
    let Some(format) = authority.takes.clone() else {
        let result = Ok(Given { document, opened, passed: None });
        let call = std::future::ready(Answered { result, asked }).boxed();
        return Begun { call, account: None, source: None };
    };
    let limits: Limits = host.limits;
    let call = async move {
        let body = stream.ok_or_else(no_stream).and_then(|open| open.body(&format));
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
            Err(error) => Err(Problem::connector(&error)),
        };
        Answered { result, asked }
    };
    Begun { call: call.boxed(), account: None, source: None }
}
