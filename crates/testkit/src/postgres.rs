//! A PostgreSQL server for tests: TLS alone, certificates from [`Pki`], a role for each way to sign
//! in.
//!
//! | role | `pg_hba.conf` |
//! |---|---|
//! | `app` | password by SCRAM-SHA-256 |
//! | `client` | client certificate |
//! | `both` | both |
//! | `old` | password as MD5 |
//! | `clear` | password in the clear |
//! | `anybody` | nothing asked |
//!
//! All passwords are [`CANARY`](crate::contract::CANARY), the database is `peer`, which `app` owns.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

use lockgate_practice::cluster::{Cluster, Setup};

use crate::{
    contract::CANARY,
    pki::{Identity, Pki, Server},
    skip, wait_until,
};

/// A running server; it ends when dropped, and with the test's process.
#[derive(Debug)]
pub struct Postgres(Cluster);

const ACCESS: &str = "\
hostssl all app,admin all scram-sha-256
hostssl all client all cert
hostssl all both all scram-sha-256 clientcert=verify-full
hostssl all old all md5
hostssl all clear all password
hostssl all anybody all trust
";

/// What a client sends first to ask for TLS (PostgreSQL, protocol-message-formats, SSLRequest).
const ASKS_FOR_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

impl Postgres {
    /// Starts a server with a good certificate; none where PostgreSQL is not installed.
    pub fn start(pki: &Pki) -> Option<Self> {
        Self::start_with(pki, "")
    }

    /// Starts one with further lines of `postgresql.conf`, such as `ssl = off`.
    pub fn start_with(pki: &Pki, settings: &str) -> Option<Self> {
        let server = pki.server(Server::Good);
        let roles: String = ["app", "client", "both", "clear", "anybody"]
            .map(|role| format!("create role \"{role}\" login password '{CANARY}';\n\n"))
            .concat();
        let statements = format!(
            "{roles}create role admin login superuser password '{CANARY}';\n\n\
             set password_encryption = 'md5';\n\ncreate role old login password '{CANARY}';\n\n\
             create database peer owner app;\n\n"
        );
        let cluster = Cluster::start(&Setup {
            certificate_pem: &server.certificate_pem(),
            key_pem: &server.key_pem(),
            client_ca_pem: Some(&pki.ca_pem()),
            access: ACCESS,
            settings: &format!("log_connections = on\nlog_statement = all\n{settings}"),
            statements: &[("postgres", &statements)],
        });
        cluster.map(Self).map_err(|reason| skip("a test with PostgreSQL", &reason.to_string())).ok()
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// What it has logged: connections and statements.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// Goes on with another certificate.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn serve_with(&self, identity: &Identity) {
        let folder = self.0.folder();
        fs::write(folder.join("server.crt"), identity.certificate_pem()).unwrap();
        fs::write(folder.join("server.key"), identity.key_pem()).unwrap();
        let reloads = |log: &str| log.matches("received SIGHUP, reloading configuration files").count();
        let before = reloads(&self.log());
        let state = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        let killed = Command::new("kill").args(["-HUP", state.lines().next().unwrap()]).status().unwrap();
        assert!(killed.success());
        wait_until("the server to reload", Duration::from_secs(10), || reloads(&self.log()) > before);
        // Whoever is answered was accepted after that: the files were read, and may be written again.
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        stream.write_all(&ASKS_FOR_TLS).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        assert!(!self.log().contains("SSL configuration was not reloaded"), "{}", self.log());
    }
}
