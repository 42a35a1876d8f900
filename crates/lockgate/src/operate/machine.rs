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

/// How many of `wanted` connections this machine lets the process take, so that strangers who hold
/// them all leave descriptors for the store, endpoints and the operator.
pub fn connections_max(wanted: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    let most = connections(wanted, descriptors);
    if most < wanted {
        tracing::warn!(
            descriptors,
            connections = most,
            "fewer connections are taken than {wanted}: raise the limit of file descriptors (`ulimit -n`, `LimitNOFILE=`)"
        );
    }
    most
}

/// Half of the descriptors: each request in flight may need one for an endpoint, too.
fn connections(wanted: usize, descriptors: Option<u64>) -> usize {
    let half = descriptors.and_then(|all| usize::try_from(all / 2).ok());
    wanted.min(half.unwrap_or(usize::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(connections(10_000, Some(1_024)), 512);
        assert_eq!(connections(10_000, Some(1_048_576)), 10_000);
        assert_eq!(connections(10_000, None), 10_000);
        assert_eq!(connections(10_000, Some(0)), 1);
    }
}
