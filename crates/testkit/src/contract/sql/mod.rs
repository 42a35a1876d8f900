//! What every connector of an SQL database promises beyond the contract of all connectors, run
//! against its real server: refusals first, then a broken network, then memory.
//!
//! A connector's test implements [`Database`], which says what its server and its SQL are called.

mod account;
pub mod faults;
pub mod loads;
mod peer;
pub mod refusals;
pub mod streams;
pub mod transactions;

use lockgate_connector_api::{Registered, Scheme};

use crate::{Mariadb, Pki, Postgres, pki::Identity};

pub use account::{Account, Binding, call, call_of, document, read, soon, text};
pub use peer::{Subject, ask_and_secure};

/// A connector, the server it is tested with, and what the two call things.
pub trait Database: Send + Sync + 'static {
    /// The server.
    type Server: Server;
    /// Scheme and port of its addresses.
    const SCHEME: Scheme;
    /// Rows `n` from 1 to that number, and `x`, a text of 192 signs.
    fn numbers(rows: usize) -> String;
    /// Inserts for `$1` and `$2` (`id`, `x`) fifty rows into the table `broken (id, n, x)`, in one statement.
    const INSERT_FIFTY: &str;
    /// Inserts one row into it, for `id`, `n` and `x`.
    const INSERT_ONE: &str;
    /// How many rows it has of an `id`.
    const COUNT: &str;
    /// The name of who has signed in.
    const WHO: &str;
    /// The version of TLS in use.
    const TLS: &str;
    /// Inputs of operations that are refused before anything is executed, for what is in them.
    fn refused() -> Vec<(&'static str, serde_json::Value)>;
    /// Bytes that go up and down for a session in which nothing is said: after one more, something is.
    fn handshake(pki: &Pki, port: u16) -> impl Future<Output = ()> + Send;
    /// What a server says first and then to whatever it hears, that has no TLS or goes on without it.
    const WITHOUT_TLS: (&[u8], &[u8]);
    /// The connector.
    fn registered() -> Registered;
    /// The server that most tests share, and its PKI. Each test uses tables of its own.
    fn shared() -> Option<&'static (Pki, Self::Server)>;
}

/// A database server.
pub trait Server: Sized + Send + Sync + 'static {
    /// Starts one with a good certificate; none where it is not installed.
    fn start(pki: &Pki) -> Option<Self>;
    /// Starts one that offers no TLS and logs connections.
    fn start_without_tls(pki: &Pki) -> Option<Self>;
    /// Its port on 127.0.0.1.
    fn port(&self) -> u16;
    /// Goes on with another certificate.
    fn serve_with(&self, identity: &Identity);
    /// What it has logged of connections and statements.
    fn seen(&self) -> String;
    /// Sign-ins and statements that it has logged.
    fn requests(&self) -> usize;
}

impl Server for Postgres {
    fn start(pki: &Pki) -> Option<Self> {
        Self::start(pki)
    }
    fn start_without_tls(pki: &Pki) -> Option<Self> {
        Self::start_with(pki, "ssl = off\nlog_min_messages = debug1\n")
    }
    fn port(&self) -> u16 {
        self.port()
    }
    fn serve_with(&self, identity: &Identity) {
        self.serve_with(identity);
    }
    fn seen(&self) -> String {
        self.log()
    }
    fn requests(&self) -> usize {
        let log = self.log();
        log.matches("connection authorized: user=app").count() + log.matches("execute ").count()
    }
}

impl Server for Mariadb {
    fn start(pki: &Pki) -> Option<Self> {
        Self::start(pki)
    }
    fn start_without_tls(pki: &Pki) -> Option<Self> {
        Self::start_with(pki, &["--skip-ssl"])
    }
    fn port(&self) -> u16 {
        self.port()
    }
    fn serve_with(&self, identity: &Identity) {
        self.serve_with(identity);
    }
    fn seen(&self) -> String {
        self.statements()
    }
    fn requests(&self) -> usize {
        let log = self.statements();
        log.matches("Connect\t").count() + log.matches("Execute\t").count()
    }
}
