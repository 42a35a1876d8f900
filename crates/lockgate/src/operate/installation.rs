//! An installation on this machine: one data directory with the master key, the small CA, the
//! server's certificate and the embedded store; and the runtime over them.

use std::{path::Path, sync::Arc};

use lockgate_connector_api::Registry;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_keys::{Authority, Identity, Keeper, Master};
use lockgate_model::Timestamp;
use lockgate_runtime::{Clock, Parts, Runtime};
use lockgate_store::{Directory, SqliteStore};

use crate::exit::Exit;

/// An opened installation.
pub struct Installation {
    /// The use cases.
    pub runtime: Runtime,
    /// Issues the server's certificate and those of practice endpoints.
    pub authority: Authority,
    clock: Clock,
}

fn failed(what: &str, error: impl std::fmt::Display) -> Exit {
    Exit::failed("LG-INSTALLATION", format!("cannot {what}: {error}"))
}

impl Installation {
    /// Opens the data directory, making what is missing. Blocking work is done here, before anything
    /// is served.
    pub async fn open(dir: &Path, keeper: &Keeper, connectors: Arc<Registry>) -> Result<Self, Exit> {
        let clock = Clock::system();
        let now = clock.now();
        // First: keys and authority are made and renamed in it, which two at once must not do.
        let directory = Directory::take(dir).map_err(|e| Exit::failed("LG-INSTALLATION", e.to_string()))?;
        let master = Master::open_or_create_by(dir, keeper).map_err(|e| failed("open the master key", e))?;
        let authority =
            Authority::open_or_create(dir, "Lockgate installation CA", now).map_err(|e| failed("open the CA", e))?;
        let store = SqliteStore::open_in(directory, now).map_err(|e| Exit::failed("LG-INSTALLATION", e.to_string()))?;
        let engine = Engine::new(EngineConfig::default()).map_err(|e| failed("start the engine", e))?;
        let runtime = Runtime::open(Parts {
            store: Arc::new(store),
            engine: Arc::new(engine),
            master: Arc::new(master),
            registry: connectors,
            clock: clock.clone(),
        })
        .await
        .map_err(|e| failed("open the runtime", e))?;
        runtime.keep_code_in(dir.join("code"));
        Ok(Self { runtime, authority, clock })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The server's own certificate for these names and addresses: the one of the start before, unless it
    /// ends soon or is for others.
    pub fn own_certificate(&self, dir: &Path, names: &[&str]) -> Result<Identity, Exit> {
        self.authority.kept_server(dir, names, self.now()).map_err(|e| failed("issue the server's certificate", e))
    }

    /// A new server certificate for these names and addresses, issued by this installation's CA.
    pub fn certificate(&self, names: &[&str]) -> Result<Identity, Exit> {
        self.authority.server(names, self.now()).map_err(|e| failed("issue the server's certificate", e))
    }

    /// Writes the CA certificate to where clients find it.
    pub fn write_ca(&self, dir: &Path) -> Result<std::path::PathBuf, Exit> {
        let path = dir.join("ca.pem");
        std::fs::write(&path, self.authority.certificate_pem())?;
        Ok(path)
    }
}
