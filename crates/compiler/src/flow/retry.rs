//! Durations and retry policies.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Diagnostic;

use super::formula::{Place, formula};
use super::tree::{Backoff, Retry};
use crate::reader::{Reader, find, list, nearest};

/// No wait is longer; a run's wall time is shorter still.
const DELAY_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// Reads `catch.retry`: a policy, or the name of one under `use.retries`.
pub(super) fn retry(reader: &mut Reader<'_>, node: &Node, reusable: &[(Key, Node)]) -> Option<Retry> {
    let Some(name) = node.as_text() else { return policy(reader, node) };
    match find(reusable, name) {
        // Its own problems are reported where it is defined.
        Some(defined) => policy(&mut Reader::new("", reader.text), defined),
        None => {
            let known = reusable.iter().map(|(key, _)| key.text.as_str());
            let help = match nearest(name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("defined under `use.retries`: {}", list(known)),
            };
            reader.refuse(
                Diagnostic::new("LG-FLOW-REFERENCE", node.span, format!("there is no retry policy `{name}`"))
                    .help(help)
                    .token(name),
            );
            None
        }
    }
}

/// Reads one policy.
pub(super) fn policy(reader: &mut Reader<'_>, node: &Node) -> Option<Retry> {
    const KEYS: &[&str] = &["when", "exceptWhen", "delay", "backoff", "limit"];
    let entries = reader.object_with(node, "a retry policy", KEYS, &["jitter"])?;
    let mut policy =
        Retry { when: None, except: None, delay_ms: 0, backoff: Backoff::Constant, count: None, duration_ms: None };
    for (key, value) in entries {
        match key.text.as_str() {
            "when" => policy.when = formula(reader, value, "`when`", Place::Task),
            "exceptWhen" => policy.except = formula(reader, value, "`exceptWhen`", Place::Task),
            "delay" => policy.delay_ms = duration(reader, value, "`delay`").unwrap_or(0),
            "backoff" => policy.backoff = backoff(reader, value).unwrap_or(Backoff::Constant),
            "limit" => limit(reader, value, &mut policy),
            "jitter" => reader.problem_help(
                "LG-FLOW-NOT-YET",
                key.span,
                "`jitter` is not supported yet",
                "remove it; runs of a tenant are spread by its queue",
            ),
            _ => {}
        }
    }
    Some(policy)
}

fn backoff(reader: &mut Reader<'_>, node: &Node) -> Option<Backoff> {
    const KEYS: &[&str] = &["constant", "linear", "exponential"];
    let entries = reader.object_of(node, "`backoff`", KEYS)?;
    let [(key, value)] = entries else {
        reader.problem("LG-FLOW-VALUE", node.span, "`backoff` must name one of `constant`, `linear`, `exponential`");
        return None;
    };
    if !value.is_null() {
        // The standard defines no fields for them.
        reader.object_of(value, &format!("`{}`", key.text), &[]);
    }
    match key.text.as_str() {
        "linear" => Some(Backoff::Linear),
        "exponential" => Some(Backoff::Exponential),
        _ => Some(Backoff::Constant),
    }
}

fn limit(reader: &mut Reader<'_>, node: &Node, policy: &mut Retry) {
    let Some(entries) = reader.object_of(node, "`limit`", &["attempt", "duration"]) else { return };
    if let Some(node) = find(entries, "duration") {
        policy.duration_ms = duration(reader, node, "`limit.duration`");
    }
    let Some(node) = find(entries, "attempt") else { return };
    let Some(entries) = reader.object_with(node, "`limit.attempt`", &["count"], &["duration"]) else { return };
    for (key, value) in entries {
        match key.text.as_str() {
            "count" => policy.count = reader.whole(value, "`limit.attempt.count`"),
            "duration" => reader.problem_help(
                "LG-FLOW-NOT-YET",
                key.span,
                "a time limit for each attempt is not supported yet",
                "limit all attempts together with `limit.duration`",
            ),
            _ => {}
        }
    }
}

/// Reads a duration in milliseconds: ISO 8601, or an object of whole numbers.
pub(super) fn duration(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<i64> {
    duration_up_to(reader, node, what, DELAY_MS_MAX, "a day")
}

/// The same with another limit, in milliseconds and in words.
pub(super) fn duration_up_to(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    ms_max: i64,
    limit: &str,
) -> Option<i64> {
    const UNITS: &[(&str, i64)] =
        &[("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1000), ("milliseconds", 1)];
    let milliseconds = if let Some(text) = node.as_text() {
        if text.contains("${") {
            reader.problem_help(
                "LG-FLOW-NOT-YET",
                node.span,
                format!("a computed duration is not supported yet in {what}"),
                "write a constant, such as `PT5S` or `{ seconds: 5 }`",
            );
            return None;
        }
        let read = iso8601(text);
        if read.is_none() {
            reader.problem_help(
                "LG-FLOW-VALUE",
                node.span,
                format!("{what} is no ISO 8601 duration in days, hours, minutes and seconds"),
                "write it like `PT1M30S`, `P1D` or `{ seconds: 5 }`",
            );
        }
        read?
    } else {
        let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
        let entries = reader.object_of(node, what, &names)?;
        if entries.is_empty() {
            reader.problem("LG-FLOW-VALUE", node.span, format!("{what} names no unit"));
        }
        let mut sum: i64 = 0;
        for (key, value) in entries {
            let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == key.text) else { continue };
            let count = reader.whole(value, &format!("`{}` of {what}", key.text))?;
            sum = sum.saturating_add(unit.saturating_mul(i64::from(count)));
        }
        sum
    };
    if milliseconds > ms_max {
        reader.problem("LG-FLOW-VALUE", node.span, format!("{what} is longer than {limit}"));
        return None;
    }
    Some(milliseconds)
}

/// `P[nW][nD][T[nH][nM][nS]]` in milliseconds; years and months have no fixed length.
fn iso8601(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = units(date, &[('W', 604_800_000), ('D', 86_400_000)])?;
    days.checked_add(units(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1000)])?)
}

/// Numbers with unit letters, in this order, each at most once.
fn units(text: &str, mut known: &[(char, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(end);
        let letter = tail.chars().next()?;
        let place = known.iter().position(|(unit, _)| *unit == letter)?;
        let (_, unit) = known.get(place)?;
        known = known.get(place + 1..)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || fraction.len() > 9 {
            return None;
        }
        sum = sum.checked_add(whole.parse::<i64>().ok()?.checked_mul(*unit)?)?;
        if !fraction.is_empty() {
            let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            sum = sum.checked_add(
                i64::try_from(fraction.parse::<i128>().ok()? * i128::from(*unit) / i128::from(scale)).ok()?,
            )?;
        }
        rest = tail.get(letter.len_utf8()..)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::iso8601;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("PT0S", 0),
            ("PT1.5S", 1500),
            ("PT0.0015S", 1),
            ("P1DT2H", 93_600_000),
            ("P2W", 1_209_600_000),
            ("PT1M30S", 90_000),
        ] {
            assert_eq!(iso8601(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1Y",
            "P1M",
            "PT1S1M",
            "PT1X",
            "PT.5S",
            "PT5.S",
            "P1DT",
            "PT99999999999999999999S",
        ] {
            assert_eq!(iso8601(text), None, "{text}");
        }
    }
}
