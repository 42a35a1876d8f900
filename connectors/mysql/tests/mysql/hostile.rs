//! Servers that do what MariaDB does not: those of MySQL 8, which sign in by another way, and those
//! that are bad though they prove who they are.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use lockgate_connector_api::{Body, Call, Kind};
use lockgate_testkit::{
    Pki,
    contract::{CANARY, sql::loads, tells_nothing},
    pki::Server,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::account::{Account, binding, call};

/// A greeting that says that TLS is to be had (MySQL source documentation, `Protocol::HandshakeV10`),
/// of a server whose users have `mysql_native_password`.
pub const GREETS_NATIVE: &[u8] =
    b"\x49\0\0\0\x0a8.0.0\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0\
ijklmnopqrst\0mysql_native_password\0";
/// The same of one whose users have `caching_sha2_password`.
const GREETS_SHA2: &[u8] =
    b"\x49\0\0\0\x0a8.0.0\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0\
ijklmnopqrst\0caching_sha2_password\0";
const OK: &[u8] = b"\0\0\0\x02\0\0\0";

/// What a server says in turn: each after the client has said something.
type Says = &'static [&'static [u8]];

/// A server that says what it was told to, whatever it hears.
struct Scripted {
    pki: Pki,
    port: u16,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    _accepting: JoinHandle<()>,
}

impl Scripted {
    async fn start(greeting: &'static [u8], says: Says) -> Self {
        let pki = Pki::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(pki.server_config(Server::Good, false, &[]));
        let accepting = tokio::spawn({
            let heard = Arc::clone(&heard);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, acceptor.clone(), greeting, says, Arc::clone(&heard)));
                }
            }
        });
        Self { pki, port, heard, _accepting: accepting }
    }

    fn account(&self) -> Account {
        binding(self.port).open(&self.pki)
    }

    /// The packets that came, on all connections.
    fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    greeting: &'static [u8],
    says: Says,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
) -> Option<()> {
    stream.write_all(greeting).await.ok()?;
    stream.read_exact(&mut [0; 36]).await.ok()?;
    let mut stream = acceptor.accept(stream).await.ok()?;
    for say in says {
        let number = hear(&mut stream, &heard).await?;
        // Several packets may stand in one, each with its length before it.
        let mut rest = *say;
        let mut number = number;
        while !rest.is_empty() {
            let (part, after) = match rest.split_first() {
                Some((0xee, after)) => after[1..].split_at(after[0].into()),
                _ => (rest, &[][..]),
            };
            number = number.wrapping_add(1);
            let mut packet = u32::try_from(part.len()).unwrap().to_le_bytes();
            packet[3] = number;
            stream.write_all(&packet).await.ok()?;
            stream.write_all(part).await.ok()?;
            rest = after;
        }
    }
    while hear(&mut stream, &heard).await.is_some() {}
    None
}

async fn hear(stream: &mut TlsStream<TcpStream>, heard: &Mutex<Vec<Vec<u8>>>) -> Option<u8> {
    let header = stream.read_u32_le().await.ok()?;
    let mut packet = vec![0; header as usize & 0xff_ffff];
    stream.read_exact(&mut packet).await.ok()?;
    heard.lock().unwrap().push(packet);
    Some((header >> 24) as u8)
}

/// The answer to the question for number, version and server: 7, 8.0.0 and h:1. `0xee` and a length stand before
/// each packet.
const NUMBER: &[u8] = b"\xee\x01\x03\
\xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\
\xee\x17\x03def\0\0\0\x01b\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\
\xee\x17\x03def\0\0\0\x01c\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\
\xee\x05\xfe\0\0\x02\0\
\xee\x0c\x017\x058.0.0\x03h:1\
\xee\x05\xfe\0\0\x02\0";

fn hurried(call: Call) -> Call {
    Call { deadline: Instant::now() + Duration::from_secs(3), ..call }
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_8_has_the_proof_at_hand() {
    let server = Scripted::start(GREETS_SHA2, &[b"\xee\x02\x01\x03\xee\x07\0\0\0\x02\0\0\0", NUMBER, OK, OK]).await;
    server.account().test().await.unwrap();
    let heard = server.heard();
    // Abilities, name, a proof of 32 bytes, database and way; and no password.
    assert!(heard[0][32..].starts_with(b"app\0\x20"), "{:?}", heard[0]);
    assert!(heard[0].ends_with(b"peer\0caching_sha2_password\0"));
    assert_eq!(heard[1], b"\x03select connection_id(), version(), concat(@@hostname, ':', @@port)");
    assert_eq!(heard[2], b"\x0e");
    assert!(!heard.concat().windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
}

/// After a restart it has not: a verified server is shown the password, once.
#[tokio::test(flavor = "multi_thread")]
async fn mysql_8_is_shown_the_password_where_it_must() {
    let server = Scripted::start(GREETS_SHA2, &[b"\x01\x04", OK, NUMBER, OK, OK]).await;
    server.account().test().await.unwrap();
    assert_eq!(server.heard()[1], format!("{CANARY}\0").as_bytes());
    // One that has not proved who it is hears nothing at all.
    let elsewhere = binding(server.port).open(&Pki::new());
    assert_eq!(elsewhere.test().await.unwrap_err().kind(), Kind::Identity);
    // By the other way nobody is shown it.
    let server = Scripted::start(GREETS_NATIVE, &[b"\x01\x04", OK]).await;
    assert_eq!(server.account().test().await.unwrap_err().kind(), Kind::Authentication);
    assert!(!server.heard().concat().windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_is_changed_once_and_never_to_a_weak_one() {
    const SWITCHED: &[u8] = b"\xfecaching_sha2_password\0ABCDEFGHIJKLMNOPQRST\0";
    let server =
        Scripted::start(GREETS_NATIVE, &[SWITCHED, b"\xee\x02\x01\x03\xee\x07\0\0\0\x02\0\0\0", NUMBER, OK]).await;
    server.account().test().await.unwrap();
    assert_eq!(server.heard()[1].len(), 32);
    let says: [Says; 6] = [
        &[b"\xfemysql_clear_password\0", OK],
        &[b"\xfemysql_old_password\0ABCDEFGH\0", OK],
        &[b"\xfesha256_password\0ABCDEFGHIJKLMNOPQRST\0", OK],
        &[b"\xfedialog\0ABCDEFGHIJKLMNOPQRST\0", OK],
        &[b"\xfe", OK],
        &[SWITCHED, SWITCHED, OK],
    ];
    for says in says {
        let server = Scripted::start(GREETS_NATIVE, says).await;
        let error = server.account().test().await.unwrap_err();
        tells_nothing(&error);
        assert_eq!((error.kind(), error.code()), (Kind::Authentication, "mysql-sign-in"), "{says:?}");
        assert!(
            server.heard().len() <= 2 && !server.heard().concat().windows(CANARY.len()).any(|w| w == CANARY.as_bytes())
        );
    }
}

/// Whatever is asked of it, the server asks for a file; it is given nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_file_gets_none() {
    const ASKS: &[u8] = b"\xfb/etc/passwd";
    let query = || hurried(call("query", "select 1", json!([])));
    let input = json!({"table": "t", "columns": ["n"], "header": false});
    let load = || hurried(loads::load(&input, Body::full("secret lines")));
    // What a table's columns are asked by, and its one column.
    const PREPARED: &[u8] = b"\xee\x0c\0\x01\0\0\0\x02\0\x02\0\0\0\0\xee\x01\x01\xee\x01\x01\xee\x05\xfe\0\0\x02\0\
        \xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\xee\x17\x03def\0\0\0\x01b\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\xee\x05\xfe\0\0\x02\0";
    const COLUMN: &[u8] = b"\xee\x01\x02\xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\
        \xee\x17\x03def\0\0\0\x01b\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\xee\x05\xfe\0\0\x02\0\xee\x08\0\0\x01n\x03int\xee\x05\xfe\0\0\x02\0";
    let says: [(Says, &dyn Fn() -> Call, usize); 7] = [
        (&[ASKS], &query, 1),
        (&[OK, ASKS], &query, 2),
        (&[OK, NUMBER, ASKS], &query, 3),
        (&[OK, NUMBER, OK, OK, ASKS], &query, 5),
        // A statement that gives one column, and asks when it is run.
        (&[OK, NUMBER, OK, OK, b"\xee\x0c\0\x01\0\0\0\x01\0\0\0\0\0\0\xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\xee\x05\xfe\0\0\x02\0", ASKS], &query, 6),
        // Where a stream is offered, before it is, and by another name.
        (&[OK, NUMBER, ASKS], &load, 3),
        (&[OK, NUMBER, OK, PREPARED, COLUMN, OK, ASKS], &load, 7),
    ];
    for (at, (says, call, packets)) in says.into_iter().enumerate() {
        let server = Scripted::start(GREETS_NATIVE, says).await;
        let error = server.account().invoke(call()).await.unwrap_err();
        tells_nothing(&error);
        assert!(matches!(error.kind(), Kind::Protocol | Kind::Authentication), "{at}: {error}");
        // What follows is the attempt of another connection to end it: a sign-in, and no content.
        let heard = server.heard();
        assert!(heard.len() >= packets && heard.len() <= packets + 1, "{at}: {heard:?}");
        assert!(heard[packets..].iter().all(|packet| packet[32..].starts_with(b"app\0")), "{at}: {heard:?}");
        let told = heard.concat();
        assert!(!told.windows(5).any(|w| w == b"root:") && !told.windows(6).any(|w| w == b"secret"), "{at}");
        // Only a connection that loads says that it could be asked.
        let may_load = heard[0][0] & 0x80 != 0;
        assert_eq!(may_load, call().operation == "load", "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_refused() {
    const PREPARED: &[u8] = b"\xee\x0c\0\x01\0\0\0\x01\0\0\0\0\0\0\xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\xee\x05\xfe\0\0\x02\0";
    let says: [Says; 8] = [
        &[b"\x42"],
        &[OK, b"\xee\x01\x42\xee\x01\x42"],
        &[OK, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"],
        &[OK, NUMBER, b"\xee\x01\x01\xee\x01\x42"],
        &[OK, NUMBER, OK, OK, OK],
        &[OK, NUMBER, OK, OK, b"\xee\x0c\0\x01\0\0\0\xff\xff\0\0\0\0\0\xee\x02\x03d"],
        // A row that is cut off, and one of a type that the server does not have.
        &[OK, NUMBER, OK, OK, PREPARED, b"\xee\x01\x01\xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0\xee\x05\xfe\0\0\x02\0\xee\x03\0\0\x09"],
        &[OK, NUMBER, OK, OK, PREPARED, b"\xee\x01\x01\xee\x17\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\x4d\0\0\0\0\0"],
    ];
    for says in says {
        let server = Scripted::start(GREETS_NATIVE, says).await;
        let error = server.account().invoke(hurried(call("query", "select 1", json!([])))).await.unwrap_err();
        tells_nothing(&error);
        assert!(matches!(error.kind(), Kind::Protocol | Kind::Authentication), "{says:?}: {error}");
    }
    // A packet out of its order: the client's number comes back.
    let greetings: [&[u8]; 4] =
        [b"\x49\0\0\x01\x0a8.0.0\0", b"\xff\xff\xff\0\x0a", b"\x02\0\0\0\x09x", b"\x0a\0\0\0\x0a8.0.0\0\x01\0\0"];
    for greeting in greetings {
        let server = Scripted::start(greeting, &[]).await;
        let error = server.account().invoke(hurried(call("query", "select 1", json!([])))).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{greeting:?}: {error}");
        assert!(server.heard().is_empty());
    }
    // Refused before anybody has said who they are.
    let server = Scripted::start(b"\x14\0\0\0\xff\x10\x04Too many clients.", &[]).await;
    let error = server.account().invoke(hurried(call("query", "select 1", json!([])))).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Unavailable, "mysql-resources"));
}
