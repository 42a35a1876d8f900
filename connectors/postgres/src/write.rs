//! A value of a document becomes a parameter, in the text form of the type that the server expects.
//!
//! Whatever can be told wrong from here is: a number out of its type's range, a text that is no
//! date. Nothing of the call was executed then.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::sql;
use lockgate_document::{Kind, Node};

use crate::{
    moment,
    types::{Form, Type},
};

/// What is wrong with a value; completes "parameter 3 (`int4`): ".
pub(crate) type Wrong = &'static str;

/// The longest power of ten that `numeric` holds.
const NUMERIC_POWER_MAX: i64 = 131_071;

/// The text of a parameter; none is null.
pub(crate) fn parameter(node: Node<'_>, of: &Type) -> Result<Option<String>, Wrong> {
    if matches!(node.kind(), Kind::Null | Kind::Undefined) {
        return Ok(None);
    }
    let written = match &of.form {
        Form::Boolean => node.as_bool().ok_or("is no boolean")?.to_string(),
        Form::Integer(min, max) => integer(node, *min, *max)?,
        Form::Numeric => numeric(node)?,
        Form::Float4 => float(node, |text| sql::is_near(text.parse::<f32>().ok()?.into(), text).then_some(()))?,
        Form::Float8 => float(node, |text| sql::is_near(text.parse().ok()?, text).then_some(()))?,
        Form::Json => sql::json(node).ok_or("is no value of JSON")?,
        Form::Bytes => bytes(node)?,
        Form::Date => moment::date_in(text(node)?).map_err(|_| "is no date like `2026-11-22`")?,
        Form::Timestamp => moment::timestamp_in(text(node)?, false)
            .map_err(|_| "is no date and time without offset like `2026-11-22T08:30:00` (fractions to millionths)")?,
        Form::TimestampTz => moment::timestamp_in(text(node)?, true)
            .map_err(|_| "is no date and time with offset like `2026-11-22T08:30:00Z` (fractions to millionths)")?,
        Form::Time => moment::time_in(text(node)?, false)
            .map_err(|_| "is no time like `08:30:00` (fractions to millionths)")?
            .to_owned(),
        Form::TimeTz => moment::time_in(text(node)?, true)
            .map_err(|_| "is no time with offset like `08:30:00+02:00` (fractions to millionths)")?
            .to_owned(),
        Form::Interval => moment::interval_in(text(node)?)
            .map_err(|_| "is no duration like `P1DT2H30M0.5S` (of the seconds alone a fraction, to millionths)")?
            .to_owned(),
        Form::Uuid => {
            let text = text(node)?;
            let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
            if digits != 32 || text.bytes().any(|b| b != b'-' && !b.is_ascii_hexdigit()) {
                return Err("is no UUID");
            }
            text.to_owned()
        }
        Form::Text | Form::Other => scalar(node)?,
        Form::Short(bytes_max) => {
            let text = scalar(node)?;
            if text.len() > *bytes_max {
                return Err("is longer than the type");
            }
            text
        }
        Form::Void => return Err("has a type that takes no value"),
        Form::Array(element) => {
            let mut out = String::new();
            array(node, element, &mut out)?;
            out
        }
    };
    if written.contains('\0') {
        return Err("holds the character U+0000, which PostgreSQL cannot store");
    }
    Ok(Some(written))
}

fn text(node: Node<'_>) -> Result<&str, Wrong> {
    node.as_str().ok_or("is no text")
}

/// A text, or the text of a number or boolean.
fn scalar(node: Node<'_>) -> Result<String, Wrong> {
    match (node.as_str(), node.as_bool()) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Some(value)) => Ok(value.to_string()),
        (None, None) => node.lexeme().map(|lexeme| lexeme.into_owned()).ok_or("is no text, number or boolean"),
    }
}

fn integer(node: Node<'_>, min: i64, max: i64) -> Result<String, Wrong> {
    let number = node.as_str().map_or_else(|| node.as_i64(), |text| text.parse().ok());
    match number {
        Some(number) if (min..=max).contains(&number) => Ok(number.to_string()),
        _ => Err("is no whole number in the type's range"),
    }
}

fn numeric(node: Node<'_>) -> Result<String, Wrong> {
    let text = scalar(node).ok().filter(|_| node.as_bool().is_none()).ok_or("is no number")?;
    if matches!(&*text, "NaN" | "Infinity" | "-Infinity") {
        return Ok(text);
    }
    let lower = text.to_ascii_lowercase();
    let (digits, power) = lower.split_once('e').unwrap_or((&lower, "0"));
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err("is no number");
    }
    let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    match power.parse::<i64>() {
        Ok(power) if power.saturating_add(length).abs() <= NUMERIC_POWER_MAX => Ok(text),
        _ => Err("is out of the range of `numeric`"),
    }
}

fn float(node: Node<'_>, check: fn(&str) -> Option<()>) -> Result<String, Wrong> {
    let text = scalar(node).ok().filter(|_| node.as_bool().is_none()).ok_or("is no number")?;
    match &*text {
        "NaN" | "Infinity" | "-Infinity" => Ok(text),
        other if other.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            check(other).map(|()| text).ok_or("is no number in the type's range")
        }
        _ => Err("is no number"),
    }
}

fn bytes(node: Node<'_>) -> Result<String, Wrong> {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let bytes = STANDARD.decode(text(node)?).map_err(|_| "is no base64")?;
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    Ok("\\x".chars().chain(digits).collect())
}

/// An array's text. Elements are always quoted, so that nothing in them can end them.
fn array(node: Node<'_>, element: &Type, out: &mut String) -> Result<(), Wrong> {
    if node.kind() != Kind::Array {
        return Err("is no list");
    }
    out.push('{');
    for (at, item) in node.items().enumerate() {
        if at > 0 {
            out.push(',');
        }
        // A list inside a list is a further dimension; inside an array of JSON it is a value.
        if item.kind() == Kind::Array && element.form != Form::Json {
            array(item, element, out)?;
            continue;
        }
        match parameter(item, element)? {
            None => out.push_str("NULL"),
            Some(text) => {
                out.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
            }
        }
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::*;
    use crate::types::built_in;

    fn write(oid: u32, json: &str) -> Result<Option<String>, Wrong> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        parameter(document.root(), &built_in(oid).unwrap())
    }

    #[test]
    fn what_does_not_fit_its_type_is_refused() {
        for (oid, json) in [
            (16, "1"),
            (16, "\"true\""),
            (21, "32768"),
            (23, "2147483648"),
            (23, "1.5"),
            (23, "\"12a\""),
            (23, "true"),
            (20, "9223372036854775808"),
            (26, "-1"),
            (1700, "\"1; drop table x\""),
            (1700, "\"1.\""),
            (1700, "1e131072"),
            (1700, "1e-131073"),
            (1700, "true"),
            (700, "1e39"),
            (700, "1e-60"),
            (701, "1e400"),
            (701, "1e-400"),
            (701, "\"inf\""),
            (701, "\"one\""),
            (17, "\"not base64!\""),
            (18, "\"ab\""),
            (19, "\"1234567890123456789012345678901234567890123456789012345678901234\""),
            (25, "{}"),
            (25, "\"a\\u0000b\""),
            (1082, "20261122"),
            (1184, "\"2026-11-22T08:30:00\""),
            (1114, "\"2026-11-22T08:30:00Z\""),
            (1186, "\"1 day\""),
            (1114, "\"2026-11-22T08:30:00.1234567\""),
            (1186, "\"-P1D\""),
            (1186, "\"P0.1Y\""),
            (2950, "\"0189\""),
            (1007, "1"),
            (1007, "[1, \"x\"]"),
            (1007, "[2147483648]"),
        ] {
            assert!(write(oid, json).is_err(), "{oid} {json} was taken");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for (oid, json, text) in [
            (20, "9223372036854775807", "9223372036854775807"),
            (20, "\"-9223372036854775808\"", "-9223372036854775808"),
            (23, "7.0", "7"),
            (1700, "12345678901234567890.123456789012345678900", "12345678901234567890.123456789012345678900"),
            (1700, "\"NaN\"", "NaN"),
            (701, "0.1", "0.1"),
            (701, "0e-999", "0e-999"),
            (25, "1.50", "1.50"),
            (25, "true", "true"),
            (17, "\"AP8=\"", "\\x00ff"),
            (114, "{\"a\": [1.50, null]}", "{\"a\":[1.50,null]}"),
            (1082, "\"-0043-03-15\"", "0044-03-15 BC"),
        ] {
            assert_eq!(write(oid, json), Ok(Some(text.to_owned())), "{json}");
        }
        assert_eq!(write(23, "null"), Ok(None));
    }

    #[test]
    fn nothing_in_an_element_ends_it() {
        assert_eq!(
            write(1009, r#"["a", null, "NULL", "", "},{", "\"\\"]"#),
            Ok(Some(r#"{"a",NULL,"NULL","","},{","\"\\"}"#.to_owned()))
        );
        assert_eq!(write(1007, "[[1, 2], [3, null]]"), Ok(Some(r#"{{"1","2"},{"3",NULL}}"#.to_owned())));
        assert_eq!(write(3807, "[[1], {}]"), Ok(Some(r#"{"[1]","{}"}"#.to_owned())));
        assert_eq!(write(1007, "[]"), Ok(Some("{}".to_owned())));
    }
}
