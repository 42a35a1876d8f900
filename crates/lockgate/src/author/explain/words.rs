//! An explanation for people.

use lockgate_compiler::MapFile;

use super::{Explainer, How, Rule, Why};

impl Explainer {
    /// For people: the places in columns, then the rules that set nothing.
    pub(super) fn shown(&self, map: &MapFile, colour: bool) -> String {
        let mut out = format!("{}: {} set\n", map.name, counted(self.places.len()));
        let rows = self.places.iter().map(|place| {
            let value = place.value.as_ref().map_or("[…]", |value| value.get());
            [place.pointer.clone(), shortened(value, VALUE_MAX), place.rule.at(), place.how.words()]
        });
        table(&mut out, rows.collect(), colour);
        if !self.nothing.is_empty() {
            out.push_str(&format!("\n{} not set\n", counted(self.nothing.len())));
            let rows = self.nothing.iter().map(|n| [n.pointer.clone(), "-".to_owned(), n.rule.at(), n.why.words()]);
            table(&mut out, rows.collect(), colour);
        }
        out
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 place is".to_owned() } else { format!("{count} places are") }
}

/// Characters of a value that are shown, and of an expression.
const VALUE_MAX: usize = 32;
const WORDS_MAX: usize = 60;
/// No column is wider: what is longer pushes the rest of its line to the right.
const COLUMN_MAX: usize = 44;

fn table(out: &mut String, rows: Vec<[String; 4]>, colour: bool) {
    let mut widths = [0; 3];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().min(COLUMN_MAX).max(*width);
        }
    }
    for row in rows {
        let mut line = String::from(" ");
        for (i, cell) in row.iter().enumerate() {
            let paint = match i {
                0 => "\u{1b}[1m",
                1 => "\u{1b}[32m",
                _ => "\u{1b}[2m",
            };
            let (on, off) = if colour { (paint, "\u{1b}[0m") } else { ("", "") };
            let pad = widths.get(i).map_or(0, |width| width.saturating_sub(cell.chars().count()));
            line.push_str(&format!(" {on}{cell}{off}{}", " ".repeat(pad + 1)));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

impl Rule {
    fn at(&self) -> String {
        format!("line {}: {}", self.line, self.to)
    }
}

impl How {
    fn words(&self) -> String {
        match self {
            How::From { expression } => format!("from {}", shortened(expression, WORDS_MAX)),
            How::Lookup { table, key } => format!("lookup {} in {table}", quoted(key)),
            How::Default { expression, because } => {
                format!("default {}, because {}", shortened(expression, WORDS_MAX), because.words())
            }
            How::Each { expression, entries } => {
                let entries = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
                format!("{entries} of each {}", shortened(expression, WORDS_MAX))
            }
            How::Copied => "copied".to_owned(),
        }
    }
}

impl Why {
    fn words(&self) -> String {
        match self {
            Why::When { expression } => format!("`when` is not true: {}", shortened(expression, WORDS_MAX)),
            Why::From { expression } => format!("nothing comes from {}", shortened(expression, WORDS_MAX)),
            Why::NoKey { expression, .. } => {
                format!("there is no key: {} is nothing", shortened(expression, WORDS_MAX))
            }
            Why::NoRow { table, key } => format!("{} is not in {table}", quoted(key)),
            Why::NoField { table, key, field } => format!("{} in {table} has no `{field}`", quoted(key)),
            Why::NoEntry => "there is no entry".to_owned(),
        }
    }
}

fn quoted(key: &str) -> String {
    shortened(&serde_json::Value::from(key).to_string(), VALUE_MAX)
}

fn shortened(text: &str, most: usize) -> String {
    // Nothing of a document reaches a terminal as a command to it.
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if text.chars().nth(most).is_none() {
        return text.chars().map(clean).collect();
    }
    text.chars().take(most - 1).map(clean).chain(['…']).collect()
}
