//! Values against a schema: which of its rules do not hold, and where.
//!
//! Numbers are compared by their digits, texts measured in characters (JSON Schema Validation §6.3.1)
//! and matched in linear time. Work is charged against `cost_max` and nothing goes deeper than
//! `depth_max`, whatever a type that holds itself would allow.
//!
//! A violation names what the type says and where, never a value: its pointer is made of the
//! document's keys and is as private as the document.

mod choices;
mod scalars;

use std::{collections::HashMap, fmt, hash::BuildHasherDefault};

use lockgate_model::Limits;

use super::{
    RuleId, Schema, Types, decimal,
    rule::{ArrayRule, ObjectRule, Rule},
};
use crate::{
    equality,
    fault::Fault,
    meter::Meter,
    node::{Kind, Node},
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
        self.held(rules, value, limits).0
    }

    /// The same for a whole value, with the work that it took in units.
    pub(crate) fn validate_counted(&self, value: Node<'_>, limits: &Limits) -> (Vec<Violation>, u64) {
        self.held(&[self.root()], value, limits)
    }

    fn held(&self, rules: &[RuleId], value: Node<'_>, limits: &Limits) -> (Vec<Violation>, u64) {
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
        (validator.found, validator.meter.charged())
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

fn types_of(value: Node<'_>) -> Types {
    match value.kind() {
        Kind::Number if value.lexeme().is_some_and(|lexeme| decimal::is_whole(&lexeme)) => Types::INTEGER,
        Kind::Number => Types::FRACTION,
        kind => Types::of(kind),
    }
}
