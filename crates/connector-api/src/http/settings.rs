//! An account's settings, read once when it is opened.

use std::sync::Mutex;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, header};

use super::{
    HTTPS,
    request::is_of_connection,
    signin::{
        SignIn,
        digest::Digest,
        invalid,
        oauth2::{ClientAuth, Tokens},
        sensitive,
    },
};
use crate::{Address, Config, Error, Proxy, Secret, Withheld};

/// The settings of an account.
pub struct Settings {
    /// Origin and base path.
    pub address: Address,
    /// How requests sign in.
    pub(crate) sign_in: SignIn,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// The CONNECT proxy to go through.
    pub proxy: Option<Proxy>,
    /// Requests in flight at once.
    pub requests_max: usize,
    /// What no error tells, whatever the endpoint answers.
    pub(crate) withheld: Withheld,
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// None: the redirect itself is the answer.
    None,
    /// Inside the account's origin and base.
    SameOrigin,
    /// Also to other origins, without credentials and body.
    AnyOrigin,
}

impl Settings {
    /// Whether the account itself signs in.
    pub fn signs_in(&self) -> bool {
        self.sign_in.is_some()
    }

    /// The header by which it does.
    pub fn sign_in_header(&self) -> Option<&HeaderName> {
        self.sign_in.header()
    }

    /// Reads a configuration that has passed the check of the spec.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let setting = |name: &str| config.settings.get(name).map(String::as_str);
        let secret = |name: &str| config.secrets.get(name).ok_or_else(|| missing(name));
        let mut withheld = Withheld::of(config.secrets.values());
        let text = |name: &str| setting(name).map(str::to_owned).ok_or_else(|| missing(name));
        let sign_in = match setting("auth").unwrap_or("none") {
            "none" => SignIn::None,
            "basic" => {
                let username = text("username")?;
                if username.contains(':') {
                    return Err(invalid("the setting `username` must not contain a colon"));
                }
                let pair = Secret::new(format!("{username}:{}", secret("password")?.expose()));
                withheld.add(&pair);
                let header = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
                SignIn::Header(header::AUTHORIZATION, sensitive(&header)?)
            }
            "digest" => SignIn::Digest(Digest::new(text("username")?, secret("password")?.clone())),
            "oauth2" => {
                let client_auth = match setting("client_auth").unwrap_or("basic") {
                    "basic" => ClientAuth::Basic,
                    "post" => ClientAuth::Post,
                    "certificate" => ClientAuth::Certificate,
                    _ => return Err(invalid("the setting `client_auth` is unknown")),
                };
                let client_secret = config.secrets.get("client_secret").cloned();
                if client_secret.is_some() == (client_auth == ClientAuth::Certificate) {
                    return Err(invalid(
                        "`client_secret` is needed, unless `client_auth` is `certificate`: then it is none",
                    ));
                }
                let url = text("token_url")?;
                let endpoint = Address::parse(HTTPS, true, &url)
                    .map_err(|_| invalid("the setting `token_url` must be `https://host[:port]/path`"))?;
                let is_open = endpoint.base().is_empty() || url.ends_with('/');
                SignIn::OAuth2(Box::new(Tokens {
                    path: format!("{}{}", endpoint.base(), if is_open { "/" } else { "" }),
                    endpoint,
                    client_id: text("client_id")?,
                    client_secret,
                    client_auth,
                    scope: setting("scope").map(str::to_owned),
                    audience: setting("audience").map(str::to_owned),
                    kept: Mutex::default(),
                    newest: Mutex::default(),
                    asking: tokio::sync::Mutex::default(),
                }))
            }
            "bearer" => {
                let header = Secret::new(format!("Bearer {}", secret("token")?.expose()));
                SignIn::Header(header::AUTHORIZATION, sensitive(&header)?)
            }
            "header" => {
                let name = setting("header_name").ok_or_else(|| missing("header_name"))?;
                let name = HeaderName::from_bytes(name.as_bytes())
                    .ok()
                    .filter(|name| !is_of_connection(name))
                    .ok_or_else(|| invalid("the setting `header_name` names no header that can carry a key"))?;
                SignIn::Header(name, sensitive(secret("header_value")?)?)
            }
            _ => return Err(invalid("the setting `auth` is unknown")),
        };
        let redirects = match setting("redirects").unwrap_or("same-origin") {
            "same-origin" => Redirects::SameOrigin,
            "any-origin" => Redirects::AnyOrigin,
            "none" => Redirects::None,
            _ => return Err(invalid("the setting `redirects` is unknown")),
        };
        let requests_max = setting("requests_max")
            .map_or(Ok(64), str::parse)
            .map_err(|_| invalid("the setting `requests_max` must be a number"))?;
        Ok(Self {
            address: config.address.clone(),
            sign_in,
            redirects,
            proxy: Proxy::of(config)?,
            requests_max,
            withheld,
        })
    }
}

fn missing(field: &str) -> Error {
    invalid("a field that its sign-in needs is not set").with_private(format!("`{field}` is not set"))
}

#[cfg(test)]
mod tests {
    use lockgate_model::definition::ServerIdentity;

    use super::*;
    use crate::Kind;

    fn read(settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(&Config {
            address: Address::parse(HTTPS, true, "https://a.example").unwrap(),
            identity: ServerIdentity::System,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), Secret::new((*v).to_owned()))).collect(),
            tls: None,
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
            (&[("auth", "digest"), ("username", "u")], &[]),
            (&[("auth", "oauth2"), ("client_id", "c"), ("token_url", "https://idp/t")], &[]),
            (&[("auth", "oauth2"), ("client_id", "c")], &[("client_secret", "hush")]),
            (&[("auth", "oauth2"), ("client_id", "c"), ("token_url", "http://idp/t")], &[("client_secret", "hush")]),
            (
                &[("auth", "oauth2"), ("client_id", "c"), ("token_url", "https://idp"), ("client_auth", "certificate")],
                &[("client_secret", "hush")],
            ),
            (&[("auth", "negotiate")], &[]),
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
        let SignIn::Header(name, value) = settings.sign_in else { panic!("another sign-in") };
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", &b"Bearer hush"[..]));
        assert!(!format!("{value:?}").contains("hush"));
    }
}
