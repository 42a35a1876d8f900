//! A serving process: the TLS port with listeners and admin API, the operator's local socket and the
//! scheduler, until a signal asks it to stop.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lockgate_admin::{OperatorPlace, router, serve_operator};
use lockgate_keys::{ClientCertificates, Identity, Token};
use lockgate_listener::{Drained, Front, Server, Settings};
use lockgate_runtime::{NoSite, Runtime};
use lockgate_scheduler::keep_running;
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    exit::Exit,
    operate::{keeper::Kept, machine, operator::SOCKET},
};

/// Name of the file with the token that `/metrics` asks for.
const METRICS_TOKEN: &str = "metrics.token";

/// By what a server on this machine is reached, unless it is told otherwise.
pub const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A server that is about to serve; its ports are open.
pub struct Listening {
    listener: TcpListener,
    operator: UnixListener,
    socket: PathBuf,
    data: PathBuf,
    tls: Arc<rustls::ServerConfig>,
    runtime: Runtime,
    metrics: Token,
    /// The address it listens on.
    pub address: SocketAddr,
}

impl Listening {
    /// Opens the port and the socket. From here on connections queue.
    pub async fn open(
        data: &Path,
        address: SocketAddr,
        (own, clients): (&Identity, &ClientCertificates),
        runtime: Runtime,
    ) -> Result<Self, Exit> {
        let failed = |what: String, e: &dyn std::fmt::Display| Exit::failed("LG-LISTEN", format!("cannot {what}: {e}"));
        let tls = lockgate_keys::server_config(own, clients, lockgate_keys::ALPN_HTTP)
            .map_err(|e| failed("use the server's certificate".into(), &e))?;
        let listener = TcpListener::bind(address).await.map_err(|e| failed(format!("listen on {address}"), &e))?;
        let socket = data.join(SOCKET);
        // The store's lock has shown that no other server uses this directory: what lies here is left over.
        let _ = std::fs::remove_file(&socket);
        let operator = UnixListener::bind(&socket).map_err(|e| failed(format!("open `{}`", socket.display()), &e))?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
        let metrics =
            Token::open_or_create(data, METRICS_TOKEN).map_err(|e| failed("use the token for metrics".into(), &e))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, operator, socket, data: data.to_owned(), tls, runtime, metrics, address })
    }

    /// The origin of this server by a name.
    pub fn origin(&self, name: &str) -> String {
        format!("https://{name}:{}", self.address.port())
    }

    /// Says by what origin browsers reach it: passkeys are for that.
    pub fn reached_by(&self, origin: &str) -> Result<(), NoSite> {
        self.runtime.reached_by(origin)
    }

    /// Serves until `stop`, then drains. What was given up at the end of the drain is closed in the
    /// store when this returns.
    pub async fn serve(self, mut settings: Settings, stop: watch::Receiver<bool>) -> Drained {
        settings.connections_max = machine::connections_max(settings.connections_max);
        let admin = router(self.runtime.clone());
        let metrics = self.metrics;
        let front = Front::new(self.runtime.clone(), admin, &settings).with_metrics(move |token| metrics.is(token));
        let (socket, runtime, data) = (self.operator, self.runtime.clone(), self.data);
        let stopping = stopped(stop.clone());
        let keeper = |kept: serde_json::Value| {
            let kept: Kept =
                serde_json::from_value(kept).map_err(|_| "who keeps the master key cannot be read".to_owned())?;
            kept.keeper().map_err(|exit| exit.text().trim_end().to_owned())
        };
        let operator =
            tokio::spawn(
                async move { serve_operator(socket, runtime, OperatorPlace { data, keeper }, stopping).await },
            );
        // Runs nobody waits for have as long to end as requests have.
        let grace = Duration::from_millis(settings.drain_ms_max);
        let scheduled = stop.clone();
        let (runtime, short) = (self.runtime.clone(), stop.clone());
        let keeping = tokio::spawn(async move { runtime.keep_runs_short(stopped(short)).await });
        let (runtime, signed) = (self.runtime.clone(), stop.clone());
        let signing = tokio::spawn(async move { runtime.keep_heads_signed(stopped(signed)).await });
        let (runtime, told) = (self.runtime.clone(), stop.clone());
        let telling = tokio::spawn(async move { runtime.keep_attempts_told(stopped(told)).await });
        let scheduler = tokio::spawn(keep_running(self.runtime.clone(), move || stopped(scheduled.clone()), grace));
        let drained = Server::new(self.tls, settings).serve(self.listener, front, stopped(stop)).await;
        let _ = operator.await;
        let _ = scheduler.await;
        let _ = keeping.await;
        let _ = signing.await;
        let _ = telling.await;
        // What was tried while requests came to their end.
        self.runtime.tell_attempts(true).await;
        self.runtime.finish().await;
        let _ = std::fs::remove_file(&self.socket);
        drained
    }
}

/// Resolves when `stop` says so.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody can stop it any more, which is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What asks the process to stop: SIGTERM or SIGINT, as often as they come.
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// From here on they do not end the process by themselves.
    pub fn listen() -> Result<Self, Exit> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next; answers its number.
    pub async fn next(&mut self) -> i32 {
        let (term, int) = (SignalKind::terminate(), SignalKind::interrupt());
        tokio::select! {
            _ = self.term.recv() => term.as_raw_value(),
            _ = self.int.recv() => int.as_raw_value(),
        }
    }

    /// Lets an ending come to its end, unless somebody asks once more: then the process ends at once,
    /// like one that the signal killed. What runs then is found to be lost at the next start.
    pub async fn unless_again<T>(mut self, ending: impl Future<Output = T>) -> T {
        tokio::select! {
            ended = ending => ended,
            number = self.next() => std::process::exit(128 + number),
        }
    }
}

/// Lines for the log on standard error: from `level` on, or as `LOCKGATE_LOG` says; JSON with
/// `--json`, colour on a terminal alone.
///
/// Whatever `LOCKGATE_LOG` says, crates that are not ours write no lines below `info`: what they tell
/// there is of bytes, and bytes may be data or a password.
pub fn log(json: bool, level: &str) {
    use std::io::IsTerminal;

    use tracing::{Level, Metadata};
    use tracing_subscriber::{
        EnvFilter, Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
    };
    let filter = EnvFilter::try_from_env("LOCKGATE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},refinery_core=warn")));
    let harmless = |line: &Metadata<'_>| *line.level() <= Level::INFO || line.target().starts_with("lockgate");
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let lines = if json { lines.json().boxed() } else { lines.with_target(false).boxed() };
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::registry().with(filter).with(lines.with_filter(filter_fn(harmless))).try_init();
}
