//! The admin API as the commands use it: one request, one JSON answer, over a verified TLS
//! connection. The TLS configuration comes from `keys`, as everywhere.

mod pages;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use lockgate_keys::Versions;
use lockgate_model::{Digest, definition::ServerIdentity};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

use crate::{context::Context, exit::Exit, output};

/// Bytes of an answer that are taken.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Whom a client believes.
enum Trust {
    /// One server, which proves itself so.
    Server(ServerIdentity),
    /// Any that a public authority vouches for, or one of these, in PEM.
    Public { more: Option<String> },
}

/// One server, and who asks it.
pub struct Client {
    url: Url,
    trust: Trust,
    accept: &'static str,
    answer_bytes_max: usize,
    authorization: Option<String>,
    tenant: String,
    runtime: tokio::runtime::Runtime,
}

/// An answer before it is judged.
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Client {
    /// The server and session of the remembered context.
    pub fn from_context() -> Result<Self, Exit> {
        let context = Context::load()?;
        Self::new(&context.url, context.identity, context.tenant, Some(format!("Bearer {}", context.token)))
    }

    /// A server by its address.
    pub fn new(
        url: &str,
        identity: ServerIdentity,
        tenant: String,
        authorization: Option<String>,
    ) -> Result<Self, Exit> {
        let url = Url::parse(url).map_err(|e| Exit::Usage(format!("`{url}` is no address: {e}")))?;
        if url.scheme() != "https" || url.host_str().is_none() {
            return Err(Exit::Usage(format!("`{url}` is no https address")));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let trust = Trust::Server(identity);
        let (accept, answer_bytes_max) = ("application/json, application/problem+json", ANSWER_BYTES_MAX);
        Ok(Self { url, trust, accept, answer_bytes_max, authorization, tenant, runtime })
    }

    /// The server of a document, of which at most so many bytes are taken. Nothing of whoever asks is sent.
    pub fn of_document(url: Url, more: Option<String>, answer_bytes_max: usize) -> Result<Self, Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let trust = Trust::Public { more };
        let accept = "application/json, application/yaml, application/xml, text/*;q=0.9, */*;q=0.5";
        Ok(Self { url, trust, accept, answer_bytes_max, authorization: None, tenant: String::new(), runtime })
    }

    /// GET of the address itself, within a time.
    pub fn fetch(&self, time: Duration) -> Result<Answer, Exit> {
        let path = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        self.within(time, self.exchange(Method::GET, &path, None, None))
    }

    fn within(&self, time: Duration, exchange: impl Future<Output = Result<Answer, Exit>>) -> Result<Answer, Exit> {
        let slow = |_| self.unreachable(format!("it took longer than {} s", time.as_secs()));
        let timed = async { tokio::time::timeout(time, exchange).await };
        self.runtime.block_on(timed).unwrap_or_else(|late| Err(slow(late)))
    }

    /// The tenant it asks about.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// GET below the tenant.
    pub fn get(&self, path: &str) -> Result<Value, Exit> {
        self.ask(Method::GET, path, None)
    }
    /// PUT below the tenant.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Exit> {
        self.ask(Method::PUT, path, Some(body))
    }
    /// GET of one thing below the tenant, with its tag.
    pub fn read(&self, path: &str) -> Result<(Value, Option<HeaderValue>), Exit> {
        let answer = self.send(Method::GET, &self.below(path), None)?;
        Ok((judge(&answer)?, answer.headers.get(header::ETAG).cloned()))
    }
    /// PUT below the tenant under a condition: `if-match` with a tag that was read, or `if-none-match` with `*`.
    pub fn put_if(&self, path: &str, body: &Value, condition: (HeaderName, HeaderValue)) -> Result<Value, Exit> {
        let (path, body) = (self.below(path), Some(Bytes::from(body.to_string())));
        judge(&self.runtime.block_on(self.exchange(Method::PUT, &path, body, Some(condition)))?)
    }
    /// DELETE below the tenant under a condition.
    pub fn delete_if(&self, path: &str, condition: (HeaderName, HeaderValue)) -> Result<Value, Exit> {
        let path = self.below(path);
        judge(&self.runtime.block_on(self.exchange(Method::DELETE, &path, None, Some(condition)))?)
    }
    /// PUT below the tenant of what is not there yet.
    pub fn create(&self, path: &str, body: &Value) -> Result<Value, Exit> {
        self.put_if(path, body, (header::IF_NONE_MATCH, HeaderValue::from_static("*")))
    }
    /// POST below the tenant.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Exit> {
        self.ask(Method::POST, path, Some(body))
    }
    /// DELETE below the tenant.
    pub fn delete(&self, path: &str) -> Result<Value, Exit> {
        self.ask(Method::DELETE, path, None)
    }

    /// A request to `/admin/v1/tenants/{tenant}/{path}`, judged.
    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Exit> {
        let answer = self.send(method, &self.below(path), body.map(|b| Bytes::from(b.to_string())))?;
        judge(&answer)
    }

    fn below(&self, path: &str) -> String {
        format!("/admin/v1/tenants/{}/{path}", segment(&self.tenant))
    }

    /// Any request to the server.
    pub fn send(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, Exit> {
        self.runtime.block_on(self.exchange(method, path, body, None))
    }

    /// A request with a body, whose answer must come within a time.
    pub fn send_within(&self, time: Duration, method: Method, path: &str, body: Bytes) -> Result<Answer, Exit> {
        self.within(time, self.exchange(method, path, Some(body), None))
    }

    /// Waits between two looks; `false` when nobody reads standard output any more.
    pub fn pause(&self, time: Duration) -> bool {
        self.runtime.block_on(async { tokio::time::timeout(time, output::unread()).await.is_err() })
    }

    /// Proves that the server is there and is the one. Nothing is sent to it.
    pub fn greet(&self) -> Result<(), Exit> {
        self.runtime.block_on(self.connect()).map(drop)
    }

    /// The fingerprint of the certificate that the server shows. Nothing is sent to it.
    pub fn fingerprint(&self) -> Result<Digest, Exit> {
        let shown = self.runtime.block_on(async {
            let (name, tcp, tls) = self.dial().await?;
            Ok::<_, Exit>(tls.connect(name, tcp).await.err())
        })?;
        shown
            .as_ref()
            .and_then(|e| e.get_ref()?.downcast_ref::<rustls::Error>())
            .and_then(lockgate_keys::presented_fingerprint)
            .ok_or_else(|| Exit::Unavailable(format!("`{}` shows no certificate", self.url)))
    }

    fn unreachable(&self, reason: impl std::fmt::Display) -> Exit {
        Exit::Unavailable(format!("cannot reach `{}`: {reason}", self.url))
    }

    async fn dial(&self) -> Result<(ServerName<'static>, TcpStream, tokio_rustls::TlsConnector), Exit> {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or(443);
        let tls = match &self.trust {
            Trust::Server(identity) => lockgate_keys::client_config(identity, None, Versions::Both, &[b"http/1.1"]),
            Trust::Public { more } => lockgate_keys::public_client_config(more.as_deref(), &[b"http/1.1"]),
        };
        let tls = tls.map_err(|e| Exit::Usage(format!("the server's identity cannot be used: {e}")))?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        // RFC 6761 §6.3: `localhost` is this machine, also where no file of it says so.
        let local = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
        let tcp = match bare.as_str() {
            "localhost" => TcpStream::connect(&local[..]).await,
            name => TcpStream::connect((name, port)).await,
        };
        let tcp = tcp.map_err(|e| self.unreachable(e))?;
        let name = ServerName::try_from(bare).map_err(|_| Exit::Usage(format!("`{host}` is no host name")))?;
        Ok((name, tcp, tls.into()))
    }

    async fn connect(&self) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Exit> {
        let (name, tcp, tls) = self.dial().await?;
        tls.connect(name, tcp).await.map_err(|e| Exit::Denied {
            code: "LG-SERVER-IDENTITY".into(),
            message: format!(
                "the server at `{}` did not prove its identity: {} ({})",
                self.url,
                why(&e),
                match self.trust {
                    Trust::Server(_) => "name its CA with --ca, or its fingerprint with --pin",
                    Trust::Public { .. } => "name its CA with --ca",
                }
            ),
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        condition: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Answer, Exit> {
        let stream = self.connect().await?;
        let unreachable = |e: hyper::Error| self.unreachable(e);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.url.authority())
            .header(header::ACCEPT, self.accept);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some((name, value)) = condition {
            request = request.header(name, value);
        }
        if let Some(authorization) = &self.authorization {
            let mut value = HeaderValue::from_str(authorization)
                .map_err(|_| Exit::Usage("the credential holds characters that no header may hold".into()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Full::new(body.unwrap_or_default()))
            .map_err(|e| Exit::Usage(format!("the request cannot be written: {e}")))?;
        let response = sender.send_request(request).await.map_err(unreachable)?;
        let (parts, body) = response.into_parts();
        let body = http_body_util::Limited::new(body, self.answer_bytes_max)
            .collect()
            .await
            .map_err(|e| self.unreachable(e))?
            .to_bytes();
        connection.abort();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// Why a handshake failed, in words.
fn why(error: &std::io::Error) -> String {
    use rustls::{CertificateError as Certificate, Error as Tls};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    let words = match tls {
        Some(Tls::InvalidCertificate(problem)) => match problem {
            Certificate::Expired | Certificate::ExpiredContext { .. } => "its certificate has expired",
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => "its certificate is not valid yet",
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                "its certificate is for another host name"
            }
            Certificate::UnknownIssuer => "its certificate is of no CA that is trusted here",
            Certificate::Revoked => "its certificate was revoked",
            _ => match tls.and_then(lockgate_keys::presented_fingerprint) {
                Some(shown) => return format!("it shows the certificate {shown}"),
                None => "its certificate cannot be verified",
            },
        },
        Some(Tls::AlertReceived(_)) => "it broke off the TLS session",
        Some(_) => "it does not speak TLS as we do (is it a TLS port?)",
        None => "the connection broke",
    };
    words.to_owned()
}

/// A path segment, escaped.
pub fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// An answer of the admin API: its JSON, or the refusal, which is a problem of RFC 9457.
pub fn judge(answer: &Answer) -> Result<Value, Exit> {
    let body: Value = if answer.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&answer.body).into_owned().into())
    };
    if answer.status.is_success() {
        return Ok(body);
    }
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = member("code").unwrap_or_else(|| format!("HTTP-{}", answer.status.as_u16()));
    let message = member("detail").unwrap_or_else(|| format!("the server answered {}", answer.status));
    Err(match answer.status.as_u16() {
        401 => Exit::Denied { code, message: format!("{message} (sign in with `lockgate login`)") },
        403 | 404 => Exit::Denied { code, message },
        503 | 429 => Exit::Unavailable(message),
        _ => Exit::Failed { code, message, detail: more(&body) },
    })
}

/// What a refusal tells besides the members that all of them have; null for nothing.
fn more(refusal: &Value) -> Value {
    let mut more = refusal.clone();
    if let Some(members) = more.as_object_mut() {
        members.retain(|name, _| !["type", "title", "status", "detail", "code"].contains(&name.as_str()));
        if members.is_empty() {
            return Value::Null;
        }
    }
    more
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use rustls::{CertificateError, Error, OtherError};
    use serde_json::json;

    use super::*;

    fn told(code: &str, detail: &str, more: &Value) -> Value {
        let mut refusal = json!({"type": format!("/admin/v1/errors#{code}"), "title": "Conflict", "status": 409,
            "detail": detail, "code": code});
        refusal.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = Bytes::from(refusal.to_string());
        let answer = Answer { status: http::StatusCode::CONFLICT, headers: http::HeaderMap::new(), body };
        judge(&answer).unwrap_err().json()
    }

    #[test]
    fn an_error_is_told_once() {
        let plain = json!({"code": "LG-ROLLBACK", "message": "nothing else was active"});
        assert_eq!(told("LG-ROLLBACK", "nothing else was active", &json!({})), plain);
        let more = json!({"help": "yes", "problems": [1]});
        assert_eq!(told("LG-X", "no", &more), json!({"code": "LG-X", "message": "no", "detail": more}));
    }

    #[test]
    fn a_failed_handshake_is_told_without_the_words_of_the_program() {
        let other = OtherError(Arc::new(io::Error::other("CaUsedAsEndEntity")));
        for (error, words) in [
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "its certificate is of no CA that is trusted here",
            ),
            (Error::InvalidCertificate(CertificateError::Other(other)), "its certificate cannot be verified"),
            (Error::DecryptError, "it does not speak TLS as we do (is it a TLS port?)"),
        ] {
            assert_eq!(why(&io::Error::other(error)), words);
        }
        assert_eq!(why(&io::ErrorKind::ConnectionReset.into()), "the connection broke");
    }
}
