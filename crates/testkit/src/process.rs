//! The product's program as tests start it, and what a process uses.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use crate::wait_until;

/// The `lockgate` program that cargo built beside the running test.
///
/// # Panics
/// When it is not there: a package's tests do not build another package's program, so the test
/// run builds it first (`cargo build`).
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    let program = profile.join("lockgate");
    assert!(program.is_file(), "{} is missing: run `cargo build` first", program.display());
    program
}

/// A program that stands beside the product's own for tests (`cargo build --examples`).
///
/// # Panics
/// When it is not there.
pub fn example(name: &str) -> PathBuf {
    let program = program().with_file_name("examples").join(name);
    assert!(program.is_file(), "{} is missing: run `cargo build --workspace --examples` first", program.display());
    program
}

/// A child that is killed and reaped when the test ends, however it ends.
#[derive(Debug)]
pub struct Running(pub Child);

impl Running {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|e| panic!("{command:?} does not start: {e}")))
    }

    /// Largest resident memory it ever had, in bytes.
    pub fn peak_rss_bytes(&self) -> u64 {
        peak_rss_bytes(self.0.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Largest resident memory a process ever had, in bytes (`VmHWM`).
pub fn peak_rss_bytes(pid: u32) -> u64 {
    status_bytes(pid, "VmHWM:")
}

/// Resident memory of a process now, in bytes (`VmRSS`).
pub fn rss_bytes(pid: u32) -> u64 {
    status_bytes(pid, "VmRSS:")
}

fn status_bytes(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|l| l.strip_prefix(field)).unwrap_or_else(|| panic!("no {field} in status"));
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
    kibibytes * 1024
}

/// Where a server's program is. Without it a test is skipped, and fails in CI.
///
/// # Panics
/// In CI, where everything is installed.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let unpacked = crate::cache().map(|cache| cache.join("packages"));
    let unpacked = unpacked.iter().flat_map(|packages| [packages.join("usr/sbin"), packages.join("usr/bin")]);
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/sbin"]
        .into_iter()
        .map(PathBuf::from)
        .chain(unpacked)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
        eprintln!("skipped: {program} (it is not installed; `./test` installs it)");
    }
    found
}

/// Waits until a server listens on a port of 127.0.0.1.
pub(crate) fn listening(port: u16, log: &Path) {
    listening_at(([127, 0, 0, 1], port).into(), log);
}

/// Waits until a server listens at an address.
pub(crate) fn listening_at(addr: SocketAddr, log: &Path) {
    let what = format!("a server on {addr}: see {}", log.display());
    wait_until(&what, Duration::from_secs(20), || {
        TcpStream::connect_timeout(&addr, Duration::from_millis(200)).is_ok()
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_memory() {
        let own = std::process::id();
        assert!(super::rss_bytes(own) > 100_000);
        assert!(super::peak_rss_bytes(own) >= 100_000);
    }
}
