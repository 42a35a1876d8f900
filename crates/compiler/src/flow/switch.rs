//! `switch`: cases in order.

use lockgate_mapping::yaml::Node;

use super::task::TaskReader;
use super::tree::{Case, Jump, Target, Work};
use crate::reader::find;

impl TaskReader<'_, '_> {
    pub(super) fn switch(&mut self, node: &Node) -> Option<Work> {
        let items = self.reader.array(node, "`switch`")?;
        if items.is_empty() {
            self.reader.problem("LG-FLOW-VALUE", node.span, "`switch` has no cases");
        }
        let mut cases = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut default: Option<&str> = None;
        for item in items {
            let Some(entries) = self.reader.object(item, "a case") else { continue };
            let [(key, body)] = entries else {
                self.reader.problem("LG-FLOW-VALUE", item.span, "a case must have one key, its name");
                continue;
            };
            let what = format!("case `{}`", key.text);
            if names.contains(&key.text.as_str()) {
                self.reader.problem("LG-FLOW-NAME", key.span, format!("there are two cases `{}`", key.text));
            }
            names.push(&key.text);
            let Some(entries) = self.reader.object_of(body, &what, &["when", "then"]) else { continue };
            if find(entries, "when").is_none()
                && let Some(first) = default.replace(&key.text)
            {
                self.reader.problem_help(
                    "LG-FLOW-UNREACHABLE",
                    key.span,
                    format!("{what} is never reached: `{first}` before it has no `when` either"),
                    "keep one case without `when`: it is for what no other case is for",
                );
            }
            let when = self.condition(entries, "when");
            let then = self.reader.required(entries, "then", &what, key.span);
            let then = then.and_then(|node| self.jump(node, "`then`"));
            // A case that leads nowhere is reported; so is what else is wrong with it.
            cases.push(Case {
                name: key.text.clone(),
                when,
                then: then.unwrap_or(Jump { to: Target::Continue, span: key.span }),
            });
        }
        // The one for all else may stand anywhere, and comes last.
        cases.sort_by_key(|case| case.when.is_none());
        Some(Work::Switch(cases))
    }
}
