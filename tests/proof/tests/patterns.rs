//! Two hundred regular expressions that nobody writes in good faith: each is refused, or searches a
//! long text in time that is linear in it.

use std::time::{Duration, Instant};

use lockgate_document::{Refusal, pattern::Pattern};

/// Compiling a pattern and all searches with it: an exponent would take longer than the universe has.
const HANG: Duration = Duration::from_secs(120);
/// Bytes of a subject.
const SUBJECT: usize = 100_000;

/// Shapes in which a backtracking matcher tries every way to divide a text.
fn backtracking() -> Vec<String> {
    let mut all = Vec::new();
    for inner in ["a+", "a*", "a?", "a|a", "a|aa", "[ab]+", ".*", "\\w+", "a{1,9}", "(?:a|b)*", "a+a+", "\\s*", "[^b]*"]
    {
        for (outer, end) in [("+", "$"), ("*", "b"), ("{2,30}", "!"), ("*?", "c$"), ("+", "\\b!")] {
            all.push(format!("({inner}){outer}{end}"));
            all.push(format!(
                "^(?:{inner}){outer}{outer_again}{end}",
                outer_again = if outer == "+" { "" } else { "?" }
            ));
        }
    }
    all
}

/// Shapes that are large, or become large when they are written out.
fn large() -> Vec<String> {
    let many = |text: &str, times: usize| text.repeat(times);
    let alternatives = |of: usize| (0..of).map(|i| format!("w{i}")).collect::<Vec<_>>().join("|");
    vec![
        "(a{1000}){1000}".to_owned(),
        "((a{100}){100}){100}".to_owned(),
        "a{1000000000}".to_owned(),
        "a{0,4294967295}".to_owned(),
        "(?:a{0,1000}){0,1000}b".to_owned(),
        "\\w{1000}".to_owned(),
        "[^a]{5000}".to_owned(),
        "(\\w|\\W){10000}".to_owned(),
        "(.{0,500}x){20}".to_owned(),
        "[\\u0000-\\uffff]{2000}".to_owned(),
        format!("[{}]", (0x100..0x2000).step_by(3).map(|c| format!("\\u{c:04x}")).collect::<String>()),
        format!("({})*", alternatives(5_000)),
        alternatives(9_000),
        format!("(?:{})(?:{})", alternatives(2_000), alternatives(2_000)),
        many("(", 900) + &many(")", 900),
        many("(", 60_000),
        many("(?:", 5_000) + "a" + &many(")", 5_000),
        many("a?", 5_000) + &many("a", 5_000),
        many("(a*)*", 2_000),
        many("(a|b|ab)*", 1_000) + "c",
        many("[a-z]", 9_000),
        many("x*", 20_000),
        many(".*", 10_000) + "!",
        many("a|", 30_000),
        many("^", 30_000),
        many("\\b", 20_000),
        many("(?:)", 10_000),
        many("a", 70_000),
        many("[", 1_000),
        many("\\", 1_001),
        many("a{2}", 10) + &many("{2}", 30),
        format!("(?:a{{2}}){}", "{2}".repeat(20)),
        format!("{}a{}", "(?:".repeat(30), "{2})".repeat(30)),
        format!("{}a{}", "(?:".repeat(40), "+)".repeat(40)),
        format!("{}a{}", "(".repeat(200), "|b)*".repeat(200)),
        "(x+x+)+y".to_owned(),
        "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a]!".to_owned(),
        "(.*a){25}!".to_owned(),
        "(a*)*(b*)*(c*)*(d*)*!".to_owned(),
        "^(([a-z])+.)+[A-Z]([a-z])+$".to_owned(),
        "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}$".to_owned(),
        "^(?:(?:\\d{1,3}\\.){3}\\d{1,3},?)+$".to_owned(),
        "^(\\d+)*,?(\\d+)*$".to_owned(),
        "(\\d+|\\d+\\.\\d+)*x".to_owned(),
        "\\s+$".to_owned(),
        "^\\s+|\\s+$".to_owned(),
        "([^\"\\\\]|\\\\.)*\"".to_owned(),
        "<(\\w+)[^>]*>(.*?)</\\1>".to_owned(),
        "(?=(a+))a*b\\1".to_owned(),
        "(?<!a)(b+)+$".to_owned(),
        "(a)\\1{100000}".to_owned(),
        "(?<x>a+)+\\k<x>".to_owned(),
        "\\u{10ffff}+".to_owned(),
        "\\p{L}+\\p{L}+$".to_owned(),
        "[\\s\\S]*?[\\s\\S]*?[\\s\\S]*?!".to_owned(),
        "(?:.|\\n)*!".to_owned(),
        "(😀|😀😀)+$".to_owned(),
        "[😀-🙏]+é*$".to_owned(),
        "(ß|ẞ|ss)*$".to_owned(),
        "(?:\\r\\n?|\\n)*$".to_owned(),
        "$*^*".to_owned(),
        "(^)*a".to_owned(),
        "(\\b)*a".to_owned(),
        "(|a)*b".to_owned(),
        "(a|)+b".to_owned(),
        "((((a*)*)*)*)*b".to_owned(),
        "a**".to_owned(),
        "[z-a]".to_owned(),
        "a{2,1}".to_owned(),
        "{}{,}{,,}".to_owned(),
    ]
}

fn subjects() -> Vec<String> {
    let long = |text: &str| text.repeat(SUBJECT / text.len());
    vec![
        long("a"),
        long("ab"),
        format!("{}!", long(" ")),
        long("1.5,"),
        long("a\n"),
        long("😀"),
        format!("\"{}", long("\\\"")),
    ]
}

#[test]
fn evil_patterns_are_refused_or_search_in_linear_time() {
    let (patterns, subjects) = ([backtracking(), large()].concat(), subjects());
    assert!(patterns.len() >= 200, "{}", patterns.len());
    let mut refused = 0;
    for (i, source) in patterns.iter().enumerate() {
        let shown: String = source.chars().take(40).collect();
        let begun = Instant::now();
        for (nth, flags) in ["", "im"].into_iter().enumerate() {
            let pattern = match Pattern::parse(source, flags) {
                Ok(pattern) => pattern,
                Err(error) => {
                    assert!(error.offset <= source.len(), "{shown}: {error}");
                    refused += 1;
                    continue;
                }
            };
            let subject = &subjects[(i + nth) % subjects.len()];
            let _ = pattern.contains(subject);
            // Groups are found by the slowest of its searches.
            let start: String = subject.chars().take(5_000).collect();
            let _ = pattern.each(&start, Some(2.0), |found| -> Result<(), Refusal> {
                assert!(found.end.byte <= start.len());
                Ok(())
            });
        }
        assert!(begun.elapsed() < HANG, "{shown}: {:?}", begun.elapsed());
    }
    eprintln!("{} patterns, {refused} refusals", patterns.len());
    // Refusing all of them would be no proof.
    assert!(refused > 20 && refused < patterns.len(), "{refused}");
}
