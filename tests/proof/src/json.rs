//! JSON as answers are compared: numbers by their value, read exactly, and keys in order.
//!
//! The product's own reader is not used: it is under proof.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object as written.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value; none when it is not JSON.
    pub fn read(text: &str) -> Option<Json> {
        let mut rest = text;
        let value = value(&mut rest, 0)?;
        rest.trim_start().is_empty().then_some(value)
    }

    /// A member of an object.
    pub fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Deeper is not read: nothing that is compared is.
const DEPTH_MAX: usize = 600;

fn value(rest: &mut &str, depth: usize) -> Option<Json> {
    *rest = rest.trim_start();
    if depth > DEPTH_MAX {
        return None;
    }
    match rest.chars().next()? {
        '{' => {
            let mut members = Vec::new();
            take(rest, '{')?;
            while !take_if(rest, '}') {
                if !members.is_empty() {
                    take(rest, ',')?;
                }
                *rest = rest.trim_start();
                let key = text(rest)?;
                take(rest, ':')?;
                members.push((key, value(rest, depth + 1)?));
            }
            Some(Json::Object(members))
        }
        '[' => {
            let mut items = Vec::new();
            take(rest, '[')?;
            while !take_if(rest, ']') {
                if !items.is_empty() {
                    take(rest, ',')?;
                }
                items.push(value(rest, depth + 1)?);
            }
            Some(Json::Array(items))
        }
        '"' => text(rest).map(Json::Text),
        _ => {
            let end = rest.find([',', ']', '}', ' ', '\n']).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            *rest = behind;
            match word {
                "null" => Some(Json::Null),
                "true" => Some(Json::Boolean(true)),
                "false" => Some(Json::Boolean(false)),
                // Adding zero takes the sign off a negative zero, which JSON.stringify does not print.
                _ => word.parse().ok().map(|number: f64| Json::Number(number + 0.0)),
            }
        }
    }
}

fn take(rest: &mut &str, sign: char) -> Option<()> {
    take_if(rest, sign).then_some(())
}

fn take_if(rest: &mut &str, sign: char) -> bool {
    match rest.trim_start().strip_prefix(sign) {
        Some(behind) => {
            *rest = behind;
            true
        }
        None => false,
    }
}

fn text(rest: &mut &str) -> Option<String> {
    let mut escaped = false;
    let end = rest.bytes().enumerate().skip(1).find(|(_, byte)| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    let (quoted, behind) = rest.split_at(end.0 + 1);
    *rest = behind;
    // Half a surrogate pair is no text here; the reference prints it escaped.
    serde_json::from_str(quoted).ok().or_else(|| Some(format!("half a pair in {quoted}")))
}
