//! Who keeps the master key: `master.key` in the data directory, an environment variable, or a key management service
//! that speaks Vault's transit API.

use std::{
    fmt,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clap::Args;
use http::Method;
use lockgate_keys::{Keeper, KeyWrapper, MasterKey, Secret};
use lockgate_model::definition::ServerIdentity;
use lockgate_runtime::SecretText;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use crate::{client::Client, exit::Exit};

/// The variable with the master key: 32 bytes in base64.
const VARIABLE: &str = "LOCKGATE_MASTER_KEY";

/// Who keeps the master key.
#[derive(Args)]
pub struct KeeperArgs {
    /// Who keeps the master key: `file` is `master.key` in the data directory, `env` is LOCKGATE_MASTER_KEY (base64 of
    /// 32 bytes), and https://vault.example:8200/transit/NAME is the key NAME of a Vault or OpenBao transit engine.
    #[arg(long = "master-key", value_name = "KEEPER", default_value = "file")]
    master_key: String,
    /// File with the token for that service.
    #[arg(long, value_name = "FILE")]
    kms_token: Option<PathBuf>,
    /// CA certificate (PEM) that the service proves itself with; this machine's roots when absent.
    #[arg(long, value_name = "FILE")]
    kms_ca: Option<PathBuf>,
}

/// The same with what it names read, for a server that runs already.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Kept {
    File,
    Given { key: String },
    Transit { url: String, token: String, ca: Option<String> },
}

impl KeeperArgs {
    /// Reads what it names.
    pub fn kept(&self) -> Result<Kept, Exit> {
        match self.master_key.as_str() {
            "file" => Ok(Kept::File),
            // The one place that reads it, once; and nothing that this program starts is given it.
            "env" => match std::env::var_os(VARIABLE).map(|text| String::from_utf8(text.into_vec())) {
                Some(Ok(key)) => Ok(Kept::Given { key }),
                _ => Err(Exit::Usage(format!("{VARIABLE} is not set, or is no text: it holds 32 bytes in base64"))),
            },
            url if url.starts_with("https://") => {
                let token = self.kms_token.as_deref().ok_or_else(|| {
                    Exit::Usage(format!("`{url}` needs a token: name the file that it is in by --kms-token"))
                })?;
                let ca = self.kms_ca.as_deref().map(read).transpose()?;
                Ok(Kept::Transit { url: url.to_owned(), token: read(token)?.trim().to_owned(), ca })
            }
            other => Err(Exit::Usage(format!("`{other}` keeps no master key: `file`, `env`, or an https address"))),
        }
    }

    /// The keeper itself.
    pub fn keeper(&self) -> Result<Keeper, Exit> {
        self.kept()?.keeper()
    }
}

fn read(path: &Path) -> Result<String, Exit> {
    std::fs::read_to_string(path).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))
}

impl Kept {
    /// The keeper itself. Nothing is asked of a service yet.
    pub fn keeper(self) -> Result<Keeper, Exit> {
        let unusable = |e: lockgate_keys::Error| Exit::Usage(e.to_string());
        Ok(match self {
            Self::File => Keeper::File,
            Self::Given { key } => {
                Keeper::Elsewhere(Arc::new(MasterKey::from_text(&Secret::from(key)).map_err(unusable)?))
            }
            Self::Transit { url, token, ca } => Keeper::Elsewhere(Arc::new(Transit::new(&url, &token, ca)?)),
        })
    }
}

/// A key of a transit engine: `POST /v1/MOUNT/encrypt/NAME` and `…/decrypt/NAME` with a token, over TLS that is verified.
struct Transit {
    url: String,
    mount: String,
    name: String,
    identity: ServerIdentity,
    token: SecretText,
}

/// A service that does not answer must not keep a start waiting for ever.
const TIME: Duration = Duration::from_secs(10);

impl Transit {
    fn new(address: &str, token: &str, ca: Option<String>) -> Result<Self, Exit> {
        let wrong = || Exit::Usage(format!("`{address}` names no key: https://HOST:8200/MOUNT/NAME"));
        let url = Url::parse(address).map_err(|_| wrong())?;
        let path = url.path().trim_matches('/').to_owned();
        let (mount, name) = path.rsplit_once('/').ok_or_else(wrong)?;
        let identity = ca.map_or(ServerIdentity::System, ServerIdentity::Ca);
        let token = SecretText::new(token.to_owned());
        Ok(Self { url: address.to_owned(), mount: mount.to_owned(), name: name.to_owned(), identity, token })
    }

    fn ask(&self, verb: &str, body: &Value) -> Result<Value, lockgate_keys::Error> {
        let failed = |e: Exit| lockgate_keys::Error::unusable("the key management service", e.text().trim_end());
        let path = format!("/v1/{}/{verb}/{}", self.mount, self.name);
        let body = Bytes::from(body.to_string());
        // A thread of its own: whoever asks may be in the middle of asynchronous work.
        let ask = || -> Result<Value, Exit> {
            let authorization = Some(format!("Bearer {}", self.token.expose()));
            let client = Client::new(&self.url, self.identity.clone(), String::new(), authorization)?;
            let answer = client.send_within(TIME, Method::POST, &path, body)?;
            let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if answer.status.is_success() {
                return Ok(value.get("data").cloned().unwrap_or_default());
            }
            // Of what a service says of itself, and of what it was given, nothing is told on.
            Err(Exit::failed("LG-KEYS", format!("`{}` answered {} to {verb}", self.url, answer.status)))
        };
        let asked = std::thread::scope(|scope| scope.spawn(ask).join());
        asked.unwrap_or_else(|_| Err(Exit::failed("LG-KEYS", "asking it ended with a defect"))).map_err(failed)
    }

    fn member(answer: &Value, name: &str) -> Result<String, lockgate_keys::Error> {
        let text = answer.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| {
            lockgate_keys::Error::unusable("the key management service", format!("no `{name}` in its answer"))
        })
    }
}

impl KeyWrapper for Transit {
    fn wrap(&self, plain: &[u8]) -> Result<String, lockgate_keys::Error> {
        let answer = self.ask("encrypt", &json!({"plaintext": STANDARD.encode(plain)}))?;
        Self::member(&answer, "ciphertext")
    }

    fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, lockgate_keys::Error> {
        let answer = self.ask("decrypt", &json!({"ciphertext": wrapped}))?;
        let plain = Zeroizing::new(Self::member(&answer, "plaintext")?);
        let decoded = STANDARD.decode(plain.as_bytes()).map(Zeroizing::new);
        decoded.map_err(|_| lockgate_keys::Error::unusable("the key management service", "its answer is not base64"))
    }
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transit({})", self.url)
    }
}
