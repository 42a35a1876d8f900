//! Whether two trees are the same but for where their words stand.

use std::mem::{Discriminant, discriminant};

use crate::expression::ast::{Kind, Node};

/// A node and the text that it was parsed from.
type Written<'n> = (&'n Node, &'n str);

pub(super) fn same((a, a_text): Written<'_>, (b, b_text): Written<'_>) -> bool {
    let (inside_a, inside_b) = (children(a), children(b));
    own(a, a_text) == own(b, b_text)
        && inside_a.len() == inside_b.len()
        && inside_a.into_iter().zip(inside_b).all(|(a, b)| same((a, a_text), (b, b_text)))
}

/// All that a node says itself.
fn own(node: &Node, text: &str) -> (Discriminant<Kind>, bool, String) {
    let said = match &node.kind {
        Kind::Name(text) | Kind::Variable(text) | Kind::Text(text) => text.clone(),
        Kind::Focus(_, name) | Kind::Index(_, name) => name.clone(),
        Kind::Number(_, lexeme) => lexeme.clone(),
        Kind::Boolean(value) => value.to_string(),
        Kind::Regex(..) => text.get(node.token.start as usize..node.token.end as usize).unwrap_or_default().to_owned(),
        Kind::Binary(operator, ..) => operator.text().to_owned(),
        Kind::Sort(_, terms) => terms.iter().map(|(_, descends)| if *descends { '>' } else { '<' }).collect(),
        Kind::Lambda(params, signature, _) => format!("{params:?} {signature:?}"),
        _ => String::new(),
    };
    (discriminant(&node.kind), node.keep_array, said)
}

/// What a node is made of, in order.
pub(super) fn children(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::Name(_)
        | Kind::Variable(_)
        | Kind::Text(_)
        | Kind::Number(..)
        | Kind::Boolean(_)
        | Kind::Null
        | Kind::Regex(..)
        | Kind::Wildcard
        | Kind::Descendant
        | Kind::Parent
        | Kind::Placeholder
        | Kind::End => Vec::new(),
        Kind::Dot(a, b)
        | Kind::Binary(_, a, b)
        | Kind::Filter(a, b)
        | Kind::Bind(a, b)
        | Kind::Chain(a, b)
        | Kind::Default(a, b)
        | Kind::Coalesce(a, b) => vec![a, b],
        Kind::Negate(a) | Kind::Focus(a, _) | Kind::Index(a, _) | Kind::Lambda(_, _, a) => vec![a],
        Kind::Array(items) | Kind::Block(items) => items.iter().collect(),
        Kind::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
        Kind::Group(left, pairs) => {
            std::iter::once(left.as_ref()).chain(pairs.iter().flat_map(|(key, value)| [key, value])).collect()
        }
        Kind::Sort(left, terms) => std::iter::once(left.as_ref()).chain(terms.iter().map(|(term, _)| term)).collect(),
        Kind::Condition(a, b, c) | Kind::Transform(a, b, c) => {
            [Some(a), Some(b), c.as_ref()].into_iter().flatten().map(AsRef::as_ref).collect()
        }
        Kind::Call(a, given) | Kind::Partial(a, given) => std::iter::once(a.as_ref()).chain(given).collect(),
    }
}
