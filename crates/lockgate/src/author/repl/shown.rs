//! Values as a terminal shows them: as much as there is room for, and no character that would steer it.

use lockgate_document::{Kind, Node};

/// A value on one line of at most `room` characters.
pub fn short(value: Node<'_>, room: usize) -> String {
    written(value, room, None)
}

/// A value over at most [`LINES`] lines and `room` characters; a small one on one line.
pub fn long(value: Node<'_>, room: usize) -> String {
    const LINE: usize = 80;
    let one = written(value, LINE, None);
    if one.ends_with('…') { written(value, room, Some(0)) } else { one }
}

/// What a value is made of: its kind, of an array how many of what, of an object its fields.
pub fn shape(value: Node<'_>) -> String {
    let kind = |value: Node<'_>| match value.kind() {
        Kind::Undefined => "undefined",
        Kind::Null => "null",
        Kind::Boolean => "boolean",
        Kind::Number => "number",
        Kind::String => "string",
        Kind::Array => "array",
        Kind::Object => "object",
        Kind::Function => "function",
    };
    let inside = |value: Node<'_>| match value.kind() {
        Kind::Array => {
            let first = value.at(0);
            let alike = value.items().take(ALIKE).all(|item| item.kind() == first.kind());
            let of = if value.is_empty() {
                "".to_owned()
            } else if alike {
                format!(" of {}", kind(first))
            } else {
                " of several kinds".to_owned()
            };
            format!("array ({}){of}", value.len())
        }
        _ => kind(value).to_owned(),
    };
    let object = match value.kind() {
        Kind::Array => value.at(0),
        _ => value,
    };
    let mut text = inside(value);
    if object.kind() == Kind::Object {
        for (key, field) in object.entries().take(FIELDS) {
            text.push_str(&format!("\n  {}: {}", escaped(key), inside(field)));
        }
        if object.len() > FIELDS {
            text.push_str(&format!("\n  … {} more", object.len() - FIELDS));
        }
    }
    text
}

/// Lines of a value: a screen or two.
const LINES: usize = 100;
/// Items that are looked at to say that they are alike.
const ALIKE: usize = 1_000;
/// Fields that are named.
const FIELDS: usize = 100;

/// About how many bytes a value takes when it is printed; counted up to a mebibyte, because a value may stand in several
/// places.
pub fn bytes_about(value: Node<'_>) -> u64 {
    const COUNTED_MAX: u64 = 1 << 20;
    let (mut bytes, mut open) = (0, vec![value]);
    while let Some(node) = open.pop() {
        bytes += 8 + node.as_str().map_or(0, |text| text.len() as u64);
        if bytes > COUNTED_MAX || (node.len() as u64) * 8 > COUNTED_MAX {
            return COUNTED_MAX;
        }
        open.extend(node.items());
        for (key, value) in node.entries() {
            bytes += key.len() as u64;
            open.push(value);
        }
    }
    bytes
}

/// JSON until the room is used up, then `…`. With a depth it goes over several lines.
fn written(value: Node<'_>, room: usize, lines: Option<usize>) -> String {
    let mut writer = Writer { text: String::new(), lines: LINES, left: room };
    writer.value(value, lines);
    if writer.left == 0 {
        writer.text.push('…');
    }
    writer.text
}

struct Writer {
    text: String,
    /// Lines that there is room for.
    lines: usize,
    /// Characters that there is room for; none is left once something did not fit.
    left: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        for c in text.chars() {
            if self.left <= 1 {
                self.left = 0;
                return;
            }
            self.left -= 1;
            self.text.push(c);
        }
    }

    fn value(&mut self, value: Node<'_>, lines: Option<usize>) {
        match value.kind() {
            Kind::Undefined => self.put("undefined"),
            Kind::Function => self.put("function"),
            Kind::Null => self.put("null"),
            Kind::Boolean => self.put(if value.as_bool() == Some(true) { "true" } else { "false" }),
            Kind::Number => self.put(&value.lexeme().unwrap_or_default()),
            Kind::String => self.string(value.as_str().unwrap_or_default()),
            Kind::Array if value.is_empty() => self.put("[]"),
            Kind::Object if value.is_empty() => self.put("{}"),
            Kind::Array => {
                self.put("[");
                for (i, item) in value.items().enumerate() {
                    self.next(i, lines);
                    self.value(item, lines.map(|depth| depth + 1));
                    if self.left == 0 {
                        return;
                    }
                }
                self.last(lines);
                self.put("]");
            }
            Kind::Object => {
                self.put("{");
                for (i, (key, field)) in value.entries().enumerate() {
                    self.next(i, lines);
                    self.string(key);
                    self.put(": ");
                    self.value(field, lines.map(|depth| depth + 1));
                    if self.left == 0 {
                        return;
                    }
                }
                self.last(lines);
                self.put("}");
            }
        }
    }

    fn next(&mut self, i: usize, lines: Option<usize>) {
        match lines {
            None if i > 0 => self.put(", "),
            None => {}
            Some(_) if self.lines == 0 => self.left = 0,
            Some(depth) => {
                self.lines -= 1;
                self.put(if i > 0 { ",\n" } else { "\n" });
                self.put(&"  ".repeat(depth + 1));
            }
        }
    }

    fn last(&mut self, lines: Option<usize>) {
        if let Some(depth) = lines {
            self.put("\n");
            self.put(&"  ".repeat(depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.put("\"");
        // No more is looked at than there is room for.
        let end = text.char_indices().nth(self.left).map_or(text.len(), |(end, _)| end);
        self.put(&escaped(text.get(..end).unwrap_or(text)));
        self.put("\"");
    }
}

/// Could it steer a terminal? Controls, and marks that turn the direction of writing.
fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// A message that may quote data, with blanks for what could steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// As JSON has it, and with all that could steer a terminal as escapes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if steers(c) => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::*;

    fn document(json: &str) -> Document {
        Document::parse(json.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn a_value_never_takes_more_than_its_room_nor_steers_the_terminal() {
        let long = format!("[{}]", vec!["\"\\u001b[2Jxx\\u202e\""; 1000].join(","));
        let document = document(&long);
        for room in [0, 1, 2, 3, 10, 57, 400] {
            let text = short(document.root(), room);
            assert!(text.chars().count() <= room.max(1) && text.ends_with('…'), "{room}: {text}");
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        }
    }

    #[test]
    fn small_values_stay_on_one_line_and_others_are_laid_out() {
        assert_eq!(
            super::long(document(r#"{"a":[1.50,null,{}],"b":[]}"#).root(), 1000),
            r#"{"a": [1.50, null, {}], "b": []}"#
        );
        let wide = document(&format!(r#"{{"a":"{}","b":[1,2]}}"#, "x".repeat(100)));
        let text = super::long(wide.root(), 1000);
        assert!(
            text.starts_with("{\n  \"a\": \"xx") && text.ends_with("\n  \"b\": [\n    1,\n    2\n  ]\n}"),
            "{text}"
        );
    }

    #[test]
    fn the_shape_of_a_value_names_fields_and_kinds() {
        let shape = |json: &str| shape(document(json).root());
        assert_eq!(shape("1"), "number");
        assert_eq!(
            shape(r#"[{"a":1,"b":[1,"x"]}]"#),
            "array (1) of object\n  a: number\n  b: array (2) of several kinds"
        );
    }
}
