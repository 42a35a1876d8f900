//! rsyslog as a process of its own: a receiver of syslog messages over TLS.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    Pki,
    pki::Server,
    process::{Running, installed, listening},
    skip, temp_dir,
};

/// A running receiver; it ends when dropped.
#[derive(Debug)]
pub struct Rsyslog {
    dir: tempfile::TempDir,
    port: u16,
    _process: Running,
}

impl Rsyslog {
    /// Starts one that proves itself with a certificate of this kind. None where it, or its module for TLS, is not
    /// installed.
    pub fn start(pki: &Pki, kind: Server) -> Option<Self> {
        let rsyslogd = installed("rsyslogd")?;
        let Some(modules) = modules(&rsyslogd) else {
            skip("a syslog receiver over TLS", "rsyslog has no module for GnuTLS; `./test` installs it");
            return None;
        };
        let (dir, port) = (temp_dir(), crate::free_port());
        let at = |name: &str| dir.path().join(name).display().to_string();
        let own = pki.server(kind);
        fs::write(at("ca.pem"), pki.ca_pem()).unwrap();
        fs::write(at("cert.pem"), own.certificate_pem()).unwrap();
        fs::write(at("key.pem"), own.key_pem()).unwrap();
        let config = format!(
            r#"global(workDirectory="{0}" maxMessageSize="64k" defaultNetstreamDriver="gtls"
 defaultNetstreamDriverCAFile="{1}" defaultNetstreamDriverCertFile="{2}" defaultNetstreamDriverKeyFile="{3}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="all" type="string" string="%pri%|%app-name%|%msgid%|%timereported:::date-rfc3339%|%msg%\n")
action(type="omfile" file="{4}" template="all")
"#,
            dir.path().display(),
            at("ca.pem"),
            at("cert.pem"),
            at("key.pem"),
            at("out")
        );
        fs::write(at("config"), config).unwrap();
        let mut command = Command::new(rsyslogd);
        command.args(["-n", "-f", &at("config"), "-i", &at("pid"), "-M"]).arg(&modules);
        // Where its packages are unpacked, so are its libraries.
        command.env("LD_LIBRARY_PATH", modules.parent().unwrap_or(Path::new("/")));
        let log = fs::File::create(at("log")).unwrap();
        let process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));
        listening(port, Path::new(&at("log")));
        Some(Self { dir, port, _process: process })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote down: priority, program, message id, time and message of each, parted by `|`.
    pub fn received(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("out")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The folder of its modules, if the one for TLS is among them.
fn modules(rsyslogd: &Path) -> Option<PathBuf> {
    let libraries = rsyslogd.parent()?.parent()?.join("lib");
    let folders = fs::read_dir(libraries).ok()?.filter_map(|entry| Some(entry.ok()?.path().join("rsyslog")));
    folders.into_iter().find(|folder| folder.join("lmnsd_gtls.so").is_file())
}
