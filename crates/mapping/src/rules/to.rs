//! The path of a rule into the target.

use lockgate_model::diagnostic::Span;

/// A part of a `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A field of an object.
    Field(String),
    /// An entry of an array.
    Entry,
}

impl Part {
    /// The field as a step of an expression; none for an entry.
    pub(super) fn quoted(&self) -> Option<String> {
        match self {
            Part::Field(name) => Some(format!("`{name}`")),
            Part::Entry => None,
        }
    }
}
/// A part and where it stands.
pub(super) type Placed = (Part, Span);

/// What is wrong with a `to`, and at which of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: usize,
    pub(super) message: &'static str,
}

fn plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$')
}

/// Reads `buyer.name`, `items[].sku`, `` `odd name`.x ``, `[]`. Places are bytes of the text.
pub(super) fn parse(text: &str) -> Result<Vec<Placed>, Malformed> {
    let mut parts = Vec::new();
    let mut rest = text;
    let wrong = |rest: &str, message| Err(Malformed { at: text.len() - rest.len(), message });
    let between = |from: &str, to: &str| Span::new(text.len() - from.len(), text.len() - to.len());
    if let Some(after) = rest.strip_prefix("[]") {
        parts.push((Part::Entry, between(rest, after)));
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(parts),
            None => return wrong(after, "`[]` is followed by a dot or nothing"),
        }
    }
    loop {
        if let Some(quoted) = rest.strip_prefix('`') {
            let Some((name, after)) = quoted.split_once('`') else {
                return wrong(rest, "the backtick is not closed");
            };
            parts.push((Part::Field(name.to_owned()), between(rest, after)));
            rest = after;
        } else {
            let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if name.is_empty() {
                return wrong(rest, "a name is expected here");
            }
            parts.push((Part::Field(name.to_owned()), between(rest, after)));
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("[]") {
            parts.push((Part::Entry, between(rest, after)));
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(parts),
            None => return wrong(rest, "a dot or the end is expected here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Part {
        Part::Field(name.to_owned())
    }

    #[test]
    fn malformed_paths_say_where() {
        for (text, at) in [
            ("", 0),
            ("a.", 2),
            ("a..b", 2),
            ("a[0]", 1),
            ("a b", 1),
            ("`a", 0),
            ("[].", 3),
            ("[]a", 2),
            ("a[][]", 3),
            (".a", 0),
        ] {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn paths_are_names_and_entries() {
        let parts = |text| parse(text).unwrap().into_iter().map(|(part, _)| part).collect::<Vec<_>>();
        assert_eq!(parts("buyer.name"), [field("buyer"), field("name")]);
        assert_eq!(parts("items[].sku"), [field("items"), Part::Entry, field("sku")]);
        assert_eq!(parts("`a b.c`[]"), [field("a b.c"), Part::Entry]);
        assert_eq!(parts("[].Größe"), [Part::Entry, field("Größe")]);
        assert_eq!(parts("[]"), [Part::Entry]);
    }

    #[test]
    fn parts_know_where_they_stand() {
        let text = "`a b`[].Größe.x";
        let at: Vec<_> =
            parse(text).unwrap().iter().map(|(_, at)| text.get(at.start as usize..at.end as usize).unwrap()).collect();
        assert_eq!(at, ["`a b`", "[]", "Größe", "x"]);
    }
}
