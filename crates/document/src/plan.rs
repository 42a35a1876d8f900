//! Constants that say what a new object or a new text is made of, read once and followed at each call:
//! see [`lockgate_model::abi::plan`].

use lockgate_model::abi::{CONSTANT_REGION, plan};

use crate::datum::Datum;
use crate::handle::Handle;
use crate::number::Number;
use crate::text::Text;
use crate::values::{Path, Values};

/// The parts of a new value in their order.
pub(crate) struct Plan(Box<[Part]>);

/// A field of an object, or a piece of a text, whose key is empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) key: Text,
    pub(crate) source: Source,
}

/// Where a part comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// The handle among the arguments.
    Argument(usize),
    /// The f64 among the arguments.
    Number(usize),
    /// A field of the value that the plan is followed on.
    Field(Text),
    /// A field of a field of it, and so on.
    Path(Path),
    /// A constant.
    Value(Handle),
}

impl Plan {
    /// Reads a constant; none when it is no plan.
    pub(crate) fn read(values: &Values, h: Handle) -> Option<Plan> {
        let part = |key, value| Some(Part { key, source: source(values, value)? });
        let parts: Option<Box<[Part]>> = match values.datum(h).ok()? {
            Datum::Object { at, len, .. } => {
                (0..len).map(|i| values.field(CONSTANT_REGION, at, i)).map(|f| part(f.key, f.value)).collect()
            }
            Datum::Array { at, len, .. } => {
                (0..len).map(|i| values.item(CONSTANT_REGION, at, i)).map(|item| part(Text::EMPTY, item)).collect()
            }
            _ => None,
        };
        parts.map(Plan)
    }

    /// Its parts.
    #[inline]
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }
}

fn source(values: &Values, h: Handle) -> Option<Source> {
    let place = |datum| match values.number(datum)? {
        Number::Exact { mantissa, scale: 0 } => usize::try_from(mantissa).ok().filter(|n| *n < plan::ARGUMENTS),
        _ => None,
    };
    match values.datum(h).ok()? {
        Datum::Array { at, len: 1, .. } => {
            values.datum(values.item(CONSTANT_REGION, at, 0)).ok()?.as_text().map(Source::Field)
        }
        Datum::Array { at, len, .. } if len > 0 => Some(Source::Path(Path { at, len })),
        Datum::Object { at, len: 1, .. } => {
            let field = values.field(CONSTANT_REGION, at, 0);
            match values.str(field.key) {
                plan::NUMBER => place(values.datum(field.value).ok()?).map(Source::Number),
                plan::VALUE => Some(Source::Value(field.value)),
                _ => None,
            }
        }
        datum => place(datum).map(Source::Argument),
    }
}
