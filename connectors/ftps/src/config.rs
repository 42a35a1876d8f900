//! An account's settings, read once when it is opened.

use std::sync::Arc;

use lockgate_connector_api::{Config, Error, Host, Kind, Proxy, Secret, files::Base};
use rustls::{
    ClientConfig,
    pki_types::{InvalidDnsNameError, ServerName},
};

/// The settings of an account.
pub(crate) struct Settings {
    /// Where.
    pub host: Host,
    /// The host as its certificate must name it.
    pub name: ServerName<'static>,
    /// Its port.
    pub port: u16,
    /// What every connection goes through.
    pub proxy: Option<Proxy>,
    /// Below which all paths stand.
    pub base: Base,
    /// When TLS begins.
    pub begins: Begins,
    /// How the server proves itself, and we with a certificate.
    pub tls: Arc<ClientConfig>,
    /// Who we are.
    pub username: String,
    /// None where our certificate is enough.
    pub password: Option<Secret>,
    /// Sessions at once.
    pub sessions_max: usize,
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// When it is asked for (RFC 4217 §4).
    Explicit,
    /// With the connection.
    Implicit,
}

impl Settings {
    /// Reads a configuration that has passed the check of the spec.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let setting = |name: &str| config.settings.get(name).map(String::as_str);
        let username = setting("username").ok_or_else(|| invalid("the setting `username` is not set"))?.to_owned();
        let password = match setting("auth").unwrap_or("password") {
            "password" => {
                let password = config.secrets.get("password").cloned();
                Some(password.ok_or_else(|| invalid("the secret `password` is not set"))?)
            }
            "certificate" => None,
            _ => return Err(invalid("the setting `auth` is unknown")),
        };
        let is_line = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        if !is_line(&username) {
            return Err(invalid("the setting `username` is empty or holds a control character"));
        }
        if password.as_ref().is_some_and(|password| !is_line(password.expose())) {
            return Err(invalid(
                "the secret `password` is empty or holds a control character, such as the end of a line",
            ));
        }
        let begins = match setting("tls").unwrap_or("explicit") {
            "explicit" => Begins::Explicit,
            "implicit" => Begins::Implicit,
            _ => return Err(invalid("the setting `tls` is unknown")),
        };
        let sessions_max = setting("sessions_max")
            .map_or(Ok(8), str::parse)
            .map_err(|_| invalid("the setting `sessions_max` must be a number"))?;
        Ok(Self {
            host: config.address.host().clone(),
            name: name(config.address.host()).map_err(|_| invalid("the host cannot stand in a certificate"))?,
            port: config.address.port(),
            proxy: Proxy::of(config)?,
            base: Base::of(&config.address)?,
            begins,
            tls: config.tls()?,
            username,
            password,
            sessions_max,
        })
    }
}

fn name(host: &Host) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match host {
        Host::Name(name) => ServerName::try_from(name.clone()),
        Host::Ip(ip) => Ok(ServerName::from(*ip)),
    }
}

fn invalid(text: &'static str) -> Error {
    Error::new(Kind::Configuration, "ftps-account", text)
}
