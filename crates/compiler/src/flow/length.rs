//! Lengths of time, and timeouts.

use lockgate_mapping::yaml::Node;
use lockgate_model::duration::{MS_MAX, UNITS, iso8601};

use super::formula::{Place, formula};
use super::tree::Duration;
use crate::reader::Reader;

/// Reads one timeout.
pub(super) fn timeout(reader: &mut Reader<'_>, node: &Node, place: Place) -> Option<Duration> {
    let entries = reader.object_of(node, "`timeout`", &["after"])?;
    let after = reader.required(entries, "after", "`timeout`", node.span)?;
    duration_at(reader, after, "`timeout.after`", place)
}

/// Reads a length of time: ISO 8601, an object of whole numbers, or an expression that gives one of them.
pub(super) fn duration(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Duration> {
    duration_at(reader, node, what, Place::Task)
}

fn duration_at(reader: &mut Reader<'_>, node: &Node, what: &str, place: Place) -> Option<Duration> {
    if node.as_text().is_some_and(|text| text.trim_start().starts_with("${")) {
        return formula(reader, node, what, place).map(|formula| Duration::Computed(Box::new(formula)));
    }
    constant(reader, node, what).map(Duration::Constant)
}

/// Reads a constant one in milliseconds.
pub(super) fn constant(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<i64> {
    let milliseconds = if let Some(text) = node.as_text() {
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
        let names = UNITS.map(|(name, _)| name);
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
    if milliseconds > MS_MAX {
        reader.problem("LG-FLOW-VALUE", node.span, format!("{what} is longer than 366 days"));
        return None;
    }
    Some(milliseconds)
}
