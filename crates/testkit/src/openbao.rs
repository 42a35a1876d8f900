//! A key management service: OpenBao, which speaks Vault's API, in memory and over TLS.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{TempDir, cache, process::Running, temp_dir, wait_until};

const TOKEN: &str = "test-root-token";

/// A running service with a transit engine. It ends with this value.
pub struct OpenBao {
    _process: Running,
    folder: TempDir,
    port: u16,
    ca: String,
    token: String,
}

impl OpenBao {
    /// Starts it. None where it is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start, and in CI where it is not installed.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            crate::skip("a key management service", "openbao is not installed; `./test` installs it");
            return None;
        };
        let folder = temp_dir();
        let port = crate::free_port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command.args(["server", "-dev", "-dev-no-store-token", "-dev-tls", "-dev-tls-cert-dir"]).arg(folder.path());
        command.arg(format!("-dev-root-token-id={TOKEN}")).arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = Running::start(&mut command);
        let ca = folder.path().join("vault-ca.pem");
        let token = folder.path().join("token");
        fs::write(&token, format!("{TOKEN}\n")).unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let this = Self { _process: process, port, ca: text(ca), token: text(token), folder };
        wait_until("openbao answers", Duration::from_secs(60), || {
            this.asked("GET", "sys/health", "").is_some_and(|told| told.contains("\"sealed\":false"))
        });
        this.asked("POST", "sys/mounts/transit", r#"{"type":"transit"}"#).unwrap();
        Some(this)
    }

    /// Makes a key; its address as `--master-key` takes it.
    pub fn key(&self, name: &str) -> String {
        self.asked("POST", &format!("transit/keys/{name}"), "{}").unwrap();
        format!("https://127.0.0.1:{}/transit/{name}", self.port)
    }

    /// File with a token that may use its keys.
    pub fn token_file(&self) -> &str {
        &self.token
    }

    /// File with the CA that it proves itself by.
    pub fn ca_file(&self) -> &str {
        &self.ca
    }

    fn asked(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let mut curl = Command::new("curl");
        curl.args(["-sSf", "-X", method, "--cacert", &self.ca, "-H", &format!("X-Vault-Token: {TOKEN}")]);
        let url = format!("https://127.0.0.1:{}/v1/{path}", self.port);
        let output = curl.args(["-d", body, &url]).current_dir(self.folder.path()).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The program inside the package that `./test` installs.
fn program() -> Option<PathBuf> {
    let installed = cache().map(|cache| cache.join("openbao/bao"));
    installed.filter(|path| path.is_file())
}
