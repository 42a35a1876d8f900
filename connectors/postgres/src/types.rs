//! The types of columns and parameters, as far as their form in a document differs.
//!
//! Values travel as PostgreSQL's text, which every type has: a type that is not named here is a
//! text in the document too.

use std::sync::Arc;

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Type {
    /// As the server names it.
    pub name: String,
    /// Its form.
    pub form: Form,
}

/// How values of a type stand in a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Form {
    /// A boolean.
    Boolean,
    /// A whole number in this range.
    Integer(i64, i64),
    /// A number with all its digits.
    Numeric,
    /// A number: the nearest one of 32 bits.
    Float4,
    /// A number: the nearest one of 64 bits.
    Float8,
    /// Any value.
    Json,
    /// A text in base64.
    Bytes,
    /// `2026-11-22`
    Date,
    /// `2026-11-22T08:30:00.5`
    Timestamp,
    /// `2026-11-22T08:30:00.5Z`
    TimestampTz,
    /// `08:30:00.5`
    Time,
    /// `08:30:00.5+02:00`
    TimeTz,
    /// `P1DT2H`
    Interval,
    /// 32 hexadecimal digits with hyphens.
    Uuid,
    /// Any text.
    Text,
    /// A text of so many bytes at most: the server would cut off the rest in silence.
    Short(usize),
    /// Null: what a procedure-like function gives.
    Void,
    /// The server's text of the value.
    Other,
    /// A list, nested once for each dimension.
    Array(Arc<Type>),
}

/// Type, its arrays, name, form: the OIDs of `pg_type.dat`, which never change.
const BUILT_IN: &[(u32, u32, &str, Form)] = &[
    (16, 1000, "bool", Form::Boolean),
    (17, 1001, "bytea", Form::Bytes),
    (18, 1002, "char", Form::Short(1)),
    (19, 1003, "name", Form::Short(63)),
    (20, 1016, "int8", Form::Integer(i64::MIN, i64::MAX)),
    (21, 1005, "int2", Form::Integer(i16::MIN as i64, i16::MAX as i64)),
    (23, 1007, "int4", Form::Integer(i32::MIN as i64, i32::MAX as i64)),
    (25, 1009, "text", Form::Text),
    (26, 1028, "oid", Form::Integer(0, u32::MAX as i64)),
    (114, 199, "json", Form::Json),
    (142, 143, "xml", Form::Text),
    (650, 651, "cidr", Form::Other),
    (700, 1021, "float4", Form::Float4),
    (701, 1022, "float8", Form::Float8),
    (829, 1040, "macaddr", Form::Other),
    (869, 1041, "inet", Form::Other),
    (1042, 1014, "bpchar", Form::Text),
    (1043, 1015, "varchar", Form::Text),
    (1082, 1182, "date", Form::Date),
    (1083, 1183, "time", Form::Time),
    (1114, 1115, "timestamp", Form::Timestamp),
    (1184, 1185, "timestamptz", Form::TimestampTz),
    (1186, 1187, "interval", Form::Interval),
    (1266, 1270, "timetz", Form::TimeTz),
    (1700, 1231, "numeric", Form::Numeric),
    (2950, 2951, "uuid", Form::Uuid),
    (3802, 3807, "jsonb", Form::Json),
];

/// A type that every server has, without asking it.
pub(crate) fn built_in(oid: u32) -> Option<Type> {
    if oid == 2278 {
        return Some(Type { name: "void".to_owned(), form: Form::Void });
    }
    BUILT_IN.iter().find_map(|(own, array, name, form)| {
        let element = Type { name: (*name).to_owned(), form: form.clone() };
        match oid {
            _ if oid == *own => Some(element),
            _ if oid == *array => Some(Type { name: format!("{name}[]"), form: Form::Array(Arc::new(element)) }),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_hold_their_elements() {
        assert_eq!(built_in(23).unwrap().name, "int4");
        let array = built_in(1007).unwrap();
        assert_eq!(array.name, "int4[]");
        assert_eq!(array.form, Form::Array(Arc::new(built_in(23).unwrap())));
        assert_eq!(built_in(600), None);
    }
}
