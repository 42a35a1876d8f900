//! One rule of a schema: all that must hold of a value at the same time.

use std::{collections::BTreeMap, fmt, ops::Range};

use super::RuleId;
use crate::{node::Kind, pattern::Pattern};

/// What a value must be. Each member that is not there says nothing.
#[derive(Debug, Default)]
pub(super) struct Rule {
    /// No value is allowed: the schema `false`.
    pub never: bool,
    /// Kinds of values that are allowed.
    pub types: Types,
    /// `$ref`
    pub reference: Option<RuleId>,
    /// `allOf`
    pub all: Vec<RuleId>,
    /// `anyOf`
    pub any: Vec<RuleId>,
    /// `oneOf`
    pub one: Vec<RuleId>,
    /// `not`
    pub not: Option<RuleId>,
    /// `if` with `then` and `else`
    pub branch: Option<Branch>,
    /// `dependentSchemas`: a field that is there, and what then holds of the object.
    pub dependent: Vec<(String, RuleId)>,
    /// `enum` and `const`: numbers of constants, of which one must be the value.
    pub allowed: Vec<Range<u32>>,
    /// Of numbers.
    pub number: NumberRule,
    /// Of texts.
    pub text: TextRule,
    /// Of arrays.
    pub array: ArrayRule,
    /// Of objects.
    pub object: ObjectRule,
}

/// A rule that depends on another.
#[derive(Debug)]
pub(super) struct Branch {
    pub condition: RuleId,
    pub then: Option<RuleId>,
    pub otherwise: Option<RuleId>,
}

/// Bounds of a number, as JSON texts of numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NumberRule {
    pub minimum: Option<String>,
    pub maximum: Option<String>,
    pub above: Option<String>,
    pub below: Option<String>,
    pub multiple: Option<String>,
}

/// Length in characters, what a text must match, and the number that it is.
#[derive(Debug, Default)]
pub(super) struct TextRule {
    pub length: Count,
    pub pattern: Option<Pattern>,
    pub decimal: Option<Box<DecimalRule>>,
    /// Bytes in base64 (XML Schema's `base64Binary`); nothing is asked of the letters.
    pub is_base64: bool,
}

/// How a number is written in a text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecimalForm {
    /// Digits with perhaps a sign and a point.
    #[default]
    Plain,
    /// With an exponent too, or `INF`, `-INF` or `NaN`.
    Float,
    /// As another rule says.
    Told,
}

/// Of a text that is a number, as XML has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DecimalRule {
    pub form: DecimalForm,
    pub bounds: NumberRule,
    pub total_digits: Option<u64>,
    pub fraction_digits: Option<u64>,
}

/// Of an array.
#[derive(Debug, Default)]
pub(super) struct ArrayRule {
    pub count: Count,
    /// Of the first items, in order.
    pub prefix: Vec<RuleId>,
    /// Of the items behind them.
    pub items: Option<RuleId>,
    /// Of some of the items, and of how many.
    pub contains: Option<(RuleId, Count)>,
    pub unique: bool,
}

/// Of an object.
#[derive(Debug, Default)]
pub(super) struct ObjectRule {
    pub count: Count,
    pub required: Vec<String>,
    pub fields: BTreeMap<String, RuleId>,
    /// Of fields whose name matches.
    pub patterns: Vec<(Pattern, RuleId)>,
    /// Of fields that neither `fields` nor `patterns` name.
    pub additional: Option<RuleId>,
    /// Of the names themselves.
    pub names: Option<RuleId>,
    /// Fields that are there with another.
    pub with: Vec<(String, Vec<String>)>,
}

/// How many at least and at most.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub min: u64,
    pub max: Option<u64>,
}

/// The rule that allows anything.
pub(super) static ANY: Rule = Rule {
    never: false,
    types: Types::ALL,
    reference: None,
    all: Vec::new(),
    any: Vec::new(),
    one: Vec::new(),
    not: None,
    branch: None,
    dependent: Vec::new(),
    allowed: Vec::new(),
    number: NumberRule { minimum: None, maximum: None, above: None, below: None, multiple: None },
    text: TextRule { length: Count { min: 0, max: None }, pattern: None, decimal: None, is_base64: false },
    array: ArrayRule {
        count: Count { min: 0, max: None },
        prefix: Vec::new(),
        items: None,
        contains: None,
        unique: false,
    },
    object: ObjectRule {
        count: Count { min: 0, max: None },
        required: Vec::new(),
        fields: BTreeMap::new(),
        patterns: Vec::new(),
        additional: None,
        names: None,
        with: Vec::new(),
    },
};

impl Rule {
    /// The rules that hold of the same value, directly or perhaps.
    pub fn at_the_same_value(&self) -> impl Iterator<Item = RuleId> + '_ {
        let branch = self.branch.iter().flat_map(|b| [Some(b.condition), b.then, b.otherwise]).flatten();
        let lists = self.all.iter().chain(&self.any).chain(&self.one).copied();
        let dependent = self.dependent.iter().map(|(_, rule)| *rule);
        self.reference.into_iter().chain(lists).chain(self.not).chain(branch).chain(dependent)
    }
}

impl Rule {
    /// Does it say nothing but what kinds, fields, items and other rules say?
    pub fn is_plain(&self) -> bool {
        let Rule { number, text, array, object, .. } = self;
        let NumberRule { minimum, maximum, above, below, multiple } = number;
        let free = |count: &Count| count.min == 0 && count.max.is_none();
        self.not.is_none()
            && self.one.is_empty()
            && self.branch.is_none()
            && self.dependent.is_empty()
            && [minimum, maximum, above, below, multiple].iter().all(|bound| bound.is_none())
            && (free(&text.length) && text.pattern.is_none() && text.decimal.is_none())
            && (free(&array.count) && array.contains.is_none() && !array.unique)
            && (free(&object.count) && object.names.is_none() && object.with.is_empty())
    }
}

impl Rule {
    /// Does it say nothing at all? What other rules say is theirs.
    pub fn is_anything(&self) -> bool {
        let ObjectRule { required, fields, patterns, additional, .. } = &self.object;
        self.is_plain()
            && !self.never
            && self.types == Types::ALL
            && self.allowed.is_empty()
            && (self.array.prefix.is_empty() && self.array.items.is_none())
            && (required.is_empty() && fields.is_empty() && patterns.is_empty() && additional.is_none())
    }
}

/// A set of kinds of values. A whole number is a number too: the set of one that must be whole has
/// `INTEGER` alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Types(u8);

impl Types {
    /// `null`
    pub const NULL: Types = Types(1);
    /// `true` and `false`
    pub const BOOLEAN: Types = Types(2);
    /// Whole numbers.
    pub const INTEGER: Types = Types(4);
    /// Numbers with a fraction.
    pub const FRACTION: Types = Types(8);
    /// All numbers.
    pub const NUMBER: Types = Types(12);
    /// Texts.
    pub const STRING: Types = Types(16);
    /// Arrays.
    pub const ARRAY: Types = Types(32);
    /// Objects.
    pub const OBJECT: Types = Types(64);
    /// No kind at all.
    pub const NONE: Types = Types(0);
    /// Any kind.
    pub const ALL: Types = Types(127);

    /// Kinds of both.
    #[must_use]
    pub fn and(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }
    /// Kinds of either.
    #[must_use]
    pub fn or(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }
    /// Has it all kinds of the other?
    pub fn has(self, other: Types) -> bool {
        self.0 & other.0 == other.0
    }
    /// Has it some kind of the other?
    pub fn meets(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }
    /// Has it no kind?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// Its kinds one by one; numbers come as one, whole or any.
    pub fn iter(self) -> TypesIter {
        TypesIter(self.0)
    }
    /// The type of this name in JSON Schema.
    pub fn named(name: &str) -> Option<Types> {
        Some(match name {
            "null" => Types::NULL,
            "boolean" => Types::BOOLEAN,
            "integer" => Types::INTEGER,
            "number" => Types::NUMBER,
            "string" => Types::STRING,
            "array" => Types::ARRAY,
            "object" => Types::OBJECT,
            _ => return None,
        })
    }
    /// Of what kind a value is; a number may be whole or not.
    pub fn of(kind: Kind) -> Types {
        match kind {
            Kind::Undefined | Kind::Function => Types::NONE,
            Kind::Null => Types::NULL,
            Kind::Boolean => Types::BOOLEAN,
            Kind::Number => Types::NUMBER,
            Kind::String => Types::STRING,
            Kind::Array => Types::ARRAY,
            Kind::Object => Types::OBJECT,
        }
    }
    fn noun(self) -> &'static str {
        match self {
            Types::NULL => "null",
            Types::BOOLEAN => "a boolean",
            Types::INTEGER => "a whole number",
            Types::NUMBER | Types::FRACTION => "a number",
            Types::STRING => "a string",
            Types::ARRAY => "an array",
            _ => "an object",
        }
    }
}

/// Any kind: a rule without `type` says nothing of it.
impl Default for Types {
    fn default() -> Self {
        Types::ALL
    }
}

/// `a string or null`
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Types::ALL {
            return f.write_str("any value");
        }
        let all: Vec<Types> = self.iter().collect();
        let Some((last, before)) = all.split_last() else { return f.write_str("no value") };
        for (i, one) in before.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, one.noun())?;
        }
        write!(f, "{}{}", if before.is_empty() { "" } else { " or " }, last.noun())
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The kinds of a set.
#[derive(Debug, Clone)]
pub struct TypesIter(u8);

impl Iterator for TypesIter {
    type Item = Types;
    fn next(&mut self) -> Option<Types> {
        const ORDER: [Types; 7] = [
            Types::OBJECT,
            Types::ARRAY,
            Types::STRING,
            Types::NUMBER,
            Types::INTEGER,
            Types::FRACTION,
            Types::BOOLEAN,
        ];
        let left = Types(self.0);
        let found = ORDER.into_iter().chain([Types::NULL]).find(|kind| left.has(*kind))?;
        self.0 &= !found.0;
        Some(found)
    }
}
