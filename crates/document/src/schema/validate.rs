//! Values against a schema: which of its rules do not hold, and where.
//!
//! Numbers are compared by their digits, texts measured in characters (JSON Schema Validation §6.3.1)
//! and matched in linear time. Work is charged against `cost_max` and nothing goes deeper than
//! `depth_max`, whatever a type that holds itself would allow.
//!
//! A violation names what the type says and where, never a value: its pointer is made of the
//! document's keys and is as private as the document.

use std::{collections::HashMap, fmt, hash::BuildHasherDefault};

use lockgate_model::Limits;

use super::{
    RuleId, Schema, Types, decimal,
    rule::{ArrayRule, Branch, Count, DecimalForm, DecimalRule, NumberRule, ObjectRule, Rule, TextRule},
};
use crate::{
    equality,
    fault::Fault,
    meter::Meter,
    node::{Kind, Node},
    number::Number,
};

/// Violations that are told; more are not looked for.
pub const VIOLATIONS_MAX: usize = 100;
/// Units for holding one value to one rule.
const RULE_UNITS: u64 = 40;
/// Rules within rules, whatever the limits say: below what a thread's stack takes.
const NEST_MAX: u32 = 512;

/// Something that a type says and that does not hold of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The value: a JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// The stable code, as docs/errors.md lists it.
    pub code: &'static str,
    /// What the type says, in lower case.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at `{}`)", self.code, self.message, self.pointer)
    }
}

impl Schema {
    /// What of this type does not hold of a value; nothing: the value is of the type.
    pub fn validate(&self, value: Node<'_>, limits: &Limits) -> Vec<Violation> {
        self.validate_by(&[self.root()], value, limits)
    }

    /// The same for rules of the schema that hold together.
    pub fn validate_by(&self, rules: &[RuleId], value: Node<'_>, limits: &Limits) -> Vec<Violation> {
        let mut validator = Validator {
            schema: self,
            depth_max: limits.depth_max,
            meter: Meter::new(limits.cost_max),
            path: Vec::new(),
            found: Vec::new(),
            silent: 0,
            nested: 0,
        };
        for rule in rules {
            match validator.holds(*rule, value) {
                Ok(_) => {}
                Err(Stop::Full) => break,
                Err(Stop::Work) => {
                    validator.tell("LG-VALUE-WORK", "holding it to its type is more work than `cost_max`".to_owned());
                    break;
                }
                Err(Stop::Depth) => {
                    validator.tell("LG-VALUE-DEPTH", "it nests deeper than `depth_max`".to_owned());
                    break;
                }
            }
        }
        validator.found
    }
}

/// Why validation ended early.
enum Stop {
    /// Enough was found.
    Full,
    Work,
    Depth,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        match fault {
            Fault::DepthExceeded => Stop::Depth,
            _ => Stop::Work,
        }
    }
}

/// A step from a value to one in it.
#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
}

struct Validator<'s, 'v> {
    schema: &'s Schema,
    depth_max: u32,
    meter: Meter,
    path: Vec<Step<'v>>,
    found: Vec<Violation>,
    /// Inside of what may or may not hold: nothing is told.
    silent: u32,
    nested: u32,
}

impl<'s, 'v> Validator<'s, 'v> {
    /// Does a rule hold, with all that it refers to?
    fn holds(&mut self, id: RuleId, value: Node<'v>) -> Result<bool, Stop> {
        self.nested += 1;
        if self.nested > NEST_MAX || self.path.len() > self.depth_max as usize {
            self.silent = 0;
            return Err(Stop::Depth);
        }
        let schema = self.schema;
        let (mut open, mut seen) = (vec![id], Vec::new());
        let mut holds = true;
        while let Some(id) = open.pop() {
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            self.meter.charge(RULE_UNITS)?;
            let rule = schema.rule(id);
            holds &= self.rule(rule, value)?;
            if !holds && self.silent > 0 {
                break;
            }
            open.extend(rule.reference.iter().chain(&rule.all));
        }
        self.nested -= 1;
        Ok(holds)
    }

    /// The same where it may or may not hold.
    fn tried(&mut self, id: RuleId, value: Node<'v>) -> Result<bool, Stop> {
        self.silent += 1;
        let holds = self.holds(id, value)?;
        self.silent -= 1;
        Ok(holds)
    }

    fn at(&mut self, step: Step<'v>, id: RuleId, value: Node<'v>) -> Result<bool, Stop> {
        self.path.push(step);
        let holds = self.holds(id, value)?;
        self.path.pop();
        Ok(holds)
    }

    fn wrong(&mut self, code: &'static str, message: impl FnOnce() -> String) -> Result<bool, Stop> {
        if self.silent == 0 {
            self.tell(code, message());
            if self.found.len() >= VIOLATIONS_MAX {
                return Err(Stop::Full);
            }
        }
        Ok(false)
    }

    fn tell(&mut self, code: &'static str, message: String) {
        let mut pointer = String::new();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Key(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        self.found.push(Violation { pointer, code, message });
    }

    /// What a rule says by itself.
    fn rule(&mut self, rule: &'s Rule, value: Node<'v>) -> Result<bool, Stop> {
        if rule.never {
            return self.wrong("LG-VALUE-FIELD", || "the type allows no value here".to_owned());
        }
        if !rule.types.has(Types::ALL) && !rule.types.meets(types_of(value)) {
            return self.wrong("LG-VALUE-KIND", || format!("the type says {}", rule.types));
        }
        let mut holds = self.allowed(rule, value)?;
        holds &= match value.kind() {
            Kind::Number => self.number(&rule.number, value)?,
            Kind::String => self.text(&rule.text, value)?,
            Kind::Array => self.array(&rule.array, value)?,
            Kind::Object => self.object(&rule.object, value)?,
            _ => true,
        };
        if holds || self.silent == 0 {
            holds &= self.choices(rule, value)?;
        }
        Ok(holds)
    }

    fn allowed(&mut self, rule: &'s Rule, value: Node<'v>) -> Result<bool, Stop> {
        let mut holds = true;
        for range in &rule.allowed {
            let mut is_one = false;
            for constant in range.clone() {
                is_one = equality::same(self.schema.constant(constant), value, self.depth_max, &mut self.meter)?;
                if is_one {
                    break;
                }
            }
            if !is_one {
                holds &= self.wrong("LG-VALUE-ENUM", || match range.len() {
                    1 => "the type says another value".to_owned(),
                    count => format!("the type names {count} values, and this is none of them"),
                })?;
            }
        }
        Ok(holds)
    }

    fn number(&mut self, rule: &'s NumberRule, value: Node<'v>) -> Result<bool, Stop> {
        let Some(number) = value.as_number() else { return Ok(true) };
        let mut holds = self.bounds(rule, number)?;
        if let Some(multiple) = &rule.multiple {
            let lexeme = value.lexeme().unwrap_or_default();
            self.meter.charge_bytes(lexeme.len())?;
            if !decimal::is_multiple(&lexeme, multiple) {
                holds &= self.wrong("LG-VALUE-RANGE", || format!("the type says a multiple of {multiple}"))?;
            }
        }
        Ok(holds)
    }

    fn bounds(&mut self, rule: &'s NumberRule, number: Number<'_>) -> Result<bool, Stop> {
        let order = |bound: &Option<String>| bound.as_ref().map(|bound| number.order(Number::Lexeme(bound)));
        let mut holds = true;
        let bounds = [
            (&rule.minimum, "at least", order(&rule.minimum).is_none_or(|order| order.is_ge())),
            (&rule.maximum, "at most", order(&rule.maximum).is_none_or(|order| order.is_le())),
            (&rule.above, "more than", order(&rule.above).is_none_or(|order| order.is_gt())),
            (&rule.below, "less than", order(&rule.below).is_none_or(|order| order.is_lt())),
        ];
        for (bound, words, kept) in bounds {
            if !kept {
                let bound = bound.as_deref().unwrap_or_default();
                holds &= self.wrong("LG-VALUE-RANGE", || format!("the type says {words} {bound}"))?;
            }
        }
        Ok(holds)
    }

    fn count(&mut self, rule: &Count, count: u64, of: &str) -> Result<bool, Stop> {
        if count < rule.min {
            return self.wrong("LG-VALUE-LENGTH", || format!("the type says at least {} {of}", rule.min));
        }
        if let Some(max) = rule.max.filter(|max| count > *max) {
            return self.wrong("LG-VALUE-LENGTH", || format!("the type says at most {max} {of}"));
        }
        Ok(true)
    }

    fn text(&mut self, rule: &'s TextRule, value: Node<'v>) -> Result<bool, Stop> {
        let text = value.as_str().unwrap_or_default();
        let mut holds = true;
        if rule.length.min > 0 || rule.length.max.is_some() {
            self.meter.charge_bytes(text.len())?;
            holds &= self.count(&rule.length, text.chars().count() as u64, "characters")?;
        }
        if let Some(decimal) = &rule.decimal {
            holds &= self.text_of_number(decimal, text)?;
        }
        if let Some(pattern) = &rule.pattern {
            self.meter.charge(text.len() as u64)?;
            if !pattern.contains(text) {
                holds &= self.wrong("LG-VALUE-PATTERN", || "it does not match the type's pattern".to_owned())?;
            }
        }
        Ok(holds)
    }

    fn text_of_number(&mut self, rule: &'s DecimalRule, text: &str) -> Result<bool, Stop> {
        self.meter.charge_bytes(text.len())?;
        if !decimal::is_text_of_number(text, rule.form != DecimalForm::Plain) {
            if rule.form == DecimalForm::Told {
                return Ok(true);
            }
            return self.wrong("LG-VALUE-PATTERN", || "the type says the text of a number".to_owned());
        }
        // Of what is no number nothing more is asked.
        let Some(lexeme) = Some(text.trim_start_matches('+')).filter(|text| !text.ends_with(['F', 'N'])) else {
            return Ok(true);
        };
        let mut holds = self.bounds(&rule.bounds, Number::Lexeme(lexeme))?;
        let (total, fraction) = decimal::digits(lexeme);
        for (digits, max, what) in
            [(total, rule.total_digits, "digits"), (fraction, rule.fraction_digits, "digits of a fraction")]
        {
            if let Some(max) = max.filter(|max| digits > *max) {
                holds &= self.wrong("LG-VALUE-RANGE", || format!("the type says at most {max} {what}"))?;
            }
        }
        Ok(holds)
    }

    fn array(&mut self, rule: &'s ArrayRule, value: Node<'v>) -> Result<bool, Stop> {
        let mut holds = self.count(&rule.count, value.len() as u64, "items")?;
        if rule.items.is_some() || !rule.prefix.is_empty() {
            for (place, item) in value.items().enumerate() {
                let Some(id) = rule.prefix.get(place).copied().or(rule.items) else { break };
                holds &= self.at(Step::Index(place), id, item)?;
                if !holds && self.silent > 0 {
                    return Ok(false);
                }
            }
        }
        if let Some((id, wanted)) = &rule.contains {
            let mut count = 0;
            for (place, item) in value.items().enumerate() {
                self.path.push(Step::Index(place));
                count += u64::from(self.tried(*id, item)?);
                self.path.pop();
            }
            if count < wanted.min || wanted.max.is_some_and(|max| count > max) {
                holds &= self.wrong("LG-VALUE-CHOICE", || match wanted.max {
                    Some(max) => format!("the type says {} to {max} items of a kind", wanted.min),
                    None => format!("the type says at least {} item of a kind", wanted.min),
                })?;
            }
        }
        if rule.unique && !self.are_unique(value)? {
            holds &= self.wrong("LG-VALUE-UNIQUE", || "the type says that no two items are the same".to_owned())?;
        }
        Ok(holds)
    }

    fn are_unique(&mut self, value: Node<'v>) -> Result<bool, Stop> {
        // The meter counts what colliding items cost, so that a fixed hash does no harm.
        let state = BuildHasherDefault::<std::hash::DefaultHasher>::default();
        let mut known: HashMap<u64, Vec<Node<'v>>> = HashMap::new();
        for item in value.items() {
            let same_hash = known.entry(equality::hash(item, &state, &mut self.meter)?).or_default();
            for other in same_hash.iter() {
                if equality::same(*other, item, self.depth_max, &mut self.meter)? {
                    return Ok(false);
                }
            }
            same_hash.push(item);
        }
        Ok(true)
    }

    fn object(&mut self, rule: &'s ObjectRule, value: Node<'v>) -> Result<bool, Stop> {
        let mut holds = self.count(&rule.count, value.len() as u64, "fields")?;
        for name in &rule.required {
            self.meter.charge(1)?;
            if value.get(name).is_undefined() {
                holds &= self.wrong("LG-VALUE-REQUIRED", || format!("the type requires `{name}`"))?;
            }
        }
        for (name, others) in &rule.with {
            if value.get(name).is_undefined() {
                continue;
            }
            for other in others.iter().filter(|other| value.get(other).is_undefined()) {
                holds &= self.wrong("LG-VALUE-REQUIRED", || format!("the type requires `{other}` beside `{name}`"))?;
            }
        }
        let each = rule.additional.is_some() || !rule.fields.is_empty() || !rule.patterns.is_empty();
        if !each && rule.names.is_none() {
            return Ok(holds);
        }
        for (key, field) in value.entries() {
            if !holds && self.silent > 0 {
                return Ok(false);
            }
            holds &= self.field(rule, key, field)?;
        }
        Ok(holds)
    }

    fn field(&mut self, rule: &'s ObjectRule, key: &'v str, field: Node<'v>) -> Result<bool, Stop> {
        self.meter.charge(1 + key.len() as u64 / 8)?;
        let (mut holds, mut named) = (true, false);
        if let Some(id) = rule.fields.get(key) {
            named = true;
            holds &= self.at(Step::Key(key), *id, field)?;
        }
        for (pattern, id) in &rule.patterns {
            self.meter.charge(1 + key.len() as u64)?;
            if pattern.contains(key) {
                named = true;
                holds &= self.at(Step::Key(key), *id, field)?;
            }
        }
        if let Some(id) = rule.additional.filter(|_| !named) {
            holds &= match self.schema.rule(id).never {
                true => {
                    self.path.push(Step::Key(key));
                    let told = self.wrong("LG-VALUE-FIELD", || "the type has no such field".to_owned())?;
                    self.path.pop();
                    told
                }
                false => self.at(Step::Key(key), id, field)?,
            };
        }
        if let Some(id) = rule.names {
            let name = crate::document::Document::text(key);
            if !self.schema.is_name(id, &name, self.depth_max, &mut self.meter)? {
                holds &=
                    self.wrong("LG-VALUE-FIELD", || "the name of a field is not one that the type allows".to_owned())?;
            }
        }
        Ok(holds)
    }

    /// `anyOf`, `oneOf`, `not`, `if` and what depends on a field.
    fn choices(&mut self, rule: &'s Rule, value: Node<'v>) -> Result<bool, Stop> {
        let mut holds = true;
        if !rule.any.is_empty() {
            holds &= self.any(&rule.any, value)?;
        }
        if !rule.one.is_empty() {
            holds &= self.one(&rule.one, value)?;
        }
        if let Some(id) = rule.not
            && self.tried(id, value)?
        {
            holds &= self.wrong("LG-VALUE-CHOICE", || "it is what the type excludes by `not`".to_owned())?;
        }
        if let Some(Branch { condition, then, otherwise }) = &rule.branch {
            let next = if self.tried(*condition, value)? { then } else { otherwise };
            if let Some(id) = next {
                holds &= self.holds(*id, value)?;
            }
        }
        for (name, id) in &rule.dependent {
            if !value.get(name).is_undefined() {
                holds &= self.holds(*id, value)?;
            }
        }
        Ok(holds)
    }

    fn any(&mut self, rules: &'s [RuleId], value: Node<'v>) -> Result<bool, Stop> {
        for id in rules {
            if self.tried(*id, value)? {
                return Ok(true);
            }
        }
        self.none_holds(rules, value)
    }

    fn one(&mut self, rules: &'s [RuleId], value: Node<'v>) -> Result<bool, Stop> {
        let mut count = 0;
        for id in rules {
            count += usize::from(self.tried(*id, value)?);
            if count > 1 {
                return self.wrong("LG-VALUE-CHOICE", || "it fits several of what the type takes one of".to_owned());
            }
        }
        if count == 1 { Ok(true) } else { self.none_holds(rules, value) }
    }

    /// Where one alternative alone is of the value's kind, what is wrong by it is told.
    fn none_holds(&mut self, rules: &'s [RuleId], value: Node<'v>) -> Result<bool, Stop> {
        if self.silent > 0 {
            return Ok(false);
        }
        let schema = self.schema;
        let kind = types_of(value);
        let of_kind = |id: &&RuleId| {
            let alternatives = schema.alternatives(&[**id]);
            alternatives.is_none_or(|all| all.iter().any(|one| one.types(schema).meets(kind)))
        };
        let mut fitting = rules.iter().filter(of_kind);
        match (fitting.next(), fitting.next()) {
            (Some(id), None) if !value.kind().is_scalar() => self.holds(*id, value),
            _ => self.wrong("LG-VALUE-CHOICE", || "it fits none of the alternatives of the type".to_owned()),
        }
    }
}

impl Schema {
    /// Is a field's name one that a rule allows?
    fn is_name(
        &self,
        id: RuleId,
        name: &crate::document::Document,
        depth_max: u32,
        meter: &mut Meter,
    ) -> Result<bool, Stop> {
        let mut validator = Validator {
            schema: self,
            depth_max,
            meter: *meter,
            path: Vec::new(),
            found: Vec::new(),
            silent: 1,
            nested: 0,
        };
        let holds = validator.holds(id, name.root());
        *meter = validator.meter;
        holds
    }
}

impl Kind {
    fn is_scalar(self) -> bool {
        !matches!(self, Kind::Array | Kind::Object)
    }
}

fn types_of(value: Node<'_>) -> Types {
    match value.kind() {
        Kind::Number if value.lexeme().is_some_and(|lexeme| decimal::is_whole(&lexeme)) => Types::INTEGER,
        Kind::Number => Types::FRACTION,
        kind => Types::of(kind),
    }
}
