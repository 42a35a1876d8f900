//! PostgreSQL as the tests of all databases take it.

use std::sync::OnceLock;

use lockgate_connector_api::{Registered, Registry, Scheme};
use lockgate_connector_postgres::Postgres;
use lockgate_testkit::{
    Pki,
    contract::sql::{Database, ask_and_secure},
    postgres,
};
use serde_json::{Value, json};

pub use lockgate_testkit::contract::sql::{Account, Binding, call, call_of, read, soon, text};

/// What a client sends first to ask for TLS (PostgreSQL, protocol-message-formats, SSLRequest).
const ASKS_FOR_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The connector, with PostgreSQL.
pub struct Tested;

impl Database for Tested {
    type Server = postgres::Postgres;
    const SCHEME: Scheme = Scheme { name: "postgres", port: 5432 };
    const INSERT_FIFTY: &str = "insert into broken select $1::int, n, $2 from generate_series(1, 50) as n";
    const INSERT_ONE: &str = "insert into broken values ($1, $2, $3)";
    const COUNT: &str = "select count(*) from broken where id = $1";
    const CONNECTION: &str = "select pg_backend_pid()";
    const RUNNING: &str = "select count(*) from pg_stat_activity where usename = 'app' and state <> 'idle' and query like '%' || $1 || '%'";
    const SLEEPY_INSERT: &str = "insert into nowhere select 1 from pg_sleep($1)";
    const WHO: &str = "select current_user";
    const TLS: &str = "select version from pg_stat_ssl where pid = pg_backend_pid()";
    // Says that it has none.
    const WITHOUT_TLS: (&[u8], &[u8]) = (b"", b"N");

    fn numbers(rows: usize) -> String {
        // Not as a table of its own, which the server would fill before it gives the first row.
        format!("select n, repeat(md5(n::text), 6) as x from (select generate_series(1, {rows}) as n) as numbers")
    }

    fn sleep(seconds: f64) -> String {
        format!("pg_sleep({seconds})")
    }

    fn refused() -> Vec<(&'static str, Value)> {
        vec![
            ("query", json!({"sql": "select $1::int, $2::int as b", "parameters": [1]})),
            ("query", json!({"sql": "select 1, 2"})),
            ("query", json!({"sql": "select 1 as \"a\0b\""})),
            ("query", json!({"sql": ";"})),
            ("query", json!({"sql": "copy (select 1) to stdout"})),
            ("execute", json!({"sql": "copy (select 1) to stdout"})),
        ]
    }

    async fn handshake(pki: &Pki, port: u16) {
        ask_and_secure(pki, port, &ASKS_FOR_TLS, &[b"postgresql"], false).await;
    }

    fn registered() -> Registered {
        let mut registry = Registry::new();
        registry.add::<Postgres>();
        *registry.get("postgres").unwrap()
    }

    fn shared() -> Option<&'static (Pki, postgres::Postgres)> {
        shared()
    }
}

/// The server that most tests share, and its PKI. Each test uses tables of its own.
pub fn shared() -> Option<&'static (Pki, postgres::Postgres)> {
    static SHARED: OnceLock<Option<(Pki, postgres::Postgres)>> = OnceLock::new();
    let start = || {
        let pki = Pki::new();
        postgres::Postgres::start(&pki).map(|server| (pki, server))
    };
    SHARED.get_or_init(start).as_ref()
}

/// Role `app` at the shared server.
pub fn app() -> Option<Account> {
    Account::shared::<Tested>()
}

/// A superuser at the shared server, to look behind it.
pub fn admin() -> Option<Account> {
    Account::admin::<Tested>()
}

/// Role `app`, by password.
pub fn binding(port: u16) -> Binding {
    Binding::app::<Tested>(port)
}

/// What every database keeps.
mod suite {
    lockgate_testkit::sql_suite!(crate::account::Tested);
}
