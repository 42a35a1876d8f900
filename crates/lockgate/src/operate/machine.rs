//! What a serving process asks of the machine before it holds anything of anybody: no core dumps,
//! no debugger, no words of panics, enough file descriptors.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

use crate::exit::Exit;

/// Makes the process keep its memory to itself: a crash writes no core, other processes of the same
/// user cannot attach, and a panic tells its place alone, since its message may hold what was worked
/// on.
pub fn close_up() -> Result<(), Exit> {
    let failed = |what: &str, e: rustix::io::Errno| Exit::failed("LG-MACHINE", format!("cannot {what}: {e}"));
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|e| failed("turn off core dumps", e))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|e| failed("close the process to debuggers", e))?;
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a defect ended a part of the work; please report it with this place");
    }));
    // Each connection holds a descriptor; the soft limit is often far below the hard one.
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
    Ok(())
}
