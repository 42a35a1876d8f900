//! A flow after reading: names resolved, expressions parsed, nothing left to look up.

use lockgate_mapping::Expression;
use lockgate_mapping::jq::Filter;
use lockgate_mapping::rules::Lines;
use lockgate_mapping::yaml::{Node, Origin};
use lockgate_model::manifest::ContentFormat;
use lockgate_model::{Schedule, Span};

use super::formula::Place;

/// One orchestration.
#[derive(Debug)]
pub(crate) struct Flow {
    /// `document.name`: the name it is executed by.
    pub name: String,
    /// `document.namespace`
    pub namespace: String,
    /// `document.version`
    pub version: String,
    /// The lines of its file.
    pub lines: Lines,
    /// The whole flow as JSON, for `$workflow.definition`.
    pub definition: String,
    /// `schedule`
    pub schedule: Option<Schedule>,
    /// `timeout`
    pub timeout: Option<Duration>,
    /// `input`
    pub input: Part,
    /// `output`
    pub output: Part,
    /// `do`
    pub tasks: Vec<Task>,
}

/// `input`, `output` or `export`.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// `from` or `as`
    pub shape: Option<Template>,
    /// `schema`: the document as JSON.
    pub schema: Option<String>,
}

impl Part {
    /// It does nothing.
    pub fn is_empty(&self) -> bool {
        self.shape.is_none() && self.schema.is_none()
    }

    /// Does what it shapes mention this variable?
    pub fn mentions(&self, name: &str) -> bool {
        self.shape.as_ref().is_some_and(|shape| shape.mentions(name))
    }
}

/// One task of a list.
#[derive(Debug)]
pub(crate) struct Task {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// JSON pointer in the flow, such as `/do/0/validate`.
    pub pointer: String,
    /// The task as JSON, for `$task.definition`.
    pub definition: String,
    /// `if`
    pub condition: Option<Formula>,
    /// `input`
    pub input: Part,
    /// `output`
    pub output: Part,
    /// `export`
    pub export: Part,
    /// `timeout`
    pub timeout: Option<Duration>,
    /// `then`
    pub then: Jump,
    /// What it does.
    pub work: Work,
}

/// What a task does.
#[derive(Debug)]
pub(crate) enum Work {
    /// `do`
    Do(Vec<Task>),
    /// `set`
    Set(Template),
    /// `emit`: the event.
    Emit(Template),
    /// `switch`
    Switch(Vec<Case>),
    /// `for`
    For(Box<For>),
    /// `fork`
    Fork(Fork),
    /// `try`
    Try(Box<Try>),
    /// `raise`: the error object.
    Raise(Template),
    /// `wait`
    Wait(Duration),
    /// `call`
    Call(Call),
    /// `run.workflow`
    Run(Run),
    /// `call` of a function of `use.functions`
    Function(Function),
    /// Could not be read; the problem is recorded.
    Broken,
}

/// Where a flow goes on.
#[derive(Debug, Clone)]
pub(crate) struct Jump {
    /// Where to.
    pub to: Target,
    /// Where it is written; the task's name when it is not.
    pub span: Span,
}

/// Target of a jump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The next task of the list.
    Continue,
    /// Behind the list.
    Exit,
    /// The end of the flow.
    End,
    /// A task of the same list, by name until [`super::jumps`] found its place.
    Named(String),
    /// Its place in the list.
    Task(usize),
}

/// One case of a switch.
#[derive(Debug)]
pub(crate) struct Case {
    /// Its name.
    pub name: String,
    /// `when`; absent: always.
    pub when: Option<Formula>,
    /// `then`
    pub then: Jump,
}

/// Branches that run at once.
#[derive(Debug)]
pub(crate) struct Fork {
    /// Each is one task.
    pub branches: Vec<Task>,
    /// The first that ends well is the one.
    pub compete: bool,
}

/// Rounds of a loop that know nothing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// How many run at once.
    pub at_once: u32,
    /// Errors are collected: none ends the loop.
    pub collect: bool,
}

/// A loop.
#[derive(Debug)]
pub(crate) struct For {
    /// Variable of the item.
    pub each: String,
    /// Variable of the index.
    pub at: String,
    /// `in`
    pub items: Items,
    /// `while`
    pub condition: Option<Formula>,
    /// `metadata.batch`: items of a round, which then has an array of them.
    pub batch: Option<u32>,
    /// `metadata.concurrency` or `metadata.errors`
    pub rounds: Option<Rounds>,
    /// `do`
    pub tasks: Vec<Task>,
}

/// What a loop goes over, or a mapping is given.
#[derive(Debug)]
pub(crate) enum Items {
    /// A value.
    Value(Template),
    /// The stream that the task before gives.
    Stream(Taken),
}

impl Items {
    /// The value, where it is one.
    pub fn value(&self) -> Option<&Template> {
        match self {
            Self::Value(value) => Some(value),
            Self::Stream(_) => None,
        }
    }
}

/// The stream that a task takes.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// Where `$stream` is written.
    pub span: Span,
    /// The call that it comes from, once [`super::streams`] found it.
    pub from: Option<Source>,
    /// The mappings that it went through.
    pub maps: Vec<Mapped>,
}

impl Taken {
    /// A stream whose source is not looked for yet.
    pub fn new(span: Span) -> Self {
        Self { span, from: None, maps: Vec::new() }
    }
}

/// A mapping that a stream goes through.
#[derive(Debug, Clone)]
pub(crate) struct Mapped {
    /// Its name.
    pub name: String,
    /// Where it is called.
    pub span: Span,
    /// JSON pointer of its task.
    pub task: String,
}

/// Tasks with a handler.
#[derive(Debug)]
pub(crate) struct Try {
    /// `try`
    pub tasks: Vec<Task>,
    /// Variable of the error.
    pub name: String,
    /// `catch.errors.with`
    pub filter: Vec<FieldFilter>,
    /// `catch.when`
    pub when: Option<Formula>,
    /// `catch.exceptWhen`
    pub except: Option<Formula>,
    /// `catch.retry`
    pub retry: Option<Retry>,
    /// `catch.do`
    pub caught: Option<Vec<Task>>,
    /// `catch.then`
    pub then: Option<Jump>,
}

/// One field of a static error filter.
#[derive(Debug, Clone)]
pub(crate) struct FieldFilter {
    /// `type`, `status`, `instance`, `title` or `detail`.
    pub field: &'static str,
    /// JSON values one of which the field must equal.
    pub any_of: Vec<String>,
}

/// A length of time.
#[derive(Debug, Clone)]
pub(crate) enum Duration {
    /// Milliseconds.
    Constant(i64),
    /// What an expression gives: an ISO 8601 duration, or an object of units.
    Computed(Box<Formula>),
}

impl Default for Duration {
    fn default() -> Self {
        Self::Constant(0)
    }
}

impl Duration {
    fn formula(&self) -> Option<&Formula> {
        match self {
            Self::Constant(_) => None,
            Self::Computed(formula) => Some(formula),
        }
    }
}

/// How much longer a delay may be, by chance.
#[derive(Debug, Clone)]
pub(crate) struct Jitter {
    /// At least.
    pub from: Duration,
    /// At most.
    pub to: Duration,
}

/// When and how often to try again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retry {
    /// `when`
    pub when: Option<Formula>,
    /// `exceptWhen`
    pub except: Option<Formula>,
    /// `delay`
    pub delay: Duration,
    /// `jitter`
    pub jitter: Option<Jitter>,
    /// `backoff`
    pub backoff: Backoff,
    /// `limit.attempt.count`: retries after the first attempt.
    pub count: Option<u32>,
    /// `limit.attempt.duration`
    pub attempt: Option<Duration>,
    /// `limit.duration`: no retry begins later than this after the first attempt began.
    pub duration: Option<Duration>,
}

impl Retry {
    fn formulas(&self) -> impl Iterator<Item = &Formula> {
        let jitter = self.jitter.iter().flat_map(|jitter| [&jitter.from, &jitter.to]);
        let limits = self.duration.iter().chain(&self.attempt);
        let lengths = [&self.delay].into_iter().chain(jitter).chain(limits).filter_map(Duration::formula);
        self.when.iter().chain(&self.except).chain(lengths)
    }
}

/// How the delay grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Backoff {
    /// Always `delay`.
    #[default]
    Constant,
    /// `delay` times the number of the retry.
    Linear,
    /// `delay`, then twice as much each time.
    Exponential,
}

/// A call.
#[derive(Debug)]
pub(crate) enum Call {
    /// A connector's operation.
    Operation(Box<Operation>),
    /// A mapping of the project.
    Map {
        /// Name of the mapping.
        name: String,
        /// Version, when one is written.
        version: Option<String>,
        /// Where the call is written.
        span: Span,
        /// `with.input`
        input: Items,
    },
    /// What is called could not be read, and the problem is recorded; this is what it was given.
    Broken(Template),
}

/// A function where it is called.
#[derive(Debug)]
pub(crate) struct Function {
    /// `with`: its input; without it the task's own.
    pub with: Option<Template>,
    /// What it does.
    pub task: Box<Task>,
}

/// Another orchestration.
#[derive(Debug)]
pub(crate) struct Run {
    /// `namespace`
    pub namespace: String,
    /// `name`
    pub name: String,
    /// Where the name is written.
    pub span: Span,
    /// `version`; none for the latest, until [`crate::project`] found which one that is.
    pub version: Option<String>,
    /// Where the version is written.
    pub version_at: Span,
    /// `input`
    pub input: Template,
    /// `await`
    pub awaits: bool,
}

/// A connector's operation with its arguments.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Connector.
    pub connector: String,
    /// Operation.
    pub operation: String,
    /// Version as written, `1` when none is.
    pub version: String,
    /// Where the call is written.
    pub span: Span,
    /// The account.
    pub account: Account,
    /// What is fixed about the path or the statement, for the manifest.
    pub detail: Vec<String>,
    /// How the account must prove who calls, where that is said.
    pub scheme: Option<&'static str>,
    /// Members of its input that an expression computes, and where.
    pub computed: Vec<(String, Span)>,
    /// `with` as it is written; none where the standard says what stands in it.
    pub given: Option<Node>,
    /// What the connector gets.
    pub input: Template,
    /// What of the answer is the task's output.
    pub answer: Answer,
    /// `with.parse`: what the bytes of the answer mean.
    pub parse: Option<Content>,
    /// `with.stream`: the answer streams into the task that comes next.
    pub streams: bool,
    /// The stream of the call before that it takes.
    pub takes: Option<Takes>,
}

/// A member of a call's input that is a stream.
#[derive(Debug)]
pub(crate) struct Takes {
    /// Its name.
    pub member: String,
    /// The stream.
    pub stream: Taken,
    /// How records are written.
    pub format: Option<Content>,
}

/// What bytes mean.
#[derive(Debug)]
pub(crate) struct Content {
    /// The format.
    pub format: ContentFormat,
    /// Where that is said.
    pub span: Span,
    /// It has records.
    pub records: bool,
}

/// A call that streams.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// JSON pointer of its task.
    pub task: String,
    /// Connector.
    pub connector: String,
    /// Operation.
    pub operation: String,
    /// It says what the bytes mean.
    pub is_parsed: bool,
}

/// The account of a call.
#[derive(Debug)]
pub(crate) enum Account {
    /// A declaration of the project.
    Declared {
        /// Its name.
        name: String,
        /// Where it is written.
        span: Span,
    },
    /// A literal https origin.
    Origin(String),
    /// Could not be read; the problem is recorded.
    Broken,
}

/// What of a connector's answer becomes the task's output.
#[derive(Debug)]
pub(crate) enum Answer {
    /// All of it.
    Whole,
    /// The content, in base64 unless it is JSON or text (`output: content` of an http call).
    Content,
    /// The content in base64 (`output: raw` of an http call).
    Raw,
    /// The standard's response object (`output: response` of an http call); this is its `request`.
    Response(Template),
}

/// A value with expressions in it.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    /// JSON without expressions.
    Constant(String),
    /// One expression.
    Formula(Box<Formula>),
    /// An object; fields that turn out undefined are left out.
    Object(Vec<(String, Template)>),
    /// An array; items that turn out undefined are left out.
    Array(Vec<Template>),
    /// The data.
    Whole,
    /// A field of the data.
    Field(String),
    /// A text with values in it.
    Text(Vec<Piece>),
    /// What an expression gives for a value.
    Through(Box<Template>, Box<Formula>),
    /// A text that no other event has.
    Unique,
    /// The time as ISO 8601.
    Now,
    /// Could not be read; the problem is recorded.
    Broken,
}

/// A piece of a URI template.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// As it is.
    Text(String),
    /// What a value is as a text.
    Value(Box<Template>),
}

/// An expression in the language of its flow.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// jq
    Jq(Filter),
    /// JSONata
    Jsonata(Expression),
}

/// One expression.
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    /// The parsed expression; absent when it does not parse, and the problem is recorded.
    pub code: Option<Code>,
    /// From its text to the file.
    pub origin: Origin,
    /// Variables it mentions, without `$`.
    pub mentions: Vec<String>,
    /// What kind of place it stands at.
    pub place: Place,
}

impl Formula {
    /// Does it mention this variable?
    pub fn mentions(&self, name: &str) -> bool {
        self.mentions.iter().any(|mention| mention == name)
    }

    /// The same where what is not there is nothing to go over: jq knows it as null.
    pub fn unless_null(mut self) -> Formula {
        self.code = self.code.map(|code| match code {
            Code::Jq(filter) => Code::Jq(filter.unless_null()),
            jsonata => jsonata,
        });
        self
    }
}

impl Flow {
    /// Calls `each` for every expression of the flow.
    pub fn formulas<'t>(&'t self, each: &mut dyn FnMut(&'t Formula)) {
        for template in [&self.input, &self.output].into_iter().filter_map(|part| part.shape.as_ref()) {
            template.formulas(each);
        }
        self.timeout.iter().filter_map(Duration::formula).for_each(&mut *each);
        self.each_task(&mut |task| task.formulas(each));
    }

    /// Does any expression mention this variable?
    pub fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.formulas(&mut |formula| found |= formula.mentions(name));
        found
    }

    /// Calls `each` for every task, outer ones first.
    pub fn each_task<'t>(&'t self, each: &mut dyn FnMut(&'t Task)) {
        walk(&self.tasks, each);
    }
}

/// Calls `each` for every orchestration that tasks run.
pub(crate) fn each_run(tasks: &mut [Task], each: &mut dyn FnMut(&mut Run)) {
    for task in tasks {
        match &mut task.work {
            Work::Run(run) => each(run),
            Work::Do(tasks) => each_run(tasks, each),
            Work::For(work) => each_run(&mut work.tasks, each),
            Work::Fork(fork) => each_run(&mut fork.branches, each),
            Work::Function(function) => each_run(std::slice::from_mut(&mut function.task), each),
            Work::Try(work) => {
                each_run(&mut work.tasks, each);
                each_run(work.caught.as_deref_mut().unwrap_or_default(), each);
            }
            _ => {}
        }
    }
}

fn walk<'t>(tasks: &'t [Task], each: &mut dyn FnMut(&'t Task)) {
    for task in tasks {
        each(task);
        match &task.work {
            Work::Do(tasks) => walk(tasks, each),
            Work::For(work) => walk(&work.tasks, each),
            Work::Fork(fork) => walk(&fork.branches, each),
            Work::Function(function) => walk(std::slice::from_ref(&function.task), each),
            Work::Try(work) => {
                walk(&work.tasks, each);
                walk(work.caught.as_deref().unwrap_or_default(), each);
            }
            _ => {}
        }
    }
}

impl Task {
    /// The expressions of the task itself, without those of the tasks in it.
    pub fn formulas<'t>(&'t self, each: &mut dyn FnMut(&'t Formula)) {
        self.condition.iter().for_each(&mut *each);
        self.timeout.iter().filter_map(Duration::formula).for_each(&mut *each);
        for template in [&self.input, &self.output, &self.export].into_iter().filter_map(|part| part.shape.as_ref()) {
            template.formulas(each);
        }
        match &self.work {
            Work::Set(template) | Work::Emit(template) | Work::Raise(template) => template.formulas(each),
            Work::Switch(cases) => cases.iter().filter_map(|case| case.when.as_ref()).for_each(each),
            Work::For(work) => {
                work.items.value().into_iter().for_each(|items| items.formulas(each));
                work.condition.iter().for_each(each);
            }
            Work::Try(work) => {
                let retry = work.retry.as_ref();
                let of_retry = retry.into_iter().flat_map(Retry::formulas);
                work.when.iter().chain(&work.except).chain(of_retry).for_each(each);
            }
            Work::Call(Call::Map { input, .. }) => input.value().into_iter().for_each(|input| input.formulas(each)),
            Work::Call(Call::Broken(input)) => input.formulas(each),
            Work::Call(Call::Operation(operation)) => {
                operation.input.formulas(each);
                if let Answer::Response(request) = &operation.answer {
                    request.formulas(each);
                }
            }
            Work::Run(run) => run.input.formulas(each),
            Work::Function(function) => function.with.iter().for_each(|with| with.formulas(each)),
            Work::Wait(length) => length.formula().into_iter().for_each(each),
            Work::Do(_) | Work::Fork(_) | Work::Broken => {}
        }
    }

    /// Do the task's own expressions mention this variable?
    pub fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.formulas(&mut |formula| found |= formula.mentions(name));
        found
    }
}

impl Template {
    /// All expressions in it.
    pub fn formulas<'t>(&'t self, each: &mut dyn FnMut(&'t Formula)) {
        match self {
            Template::Constant(_)
            | Template::Whole
            | Template::Field(_)
            | Template::Unique
            | Template::Now
            | Template::Broken => {}
            Template::Formula(formula) => each(formula),
            Template::Text(pieces) => pieces.iter().for_each(|piece| match piece {
                Piece::Value(value) => value.formulas(each),
                Piece::Text(_) => {}
            }),
            // The expression is none of the flow's own.
            Template::Through(value, _) => value.formulas(each),
            Template::Object(fields) => fields.iter().for_each(|(_, field)| field.formulas(each)),
            Template::Array(items) => items.iter().for_each(|item| item.formulas(each)),
        }
    }

    /// Does it mention this variable?
    pub fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.formulas(&mut |formula| found |= formula.mentions(name));
        found
    }
}
