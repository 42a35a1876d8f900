//! Segments without a grammar: `{"tag": "N1", "elements": ["BY", "ACME"]}`.
//!
//! An element is a text; an array of texts where it has components; an array of such arrays where it
//! repeats. Nothing empty stands at the end of any of them, and what is empty before is `""`.

use super::{
    limits::{COMPONENTS_MAX, ELEMENTS_MAX, REPETITIONS_MAX},
    path::Path,
    rule::members,
    segment::{Piece, Place, Segment, is_tag},
    service::{self, Role},
    syntax::Mode,
};
use crate::{
    builder::Builder,
    fault::Fault,
    format::FormatError,
    node::{Kind, Node},
};

/// Adds the value of a segment.
pub(super) fn show(segment: &Segment, builder: &mut Builder) -> Result<(), FormatError> {
    shown(segment, builder).map_err(|fault| FormatError::fault(&fault, segment.offset))
}

fn shown(segment: &Segment, builder: &mut Builder) -> Result<(), Fault> {
    builder.begin_object()?;
    builder.key("tag")?;
    builder.text(segment.tag())?;
    builder.key("elements")?;
    builder.begin_array()?;
    for number in 1..=segment.elements() {
        let pieces = segment.element(number);
        match pieces.last().map(|piece| piece.place) {
            None => builder.text("")?,
            Some(last) if last.repetition > 1 => {
                builder.begin_array()?;
                for repetition in 1..=last.repetition {
                    let start = pieces.partition_point(|piece| piece.place.repetition < repetition);
                    let end = pieces.partition_point(|piece| piece.place.repetition <= repetition);
                    components(segment, pieces.get(start..end).unwrap_or_default(), builder)?;
                }
                builder.end()?;
            }
            Some(last) if last.component > 1 => components(segment, pieces, builder)?,
            Some(_) => pieces.iter().try_for_each(|piece| builder.text(segment.text_of(piece)))?,
        }
    }
    builder.end()?;
    builder.end()
}

fn components(segment: &Segment, pieces: &[Piece], builder: &mut Builder) -> Result<(), Fault> {
    builder.begin_array()?;
    let mut next = 1;
    for piece in pieces {
        while next < piece.place.component {
            builder.text("")?;
            next += 1;
        }
        builder.text(segment.text_of(piece))?;
        next += 1;
    }
    if pieces.is_empty() {
        builder.text("")?;
    }
    builder.end()
}

/// The segment of such a value, which must play this role.
pub(super) fn take(value: Node<'_>, wanted: Role, mode: &Mode, path: &Path<'_>) -> Result<Segment, FormatError> {
    members(value, ["tag", "elements"].into_iter(), path)?;
    let tag = value.get("tag").as_str().unwrap_or_default();
    if !is_tag(tag) {
        return Err(path.key("tag").refused("LG-EDI-TAG", "must be two or three capital letters or digits"));
    }
    if service::role(mode.syntax, tag) != wanted {
        let what = match wanted {
            Role::Data => "is of the envelope, which is written from its heads",
            _ => "is neither TA1 nor TA3, which alone stand in the head of an X12 interchange",
        };
        return Err(path.key("tag").refused("LG-EDI-ENVELOPE", what));
    }
    if service::is_binary(mode.syntax, tag.as_bytes()) {
        return Err(path.key("tag").refused("LG-EDI-BINARY", "is of a segment with binary data, which is not written"));
    }
    let (elements, path) = (value.get("elements"), path.key("elements"));
    let mut segment = Segment::new(tag);
    for (index, (number, element)) in (1..).zip(array(elements, ELEMENTS_MAX, &path)?).enumerate() {
        let (place, path) = (Place::of(number, 1), path.index(index));
        match element.kind() {
            Kind::Array if element.at(0).kind() == Kind::Array => {
                let repetitions = array(element, REPETITIONS_MAX, &path)?;
                if element.len() > 1 && mode.delimiters.repetition.is_none() {
                    return Err(
                        path.refused("LG-EDI-TOO-MANY", "repeats, and this version of the syntax repeats nothing")
                    );
                }
                for (index, (repetition, inner)) in (1..).zip(repetitions).enumerate() {
                    take_components(inner, Place { repetition, ..place }, &mut segment, &path.index(index))?;
                }
            }
            Kind::Array => take_components(element, place, &mut segment, &path)?,
            _ => take_text(element, place, &mut segment, &path)?,
        }
    }
    Ok(segment)
}

fn array<'a>(
    value: Node<'a>,
    max: u32,
    path: &Path<'_>,
) -> Result<impl Iterator<Item = Node<'a>> + use<'a>, FormatError> {
    if value.kind() != Kind::Array {
        return Err(path.refused("LG-EDI-VALUE", "must be an array"));
    }
    if value.len() > max as usize {
        return Err(path.refused("LG-EDI-LIMIT", format_args!("has more than {max} items")));
    }
    Ok(value.items())
}

fn take_components(value: Node<'_>, place: Place, segment: &mut Segment, path: &Path<'_>) -> Result<(), FormatError> {
    for (index, (component, inner)) in (1..).zip(array(value, COMPONENTS_MAX, path)?).enumerate() {
        take_text(inner, Place { component, ..place }, segment, &path.index(index))?;
    }
    Ok(())
}

fn take_text(value: Node<'_>, place: Place, segment: &mut Segment, path: &Path<'_>) -> Result<(), FormatError> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => segment.push(place, text),
        (None, Kind::Null) => {}
        _ => return Err(path.refused("LG-EDI-VALUE", "must be a text: without a grammar all are")),
    }
    Ok(())
}
