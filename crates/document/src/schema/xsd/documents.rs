//! The documents of a type: parsed, found by `include` and `import`, their global parts by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use roxmltree::{Document, ParsingOptions};

use super::{
    super::location::{is_address, resolve},
    Part, SchemaPlace, SchemaProblem, XSD,
    text::shown,
};

/// Nodes of all documents.
const NODES_MAX: u32 = 1_000_000;

/// What can be declared globally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Element,
    Type,
    Attribute,
    Group,
    AttributeGroup,
}

impl Kind {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Element => "element",
            Kind::Type => "type",
            Kind::Attribute => "attribute",
            Kind::Group => "group",
            Kind::AttributeGroup => "attribute group",
        }
    }

    fn of(element: &str) -> Option<Kind> {
        Some(match element {
            "element" => Kind::Element,
            "complexType" | "simpleType" => Kind::Type,
            "attribute" => Kind::Attribute,
            "group" => Kind::Group,
            "attributeGroup" => Kind::AttributeGroup,
            _ => return None,
        })
    }
}

/// A name and its namespace, which comes first.
pub(super) type Name = (String, String);

/// The documents of a type, the main one first.
pub(super) struct Documents<'d> {
    files: Vec<File<'d>>,
    globals: BTreeMap<(Kind, Name), (usize, roxmltree::NodeId)>,
    addresses: Vec<(String, Range<usize>, String)>,
}

struct File<'d> {
    name: &'d str,
    document: &'d Document<'d>,
    /// Target namespace; of an included document without one that of who includes it.
    namespace: String,
}

/// Documents of one type.
const DOCUMENTS_MAX: usize = 200;

/// XML Schema documents by name, each parsed once; what cannot be parsed is a problem of the types that
/// need it.
pub struct XsdFiles<'t> {
    parsed: BTreeMap<&'t str, Result<Document<'t>, SchemaProblem>>,
}

impl<'t> XsdFiles<'t> {
    /// Parses documents, given by name and text.
    pub fn parse(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> XsdFiles<'t> {
        XsdFiles { parsed: parse(files) }
    }

    /// The https addresses of documents that `main`, and what it includes and imports, lead to: each with the name
    /// of the document that does, and the place in it.
    pub fn addresses(&self, main: &str) -> Vec<(String, Range<usize>, String)> {
        Documents::gather(self, main).0.addresses
    }
}

fn parse<'t>(
    files: impl IntoIterator<Item = (&'t str, &'t str)>,
) -> BTreeMap<&'t str, Result<Document<'t>, SchemaProblem>> {
    let mut left = NODES_MAX;
    let parsed = |(name, text): (&'t str, &'t str)| {
        let options = ParsingOptions { allow_dtd: false, nodes_limit: left, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).map_err(|error| malformed(name, text, &error));
        let nodes = document.as_ref().map_or(0, |document| document.descendants().count());
        left = left.saturating_sub(u32::try_from(nodes).unwrap_or(u32::MAX));
        (name, document)
    };
    files.into_iter().map(parsed).collect()
}

fn malformed(file: &str, text: &str, error: &roxmltree::Error) -> SchemaProblem {
    let at = error.pos();
    let line: usize = text.split_inclusive('\n').take(at.row.saturating_sub(1) as usize).map(str::len).sum();
    let rest = text.get(line..).unwrap_or_default();
    let column: usize = rest.chars().take(at.col.saturating_sub(1) as usize).map(char::len_utf8).sum();
    let at = (line + column).min(text.len());
    let place = SchemaPlace::Bytes { file: file.to_owned(), range: at..at };
    match error {
        roxmltree::Error::DtdDetected => SchemaProblem {
            code: "LG-TYPE-XML",
            place: SchemaPlace::Bytes { file: file.to_owned(), range: doctype(text) },
            message: "a document type declaration is refused: it can pull in what nobody sees".to_owned(),
            help: "remove `<!DOCTYPE …>`".to_owned(),
        },
        roxmltree::Error::NodesLimitReached => SchemaProblem {
            code: "LG-TYPE-SIZE",
            place,
            message: format!("the XSD documents have more than {NODES_MAX} parts"),
            help: super::super::draft::SPLIT.to_owned(),
        },
        error => {
            let told = error.to_string();
            // Its place is shown by ours.
            let message = told.rsplit_once(" at ").map_or(told.as_str(), |(message, _)| message);
            SchemaProblem {
                code: "LG-TYPE-XML",
                place,
                message: format!("this is no XML: {}", shown(message)),
                help: "an XSD file is an XML document with the root `xs:schema`".to_owned(),
            }
        }
    }
}

fn doctype(text: &str) -> Range<usize> {
    let at = text.find("<!DOCTYPE").unwrap_or(0);
    at..at + "<!DOCTYPE".len().min(text.len())
}

impl<'d> Documents<'d> {
    /// The main document and all that it includes and imports.
    pub(super) fn gather(files: &'d XsdFiles<'d>, main: &str) -> (Documents<'d>, Vec<SchemaProblem>) {
        let parsed = &files.parsed;
        let mut documents = Documents { files: Vec::new(), globals: BTreeMap::new(), addresses: Vec::new() };
        let mut problems = Vec::new();
        let mut addresses = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![(main.to_owned(), None::<String>)];
        while let Some((wanted, includer)) = open.pop() {
            if !seen.insert((wanted.clone(), includer.clone())) {
                continue;
            }
            let (name, document) = match parsed.get_key_value(wanted.as_str()) {
                Some((name, Ok(document))) => (*name, document),
                Some((_, Err(problem))) => {
                    problems.push(problem.clone());
                    continue;
                }
                None => continue,
            };
            let root = document.root_element();
            if !root.has_tag_name((XSD, "schema")) {
                let range = tag(root);
                problems.push(SchemaProblem {
                    code: "LG-TYPE-XML",
                    place: SchemaPlace::Bytes { file: name.to_owned(), range },
                    message: "this is no XML Schema document".to_owned(),
                    help: format!("its root is `schema` in the namespace {XSD}"),
                });
                continue;
            }
            let own = root.attribute("targetNamespace").map(str::to_owned);
            let namespace = own.or(includer).unwrap_or_default();
            let number = documents.files.len();
            if number >= DOCUMENTS_MAX {
                problems.push(SchemaProblem {
                    code: "LG-TYPE-SIZE",
                    place: SchemaPlace::Bytes { file: main.to_owned(), range: 0..1 },
                    message: format!("a type has at most {DOCUMENTS_MAX} documents"),
                    help: super::super::draft::SPLIT.to_owned(),
                });
                break;
            }
            documents.files.push(File { name, document, namespace: namespace.clone() });
            for node in root.children().filter(roxmltree::Node::is_element) {
                let part = Part { node, document: number };
                let mut tell = |code, message: String, help: &str| {
                    let place = documents.place(part);
                    problems.push(SchemaProblem { code, place, message, help: help.to_owned() });
                };
                let local = node.tag_name().name();
                match local {
                    "annotation" => {}
                    "include" | "import" => {
                        let location = node.attribute("schemaLocation").unwrap_or_default();
                        let file = location.rsplit(['/', '\\']).next().unwrap_or_default();
                        let mut names = parsed.keys().filter(|name| !is_address(name));
                        let beside = names.find(|name| name.rsplit('/').next() == Some(file));
                        // A file among the types stands for what an address calls by the same name.
                        let address = match beside {
                            Some(_) => None,
                            None => resolve(name, location).filter(|to| is_address(to) && !location.is_empty()),
                        };
                        if let Some(address) = &address {
                            addresses.push((name.to_owned(), tag(node), address.clone()));
                        }
                        let known = address.as_ref().and_then(|address| parsed.get_key_value(address.as_str()));
                        match (beside.or(known.map(|(name, _)| name)), address) {
                            (Some(name), _) => {
                                let adopts = (local == "include").then(|| namespace.clone());
                                open.push(((*name).to_owned(), adopts));
                            }
                            (None, Some(address)) => {
                                let message = format!("`{}` is not among the documents", shown(&address));
                                tell("LG-TYPE-REMOTE", message, "nothing is fetched here: hand it in");
                            }
                            (None, None) => {
                                let message = format!("there is no `{}` among the types", shown(file));
                                tell("LG-TYPE-REMOTE", message, "nothing is fetched: put the document into types/");
                            }
                        }
                    }
                    _ => match (Kind::of(local), node.attribute("name")) {
                        (Some(kind), Some(name)) => {
                            let key = (kind, (namespace.clone(), name.to_owned()));
                            documents.globals.entry(key).or_insert((number, node.id()));
                        }
                        (Some(_), None) => {
                            tell("LG-TYPE-VALUE", format!("a global `xs:{local}` needs a name"), "add `name`");
                        }
                        (None, _) => {
                            let help = "describe this part by what is supported (docs/document-types.md lists it)";
                            tell("LG-TYPE-LATER", format!("`xs:{}` is not supported yet", shown(local)), help);
                        }
                    },
                }
            }
        }
        documents.addresses = addresses;
        (documents, problems)
    }

    pub(super) fn get(&self, kind: Kind, name: &Name) -> Option<Part<'d>> {
        let (document, id) = *self.globals.get(&(kind, name.clone()))?;
        let node = self.files.get(document)?.document.get_node(id)?;
        Some(Part { node, document })
    }

    /// Global elements of a document, in order.
    pub(super) fn elements(&self, document: usize) -> Vec<Part<'d>> {
        let Some(file) = self.files.get(document) else { return Vec::new() };
        let children = file.document.root_element().children();
        children.filter(|node| node.has_tag_name((XSD, "element"))).map(|node| Part { node, document }).collect()
    }

    /// The namespace and local name that a prefixed name means where it stands.
    pub(super) fn resolve(&self, part: Part<'d>, written: &str) -> Option<Name> {
        let (prefix, local) = match written.trim().split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, written.trim()),
        };
        let namespace = part.node.lookup_namespace_uri(prefix);
        let namespace = match (namespace, prefix) {
            (Some(namespace), _) => namespace.to_owned(),
            (None, Some(_)) => return None,
            // Without a namespace of its own a document is of that of who includes it.
            (None, None) => {
                let file = self.files.get(part.document)?;
                match file.document.root_element().attribute("targetNamespace") {
                    None => file.namespace.clone(),
                    Some(_) => String::new(),
                }
            }
        };
        Some((namespace, local.to_owned()))
    }

    /// The local name of a built-in type, where the name is one.
    pub(super) fn builtin(&self, part: Part<'d>, written: &'d str) -> Option<&'d str> {
        let (prefix, local) = match written.trim().split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, written.trim()),
        };
        (part.node.lookup_namespace_uri(prefix) == Some(XSD)).then_some(local)
    }

    /// The nearest name of a kind.
    pub(super) fn near(&self, kind: Kind, written: &str) -> Option<&str> {
        let wanted = written.rsplit(':').next().unwrap_or(written).to_lowercase();
        let names = self.globals.keys().filter(|(of, _)| *of == kind).map(|(_, (_, name))| name.as_str());
        names.into_iter().find(|name| name.to_lowercase() == wanted)
    }

    /// Where a part stands: its start tag.
    pub(super) fn place(&self, part: Part<'_>) -> SchemaPlace {
        let file = self.files.get(part.document).map_or("", |file| file.name);
        SchemaPlace::Bytes { file: file.to_owned(), range: tag(part.node) }
    }
}

/// The name in an element's start tag.
fn tag(node: roxmltree::Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    let text = node.document().input_text().get(range.clone()).unwrap_or_default();
    let end =
        text.find(['>', '\n']).map_or(text.len(), |end| end + usize::from(text.as_bytes().get(end) == Some(&b'>')));
    range.start..range.start + end
}
