//! `schedule`: when a flow runs by itself. One of `cron`, `every`, `after`; the time zone of `cron` is
//! `document.metadata.timezone`, for which the standard has no place of its own, and UTC without it.

use lockgate_mapping::yaml::{Node, Style};
use lockgate_model::{
    Diagnostic, Schedule, Span,
    schedule::{Cron, SCHEDULE_MS_MIN, Zone},
};

use super::{length::constant, task::not_yet};
use crate::reader::{Reader, find, nearest};

/// Reads `schedule`; `document` is the flow's.
pub(super) fn schedule(reader: &mut Reader<'_>, node: &Node, document: Option<&Node>) -> Option<Schedule> {
    let entries = reader.object_with(node, "`schedule`", &["cron", "every", "after"], &["on", "read"])?;
    for (key, _) in entries.iter().filter(|(key, _)| matches!(key.text.as_str(), "on" | "read")) {
        not_yet(reader, key, "schedules by events", "");
    }
    let kinds: Vec<_> =
        entries.iter().filter(|(key, _)| matches!(key.text.as_str(), "cron" | "every" | "after")).collect();
    let [(key, value)] = kinds.as_slice() else {
        match kinds.get(1) {
            Some((second, _)) => reader.problem_help(
                "LG-FLOW-VALUE",
                second.span,
                "a flow has one kind of schedule",
                "keep one of `cron`, `every`, `after`; another flow can have the other",
            ),
            None if entries.is_empty() => {
                reader.problem("LG-MISSING-KEY", node.span, "`schedule` needs one of `cron`, `every`, `after`");
            }
            None => {}
        }
        return None;
    };
    match key.text.as_str() {
        "cron" => {
            let timezone = zone(reader, document);
            let expression = cron(reader, value);
            Some(Schedule::Cron { expression: expression?, timezone: timezone? })
        }
        "every" => Some(Schedule::Every { ms: distance(reader, value, "`schedule.every`")? }),
        _ => Some(Schedule::After { ms: distance(reader, value, "`schedule.after`")? }),
    }
}

fn cron(reader: &mut Reader<'_>, node: &Node) -> Option<Cron> {
    let text = reader.string(node, "`schedule.cron`")?;
    match text.parse::<Cron>() {
        Ok(cron) => Some(cron),
        Err(invalid) => {
            let span = within(reader, node, text, invalid.at);
            reader.problem_help("LG-FLOW-VALUE", span, invalid.message, invalid.help);
            None
        }
    }
}

/// The place of some bytes of a string; the whole string where it is not written letter by letter.
fn within(reader: &Reader<'_>, node: &Node, text: &str, at: std::ops::Range<usize>) -> Span {
    let quote = match node.scalar().map(|scalar| scalar.style) {
        Some(Style::Single | Style::Double) => 1,
        _ => 0,
    };
    let start = node.span.start as usize + quote;
    let plain = reader.text.get(start..start + text.len()) == Some(text);
    if plain && !at.is_empty() { Span::new(start + at.start, start + at.end) } else { node.span }
}

fn zone(reader: &mut Reader<'_>, document: Option<&Node>) -> Option<Zone> {
    let metadata = document.and_then(|document| document.get("metadata"));
    let Some(node) = metadata.and_then(|metadata| metadata.get("timezone")) else { return Some(Zone::utc()) };
    let name = reader.string(node, "`document.metadata.timezone`")?;
    name.parse()
        .map_err(|invalid: lockgate_model::schedule::InvalidZone| {
            let known = Zone::names();
            let problem = Diagnostic::new("LG-FLOW-VALUE", node.span, invalid.to_string()).token(name);
            reader.refuse(match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("write it like `Europe/Berlin`; without it the clocks are those of UTC"),
            });
        })
        .ok()
}

fn distance(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<i64> {
    let ms = constant(reader, node, what)?;
    if ms < SCHEDULE_MS_MIN {
        reader.problem_help(
            "LG-FLOW-VALUE",
            node.span,
            format!("{what} is shorter than a second"),
            "write at least `PT1S`",
        );
        return None;
    }
    Some(ms)
}

/// The `schedule` of a flow's entries.
pub(super) fn of(reader: &mut Reader<'_>, entries: &[(lockgate_mapping::yaml::Key, Node)]) -> Option<Schedule> {
    schedule(reader, find(entries, "schedule")?, find(entries, "document"))
}

#[cfg(test)]
mod tests {
    use lockgate_mapping::yaml;

    use super::*;

    fn read(text: &str) -> (Option<Schedule>, Vec<(String, String)>) {
        let node = yaml::parse("f.flow.yaml", text).unwrap();
        let mut reader = Reader::new("f.flow.yaml", text);
        let schedule = of(&mut reader, node.entries().unwrap());
        let problems = reader.problems.0.iter().map(|problem| {
            let span = problem.span.start as usize..problem.span.end as usize;
            (problem.code.clone(), text.get(span).unwrap().to_owned())
        });
        (schedule, problems.collect())
    }

    #[test]
    fn bad_schedules_are_refused_at_their_place() {
        for (text, code, at) in [
            ("schedule: {}", "LG-MISSING-KEY", "{}"),
            ("schedule: PT1H", "LG-WRONG-TYPE", "PT1H"),
            ("schedule: { daily: true }", "LG-UNKNOWN-KEY", "daily"),
            ("schedule: { on: { one: {} } }", "LG-FLOW-NOT-YET", "on"),
            ("schedule: { cron: '0 6 * * *', every: PT1H }", "LG-FLOW-VALUE", "every"),
            ("schedule: { cron: 5 }", "LG-WRONG-TYPE", "5"),
            ("schedule: { cron: '0 6 * *' }", "LG-FLOW-VALUE", "0 6 * *"),
            ("schedule: { cron: '0 25 * * *' }", "LG-FLOW-VALUE", "25"),
            ("schedule: { cron: \"0 6 * * MON-FRY\" }", "LG-FLOW-VALUE", "FRY"),
            ("schedule:\n  cron: 0 6 31 2 *\n", "LG-FLOW-VALUE", "31"),
            // Not written letter by letter: the whole of it is shown.
            ("schedule: { cron: \"0\\x20 25 * * *\" }", "LG-FLOW-VALUE", "\"0\\x20 25 * * *\""),
            ("schedule: { every: PT0.5S }", "LG-FLOW-VALUE", "PT0.5S"),
            ("schedule: { every: { milliseconds: 999 } }", "LG-FLOW-VALUE", "{ milliseconds: 999 }"),
            ("schedule: { after: P367D }", "LG-FLOW-VALUE", "P367D"),
            ("schedule: { after: '${ $x }' }", "LG-FLOW-VALUE", "'${ $x }'"),
            ("schedule: { after: P1M }", "LG-FLOW-VALUE", "P1M"),
            (
                "document: { metadata: { timezone: Europe/Belrin } }\nschedule: { cron: 0 6 * * * }",
                "LG-FLOW-VALUE",
                "Europe/Belrin",
            ),
            ("document: { metadata: { timezone: 2 } }\nschedule: { cron: 0 6 * * * }", "LG-WRONG-TYPE", "2"),
        ] {
            let (schedule, problems) = read(text);
            assert_eq!(schedule, None, "{text}");
            assert_eq!(problems, [(code.to_owned(), at.to_owned())], "{text}");
        }
    }

    #[test]
    fn schedules() {
        for (text, expect) in [
            ("schedule: { cron: '0 6 * * MON-FRI' }", "cron 0 6 * * MON-FRI UTC"),
            (
                "document: { metadata: { timezone: Europe/Berlin } }\nschedule: { cron: '*/5 * * * *' }",
                "cron */5 * * * * Europe/Berlin",
            ),
            ("schedule: { every: PT1S }", "every 1 s"),
            ("schedule: { every: { minutes: 2, seconds: 30 } }", "every 150 s"),
            ("schedule: { after: P30D }", "after 2592000 s"),
        ] {
            let (schedule, problems) = read(text);
            assert_eq!(problems, [], "{text}");
            assert_eq!(schedule.unwrap().to_string(), expect);
        }
        assert_eq!(read("do: []"), (None, Vec::new()));
    }
}
