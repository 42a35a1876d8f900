//! A TCP proxy in the test's process that breaks connections in a chosen way at a chosen byte.
//!
//! It stands between a connector and a real server. Offsets count the bytes of one connection in one
//! direction, from its beginning.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// A direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happens to a connection when a byte of one direction comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// What passes arrives so much later, in both directions, as over a long line.
    Latency(Duration),
    /// Both sides are reset after so many bytes.
    Reset(Way, u64),
    /// Both sides are closed, as if all were well, after so many bytes.
    Truncate(Way, u64),
    /// The lowest bit of the byte at that place is the other one.
    Flip(Way, u64),
    /// After so many bytes nothing passes any more, in either direction; nothing is closed.
    BlackHole(Way, u64),
    /// After so many bytes of the server, zeros follow without end.
    Endless(u64),
}

/// A running proxy; it stops when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    fault: Mutex<(Fault, bool)>,
    connections: AtomicUsize,
    open: AtomicUsize,
    happened: AtomicBool,
    up: AtomicU64,
    down: AtomicU64,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl FaultProxy {
    /// A proxy on a free port of 127.0.0.1, to a port there. No fault yet.
    pub async fn start(port: u16) -> Self {
        Self::between(([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], port).into()).await
    }

    /// A proxy from one address to another, for servers that name a port of theirs to their clients. No
    /// fault yet.
    pub async fn between(from: SocketAddr, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(from).await.expect("a free loopback port");
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            fault: Mutex::new((Fault::None, false)),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            happened: AtomicBool::new(false),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
        });
        let accepting = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                // Dropped with this task, so every connection ends with the proxy.
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    let fault = shared.take_fault();
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        carry(stream, fault, &shared).await;
                        shared.open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self { addr, shared, accepting }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// All connections from now on suffer that fault.
    pub fn always(&self, fault: Fault) {
        self.set(fault, false);
    }

    /// The next connection suffers that fault, those after it none.
    pub fn once(&self, fault: Fault) {
        self.set(fault, true);
    }

    /// Connections after those that are open now suffer that fault as well.
    pub fn also(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = (fault, false);
    }

    fn set(&self, fault: Fault, once: bool) {
        *self.shared.fault.lock().unwrap() = (fault, once);
        self.shared.happened.store(false, Ordering::SeqCst);
        self.shared.up.store(0, Ordering::SeqCst);
        self.shared.down.store(0, Ordering::SeqCst);
    }

    /// Connections accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Connections that neither side has closed.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Whether the fault has come about, since it was set.
    pub fn happened(&self) -> bool {
        self.shared.happened.load(Ordering::SeqCst)
    }

    /// Bytes carried since the fault was set, to the server and from it.
    pub fn carried(&self) -> (u64, u64) {
        (self.shared.up.load(Ordering::SeqCst), self.shared.down.load(Ordering::SeqCst))
    }
}

impl Shared {
    fn take_fault(&self) -> Fault {
        let mut fault = self.fault.lock().unwrap();
        let now = fault.0;
        if fault.1 {
            *fault = (Fault::None, false);
        }
        now
    }
}

/// What has become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Carried,
    Reset,
    Closed,
    Swallowed,
}

async fn carry(client: TcpStream, fault: Fault, shared: &Shared) {
    let Ok(server) = TcpStream::connect(shared.target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (fate, mut told) = watch::channel(Fate::Carried);
    let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
    let up = one_way(Way::Up, client_in, server_out, fault, &fate, told.clone(), shared);
    let down = one_way(Way::Down, server_in, client_out, fault, &fate, told.clone(), shared);
    let both = async {
        let (up, down) = tokio::join!(up, down);
        let (client_in, server_out) = up;
        let (server_in, client_out) = down;
        let ends = [client_in.reunite(client_out), server_in.reunite(server_out)];
        if *told.borrow_and_update() == Fate::Reset {
            for stream in ends.iter().flatten() {
                // SO_LINGER 0: closing sends RST.
                let _ = stream.set_zero_linger();
            }
        }
        if *told.borrow() == Fate::Swallowed {
            std::future::pending::<()>().await;
        }
    };
    both.await;
}

/// Carries on after the pause, however much is on its way meanwhile.
async fn delayed(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    pause: Duration,
    count: &AtomicU64,
) -> io::Result<()> {
    let (line, mut arrived) = mpsc::channel::<(Instant, Vec<u8>)>(256);
    let entering = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = from.read(&mut buffer).await?;
            let piece = buffer.get(..read).unwrap_or_default().to_vec();
            if read == 0 || line.send((Instant::now() + pause, piece)).await.is_err() {
                return Ok(());
            }
        }
    };
    let leaving = async {
        while let Some((due, piece)) = arrived.recv().await {
            tokio::time::sleep_until(due).await;
            count.fetch_add(piece.len() as u64, Ordering::SeqCst);
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(entering, leaving).map(drop)
}

async fn one_way(
    way: Way,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    fault: Fault,
    fate: &watch::Sender<Fate>,
    mut told: watch::Receiver<Fate>,
    shared: &Shared,
) -> (OwnedReadHalf, OwnedWriteHalf) {
    let count = if way == Way::Up { &shared.up } else { &shared.down };
    let carrying = async {
        if let Fault::Latency(pause) = fault {
            return delayed(&mut from, &mut to, pause, count).await;
        }
        let mut buffer = vec![0; 64 << 10];
        let mut carried = 0_u64;
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return to.shutdown().await;
            }
            let mut piece = &mut buffer[..read];
            let here = |at: u64| (carried..carried + read as u64).contains(&at).then(|| (at - carried) as usize);
            let mut ends = None;
            match fault {
                Fault::Flip(of, at) if of == way => {
                    if let Some(place) = here(at) {
                        piece[place] ^= 1;
                        shared.happened.store(true, Ordering::SeqCst);
                    }
                }
                Fault::Reset(of, at) if of == way => ends = here(at).map(|place| (place, Fate::Reset)),
                Fault::Truncate(of, at) if of == way => ends = here(at).map(|place| (place, Fate::Closed)),
                Fault::BlackHole(of, at) if of == way => ends = here(at).map(|place| (place, Fate::Swallowed)),
                Fault::Endless(at) if way == Way::Down => {
                    if let Some(place) = here(at) {
                        shared.happened.store(true, Ordering::SeqCst);
                        to.write_all(&piece[..place]).await?;
                        loop {
                            to.write_all(&[0; 16 << 10]).await?;
                        }
                    }
                }
                _ => {}
            }
            if let Some((place, _)) = ends {
                piece = &mut piece[..place];
            }
            // Counted before it is passed on: whoever has it may look at the count at once.
            count.fetch_add(piece.len() as u64, Ordering::SeqCst);
            to.write_all(piece).await?;
            carried += piece.len() as u64;
            if let Some((_, end)) = ends {
                shared.happened.store(true, Ordering::SeqCst);
                fate.send_replace(end);
                return Ok(());
            }
        }
    };
    // A fault of one direction ends the other at once.
    let _: Option<io::Result<()>> = tokio::select! {
        biased;
        _ = told.wait_for(|fate| *fate != Fate::Carried) => None,
        done = carrying => Some(done),
    };
    (from, to)
}
