//! How the running server of a data directory is reached, for commands that name it to others. The
//! server writes it when it begins to listen and takes it away when it ends.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    context::{first_login, quoted},
    exit::Exit,
};

const FILE: &str = "server.json";

/// Address and CA of a running server.
#[derive(Serialize, Deserialize)]
pub struct Reach {
    url: String,
    /// None where its certificate is of another CA.
    ca_file: Option<PathBuf>,
}

impl Reach {
    /// A server by a name that its certificate holds.
    pub fn new(name: &str, port: u16, ca_file: Option<PathBuf>) -> Self {
        let host = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        Self { url: format!("https://{host}:{port}"), ca_file }
    }

    /// Of the server that runs on a data directory; placeholders where it does not say.
    pub fn of(data: &Path) -> Self {
        let text = std::fs::read(data.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_else(|_| Self { url: "URL".to_owned(), ca_file: None })
    }

    /// Says it in the data directory.
    pub fn write(&self, data: &Path) -> Result<(), Exit> {
        let text = serde_json::to_vec(self).map_err(|e| Exit::failed("LG-LISTEN", e.to_string()))?;
        Self::clear(data);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(data.join(FILE))?;
        Ok(file.write_all(&text)?)
    }

    /// Takes it away.
    pub fn clear(data: &Path) {
        let _ = std::fs::remove_file(data.join(FILE));
    }

    /// The command by which a tenant's administrator signs in for the first time.
    pub fn first_login(&self, tenant: &str, user: &str) -> String {
        let trust = self.ca_file.as_ref().map(|file| format!("--ca {}", quoted(file))).unwrap_or_default();
        first_login(&self.url, tenant, user, &format!("{tenant}-{user}"), &trust)
    }
}
