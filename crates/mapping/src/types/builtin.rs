//! What the built-in functions give, as far as their arguments tell.

use lockgate_document::schema::Types;

use super::shape::{Many, Part, Shape, Source};
use crate::expression::ir::Builtin;

/// The result for these arguments; `each` is what a function given to it returns.
pub(super) fn result(function: Builtin, given: &[Shape], each: Option<Shape>, source: Source<'_>) -> Shape {
    // An argument that is left out is the context.
    let needed = function.signature().params.iter().filter(|param| param.context || !param.optional).count();
    let first = given.first().filter(|_| given.len() >= needed).cloned().unwrap_or_else(Shape::any);
    let undefined = first.undefined;
    match function {
        Builtin::String
        | Builtin::Join
        | Builtin::Uppercase
        | Builtin::Lowercase
        | Builtin::Substring
        | Builtin::SubstringBefore
        | Builtin::SubstringAfter
        | Builtin::Trim
        | Builtin::Replace
        | Builtin::Pad
        | Builtin::FormatNumber
        | Builtin::FormatInteger
        | Builtin::FormatBase
        | Builtin::FromMillis
        | Builtin::Base64Encode
        | Builtin::Base64Decode
        | Builtin::EncodeUrl
        | Builtin::EncodeUrlComponent
        | Builtin::DecodeUrl
        | Builtin::DecodeUrlComponent
        | Builtin::Type => Shape::text().or_nothing(undefined),
        Builtin::Now => Shape::text(),
        Builtin::Sum | Builtin::Number | Builtin::Abs | Builtin::Sqrt | Builtin::Power => {
            Shape::number().or_nothing(undefined)
        }
        // Of no items there is none.
        Builtin::Max | Builtin::Min | Builtin::Average => Shape::number().or_nothing(true),
        Builtin::Round if given.len() > 1 => Shape::number().or_nothing(undefined),
        Builtin::Round | Builtin::Floor | Builtin::Ceil | Builtin::Length => Shape::whole().or_nothing(undefined),
        Builtin::ParseInteger | Builtin::ToMillis => Shape::whole().or_nothing(true),
        Builtin::Count | Builtin::Millis => Shape::whole(),
        Builtin::Match => Shape::any(),
        Builtin::Random => Shape::number(),
        Builtin::Exists => Shape::boolean(),
        Builtin::Boolean | Builtin::Not | Builtin::Contains => Shape::boolean().or_nothing(undefined),
        Builtin::Split => Shape::array(Shape::text()).or_nothing(undefined),
        Builtin::Keys => Shape::text().or(Shape::array(Shape::text())).or_nothing(true),
        Builtin::Map => each.map_or_else(Shape::any, |each| {
            let surely = !each.undefined;
            let each = Shape { undefined: false, many: Many::Said, ..each };
            if each.is_nothing() {
                return each.or_nothing(true);
            }
            let many =
                if surely && first.has_array() && first.many != Many::Picked { Many::Each } else { Many::Picked };
            Shape { many, ..each.clone().or(Shape::array(each)).or_nothing(true) }
        }),
        Builtin::Filter | Builtin::Distinct => Shape { many: Many::Picked, ..source.sequence(&first).or(first) },
        Builtin::Single => source.items(&first).or_nothing(true),
        Builtin::Sort | Builtin::Reverse | Builtin::Shuffle => source.kept(&first),
        Builtin::Append => match given {
            [one, other] => append(one, other, source),
            _ => Shape::any(),
        },
        Builtin::Merge | Builtin::Sift => Shape::object().or_nothing(true),
        Builtin::Zip => Shape::one(Part::Array(super::shape::Items::Any)),
        Builtin::Clone => first,
        Builtin::Error => Shape::nothing(),
        Builtin::Assert | Builtin::Reduce | Builtin::Lookup | Builtin::Spread | Builtin::Each => Shape::any(),
    }
}

/// What a function takes in the places of its first arguments, when there are so many that their places
/// are certain: the kinds, and whether they are those of the items of a list.
pub(super) fn takes(function: Builtin, given: usize) -> Vec<(Types, bool)> {
    let params = function.signature().params;
    let needed = params.iter().take_while(|param| param.context || !param.optional).count();
    if given < needed {
        return Vec::new();
    }
    let kinds = |letters: &str| letters.chars().map(kind).fold(Types::NONE, Types::or);
    let taken = params.iter().take(needed).map(|param| match param.items {
        Some(item) => (kind(item), true),
        None if param.array => (Types::ALL, false),
        None => (kinds(&param.letters), false),
    });
    taken.collect()
}

/// The kinds of a letter of a signature. No shape is a function.
fn kind(letter: char) -> Types {
    match letter {
        's' => Types::STRING,
        'n' => Types::NUMBER,
        'b' => Types::BOOLEAN,
        'l' => Types::NULL,
        'o' => Types::OBJECT,
        'a' => Types::ARRAY,
        'f' => Types::NONE,
        _ => Types::ALL,
    }
}

/// Two lists as one; where one of them is no value it is the other as it stands.
fn append(one: &Shape, other: &Shape, source: Source<'_>) -> Shape {
    if one.is_nothing() {
        return other.clone();
    }
    if other.is_nothing() {
        return one.clone();
    }
    let both = Shape::array(Shape { undefined: false, ..source.items(one).or(source.items(other)) });
    let alone = |here: &Shape, there: &Shape| there.undefined.then(|| here.clone());
    let mut shape = both;
    for alone in [alone(one, other), alone(other, one)].into_iter().flatten() {
        shape = shape.or(Shape { undefined: false, ..alone });
    }
    shape.or_nothing(one.undefined && other.undefined)
}
