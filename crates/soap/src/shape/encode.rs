//! From values to elements.

use std::collections::BTreeSet;

use lockgate_document::{
    Builder, Fault, Kind, Node,
    schema::{Markup, MarkupField, RuleId, Schema, Written},
};

use super::{Prefixes, XOP};
use crate::SoapError;

type Encoded = Result<(), SoapError>;

/// Writes values as elements.
pub(crate) struct Encode<'s> {
    pub prefixes: &'s Prefixes,
    pub out: &'s mut Builder,
    /// Content ids of attachments: where the type is of bytes, a text `cid:ID` of one of these is a reference to it.
    pub attachments: &'s BTreeSet<String>,
    /// The references that were written.
    pub included: &'s mut Vec<String>,
}

impl Encode<'_> {
    /// What an element holds, whose start is written. The value was held to the schema before.
    pub(crate) fn value(&mut self, schema: &Schema, rule: RuleId, value: Node<'_>) -> Encoded {
        match (schema.written(rule), value.kind()) {
            (_, Kind::Null) => Ok(self.out.null()?),
            (Written::Any, _) => Ok(self.out.value(value)?),
            (Written::Text, _) => self.text(schema, rule, value),
            (Written::Element(markup), Kind::Object) => self.object(schema, markup, value),
            // Text alone, or an element with nothing in it.
            (Written::Element(_), _) => self.text(schema, rule, value),
        }
    }

    fn text(&mut self, schema: &Schema, rule: RuleId, value: Node<'_>) -> Encoded {
        let text = value.as_str().unwrap_or_default();
        let reference = text.strip_prefix("cid:").filter(|id| self.attachments.contains(*id));
        let Some(id) = reference.filter(|_| schema.is_base64(rule)) else {
            return Ok(self.out.text(text)?);
        };
        self.included.push(id.to_owned());
        self.out.begin_object()?;
        self.out.key(&self.prefixes.name(XOP, "Include"))?;
        self.out.begin_object()?;
        self.out.key("@href")?;
        self.out.text(text)?;
        self.out.end()?;
        Ok(self.out.end()?)
    }

    fn object(&mut self, schema: &Schema, markup: &Markup, value: Node<'_>) -> Encoded {
        self.out.begin_object()?;
        for field in &markup.attributes {
            let found = value.get(&field.key);
            if let (Some(text), Some(local)) = (found.as_str(), field.key.strip_prefix('@')) {
                self.out.key(&format!("@{}", self.prefixes.name(&field.name.namespace, local)))?;
                self.out.text(text)?;
            }
        }
        let is_known = |key: &str| markup.attributes.iter().chain(&markup.children).any(|field| field.key == key);
        let others = || value.entries().filter(|(key, _)| !is_known(key) && !matches!(*key, "#text" | "#content"));
        // Attributes that any element may have, and those of an open type.
        for (key, other) in others().filter(|(key, _)| key.starts_with('@')) {
            self.out.key(key)?;
            self.out.value(other)?;
        }
        let content = value.get("#content");
        if content.kind() == Kind::Array {
            self.content(schema, markup, content)?;
            return Ok(self.out.end()?);
        }
        if markup.text {
            let text = value.get("#text").as_str().unwrap_or_default();
            self.out.key("#text")?;
            self.out.text(text)?;
        }
        for field in &markup.children {
            let found = value.get(&field.key);
            if !found.is_undefined() {
                self.out.key(&self.prefixes.name(&field.name.namespace, &field.name.local))?;
                self.field(schema, field, found)?;
            }
        }
        for (key, other) in others().filter(|(key, _)| !key.starts_with('@')) {
            self.out.key(key)?;
            self.out.value(other)?;
        }
        Ok(self.out.end()?)
    }

    fn field(&mut self, schema: &Schema, field: &MarkupField, value: Node<'_>) -> Encoded {
        if !field.is_array {
            return self.value(schema, field.rule, value);
        }
        let item = schema.item_rule(field.rule);
        self.out.begin_array()?;
        for value in value.items() {
            self.value(schema, item, value)?;
        }
        Ok(self.out.end()?)
    }

    /// Texts and children in the order in which they are given; they were held to their types before.
    fn content(&mut self, schema: &Schema, markup: &Markup, content: Node<'_>) -> Encoded {
        self.out.key("#content")?;
        self.out.begin_array()?;
        for item in content.items() {
            let Some((key, value)) = item.entries().next() else {
                self.out.text(item.as_str().unwrap_or_default())?;
                continue;
            };
            self.out.begin_object()?;
            match markup.children.iter().find(|field| field.key == key) {
                Some(field) => {
                    self.out.key(&self.prefixes.name(&field.name.namespace, &field.name.local))?;
                    let rule = if field.is_array { schema.item_rule(field.rule) } else { field.rule };
                    self.value(schema, rule, value)?;
                }
                None => {
                    self.out.key(key)?;
                    self.out.value(value)?;
                }
            }
            self.out.end()?;
        }
        Ok(self.out.end()?)
    }
}

/// Has the value numbers or booleans? XML has only text.
pub(crate) fn holds_scalars(value: Node<'_>) -> bool {
    match value.kind() {
        Kind::Number | Kind::Boolean => true,
        Kind::Array => value.items().any(holds_scalars),
        Kind::Object => value.entries().any(|(_, value)| holds_scalars(value)),
        _ => false,
    }
}

/// The same value, with numbers and booleans as the texts that XML has of them.
pub(crate) fn texts(value: Node<'_>, out: &mut Builder) -> Result<(), Fault> {
    match value.kind() {
        Kind::Boolean => out.text(if value.as_bool() == Some(true) { "true" } else { "false" }),
        Kind::Number => out.text(&value.lexeme().unwrap_or_default()),
        Kind::Array => {
            out.begin_array()?;
            for item in value.items() {
                texts(item, out)?;
            }
            out.end()
        }
        Kind::Object => {
            out.begin_object()?;
            for (key, value) in value.entries().filter(|(_, value)| !value.is_undefined()) {
                out.key(key)?;
                texts(value, out)?;
            }
            out.end()
        }
        _ => out.value(value),
    }
}
