//! The context: which server, which tenant, which session. A file that only its owner may read.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use lockgate_model::definition::ServerIdentity;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// What `login` remembers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Address of the admin API: `https://host:port`.
    pub url: String,
    /// How the server proves itself.
    pub identity: ServerIdentity,
    /// The file that its CA certificate came from, to be named to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The tenant.
    pub tenant: String,
    /// The user, for people.
    pub user: String,
    /// The session's token, or an API key.
    pub token: String,
}

/// Where the context lies: `LOCKGATE_CONTEXT`, else the user's configuration folder.
pub fn path() -> Result<PathBuf, Exit> {
    #[expect(clippy::disallowed_methods, reason = "the program is where the environment is read")]
    let var = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    if let Some(path) = var("LOCKGATE_CONTEXT") {
        return Ok(path.into());
    }
    let base = var("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| var("HOME").map(|h| Path::new(&h).join(".config")));
    base.map(|b| b.join("lockgate/context.json")).ok_or_else(|| {
        Exit::Usage("neither LOCKGATE_CONTEXT nor HOME is set, so there is no place for the context".into())
    })
}

/// The command by which a user signs in for the first time. It names a context file of the user's own:
/// followed on the machine of whoever made the user, it replaces nobody's.
pub fn first_login(url: &str, tenant: &str, user: &str, file: &str, trust: &str) -> String {
    let space = if trust.is_empty() { "" } else { " " };
    format!("LOCKGATE_CONTEXT={file}.json lockgate login {url} --tenant {tenant} --user {user}{space}{trust} --token")
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

impl Context {
    /// The command by which another user of the tenant signs in for the first time.
    pub fn first_login_of(&self, user: &str) -> String {
        let trust = match (&self.identity, &self.ca_file) {
            (ServerIdentity::Ca(_), Some(file)) => format!("--ca {}", quoted(file)),
            (ServerIdentity::Ca(_), None) => "--ca CA_FILE".to_owned(),
            (ServerIdentity::Pin(pin), _) => format!("--pin {pin}"),
            (ServerIdentity::System | ServerIdentity::HostKey(_), _) => String::new(),
        };
        first_login(&self.url, &self.tenant, user, user, &trust)
    }

    /// Whether the file may take the session of a user on a server: it is not there, is empty, or holds
    /// an earlier session of the same user there.
    ///
    /// # Errors
    /// Whose session it holds; it stays.
    pub fn gives_way(path: &Path, url: &str, tenant: &str, user: &str) -> Result<(), String> {
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(format!("`{}` cannot be read: {e}", path.display())),
            Ok(text) if text.trim().is_empty() => return Ok(()),
            Ok(text) => text,
        };
        match serde_json::from_str::<Self>(&text) {
            Ok(old) if (old.url.as_str(), old.tenant.as_str(), old.user.as_str()) == (url, tenant, user) => Ok(()),
            Ok(old) => Err(format!(
                "`{}` holds the session of `{}` in tenant `{}` at {}",
                path.display(),
                old.user,
                old.tenant,
                old.url
            )),
            Err(_) => Err(format!("`{}` is there and is no context", path.display())),
        }
    }

    /// The remembered context.
    pub fn load() -> Result<Self, Exit> {
        let path = path()?;
        let denied = |message: String| Exit::Denied { code: "LG-CONTEXT".into(), message };
        let text = std::fs::read_to_string(&path).map_err(|_| {
            denied(
                "not signed in: run `lockgate login URL --tenant TENANT`, or set LOCKGATE_CONTEXT to a context file"
                    .into(),
            )
        })?;
        let mode = std::fs::metadata(&path)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(denied(format!("others may read the context file `{}`: run chmod 600 on it", path.display())));
        }
        serde_json::from_str(&text).map_err(|e| {
            denied(format!("the context file `{}` cannot be read: {e}; sign in again with --replace", path.display()))
        })
    }

    /// Remembers it, readable by its owner alone from the first byte on.
    pub fn save(&self, path: &Path) -> Result<(), Exit> {
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(self).map_err(|e| Exit::failed("LG-CONTEXT", e.to_string()))?;
        let beside = path.with_extension("new");
        let _ = std::fs::remove_file(&beside);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        Ok(())
    }
}
