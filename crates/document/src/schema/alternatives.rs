//! What a schema says of a value that is not there yet.
//!
//! Rules are put together as far as that can be done without a value: references are followed,
//! `allOf` joins, and each of `anyOf`, `oneOf`, `then` and `else` makes alternatives. `not` says
//! nothing here, so an alternative may allow more than the schema does, and never less.

use std::collections::BTreeSet;

use super::{RuleId, Schema, Types, rule::Rule};
use crate::node::Node;

/// Alternatives that are told apart; past them nothing is known.
const ALTERNATIVES_MAX: usize = 32;
/// Steps of finding them; past them nothing is known.
const STEPS_MAX: usize = 4_096;
/// Items of a tuple that are told apart.
const TUPLE_MAX: usize = 16;

/// Rules that hold together of one value. Those of an [`Alternative`] belong to the schema that gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alternative(Vec<RuleId>);

/// What an alternative says of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// These rules hold of it together.
    Declared(Vec<RuleId>),
    /// The type does not name it and takes it all the same, under these rules.
    Open(Vec<RuleId>),
    /// The type does not name it; an object that declares its fields has no others unless
    /// `additionalProperties` says so.
    Undeclared,
    /// The type says that no such field is there.
    Refused,
}

/// Ways to go on, of which one holds: each is rules that hold together.
type Choice = Vec<Vec<RuleId>>;

/// An alternative while it is put together.
#[derive(Clone, Default)]
struct Draft {
    rules: BTreeSet<RuleId>,
    waiting: Vec<RuleId>,
    choices: Vec<Choice>,
}

impl Schema {
    /// What a value of which all these rules hold may be; none where there are too many ways to tell.
    /// No alternative at all: no value is allowed.
    pub fn alternatives(&self, rules: &[RuleId]) -> Option<Vec<Alternative>> {
        let mut found: Vec<Alternative> = Vec::new();
        let mut steps = 0;
        let mut open = vec![Draft { waiting: rules.to_vec(), ..Draft::default() }];
        while let Some(mut draft) = open.pop() {
            while let Some(id) = draft.waiting.pop() {
                steps += 1;
                if steps > STEPS_MAX {
                    return None;
                }
                if draft.rules.insert(id) {
                    let rule = self.rule(id);
                    draft.waiting.extend(rule.reference.iter().chain(&rule.all));
                    draft.choices.extend(choices(rule));
                }
            }
            if let Some(choice) = draft.choices.pop() {
                open.extend(choice.into_iter().rev().map(|waiting| Draft { waiting, ..draft.clone() }));
            } else {
                let alternative = Alternative(draft.rules.into_iter().collect());
                if !alternative.types(self).is_empty() && !found.contains(&alternative) {
                    found.push(alternative);
                }
            }
            if found.len() + open.len() > ALTERNATIVES_MAX {
                return None;
            }
        }
        Some(found)
    }
}

fn choices(rule: &Rule) -> Vec<Choice> {
    let one_of = |rules: &[RuleId]| rules.iter().map(|id| vec![*id]).collect::<Choice>();
    let mut choices: Vec<Choice> =
        [&rule.any, &rule.one].into_iter().filter(|l| !l.is_empty()).map(|l| one_of(l)).collect();
    if let Some(branch) = &rule.branch {
        let then = [branch.condition].into_iter().chain(branch.then).collect();
        choices.push(vec![then, branch.otherwise.into_iter().collect()]);
    }
    choices.extend(rule.dependent.iter().map(|(_, rule)| vec![Vec::new(), vec![*rule]]));
    choices
}

impl Alternative {
    fn rules<'s>(&self, schema: &'s Schema) -> impl Iterator<Item = &'s Rule> + use<'s, '_> {
        self.0.iter().map(|id| schema.rule(*id))
    }

    /// Its rules.
    pub fn ids(&self) -> &[RuleId] {
        &self.0
    }

    /// Kinds of values that it allows. One that declares fields and says no `type` means objects, and
    /// one that declares items arrays, as people mean it who leave `type` out.
    pub fn types(&self, schema: &Schema) -> Types {
        let (mut types, mut never) = (Types::ALL, false);
        for rule in self.rules(schema) {
            never |= rule.never;
            types = types.and(rule.types);
        }
        if never {
            return Types::NONE;
        }
        if types == Types::ALL {
            let items = |rule: &Rule| rule.array.items.is_some() || !rule.array.prefix.is_empty();
            match (self.rules(schema).any(|rule| !rule.object.fields.is_empty()), self.rules(schema).any(items)) {
                (true, false) => types = Types::OBJECT,
                (false, true) => types = Types::ARRAY,
                _ => {}
            }
        }
        if let Some(allowed) = self.allowed(schema) {
            let kinds = allowed.iter().map(|value| Types::of(value.kind())).fold(Types::NONE, Types::or);
            types = types.and(kinds);
        }
        types
    }

    /// The values that are allowed, where it names them.
    pub fn allowed<'s>(&self, schema: &'s Schema) -> Option<Vec<Node<'s>>> {
        let mut named = self.rules(schema).flat_map(|rule| &rule.allowed);
        let values = |range: &std::ops::Range<u32>| range.clone().map(|i| schema.constant(i)).collect::<Vec<_>>();
        let mut allowed = values(named.next()?);
        for range in named {
            let others = values(range);
            allowed.retain(|value| others.contains(value));
        }
        Some(allowed)
    }

    /// What it says of a field of the object.
    pub fn field(&self, schema: &Schema, name: &str) -> Field {
        let (mut declared, mut open) = (Vec::new(), Vec::new());
        let (mut names_fields, mut is_open) = (false, false);
        for rule in self.rules(schema).map(|rule| &rule.object) {
            names_fields |= !rule.fields.is_empty();
            let matching = rule.patterns.iter().filter(|(pattern, _)| pattern.contains(name)).map(|(_, id)| *id);
            let own: Vec<RuleId> = rule.fields.get(name).copied().into_iter().chain(matching).collect();
            match (own.is_empty(), rule.additional) {
                (false, _) => declared.extend(own),
                (true, Some(additional)) if schema.rule(additional).never => return Field::Refused,
                (true, Some(additional)) => {
                    is_open = true;
                    open.push(additional);
                }
                (true, None) => {}
            }
        }
        match (declared.is_empty(), is_open || !names_fields) {
            (false, _) => {
                declared.extend(open);
                Field::Declared(declared)
            }
            (true, true) => Field::Open(open),
            (true, false) => Field::Undeclared,
        }
    }

    /// The fields that it declares by name.
    pub fn names<'s>(&self, schema: &'s Schema) -> BTreeSet<&'s str> {
        self.rules(schema).flat_map(|rule| rule.object.fields.keys().map(String::as_str)).collect()
    }

    /// The fields that must be there.
    pub fn required<'s>(&self, schema: &'s Schema) -> BTreeSet<&'s str> {
        self.rules(schema).flat_map(|rule| rule.object.required.iter().map(String::as_str)).collect()
    }

    /// Is a field of any name taken?
    pub fn is_open(&self, schema: &Schema) -> bool {
        // No name that can be declared: names come from texts, and a pattern that matches it is one for all.
        !matches!(self.field(schema, "\u{0}"), Field::Undeclared | Field::Refused)
    }

    /// What it says of the items of the array: each list of rules holds of some of them; none where
    /// there are too many ways to tell.
    pub fn items(&self, schema: &Schema) -> Option<Vec<Vec<RuleId>>> {
        let longest = self.rules(schema).map(|rule| rule.array.prefix.len()).max().unwrap_or(0);
        if longest > TUPLE_MAX {
            return None;
        }
        let mut found: Vec<Vec<RuleId>> = Vec::new();
        for place in 0..=longest {
            let rules = self.item(schema, place);
            let never = rules.iter().any(|id| schema.rule(*id).never);
            if !never && !found.contains(&rules) {
                found.push(rules);
            }
        }
        Some(found)
    }

    /// The rules that hold of the item at a place.
    pub fn item(&self, schema: &Schema, place: usize) -> Vec<RuleId> {
        let of = |rule: &Rule| rule.array.prefix.get(place).copied().or(rule.array.items);
        self.rules(schema).filter_map(of).collect()
    }

    /// How many items are there at least.
    pub fn items_min(&self, schema: &Schema) -> u64 {
        self.rules(schema).map(|rule| rule.array.count.min).max().unwrap_or(0)
    }

    /// How many items are there at most, where that is said.
    pub fn items_max(&self, schema: &Schema) -> Option<u64> {
        self.rules(schema).filter_map(|rule| rule.array.count.max).min()
    }

    /// Does it allow any value?
    pub fn is_anything(&self, schema: &Schema) -> bool {
        self.rules(schema).all(Rule::is_anything)
    }

    /// Is nothing asked beyond kinds, fields and items, so that what fits these is of the type?
    pub fn is_plain(&self, schema: &Schema) -> bool {
        self.rules(schema).all(Rule::is_plain)
    }
}
