//! A schema while it is read, whatever language it is written in.

use std::{collections::BTreeMap, ops::Range};

use lockgate_model::Limits;

use super::{Markup, PATTERNS_MAX, RULES_MAX, RuleId, Schema, SchemaPlace, SchemaProblem, rule::Rule};
use crate::{
    builder::Builder,
    node::Node,
    pattern::{Pattern, PatternError},
};

/// What to do about a type that is too large.
pub(super) const SPLIT: &str = "split the type, or take out what the mappings do not need";

/// Rules, and the values that they name.
pub(super) struct Draft {
    rules: Vec<Rule>,
    patterns: BTreeMap<String, Pattern>,
    constants: Builder,
    constants_count: u32,
    /// The constants do not fit.
    too_large: bool,
    pub(super) problems: Vec<SchemaProblem>,
    /// How objects of these rules stand in XML.
    pub(super) markup: BTreeMap<RuleId, Markup>,
}

/// Why there is no regular expression.
pub(super) enum NoPattern {
    Wrong(PatternError),
    TooMany,
}

impl Default for Draft {
    fn default() -> Self {
        let mut constants = Builder::new(&Limits::default());
        let too_large = constants.begin_array().is_err();
        Draft {
            rules: Vec::new(),
            patterns: BTreeMap::new(),
            constants,
            constants_count: 0,
            too_large,
            problems: Vec::new(),
            markup: BTreeMap::new(),
        }
    }
}

impl Draft {
    /// A rule and its id. Past [`RULES_MAX`] there is none more, which [`Draft::is_full`] tells.
    pub(super) fn add(&mut self, rule: Rule) -> RuleId {
        let id = RuleId(u32::try_from(self.rules.len()).unwrap_or(u32::MAX));
        if !self.is_full() {
            self.rules.push(rule);
        }
        id
    }

    pub(super) fn set(&mut self, id: RuleId, rule: Rule) {
        if let Some(place) = self.rules.get_mut(id.0 as usize) {
            *place = rule;
        }
    }

    pub(super) fn refer(&mut self, from: RuleId, to: RuleId) {
        if let Some(rule) = self.rules.get_mut(from.0 as usize) {
            rule.reference = Some(to);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.rules.len() > RULES_MAX
    }

    /// Keeps values that a rule names.
    pub(super) fn constants<'v>(&mut self, values: impl IntoIterator<Item = Node<'v>>) -> Range<u32> {
        let start = self.constants_count;
        for value in values {
            self.too_large |= self.constants.value(value).is_err();
            self.constants_count += 1;
        }
        start..self.constants_count
    }

    /// Keeps texts that a rule names.
    pub(super) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Range<u32> {
        let start = self.constants_count;
        for text in texts {
            self.too_large |= self.constants.text(text).is_err();
            self.constants_count += 1;
        }
        start..self.constants_count
    }

    /// A regular expression in the language of mappings, each compiled once.
    pub(super) fn pattern(&mut self, source: &str) -> Result<Pattern, NoPattern> {
        if let Some(pattern) = self.patterns.get(source) {
            return Ok(pattern.clone());
        }
        if self.patterns.len() >= PATTERNS_MAX {
            return Err(NoPattern::TooMany);
        }
        let pattern = Pattern::parse(source, "").map_err(NoPattern::Wrong)?;
        self.patterns.insert(source.to_owned(), pattern.clone());
        Ok(pattern)
    }

    /// The schema, or what is wrong with it; `place` tells where a rule stands.
    pub(super) fn finish(
        mut self,
        root: RuleId,
        place: impl Fn(RuleId) -> SchemaPlace,
    ) -> Result<Schema, Vec<SchemaProblem>> {
        let problem = |code, place, message: &str, help: &str| SchemaProblem {
            code,
            place,
            message: message.to_owned(),
            help: help.to_owned(),
        };
        for id in self.looping() {
            let help = "a type may hold itself in a field or an item, not be itself";
            let message = "this leads back to itself at the same value";
            self.problems.push(problem("LG-TYPE-LOOP", place(id), message, help));
        }
        let size = |message| vec![problem("LG-TYPE-SIZE", place(root), message, SPLIT)];
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        if self.is_full() {
            return Err(size(&format!("a type has at most {RULES_MAX} parts")));
        }
        match (self.too_large, self.constants.end(), self.constants.finish()) {
            (false, Ok(()), Ok(constants)) => {
                Ok(Schema { rules: self.rules, constants, patterns: self.patterns.len(), markup: self.markup, root })
            }
            _ => Err(size("the values that it names are too large")),
        }
    }

    /// Rules that lead back to themselves at the same value: nobody could answer them.
    fn looping(&self) -> Vec<RuleId> {
        #[derive(Clone, Copy)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.rules.len()];
        let mut looping = Vec::new();
        for start in 0..self.rules.len() {
            let mut open: Vec<(usize, Vec<RuleId>)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(at) = next.take()
                    && let Some(mark) = marks.get_mut(at)
                {
                    match mark {
                        Mark::New => {
                            *mark = Mark::Open;
                            let inner = self.rules.get(at).map(|rule| rule.at_the_same_value().collect());
                            open.push((at, inner.unwrap_or_default()));
                        }
                        Mark::Open => looping.push(RuleId(u32::try_from(at).unwrap_or(u32::MAX))),
                        Mark::Done => {}
                    }
                }
                let Some((at, inner)) = open.last_mut() else { break };
                match inner.pop() {
                    Some(id) => next = Some(id.0 as usize),
                    None => {
                        if let Some(mark) = marks.get_mut(*at) {
                            *mark = Mark::Done;
                        }
                        open.pop();
                    }
                }
            }
        }
        looping.sort_unstable();
        looping.dedup();
        looping
    }
}
