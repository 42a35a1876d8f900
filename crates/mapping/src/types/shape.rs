//! What is known of a value before there is one.
//!
//! A shape is the set of what a value may be. It may hold more than comes, never less: where it
//! cannot be told, the shape is [`Shape::any`]. What comes from a document type stays in the words
//! of the type, one level at a time, so that types that hold themselves are as small as others.

use std::collections::BTreeSet;

use lockgate_document::schema::{Alternative, Field, RuleId, Schema, Types};
use lockgate_model::Span;

/// Parts that are told apart; past them nothing is known.
const PARTS_MAX: usize = 16;
/// Texts that are told apart.
const TEXTS_MAX: usize = 64;
/// Parts of a shape with all that is in it; of what would be larger nothing is known.
const SIZE_MAX: usize = 1_000;
/// Arrays within arrays that a field is looked for in.
const NEST_MAX: usize = 8;

/// What a value may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// There may be none.
    pub undefined: bool,
    /// What it is when there is one; none: nothing is known, and an empty list: there is none.
    pub parts: Option<Vec<Part>>,
    /// How it may come to be an array.
    pub many: Many,
}

/// How a value that may be an array comes to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Many {
    /// Its type or its expression says so.
    #[default]
    Said,
    /// A condition leaves items of an array, or an expression makes one: perhaps of one at most.
    Picked,
    /// It is what each item of an array gives: of two items there are two.
    Each,
}

/// One of the things that a value may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// null
    Null,
    /// true or false
    Boolean,
    /// A number.
    Number {
        /// It surely has no fraction.
        whole: bool,
    },
    /// A text; one of these where they are known.
    Text(Option<BTreeSet<String>>),
    /// An array.
    Array(Items),
    /// An object.
    Object(Fields),
}

/// Items of an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Items {
    /// Nothing is known of them.
    Any,
    /// Each is of this shape.
    Of(Box<Shape>),
    /// Each is of one of these, in the words of the source's type.
    Typed(Vec<Vec<RuleId>>),
}

/// Fields of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Fields {
    /// Nothing is known of them.
    Any,
    /// These and no others.
    Of(Vec<Member>),
    /// In the words of the source's type.
    Typed(Alternative),
}

/// A field of an object that an expression writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name stands in the expression.
    pub at: Span,
    /// Its value.
    pub value: Shape,
}

impl Shape {
    /// Nothing is known.
    pub fn any() -> Shape {
        Shape { undefined: true, ..Shape::there(None) }
    }
    /// No value.
    pub fn nothing() -> Shape {
        Shape { undefined: true, ..Shape::never() }
    }
    /// A value that is none of anything yet: others are added to it.
    pub fn never() -> Shape {
        Shape::there(Some(Vec::new()))
    }
    /// A value that is there, of which nothing is known.
    pub fn something() -> Shape {
        Shape::there(None)
    }
    fn there(parts: Option<Vec<Part>>) -> Shape {
        Shape { undefined: false, parts, many: Many::Said }
    }
    /// A value of one kind, which is there.
    pub fn one(part: Part) -> Shape {
        Shape::there(Some(vec![part])).bounded()
    }
    /// A text.
    pub fn text() -> Shape {
        Shape::one(Part::Text(None))
    }
    /// This text.
    pub fn constant(text: &str) -> Shape {
        Shape::one(Part::Text(Some([text.to_owned()].into())))
    }
    /// A number.
    pub fn number() -> Shape {
        Shape::one(Part::Number { whole: false })
    }
    /// A number without a fraction.
    pub fn whole() -> Shape {
        Shape::one(Part::Number { whole: true })
    }
    /// true or false
    pub fn boolean() -> Shape {
        Shape::one(Part::Boolean)
    }
    /// An array of such items that an expression makes: perhaps of one at most.
    pub fn array(items: Shape) -> Shape {
        let items = if items.parts.is_none() { Items::Any } else { Items::Of(Box::new(items)) };
        Shape { many: Many::Picked, ..Shape::one(Part::Array(items)) }
    }
    /// An object of which nothing more is known.
    pub fn object() -> Shape {
        Shape::one(Part::Object(Fields::Any))
    }

    /// The same, or no value when `undefined`.
    #[must_use]
    pub fn or_nothing(mut self, undefined: bool) -> Shape {
        self.undefined |= undefined;
        self
    }
    /// What is either.
    #[must_use]
    pub fn or(mut self, other: Shape) -> Shape {
        self.undefined |= other.undefined;
        self.many = match (self.many, other.many) {
            (Many::Each, _) | (_, Many::Each) => Many::Each,
            (Many::Picked, _) | (_, Many::Picked) => Many::Picked,
            _ => Many::Said,
        };
        self.parts = match (self.parts, other.parts) {
            (Some(mut parts), Some(others)) => {
                others.into_iter().for_each(|part| add(&mut parts, part));
                (parts.len() <= PARTS_MAX).then_some(parts)
            }
            _ => None,
        };
        self.bounded()
    }
    fn bounded(self) -> Shape {
        let too_large = self.size() > SIZE_MAX;
        Shape { parts: self.parts.filter(|_| !too_large), ..self }
    }
    fn size(&self) -> usize {
        let of_part = |part: &Part| match part {
            Part::Array(Items::Of(items)) => items.size(),
            Part::Object(Fields::Of(members)) => members.iter().map(|member| member.value.size() + 1).sum(),
            Part::Text(Some(texts)) => texts.len(),
            _ => 0,
        };
        self.parts.iter().flatten().map(|part| 1 + of_part(part)).sum()
    }
    /// Is anything known of it?
    pub fn is_known(&self) -> bool {
        self.parts.is_some()
    }
    /// Is there surely no value?
    pub fn is_nothing(&self) -> bool {
        self.parts.as_ref().is_some_and(Vec::is_empty)
    }
    /// May it be an array?
    pub fn may_be_array(&self) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.iter().any(|part| matches!(part, Part::Array(_))))
    }
    /// Is it known that it may be an array?
    pub fn has_array(&self) -> bool {
        self.parts.iter().flatten().any(|part| matches!(part, Part::Array(_)))
    }
    /// Its kinds, where they are known.
    pub fn types(&self) -> Option<Types> {
        Some(self.parts.as_ref()?.iter().map(Part::types).fold(Types::NONE, Types::or))
    }
}

fn add(parts: &mut Vec<Part>, part: Part) {
    if let Part::Text(texts) = &part
        && let Some(Part::Text(known)) = parts.iter_mut().find(|part| matches!(part, Part::Text(_)))
    {
        *known = match (known.take(), texts) {
            (Some(mut known), Some(texts)) => {
                known.extend(texts.iter().cloned());
                (known.len() <= TEXTS_MAX).then_some(known)
            }
            _ => None,
        };
        return;
    }
    if let Part::Number { whole } = part
        && let Some(Part::Number { whole: known }) = parts.iter_mut().find(|part| matches!(part, Part::Number { .. }))
    {
        *known &= whole;
        return;
    }
    if !parts.contains(&part) {
        parts.push(part);
    }
}

impl Part {
    /// Its kind.
    pub fn types(&self) -> Types {
        match self {
            Part::Null => Types::NULL,
            Part::Boolean => Types::BOOLEAN,
            Part::Number { whole: true } => Types::INTEGER,
            Part::Number { whole: false } => Types::NUMBER,
            Part::Text(_) => Types::STRING,
            Part::Array(_) => Types::ARRAY,
            Part::Object(_) => Types::OBJECT,
        }
    }
}

/// The source's type, in whose words shapes may be.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// The type; none: nothing is known.
    pub schema: Option<&'s Schema>,
}

impl Source<'_> {
    /// A value of which these rules hold, and which is there.
    pub fn typed(&self, rules: &[RuleId]) -> Shape {
        let any = Shape::something();
        let Some(schema) = self.schema.filter(|_| !rules.is_empty()) else { return any };
        let Some(alternatives) = schema.alternatives(rules) else { return any };
        let mut shape = Shape::never();
        for alternative in alternatives {
            let types = alternative.types(schema);
            if alternative.items_max(schema).is_some_and(|most| most < 2) {
                shape.many = Many::Picked;
            }
            if types == Types::ALL {
                return any;
            }
            for kind in types.iter() {
                shape = shape.or(Shape::one(part(schema, &alternative, kind)));
            }
        }
        shape
    }

    /// What one item of an array is.
    pub fn item(&self, items: &Items) -> Shape {
        match items {
            Items::Any => Shape::something(),
            Items::Of(shape) => Shape { undefined: false, ..shape.as_ref().clone() },
            Items::Typed(choices) => choices.iter().fold(Shape::never(), |shape, rules| shape.or(self.typed(rules))),
        }
    }

    /// What each of them is where the value is an array, else the value.
    pub fn items(&self, shape: &Shape) -> Shape {
        let Some(parts) = &shape.parts else { return shape.clone() };
        let mut found = Shape::never().or_nothing(shape.undefined);
        for part in parts {
            found = match part {
                Part::Array(items) => found.or(self.item(items)),
                other => found.or(Shape::one(other.clone())),
            };
        }
        found
    }

    /// A sequence of what these values are: none, one, or an array of several.
    pub fn sequence(&self, shape: &Shape) -> Shape {
        let items = self.items(shape);
        if items.is_nothing() {
            return Shape::nothing();
        }
        let many = if shape.many == Many::Said && shape.has_array() { Many::Each } else { shape.many };
        Shape { many, ..items.clone().or(Shape::array(items)).or_nothing(true) }
    }

    /// A sequence of those of these values that are picked.
    pub fn picked(&self, shape: &Shape) -> Shape {
        Shape { many: Many::Picked, ..self.sequence(shape) }
    }

    /// A sequence of what each item of a value gives; `surely`: each of them gives something, or may.
    pub fn of_each(&self, value: &Shape, each: &Shape, surely: bool) -> Shape {
        let many = match value.many {
            // One item may give several.
            Many::Picked if each.many == Many::Each => Many::Each,
            Many::Picked if each.many == Many::Said && each.types() == Some(Types::ARRAY) => Many::Each,
            Many::Said | Many::Each if surely && value.has_array() => Many::Each,
            _ => Many::Picked,
        };
        Shape { many, ..self.sequence(each) }
    }

    /// An array of what these values are.
    pub fn kept(&self, shape: &Shape) -> Shape {
        if shape.is_nothing() {
            return Shape::nothing();
        }
        let items = self.items(shape);
        let many = if shape.has_array() && shape.many != Many::Picked { Many::Said } else { Many::Picked };
        Shape { many, ..Shape::array(Shape { undefined: false, ..items }).or_nothing(shape.undefined) }
    }

    /// A field of a value, as a path takes it; the error says that no such field can be there.
    pub fn field(&self, shape: &Shape, name: &str) -> Result<Shape, Missing> {
        let mut missing = Missing { known: BTreeSet::new(), objects: false, scalars: Types::NONE };
        match self.field_at(shape, name, &mut missing, 0) {
            Some(found) => Ok(found.or_nothing(shape.undefined)),
            None => Err(missing),
        }
    }

    fn field_at(&self, shape: &Shape, name: &str, missing: &mut Missing, depth: usize) -> Option<Shape> {
        let Some(parts) = shape.parts.as_ref().filter(|_| depth < NEST_MAX) else { return Some(Shape::any()) };
        let mut found: Option<Shape> = None;
        let mut absent = false;
        for part in parts {
            let one = match part {
                Part::Object(Fields::Any) => Some(Shape::any()),
                Part::Object(Fields::Of(members)) => {
                    let member = members.iter().find(|member| member.name == name);
                    missing.known.extend(members.iter().map(|member| member.name.clone()));
                    member.map(|member| member.value.clone())
                }
                Part::Object(Fields::Typed(alternative)) => self.declared(alternative, name, missing),
                Part::Array(items) => {
                    let each = self.field_at(&self.item(items), name, missing, depth + 1);
                    each.map(|each| self.of_each(shape, &each, true))
                }
                scalar => {
                    missing.scalars = missing.scalars.or(scalar.types());
                    None
                }
            };
            match one {
                Some(one) => found = Some(found.map_or(one.clone(), |found| found.or(one))),
                None => absent = true,
            }
        }
        match found {
            // No value at all has no field, and nothing is wrong with asking it.
            None if parts.is_empty() => Some(Shape::nothing()),
            found => found.map(|found| found.or_nothing(absent)),
        }
    }

    /// A field of an object of the source's type.
    pub(super) fn declared(&self, alternative: &Alternative, name: &str, missing: &mut Missing) -> Option<Shape> {
        let Some(schema) = self.schema else { return Some(Shape::any()) };
        match alternative.field(schema, name) {
            Field::Declared(rules) => {
                let required = alternative.required(schema).contains(name);
                Some(self.typed(&rules).or_nothing(!required))
            }
            Field::Open(rules) => Some(self.typed(&rules).or_nothing(true)),
            Field::Undeclared | Field::Refused => {
                missing.known.extend(alternative.names(schema).into_iter().map(str::to_owned));
                missing.objects = true;
                None
            }
        }
    }
}

/// Why no field of a name can be there.
#[derive(Debug)]
pub struct Missing {
    /// Fields that there are.
    pub known: BTreeSet<String>,
    /// There are objects, of the source's type.
    pub objects: bool,
    /// What is no object.
    pub scalars: Types,
}

fn part(schema: &Schema, alternative: &Alternative, kind: Types) -> Part {
    match kind {
        Types::NULL => Part::Null,
        Types::BOOLEAN => Part::Boolean,
        Types::STRING => {
            let allowed = alternative.allowed(schema).filter(|allowed| allowed.len() <= TEXTS_MAX);
            Part::Text(allowed.map(|all| all.iter().filter_map(|text| text.as_str()).map(str::to_owned).collect()))
        }
        Types::ARRAY => Part::Array(alternative.items(schema).map_or(Items::Any, Items::Typed)),
        Types::OBJECT => Part::Object(Fields::Typed(alternative.clone())),
        kind => Part::Number { whole: kind == Types::INTEGER },
    }
}
