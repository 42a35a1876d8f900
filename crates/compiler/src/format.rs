//! The canonical form of the files of a project; what the forms are, crate `mapping` tells.
//!
//! In mapping files and in `project.yaml` keys are put in order. In a flow they stay: results have
//! their fields in the order of the file.

use std::collections::BTreeSet;

use lockgate_mapping::{
    format::{self, Kind},
    yaml,
};
use lockgate_model::Diagnostics;

use crate::{documents::Documents, flow, project, reader::Reader};

/// The canonical form of a mapping file, a flow or a `project.yaml`; which of them it is, its name says,
/// else its keys.
///
/// Errors: all problems of the file, and `LG-FMT` should what was written not read back as the same.
pub fn format(file: &str, text: &str) -> Result<String, Diagnostics> {
    let root = yaml::parse(file, text)?;
    let is = |ending: &str, key: &str| file.ends_with(ending) || !is_named(file) && root.get(key).is_some();
    if is(".map.yaml", "mapping") {
        return format::mapping(file, text);
    }
    let mut reader = Reader::new(file, text);
    if is(project::PROJECT_FILE, "project") {
        project::check_declaration(&mut reader, &root);
        reader.problems.into_result(())?;
        return format::format(file, text, &Kind { expressions: BTreeSet::new(), keys: &project::PROJECT_KEYS });
    }
    // What a document says changes no form, so none is there, and what is missed is not told.
    flow::read(&mut reader, &root, &Documents::none());
    reader.without_documents();
    // A flow that looks at its own definition would see that its expressions are written otherwise.
    let expressions = if text.contains("definition") { BTreeSet::new() } else { reader.expressions };
    reader.problems.into_result(())?;
    format::format(file, text, &Kind { expressions, keys: &[] })
}

/// Whether a file is one of a project by its name.
pub fn is_named(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name == project::PROJECT_FILE || name.ends_with(".map.yaml") || name.ends_with(".flow.yaml")
}

#[cfg(test)]
mod tests {
    use super::format;

    const HEAD: &str = "document: { dsl: '1.0.3', namespace: n, name: f, version: '1.0.0' }\n\
                        evaluate: { language: jsonata }\n";

    fn flow(tasks: &str) -> String {
        let once = format("f.flow.yaml", &format!("{HEAD}do:\n{tasks}")).unwrap();
        assert_eq!(format("f.flow.yaml", &once).unwrap(), once);
        once.split_once("do:\n").unwrap().1.to_owned()
    }

    #[test]
    fn a_file_with_problems_has_no_canonical_form() {
        for (file, text) in [
            ("f.flow.yaml", "do: []\n"),
            ("project.yaml", "projects: p\n"),
            ("m.map.yaml", "mapping: m\n"),
            ("-", "mapping: m\n"),
            ("f.flow.yaml", "a: 1\n---\nb: 2\n"),
        ] {
            assert!(format(file, text).is_err(), "{file}");
        }
    }

    #[test]
    fn expressions_of_flows_are_formatted_and_other_texts_are_not() {
        let written = "- a:\n    if: ${x=1}\n    set: { z: '${ $sum( [1,2] ) }', b: 'x=1', a: ' ${y} ' }\n";
        let wanted = "  - a:\n      if: ${ x = 1 }\n      set: { z: '${ $sum([1, 2]) }', b: x=1, a: '${ y }' }\n";
        assert_eq!(flow(written), wanted);
        let long = "x".repeat(30);
        let tasks = format!("- a:\n    set:\n      b: ${{$merge([{{'a':{long}}},{{'b':{long},'c':{long}}}])}}\n");
        let broken = flow(&tasks);
        assert!(broken.contains("b: >-\n          ${ $merge([\n               { \"a\": x"), "{broken}");
        assert!(broken.contains("\n             ]) }\n"), "{broken}");
    }

    #[test]
    fn the_expressions_of_a_flow_that_reads_its_definition_stay() {
        let written = "- a:\n    set:\n      d: ${ $task.definition }\n      e: ${x=1}\n";
        assert!(flow(written).contains("e: ${x=1}\n"));
    }

    #[test]
    fn a_project_file_has_its_keys_in_order() {
        let written = "accounts:\n  b: {connector: https, operations: ['get']}\n  # a\n  a:\n    connector: sftp\n    operations: [put]\nproject: p\n";
        let wanted = "project: p\naccounts:\n  b: { connector: https, operations: [get] }\n  # a\n  a:\n    connector: sftp\n    operations: [put]\n";
        assert_eq!(format("project.yaml", written).unwrap(), wanted);
        assert_eq!(format("-", written).unwrap(), wanted);
    }
}
