//! What pictures are written with: text of XML, numbers, boxes and words.

use std::fmt::Write as _;

/// The width of a letter at 12 pixels, in fonts whose letters are equally wide.
pub const LETTER: f64 = 7.25;
/// The same at 11 pixels.
pub const SMALL: f64 = 6.65;

/// How many letters wide a text is: those of East Asia are two.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xffdc | 0x1_f000..) { 2 } else { 1 }).sum()
}

/// A text with so many letters at most.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A box with round corners: x, y, width, height.
pub fn rect(w: &mut String, class: &str, [x, y, width, height]: [f64; 4], round: f64) {
    let _ = writeln!(
        w,
        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        n(x),
        n(y),
        n(width),
        n(height),
        n(round)
    );
}

/// Words at a place.
pub fn text(w: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let _ = writeln!(w, "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>", n(x), n(y), escaped(words));
}

/// A number with one digit behind the point at most, the same on every machine.
pub fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Text of XML 1.0 (§2.2, §2.4): what it cannot hold is U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
