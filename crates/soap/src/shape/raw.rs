//! Elements whose type says nothing, as values that hold all they need to be written again.

use std::collections::BTreeSet;

use lockgate_document::{Kind, Node};

use super::{
    decode::{Decode, Decoded},
    names::{Child, children},
};

impl<'a> Decode<'_, 'a> {
    pub(super) fn raw_child(&mut self, key: &'a str, element: Node<'a>, default: &str) -> Decoded {
        let mark = self.names.enter(element);
        let (namespace, _) = self.names.element(key);
        self.raw_in(element, namespace, default)?;
        self.names.leave(mark);
        Ok(())
    }

    /// What stands in an element of any kind, with the declarations that it needs: names of elements have no
    /// prefix, each declares the default namespace where it changes.
    pub(crate) fn raw(&mut self, element: Node<'a>) -> Decoded {
        self.raw_in(element, "", "")
    }

    fn raw_in(&mut self, element: Node<'a>, namespace: &'a str, default: &str) -> Decoded {
        let declares = namespace != default;
        let attributes: Vec<(&str, &str, &str)> = element
            .entries()
            .filter_map(|(key, value)| Some((key, key.strip_prefix('@')?, value.as_str()?)))
            .filter(|(_, name, _)| *name != "xmlns" && !name.starts_with("xmlns:"))
            .collect();
        if element.kind() == Kind::Null && !declares {
            return Ok(self.out.null()?);
        }
        let inner = children(element);
        if !declares && attributes.is_empty() && !inner.iter().any(|child| matches!(child, Child::Element(..))) {
            let text = inner.iter().find_map(|child| if let Child::Text(text) = child { Some(*text) } else { None });
            return Ok(self.out.text(text.unwrap_or_default())?);
        }
        self.out.begin_object()?;
        if declares {
            self.out.key("@xmlns")?;
            self.out.text(namespace)?;
        }
        if element.kind() == Kind::Null {
            self.out.key("@xsi:nil")?;
            self.out.text("true")?;
        }
        for (key, name, value) in attributes {
            if let Some((prefix, _)) = name.split_once(':').filter(|(prefix, _)| !matches!(*prefix, "xsi" | "xml")) {
                self.out.key(&format!("@xmlns:{prefix}"))?;
                self.out.text(self.names.namespace(prefix))?;
            }
            self.out.key(key)?;
            self.out.text(value)?;
        }
        self.raw_children(&inner, namespace)?;
        Ok(self.out.end()?)
    }

    fn raw_children(&mut self, inner: &[Child<'a>], namespace: &str) -> Decoded {
        let (mut keys, mut last) = (BTreeSet::new(), "");
        let (mut mixed, mut has_elements) = (false, false);
        for child in inner {
            match child {
                Child::Text(_) => mixed = true,
                Child::Element(key, _) => {
                    has_elements = true;
                    let local = key.split_once(':').map_or(*key, |(_, local)| local);
                    mixed |= !keys.insert(local) && last != local;
                    last = local;
                }
            }
        }
        if !has_elements {
            if let Some(Child::Text(text)) = inner.first() {
                self.out.key("#text")?;
                self.out.text(text)?;
            }
            return Ok(());
        }
        if mixed {
            self.out.key("#content")?;
            self.out.begin_array()?;
            for child in inner {
                match child {
                    Child::Text(text) => self.out.text(text)?,
                    Child::Element(key, value) => {
                        self.out.begin_object()?;
                        self.out.key(key.split_once(':').map_or(*key, |(_, local)| local))?;
                        self.raw_child(key, *value, namespace)?;
                        self.out.end()?;
                    }
                }
            }
            return Ok(self.out.end()?);
        }
        let elements: Vec<(&str, &'a str, Node<'a>)> = inner
            .iter()
            .filter_map(|child| match child {
                Child::Element(key, value) => {
                    Some((key.split_once(':').map_or(*key, |(_, local)| local), *key, *value))
                }
                Child::Text(_) => None,
            })
            .collect();
        for group in elements.chunk_by(|one, other| one.0 == other.0) {
            let Some((local, key, value)) = group.first() else { continue };
            self.out.key(local)?;
            if group.len() == 1 {
                self.raw_child(key, *value, namespace)?;
                continue;
            }
            self.out.begin_array()?;
            for (_, key, value) in group {
                self.raw_child(key, *value, namespace)?;
            }
            self.out.end()?;
        }
        Ok(())
    }
}
