//! Files to an SFTP server and back, beside OpenSSH's own client `sftp` against the same server in the
//! same run. Both sign in anew each time, encrypt with the same cipher and have the server write to disk
//! before they are done; ours writes under a temporary name and renames on top of that.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by a panic")]
#![allow(dead_code, reason = "a part of what the tests use")]

#[path = "../connectors/sftp/tests/sftp/account.rs"]
mod account;
mod files;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lockgate_testkit::{contract::files::Kind as _, contract::files::Server as _, ssh_peer::Openssh, temp_dir};

use account::{KEYS, Kind};
use files::Beside;

struct Sftp {
    port: u16,
}

impl Sftp {
    fn run(&self, lines: &str, port: u16) -> Duration {
        let dir = temp_dir();
        let batch = dir.path().join("batch");
        fs::write(&batch, lines).unwrap();
        let begun = Instant::now();
        let status = Command::new("sftp")
            .args(["-q", "-c", "aes256-gcm@openssh.com", "-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-P", &port.to_string(), "-i"])
            .arg(KEYS.file("user_plain"))
            .arg("-b")
            .arg(&batch)
            .arg(format!("{}@127.0.0.1", Openssh::user()))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        begun.elapsed()
    }
}

impl Beside for Sftp {
    fn name(&self) -> &'static str {
        "sftp"
    }

    fn big(&self, file: &Path, back: &Path) -> [Duration; 2] {
        // `-f` has what was put written to disk; what is got back need not be.
        [format!("put -f {} theirs", file.display()), format!("get theirs {}", back.display())]
            .map(|line| self.run(&line, self.port))
    }

    fn small(&self, folder: &Path, port: u16) -> Option<Duration> {
        Some(self.run(&format!("put -f {}/*", folder.display()), port))
    }
}

fn main() {
    let Some(server) = Kind::Openssh.start() else { return };
    files::run(Kind::Openssh, &server, &[&Sftp { port: server.port() }]);
}
