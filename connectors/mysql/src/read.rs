//! A value as the server sends it becomes a value of a document.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::{Error, Kind};
use lockgate_document::{Builder, Document, Duplicates, Fault, ParseOptions};
use lockgate_model::Limits;

use crate::{
    failure::{self, CODES},
    fields::Fields,
    moment,
    types::{Column, Form},
};

/// Writes a row as an object (MySQL source documentation, "Binary Protocol Resultset Row").
pub(crate) fn record(out: &mut Builder, columns: &[Column], row: &[u8], limits: &Limits) -> Result<(), Error> {
    let mut fields = Fields(row);
    if fields.byte()? != 0 {
        return Err(failure::protocol("a row that is none"));
    }
    // Two bits come before the first column's.
    let nulls = fields.bytes((columns.len() + 2).div_ceil(8))?;
    out.begin_object().map_err(fault)?;
    for (at, column) in columns.iter().enumerate() {
        out.key(&column.name).map_err(fault)?;
        let bits = nulls.get((at + 2) / 8).copied().unwrap_or_default();
        if bits >> ((at + 2) % 8) & 1 == 1 {
            out.null().map_err(fault)?;
        } else {
            value(out, column, &mut fields, limits)?;
        }
    }
    out.end().map_err(fault)
}

fn value(out: &mut Builder, column: &Column, fields: &mut Fields<'_>, limits: &Limits) -> Result<(), Error> {
    let malformed = || {
        Error::new(
            Kind::Protocol,
            "mysql-form",
            "a value is not in the form its type has (select it as text: `cast(column as char)`)",
        )
        .with_private(format!("column `{}` of type `{}`", column.name, column.of))
    };
    let written = match column.form {
        Form::Signed(bytes) => out.integer(match bytes {
            1 => fields.byte()?.cast_signed().into(),
            2 => fields.short()?.cast_signed().into(),
            4 => fields.long()?.cast_signed().into(),
            _ => fields.wide()?.cast_signed(),
        }),
        Form::Unsigned(bytes) => unsigned(
            out,
            match bytes {
                1 => fields.byte()?.into(),
                2 => fields.short()?.into(),
                4 => fields.long()?.into(),
                _ => fields.wide()?,
            },
        ),
        Form::Decimal => out.number_lexeme(&lexeme(fields.text()?)),
        // The shortest text that gives the same value of its own width.
        Form::Float => out.number_lexeme(&shortest(f32::from_bits(fields.long()?))),
        Form::Double => out.number_lexeme(&shortest(f64::from_bits(fields.wide()?))),
        Form::Bits => {
            let bytes = fields.counted()?;
            if bytes.len() > 8 {
                return Err(malformed());
            }
            unsigned(out, bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        Form::Text => out.text(str::from_utf8(fields.counted()?).map_err(|_| malformed())?),
        Form::Bytes => out.text(&STANDARD.encode(fields.counted()?)),
        Form::Json => {
            let options = ParseOptions { duplicates: Duplicates::Last };
            let json = Document::parse_with(fields.counted()?, limits, options)
                .map_err(|error| error.fault().cloned().map_or_else(malformed, fault))?;
            out.value(json.root())
        }
        Form::Date => out.text(&moment::date(fields.counted()?)?),
        Form::DateTime => out.text(&moment::date_time(fields.counted()?)?),
        Form::Timestamp => {
            let mut text = moment::date_time(fields.counted()?)?;
            text.push('Z');
            out.text(&text)
        }
        Form::Time => out.text(&moment::time(fields.counted()?)?),
        Form::Null => out.null(),
    };
    // A lexeme that is no number is not what the type has; anything else is the document's limit.
    written.map_err(|of| if of == Fault::WrongKind { malformed() } else { fault(of) })
}

fn fault(fault: Fault) -> Error {
    CODES.fault(&fault)
}

fn unsigned(out: &mut Builder, number: u64) -> Result<(), Fault> {
    match i64::try_from(number) {
        Ok(number) => out.integer(number),
        Err(_) => out.number_lexeme(&number.to_string()),
    }
}

/// A `decimal` as JSON has it: a `zerofill` column has zeros before its digits.
fn lexeme(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let trimmed = digits.trim_start_matches('0');
    let zero = if trimmed.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
    format!("{sign}{zero}{trimmed}")
}

/// The shortest digits of a number; with an exponent where it is far from one.
fn shortest<T: Into<f64> + Copy + std::fmt::Display + std::fmt::LowerExp>(number: T) -> String {
    let size = number.into().abs();
    if size != 0.0 && !(1e-7..1e21).contains(&size) { format!("{number:e}") } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: Form, bytes: &[u8]) -> Result<String, Error> {
        let column = Column { name: "c".to_owned(), of: "t".to_owned(), form };
        let mut out = Builder::new(&Limits::default());
        let row = [&[0, 0], bytes].concat();
        record(&mut out, &[column], &row, &Limits::default())?;
        Ok(String::from_utf8(out.finish().unwrap().print(1 << 20).unwrap()).unwrap())
    }

    #[test]
    fn what_is_not_of_its_form_is_refused() {
        for (form, bytes) in [
            (Form::Signed(4), &[1, 2, 3][..]),
            (Form::Decimal, b"\x05abcde"),
            (Form::Decimal, b"\x031.x"),
            (Form::Bits, &[9, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (Form::Text, &[1, 0xff]),
            (Form::Text, &[2, b'a']),
            (Form::Json, b"\x01{"),
            (Form::Date, &[3, 234, 7, 11]),
            (Form::Double, &[0, 0, 0, 0]),
            // Infinite, and no number: no server stores them.
            (Form::Double, &[0, 0, 0, 0, 0, 0, 0xf0, 0x7f]),
            (Form::Float, &[0, 0, 0xc0, 0x7f]),
        ] {
            assert_eq!(read(form, bytes).unwrap_err().kind(), Kind::Protocol, "{form:?} {bytes:?}");
        }
    }

    #[test]
    fn digits_are_kept() {
        for (form, bytes, json) in [
            (Form::Decimal, &b"\x070001.50"[..], r#"{"c":1.50}"#),
            (Form::Decimal, b"\x06-0.050", r#"{"c":-0.050}"#),
            (Form::Decimal, b"\x04.500", r#"{"c":0.500}"#),
            (Form::Unsigned(8), &[0xff; 8], r#"{"c":18446744073709551615}"#),
            (Form::Signed(8), &[0xff; 8], r#"{"c":-1}"#),
            (Form::Bits, &[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], r#"{"c":18446744073709551615}"#),
            (Form::Float, &0.1_f32.to_le_bytes(), r#"{"c":0.1}"#),
            (Form::Double, &1e300_f64.to_le_bytes(), r#"{"c":1e300}"#),
            (Form::Bytes, &[2, 0, 0xff], r#"{"c":"AP8="}"#),
        ] {
            assert_eq!(read(form, bytes).unwrap(), json);
        }
    }
}
