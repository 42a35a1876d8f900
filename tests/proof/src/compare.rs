//! Whether two answers agree, and the differences that docs/mappings.md lists, each by its name.

use crate::{bench::Answer, json::Json};

/// How an answer of ours compares with the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same.
    Same,
    /// They differ as the page says.
    Listed(&'static str),
    /// One of them reached a limit or refuses what the other does not compile.
    Open,
    /// They differ.
    Different,
}

/// Compares what an expression gives here and there. `parentless`: some `%` of it met nothing there.
pub fn compare(expression: &str, document: &str, ours: &Answer, theirs: &Answer, parentless: bool) -> Comparison {
    let (a, b) = match (ours, theirs) {
        (Answer::Limit(_), _) | (_, Answer::Limit(_)) => return Comparison::Open,
        (Answer::Error(code), _) if OPEN.contains(&&**code) => return Comparison::Open,
        (Answer::Value(a), Answer::Value(b)) => {
            let (Some(a), Some(b)) = (Json::read(a), Json::read(b)) else { return Comparison::Different };
            (a, b)
        }
        (a, b) if a == b => return Comparison::Same,
        (Answer::Error(code), _) if code == "S0217" && parentless => {
            return Comparison::Listed("a parent that is nowhere is refused");
        }
        // Filters at the start of a path; the value there has no parent in the reference.
        _ if parentless && expression.contains("[%") => {
            return Comparison::Listed("a parent is found in what begins a path");
        }
        _ => return listed(expression, ours, theirs),
    };
    if a == b {
        return Comparison::Same;
    }
    let whole = WHOLE_KEYS.iter().any(|key| expression.contains(key) || document.contains(key)) || whole_key(&a);
    if whole && unordered(&a) == unordered(&b) {
        return Comparison::Listed("keys that look like whole numbers keep their order");
    }
    if a == without_holes(&b, false) || a == without_holes(&b, true) {
        return Comparison::Listed("the reference prints a piece of undefined");
    }
    let astral = |text: &str| text.contains(|c: char| u32::from(c) > 0xffff);
    let searches = ["$split(", "$match(", "$replace("].iter().any(|name| expression.contains(name));
    if searches && expression.contains(", /") && (astral(expression) || astral(document)) {
        return Comparison::Listed("a character is a code point for regular expressions too");
    }
    listed(expression, ours, theirs)
}

/// Names and texts that are drawn and that look like whole numbers.
const WHOLE_KEYS: [&str; 4] = ["`12`", "\"12\"", "\"1\"", "`1`"];

fn listed(expression: &str, ours: &Answer, theirs: &Answer) -> Comparison {
    match LISTED.iter().find(|listed| (listed.1)(expression, ours, theirs)) {
        Some(listed) => Comparison::Listed(listed.0),
        None => Comparison::Different,
    }
}

/// Refusals that say nothing of the value: not compiled, too deep, too large.
const OPEN: [&str; 5] = ["LG-EXPR-LATER", "LG-EXPR-EVAL", "LG-EXPR-DEPTH", "LG-EXPR-SIZE", "U1001"];

type Differs = fn(&str, &Answer, &Answer) -> bool;

/// The page's differences that `reference.js` does not mend, and what each looks like.
const LISTED: &[(&str, Differs)] = &[
    ("a result with a function in it is refused", |_, ours, theirs| {
        is_error(ours, "LG-FUNCTION-IN-SLOT") && holds(theirs, "\u{e000}function")
    }),
    ("a function in what a transform changes is refused", |expression, ours, theirs| {
        is_error(ours, "LG-FUNCTION-IN-SLOT") && expression.contains("~> |") && holds(theirs, "\"\"")
    }),
    ("$formatNumber keeps the digits of large numbers", |expression, ours, theirs| {
        let long = |answer: &Answer| matches!(answer, Answer::Value(text) if text.len() > 20);
        let exponent = matches!(theirs, Answer::Value(text) if text.replace(',', "").contains("e+"));
        expression.contains("$formatNumber(") && long(ours) && exponent
    }),
    ("$formatInteger keeps the digits of large numbers", |expression, ours, theirs| {
        let long = |answer: &Answer| matches!(answer, Answer::Value(text) if text.len() > 20);
        expression.contains("$formatInteger(") && (long(ours) || long(theirs))
    }),
    ("$formatBase keeps the digits of large numbers", |expression, ours, theirs| match (ours, theirs) {
        (Answer::Value(a), Answer::Value(b)) => {
            expression.contains("$formatBase(") && a.len() == b.len() && a.len() > 12 && a.get(..9) == b.get(..9)
        }
        _ => false,
    }),
    ("a character is a code point, not half of a pair", |_, _, theirs| holds(theirs, "\\ud8")),
    ("looking around is refused", |expression, ours, _| is_error(ours, "LG-EXPR-REGEX") && expression.contains("(?=")),
    ("a number out of range that nothing takes is left alone", |expression, ours, theirs| {
        // The reference is mended to refuse it at once; unmended it refuses what takes it.
        let left_alone = !matches!(ours, Answer::Error(_)) || is_error(ours, "D3001");
        is_error(theirs, "D1001") && left_alone && expression.contains(" / ")
    }),
    ("of a signature and a regular expression that both do not end either is told", |_, ours, theirs| {
        either(ours, theirs, ["S0203", "S0302"])
    }),
    ("a picture with a component that is none is refused", |expression, ours, theirs| {
        let passed_on = is_error(theirs, "D3137") && expression.contains("$fromMillis(");
        is_error(ours, "D3132") && (passed_on || holds(theirs, "undefined"))
    }),
    ("a time zone that cannot be read is refused", |expression, ours, theirs| {
        is_error(ours, "D3134") && matches!(theirs, Answer::Value(_)) && expression.contains("$fromMillis(")
    }),
    ("of a time and a time zone either fault is told", |_, ours, theirs| either(ours, theirs, ["D3134", "D1001"])),
    ("of what cannot be ordered either fault is told", |_, ours, theirs| either(ours, theirs, ["T2007", "T2008"])),
    ("of a key twice and a key that is no text either is told", |_, ours, theirs| {
        either(ours, theirs, ["D1009", "T1003"])
    }),
    ("of an argument and a context that both do not fit either is told", |_, ours, theirs| {
        either(ours, theirs, ["T0410", "T0411"])
    }),
    ("of too many arguments and one that does not fit either is told", |expression, ours, theirs| {
        either(ours, theirs, ["T0410", "T0412"]) && ["<a", "a<"].iter().any(|types| expression.contains(types))
    }),
    ("a signature is matched from left to right", |expression, ours, theirs| {
        is_error(ours, "T0410") && matches!(theirs, Answer::Value(_)) && expression.contains("?(")
    }),
    ("$replace without a pattern is refused, whatever the limit", |expression, ours, theirs| {
        // What the reference makes of it may fail elsewhere: as a limit, or as an operand.
        let goes_on = match theirs {
            Answer::Error(code) => code == "D3011" || code.starts_with("T20"),
            _ => true,
        };
        is_error(ours, "T0410") && goes_on && expression.contains("$replace(")
    }),
    ("a filter behind brackets that have parents is not asked about nothing", |expression, ours, theirs| {
        let bare = expression
            .split_once(")[")
            .and_then(|(_, filter)| filter.split_once("]."))
            .is_some_and(|(_, after)| after.contains('%'));
        bare && !matches!(ours, Answer::Error(_)) && matches!(theirs, Answer::Error(_))
    }),
    ("constants that are written alike are one for `in`", |expression, ours, theirs| {
        let (ours, theirs) = (format!("{ours:?}"), format!("{theirs:?}"));
        [" in {", " in ["].iter().any(|text| expression.contains(text)) && ours == theirs.replace("false", "true")
    }),
    ("$base64decode passes over what is no digit", |expression, _, _| {
        expression.contains("$base64decode(") && expression.chars().any(|c| u32::from(c) > 0xff)
    }),
    ("an expression that matches nothing is refused before `??` and `?:` too", |expression, ours, _| {
        is_error(ours, "D1004") && ["??", "?:"].iter().any(|operator| expression.contains(operator))
    }),
    ("$spread of an empty object is nothing", |expression, ours, theirs| {
        expression.contains("$spread(") && *ours == Answer::Undefined && *theirs == Answer::Value("[]".to_owned())
    }),
    ("a name in a time ends where it ends", |expression, ours, theirs| {
        let read = matches!(ours, Answer::Value(_)) && !matches!(theirs, Answer::Error(_));
        read && expression.contains("$toMillis(") && expression.contains("][")
    }),
    ("$power rounds its last digit rightly", |expression, ours, theirs| {
        expression.contains("$power(") && nearly(ours, theirs, 4.0 * f64::EPSILON)
    }),
    ("a transform keeps the digits of numbers", |expression, ours, theirs| {
        // Half a unit of the fifteenth digit.
        expression.contains("~> |") && nearly(ours, theirs, 5e-15)
    }),
    ("an array constructor with a filter goes on from its items", |expression, ours, theirs| {
        // Or what `$join` makes of it.
        let empty = matches!(theirs, Answer::Value(text) if text == "[]" || text == "\"\"");
        expression.contains("][") && *ours == Answer::Undefined && empty
    }),
];

fn is_error(answer: &Answer, code: &str) -> bool {
    matches!(answer, Answer::Error(is) if is == code)
}

/// Codes of faults of which either is told, as one.
pub fn alike(code: &str) -> &str {
    match code {
        "T0411" => "T0410",
        "D1009" => "T1003",
        "T2008" => "T2007",
        other => other,
    }
}

/// One is this error and the other that one.
fn either(ours: &Answer, theirs: &Answer, [one, other]: [&str; 2]) -> bool {
    (is_error(ours, one) && is_error(theirs, other)) || (is_error(ours, other) && is_error(theirs, one))
}

/// The printed value holds this mark of `reference.js`.
fn holds(answer: &Answer, mark: &str) -> bool {
    matches!(answer, Answer::Value(text) if text.contains(mark))
}

/// A value of the reference without what stands for undefined in its arrays, or with null there.
fn without_holes(value: &Json, null: bool) -> Json {
    let hole = |value: &Json| matches!(value, Json::Text(text) if text == "\u{e000}undefined");
    match value {
        Json::Array(items) if null => {
            Json::Array(items.iter().map(|i| if hole(i) { Json::Null } else { without_holes(i, null) }).collect())
        }
        Json::Array(items) => Json::Array(items.iter().filter(|i| !hole(i)).map(|i| without_holes(i, null)).collect()),
        Json::Object(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.clone(), without_holes(value, null))).collect())
        }
        other => other.clone(),
    }
}

/// Values with numbers that differ by such a part of them at most.
fn nearly(ours: &Answer, theirs: &Answer, part: f64) -> bool {
    fn near(a: &Json, b: &Json, part: f64) -> bool {
        match (a, b) {
            (Json::Number(a), Json::Number(b)) => (a - b).abs() <= a.abs() * part,
            (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b, part)),
            (Json::Object(a), Json::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && near(&a.1, &b.1, part))
            }
            _ => a == b,
        }
    }
    let read = |answer: &Answer| match answer {
        Answer::Value(text) => Json::read(text),
        _ => None,
    };
    matches!((read(ours), read(theirs)), (Some(a), Some(b)) if near(&a, &b, part))
}

/// All that stands in a value, whatever its order; a text may be a printed value.
fn unordered(value: &Json) -> Vec<String> {
    let mut all = match value {
        Json::Array(items) => items.iter().flat_map(unordered).collect(),
        Json::Object(members) => {
            let mut all = Vec::new();
            for (key, value) in members {
                all.extend(unordered(value).into_iter().map(|value| format!("{key}:{value}")));
            }
            all
        }
        Json::Text(text) => text.chars().map(String::from).collect(),
        other => vec![format!("{other:?}")],
    };
    all.sort();
    all
}

/// Some object has a key that looks like a whole number.
fn whole_key(value: &Json) -> bool {
    let whole = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
    match value {
        Json::Array(items) => items.iter().any(whole_key),
        Json::Object(members) => members.iter().any(|(key, value)| whole(key) || whole_key(value)),
        _ => false,
    }
}
