//! Which elements are always arrays in values, as the reader of XML is told.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Alternative, Field, RuleId, Schema, Types};

/// Places of a type whose paths are told; those of one that holds itself have no end.
const PLACES_MAX: usize = 20_000;

impl Schema {
    /// The elements that are always an array: by their name where every element of that name is, else
    /// by their path from the root, with `/` between the names. Of a type that holds itself paths end
    /// where it does so; names do not.
    pub fn arrays(&self) -> Vec<String> {
        let mut always: BTreeMap<&str, bool> = BTreeMap::new();
        let mut seen: BTreeSet<Alternative> = BTreeSet::new();
        let mut open = vec![vec![self.root()]];
        while let Some(rules) = open.pop() {
            for alternative in self.alternatives(&rules).unwrap_or_default() {
                if !seen.insert(alternative.clone()) {
                    continue;
                }
                open.extend(alternative.items(self).unwrap_or_default());
                for (name, rules, is_array) in self.children(&alternative) {
                    *always.entry(name).or_insert(is_array) &= is_array;
                    open.push(rules);
                }
            }
        }
        let mut told: BTreeSet<String> = BTreeSet::new();
        let mut open = vec![(String::new(), vec![self.root()], Vec::<Alternative>::new())];
        let mut places = 0;
        while let Some((path, rules, around)) = open.pop() {
            for alternative in self.alternatives(&rules).unwrap_or_default() {
                places += 1;
                if places > PLACES_MAX || around.contains(&alternative) {
                    continue;
                }
                let inside: Vec<Alternative> = around.iter().cloned().chain([alternative.clone()]).collect();
                for rules in alternative.items(self).unwrap_or_default() {
                    open.push((path.clone(), rules, inside.clone()));
                }
                for (name, rules, is_array) in self.children(&alternative) {
                    let inner = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                    match always.get(name) {
                        Some(true) => drop(told.insert(name.to_owned())),
                        _ if is_array => drop(told.insert(inner.clone())),
                        _ => {}
                    }
                    open.push((inner, rules, inside.clone()));
                }
            }
        }
        told.extend(always.into_iter().filter(|(_, is_array)| *is_array).map(|(name, _)| name.to_owned()));
        told.into_iter().collect()
    }

    /// Child elements of an element, each with its rules and whether they say array.
    fn children(&self, alternative: &Alternative) -> Vec<(&str, Vec<RuleId>, bool)> {
        let child = |name| match alternative.field(self, name) {
            Field::Declared(rules) => {
                let kinds = self.alternatives(&rules).unwrap_or_default();
                let is_array = !kinds.is_empty() && kinds.iter().all(|kind| kind.types(self) == Types::ARRAY);
                Some((name, rules, is_array))
            }
            _ => None,
        };
        alternative.names(self).into_iter().filter(|name| !name.starts_with(['@', '#'])).filter_map(child).collect()
    }
}
