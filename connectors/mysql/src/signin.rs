//! Opens one connection: dial through the egress rule, ask for TLS, verify, sign in.
//!
//! The server speaks first, in the clear, and anybody on the way could have written it. So nothing of
//! that is believed but what changes nothing: which seed the password is proved over (the proof goes
//! to the verified server alone) and which of its abilities we use. Who the server is, its version and
//! the number of the connection are asked for again behind TLS.

use std::{sync::Arc, time::Instant};

use bytes::{Bytes, BytesMut};
use lockgate_connector_api::{
    Egress, Error, Host, Kind, Route, Secret,
    sql::{Account, Session as _},
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use zeroize::Zeroizing;

use crate::{
    failure,
    fields::Fields,
    proof::Way,
    session::Session,
    wire::{self, ANSWER_BYTES_MAX, Wire},
};

/// Longest greeting.
const GREETING_BYTES_MAX: usize = 4 << 10;
/// What we say that we take at once. The server has a limit of its own.
const PACKET_BYTES_MAX: u32 = 1 << 30;
/// `utf8mb4_general_ci`, which all servers have.
const CHARACTERS: u8 = 45;

/// What both sides can do (MySQL source documentation, "Capabilities Flags").
mod can {
    pub const NOT_MARIADB: u32 = 1;
    pub const FOUND_ROWS: u32 = 1 << 1;
    pub const LONG_FLAG: u32 = 1 << 2;
    pub const WITH_DATABASE: u32 = 1 << 3;
    pub const LOCAL_FILES: u32 = 1 << 7;
    pub const PROTOCOL_41: u32 = 1 << 9;
    pub const TLS: u32 = 1 << 11;
    pub const TRANSACTIONS: u32 = 1 << 13;
    pub const SECURE: u32 = 1 << 15;
    pub const RESULTS: u32 = 1 << 17;
    pub const PREPARED_RESULTS: u32 = 1 << 18;
    pub const WAYS: u32 = 1 << 19;
    /// Beyond the 32 bits of MySQL: columns with what MariaDB knows of their type.
    pub const MARIADB_METADATA: u32 = 1 << 3;
}

/// What a server must be able to do.
const NEEDED: u32 = can::PROTOCOL_41 | can::SECURE | can::WAYS;

/// Whether a connection may be asked for the content of a file, by `load data local`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// The server is told that it cannot be.
    None,
    /// For the one call that offers a stream.
    One,
}

/// What a server says first.
struct Greeting {
    able: u32,
    able_mariadb: u32,
    seed: Vec<u8>,
    way: Option<Way>,
}

/// Opens a connection and signs in. The caller ends it at the deadline.
pub(crate) async fn connect(
    egress: &Egress,
    account: &Account,
    tls: &Arc<ClientConfig>,
    files: Files,
    deadline: Instant,
) -> Result<Session, Error> {
    let (host, port) = (account.address.host(), account.address.port());
    let dialled = egress.dial(host, port, account.proxy.as_ref(), deadline).await?;
    begin(dialled, account, tls, files).await
}

/// Ends a connection at the server, with what it is doing, unless we reach another server behind that address: there
/// its number is somebody else's. We travel as it did: by the addresses that
/// were vetted, over TLS with the same name verified.
pub(crate) async fn kill(
    egress: &Egress,
    account: &Account,
    tls: &Arc<ClientConfig>,
    (route, number, server): (Route, u64, &str),
    deadline: Instant,
) -> Result<(), Error> {
    let dialled = egress.dial_again(route, route.endpoint().addr().port(), deadline).await?;
    let mut session = begin(dialled, account, tls, Files::None).await?;
    if session.server == server {
        session.say(&format!("kill {number}")).await?;
    }
    session.close().await;
    Ok(())
}

async fn begin(
    (mut stream, route): (TcpStream, Route),
    account: &Account,
    tls: &Arc<ClientConfig>,
    files: Files,
) -> Result<Session, Error> {
    let greeting = greeting(&mut stream).await?;
    let mut able = NEEDED
        | can::TLS
        | can::FOUND_ROWS
        | can::LONG_FLAG
        | can::WITH_DATABASE
        | can::TRANSACTIONS
        | can::RESULTS
        | can::PREPARED_RESULTS
        | greeting.able & can::NOT_MARIADB;
    if files == Files::One {
        able |= can::LOCAL_FILES;
    }
    let mut hello = able.to_le_bytes().to_vec();
    hello.extend(PACKET_BYTES_MAX.to_le_bytes());
    hello.push(CHARACTERS);
    hello.extend([0; 19]);
    hello.extend((greeting.able_mariadb & can::MARIADB_METADATA).to_le_bytes());
    let stream = secure(stream, &hello, account.address.host(), tls).await?;
    let mut wire = Wire::new(stream, 2);
    authenticate(&mut wire, hello, &greeting, account).await?;
    let has_metadata = greeting.able_mariadb & can::MARIADB_METADATA != 0;
    Session::begin(wire, route, has_metadata).await
}

/// Reads what the server says first, and not a byte more: what follows belongs to TLS.
async fn greeting(stream: &mut TcpStream) -> Result<Greeting, Error> {
    let header = stream.read_u32_le().await.map_err(|e| failure::of_io(&e))?;
    let (length, number) = (header as usize & 0xff_ffff, header >> 24);
    if number != 0 || length > GREETING_BYTES_MAX {
        return Err(failure::protocol("what it says first is no greeting"));
    }
    let mut packet = vec![0; length];
    stream.read_exact(&mut packet).await.map_err(|e| failure::of_io(&e))?;
    let mut fields = Fields(&packet);
    match fields.byte()? {
        10 => {}
        0xff => return Err(failure::reported(fields.0)),
        _ => return Err(failure::protocol("a greeting of another version")),
    }
    // Its version and the number of the connection: asked for behind TLS.
    fields.ended();
    fields.long()?;
    let mut seed = fields.bytes(8)?.to_vec();
    fields.byte()?;
    let low = u32::from(fields.short()?);
    fields.bytes(3)?;
    let able = low | u32::from(fields.short()?) << 16;
    // How long the seed is, which we know, and what is kept free.
    fields.bytes(7)?;
    let beyond = fields.long()?;
    let able_mariadb = if able & can::NOT_MARIADB == 0 { beyond } else { 0 };
    if able & can::TLS == 0 {
        return Err(Error::new(
            Kind::Identity,
            "mysql-no-tls",
            "the server offers no TLS (`ssl_cert` and `ssl_key` in its configuration); nothing was sent to it",
        ));
    }
    if able & NEEDED != NEEDED {
        return Err(failure::protocol("a server that is too old"));
    }
    seed.extend(fields.ended());
    let way = Way::named(fields.ended());
    Ok(Greeting { able, able_mariadb, seed, way })
}

/// Asks for TLS and verifies the server.
async fn secure(
    mut stream: TcpStream,
    hello: &[u8],
    host: &Host,
    tls: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(name.clone())
            .map_err(|_| Error::new(Kind::Configuration, "mysql-name", "the host cannot stand in a certificate"))?,
        Host::Ip(ip) => ServerName::from(*ip),
    };
    let mut packet = BytesMut::new();
    wire::put(&mut packet, hello, 1);
    stream.write_all(&packet).await.map_err(|e| failure::of_io(&e))?;
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(|e| failure::of_io(&e))
}

async fn authenticate(wire: &mut Wire, hello: Vec<u8>, greeting: &Greeting, account: &Account) -> Result<(), Error> {
    // Where the server begins with a way that we do not go, it says which one the user has.
    let mut way = greeting.way.filter(|way| greeting.seed.len() == way.seed_bytes()).unwrap_or(Way::Native);
    let mut answer = hello;
    answer.extend_from_slice(account.username.as_bytes());
    answer.push(0);
    let proved = proof(way, account.password.as_ref(), &greeting.seed)?;
    answer.push(u8::try_from(proved.len()).unwrap_or_default());
    answer.extend(proved);
    for text in [account.database.as_bytes(), way.name().as_bytes()] {
        answer.extend_from_slice(text);
        answer.push(0);
    }
    wire.send(&answer).await?;
    let mut switched = false;
    loop {
        let packet = said(wire).await?;
        let mut fields = Fields(&packet);
        match fields.byte()? {
            0x00 => return Ok(()),
            0xff => return Err(failure::reported(fields.0)),
            0xfe if !switched && !fields.0.is_empty() => {
                switched = true;
                way = Way::named(fields.ended()).ok_or_else(|| {
                    failure::sign_in(
                        "the server asks for a way to sign in other than `caching_sha2_password`, `client_ed25519` and `mysql_native_password`",
                    )
                })?;
                // What is to be signed may hold zeros.
                let seed = if way == Way::Ed25519 { fields.0 } else { fields.ended() };
                wire.send(&proof(way, account.password.as_ref(), seed)?).await?;
            }
            // The server has the hash that the proof is of at hand: what follows is its yes or no.
            0x01 if way == Way::CachingSha2 && fields.0 == [3] => {}
            // It has not, as after a restart, and must be shown the password once. It is verified.
            0x01 if way == Way::CachingSha2 && fields.0 == [4] => {
                let password = account
                    .password
                    .as_ref()
                    .ok_or_else(|| failure::sign_in("the server asks for a password and the account has none"))?;
                let mut shown = Zeroizing::new(password.expose().as_bytes().to_vec());
                shown.push(0);
                wire.send(&shown).await?;
            }
            _ => return Err(failure::sign_in("the server asks for a way to sign in that we do not go")),
        }
    }
}

async fn said(wire: &mut Wire) -> Result<Bytes, Error> {
    wire.receive(ANSWER_BYTES_MAX, failure::too_long).await
}

/// What proves the account's password; nothing where it has none.
fn proof(way: Way, password: Option<&Secret>, seed: &[u8]) -> Result<Vec<u8>, Error> {
    if seed.len() != way.seed_bytes() {
        return Err(failure::protocol("what the password is proved over is of another length"));
    }
    Ok(password.map_or_else(Vec::new, |password| way.proof(password.expose().as_bytes(), seed)))
}
