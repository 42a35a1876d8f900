//! JSON Schema to rules: drafts 2020-12 and 7, of which the one is told from the other by `$schema`.
//!
//! Every place of the document that holds a schema becomes one rule, known by its JSON pointer, so
//! that a `$ref` finds it whether it stands before or behind, or within itself. A `$ref` may lead to
//! any place of the same document.

pub mod references;

use std::collections::BTreeMap;

use super::{
    PATTERNS_MAX, RULES_MAX, RuleId, Schema, SchemaPlace, SchemaProblem, Types,
    decimal::{self, DIVISOR_DIGITS_MAX},
    draft::{Draft, NoPattern, SPLIT},
    rule::{Branch, Count, Rule},
};
use crate::{
    node::{Kind, Node},
    pattern::Pattern,
};
use references::Reference;

/// How deep a schema may nest.
const POINTER_DEPTH_MAX: usize = 128;

pub(super) fn read(root: Node<'_>) -> Result<Schema, Vec<SchemaProblem>> {
    let mut reader = Reader {
        root,
        draft7: false,
        own: root.get("$id").as_str(),
        draft: Draft::default(),
        known: BTreeMap::new(),
        anchors: BTreeMap::new(),
        references: Vec::new(),
    };
    reader.dialect();
    let id = reader.schema(root, "", 0);
    reader.follow();
    let Reader { draft, known, .. } = reader;
    draft.finish(id, |id| {
        let at = known.iter().find(|(_, known)| **known == id).map(|(at, _)| at.clone());
        SchemaPlace::Pointer(at.unwrap_or_default())
    })
}

/// What JSON Schema has and is not read yet: it says something of values, so it is not passed over.
const LATER: [&str; 5] =
    ["unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "$recursiveAnchor"];

struct Reader<'n> {
    root: Node<'n>,
    /// Draft 7: what stands beside a `$ref` says nothing.
    draft7: bool,
    /// The document's own name, by which a `$ref` may call it.
    own: Option<&'n str>,
    draft: Draft,
    known: BTreeMap<String, RuleId>,
    anchors: BTreeMap<String, RuleId>,
    references: Vec<Reference>,
}

impl<'n> Reader<'n> {
    fn problem(&mut self, code: &'static str, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.draft.problems.push(SchemaProblem::at(code, pointer, message, help));
    }

    fn dialect(&mut self) {
        let said = self.root.get("$schema");
        let Some(name) = said.as_str() else { return };
        match name.trim_end_matches('#') {
            "https://json-schema.org/draft/2020-12/schema" => {}
            "http://json-schema.org/draft-07/schema" | "https://json-schema.org/draft-07/schema" => self.draft7 = true,
            _ => self.problem(
                "LG-TYPE-DIALECT",
                "/$schema",
                "this is not a version of JSON Schema that is read",
                "write `https://json-schema.org/draft/2020-12/schema` or `http://json-schema.org/draft-07/schema#`",
            ),
        }
    }

    /// The rule of the schema at a place; each place has one.
    fn schema(&mut self, node: Node<'n>, pointer: &str, depth: usize) -> RuleId {
        if let Some(id) = self.known.get(pointer) {
            return *id;
        }
        let id = self.draft.add(Rule::default());
        self.known.insert(pointer.to_owned(), id);
        if self.draft.is_full() || depth > POINTER_DEPTH_MAX {
            if self.draft.problems.last().is_none_or(|p| p.code != "LG-TYPE-SIZE") {
                let message = format!("a type has at most {RULES_MAX} schemas, {POINTER_DEPTH_MAX} within each other");
                self.problem("LG-TYPE-SIZE", pointer, message, SPLIT);
            }
            return id;
        }
        let rule = match node.kind() {
            Kind::Boolean => Rule { never: node.as_bool() == Some(false), ..Rule::default() },
            Kind::Object => self.rule(id, node, pointer, depth),
            _ => {
                self.problem(
                    "LG-TYPE-VALUE",
                    pointer,
                    format!("a schema is an object, `true` or `false`, this is {}", noun(node)),
                    "write `{}` for any value",
                );
                Rule::default()
            }
        };
        self.draft.set(id, rule);
        id
    }

    fn rule(&mut self, id: RuleId, node: Node<'n>, pointer: &str, depth: usize) -> Rule {
        let mut rule = Rule::default();
        let alone = self.draft7 && node.get("$ref").kind() == Kind::String;
        for (key, value) in node.entries() {
            let at = child(pointer, key);
            match key {
                "$ref" => self.reference(id, value, &at),
                // Parts that others refer to are read beside a `$ref` too.
                "$defs" | "definitions" => drop(self.named(value, &at, depth)),
                _ if alone => {}
                "$anchor" | "$dynamicAnchor" => self.anchor(id, value, &at),
                "$id" => self.identifier(id, value, pointer, &at),
                _ if LATER.contains(&key) => {
                    let help = "say it with `additionalProperties`, `items` or `$ref`";
                    self.problem("LG-TYPE-LATER", &at, format!("`{key}` is not supported yet"), help);
                }
                _ => self.keyword(&mut rule, node, key, value, &at, depth),
            }
        }
        if let Some(condition) = node.get("if").some() {
            let condition = self.schema(condition, &child(pointer, "if"), depth + 1);
            let mut part = |key: &str| {
                let part = node.get(key).some()?;
                Some(self.schema(part, &child(pointer, key), depth + 1))
            };
            rule.branch = Some(Branch { condition, then: part("then"), otherwise: part("else") });
        }
        rule
    }

    fn keyword(&mut self, rule: &mut Rule, node: Node<'n>, key: &str, value: Node<'n>, at: &str, depth: usize) {
        let inner = depth + 1;
        match key {
            "type" => rule.types = self.types(value, at),
            "enum" => {
                if !self.is(value, Kind::Array, at) {
                    return;
                }
                rule.allowed.push(self.draft.constants(value.items()));
            }
            "const" => rule.allowed.push(self.draft.constants([value])),
            "allOf" => rule.all = self.list(value, at, inner),
            "anyOf" => rule.any = self.list(value, at, inner),
            "oneOf" => rule.one = self.list(value, at, inner),
            "not" => rule.not = Some(self.schema(value, at, inner)),
            "minimum" => rule.number.minimum = self.number(value, at),
            "maximum" => rule.number.maximum = self.number(value, at),
            "exclusiveMinimum" => rule.number.above = self.number(value, at),
            "exclusiveMaximum" => rule.number.below = self.number(value, at),
            "multipleOf" => rule.number.multiple = self.divisor(value, at),
            "minLength" => rule.text.length.min = self.count(value, at).unwrap_or(0),
            "maxLength" => rule.text.length.max = self.count(value, at),
            "pattern" => {
                let text = self.text(value, at);
                rule.text.pattern = text.and_then(|text| self.pattern(text, at));
            }
            "minItems" => rule.array.count.min = self.count(value, at).unwrap_or(0),
            "maxItems" => rule.array.count.max = self.count(value, at),
            "uniqueItems" => rule.array.unique = self.is(value, Kind::Boolean, at) && value.as_bool() == Some(true),
            "prefixItems" => rule.array.prefix = self.list(value, at, inner),
            "items" if value.kind() == Kind::Array => rule.array.prefix = self.list(value, at, inner),
            "items" => rule.array.items = Some(self.schema(value, at, inner)),
            "additionalItems" if node.get("items").kind() == Kind::Array => {
                rule.array.items = Some(self.schema(value, at, inner));
            }
            "contains" => {
                let count = |key, reader: &mut Self| match node.get(key).some() {
                    Some(count) => reader.count(count, &sibling(at, key)),
                    None => None,
                };
                let (min, max) = (count("minContains", self).unwrap_or(1), count("maxContains", self));
                rule.array.contains = Some((self.schema(value, at, inner), Count { min, max }));
            }
            "minProperties" => rule.object.count.min = self.count(value, at).unwrap_or(0),
            "maxProperties" => rule.object.count.max = self.count(value, at),
            "required" => rule.object.required = self.texts(value, at),
            "properties" => rule.object.fields = self.named(value, at, depth).into_iter().collect(),
            "patternProperties" => {
                for (name, id) in self.named(value, at, depth) {
                    if let Some(pattern) = self.pattern(&name, &child(at, &name)) {
                        rule.object.patterns.push((pattern, id));
                    }
                }
            }
            "additionalProperties" => rule.object.additional = Some(self.schema(value, at, inner)),
            "propertyNames" => rule.object.names = Some(self.schema(value, at, inner)),
            "dependentRequired" | "dependentSchemas" | "dependencies" => self.dependent(rule, value, at, inner),
            // Words that are no rules, and the standard's annotations.
            _ => {}
        }
    }

    fn dependent(&mut self, rule: &mut Rule, value: Node<'n>, at: &str, depth: usize) {
        if !self.is(value, Kind::Object, at) {
            return;
        }
        for (name, value) in value.entries() {
            let at = child(at, name);
            match value.kind() {
                Kind::Array => {
                    let with = self.texts(value, &at);
                    rule.object.with.push((name.to_owned(), with));
                }
                _ => {
                    let id = self.schema(value, &at, depth);
                    rule.dependent.push((name.to_owned(), id));
                }
            }
        }
    }

    // --- parts

    /// Is a value of this kind? Else that is a problem.
    fn is(&mut self, value: Node<'_>, kind: Kind, at: &str) -> bool {
        if value.kind() == kind {
            return true;
        }
        let wanted = Types::of(kind);
        let message = format!("`{}` takes {wanted}, this is {}", last(at), noun(value));
        self.problem("LG-TYPE-VALUE", at, message, "the JSON Schema standard says what each word takes");
        false
    }

    fn list(&mut self, value: Node<'n>, at: &str, depth: usize) -> Vec<RuleId> {
        if !self.is(value, Kind::Array, at) {
            return Vec::new();
        }
        (0..).zip(value.items()).map(|(i, item)| self.schema(item, &format!("{at}/{i}"), depth)).collect()
    }

    fn named(&mut self, value: Node<'n>, at: &str, depth: usize) -> Vec<(String, RuleId)> {
        if !self.is(value, Kind::Object, at) {
            return Vec::new();
        }
        value.entries().map(|(name, part)| (name.to_owned(), self.schema(part, &child(at, name), depth + 1))).collect()
    }

    fn types(&mut self, value: Node<'_>, at: &str) -> Types {
        let names: Vec<(String, Node<'_>)> = match value.kind() {
            Kind::Array => (0..).zip(value.items()).map(|(i, item)| (format!("{at}/{i}"), item)).collect(),
            _ => vec![(at.to_owned(), value)],
        };
        let mut types = Types::NONE;
        for (at, name) in names {
            match name.as_str().map(|name| (name, Types::named(name))) {
                Some((_, Some(named))) => types = types.or(named),
                Some((name, None)) => {
                    let help = "types are `object`, `array`, `string`, `number`, `integer`, `boolean`, `null`";
                    self.problem("LG-TYPE-VALUE", &at, format!("there is no type `{}`", shown(name)), help);
                }
                None => drop(self.is(name, Kind::String, &at)),
            }
        }
        types
    }

    fn number(&mut self, value: Node<'_>, at: &str) -> Option<String> {
        self.is(value, Kind::Number, at).then(|| value.lexeme().unwrap_or_default().into_owned())
    }

    fn divisor(&mut self, value: Node<'_>, at: &str) -> Option<String> {
        let number = self.number(value, at)?;
        if !decimal::divides(&number) {
            let message = format!("`multipleOf` takes a number above 0 of at most {DIVISOR_DIGITS_MAX} digits");
            self.problem("LG-TYPE-VALUE", at, message, "write the smallest step, such as 0.01");
            return None;
        }
        Some(number)
    }

    fn count(&mut self, value: Node<'_>, at: &str) -> Option<u64> {
        let count = value.as_i64().and_then(|count| u64::try_from(count).ok());
        if count.is_none() {
            let message = format!("`{}` takes a whole number from 0 up", last(at));
            self.problem("LG-TYPE-VALUE", at, message, "write it without a sign and a fraction");
        }
        count
    }

    fn text<'v>(&mut self, value: Node<'v>, at: &str) -> Option<&'v str> {
        self.is(value, Kind::String, at);
        value.as_str()
    }

    fn texts(&mut self, value: Node<'_>, at: &str) -> Vec<String> {
        // Draft 3 had `required: true` in the field itself, and people write it still.
        if last(at) == "required" && value.kind() == Kind::Boolean {
            let help = "`required` stands in the object and lists the names of its fields: `required: [name]`";
            self.problem("LG-TYPE-VALUE", at, "`required` takes an array, this is a boolean", help);
            return Vec::new();
        }
        if !self.is(value, Kind::Array, at) {
            return Vec::new();
        }
        let texts = (0..).zip(value.items()).map(|(i, item)| self.text(item, &format!("{at}/{i}")).map(str::to_owned));
        texts.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn pattern(&mut self, source: &str, at: &str) -> Option<Pattern> {
        // The empty expression matches everything, which the language of mappings has no way to write.
        match self.draft.pattern(if source.is_empty() { "(?:)" } else { source }) {
            Ok(pattern) => return Some(pattern),
            Err(NoPattern::TooMany) => {
                let message = format!("a type has at most {PATTERNS_MAX} regular expressions");
                self.problem("LG-TYPE-SIZE", at, message, SPLIT);
            }
            Err(NoPattern::Wrong(wrong)) => {
                let help = "regular expressions are those of JavaScript without looking around and back-references";
                self.problem("LG-TYPE-PATTERN", at, wrong.to_string(), help);
            }
        }
        None
    }
}

/// The pointer of a member.
fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn sibling(pointer: &str, key: &str) -> String {
    child(pointer.rsplit_once('/').map_or("", |(parent, _)| parent), key)
}

fn last(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

/// A name from a file, short enough for a message.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

fn noun(node: Node<'_>) -> String {
    Types::of(node.kind()).to_string()
}

impl<'a> Node<'a> {
    /// The value, if there is one.
    fn some(self) -> Option<Node<'a>> {
        (!self.is_undefined()).then_some(self)
    }
}
