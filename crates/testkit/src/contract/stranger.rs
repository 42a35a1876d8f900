//! Somebody at a server's port who is no server of its protocol.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

/// Speaks in the clear and remembers what it hears; it ends when dropped.
#[derive(Debug)]
pub struct Stranger {
    port: u16,
    connections: Arc<AtomicUsize>,
    raw: Arc<Mutex<Vec<u8>>>,
    accepting: JoinHandle<()>,
}

impl Stranger {
    /// Says each of these words after it has heard something, the first ones at once, and hangs up then.
    /// With none it listens for ever.
    pub async fn start(words: &'static [&'static [u8]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let port = listener.local_addr().expect("the port just bound").port();
        let (connections, raw) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let accepting = tokio::spawn({
            let (connections, raw) = (Arc::clone(&connections), Arc::clone(&raw));
            async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let raw = Arc::clone(&raw);
                    tokio::spawn(async move {
                        let mut left = words.iter();
                        let mut buffer = [0; 4096];
                        loop {
                            match left.next() {
                                Some(words) => drop(stream.write_all(words).await),
                                None if words.is_empty() => {}
                                None => break,
                            }
                            match stream.read(&mut buffer).await {
                                Ok(read @ 1..) => raw.lock().unwrap().extend_from_slice(&buffer[..read]),
                                _ => break,
                            }
                        }
                    });
                }
            }
        });
        Self { port, connections, raw, accepting }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl super::Peer for Stranger {
    fn port(&self) -> u16 {
        self.port
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> usize {
        0
    }

    fn raw(&self) -> Vec<u8> {
        self.raw.lock().unwrap().clone()
    }
}
