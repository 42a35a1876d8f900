//! Files to an FTPS server (ProFTPD) and back, beside curl and lftp against the same server in the same run.
//! All sign in anew each time; ours writes under a temporary name, compares the size and renames on top of that.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by a panic")]
#![allow(dead_code, reason = "a part of what the tests use")]

#[path = "../connectors/ftps/tests/ftps/account.rs"]
mod account;
mod files;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lockgate_testkit::{
    FtpServer,
    contract::{
        CANARY,
        files::{Account, Kind as _, Server as _},
    },
    temp_dir,
};
use tokio::runtime::Runtime;

use account::{Kind, Opening, PKI};
use files::Beside;

struct Curl {
    port: u16,
    ca: PathBuf,
}

impl Curl {
    fn run(&self, path: &str, more: &[&std::ffi::OsStr]) -> Duration {
        let begun = Instant::now();
        let status = Command::new("curl")
            .args(["-sS", "--ssl-reqd", "--user", &format!("{}:{CANARY}", FtpServer::USER), "--cacert"])
            .arg(&self.ca)
            .args(more)
            .arg(format!("ftp://localhost:{}/{path}", self.port))
            .status()
            .unwrap();
        assert!(status.success());
        begun.elapsed()
    }
}

impl Beside for Curl {
    fn name(&self) -> &'static str {
        "curl"
    }

    fn big(&self, file: &Path, back: &Path) -> [Duration; 2] {
        [self.run("theirs", &["-T".as_ref(), file.as_os_str()]), self.run("theirs", &["-o".as_ref(), back.as_os_str()])]
    }

    /// It resumes one ticket of TLS 1.3 over and over, which the server refuses at last.
    fn small(&self, _: &Path, _: u16) -> Option<Duration> {
        None
    }
}

struct Lftp {
    port: u16,
    ca: PathBuf,
}

impl Lftp {
    fn run(&self, commands: &str, port: u16) -> Duration {
        let sets = "set cmd:fail-exit true; set xfer:clobber true; set net:max-retries 2; set ftp:ssl-force true; \
                    set ftp:ssl-protect-data true; set ssl:verify-certificate true";
        let open = format!("open -u {},{CANARY} -p {port} ftp://localhost", FtpServer::USER);
        let begun = Instant::now();
        let status = Command::new("lftp")
            .arg("--norc")
            .arg("-c")
            .arg(format!("{sets}; set ssl:ca-file {}; {open}; {commands}", self.ca.display()))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        begun.elapsed()
    }
}

impl Beside for Lftp {
    fn name(&self) -> &'static str {
        "lftp"
    }

    fn big(&self, file: &Path, back: &Path) -> [Duration; 2] {
        [format!("put {} -o theirs", file.display()), format!("get theirs -o {}", back.display())]
            .map(|commands| self.run(&commands, self.port))
    }

    fn small(&self, folder: &Path, port: u16) -> Option<Duration> {
        Some(self.run(&format!("mput {}/*", folder.display()), port))
    }
}

/// The connector with TLS 1.2, whose sessions any number of uploads resume (this server gives no tickets of 1.3 with them).
struct Older(Runtime, u16);

impl Older {
    fn account(port: u16) -> Account {
        let mut opening = Opening::usual(Kind::Proftpd);
        opening.settings.push(("tls_version", "1.2".to_owned()));
        opening.open(port).unwrap()
    }
}

impl Beside for Older {
    fn name(&self) -> &'static str {
        "connector by TLS 1.2"
    }

    fn big(&self, file: &Path, back: &Path) -> [Duration; 2] {
        self.0.block_on(files::big(&Self::account(self.1), file, back))
    }

    fn small(&self, folder: &Path, port: u16) -> Option<Duration> {
        Some(self.0.block_on(files::small(&Self::account(port), folder)))
    }
}

fn main() {
    let Some(server) = Kind::Proftpd.start() else { return };
    let dir = temp_dir();
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, PKI.ca_pem()).unwrap();
    let port = server.port();
    files::run(
        Kind::Proftpd,
        &server,
        &[&Older(Runtime::new().unwrap(), port), &Curl { port, ca: ca.clone() }, &Lftp { port, ca }],
    );
}
