//! `lockgate eval EXPRESSION < document`: an expression through the same compiler and engine as a
//! mapping's. `--lines` answers one JSON line per request, for conformance suites and editors:
//! `{"id", "expr", "data"?, "bindings", "timelimit"?, "depth"?}` →
//! `{"id", "result"}`, `{"id", "undefined": true}`, `{"id", "error": {"code", "position", "token"}}`
//! or `{"id", "skip": reason}` for what this version does not compile.

use std::{io::Read as _, ops::ControlFlow, sync::Arc};

use clap::Args;
use lockgate_document::{Document, formats::Format};
use lockgate_engine::Module;
use lockgate_model::{Diagnostic, Diagnostics};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    author::{
        format::{Named, Reading},
        map::whole_of,
        select::{Select, Source},
        sources,
        workbench::{Workbench, faulted, standard_input_bytes, standard_input_lines, unprinted},
    },
    exit::Exit,
    output::Output,
};

/// Arguments of `eval`.
#[derive(Args)]
pub struct Eval {
    /// A JSONata expression.
    #[arg(required_unless_present_any = ["lines", "file"], conflicts_with_all = ["lines", "file"])]
    expression: Option<String>,
    /// Take the expression from a file.
    #[arg(short = 'f', long, conflicts_with = "lines")]
    file: Option<std::path::PathBuf>,
    /// Do not read a document: the input is undefined.
    #[arg(short = 'n', long, conflicts_with = "lines")]
    no_input: bool,
    /// The format of the document: json, jsonl, csv[:DIALECT], fixed:LAYOUT, xml[:OPTIONS], edi[:GRAMMAR].
    #[arg(long, default_value = "json", value_name = "FORMAT", conflicts_with_all = ["lines", "no_input"])]
    input: Named,
    /// Read the whole document before anything is written, also where the expression goes record by record.
    #[arg(long, conflicts_with_all = ["lines", "no_input"])]
    whole: bool,
    /// Answer requests, one JSON line each.
    #[arg(long)]
    lines: bool,
    #[command(flatten)]
    reading: Reading,
}

/// Bytes up to which a document is read as a whole: its errors have a line and a column then, and no way
/// through it is refused.
const SMALL_BYTES_MAX: u64 = 1 << 20;
/// What is refused for good is no pass in a suite.
const SKIPPED: [&str; 1] = ["LG-EXPR-EVAL"];

impl Eval {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let mut bench = Workbench::new()?;
        bench.options = self.reading.options();
        let input = match self.no_input {
            true => Input::Nothing,
            false => Input::Document { format: self.input.open()?, whole: self.whole },
        };
        match (self.file, self.expression) {
            (Some(path), _) => {
                let name = path.display().to_string();
                let (text, unreadable) =
                    sources::text(&path, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
                match unreadable {
                    Some(problem) => Err(Exit::problems(Diagnostics(vec![problem]), |_| Some(&text))),
                    None => one(&bench, &name, &text, &input, output),
                }
            }
            (None, Some(expression)) => one(&bench, "expression", &expression, &input, output),
            (None, None) => lines(&bench, output),
        }
    }
}

/// Evaluates an expression that problems call `name`: record by record where it goes so and its input has
/// records.
fn one(bench: &Workbench, name: &str, expression: &String, input: &Input, output: &Output) -> Result<(), Exit> {
    let compiled = lockgate_compiler::expression_module(expression, false).map_err(|all| {
        let named = all.0.into_iter().map(|problem| problem.file(name)).collect();
        Exit::problems(Diagnostics(named), |_| Some(expression))
    })?;
    let module = bench.load(&compiled)?;
    let result = match input {
        Input::Nothing => Some(run(bench, &module, Document::undefined(), name, expression)?),
        Input::Document { format, whole } => {
            let source = Source { bench, name, text: expression };
            over(source, &module, format, *whole, output)?
        }
    };
    let Some(result) = result else { return Ok(()) };
    if result.is_undefined() {
        output.note("undefined");
        if output.is_json() {
            output.line("null");
        }
        return Ok(());
    }
    let printed = result.print(bench.limits.reply_bytes_max);
    let mut text = printed.map_err(|fault| unprinted(&fault, name, expression))?;
    text.push(b'\n');
    output.bytes(&text)
}

/// Evaluates an expression over standard input. The value where it was not written: of a small document,
/// or as a whole, or where it is no array.
fn over(
    source: Source<'_>,
    module: &Arc<Module>,
    format: &Format,
    whole: bool,
    output: &Output,
) -> Result<Option<Document>, Exit> {
    let Source { bench, name, text } = source;
    let mut input = std::io::stdin().lock();
    let mut bytes = Vec::new();
    input.by_ref().take(SMALL_BYTES_MAX).read_to_end(&mut bytes)?;
    let is_small = (bytes.len() as u64) < SMALL_BYTES_MAX;
    let sink = &mut |bytes: &[u8]| output.part(bytes);
    if let (false, Ok(Ok((streams, records)))) = (whole || is_small, lockgate_compiler::expression_record_module(text))
        && let Some(from) = format.records_of_list(&streams.path, &bench.limits, bench.options)
        && let Some(select) = Select::new(source, (&streams, &records), module, sink)?
    {
        let meter = output.meter(standard_input_bytes());
        return select.run(bytes.as_slice().chain(input), from, &meter);
    }
    input.read_to_end(&mut bytes)?;
    let document = whole_of(&bytes, format, false, bench, bench.options)?;
    drop(bytes);
    run(bench, module, document, name, text).map(Some)
}

/// What an expression is evaluated on.
enum Input {
    Nothing,
    Document { format: Format, whole: bool },
}

fn run(
    bench: &Workbench,
    module: &Arc<Module>,
    input: Document,
    name: &str,
    expression: &str,
) -> Result<Document, Exit> {
    bench.run(module, input).result.map_err(|failure| faulted(&failure, name, expression, ""))
}

#[derive(Deserialize)]
struct Request<'a> {
    id: Value,
    #[serde(borrow)]
    expr: &'a RawValue,
    /// Absent is undefined; `null` is null.
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    bindings: Option<&'a RawValue>,
    #[serde(default)]
    timelimit: Option<u64>,
    #[serde(default)]
    depth: Option<u32>,
}

fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(d: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(d).map(Some)
}

fn lines(bench: &Workbench, output: &Output) -> Result<(), Exit> {
    for line in standard_input_lines() {
        let (_, line) = line?;
        let request = std::str::from_utf8(&line)
            .map_err(|e| format!("the line is no UTF-8 from byte {} on", e.valid_up_to() + 1));
        let request = request.and_then(|line| serde_json::from_str::<Request<'_>>(line).map_err(|e| unfit(line, &e)));
        let mut answer = match request {
            Ok(request) => answer(bench, &request),
            Err(message) => json!({"id": null, "error": {"code": "LG-REQUEST", "message": message}}).to_string(),
        };
        answer.push('\n');
        if output.part(answer.as_bytes())? == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}

/// Why a line is no request.
fn unfit(line: &str, error: &serde_json::Error) -> String {
    if !error.is_data() {
        return format!("the line is no JSON from column {} on", error.column());
    }
    let given = serde_json::from_str::<Value>(line).unwrap_or_default();
    let Some(given) = given.as_object() else { return "a request is an object with `id` and `expr`".to_owned() };
    match ["id", "expr"].into_iter().find(|member| !given.contains_key(*member)) {
        Some(member) => format!("the request has no `{member}`"),
        None => "`timelimit` and `depth` are whole numbers, and no member stands twice".to_owned(),
    }
}

/// One answer line. The result is printed by the product's own printer and spliced in as it is.
fn answer(bench: &Workbench, request: &Request<'_>) -> String {
    let with = |member: Value| json!({"id": request.id, "error": member}).to_string();
    let Ok(expression) = serde_json::from_str::<String>(&escaped_halves(request.expr.get())) else {
        return with(json!({"code": "LG-REQUEST", "message": "`expr` is no text"}));
    };
    let compiled = match lockgate_compiler::expression_module_within(&expression, true, request.depth) {
        Ok(compiled) => compiled,
        Err(all) => return refused(&request.id, &all, &expression),
    };
    let module = match bench.load(&compiled) {
        Ok(module) => module,
        Err(exit) => return with(json!({"code": "LG-ENGINE", "message": exit.text()})),
    };
    let data = request.data.map(|d| format!("\"data\":{},", d.get())).unwrap_or_default();
    let input = format!("{{{data}\"bindings\":{}}}", request.bindings.map_or("{}", RawValue::get));
    let input = match bench.parse(input.as_bytes()) {
        Ok(input) => input,
        Err(e) => return with(json!({"code": e.code(), "message": e.message()})),
    };
    let mut limits = bench.limits;
    if let Some(ms) = request.timelimit {
        limits.wall_ms_max = limits.wall_ms_max.min(ms);
    }
    match bench.run_within(&module, input, limits).result {
        Ok(result) if result.is_undefined() => json!({"id": request.id, "undefined": true}).to_string(),
        Ok(result) => match result.print(bench.limits.reply_bytes_max) {
            Ok(bytes) => format!("{{\"id\":{},\"result\":{}}}", request.id, String::from_utf8_lossy(&bytes)),
            Err(fault) => with(json!({"code": fault.code(), "message": fault.to_string()})),
        },
        Err(failure) => {
            // Running out of time is the same stop as running too deep, as the suite counts it.
            let code = if failure.error.code == "LG-LIMIT-WALL" { "U1001" } else { &failure.error.code };
            let place = failure.place.as_ref();
            with(json!({"code": code, "message": failure.message,
                        "position": place.map(|p| p.position), "token": place.and_then(|p| p.token.as_deref())}))
        }
    }
}

/// JSON with its lone halves of surrogate pairs escaped once more: they are no text, and the
/// expression that gets them as its own escapes says so.
fn escaped_halves(json: &str) -> String {
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((plain, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(plain);
        let second = escape.get(6..).and_then(unit);
        let taken = match (unit(escape), second) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push('\\');
                6
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        let (escape, behind) = escape.split_at_checked(taken).unwrap_or((escape, ""));
        out.push_str(escape);
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn refused(id: &Value, all: &Diagnostics, source: &str) -> String {
    let skipped = all.0.iter().find(|p| SKIPPED.contains(&p.code.as_str()));
    let judged = all.0.iter().find(|p| !SKIPPED.contains(&p.code.as_str()));
    match (judged, skipped) {
        (Some(problem), _) => json!({"id": id, "error": problem_json(problem, source)}).to_string(),
        (None, Some(skip)) => json!({"id": id, "skip": skip.message}).to_string(),
        (None, None) => json!({"id": id, "error": {"code": "LG-COMPILE"}}).to_string(),
    }
}

fn problem_json(problem: &Diagnostic, source: &str) -> Value {
    // The standard counts positions in characters, to the end of the offending token.
    let end = usize::try_from(problem.span.end).unwrap_or(usize::MAX).min(source.len());
    let position = source.get(..end).map_or(0, |before| before.chars().count());
    json!({"code": problem.code, "message": problem.message, "position": position, "token": problem.token})
}

#[cfg(test)]
mod tests {
    use super::escaped_halves;

    #[test]
    fn only_lone_halves_are_escaped_once_more() {
        for (json, escaped) in [
            (r#""\ud800""#, r#""\\ud800""#),
            (r#""\udc00\ud800x""#, r#""\\udc00\\ud800x""#),
            (r#""\ud83d\ude00 \\ud800 \n\u00e9""#, r#""\ud83d\ude00 \\ud800 \n\u00e9""#),
            (r#""plain é""#, r#""plain é""#),
            (r#""\"#, r#""\"#),
        ] {
            assert_eq!(escaped_halves(json), escaped);
        }
    }
}
