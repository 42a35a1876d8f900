//! Mapping files against document types.
//!
//! [`infer`] finds for every expression of a mapping what its value may be on a document of the
//! source's type: a [`Shape`]. [`check`] holds what the rules build to the target's type. What is
//! not known is never a problem: a problem says that something is surely wrong, and where.
//!
//! Two decisions are taken beyond the types themselves. An object that declares fields has no others
//! unless its type says so (`additionalProperties`). And where the target's type says array, what
//! surely could come as a single value is refused: `each` makes an array of any number of items.
//!
//! Deliberately absent: values. What only a value can tell (a length, a pattern) is the business of
//! the validation of documents.

mod builtin;
mod check;
mod fit;
mod help;
mod infer;
mod shape;
#[cfg(test)]
mod tests;

use lockgate_document::{Document, schema::Schema};
use lockgate_model::{Diagnostic, Diagnostics, Limits, Span};

use crate::{
    MapFile,
    expression::{
        ir::{Constant, Kind, Program},
        number_text,
    },
    rules::{ArrayRule, Formula, From, Target, ValueRule},
};
use infer::{Absent, Misfit};
pub use shape::{Fields, Items, Many, Member, Part, Shape, Source};

/// A document type and the name by which a mapping calls it.
#[derive(Debug, Clone, Copy)]
pub struct Type<'s> {
    /// Its name.
    pub name: &'s str,
    /// What it says.
    pub schema: &'s Schema,
}

/// What a lookup gives: of the reference data of this name the field of a row, or the row.
pub type Rows<'r> = &'r dyn Fn(&str, Option<&str>) -> Shape;

/// A mapping held to its types.
#[derive(Debug)]
pub struct Checked<'m> {
    /// What is wrong, in the mapping's file.
    pub problems: Diagnostics,
    /// What each rule builds.
    pub built: Built<'m>,
    /// Whatever document of the source's type comes, the mapped one is of the target's type, or the
    /// run fails.
    pub proven: bool,
}

/// What is built at one place of the target, with what is known of it.
#[derive(Debug)]
pub enum Built<'m> {
    /// An object: names and places of its fields.
    Object(Vec<(&'m crate::rules::Field, Built<'m>)>),
    /// An array.
    Array {
        /// Its rule. What it has `aside` is checked and built nowhere.
        rule: &'m ArrayRule,
        /// An entry, where it is an item itself.
        item: Shape,
        /// What it is without entries, where that is said.
        default: Option<Shape>,
        /// An entry, where rules say what it is.
        entry: Option<Box<Built<'m>>>,
    },
    /// A value.
    Value {
        /// Its rule.
        rule: &'m ValueRule,
        /// What `from` or `lookup` gives.
        from: Shape,
        /// What stands for it when it gives nothing.
        default: Option<Shape>,
        /// The values that these are in one case or another.
        literals: Vec<Literal>,
    },
}

/// A value that stands in an expression as it will be.
#[derive(Debug)]
pub struct Literal {
    /// Its place in the file.
    pub at: Span,
    /// The value.
    pub value: Document,
    /// What it is.
    pub shape: Shape,
}

/// Holds a mapping to the types of its source and its target, as far as there are any. Of one that has
/// problems of its own what could be read is held to them; what would only follow from these is not told.
pub fn check<'m>(map: &'m MapFile, source: Option<Type<'_>>, target: Option<Type<'_>>, rows: Rows<'_>) -> Checked<'m> {
    let words = Source { schema: source.map(|source| source.schema) };
    let root = match source {
        Some(source) => words.typed(&[source.schema.root()]),
        None => Shape::something(),
    };
    let name = source.map_or("", |source| source.name);
    let mut reader = Reader { source: words, name, root, rows, problems: Diagnostics::default(), literals: Vec::new() };
    let built = match &map.target {
        Target::Array(rule) if map.records.is_some() => reader.records(rule),
        target => reader.target(target, None),
    };
    reader.aside(&map.aside, None);
    let mut problems = reader.problems;
    let mut proven = false;
    if let Some(target) = target {
        // The target's type is that of one document, also where there is one for each record.
        let (one, aside) = match &built {
            Built::Array { rule, entry: Some(entry), .. } if map.records.is_some() => (entry.as_ref(), &rule.aside),
            built => (built, &map.aside),
        };
        let outcome = check::check(map, one, aside.is_empty(), words, target);
        problems.0.extend(outcome.problems);
        proven = outcome.proven;
    }
    let problems = Diagnostics(problems.0.into_iter().map(|problem| problem.file(&map.file)).collect());
    Checked { proven: proven && problems.is_empty(), problems, built }
}

/// Infers the shapes of all expressions of a mapping.
struct Reader<'s> {
    source: Source<'s>,
    name: &'s str,
    root: Shape,
    rows: Rows<'s>,
    problems: Diagnostics,
    /// Of the expressions read last.
    literals: Vec<Literal>,
}

impl Reader<'_> {
    /// What is built at a place; `item` is the context where it is not the source document.
    fn target<'m>(&mut self, target: &'m Target, item: Option<&Shape>) -> Built<'m> {
        match target {
            Target::Object(fields) => {
                Built::Object(fields.iter().map(|field| (field, self.target(&field.target, item))).collect())
            }
            Target::Array(rule) => {
                let each = self.formula(&rule.each, item);
                let entry = Shape { undefined: false, ..self.source.items(&each) };
                self.optional(rule.when.as_ref(), item);
                let default = self.optional(rule.default.as_ref(), item);
                let built = rule.entry.as_ref().map(|target| Box::new(self.target(target, Some(&entry))));
                self.aside(&rule.aside, Some(&entry));
                Built::Array { rule, item: entry, default, entry: built }
            }
            Target::Value(rule) => {
                self.optional(rule.when.as_ref(), item);
                let looked_up = match &rule.from {
                    From::Formula(_) => None,
                    From::Lookup { table: (name, _), key, value } => {
                        self.formula(key, item);
                        Some((self.rows)(name, value.as_deref()).or_nothing(true))
                    }
                };
                self.literals.clear();
                let from = match (&rule.from, looked_up) {
                    (From::Formula(formula), _) => self.formula(formula, item),
                    (_, looked_up) => looked_up.unwrap_or_else(Shape::any),
                };
                let default = self.optional(rule.default.as_ref(), item);
                Built::Value { rule, from, default, literals: std::mem::take(&mut self.literals) }
            }
        }
    }

    /// What is built of each record, which is the document to the rules.
    fn records<'m>(&mut self, rule: &'m ArrayRule) -> Built<'m> {
        let each = self.formula(&rule.each, None);
        let record = Shape { undefined: false, ..self.source.items(&each) };
        self.root = record.clone();
        let entry = rule.entry.as_ref().map(|target| Box::new(self.target(target, None)));
        self.aside(&rule.aside, None);
        Built::Array { rule, item: record, default: None, entry }
    }

    /// Rules without a place: what is wrong with their expressions.
    fn aside(&mut self, targets: &[Target], item: Option<&Shape>) {
        for target in targets {
            self.target(target, item);
        }
    }

    fn optional(&mut self, formula: Option<&Formula>, item: Option<&Shape>) -> Option<Shape> {
        formula.map(|formula| self.formula(formula, item))
    }

    fn formula(&mut self, formula: &Formula, item: Option<&Shape>) -> Shape {
        let no_names = |_: &str| false;
        let expression = &formula.expression;
        let resolved = match item {
            Some(_) => expression.resolve_on_item(&no_names),
            None => expression.resolve(&no_names),
        };
        // What is wrong with the expression itself is told by who compiles it.
        let Ok(program) = resolved else { return Shape::any() };
        let inferred = infer::infer(&program, self.source, &self.root, item.unwrap_or(&self.root));
        let absent = inferred.absent.iter().map(|absent| check::absent(self.name, absent));
        for problem in absent.chain(inferred.misfits.iter().map(check::misfit)) {
            let span = formula.origin.span(problem.span);
            self.problems.push(Diagnostic { span, ..problem });
        }
        // More would only follow from what is wrong with it.
        if !formula.sound {
            return Shape::any();
        }
        self.literals.extend(literals(&program, formula));
        inferred.shape
    }
}

/// The constants among the ends of an expression.
fn literals(program: &Program, formula: &Formula) -> Vec<Literal> {
    let parsed = |json: &str| Document::parse(json.as_bytes(), &Limits::default()).ok();
    let literal = |constant: &Constant| match constant {
        Constant::Undefined => None,
        Constant::Null => Some(Document::null()),
        Constant::Boolean(value) => parsed(&value.to_string()),
        Constant::Number(value, None) => parsed(&number_text(*value)),
        Constant::Number(_, Some(lexeme)) => parsed(lexeme),
        Constant::Text(text) => Some(Document::text(text)),
    };
    let ends = program.root.ends();
    let found = ends.iter().filter_map(|end| match &end.kind {
        Kind::Constant(constant) => Some((end.span, constant, literal(constant)?)),
        _ => None,
    });
    found
        .map(|(at, constant, value)| Literal {
            at: formula.origin.span(at),
            value,
            shape: infer::of_constant(constant),
        })
        .collect()
}
