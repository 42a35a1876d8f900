//! One case: run, and held to what it expects.

use std::{
    collections::BTreeMap,
    future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use lockgate_compiler::{
    Project, Sources,
    project::{Case, Expect},
};
use lockgate_document::Document;
use lockgate_engine::{Called, Module, Outcome, Waits, Watch};
use lockgate_model::{Diagnostic, manifest::AccountRef};
use lockgate_runtime::Ran;

use super::{
    compare::{Differences, Match},
    watch::Interrupt,
};
use crate::{
    author::{
        mocked::{self, document},
        value::json,
        workbench::{Modules, Workbench},
    },
    exit::Exit,
};

/// Remarks of one case that are told.
const NOTES_MAX: usize = 20;
/// The member of an expectation that is the content of a stream.
const STREAM: &str = "stream";

/// What came of a case.
pub struct Verdict {
    pub project: String,
    pub flow: String,
    pub case: String,
    /// The case's file within the project.
    pub file: String,
    pub title: Option<String>,
    /// Time of this machine; what the flow waited took none of it.
    pub took: Duration,
    /// None when it passed.
    pub differences: Differences,
    /// What else is worth to know.
    pub notes: Vec<String>,
}

impl Verdict {
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs a case; none when it was interrupted.
pub fn run(
    project: &Project,
    sources: &Sources,
    case: &Case,
    (module, modules): (&Arc<Module>, &Arc<Modules>),
    bench: &Workbench,
    interrupt: Option<&Interrupt>,
) -> Result<Option<(Verdict, Outcome, Ran)>, Exit> {
    let read = |json: &String, what: &str| document(json, &format!("{}: {what}", case.file), bench);
    let mut expected = BTreeMap::new();
    for (key, list) in &case.mocks {
        for (at, json) in list.iter().enumerate().filter_map(|(at, one)| Some((at, one.expect.as_ref()?))) {
            expected.insert((key.clone(), at), read(json, "`expect` of a mock")?);
        }
    }
    let lists = case.mocks.iter().map(|(key, list)| (key.clone(), list.len())).collect();
    let calls = Arc::new(Calls { expected, lists, seen: Mutex::default() });
    let began = Instant::now();
    let watch: Arc<dyn Watch> = Arc::clone(&calls) as _;
    let Some((outcome, ran)) = start(case, (module, modules), bench, watch, interrupt)? else { return Ok(None) };
    let took = began.elapsed();
    let Seen { mut differences, mut notes, taken, streaming } =
        std::mem::take(&mut *calls.seen.lock().unwrap_or_else(PoisonError::into_inner));

    let nothing = Document::undefined();
    let failure = outcome.result.as_ref().err();
    let output = outcome.result.as_ref().unwrap_or(&nothing).root();
    let error = failure.and_then(|failure| failure.document.as_ref()).unwrap_or(&nothing).root();
    match &case.expect {
        Expect::Output(wanted) if failure.is_none() => {
            differences.compare("output", read(wanted, "`expect.output`")?.root(), output, Match::Whole);
        }
        Expect::Nothing if failure.is_none() => differences.compare("output", nothing.root(), output, Match::Whole),
        Expect::Output(_) | Expect::Nothing => {
            let code = failure.map(|failure| serde_json::Value::from(failure.error.code.as_str()).to_string());
            differences.add("error", "", None, json(error).or(code));
        }
        Expect::Error(fields) => {
            let wanted = read(fields, "`expect.error`")?;
            if failure.is_some() {
                differences.compare("error", wanted.root(), error, Match::Named);
            } else {
                differences.add("error", "", Some(fields.clone()), None);
                notes.push("the flow did not fail".to_owned());
            }
        }
    }
    for (content, of) in streaming.into_values() {
        differences.add(&of, &format!("/{STREAM}"), Some(serde_json::Value::from(content).to_string()), None);
    }
    for (key, list) in &case.mocks {
        let used = taken.get(key).copied().unwrap_or_default();
        for (at, exchange) in list.iter().enumerate().skip(used) {
            match &exchange.expect {
                Some(json) => differences.add(&call(key, at), "", Some(json.clone()), None),
                None => notes.push(format!("the mock of {} was not used", call(key, at))),
            }
        }
    }
    if let (Some(failure), false) = (failure, differences.is_empty())
        && let Some(place) = &failure.place
    {
        let text = sources.0.get(&place.source).map_or("", String::as_str);
        let (line, column) = Diagnostic::new("", place.span, "").line_column(text);
        notes.push(format!("{}:{line}:{column}: {}", place.source, failure.message));
    }
    for (flow, code, task) in &ran.failed {
        notes.push(format!("the run of `{flow}` that nobody waits for failed: {code} in `{task}`"));
    }
    notes.truncate(NOTES_MAX);
    let verdict = Verdict {
        project: project.id().to_string(),
        flow: case.flow.clone(),
        case: case.name.clone(),
        file: case.file.clone(),
        title: case.title.clone(),
        took,
        differences,
        notes,
    };
    Ok(Some((verdict, outcome, ran)))
}

/// Runs a case to its end, with what flows below it did; none when it was interrupted.
pub fn start(
    case: &Case,
    (module, modules): (&Arc<Module>, &Arc<Modules>),
    bench: &Workbench,
    watch: Arc<dyn Watch>,
    interrupt: Option<&Interrupt>,
) -> Result<Option<(Outcome, Ran)>, Exit> {
    let mocks = mocked::mocks(&case.mocks, Waits::Virtual, bench)?;
    let input = match &case.input {
        Some(json) => document(json, &format!("{}: `input`", case.file), bench)?,
        None => Document::undefined(),
    };
    let stopped = async {
        match interrupt {
            Some(interrupt) => interrupt.reached().await,
            None => future::pending().await,
        }
    };
    let ended = bench.run_mocked(module, modules, input, mocks, case.now, bench.limits, Some(watch), stopped);
    Ok(ended.map(|(outcome, siblings)| (outcome, siblings.ran())))
}

/// A call by the list of its mocks and its place in that list, from 0.
fn call(key: &str, at: usize) -> String {
    format!("{key}, call {}", at + 1)
}

/// Holds each call to what its mock expects.
struct Calls {
    /// By list and place in it.
    expected: BTreeMap<(String, usize), Document>,
    /// Mocks by list.
    lists: BTreeMap<String, usize>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    differences: Differences,
    notes: Vec<String>,
    /// Mocks that were taken, by list.
    taken: BTreeMap<String, usize>,
    /// By task the content that the stream must have which its call takes, and the call.
    streaming: BTreeMap<String, (String, String)>,
}

impl Watch for Calls {
    fn called(&self, task: &str, made: &Called<'_>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let authority = made.authority;
        let Some((key, before)) = made.mock else {
            if seen.notes.len() < NOTES_MAX {
                let account = match &authority.account {
                    AccountRef::Declared(name) => name.as_str(),
                    AccountRef::Origin(origin) => origin,
                };
                seen.notes
                    .push(format!("{task} calls `{account}.{}`, for which there is no mock", authority.operation));
            }
            return;
        };
        seen.taken.insert(key.to_owned(), before + 1);
        // The last one stays.
        let at = self.lists.get(key).map_or(before, |length| before.min(length.saturating_sub(1)));
        let Some(expected) = self.expected.get(&(key.to_owned(), at)) else { return };
        let (of, input) = (call(key, before), made.input.root());
        let expected = expected.root();
        let content = expected.get(STREAM).as_str().filter(|_| authority.takes.is_some());
        match content {
            Some(content) => {
                seen.streaming.insert(task.to_owned(), (content.to_owned(), of.clone()));
                seen.differences.compare_fields(&of, expected, input, |key| key != STREAM);
            }
            None => seen.differences.compare(&of, expected, input, Match::Named),
        }
    }

    fn streamed(&self, task: &str, content: &[u8]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((expected, of)) = seen.streaming.remove(task) else { return };
        let content = String::from_utf8_lossy(content);
        if content != expected.as_str() {
            let json = |text: &str| Some(serde_json::Value::from(text).to_string());
            seen.differences.add(&of, &format!("/{STREAM}"), json(&expected), json(&content));
        }
    }
}
