//! Rules of which one, some or none hold.

use super::{
    super::{
        RuleId,
        rule::{Branch, Rule},
    },
    Stop, Validator, types_of,
};
use crate::node::{Kind, Node};

impl<'s, 'v> Validator<'s, 'v> {
    /// `anyOf`, `oneOf`, `not`, `if` and what depends on a field.
    pub(super) fn choices(&mut self, rule: &'s Rule, value: Node<'v>) -> Result<bool, Stop> {
        let mut holds = true;
        if !rule.any.is_empty() {
            holds &= self.any(&rule.any, value)?;
        }
        if !rule.one.is_empty() {
            holds &= self.one(&rule.one, value)?;
        }
        if let Some(id) = rule.not
            && self.tried(id, value)?
        {
            holds &= self.wrong("LG-VALUE-CHOICE", || "it is what the type excludes by `not`".to_owned())?;
        }
        if let Some(Branch { condition, then, otherwise }) = &rule.branch {
            let next = if self.tried(*condition, value)? { then } else { otherwise };
            if let Some(id) = next {
                holds &= self.holds(*id, value)?;
            }
        }
        for (name, id) in &rule.dependent {
            if !value.get(name).is_undefined() {
                holds &= self.holds(*id, value)?;
            }
        }
        Ok(holds)
    }

    fn any(&mut self, rules: &'s [RuleId], value: Node<'v>) -> Result<bool, Stop> {
        for id in rules {
            if self.tried(*id, value)? {
                return Ok(true);
            }
        }
        self.none_holds(rules, value)
    }

    fn one(&mut self, rules: &'s [RuleId], value: Node<'v>) -> Result<bool, Stop> {
        let mut count = 0;
        for id in rules {
            count += usize::from(self.tried(*id, value)?);
            if count > 1 {
                return self.wrong("LG-VALUE-CHOICE", || "it fits several of what the type takes one of".to_owned());
            }
        }
        if count == 1 { Ok(true) } else { self.none_holds(rules, value) }
    }

    /// Where one alternative alone is of the value's kind, what is wrong by it is told.
    fn none_holds(&mut self, rules: &'s [RuleId], value: Node<'v>) -> Result<bool, Stop> {
        if self.silent > 0 {
            return Ok(false);
        }
        let schema = self.schema;
        let kind = types_of(value);
        let of_kind = |id: &&RuleId| {
            let alternatives = schema.alternatives(&[**id]);
            alternatives.is_none_or(|all| all.iter().any(|one| one.types(schema).meets(kind)))
        };
        let mut fitting = rules.iter().filter(of_kind);
        match (fitting.next(), fitting.next()) {
            (Some(id), None) if !value.kind().is_scalar() => self.holds(*id, value),
            _ => self.wrong("LG-VALUE-CHOICE", || "it fits none of the alternatives of the type".to_owned()),
        }
    }
}

impl Kind {
    fn is_scalar(self) -> bool {
        !matches!(self, Kind::Array | Kind::Object)
    }
}
