//! Values of documents as JSON for people and programs.

use lockgate_document::{Kind, Node};

/// A value as JSON; none for undefined.
pub fn json(node: Node<'_>) -> Option<String> {
    let mut out = String::new();
    write(node, &mut out, usize::MAX);
    (!node.is_undefined()).then_some(out)
}

/// A value for a terminal: cut after so many characters, and without what a terminal would obey.
pub fn cut(node: Node<'_>, chars_max: usize) -> String {
    if node.is_undefined() {
        return "nothing".to_owned();
    }
    let mut out = String::new();
    // A character has at most four bytes.
    write(node, &mut out, chars_max.saturating_mul(4));
    cut_text(&out, chars_max)
}

/// The same of a text.
pub fn cut_text(text: &str, chars_max: usize) -> String {
    let mut shown: String = text.chars().take(chars_max).map(harmless).collect();
    if text.chars().nth(chars_max).is_some() {
        shown.push('…');
    }
    shown
}

/// What a terminal takes for a command, or for another direction of writing, is not shown as it is.
fn harmless(c: char) -> char {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { char::REPLACEMENT_CHARACTER } else { c }
}

/// Writes until there are more than so many bytes. Documents are no deeper than their limit.
fn write(node: Node<'_>, out: &mut String, bytes_max: usize) {
    match node.kind() {
        _ if out.len() > bytes_max => {}
        Kind::Boolean => out.push_str(if node.as_bool() == Some(true) { "true" } else { "false" }),
        Kind::Number => out.push_str(&node.lexeme().unwrap_or_default()),
        Kind::String => {
            // What is cut anyway need not be written.
            let text = node.as_str().unwrap_or_default();
            let end = text.floor_char_boundary(bytes_max.saturating_add(1).min(text.len()));
            out.push_str(&serde_json::Value::from(text.get(..end).unwrap_or(text)).to_string());
        }
        Kind::Array => {
            out.push('[');
            for (i, item) in node.items().enumerate() {
                if out.len() > bytes_max {
                    return;
                }
                out.push_str(if i > 0 { "," } else { "" });
                write(item, out, bytes_max);
            }
            out.push(']');
        }
        Kind::Object => {
            out.push('{');
            for (i, (key, value)) in node.entries().enumerate() {
                if out.len() > bytes_max {
                    return;
                }
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(&serde_json::Value::from(key).to_string());
                out.push(':');
                write(value, out, bytes_max);
            }
            out.push('}');
        }
        Kind::Null | Kind::Undefined | Kind::Function => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        let show = |json: &str, chars_max| {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            super::cut(document.root(), chars_max)
        };
        assert_eq!(show(r#"{"a":[1.50,"x",null,true]}"#, 80), r#"{"a":[1.50,"x",null,true]}"#);
        assert_eq!(show("\"a\u{9b}31m\u{202e}b\"", 80), "\"a\u{fffd}31m\u{fffd}b\"");
        let long = format!("[{}1]", "\"äääääääääää\",".repeat(1000));
        assert_eq!(show(&long, 10).chars().count(), 11);
        assert_eq!(show(&format!("\"{}\"", "ä".repeat(100_000)), 3), "\"ää…");
        assert_eq!(super::cut(Document::undefined().root(), 3), "nothing");
    }
}
