//! Retry policies.

use lockgate_mapping::yaml::{Key, Node};

use super::formula::{Place, formula};
use super::length::duration;
use super::reuse::own_or_reused;
use super::tree::{Backoff, Duration, Jitter, Retry};
use crate::reader::{Reader, find};

/// Reads `catch.retry`: a policy, or the name of one under `use.retries`.
pub(super) fn retry(reader: &mut Reader<'_>, node: &Node, reusable: &[(Key, Node)]) -> Option<Retry> {
    own_or_reused(reader, node, (reusable, "retry policy", "use.retries"), policy)
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
