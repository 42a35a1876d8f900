//! Hostile and clumsy peers: each is bounded, and the server goes on.

use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use lockgate_keys::ClientCertificates;
use lockgate_listener::{BodyError, Handler, Peer, Reply, ReplyBody, RequestBody, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Running, is_closed, read_all, request};

/// `/slow` takes a second, `/big` answers much, `/who` tells the peer's certificate, all else tells
/// how long the body was.
#[derive(Clone)]
struct Echo;

impl Handler for Echo {
    async fn handle(&self, request: Request<RequestBody>) -> Reply {
        match request.uri().path() {
            "/slow" => tokio::time::sleep(Duration::from_secs(1)).await,
            "/big" => return Response::new(ReplyBody::bytes(vec![b'x'; 64 << 20])),
            "/who" => {
                let certificate = request.extensions().get::<Peer>().and_then(|p| p.certificate.clone());
                return Response::new(ReplyBody::bytes(format!("{}", certificate.map_or(0, |c| c.len()))));
            }
            _ => {}
        }
        let mut length = 0;
        let mut body = request.into_body();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => length += frame.data_ref().map_or(0, bytes::Bytes::len),
                Err(error) => {
                    let mut reply = Response::new(ReplyBody::bytes(error.to_string()));
                    *reply.status_mut() = if error == BodyError::Slow { 408 } else { 400 }.try_into().unwrap();
                    return reply;
                }
            }
        }
        Response::new(ReplyBody::bytes(length.to_string()))
    }
}

fn status(raw: &str) -> &str {
    raw.get(..12).unwrap_or(raw)
}

async fn lives(server: &Running) {
    for http2 in [false, true] {
        assert_eq!(server.send(http2, request("POST", "/", &[], "12345")).await.body(), "5");
    }
}

#[tokio::test]
async fn smuggled_lengths_are_refused_or_close_the_connection() {
    let server = Running::start(Settings::default(), Echo).await;
    let next = "GET /next HTTP/1.1\r\nhost: a\r\n\r\n";
    for (what, head) in [
        ("two lengths", "content-length: 5\r\ncontent-length: 6\r\n"),
        ("a length of words", "content-length: five\r\n"),
        ("a signed length", "content-length: +5\r\n"),
        ("an unknown coding", "transfer-encoding: gzip\r\n"),
        ("chunked not last", "transfer-encoding: chunked, gzip\r\n"),
        ("a spaced name", "content-length : 5\r\n"),
        ("a folded line", "x: a\r\n b\r\n"),
        ("a bare line feed in a value", "x: a\rb\r\n"),
    ] {
        let raw = server.raw(format!("POST / HTTP/1.1\r\nhost: a\r\n{head}\r\nhello{next}").as_bytes()).await;
        assert_eq!(status(&raw), "HTTP/1.1 400", "{what}: {raw}");
        assert_eq!(raw.matches("HTTP/1.1").count(), 1, "{what}: the rest was taken as a request: {raw}");
    }
    for head in
        ["content-length: 5\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 5\r\n"]
    {
        let raw = server.raw(format!("POST / HTTP/1.1\r\nhost: a\r\n{head}\r\n0\r\n\r\n{next}").as_bytes()).await;
        assert_eq!(raw.matches("HTTP/1.1").count(), 1, "both framings, and the connection went on: {raw}");
    }
    lives(&server).await;
}

#[tokio::test]
async fn heads_have_a_size() {
    let settings = Settings { head_bytes_max: 16 << 10, headers_max: 32, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    let many = (0..33).map(|n| format!("x{n}: 1\r\n")).collect::<String>();
    let long = format!("x: {}\r\n", "y".repeat(20 << 10));
    for (what, head) in [("too many fields", many), ("too long a field", long)] {
        let raw = server.raw(format!("GET / HTTP/1.1\r\nhost: a\r\n{head}\r\n").as_bytes()).await;
        assert_eq!(status(&raw), "HTTP/1.1 431", "{what}");
    }
    let raw = server.raw(format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "y".repeat(70_000)).as_bytes()).await;
    assert!(matches!(status(&raw), "HTTP/1.1 414" | "HTTP/1.1 431"), "too long an address: {raw}");
    lives(&server).await;
}

#[tokio::test]
async fn a_peer_that_never_finishes_is_let_go() {
    let settings = Settings { handshake_ms_max: 200, head_ms_max: 200, stall_ms_max: 200, ..Settings::default() };
    let server = Running::start(settings, Echo).await;

    let mut mute = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let mut none = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), mute.read_to_end(&mut none)).await;
    assert!(ended.is_ok(), "no handshake, and the connection stays");

    let mut tls = server.tls(&[b"http/1.1"], None).await.unwrap();
    tls.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
    assert!(is_closed(&mut tls, Duration::from_secs(5)).await, "half a head, and the connection stays");

    let mut tls = server.tls(&[b"http/1.1"], None).await.unwrap();
    tls.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    let raw = read_all(&mut tls).await;
    assert_eq!(status(&raw), "HTTP/1.1 408", "half a body: {raw}");
    assert!(is_closed(&mut tls, Duration::from_secs(5)).await);
    lives(&server).await;
}

#[tokio::test]
async fn a_body_that_drips_has_an_end() {
    let settings = Settings { stall_ms_max: 5_000, body_ms_max: 300, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    let mut tls = server.tls(&[b"http/1.1"], None).await.unwrap();
    tls.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    let began = Instant::now();
    for _ in 0..100 {
        if tls.write_all(b"x").await.is_err() || began.elapsed() > Duration::from_secs(2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status(&read_all(&mut tls).await), "HTTP/1.1 408");
}

#[tokio::test]
async fn a_reply_that_is_not_taken_ends_the_connection() {
    let settings = Settings { stall_ms_max: 200, reply_ms_max: 400, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    let mut tls = server.tls(&[b"http/1.1"], None).await.unwrap();
    tls.write_all(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut taken = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), tls.read_to_end(&mut taken)).await;
    assert!(ended.is_ok(), "the connection stays");
    assert!(taken.len() < 64 << 20, "all of it was sent");
    lives(&server).await;
}

#[tokio::test]
async fn an_http2_window_that_stays_closed_ends_the_connection() {
    let settings = Settings { reply_ms_max: 400, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    let mut tls = server.tls(&[b"h2"], None).await.unwrap();
    // A window of zero for each stream.
    let window = [&[0, 0, 6, 4, 0, 0, 0, 0, 0][..], &[0, 4, 0, 0, 0, 0]].concat();
    tls.write_all(&[PREFACE, &window, &get(1, b"\x04\x04/big")].concat()).await.unwrap();
    assert!(is_closed(&mut tls, Duration::from_secs(5)).await, "the connection stays");
    lives(&server).await;
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A HEADERS frame that ends stream and headers: `:method GET`, `:scheme https`, the path as a
/// literal field (RFC 7541 §6.2.2) and an authority.
fn get(stream: u32, path: &[u8]) -> Vec<u8> {
    let block = [&[0x82, 0x87], path, &[0x01, 1, b'a']].concat();
    let mut frame = vec![0, 0, u8::try_from(block.len()).unwrap(), 1, 0x5];
    frame.extend(stream.to_be_bytes());
    frame.extend(block);
    frame
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let server = Running::start(Settings::default(), Echo).await;
    let mut tls = server.tls(&[b"h2"], None).await.unwrap();
    tls.write_all(&[PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat()).await.unwrap();
    let mut flood = Vec::new();
    for stream in (1..20_000u32).step_by(2) {
        flood.extend(get(stream, b"\x04\x05/slow"));
        flood.extend([0, 0, 4, 3, 0]);
        flood.extend(stream.to_be_bytes());
        flood.extend(8u32.to_be_bytes());
    }
    let (mut from, mut to) = tokio::io::split(tls);
    let flooding = tokio::spawn(async move { to.write_all(&flood).await.and(to.flush().await) });
    let mut answered = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), from.read_to_end(&mut answered)).await;
    assert!(ended.is_ok(), "10000 resets, and the connection stays");
    // GOAWAY, ENHANCE_YOUR_CALM (RFC 9113 §7).
    let calm = answered.windows(9).any(|w| w[3] == 7) && answered.windows(4).any(|w| w == 11u32.to_be_bytes());
    assert!(calm, "no GOAWAY that says why");
    flooding.abort();
    lives(&server).await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once() {
    let settings = Settings { connections_per_source_max: 2, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    let first = server.tls(&[b"h2"], None).await.unwrap();
    let _second = server.tls(&[b"h2"], None).await.unwrap();
    assert!(server.tls(&[b"h2"], None).await.is_err(), "a third one was let in");
    drop(first);
    for _ in 0..100 {
        if server.tls(&[b"h2"], None).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place was not freed");
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let settings = Settings { idle_ms_max: 200, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    for alpn in [&b"h2"[..], b"http/1.1"] {
        let mut tls = server.tls(&[alpn], None).await.unwrap();
        if alpn == b"h2" {
            tls.write_all(&[PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat()).await.unwrap();
        }
        assert!(is_closed(&mut tls, Duration::from_secs(5)).await, "{alpn:?}");
    }
}

#[tokio::test]
async fn a_request_in_flight_ends_before_the_server_does() {
    for http2 in [false, true] {
        let server = Running::start(Settings::default(), Echo).await;
        let stop = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            server.stop();
            // The listening socket is gone while the request goes on.
            let began = Instant::now();
            while tokio::net::TcpStream::connect(server.address).await.is_ok() {
                assert!(began.elapsed() < Duration::from_secs(5), "still listening");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (reply, ()) = tokio::join!(server.send(http2, request("POST", "/slow", &[], "123")), stop);
        assert_eq!(reply.body(), "3");
        assert_eq!(server.drained().await.dropped, 0);
    }
}

#[tokio::test]
async fn what_does_not_end_is_dropped_at_the_deadline() {
    let settings = Settings { drain_ms_max: 100, ..Settings::default() };
    let server = Running::start(settings, Echo).await;
    let mut tls = server.tls(&[b"http/1.1"], None).await.unwrap();
    tls.write_all(b"POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    assert_eq!(server.drained().await.dropped, 1);
    assert!(began.elapsed() < Duration::from_millis(700));
}

#[tokio::test]
async fn a_clients_certificate_reaches_the_handler() {
    let clients = |authority: &lockgate_keys::Authority| ClientCertificates::Optional(authority.trust().unwrap());
    let server = Running::start_with(Settings::default(), Echo, clients).await;
    assert_eq!(server.send(false, request("GET", "/who", &[], "")).await.body(), "0");
    let own = server.client_identity("erp");
    let mut tls = server.tls(&[b"http/1.1"], Some(&own)).await.unwrap();
    tls.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let raw = read_all(&mut tls).await;
    let length: usize = raw.rsplit("\r\n").next().unwrap().parse().unwrap();
    assert!(length > 100, "{raw}");
}
