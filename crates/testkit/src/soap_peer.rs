//! SOAP services as processes of their own, on libraries that many services run on: spyne (Python) and
//! npm `soap` (JavaScript); and one of our own for attachments, which neither takes as a stream. All speak HTTPS alone,
//! with certificates from [`Pki`].
//!
//! `./test` installs the libraries into the cache of test data. Deliberately absent: faults of the connection, which
//! [`crate::FaultProxy`] makes.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustls::{ClientConnection, StreamOwned};

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

    /// Starts the service that takes and gives attachments (MTOM), which it counts and makes on the way: `store` and
    /// `fetch` at `/files`. None where there is no Python.
    pub fn mtom(pki: &Pki) -> Option<SoapPeer> {
        let python = installed("python3")?;
        Some(SoapPeer::start(pki, |port, certificate, key| {
            let mut command = Command::new(python);
            command.arg(workspace_root().join("crates/testkit/peers/soap_mtom.py"));
            command.args([port, certificate, key]);
            command
        }))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The description that it gives of itself.
    pub fn description(&self, pki: &Pki, path: &str) -> String {
        let (status, text) = self.exchange(pki, &format!("GET {path} HTTP/1.1\r\n"), b"");
        assert_eq!(status, 200);
        String::from_utf8(text).unwrap()
    }

    /// One request on a connection of its own; the content of the answer, whatever its status.
    pub fn exchange(&self, pki: &Pki, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let port = self.port;
        let connection = ClientConnection::new(pki.client_config(None), "localhost".try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port)).unwrap());
        let length = body.len();
        let head = format!("{head}host: localhost:{port}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        // Some servers close without saying so in TLS.
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer of HTTP");
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &answer[end + 4..];
        (status, if head.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_vec() })
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(str::from_utf8(&body[..line]).unwrap().trim(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[line + 2..line + 2 + length]);
        body = &body[line + 4 + length..];
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
