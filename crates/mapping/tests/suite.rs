//! The parser against the language's own test suite: every expression parses, or fails with the
//! code, token and position that the suite expects.

use lockgate_mapping::{
    Expression,
    expression::{format, is_same},
};
use lockgate_testkit::jsonata;
use serde_json::Value;

#[test]
fn every_expression_parses_or_fails_as_the_suite_says() {
    let mut wrong = Vec::new();
    let all = jsonata::cases();
    for jsonata::Case { file, expression: text, said: case } in &all {
        let said = |key: &str| case.get(key).or_else(|| case.get("error")?.get(key));
        let code = said("code").and_then(Value::as_str).filter(|code| code.starts_with('S'));
        let got = Expression::parse(text).err().and_then(|problems| problems.0.into_iter().next());
        let mut right = got.as_ref().map(|p| p.code.as_str()) == code;
        if let Some(problem) = &got {
            right &= said("token").is_none_or(|token| token.as_str() == problem.token.as_deref());
            right &= said("position").is_none_or(|at| at.as_u64() == Some(problem.span.end.into()));
        }
        if !right {
            wrong.push(format!("{file}: {text}: got {got:?}"));
        }
    }
    println!("{} expressions", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expression_has_one_canonical_form_that_is_the_same_expression() {
    let mut wrong = Vec::new();
    let mut formatted = 0;
    for jsonata::Case { file, expression: text, .. } in &jsonata::cases() {
        if Expression::parse(text).is_err() {
            assert!(format(text, None).is_err(), "{file}: {text}");
            continue;
        }
        formatted += 1;
        for width in [None, Some(100), Some(30), Some(1)] {
            let once = match format(text, width) {
                Ok(once) => once,
                Err(problems) => {
                    wrong.push(format!("{file}: {text}: {problems}"));
                    continue;
                }
            };
            if !is_same(text, &once) {
                wrong.push(format!("{file}: {text}: is another expression: {once}"));
            }
            if format(&once, width).as_ref() != Ok(&once) {
                wrong.push(format!("{file}: {text}: has no settled form: {once}"));
            }
            if format(&once, None) != format(text, None) {
                wrong.push(format!("{file}: {text}: is another line: {once}"));
            }
        }
    }
    println!("{formatted} expressions");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
