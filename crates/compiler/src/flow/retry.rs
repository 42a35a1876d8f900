//! Lengths of time and retry policies.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::{Diagnostic, duration as length};

use super::formula::{Place, formula};
use super::tree::{Backoff, Duration, Jitter, Retry};
use crate::reader::{Reader, find, list, nearest};

/// No wait is longer; a run's wall time is shorter still.
const DELAY_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// Reads `catch.retry`: a policy, or the name of one under `use.retries`.
pub(super) fn retry(reader: &mut Reader<'_>, node: &Node, reusable: &[(Key, Node)]) -> Option<Retry> {
    let Some(name) = node.as_text() else { return policy(reader, node) };
    let defined = reused(reader, node, name, reusable, ("retry policy", "use.retries"))?;
    // Its own problems are reported where it is defined.
    policy(&mut Reader::new("", reader.text), defined)
}

/// Finds what is defined for reuse under a name, and where, or tells that it is not.
pub(super) fn reused<'n>(
    reader: &mut Reader<'_>,
    node: &Node,
    name: &str,
    reusable: &'n [(Key, Node)],
    (what, place): (&str, &str),
) -> Option<&'n Node> {
    let defined = find(reusable, name);
    if defined.is_none() {
        let known = reusable.iter().map(|(key, _)| key.text.as_str());
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("defined under `{place}`: {}", list(known)),
        };
        let message = format!("there is no {what} `{name}`");
        reader.refuse(Diagnostic::new("LG-FLOW-REFERENCE", node.span, message).help(help).token(name));
    }
    defined
}

/// Reads one timeout.
pub(super) fn timeout(reader: &mut Reader<'_>, node: &Node, place: Place) -> Option<Duration> {
    let entries = reader.object_of(node, "`timeout`", &["after"])?;
    let after = reader.required(entries, "after", "`timeout`", node.span)?;
    duration_at(reader, after, "`timeout.after`", place)
}

/// Reads one policy.
pub(super) fn policy(reader: &mut Reader<'_>, node: &Node) -> Option<Retry> {
    const KEYS: &[&str] = &["when", "exceptWhen", "delay", "backoff", "limit", "jitter"];
    let entries = reader.object_of(node, "a retry policy", KEYS)?;
    let mut policy = Retry::default();
    for (key, value) in entries {
        match key.text.as_str() {
            "when" => policy.when = formula(reader, value, "`when`", Place::Task),
            "exceptWhen" => policy.except = formula(reader, value, "`exceptWhen`", Place::Task),
            "delay" => policy.delay = duration(reader, value, "`delay`").unwrap_or_default(),
            "backoff" => policy.backoff = backoff(reader, value).unwrap_or(Backoff::Constant),
            "limit" => limit(reader, value, &mut policy),
            "jitter" => policy.jitter = jitter(reader, value),
            _ => {}
        }
    }
    Some(policy)
}

fn jitter(reader: &mut Reader<'_>, node: &Node) -> Option<Jitter> {
    let entries = reader.object_of(node, "`jitter`", &["from", "to"])?;
    let mut part = |key: &str| {
        let value = reader.required(entries, key, "`jitter`", node.span)?;
        duration(reader, value, &format!("`jitter.{key}`"))
    };
    let (from, to) = (part("from"), part("to"));
    let (from, to) = (from?, to?);
    if let (Duration::Constant(least), Duration::Constant(most)) = (&from, &to)
        && least > most
    {
        reader.problem("LG-FLOW-VALUE", node.span, "`jitter.from` is longer than `jitter.to`");
    }
    Some(Jitter { from, to })
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
        policy.duration = duration(reader, node, "`limit.duration`");
    }
    let Some(node) = find(entries, "attempt") else { return };
    let Some(entries) = reader.object_of(node, "`limit.attempt`", &["count", "duration"]) else { return };
    for (key, value) in entries {
        match key.text.as_str() {
            "count" => policy.count = reader.whole(value, "`limit.attempt.count`"),
            "duration" => policy.attempt = duration(reader, value, "`limit.attempt.duration`"),
            _ => {}
        }
    }
}

/// Reads a length of time: ISO 8601, an object of whole numbers, or an expression that gives one of them.
pub(super) fn duration(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Duration> {
    duration_at(reader, node, what, Place::Task)
}

fn duration_at(reader: &mut Reader<'_>, node: &Node, what: &str, place: Place) -> Option<Duration> {
    if node.as_text().is_some_and(|text| text.trim_start().starts_with("${")) {
        return formula(reader, node, what, place).map(|formula| Duration::Computed(Box::new(formula)));
    }
    duration_up_to(reader, node, what, DELAY_MS_MAX, "a day").map(Duration::Constant)
}

/// Reads a constant one in milliseconds, with its limit, also in words.
pub(super) fn duration_up_to(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    ms_max: i64,
    limit: &str,
) -> Option<i64> {
    let milliseconds = if let Some(text) = node.as_text() {
        let read = length::iso8601(text);
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
        let names = length::UNITS.map(|(name, _)| name);
        let entries = reader.object_of(node, what, &names)?;
        if entries.is_empty() {
            reader.problem("LG-FLOW-VALUE", node.span, format!("{what} names no unit"));
        }
        let mut sum: i64 = 0;
        for (key, value) in entries {
            let Some((_, unit)) = length::UNITS.iter().find(|(name, _)| *name == key.text) else { continue };
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
