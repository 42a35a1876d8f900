//! Tokens for client credentials (RFC 6749 §4.4): asked for at the token endpoint, kept in memory until they end, and
//! sent as bearer tokens (RFC 6750).
//!
//! The token endpoint is verified as the account's own server is, and its address passes the same egress rule. One
//! caller asks, the others wait for what it gets. Refresh tokens are deliberately absent: the credentials themselves
//! are at hand (§4.4.3).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use lockgate_document::Document;
use lockgate_model::Limits;
use rustls::ClientConfig;
use tokio::time;

use super::sensitive;
use crate::{
    Address, Context, Error, Kind, Proxy, Secret,
    http::{
        client::address,
        connection::{self, Origin, Sender},
        failure, form,
        outgoing::{Content, Outgoing, Progress},
        received::retry_after,
    },
};

/// Longest answer of a token endpoint.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Who asks for a token gives up after so long, and lets the next one ask.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// A token is not used in its last seconds, nor in the last tenth of a short life.
const MARGIN_MAX: Duration = Duration::from_secs(30);

/// Tokens that are known as such: one that was replaced may still be on its way.
const NEWEST_MAX: usize = 4;

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// By Basic authentication (RFC 6749 §2.3.1).
    Basic,
    /// In the content.
    Post,
    /// By the account's client certificate (RFC 8705 §2).
    Certificate,
}

/// What is asked for, and the newest token.
pub(crate) struct Tokens {
    pub endpoint: Address,
    /// Its path as it was written: an address of ours ends without `/`, this one may not.
    pub path: String,
    pub client_id: String,
    /// Absent where a certificate proves the client.
    pub client_secret: Option<Secret>,
    pub client_auth: ClientAuth,
    pub scope: Option<String>,
    pub audience: Option<String>,
    pub kept: Mutex<Option<Token>>,
    /// The newest tokens, which errors must not tell.
    pub newest: Mutex<VecDeque<Secret>>,
    /// Held while one is asked for.
    pub asking: tokio::sync::Mutex<()>,
}

/// A token in the form of its header.
#[derive(Clone)]
pub(crate) struct Token {
    header: HeaderValue,
    until: Option<Instant>,
}

impl Tokens {
    /// The header that carries a token; asks for one where none is kept.
    pub async fn header(
        &self,
        cx: &Context,
        proxy: Option<&Proxy>,
        tls: Arc<ClientConfig>,
        deadline: Instant,
    ) -> Result<HeaderValue, Error> {
        if let Some(header) = self.current() {
            return Ok(header);
        }
        let asked = async {
            let _one = self.asking.lock().await;
            // Who waited finds what the one before got.
            if let Some(header) = self.current() {
                return Ok(header);
            }
            let within = deadline.min(Instant::now() + ANSWER_MAX);
            let ask = self.ask(cx, proxy, tls, within);
            let token = time::timeout_at(within.into(), ask).await.map_err(|_| silent())??;
            let header = token.header.clone();
            *self.kept() = Some(token);
            Ok(header)
        };
        time::timeout_at(deadline.into(), asked).await.map_err(|_| silent())?
    }

    /// The endpoint refused a token: it is forgotten. Says whether another one may help.
    pub fn refused(&self, used: Option<&HeaderValue>) -> bool {
        let mut kept = self.kept();
        if kept.as_ref().is_some_and(|token| Some(&token.header) == used) {
            *kept = None;
        }
        true
    }

    /// The newest tokens, and the client's own proof.
    pub fn shown(&self) -> Vec<Secret> {
        let pair = self.client_secret.as_ref().map(|secret| self.pair(secret));
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.iter().cloned().chain(pair).collect()
    }

    fn pair(&self, secret: &Secret) -> Secret {
        Secret::new(format!("{}:{}", form::encoded(&self.client_id), form::encoded(secret.expose())))
    }

    fn current(&self) -> Option<HeaderValue> {
        let kept = self.kept();
        let token = kept.as_ref().filter(|token| token.until.is_none_or(|until| Instant::now() < until))?;
        Some(token.header.clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Token>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(
        &self,
        cx: &Context,
        proxy: Option<&Proxy>,
        tls: Arc<ClientConfig>,
        deadline: Instant,
    ) -> Result<Token, Error> {
        let asked = Instant::now();
        let origin = Origin { host: self.endpoint.host().clone(), port: self.endpoint.port() };
        let mut connection = connection::open(cx, &origin, proxy, tls, 1, deadline).await?;
        let content = Content::Full(Bytes::from(self.content()));
        let mut message = Request::new(Outgoing::new(content, Arc::new(Progress::default())));
        *message.method_mut() = Method::POST;
        let headers = message.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form::URL_ENCODED));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("lockgate"));
        if let (ClientAuth::Basic, Some(secret)) = (self.client_auth, &self.client_secret) {
            let pair = self.pair(secret);
            headers.insert(
                header::AUTHORIZATION,
                sensitive(&Secret::new(format!("Basic {}", STANDARD.encode(pair.expose()))))?,
            );
        }
        address(&mut message, &connection.sender, &origin, &self.path)?;
        let sent = match &mut connection.sender {
            Sender::Http1(sender) => sender.send_request(message).await,
            Sender::Http2(sender) => sender.send_request(message).await,
        };
        let broken = |error: &(dyn std::error::Error + 'static)| {
            connection.broken.get().cloned().unwrap_or_else(|| failure::of(error))
        };
        let (head, body) = sent.map_err(|error| broken(&error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| broken(error.as_ref()))?;
        self.token(head.status, &head.headers, &body.to_bytes(), asked)
    }

    fn content(&self) -> String {
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        fields.extend(self.audience.as_deref().map(|audience| ("audience", audience)));
        if self.client_auth != ClientAuth::Basic {
            fields.push(("client_id", &self.client_id));
        }
        if let (ClientAuth::Post, Some(secret)) = (self.client_auth, &self.client_secret) {
            fields.push(("client_secret", secret.expose()));
        }
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", form::encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// What the endpoint answered (RFC 6749 §5).
    fn token(&self, status: StatusCode, headers: &HeaderMap, answer: &[u8], asked: Instant) -> Result<Token, Error> {
        let wrong = |kind, text| Error::new(kind, "https-oauth2", text).with_status(status.as_u16());
        let document = Document::parse(answer, &Limits::default());
        let text = |name: &str| {
            document.as_ref().ok().and_then(|document| document.root().get(name).as_str().map(str::to_owned))
        };
        if !status.is_success() {
            let error = match status.as_u16() {
                408 | 429 => wrong(Kind::Unavailable, "the token endpoint asks for fewer requests"),
                400..=499 => {
                    wrong(Kind::Authentication, "the token endpoint does not accept the account's credentials")
                }
                _ => wrong(Kind::Unavailable, "the token endpoint failed"),
            };
            let after = retry_after(headers).map(Duration::from_secs);
            return Err(error.with_retry_after(after).with_private(text("error").unwrap_or_default()));
        }
        let no_token = || wrong(Kind::Protocol, "the token endpoint's answer holds no bearer token");
        if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(no_token());
        }
        let token = Secret::new(text("access_token").filter(|token| !token.is_empty()).ok_or_else(no_token)?);
        let header = sensitive(&Secret::new(format!("Bearer {}", token.expose()))).map_err(|_| no_token())?;
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.truncate(NEWEST_MAX - 1);
        newest.push_front(token);
        let seconds = document.as_ref().ok().and_then(|document| {
            let given = document.root().get("expires_in");
            given.as_f64().or_else(|| given.as_str()?.parse().ok())
        });
        let until = seconds.and_then(|seconds| {
            let life = Duration::try_from_secs_f64(seconds).ok()?;
            asked.checked_add(life.saturating_sub(MARGIN_MAX.min(life / 10)))
        });
        Ok(Token { header, until })
    }
}

fn silent() -> Error {
    Error::new(Kind::Timeout, "https-oauth2", "the token endpoint did not answer in time")
}
