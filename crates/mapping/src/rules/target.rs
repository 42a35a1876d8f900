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
    /// Fields in order, each with where it was first named; a name stands twice where rules clash.
    fields: Vec<(String, Span, Draft)>,
    /// Where each stands among them.
    places: BTreeMap<String, usize>,
    /// The entry, once a rule goes through or ends at `[]`.
    entry: Option<Box<Draft>>,
    rule: Option<(Rule, Span)>,
    /// Where the place was first named.
    named: Option<Span>,
    /// Rules that have no place of their own here, for a problem that is recorded.
    aside: Vec<Draft>,
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

    /// Puts a rule to the place at `parts` and acts there. Where another rule is there already it stands
    /// beside it, so that what else is wrong with it can be found.
    pub(super) fn put(
        &mut self,
        parts: &[Placed],
        rule: Rule,
        span: Span,
        act: impl FnOnce(&mut Draft),
    ) -> Result<(), Diagnostic> {
        if !self.at(parts, span, |place| place.rule.is_some()) {
            self.at(parts, span, |place| {
                place.rule = Some((rule, span));
                act(place);
            });
            return Ok(());
        }
        let mut twin = Draft { rule: Some((rule, span)), named: Some(span), ..Draft::default() };
        act(&mut twin);
        match parts.split_last() {
            Some(((Part::Field(name), at), above)) => {
                self.at(above, span, |place| place.fields.push((name.clone(), *at, twin)));
            }
            _ => self.aside.push(twin),
        }
        Err(Diagnostic::new("LG-MAP-TWICE", span, "another rule sets this place already")
            .help("keep one of them; one value or another is chosen with `? :` in its `from`"))
    }

    /// Acts on a place of its own for what has none here.
    pub(super) fn aside(&mut self, act: impl FnOnce(&mut Draft)) {
        let mut draft = Draft::default();
        act(&mut draft);
        self.aside.push(draft);
    }

    /// What is built here: one, or several where rules do not fit together, which is told. What has no
    /// place in it goes to `aside`.
    pub(super) fn build(self, problems: &mut Vec<Diagnostic>, aside: &mut Vec<Target>) -> Vec<Target> {
        let named = self.named.unwrap_or_default();
        for draft in self.aside {
            let targets = draft.build(problems, aside);
            aside.extend(targets);
        }
        let mut built = Vec::new();
        let is_object = !self.fields.is_empty();
        match (self.rule, self.entry) {
            (Some((Rule::Array { site, each, when, default }, span)), entry) => {
                if is_object {
                    problems.push(clash(span, "an array", "the fields of an object"));
                }
                // An entry that no rule says more about is the item itself.
                let entry = entry.filter(|entry| !entry.is_free());
                built.push(array(site, each, when, default, entry, problems));
            }
            (Some((Rule::Value(rule), span)), entry) => {
                if is_object || entry.is_some() {
                    problems.push(clash(span, "a value", "something below it"));
                }
                built.push(Target::Value(Box::new(rule)));
                built.extend(entry.map(|entry| unlisted(named, entry, problems)));
            }
            (None, Some(entry)) => {
                let message = "no rule says which items become the entries of this array";
                let problem = Diagnostic::new("LG-MAP-EACH", named, message);
                problems.push(problem.help("add a rule that ends in `[]` and has `each`"));
                built.push(unlisted(named, entry, problems));
            }
            (None, None) => {}
        }
        if is_object || built.is_empty() {
            let mut fields = Vec::new();
            for (name, at, draft) in self.fields {
                let targets = draft.build(problems, aside);
                fields.extend(targets.into_iter().map(|target| Field { name: name.clone(), at, target }));
            }
            built.push(Target::Object(fields));
        }
        built
    }

    /// No rule says anything about this place.
    fn is_free(&self) -> bool {
        self.rule.is_none() && self.entry.is_none() && self.fields.is_empty() && self.aside.is_empty()
    }
}

fn array(
    site: Site,
    each: Formula,
    when: Option<Formula>,
    default: Option<Formula>,
    entry: Option<Box<Draft>>,
    problems: &mut Vec<Diagnostic>,
) -> Target {
    let mut aside = Vec::new();
    let mut entries = entry.map(|entry| entry.build(problems, &mut aside)).unwrap_or_default().into_iter();
    let entry = entries.next();
    aside.extend(entries);
    Target::Array(Box::new(ArrayRule { site, each, when, default, entry, aside }))
}

/// The array of entries of which no rule says what items they are made of.
fn unlisted(named: Span, entry: Box<Draft>, problems: &mut Vec<Diagnostic>) -> Target {
    let site = Site { span: named, to: "[]".to_owned() };
    array(site, Formula::unread(named), None, None, Some(entry), problems)
}

fn clash(span: Span, one: &str, other: &str) -> Diagnostic {
    Diagnostic::new("LG-MAP-CLASH", span, format!("this rule sets {one} where other rules set {other}"))
        .help("give one of them another `to`")
}
