//! The parser against the language's own test suite: every expression parses, or fails with the
//! code, token and position that the suite expects.

use std::{error::Error, fs, path::PathBuf};

use lockgate_mapping::Expression;
use serde_json::Value;

/// The suite's groups; none only where a developer has no suites.
fn groups() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let Some(given) = lockgate_testkit::suite("jsonata/given") else { return Ok(Vec::new()) };
    let mut groups = fs::read_dir(given)?.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>()?;
    groups.sort();
    Ok(groups)
}

/// A case: its file, its expression and what the suite says of it.
type Case = (String, String, Value);

/// Every case.
fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    let mut cases = Vec::new();
    for group in groups()? {
        for entry in fs::read_dir(&group)? {
            let file = entry?.path();
            if file.extension().is_none_or(|e| e != "json") {
                continue;
            }
            // Half a surrogate pair is no text here; the suite has it inside strings only.
            let text = fs::read_to_string(&file)?.replace("\\uD800", "\\uFFFD");
            let list = match serde_json::from_str(&text)? {
                Value::Array(list) => list,
                one => vec![one],
            };
            for case in list {
                let text = match case.get("expr-file").and_then(Value::as_str) {
                    Some(name) => fs::read_to_string(group.join(name))?,
                    None => case.get("expr").and_then(Value::as_str).ok_or("a case without expression")?.to_owned(),
                };
                cases.push((file.display().to_string(), text, case));
            }
        }
    }
    Ok(cases)
}

#[test]
fn every_expression_parses_or_fails_as_the_suite_says() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    let all = cases()?;
    for (file, text, case) in &all {
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
    Ok(())
}
