//! The file's tree to rules.

use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{
    ArrayRule, Formula, From, Lines, MapFile, Site, TableUse, Target, ValueRule,
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
    let yaml_is_sound = problems.is_empty();
    let mut reader = Reader { text, yaml_is_sound, problems: Vec::new(), tables: Vec::new() };
    let map = match root {
        Some(root) => reader.file(&root, file),
        None => MapFile::unread(file),
    };
    problems.0.extend(reader.problems.into_iter().map(|p| p.file(file)));
    (map, problems)
}

struct Reader<'t> {
    text: &'t str,
    yaml_is_sound: bool,
    problems: Vec<Diagnostic>,
    tables: Vec<TableUse>,
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

    /// Where a node, or its first line, ends.
    fn line_end(&self, node: &Node) -> usize {
        let start = node.span.start as usize;
        let end = self.text.get(start..).and_then(|t| t.lines().next()).map_or(start, |line| start + line.len());
        end.min(node.span.end as usize)
    }

    fn missing(&mut self, node: &Node, what: &str, key: &str) {
        let span = Span::new(node.span.start as usize, self.line_end(node));
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
        if root.entries().is_none() {
            let message = match root.is_null() {
                true => "the file is empty".to_owned(),
                false => format!("a mapping file is an object, and this is {}", root.noun()),
            };
            let span = Span::new(root.span.start as usize, self.line_end(root));
            self.problem("LG-MAP-VALUE", span, message, format!("its keys are {}", listed(&FILE_KEYS)));
            return MapFile::unread(file);
        }
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
        let records = records.map(|node| (self.records(node), node.span));
        let target_type = root.get("target").and_then(|node| self.document_type(node, "target", &["type"]));
        let mut draft = Draft::default();
        match root.get("rules") {
            Some(rules) => self.rules(rules, &mut draft, 0),
            None => {
                self.missing(root, "a mapping file", "rules");
                draft.aside(|_| ());
            }
        }
        let mut aside = Vec::new();
        let mut targets = draft.build(&mut self.problems, &mut aside).into_iter();
        let target = targets.next().unwrap_or_else(|| Target::Object(Vec::new()));
        aside.extend(targets);
        let (target, aside, records) = match records {
            Some((each, span)) => {
                let site = Site { span, to: "[]".to_owned() };
                let rule = ArrayRule { site, each, when: None, default: None, entry: Some(target), aside };
                (Target::Array(Box::new(rule)), Vec::new(), Some(span))
            }
            None => (target, aside, None),
        };
        let tables = std::mem::take(&mut self.tables);
        let lines = Lines::of(self.text);
        MapFile {
            name,
            version,
            file: file.to_owned(),
            lines,
            source_type,
            target_type,
            records,
            target,
            aside,
            tables,
        }
    }

    fn document_type(&mut self, node: &Node, what: &str, keys: &[&str]) -> Option<(String, Span)> {
        self.object(node, &format!("`{what}`"), keys);
        let node = node.get("type")?;
        Some((self.text(node, &format!("the type of the {what}"))?, node.span))
    }

    /// Where the records are, as an expression that gives them.
    fn records(&mut self, node: &Node) -> Formula {
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
            return Formula::unread(node.span);
        };
        Formula { expression, origin, sound: true }
    }

    /// The rules in a list: those of the document, or of the entries that are drafted here, so deep in the
    /// target.
    fn rules(&mut self, node: &Node, draft: &mut Draft, depth: usize) {
        // What YAML has twice may say more than what is read of it.
        if !self.yaml_is_sound {
            draft.aside(|_| ());
        }
        let Some(rules) = node.items() else {
            let message = format!("`rules` is {}, not a list", node.noun());
            self.problem("LG-MAP-VALUE", node.span, message, "each rule starts with `- to: …`");
            return draft.aside(|_| ());
        };
        for rule in rules {
            self.rule(rule, draft, depth);
        }
    }

    /// Reads a rule and puts it to its place; one that has none is read all the same, for what else is
    /// wrong with it.
    fn rule(&mut self, node: &Node, draft: &mut Draft, depth: usize) {
        self.object(node, "a rule", &RULE_KEYS);
        if node.entries().is_none() {
            return draft.aside(|_| ());
        }
        let Some(to) = node.get("to") else {
            self.missing(node, "a rule", "to");
            return draft.aside(|place| self.placed(node, node.span, place, &[], depth));
        };
        match self.path(to) {
            Some(path) if depth + path.len() > DEPTH_MAX => {
                let message = format!("this place lies deeper than {DEPTH_MAX} levels in the target");
                self.problem("LG-MAP-DEPTH", to.span, message, "give the target a flatter shape");
                draft.aside(|_| ());
                self.placed(node, to.span, &mut Draft::default(), &[], depth);
            }
            Some(path) => self.placed(node, to.span, draft, &path, depth),
            None => draft.aside(|place| self.placed(node, to.span, place, &[], depth)),
        }
    }

    /// Puts a rule to its place, with the rules for its entries.
    fn placed(&mut self, node: &Node, at: Span, draft: &mut Draft, path: &[Placed], depth: usize) {
        let each = node.get("each").map(|n| self.formula(n, "each"));
        let when = node.get("when").map(|n| self.formula(n, "when"));
        let default = node.get("default").map(|n| self.formula(n, "default"));
        let from = self.from(node);
        let to = node.get("to").and_then(Node::as_text).unwrap_or_default().to_owned();
        let site = Site { span: at, to };
        let rules = node.get("rules");
        let (place, is_array) = match path.split_last() {
            Some(((Part::Entry, _), place)) => (place, true),
            _ => (path, each.is_some()),
        };
        if !is_array {
            if let Some(rules) = rules {
                let help = "put them beside this one, each with its whole `to`";
                self.problem("LG-MAP-EACH", rules.span, "only a rule with `each` has rules of its own", help);
                self.lost(rules, draft, at, depth);
            }
            let from = from.unwrap_or_else(|| {
                self.missing(node, "a rule", "from");
                From::Formula(Formula::unread(at))
            });
            return self.put(draft, place, Rule::Value(ValueRule { site, from, when, default }), at, |_, _| ());
        }
        let each = each.unwrap_or_else(|| {
            let help = "`each` gives the items that become its entries; to copy a list, `each` names it";
            self.problem("LG-MAP-EACH", at, "a rule whose `to` ends in `[]` needs `each`", help);
            Formula::unread(at)
        });
        if let (Some(_), Some(rules)) = (&from, rules) {
            let help = "`from` gives whole entries, `rules` their fields";
            self.problem("LG-MAP-CLASH", rules.span, "a rule has `from` or `rules`, not both", help);
        }
        let depth = depth + place.len() + 1;
        let rule = Rule::Array { site: site.clone(), each, when, default };
        self.put(draft, place, rule, at, |reader, place| {
            let entry = [(Part::Entry, at)];
            let value = from.map(|from| Rule::Value(ValueRule { site, from, when: None, default: None }));
            match (value, rules) {
                (Some(value), None) => place.at(&[], at, |place| reader.put(place, &entry, value, at, |_, _| ())),
                (value, Some(rules)) => place.at(&entry, at, |place| {
                    if let Some(value) = value {
                        place.aside(|place| reader.put(place, &[], value, at, |_, _| ()));
                    }
                    reader.rules(rules, place, depth);
                }),
                (None, None) => {}
            }
        });
    }

    /// Reads rules of which it cannot be told what they are rules of.
    fn lost(&mut self, rules: &Node, draft: &mut Draft, at: Span, depth: usize) {
        let site = Site { span: at, to: "[]".to_owned() };
        let rule = Rule::Array { site, each: Formula::unread(at), when: None, default: None };
        draft.aside(|place| {
            self.put(place, &[], rule, at, |reader, place| {
                place.at(&[(Part::Entry, at)], at, |entry| reader.rules(rules, entry, depth + 1));
            });
        });
    }

    fn put(
        &mut self,
        draft: &mut Draft,
        parts: &[Placed],
        rule: Rule,
        span: Span,
        act: impl FnOnce(&mut Self, &mut Draft),
    ) {
        if let Err(problem) = draft.put(parts, rule, span, |place| act(self, place)) {
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

    /// Where the value of a rule comes from; none: it does not say.
    fn from(&mut self, rule: &Node) -> Option<From> {
        let from = rule.get("from").map(|n| self.formula(n, "from"));
        let Some(lookup) = rule.get("lookup") else {
            return from.map(From::Formula);
        };
        if rule.get("from").is_some() {
            let help = "the `key` of the lookup is the expression on the source";
            self.problem("LG-MAP-CLASH", lookup.span, "a rule has `from` or `lookup`, not both", help);
        }
        self.object(lookup, "`lookup`", &LOOKUP_KEYS);
        if lookup.entries().is_none() {
            return Some(From::Formula(Formula::unread(lookup.span)));
        }
        let needed = |reader: &mut Self, key: &str| {
            let node = lookup.get(key);
            if node.is_none() {
                reader.missing(lookup, "`lookup`", key);
            }
            node
        };
        let table = needed(self, "table").and_then(|n| Some((self.text(n, "`table`")?, n.span)));
        let key = needed(self, "key").map_or_else(|| Formula::unread(lookup.span), |n| self.formula(n, "key"));
        let value = lookup.get("value").map(|node| Some((self.text(node, "`value`")?, node.span)));
        if let Some((name, at)) = table.clone() {
            self.tables.push(TableUse { name, at, value: value.clone().flatten() });
        }
        Some(match (table, value) {
            (Some(table), None) => From::Lookup { table, key, value: None },
            (Some(table), Some(Some((value, _)))) => From::Lookup { table, key, value: Some(value) },
            // Of what it gives nothing is known, and the key is an expression like any other.
            _ => From::Formula(Formula { sound: false, ..key }),
        })
    }

    fn formula(&mut self, node: &Node, key: &str) -> Formula {
        let scalar = node.scalar().filter(|s| s.kind != Kind::Null);
        let Some(scalar) = scalar else {
            let message = format!("`{key}` is {}, not an expression", node.noun());
            let help = "write an expression on the source, such as `customer.name`; a text itself stands in quotes: '\"text\"'";
            self.problem("LG-MAP-VALUE", node.span, message, help);
            return Formula::unread(node.span);
        };
        let origin = node.origin(self.text);
        let parsed = Expression::parse(&scalar.text);
        let found = match &parsed {
            Ok(expression) => expression.resolve_closed(&|_| false, &unbound).err(),
            Err(found) => Some(found.clone()),
        };
        let sound = found.is_none();
        for mut problem in found.unwrap_or_default().0 {
            problem.span = origin.span(problem.span);
            self.problems.push(problem);
        }
        match parsed {
            Ok(expression) => Formula { expression, origin, sound },
            Err(_) => Formula::unread(node.span),
        }
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
