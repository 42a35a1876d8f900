//! Rules put together to the tree of what they build; two at one place are refused.

use std::collections::BTreeMap;

use lockgate_model::diagnostic::{Diagnostic, Span};

use super::{
    ArrayRule, Field, Formula, Site, Target, ValueRule,
    to::{Part, Placed},
};

/// A place of the target while rules are gathered.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Fields in order, each with where it was first named.
    fields: Vec<(String, Span, Draft)>,
    /// Where each stands among them.
    places: BTreeMap<String, usize>,
    /// The entry, once a rule goes through or ends at `[]`.
    entry: Option<Box<Draft>>,
    rule: Option<(Rule, Span)>,
    /// Where the place was first named.
    named: Option<Span>,
    /// A rule ends here that cannot be read; the problem is recorded.
    pub(super) broken: bool,
}

/// What a rule puts at the place where its `to` ends.
#[derive(Debug)]
pub(super) enum Rule {
    Value(ValueRule),
    Array { site: Site, each: Formula, when: Option<Formula>, default: Option<Formula> },
}

impl Draft {
    /// Acts on the place at `parts`, which is made when it is not there.
    pub(super) fn at<T>(&mut self, parts: &[Placed], span: Span, act: impl FnOnce(&mut Draft) -> T) -> T {
        self.named.get_or_insert(span);
        match parts.split_first() {
            None => act(self),
            Some(((Part::Entry, _), rest)) => self.entry.get_or_insert_default().at(rest, span, act),
            Some(((Part::Field(name), at), rest)) => {
                if let Some((.., draft)) = self.places.get(name).and_then(|place| self.fields.get_mut(*place)) {
                    return draft.at(rest, span, act);
                }
                let mut draft = Draft::default();
                let value = draft.at(rest, span, act);
                self.places.insert(name.clone(), self.fields.len());
                self.fields.push((name.clone(), *at, draft));
                value
            }
        }
    }

    /// Puts a rule here, if there is none.
    pub(super) fn put(&mut self, rule: Rule, span: Span) -> Result<(), Diagnostic> {
        if self.rule.is_some() {
            return Err(Diagnostic::new("LG-MAP-TWICE", span, "another rule sets this place already")
                .help("keep one of them; one value or another is chosen with `? :` in its `from`"));
        }
        self.rule = Some((rule, span));
        Ok(())
    }

    /// The tree, or what does not fit together.
    pub(super) fn build(self, problems: &mut Vec<Diagnostic>) -> Option<Target> {
        let named = self.named.unwrap_or_default();
        let below = self.entry.is_some() || !self.fields.is_empty();
        match self.rule {
            Some((Rule::Array { site, each, when, default }, span)) => {
                if !self.fields.is_empty() {
                    problems.push(clash(span, "an array", "the fields of an object"));
                }
                // An entry that no rule says more about is the item itself.
                let entry = self.entry.filter(|entry| !entry.is_free()).and_then(|entry| entry.build(problems));
                Some(Target::Array(Box::new(ArrayRule { site, each, when, default, entry })))
            }
            Some((Rule::Value(rule), span)) => {
                if below {
                    problems.push(clash(span, "a value", "something below it"));
                }
                Some(Target::Value(Box::new(rule)))
            }
            None => {
                if self.entry.is_some() && self.broken {
                    return self.entry.and_then(|entry| entry.build(problems));
                }
                if self.entry.is_some() {
                    problems.push(
                        Diagnostic::new(
                            "LG-MAP-EACH",
                            named,
                            "no rule says which items become the entries of this array",
                        )
                        .help("add a rule that ends in `[]` and has `each`"),
                    );
                    return None;
                }
                let mut fields = Vec::new();
                for (name, at, draft) in self.fields {
                    if let Some(target) = draft.build(problems) {
                        fields.push(Field { name, at, target });
                    }
                }
                Some(Target::Object(fields))
            }
        }
    }

    /// No rule says anything about this place.
    fn is_free(&self) -> bool {
        self.rule.is_none() && self.entry.is_none() && self.fields.is_empty()
    }
}

fn clash(span: Span, one: &str, other: &str) -> Diagnostic {
    Diagnostic::new("LG-MAP-CLASH", span, format!("this rule sets {one} where other rules set {other}"))
        .help("give one of them another `to`")
}
