//! Port types: operations with the messages that they take and give.

use std::collections::BTreeMap;

use super::{Reader, part::Part};
use crate::problem::shown;

/// Namespaces in which descriptions name the action of WS-Addressing.
const ACTIONS: [&str; 3] = [
    "http://www.w3.org/2007/05/addressing/metadata",
    "http://www.w3.org/2006/05/addressing/wsdl",
    "http://www.w3.org/2005/08/addressing",
];

/// An operation of a port type.
pub(super) struct Abstract<'d> {
    pub input: Part<'d>,
    pub output: Option<Part<'d>>,
    pub faults: Vec<Part<'d>>,
    pub action: Action,
}

/// The action of WS-Addressing.
pub(super) enum Action {
    /// As the description says.
    Told(String),
    /// As the standard makes it of names, where nothing else says what it is.
    Made(String),
}

/// Why an operation is not to be had.
pub(super) enum Without {
    /// It is told already, or was never there.
    Wrong,
    /// It is well and cannot be called.
    LeftOut(String, &'static str),
}

impl<'d> Reader<'d> {
    /// The operation of this name.
    pub(super) fn operation_of(&mut self, port_type: Part<'d>, bound: Part<'d>) -> Result<Abstract<'d>, Without> {
        let name = bound.name();
        let operations = self.operations.entry(port_type.key()).or_insert_with(|| {
            let mut operations: BTreeMap<&str, Vec<Part<'d>>> = BTreeMap::new();
            for operation in port_type.children().filter(|part| part.is("operation")) {
                operations.entry(operation.name()).or_default().push(operation);
            }
            operations
        });
        let named = operations.get(name).map_or(&[][..], Vec::as_slice);
        let (operation, is_alone) = (named.first().copied(), named.len() == 1);
        let Some(operation) = operation else {
            let message = format!("the port type `{}` has no operation `{}`", shown(port_type.name()), shown(name));
            let place = bound.place_of("name");
            let help = "a binding has the operations of its port type";
            self.problem_at(&place, "LG-WSDL-REF", message, help);
            return Err(Without::Wrong);
        };
        if !is_alone {
            let message = format!("several operations are called `{}`", shown(name));
            return Err(Without::LeftOut(message, "give each operation a name of its own (WS-I Basic Profile, R2304)"));
        }
        let mut ways = operation.children().filter(|part| part.is("input") || part.is("output"));
        let (first, second) = (ways.next(), ways.next());
        let (input, output) = match (first, second) {
            (Some(input), output) if input.is("input") && output.is_none_or(|output| output.is("output")) => {
                (input, output)
            }
            (Some(_), _) => {
                let message = format!("the operation `{}` begins with its output", shown(name));
                return Err(Without::LeftOut(message, "only requests, and requests with a reply, can be called"));
            }
            (None, _) => {
                let message = format!("the operation `{}` has neither input nor output", shown(name));
                self.problem(operation, "LG-WSDL-VALUE", message, "add `input`");
                return Err(Without::Wrong);
            }
        };
        let faults = operation.children().filter(|part| part.is("fault")).collect();
        Ok(Abstract { input, output, faults, action: action(port_type, operation, input) })
    }
}

/// The action as the description says, else as WS-Addressing makes it (Metadata §4.4.4).
fn action(port_type: Part<'_>, operation: Part<'_>, input: Part<'_>) -> Action {
    if let Some(told) = ACTIONS.iter().find_map(|namespace| input.node.attribute((*namespace, "Action"))) {
        return Action::Told(told.to_owned());
    }
    let namespace = port_type.namespace;
    let delimiter = if namespace.starts_with("urn:") { ":" } else { "/" };
    let namespace = namespace.strip_suffix(delimiter).unwrap_or(namespace);
    let made = format!("{}Request", operation.name());
    let input = input.attribute("name").unwrap_or(&made);
    Action::Made([namespace, port_type.name(), input].join(delimiter))
}
