//! What a segment holds, by name: the rules for elements and components, and values by them.

use std::borrow::Cow;

use super::{
    path::Path,
    segment::{Piece, Place, Segment},
    syntax::Mode,
};
use crate::{
    builder::Builder,
    fault::Fault,
    format::FormatError,
    node::{Kind, Node},
};

pub(super) use super::scalar::{Scalar, ScalarKind, Shown, Wrong};

/// Elements in their order; none where an element is not used.
pub(super) type Elements = Vec<Option<Element>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub required: bool,
    /// How often it may stand; more than once makes an array of its value.
    pub repeat: u32,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Simple(Scalar),
    Composite(Vec<Option<Component>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    pub name: String,
    pub required: bool,
    pub scalar: Scalar,
}

/// Pieces whose text is known beforehand: a selector such as `NM1*85`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selector(pub Vec<(Place, String)>);

impl Selector {
    pub fn takes(&self, segment: &Segment) -> bool {
        self.0.iter().all(|(place, text)| segment.get(place.element, place.component) == text)
    }
    fn at(&self, element: u32, component: u32) -> Option<&str> {
        let place = Place::of(element, component);
        self.0.iter().find(|(selected, _)| *selected == place).map(|(_, text)| text.as_str())
    }
}

/// A segment being shown.
pub(super) struct Reading<'a> {
    pub segment: &'a Segment,
    pub mode: &'a Mode,
    pub selector: &'a Selector,
}

impl Reading<'_> {
    fn fault(&self, fault: &Fault) -> FormatError {
        FormatError::fault(fault, self.segment.offset)
    }
    fn wrong(&self, place: Place, wrong: &Wrong) -> FormatError {
        self.segment.refused(wrong.code, Some(place), &wrong.what)
    }

    /// Adds the named elements to the object that is open.
    pub fn elements(&self, elements: &Elements, builder: &mut Builder) -> Result<(), FormatError> {
        let known = u32::try_from(elements.len()).unwrap_or(u32::MAX);
        if self.segment.elements() > known {
            return Err(self.wrong(Place::of(self.segment.elements(), 1), &UNKNOWN));
        }
        for (number, element) in (1..).zip(elements) {
            let pieces = self.segment.element(number);
            let Some(element) = element else {
                let unused = pieces.iter().find(|piece| self.selector.at(number, piece.place.component).is_none());
                match unused {
                    Some(piece) => return Err(self.wrong(piece.place, &UNKNOWN)),
                    None => continue,
                }
            };
            if pieces.is_empty() {
                if element.required {
                    return Err(self.wrong(Place::of(number, 1), &missing(&element.name)));
                }
                continue;
            }
            builder.key(&element.name).map_err(|fault| self.fault(&fault))?;
            self.element(element, pieces, builder)?;
        }
        Ok(())
    }

    fn element(&self, element: &Element, pieces: &[Piece], builder: &mut Builder) -> Result<(), FormatError> {
        let last = pieces.last().map_or(Place::FIRST, |piece| piece.place);
        if last.repetition > element.repeat {
            let what = format!("stands more than {} times", element.repeat);
            return Err(self.wrong(Place { component: 1, ..last }, &Wrong::new("LG-EDI-TOO-MANY", what)));
        }
        if element.repeat == 1 {
            return self.content(&element.content, pieces, builder);
        }
        builder.begin_array().map_err(|fault| self.fault(&fault))?;
        for repetition in 1..=last.repetition {
            let start = pieces.partition_point(|piece| piece.place.repetition < repetition);
            let end = pieces.partition_point(|piece| piece.place.repetition <= repetition);
            match pieces.get(start..end).unwrap_or_default() {
                [] => builder.null().map_err(|fault| self.fault(&fault))?,
                pieces => self.content(&element.content, pieces, builder)?,
            }
        }
        builder.end().map_err(|fault| self.fault(&fault))
    }

    fn content(&self, content: &Content, pieces: &[Piece], builder: &mut Builder) -> Result<(), FormatError> {
        let components = match content {
            Content::Simple(scalar) => {
                return pieces.iter().try_for_each(|piece| match piece.place.component {
                    1 => self.scalar(scalar, piece, builder),
                    _ => Err(self.wrong(piece.place, &UNKNOWN)),
                });
            }
            Content::Composite(components) => components,
        };
        builder.begin_object().map_err(|fault| self.fault(&fault))?;
        let mut rest = pieces.iter().peekable();
        let base = pieces.first().map_or(Place::FIRST, |piece| piece.place);
        for (number, component) in (1u32..).zip(components) {
            let place = Place { component: number, ..base };
            match (component, rest.next_if(|piece| piece.place.component == number)) {
                (Some(component), Some(piece)) => {
                    builder.key(&component.name).map_err(|fault| self.fault(&fault))?;
                    self.scalar(&component.scalar, piece, builder)?;
                }
                (Some(component), None) if component.required => {
                    return Err(self.wrong(place, &missing(&component.name)));
                }
                (None, Some(_)) if self.selector.at(place.element, number).is_none() => {
                    return Err(self.wrong(place, &UNKNOWN));
                }
                _ => {}
            }
        }
        match rest.next() {
            Some(piece) => Err(self.wrong(piece.place, &UNKNOWN)),
            None => builder.end().map_err(|fault| self.fault(&fault)),
        }
    }

    fn scalar(&self, scalar: &Scalar, piece: &Piece, builder: &mut Builder) -> Result<(), FormatError> {
        let text = self.segment.text_of(piece);
        match scalar.read(text, self.mode).map_err(|wrong| self.wrong(piece.place, &wrong))? {
            Shown::Text(text) => builder.text(&text),
            Shown::Number(lexeme) => builder.number_lexeme(&lexeme),
        }
        .map_err(|fault| self.fault(&fault))
    }
}

const UNKNOWN: Wrong =
    Wrong { code: "LG-EDI-ELEMENT", what: Cow::Borrowed("holds something, and the grammar names nothing here") };

fn missing(name: &str) -> Wrong {
    Wrong::new("LG-EDI-MISSING", format!("`{name}` is missing"))
}

/// A segment being made of a value.
pub(super) struct Writing<'a> {
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
                let known = self.selector.at(place.element, number).filter(|_| place.repetition == 1);
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
pub(super) fn is_absent(value: Node<'_>) -> bool {
    matches!(value.kind(), Kind::Undefined | Kind::Null) || value.as_str() == Some("")
}

/// Holds an object to the members that it may have.
pub(super) fn members<'a>(
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
