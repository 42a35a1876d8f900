//! SOAP services as processes of their own, on libraries that many services run on: spyne (Python) and
//! npm `soap` (JavaScript). Both speak HTTPS alone, with certificates from [`Pki`].
//!
//! `./test` installs both into the cache of test data. Deliberately absent: faults of the connection, which
//! [`crate::FaultProxy`] makes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    npm_data,
    pki::{Pki, Server},
    process::{Running, installed, listening},
    skip, temp_dir, workspace_root,
};

/// A running service; it ends when dropped.
#[derive(Debug)]
pub struct SoapPeer {
    port: u16,
    _dir: tempfile::TempDir,
    _process: Running,
}

impl SoapPeer {
    /// Starts the service on spyne, which makes its own description: `send` and `find` of parcels, in SOAP `1.1` or
    /// `1.2`. None where spyne is not installed.
    pub fn spyne(pki: &Pki, version: &str) -> Option<SoapPeer> {
        let python = python()?;
        Some(SoapPeer::start(pki, |port, certificate, key| {
            let mut command = Command::new(python);
            command.arg(workspace_root().join("crates/testkit/peers/soap_spyne.py"));
            command.args([port, certificate, key, version]);
            command
        }))
    }

    /// Starts the service on npm `soap`, with this description: `forecast` at `/weather`, for the user `reader` with the
    /// password `rain-4`. None where it is not installed.
    pub fn node(pki: &Pki, description: &str) -> Option<SoapPeer> {
        let (node, package) = (installed("node")?, npm_data("soap")?);
        Some(SoapPeer::start(pki, |port, certificate, key| {
            let file = Path::new(certificate).with_file_name("weather.wsdl");
            fs::write(&file, description).unwrap();
            let mut command = Command::new(node);
            command.env("NODE_PATH", package.parent().unwrap());
            command.arg(workspace_root().join("crates/testkit/peers/soap_node.js"));
            command.args([port, certificate, key]).arg(&file);
            command
        }))
    }

    fn start(pki: &Pki, command: impl FnOnce(&str, &str, &str) -> Command) -> SoapPeer {
        let (dir, port) = (temp_dir(), crate::free_port());
        let at = |name: &str| dir.path().join(name);
        let server = pki.server(Server::Good);
        fs::write(at("server.crt"), server.certificate_pem()).unwrap();
        fs::write(at("server.key"), server.key_pem()).unwrap();
        let mut command =
            command(&port.to_string(), at("server.crt").to_str().unwrap(), at("server.key").to_str().unwrap());
        let log = fs::File::create(at("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = Running::start(&mut command);
        listening(port, &at("log"));
        SoapPeer { port, _dir: dir, _process: process }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A Python that has spyne.
fn python() -> Option<PathBuf> {
    let cache = std::env::var_os("LOCKGATE_CACHE").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/lockgate")))?;
    let python = cache.join("spyne/bin/python");
    if !python.is_file() {
        skip("peer spyne", &format!("no {}; `./test` installs it", python.display()));
        return None;
    }
    Some(python)
}
