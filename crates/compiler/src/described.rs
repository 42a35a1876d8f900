//! What is wrong with the description of a format, at its place in the file that has it.

use lockgate_document::LayoutProblem;
use lockgate_mapping::{nearest, yaml::Node};
use lockgate_model::Diagnostic;

/// The problem where it stands in the tree of the description.
pub fn diagnostic(description: &Node, problem: &LayoutProblem) -> Diagnostic {
    let (mut node, mut at) = (description, description.span);
    for part in problem.pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let entry = node.entries().and_then(|all| all.iter().find(|(key, _)| key.text == part));
        let below = match entry {
            Some((key, below)) => {
                // A value of several lines is told by its name, and so is a name that is not known.
                at = if problem.known.is_empty() && below.scalar().is_some() { below.span } else { key.span };
                below
            }
            None => match node.items().and_then(|items| items.get(part.parse::<usize>().ok()?)) {
                Some(below) => {
                    at = below.span;
                    below
                }
                None => break,
            },
        };
        node = below;
    }
    let member = problem.pointer.rsplit('/').next().filter(|member| !member.is_empty());
    let message = match member {
        Some(member) => format!("`{}` {}", member.replace("~1", "/").replace("~0", "~"), problem.message),
        None => problem.message.clone(),
    };
    let told = Diagnostic::new("LG-FORMAT", at, message);
    match member.and_then(|member| nearest(member, problem.known.iter().map(String::as_str))) {
        Some(near) => told.help(format!("did you mean `{near}`?")),
        None => told,
    }
}
