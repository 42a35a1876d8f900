//! The file's tree to rules.

use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{
    ArrayRule, Formula, From, MapFile, Site, Target, ValueRule,
    target::{Draft, Rule},
    to::{self, Part, Placed},
};
use crate::{
    Expression,
    expression::{Unbound, builtins, is_builtin},
    nearest,
    yaml::{self, Key, Kind, Node},
};

const FILE_KEYS: [&str; 5] = ["mapping", "version", "source", "target", "rules"];
const RULE_KEYS: [&str; 7] = ["to", "from", "each", "when", "default", "lookup", "rules"];
const LOOKUP_KEYS: [&str; 3] = ["table", "key", "value"];

/// How deep a place may lie in the target: well below what a document may nest, and what the passes
/// over the rules, which recurse, can take.
const DEPTH_MAX: usize = 64;

/// Problems that are told of what the file holds: each takes more memory than the few bytes it is about.
const PROBLEMS_MAX: usize = 10_000;

pub(super) fn read(file: &str, text: &str) -> (MapFile, Diagnostics) {
    let (root, mut problems) = yaml::read(file, text);
    let mut reader = Reader { text, problems: Vec::new(), tables: Vec::new() };
    let map = match root {
        Some(root) => reader.file(&root, file),
        None => MapFile {
            name: String::new(),
            version: String::new(),
            file: file.to_owned(),
            source_type: None,
            target_type: None,
            records: None,
            target: Target::Object(Vec::new()),
            tables: Vec::new(),
        },
    };
    problems.0.extend(reader.problems.into_iter().map(|p| p.file(file)));
    (map, problems)
}

struct Reader<'t> {
    text: &'t str,
    problems: Vec<Diagnostic>,
    tables: Vec<(String, Span)>,
}

impl Reader<'_> {
    fn problem(&mut self, code: &str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        self.problems.push(Diagnostic::new(code, span, message).help(help));
    }

    /// The entries of an object with no other keys than these.
    fn object<'n>(&mut self, node: &'n Node, what: &str, keys: &[&str]) -> &'n [(Key, Node)] {
        let Some(entries) = node.entries() else {
            let message = format!("{what} is {}, not an object", node.noun());
            self.problem("LG-MAP-VALUE", node.span, message, format!("its keys are {}", listed(keys)));
            return &[];
        };
        for (key, _) in entries {
            if !keys.contains(&key.text.as_str()) {
                let message = format!("{what} has no `{}`", key.text);
                self.problem("LG-MAP-KEY", key.span, message, format!("its keys are {}", listed(keys)));
            }
        }
        entries
    }

    fn missing(&mut self, node: &Node, what: &str, key: &str) {
        let start = node.span.start as usize;
        let end = self.text.get(start..).and_then(|t| t.lines().next()).map_or(start, |line| start + line.len());
        let span = Span::new(start, end.min(node.span.end as usize));
        self.problem("LG-MAP-MISSING", span, format!("{what} needs `{key}`"), format!("add `{key}: …`"));
    }

    fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match node.scalar() {
            Some(scalar) if matches!(scalar.kind, Kind::Text | Kind::Number) && !scalar.text.is_empty() => {
                Some(scalar.text.clone())
            }
            _ => {
                self.problem(
                    "LG-MAP-VALUE",
                    node.span,
                    format!("{what} is {}, not a text", node.noun()),
                    "write a text",
                );
                None
            }
        }
    }

    fn file(&mut self, root: &Node, file: &str) -> MapFile {
        self.object(root, "a mapping file", &FILE_KEYS);
        let named = |reader: &mut Self, key: &str| match root.get(key) {
            Some(node) => reader.text(node, &format!("`{key}`")).unwrap_or_default(),
            None => {
                reader.missing(root, "a mapping file", key);
                String::new()
            }
        };
        let name = named(self, "mapping");
        let version = named(self, "version");
        let source_type = root.get("source").and_then(|node| self.document_type(node, "source", &["type", "records"]));
        let records = root.get("source").and_then(|node| node.get("records"));
        let records = records.and_then(|node| Some((self.records(node)?, node.span)));
        let target_type = root.get("target").and_then(|node| self.document_type(node, "target", &["type"]));
        let mut draft = Draft::default();
        match root.get("rules") {
            Some(rules) => self.rules(rules, &mut draft, &[]),
            None => self.missing(root, "a mapping file", "rules"),
        }
        let target = draft.build(&mut self.problems).unwrap_or_else(|| Target::Object(Vec::new()));
        let (target, records) = match records {
            Some((each, span)) => {
                let site = Site { span, to: "[]".to_owned() };
                let rule = ArrayRule { site, each, when: None, default: None, entry: Some(target) };
                (Target::Array(Box::new(rule)), Some(span))
            }
            None => (target, None),
        };
        let tables = std::mem::take(&mut self.tables);
        MapFile { name, version, file: file.to_owned(), source_type, target_type, records, target, tables }
    }

    fn document_type(&mut self, node: &Node, what: &str, keys: &[&str]) -> Option<(String, Span)> {
        self.object(node, &format!("`{what}`"), keys);
        let node = node.get("type")?;
        Some((self.text(node, &format!("the type of the {what}"))?, node.span))
    }

    /// Where the records are, as an expression that gives them.
    fn records(&mut self, node: &Node) -> Option<Formula> {
        let origin = node.origin(self.text);
        let text = node.as_text().unwrap_or_default();
        let names = match to::parse(text) {
            _ if text == "$" => Some("$".to_owned()),
            // `$.orders` would be a field of that name.
            Ok(_) if text.starts_with('$') => None,
            Ok(parts) => {
                parts.iter().map(|(part, _)| part.quoted()).collect::<Option<Vec<_>>>().map(|names| names.join("."))
            }
            Err(_) => None,
        };
        let Some(expression) = names.and_then(|names| Expression::parse(&names).ok()) else {
            let help = "`$` is the document itself; else write names divided by dots, such as `data.orders`";
            self.problem("LG-MAP-RECORDS", node.span, "`records` says no place of the source", help);
            return None;
        };
        Some(Formula { expression, origin })
    }

    /// The rules in a list; `prefix` is where the surrounding rule's entries stand.
    fn rules(&mut self, node: &Node, draft: &mut Draft, prefix: &[Placed]) {
        let Some(rules) = node.items() else {
            let message = format!("`rules` is {}, not a list", node.noun());
            return self.problem("LG-MAP-VALUE", node.span, message, "each rule starts with `- to: …`");
        };
        for rule in rules {
            self.rule(rule, draft, prefix);
        }
    }

    fn rule(&mut self, node: &Node, draft: &mut Draft, prefix: &[Placed]) {
        self.object(node, "a rule", &RULE_KEYS);
        if node.entries().is_none() {
            return;
        }
        let placed = self.placed(node, draft, prefix);
        // Rules that have no place are read all the same, for what is wrong with them.
        match (node.get("rules"), placed) {
            (Some(rules), Some(parts)) => self.rules(rules, draft, &parts),
            (Some(rules), None) => self.rules(rules, &mut Draft::default(), &[]),
            (None, _) => {}
        }
    }

    /// Puts a rule to its place; where its entries stand, when it has rules for them.
    fn placed(&mut self, node: &Node, draft: &mut Draft, prefix: &[Placed]) -> Option<Vec<Placed>> {
        let to = node.get("to");
        let path = to.and_then(|to| self.path(to));
        let each = node.get("each").and_then(|n| self.formula(n, "each"));
        let when = node.get("when").and_then(|n| self.formula(n, "when"));
        let default = node.get("default").and_then(|n| self.formula(n, "default"));
        let from = self.from(node);
        let Some(to) = to else {
            self.missing(node, "a rule", "to");
            return None;
        };
        let path = path?;
        let site = Site { span: to.span, to: to.as_text().unwrap_or_default().to_owned() };
        let array = matches!(path.last(), Some((Part::Entry, _)));
        let mut parts = prefix.to_vec();
        parts.extend(path);
        if parts.len() > DEPTH_MAX {
            let message = format!("this place lies deeper than {DEPTH_MAX} levels in the target");
            self.problem("LG-MAP-DEPTH", to.span, message, "give the target a flatter shape");
            return None;
        }
        if node.get("each").is_none() {
            if array {
                let help = "`each` gives the items that become its entries; to copy a list, `each` names it";
                self.problem("LG-MAP-EACH", to.span, "a rule whose `to` ends in `[]` needs `each`", help);
                parts.pop();
                draft.at(&parts, to.span, |place| place.broken = true);
                return None;
            }
            if let Some(rules) = node.get("rules") {
                let help = "put them beside this one, each with its whole `to`";
                self.problem("LG-MAP-EACH", rules.span, "only a rule with `each` has rules of its own", help);
            }
            match from {
                Some(from) => self.put(draft, &parts, Rule::Value(ValueRule { site, from, when, default }), to.span),
                None if node.get("from").is_none() && node.get("lookup").is_none() => {
                    self.missing(node, "a rule", "from")
                }
                None => draft.at(&parts, to.span, |place| place.broken = true),
            }
            return None;
        }
        if !array {
            parts.push((Part::Entry, to.span));
        }
        let (_, place) = parts.split_last()?;
        match each {
            Some(each) => self.put(draft, place, Rule::Array { site: site.clone(), each, when, default }, to.span),
            None => draft.at(place, to.span, |place| place.broken = true),
        }
        match (from, node.get("rules")) {
            (Some(_), Some(rules)) => {
                let help = "`from` gives whole entries, `rules` their fields";
                self.problem("LG-MAP-CLASH", rules.span, "a rule has `from` or `rules`, not both", help);
                return None;
            }
            (Some(from), None) => {
                let rule = ValueRule { site, from, when: None, default: None };
                self.put(draft, &parts, Rule::Value(rule), to.span);
            }
            (None, Some(_)) => draft.at(&parts, to.span, |_| ()),
            (None, None) => {}
        }
        Some(parts)
    }

    fn put(&mut self, draft: &mut Draft, parts: &[Placed], rule: Rule, span: Span) {
        if let Err(problem) = draft.at(parts, span, |place| place.put(rule, span)) {
            self.problems.push(problem);
        }
    }

    fn path(&mut self, node: &Node) -> Option<Vec<Placed>> {
        let Some(text) = node.as_text() else {
            let message = format!("`to` is {}, not a path", node.noun());
            self.problem("LG-MAP-TO", node.span, message, "write names divided by dots, such as `buyer.name`");
            return None;
        };
        match to::parse(text) {
            Ok(parts) => {
                let origin = node.origin(self.text);
                Some(parts.into_iter().map(|(part, at)| (part, origin.span(at))).collect())
            }
            Err(wrong) => {
                let end =
                    text.get(wrong.at..).and_then(|t| t.chars().next()).map_or(wrong.at, |c| wrong.at + c.len_utf8());
                let span = node.origin(self.text).span(Span::new(wrong.at, end));
                let help = "a path is names divided by dots; `name[]` is an array, other signs stand in backticks";
                self.problem("LG-MAP-TO", span, format!("malformed `to`: {}", wrong.message), help);
                None
            }
        }
    }

    fn from(&mut self, rule: &Node) -> Option<From> {
        let from = rule.get("from").and_then(|n| self.formula(n, "from"));
        let Some(lookup) = rule.get("lookup") else {
            return from.map(From::Formula);
        };
        if rule.get("from").is_some() {
            let help = "the `key` of the lookup is the expression on the source";
            self.problem("LG-MAP-CLASH", lookup.span, "a rule has `from` or `lookup`, not both", help);
        }
        self.object(lookup, "`lookup`", &LOOKUP_KEYS);
        lookup.entries()?;
        let needed = |reader: &mut Self, key: &str| {
            let node = lookup.get(key);
            if node.is_none() {
                reader.missing(lookup, "`lookup`", key);
            }
            node.cloned()
        };
        let table = needed(self, "table");
        let key = needed(self, "key");
        let table = table.and_then(|n| Some((self.text(&n, "`table`")?, n.span)));
        self.tables.extend(table.clone());
        let key = key.and_then(|n| self.formula(&n, "key"));
        let value = match lookup.get("value") {
            Some(node) => Some(self.text(node, "`value`")?),
            None => None,
        };
        Some(From::Lookup { table: table?, key: key?, value })
    }

    fn formula(&mut self, node: &Node, key: &str) -> Option<Formula> {
        let scalar = node.scalar().filter(|s| s.kind != Kind::Null);
        let Some(scalar) = scalar else {
            let message = format!("`{key}` is {}, not an expression", node.noun());
            let help = "write an expression on the source, such as `customer.name`; a text itself stands in quotes: '\"text\"'";
            self.problem("LG-MAP-VALUE", node.span, message, help);
            return None;
        };
        let origin = node.origin(self.text);
        let parsed = Expression::parse(&scalar.text);
        let found = match &parsed {
            Ok(expression) => expression.resolve_closed(&|_| false, &unbound).err(),
            Err(found) => Some(found.clone()),
        };
        for mut problem in found.unwrap_or_default().0 {
            problem.span = origin.span(problem.span);
            self.problems.push(problem);
        }
        parsed.ok().map(|expression| Formula { expression, origin })
    }
}

/// A mapping knows no names but built-ins and those that an expression binds itself.
fn unbound(unbound: &Unbound<'_>) -> Option<Diagnostic> {
    if is_builtin(unbound.name) {
        return None;
    }
    let known = unbound.own.iter().copied().chain(builtins().filter(|_| unbound.called));
    let help = match nearest(unbound.name, known) {
        _ if unbound.later => "it is bound further on: put its `:=` first".to_owned(),
        Some(near) => format!("did you mean `${near}`?"),
        None => "`$` is the item, `$$` the source document; other names are bound by `:=`".to_owned(),
    };
    let message = format!("nothing is called `${}` here", unbound.name);
    Some(Diagnostic::new("LG-MAP-NAME", Span::default(), message).help(help))
}

fn listed(keys: &[&str]) -> String {
    keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")
}
