//! The practice endpoints of quickstart: an HTTPS service and a file server in this process, and a
//! database where PostgreSQL is installed. Where they listen changes with each start, so their
//! accounts are bound anew by the ordinary verbs.

use std::net::{Ipv4Addr, SocketAddr};

use lockgate_identity::{Password, Policy};
use lockgate_keys::{ClientCertificates, Identity};
use lockgate_model::definition::ServerIdentity;
use lockgate_practice::{
    Practice, Sftp,
    postgres::{self, Database},
};
use serde_json::{Value, json};

use crate::{author::workbench, exit::Exit, operate::installation::Installation};

/// What is up.
pub struct Endpoints {
    https: Practice,
    sftp: Sftp,
    database: Result<(Database, String), String>,
}

/// An account that leads to one of them.
pub struct Account {
    /// Its name, as the orchestrations declare it.
    pub name: &'static str,
    /// What `PUT …/accounts/{name}` takes.
    pub binding: Value,
}

/// How to sign in to the file server, for whoever wants to look.
#[derive(serde::Serialize)]
pub struct Files {
    #[serde(skip)]
    at: SocketAddr,
    /// `sftp://host:port`
    pub address: String,
    /// Its host key.
    pub host_key: String,
    /// User name.
    pub username: String,
    /// A password made for this start.
    pub password: String,
}

impl Files {
    /// Its address without the port.
    pub fn host(&self) -> std::net::IpAddr {
        self.at.ip()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.at.port()
    }
}

/// Any port on loopback.
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn failed(what: &str, error: impl std::fmt::Display) -> Exit {
    Exit::failed("LG-QUICKSTART", format!("cannot start {what}: {error}"))
}

impl Endpoints {
    /// Starts them, with certificates of the installation's CA.
    pub async fn start(installation: &Installation, with_database: bool) -> Result<Self, Exit> {
        let names = ["localhost", "127.0.0.1"];
        let own = installation.certificate(&names)?;
        let tls = lockgate_keys::server_config(&own, &ClientCertificates::None, lockgate_keys::ALPN_HTTP)
            .map_err(|e| failed("the practice service", e))?;
        let https = lockgate_practice::start(tls, ANYWHERE).await.map_err(|e| failed("the practice service", e))?;
        let sftp = Sftp::start(ANYWHERE, seconds).await.map_err(|e| failed("the practice file server", e))?;
        let database = match with_database {
            true => database(installation.certificate(&names)?).await,
            false => Err("it was not asked for".to_owned()),
        };
        Ok(Self { https, sftp, database })
    }

    /// Where they listen: what has to be allowed.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let database = self.database.as_ref().ok();
        let database = database.map(|(database, _)| SocketAddr::from((Ipv4Addr::LOCALHOST, database.port())));
        [self.https.addr(), self.sftp.addr()].into_iter().chain(database).collect()
    }

    /// Why there is no database, if there is none.
    pub fn without_database(&self) -> Option<&str> {
        self.database.as_ref().err().map(String::as_str)
    }

    /// The accounts that lead to them. `ca` is the CA of the certificates.
    pub fn accounts(&self, ca: &ServerIdentity) -> Vec<Account> {
        let host_key = ServerIdentity::HostKey(self.sftp.host_key().to_owned());
        let files = |name, folder: &str| Account {
            name,
            binding: json!({
                "connector": "sftp",
                "address": format!("sftp://{}/{folder}", self.sftp.addr()),
                "identity": host_key,
                "settings": {"username": self.sftp.username(), "auth": "password"},
                "secrets": {"password": self.sftp.password()},
            }),
        };
        let lookup =
            json!({"connector": "https", "address": format!("https://{}/erp", self.https.addr()), "identity": ca});
        let mut all = vec![Account { name: "crm", binding: lookup }, files("erp", "orders"), files("bank", "export")];
        if let Ok((database, password)) = &self.database {
            let binding = json!({
                "connector": "postgres",
                "address": format!("postgres://127.0.0.1:{}/{}", database.port(), postgres::DATABASE),
                "identity": ca,
                "settings": {"username": postgres::USERNAME},
                "secrets": {"password": password},
            });
            all.push(Account { name: "shop", binding });
        }
        all
    }

    /// The files on the file server: path and size in bytes.
    pub fn files(&self) -> Vec<(String, u64)> {
        self.sftp.files()
    }

    /// How to sign in to the file server.
    pub fn file_server(&self) -> Files {
        Files {
            at: self.sftp.addr(),
            address: format!("sftp://{}", self.sftp.addr()),
            host_key: self.sftp.host_key().to_owned(),
            username: self.sftp.username().to_owned(),
            password: self.sftp.password().to_owned(),
        }
    }

    /// Ends them.
    pub async fn shutdown(self) {
        self.https.shutdown().await;
        self.sftp.shutdown().await;
        drop(tokio::task::spawn_blocking(move || drop(self.database)).await);
    }
}

/// A database takes some seconds and may not be had; that is said and nothing else fails.
async fn database(own: Identity) -> Result<(Database, String), String> {
    let password = Password::generate(Policy::Classic).map_err(|e| e.to_string())?.expose().replace('-', "");
    let given = password.clone();
    let started = tokio::task::spawn_blocking(move || {
        let key = own.key_pem().expose_text().unwrap_or_default();
        Database::start(&own.chain_pem(), key, &given).map_err(|reason| reason.to_string())
    });
    let database = started.await.map_err(|_| "it ended with a defect".to_owned())??;
    Ok((database, password))
}

/// The time of practice files.
fn seconds() -> u32 {
    u32::try_from(workbench::now().0 / 1_000_000).unwrap_or(0)
}
