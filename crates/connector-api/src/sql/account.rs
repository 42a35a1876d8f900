//! An account of a database's user, read once when it is opened.

use percent_encoding::percent_decode_str;

use super::Codes;
use crate::{Address, Config, Error, Proxy, Secret};

/// The settings of an account: `username`, `connections_max`, a `proxy`, a `password`, a client certificate.
#[derive(Debug)]
pub struct Account {
    /// Host and port.
    pub address: Address,
    /// The database.
    pub database: String,
    /// The user or role that signs in.
    pub username: String,
    /// Its password. Without one the client certificate alone signs in.
    pub password: Option<Secret>,
    /// There is a client certificate.
    pub has_certificate: bool,
    /// Connections at once.
    pub connections_max: usize,
    /// The proxy that all of them go through.
    pub proxy: Option<Proxy>,
}

impl Account {
    /// Reads a configuration that has passed the check of the spec.
    ///
    /// # Errors
    /// `Configuration` where nobody could sign in with it.
    pub fn read(config: Config, codes: Codes) -> Result<Self, Error> {
        let invalid = |text| codes.account(text);
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
        let database = database(config.address.base())
            .ok_or_else(|| invalid("the address must name one database behind host and port: `/database`"))?;
        Ok(Self {
            database,
            username: username.clone(),
            password,
            has_certificate,
            connections_max,
            proxy: Proxy::of(&config)?,
            address: config.address,
        })
    }
}

/// The database that a base path names.
fn database(base: &str) -> Option<String> {
    let name = base.strip_prefix('/').filter(|name| !name.contains('/'))?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.contains('\0')).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use lockgate_model::definition::ServerIdentity;

    use super::*;
    use crate::{Kind, Scheme, sql::tests::CODES};

    const SCHEME: Scheme = Scheme { name: "db", port: 5432 };

    fn read(address: &str, settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> Result<Account, Error> {
        let config = Config {
            address: Address::parse(SCHEME, true, address).unwrap(),
            identity: ServerIdentity::System,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), Secret::new((*v).to_owned()))).collect(),
            tls: None,
        };
        Account::read(config, CODES)
    }

    #[test]
    fn what_cannot_sign_in_is_refused() {
        let (good, name, password) = ("db://h.example/db", &[("username", "u")][..], &[("password", "hush")][..]);
        for (address, settings, secrets) in [
            ("db://h.example", name, password),
            ("db://h.example/a/b", name, password),
            (good, &[], password),
            (good, name, &[]),
            (good, name, &[("password", "")]),
            (good, &[("username", "u"), ("connections_max", "x")], password),
        ] {
            let error = read(address, settings, secrets).err().unwrap();
            assert_eq!((error.kind(), error.code()), (Kind::Configuration, "sql-account"), "{address} {settings:?}");
        }
    }

    #[test]
    fn the_path_names_the_database() {
        let account = read("db://h.example/the%20orders", &[("username", "u")], &[("client_p12", "x")]).unwrap();
        assert_eq!((account.database.as_str(), account.address.port()), ("the orders", 5432));
    }
}
