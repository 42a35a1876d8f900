//! Servers that break off, say nothing, or say what no server should.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use lockgate_connector_api::Kind;
use lockgate_testkit::{
    Pki,
    contract::{CANARY, tells_nothing},
    free_port,
    pki::Server,
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::account::{binding, call};

/// What a server does.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// Accepts and says nothing.
    Silent,
    /// Hangs up when it is asked for TLS.
    Closes,
    /// Resets the connection when it is asked for TLS.
    Resets,
    /// Answers the question with this.
    Answers(&'static [u8]),
    /// Agrees to TLS, and says in it this and no more.
    Says(&'static [u8]),
    /// Agrees to TLS, lets everybody in and says this ever again.
    Repeats(&'static [u8]),
}

/// Starts a server; gives its port and what it hears outside and inside TLS.
async fn start(pki: &Pki, does: Does) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(pki.server_config(Server::Good, false, &["postgresql"]));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), does, Arc::clone(&told)));
        }
    });
    (port, heard)
}

async fn serve(mut stream: TcpStream, acceptor: TlsAcceptor, does: Does, heard: Arc<Mutex<Vec<u8>>>) {
    let mut request = [0; 8];
    if stream.read_exact(&mut request).await.is_err() {
        return;
    }
    heard.lock().unwrap().extend(request);
    match does {
        Does::Silent => hear(&mut stream, &heard).await,
        Does::Closes => {}
        Does::Resets => stream.set_zero_linger().unwrap(),
        Does::Answers(bytes) => {
            let _ = stream.write_all(bytes).await;
            hear(&mut stream, &heard).await;
        }
        Does::Says(bytes) => {
            stream.write_all(b"S").await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = stream.write_all(bytes).await;
            let _ = stream.flush().await;
            hear(&mut stream, &heard).await;
        }
        Does::Repeats(bytes) => {
            stream.write_all(b"S").await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            while stream.write_all(bytes).await.is_ok() {}
        }
    }
}

async fn hear<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, heard: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        heard.lock().unwrap().extend(&bytes[..read]);
    }
}

#[tokio::test]
async fn broken_and_hostile_servers_fail_in_time() {
    let pki = Pki::new();
    for (does, kinds) in [
        (Does::Silent, &[Kind::Timeout][..]),
        (Does::Closes, &[Kind::Unreachable]),
        (Does::Resets, &[Kind::Unreachable]),
        (Does::Answers(b"N"), &[Kind::Identity]),
        (Does::Answers(b"E\0\0\0\x0cpeer-words\0"), &[Kind::Protocol]),
        (Does::Answers(b"HTTP/1.1 400 peer-words\r\n\r\n"), &[Kind::Protocol]),
        // Agrees, and puts an answer in front of TLS.
        (Does::Answers(b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"), &[Kind::Protocol]),
        (Does::Says(b""), &[Kind::Timeout]),
        (Does::Says(b"?\0\0\0\x04"), &[Kind::Protocol]),
        (Does::Says(b"R\0\0\0\x01"), &[Kind::Protocol]),
        (Does::Says(b"R\0\0\0\x08\0\0"), &[Kind::Timeout]),
        // Longer than any message that is no row, longer than can be.
        (Does::Says(b"R\x7f\xff\xff\xff"), &[Kind::Protocol]),
        (Does::Says(b"E\xff\xff\xff\xff"), &[Kind::Protocol]),
        // In without a proof; the password in the clear, as MD5; another way; SCRAM without binding.
        (Does::Says(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"), &[Kind::Authentication]),
        (Does::Says(b"R\0\0\0\x08\0\0\0\x03"), &[Kind::Authentication]),
        (Does::Says(b"R\0\0\0\x0c\0\0\0\x05salt"), &[Kind::Authentication]),
        (Does::Says(b"R\0\0\0\x08\0\0\0\x07"), &[Kind::Authentication]),
        (Does::Says(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"), &[Kind::Authentication]),
        // SCRAM with an end that proves nothing.
        (Does::Says(b"R\0\0\0\x1c\0\0\0\x0aSCRAM-SHA-256-PLUS\0\0R\0\0\0\x08\0\0\0\0"), &[Kind::Protocol]),
        // Notices and nothing else.
        (Does::Repeats(b"N\0\0\0\x05\0"), &[Kind::Timeout]),
        (Does::Repeats(b"S\0\0\0\x0aa\0b\0\0\0"), &[Kind::Protocol, Kind::Timeout]),
    ] {
        let (port, heard) = start(&pki, does).await;
        let account = binding(port).open(&pki);
        let mut call = call("query", "select 1", json!([]));
        let begun = Instant::now();
        if kinds.contains(&Kind::Timeout) {
            call.deadline = begun + Duration::from_millis(700);
        }
        let error = account.invoke(call).await.expect_err("a broken server");
        tells_nothing(&error);
        assert!(kinds.contains(&error.kind()), "{does:?}: {error}, {}", error.private().reveal());
        assert!(begun.elapsed() < Duration::from_secs(20), "{does:?}: took {:?}", begun.elapsed());
        let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
        assert!(!heard.contains(CANARY), "{does:?}: the password was sent");
        if !matches!(does, Does::Says(_)) {
            assert!(!heard.contains("app"), "{does:?}: the role was sent without TLS");
        }
    }
    let nobody = binding(free_port()).open(&pki);
    assert_eq!(nobody.test().await.unwrap_err().kind(), Kind::Unreachable);
}
