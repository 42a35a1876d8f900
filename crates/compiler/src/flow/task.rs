//! Task lists and tasks, all but calls.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::{Diagnostic, Span};

use super::call;
use super::errors;
use super::event;
use super::formula::{Place, formula, shape, template};
use super::jumps;
use super::length;
use super::retry;
use super::reuse::{Reusable, own_or_reused};
use super::schema;
use super::streams;
use super::tree::{Duration, Formula, Jump, Part, Target, Task, Template, Try, Work};
use crate::documents::Documents;
use crate::documents::escaped;
use crate::reader::{Reader, find, list, nearest};

/// Lists may lie this deep in each other; the reader descends as deep.
const DEPTH_MAX: usize = 32;

/// A flow may have this many tasks; each is an entry point of its module.
pub(super) const TASKS_MAX: usize = 4000;

/// Keys of every task.
const COMMON: &[&str] = &["if", "input", "output", "export", "timeout", "then", "metadata"];

/// The keys that say what a task does, with the keys that belong to them.
const KINDS: &[(&str, &[&str])] = &[
    ("call", &["with"]),
    ("do", &[]),
    ("fork", &[]),
    ("emit", &[]),
    ("for", &["while", "do"]),
    ("listen", &["foreach"]),
    ("raise", &[]),
    ("run", &[]),
    ("set", &[]),
    ("switch", &[]),
    ("try", &["catch"]),
    ("wait", &[]),
];

/// Those that are not supported yet.
const NOT_YET: &[&str] = &["listen"];

/// Reads one flow's tasks.
pub(super) struct TaskReader<'r, 't> {
    pub reader: &'r mut Reader<'t>,
    pub reusable: Reusable<'r>,
    documents: &'r Documents<'r>,
    /// The flow's name.
    flow: String,
    depth: usize,
    count: usize,
    /// Regular expressions of its schemas.
    patterns: usize,
    /// The first task that is one too many.
    pub past_limit: Option<Span>,
    /// Functions that are being read, the outermost first.
    pub(super) calling: Vec<String>,
    /// Functions that call themselves.
    pub cycles: Vec<Diagnostic>,
}

impl<'r, 't> TaskReader<'r, 't> {
    pub fn new(reader: &'r mut Reader<'t>, reusable: Reusable<'r>, documents: &'r Documents<'r>, flow: &str) -> Self {
        Self {
            reader,
            reusable,
            documents,
            flow: flow.to_owned(),
            depth: 0,
            count: 0,
            patterns: 0,
            past_limit: None,
            calling: Vec::new(),
            cycles: Vec::new(),
        }
    }

    /// Reads a task list; `pointer` is its own, such as `/do`.
    pub fn list(&mut self, node: &Node, pointer: &str, what: &str) -> Vec<Task> {
        let mut tasks = self.items(node, pointer, what);
        jumps::resolve(self.reader, &mut tasks);
        streams::connect(self.reader, &mut tasks);
        tasks
    }

    /// Reads the tasks of a list as if each stood alone.
    pub(super) fn items(&mut self, node: &Node, pointer: &str, what: &str) -> Vec<Task> {
        if self.depth >= DEPTH_MAX {
            self.reader.problem(
                "LG-FLOW-DEPTH",
                node.span,
                format!("task lists lie more than {DEPTH_MAX} deep in each other"),
            );
            return Vec::new();
        }
        let Some(items) = self.reader.array(node, what) else { return Vec::new() };
        if items.is_empty() {
            self.reader.problem("LG-FLOW-VALUE", node.span, format!("{what} has no tasks"));
        }
        self.depth += 1;
        let mut tasks = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(entries) = self.reader.object(item, "a task item") else { continue };
            let [(key, body)] = entries else {
                self.reader.problem_help(
                    "LG-FLOW-TASK",
                    item.span,
                    format!("a task item must have one key, the task's name; this has {}", entries.len()),
                    "indent the task's own keys below its name, and begin each task with `- name:`",
                );
                continue;
            };
            if !self.count(key.span) {
                break;
            }
            let pointer = format!("{pointer}/{index}/{}", escaped(&key.text));
            tasks.push(self.task(key, body, pointer));
        }
        self.depth -= 1;
        tasks
    }

    /// Counts a task; not when it is one too many.
    pub(super) fn count(&mut self, at: Span) -> bool {
        self.count += 1;
        if self.count > TASKS_MAX {
            self.past_limit = self.past_limit.or(Some(at));
        }
        self.count <= TASKS_MAX
    }

    pub(super) fn task(&mut self, key: &Key, node: &Node, pointer: String) -> Task {
        let mut task = Task {
            name: key.text.clone(),
            span: key.span,
            pointer,
            definition: node.to_json(),
            condition: None,
            input: Part::default(),
            output: Part::default(),
            export: Part::default(),
            timeout: None,
            then: Jump { to: Target::Continue, span: key.span },
            work: Work::Broken,
        };
        let what = format!("task `{}`", key.text);
        let Some(entries) = self.reader.object(node, &what) else { return task };
        self.common(entries, &mut task);
        let Some((kind, own)) = self.kind(entries, &what, key.span) else { return task };
        let known: Vec<&str> = COMMON.iter().chain(own).copied().chain([kind]).collect();
        self.reader.object_of(node, &what, &known);
        if let Some(work) = self.work(kind, entries, &task.pointer, key.span) {
            task.work = work;
        }
        task
    }

    /// Which of the kinds a task is. `for` has a `do` of its own.
    fn kind(
        &mut self,
        entries: &[(Key, Node)],
        what: &str,
        at: Span,
    ) -> Option<(&'static str, &'static [&'static str])> {
        let has = |name: &str| entries.iter().any(|(key, _)| key.text == name);
        let found: Vec<_> =
            KINDS.iter().copied().filter(|(name, _)| has(name) && !(*name == "do" && has("for"))).collect();
        match found.as_slice() {
            [one] => return Some(*one),
            [] => {
                let kinds = KINDS.iter().map(|(name, _)| *name).filter(|name| !NOT_YET.contains(name));
                let near = entries.iter().find_map(|(key, _)| Some((key, nearest(&key.text, kinds.clone())?)));
                let problem = match near {
                    Some((key, name)) => {
                        Diagnostic::new("LG-FLOW-TASK", key.span, format!("{what} has no `{}`", key.text))
                            .help(format!("did you mean `{name}`?"))
                            .token(&key.text)
                    }
                    None => Diagnostic::new("LG-FLOW-TASK", at, format!("{what} does nothing"))
                        .help(format!("give it one of {}", list(kinds))),
                };
                self.reader.refuse(problem);
            }
            several => {
                let names = list(several.iter().map(|(name, _)| *name));
                self.reader.problem_help(
                    "LG-FLOW-TASK",
                    at,
                    format!("{what} does several things: {names}"),
                    "make each a task of its own",
                );
            }
        }
        None
    }

    fn common(&mut self, entries: &[(Key, Node)], task: &mut Task) {
        for (key, node) in entries {
            match key.text.as_str() {
                "if" => task.condition = formula(self.reader, node, "`if`", Place::If),
                "input" => task.input = self.part(node, "input", "from", Place::TaskInput),
                "output" => task.output = self.part(node, "output", "as", Place::Task),
                "export" => task.export = self.part(node, "export", "as", Place::Export),
                "then" => {
                    if let Some(jump) = self.jump(node, "`then`") {
                        task.then = jump;
                    }
                }
                "timeout" => task.timeout = self.timeout(node, Place::Task),
                "metadata" => metadata(self.reader, node),
                _ => {}
            }
        }
    }

    /// Reads `timeout`: a length of time under `after`, or the name of one under `use.timeouts`.
    pub fn timeout(&mut self, node: &Node, place: Place) -> Option<Duration> {
        let timeouts = (self.reusable.timeouts, "timeout", "use.timeouts");
        own_or_reused(self.reader, node, timeouts, |reader, node| length::timeout(reader, node, place))
    }

    /// Reads `input`, `output` or `export`: an expression and a schema.
    pub fn part(&mut self, node: &Node, name: &str, key: &str, place: Place) -> Part {
        let Some(entries) = self.reader.object_of(node, &format!("`{name}`"), &[key, "schema"]) else {
            return Part::default();
        };
        let schema = find(entries, "schema").and_then(|node| {
            let (json, patterns) = schema::schema(self.reader, node, self.documents)?;
            self.patterns += patterns;
            if self.patterns > schema::PATTERNS_MAX {
                let message = format!("the flow's schemas have more than {} regular expressions", schema::PATTERNS_MAX);
                self.reader.problem_help("LG-TYPE-SIZE", node.span, message, "say less by patterns, or split the flow");
            }
            Some(json)
        });
        let shape = find(entries, key).and_then(|node| shape(self.reader, node, &format!("`{name}.{key}`"), place));
        Part { shape, schema }
    }

    pub(super) fn jump(&mut self, node: &Node, what: &str) -> Option<Jump> {
        let text = self.reader.string(node, what)?;
        let to = match text {
            "continue" => Target::Continue,
            "exit" => Target::Exit,
            "end" => Target::End,
            name => Target::Named(name.to_owned()),
        };
        Some(Jump { to, span: node.span })
    }

    pub(super) fn condition(&mut self, entries: &[(Key, Node)], key: &str) -> Option<Formula> {
        formula(self.reader, find(entries, key)?, &format!("`{key}`"), Place::Task)
    }

    fn work(&mut self, kind: &str, entries: &[(Key, Node)], pointer: &str, at: Span) -> Option<Work> {
        let (key, node) = entries.iter().find(|(key, _)| key.text == kind)?;
        match kind {
            "do" => Some(Work::Do(self.list(node, &format!("{pointer}/do"), "`do`"))),
            "set" => self.set(node),
            "switch" => self.switch(node),
            "for" => self.each(node, entries, pointer, at),
            "try" => self.attempt(node, entries, pointer, at),
            "raise" => {
                let entries = self.reader.object_of(node, "`raise`", &["error"])?;
                let error = self.reader.required(entries, "error", "`raise`", node.span)?;
                Some(Work::Raise(errors::raised(self.reader, error, self.reusable.errors)))
            }
            "call" => match self.function_named(node) {
                Some(function) => self.called(function, node, find(entries, "with"), pointer),
                None => {
                    let with = find(entries, "with");
                    call::read(self.reader, node, with, &self.reusable, self.documents).map(Work::Call)
                }
            },
            "fork" => self.fork(node, pointer),
            "emit" => event::event(self.reader, node, &self.flow).map(Work::Emit),
            "wait" => length::duration(self.reader, node, "`wait`").map(Work::Wait),
            "run" => self.run(node),
            _ => {
                not_yet(self.reader, key, &format!("`{kind}` tasks"), "");
                None
            }
        }
    }

    fn set(&mut self, node: &Node) -> Option<Work> {
        if node.entries().is_none() && node.as_text().is_none() {
            self.reader.shape(node, "`set`", "an object or an expression");
            return None;
        }
        if node.entries().is_some_and(<[_]>::is_empty) {
            self.reader.problem("LG-FLOW-VALUE", node.span, "`set` sets nothing");
        }
        match node.as_text() {
            Some(_) => formula(self.reader, node, "`set`", Place::Task)
                .map(|formula| Work::Set(Template::Formula(Box::new(formula)))),
            None => Some(Work::Set(template(self.reader, node, Place::Task))),
        }
    }

    /// The name of a variable that the task defines.
    pub(super) fn variable(&mut self, entries: &[(Key, Node)], key: &str, default: &str) -> String {
        let Some(node) = find(entries, key) else { return default.to_owned() };
        let Some(name) = self.reader.string(node, &format!("`{key}`")) else { return default.to_owned() };
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
        if !is_name {
            self.reader.problem_help(
                "LG-FLOW-NAME",
                node.span,
                format!("`{name}` is no name for a variable"),
                "use letters, digits and `_`, without the `$`",
            );
        } else if super::formula::is_argument(name) {
            self.reader.problem("LG-FLOW-NAME", node.span, format!("`${name}` is taken by the runtime"));
        }
        // It is known from here on as what was meant, so that each use of it is no problem of its own.
        name.trim_start_matches('$').to_owned()
    }

    fn attempt(&mut self, node: &Node, entries: &[(Key, Node)], pointer: &str, at: Span) -> Option<Work> {
        let tasks = self.list(node, &format!("{pointer}/try"), "`try`");
        const KEYS: &[&str] = &["errors", "as", "when", "exceptWhen", "retry", "do", "then"];
        let catch = self.reader.required(entries, "catch", "a `try` task", at);
        let entries = catch.and_then(|catch| self.reader.object_of(catch, "`catch`", KEYS)).unwrap_or_default();
        let filter = match find(entries, "errors") {
            Some(node) => {
                let with = self.reader.object_of(node, "`catch.errors`", &["with"]).and_then(|e| find(e, "with"));
                with.map(|node| errors::filter(self.reader, node)).unwrap_or_default()
            }
            None => Vec::new(),
        };
        let retries = self.reusable.retries;
        let retry = find(entries, "retry").and_then(|node| retry::retry(self.reader, node, retries));
        let caught = find(entries, "do").map(|node| self.list(node, &format!("{pointer}/catch/do"), "`catch.do`"));
        Some(Work::Try(Box::new(Try {
            tasks,
            name: self.variable(entries, "as", "error"),
            filter,
            when: self.condition(entries, "when"),
            except: self.condition(entries, "exceptWhen"),
            retry,
            caught,
            then: find(entries, "then").and_then(|node| self.jump(node, "`catch.then`")),
        })))
    }
}

/// Refuses what the standard has and this compiler does not have yet; it is never ignored.
pub(super) fn not_yet(reader: &mut Reader<'_>, key: &Key, what: &str, help: &str) {
    let problem = Diagnostic::new("LG-FLOW-NOT-YET", key.span, format!("{what} are not supported yet"));
    reader.refuse(if help.is_empty() { problem } else { problem.help(help) });
}

/// Notes for people: any object.
pub(super) fn metadata(reader: &mut Reader<'_>, node: &Node) {
    reader.object(node, "`metadata`");
}
