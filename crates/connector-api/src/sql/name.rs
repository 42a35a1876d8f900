//! Names of tables, columns and routines that a call gives as values: they are quoted here and are
//! never part of a statement in any other way.

use lockgate_document::{Kind, Node};

use super::Codes;
use crate::Error;

/// A name, perhaps in a schema: `orders`, `sales.orders`.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    /// The schema, where one is given.
    pub schema: Option<&'a str>,
    /// The name in it.
    pub name: &'a str,
}

impl<'a> Name<'a> {
    /// Reads a name of one or two parts.
    ///
    /// # Errors
    /// `Input` when it is none.
    pub fn read(node: Node<'a>, wrong: &'static str, codes: Codes) -> Result<Self, Error> {
        let text = node.as_str().unwrap_or_default();
        let (schema, name) = text.split_once('.').map_or((None, text), |(schema, name)| (Some(schema), name));
        if name.contains('.') || !schema.into_iter().chain([name]).all(is_name) {
            return Err(codes.input(wrong));
        }
        Ok(Self { schema, name })
    }

    /// Both parts in quotes.
    pub fn quoted(self, quote: char) -> String {
        let name = quoted(self.name, quote);
        self.schema.map_or(name.clone(), |schema| format!("{}.{name}", quoted(schema, quote)))
    }
}

/// Reads a list of different names.
///
/// # Errors
/// `Input` when it is none, or empty.
pub(super) fn names<'a>(node: Node<'a>, wrong: &'static str, codes: Codes) -> Result<Vec<&'a str>, Error> {
    let items = (node.kind() == Kind::Array).then(|| node.items().map(|item| item.as_str()).collect());
    let names: Option<Vec<&str>> = items.flatten();
    let mut names = names.filter(|names| !names.is_empty()).ok_or_else(|| codes.input(wrong))?;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    if !names.iter().all(|name| is_name(name)) || sorted.array_windows().any(|[one, next]| one == next) {
        return Err(codes.input(wrong));
    }
    names.shrink_to_fit();
    Ok(names)
}

/// Both databases cut off or refuse longer ones.
fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len()) && !name.contains('\0')
}

/// A name in quotes.
pub fn quoted(name: &str, quote: char) -> String {
    let doubled = name.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::*;
    use crate::sql::tests::CODES;

    #[test]
    fn nothing_ends_a_quoted_name() {
        for (json, sql) in [
            (r#""orders""#, r#""orders""#),
            (r#""Sales.the orders""#, r#""Sales"."the orders""#),
            (r#""a\";drop table b""#, r#""a"";drop table b""#),
            (r#""a\"\"""#, r#""a""""""#),
        ] {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(Name::read(document.root(), "", CODES).unwrap().quoted('"'), sql);
        }
        assert_eq!(quoted("a`b", '`'), "`a``b`");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("\"{}\"", "x".repeat(64));
        for json in ["1", r#""""#, r#""a.b.c""#, r#"".a""#, r#""a.""#, r#""a\u0000b""#, &long, "null"] {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            assert!(Name::read(document.root(), "", CODES).is_err(), "{json}");
        }
        for json in ["[]", r#"["a", "a"]"#, r#"["a", ""]"#, r#"["a", 1]"#, r#""a""#] {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            assert!(names(document.root(), "", CODES).is_err(), "{json}");
        }
    }
}
