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

impl Context {
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
        serde_json::from_str(&text)
            .map_err(|e| denied(format!("the context file `{}` cannot be read: {e}; sign in again", path.display())))
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
