//! What every connector of an SQL database promises beyond the contract of all connectors, run
//! against its real server: refusals first, then a broken network, then memory.
//!
//! A connector's test implements [`Database`], which says what its server and its SQL are called.

mod account;
pub mod endings;
pub mod faults;
pub mod loads;
mod peer;
pub mod pooling;
pub mod proxied;
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
    /// The number of the connection.
    const CONNECTION: &str;
    /// How many connections of `app` run something that holds the parameter.
    const RUNNING: &str;
    /// Inserts a row into the table `nowhere (n)`, after as many seconds as its parameter says.
    const SLEEPY_INSERT: &str;
    /// An expression that takes so many seconds.
    fn sleep(seconds: f64) -> String;
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

/// The tests that every database has, as tests of a connector's own crate.
#[macro_export]
macro_rules! sql_suite {
    ($database:ty) => {
        $crate::sql_suite!($database;
            endings: the_deadline_ends_the_statement_at_the_server, what_is_dropped_is_ended_at_the_server,
                the_deadline_ends_a_stream;
            faults: rows_are_all_there_or_the_call_fails, calls_are_done_as_a_whole_or_not_at_all,
                what_is_done_is_told_whatever_comes_behind_it;
            loads: lines_become_rows, what_does_not_fit_undoes_all_of_it, a_stream_that_stalls_is_given_up;
            pooling: calls_wait_for_a_connection, streams_leave_a_connection_to_the_calls_they_flow_into,
                a_connection_is_kept_for_the_next_call;
            proxied: statements_go_through_a_proxy_and_not_past_it, statements_go_through_somebody_elses_proxy;
            refusals: what_must_not_work_is_refused;
            streams: records_come_in_order;
            transactions: steps_are_done_in_order, what_fails_undoes_all_of_it, contention_is_told,
                the_deadline_undoes_all_of_it, a_commit_that_is_not_answered_is_told_as_unknown;
        );

        #[tokio::test(flavor = "multi_thread")]
        async fn keeps_the_contract() {
            let Some(_) = <$database as $crate::contract::sql::Database>::shared() else { return };
            $crate::contract::run(&$crate::contract::sql::Subject::<$database>::default()).await;
        }
    };
    ($database:ty; $($module:ident: $($test:ident),*;)*) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                $crate::contract::sql::$module::$test::<$database>().await;
            })*
        })*
    };
}
