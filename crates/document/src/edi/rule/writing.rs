//! An object of named elements as a segment.

use super::{Content, Element, Elements, Selector};
use crate::{
    edi::{
        path::Path,
        scalar::Scalar,
        segment::{Place, Segment},
        syntax::Mode,
    },
    format::FormatError,
    node::{Kind, Node},
};

/// A segment being made of a value.
pub(in crate::edi) struct Writing<'a> {
    pub mode: &'a Mode,
    pub selector: &'a Selector,
}

impl Writing<'_> {
    /// The segment of an object whose members are the named elements and, apart from them, `beside`.
    pub fn segment(
        &self,
        tag: &str,
        elements: &Elements,
        node: Node<'_>,
        beside: &[&str],
        path: &Path<'_>,
    ) -> Result<Segment, FormatError> {
        let names = elements.iter().flatten().map(|element| element.name.as_str());
        members(node, names.chain(beside.iter().copied()), path)?;
        let mut segment = Segment::new(tag);
        for (number, element) in (1..).zip(elements) {
            let place = Place::of(number, 1);
            let Some(element) = element else {
                // What the selector says need not be said.
                for (place, text) in self.selector.0.iter().filter(|(place, _)| place.element == number) {
                    segment.push(*place, text);
                }
                continue;
            };
            let path = path.key(&element.name);
            let value = node.get(&element.name);
            let items = match (is_absent(value), element.repeat) {
                (true, _) => 0,
                (false, 1) => {
                    self.content(&element.content, place, value, &mut segment, &path)?;
                    1
                }
                (false, repeat) => {
                    self.repeated(element, repeat, place, value, &mut segment, &path)?;
                    value.len()
                }
            };
            if element.required && (items == 0 || segment.element(number).is_empty()) {
                return Err(path.refused("LG-EDI-MISSING", "is missing"));
            }
        }
        if !self.selector.takes(&segment) {
            return Err(
                path.refused("LG-EDI-VALUE", "does not have the qualifier that its name in the grammar stands for")
            );
        }
        Ok(segment)
    }

    fn repeated(
        &self,
        element: &Element,
        repeat: u32,
        place: Place,
        value: Node<'_>,
        segment: &mut Segment,
        path: &Path<'_>,
    ) -> Result<(), FormatError> {
        if value.kind() != Kind::Array {
            return Err(path.refused("LG-EDI-VALUE", "must be an array: the element may repeat"));
        }
        if value.len() > repeat as usize {
            return Err(path.refused("LG-EDI-TOO-MANY", format_args!("has more than {repeat} items")));
        }
        if value.len() > 1 && self.mode.delimiters.repetition.is_none() {
            let what = "has more than one item, and this version of the syntax repeats nothing";
            return Err(path.refused("LG-EDI-TOO-MANY", what));
        }
        for (index, (repetition, item)) in (1..).zip(value.items()).enumerate() {
            if !is_absent(item) {
                self.content(&element.content, Place { repetition, ..place }, item, segment, &path.index(index))?;
            }
        }
        Ok(())
    }

    fn content(
        &self,
        content: &Content,
        place: Place,
        value: Node<'_>,
        segment: &mut Segment,
        path: &Path<'_>,
    ) -> Result<(), FormatError> {
        let components = match content {
            Content::Simple(scalar) => return self.scalar(scalar, place, value, segment, path),
            Content::Composite(components) => components,
        };
        members(value, components.iter().flatten().map(|component| component.name.as_str()), path)?;
        let mut absent = None;
        let mut any = false;
        for (number, component) in (1u32..).zip(components) {
            let place = Place { component: number, ..place };
            let Some(component) = component else {
                let known = self.selector.at(place);
                segment.push(place, known.unwrap_or_default());
                any |= known.is_some();
                continue;
            };
            let (path, inner) = (path.key(&component.name), value.get(&component.name));
            if is_absent(inner) {
                if component.required && absent.is_none() {
                    absent = Some(path.refused("LG-EDI-MISSING", "is missing"));
                }
            } else {
                self.scalar(&component.scalar, place, inner, segment, &path)?;
                any = true;
            }
        }
        // A composite that holds nothing is absent itself.
        absent.filter(|_| any).map_or(Ok(()), Err)
    }

    fn scalar(
        &self,
        scalar: &Scalar,
        place: Place,
        value: Node<'_>,
        segment: &mut Segment,
        path: &Path<'_>,
    ) -> Result<(), FormatError> {
        let text = scalar.write(value, self.mode).map_err(|wrong| path.wrong(&wrong))?;
        segment.push(place, &text);
        Ok(())
    }
}

/// No value, `null` or an empty text: nothing stands in the interchange for it.
pub(in crate::edi) fn is_absent(value: Node<'_>) -> bool {
    matches!(value.kind(), Kind::Undefined | Kind::Null) || value.as_str() == Some("")
}

/// Holds an object to the members that it may have.
pub(in crate::edi) fn members<'a>(
    value: Node<'_>,
    names: impl Iterator<Item = &'a str> + Clone,
    path: &Path<'_>,
) -> Result<(), FormatError> {
    if value.kind() != Kind::Object {
        return Err(path.refused("LG-EDI-VALUE", "must be an object"));
    }
    let is_known = |key: &str| names.clone().any(|name| name == key);
    if value.entries().all(|(key, _)| is_known(key)) {
        return Ok(());
    }
    let mut known = String::new();
    for name in names {
        if known.len() > 200 {
            known.push_str(", …");
            break;
        }
        known.push_str(if known.is_empty() { "" } else { ", " });
        known.push_str(name);
    }
    Err(path.refused("LG-EDI-VALUE", format_args!("has a member that has no place here (there are {known})")))
}
