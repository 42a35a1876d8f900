//! Types as JSON Schema (2020-12), for who describes operations to people and programs.
//!
//! What a type says of values stands in it, but for what JSON Schema has no word for: bounds and digits
//! of numbers that are texts. Rules that are used more than once, or lead back to themselves, are `$defs`.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::Limits;

use super::{
    RuleId, Schema, Types,
    rule::{ArrayRule, Count, DecimalForm, DecimalRule, NumberRule, ObjectRule, Rule},
};
use crate::{Builder, Document, Fault};

/// How deep schemas stand within each other; what is deeper is a definition of its own.
const NEST_MAX: usize = 24;
/// Numbers that are texts, as XML Schema writes them.
const WHOLE: &str = "^[+-]?[0-9]+$";
const DECIMAL: &str = "^[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)$";
const FLOAT: &str = "^(?:[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|-?INF|NaN)$";

type Printed = Result<(), Fault>;

impl Schema {
    /// The type as a JSON Schema document.
    pub fn to_json(&self, limits: &Limits) -> Result<Document, Fault> {
        let mut print = Print { schema: self, out: Builder::new(limits), named: self.named_rules() };
        print.out.begin_object()?;
        print.text("$schema", "https://json-schema.org/draft/2020-12/schema")?;
        print.words(self.root())?;
        if !print.named.is_empty() {
            print.out.key("$defs")?;
            print.out.begin_object()?;
            for rule in print.named.clone() {
                print.out.key(&name(rule))?;
                print.out.begin_object()?;
                print.words(rule)?;
                print.out.end()?;
            }
            print.out.end()?;
        }
        print.out.end()?;
        print.out.finish()
    }

    /// Rules that are definitions of their own.
    fn named_rules(&self) -> BTreeSet<RuleId> {
        let mut uses: BTreeMap<RuleId, usize> = BTreeMap::new();
        let mut named = BTreeSet::new();
        let mut open = vec![(self.root(), 0)];
        while let Some((id, depth)) = open.pop() {
            let count = uses.entry(id).or_insert(0);
            *count += 1;
            if *count > 1 {
                if !self.is_short(id) {
                    named.insert(id);
                }
                continue;
            }
            let deep = depth >= NEST_MAX;
            if deep {
                named.insert(id);
            }
            open.extend(inner(self.rule(id)).map(|rule| (rule, if deep { 0 } else { depth + 1 })));
        }
        named
    }

    /// What takes no more room than its name.
    fn is_short(&self, id: RuleId) -> bool {
        let rule = self.rule(id);
        rule.never || (rule.is_anything() && inner(rule).next().is_none())
    }
}

fn name(rule: RuleId) -> String {
    format!("t{}", rule.0)
}

/// Does it say nothing but what another one says?
fn is_reference(rule: &Rule) -> bool {
    rule.is_anything() && rule.at_the_same_value().count() == 1
}

/// All rules that a rule names.
fn inner(rule: &Rule) -> impl Iterator<Item = RuleId> + '_ {
    let object = &rule.object;
    let fields = object.fields.values().chain(object.patterns.iter().map(|(_, rule)| rule)).copied();
    let rest = object.additional.iter().chain(&object.names).copied();
    let items = rule.array.prefix.iter().copied().chain(rule.array.items);
    let contains = rule.array.contains.iter().map(|(rule, _)| *rule);
    rule.at_the_same_value().chain(fields).chain(rest).chain(items).chain(contains)
}

struct Print<'s> {
    schema: &'s Schema,
    out: Builder,
    named: BTreeSet<RuleId>,
}

impl Print<'_> {
    fn text(&mut self, key: &str, text: &str) -> Printed {
        self.out.key(key)?;
        self.out.text(text)
    }
    fn count(&mut self, key: &str, count: u64) -> Printed {
        self.out.key(key)?;
        self.out.number_lexeme(&count.to_string())
    }
    fn counts(&mut self, min: &str, max: &str, count: &Count) -> Printed {
        if count.min > 0 {
            self.count(min, count.min)?;
        }
        count.max.map_or(Ok(()), |count| self.count(max, count))
    }

    /// A schema where one must stand.
    fn schema(&mut self, id: RuleId) -> Printed {
        let schema = self.schema;
        if self.named.contains(&id) {
            self.out.begin_object()?;
            self.text("$ref", &format!("#/$defs/{}", name(id)))?;
            return self.out.end();
        }
        let rule = schema.rule(id);
        if let Some(other) = rule.reference.filter(|_| is_reference(rule)) {
            return self.schema(other);
        }
        if rule.never || schema.is_short(id) {
            return self.out.boolean(!rule.never);
        }
        self.out.begin_object()?;
        self.words(id)?;
        self.out.end()
    }
    fn schema_at(&mut self, key: &str, id: RuleId) -> Printed {
        self.out.key(key)?;
        self.schema(id)
    }
    fn schemas_at(&mut self, key: &str, ids: &[RuleId]) -> Printed {
        if ids.is_empty() {
            return Ok(());
        }
        self.out.key(key)?;
        self.out.begin_array()?;
        for id in ids {
            self.schema(*id)?;
        }
        self.out.end()
    }

    /// The members of a schema.
    fn words(&mut self, id: RuleId) -> Printed {
        let schema = self.schema;
        let rule = schema.rule(id);
        if rule.never {
            self.out.key("not")?;
            self.out.boolean(true)?;
        }
        self.types(rule.types)?;
        if let Some(other) = rule.reference.filter(|other| self.named.contains(other)) {
            self.text("$ref", &format!("#/$defs/{}", name(other)))?;
        }
        self.enumerated(rule)?;
        let mut all = rule.all.clone();
        // A reference that has no name: all that it says.
        all.extend(rule.reference.filter(|other| !self.named.contains(other)));
        self.schemas_at("allOf", &all)?;
        self.schemas_at("anyOf", &rule.any)?;
        self.schemas_at("oneOf", &rule.one)?;
        if let Some(not) = rule.not.filter(|_| !rule.never) {
            self.schema_at("not", not)?;
        }
        if let Some(branch) = &rule.branch {
            self.schema_at("if", branch.condition)?;
            for (key, rule) in [("then", branch.then), ("else", branch.otherwise)] {
                rule.map_or(Ok(()), |rule| self.schema_at(key, rule))?;
            }
        }
        if !rule.dependent.is_empty() {
            self.out.key("dependentSchemas")?;
            self.out.begin_object()?;
            for (key, rule) in &rule.dependent {
                self.schema_at(key, *rule)?;
            }
            self.out.end()?;
        }
        self.number(&rule.number)?;
        self.counts("minLength", "maxLength", &rule.text.length)?;
        match (&rule.text.pattern, &rule.text.decimal) {
            (Some(pattern), _) => self.text("pattern", pattern.source())?,
            (None, Some(decimal)) => self.decimal(decimal)?,
            (None, None) => {}
        }
        self.array(&rule.array)?;
        self.object(id, &rule.object)
    }

    fn types(&mut self, types: Types) -> Printed {
        if types == Types::ALL {
            return Ok(());
        }
        let names = [
            (Types::NULL, "null"),
            (Types::BOOLEAN, "boolean"),
            (Types::NUMBER, "number"),
            (Types::STRING, "string"),
            (Types::ARRAY, "array"),
            (Types::OBJECT, "object"),
        ];
        let mut has: Vec<&str> = names.iter().filter(|(one, _)| types.has(*one)).map(|(_, name)| *name).collect();
        if types.has(Types::INTEGER) && !types.has(Types::FRACTION) {
            has.push("integer");
        }
        self.out.key("type")?;
        if let [only] = has.as_slice() {
            return self.out.text(only);
        }
        self.out.begin_array()?;
        for name in has {
            self.out.text(name)?;
        }
        self.out.end()
    }

    fn enumerated(&mut self, rule: &Rule) -> Printed {
        // Of several lists a value is in each; those of one rule are told as what is in all.
        let Some((first, others)) = rule.allowed.split_first() else { return Ok(()) };
        let schema = self.schema;
        self.out.key("enum")?;
        self.out.begin_array()?;
        for constant in first.clone() {
            let value = schema.constant(constant);
            if others.iter().all(|other| other.clone().any(|other| schema.constant(other) == value)) {
                self.out.value(value)?;
            }
        }
        self.out.end()
    }

    fn number(&mut self, number: &NumberRule) -> Printed {
        let NumberRule { minimum, maximum, above, below, multiple } = number;
        for (key, bound) in [
            ("minimum", minimum),
            ("maximum", maximum),
            ("exclusiveMinimum", above),
            ("exclusiveMaximum", below),
            ("multipleOf", multiple),
        ] {
            if let Some(bound) = bound {
                self.out.key(key)?;
                self.out.number_lexeme(bound)?;
            }
        }
        Ok(())
    }

    fn decimal(&mut self, decimal: &DecimalRule) -> Printed {
        match (decimal.form, decimal.fraction_digits) {
            (DecimalForm::Told, _) => Ok(()),
            (DecimalForm::Float, _) => self.text("pattern", FLOAT),
            (DecimalForm::Plain, Some(0)) => self.text("pattern", WHOLE),
            (DecimalForm::Plain, _) => self.text("pattern", DECIMAL),
        }
    }

    fn array(&mut self, array: &ArrayRule) -> Printed {
        self.counts("minItems", "maxItems", &array.count)?;
        self.schemas_at("prefixItems", &array.prefix)?;
        array.items.map_or(Ok(()), |items| self.schema_at("items", items))?;
        if let Some((rule, count)) = &array.contains {
            self.schema_at("contains", *rule)?;
            if *count != (Count { min: 1, max: None }) {
                self.count("minContains", count.min)?;
                count.max.map_or(Ok(()), |max| self.count("maxContains", max))?;
            }
        }
        if array.unique {
            self.out.key("uniqueItems")?;
            self.out.boolean(true)?;
        }
        Ok(())
    }

    fn object(&mut self, id: RuleId, object: &ObjectRule) -> Printed {
        self.counts("minProperties", "maxProperties", &object.count)?;
        if !object.required.is_empty() {
            self.out.key("required")?;
            self.names(&object.required)?;
        }
        if !object.fields.is_empty() {
            self.out.key("properties")?;
            self.out.begin_object()?;
            let schema = self.schema;
            // In the order of the type, where it has one.
            let ordered = schema.markup.get(&id);
            let first: Vec<&str> = ordered.map_or(Vec::new(), |markup| {
                markup.attributes.iter().chain(&markup.children).map(|field| field.key.as_str()).collect()
            });
            let rest = object.fields.keys().map(String::as_str).filter(|key| !first.contains(key));
            for key in first.iter().copied().chain(rest) {
                if let Some(rule) = object.fields.get(key) {
                    self.schema_at(key, *rule)?;
                }
            }
            self.out.end()?;
        }
        if !object.patterns.is_empty() {
            self.out.key("patternProperties")?;
            self.out.begin_object()?;
            for (pattern, rule) in &object.patterns {
                self.schema_at(pattern.source(), *rule)?;
            }
            self.out.end()?;
        }
        object.additional.map_or(Ok(()), |rule| self.schema_at("additionalProperties", rule))?;
        object.names.map_or(Ok(()), |rule| self.schema_at("propertyNames", rule))?;
        if !object.with.is_empty() {
            self.out.key("dependentRequired")?;
            self.out.begin_object()?;
            for (key, names) in &object.with {
                self.out.key(key)?;
                self.names(names)?;
            }
            self.out.end()?;
        }
        Ok(())
    }

    fn names(&mut self, names: &[String]) -> Printed {
        self.out.begin_array()?;
        for name in names {
            self.out.text(name)?;
        }
        self.out.end()
    }
}
