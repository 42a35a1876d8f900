//! nginx as a process of its own: an HTTPS server that is not written in this language, with
//! certificates from [`Pki`].
//!
//! `/` answers `ok` and `/tls` the version of TLS that is spoken; `/base/NAME` takes files by `PUT` (RFC 9110 section 9.3.4) and gives them back. What it is put
//! before answers everything below `/behind`.
//! Deliberately absent: everything that [`crate::HttpsPeer`] does to misbehave.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    pki::{Pki, Server},
    process::{Running, installed, listening},
    temp_dir,
};

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Nginx {
    dir: tempfile::TempDir,
    port: u16,
    _process: Running,
}

impl Nginx {
    /// Starts a server that shows that certificate and, if told to, refuses clients without one of
    /// the trusted CA; none where nginx is not installed.
    pub fn start(pki: &Pki, shown: Server, client_certificate: bool) -> Option<Self> {
        Self::run(pki, shown, client_certificate, "")
    }

    /// The same before a server on a port of 127.0.0.1: it passes on what clients with a certificate of the trusted CA ask
    /// of `/behind`.
    pub fn before(pki: &Pki, port: u16) -> Option<Self> {
        let behind = format!(
            "location /behind/ {{ proxy_pass https://127.0.0.1:{port}/; proxy_ssl_name localhost; proxy_ssl_server_name on;
      proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.crt; }}"
        );
        Self::run(pki, Server::Good, true, &behind)
    }

    fn run(pki: &Pki, shown: Server, client_certificate: bool, locations: &str) -> Option<Self> {
        let nginx = installed("nginx")?;
        let (dir, port) = (temp_dir(), crate::free_port());
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("files/base")).unwrap();
        let server = pki.server(shown);
        fs::write(at("server.crt"), server.certificate_pem()).unwrap();
        fs::write(at("server.key"), server.key_pem()).unwrap();
        fs::write(at("ca.crt"), pki.ca_pem()).unwrap();
        fs::write(at("config"), config(dir.path(), port, client_certificate, locations)).unwrap();
        let mut command = Command::new(nginx);
        command.arg("-c").arg(at("config")).arg("-e").arg(at("log"));
        let process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        listening(port, &at("log"));
        Some(Self { dir, port, _process: process })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Requests that it let in: those without a client certificate where one is demanded are none.
    pub fn requests(&self) -> usize {
        let log = fs::read_to_string(self.dir.path().join("requests")).unwrap_or_default();
        log.lines().filter(|line| !line.ends_with(" 400")).count()
    }

    /// The folder of what was stored.
    pub fn stored(&self) -> PathBuf {
        self.dir.path().join("files/base")
    }
}

fn config(here: &Path, port: u16, client_certificate: bool, locations: &str) -> String {
    let here = here.display();
    let clients = if client_certificate {
        format!("ssl_client_certificate {here}/ca.crt; ssl_verify_client on;")
    } else {
        String::new()
    };
    // Workers of a server that root starts are another user, who may not read the test's folder.
    let user = if is_root() { "user root;" } else { "" };
    format!(
        "{user} daemon off; worker_processes 1; pid {here}/pid; error_log {here}/log;
events {{ worker_connections 1024; }}
http {{
  log_format line '$request $status'; access_log {here}/requests line;
  client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;
  uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
  client_max_body_size 0; sendfile on;
  server {{
    listen 127.0.0.1:{port} ssl http2; root {here}/files;
    ssl_certificate {here}/server.crt; ssl_certificate_key {here}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3; {clients}
    location = / {{ default_type text/plain; return 200 ok; }}
    location = /tls {{ default_type text/plain; return 200 $ssl_protocol; }}
    location /base/ {{ default_type application/octet-stream; dav_methods PUT DELETE; }}
    {locations}
  }}
}}
"
    )
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
