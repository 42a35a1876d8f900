//! Calls: connector operations and mappings. Calls of the standard's own kinds `http` and
//! `openapi` are in [`super::http`] and [`super::openapi`].

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::{Diagnostic, Digest, Span};

use super::content::{content, is_format};
use super::formula::{Place, is_stream, template};
use super::reuse::Reusable;
use super::tree::{Account, Answer, Call, Code, Items, Operation, Taken, Takes, Template};
use super::{http, openapi, soap};
use crate::documents::Documents;
use crate::reader::{Reader, find};

/// The standard's own calls, besides connectors and mappings.
pub(super) const STANDARD: &[&str] = &["http", "openapi", "asyncapi", "grpc", "a2a", "mcp"];

/// A reference `<left>.<right>[:<version>][@<catalog>]`.
struct Reference<'t> {
    left: &'t str,
    right: &'t str,
    version: Option<&'t str>,
}

/// Reads `call` with its `with`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    with: Option<&Node>,
    reusable: &Reusable<'_>,
    documents: &Documents<'_>,
) -> Option<Call> {
    let text = reader.string(node, "`call`")?;
    match text {
        "http" => return Some(http::read(reader, node.span, with, reusable)),
        "openapi" => return Some(openapi::read(reader, node.span, with, reusable, documents)),
        known if STANDARD.contains(&known) => {
            reader.problem_help(
                "LG-FLOW-NOT-YET",
                node.span,
                format!("`call: {text}` is not supported yet"),
                "call a connector's operation, such as `https.post:1@default`",
            );
            return None;
        }
        _ => {}
    }
    Some(match reference(reader, node.span, text) {
        Some(reference) if reference.left == "map" => map(reader, node.span, &reference, with),
        Some(reference) => operation(reader, node.span, &reference, with, documents),
        None => Call::Broken(with.map_or(Template::Broken, |with| template(reader, with, Place::Task))),
    })
}

fn reference<'t>(reader: &mut Reader<'_>, span: Span, text: &'t str) -> Option<Reference<'t>> {
    let (name, catalog) = match text.split_once('@') {
        Some((name, catalog)) => (name, Some(catalog)),
        None => (text, None),
    };
    if catalog.is_some_and(|catalog| catalog != "default") {
        reader.problem_help(
            "LG-CALL-CATALOG",
            span,
            format!("`{text}` names a catalog other than `default`"),
            "connectors and the project's mappings are in `@default`",
        );
        return None;
    }
    let (name, version) = match name.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    let well_formed = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
    };
    let version_formed = version
        .is_none_or(|v| !v.is_empty() && v.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())));
    match name.split_once('.') {
        Some((left, right)) if well_formed(left) && well_formed(right) && version_formed => {
            Some(Reference { left, right, version })
        }
        _ => {
            reader.refuse(
                Diagnostic::new("LG-CALL-NAME", span, format!("`{text}` names nothing that can be called"))
                    .help(
                        "write `<connector>.<operation>:<version>@default`, `map.<name>:<version>@default`, `http`, \
                         `openapi`, or the name of a function under `use.functions`",
                    )
                    .token(text),
            );
            None
        }
    }
}

fn map(reader: &mut Reader<'_>, span: Span, reference: &Reference<'_>, with: Option<&Node>) -> Call {
    let input = match with {
        Some(with) => reader
            .object_of(with, "`with` of a mapping", &["input"])
            .and_then(|entries| reader.required(entries, "input", "`with` of a mapping", with.span)),
        None => {
            reader.problem_help(
                "LG-MISSING-KEY",
                span,
                "a call of a mapping needs `with.input`",
                "`with: { input: ${ $ } }` maps the task's input",
            );
            None
        }
    };
    Call::Map {
        name: reference.right.to_owned(),
        version: reference.version.map(str::to_owned),
        span,
        input: match input {
            Some(input) if is_stream(input) => Items::Stream(Taken::new(input.span)),
            Some(input) => Items::Value(template(reader, input, Place::Task)),
            None => Items::Value(Template::Broken),
        },
    }
}

/// Reads `with.account`.
fn account(reader: &mut Reader<'_>, at: Span, entries: &[(Key, Node)]) -> Account {
    let Some(node) = find(entries, "account") else {
        let help = "name the account declaration of project.yaml: `with: { account: … }`";
        reader.problem_help("LG-MISSING-KEY", at, "a call of a connector needs `with.account`", help);
        return Account::Broken;
    };
    let Some(name) = reader.string(node, "`account`") else { return Account::Broken };
    if name.contains("${") {
        reader.problem_help(
            "LG-CALL-ACCOUNT",
            node.span,
            "the account of a call cannot be computed",
            "a deployment must know every account it can reach: name it, and use `switch` to choose between calls",
        );
        return Account::Broken;
    }
    Account::Declared { name: name.to_owned(), span: node.span }
}

fn operation(
    reader: &mut Reader<'_>,
    span: Span,
    reference: &Reference<'_>,
    with: Option<&Node>,
    documents: &Documents<'_>,
) -> Call {
    let entries = match with {
        Some(with) => reader.object(with, "`with`"),
        None => Some(Default::default()),
    };
    let account = match entries {
        Some(entries) => account(reader, with.map_or(span, |with| with.span), entries),
        None => Account::Broken,
    };
    let entries = entries.unwrap_or_default();
    let (mut fields, mut computed) = (Vec::new(), Vec::new());
    let takes = taken(reader, entries, documents);
    let parsed = find(entries, "parse").filter(|node| is_format(node));
    let parse = parsed.and_then(|node| content(reader, node, "`parse`", documents));
    let described = match reference.left {
        "soap" => soap::service(reader, with.map_or(span, |with| with.span), entries, documents),
        _ => None,
    };
    let streams = find(entries, "stream").is_some_and(|node| streaming(reader, node));
    for (key, value) in entries {
        match key.text.as_str() {
            "account" | "stream" => continue,
            "parse" if parsed.is_some() => continue,
            "format" if takes.is_some() => continue,
            "wsdl" | "port" if described.is_some() => continue,
            member if takes.as_ref().is_some_and(|takes| takes.member == member) => continue,
            _ => {}
        }
        let template = template(reader, value, Place::Task);
        computed_places(&key.text, &template, &mut |place| computed.push((place, value.span)));
        fields.push((key.text.clone(), template));
    }
    let mut detail = reach(&fields);
    if let Some(soap::Service { fields: carried, detail: said }) = described {
        fields.extend(carried);
        detail = said;
    }
    Call::Operation(Box::new(Operation {
        connector: reference.left.to_owned(),
        operation: reference.right.to_owned(),
        version: reference.version.unwrap_or("1").to_owned(),
        span,
        account,
        detail,
        scheme: None,
        computed,
        given: with.cloned(),
        input: Template::Object(fields),
        answer: Answer::Whole,
        parse,
        streams,
        takes,
    }))
}

/// `with.stream`: a constant, because it decides what may come next.
fn streaming(reader: &mut Reader<'_>, node: &Node) -> bool {
    match node.to_json().as_str() {
        "true" => true,
        "false" => false,
        _ => {
            reader.problem_help("LG-FLOW-STREAM", node.span, "`stream` is `true` or `false`", "write `stream: true`");
            false
        }
    }
}

/// The member of a call's input that is `${ $stream }`, if one is.
fn taken(reader: &mut Reader<'_>, entries: &[(Key, Node)], documents: &Documents<'_>) -> Option<Takes> {
    let (key, node) = entries.iter().find(|(_, node)| is_stream(node))?;
    let format = find(entries, "format").and_then(|node| content(reader, node, "`format`", documents));
    Some(Takes { member: key.text.clone(), stream: Taken::new(node.span), format })
}

/// Members of a call's input that say what it touches, in the order in which the manifest tells them. A test holds
/// them to the operations of all connectors.
pub const REACH: &[&str] = &["path", "from", "to", "table", "columns", "routine", "sql", "steps", "method"];

/// What is fixed about what a call touches. One that names no place is at the base of its account.
fn reach(fields: &[(String, Template)]) -> Vec<String> {
    let given = |member: &str| fields.iter().find(|(name, _)| name == member).map(|(_, value)| value);
    let told: Vec<(&str, Vec<String>)> =
        REACH.iter().filter_map(|member| Some((*member, details(member, given(member)?)))).collect();
    let base = told.iter().all(|(member, _)| *member == "method").then(|| BASE.to_owned());
    base.into_iter().chain(told.into_iter().flat_map(|(_, details)| details)).collect()
}

/// The base of an account, as a path below it.
const BASE: &str = "/";

/// What is fixed about one of the members that say what a call touches. Of several of a call, what is not fixed of
/// one must not stand for the others: these are told with their names.
fn details(member: &str, value: &Template) -> Vec<String> {
    match (member, value) {
        ("sql", _) => vec![statement_detail(value)],
        ("steps", Template::Array(steps)) => steps.iter().map(step_detail).collect(),
        ("steps", Template::Constant(json)) => match serde_json::from_str(json) {
            Ok(serde_json::Value::Array(steps)) => {
                steps.iter().map(|step| step_detail(&Template::Constant(step.to_string()))).collect()
            }
            _ => vec!["*".to_owned()],
        },
        ("steps", _) => vec!["*".to_owned()],
        ("columns", Template::Constant(json)) => match serde_json::from_str::<Vec<String>>(json) {
            Ok(columns) => columns.into_iter().map(|column| format!("column {column}")).collect(),
            Err(_) => vec!["column *".to_owned()],
        },
        ("columns", _) => vec!["column *".to_owned()],
        ("from" | "to" | "method", _) => vec![format!("{member} {}", path_detail(value))],
        // The name of a table or routine is fixed, as a path may be.
        _ => vec![path_detail(value)],
    }
}

/// The digest of the statement of a step.
fn step_detail(step: &Template) -> String {
    let sql = match step {
        Template::Object(members) => {
            members.iter().find(|(name, _)| name == "sql").map(|(_, sql)| statement_detail(sql))
        }
        Template::Constant(json) => serde_json::from_str(json).ok().and_then(|step: serde_json::Value| {
            Some(statement_detail(&Template::Constant(step.get("sql")?.to_string())))
        }),
        _ => None,
    };
    sql.unwrap_or_else(|| "*".to_owned())
}

/// Tells each place of a member that holds an expression: `sql`, `steps[].parameters[]`.
fn computed_places(place: &str, template: &Template, tell: &mut dyn FnMut(String)) {
    match template {
        Template::Constant(_) => {}
        Template::Object(members) => {
            members.iter().for_each(|(name, value)| computed_places(&format!("{place}.{name}"), value, tell));
        }
        Template::Array(items) => {
            items.iter().for_each(|item| computed_places(&format!("{place}[]"), item, tell));
        }
        _ => tell(place.to_owned()),
    }
}

/// The digest of a fixed statement.
fn statement_detail(statement: &Template) -> String {
    match statement {
        Template::Constant(json) => match serde_json::from_str(json) {
            Ok(serde_json::Value::String(statement)) => Digest::of(statement.as_bytes()).to_string(),
            _ => "*".to_owned(),
        },
        _ => "*".to_owned(),
    }
}

/// What is fixed about a path: all of it, or what a text that is joined from pieces begins with.
fn path_detail(path: &Template) -> String {
    match path {
        Template::Constant(json) => match serde_json::from_str(json) {
            Ok(serde_json::Value::String(path)) => path,
            _ => "*".to_owned(),
        },
        Template::Formula(formula) => {
            let prefix = match &formula.code {
                Some(Code::Jq(filter)) => filter.literal_prefix(),
                Some(Code::Jsonata(expression)) => literal_prefix(expression.text()),
                None => None,
            };
            format!("{}*", prefix.unwrap_or(""))
        }
        _ => "*".to_owned(),
    }
}

/// The string literal that every result of this expression in JSONata begins with: `"/orders/" & id` and nothing
/// that binds weaker than `&`. Wherever that is not certain: none.
fn literal_prefix(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix('"')?;
    let (literal, rest) = rest.split_once('"')?;
    if literal.contains('\\') {
        return None;
    }
    let mut rest = rest.trim_start().strip_prefix('&')?.chars().peekable();
    let mut depth = 0_u32;
    let mut word = String::new();
    while let Some(c) = rest.next() {
        if c.is_alphanumeric() || matches!(c, '_' | '$') {
            word.push(c);
            continue;
        }
        if depth == 0 && matches!(word.as_str(), "and" | "or" | "in") {
            return None;
        }
        word.clear();
        match c {
            '"' | '\'' | '`' => loop {
                match rest.next()? {
                    '\\' if c != '`' => {
                        rest.next();
                    }
                    inner if inner == c => break,
                    _ => {}
                }
            },
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ if depth > 0 || c.is_whitespace() || matches!(c, '&' | '.') => {}
            _ => return None,
        }
    }
    (!matches!(word.as_str(), "and" | "or" | "in")).then_some(literal)
}

#[cfg(test)]
mod tests {
    use super::literal_prefix;

    #[test]
    fn a_prefix_is_claimed_only_where_it_is_certain() {
        assert_eq!(literal_prefix(r#""/orders/" & orderId"#), Some("/orders/"));
        assert_eq!(literal_prefix(r#" "/a" & $string(x ? 1 : 2) & "/b" & lines[0].sku "#), Some("/a"));
        for text in [
            "path",
            r#""/a""#,
            r#""/a" & x ? "/b" : "/c""#,
            r#""/a" & x or y"#,
            r#""/a" & x in y"#,
            r#""/a" & x = "/b""#,
            r#""/a" & x ~> $f"#,
            r#""/a\n" & x"#,
            r#""/a" & x) & ("/b""#,
            r#"x & "/a""#,
        ] {
            assert_eq!(literal_prefix(text), None, "{text}");
        }
    }
}
