//! A value of a document becomes a parameter.
//!
//! The server does not say which type it expects, so the value decides how it travels; the server
//! turns it into what it needs by its own rules, and refuses what it would have to cut (`sql_mode` is
//! strict). What a text stands for beside itself is said by the call.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::sql::{self, Typed};
use lockgate_document::{Kind, Node};

use crate::{fields::put_counted, moment};

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Null.
    Null,
    /// True or false, a `tinyint`.
    Boolean(bool),
    /// A whole number.
    Signed(i64),
    /// A whole number past the largest of those.
    Unsigned(u64),
    /// A number with all its digits.
    Decimal(String),
    /// The nearest number of 64 bits.
    Double(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What is wrong with a value; completes "parameter 3: ".
pub(crate) type Wrong = &'static str;

/// Digits of a `decimal` in all (both servers), and behind the point (MySQL).
const DIGITS_MAX: usize = 65;
const FRACTION_DIGITS_MAX: usize = 30;

/// The parameter that a value makes, with what the call says of it.
pub(crate) fn parameter(node: Node<'_>, of: Option<Typed>) -> Result<Value, Wrong> {
    if let Some(of) = of
        && !matches!(node.kind(), Kind::Null | Kind::Undefined)
    {
        return typed(node, of);
    }
    if let Some(text) = node.as_str() {
        return Ok(Value::Text(text.to_owned()));
    }
    if let Some(truth) = node.as_bool() {
        return Ok(Value::Boolean(truth));
    }
    match (node.kind(), node.lexeme()) {
        (Kind::Null | Kind::Undefined, _) => Ok(Value::Null),
        (_, Some(lexeme)) => number(&lexeme),
        // A list or an object, for a column of JSON.
        _ => sql::json(node).map(Value::Text).ok_or("is no value of JSON"),
    }
}

fn typed(node: Node<'_>, of: Typed) -> Result<Value, Wrong> {
    match of {
        Typed::Bytes => {
            let bytes = node.as_str().and_then(|text| STANDARD.decode(text).ok());
            bytes.map(Value::Bytes).ok_or("is no base64")
        }
        Typed::Timestamp => node.as_str().and_then(moment::utc).map(Value::Text).ok_or(
            "is no date and time with offset like `2026-11-22T08:30:00Z` (fractions to millionths, no leap second)",
        ),
    }
}

fn number(lexeme: &str) -> Result<Value, Wrong> {
    if let Ok(whole) = lexeme.parse() {
        return Ok(Value::Signed(whole));
    }
    if let Ok(whole) = lexeme.parse() {
        return Ok(Value::Unsigned(whole));
    }
    if lexeme.contains(['e', 'E']) {
        let value = lexeme.parse().ok().filter(|value| sql::is_near(*value, lexeme));
        return value.map(Value::Double).ok_or("is a number out of the range of `double`");
    }
    let digits = lexeme.bytes().filter(u8::is_ascii_digit).count();
    let fraction = lexeme.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if digits > DIGITS_MAX || fraction > FRACTION_DIGITS_MAX {
        return Err("is a number with more digits than `decimal` has (65, and 30 of them behind the point)");
    }
    Ok(Value::Decimal(lexeme.to_owned()))
}

/// Bytes of data in values.
pub(crate) fn bytes(values: &[Value]) -> u64 {
    let length = |value: &Value| match value {
        Value::Null => 0,
        Value::Boolean(_) => 1,
        Value::Signed(_) | Value::Unsigned(_) | Value::Double(_) => 8,
        Value::Decimal(text) | Value::Text(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
    };
    values.iter().map(length).sum()
}

/// The command that runs a prepared statement (MySQL source documentation, `COM_STMT_EXECUTE`).
pub(crate) fn run(statement: u32, values: &[Value]) -> Vec<u8> {
    let mut out = vec![0x17];
    out.extend(statement.to_le_bytes());
    // No cursor; one run.
    out.extend([0, 1, 0, 0, 0]);
    if values.is_empty() {
        return out;
    }
    let is_null = |value: &Value| u8::from(*value == Value::Null);
    out.extend(values.chunks(8).map(|eight| eight.iter().rev().fold(0, |bits, value| bits << 1 | is_null(value))));
    // The types follow.
    out.push(1);
    out.extend(values.iter().flat_map(|value| match value {
        Value::Null => [6, 0],
        Value::Boolean(_) => [1, 0],
        Value::Signed(_) => [8, 0],
        Value::Unsigned(_) => [8, 0x80],
        Value::Decimal(_) => [246, 0],
        Value::Double(_) => [5, 0],
        Value::Text(_) => [253, 0],
        Value::Bytes(_) => [252, 0],
    }));
    for value in values {
        match value {
            Value::Null => {}
            Value::Boolean(truth) => out.push(u8::from(*truth)),
            Value::Signed(number) => out.extend(number.to_le_bytes()),
            Value::Unsigned(number) => out.extend(number.to_le_bytes()),
            Value::Double(number) => out.extend(number.to_le_bytes()),
            Value::Decimal(text) | Value::Text(text) => put_counted(&mut out, text.as_bytes()),
            Value::Bytes(bytes) => put_counted(&mut out, bytes),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::*;

    fn write(json: &str) -> Result<Value, Wrong> {
        write_as(None, json)
    }

    fn write_as(of: Option<Typed>, json: &str) -> Result<Value, Wrong> {
        parameter(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root(), of)
    }

    #[test]
    fn bytes_are_base64_and_nothing_else() {
        let bytes = |json| write_as(Some(Typed::Bytes), json);
        for json in ["\"not base64!\"", "\"AP8\"", "\"AP9=\"", "\"AP8=\\n\"", "1", "true", "[]", "{}"] {
            assert_eq!(bytes(json), Err("is no base64"), "{json}");
        }
        assert_eq!(bytes("\"AP8=\""), Ok(Value::Bytes(vec![0, 255])));
        assert_eq!(bytes("\"\""), Ok(Value::Bytes(Vec::new())));
        assert_eq!(bytes("null"), Ok(Value::Null));
    }

    #[test]
    fn numbers_that_nothing_holds_are_refused() {
        let long = "1".repeat(66);
        let fine = format!("0.{}", "1".repeat(31));
        for json in ["1e400", "1e-400", "-1e309", &long, &fine] {
            assert!(write(json).is_err(), "{json} was taken");
        }
    }

    #[test]
    fn values_decide_how_they_travel() {
        for (json, value) in [
            ("null", Value::Null),
            ("true", Value::Boolean(true)),
            ("-9223372036854775808", Value::Signed(i64::MIN)),
            ("18446744073709551615", Value::Unsigned(u64::MAX)),
            ("18446744073709551616", Value::Decimal("18446744073709551616".to_owned())),
            ("7.50", Value::Decimal("7.50".to_owned())),
            ("1.5e3", Value::Double(1500.0)),
            ("0e-999", Value::Double(0.0)),
            ("\"7.50\"", Value::Text("7.50".to_owned())),
            ("{\"a\": [1.50, null]}", Value::Text("{\"a\":[1.50,null]}".to_owned())),
        ] {
            assert_eq!(write(json), Ok(value), "{json}");
        }
    }

    #[test]
    fn nulls_stand_in_their_bits() {
        let values: Vec<Value> =
            (0..10).map(|n| if n == 1 || n == 9 { Value::Null } else { Value::Boolean(true) }).collect();
        let packet = run(7, &values);
        assert_eq!(packet[..13], [0x17, 7, 0, 0, 0, 0, 1, 0, 0, 0, 0b10, 0b10, 1]);
        assert_eq!(packet.len(), 13 + 2 * 10 + 8);
    }
}
