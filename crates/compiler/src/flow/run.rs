//! `run`: another orchestration as a task. Processes are refused for good.

use lockgate_mapping::yaml::Node;
use lockgate_model::id::TargetName;

use super::formula::{Place, template};
use super::task::TaskReader;
use super::tree::{Run, Template, Work};
use super::{is_label, semver};
use crate::reader::find;

/// `version`: the one that this project has.
const LATEST: &str = "latest";

impl TaskReader<'_, '_> {
    pub(super) fn run(&mut self, node: &Node) -> Option<Work> {
        let forbidden = ["container", "script", "shell"];
        let found = node.entries().and_then(|e| e.iter().find(|(key, _)| forbidden.contains(&key.text.as_str())));
        if let Some((what, _)) = found {
            self.reader.problem_help(
                "LG-FLOW-REFUSED",
                what.span,
                format!("`run.{}` is refused: flows start no processes", what.text),
                "call a connector's operation or a mapping instead",
            );
            return None;
        }
        let entries = self.reader.object_with(node, "`run`", &["workflow", "await"], &["return"])?;
        if let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "return") {
            let help = "leave it out: the output of the task is the orchestration's own";
            self.reader.problem_help(
                "LG-FLOW-REFUSED",
                key.span,
                "`return` says which output of a process is wanted",
                help,
            );
        }
        let awaits = find(entries, "await").map_or(Some(true), |node| self.reader.boolean(node, "`await`"));
        let awaits = awaits.unwrap_or(true);
        let node = self.reader.required(entries, "workflow", "`run`", node.span)?;
        let entries = self.reader.object_of(node, "`workflow`", &["namespace", "name", "version", "input"])?;
        let mut text = |key: &str| {
            let node = self.reader.required(entries, key, "`workflow`", node.span)?;
            let text = self.reader.string(node, &format!("`workflow.{key}`"))?;
            let (fits, wanted) = match key {
                "version" => (text == LATEST || semver(text).is_some(), "a version such as `1.0.0`, or `latest`"),
                "name" => (is_label(text) && TargetName::parse(text).is_ok(), "the name of a flow"),
                _ => (is_label(text), "a namespace"),
            };
            if !fits {
                self.reader.problem_help(
                    "LG-FLOW-VALUE",
                    node.span,
                    format!("`workflow.{key}` must be {wanted}"),
                    "it cannot be computed: a deployment must know every orchestration it can run",
                );
            }
            fits.then(|| (text.to_owned(), node.span))
        };
        let (namespace, name, version) = (text("namespace"), text("name"), text("version"));
        let input = match find(entries, "input") {
            Some(node) => template(self.reader, node, Place::Task),
            None => Template::Whole,
        };
        let ((namespace, _), (name, span), (version, version_at)) = (namespace?, name?, version?);
        Some(Work::Run(Run {
            namespace,
            name,
            span,
            version: (version != LATEST).then_some(version),
            version_at,
            input,
            awaits,
        }))
    }
}
