//! An account's settings, read once when it is opened.

use std::sync::Arc;

use lockgate_connector_api::{Config, Error, Host, Kind, Proxy, Secret, files::Base};
use lockgate_model::definition::ServerIdentity;
use russh::keys::{Certificate, PrivateKey, decode_secret_key, ssh_key::certificate::CertType};

use crate::{
    algorithms::{self, Algorithms},
    host_key::HostKey,
};

/// The settings of an account.
pub(crate) struct Settings {
    /// Where.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// What every connection goes through.
    pub proxy: Option<Proxy>,
    /// Below which all paths stand.
    pub base: Base,
    /// What the server's key must be.
    pub host_key: HostKey,
    /// What a connection may use.
    pub algorithms: Algorithms,
    /// Who we are.
    pub username: String,
    /// How we prove it.
    pub sign_in: SignIn,
    /// Sessions at once.
    pub sessions_max: usize,
}

/// How we prove who we are.
pub(crate) enum SignIn {
    /// By password.
    Password(Secret),
    /// By a key.
    Key(Key),
    /// By a key and then by password.
    Both(Key, Secret),
}

/// A key of ours.
pub(crate) struct Key {
    pub key: Arc<PrivateKey>,
    /// What a CA of the server's has signed of it.
    pub certificate: Option<Certificate>,
}

impl Settings {
    /// Reads a configuration that has passed the check of the spec.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let setting = |name: &str| config.settings.get(name).map(String::as_str);
        let secret = |name: &str| config.secrets.get(name);
        let ServerIdentity::HostKey(host_key) = &config.identity else {
            return Err(invalid("the server must prove itself by its SSH host key"));
        };
        let username = setting("username").ok_or_else(|| missing("username"))?.to_owned();
        let password = || secret("password").cloned().ok_or_else(|| missing("password"));
        let key = || {
            let text = secret("private_key").ok_or_else(|| missing("private_key"))?;
            Key::read(text, secret("passphrase"), secret("certificate"))
        };
        let sign_in = match setting("auth").unwrap_or("key") {
            "password" => SignIn::Password(password()?),
            "key" => SignIn::Key(key()?),
            "key-and-password" => SignIn::Both(key()?, password()?),
            _ => return Err(invalid("the setting `auth` is unknown")),
        };
        let sessions_max = setting("sessions_max")
            .map_or(Ok(8), str::parse)
            .map_err(|_| invalid("the setting `sessions_max` must be a number"))?;
        Ok(Self {
            host: config.address.host().clone(),
            port: config.address.port(),
            proxy: Proxy::of(config)?,
            base: Base::of(&config.address)?,
            host_key: HostKey::parse(host_key)?,
            algorithms: Algorithms::admitting(setting(algorithms::SETTING).unwrap_or_default()),
            username,
            sign_in,
            sessions_max,
        })
    }
}

impl Key {
    fn read(text: &Secret, passphrase: Option<&Secret>, certificate: Option<&Secret>) -> Result<Self, Error> {
        // The library's words may hold parts of what it read, so none of them are passed on.
        let key = decode_secret_key(text.expose(), passphrase.map(Secret::expose)).map_err(|_| match passphrase {
            None => {
                invalid("the secret `private_key` cannot be read (OpenSSH or PEM; with a `passphrase` if it has one)")
            }
            Some(_) => invalid("the secret `private_key` cannot be read with that `passphrase`"),
        })?;
        let certificate = certificate.map(|text| certified(&key, text)).transpose()?;
        Ok(Self { key: Arc::new(key), certificate })
    }
}

/// A certificate as OpenSSH writes it into `….pub`, of that key.
fn certified(key: &PrivateKey, text: &Secret) -> Result<Certificate, Error> {
    let certificate = Certificate::from_openssh(text.expose().trim()).map_err(|_| {
        invalid("the secret `certificate` is no OpenSSH certificate (`ssh-ed25519-cert-v01@openssh.com AAAA…`)")
    })?;
    if certificate.public_key() != key.public_key().key_data() || certificate.cert_type() != CertType::User {
        return Err(invalid("the secret `certificate` is not that of a user with this `private_key`"));
    }
    Ok(certificate)
}

fn missing(field: &str) -> Error {
    invalid("a field that its sign-in needs is not set").with_private(format!("`{field}` is not set"))
}

fn invalid(text: &'static str) -> Error {
    Error::new(Kind::Configuration, "sftp-account", text)
}
