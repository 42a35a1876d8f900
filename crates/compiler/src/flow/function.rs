//! `use.functions`: tasks under a name, each a part of the flow wherever it is called.
//!
//! `with` is the input of the function's task. Nothing else of where it is called is known in it: no item of a loop,
//! no caught error. Its own problems are told once, where it is defined.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Diagnostic;

use super::formula::{Place, template};
use super::task::TaskReader;
use super::tree::{Function, Task, Template, Work};
use super::{http::is_object, jumps, streams};

impl<'r> TaskReader<'r, '_> {
    /// Checks all functions, called or not.
    pub fn functions(&mut self) {
        for (key, node) in self.reusable.functions {
            if key.text.contains(['.', ':', '@']) || super::call::STANDARD.contains(&key.text.as_str()) {
                self.reader.problem_help(
                    "LG-FLOW-NAME",
                    key.span,
                    format!("`{}` is no name for a function", key.text),
                    "a name without `.`, `:` and `@` that is no call of the standard's own",
                );
            }
            self.body(key, node, format!("/use/functions/{}", crate::documents::escaped(&key.text)));
        }
    }

    /// The function that a call names, if it does.
    pub(super) fn function_named(&self, call: &Node) -> Option<(&'r Key, &'r Node)> {
        let name = call.as_text()?;
        self.reusable.functions.iter().find(|(key, _)| key.text == name).map(|(key, node)| (key, node))
    }

    /// Reads a call of a function.
    pub(super) fn called(
        &mut self,
        (key, body): (&Key, &Node),
        call: &Node,
        with: Option<&Node>,
        at: &str,
    ) -> Option<Work> {
        if self.calling.contains(&key.text) {
            let message = format!("function `{}` calls itself", key.text);
            let help = "a function is written out where it is called: use a loop, or a flow of its own";
            // Kept aside: inside another function's body problems are told elsewhere.
            if self.cycles.iter().all(|known| known.span != call.span) {
                self.cycles.push(Diagnostic::new("LG-FLOW-REFERENCE", call.span, message).help(help).token(&key.text));
            }
            return None;
        }
        if self.past_limit.is_some() {
            return None;
        }
        let with = with.map(|with| {
            let what = format!("`with` of function `{}`", key.text);
            if is_object(self.reader, with, &what) {
                template(self.reader, with, Place::Task)
            } else {
                Template::Broken
            }
        });
        // Told where it is defined already.
        let mut silent = self.reader.silent();
        std::mem::swap(self.reader, &mut silent);
        let task = self.body(key, body, at.to_owned());
        std::mem::swap(self.reader, &mut silent);
        Some(Work::Function(Function { with, task: Box::new(task) }))
    }

    fn body(&mut self, key: &Key, node: &Node, pointer: String) -> Task {
        self.calling.push(key.text.clone());
        self.count(key.span);
        let mut task = self.task(key, node, pointer);
        let alone = std::slice::from_mut(&mut task);
        jumps::resolve(self.reader, alone);
        streams::connect(self.reader, alone);
        self.calling.pop();
        task
    }
}
