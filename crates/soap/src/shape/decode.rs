//! From elements to values.

use std::{borrow::Cow, collections::BTreeMap};

use lockgate_document::{
    Builder, Kind, Node,
    schema::{Markup, MarkupField, RuleId, Schema, Written},
};

use super::{
    INSTANCE, Names, XOP,
    names::{Child, children},
};
use crate::{SoapError, mtom::content_id};

pub(super) type Decoded = Result<(), SoapError>;

/// Reads elements as values.
pub(crate) struct Decode<'s, 'a> {
    pub names: &'s mut Names<'a>,
    pub out: &'s mut Builder,
    /// The names of the fields that are open, for who must be told where something is wrong.
    pub path: Vec<String>,
    pub find: Find<'s>,
    /// The content ids of attachments that were referred to.
    pub found: &'s mut Vec<String>,
}

/// What stands where an attachment is referred to: the base64 of the one with this content id; the reference itself where
/// there is none.
pub(crate) type Find<'s> = &'s dyn Fn(&str) -> Option<String>;

/// A child, and the field that it belongs to.
struct Held<'m, 'a> {
    field: Option<&'m MarkupField>,
    /// As the document writes it, and without its prefix.
    key: &'a str,
    local: &'a str,
    value: Node<'a>,
}

impl<'m, 'a> Held<'m, 'a> {
    /// The key of its field, and whether the type has it.
    fn name(&self) -> (&str, bool) {
        self.field.map_or((self.local, false), |field| (field.key.as_str(), true))
    }
}

impl<'a> Decode<'_, 'a> {
    fn refuse(&self, message: impl Into<Cow<'static, str>>) -> SoapError {
        let pointer: String = self.path.iter().map(|name| format!("/{name}")).collect();
        SoapError::new("LG-SOAP-BODY", message).at(pointer)
    }

    /// The value of an element. Its declarations are in force.
    pub(crate) fn value(&mut self, schema: &Schema, rule: RuleId, element: Node<'a>) -> Decoded {
        if element.kind() == Kind::Null || is_nil(element) {
            return Ok(self.out.null()?);
        }
        match schema.written(rule) {
            Written::Text => {
                let text = self.text(schema, rule, element)?;
                Ok(self.out.text(&text)?)
            }
            Written::Any => self.raw(element),
            Written::Element(markup) => self.element(schema, rule, markup, element),
        }
    }

    /// The text of an element that has text alone, or the attachment to which it refers.
    fn text(&mut self, schema: &Schema, rule: RuleId, element: Node<'a>) -> Result<Cow<'a, str>, SoapError> {
        let (mut text, mut attachment) = (None, None);
        for child in children(element) {
            match child {
                Child::Text(found) if text.is_none() => text = Some(found),
                Child::Element(key, include) => {
                    let id = self.attachment(key, include).filter(|_| schema.is_base64(rule));
                    // White space around the reference is for the eye.
                    let is_alone = text.is_none_or(is_blank) && attachment.is_none();
                    let Some((id, href)) = id.filter(|_| is_alone) else {
                        return Err(self.refuse("an element stands where the type has text alone"));
                    };
                    text = Some("");
                    attachment = Some((self.find)(&id).map_or(Cow::Borrowed(href), Cow::Owned));
                    self.found.push(id);
                }
                Child::Text(found) if is_blank(found) => {}
                Child::Text(_) => {
                    return Err(self.refuse("text stands around an element where the type has text alone"));
                }
            }
        }
        Ok(attachment.unwrap_or(Cow::Borrowed(text.unwrap_or_default())))
    }

    /// Where an `xop:Include` leads: the content id, and as it stands there, `cid:ID`.
    fn attachment(&mut self, key: &'a str, include: Node<'a>) -> Option<(String, &'a str)> {
        let mark = self.names.enter(include);
        let name = self.names.element(key);
        self.names.leave(mark);
        let href = include.get("@href").as_str().filter(|_| name == (XOP, "Include"))?;
        Some((content_id(href)?, href))
    }

    fn element(&mut self, schema: &Schema, rule: RuleId, markup: &Markup, element: Node<'a>) -> Decoded {
        let attributes = self.attributes(markup, element)?;
        if markup.text {
            let text = self.text(schema, rule, element)?;
            if attributes.is_empty() {
                return Ok(self.out.text(&text)?);
            }
            self.begin(&attributes)?;
            self.out.key("#text")?;
            self.out.text(&text)?;
            return Ok(self.out.end()?);
        }
        let mut held = Vec::new();
        let (mut texts, mut has_text) = (Vec::new(), false);
        for child in children(element) {
            match child {
                Child::Text(text) => {
                    has_text |= !is_blank(text);
                    texts.push((held.len(), text));
                }
                Child::Element(key, value) => {
                    let field = self.field(markup, key, value)?;
                    let local = key.split_once(':').map_or(key, |(_, local)| local);
                    held.push(Held { field, key, local, value });
                }
            }
        }
        if has_text && !markup.mixed {
            return Err(self.refuse("text stands where the type has elements alone"));
        }
        if has_text && held.is_empty() && attributes.is_empty() {
            return Ok(self.out.text(texts.first().map_or("", |(_, text)| text))?);
        }
        self.begin(&attributes)?;
        if has_text || ((markup.interleaved || markup.open) && is_interleaved(&held)) {
            let texts = if has_text { texts } else { Vec::new() };
            self.content(schema, &held, &texts)?;
        } else {
            self.fields(schema, &held)?;
        }
        Ok(self.out.end()?)
    }

    fn begin(&mut self, attributes: &[(String, &'a str)]) -> Decoded {
        self.out.begin_object()?;
        for (key, value) in attributes {
            self.out.key(key)?;
            self.out.text(value)?;
        }
        Ok(())
    }

    /// Attributes by their keys, without what says how to validate.
    fn attributes(&self, markup: &Markup, element: Node<'a>) -> Result<Vec<(String, &'a str)>, SoapError> {
        let mut all = Vec::new();
        for (key, value) in element.entries() {
            let Some(name) = key.strip_prefix('@') else { break };
            let (namespace, local) = self.names.attribute(name);
            if namespace == INSTANCE || name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let own = |field: &&MarkupField| {
                (field.name.namespace == namespace && field.name.local == local)
                    || (field.key == key && name.starts_with("xml:"))
            };
            match markup.attributes.iter().find(own) {
                Some(field) => all.push((field.key.clone(), value.as_str().unwrap_or_default())),
                None if markup.open => all.push((format!("@{local}"), value.as_str().unwrap_or_default())),
                // Of other namespaces anybody may add some; of its own the type has all.
                None if !namespace.is_empty() => {}
                None => return Err(self.refuse("an attribute stands there that the type does not have")),
            }
        }
        Ok(all)
    }

    fn field<'m>(
        &mut self,
        markup: &'m Markup,
        key: &'a str,
        value: Node<'a>,
    ) -> Result<Option<&'m MarkupField>, SoapError> {
        let mark = self.names.enter(value);
        let (namespace, local) = self.names.element(key);
        self.names.leave(mark);
        let by_name = |field: &&MarkupField| field.name.local == local && field.name.namespace == namespace;
        match markup.children.iter().find(by_name) {
            Some(field) => Ok(Some(field)),
            None if markup.open => Ok(None),
            None => {
                self.path.push(local.to_owned());
                let is_elsewhere = markup.children.iter().any(|field| field.name.local == local);
                Err(self.refuse(match is_elsewhere {
                    true => "an element stands there in another namespace than the type has it in",
                    false => "an element stands there that the type does not have",
                }))
            }
        }
    }

    /// Children as fields, each where the first of its name stands.
    fn fields(&mut self, schema: &Schema, held: &[Held<'_, 'a>]) -> Decoded {
        let mut groups: Vec<Vec<&Held<'_, 'a>>> = Vec::new();
        let mut places: BTreeMap<(&str, bool), usize> = BTreeMap::new();
        for child in held {
            let place = *places.entry(child.name()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(child),
                None => groups.push(vec![child]),
            }
        }
        for group in groups {
            let Some(first) = group.first() else { continue };
            self.out.key(first.name().0)?;
            self.path.push(first.name().0.to_owned());
            match (first.field, group.as_slice()) {
                (Some(field), _) if field.is_array => {
                    let item = schema.item_rule(field.rule);
                    self.out.begin_array()?;
                    for child in &group {
                        self.within(schema, item, child.value)?;
                    }
                    self.out.end()?;
                }
                (Some(field), [only]) => self.within(schema, field.rule, only.value)?,
                (Some(_), _) => return Err(self.refuse("an element comes more often than the type has it")),
                (None, [only]) => self.raw_child(only.key, only.value, "")?,
                // What an open type does not name: all of the name.
                (None, several) => {
                    self.out.begin_array()?;
                    for child in several {
                        self.raw_child(child.key, child.value, "")?;
                    }
                    self.out.end()?;
                }
            }
            self.path.pop();
        }
        Ok(())
    }

    fn within(&mut self, schema: &Schema, rule: RuleId, element: Node<'a>) -> Decoded {
        let mark = self.names.enter(element);
        self.value(schema, rule, element)?;
        self.names.leave(mark);
        Ok(())
    }

    fn content(&mut self, schema: &Schema, held: &[Held<'_, 'a>], texts: &[(usize, &'a str)]) -> Decoded {
        self.out.key("#content")?;
        self.out.begin_array()?;
        let mut texts = texts.iter().peekable();
        for place in 0..=held.len() {
            while let Some((_, text)) = texts.next_if(|(at, _)| *at == place) {
                self.out.text(text)?;
            }
            let Some(child) = held.get(place) else { break };
            self.out.begin_object()?;
            match child.field {
                Some(field) => {
                    self.out.key(&field.key)?;
                    let rule = if field.is_array { schema.item_rule(field.rule) } else { field.rule };
                    self.within(schema, rule, child.value)?;
                }
                None => {
                    self.out.key(child.local)?;
                    self.raw_child(child.key, child.value, "")?;
                }
            }
            self.out.end()?;
        }
        Ok(self.out.end()?)
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

fn is_nil(element: Node<'_>) -> bool {
    matches!(element.get("@xsi:nil").as_str().map(str::trim), Some("true" | "1"))
}

/// Do children of one name stand apart, or are they of the type and not?
fn is_interleaved(held: &[Held<'_, '_>]) -> bool {
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    let mut last = None;
    held.iter().any(|child| {
        let (key, is_known) = child.name();
        let before = seen.insert(key, is_known);
        let apart = before.is_some_and(|known| known != is_known || last != Some(key));
        last = Some(key);
        apart
    })
}
