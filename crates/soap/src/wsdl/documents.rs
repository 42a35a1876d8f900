//! The documents of a description: handed in as they are asked for, parsed, their components by name.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_document::schema::location::resolve;
use roxmltree::{Document, Node as Xml, ParsingOptions};

use super::{
    COMPONENTS_MAX, WSDL, XSD,
    part::{Name, Part},
};
use crate::{
    Problem,
    problem::{Place, TOLD_MAX, shown},
};

/// Documents of one description.
const DOCUMENTS_MAX: usize = 200;
/// Bytes of all of them.
const BYTES_MAX: usize = 32 << 20;
/// Elements, texts and comments of one document.
const NODES_MAX: u32 = 1_000_000;

/// Texts of documents by name, of which `main` is the first to be read.
pub(super) fn gather(
    main: &str,
    text: String,
    find: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut texts = BTreeMap::new();
    let mut problems = Vec::new();
    let mut open = vec![(main.to_owned(), text)];
    let mut bytes = 0usize;
    while let Some((name, text)) = open.pop() {
        bytes = bytes.saturating_add(text.len());
        if texts.len() >= DOCUMENTS_MAX || bytes > BYTES_MAX {
            let place = Place { file: &name, text: "", range: 0..0 };
            let message = format!("a description has at most {DOCUMENTS_MAX} documents and {BYTES_MAX} bytes");
            problems.push(Problem::new("LG-WSDL-SIZE", &place, message, "import what is needed alone"));
            return Err(problems);
        }
        match document(&name, &text) {
            Err(problem) => problems.push(problem),
            Ok(parsed) => {
                for node in parsed.descendants().filter(Xml::is_element) {
                    let Some((location, needed)) = import(node).filter(|_| problems.len() < TOLD_MAX) else { continue };
                    let Some(wanted) = resolve(&name, location) else {
                        if needed {
                            let message = format!("`{}` leads nowhere that is read", shown(location));
                            problems.push(at(
                                &name,
                                node,
                                message,
                                "use an https address, or a path beside this document",
                            ));
                        }
                        continue;
                    };
                    if wanted == name || texts.contains_key(&wanted) || open.iter().any(|(open, _)| *open == wanted) {
                        continue;
                    }
                    match find(&wanted) {
                        Some(text) => open.push((wanted, text)),
                        None if needed => {
                            let message = format!("there is no document `{}`", shown(&wanted));
                            problems.push(at(&name, node, message, "nothing is fetched here: hand it in"));
                        }
                        // Perhaps nobody needs it; who does tells what is missing.
                        None => {}
                    }
                }
            }
        }
        texts.insert(name, text);
    }
    if problems.is_empty() { Ok(texts) } else { Err(problems) }
}

/// The document without what people alone read: documentation, annotations and comments.
pub(super) fn bare(name: &str, text: &str) -> String {
    let Ok(parsed) = document(name, text) else { return text.to_owned() };
    let said = |node: &Xml<'_, '_>| {
        node.is_comment() || node.has_tag_name((WSDL, "documentation")) || node.has_tag_name((XSD, "annotation"))
    };
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in parsed.descendants().filter(said).map(|node| node.range()) {
        // One within another is gone with it.
        if range.start >= from {
            out.push_str(text.get(from..range.start).unwrap_or_default());
            from = range.end;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

fn at(file: &str, node: Xml<'_, '_>, message: String, help: &str) -> Problem {
    let place = Place { file, text: node.document().input_text(), range: node.range() };
    Problem::new("LG-WSDL-IMPORT", &place, message, help)
}

/// Where an import leads, and whether nothing can be read without it.
fn import<'d>(node: Xml<'d, 'd>) -> Option<(&'d str, bool)> {
    let name = node.tag_name();
    match (name.namespace()?, name.name()) {
        (WSDL, "import") => Some((node.attribute("location").unwrap_or_default(), true)),
        (XSD, "include") => Some((node.attribute("schemaLocation")?, true)),
        (XSD, "import") => Some((node.attribute("schemaLocation").filter(|location| !location.is_empty())?, false)),
        _ => None,
    }
}

fn document<'t>(file: &str, text: &'t str) -> Result<Document<'t>, Problem> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| {
        let at = |range| Place { file, text, range };
        match error {
            roxmltree::Error::DtdDetected => {
                let start = text.find("<!DOCTYPE").unwrap_or(0);
                let message = "a document type declaration is refused: it can pull in what nobody sees";
                Problem::new("LG-WSDL-XML", &at(start..start), message, "remove `<!DOCTYPE …>`")
            }
            roxmltree::Error::NodesLimitReached => {
                let message = format!("a document has at most {NODES_MAX} parts");
                Problem::new("LG-WSDL-SIZE", &at(0..0), message, "take out what is not needed")
            }
            error => {
                let pos = error.pos();
                let told = error.to_string();
                let told = told.rsplit_once(" at ").map_or(told.as_str(), |(told, _)| told);
                let message = format!("this is no XML: {}", shown(told));
                let mut problem = Problem::new("LG-WSDL-XML", &at(0..0), message, "a description is an XML document");
                (problem.line, problem.column) = (pos.row, pos.col);
                problem
            }
        }
    })
}

/// Kinds of components that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Message,
    PortType,
    Binding,
    Service,
}

impl Kind {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::PortType => "port type",
            Kind::Binding => "binding",
            Kind::Service => "service",
        }
    }
    fn of(part: Part<'_>) -> Option<Kind> {
        let kinds = [
            ("message", Kind::Message),
            ("portType", Kind::PortType),
            ("binding", Kind::Binding),
            ("service", Kind::Service),
        ];
        kinds.into_iter().find(|(name, _)| part.is(name)).map(|(_, kind)| kind)
    }
}

/// Documents with their components.
pub(super) struct Documents<'d> {
    roots: Vec<Part<'d>>,
    /// Names of documents in which schemas stand.
    mains: Vec<&'d str>,
    components: BTreeMap<(Kind, Name), Part<'d>>,
    /// Components, with the operations and ports in them.
    count: usize,
}

/// Parses the documents, and shows them with the names of those in which schemas stand.
pub(super) fn parse<T>(
    texts: &BTreeMap<String, String>,
    show: impl for<'d> FnOnce(&'d Documents<'d>) -> T,
) -> Result<T, Vec<Problem>> {
    let parsed = texts.iter().map(|(name, text)| Ok((name.as_str(), document(name, text)?)));
    let parsed: Vec<(&str, Document<'_>)> = parsed.collect::<Result<_, Problem>>().map_err(|problem| vec![problem])?;
    let mut documents = Documents { roots: Vec::new(), mains: Vec::new(), components: BTreeMap::new(), count: 0 };
    let mut problems = Vec::new();
    let imported: BTreeSet<String> = parsed.iter().flat_map(|(name, document)| imported(name, document)).collect();
    for (name, document) in &parsed {
        documents.add(name, document.root_element(), imported.contains(*name), &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(show(&documents))
}

/// The documents that a description imports as such; some import schemas so.
fn imported(name: &str, document: &Document<'_>) -> Vec<String> {
    let imports = document.root_element().children().filter(|node| node.has_tag_name((WSDL, "import")));
    imports.filter_map(|node| resolve(name, node.attribute("location")?)).collect()
}

impl<'d> Documents<'d> {
    fn add(&mut self, file: &'d str, node: Xml<'d, 'd>, is_imported: bool, problems: &mut Vec<Problem>) {
        let root = Part { node, file, namespace: node.attribute("targetNamespace").unwrap_or_default() };
        if node.has_tag_name((XSD, "schema")) {
            if is_imported {
                self.mains.push(file);
            }
            return;
        }
        if !root.is("definitions") {
            let (message, help) = match node.tag_name().namespace() {
                Some("http://www.w3.org/ns/wsdl") => ("this is WSDL 2.0", "ask the service for its WSDL 1.1"),
                _ => ("this is no WSDL", "the root of a description is `definitions` in the namespace of WSDL 1.1"),
            };
            problems.push(Problem::new("LG-WSDL-ROOT", &root.place(), message, help));
            return;
        }
        self.mains.push(file);
        self.roots.push(root);
        for part in root.children() {
            let Some(kind) = Kind::of(part) else { continue };
            if problems.len() >= TOLD_MAX {
                return;
            }
            let mut tell = |code, place: &Place<'_>, message: String, help: &str| {
                problems.push(Problem::new(code, place, message, help));
            };
            if part.name().is_empty() {
                tell("LG-WSDL-VALUE", &part.place(), format!("a {} needs a name", kind.noun()), "add `name`");
                continue;
            }
            self.count += 1 + part.children().filter(|inner| inner.is("operation") || inner.is("port")).count();
            if self.count > COMPONENTS_MAX {
                let message = format!("a description has at most {COMPONENTS_MAX} components");
                tell("LG-WSDL-SIZE", &part.place(), message, "take out what is not needed");
                return;
            }
            let key = (kind, (root.namespace.to_owned(), part.name().to_owned()));
            if self.components.insert(key, part).is_some() {
                let message = format!("the {} `{}` is declared twice", kind.noun(), shown(part.name()));
                tell("LG-WSDL-TWICE", &part.place(), message, "leave one of them, or rename one");
            }
        }
    }

    /// Where a description begins, for what is missing in it.
    pub(super) fn root(&self) -> Option<Part<'d>> {
        self.roots.first().copied()
    }
    /// Documents in which schemas stand.
    pub(super) fn mains(&self) -> Vec<String> {
        self.mains.iter().map(|name| (*name).to_owned()).collect()
    }
    /// Components of a kind, as the documents have them in order.
    pub(super) fn all(&self, kind: Kind) -> Vec<Part<'d>> {
        self.roots.iter().flat_map(|root| root.children()).filter(|part| Kind::of(*part) == Some(kind)).collect()
    }
    pub(super) fn get(&self, kind: Kind, name: &Name) -> Option<Part<'d>> {
        self.components.get(&(kind, name.clone())).copied()
    }
    /// The names of a kind, for who missed one.
    pub(super) fn names(&self, kind: Kind) -> Vec<&'d str> {
        self.components.iter().filter(|((of, _), _)| *of == kind).map(|(_, part)| part.name()).take(8).collect()
    }
}
