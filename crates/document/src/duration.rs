//! Lengths of time that an expression gives.

use lockgate_model::duration::{UNITS, iso8601};

use crate::node::{Kind, Node};

/// Milliseconds of an ISO 8601 duration, or of an object of units with whole numbers. None for anything else.
pub fn milliseconds(value: Node<'_>) -> Option<i64> {
    match value.kind() {
        Kind::String => iso8601(value.as_str()?),
        Kind::Object if !value.is_empty() => value.entries().try_fold(0_i64, |sum, (name, count)| {
            let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
            sum.checked_add(count.as_i64().filter(|count| *count >= 0)?.checked_mul(*unit)?)
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lockgate_model::Limits;

    use super::milliseconds;
    use crate::Document;

    #[test]
    fn lengths_of_time() {
        let length = |json: &str| milliseconds(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root());
        for (json, ms) in
            [("\"PT1.5S\"", 1_500), ("{\"seconds\":2,\"milliseconds\":3}", 2_003), ("{\"days\":1}", 86_400_000)]
        {
            assert_eq!(length(json), Some(ms), "{json}");
        }
        for json in [
            "5",
            "null",
            "[]",
            "{}",
            "\"\"",
            "\"5s\"",
            "{\"seconds\":-1}",
            "{\"seconds\":1.5}",
            "{\"weeks\":1}",
            "{\"days\":9223372036854775807}",
            "{\"seconds\":\"1\"}",
        ] {
            assert_eq!(length(json), None, "{json}");
        }
    }
}
