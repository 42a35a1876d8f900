//! Types whose schemas stand within other documents, as WSDL has them, and whose root is named from there.

use std::ops::Range;

use super::{
    super::{Markup, MarkupField, RuleId, Schema, SchemaPlace, SchemaProblem, Types, XmlName, rule},
    Documents, Kind, Reader, Within, XSD, XsdFiles, simple,
    text::shown,
};
use rule::{ObjectRule, Rule};

/// What the values of a type are.
#[derive(Debug, Clone, Copy)]
pub enum XsdRoot<'a> {
    /// The value of a global element.
    Element(&'a XsdRef),
    /// An object with a field for each part, in this order: an element of that name in no namespace.
    Parts(&'a [(String, XsdRef)]),
}

/// A component of XML Schema that another document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XsdRef {
    /// The element, or the type of a part.
    pub name: XmlName,
    /// The document that names it.
    pub file: String,
    /// Where it does, in bytes.
    pub range: Range<usize>,
}

impl Schema {
    /// Reads a type from the schemas that stand within the documents called `mains`, and what these include
    /// and import.
    pub fn from_xsd_within(
        files: &XsdFiles<'_>,
        mains: &[&str],
        root: XsdRoot<'_>,
    ) -> Result<Schema, Vec<SchemaProblem>> {
        let (documents, problems) = Documents::gather(files, mains, Within::Others);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut reader = Reader::new(&documents);
        let (rule, place) = match root {
            XsdRoot::Element(element) => (reader.named(Kind::Element, element), Some(element)),
            XsdRoot::Parts(parts) => (reader.parts(parts), parts.first().map(|(_, part)| part)),
        };
        let place = place.map_or(SchemaPlace::Pointer(String::new()), XsdRef::place);
        reader.draft.finish(rule, |_| place.clone())
    }
}

impl XsdRef {
    fn place(&self) -> SchemaPlace {
        SchemaPlace::Bytes { file: self.file.clone(), range: self.range.clone() }
    }
}

impl Reader<'_> {
    fn parts(&mut self, parts: &[(String, XsdRef)]) -> RuleId {
        let mut markup = Markup::default();
        let mut object = ObjectRule::default();
        for (key, part) in parts {
            let rule = self.named(Kind::Type, part);
            object.required.push(key.clone());
            object.fields.insert(key.clone(), rule);
            let name = XmlName::new("", key.clone());
            markup.children.push(MarkupField { key: key.clone(), name, rule, is_array: false });
        }
        object.additional = Some(self.draft.add(Rule { never: true, ..Rule::default() }));
        let id = self.draft.add(Rule { types: Types::OBJECT, object, ..Rule::default() });
        self.draft.markup.insert(id, markup);
        id
    }

    fn named(&mut self, kind: Kind, wanted: &XsdRef) -> RuleId {
        let XmlName { namespace, local } = &wanted.name;
        if kind == Kind::Type
            && namespace == XSD
            && let Some(rule) = simple::builtin(&mut self.draft, local)
        {
            return self.draft.add(rule);
        }
        let name = (namespace.clone(), local.clone());
        if let Some(found) = self.documents.get(kind, &name) {
            return self.component(kind, name, found, 0);
        }
        let help = match self.documents.near(kind, local) {
            Some(near) => format!("did you mean `{}`? mind the namespace too", shown(near)),
            None => "declare it in a schema of the document, or import the one that does".to_owned(),
        };
        let message = format!("there is no {} `{}` in the namespace `{}`", kind.noun(), shown(local), shown(namespace));
        self.draft.problems.push(SchemaProblem { code: "LG-TYPE-REF", place: wanted.place(), message, help });
        self.draft.add(Rule::default())
    }
}
