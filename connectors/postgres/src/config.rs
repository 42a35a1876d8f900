//! An account's settings, read once when it is opened.

use lockgate_connector_api::{Address, Config, Error, Kind, Secret};
use percent_encoding::percent_decode_str;

/// The settings of an account.
pub(crate) struct Settings {
    /// Host and port.
    pub address: Address,
    /// The database.
    pub database: String,
    /// The role that signs in.
    pub username: String,
    /// Its password. Without one the client certificate alone signs in.
    pub password: Option<Secret>,
    /// There is a client certificate.
    pub has_certificate: bool,
    /// Connections at once.
    pub connections_max: usize,
}

impl Settings {
    /// Reads a configuration that has passed the check of the spec.
    pub fn read(config: Config) -> Result<Self, Error> {
        let username = config.settings.get("username").ok_or_else(|| invalid("the setting `username` is not set"))?;
        let connections_max = config
            .settings
            .get("connections_max")
            .map_or(Ok(10), |text| text.parse())
            .map_err(|_| invalid("the setting `connections_max` must be a number"))?;
        let has_certificate = ["client_certificate", "client_p12"].iter().any(|s| config.secrets.contains_key(*s));
        let password = config.secrets.get("password").cloned();
        if password.is_none() && !has_certificate {
            return Err(invalid("neither a password nor a client certificate is set"));
        }
        if password.as_ref().is_some_and(|p| p.expose().is_empty()) {
            return Err(invalid("the password is empty"));
        }
        Ok(Self {
            database: database(config.address.base())?,
            username: username.clone(),
            password,
            has_certificate,
            connections_max,
            address: config.address,
        })
    }
}

/// The database that a base path names.
fn database(base: &str) -> Result<String, Error> {
    let name = base.strip_prefix('/').filter(|name| !name.contains('/'));
    let name = name.and_then(|name| percent_decode_str(name).decode_utf8().ok()).filter(|name| !name.contains('\0'));
    name.map(|name| name.into_owned())
        .ok_or_else(|| invalid("the address must name one database: `postgres://host[:port]/database`"))
}

fn invalid(text: &'static str) -> Error {
    Error::new(Kind::Configuration, "postgres-account", text)
}

#[cfg(test)]
mod tests {
    use lockgate_model::definition::ServerIdentity;
    use lockgate_testkit::Pki;

    use super::*;
    use crate::spec::POSTGRES;

    fn read(address: &str, settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(Config {
            address: Address::parse(POSTGRES, true, address).unwrap(),
            identity: ServerIdentity::System,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), Secret::new((*v).to_owned()))).collect(),
            tls: Some(Pki::new().client_config(None)),
        })
    }

    #[test]
    fn what_cannot_sign_in_is_refused() {
        let (good, name, password) = ("postgres://h.example/db", &[("username", "u")][..], &[("password", "hush")][..]);
        for (address, settings, secrets) in [
            ("postgres://h.example", name, password),
            ("postgres://h.example/a/b", name, password),
            (good, &[], password),
            (good, name, &[]),
            (good, name, &[("password", "")]),
            (good, &[("username", "u"), ("connections_max", "x")], password),
        ] {
            let error = read(address, settings, secrets).err().unwrap();
            assert_eq!(error.kind(), Kind::Configuration, "{address} {settings:?}");
        }
    }

    #[test]
    fn the_path_names_the_database() {
        let settings = read("postgres://h.example/the%20orders", &[("username", "u")], &[("client_p12", "x")]).unwrap();
        assert_eq!((settings.database.as_str(), settings.address.port()), ("the orders", 5432));
    }
}
