//! Where a flow holds expressions: `${ … }`, bare conditions, and values with expressions in them.

use lockgate_mapping::Expression;
use lockgate_mapping::jq::Filter;
use lockgate_mapping::yaml::{Node, Origin, Scalar, Style, Value};
use lockgate_model::{Diagnostic, Span};

use super::tree::{Code, Formula, Template};
use crate::reader::{Language, Reader};

/// Which runtime arguments an expression may use, by where it stands (the standard's table
/// "runtime expression arguments").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `input.from` of the flow.
    FlowInput,
    /// `output.as` of the flow.
    FlowOutput,
    /// `if` of a task.
    If,
    /// `input.from` of a task.
    TaskInput,
    /// Everything in a task's definition, and its `output.as`.
    Task,
    /// `export.as` of a task.
    Export,
}

impl Place {
    fn noun(self) -> &'static str {
        match self {
            Place::FlowInput => "the flow's `input.from`",
            Place::FlowOutput => "the flow's `output.as`",
            Place::If => "`if` of a task",
            Place::TaskInput => "`input.from` of a task",
            Place::Task => "a task",
            Place::Export => "`export.as`",
        }
    }

    /// The runtime's arguments that exist there.
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Place::FlowInput => &["workflow", "runtime"],
            Place::FlowOutput => &["context", "workflow", "runtime"],
            Place::TaskInput => &["context", "task", "workflow", "runtime"],
            Place::If | Place::Task => &["context", "input", "task", "workflow", "runtime"],
            Place::Export => &["context", "input", "output", "task", "workflow", "runtime"],
        }
    }
}

/// What `$workflow`, `$task` and `$runtime` hold (the standard's workflow, task and runtime descriptors).
const WORKFLOW_FIELDS: &[&str] = &["id", "definition", "input", "startedAt"];
const TASK_FIELDS: &[&str] = &["name", "reference", "definition", "input", "output", "startedAt"];
const RUNTIME_FIELDS: &[&str] = &["name", "version", "metadata"];
const ARGUMENTS: &[&str] =
    &["context", "input", "output", "secrets", "stream", "task", "workflow", "runtime", "authorization"];

/// Is this the name of one of the runtime's own variables?
pub(crate) fn is_argument(name: &str) -> bool {
    ARGUMENTS.contains(&name)
}

/// Reads a node that is an expression, with or without `${ }` around it.
pub(super) fn formula(reader: &mut Reader<'_>, node: &Node, what: &str, place: Place) -> Option<Formula> {
    reader.string(node, what)?;
    let scalar = node.scalar()?;
    found(reader, node);
    let (text, origin) = written(reader, node, scalar);
    let (text, origin) = match enclosed(text) {
        Some((start, inner)) => (inner, origin.skip(start)),
        None => {
            let start = text.len() - text.trim_start().len();
            (text.trim(), origin.skip(start))
        }
    };
    Some(parsed(reader, text, origin, place))
}

/// Reads `from` and `as`: a string is an expression, an object holds expressions.
pub(super) fn shape(reader: &mut Reader<'_>, node: &Node, what: &str, place: Place) -> Option<Template> {
    match &node.value {
        Value::Mapping(_) => Some(template(reader, node, place)),
        _ => formula(reader, node, what, place).map(|formula| Template::Formula(Box::new(formula))),
    }
}

/// What a JSONata expression of this compiler's own gives for a value; `span` is what it is about.
pub(super) fn through(value: Template, text: &str, span: Span) -> Template {
    let formula = Formula {
        code: Expression::parse(text).ok().map(Code::Jsonata),
        origin: Origin::at(span.start as usize),
        mentions: Vec::new(),
        place: Place::Task,
    };
    Template::Through(Box::new(value), Box::new(formula))
}

/// The same value, where null is none.
pub(super) fn present(value: Template, span: Span) -> Template {
    match value {
        Template::Constant(_) | Template::Broken => value,
        computed => through(computed, "$[$ != null]", span),
    }
}

/// Reads a value: strings of the form `${ … }` are expressions wherever they stand, all else is constant.
pub(super) fn template(reader: &mut Reader<'_>, node: &Node, place: Place) -> Template {
    match &node.value {
        Value::Scalar(scalar) => match node.as_text() {
            Some(text) if text.trim_start().starts_with("${") => {
                let (text, origin) = written(reader, node, scalar);
                let Some((start, inner)) = enclosed(text) else {
                    reader.problem_help(
                        "LG-FLOW-EXPRESSION",
                        node.span,
                        "the expression has no closing `}` at the end of the string",
                        format!("`${{ … }}` must be the whole string: `${{ {} }}`", joined(reader)),
                    );
                    return Template::Broken;
                };
                found(reader, node);
                Template::Formula(Box::new(parsed(reader, inner, origin.skip(start), place)))
            }
            Some(text) if text.contains("${") => {
                reader.problem_help(
                    "LG-FLOW-EXPRESSION",
                    node.span,
                    "an expression inside a longer string is not evaluated",
                    format!("make the whole string one expression: `${{ {} }}`", joined(reader)),
                );
                Template::Broken
            }
            _ => Template::Constant(node.to_json()),
        },
        Value::Sequence(items) => {
            let items: Vec<_> = items.iter().map(|item| template(reader, item, place)).collect();
            if items.iter().all(|item| matches!(item, Template::Constant(_))) {
                return Template::Constant(node.to_json());
            }
            Template::Array(items)
        }
        Value::Mapping(entries) => {
            for (key, _) in entries.iter().filter(|(key, _)| key.text.contains("${")) {
                let help = "make the whole object one expression: `${ { (name): value } }`";
                reader.problem_help("LG-FLOW-EXPRESSION", key.span, "a key is never computed", help);
            }
            let fields: Vec<_> =
                entries.iter().map(|(key, value)| (key.text.clone(), template(reader, value, place))).collect();
            if fields.iter().all(|(_, field)| matches!(field, Template::Constant(_))) {
                return Template::Constant(node.to_json());
            }
            Template::Object(fields)
        }
    }
}

/// How a text is put together.
fn joined(reader: &Reader<'_>) -> &'static str {
    match reader.language {
        Language::Jq => r#""text \(.field)""#,
        Language::Jsonata => r#""text " & field"#,
    }
}

/// Notes where an expression stands, for those who write them in one form.
fn found(reader: &mut Reader<'_>, node: &Node) {
    if reader.language == Language::Jsonata {
        reader.expressions.insert(node.span.start);
    }
}

/// Is this `${ $stream }` and nothing else?
pub(super) fn is_stream(node: &Node) -> bool {
    node.as_text().and_then(enclosed).is_some_and(|(_, text)| text == "$stream")
}

/// The text between `${` and the closing `}`, and where it begins.
fn enclosed(text: &str) -> Option<(usize, &str)> {
    let start = text.len() - text.trim_start().len() + 2;
    let inner = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    let blanks = inner.len() - inner.trim_start().len();
    Some((start + blanks, inner.trim()))
}

/// The expression's text as it stands in the file where that means the same, so that every position
/// in it is exact; else the text after unescaping and folding.
///
/// Line breaks and indentation mean nothing to an expression outside its string literals and, in jq, comments.
fn written<'s>(reader: &Reader<'s>, node: &'s Node, scalar: &'s Scalar) -> (&'s str, Origin) {
    let source = reader.text;
    let raw = source.get(node.span.start as usize..node.span.end as usize).unwrap_or("");
    let breaks_mean_something = |raw: &str| match reader.language {
        Language::Jq => raw.contains(['"', '#']),
        Language::Jsonata => breaks_inside_literal(raw),
    };
    let as_is = match scalar.style {
        Style::Plain | Style::Block => !raw.contains(['\n', '\r']) || !breaks_mean_something(raw),
        Style::Single | Style::Double => false,
    };
    if as_is { (raw, Origin::at(node.span.start as usize)) } else { (&scalar.text, node.origin(source)) }
}

fn parsed(reader: &mut Reader<'_>, text: &str, origin: Origin, place: Place) -> Formula {
    let code = match reader.language {
        Language::Jq => Filter::parse(text).map(Code::Jq),
        Language::Jsonata => Expression::parse(text).map(Code::Jsonata),
    };
    let code = match code {
        Ok(code) => Some(code),
        Err(problems) => {
            for mut problem in problems.0 {
                problem.span = origin.span(problem.span);
                reader.refuse(problem);
            }
            None
        }
    };
    let variables = match (&code, reader.language) {
        (Some(Code::Jq(filter)), _) => filter.variables().into_iter().map(Variable::from).collect(),
        (None, Language::Jq) => Vec::new(),
        _ => variables(text),
    };
    for variable in &variables {
        check_argument(reader, variable, &origin, place);
    }
    let mut mentions: Vec<String> = variables.iter().flat_map(Variable::mentions).collect();
    mentions.sort();
    mentions.dedup();
    Formula { code, origin, mentions, place }
}

/// A `$name` in an expression.
struct Variable {
    name: String,
    span: Span,
    /// The field that directly follows, as in `$task.name`.
    field: Option<String>,
}

impl Variable {
    /// What it reads: the variable, and of `$task` the fields; all of them where it stands alone.
    fn mentions(&self) -> Vec<String> {
        let fields = match (self.name.as_str(), &self.field) {
            ("task", Some(field)) => vec![format!("task.{field}")],
            ("task", None) => TASK_FIELDS.iter().map(|field| format!("task.{field}")).collect(),
            _ => Vec::new(),
        };
        std::iter::once(self.name.clone()).chain(fields).collect()
    }
}

impl From<lockgate_mapping::jq::Variable<'_>> for Variable {
    fn from(found: lockgate_mapping::jq::Variable<'_>) -> Self {
        Self { name: found.name.to_owned(), span: found.span, field: found.field.map(str::to_owned) }
    }
}

/// Runtime arguments that cannot be used here are refused: they would silently be undefined. Other
/// names that nothing binds are found when the expression is compiled.
fn check_argument(reader: &mut Reader<'_>, variable: &Variable, origin: &Origin, place: Place) {
    let name = variable.name.as_str();
    if !is_argument(name) {
        return;
    }
    let mut problem = |message: String, help: String| {
        let span = origin.span(variable.span);
        reader.refuse(Diagnostic::new("LG-FLOW-ARGUMENT", span, message).help(help).token(format!("${name}")));
    };
    match name {
        "secrets" => problem(
            "`$secrets` is refused in expressions".to_owned(),
            "secrets live in the account's binding; a flow names the account and never sees them".to_owned(),
        ),
        "authorization" => problem(
            "`$authorization` is refused in expressions".to_owned(),
            "credentials live in the account's binding and never reach a flow".to_owned(),
        ),
        "stream" => problem(
            "`$stream` cannot be used here".to_owned(),
            "a stream passes once: it can be a whole member of the call that comes directly after the one \
             with `stream: true`, as in `body: ${ $stream }`"
                .to_owned(),
        ),
        _ if !place.arguments().contains(&name) => {
            let known: Vec<String> = place.arguments().iter().map(|name| format!("`${name}`")).collect();
            problem(
                format!("`${name}` does not exist in {}", place.noun()),
                format!("usable here: {}", known.join(", ")),
            );
        }
        "workflow" | "task" | "runtime" => {
            let fields = match name {
                "task" => TASK_FIELDS,
                "workflow" => WORKFLOW_FIELDS,
                _ => RUNTIME_FIELDS,
            };
            if let Some(field) = variable.field.as_deref().filter(|field| !fields.contains(field)) {
                let known: Vec<String> = fields.iter().map(|field| format!("`${name}.{field}`")).collect();
                problem(format!("there is no `${name}.{field}`"), format!("there are {}", known.join(", ")));
            }
        }
        _ => {}
    }
}

/// The field name that directly follows, as in `$task.name`.
fn field_after(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?.trim_start().strip_prefix('.')?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    rest.get(..end).filter(|field| !field.is_empty())
}

fn variables(text: &str) -> Vec<Variable> {
    let mut out = Vec::new();
    walk(text, &mut |start, end| {
        if let Some(name) = text.get(start + 1..end) {
            let field = field_after(text, end).map(str::to_owned);
            out.push(Variable { name: name.to_owned(), span: Span::new(start, end), field });
        }
    });
    out
}

fn breaks_inside_literal(text: &str) -> bool {
    walk(text, &mut |_, _| {})
}

/// Walks over an expression outside its literals and comments and reports each `$name`; returns
/// whether a string literal or quoted name holds a line break.
fn walk(text: &str, variable: &mut dyn FnMut(usize, usize)) -> bool {
    let mut breaks = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' | '\'' | '`' => {
                while let Some((_, inner)) = chars.next() {
                    match inner {
                        '\\' if c != '`' => {
                            chars.next();
                        }
                        '\n' | '\r' => breaks = true,
                        _ if inner == c => break,
                        _ => {}
                    }
                }
            }
            '/' if chars.peek().is_some_and(|(_, next)| *next == '*') => {
                let mut last = ' ';
                chars.next();
                for (_, inner) in chars.by_ref() {
                    if last == '*' && inner == '/' {
                        break;
                    }
                    last = inner;
                }
            }
            '$' => {
                let mut end = at + 1;
                while let Some((next, inner)) = chars.peek().copied() {
                    if !(inner.is_alphanumeric() || inner == '_') {
                        break;
                    }
                    end = next + inner.len_utf8();
                    chars.next();
                }
                if end > at + 1 {
                    variable(at, end);
                }
            }
            _ => {}
        }
    }
    breaks
}
