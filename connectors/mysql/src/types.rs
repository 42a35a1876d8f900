//! The types of columns, as far as their form in a document differs.

use lockgate_connector_api::Error;

use crate::{failure, fields::Fields};

/// A column of the rows that a statement gives.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as the server calls it.
    pub of: String,
    /// The form of its values.
    pub form: Form,
}

/// How values of a type stand in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A whole number of so many bytes, from 0 on.
    Unsigned(u8),
    /// A whole number of so many bytes.
    Signed(u8),
    /// A number with all its digits.
    Decimal,
    /// A number: the nearest one of 32 bits.
    Float,
    /// A number: the nearest one of 64 bits.
    Double,
    /// A whole number from 0 on, the first bit the highest.
    Bits,
    /// Any text.
    Text,
    /// A text in base64.
    Bytes,
    /// Any value.
    Json,
    /// `2026-11-22`
    Date,
    /// `2026-11-22T08:30:00.5`
    DateTime,
    /// `2026-11-22T08:30:00.5Z`
    Timestamp,
    /// `08:30:00.5`, of any number of hours.
    Time,
    /// Null.
    Null,
}

/// Whether a type that the server names in its own catalogue holds bytes.
pub(crate) fn holds_bytes(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("blob")
        || matches!(
            &*name,
            "binary"
                | "varbinary"
                | "vector"
                | "geometry"
                | "point"
                | "linestring"
                | "polygon"
                | "multipoint"
                | "multilinestring"
                | "multipolygon"
                | "geometrycollection"
                | "geomcollection"
        )
}

/// The collation of what is no text.
const BINARY: u16 = 63;
const UNSIGNED: u16 = 1 << 5;
const ENUM: u16 = 1 << 8;
const SET: u16 = 1 << 11;

impl Column {
    /// Reads a column's description. MariaDB says what it knows beyond the protocol's types, where we
    /// asked it to.
    pub fn read(packet: &[u8], has_metadata: bool) -> Result<Self, Error> {
        let mut fields = Fields(packet);
        // Catalogue, database, table and its own name come before the name; the column's own after.
        for _ in 0..4 {
            fields.counted()?;
        }
        let name = fields.text()?.to_owned();
        fields.counted()?;
        let (mut known, mut is_json) = (None, false);
        if has_metadata {
            let mut metadata = Fields(fields.counted()?);
            while !metadata.0.is_empty() {
                match (metadata.byte()?, metadata.text()?) {
                    (0, text) => known = Some(text.to_owned()),
                    (1, text) => is_json = text == "json",
                    _ => {}
                }
            }
        }
        fields.number()?;
        let collation = fields.short()?;
        fields.long()?;
        let (number, flags) = (fields.byte()?, fields.short()?);
        let (of, form) = if is_json { ("json", Form::Json) } else { form(number, flags, collation)? };
        let of = match form {
            Form::Unsigned(_) if number != 13 => format!("{of} unsigned"),
            _ => known.unwrap_or_else(|| of.to_owned()),
        };
        Ok(Self { name, of, form })
    }
}

/// Name and form of a type by its number (MySQL source documentation, `field_types.h`).
fn form(number: u8, flags: u16, collation: u16) -> Result<(&'static str, Form), Error> {
    let whole = |bytes| if flags & UNSIGNED == 0 { Form::Signed(bytes) } else { Form::Unsigned(bytes) };
    let is_binary = collation == BINARY;
    let either = |text, bytes| if is_binary { (bytes, Form::Bytes) } else { (text, Form::Text) };
    Ok(match number {
        0 | 246 => ("decimal", Form::Decimal),
        1 => ("tinyint", whole(1)),
        2 => ("smallint", whole(2)),
        3 => ("int", whole(4)),
        4 => ("float", Form::Float),
        5 => ("double", Form::Double),
        6 => ("null", Form::Null),
        7 => ("timestamp", Form::Timestamp),
        8 => ("bigint", whole(8)),
        9 => ("mediumint", whole(4)),
        10 | 14 => ("date", Form::Date),
        11 => ("time", Form::Time),
        12 => ("datetime", Form::DateTime),
        13 => ("year", Form::Unsigned(2)),
        16 => ("bit", Form::Bits),
        242 => ("vector", Form::Bytes),
        245 => ("json", Form::Json),
        247 => ("enum", Form::Text),
        248 => ("set", Form::Text),
        254 if flags & ENUM != 0 => ("enum", Form::Text),
        254 if flags & SET != 0 => ("set", Form::Text),
        254 => either("char", "binary"),
        15 | 253 => either("varchar", "varbinary"),
        249..=252 => either("text", "blob"),
        255 => ("geometry", Form::Bytes),
        _ => return Err(failure::protocol("a type that is not known")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::put_counted;

    #[test]
    fn what_mariadb_knows_of_a_type_is_told() {
        let column = |metadata: Option<&[u8]>, number, flags: u16| {
            let mut packet = Vec::new();
            for text in ["def", "", "t", "t", "name", "name"] {
                put_counted(&mut packet, text.as_bytes());
            }
            metadata.into_iter().for_each(|metadata| put_counted(&mut packet, metadata));
            packet.extend([12, 45, 0, 0, 0, 0, 0, number]);
            packet.extend(flags.to_le_bytes());
            packet.extend([0, 0, 0]);
            Column::read(&packet, metadata.is_some()).map(|column| (column.of, column.form))
        };
        assert_eq!(column(None, 252, 0).unwrap(), ("text".to_owned(), Form::Text));
        assert_eq!(column(Some(b"\x01\x04json"), 252, 0).unwrap(), ("json".to_owned(), Form::Json));
        assert_eq!(column(Some(b"\x00\x04uuid"), 254, 0).unwrap(), ("uuid".to_owned(), Form::Text));
        assert_eq!(column(Some(b""), 8, UNSIGNED).unwrap(), ("bigint unsigned".to_owned(), Form::Unsigned(8)));
        assert!(column(None, 77, 0).is_err());
        assert!(column(Some(b"\x00\x09uuid"), 254, 0).is_err());
    }
}
