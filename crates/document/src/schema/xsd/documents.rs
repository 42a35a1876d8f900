//! The documents of a type: parsed, found by `include` and `import`, their global parts by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use roxmltree::{Document, ParsingOptions};

use super::{
    super::XmlName,
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
    /// `xs:schema`
    root: roxmltree::Node<'d, 'd>,
    /// Target namespace; of an included document without one that of who includes it.
    namespace: String,
}

/// Where schemas stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Each is a document.
    Alone,
    /// The main documents hold them among other things, any number of them.
    Others,
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
        Documents::gather(self, &[main], Within::Alone).0.addresses
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

/// What is still to be looked at.
enum Wanted<'d> {
    /// A document, and the namespace of who includes it.
    Document(String, Option<String>),
    /// A schema within the document of this name.
    Schema(&'d str, roxmltree::Node<'d, 'd>),
}

type Held<'d> = Vec<(&'d str, roxmltree::Node<'d, 'd>)>;

/// The schemas that stand within documents.
fn held<'d>(
    parsed: &'d BTreeMap<&'d str, Result<Document<'d>, SchemaProblem>>,
    mains: &[&str],
    problems: &mut Vec<SchemaProblem>,
) -> Held<'d> {
    let mut held = Vec::new();
    for main in mains {
        match parsed.iter().find(|(name, _)| *name == main) {
            Some((name, Ok(document))) => {
                let schemas = document.descendants().filter(|node| node.has_tag_name((XSD, "schema")));
                held.extend(schemas.map(|root| (*name, root)));
            }
            Some((_, Err(problem))) => problems.push(problem.clone()),
            None => {}
        }
    }
    held
}

/// Does an import name no document? `xml:` is known without one.
fn is_without_document(import: roxmltree::Node<'_, '_>) -> bool {
    import.attribute("schemaLocation").is_none_or(str::is_empty)
        || import.attribute("namespace") == Some("http://www.w3.org/XML/1998/namespace")
}

fn has_namespace(import: roxmltree::Node<'_, '_>, namespaces: &BTreeSet<&str>) -> bool {
    import.attribute("namespace").is_some_and(|namespace| namespaces.contains(namespace))
}

impl<'d> Documents<'d> {
    /// The main document and all that it includes and imports.
    pub(super) fn gather(
        files: &'d XsdFiles<'d>,
        mains: &[&str],
        within: Within,
    ) -> (Documents<'d>, Vec<SchemaProblem>) {
        let parsed = &files.parsed;
        let mut documents = Documents { files: Vec::new(), globals: BTreeMap::new(), addresses: Vec::new() };
        let mut problems = Vec::new();
        let mut addresses = Vec::new();
        let mut seen = BTreeSet::new();
        let held = match within {
            Within::Alone => Vec::new(),
            Within::Others => held(parsed, mains, &mut problems),
        };
        let mut open: Vec<Wanted<'d>> = held.iter().rev().map(|(name, root)| Wanted::Schema(name, *root)).collect();
        if within == Within::Alone {
            open.extend(mains.iter().rev().map(|main| Wanted::Document((*main).to_owned(), None)));
        }
        let namespaces: BTreeSet<&str> =
            held.iter().filter_map(|(_, root)| root.attribute("targetNamespace")).collect();
        let first = mains.first().copied().unwrap_or_default();
        while let Some(wanted) = open.pop() {
            let (name, root, includer) = match wanted {
                Wanted::Schema(name, root) => (name, root, None),
                Wanted::Document(wanted, includer) => {
                    if !seen.insert((wanted.clone(), includer.clone())) {
                        continue;
                    }
                    match parsed.get_key_value(wanted.as_str()) {
                        Some((name, Ok(document))) => (*name, document.root_element(), includer),
                        Some((_, Err(problem))) => {
                            problems.push(problem.clone());
                            continue;
                        }
                        None => continue,
                    }
                }
            };
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
                    place: SchemaPlace::Bytes { file: first.to_owned(), range: 0..1 },
                    message: format!("a type has at most {DOCUMENTS_MAX} documents"),
                    help: super::super::draft::SPLIT.to_owned(),
                });
                break;
            }
            documents.files.push(File { name, root, namespace: namespace.clone() });
            for node in root.children().filter(roxmltree::Node::is_element) {
                let part = Part { node, document: number };
                let place = documents.place(part);
                let mut tell = |code, message: String, help: &str| {
                    problems.push(SchemaProblem { code, place: place.clone(), message, help: help.to_owned() });
                };
                let local = node.tag_name().name();
                match local {
                    "annotation" => {}
                    // What is missing is told where it is named.
                    "import" if is_without_document(node) => {}
                    "include" | "import" => {
                        let location = node.attribute("schemaLocation").unwrap_or_default();
                        let file = location.rsplit(['/', '\\']).next().unwrap_or_default();
                        let exact = resolve(name, location).filter(|_| !location.is_empty());
                        let exactly = exact.as_ref().and_then(|to| parsed.get_key_value(to.as_str()));
                        let mut names = parsed.keys().filter(|name| !is_address(name));
                        let beside = names.find(|name| name.rsplit('/').next() == Some(file));
                        let address = exact.filter(|to| is_address(to));
                        // A file among the types stands for what an address calls by the same name.
                        if let (Some(address), None) = (&address, beside) {
                            addresses.push((name.to_owned(), tag(node), address.clone()));
                        }
                        let exactly = exactly.map(|(name, _)| name);
                        let found = if address.is_some() { beside.or(exactly) } else { exactly.or(beside) };
                        match (found, address) {
                            (Some(name), _) => {
                                let adopts = (local == "include").then(|| namespace.clone());
                                open.push(Wanted::Document((*name).to_owned(), adopts));
                            }
                            (None, _) if local == "import" && has_namespace(node, &namespaces) => {}
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
                            let (first, id) = *documents.globals.entry(key).or_insert((number, node.id()));
                            // A document that is had by two names declares everything twice.
                            if documents.text(first, id) != node.document().input_text().get(node.range()) {
                                let message = format!("`{}` is declared twice in its namespace", shown(name));
                                tell("LG-TYPE-VALUE", message, "leave one of them");
                            }
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
        let node = self.files.get(document)?.root.document().get_node(id)?;
        Some(Part { node, document })
    }

    /// Global elements of a document, in order.
    pub(super) fn elements(&self, document: usize) -> Vec<Part<'d>> {
        let Some(file) = self.files.get(document) else { return Vec::new() };
        let children = file.root.children();
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
                match file.root.attribute("targetNamespace") {
                    None => file.namespace.clone(),
                    Some(_) => String::new(),
                }
            }
        };
        Some((namespace, local.to_owned()))
    }

    /// The text of a component.
    fn text(&self, document: usize, id: roxmltree::NodeId) -> Option<&'d str> {
        let document = self.files.get(document)?.root.document();
        document.input_text().get(document.get_node(id)?.range())
    }

    /// The name of an element or attribute that is declared where it stands: in the namespace of its
    /// document where that is asked for (XML Schema Part 1, §3.3.2 and §3.2.2).
    pub(super) fn local_name(&self, part: Part<'d>) -> XmlName {
        let local = part.attribute("name").unwrap_or_default();
        let default = if part.is("attribute") { "attributeFormDefault" } else { "elementFormDefault" };
        let Some(file) = self.files.get(part.document) else { return XmlName::new("", local) };
        let form = part.attribute("form").or_else(|| file.root.attribute(default));
        XmlName::new(if form == Some("qualified") { file.namespace.as_str() } else { "" }, local)
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
