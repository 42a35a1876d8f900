//! What tests of several crates share: a PKI with good and bad certificates, real peers with
//! faults, the contract suite of connectors, and small things about processes, ports and folders.
//!
//! Peers are real servers on loopback: of the test's own process ([`https_peer`]), or programs of
//! their own ([`ssh_peer`], [`nginx`], [`postgres`], [`mariadb`], [`soap_peer`], [`openbao`], [`rsyslog`]) that `./test` installs. The contract suite
//! takes a peer through the trait
//! [`contract::Subject`] and only asks it for a port and for what it has seen, so a further program
//! joins by implementing that trait. [`fault_proxy`] stands between the two and breaks what passes;
//! [`connect_proxy`] and [`tinyproxy`] are HTTP proxies that an account names.
//!
//! Deliberately absent: mocks of anything of ours, sleeps as synchronisation ([`wait_until`]
//! instead), and any use outside tests: no shipped crate depends on this one.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken premise must fail the test on the spot"
)]

pub mod connect_proxy;
pub mod contract;
pub mod fault_proxy;
pub mod ftp_peer;
pub mod https_peer;
pub mod idp;
pub mod jsonata;
pub mod mariadb;
pub mod nginx;
pub mod openbao;
pub mod pki;
pub mod postgres;
pub mod process;
pub mod rsyslog;
pub mod signin;
pub mod soap_peer;
pub mod ssh_peer;
pub mod tinyproxy;

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

pub use connect_proxy::ConnectProxy;
pub use fault_proxy::FaultProxy;
pub use ftp_peer::FtpServer;
pub use https_peer::{Arrived, HttpsPeer, Told};
pub use idp::Idp;
pub use mariadb::Mariadb;
pub use nginx::Nginx;
pub use openbao::OpenBao;
pub use pki::Pki;
pub use postgres::Postgres;
pub use rsyslog::Rsyslog;
pub use soap_peer::SoapPeer;
pub use tempfile::TempDir;
pub use tinyproxy::Tinyproxy;

/// A private folder that is removed when the value is dropped.
pub fn temp_dir() -> TempDir {
    tempfile::Builder::new().prefix("lockgate-test-").tempdir().expect("a folder under the temporary directory")
}

/// Whether tests take the time that large bodies and many repetitions need (`./test --long`).
pub fn long() -> bool {
    std::env::var_os("LOCKGATE_LONG").is_some()
}

/// The workspace's root folder.
pub fn workspace_root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("crates/testkit lies two below the root").to_path_buf()
}

/// A folder of the language-neutral suites, such as `jsonata/given`: below `LOCKGATE_SUITES`, else
/// below `../shared/suites` beside the workspace. None where a developer has no suites, which is said;
/// in CI they must be there.
///
/// # Panics
/// In CI, when the folder is not there.
pub fn suite(name: &str) -> Option<PathBuf> {
    let suites =
        std::env::var_os("LOCKGATE_SUITES").map_or_else(|| workspace_root().join("../shared/suites"), PathBuf::from);
    let folder = suites.join(name);
    if !folder.is_dir() {
        skip(&format!("suite {name}"), &format!("no folder {}; set LOCKGATE_SUITES", folder.display()));
        return None;
    }
    Some(folder)
}

/// A package of test data that `./test` installs by npm, outside the clone: below `LOCKGATE_CACHE`, else
/// below `~/.cache/lockgate`. None where it was not installed, which is said.
///
/// # Panics
/// In CI, when it is not there.
pub fn npm_data(package: &str) -> Option<PathBuf> {
    let folder = cache()?.join("npm/node_modules").join(package);
    if !folder.is_dir() {
        skip(&format!("test data {package}"), &format!("no folder {}; `./test` installs it", folder.display()));
        return None;
    }
    Some(folder)
}

/// Schemathesis, which asks an HTTP API whatever its OpenAPI document allows and forbids. None where `./test` did not
/// install it, which is said.
///
/// # Panics
/// In CI, when it is not there.
pub fn schemathesis() -> Option<PathBuf> {
    let program = cache()?.join("schemathesis/bin/schemathesis");
    if !program.is_file() {
        skip("schemathesis", &format!("no {}; `./test` installs it", program.display()));
        return None;
    }
    Some(program)
}

/// Where `./test` keeps what it fetches.
pub(crate) fn cache() -> Option<PathBuf> {
    let cache = std::env::var_os("LOCKGATE_CACHE").map(PathBuf::from);
    cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/lockgate")))
}

/// Says that a test is skipped and why. In CI what can be installed is installed, and nothing is
/// skipped.
///
/// # Panics
/// In CI.
pub fn skip(what: &str, reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} cannot be skipped in CI: {reason}");
    // Past the test harness, which would capture it.
    let _ = writeln!(std::io::stderr(), "skipped: {what} ({reason})");
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    listener.local_addr().expect("the port just bound").port()
}

/// Waits until `holds` is true.
///
/// # Panics
/// After `longest`, naming `what`.
#[track_caller]
pub fn wait_until(what: &str, longest: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + longest;
    while !holds() {
        assert!(Instant::now() < end, "waited {longest:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `holds` is true, without blocking the runtime.
///
/// # Panics
/// After `longest`, naming `what`.
pub async fn wait_until_async(what: &str, longest: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + longest;
    while !holds() {
        assert!(Instant::now() < end, "waited {longest:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
