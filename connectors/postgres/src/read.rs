//! A value as the server writes it becomes a value of a document.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fallible_iterator::FallibleIterator as _;
use lockgate_connector_api::{Error, Kind};
use lockgate_document::{Builder, Document, Duplicates, Fault, ParseOptions};
use lockgate_model::Limits;
use postgres_protocol::message::backend::DataRowBody;

use crate::{
    failure::{self, CODES},
    moment::{self, Malformed},
    statement::Column,
    types::{Form, Type},
};

/// Why a value did not become one.
#[derive(Debug, PartialEq)]
pub(crate) enum Unread {
    /// The document cannot hold it.
    Fault(Fault),
    /// It is not of its type's form.
    Malformed,
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Writes a row as an object.
pub(crate) fn record(out: &mut Builder, columns: &[Column], row: &DataRowBody, limits: &Limits) -> Result<(), Error> {
    let fault = |fault| CODES.fault(&fault);
    let mut ranges = row.ranges();
    out.begin_object().map_err(fault)?;
    for column in columns {
        let range = ranges.next().map_err(|e| failure::of_io(&e))?;
        let range = range.ok_or_else(|| failure::protocol("a row has too few columns"))?;
        let cell = range.and_then(|range| row.buffer().get(range));
        out.key(&column.name).map_err(fault)?;
        value(out, &column.of, cell, limits).map_err(|unread| match unread {
            Unread::Fault(fault) => CODES.fault(&fault),
            Unread::Malformed => Error::new(
                Kind::Protocol,
                "postgres-form",
                "a value is not in the form its type has in this connection (select it as text: `column::text`)",
            )
            .with_private(format!("column `{}` of type `{}`", column.name, column.of.name)),
        })?;
    }
    out.end().map_err(fault)
}

/// Writes a value; `None` is null.
pub(crate) fn value(out: &mut Builder, of: &Type, cell: Option<&[u8]>, limits: &Limits) -> Result<(), Unread> {
    let Some(cell) = cell else { return Ok(out.null()?) };
    let text = str::from_utf8(cell).map_err(|_| Unread::Malformed)?;
    match &of.form {
        Form::Boolean => out.boolean(match text {
            "t" => true,
            "f" => false,
            _ => return Err(Unread::Malformed),
        })?,
        Form::Integer(..) => out.integer(text.parse().map_err(|_| Unread::Malformed)?)?,
        Form::Numeric | Form::Float4 | Form::Float8 if is_number(text) => {
            out.number_lexeme(text).map_err(malformed)?;
        }
        // `NaN`, `Infinity` and `-Infinity` have no number in JSON.
        Form::Numeric | Form::Float4 | Form::Float8 => out.text(text)?,
        Form::Json => {
            let options = ParseOptions { duplicates: Duplicates::Last };
            let json = Document::parse_with(cell, limits, options)
                .map_err(|error| error.fault().cloned().map_or(Unread::Malformed, Unread::Fault))?;
            out.value(json.root())?;
        }
        Form::Bytes => {
            let bytes = text.strip_prefix("\\x").and_then(unhex).ok_or(Unread::Malformed)?;
            out.text(&STANDARD.encode(bytes))?;
        }
        Form::Date => out.text(&moment::date_out(text)?)?,
        Form::Timestamp | Form::TimestampTz => out.text(&moment::timestamp_out(text)?)?,
        Form::Time | Form::TimeTz => out.text(&moment::time_out(text))?,
        Form::Void => out.null()?,
        Form::Interval | Form::Uuid | Form::Text | Form::Short(_) | Form::Other => out.text(text)?,
        Form::Array(element) => array(out, element, text, limits)?,
    }
    Ok(())
}

/// A lexeme that is no JSON number is not what the type writes; anything else is the document's limit.
fn malformed(fault: Fault) -> Unread {
    if fault == Fault::WrongKind { Unread::Malformed } else { Unread::Fault(fault) }
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).starts_with(|first: char| first.is_ascii_digit())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect())?
}

/// An array's text: `{1,NULL,"a \"b\""}`, nested, perhaps after its bounds (`[0:1]=`).
fn array(out: &mut Builder, element: &Type, text: &str, limits: &Limits) -> Result<(), Unread> {
    let items = match text.strip_prefix('[') {
        Some(bounded) => bounded.split_once("]=").ok_or(Unread::Malformed)?.1,
        None => text,
    };
    let mut rest = items.as_bytes();
    let mut depth = 0_u32;
    let mut item = Vec::new();
    loop {
        match rest.split_first() {
            Some((b'{', after)) => {
                out.begin_array()?;
                (depth, rest) = (depth + 1, after);
            }
            Some((b'}', after)) if depth > 0 => {
                out.end()?;
                (depth, rest) = (depth - 1, after);
                if depth == 0 {
                    return if rest.is_empty() { Ok(()) } else { Err(Unread::Malformed) };
                }
            }
            Some((b',', after)) if depth > 0 => rest = after,
            Some((b'"', after)) if depth > 0 => {
                item.clear();
                rest = quoted(after, &mut item).ok_or(Unread::Malformed)?;
                value(out, element, Some(&item), limits)?;
            }
            Some(_) if depth > 0 => {
                let end = rest.iter().position(|b| matches!(b, b',' | b'}')).ok_or(Unread::Malformed)?;
                let (bare, after) = rest.split_at_checked(end).ok_or(Unread::Malformed)?;
                value(out, element, (bare != b"NULL").then_some(bare), limits)?;
                rest = after;
            }
            _ => return Err(Unread::Malformed),
        }
    }
}

/// Reads up to the closing quote and gives what follows it.
fn quoted<'a>(mut rest: &'a [u8], item: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [b'"', after @ ..] => return Some(after),
            [b'\\', byte, after @ ..] | [byte, after @ ..] => {
                item.push(*byte);
                rest = after;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::built_in;

    fn read(oid: u32, text: &str) -> Result<String, Unread> {
        let mut out = Builder::new(&Limits::default());
        value(&mut out, &built_in(oid).unwrap(), Some(text.as_bytes()), &Limits::default())?;
        Ok(String::from_utf8(out.finish().unwrap().print(1 << 20).unwrap()).unwrap())
    }

    #[test]
    fn what_is_not_of_its_form_is_refused() {
        for (oid, text) in [
            (16, "true"),
            (23, "1.5"),
            (23, "99999999999999999999"),
            (1700, "1.2.3"),
            (17, "\\x0"),
            (17, "\\xzz"),
            (17, "abc"),
            (114, "{"),
            (1082, "yesterday"),
            (1114, "2026-11-22"),
            (1007, ""),
            (1007, "{"),
            (1007, "{1"),
            (1007, "{1}}"),
            (1007, "{1}2"),
            (1007, "[0:1]{1}"),
            (1009, "{\"a}"),
            (1009, "{\"a\\"),
        ] {
            assert_eq!(read(oid, text), Err(Unread::Malformed), "{oid} {text}");
        }
        let invalid =
            value(&mut Builder::new(&Limits::default()), &built_in(25).unwrap(), Some(b"\xff"), &Limits::default());
        assert_eq!(invalid, Err(Unread::Malformed));
    }

    #[test]
    fn arrays_are_read_in_all_their_forms() {
        for (oid, text, json) in [
            (1007, "{}", "[]"),
            (1007, "{1,NULL,-3}", "[1,null,-3]"),
            (1007, "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
            (1007, "[-1:0]={7,8}", "[7,8]"),
            (1009, r#"{a,"b c","NULL",NULL,"",",","\"\\"}"#, r#"["a","b c","NULL",null,"",",","\"\\"]"#),
            (1231, "{1.50,NaN}", r#"[1.50,"NaN"]"#),
            (3807, r#"{"{\"a\": 1.0}",null}"#, r#"[{"a":1.0},null]"#),
        ] {
            assert_eq!(read(oid, text).as_deref(), Ok(json), "{text}");
        }
    }
}
