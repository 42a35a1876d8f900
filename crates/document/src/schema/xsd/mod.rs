//! XML Schema (XSD 1.0) to rules.
//!
//! The values are those that XML is read as (docs/formats/xml.md): a document is an object with one
//! field, its root element; attributes are `@name`, children are fields by their local names, the text
//! of an element with attributes is `#text`, an element of text alone is a string. XML has only text,
//! so a value of a simple type is a string whose characters are those of the type. An element that may
//! come more than once is always an array: [`Schema::arrays`] tells the reader which.
//!
//! What XSD has and is not read is refused by its name, with its place. What is read and says less here:
//! the order of elements, and that of a `choice` no second alternative comes.
//!
//! Deliberately absent: fetching. `include` and `import` find the other documents among those that are
//! handed in: by the last part of `schemaLocation`, else by the https address that it is.

mod arrays;
mod content;
mod documents;
mod model;
mod root;
mod simple;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use roxmltree::Node as Xml;

use super::{
    RuleId, Schema, SchemaPlace, SchemaProblem, Types,
    draft::Draft,
    rule::{ObjectRule, Rule},
};
pub use documents::XsdFiles;
use documents::{Documents, Kind, Name, Within};
pub use root::{XsdRef, XsdRoot};

/// Namespace of XSD.
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// How deep types may nest within each other, and lead to each other by extension.
const DEPTH_MAX: usize = 64;

impl Schema {
    /// Reads a type from XML Schema documents, beginning with the one called `main`. The type is that of
    /// the element called `element`, or of the only one that `main` declares.
    pub fn from_xsd(files: &XsdFiles<'_>, main: &str, element: &str) -> Result<Schema, Vec<SchemaProblem>> {
        let (documents, problems) = Documents::gather(files, &[main], Within::Alone);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut reader = Reader::new(&documents);
        let root = reader.document(main, element);
        reader.draft.finish(root, |_| SchemaPlace::Bytes { file: main.to_owned(), range: 0..1 })
    }
}

/// Reads the components of documents, each once.
struct Reader<'d> {
    documents: &'d Documents<'d>,
    draft: Draft,
    known: BTreeMap<(Kind, Name), RuleId>,
    /// Parts of model groups that were read, again wherever they are used.
    particles: usize,
    /// They were too many, which is told once.
    too_large: bool,
}

/// A component or a part of one, and the number of its document.
#[derive(Clone, Copy)]
struct Part<'d> {
    node: Xml<'d, 'd>,
    document: usize,
}

impl<'d> Part<'d> {
    fn attribute(&self, name: &str) -> Option<&'d str> {
        self.node.attribute(name)
    }
    /// Child elements but annotations.
    fn children(self) -> impl Iterator<Item = Part<'d>> {
        let elements = self.node.children().filter(Xml::is_element);
        elements.filter(|node| !node.has_tag_name((XSD, "annotation"))).map(move |node| Part { node, ..self })
    }
    fn child(self, name: &str) -> Option<Part<'d>> {
        self.children().find(|part| part.is(name))
    }
    fn is(&self, name: &str) -> bool {
        self.node.has_tag_name((XSD, name))
    }
    fn name(&self) -> &'d str {
        self.node.tag_name().name()
    }
}

impl<'d> Reader<'d> {
    fn new(documents: &'d Documents<'d>) -> Reader<'d> {
        Reader { documents, draft: Draft::default(), known: BTreeMap::new(), particles: 0, too_large: false }
    }

    fn problem(&mut self, part: Part<'d>, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        let place = self.documents.place(part);
        self.draft.problems.push(SchemaProblem { code, place, message: message.into(), help: help.into() });
    }

    /// What XSD has and is not read.
    fn later(&mut self, part: Part<'d>, what: &str) {
        let help = "describe this part by what is supported (docs/document-types.md lists it)";
        self.problem(part, "LG-TYPE-LATER", format!("{what} is not supported yet"), help);
    }

    /// The rule of a document whose root is the element.
    fn document(&mut self, main: &str, element: &str) -> RuleId {
        let globals = self.documents.elements(0);
        let found = match globals.as_slice() {
            [only] => Some(*only),
            all => all.iter().copied().find(|part| part.attribute("name") == Some(element)),
        };
        let Some(part) = found else {
            let names: Vec<&str> = globals.iter().filter_map(|part| part.attribute("name")).collect();
            let (message, help) = match names.as_slice() {
                [] => (
                    format!("`{main}` declares no element"),
                    "a document has one: declare it by `xs:element`".to_owned(),
                ),
                names => (
                    format!("`{main}` declares several elements, and none is called `{element}`"),
                    format!("name the file after the root of the documents: {}", names.join(", ")),
                ),
            };
            let place = SchemaPlace::Bytes { file: main.to_owned(), range: 0..1 };
            self.draft.problems.push(SchemaProblem { code: "LG-TYPE-ROOT", place, message, help });
            return self.draft.add(Rule::default());
        };
        let value = self.element_value(part, 0);
        let name = part.attribute("name").unwrap_or_default().to_owned();
        let never = self.draft.add(Rule { never: true, ..Rule::default() });
        let object = ObjectRule {
            required: vec![name.clone()],
            fields: [(name, value)].into(),
            additional: Some(never),
            ..ObjectRule::default()
        };
        self.draft.add(Rule { types: Types::OBJECT, object, ..Rule::default() })
    }

    /// The rule of a global component, read when it is asked for first.
    fn global(&mut self, kind: Kind, part: Part<'d>, attribute: &str, depth: usize) -> Option<RuleId> {
        let (name, found) = self.find(kind, part, attribute)?;
        Some(self.component(kind, name, found, depth))
    }

    fn component(&mut self, kind: Kind, name: Name, found: Part<'d>, depth: usize) -> RuleId {
        if let Some(id) = self.known.get(&(kind, name.clone())) {
            return *id;
        }
        let id = self.draft.add(Rule::default());
        self.known.insert((kind, name), id);
        let read = match kind {
            Kind::Element => self.element_value(found, depth + 1),
            _ => self.type_of(found, depth + 1),
        };
        self.draft.set(id, Rule { reference: Some(read), ..Rule::default() });
        id
    }

    /// What a name in an attribute means.
    fn find(&mut self, kind: Kind, part: Part<'d>, attribute: &str) -> Option<(Name, Part<'d>)> {
        let written = part.attribute(attribute)?;
        let name = self.documents.resolve(part, written);
        match name.as_ref().and_then(|name| self.documents.get(kind, name)) {
            Some(found) => Some((name?, found)),
            None => {
                let message = format!("there is no {} `{}`", kind.noun(), text::shown(written));
                let help = match self.documents.near(kind, written) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "declare it, or include the document that does".to_owned(),
                };
                self.problem(part, "LG-TYPE-REF", message, help);
                None
            }
        }
    }

    /// The rule of the value of an element that is declared here.
    fn element_value(&mut self, part: Part<'d>, depth: usize) -> RuleId {
        for refused in ["substitutionGroup", "abstract"] {
            if part.attribute(refused).is_some_and(|value| value != "false") {
                self.later(part, &format!("`{refused}`"));
            }
        }
        if let Some(key) = part.children().find(|child| ["unique", "key", "keyref"].contains(&child.name())) {
            self.later(key, &format!("`xs:{}`", key.name()));
        }
        let mut id = self.value_type(part, depth);
        if let Some(fixed) = part.attribute("fixed") {
            let only = self.draft.texts([fixed]);
            id = self.draft.add(Rule { reference: Some(id), allowed: vec![only], ..Rule::default() });
        }
        if matches!(part.attribute("nillable"), Some("true" | "1")) {
            let null = self.draft.add(Rule { types: Types::NULL, ..Rule::default() });
            id = self.draft.add(Rule { any: vec![id, null], ..Rule::default() });
        }
        id
    }

    /// The rule by `type`, or by the type that stands within; none of them: anything.
    fn value_type(&mut self, part: Part<'d>, depth: usize) -> RuleId {
        if part.attribute("type").is_some() {
            return self.named_type(part, "type", depth).unwrap_or_else(|| self.draft.add(Rule::default()));
        }
        match part.child("simpleType").or_else(|| part.child("complexType")) {
            Some(inner) => self.type_of(inner, depth + 1),
            None => self.draft.add(Rule::default()),
        }
    }

    /// The rule of the type that an attribute names.
    fn named_type(&mut self, part: Part<'d>, attribute: &str, depth: usize) -> Option<RuleId> {
        let written = part.attribute(attribute)?;
        if let Some(builtin) = self.documents.builtin(part, written) {
            return match simple::builtin(&mut self.draft, builtin) {
                Some(rule) => Some(self.draft.add(rule)),
                None => {
                    let message = format!("XSD has no type `{}`", text::shown(builtin));
                    self.problem(part, "LG-TYPE-REF", message, "see the built-in types of XML Schema Part 2");
                    None
                }
            };
        }
        self.global(Kind::Type, part, attribute, depth)
    }

    fn type_of(&mut self, part: Part<'d>, depth: usize) -> RuleId {
        if depth > DEPTH_MAX {
            let message = format!("types lie more than {DEPTH_MAX} within each other");
            self.problem(part, "LG-TYPE-SIZE", message, "give inner types names, or split the type");
            return self.draft.add(Rule::default());
        }
        match part.is("complexType") {
            true => self.complex(part, depth),
            false => self.simple(part, depth),
        }
    }
}
