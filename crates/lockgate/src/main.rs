//! The `lockgate` program with the connectors that ship.
//!
//! Deliberately absent: everything else. A program with further connectors is these lines with
//! another registry.

use std::process::ExitCode;

fn main() -> ExitCode {
    lockgate::run(lockgate_connector_catalog::registry())
}
