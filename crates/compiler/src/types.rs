//! Document types: the files of `types/`, and mappings held to them.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_document::{
    Document,
    schema::{Schema, SchemaPlace, SchemaProblem, XsdFiles},
};
use lockgate_mapping::{
    MapFile,
    types::{self, Fields, Items, Member, Part, Shape, Type},
    yaml::{self, Key, Node, Value},
};
use lockgate_model::{
    Limits,
    diagnostic::{Diagnostic, Diagnostics, Span},
};

use crate::{
    documents::{
        CODES, Documents, Named,
        bundle::{Broken, bundle},
    },
    mapping::Tables,
    reader::{list, nearest},
};

/// What ends the name of a type's file, the longest first.
pub(crate) const ENDINGS: [&str; 3] = [".schema.json", ".json", ".xsd"];
/// Regular expressions of all types of a project: each may take 1 MiB.
const PATTERNS_MAX: usize = 512;
/// Rows of a table that are looked at to know what a lookup gives; of a longer one nothing is known.
const ROWS_MAX: usize = 1_000;
/// How deep a table is looked into.
const ROW_DEPTH_MAX: usize = 8;

/// Document types by name.
#[derive(Debug, Default)]
pub struct Types {
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
enum Known {
    Sound(Box<Schema>),
    /// Its file has problems, which are told.
    Broken,
    /// An XSD that others may include and that says of no root that it is the document's: why, and what
    /// to do for one that a mapping names.
    Part {
        message: String,
        help: String,
    },
}

impl Types {
    /// Reads the files of `types/`, by their paths, with those of `lock/` and `documents/` that they lead to; all
    /// problems of all files come at once.
    pub fn read<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> (Types, Diagnostics) {
        let files: Vec<_> = files.into_iter().collect();
        let (documents, mut problems) = Documents::new(files.iter().copied());
        let is_type =
            |path: &str| path.rsplit('/').nth(1).is_none_or(|folder| !["lock", "documents"].contains(&folder));
        let (types, found) = read(files.into_iter().filter(|(path, _)| is_type(path)), &documents);
        problems.0.extend(found.0);
        (types, problems)
    }
}

/// Reads the files of `types/`, by their paths.
pub(crate) fn read<'f>(
    files: impl IntoIterator<Item = (&'f str, &'f str)>,
    documents: &Documents<'_>,
) -> (Types, Diagnostics) {
    let files: BTreeMap<&str, &str> = files.into_iter().collect();
    let is_xsd = |path: &str| path.ends_with(".xsd");
    let own = files.iter().filter(|file| is_xsd(file.0)).map(|file| (*file.0, *file.1));
    let others = documents.ending(".xsd").filter(|(location, _)| !files.contains_key(location));
    let schemas = XsdFiles::parse(own.chain(others.map(|(location, document)| (location, document.text))));
    let mut patterns = 0;
    let (mut types, mut problems) = (Types::default(), Diagnostics::default());
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, text) in &files {
        let (path, text) = (*path, *text);
        let Some(name) = name_of(path) else { continue };
        if let Some(first) = places.insert(name, path) {
            let message = format!("the type `{name}` stands in `{first}` too");
            let problem = Diagnostic::new("LG-PROJECT-NAME", Span::default(), message);
            problems.push(problem.help("keep one of the files, or rename one").file(path));
            continue;
        }
        let (schema, found) = match is_xsd(path) {
            _ if patterns > PATTERNS_MAX => (Known::Broken, too_many(path)),
            true => read_xsd(&schemas, path, name, documents),
            false => read_json(path, text, documents),
        };
        if let Known::Sound(schema) = &schema {
            patterns += schema.patterns();
        }
        problems.0.extend(found.0);
        types.known.insert(name.to_owned(), schema);
    }
    // Each tells of a document that several lead to.
    let mut told = BTreeSet::new();
    problems.0.retain(|problem| !CODES.contains(&problem.code.as_str()) || told.insert(format!("{problem:?}")));
    (types, problems)
}

impl Types {
    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&Schema> {
        match self.known.get(name)? {
            Known::Sound(schema) => Some(schema),
            Known::Broken | Known::Part { .. } => None,
        }
    }

    /// A type that a mapping names and that has no file.
    fn missing(&self, name: &str, at: Span) -> Option<Diagnostic> {
        match self.known.get(name) {
            None => {}
            Some(Known::Sound(_) | Known::Broken) => return None,
            Some(Known::Part { message, help }) => {
                return Some(Diagnostic::new("LG-MAP-TYPE", at, message).help(help));
            }
        }
        let known = self.known.keys().map(String::as_str);
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.known.is_empty() => format!("put it into types/{name}.json, or leave out `type`"),
            None => format!("the types are {}; a new one goes into types/{name}.json", list(known)),
        };
        Some(Diagnostic::new("LG-MAP-TYPE", at, format!("there is no document type `{name}`")).help(help))
    }
}

/// The name of the type in a file.
pub(crate) fn name_of(path: &str) -> Option<&str> {
    let file = path.rsplit('/').next()?;
    ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).filter(|name| !name.is_empty())
}

/// What is wrong with a mapping by the types that it names, also where it has problems of its own.
pub(crate) fn check_types<'t>(map: &'t MapFile, types: &'t Types, tables: &Tables) -> Diagnostics {
    let named = [&map.source_type, &map.target_type];
    let missing = named.into_iter().flatten().filter_map(|(name, at)| types.missing(name, *at));
    let mut problems = Diagnostics(missing.map(|problem| problem.file(&map.file)).collect());
    let typed = |named: Option<&'t (String, Span)>| {
        let (name, _) = named?;
        Some(Type { name, schema: types.get(name)? })
    };
    let (source, target) = (typed(map.source_type.as_ref()), typed(map.target_type.as_ref()));
    if source.is_none() && target.is_none() {
        return problems;
    }
    let rows = |table: &str, field: Option<&str>| rows(tables, table, field);
    problems.0.extend(types::check(map, source, target, &rows).problems.0);
    problems
}

fn read_json(path: &str, text: &str, documents: &Documents<'_>) -> (Known, Diagnostics) {
    if let Some(problem) = crate::project::not_json(path, text) {
        return (Known::Broken, Diagnostics(vec![problem]));
    }
    let (tree, mut problems) = yaml::read(path, text);
    let Some(tree) = tree.filter(|_| problems.is_empty()) else { return (Known::Broken, problems) };
    let named = Named { file: path.to_owned(), span: tree.span };
    let bundle = match bundle(documents, (path, &tree, ""), &named) {
        Ok(bundle) => bundle,
        Err(broken) => {
            problems.0.extend(broken.into_iter().map(|Broken { location, span, refusal }| {
                let file = documents.at(&location).map_or(path, |at| at.document.file.as_str());
                Diagnostic::new(refusal.code, span, refusal.message).help(refusal.help).file(file)
            }));
            return (Known::Broken, problems);
        }
    };
    let whole = if bundle.has_parts() { bundle.json.as_str() } else { text };
    let document = match Document::parse(whole.as_bytes(), &Limits::default()) {
        Ok(document) => document,
        Err(error) => {
            // A place in the whole is none in the file.
            let at = if bundle.has_parts() { 0 } else { error.offset() };
            problems.push(Diagnostic::new(error.code(), Span::new(at, at + 1), error.message()).file(path));
            return (Known::Broken, problems);
        }
    };
    match Schema::from_json(document.root()) {
        Ok(schema) => (Known::Sound(Box::new(schema)), problems),
        Err(found) => {
            let shown = |problem: SchemaProblem| match bundle.at(&problem) {
                Some((location, pointer)) => {
                    let at = documents.at(location);
                    let place = SchemaPlace::Pointer(pointer);
                    shown(
                        SchemaProblem { place, ..problem },
                        at.map_or(path, |at| at.document.file.as_str()),
                        at.map(|at| at.node),
                    )
                }
                None => shown(problem, path, Some(&tree)),
            };
            problems.0.extend(found.into_iter().map(shown));
            (Known::Broken, problems)
        }
    }
}

fn read_xsd(files: &XsdFiles<'_>, path: &str, name: &str, documents: &Documents<'_>) -> (Known, Diagnostics) {
    let file_of = |location: &str| match documents.get(location) {
        Some(document) => document.file.clone(),
        None => location.to_owned(),
    };
    let mut problems = Diagnostics::default();
    for (within, range, address) in files.addresses(path) {
        let named = Named { file: file_of(&within), span: Span::new(range.start, range.end) };
        if let Err(refusal) = documents.find("", &address, &named) {
            let problem = Diagnostic::new(refusal.code, named.span, refusal.message);
            problems.push(problem.help(refusal.help).file(named.file));
        }
    }
    if !problems.is_empty() {
        return (Known::Broken, problems);
    }
    match Schema::from_xsd(files, path, name) {
        Ok(schema) => (Known::Sound(Box::new(schema)), Diagnostics::default()),
        Err(found) => match found.as_slice() {
            [SchemaProblem { code: "LG-TYPE-ROOT", message, help, .. }] => {
                (Known::Part { message: message.clone(), help: help.clone() }, Diagnostics::default())
            }
            _ => {
                let told = found.into_iter().map(|problem| {
                    let problem = shown(problem, path, None);
                    let file = file_of(&problem.file);
                    problem.file(file)
                });
                (Known::Broken, Diagnostics(told.collect()))
            }
        },
    }
}

fn too_many(path: &str) -> Diagnostics {
    let message = format!("the types before this one have more than {PATTERNS_MAX} regular expressions");
    let problem = Diagnostic::new("LG-TYPE-SIZE", Span::default(), message);
    Diagnostics(vec![problem.help("split the project, or say less by patterns").file(path)])
}

/// A problem at its place in its file.
pub(crate) fn shown(problem: SchemaProblem, path: &str, tree: Option<&Node>) -> Diagnostic {
    let SchemaProblem { code, place, message, help } = problem;
    let (file, at) = match (place, tree) {
        (SchemaPlace::Pointer(pointer), Some(tree)) => (path.to_owned(), pointed(tree, &pointer)),
        (SchemaPlace::Pointer(_), None) => (path.to_owned(), Span::default()),
        (SchemaPlace::Bytes { file, range }, _) => (file, Span::new(range.start, range.end)),
    };
    Diagnostic::new(code, at, message).help(help).file(file)
}

/// Where a JSON pointer leads: the value, or its key where the value is more than a line can show.
fn pointed(tree: &Node, pointer: &str) -> Span {
    let (mut node, mut at) = (tree, Span::new(tree.span.start as usize, tree.span.start as usize + 1));
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        let (key, inner): (Option<&Key>, &Node) = match &node.value {
            Value::Mapping(entries) => match entries.iter().find(|(key, _)| key.text == name) {
                Some((key, inner)) => (Some(key), inner),
                None => return at,
            },
            Value::Sequence(items) => match name.parse().ok().and_then(|i: usize| items.get(i)) {
                Some(inner) => (None, inner),
                None => return at,
            },
            Value::Scalar(_) => return at,
        };
        at = match (&inner.value, key) {
            (Value::Scalar(_), _) | (_, None) => inner.span,
            (_, Some(key)) => key.span,
        };
        node = inner;
    }
    at
}

/// What a lookup in reference data gives, when it finds something.
fn rows(tables: &Tables, table: &str, field: Option<&str>) -> Shape {
    let Some(rows) = tables.get(table).and_then(|table| table.as_object()).filter(|rows| rows.len() <= ROWS_MAX) else {
        return Shape::any();
    };
    let mut shape = Shape::nothing();
    for row in rows.values() {
        let value = match field {
            None => Some(row),
            Some(field) if row.is_object() => row.get(field),
            // The field of an array is that of its items: nothing is said of it.
            Some(_) if row.is_array() => return Shape::any(),
            Some(_) => None,
        };
        shape = shape.or(value.map_or_else(Shape::nothing, |value| shape_of(value, 0)));
    }
    shape
}

fn shape_of(value: &serde_json::Value, depth: usize) -> Shape {
    use serde_json::Value;
    if depth > ROW_DEPTH_MAX {
        return Shape::any();
    }
    match value {
        Value::Null => Shape::one(Part::Null),
        Value::Bool(_) => Shape::boolean(),
        Value::Number(number) => Shape::one(Part::Number { whole: number.is_i64() || number.is_u64() }),
        Value::String(text) => Shape::constant(text),
        Value::Array(items) => {
            let items = items.iter().fold(Shape::never(), |all, item| all.or(shape_of(item, depth + 1)));
            Shape::one(Part::Array(Items::Of(Box::new(items))))
        }
        Value::Object(fields) => {
            let member = |(name, value): (&String, &Value)| Member {
                name: name.clone(),
                at: Span::default(),
                value: shape_of(value, depth + 1),
            };
            Shape::one(Part::Object(Fields::Of(fields.iter().map(member).collect())))
        }
    }
}
