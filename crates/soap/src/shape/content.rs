//! What stands in `#content`, held to the types of its elements: the rules of a type say nothing of it but that it is a list.

use lockgate_document::{
    Kind, Limits, Node,
    schema::{RuleId, Schema, Written},
};

use crate::SoapError;

/// Looks through a value of a rule for `#content`, and holds each element in it to its own rule.
pub(crate) fn hold_content(schema: &Schema, rule: RuleId, value: Node<'_>, limits: &Limits) -> Result<(), SoapError> {
    let (Written::Element(markup), Kind::Object) = (schema.written(rule), value.kind()) else { return Ok(()) };
    let content = value.get("#content");
    for (key, inner) in content.items().flat_map(|item| item.entries()) {
        let Some(field) = markup.children.iter().find(|field| field.key == key) else {
            if markup.open {
                continue;
            }
            let message = "in `#content` stands an element that the type does not have";
            return Err(SoapError::new("LG-SOAP-VALUE", message).at(format!("/{key}")));
        };
        let rule = if field.is_array { schema.item_rule(field.rule) } else { field.rule };
        if let Some(violation) = schema.validate_by(&[rule], inner, limits).into_iter().next() {
            return Err(SoapError::from(violation));
        }
        hold_content(schema, rule, inner, limits)?;
    }
    for field in &markup.children {
        let inner = value.get(&field.key);
        if field.is_array {
            let item = schema.item_rule(field.rule);
            inner.items().try_for_each(|inner| hold_content(schema, item, inner, limits))?;
        } else {
            hold_content(schema, field.rule, inner, limits)?;
        }
    }
    Ok(())
}
