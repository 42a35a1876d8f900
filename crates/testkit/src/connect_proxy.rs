//! An HTTP proxy that opens tunnels by CONNECT (RFC 9110 §9.3.6), or behaves as none should; in the
//! test's process. [`crate::Tinyproxy`] is one of somebody else's.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use lockgate_connector_api::{Allowance, Egress, egress::Resolve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Opens tunnels.
    Tunnels,
    /// Opens tunnels, and passes on what the endpoint says first in one piece with its own answer.
    TunnelsAtOnce,
    /// Says that, whatever it is asked, and hangs up.
    Says(&'static str),
    /// Says a head that does not end.
    Endless,
    /// Says nothing.
    Silent,
}

/// A running proxy; it ends when dropped.
#[derive(Debug)]
pub struct ConnectProxy {
    port: u16,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    heads: Mutex<Vec<String>>,
    at_once: AtomicUsize,
}

/// Nobody listens there: what is to be reached there is reached through a [`ConnectProxy`] alone, which
/// takes it for 127.0.0.1.
const BEHIND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// How long an endpoint may take that speaks first.
const SPEAKS_WITHIN: Duration = Duration::from_millis(500);

impl ConnectProxy {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::<Seen>::default());
        let accepting = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let seen = Arc::clone(&seen);
                    // One that is given up is nobody's failure.
                    connections.spawn(async move { serve(stream, behaviour, &seen).await.is_ok() });
                }
            }
        });
        Self { port, seen, accepting }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As an account names it.
    pub fn setting(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The heads of what it was asked.
    pub fn asked(&self) -> Vec<String> {
        self.seen.heads.lock().unwrap().clone()
    }

    /// Tunnels in which the endpoint's first words went out with the proxy's own.
    pub fn at_once(&self) -> usize {
        self.seen.at_once.load(Ordering::SeqCst)
    }

    /// A rule under which every name is an address that is reached through this proxy alone. `proxy` and
    /// `endpoint` say which of the two it allows.
    pub fn egress(&self, proxy: bool, endpoint: bool) -> Egress {
        let mut allowed = Vec::new();
        if proxy {
            allowed.push(Allowance::parse("127.0.0.1", self.port, self.port).unwrap());
        }
        if endpoint {
            allowed.push(Allowance::parse(&BEHIND.to_string(), 1, u16::MAX).unwrap());
        }
        Egress::new(allowed).with_resolver(Arc::new(AllBehind))
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct AllBehind;

impl Resolve for AllBehind {
    fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![BEHIND.into()]) })
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, seen: &Seen) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    seen.heads.lock().unwrap().push(head.clone());
    match behaviour {
        Behaviour::Tunnels | Behaviour::TunnelsAtOnce => {}
        Behaviour::Says(words) => return stream.write_all(words.as_bytes()).await,
        Behaviour::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x-more: and more\r\n").await?;
            }
        }
        Behaviour::Silent => std::future::pending().await,
    }
    let mut to: SocketAddr = head.split(' ').nth(1).unwrap().parse().unwrap();
    if to.ip() == BEHIND {
        to.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let Ok(mut up) = TcpStream::connect(to).await else {
        return stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
    };
    let mut answer = b"HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n".to_vec();
    if behaviour == Behaviour::TunnelsAtOnce {
        let said = tokio::time::timeout(SPEAKS_WITHIN, up.read_buf(&mut answer)).await;
        seen.at_once.fetch_add(usize::from(matches!(said, Ok(Ok(1..)))), Ordering::SeqCst);
    }
    stream.write_all(&answer).await?;
    copy_bidirectional(&mut stream, &mut up).await.map(drop)
}
