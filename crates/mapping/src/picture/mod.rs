//! A mapping as a picture: the fields of the source that are read, the target, and a line for each rule.
//!
//! The picture is SVG 1.1 with a style sheet for light and dark; the same file gives the same bytes. Each
//! rule is a group with a `<title>` that holds its expressions. Constants, computations, lookups,
//! conditions and defaults stand in marks before the field that they set.
//!
//! Deliberately absent: scripts, fonts and anything else from outside the picture.

pub mod ink;
mod reads;
mod svg;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;

use lockgate_model::Diagnostics;

use crate::{
    MapFile,
    expression::{self, ir::Program},
    rules::{ArrayRule, Formula, From, Lines, Site, Target, ValueRule},
};
use tree::{Field, Tree};

/// The picture of a mapping file.
///
/// Errors: all problems of the file.
pub fn picture(file: &str, text: &str) -> Result<String, Diagnostics> {
    let map = MapFile::parse(file, text)?;
    let mut drawing = Drawing { lines: Lines::of(text), source: Tree::new(), target: Tree::new(), rules: Vec::new() };
    drawing.target(&map.target, Tree::ROOT, &Around { context: BTreeSet::from([Tree::ROOT]), on_item: false });
    Ok(svg::svg(&map, &drawing))
}

/// What is drawn.
struct Drawing {
    lines: Lines,
    source: Tree,
    target: Tree,
    rules: Vec<Rule>,
}

/// A rule as it is drawn.
struct Rule {
    /// What it sets.
    to: Field,
    look: Look,
    /// The fields that it is made of.
    from: BTreeSet<Field>,
    /// The fields that only decide about it.
    asks: BTreeSet<Field>,
    marks: Vec<Mark>,
    title: String,
}

/// A mark on the line of a rule.
struct Mark {
    look: Look,
    sign: &'static str,
    text: String,
}

/// What a rule or a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Copy,
    Computed,
    Lookup,
    Constant,
    Each,
    When,
    Default,
}

/// Where a rule stands.
struct Around {
    /// What `$` is.
    context: BTreeSet<Field>,
    /// `$` is an item and not the document.
    on_item: bool,
}

impl Drawing {
    fn target(&mut self, target: &Target, field: Field, around: &Around) {
        match target {
            Target::Object(fields) => {
                for part in fields {
                    let field = self.target.below(field, &part.name);
                    self.target(&part.target, field, around);
                }
            }
            Target::Value(rule) => {
                let mut drawn = self.rule(&rule.site, field, Look::Copy);
                self.value(&mut drawn, rule, around);
                self.rules.push(drawn);
            }
            Target::Array(rule) => self.array(rule, field, around),
        }
    }

    fn array(&mut self, rule: &ArrayRule, field: Field, around: &Around) {
        self.target.is_list(field);
        let mut drawn = self.rule(&rule.site, field, Look::Each);
        self.condition(&mut drawn, rule.when.as_ref(), around);
        let each = resolved(&rule.each, around);
        let (read, items) = self.reads(each.as_ref(), around);
        items.iter().for_each(|item| self.source.is_list(*item));
        drawn.say("each", &rule.each);
        let copied = each.is_some_and(|each| reads::is_copy(&each.root));
        let text = if copied { String::new() } else { line(&rule.each) };
        drawn.marks.push(Mark { look: Look::Each, sign: "each", text });
        drawn.from.extend(read);
        let inside = Around { context: items, on_item: true };
        // What gives whole entries is drawn with the list.
        if let Some(Target::Value(entry)) = &rule.entry {
            self.value(&mut drawn, entry, &inside);
            drawn.look = Look::Each;
        }
        self.default(&mut drawn, rule.default.as_ref(), around);
        self.rules.push(drawn);
        if let Some(entry @ (Target::Object(_) | Target::Array(_))) = &rule.entry {
            self.target(entry, field, &inside);
        }
    }

    fn value(&mut self, drawn: &mut Rule, rule: &ValueRule, around: &Around) {
        self.condition(drawn, rule.when.as_ref(), around);
        match &rule.from {
            From::Formula(from) => {
                let program = resolved(from, around);
                let (read, _) = self.reads(program.as_ref(), around);
                drawn.say("from", from);
                let root = program.as_ref().map(|program| &program.root);
                if root.is_some_and(reads::is_constant) {
                    drawn.look = Look::Constant;
                    drawn.marks.push(Mark { look: Look::Constant, sign: "=", text: line(from) });
                } else if !root.is_some_and(reads::is_copy) {
                    drawn.look = Look::Computed;
                    drawn.marks.push(Mark { look: Look::Computed, sign: "ƒ", text: line(from) });
                }
                drawn.from.extend(read);
            }
            From::Lookup { table, key, value } => {
                let (read, _) = self.reads(resolved(key, around).as_ref(), around);
                let field = value.as_ref().map(|value| format!(".{value}")).unwrap_or_default();
                drawn.title.push_str(&format!("\nlookup: {}[{}]{field}", table.0, line(key)));
                drawn.look = Look::Lookup;
                drawn.marks.push(Mark { look: Look::Lookup, sign: "table", text: format!("{}{field}", table.0) });
                drawn.from.extend(read);
            }
        }
        self.default(drawn, rule.default.as_ref(), around);
    }

    fn condition(&mut self, drawn: &mut Rule, when: Option<&Formula>, around: &Around) {
        let Some(when) = when else { return };
        drawn.say("when", when);
        drawn.marks.push(Mark { look: Look::When, sign: "when", text: line(when) });
        let (read, _) = self.reads(resolved(when, around).as_ref(), around);
        drawn.asks.extend(read);
    }

    fn default(&mut self, drawn: &mut Rule, default: Option<&Formula>, around: &Around) {
        let Some(default) = default else { return };
        drawn.say("default", default);
        drawn.marks.push(Mark { look: Look::Default, sign: "else", text: line(default) });
        let (read, _) = self.reads(resolved(default, around).as_ref(), around);
        drawn.asks.extend(read);
    }

    fn rule(&self, site: &Site, to: Field, look: Look) -> Rule {
        let title = format!("line {}: {}", self.lines.line(site.span.start), site.to);
        Rule { to, look, from: BTreeSet::new(), asks: BTreeSet::new(), marks: Vec::new(), title }
    }

    fn reads(&mut self, program: Option<&Program>, around: &Around) -> (BTreeSet<Field>, BTreeSet<Field>) {
        program.map(|program| reads::reads(program, &around.context, &mut self.source)).unwrap_or_default()
    }
}

impl Rule {
    fn say(&mut self, key: &str, formula: &Formula) {
        self.title.push_str(&format!("\n{key}: {}", line(formula)));
    }
}

/// What the compiler takes; a file without problems has it.
fn resolved(formula: &Formula, around: &Around) -> Option<Program> {
    let none = |_: &str| false;
    if around.on_item { formula.expression.resolve_on_item(&none).ok() } else { formula.expression.resolve(&none).ok() }
}

/// An expression on one line.
fn line(formula: &Formula) -> String {
    let text = formula.expression.text();
    let line = expression::format(text, None).unwrap_or_else(|_| text.to_owned());
    line.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ")
}
