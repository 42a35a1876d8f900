//! A segment as an object of its named elements.

use std::borrow::Cow;

use super::{Content, Element, Elements, Selector};
use crate::{
    builder::Builder,
    edi::{
        scalar::{Scalar, Shown, Wrong},
        segment::{Piece, Place, Segment},
        syntax::Mode,
    },
    fault::Fault,
    format::FormatError,
};

/// A segment being shown.
pub(in crate::edi) struct Reading<'a> {
    pub segment: &'a Segment,
    pub mode: &'a Mode,
    pub selector: &'a Selector,
}

impl Reading<'_> {
    fn ok<T>(&self, result: Result<T, Fault>) -> Result<T, FormatError> {
        result.map_err(|fault| FormatError::fault(&fault, self.segment.offset))
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
                let unused = pieces.iter().find(|piece| self.selector.at(piece.place).is_none());
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
            self.ok(builder.key(&element.name))?;
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
        self.ok(builder.begin_array())?;
        for repetition in 1..=last.repetition {
            let start = pieces.partition_point(|piece| piece.place.repetition < repetition);
            let end = pieces.partition_point(|piece| piece.place.repetition <= repetition);
            match pieces.get(start..end).unwrap_or_default() {
                [] => self.ok(builder.null())?,
                pieces => self.content(&element.content, pieces, builder)?,
            }
        }
        self.ok(builder.end())
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
        self.ok(builder.begin_object())?;
        let mut rest = pieces.iter().peekable();
        let base = pieces.first().map_or(Place::FIRST, |piece| piece.place);
        for (number, component) in (1u32..).zip(components) {
            let place = Place { component: number, ..base };
            match (component, rest.next_if(|piece| piece.place.component == number)) {
                (Some(component), Some(piece)) => {
                    self.ok(builder.key(&component.name))?;
                    self.scalar(&component.scalar, piece, builder)?;
                }
                (Some(component), None) if component.required => {
                    return Err(self.wrong(place, &missing(&component.name)));
                }
                (None, Some(_)) if self.selector.at(place).is_none() => {
                    return Err(self.wrong(place, &UNKNOWN));
                }
                _ => {}
            }
        }
        match rest.next() {
            Some(piece) => Err(self.wrong(piece.place, &UNKNOWN)),
            None => self.ok(builder.end()),
        }
    }

    fn scalar(&self, scalar: &Scalar, piece: &Piece, builder: &mut Builder) -> Result<(), FormatError> {
        let text = self.segment.text_of(piece);
        self.ok(match scalar.read(text, self.mode).map_err(|wrong| self.wrong(piece.place, &wrong))? {
            Shown::Text(text) => builder.text(&text),
            Shown::Number(lexeme) => builder.number_lexeme(&lexeme),
        })
    }
}

const UNKNOWN: Wrong =
    Wrong { code: "LG-EDI-ELEMENT", what: Cow::Borrowed("holds something, and the grammar names nothing here") };

fn missing(name: &str) -> Wrong {
    Wrong::new("LG-EDI-MISSING", format!("`{name}` is missing"))
}
