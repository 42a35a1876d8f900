//! The cases of `tests/flows` through the server: the project is built, pushed and deployed, and each case is executed
//! over HTTP. What a case gives with mocks in one process (`tests/orchestrations.rs`) it must give with real requests.
//!
//! A stand-in has a port for the account and for each origin that the flows name, and answers each call by the case's
//! mocks, in their order. It tells the cases apart by the trace that the caller begins and that goes along with every
//! call, so all cases run at once and real waits are waited for together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use lockgate_compiler::{
    Project, Sources,
    project::{Case, Expect},
};
use lockgate_testkit::workspace_root;
use serde_json::{Value, json};

use crate::{
    house::{House, Reply},
    stand_in::{ACCOUNTS, StandIn, differences, named},
};

/// Where nothing else is bound.
const ENVIRONMENT: &str = "test";
/// How far apart the cases begin: so many at once are no test of anything.
const APART: Duration = Duration::from_millis(30);
/// A case that takes longer than this is not for a test that runs every time.
const LONG_SECONDS: u32 = 36;

/// Why a case cannot hold on this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It waits longer than a test should, or than a run over REST may.
    Long,
    /// It holds at its own `now` alone.
    Now,
    /// It mocks another orchestration, which really runs here.
    Mocked,
    /// It holds only where a wait takes exactly its time.
    Exact,
}

const ELSEWHERE: [(&str, Reason); 11] = [
    ("emit/greets", Reason::Now),
    ("jitter/two", Reason::Exact),
    ("race/late", Reason::Long),
    ("runs/fails", Reason::Mocked),
    ("runs/mocked", Reason::Mocked),
    ("wait/days", Reason::Long),
    ("wait/long", Reason::Long),
    ("wait/negative", Reason::Long),
    ("wait/none", Reason::Long),
    ("wait/text", Reason::Long),
    ("wait/units", Reason::Long),
];

/// Numbers of outputs that are measured lengths of time: at least what stands there.
const MEASURED: [(&str, &str); 4] =
    [("pause", "waited"), ("rounds", "seconds"), ("timeout", "after"), ("timetry", "after")];

/// The project without what is only of this test: its files by their paths, and its cases.
fn project(root: &Path) -> (BTreeMap<String, String>, Vec<Case>) {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(root, root, &mut files);
    let project = Project::parse(&Sources(files.clone())).unwrap_or_else(|problems| panic!("{problems}"));
    files.retain(|name, _| !name.starts_with("cases/"));
    (files, project.cases().to_vec())
}

/// A flow that runs another and gives the error it fails with: over HTTP the status of a problem is the reply's, and in a
/// `catch` it is the error's.
fn teller(flow: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: told-{flow}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\n\
         do:\n\
         - tries:\n\
         \x20   try: [ below: {{ run: {{ workflow: {{ namespace: t, name: {flow}, version: latest }} }} }} ]\n\
         \x20   catch: {{ as: e, do: [ told: {{ set: '${{ {{ \"error\": $e }} }}' }} ] }}\n"
    )
}

/// A house with the project deployed, and the stand-in behind it.
struct Stage {
    house: House,
    stand_in: StandIn,
    administrator: String,
}

impl Stage {
    fn set(files: &BTreeMap<String, String>, cases: &[Case]) -> Self {
        let house = House::start();
        let stand_in = StandIn::start();
        let ca = house.folder().join("stand-in.pem");
        std::fs::write(&ca, stand_in.ca_pem()).unwrap();
        let (ca, data) = (ca.to_str().unwrap(), house.data.to_str().unwrap());
        for account in &ACCOUNTS {
            let address = format!("{}{}", stand_in.origin(account.mocked), account.base);
            let bind =
                ["account", "add", account.name, "--env", ENVIRONMENT, "--connector", account.connector, "--ca", ca];
            let mut signs_in = Vec::new();
            for setting in account.signs_in.settings(&stand_in.origin(account.mocked)) {
                signs_in.extend(["--set".to_owned(), setting]);
            }
            if let Some((name, secret)) = account.signs_in.secret() {
                let file = house.folder().join("secret");
                std::fs::write(&file, secret).unwrap();
                signs_in.extend(["--secret".to_owned(), format!("{name}={}", file.display())]);
            }
            let signs_in: Vec<&str> = signs_in.iter().map(String::as_str).collect();
            house.cli(&[&bind[..], &["--address", &address], &signs_in].concat());
            let port = stand_in.port(account.mocked).to_string();
            house.cli(&["operator", "egress", "allow", "--data", data, "demo", ENVIRONMENT, "127.0.0.1/32", &port]);
        }
        let root = house.folder().join("flows");
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        files.iter().for_each(|(name, text)| write(name, &stand_in.here(text)));
        for case in cases.iter().filter(|case| matches!(case.expect, Expect::Error(_))) {
            write(&format!("told-{}.flow.yaml", case.flow), &teller(&case.flow));
        }
        let root = root.to_str().unwrap();
        for arguments in [&["build", root][..], &["push", root], &["deploy", "t", ENVIRONMENT]] {
            house.cli(arguments);
        }
        let administrator = house.administrator();
        Self { house, stand_in, administrator }
    }

    /// Executes a flow with the case's input and mocks: the reply and what was wrong with its calls. No reply where it
    /// takes too long.
    fn execute(&self, case: &Case, flow: &str) -> (Option<Reply>, Vec<String>) {
        let trace = self.stand_in.expect(&case.mocks);
        let parent = format!("traceparent: 00-{trace}-00f067aa0ba902b7-00");
        let path = format!("/demo/{ENVIRONMENT}/{flow}");
        let who = &self.administrator;
        let reply = self.house.request_within(LONG_SECONDS, who, "POST", &path, case.input.as_deref(), &[&parent]);
        (reply, self.stand_in.wrong(&trace))
    }

    /// Why a case fails; nothing when it holds.
    fn run(&self, case: &Case) -> Result<(), Failed> {
        let (reply, mut wrong) = self.execute(case, &case.flow);
        let reply = reply.ok_or(Failed::TooLong)?;
        match &case.expect {
            Expect::Nothing if reply.status == 204 => {}
            Expect::Output(expected) if reply.status == 200 => {
                let actual = self.stand_in.there(&reply.body);
                wrong.extend(output_differs(&case.flow, expected, &actual));
            }
            Expect::Error(expected) if reply.status >= 400 => {
                wrong.extend(self.error_differs(case, expected, &reply));
            }
            _ => wrong.push(format!("it gives {reply:?}")),
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failed::Differs(wrong)) }
    }

    fn error_differs(&self, case: &Case, expected: &str, reply: &Reply) -> Vec<String> {
        let expected: Value = serde_json::from_str(expected).unwrap();
        let problem: Value = serde_json::from_str(&self.stand_in.there(&reply.body)).unwrap();
        // The reply's own status, and all else as the error has it.
        let (mut shown, mut told) = (expected.clone(), expected);
        shown.as_object_mut().unwrap().remove("status");
        told.as_object_mut().unwrap().remove("instance");
        let mut wrong = named("problem", &shown, &problem);
        let (reply, calls) = self.execute(case, &format!("told-{}", case.flow));
        wrong.extend(calls);
        let Some(reply) = reply.filter(|reply| reply.status == 200) else {
            wrong.push("the flow around it tells no error".to_owned());
            return wrong;
        };
        let error = &reply.json()["error"];
        wrong.extend(named("error", &told, error));
        let status = status_over_http(error, &problem);
        if problem["status"] != status {
            wrong.push(format!("the status is {} and not {status}: {problem}", problem["status"]));
        }
        wrong
    }
}

enum Failed {
    /// There was no reply in time.
    TooLong,
    Differs(Vec<String>),
}

/// What docs/errors.md says a failed run answers.
fn status_over_http(error: &Value, problem: &Value) -> Value {
    let text = |member: &str| problem[member].as_str().unwrap_or_default();
    let standard = text("type").strip_prefix("https://open-workflow-specification.org/dsl/errors/types/");
    // The words of a connector are in small letters.
    let of_connector = text("code").starts_with(|letter: char| letter.is_ascii_lowercase());
    match standard {
        None => error["status"].clone(),
        Some("timeout") => json!(504),
        Some("validation") if text("instance") == "/input" => json!(400),
        Some("validation") => json!(500),
        Some(_) if of_connector => json!(502),
        Some(_) => json!(500),
    }
}

fn output_differs(flow: &str, expected: &str, actual: &str) -> Vec<String> {
    let expected: Value = serde_json::from_str(expected).unwrap();
    let mut actual: Value = serde_json::from_str(actual).unwrap();
    if let Some((_, member)) = MEASURED.iter().find(|(of, _)| *of == flow) {
        measured(&expected, &mut actual, member);
    }
    differences("output", &expected, &actual)
}

/// A length of time that is at least the expected one is taken for it.
fn measured(expected: &Value, actual: &mut Value, member: &str) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, expected) in expected {
                let Some(actual) = actual.get_mut(name) else { continue };
                let longer = expected.as_f64().zip(actual.as_f64()).is_some_and(|(least, took)| least <= took);
                if name == member && longer {
                    *actual = expected.clone();
                }
                measured(expected, actual, member);
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            expected.iter().zip(actual).for_each(|(expected, actual)| measured(expected, actual, member));
        }
        _ => {}
    }
}

/// What is wrong with how a case ended, the list considered.
fn verdict(name: &str, ended: &Result<(), Failed>) -> Option<String> {
    let listed = ELSEWHERE.iter().find(|(listed, _)| *listed == name).map(|(_, reason)| *reason);
    let outputs = |how: &[String]| how.iter().all(|difference| difference.starts_with("output"));
    match (ended, listed) {
        (Ok(()), None | Some(Reason::Exact)) => None,
        (Ok(()), Some(reason)) => Some(format!("{name} holds, and is listed as {reason:?}")),
        (Err(Failed::TooLong), Some(Reason::Long)) => None,
        (Err(Failed::TooLong), _) => Some(format!("{name} takes longer than {LONG_SECONDS} s")),
        (Err(Failed::Differs(_)), Some(Reason::Mocked)) => None,
        (Err(Failed::Differs(how)), Some(Reason::Now | Reason::Exact)) if outputs(how) => None,
        (Err(Failed::Differs(how)), _) => Some(format!("{name}:\n  {}", how.join("\n  "))),
    }
}

/// Cases that are spoilt: their calls, what comes back, and what must come out.
fn what_does_not_hold_is_told(stage: &Stage, cases: &[Case]) {
    let case = |flow: &str, name: &str| cases.iter().find(|case| case.flow == flow && case.name == name).unwrap();
    let told = |flow: &str, name: &str, spoil: &dyn Fn(&mut Case)| {
        let mut spoilt = case(flow, name).clone();
        spoil(&mut spoilt);
        match stage.run(&spoilt) {
            Err(Failed::Differs(how)) => how.join("\n"),
            _ => panic!("{flow}/{name} holds when it is spoilt"),
        }
    };
    let expect = |key: &'static str, at: usize, json: &'static str| {
        move |case: &mut Case| case.mocks.get_mut(key).unwrap()[at].expect = Some(json.to_owned())
    };
    let spoilt = [
        (told("functions", "three", &expect("erp.get", 0, r#"{"path": "/stock/z"}"#)), "erp.get, call 1: path"),
        (told("collect", "some", &expect("erp.post", 2, r#"{"body": {"n": 4}}"#)), "erp.post, call 3: body/n"),
        (told("collect", "some", &|case| case.mocks.clear()), "a call without a mock"),
        (told("set", "0", &|case| case.expect = Expect::Output(r#"{"shape": "square"}"#.to_owned())), "output/shape"),
        (told("set", "0", &|case| case.expect = Expect::Nothing), "it gives"),
        (told("raise", "0", &|case| case.expect = Expect::Output("{}".to_owned())), "it gives"),
        (told("raise", "0", &|case| case.expect = Expect::Error(r#"{"status": 401}"#.to_owned())), "error/status"),
        (told("raise", "0", &|case| case.expect = Expect::Error(r#"{"type": "a"}"#.to_owned())), "problem/type"),
    ];
    for (told, says) in spoilt {
        assert!(told.contains(says), "no `{says}` in {told}");
    }
    let unused = case("functions", "three").mocks.clone();
    let told = told("set", "0", &|case| case.mocks = unused.clone());
    assert!(told.contains("nothing took the mock 0 of erp.get"), "{told}");
}

#[test]
fn every_case_holds_through_the_server_as_it_does_with_mocks() {
    let (files, cases) = project(&workspace_root().join("tests/flows"));
    let name = |case: &Case| format!("{}/{}", case.flow, case.name);
    let names: BTreeSet<_> = cases.iter().map(name).collect();
    let gone: Vec<_> = ELSEWHERE.iter().filter(|(listed, _)| !names.contains(*listed)).collect();
    assert!(gone.is_empty(), "there is no such case: {gone:?}");
    for (flow, _) in MEASURED {
        assert!(cases.iter().any(|case| case.flow == flow), "there is no case of `{flow}`");
    }

    let stage = &Stage::set(&files, &cases);
    what_does_not_hold_is_told(stage, &cases);
    let ended: Vec<(String, Result<(), Failed>)> = std::thread::scope(|scope| {
        let run = |case| {
            std::thread::sleep(APART);
            (name(case), scope.spawn(move || stage.run(case)))
        };
        let running: Vec<_> = cases.iter().map(run).collect();
        running.into_iter().map(|(name, thread)| (name, thread.join().unwrap())).collect()
    });
    let wrong: Vec<String> = ended.iter().filter_map(|(name, ended)| verdict(name, ended)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases, {} of them elsewhere", cases.len(), ELSEWHERE.len());
}
