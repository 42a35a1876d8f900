//! Through a CONNECT proxy: both addresses are checked, and the proxy never sees a name.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use lockgate_connector_api::{Address, Allowance, Call, Config, Egress, Error, Kind, Registry, Scheme, Secret};
use lockgate_connector_https::Https;
use lockgate_document::Document;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{CANARY, context, soon, tells_nothing},
    pki::Server,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy that opens tunnels, or answers something else.
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap();
                    seen.lock().unwrap().push(head.clone());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    let mut up = TcpStream::connect(head.split(' ').nth(1).unwrap()).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut up).await;
                });
            }
        });
        Self { port, asked }
    }
}

async fn get(pki: &Pki, proxy: u16, host: &str, port: u16, egress: Egress) -> Result<u16, Error> {
    let mut registry = Registry::new();
    registry.add::<Https>();
    let settings = [("proxy", format!("127.0.0.1:{proxy}")), ("auth", "bearer".to_owned())];
    let config = Config {
        address: Address::parse(Scheme { name: "https", port: 443 }, true, &format!("https://{host}:{port}")).unwrap(),
        identity: ServerIdentity::System,
        settings: settings.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<BTreeMap<_, _>>(),
        secrets: [("token".to_owned(), Secret::new(CANARY.into()))].into(),
        tls: Some(pki.client_config(None)),
    };
    let cx = context(egress);
    let account = registry.get("https").unwrap().open(config, &cx).unwrap();
    let input = Document::object([("path", "echo".into())]);
    let answer = account.invoke(cx, Call::new("get", input, soon())).await?;
    Ok(answer.output.root().get("status").as_i64().unwrap() as u16)
}

fn allowed(ports: &[u16]) -> Egress {
    let mut all: Vec<_> = ports.iter().map(|p| Allowance::parse("127.0.0.0/8", *p, *p).unwrap()).collect();
    all.extend(ports.iter().map(|p| Allowance::parse("::1", *p, *p).unwrap()));
    Egress::new(all)
}

#[tokio::test]
async fn both_ends_are_vetted() {
    let pki = Pki::new();
    let peer = HttpsPeer::start(pki.server_config(Server::Good, false, &["h2"])).await;
    let proxy = Proxy::start("HTTP/1.1 200 Connection established\r\n\r\n").await;
    for (host, egress) in [
        ("localhost", allowed(&[])),
        ("localhost", allowed(&[proxy.port])),
        ("127.0.0.1", allowed(&[proxy.port])),
        ("localhost", allowed(&[peer.port()])),
        ("169.254.169.254", allowed(&[proxy.port, peer.port()])),
        ("[::ffff:169.254.169.254]", allowed(&[proxy.port, peer.port()])),
    ] {
        let error = get(&pki, proxy.port, host, peer.port(), egress).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
        tells_nothing(&error);
    }
    assert!(proxy.asked.lock().unwrap().is_empty(), "the proxy was asked");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn the_tunnel_is_opened_to_the_address_that_was_checked() {
    let pki = Pki::new();
    let peer = HttpsPeer::start(pki.server_config(Server::Good, false, &["http/1.1"])).await;
    let proxy = Proxy::start("HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n").await;
    let status = get(&pki, proxy.port, "localhost", peer.port(), allowed(&[proxy.port, peer.port()])).await.unwrap();
    assert_eq!(status, 200);
    let asked = proxy.asked.lock().unwrap().join("");
    assert!(asked.starts_with(&format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", peer.port())), "{asked}");
    assert!(!asked.contains("localhost") && !asked.contains(CANARY), "{asked}");
}

#[tokio::test]
async fn a_proxy_cannot_stand_in_for_the_server() {
    let pki = Pki::new();
    for (certificate, kind) in [(Server::WrongHost, Kind::Identity), (Server::UnknownCa, Kind::Identity)] {
        let peer = HttpsPeer::start(pki.server_config(certificate, false, &[])).await;
        let proxy = Proxy::start("HTTP/1.1 200 OK\r\n\r\n").await;
        let egress = allowed(&[proxy.port, peer.port()]);
        let error = get(&pki, proxy.port, "localhost", peer.port(), egress).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(peer.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told() {
    let pki = Pki::new();
    for (answer, status) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", Some(403)),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Some(407)),
        ("HTTP/1.1 302 Found\r\nlocation: https://evil.example\r\n\r\n", Some(302)),
        ("SSH-2.0-x\r\n\r\n", None),
    ] {
        let peer = HttpsPeer::start(pki.server_config(Server::Good, false, &[])).await;
        let proxy = Proxy::start(answer).await;
        let egress = allowed(&[proxy.port, peer.port()]);
        let error = get(&pki, proxy.port, "localhost", peer.port(), egress).await.unwrap_err();
        assert_eq!((error.kind(), error.code(), error.status()), (Kind::Unreachable, "https-proxy", status));
    }
}
