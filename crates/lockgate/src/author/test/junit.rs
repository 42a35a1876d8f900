//! The report in the XML form that JUnit began and build servers read: a suite for each flow.

use lockgate_mapping::picture::ink::escaped;

use super::{
    case::Verdict,
    report::{Report, place, shown},
};

/// The whole file.
pub fn xml(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<testsuites{}>\n", counted(&report.cases.iter().collect::<Vec<_>>())));
    let mut from = 0;
    // Cases of a flow stand together.
    while let Some(first) = report.cases.get(from) {
        let suite: Vec<&Verdict> = report.cases.iter().skip(from).take_while(|case| is_same(case, first)).collect();
        from += suite.len();
        let name = format!("{}.{}", first.project, first.flow);
        out.push_str(&format!("  <testsuite name=\"{}\"{}>\n", escaped(&name), counted(&suite)));
        for case in suite {
            one(case, &name, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// The file where no case could be run: one that stands for all of them, with the reason.
pub fn broken(reason: &str) -> String {
    let first = escaped(reason.lines().next().unwrap_or_default());
    let reason = escaped(reason.trim_end());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"1\" failures=\"0\" errors=\"1\" time=\"0.000\">\n  \
         <testsuite name=\"lockgate\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0.000\">\n    \
         <testcase name=\"project\" classname=\"lockgate\" time=\"0.000\">\n      \
         <error message=\"{first}\">{reason}</error>\n    </testcase>\n  </testsuite>\n</testsuites>\n"
    )
}

fn is_same(a: &Verdict, b: &Verdict) -> bool {
    (&a.project, &a.flow) == (&b.project, &b.flow)
}

fn counted(cases: &[&Verdict]) -> String {
    let failures = cases.iter().filter(|case| !case.passed()).count();
    let seconds: f64 = cases.iter().map(|case| case.took.as_secs_f64()).sum();
    format!(" tests=\"{}\" failures=\"{failures}\" errors=\"0\" time=\"{seconds:.3}\"", cases.len())
}

fn one(case: &Verdict, class: &str, out: &mut String) {
    let (name, file) = (escaped(&case.case), escaped(&case.file));
    let seconds = case.took.as_secs_f64();
    out.push_str(&format!(
        "    <testcase name=\"{name}\" classname=\"{}\" file=\"{file}\" time=\"{seconds:.3}\"",
        escaped(class)
    ));
    let notes = case.notes.join("\n");
    let Some(first) = case.differences.told.first() else {
        if notes.is_empty() {
            out.push_str("/>\n");
        } else {
            out.push_str(&format!(">\n      <system-out>{}</system-out>\n    </testcase>\n", escaped(&notes)));
        }
        return;
    };
    let (expected, actual) = shown(first);
    let message = format!("{}: expected {expected}, actual {actual}", place(first));
    let mut text = String::new();
    for difference in &case.differences.told {
        let (expected, actual) = shown(difference);
        text.push_str(&format!("{}\n  expected {expected}\n  actual   {actual}\n", place(difference)));
    }
    if case.differences.more > 0 {
        text.push_str(&format!("and {} more differences\n", case.differences.more));
    }
    text.push_str(&notes);
    out.push_str(&format!(
        ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
        escaped(&message),
        escaped(&text)
    ));
}
