//! Opens one connection: dial through the egress rule, ask for TLS, verify, sign in.
//!
//! The server learns nothing but "TLS, please" before its certificate was verified. The password
//! itself is never sent: a server that asks for it in the clear or as MD5 is refused.

use std::{sync::Arc, time::Instant};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use lockgate_connector_api::{Egress, Error, Host, Kind, Route, Secret, sql::Account};
use postgres_protocol::{
    authentication::sasl::{ChannelBinding, SCRAM_SHA_256_PLUS, ScramSha256},
    message::{
        backend::{AuthenticationSaslBody, Message},
        frontend,
    },
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    binding,
    failure::{self, Reported},
    session::Session,
    wire::{MESSAGE_BYTES_MAX, Wire},
};

/// Most iterations of SCRAM: the library's own bound, because a server could keep us busy with them
/// before it has proved anything. PostgreSQL has 4,096 unless it is told otherwise.
const ITERATIONS_MAX: u64 = 100_000;

/// What a cancel request names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CancelKey {
    process: i32,
    secret: i32,
}

/// Opens a connection and signs in. The caller ends it at the deadline.
pub(crate) async fn connect(
    egress: &Egress,
    settings: &Account,
    tls: &Arc<ClientConfig>,
    deadline: Instant,
) -> Result<Session, Error> {
    let (host, port) = (settings.address.host(), settings.address.port());
    let (stream, route) = egress.dial(host, port, settings.proxy.as_ref(), deadline).await?;
    let mut wire = Wire::new(secure(stream, host, tls).await?);
    // How values are written is fixed here, whatever the server or the role has as default: the
    // forms that `read` knows, in UTC.
    let parameters = [
        ("user", settings.username.as_str()),
        ("database", settings.database.as_str()),
        ("application_name", "lockgate"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO"),
        ("IntervalStyle", "iso_8601"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", "3"),
        ("bytea_output", "hex"),
        ("client_min_messages", "error"),
    ];
    wire.write(|out| frontend::startup_message(parameters, out))?;
    wire.flush().await?;
    authenticate(&mut wire, settings).await?;
    let key = ready(&mut wire).await?;
    Session::new(wire, route, key)
}

/// Asks a server to break off what a connection is doing. The request travels as the connection
/// did: by the addresses that were vetted, over TLS with the same name verified.
pub(crate) async fn cancel(
    egress: &Egress,
    host: &Host,
    route: Route,
    key: CancelKey,
    tls: &Arc<ClientConfig>,
    deadline: Instant,
) -> Result<(), Error> {
    let (stream, _) = egress.dial_again(route, route.endpoint().addr().port(), deadline).await?;
    let mut stream = secure(stream, host, tls).await?;
    let mut request = BytesMut::new();
    frontend::cancel_request(key.process, key.secret, &mut request);
    stream.write_all(&request).await.map_err(|e| failure::of_io(&e))?;
    stream.flush().await.map_err(|e| failure::of_io(&e))?;
    // The server closes when it has passed the request on; how it closes says nothing.
    let _ = stream.read_u8().await;
    Ok(())
}

/// Asks for TLS and verifies the server.
async fn secure(mut stream: TcpStream, host: &Host, tls: &Arc<ClientConfig>) -> Result<TlsStream<TcpStream>, Error> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(name.clone())
            .map_err(|_| Error::new(Kind::Configuration, "postgres-name", "the host cannot stand in a certificate"))?,
        Host::Ip(ip) => ServerName::from(*ip),
    };
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await.map_err(|e| failure::of_io(&e))?;
    // One byte and no more: what follows belongs to TLS, so nothing unverified is ever taken for
    // an answer.
    match stream.read_u8().await.map_err(|e| failure::of_io(&e))? {
        b'S' => TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(|e| failure::of_io(&e)),
        b'N' => Err(Error::new(
            Kind::Identity,
            "postgres-no-tls",
            "the server offers no TLS (`ssl = on` in postgresql.conf); nothing was sent to it",
        )),
        _ => Err(failure::protocol("the answer to the request for TLS is neither yes nor no")),
    }
}

async fn authenticate(wire: &mut Wire, settings: &Account) -> Result<(), Error> {
    let mut proved = false;
    loop {
        match wire.receive(MESSAGE_BYTES_MAX).await? {
            Message::AuthenticationOk if proved || settings.has_certificate => return Ok(()),
            Message::AuthenticationOk => {
                return Err(sign_in(
                    "the server lets the role in without its password, so anybody would be let in (`trust` in pg_hba.conf)",
                ));
            }
            Message::AuthenticationSasl(body) if !proved => {
                let password = settings
                    .password
                    .as_ref()
                    .ok_or_else(|| sign_in("the server asks for a password and the account has none"))?;
                scram(wire, &body, password).await?;
                proved = true;
            }
            Message::AuthenticationCleartextPassword | Message::AuthenticationMd5Password(_) => {
                return Err(sign_in(
                    "the server asks for the password in the clear or as MD5, which is never given (use `scram-sha-256` in pg_hba.conf and set the password anew)",
                ));
            }
            Message::ErrorResponse(body) => return Err(Reported::read(&body).error()),
            _ => return Err(sign_in("the server asks for a way to sign in other than SCRAM-SHA-256")),
        }
    }
}

/// SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): both sides prove that they know the password.
async fn scram(wire: &mut Wire, offer: &AuthenticationSaslBody, password: &Secret) -> Result<(), Error> {
    let mut mechanisms = offer.mechanisms();
    let mut offered = false;
    while let Some(mechanism) = mechanisms.next().map_err(|e| failure::of_io(&e))? {
        offered |= mechanism == SCRAM_SHA_256_PLUS;
    }
    if !offered {
        return Err(sign_in(
            "the server offers no SCRAM-SHA-256 with channel binding (is there a proxy that ends TLS before it?)",
        ));
    }
    let certificate = wire.tls().peer_certificates().and_then(|chain| chain.first());
    let certificate = certificate.ok_or_else(|| failure::protocol("there is no server certificate"))?;
    let binding = ChannelBinding::tls_server_end_point(binding::of(certificate)?);
    let mut scram = ScramSha256::new(password.expose().as_bytes(), binding);
    wire.write(|out| frontend::sasl_initial_response(SCRAM_SHA_256_PLUS, scram.message(), out))?;
    wire.flush().await?;
    let body = match wire.receive(MESSAGE_BYTES_MAX).await? {
        Message::AuthenticationSaslContinue(body) => body,
        Message::ErrorResponse(body) => return Err(Reported::read(&body).error()),
        _ => return Err(failure::protocol("SCRAM does not go on")),
    };
    if iterations(body.data()).is_some_and(|count| count > ITERATIONS_MAX) {
        return Err(sign_in(
            "the server keeps the password with more than 100,000 iterations of SCRAM, which is refused (lower `scram_iterations` and set the password anew)",
        ));
    }
    scram.update(body.data()).map_err(|e| failure::protocol(&e.to_string()))?;
    wire.write(|out| frontend::sasl_response(scram.message(), out))?;
    wire.flush().await?;
    match wire.receive(MESSAGE_BYTES_MAX).await? {
        Message::AuthenticationSaslFinal(body) => scram.finish(body.data()).map_err(|e| {
            Error::new(Kind::Identity, "postgres-unproved", "the server did not prove that it knows the password")
                .with_private(e.to_string())
        }),
        Message::ErrorResponse(body) => Err(Reported::read(&body).error()),
        _ => Err(failure::protocol("SCRAM does not end")),
    }
}

/// How often the server asks for the password to be hashed (RFC 5802, section 5.1, attribute `i`).
fn iterations(first: &[u8]) -> Option<u64> {
    str::from_utf8(first).ok()?.split(',').find_map(|attribute| attribute.strip_prefix("i="))?.parse().ok()
}

/// Waits until the server takes statements.
async fn ready(wire: &mut Wire) -> Result<CancelKey, Error> {
    let mut key = None;
    loop {
        match wire.receive(MESSAGE_BYTES_MAX).await? {
            Message::BackendKeyData(body) => {
                key = Some(CancelKey { process: body.process_id(), secret: body.secret_key() });
            }
            Message::ReadyForQuery(_) => {
                return key.ok_or_else(|| failure::protocol("the server gives no key to cancel by"));
            }
            Message::ErrorResponse(body) => return Err(Reported::read(&body).error()),
            _ => return Err(failure::protocol("the server does not become ready")),
        }
    }
}

fn sign_in(text: &'static str) -> Error {
    Error::new(Kind::Authentication, "postgres-sign-in", text)
}
