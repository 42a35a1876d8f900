//! Descriptions as they come, one file for each thing that goes wrong or is odd: what each gives, or what is told.
//!
//! Beside each `tests/wsdl/NAME.wsdl` stands `NAME.expected`: its ports and operations, what is left out, what is
//! refused with line and column, and for each comment `try PORT OPERATION BODY [headers HEADERS]` of the file the XML
//! that is sent. What is sent is read back and must be the same value. `UPDATE=1` writes the files anew, for a person to
//! read.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a broken premise must fail on the spot"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use lockgate_document::{Document, Limits, schema::Schema};
use lockgate_soap::{Message, Operation, Problem, Request, SoapError, Wsdl};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl")
}

fn read(name: &str) -> Result<Wsdl, Vec<Problem>> {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    Wsdl::read(name, text, |name| fs::read_to_string(folder().join(name)).ok())
}

fn told(out: &mut String, what: &str, problem: &Problem) {
    let Problem { code, file, line, column, message, help } = problem;
    writeln!(out, "{what} {code} {file}:{line}:{column} {message}; {help}").unwrap();
}

fn parse(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn json(document: &Document) -> String {
    String::from_utf8(document.print(u64::MAX).unwrap()).unwrap()
}

/// The type as JSON Schema, which must say the same of the value.
fn held(message: &Message, value: &Document) {
    let limits = Limits::default();
    let printed = message.json_schema(&limits).unwrap();
    let again = Schema::from_json(printed.root()).unwrap_or_else(|all| panic!("{}: {}", all[0], json(&printed)));
    assert_eq!(again.validate(value.root(), &limits), vec![], "{} by {}", json(value), json(&printed));
}

fn tried(operation: &Operation, line: &str) -> Result<String, SoapError> {
    let (body, headers) = line.split_once(" headers ").unwrap_or((line, ""));
    let (body, limits) = (parse(&body.replace("&amp;", "&")), Limits::default());
    let headers = if headers.is_empty() { Document::undefined() } else { parse(headers) };
    let request = Request {
        body: body.root(),
        headers: headers.root(),
        blocks: &[],
        body_id: None,
        attachments: &BTreeSet::new(),
    };
    let bytes = operation.request(&request, &limits)?;
    let read = operation.asked(&bytes, &[], &limits).unwrap();
    if let Some(message) = &operation.input.body {
        held(message, &read.body);
        // What was read is written as the same bytes: nothing is lost on the way.
        let again = Request { body: read.body.root(), headers: read.headers.root(), ..request };
        let again = operation.request(&again, &limits).unwrap();
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&bytes));
    }
    let text = String::from_utf8(bytes).unwrap();
    Ok(text.split_once('\n').unwrap().1.to_owned() + "\n    back " + &json(&read.body))
}

fn listed(wsdl: &Wsdl) -> String {
    let mut out = String::new();
    for port in wsdl.services().iter().flat_map(|service| &service.ports) {
        writeln!(out, "port {} {} {}", port.name, port.version, port.address).unwrap();
        for operation in port.operations.iter() {
            let (action, style) = (&operation.action, operation.style);
            writeln!(out, "  {} {style:?} action {action} addressing {}", operation.name, operation.addressing_action)
                .unwrap();
        }
    }
    out
}

fn report(name: &str) -> String {
    let mut out = String::new();
    let wsdl = match read(name) {
        Ok(wsdl) => wsdl,
        Err(problems) => {
            assert!(!problems.is_empty());
            problems.iter().for_each(|problem| told(&mut out, "refused", problem));
            return out;
        }
    };
    // What it is without documentation is the same.
    let bare: BTreeMap<String, String> = wsdl.documents().map(|(at, text)| (at.to_owned(), text)).collect();
    let again = Wsdl::read(name, bare[name].clone(), |at| bare.get(at).cloned()).unwrap();
    assert_eq!(listed(&again), listed(&wsdl), "{name}");
    assert!(bare.values().all(|text| !text.contains("<!--")), "{name}");
    out.push_str(&listed(&wsdl));
    wsdl.left_out().iter().for_each(|problem| told(&mut out, "left out", problem));
    let text = fs::read_to_string(folder().join(name)).unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("<!-- try ")?.strip_suffix(" -->")) {
        let mut words = line.splitn(3, ' ');
        let (port, operation, value) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        writeln!(out, "try {line}").unwrap();
        match wsdl.operation(port, operation) {
            Err(problems) => problems.iter().for_each(|problem| told(&mut out, "    refused", problem)),
            Ok(operation) => match tried(&operation, value) {
                Ok(xml) if tried(&again.operation(port, &operation.name).unwrap(), value).ok() != Some(xml.clone()) => {
                    panic!("{name}: another message without documentation")
                }
                Ok(xml) => writeln!(out, "    {xml}").unwrap(),
                Err(error) => writeln!(out, "    refused {error}").unwrap(),
            },
        }
    }
    out
}

#[test]
fn every_description_gives_what_stands_beside_it() {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".wsdl")).collect();
    names.sort();
    assert!(names.len() >= 45, "{}", names.len());
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for name in names {
        let found = report(&name);
        let beside = folder().join(name.replace(".wsdl", ".expected"));
        if update {
            fs::write(&beside, &found).unwrap();
        } else if fs::read_to_string(&beside).unwrap_or_default() != found {
            wrong.push(format!("--- {name}\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
