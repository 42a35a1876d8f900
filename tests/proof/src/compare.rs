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

/// Compares what an expression gives here and there.
pub fn compare(expression: &str, document: &str, ours: &Answer, theirs: &Answer) -> Comparison {
    let same = match (ours, theirs) {
        (Answer::Limit(_), _) | (_, Answer::Limit(_)) => return Comparison::Open,
        (Answer::Error(code), _) if OPEN.contains(&&**code) => return Comparison::Open,
        (Answer::Value(a), Answer::Value(b)) => {
            let (Some(a), Some(b)) = (Json::read(a), Json::read(b)) else { return Comparison::Different };
            let whole = expression.contains("12") || document.contains("\"12\"") || whole_key(&a);
            if whole && !equal(&a, &b, true) && unordered(&a) == unordered(&b) {
                return Comparison::Listed("keys that look like whole numbers keep their order");
            }
            equal(&a, &b, true)
        }
        (a, b) => a == b,
    };
    if same {
        return Comparison::Same;
    }
    if computed_keys_on_arrays(expression, document) {
        return Comparison::Listed("an object with computed keys takes an array in an array as one item");
    }
    match LISTED.iter().find(|listed| (listed.1)(expression, ours, theirs)) {
        Some(listed) => Comparison::Listed(listed.0),
        None => Comparison::Different,
    }
}

/// An object with a key that is no literal, and arrays in arrays or one as document for it to stand on.
fn computed_keys_on_arrays(expression: &str, document: &str) -> bool {
    let mut keys = expression.split(['{', ',']).skip(1).filter_map(|pair| pair.split_once(':'));
    let arrays = document.starts_with('[') || document.contains("[[") || expression.contains("[[");
    arrays && expression.contains('{') && keys.any(|(key, _)| !key.trim().starts_with('"'))
}

/// Refusals that say nothing of the value: not compiled, too deep, too large.
const OPEN: [&str; 5] = ["LG-EXPR-LATER", "LG-EXPR-EVAL", "LG-EXPR-DEPTH", "LG-EXPR-SIZE", "U1001"];

type Differs = fn(&str, &Answer, &Answer) -> bool;

/// The page's differences, and what each looks like.
const LISTED: &[(&str, Differs)] = &[
    ("a result with a function in it is refused", |_, ours, theirs| {
        is_error(ours, "LG-FUNCTION-IN-SLOT") && holds(theirs, "\u{e000}function")
    }),
    ("the reference prints a number that is none", |_, _, theirs| holds(theirs, "\u{e000}number")),
    ("the reference prints a piece of undefined", |_, _, theirs| holds(theirs, "\u{e000}undefined")),
    ("a part of a built-in function checks its arguments as the function does", |expression, _, _| {
        expression.contains("(?") || expression.contains(", ?")
    }),
    ("$sift without a function is refused", |expression, ours, _| {
        is_error(ours, "T0410") && expression.contains("$sift(")
    }),
    ("$parseInteger reads what was written and nothing else", |expression, _, _| expression.contains("$parseInteger(")),
    ("keys that turn out the same are an error when both have a value", |_, ours, theirs| {
        is_error(theirs, "D1009") && matches!(ours, Answer::Value(_))
    }),
    ("$spread of an empty array gives nothing", |expression, ours, theirs| {
        *ours == Answer::Undefined && expression.contains("$spread") && *theirs == Answer::Value("[]".to_owned())
    }),
    ("a wildcard in an array constructor at the start is of the document", |expression, _, _| {
        expression.contains("[*")
    }),
    ("$formatNumber keeps the digits of large numbers", |expression, ours, theirs| {
        let long = |answer: &Answer| matches!(answer, Answer::Value(text) if text.len() > 20);
        expression.contains("$formatNumber(") && long(ours) && holds(theirs, "e+")
    }),
    ("$round by no whole number gives nothing", |expression, _, theirs| {
        expression.contains("$round(") && (is_error(theirs, "T2001") || is_error(theirs, "T2002"))
    }),
    ("$formatInteger keeps the digits of large numbers", |expression, ours, theirs| {
        let long = |answer: &Answer| matches!(answer, Answer::Value(text) if text.len() > 20);
        expression.contains("$formatInteger(") && (long(ours) || long(theirs))
    }),
    ("the keys of order-by are computed once for each item", |expression, ours, _| {
        matches!(ours, Answer::Error(_)) && expression.contains("^(") && expression.contains(", ")
    }),
    ("a time out of range is refused", |_, ours, theirs| is_error(ours, "D1001") && holds(theirs, "NaN")),
    ("a number out of range is refused wherever it is a value", |_, ours, _| is_error(ours, "D1001")),
    ("an empty array constructor at the start is not wrapped", |expression, ours, theirs| {
        let empty =
            |answer: &Answer| matches!(answer, Answer::Value(text) if text.trim_matches(['[', ']', ',']).is_empty());
        let nothing = *ours == Answer::Undefined || empty(ours);
        (nothing && expression.contains(']') && empty(theirs)) || (nothing && expression.contains("[]."))
    }),
    ("names are bound to items of an array constructor", |expression, _, _| {
        let bound =
            |after: &str| expression.contains(&format!("{after}@$")) || expression.contains(&format!("{after}#$"));
        bound("]") || bound(")") || (expression.contains("[].") && expression.contains(['@', '#']))
    }),
    ("a division may follow `[]` and `^(…)`", |expression, _, theirs| {
        matches!(theirs, Answer::Error(code) if code.starts_with("S0")) && expression.contains(" / ")
    }),
    ("of what cannot be ordered either fault is told", |_, ours, theirs| either(ours, theirs, ["T2007", "T2008"])),
    ("of a key twice and a key that is no text either is told", |_, ours, theirs| {
        either(ours, theirs, ["D1009", "T1003"])
    }),
    ("of a key that is no text and a fault of a value either is told", |expression, ours, theirs| {
        matches!(ours, Answer::Error(_)) && is_error(theirs, "T1003") && expression.contains('{')
    }),
    ("a parent that is nowhere is refused", |_, ours, _| is_error(ours, "S0217")),
    ("of an argument and a context that both do not fit either is told", |_, ours, theirs| {
        either(ours, theirs, ["T0410", "T0411"])
    }),
    ("$power rounds its last digit rightly", |expression, ours, theirs| {
        let read = |answer: &Answer| match answer {
            Answer::Value(text) => Json::read(text),
            _ => None,
        };
        let (Some(a), Some(b)) = (read(ours), read(theirs)) else { return false };
        expression.contains("$power(") && nearly(&a, &b)
    }),
    ("$string and $reduce can be applied in part", |expression, _, theirs| {
        is_error(theirs, "S0208") && expression.contains('?')
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

/// Values by value; the order of keys where it counts.
fn equal(a: &Json, b: &Json, ordered: bool) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, ordered)),
        (Json::Object(a), Json::Object(b)) if ordered => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && equal(&a.1, &b.1, ordered))
        }
        (Json::Object(_), Json::Object(_)) => unordered(a) == unordered(b),
        _ => a == b,
    }
}

/// Values with numbers that differ in their last digit at most.
fn nearly(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => (a - b).abs() <= a.abs() * 4.0 * f64::EPSILON,
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| nearly(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && nearly(&a.1, &b.1))
        }
        _ => a == b,
    }
}

/// All that stands in a value, whatever its order.
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
