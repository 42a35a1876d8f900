//! An identity provider as a process of its own, on npm `oidc-provider`, which the OpenID Foundation certified: it gives
//! tokens for client credentials, and has a resource that takes them.
//!
//! `./test` installs the library into the cache of test data. Deliberately absent: sign-in of people.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{
    npm_data,
    pki::{Pki, Server},
    process::{Running, installed, listening},
    temp_dir, workspace_root,
};

/// A running provider; it ends when dropped.
#[derive(Debug)]
pub struct Idp {
    port: u16,
    _dir: tempfile::TempDir,
    _process: Running,
}

impl Idp {
    /// Starts it with three clients of the scope `orders`: `erp+gate: 100%` shows this secret by Basic, `erp-post` posts
    /// it, and `erp-cert` has the certificate `erp` of [`Pki::client`]. None where it is not installed.
    pub fn start(pki: &Pki, secret: &str) -> Option<Idp> {
        let (node, package) = (installed("node")?, npm_data("oidc-provider")?);
        let (dir, port) = (temp_dir(), crate::free_port());
        let at = |name: &str| dir.path().join(name);
        let server = pki.server(Server::Good);
        let files =
            [("server.crt", server.certificate_pem()), ("server.key", server.key_pem()), ("ca.crt", pki.ca_pem())];
        for (name, text) in &files {
            fs::write(at(name), text).unwrap();
        }
        let mut command = Command::new(node);
        command.arg(workspace_root().join("crates/testkit/peers/idp.js")).arg(port.to_string());
        command.args(files.iter().map(|(name, _)| at(name))).arg(package).arg(secret);
        let log = fs::File::create(at("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = Running::start(&mut command);
        listening(port, &at("log"));
        Some(Idp { port, _dir: dir, _process: process })
    }

    /// Its port on 127.0.0.1: tokens at `/token`, the resource at `/base/resource`, and `/base/resource/end` ends the token
    /// that is shown.
    pub fn port(&self) -> u16 {
        self.port
    }
}
