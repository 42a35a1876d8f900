//! `lockgate map FILE --explain < document`: which rule made which field of the target, and which rules
//! set nothing, and why. The module itself tells it; here it is put in words.

mod words;

use std::io::IsTerminal;

use lockgate_compiler::{Tables, Types, explain_module};
use lockgate_document::{Document, Node};
use lockgate_mapping::{
    expression::format as format_expression,
    rules::{ArrayRule, From, Lines, Site, Target, ValueRule},
};
use lockgate_model::Diagnostics;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    author::{
        value::json,
        workbench::{Workbench, faulted},
    },
    exit::Exit,
    output::Output,
};

/// Explains what a mapping file makes of the document that `read` gives. `known` is what is known to be
/// wrong already, and `source` the text of each file.
pub fn run<'s>(
    (name, text): (&str, &str),
    (tables, types): (&Tables, &Types),
    known: Diagnostics,
    source: &dyn Fn(&str) -> Option<&'s String>,
    read: impl FnOnce(&Workbench) -> Result<Document, Exit>,
    output: &Output,
) -> Result<(), Exit> {
    let compiled = explain_module(name, text, tables, types);
    let found = compiled.as_ref().err().cloned().unwrap_or_default();
    let all = Diagnostics(known.0.into_iter().chain(found.0).collect());
    let (compiled, map) = all.into_result(()).and(compiled).map_err(|all| Exit::problems(all, source))?;
    let bench = Workbench::new()?;
    let module = bench.load(&compiled)?;
    let result = bench.run(&module, read(&bench)?).result.map_err(|failure| faulted(&failure, name, text, ""))?;

    let root = result.root();
    let mut explainer = Explainer { lines: Lines::of(text), places: Vec::new(), nothing: Vec::new() };
    let mut records = root.get("trail").items();
    explainer.target(&map.target, root.get("document"), &mut records, "");
    if output.is_json() {
        let value = Explanation { mapping: &map.name, places: &explainer.places, nothing: &explainer.nothing };
        let line = serde_json::to_string(&value).map_err(|e| Exit::failed("LG-PRINT", e.to_string()))?;
        output.line(&line);
    } else {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        output.line(explainer.shown(&map, colour).trim_end_matches('\n'));
    }
    Ok(())
}

#[derive(Serialize)]
struct Explanation<'a> {
    mapping: &'a str,
    places: &'a [Place],
    nothing: &'a [Nothing],
}

/// A place of the target document.
#[derive(Serialize)]
struct Place {
    /// JSON pointer (RFC 6901).
    pointer: String,
    /// None for an array whose entries are places themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
    #[serde(flatten)]
    rule: Rule,
    #[serde(flatten)]
    how: How,
}

/// A rule that set nothing.
#[derive(Serialize)]
struct Nothing {
    /// Where it would have; `-` is an entry that is not there.
    pointer: String,
    #[serde(flatten)]
    rule: Rule,
    #[serde(flatten)]
    why: Why,
}

#[derive(Serialize, Clone)]
struct Rule {
    line: usize,
    to: String,
}

/// Where a value comes from.
#[derive(Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
enum How {
    From {
        expression: String,
    },
    Lookup {
        table: String,
        key: String,
    },
    /// With why it was asked for.
    Default {
        expression: String,
        because: Why,
    },
    Each {
        expression: String,
        entries: usize,
    },
    /// An entry that is the item itself.
    Copied,
}

/// Why a rule gave nothing.
#[derive(Serialize, Clone)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Why {
    /// `when` is not true.
    When { expression: String },
    /// `from` gave nothing.
    From { expression: String },
    /// The `key` of the lookup gave nothing.
    NoKey { table: String, expression: String },
    /// The table does not have it.
    NoRow { table: String, key: String },
    /// The row does not have it.
    NoField { table: String, key: String, field: String },
    /// There is no entry that it could be set in.
    NoEntry,
}

struct Explainer {
    lines: Lines,
    places: Vec<Place>,
    nothing: Vec<Nothing>,
}

impl Explainer {
    fn target<'d>(
        &mut self,
        target: &Target,
        made: Node<'d>,
        records: &mut dyn Iterator<Item = Node<'d>>,
        pointer: &str,
    ) {
        match target {
            Target::Object(fields) => {
                for field in fields {
                    let name = &field.name;
                    self.target(&field.target, made.get(name), records, &below(pointer, name));
                }
            }
            Target::Value(rule) => {
                if let Some(record) = records.next() {
                    self.value(rule, made, record, pointer);
                }
            }
            Target::Array(rule) => {
                if let Some(record) = records.next() {
                    self.array(rule, made, record, pointer);
                }
            }
        }
    }

    fn value(&mut self, rule: &ValueRule, made: Node<'_>, record: Node<'_>, pointer: &str) {
        let why = self.why(rule, record);
        let how = match (&why, &rule.default) {
            (None, _) => Some(match &rule.from {
                From::Formula(from) => How::From { expression: one_line(from.expression.text()) },
                From::Lookup { table, .. } => How::Lookup { table: table.0.clone(), key: said(record, "key") },
            }),
            (Some(because), Some(default)) if said(record, "default") == "value" => {
                Some(How::Default { expression: one_line(default.expression.text()), because: because.clone() })
            }
            _ => None,
        };
        let place = (pointer.to_owned(), self.rule(&rule.site));
        match (how, why) {
            (Some(how), _) => {
                self.places.push(Place { pointer: place.0, value: raw(made), rule: place.1, how });
            }
            (None, Some(why)) => self.nothing.push(Nothing { pointer: place.0, rule: place.1, why }),
            (None, None) => {}
        }
    }

    /// Why `from` gave nothing; none when it gave something.
    fn why(&self, rule: &ValueRule, record: Node<'_>) -> Option<Why> {
        let (table, field, expression) = match &rule.from {
            From::Formula(from) => (String::new(), String::new(), from),
            From::Lookup { table, key, value } => (table.0.clone(), value.clone().unwrap_or_default(), key),
        };
        let expression = one_line(expression.expression.text());
        let key = said(record, "key");
        Some(match said(record, "how").as_str() {
            "value" => return None,
            "when" => not_when(rule.when.as_ref().map(|when| when.expression.text())),
            "no-key" => Why::NoKey { table, expression },
            "no-row" => Why::NoRow { table, key },
            "no-field" => Why::NoField { table, key, field },
            _ => Why::From { expression },
        })
    }

    fn array(&mut self, rule: &ArrayRule, made: Node<'_>, record: Node<'_>, pointer: &str) {
        let site = self.rule(&rule.site);
        let place = |how| Place { pointer: pointer.to_owned(), value: None, rule: site.clone(), how };
        let expression = one_line(rule.each.expression.text());
        if said(record, "how") == "when" {
            let why = not_when(rule.when.as_ref().map(|when| when.expression.text()));
            self.nothing.push(Nothing { pointer: pointer.to_owned(), rule: site, why });
            return;
        }
        match (said(record, "default").as_str(), &rule.default) {
            ("value", Some(default)) => {
                let how = How::Default { expression: one_line(default.expression.text()), because: Why::NoEntry };
                self.places.push(Place { value: raw(made), ..place(how) });
            }
            ("nothing", _) => {
                let because = Why::From { expression };
                self.nothing.push(Nothing { pointer: pointer.to_owned(), rule: site.clone(), why: because });
            }
            _ => self.places.push(place(How::Each { expression, entries: made.len() })),
        }
        match &rule.entry {
            None if record.get("default").is_undefined() => {
                for (i, item) in made.items().enumerate() {
                    let pointer = format!("{pointer}/{i}");
                    self.places.push(Place { pointer, value: raw(item), rule: site.clone(), how: How::Copied });
                }
            }
            None => {}
            Some(entry) => self.entries(entry, made, record, pointer),
        }
    }

    fn entries(&mut self, entry: &Target, made: Node<'_>, record: Node<'_>, pointer: &str) {
        let mut next = 0;
        let entries = record.get("entries");
        if entries.is_empty() {
            self.absent(entry, &format!("{pointer}/-"));
        }
        for trail in entries.items() {
            // An entry that is a value may have none, and then it is not in the array.
            let set = match entry {
                Target::Value(_) => trail
                    .items()
                    .next()
                    .is_some_and(|record| said(record, "how") == "value" || said(record, "default") == "value"),
                _ => true,
            };
            let place = if set { format!("{pointer}/{next}") } else { format!("{pointer}/-") };
            self.target(entry, made.at(next), &mut trail.items(), &place);
            next += usize::from(set);
        }
    }

    /// All rules below an array without entries.
    fn absent(&mut self, target: &Target, pointer: &str) {
        let site = match target {
            Target::Object(fields) => {
                for field in fields {
                    self.absent(&field.target, &below(pointer, &field.name));
                }
                return;
            }
            Target::Value(rule) => &rule.site,
            Target::Array(rule) => {
                if let Some(entry) = &rule.entry {
                    self.absent(entry, &format!("{pointer}/-"));
                }
                &rule.site
            }
        };
        let rule = self.rule(site);
        self.nothing.push(Nothing { pointer: pointer.to_owned(), rule, why: Why::NoEntry });
    }

    fn rule(&self, site: &Site) -> Rule {
        Rule { line: self.lines.line(site.span.start), to: site.to.clone() }
    }
}

fn not_when(expression: Option<&str>) -> Why {
    Why::When { expression: one_line(expression.unwrap_or_default()) }
}

fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn said(record: Node<'_>, field: &str) -> String {
    record.get(field).as_str().unwrap_or_default().to_owned()
}

/// An expression on one line.
fn one_line(expression: &str) -> String {
    match format_expression(expression, None) {
        Ok(line) if !line.contains(['\n', '\r']) => line,
        _ => expression.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn raw(node: Node<'_>) -> Option<Box<RawValue>> {
    RawValue::from_string(json(node).unwrap_or_else(|| "null".to_owned())).ok()
}
