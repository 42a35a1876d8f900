//! MariaDB as the tests of all databases take it.

use std::sync::OnceLock;

use lockgate_connector_api::{Registered, Registry, Scheme};
use lockgate_connector_mysql::Mysql;
use lockgate_testkit::{
    Mariadb, Pki,
    contract::sql::{Database, ask_and_secure},
};
use serde_json::{Value, json};

pub use lockgate_testkit::contract::sql::{Account, Binding, call, read, soon, text};

use crate::hostile::GREETS_NATIVE;

/// What a client sends to ask for TLS: its abilities, how much it takes at once, its characters, and
/// nothing about itself (MySQL source documentation, `Protocol::SSLRequest`).
const ASKS_FOR_TLS: [u8; 36] = [
    32, 0, 0, 1, 0, 0x8a, 0x08, 0, 0, 0, 0, 0x40, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0,
];

/// All is well (`OK_Packet`), in the clear.
const ALL_IS_WELL: &[u8] = b"\x07\0\0\x02\0\0\0\x02\0\0\0";

/// The connector, with MariaDB.
pub struct Tested;

impl Database for Tested {
    type Server = Mariadb;
    const SCHEME: Scheme = Scheme { name: "mysql", port: 3306 };
    const INSERT_FIFTY: &str = "insert into broken select ?, seq, ? from seq_1_to_50";
    const INSERT_ONE: &str = "insert into broken values (?, ?, ?)";
    const COUNT: &str = "select count(*) from broken where id = ?";
    const CONNECTION: &str = "select connection_id()";
    const RUNNING: &str = "select count(*) from information_schema.processlist where user = 'app' and command <> 'Sleep' \
         and info like concat('%', ?, '%')";
    const SLEEPY_INSERT: &str = "insert into nowhere select sleep(?)";
    const WHO: &str = "select substring_index(current_user(), '@', 1)";
    const TLS: &str =
        "select variable_value from information_schema.session_status where variable_name = 'ssl_version'";
    // Says that it has TLS, and goes on without it.
    const WITHOUT_TLS: (&[u8], &[u8]) = (GREETS_NATIVE, ALL_IS_WELL);

    fn numbers(rows: usize) -> String {
        format!("select seq as n, repeat(md5(seq), 6) as x from seq_1_to_{rows}")
    }

    fn sleep(seconds: f64) -> String {
        format!("sleep({seconds})")
    }

    fn refused() -> Vec<(&'static str, Value)> {
        vec![
            ("query", json!({"sql": "select ? as a, ? as b", "parameters": [1]})),
            ("query", json!({"sql": "set @a = 1"})),
            ("execute", json!({"sql": "select 1 as a, 2 as a"})),
            ("batch", json!({"sql": "do 1", "parameters": [1]})),
        ]
    }

    async fn handshake(pki: &Pki, port: u16) {
        ask_and_secure(pki, port, &ASKS_FOR_TLS, &[], true).await;
    }

    fn registered() -> Registered {
        let mut registry = Registry::new();
        registry.add::<Mysql>();
        *registry.get("mysql").unwrap()
    }

    fn shared() -> Option<&'static (Pki, Mariadb)> {
        shared()
    }
}

/// The server that most tests share, and its PKI. Each test uses tables of its own.
pub fn shared() -> Option<&'static (Pki, Mariadb)> {
    static SHARED: OnceLock<Option<(Pki, Mariadb)>> = OnceLock::new();
    let start = || {
        let pki = Pki::new();
        Mariadb::start(&pki).map(|server| (pki, server))
    };
    SHARED.get_or_init(start).as_ref()
}

/// User `app` at the shared server.
pub fn app() -> Option<Account> {
    Account::shared::<Tested>()
}

/// Who may do everything at the shared server, to look behind it.
pub fn admin() -> Option<Account> {
    Account::admin::<Tested>()
}

/// User `app`, by password.
pub fn binding(port: u16) -> Binding {
    Binding::app::<Tested>(port)
}

/// What every database keeps.
mod suite {
    lockgate_testkit::sql_suite!(crate::account::Tested);
}
