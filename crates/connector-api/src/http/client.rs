//! Sends a request and follows its redirects.

use std::{fmt, sync::Arc, time::Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use rustls::{
    ClientConfig, SignatureScheme,
    client::{ResolvesClientCert, Resumption},
    sign::CertifiedKey,
};

use super::{
    Content, Origin, Received, Redirects, Request, Settings, SignIn, Target,
    connection::{self, Sender},
    outgoing::{Outgoing, Progress},
    pool::{Lease, Pool},
    received::Held,
    redirect::{self, Place as At, Seen},
    request::is_idempotent,
    signin::oauth2::ClientAuth,
};
use crate::{Context, Error, Kind, Part, Place, Spec};

/// Redirects of one call.
const REDIRECTS_MAX: usize = 5;
/// Connections one request may be handed to before it is known to be received.
const HANDED_MAX: usize = 3;

/// How a request comes by its place among those of the account.
#[derive(Debug, Clone)]
pub enum Room {
    /// It waits for one.
    Awaited(Part),
    /// It shares one, with requests that it does not wait for.
    Shared(Arc<Place>),
}

impl From<Part> for Room {
    fn from(part: Part) -> Self {
        Self::Awaited(part)
    }
}

/// The client of one account: its origin, and the connections that are kept to it.
pub struct Client {
    settings: Settings,
    home: Origin,
    pool: Arc<Pool>,
    tls: Arc<ClientConfig>,
    /// The same trust without our client certificate and sessions, for other origins.
    tls_elsewhere: Arc<ClientConfig>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.settings.address).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of these settings, for a connector with this declaration; nothing is dialled yet.
    pub fn new(spec: &Spec, settings: Settings, tls: Arc<ClientConfig>) -> Self {
        let mut own = (*tls).clone();
        own.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut elsewhere = own.clone();
        elsewhere.client_auth_cert_resolver = Arc::new(Anonymous);
        elsewhere.resumption = Resumption::disabled();
        Self {
            home: Origin { host: settings.address.host().clone(), port: settings.address.port() },
            pool: Arc::new(Pool::new(spec, settings.requests_max)),
            settings,
            tls: Arc::new(own),
            tls_elsewhere: Arc::new(elsewhere),
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// An error without what the account signs in with: an endpoint may answer with the request that it refuses.
    #[must_use]
    pub fn withholding(&self, error: Error) -> Error {
        let mut withheld = self.settings.withheld.clone();
        self.settings.sign_in.shown().iter().for_each(|shown| withheld.add(shown));
        withheld.out_of(error)
    }

    /// A place among the account's requests, for several that come one after the other.
    ///
    /// # Errors
    /// `Timeout` when none was free until the deadline.
    pub async fn room(&self, part: Part, deadline: Instant) -> Result<Arc<Place>, Error> {
        self.pool.room(part, deadline).await.map(Arc::new)
    }

    /// Sends a request to the account's origin and follows redirects as its setting says.
    pub async fn send(
        &self,
        cx: &Context,
        room: impl Into<Room>,
        mut request: Request,
        deadline: Instant,
    ) -> Result<Received, Error> {
        let (mut at, room) = (At::Home, room.into());
        let follows = self.settings.redirects != Redirects::None && request.follows;
        for _ in 0..=REDIRECTS_MAX {
            let Request { method, target, headers, repeatable, .. } = &request;
            let (method, target, headers, repeatable) = (method.clone(), target.clone(), headers.clone(), *repeatable);
            let (has_content, spare) = (!request.content.is_empty(), request.content.again());
            let received = match at {
                At::Home => self.signed(cx, &room, request, deadline).await?,
                At::Other(_) => self.send_to(cx, &room, &at, request, None, deadline).await?,
            };
            let location = received.headers().get(header::LOCATION);
            let Some(location) = location.filter(|_| redirect::is_redirect(received.status())) else {
                return Ok(received);
            };
            if !follows {
                return Ok(received);
            }
            let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
            let seen = Seen {
                home: &self.home,
                base: self.settings.address.base(),
                policy: self.settings.redirects,
                place: &at,
                target: &target,
                method: &method,
                has_content,
            };
            let step = seen.follow(received.status(), &location)?;
            received.discard(deadline).await;
            request = Request { repeatable, ..Request::bare(step.method, step.target) };
            if step.keeps_content {
                request.content = spare.ok_or_else(|| {
                    let text = "a redirect asks for a streamed body again, which has gone already";
                    Error::new(Kind::Protocol, "https-redirect", text)
                })?;
            }
            request.headers = travelling(headers, &step.place, step.keeps_content);
            request.repeatable = is_idempotent(&request.method) && matches!(request.content, Content::Full(_));
            at = step.place;
        }
        Err(Error::new(Kind::Protocol, "https-redirect", "more than five redirects"))
    }

    /// The place that an answer from `target` names, when it is one of the account's own: its origin, below its base, or
    /// the path of the answer itself.
    ///
    /// # Errors
    /// `Refused` where it leads anywhere else.
    pub fn beside(&self, target: &Target, reference: &str) -> Result<Target, Error> {
        let seen = Seen {
            home: &self.home,
            base: self.settings.address.base(),
            policy: Redirects::SameOrigin,
            place: &At::Home,
            target,
            method: &Method::GET,
            has_content: false,
        };
        seen.beside(reference)
    }

    /// Sends a request to the account's origin; a redirect is an answer like any other.
    pub async fn send_once(&self, cx: &Context, request: Request, deadline: Instant) -> Result<Received, Error> {
        self.signed(cx, &Room::Awaited(Part::Ends), request, deadline).await
    }

    /// Sends a request to the account's origin, signed in; where that asks for another proof, once more with it.
    async fn signed(&self, cx: &Context, room: &Room, request: Request, deadline: Instant) -> Result<Received, Error> {
        let sign_in = &self.settings.sign_in;
        let again = if sign_in.renews() { request.again() } else { None };
        let (method, target) = (request.method.clone(), request.target.clone());
        let once = matches!(request.content, Content::Stream(_));
        let proof = self.proof(cx, room, (&method, &target), once, deadline).await?;
        let received = self.send_to(cx, room, &At::Home, request, proof.as_ref(), deadline).await?;
        let used = proof.as_ref().map(|(_, value)| value);
        if received.status() != StatusCode::UNAUTHORIZED || !sign_in.refused(received.headers(), used) {
            return Ok(received);
        }
        let Some(again) = again else { return Ok(received) };
        received.discard(deadline).await;
        let proof = self.proof(cx, room, (&method, &target), once, deadline).await?;
        self.send_to(cx, room, &At::Home, again, proof.as_ref(), deadline).await
    }

    /// The header by which a request signs in; one that can be sent only `once` is not sent to be refused.
    async fn proof(
        &self,
        cx: &Context,
        room: &Room,
        (method, target): (&Method, &Target),
        once: bool,
        deadline: Instant,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        match &self.settings.sign_in {
            SignIn::None => Ok(None),
            SignIn::Header(name, value) => Ok(Some((name.clone(), value.clone()))),
            SignIn::Digest(digest) => {
                if once && !digest.is_challenged() {
                    let probe = Request::bare(Method::HEAD, target.clone());
                    let answer = self.send_to(cx, room, &At::Home, probe, None, deadline).await?;
                    if answer.status() == StatusCode::UNAUTHORIZED {
                        digest.challenged(answer.headers(), None);
                    }
                    answer.discard(deadline).await;
                }
                let header = digest.header(method, &target.path_and_query(), &lockgate_model::run::unique());
                let header = header.transpose()?;
                Ok(header.map(|value| (header::AUTHORIZATION, value)))
            }
            SignIn::OAuth2(tokens) => {
                // Only who proves itself by it shows its certificate there.
                let shows = tokens.client_auth == ClientAuth::Certificate;
                let tls = Arc::clone(if shows { &self.tls } else { &self.tls_elsewhere });
                let value = tokens.header(cx, self.settings.proxy.as_ref(), tls, deadline).await?;
                Ok(Some((header::AUTHORIZATION, value)))
            }
        }
    }

    async fn send_to(
        &self,
        cx: &Context,
        room: &Room,
        at: &At,
        request: Request,
        proof: Option<&(HeaderName, HeaderValue)>,
        deadline: Instant,
    ) -> Result<Received, Error> {
        let Request { method, target, headers, mut content, repeatable, .. } = request;
        let room = match room {
            Room::Awaited(part) => self.room(*part, deadline).await?,
            Room::Shared(place) => Arc::clone(place),
        };
        let proxy = self.settings.proxy.as_ref();
        let origin = match at {
            At::Home => &self.home,
            At::Other(origin) => origin,
        };
        let mut fresh = false;
        let mut handed = 0;
        loop {
            handed += 1;
            let mut lease = match at {
                At::Home => {
                    let open = || {
                        connection::open(cx, origin, proxy, Arc::clone(&self.tls), self.settings.requests_max, deadline)
                    };
                    self.pool.lease(cx, fresh, open).await?
                }
                At::Other(_) => {
                    let tls = Arc::clone(&self.tls_elsewhere);
                    Lease::unpooled(connection::open(cx, origin, proxy, tls, 1, deadline).await?)
                }
            };
            let spare = if repeatable { content.again() } else { None };
            let progress = Arc::new(Progress::default());
            let mut message = http::Request::new(Outgoing::new(content, Arc::clone(&progress)));
            *message.method_mut() = method.clone();
            *message.headers_mut() = headers.clone();
            if let Some((name, value)) = proof {
                message.headers_mut().insert(name.clone(), value.clone());
            }
            address(&mut message, &lease.sender, origin, &target.path_and_query())?;
            let outcome = match &mut lease.sender {
                Sender::Http1(sender) => sender.try_send_request(message).await,
                Sender::Http2(sender) => sender.try_send_request(message).await,
            };
            let mut failed = match outcome {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    let target = (*at == At::Home).then_some(target);
                    return Ok(Received::new(head, body, Held::new(lease, room, progress), target));
                }
                Err(failed) => failed,
            };
            // Handed back unsent: nobody has received it, so any request may go again. Sent on a
            // kept connection that the server was closing: only what is safe to repeat may.
            let unsent = failed.take_message().map(|message| message.into_body().into_content());
            content = match unsent.or(spare) {
                Some(content) if lease.reused && handed < HANDED_MAX => content,
                _ => return Err(progress.failed().unwrap_or_else(|| lease.failure(failed.error()))),
            };
            fresh = handed + 1 == HANDED_MAX;
        }
    }
}

/// Origin-form with a `Host` header for HTTP/1.1, the whole URI for HTTP/2's pseudo headers.
pub(crate) fn address(
    message: &mut http::Request<Outgoing>,
    sender: &Sender,
    origin: &Origin,
    target: &str,
) -> Result<(), Error> {
    let wrong = || Error::new(Kind::Input, "https-path", "path and query make no URI");
    let authority = origin.authority();
    let uri = match sender {
        Sender::Http1(_) => {
            let host = HeaderValue::from_str(&authority).map_err(|_| wrong())?;
            message.headers_mut().insert(header::HOST, host);
            target.parse::<Uri>()
        }
        Sender::Http2(_) => format!("https://{authority}{target}").parse(),
    };
    *message.uri_mut() = uri.map_err(|_| wrong())?;
    Ok(())
}

/// The headers that go along with a redirect: to another origin only those that say what we read.
fn travelling(mut headers: HeaderMap, at: &At, keeps_content: bool) -> HeaderMap {
    if *at != At::Home {
        const HARMLESS: [header::HeaderName; 3] = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT];
        let kept = HARMLESS.into_iter().filter_map(|name| headers.remove(&name).map(|value| (name, value)));
        return kept.collect();
    }
    if !keeps_content {
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION]
        {
            headers.remove(name);
        }
    }
    headers
}

/// Has no certificate to show.
#[derive(Debug)]
struct Anonymous;

impl ResolvesClientCert for Anonymous {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
