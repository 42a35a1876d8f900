//! The writer: values become XML, one way only, without white space of its own.

use std::borrow::Cow;

use super::names::{self, is_space};
use super::namespaces::{INSTANCE, Scope, declared};
use super::options::XmlOptions;
use super::problem::Problem;
use super::{ATTRIBUTES_MAX, NAME_BYTES_MAX, TAG_BYTES_MAX};
use crate::arena::DEPTH_CEILING;
use crate::charset::Charset;
use crate::fault::Fault;
use crate::format::FormatError;
use crate::node::{Kind, Node};

/// Writes an object of one field as a document with that root element.
///
/// A value that has no place in XML is refused (`LG-XML-VALUE`, `-NAME`, `-CHARACTER`, `-PREFIX`), as is
/// what takes more than [`XmlOptions::bytes_max`]; nothing is appended then.
pub fn write(value: Node<'_>, options: &XmlOptions, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let begin = out.len();
    let mut scope = Scope::default();
    let mut writer = Writer::new(options, &mut scope, out);
    let written = writer.prolog().and_then(|()| writer.document(value));
    if written.is_err() {
        out.truncate(begin);
    }
    written
}

type Written = Result<(), FormatError>;

/// Writes elements after what is there.
pub(super) struct Writer<'a> {
    options: &'a XmlOptions,
    scope: &'a mut Scope,
    out: &'a mut Vec<u8>,
    begin: usize,
    /// The last start tag has no `>` yet.
    in_tag: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(options: &'a XmlOptions, scope: &'a mut Scope, out: &'a mut Vec<u8>) -> Writer<'a> {
        Writer { options, scope, begin: out.len(), out, in_tag: false }
    }

    /// The byte order mark, where one must be, and the XML declaration.
    pub(super) fn prolog(&mut self) -> Written {
        let name = self.options.charset.name();
        let name = if name.starts_with("utf-16") { "utf-16" } else { &name };
        if name == "utf-16" {
            self.put("\u{feff}")?;
        }
        self.put("<?xml version=\"1.0\" encoding=\"")?;
        self.put(name)?;
        self.put("\"?>\n")
    }
    fn document(&mut self, value: Node<'_>) -> Written {
        let mut fields = value.entries();
        match (fields.next(), fields.next()) {
            (Some((name, root)), None) if !matches!(root.kind(), Kind::Array | Kind::Undefined) => {
                self.element(name, root, 1)
            }
            _ => fail(Problem::ValueRoot),
        }
    }

    /// The start tag of the root of records, whose end comes later.
    pub(super) fn begin_root(&mut self, name: &str) -> Written {
        self.scope.open();
        self.put("<")?;
        self.put(name)?;
        self.declare_mapped()?;
        self.name(name)?;
        self.in_tag = true;
        Ok(())
    }
    /// Its end.
    pub(super) fn end_root(&mut self, name: &str) -> Written {
        self.end_tag()?;
        self.put("</")?;
        self.put(name)?;
        self.put(">")
    }

    /// One element; `depth` is 1 at the root.
    pub(super) fn element(&mut self, name: &str, value: Node<'_>, depth: u32) -> Written {
        if depth > DEPTH_CEILING {
            return Err(FormatError::fault(&Fault::DepthExceeded, 0));
        }
        self.end_tag()?;
        self.scope.open();
        let tag = self.out.len();
        self.put("<")?;
        self.put(name)?;
        if depth == 1 {
            self.declare_mapped()?;
        }
        self.declare_own(value)?;
        self.name(name)?;
        self.attributes(value)?;
        // What is written can be read.
        if self.out.len() - tag >= TAG_BYTES_MAX {
            return fail(Problem::TagLength);
        }
        self.in_tag = true;
        match value.kind() {
            Kind::Null => self.nil()?,
            Kind::Object => self.inside(value, depth)?,
            Kind::Array => return fail(Problem::ValueArray),
            Kind::Function => return fail(Problem::ValueFunction),
            Kind::Undefined | Kind::Boolean | Kind::Number | Kind::String => {
                self.text(&scalar(value).unwrap_or_default())?;
            }
        }
        if std::mem::take(&mut self.in_tag) {
            self.put("/>")?;
        } else {
            self.put("</")?;
            self.put(name)?;
            self.put(">")?;
        }
        self.scope.close();
        Ok(())
    }

    fn declare_mapped(&mut self) -> Written {
        let options = self.options;
        for (prefix, uri) in options.namespaces.of_root() {
            self.declaration(prefix, uri)?;
            self.scope.bind(prefix, uri, false);
        }
        Ok(())
    }
    /// Puts what the attributes of an element declare in force. They are written in their order.
    fn declare_own(&mut self, value: Node<'_>) -> Written {
        for (prefix, uri) in own_declarations(value) {
            let mapped = &self.options.namespaces;
            let uri = scalar(uri).ok_or(Problem::ValueAttribute);
            let declared = uri.and_then(|uri| match mapped.uri(prefix) {
                Some(known) if known == uri => Ok(()),
                Some(_) => Err(Problem::Clash),
                None => self.scope.declare(prefix, &uri, mapped).map(drop),
            });
            declared.or_else(fail)?;
        }
        Ok(())
    }
    fn attributes(&mut self, value: Node<'_>) -> Written {
        if attributes(value).count() > ATTRIBUTES_MAX {
            return fail(Problem::Attributes);
        }
        for (key, value) in attributes(value) {
            let Some(text) = scalar(value) else { return fail(Problem::ValueAttribute) };
            match declared(key) {
                // The root has it, or it comes where it is used.
                Some(prefix) if self.options.namespaces.uri(prefix).is_some() => continue,
                Some(_) if names::split(key).is_none() => return fail(Problem::Name),
                Some(_) => {}
                None => self.name(key)?,
            }
            self.attribute(key, &text)?;
        }
        match self.scope.duplicate(attributes(value).map(|(key, _)| key)) {
            Some(_) => fail(Problem::Duplicate),
            None => Ok(()),
        }
    }
    fn nil(&mut self) -> Written {
        let options = self.options;
        let name = format!("{}:nil", options.namespaces.prefix(INSTANCE).unwrap_or_default());
        self.name(&name)?;
        self.attribute(&name, "true")
    }

    /// A name must be one, and its prefix in force. That of `nil` is declared on the way.
    fn name(&mut self, name: &str) -> Written {
        let options = self.options;
        let Some((prefix, _)) = names::split(name) else { return fail(Problem::Name) };
        if name.len() > NAME_BYTES_MAX {
            return fail(Problem::NameLength);
        }
        match self.scope.uri(prefix) {
            Err(Problem::Prefix) if prefix.is_empty() => Ok(()),
            Err(Problem::Prefix) if options.namespaces.uri(prefix) == Some(INSTANCE) => {
                self.declaration(prefix, INSTANCE)?;
                self.scope.bind(prefix, INSTANCE, false);
                Ok(())
            }
            Err(problem) => fail(problem),
            Ok(_) => Ok(()),
        }
    }
    fn declaration(&mut self, prefix: &str, uri: &str) -> Written {
        match prefix {
            "" => self.attribute("xmlns", uri),
            _ => self.attribute(&format!("xmlns:{prefix}"), uri),
        }
    }
    fn attribute(&mut self, name: &str, value: &str) -> Written {
        self.put(" ")?;
        self.put(name)?;
        self.put("=\"")?;
        self.escaped(value, |c| match c {
            '"' => Some("&quot;"),
            '\t' => Some("&#9;"),
            '\n' => Some("&#10;"),
            _ => None,
        })?;
        self.put("\"")
    }

    /// What an element holds.
    fn inside(&mut self, value: Node<'_>, depth: u32) -> Written {
        let parts = || value.entries().filter(|(key, part)| !key.starts_with('@') && !part.is_undefined());
        let is_alone = parts().nth(1).is_none();
        parts().try_for_each(|(key, part)| match key {
            "#text" | "#content" if !is_alone => fail(Problem::ValueMixture),
            "#text" => scalar(part).map_or_else(|| fail(Problem::ValueText), |text| self.text(&text)),
            "#content" => self.content(part, depth),
            _ => self.child(key, part, depth),
        })
    }
    /// Elements of one name.
    fn child(&mut self, name: &str, value: Node<'_>, depth: u32) -> Written {
        if value.kind() == Kind::Array {
            return value.items().try_for_each(|item| self.element(name, item, depth + 1));
        }
        self.element(name, value, depth + 1)
    }
    /// Texts and elements in their order.
    fn content(&mut self, value: Node<'_>, depth: u32) -> Written {
        if value.kind() != Kind::Array {
            return fail(Problem::ValueContent);
        }
        let is_text = |item: Node<'_>| scalar(item).is_some_and(|text| !text.bytes().all(is_space));
        let has_text = value.items().any(is_text);
        value.items().try_for_each(|item| {
            if let Some(text) = scalar(item) {
                return if has_text { self.text(&text) } else { self.blank(&text) };
            }
            let mut fields = item.entries();
            match (fields.next(), fields.next()) {
                (Some((name, value)), None) if !value.is_undefined() => self.child(name, value, depth),
                _ => fail(Problem::ValueContent),
            }
        })
    }

    fn text(&mut self, text: &str) -> Written {
        if text.is_empty() {
            return Ok(());
        }
        self.end_tag()?;
        self.escaped(text, |_| None)
    }
    /// White space that is text, though it stands between elements alone.
    fn blank(&mut self, text: &str) -> Written {
        if text.is_empty() {
            return Ok(());
        }
        self.end_tag()?;
        text.chars().try_for_each(|c| self.put(&format!("&#{};", u32::from(c))))
    }
    fn end_tag(&mut self) -> Written {
        if std::mem::take(&mut self.in_tag) { self.put(">") } else { Ok(()) }
    }

    /// A text with what must be escaped everywhere, and what `more` escapes.
    fn escaped(&mut self, text: &str, more: impl Fn(char) -> Option<&'static str>) -> Written {
        let mut rest = text;
        loop {
            let escape = |c: char| match c {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '\r' => Some("&#13;"),
                _ => more(c),
            };
            let stop = rest.char_indices().find(|(_, c)| escape(*c).is_some() || !names::is_char(*c));
            let Some((at, c)) = stop else { return self.characters(rest) };
            let Some(escape) = escape(c) else { return fail(Problem::Character) };
            self.characters(rest.get(..at).unwrap_or_default())?;
            self.put(escape)?;
            rest = rest.get(at + c.len_utf8()..).unwrap_or_default();
        }
    }
    /// Characters of a text; those that the character set lacks are written by their number.
    fn characters(&mut self, text: &str) -> Written {
        let begin = self.out.len();
        if self.put(text).is_ok() || self.options.charset == Charset::UTF_8 {
            return self.bound();
        }
        self.out.truncate(begin);
        for c in text.chars() {
            let begin = self.out.len();
            if self.options.charset.encode(c.encode_utf8(&mut [0; 4]), self.out).is_err() {
                self.out.truncate(begin);
                self.put(&format!("&#{};", u32::from(c)))?;
            }
            self.bound()?;
        }
        Ok(())
    }
    fn put(&mut self, text: &str) -> Written {
        self.options.charset.encode(text, self.out)?;
        self.bound()
    }
    fn bound(&self) -> Written {
        if (self.out.len() - self.begin) as u64 > self.options.bytes_max {
            return fail(Problem::DocumentLength);
        }
        Ok(())
    }
}

/// Attributes without their `@`.
fn attributes<'v>(value: Node<'v>) -> impl Iterator<Item = (&'v str, Node<'v>)> {
    value
        .entries()
        .filter_map(|(key, value)| Some((key.strip_prefix('@')?, value)))
        .filter(|(_, value)| !value.is_undefined())
}
/// Declared prefixes.
fn own_declarations<'v>(value: Node<'v>) -> impl Iterator<Item = (&'v str, Node<'v>)> {
    attributes(value).filter_map(|(key, value)| Some((declared(key)?, value)))
}

/// The text of a single value.
fn scalar<'v>(value: Node<'v>) -> Option<Cow<'v, str>> {
    match value.kind() {
        Kind::String => value.as_str().map(Cow::Borrowed),
        Kind::Number => value.lexeme(),
        Kind::Boolean => Some(Cow::Borrowed(if value.as_bool() == Some(true) { "true" } else { "false" })),
        _ => None,
    }
}

#[cold]
fn fail<T>(problem: Problem) -> Result<T, FormatError> {
    Err(problem.at(0))
}
