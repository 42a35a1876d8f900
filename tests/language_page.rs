//! docs/mapping.md is true: every example on it runs through the compiler and the engine and gives what
//! stands behind its arrow; the page has every built-in function with its signature and an example, every
//! error code of the language with an example, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use lockgate_document::Document;
use lockgate_engine::{Engine, EngineConfig, Mocks};
use lockgate_mapping::expression::{builtins, signature_of};
use lockgate_model::{Limits, Timestamp};
use lockgate_testkit::workspace_root;

/// Noon of the day that the page's examples are evaluated on.
const NOW: Timestamp = Timestamp(1_772_625_600_000_000);

/// An expression of the page and what it gives.
#[derive(Debug)]
struct Example {
    line: usize,
    input: String,
    expression: String,
    gives: String,
    /// The function under whose heading it stands.
    function: Option<String>,
}

#[derive(Default)]
struct Page {
    examples: Vec<Example>,
    /// Name and signature as they stand.
    functions: BTreeMap<String, String>,
    /// Rows of the tables of codes.
    codes: BTreeSet<String>,
}

/// The name in `` ### `$name(…)` ``.
fn function(heading: &str) -> Option<&str> {
    let rest = heading.strip_prefix("### `$")?;
    rest.split_once('(').map(|(name, _)| name)
}

/// A code of the standard, such as T2001.
fn is_code(word: &str) -> bool {
    word.len() == 5 && word.starts_with(['S', 'T', 'D', 'U']) && word.bytes().skip(1).all(|b| b.is_ascii_digit())
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let (mut input, mut fence, mut inside, mut current) = (String::new(), None::<&str>, String::new(), None::<String>);
    for (line, content) in (1..).zip(text.lines()) {
        match (fence, content.strip_prefix("```")) {
            (None, Some(kind)) => (fence, inside) = (Some(kind), String::new()),
            (Some(kind), Some(_)) => {
                if kind == "json" {
                    input.clone_from(&inside);
                }
                assert!(kind != "jsonata" || inside.is_empty(), "line {line}: an example gives nothing: {inside}");
                fence = None;
            }
            (Some("jsonata"), None) => {
                let (expression, gives) = content.split_once("→").map_or((content, None), |(e, g)| (e, Some(g)));
                inside.push_str(expression);
                inside.push('\n');
                if let Some(gives) = gives {
                    let expression = std::mem::take(&mut inside).trim().to_owned();
                    let gives = gives.trim().to_owned();
                    page.examples.push(Example {
                        line,
                        input: input.clone(),
                        expression,
                        gives,
                        function: current.clone(),
                    });
                }
            }
            (Some(_), None) => writeln!(inside, "{content}").unwrap(),
            (None, None) => {
                if content.starts_with('#') {
                    current = function(content).map(str::to_owned);
                    if let Some(name) = &current {
                        let signature = content.rsplit('`').nth(1).unwrap_or_default();
                        page.functions.insert(name.clone(), signature.to_owned());
                    }
                }
                if let Some(cell) = content.strip_prefix("| ").and_then(|row| row.split(" |").next()) {
                    page.codes.extend(cell.split(", ").filter(|word| is_code(word)).map(str::to_owned));
                }
            }
        }
    }
    page
}

fn page() -> Page {
    read(&std::fs::read_to_string(workspace_root().join("docs/mapping.md")).unwrap())
}

/// What an expression gives, as the page writes it.
struct Runner {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
}

impl Runner {
    fn new() -> Self {
        let config = EngineConfig { workers: 1, stacks_max: 8, stacks_per_tenant_max: 8, ..EngineConfig::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { engine: Engine::new(config).unwrap(), runtime }
    }

    fn gives(&self, input: &str, expression: &str) -> String {
        let compiled = match lockgate_compiler::expression_module(expression, false) {
            Ok(compiled) => compiled,
            Err(problems) => {
                let codes: Vec<_> = problems.0.into_iter().map(|problem| problem.code).collect();
                return format!("error {}", codes.join(", "));
            }
        };
        let module = self.engine.load(&compiled.wasm).unwrap();
        let limits = Limits::default();
        let input = Document::parse(input.as_bytes(), &limits).unwrap();
        let run = self.engine.evaluate(&module, input, Mocks::default(), limits, NOW);
        match self.runtime.block_on(run).result {
            Ok(result) if result.is_undefined() => "nothing".to_owned(),
            Ok(result) => String::from_utf8(result.print(limits.reply_bytes_max).unwrap()).unwrap(),
            Err(failure) => format!("error {}", failure.error.code),
        }
    }
}

/// JSON without blanks between its tokens; other words as they are.
fn compact(gives: &str) -> String {
    let parsed = Document::parse(gives.as_bytes(), &Limits::default());
    parsed.map_or_else(|_| gives.to_owned(), |value| String::from_utf8(value.print(1 << 20).unwrap()).unwrap())
}

#[test]
fn every_example_gives_what_stands_behind_its_arrow() {
    let (page, runner) = (page(), Runner::new());
    let mut wrong = String::new();
    for Example { line, input, expression, gives, .. } in &page.examples {
        let given = runner.gives(input, expression);
        if given != compact(gives) {
            writeln!(wrong, "docs/mapping.md:{line}: {expression}\n  gives {given}\n  not   {gives}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(page.examples.len() > 200, "only {} examples were found", page.examples.len());
}

#[test]
fn every_function_is_on_the_page_with_its_signature_and_an_example_and_no_other() {
    let page = page();
    let there: BTreeMap<String, String> =
        builtins().map(|name| (name.to_owned(), signature_of(name).unwrap().to_owned())).collect();
    assert_eq!(page.functions, there);
    for name in builtins() {
        let calls = |expression: &str| {
            expression.match_indices(&format!("${name}")).any(|(at, found)| {
                let behind = expression.get(at + found.len()..).unwrap_or_default();
                !behind.starts_with(|c: char| c.is_ascii_alphanumeric())
            })
        };
        let own = |e: &&Example| e.function.as_deref() == Some(name) && calls(&e.expression);
        assert!(page.examples.iter().any(|e| own(&e)), "`${name}` has no example that calls it");
    }
}

/// Codes in quotes in the parser, and those that the standard's table, the refusals of pictures and texts
/// and the engine know.
fn codes_of_the_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let quoted = |folder: &Path, found: &mut BTreeSet<String>| {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                    let text = std::fs::read_to_string(path).unwrap();
                    found.extend(text.split('"').filter(|word| is_code(word)).map(str::to_owned));
                }
            }
        }
    };
    let root = workspace_root();
    quoted(&root.join("crates/mapping/src"), &mut found);
    quoted(&root.join("crates/engine/src"), &mut found);
    // `/// D3080: …` above what refuses.
    let refusals = std::fs::read_to_string(root.join("crates/document/src/refusal.rs")).unwrap();
    let refusals = refusals.lines().filter_map(|line| line.trim().strip_prefix("/// "));
    found.extend(refusals.filter_map(|line| line.get(..5)).filter(|word| is_code(word)).map(str::to_owned));
    let standard = std::fs::read_to_string(root.join("crates/document/src/standard.rs")).unwrap();
    let constants = standard.lines().filter_map(|line| line.strip_prefix("pub(crate) const "));
    found.extend(constants.filter_map(|line| line.get(..5)).filter(|word| is_code(word)).map(str::to_owned));
    found
}

/// Numbers of the codes that compiled code fails with: `fail(1005, …)`.
fn numbers_of_the_compiler() -> BTreeSet<String> {
    let folder = workspace_root().join("crates/compiler/src/expression");
    let mut found = BTreeSet::new();
    for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(path).unwrap();
        let numbers = text.split("fail(").skip(1).map(|rest| rest.split(',').next().unwrap_or_default());
        found.extend(numbers.filter(|n| n.bytes().all(|b| b.is_ascii_digit())).map(|n| format!("{n:0>4}")));
    }
    found
}

#[test]
fn every_code_is_on_the_page_and_can_be_met_by_an_example() {
    let page = page();
    let sources = codes_of_the_sources();
    assert!(sources.len() > 70, "only {} codes were found", sources.len());
    let missing: Vec<_> = sources.difference(&page.codes).collect();
    assert!(missing.is_empty(), "not in the tables of docs/mapping.md: {missing:?}");
    let numbers = numbers_of_the_compiler();
    assert!(numbers.contains("1006") || numbers.len() > 10, "{numbers:?}");
    let missing: Vec<_> = numbers.iter().filter(|n| !page.codes.iter().any(|code| code.ends_with(*n))).collect();
    assert!(missing.is_empty(), "not in the tables of docs/mapping.md: {missing:?}");
    let met: BTreeSet<String> = page
        .examples
        .iter()
        .filter_map(|e| e.gives.strip_prefix("error "))
        .flat_map(|codes| codes.split(", ").filter(|word| is_code(word)).map(str::to_owned))
        .collect();
    let unmet: Vec<_> = page.codes.difference(&met).collect();
    assert!(unmet.is_empty(), "no example of docs/mapping.md ends in {unmet:?}");
    let untold: Vec<_> = met.difference(&page.codes).collect();
    assert!(untold.is_empty(), "not in the tables of docs/mapping.md: {untold:?}");
}

/// Anchors of a page's headings, as renderers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|h| h.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_between_pages_lead_to_files_and_headings() {
    let docs = workspace_root().join("docs");
    let mut wrong = String::new();
    let mut seen = 0;
    for page in std::fs::read_dir(&docs).unwrap().map(|e| e.unwrap().path()) {
        if page.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        // Every second part is a block of code.
        let text: String = text.split("```").step_by(2).collect();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { page.clone() } else { docs.join(file) };
            let there = match (std::fs::read_to_string(&target), anchor) {
                (Ok(target), Some(anchor)) => anchors(&target).contains(anchor),
                (Err(_), Some(_)) => false,
                (_, None) => target.exists(),
            };
            if !there {
                writeln!(wrong, "{}: {link}", page.display()).unwrap();
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen > 20, "only {seen} links were found");
}

#[test]
fn an_example_that_is_wrong_is_seen() {
    let page = read(
        "```json\n{\"a\": 1}\n```\n### `$sum(x)` `<a<n>:n>`\n```jsonata\na\n  + 1 → 3\n```\n| T2001, S0101 | x |\n",
    );
    let [example] = page.examples.as_slice() else { panic!("{:?}", page.examples) };
    assert_eq!((example.expression.as_str(), example.line), ("a\n  + 1", 7));
    assert_ne!(Runner::new().gives(&example.input, &example.expression), compact(&example.gives));
    assert_eq!((page.functions["sum"].as_str(), page.codes.len()), ("<a<n>:n>", 2));
}
