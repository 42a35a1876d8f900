//! Complex types: children and attributes as the fields of an object.

use std::collections::BTreeMap;

use super::{
    super::{
        Markup, MarkupField, RuleId, Types, XmlName,
        rule::{ArrayRule, Count, ObjectRule, Rule, TextRule},
    },
    Kind, Part, Reader,
    model::Model,
    text::shown,
};

/// Particles of all types of a schema, each counted wherever it is used.
const PARTICLES_MAX: usize = 200_000;
/// Fields that an XML document may have anywhere: declarations of namespaces, and what says how it is
/// to be validated.
const ALWAYS: &str = "^@(?:xmlns(?::|$)|xsi:)";

/// What a complex type says.
#[derive(Default)]
struct Complex {
    model: Model,
    /// Attributes, each with whether it must be there.
    attributes: BTreeMap<String, Attribute>,
    open: bool,
    mixed: bool,
    /// The type of the text, where it has simple content.
    text: Option<RuleId>,
}

struct Attribute {
    value: RuleId,
    required: bool,
    /// Empty for none.
    namespace: String,
}

impl<'d> Reader<'d> {
    /// The rule of a complex type.
    pub(super) fn complex(&mut self, part: Part<'d>, depth: usize) -> RuleId {
        let complex = self.read(part, depth);
        if let Some(name) = &complex.model.clash {
            self.later(part, &format!("an element with children called `{}` of two namespaces", shown(name)));
        }
        self.object(complex)
    }

    fn read(&mut self, part: Part<'d>, depth: usize) -> Complex {
        if part.attribute("abstract").is_some_and(|value| value != "false") {
            self.later(part, "`abstract`");
        }
        let mut complex =
            Complex { mixed: matches!(part.attribute("mixed"), Some("true" | "1")), ..Complex::default() };
        if depth > super::DEPTH_MAX {
            let message = format!("types lie more than {} within each other", super::DEPTH_MAX);
            self.problem(part, "LG-TYPE-SIZE", message, "give inner types names, or split the type");
            return complex;
        }
        for child in part.children() {
            match child.name() {
                "simpleContent" | "complexContent" => return self.derived(child, complex, depth),
                _ => self.member(child, &mut complex, depth),
            }
        }
        complex
    }

    /// A type made from another.
    fn derived(&mut self, content: Part<'d>, mut own: Complex, depth: usize) -> Complex {
        own.mixed |= matches!(content.attribute("mixed"), Some("true" | "1"));
        let Some(step) = content.children().find(|child| child.is("extension") || child.is("restriction")) else {
            self.problem(content, "LG-TYPE-VALUE", "it says neither `extension` nor `restriction`", "add one of them");
            return own;
        };
        let mut base = self.base(step, depth);
        let extends = step.is("extension");
        for child in step.children() {
            self.member(child, &mut own, depth);
        }
        if content.is("simpleContent") && !extends {
            let text = base.text.take().unwrap_or_else(|| self.draft.add(Rule::default()));
            let inner = step.child("simpleType").map(|inner| self.type_of(inner, depth + 1));
            base.text = Some(self.restricted(step, inner.unwrap_or(text)));
        }
        let mut attributes = base.attributes;
        for attribute in step.children().filter(|child| child.is("attribute")) {
            if attribute.attribute("use") == Some("prohibited")
                && let Some(name) = attribute.attribute("name")
            {
                attributes.remove(&format!("@{name}"));
            }
        }
        attributes.extend(own.attributes);
        let model = match extends {
            true => base.model.then(own.model),
            false => own.model,
        };
        let mixed = own.mixed || (extends && base.mixed);
        Complex { model, attributes, open: base.open || own.open, mixed, text: base.text }
    }

    /// What a type is made from: a complex type's parts, or a simple type as the text.
    fn base(&mut self, step: Part<'d>, depth: usize) -> Complex {
        let Some(written) = step.attribute("base") else {
            self.problem(step, "LG-TYPE-VALUE", "it does not say from which type it is made", "add `base`");
            return Complex::default();
        };
        if self.documents.builtin(step, written).is_some_and(|name| name == "anyType") {
            return Complex::default();
        }
        if self.documents.builtin(step, written).is_none() {
            let Some((_, found)) = self.find(Kind::Type, step, "base") else { return Complex::default() };
            if found.is("complexType") {
                return self.read(found, depth + 1);
            }
        }
        Complex { text: self.named_type(step, "base", depth), ..Complex::default() }
    }

    /// A part of a complex type, of an extension or a group of attributes.
    fn member(&mut self, part: Part<'d>, complex: &mut Complex, depth: usize) {
        match part.name() {
            "sequence" | "choice" | "all" | "group" => {
                let model = self.particle(part, depth);
                complex.model = std::mem::take(&mut complex.model).then(model);
            }
            "attribute" => self.attribute(part, complex, depth),
            "attributeGroup" => {
                if depth > super::DEPTH_MAX {
                    return self.problem(
                        part,
                        "LG-TYPE-LOOP",
                        "this group leads back to itself",
                        "take it out of itself",
                    );
                }
                if let Some((_, group)) = self.find(Kind::AttributeGroup, part, "ref") {
                    for child in group.children() {
                        self.member(child, complex, depth + 1);
                    }
                }
            }
            "anyAttribute" => complex.open = true,
            // Facets of simple content, which are read apart.
            name if super::simple::is_facet(name) || name == "simpleType" => {}
            name => self.later(part, &format!("`xs:{}`", shown(name))),
        }
    }

    fn attribute(&mut self, part: Part<'d>, complex: &mut Complex, depth: usize) {
        let required = part.attribute("use") == Some("required");
        if part.attribute("use") == Some("prohibited") {
            return;
        }
        let (namespace, name, declared) = match part.attribute("ref") {
            Some(xml) if xml.starts_with("xml:") => (String::new(), xml.to_owned(), None),
            Some(_) => match self.find(Kind::Attribute, part, "ref") {
                Some(((namespace, name), declared)) => (namespace, name, Some(declared)),
                None => return,
            },
            None => {
                let name = self.documents.local_name(part);
                (name.namespace, name.local, Some(part))
            }
        };
        let value = match declared {
            Some(declared) if declared.attribute("type").is_some() => self.named_type(declared, "type", depth),
            Some(declared) => declared.child("simpleType").map(|inner| self.type_of(inner, depth + 1)),
            None => None,
        };
        let value = value.unwrap_or_else(|| self.draft.add(Rule { types: Types::STRING, ..Rule::default() }));
        let fixed = part.attribute("fixed").or_else(|| declared.and_then(|declared| declared.attribute("fixed")));
        let value = match fixed {
            Some(fixed) => {
                let only = self.draft.texts([fixed]);
                self.draft.add(Rule { reference: Some(value), allowed: vec![only], ..Rule::default() })
            }
            None => value,
        };
        complex.attributes.insert(format!("@{name}"), Attribute { value, required, namespace });
    }

    /// What stands in a model group, as often as the group does.
    fn particle(&mut self, part: Part<'d>, depth: usize) -> Model {
        self.particles += 1;
        if self.particles > PARTICLES_MAX || depth > super::DEPTH_MAX {
            // Once is enough, of how many ever follow.
            if !self.too_large {
                self.too_large = true;
                let message = "groups lead to more parts than can be read, or back to themselves";
                self.problem(part, "LG-TYPE-SIZE", message, "split the type, or take the group out of itself");
            }
            return Model::default();
        }
        let Some(count) = self.occurs(part) else { return Model::default() };
        let model = match part.name() {
            "element" => self.child_element(part, depth),
            "any" => Model { open: true, ..Model::default() },
            "sequence" | "all" => {
                let parts: Vec<Model> = part.children().map(|child| self.particle(child, depth + 1)).collect();
                parts.into_iter().fold(Model::default(), Model::then)
            }
            "choice" => Model::choice(part.children().map(|child| self.particle(child, depth + 1)).collect()),
            "group" => match self.find(Kind::Group, part, "ref") {
                Some((_, group)) => {
                    let parts: Vec<Model> = group.children().map(|child| self.particle(child, depth + 1)).collect();
                    parts.into_iter().fold(Model::default(), Model::then)
                }
                None => Model::default(),
            },
            name => {
                self.later(part, &format!("`xs:{}`", shown(name)));
                Model::default()
            }
        };
        model.times(count)
    }

    fn child_element(&mut self, part: Part<'d>, depth: usize) -> Model {
        if part.attribute("ref").is_some() {
            let Some(((namespace, name), _)) = self.find(Kind::Element, part, "ref") else { return Model::default() };
            let name = XmlName::new(namespace, name);
            return match self.global(Kind::Element, part, "ref", depth) {
                Some(value) => Model::one(name, value),
                None => Model::default(),
            };
        }
        if part.attribute("name").is_none() {
            self.problem(part, "LG-TYPE-VALUE", "an element needs `name` or `ref`", "add one of them");
            return Model::default();
        }
        let value = self.element_value(part, depth);
        Model::one(self.documents.local_name(part), value)
    }

    fn occurs(&mut self, part: Part<'d>) -> Option<Count> {
        let number = |name: &str| part.attribute(name).map_or(Some(1), |text| text.trim().parse::<u64>().ok());
        let max = match part.attribute("maxOccurs").map(str::trim) {
            Some("unbounded") => Some(None),
            _ => number("maxOccurs").map(Some),
        };
        match (number("minOccurs"), max) {
            (Some(min), Some(max)) => Some(Count { min, max }),
            _ => {
                let message = "`minOccurs` and `maxOccurs` are whole numbers from 0 up";
                self.problem(part, "LG-TYPE-VALUE", message, "`maxOccurs` may be `unbounded`");
                None
            }
        }
    }

    // --- rules

    fn object(&mut self, complex: Complex) -> RuleId {
        let Complex { model, attributes, open, mixed, text } = complex;
        let mut object = ObjectRule::default();
        let mut markup = Markup { open: open || model.open, text: text.is_some(), mixed, ..Markup::default() };
        markup.interleaved = model.interleaved;
        for (key, Attribute { value, required, namespace }) in attributes {
            if required {
                object.required.push(key.clone());
            }
            let local = key.get(1..).unwrap_or_default();
            let name = XmlName::new(namespace, local);
            markup.attributes.push(MarkupField { key: key.clone(), name, rule: value, is_array: false });
            object.fields.insert(key, value);
        }
        // As what the element is read when it has no attributes and nothing in it but text.
        let alone = match text {
            Some(text) => {
                object.fields.insert("#text".to_owned(), text);
                Some(text)
            }
            None if mixed => Some(self.draft.add(Rule { types: Types::STRING, ..Rule::default() })),
            None => {
                let empty = Count { min: 0, max: Some(0) };
                let text = TextRule { length: empty, ..TextRule::default() };
                let nothing = self.draft.texts([""]);
                Some(self.draft.add(Rule { types: Types::STRING, allowed: vec![nothing], text, ..Rule::default() }))
            }
        };
        let loose = mixed || model.interleaved;
        let Model { fields, open: any, choices, .. } = model;
        for child in fields {
            if child.count.min > 0 && !loose {
                object.required.push(child.name.clone());
            }
            let value = match child.is_array() {
                true => {
                    let count = if loose { Count::default() } else { child.count };
                    let count = Count { min: count.min.max(1), ..count };
                    let array = ArrayRule { count, items: Some(child.value), ..ArrayRule::default() };
                    self.draft.add(Rule { types: Types::ARRAY, array, ..Rule::default() })
                }
                false => child.value,
            };
            let name = XmlName::new(child.namespace.clone(), child.name.clone());
            let is_array = child.is_array();
            markup.children.push(MarkupField { key: child.name.clone(), name, rule: value, is_array });
            object.fields.insert(child.name, value);
        }
        if loose {
            let content = self.draft.add(Rule { types: Types::ARRAY, ..Rule::default() });
            object.fields.insert("#content".to_owned(), content);
        }
        let anything = self.draft.add(Rule::default());
        object.additional = match open || any {
            true => Some(anything),
            false => Some(self.draft.add(Rule { never: true, ..Rule::default() })),
        };
        if let Ok(pattern) = self.draft.pattern(ALWAYS) {
            object.patterns.push((pattern, anything));
        }
        let is_free = object.required.is_empty() && (loose || choices.is_empty());
        let all = if loose { Vec::new() } else { choices.into_iter().map(|ways| self.choice(ways)).collect() };
        let object = self.draft.add(Rule { types: Types::OBJECT, object, all, ..Rule::default() });
        self.draft.markup.insert(object, markup);
        match alone.filter(|_| is_free) {
            Some(alone) => self.draft.add(Rule { any: vec![object, alone], ..Rule::default() }),
            None => object,
        }
    }

    /// One of these lists of children is there.
    fn choice(&mut self, ways: Vec<Vec<String>>) -> RuleId {
        let mut any = Vec::new();
        for required in ways {
            let object = ObjectRule { required, ..ObjectRule::default() };
            any.push(self.draft.add(Rule { object, ..Rule::default() }));
        }
        self.draft.add(Rule { any, ..Rule::default() })
    }
}
