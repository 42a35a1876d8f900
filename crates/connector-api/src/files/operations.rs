//! The operations that every such connector has, for its declaration.

use lockgate_model::manifest::StreamContent;

use crate::Operation;

/// Lists a folder.
pub const LIST: Operation = operation(
    "list",
    true,
    "Lists a folder.",
    include_str!("schemas/list.json"),
    include_str!("schemas/list_output.json"),
);

/// Tells what is at a path.
pub const STAT: Operation = operation(
    "stat",
    true,
    "Tells kind, size and time of a file or folder.",
    include_str!("schemas/stat.json"),
    include_str!("schemas/stat_output.json"),
);

/// Reads a file.
pub const GET: Operation = Operation {
    gives: Some(StreamContent::Bytes),
    ..operation("get", true, "Reads a file.", include_str!("schemas/get.json"), include_str!("schemas/get_output.json"))
};

/// Writes a file.
pub const PUT: Operation = Operation {
    takes: Some("body"),
    ..operation(
        "put",
        true,
        "Writes a file, as a whole or not at all unless `temporary` is `false`.",
        include_str!("schemas/put.json"),
        include_str!("schemas/put_output.json"),
    )
};

/// Moves or renames.
pub const MOVE: Operation =
    operation("move", false, "Moves or renames a file or folder.", include_str!("schemas/move.json"), NOTHING);

/// Deletes.
pub const DELETE: Operation =
    operation("delete", true, "Deletes a file, or a folder that is empty.", include_str!("schemas/path.json"), NOTHING);

/// Makes a folder.
pub const MKDIR: Operation = operation(
    "mkdir",
    true,
    "Makes a folder; one that is there already is as good.",
    include_str!("schemas/path.json"),
    NOTHING,
);

const fn operation(
    name: &'static str,
    idempotent: bool,
    help: &'static str,
    input: &'static str,
    output: &'static str,
) -> Operation {
    Operation {
        name,
        version: "1.0.0",
        idempotent,
        keyed: false,
        help,
        constant: &[],
        input,
        output,
        takes: None,
        gives: None,
    }
}

const NOTHING: &str = include_str!("schemas/nothing.json");
