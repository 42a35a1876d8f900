//! An account's settings, read once when it is opened.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header};
use lockgate_connector_api::{Address, Config, Error, Host, Kind, Scheme, Secret};

/// The settings of an account.
pub(crate) struct Settings {
    /// Origin and base path.
    pub address: Address,
    /// The header that signs requests in; its value is marked sensitive.
    pub credentials: Option<(HeaderName, HeaderValue)>,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// The CONNECT proxy to go through.
    pub proxy: Option<(Host, u16)>,
    /// Requests in flight at once.
    pub requests_max: usize,
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// None: the redirect itself is the answer.
    None,
    /// Inside the account's origin and base.
    SameOrigin,
    /// Also to other origins, without credentials and body.
    AnyOrigin,
}

impl Settings {
    /// Reads a configuration that has passed the check of the spec.
    pub fn read(config: Config) -> Result<Self, Error> {
        let setting = |name: &str| config.settings.get(name).map(String::as_str);
        let secret = |name: &str| config.secrets.get(name).ok_or_else(|| missing(name));
        let credentials = match setting("auth").unwrap_or("none") {
            "none" => None,
            "basic" => {
                let username = setting("username").ok_or_else(|| missing("username"))?;
                if username.contains(':') {
                    return Err(invalid("the setting `username` must not contain a colon"));
                }
                let pair = Secret::new(format!("{username}:{}", secret("password")?.expose()));
                let header = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
                Some((header::AUTHORIZATION, sensitive(&header)?))
            }
            "bearer" => {
                let header = Secret::new(format!("Bearer {}", secret("token")?.expose()));
                Some((header::AUTHORIZATION, sensitive(&header)?))
            }
            "header" => {
                let name = setting("header_name").ok_or_else(|| missing("header_name"))?;
                let name = HeaderName::from_bytes(name.as_bytes())
                    .ok()
                    .filter(|name| !crate::request::is_of_connection(name))
                    .ok_or_else(|| invalid("the setting `header_name` names no header that can carry a key"))?;
                Some((name, sensitive(secret("header_value")?)?))
            }
            _ => return Err(invalid("the setting `auth` is unknown")),
        };
        let redirects = match setting("redirects").unwrap_or("same-origin") {
            "same-origin" => Redirects::SameOrigin,
            "any-origin" => Redirects::AnyOrigin,
            "none" => Redirects::None,
            _ => return Err(invalid("the setting `redirects` is unknown")),
        };
        let proxy = setting("proxy")
            .map(|text| Address::authority(Scheme { name: "", port: 0 }, text))
            .transpose()
            .map_err(|_| invalid("the setting `proxy` must be `host:port`"))?;
        let requests_max = setting("requests_max")
            .map_or(Ok(64), str::parse)
            .map_err(|_| invalid("the setting `requests_max` must be a number"))?;
        Ok(Self { address: config.address, credentials, redirects, proxy, requests_max })
    }
}

fn sensitive(secret: &Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_| invalid("a secret holds a character that cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn missing(field: &str) -> Error {
    invalid("a field that its sign-in needs is not set").with_private(format!("`{field}` is not set"))
}

fn invalid(text: &'static str) -> Error {
    Error::new(Kind::Configuration, "https-account", text)
}

#[cfg(test)]
mod tests {
    use lockgate_model::definition::ServerIdentity;
    use lockgate_testkit::Pki;

    use super::*;
    use crate::spec::HTTPS;

    fn read(settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(Config {
            address: Address::parse(HTTPS, true, "https://a.example").unwrap(),
            identity: ServerIdentity::System,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), Secret::new((*v).to_owned()))).collect(),
            tls: Some(Pki::new().client_config(None)),
        })
    }

    #[test]
    fn what_cannot_sign_in_is_refused_without_telling_the_secret() {
        for (settings, secrets) in [
            (&[("auth", "basic")][..], &[("password", "hush")][..]),
            (&[("auth", "basic"), ("username", "u")], &[]),
            (&[("auth", "basic"), ("username", "a:b")], &[("password", "hush")]),
            (&[("auth", "bearer")], &[("token", "hush\r\nx-evil: 1")]),
            (&[("auth", "header"), ("header_name", "x key")], &[("header_value", "hush")]),
            (&[("auth", "header"), ("header_name", "host")], &[("header_value", "hush")]),
            (&[("auth", "header"), ("header_name", "Content-Length")], &[("header_value", "hush")]),
            (&[("auth", "header"), ("header_name", "x-key")], &[("header_value", "hush\n")]),
            (&[("auth", "digest")], &[]),
            (&[("redirects", "all")], &[]),
            (&[("proxy", "http://p.example:1")], &[]),
        ] {
            let error = read(settings, secrets).err().unwrap();
            assert_eq!(error.kind(), Kind::Configuration, "{settings:?}");
            assert!(!format!("{error} {error:?} {}", error.private().reveal()).contains("hush"));
        }
    }

    #[test]
    fn credentials_are_marked_sensitive() {
        let settings = read(&[("auth", "bearer")], &[("token", "hush")]).unwrap();
        let (name, value) = settings.credentials.unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", &b"Bearer hush"[..]));
        assert!(!format!("{value:?}").contains("hush"));
    }
}
