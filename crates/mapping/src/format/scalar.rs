//! Single values: which quotes they need, and texts over several lines.

use super::{WIDTH, sheet::Key};
use crate::yaml;

/// A text on one line. `braces`: inside `{ }` or `[ ]`.
pub(super) fn text(text: &str, braces: bool) -> String {
    if is_plain(text, braces) {
        text.to_owned()
    } else if text.chars().all(is_printable) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        escaped(text)
    }
}

pub(super) fn key(key: &Key, braces: bool) -> String {
    // A key that reads as a number to others was quoted for that.
    let plain = is_plain_word(&key.text, braces) && (!key.quoted || is_plain(&key.text, braces)) && key.text != "<<";
    if plain { key.text.clone() } else { quoted(&key.text) }
}

fn quoted(text: &str) -> String {
    if text.chars().all(is_printable) { format!("'{}'", text.replace('\'', "''")) } else { escaped(text) }
}

/// A text as a block below its key, `indent` deep, when it can be one: the sign of the block, then its
/// lines.
pub(super) fn block(text: &str, block: Option<&(char, Vec<String>)>, indent: usize) -> Option<Vec<String>> {
    let chomp = match (text.ends_with('\n'), text.ends_with("\n\n")) {
        (false, _) => "-",
        (true, false) => "",
        (true, true) => return None,
    };
    if indent == 0 || !text.chars().all(|c| c == '\n' || is_printable(c)) {
        return None;
    }
    let made = match text.contains('\n') {
        true => ('|', text.lines().map(str::to_owned).collect()),
        false => ('>', folded(text, WIDTH.saturating_sub(indent))),
    };
    [block.cloned(), Some(made)].into_iter().flatten().find_map(|(sign, lines)| {
        let head = format!("{sign}{chomp}");
        let pad = " ".repeat(indent);
        let body: String = lines.iter().map(|line| format!("{pad}{line}\n")).collect();
        let read = yaml::parse("", &format!("k: {head}\n{body}")).ok()?;
        (read.get("k")?.as_text() == Some(text)).then(|| [vec![head], lines].concat())
    })
}

/// A text broken at blanks that stand alone.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // A line may neither begin nor end with a blank.
    for word in text.split(' ') {
        let room = |line: &String| line.chars().count() + 1 + word.chars().count() <= width;
        match lines.last_mut() {
            Some(line) if room(line) || word.is_empty() || line.ends_with(' ') || line.is_empty() => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text in double quotes (YAML 1.2.2 §7.3.1), which take whatever characters there are.
fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if (c as u32) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// What can stand in a file as it is and be seen there.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Reads as a string without quotes.
fn is_plain(text: &str, braces: bool) -> bool {
    is_plain_word(text, braces) && yaml::is_text(text)
}

/// Reads as one word without quotes, whatever it stands for (YAML 1.2.2 §7.3.3).
fn is_plain_word(text: &str, braces: bool) -> bool {
    let mut chars = text.chars();
    let (Some(first), second) = (chars.next(), chars.next()) else { return false };
    let starts = match first {
        '-' | '?' | ':' => second.is_some_and(|c| c != ' ' && !",[]{}".contains(c)),
        _ => !",[]{}#&*!|>'\"%@`".contains(first),
    };
    starts
        && text.chars().all(is_printable)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !(braces && text.contains([',', '[', ']', '{', '}']))
        && text.len() <= PLAIN_BYTES_MAX
}

/// A key may be this long on its line; a longer text is not worth to be told apart.
const PLAIN_BYTES_MAX: usize = 900;
