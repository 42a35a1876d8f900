//! Whether a value of a shape is of the target's type: surely, perhaps, or surely not.

use std::collections::BTreeSet;

use lockgate_document::schema::{Alternative, Field, RuleId, Schema, Types};
use lockgate_model::Span;

use super::shape::{Fields, Items, Many, Member, Part, Shape, Source};
use crate::nearest;

/// Comparisons of a part with an alternative, in a whole mapping; past them nothing is said.
const WORK_MAX: usize = 50_000;
/// How deep values are compared; what lies deeper is not looked at.
const DEPTH_MAX: usize = 32;

/// How well a value fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// No value of the shape is of the type.
    Never,
    /// Some may be.
    Perhaps,
    /// All are.
    Always,
}

/// Why a value does not fit.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    pub(super) code: &'static str,
    /// Fields that lead to the place below the value.
    pub(super) path: Vec<String>,
    /// What is wrong there.
    pub(super) what: What,
    /// Its place in the expression, where it has one of its own.
    pub(super) at: Option<Span>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// Another kind of value: what the type says, and what comes.
    Kind(Types, Types),
    /// Several values where the type says that there is one: what it says, and what each of them is.
    Several(Types, Types),
    /// None of the texts that the type names: what comes, and what it names.
    Text(String, Vec<String>),
    /// A field that the type does not have, and what it may be called.
    Field(String, Option<String>),
    /// A field that the type asks for.
    Required(String),
}

/// Shapes against the target's type.
pub(super) struct Judge<'s> {
    source: Source<'s>,
    target: &'s Schema,
    /// What is being compared further out: types that hold themselves fit as long as all else does.
    open: BTreeSet<(Alternative, Alternative)>,
    work: usize,
}

impl<'s> Judge<'s> {
    pub(super) fn new(source: Source<'s>, target: &'s Schema) -> Self {
        Judge { source, target, open: BTreeSet::new(), work: 0 }
    }

    /// How a value of this shape fits where these rules hold, and why not. No value at all fits.
    pub(super) fn shape(&mut self, shape: &Shape, rules: &[RuleId]) -> (Fit, Option<Reason>) {
        self.at(shape, rules, 0)
    }

    fn at(&mut self, shape: &Shape, rules: &[RuleId], depth: usize) -> (Fit, Option<Reason>) {
        if rules.is_empty() {
            return (Fit::Always, None);
        }
        let Some(alternatives) = self.target.alternatives(rules) else { return (Fit::Perhaps, None) };
        if alternatives.iter().any(|one| one.is_anything(self.target)) {
            return (Fit::Always, None);
        }
        let Some(parts) = &shape.parts else { return (Fit::Perhaps, None) };
        if depth > DEPTH_MAX {
            return (Fit::Perhaps, None);
        }
        let (mut worst, mut best, mut reason) = (Fit::Always, Fit::Never, None);
        for part in parts {
            let (fit, why) = self.part(part, &alternatives, depth);
            worst = worst.min(fit);
            best = best.max(fit);
            reason = reason.or(why);
        }
        let wanted = self.kinds(&alternatives);
        match (worst, best) {
            (Fit::Never, Fit::Never) if !parts.is_empty() => (Fit::Never, reason),
            _ if shape.many == Many::Each && shape.has_array() && !wanted.has(Types::ARRAY) => {
                let single = parts.iter().map(Part::types).filter(|of| *of != Types::ARRAY);
                let what = What::Several(wanted, single.fold(Types::NONE, Types::or));
                (Fit::Never, Some(Reason { code: "LG-MAP-ARRAY", path: Vec::new(), what, at: None }))
            }
            (Fit::Always, _) => (Fit::Always, None),
            _ => (Fit::Perhaps, None),
        }
    }

    fn part(&mut self, part: &Part, alternatives: &[Alternative], depth: usize) -> (Fit, Option<Reason>) {
        let allowed = self.kinds(alternatives);
        if !allowed.meets(part.types()) {
            let what = What::Kind(allowed, part.types());
            let code = match (part.types() == Types::ARRAY, allowed == Types::ARRAY) {
                (true, _) | (_, true) => "LG-MAP-ARRAY",
                _ => "LG-MAP-KIND",
            };
            return (Fit::Never, Some(Reason { code, path: Vec::new(), what, at: None }));
        }
        let (mut best, mut reason) = (Fit::Never, None);
        for alternative in alternatives {
            if !alternative.types(self.target).meets(part.types()) {
                continue;
            }
            let (fit, why) = self.alternative(part, alternative, depth);
            best = best.max(fit);
            reason = reason.or(why);
        }
        (best, reason.filter(|_| best == Fit::Never))
    }

    /// The kinds that the type says.
    fn kinds(&self, alternatives: &[Alternative]) -> Types {
        alternatives.iter().map(|one| one.types(self.target)).fold(Types::NONE, Types::or)
    }

    fn alternative(&mut self, part: &Part, alternative: &Alternative, depth: usize) -> (Fit, Option<Reason>) {
        self.work += 1;
        if self.work > WORK_MAX {
            return (Fit::Perhaps, None);
        }
        let types = alternative.types(self.target);
        let (fit, reason) = match part {
            Part::Null => (Fit::Always, None),
            Part::Boolean => (self.unless_named(alternative), None),
            Part::Number { .. } if types.has(part.types()) => (self.unless_named(alternative), None),
            Part::Number { .. } => (Fit::Perhaps, None),
            Part::Text(texts) => self.texts(texts.as_ref(), alternative),
            Part::Array(items) => self.items(items, alternative, depth),
            Part::Object(Fields::Any) => (Fit::Perhaps, None),
            Part::Object(Fields::Of(members)) => self.members(members, alternative, depth),
            Part::Object(Fields::Typed(of)) => self.object(of, alternative, depth),
        };
        let plain = part.types() == Types::NULL || alternative.is_plain(self.target);
        (if plain { fit } else { fit.min(Fit::Perhaps) }, reason)
    }

    /// Of values that the type names one by one it cannot be told.
    fn unless_named(&self, alternative: &Alternative) -> Fit {
        if alternative.allowed(self.target).is_some() { Fit::Perhaps } else { Fit::Always }
    }

    fn texts(&self, texts: Option<&BTreeSet<String>>, alternative: &Alternative) -> (Fit, Option<Reason>) {
        let Some(allowed) = alternative.allowed(self.target) else { return (Fit::Always, None) };
        let Some(texts) = texts else { return (Fit::Perhaps, None) };
        let allowed: Vec<String> = allowed.iter().filter_map(|one| one.as_str()).map(str::to_owned).collect();
        let taken = texts.iter().filter(|text| allowed.contains(text)).count();
        match texts.first() {
            _ if taken == texts.len() => (Fit::Always, None),
            Some(first) if taken == 0 => {
                let what = What::Text(first.clone(), allowed);
                (Fit::Never, Some(Reason { code: "LG-MAP-CONSTANT", path: Vec::new(), what, at: None }))
            }
            _ => (Fit::Perhaps, None),
        }
    }

    fn items(&mut self, items: &Items, alternative: &Alternative, depth: usize) -> (Fit, Option<Reason>) {
        let fit = self.unless_named(alternative);
        let Some(choices) = alternative.items(self.target) else { return (Fit::Perhaps, None) };
        let item = self.source.item(items);
        match choices.as_slice() {
            [rules] => {
                let (inner, reason) = self.at(&item, rules, depth + 1);
                (fit.min(inner), reason)
            }
            _ => (Fit::Perhaps, None),
        }
    }

    /// An object that an expression writes.
    fn members(&mut self, members: &[Member], alternative: &Alternative, depth: usize) -> (Fit, Option<Reason>) {
        let mut fit = self.unless_named(alternative);
        for member in members {
            let (inner, reason) = match alternative.field(self.target, &member.name) {
                Field::Declared(rules) | Field::Open(rules) => self.at(&member.value, &rules, depth + 1),
                Field::Undeclared | Field::Refused => {
                    let near = nearest(&member.name, alternative.names(self.target)).map(str::to_owned);
                    let what = What::Field(member.name.clone(), near);
                    let at = Some(member.at);
                    return (Fit::Never, Some(Reason { code: "LG-MAP-TARGET", path: Vec::new(), what, at }));
                }
            };
            if inner == Fit::Never {
                return (Fit::Never, reason.map(|reason| below(reason, &member.name)));
            }
            fit = fit.min(inner);
        }
        for name in alternative.required(self.target) {
            match members.iter().find(|member| member.name == name) {
                Some(member) if member.value.is_nothing() => return required(name),
                Some(member) if member.value.undefined => fit = fit.min(Fit::Perhaps),
                Some(_) => {}
                None => return required(name),
            }
        }
        (fit, None)
    }

    /// An object of the source's type.
    fn object(&mut self, of: &Alternative, alternative: &Alternative, depth: usize) -> (Fit, Option<Reason>) {
        let Some(schema) = self.source.schema else { return (Fit::Perhaps, None) };
        let pair = (of.clone(), alternative.clone());
        if !self.open.insert(pair.clone()) {
            return (Fit::Always, None);
        }
        let judged = self.declared(schema, of, alternative, depth);
        self.open.remove(&pair);
        judged
    }

    fn declared(
        &mut self,
        schema: &Schema,
        of: &Alternative,
        alternative: &Alternative,
        depth: usize,
    ) -> (Fit, Option<Reason>) {
        let mut fit = self.unless_named(alternative);
        let needed = of.required(schema);
        for name in of.names(schema) {
            let rules = match (of.field(schema, name), alternative.field(self.target, name)) {
                (Field::Declared(_), Field::Declared(rules) | Field::Open(rules)) => rules,
                (Field::Declared(_), Field::Refused) if needed.contains(name) => {
                    let what = What::Field(name.to_owned(), None);
                    return (Fit::Never, Some(Reason { code: "LG-MAP-TARGET", path: Vec::new(), what, at: None }));
                }
                (Field::Declared(_), Field::Refused) => {
                    fit = fit.min(Fit::Perhaps);
                    continue;
                }
                // What the target's type does not name goes along.
                _ => continue,
            };
            let Field::Declared(own) = of.field(schema, name) else { continue };
            let (inner, reason) = self.at(&self.source.typed(&own), &rules, depth + 1);
            match inner {
                // A field that may be left out does no harm where it is.
                Fit::Never if needed.contains(name) => {
                    return (Fit::Never, reason.map(|reason| below(reason, name)));
                }
                Fit::Never => fit = fit.min(Fit::Perhaps),
                inner => fit = fit.min(inner),
            }
        }
        if of.is_open(schema) {
            fit = fit.min(Fit::Perhaps);
        }
        for name in alternative.required(self.target) {
            match of.field(schema, name) {
                Field::Declared(_) | Field::Open(_) if needed.contains(name) => {}
                Field::Declared(_) | Field::Open(_) => fit = fit.min(Fit::Perhaps),
                Field::Undeclared | Field::Refused => return required(name),
            }
        }
        (fit, None)
    }
}

fn below(mut reason: Reason, name: &str) -> Reason {
    reason.path.insert(0, name.to_owned());
    reason
}

fn required(name: &str) -> (Fit, Option<Reason>) {
    let what = What::Required(name.to_owned());
    (Fit::Never, Some(Reason { code: "LG-MAP-REQUIRED", path: Vec::new(), what, at: None }))
}
