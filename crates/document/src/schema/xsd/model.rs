//! What may stand in an element: which children, and how many of each.

use super::super::{RuleId, XmlName, rule::Count};

/// Children by name, whatever the model groups that they stand in.
#[derive(Debug, Default, Clone)]
pub(super) struct Model {
    pub fields: Vec<Child>,
    /// Other elements too: `xs:any`.
    pub open: bool,
    /// Elements of one name may stand on both sides of others, so that fields could not keep their order.
    pub interleaved: bool,
    /// Of each choice that must be made: the children that each way asks for.
    pub choices: Vec<Vec<Vec<String>>>,
    /// A name that children of two namespaces have, which fields could not tell apart.
    pub clash: Option<String>,
}

/// Children of one name.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub name: String,
    /// Empty for none.
    pub namespace: String,
    pub count: Count,
    pub value: RuleId,
}

impl Child {
    pub(super) fn is_array(&self) -> bool {
        self.count.max.is_none_or(|max| max > 1)
    }
}

impl Model {
    pub(super) fn one(name: XmlName, value: RuleId) -> Model {
        let child = Child { name: name.local, namespace: name.namespace, count: Count { min: 1, max: Some(1) }, value };
        Model { fields: vec![child], ..Model::default() }
    }

    /// The same so many times.
    pub(super) fn times(mut self, count: Count) -> Model {
        if count.max == Some(0) {
            return Model::default();
        }
        if count.max.is_none_or(|max| max > 1) && self.fields.len() > 1 {
            self.interleaved = true;
        }
        if count.min == 0 {
            self.choices.clear();
        }
        for child in &mut self.fields {
            let max = child.count.max.zip(count.max).map(|(a, b)| a.saturating_mul(b));
            child.count = Count { min: child.count.min.saturating_mul(count.min), max };
        }
        self
    }

    /// This and then the other.
    pub(super) fn then(mut self, other: Model) -> Model {
        for child in other.fields {
            let last = self.fields.len();
            match self.fields.iter_mut().enumerate().find(|(_, known)| known.name == child.name) {
                Some((place, known)) => {
                    if known.namespace != child.namespace {
                        self.clash = Some(child.name);
                    }
                    self.interleaved |= place + 1 < last;
                    let max = known.count.max.zip(child.count.max).map(|(a, b)| a.saturating_add(b));
                    known.count = Count { min: known.count.min.saturating_add(child.count.min), max };
                }
                None => self.fields.push(child),
            }
        }
        self.open |= other.open;
        self.interleaved |= other.interleaved;
        self.clash = self.clash.take().or(other.clash);
        self.choices.extend(other.choices);
        self
    }

    /// One of these.
    pub(super) fn choice(ways: Vec<Model>) -> Model {
        let asked = |way: &Model| -> Vec<String> {
            way.fields.iter().filter(|child| child.count.min > 0).map(|child| child.name.clone()).collect()
        };
        let asked: Vec<Vec<String>> = ways.iter().map(asked).collect();
        let count = ways.len();
        let mut all = Model::default();
        let mut seen: Vec<usize> = Vec::new();
        for way in ways {
            all.open |= way.open;
            all.interleaved |= way.interleaved;
            all.clash = all.clash.take().or(way.clash);
            for child in way.fields {
                match all.fields.iter_mut().zip(&mut seen).find(|(known, _)| known.name == child.name) {
                    Some((known, ways)) => {
                        if known.namespace != child.namespace {
                            all.clash = Some(child.name);
                        }
                        *ways += 1;
                        let max = known.count.max.zip(child.count.max).map(|(a, b)| a.max(b));
                        known.count = Count { min: known.count.min.min(child.count.min), max };
                    }
                    None => {
                        all.fields.push(child);
                        seen.push(1);
                    }
                }
            }
        }
        for (child, ways) in all.fields.iter_mut().zip(seen) {
            if ways < count {
                child.count.min = 0;
            }
        }
        if count > 1 && !asked.iter().any(Vec::is_empty) {
            all.choices.push(asked);
        }
        all
    }
}
