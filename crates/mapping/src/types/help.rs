//! What to do about a value that does not fit: words that can be put into the file as they stand.
//!
//! What is pasted is read by YAML first, also between braces: whatever has a bracket is in quotes.

use lockgate_document::schema::Types;

use super::check::Written;
use crate::yaml::is_text;

/// Characters of an expression that is repeated in a suggestion.
const SHOWN_MAX: usize = 60;

/// What part of a rule gives a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'f> {
    /// `from`, in the rule with this `to`.
    From(&'f str),
    /// `default`
    Default,
    /// `each`, whose items are the entries.
    Each,
    /// `lookup`
    Lookup,
}

const GENERAL: &str = "give it the kind of value that the type says";

/// A name as a part of a `to`.
pub(super) fn step(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { format!("`{name}`") }
}

/// A rule that sets a place.
pub(super) fn rule(to: &str, is_list: bool) -> String {
    match is_list {
        true => format!("`- {{ to: {}, each: … }}`", scalar(&format!("{to}[]"))),
        false => format!("`- {{ to: {}, from: … }}`", scalar(to)),
    }
}

/// Rules make another kind than the type says.
pub(super) fn other_kind(wanted: Types, comes: Types, to: &str) -> String {
    match (wanted.meets(Types::ARRAY), comes == Types::ARRAY, to.strip_suffix("[]")) {
        (true, ..) if to.is_empty() => {
            "begin each `to` with `[]`, in quotes, and add a rule for its items: `- { to: '[]', each: … }`".to_owned()
        }
        (true, ..) => {
            let inner = scalar(&format!("{to}[].…"));
            format!("write `to: {inner}`, and add a rule for its items: {}", rule(to, true))
        }
        (_, true, _) if to.is_empty() => {
            "write a rule for each field; `source: { records: … }` makes a target of each record".to_owned()
        }
        (_, true, _) => "leave out `[]`, and write `from` in place of `each`".to_owned(),
        (.., Some(list)) => {
            let to = scalar(&format!("{list}[]"));
            format!("one rule gives whole entries: `- {{ to: {to}, each: …, from: … }}`")
        }
        (.., None) => format!("one rule sets it: {}", rule(to, false)),
    }
}

/// A value of another kind than the type says; `below`: it is a part of what the expression writes.
pub(super) fn kind(wanted: Types, comes: Types, written: &Written<'_>, below: bool) -> String {
    let entries = matches!(written.role, Role::Each) && !below;
    let by = |function: &str, what: &str| match entries {
        true => format!("write `from: {function}($)` beside `each`, which makes {what} of each item"),
        false => format!("`{}` makes {what} of it", with(written, below, |text| format!("{function}({text})"))),
    };
    match (wanted, comes) {
        _ if matches!(written.role, Role::Lookup) => GENERAL.to_owned(),
        (wanted, _) if wanted.meets(Types::ARRAY) => array(written, below),
        (wanted, Types::ARRAY) if entries => match wanted.meets(Types::STRING) {
            true => {
                "take one of them, `from: '$[0]'` beside `each`, or make one text of them: `from: $join($)`".to_owned()
            }
            false => "take one of them: `from: '$[0]'` beside `each`".to_owned(),
        },
        (wanted, Types::ARRAY) => several(wanted, Types::NONE, written, below),
        (wanted, Types::NUMBER | Types::INTEGER | Types::BOOLEAN) if wanted.meets(Types::STRING) => {
            by("$string", "a text")
        }
        (wanted, Types::STRING) if wanted.meets(Types::NUMBER) => by("$number", "a number"),
        (wanted, _) if wanted.meets(Types::BOOLEAN) => match entries {
            true => "write a condition beside `each`, such as `from: '$ = \"yes\"'`".to_owned(),
            false => {
                let condition = with(written, below, |text| format!("{text} = \"yes\""));
                format!("write a condition, such as `{condition}`")
            }
        },
        _ => GENERAL.to_owned(),
    }
}

/// A value that a function or an operator does not take, within an expression.
pub(super) fn misfit(wanted: Types, comes: Types, items: bool) -> String {
    let by = |function: &str| match items {
        true => format!("make one of each: `(…).{function}($)`"),
        false => format!("make one of it: `{function}(…)`"),
    };
    let scalars = Types::NUMBER.or(Types::BOOLEAN);
    match comes {
        Types::ARRAY if !items => "take one of them, `(…)[0]`, or go over each: `(…).( … )`".to_owned(),
        comes if wanted.meets(Types::STRING) && scalars.has(comes) => by("$string"),
        Types::STRING if wanted.meets(Types::NUMBER) => by("$number"),
        _ => "give it the kind of value that it takes".to_owned(),
    }
}

/// A value that is, or may be, no array where the type says array.
pub(super) fn array(written: &Written<'_>, below: bool) -> String {
    match written.role {
        Role::From(to) if !below && !to.is_empty() && !to.ends_with("[]") => {
            let to = scalar(&format!("{to}[]"));
            format!("write `to: {to}` and `each` in place of `from`, which makes an array of any number of items")
        }
        Role::Each if !below => "write `from: '[$]'` beside `each`, which makes an array of each item".to_owned(),
        Role::Lookup => GENERAL.to_owned(),
        _ => format!("`{}` is an array of any number of items", with(written, below, |text| format!("[{text}]"))),
    }
}

/// Several values where the type says one; `comes`: what each of them is, where that is known.
pub(super) fn several(wanted: Types, comes: Types, written: &Written<'_>, below: bool) -> String {
    let one = with(written, below, |text| match text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => format!("{text}[0]"),
        false => format!("({text})[0]"),
    });
    let all = |function: &str| with(written, below, |text| format!("{function}({text})"));
    if wanted.meets(Types::STRING) && (comes.is_empty() || comes == Types::STRING) {
        return format!("take one of them, `{one}`, or make one text of all: `{}`", all("$join"));
    }
    if wanted.meets(Types::NUMBER) && !comes.is_empty() && Types::NUMBER.has(comes) {
        return format!("take one of them, `{one}`, or add them up: `{}`", all("$sum"));
    }
    format!("take one of them: `{one}`")
}

/// An expression made of the one that is written; `…` stands for it where it is long, or a part of one.
fn with(written: &Written<'_>, below: bool, make: impl Fn(&str) -> String) -> String {
    let text = written.formula.map(|formula| formula.expression.text().trim());
    let shown = text.filter(|text| text.chars().count() <= SHOWN_MAX && !text.contains(['\n', '`']));
    if below { make("…") } else { scalar(&make(shown.unwrap_or("…"))) }
}

/// A text as a value in YAML, also between braces.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$' | '(' | ')');
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '$');
    match starts && text.chars().skip(1).all(is_plain) && is_text(text) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}
