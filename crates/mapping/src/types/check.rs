//! What a mapping builds against the target's type, place by place.

use std::collections::BTreeMap;

use lockgate_document::schema::{Alternative, Field, RuleId, Schema, Types, Violation};
use lockgate_model::{Diagnostic, Limits, Span};

use super::{
    Absent, Built, Literal, Misfit, Type,
    fit::{Fit, Judge, Reason, What},
    help::{self, Role, step},
    shape::{Shape, Source},
};
use crate::{
    MapFile, nearest,
    rules::{Formula, From, ValueRule},
};

/// Names that a message lists.
const LISTED_MAX: usize = 8;
/// Places looked at; past them nothing is said.
const WORK_MAX: usize = 20_000;
/// Work that a literal is worth; one that needs more is taken.
const LITERAL_COST_MAX: u64 = 100_000;
/// A mismatch of kinds weighs more than anything below it: of several alternatives the one of the
/// right kind tells what is wrong.
const OTHER_KIND: usize = 1_000;

/// What came of a place.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) problems: Vec<Diagnostic>,
    pub(super) proven: bool,
    weight: usize,
}

impl Outcome {
    fn fine(proven: bool) -> Outcome {
        Outcome { proven, ..Outcome::default() }
    }
    fn wrong(problem: Diagnostic, weight: usize) -> Outcome {
        Outcome { problems: vec![problem], proven: false, weight }
    }
    fn add(&mut self, other: Outcome) {
        self.problems.extend(other.problems);
        self.proven &= other.proven;
        self.weight += other.weight;
    }
}

/// `complete`: no rule is without a place.
pub(super) fn check(map: &MapFile, built: &Built<'_>, complete: bool, source: Source<'_>, target: Type<'_>) -> Outcome {
    let at = map.target_type.as_ref().map(|(_, at)| *at).unwrap_or_default();
    let judge = Judge::new(source, target.schema);
    let mut checker = Checker { schema: target.schema, name: target.name, judge, work: 0 };
    checker.place(built, &[target.schema.root()], &Place::root(at, complete))
}

/// A place of the target and where the mapping names it.
struct Place {
    path: String,
    /// The path as a rule's `to`.
    to: String,
    at: Span,
    /// All rules around it could be placed: what none of them sets is set nowhere.
    complete: bool,
    /// Rules clash here, which is told.
    clash: bool,
}

impl Place {
    fn root(at: Span, complete: bool) -> Place {
        Place { path: String::new(), to: String::new(), at, complete, clash: false }
    }
    fn entry(&self, at: Span, complete: bool) -> Place {
        Place { path: format!("{}[]", self.path), to: format!("{}[]", self.to), at, complete, clash: false }
    }
    /// The same place, named elsewhere.
    fn named(&self, at: Span) -> Place {
        Place { path: self.path.clone(), to: self.to.clone(), at, ..*self }
    }
    fn field(&self, name: &str, at: Span) -> Place {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{name}", self.path);
        Place { path, to: format!("{}{dot}{}", self.to, step(name)), at, complete: self.complete, clash: false }
    }
    /// How messages call it.
    fn called(&self) -> String {
        if self.path.is_empty() { "the target".to_owned() } else { format!("`{}`", self.path) }
    }
}

/// What gives a value, and where it stands.
pub(super) struct Written<'f> {
    at: Span,
    /// None: reference data.
    pub(super) formula: Option<&'f Formula>,
    pub(super) role: Role<'f>,
}

impl<'f> Written<'f> {
    fn of(formula: &'f Formula, role: Role<'f>) -> Written<'f> {
        Written { at: whole(formula), formula: Some(formula), role }
    }
}

/// Whether a rule surely puts a value.
#[derive(Clone, Copy)]
enum Presence<'m> {
    Always,
    Perhaps,
    When(&'m Formula),
}

struct Checker<'s> {
    schema: &'s Schema,
    name: &'s str,
    judge: Judge<'s>,
    work: usize,
}

impl<'s> Checker<'s> {
    fn place(&mut self, built: &Built<'_>, rules: &[RuleId], place: &Place) -> Outcome {
        self.work += 1;
        if self.work > WORK_MAX {
            return Outcome::fine(false);
        }
        if let Built::Value { rule, from, default, literals } = built {
            let outcome = self.literals(literals, rule, rules, place);
            return match outcome.problems.is_empty() {
                true => self.value(rule, from, default.as_ref(), rules, place),
                false => outcome,
            };
        }
        if rules.is_empty() {
            return Outcome::fine(true);
        }
        let Some(alternatives) = self.schema.alternatives(rules) else { return Outcome::fine(false) };
        let mut best: Option<Outcome> = None;
        for alternative in &alternatives {
            let outcome = match built {
                Built::Object(fields) => self.object(fields, alternative, place),
                _ => self.array(built, alternative, place),
            };
            let better =
                best.as_ref().is_none_or(|best| (outcome.weight, !outcome.proven) < (best.weight, !best.proven));
            if better {
                best = Some(outcome);
            }
        }
        best.unwrap_or_else(|| {
            let message = format!("the type `{}` takes no value for {}", self.name, place.called());
            Outcome::wrong(problem("LG-MAP-TARGET", place.at, message, "remove the rule"), OTHER_KIND)
        })
    }

    fn object(
        &mut self,
        fields: &[(&crate::rules::Field, Built<'_>)],
        alternative: &Alternative,
        place: &Place,
    ) -> Outcome {
        let types = alternative.types(self.schema);
        if !types.has(Types::OBJECT) {
            return self.other_kind(types, Types::OBJECT, place, "rules below it make an object");
        }
        let mut outcome =
            Outcome::fine(alternative.is_plain(self.schema) && alternative.allowed(self.schema).is_none());
        // Required fields that stand there misspelt: one mistake is one problem.
        let mut meant: Vec<&str> = Vec::new();
        let mut named: BTreeMap<&str, usize> = BTreeMap::new();
        for (field, _) in fields {
            *named.entry(&field.name).or_default() += 1;
        }
        for (field, built) in fields {
            let mut inner = place.field(&field.name, field.at);
            inner.clash = named.get(field.name.as_str()).is_some_and(|times| *times > 1);
            match alternative.field(self.schema, &field.name) {
                Field::Declared(rules) | Field::Open(rules) => outcome.add(self.place(built, &rules, &inner)),
                Field::Undeclared | Field::Refused => {
                    let names = alternative.names(self.schema);
                    let help = match nearest(&field.name, names.iter().copied()) {
                        Some(near) => {
                            meant.push(near);
                            format!("did you mean `{near}`?")
                        }
                        None => listed(names.iter().copied()),
                    };
                    let message = format!("the type `{}` has no `{}`", self.name, inner.path);
                    outcome.add(Outcome::wrong(problem("LG-MAP-TARGET", field.at, message, help), 1));
                }
            }
        }
        for name in alternative.required(self.schema) {
            let inner = place.field(name, place.at);
            let wanted = &inner.path;
            let Some((_, built)) = fields.iter().find(|(field, _)| field.name == name) else {
                if meant.contains(&name) || !place.complete {
                    continue;
                }
                let message = format!("the type `{}` requires `{wanted}`, and no rule sets it", self.name);
                let is_list = match alternative.field(self.schema, name) {
                    Field::Declared(rules) | Field::Open(rules) => self.is_list(&rules),
                    Field::Undeclared | Field::Refused => false,
                };
                let help = format!("add a rule: {}", help::rule(&inner.to, is_list));
                outcome.add(Outcome::wrong(problem("LG-MAP-REQUIRED", place.at, message, help), 1));
                continue;
            };
            match presence(built) {
                Presence::Always => {}
                Presence::Perhaps => outcome.proven = false,
                Presence::When(when) => {
                    let message =
                        format!("the type `{}` requires `{wanted}`, and this rule sets it only at times", self.name);
                    let help = "leave out `when`, and choose the value in `from`: `condition ? one : other`";
                    outcome.add(Outcome::wrong(problem("LG-MAP-REQUIRED", whole(when), message, help), 1));
                }
            }
        }
        outcome
    }

    fn array(&mut self, built: &Built<'_>, alternative: &Alternative, place: &Place) -> Outcome {
        let Built::Array { rule, item, default, entry } = built else { return Outcome::fine(false) };
        let types = alternative.types(self.schema);
        if !types.has(Types::ARRAY) {
            return self.other_kind(types, Types::ARRAY, &place.named(rule.site.span), "`each` makes an array");
        }
        let mut outcome =
            Outcome::fine(alternative.is_plain(self.schema) && alternative.allowed(self.schema).is_none());
        let choices = alternative.items(self.schema);
        let inner = place.entry(rule.site.span, rule.aside.is_empty());
        match choices.as_deref() {
            Some([rules]) => match entry {
                Some(entry) => outcome.add(self.place(entry, rules, &inner)),
                None => {
                    let judged = self.judge.shape(item, rules);
                    outcome.add(self.judged(judged, &Written::of(&rule.each, Role::Each), &inner));
                }
            },
            _ => outcome.proven = false,
        }
        if let (Some(default), Some(formula)) = (default, &rule.default) {
            let rules = alternative.ids();
            let judged = self.judge.shape(default, rules);
            outcome.add(self.judged(judged, &Written::of(formula, Role::Default), place));
        }
        outcome
    }

    /// Is it an array whatever it is?
    fn is_list(&self, rules: &[RuleId]) -> bool {
        let alternatives = self.schema.alternatives(rules).unwrap_or_default();
        !alternatives.is_empty() && alternatives.iter().all(|one| one.types(self.schema) == Types::ARRAY)
    }

    /// Values that stand in the expressions as they will be: all that the type says is asked of them.
    fn literals(&mut self, literals: &[Literal], rule: &ValueRule, rules: &[RuleId], place: &Place) -> Outcome {
        let mut outcome = Outcome::fine(true);
        let of_default = rule.default.as_ref().map(whole);
        for Literal { at, value, shape } in literals {
            let role = match of_default {
                Some(default) if (default.start..default.end).contains(&at.start) => Role::Default,
                _ => Role::From(&rule.site.to),
            };
            let written = Written { at: *at, formula: None, role };
            let judged = self.judge.shape(shape, rules);
            if judged.0 == Fit::Never {
                outcome.add(self.judged(judged, &written, place));
                continue;
            }
            let limits = Limits { cost_max: LITERAL_COST_MAX, ..Limits::default() };
            let violations = self.schema.validate_by(rules, value.root(), &limits);
            let told = |violation: &&Violation| violation.code != "LG-VALUE-WORK" && violation.code != "LG-VALUE-DEPTH";
            if let Some(violation) = violations.iter().find(told) {
                let message = format!(
                    "{} does not take this value by the type `{}`: {}",
                    place.called(),
                    self.name,
                    violation.message
                );
                let help = "write a value that the type allows, or change the type";
                outcome.add(Outcome::wrong(problem("LG-MAP-CONSTANT", *at, message, help), OTHER_KIND));
            }
        }
        outcome
    }

    fn value(
        &mut self,
        rule: &ValueRule,
        from: &Shape,
        default: Option<&Shape>,
        rules: &[RuleId],
        place: &Place,
    ) -> Outcome {
        let mut outcome = Outcome::fine(true);
        let own = match &rule.from {
            From::Formula(formula) => Written::of(formula, Role::From(&rule.site.to)),
            From::Lookup { table: (_, at), .. } => Written { at: *at, formula: None, role: Role::Lookup },
        };
        let default = default.zip(rule.default.as_ref().map(|formula| Written::of(formula, Role::Default)));
        for (shape, written) in [(from, own)].into_iter().chain(default) {
            let judged = self.judge.shape(shape, rules);
            let single = match judged.0 {
                Fit::Perhaps => self.perhaps_single(shape, rules, &written, place),
                _ => None,
            };
            outcome.add(match single {
                Some(problem) => Outcome::wrong(problem, 1),
                None => self.judged(judged, &written, place),
            });
        }
        outcome
    }

    /// Where the type says array, a value that may come alone.
    fn perhaps_single(
        &self,
        shape: &Shape,
        rules: &[RuleId],
        written: &Written<'_>,
        place: &Place,
    ) -> Option<Diagnostic> {
        let alternatives = self.schema.alternatives(rules)?;
        let allowed = alternatives.iter().map(|one| one.types(self.schema)).fold(Types::NONE, Types::or);
        let comes = shape.types()?;
        let single =
            [Types::BOOLEAN, Types::NUMBER, Types::STRING, Types::OBJECT].into_iter().fold(Types::NONE, Types::or);
        let only_arrays = allowed.has(Types::ARRAY) && !allowed.meets(single);
        (only_arrays && comes.meets(single)).then(|| {
            let message =
                format!("{} is an array by the type `{}`, and this may give a single value", place.called(), self.name);
            problem("LG-MAP-ARRAY", written.at, message, help::array(written, false))
        })
    }

    /// What a verdict on a value of an expression says.
    fn judged(&self, (fit, reason): (Fit, Option<Reason>), written: &Written<'_>, place: &Place) -> Outcome {
        let reason = match (fit, reason) {
            (Fit::Never, Some(reason)) => reason,
            (fit, _) => return Outcome::fine(fit == Fit::Always),
        };
        let at = reason.at.zip(written.formula).map_or(written.at, |(at, formula)| formula.origin.span(at));
        let mut inner = place.named(at);
        for name in &reason.path {
            inner = inner.field(name, at);
        }
        let (name, called) = (self.name, inner.called());
        let (message, help) = match reason.what {
            What::Kind(wanted, comes) => (
                format!("{called} is {wanted} by the type `{name}`, and this gives {comes}"),
                help::kind(wanted, comes, written, !reason.path.is_empty()),
            ),
            What::Several(wanted, comes) => (
                format!("{called} is {wanted} by the type `{name}`, and this may give several values"),
                help::several(wanted, comes, written, !reason.path.is_empty()),
            ),
            What::Text(text, allowed) => {
                let quoted = allowed.iter().take(LISTED_MAX).map(|one| format!("\"{one}\"")).collect::<Vec<_>>();
                let more = if allowed.len() > LISTED_MAX { ", …" } else { "" };
                let message = format!(
                    "{called} is one of {}{more} by the type `{name}`, and this gives \"{text}\"",
                    quoted.join(", ")
                );
                let help = match nearest(&text, allowed.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => "write one of them, or choose between them with `? :`".to_owned(),
                };
                (message, help)
            }
            What::Field(field, near) => {
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "build the object field by field, with a rule for each".to_owned(),
                };
                (format!("the type `{name}` has no `{}`", inner.field(&field, at).path), help)
            }
            What::Required(field) => {
                let wanted = inner.field(&field, at).path;
                let help = "build the object field by field, with a rule for each".to_owned();
                (format!("the type `{name}` requires `{wanted}`, and this gives none"), help)
            }
        };
        Outcome::wrong(problem(reason.code, at, message, help), OTHER_KIND)
    }

    fn other_kind(&self, wanted: Types, comes: Types, place: &Place, why: &str) -> Outcome {
        if place.clash {
            return Outcome::fine(false);
        }
        let code = if wanted.meets(Types::ARRAY) || comes == Types::ARRAY { "LG-MAP-ARRAY" } else { "LG-MAP-KIND" };
        let message = format!("{} is {wanted} by the type `{}`, and {why}", place.called(), self.name);
        let help = help::other_kind(wanted, comes, &place.to);
        Outcome::wrong(problem(code, place.at, message, help), OTHER_KIND)
    }
}

/// A field that the source's type does not have.
pub(super) fn absent(name: &str, absent: &Absent) -> Diagnostic {
    let Absent { name: field, at, missing } = absent;
    let known = || missing.known.iter().map(String::as_str);
    let (message, help) = if missing.known.is_empty() && !missing.objects {
        (format!("{} has no field `{field}`", missing.scalars), "take the value itself".to_owned())
    } else {
        let message = match missing.objects {
            true => format!("the type `{name}` has no `{field}` here"),
            false => format!("this object has no `{field}`"),
        };
        let help = match nearest(field, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => listed(known()),
        };
        (message, help)
    };
    problem("LG-MAP-SOURCE", *at, message, help)
}

/// A value that a function or an operator refuses.
pub(super) fn misfit(misfit: &Misfit) -> Diagnostic {
    let Misfit { of, at, wanted, comes, items } = misfit;
    let message = match items {
        true => format!("each item that `{of}` takes is {wanted}, and this gives {comes}"),
        false => format!("`{of}` takes {wanted}, and this gives {comes}"),
    };
    problem("LG-MAP-KIND", *at, message, help::misfit(*wanted, *comes, *items))
}

fn presence<'m>(built: &Built<'m>) -> Presence<'m> {
    match built {
        Built::Value { rule, from, default, .. } => match &rule.when {
            Some(when) if when.sound => Presence::When(when),
            Some(_) => Presence::Perhaps,
            None if from.undefined && default.as_ref().is_none_or(|default| default.undefined) => Presence::Perhaps,
            None => Presence::Always,
        },
        Built::Array { rule, default, .. } => match &rule.when {
            Some(when) if when.sound => Presence::When(when),
            Some(_) => Presence::Perhaps,
            None if default.as_ref().is_some_and(|default| default.undefined) => Presence::Perhaps,
            None => Presence::Always,
        },
        // An object is there when something is put into it.
        Built::Object(fields) => match fields.iter().any(|(_, inner)| matches!(presence(inner), Presence::Always)) {
            true => Presence::Always,
            false => Presence::Perhaps,
        },
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str> + Clone) -> String {
    let shown: Vec<String> = names.clone().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = if names.count() > LISTED_MAX { ", …" } else { "" };
    if shown.is_empty() { "it has no fields".to_owned() } else { format!("its fields are {}{more}", shown.join(", ")) }
}

/// All of an expression.
fn whole(formula: &Formula) -> Span {
    let text = formula.expression.text();
    let start = text.len() - text.trim_start().len();
    formula.origin.span(Span::new(start, text.trim_end().len().max(start)))
}

fn problem(code: &str, at: Span, message: String, help: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, at, message).help(help)
}
