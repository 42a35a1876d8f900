//! Mapping files: where expressions stand, the order of keys, and which rules lie on one line.

use std::collections::BTreeSet;

use lockgate_model::Diagnostics;

use super::{
    Kind, finish,
    sheet::{self, Form, Sheet},
};
use crate::{
    MapFile,
    yaml::{self, Node},
};

const FILE_KEYS: [&str; 5] = ["mapping", "version", "source", "target", "rules"];
const RULE_KEYS: [&str; 7] = ["to", "each", "when", "from", "lookup", "default", "rules"];
const LOOKUP_KEYS: [&str; 3] = ["table", "key", "value"];
const TYPE_KEYS: [&str; 2] = ["type", "records"];

/// The canonical form of a mapping file. A rule lies on one line where it fits, unless it has rules of
/// its own or comments inside.
///
/// Errors: all problems of the file, and `LG-FMT` should what was written not read back as the same.
pub fn mapping(file: &str, text: &str) -> Result<String, Diagnostics> {
    MapFile::parse(file, text)?;
    let root = yaml::parse(file, text)?;
    let mut expressions = BTreeSet::new();
    if let Some(rules) = root.get("rules") {
        gather(rules, &mut expressions);
    }
    let kind = Kind { expressions, keys: &FILE_KEYS };
    let mut sheet = sheet::read(text, &root, &kind)?.ordered(&FILE_KEYS);
    for key in ["source", "target"] {
        if let Some(document) = sheet.get_mut(key) {
            order(document, &TYPE_KEYS, true);
        }
    }
    if let Some(list) = sheet.get_mut("rules") {
        rules(list);
    }
    finish(file, text, &root, sheet, true)
}

/// Where the expressions of rules begin.
fn gather(rules: &Node, found: &mut BTreeSet<u32>) {
    for rule in rules.items().unwrap_or_default() {
        let lookup = rule.get("lookup").and_then(|lookup| lookup.get("key"));
        let own = ["from", "each", "when", "default"].into_iter().filter_map(|key| rule.get(key));
        found.extend(own.chain(lookup).map(|node| node.span.start));
        if let Some(inner) = rule.get("rules") {
            gather(inner, found);
        }
    }
}

fn rules(list: &mut Sheet) {
    let Form::Sequence { items, line, .. } = &mut list.form else { return };
    *line = false;
    for rule in items {
        let nested = rule.get_mut("rules").is_some();
        order(rule, &RULE_KEYS, !nested);
        if let Some(lookup) = rule.get_mut("lookup") {
            order(lookup, &LOOKUP_KEYS, true);
        }
        if let Some(inner) = rule.get_mut("rules") {
            rules(inner);
        }
    }
}

/// Puts keys in order, and says whether it may lie on one line.
fn order(sheet: &mut Sheet, keys: &[&str], on_line: bool) {
    if let Form::Mapping { entries, line, .. } = &mut sheet.form {
        entries.sort_by_key(|(key, _)| keys.iter().position(|k| *k == key.text).unwrap_or(keys.len()));
        *line = on_line;
    }
}
