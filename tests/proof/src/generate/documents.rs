//! Random documents: nested, mixed, with holes, and with what is at the edge of numbers and texts.

use crate::random::Random;

use super::{NAMES, WHOLE_NAME, quoted};

/// Numbers as JSON has them.
const NUMBERS: [&str; 26] = [
    "0",
    "1",
    "2",
    "3",
    "5",
    "10",
    "-1",
    "-2",
    "1.5",
    "0.1",
    "0.2",
    "2.5",
    "-0.5",
    "100",
    "1e3",
    "-0",
    "1e21",
    "1e-7",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740991",
    "123456789.125",
    "1e20",
    "0.000001",
    "1.0",
    "12.50",
];

/// Texts as they are.
pub const TEXTS: [&str; 22] = [
    "",
    "a",
    "b",
    "c",
    "ab",
    "Hello World",
    "1",
    "12.5",
    "-3",
    "true",
    "é",
    "ß",
    "😀",
    "a😀b",
    "  x  y ",
    "a,b,c",
    "null",
    "2017-10-30T16:25:32.935Z",
    "\"",
    "\\",
    "\n",
    "%20",
];

/// A document. Most are objects with the shape of orders; some are anything.
pub fn document(random: &mut Random) -> String {
    let mut out = String::new();
    if random.percent(55) {
        order(random, &mut out);
    } else {
        let depth = 1 + random.below(4);
        match random.below(10) {
            0..=6 => object(random, depth, &mut out),
            7..=8 => array(random, depth, &mut out),
            _ => value(random, depth, &mut out),
        }
    }
    out
}

/// Any value.
fn value(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth == 0 { 8 } else { 14 }) {
        0..=3 => out.push_str(random.pick(&NUMBERS)),
        4 | 5 => out.push_str(&quoted(random.pick(&TEXTS))),
        6 => out.push_str(random.pick(&["true", "false"])),
        7 => out.push_str(random.pick(&["null", "[]", "{}"])),
        8..=10 => array(random, depth, out),
        _ => object(random, depth, out),
    }
}

fn array(random: &mut Random, depth: usize, out: &mut String) {
    let len = random.below(5);
    // Most arrays have items of one kind.
    let kind = random.below(6);
    out.push('[');
    for at in 0..len {
        if at > 0 {
            out.push(',');
        }
        match kind {
            0 => out.push_str(random.pick(&NUMBERS)),
            1 => out.push_str(&quoted(random.pick(&TEXTS))),
            2 | 3 if depth > 0 => object(random, depth - 1, out),
            4 if depth > 0 => array(random, depth - 1, out),
            _ => value(random, depth.saturating_sub(1), out),
        }
    }
    out.push(']');
}

fn object(random: &mut Random, depth: usize, out: &mut String) {
    let mut names: Vec<&str> = if random.percent(8) { vec![WHOLE_NAME] } else { Vec::new() };
    for _ in 0..1 + random.below(6) {
        let name = random.pick(&NAMES);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    out.push('{');
    for (at, name) in names.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        value(random, depth.saturating_sub(1), out);
    }
    out.push('}');
}

/// Something with lines, where most paths lead somewhere.
fn order(random: &mut Random, out: &mut String) {
    let number = |random: &mut Random| random.pick(&NUMBERS).to_owned();
    let text = |random: &mut Random| quoted(random.pick(&TEXTS));
    let lines = |random: &mut Random| -> String {
        let lines = (0..random.below(4)).map(|_| {
            let tags: Vec<String> = (0..random.below(3)).map(|_| text(random)).collect();
            let mut line = format!("{{\"a\":{},\"b\":{},\"c\":[{}]", number(random), text(random), tags.join(","));
            if random.percent(50) {
                line.push_str(&format!(",\"d\":{{\"a\":{},\"b\":{}}}", number(random), text(random)));
            }
            line.push('}');
            line
        });
        let lines: Vec<String> = lines.collect();
        format!("[{}]", lines.join(","))
    };
    let (a, b, c, d) = (number(random), text(random), lines(random), lines(random));
    let inner = format!("{{\"a\":{},\"c\":{}}}", number(random), lines(random));
    out.push_str(&format!("{{\"a\":{a},\"b\":{b},\"c\":{c},\"d\":[{inner},{{\"c\":{d}}}],\"f g\":{inner}}}"));
}
