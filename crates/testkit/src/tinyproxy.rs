//! tinyproxy as a process of its own: an HTTP proxy as they stand in front of networks.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{
    process::{Running, installed, listening},
    temp_dir,
};

/// A running proxy; it ends when dropped.
#[derive(Debug)]
pub struct Tinyproxy {
    dir: tempfile::TempDir,
    port: u16,
    _process: Running,
}

impl Tinyproxy {
    /// Starts one with that in its configuration, besides what it needs; none where it is not installed.
    pub fn start(more: &str) -> Option<Self> {
        let tinyproxy = installed("tinyproxy")?;
        let (dir, port) = (temp_dir(), crate::free_port());
        let at = |name: &str| dir.path().join(name);
        let log = at("log").display().to_string();
        let config = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 300\nLogFile \"{log}\"\nLogLevel Connect\n{more}\n"
        );
        fs::write(at("config"), config).unwrap();
        let mut command = Command::new(tinyproxy);
        command.arg("-d").arg("-c").arg(at("config"));
        let process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        listening(port, &at("log"));
        Some(Self { dir, port, _process: process })
    }

    /// As an account names it.
    pub fn setting(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Tunnels that it was asked for, as its log tells.
    pub fn asked(&self) -> usize {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default().matches(": CONNECT ").count()
    }
}
