//! Real FTP servers that speak TLS, as processes of their own: ProFTPD (`mod_tls`) and Pure-FTPd, on
//! loopback, with certificates from [`Pki`] and files in a folder that goes with them.
//!
//! They are installed by `./test`: ProFTPD as a package, Pure-FTPd unpacked beside it, since Debian has
//! one FTP server at a time. Where one is missing, a test says `skipped` outside CI and fails in CI.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    pki::{Pki, Server},
    process::{Running, installed, listening_at},
    skip,
    ssh_peer::{Owner, count, private, run},
    temp_dir,
};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// ProFTPD. A data connection must resume the TLS session of its control connection.
    Proftpd,
    /// Pure-FTPd, with TLS asked for. Data connections in the clear are refused. It must be started by
    /// root.
    PureFtpd,
}

/// How a server is set up.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Which one.
    pub program: Program,
    /// TLS begins with the connection (ProFTPD).
    pub is_implicit: bool,
    /// The certificate that it shows.
    pub shown: Server,
    /// Its one user's password.
    pub password: &'a str,
    /// Where it listens: an address of loopback.
    pub host: Ipv4Addr,
    /// Where it waits for data connections; anywhere if none.
    pub data_port: Option<u16>,
    /// It speaks TLS 1.2 and not 1.3 (ProFTPD).
    pub is_tls_1_2: bool,
    /// Further lines of its configuration, which hold before the usual ones (ProFTPD).
    pub more: &'a str,
}

impl<'a> Setup<'a> {
    /// The usual one.
    pub fn new(program: Program, password: &'a str) -> Self {
        let host = Ipv4Addr::LOCALHOST;
        Self {
            program,
            is_implicit: false,
            shown: Server::Good,
            password,
            host,
            data_port: None,
            is_tls_1_2: false,
            more: "",
        }
    }
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct FtpServer {
    dir: tempfile::TempDir,
    port: u16,
    _taken: Option<TcpListener>,
    _process: Running,
}

impl FtpServer {
    /// Its one user, whose folder is their root.
    pub const USER: &str = "ftpuser";

    /// Starts one; none where it is not installed.
    pub fn start(pki: &Pki, setup: &Setup<'_>) -> Option<Self> {
        let (dir, port) = (temp_dir(), crate::free_port());
        // ProFTPD takes a range of ports and none of a single one, so the others are taken.
        let taken = setup.data_port.map(|port| TcpListener::bind((setup.host, port + 1)).expect("a free port"));
        let mut command = match setup.program {
            Program::Proftpd => proftpd(dir.path(), port, pki, setup)?,
            Program::PureFtpd => pure_ftpd(dir.path(), port, pki, setup)?,
        };
        let log = fs::File::create(dir.path().join("out")).unwrap();
        let process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));
        listening_at(SocketAddr::new(IpAddr::V4(setup.host), port), &dir.path().join("out"));
        Some(Self { dir, port, _taken: taken, _process: process })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user's folder.
    pub fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// How often something stands in its log: commands (ProFTPD), or contents that were transferred
    /// (Pure-FTPd).
    pub fn log(&self, of: &str) -> usize {
        count(&self.dir.path().join("commands"), of)
    }
}

fn proftpd(dir: &Path, port: u16, pki: &Pki, setup: &Setup<'_>) -> Option<Command> {
    let program = installed("proftpd")?;
    let Owner { user, group, .. } = Owner::of_files(dir, FtpServer::USER, setup.password);
    let server = pki.server(setup.shown);
    fs::write(dir.join("server.crt"), server.certificate_pem()).unwrap();
    private(&dir.join("server.key"), &server.key_pem());
    fs::write(dir.join("ca.crt"), pki.ca_pem()).unwrap();
    let (here, host, more) = (dir.display(), setup.host, setup.more);
    let implicit = if setup.is_implicit { "TLSOptions UseImplicitSSL\n" } else { "" };
    let passive = setup.data_port.map(|port| format!("PassivePorts {port} {}\n", port + 1)).unwrap_or_default();
    let protocols = if setup.is_tls_1_2 { "TLSv1.2" } else { "TLSv1.2 TLSv1.3" };
    let config = format!(
        "ModulePath /usr/lib/proftpd\nLoadModule mod_tls.c\n{more}ServerType standalone\nServerName peer\n\
         DefaultAddress {host}\nSocketBindTight on\nUseIPv6 off\nPort {port}\nUser {user}\nGroup {group}\n\
         PidFile {here}/pid\nScoreboardFile {here}/scoreboard\nDelayTable none\nSystemLog {here}/log\n\
         TransferLog none\nWtmpLog off\nAuthUserFile {here}/users\nAuthOrder mod_auth_file.c\n\
         RequireValidShell off\nDefaultRoot ~\nAllowOverwrite on\nAllowStoreRestart on\nUseReverseDNS off\n\
         MaxLoginAttempts 3\nMaxInstances 300\n\
         TLSEngine on\nTLSLog {here}/tls.log\nTLSProtocol {protocols}\nTLSRequired on\n\
         TLSECCertificateFile {here}/server.crt\nTLSECCertificateKeyFile {here}/server.key\n\
         TLSCACertificateFile {here}/ca.crt\n\
         LogFormat all \"%m %r\"\nExtendedLog {here}/commands ALL all\n{implicit}{passive}"
    );
    fs::write(dir.join("config"), config).unwrap();
    let mut command = Command::new(program);
    command.args(["-n", "-q", "-c"]).arg(dir.join("config"));
    Some(command)
}

fn pure_ftpd(dir: &Path, port: u16, pki: &Pki, setup: &Setup<'_>) -> Option<Command> {
    let (program, users) = (installed("pure-ftpd")?, installed("pure-pw")?);
    let Owner { uid, gid, hash, user, .. } = Owner::of_files(dir, FtpServer::USER, setup.password);
    if user != "nobody" {
        skip("a test with Pure-FTPd", "it must be started by root");
        return None;
    }
    // A hash of its own making takes seconds to check. The empty fields are limits and quotas.
    let home = dir.join("files").display().to_string();
    private(&dir.join("passwd"), &format!("{}:{hash}:{uid}:{gid}::{home}/./::::::::::::\n", FtpServer::USER));
    run(Command::new(users).arg("mkdb").arg(dir.join("db")).arg("-f").arg(dir.join("passwd")));
    let server = pki.server(setup.shown);
    private(&dir.join("server.pem"), &format!("{}{}", server.key_pem(), server.certificate_pem()));
    let at = |name: &str| dir.join(name).display().to_string();
    let mut command = Command::new(program);
    command.args(["-4", "-A", "-E", "-H", "-u", "1", "-c", "300", "-Y", "3"]);
    command.args(["-S", &format!("{},{port}", setup.host), "-l", &format!("puredb:{}", at("db"))]);
    command.args(["-2", &at("server.pem"), "-g", &at("pid"), "-O", &format!("clf:{}", at("commands"))]);
    if let Some(port) = setup.data_port {
        command.args(["-p", &format!("{port}:{port}")]);
    }
    Some(command)
}
