//! An account of the connector and calls of it, as the tests here use them.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use lockgate_connector_api::{
    Address, Answer, Body, Call, Config, Context, DynConnector, Egress, Error, Registry, Scheme, Secret, Streamed,
};
use lockgate_connector_mysql::Mysql;
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_testkit::{
    Mariadb, Pki,
    contract::{CANARY, context, loopback, tells_nothing},
    pki::Identity,
};
use serde_json::{Value, json};

pub const SCHEME: Scheme = Scheme { name: "mysql", port: 3306 };

/// The server that most tests share, and its PKI. Each test uses tables of its own.
pub fn shared() -> Option<&'static (Pki, Mariadb)> {
    static SHARED: OnceLock<Option<(Pki, Mariadb)>> = OnceLock::new();
    let start = || {
        let pki = Pki::new();
        Mariadb::start(&pki).map(|server| (pki, server))
    };
    SHARED.get_or_init(start).as_ref()
}

/// How an account is bound.
pub struct Binding {
    pub host: &'static str,
    pub port: u16,
    pub username: &'static str,
    pub password: Option<&'static str>,
    pub certificate: Option<Identity>,
    pub connections_max: u32,
    pub egress: Egress,
}

impl Binding {
    /// User `app`, by password.
    pub fn app(port: u16) -> Self {
        Self {
            host: "localhost",
            port,
            username: "app",
            password: Some(CANARY),
            certificate: None,
            connections_max: 10,
            egress: loopback(),
        }
    }

    pub fn open(self, pki: &Pki) -> Account {
        let mut registry = Registry::new();
        registry.add::<Mysql>();
        let mut secrets =
            self.password.map(|p| ("password".to_owned(), Secret::new(p.to_owned()))).into_iter().collect();
        if self.certificate.is_some() {
            let add = |secrets: &mut std::collections::BTreeMap<_, _>, name: &str| {
                secrets.insert(name.to_owned(), Secret::new("in the TLS configuration".into()));
            };
            add(&mut secrets, "client_certificate");
            add(&mut secrets, "client_key");
        }
        let cx = context(self.egress);
        let config = Config {
            address: Address::parse(SCHEME, true, &format!("mysql://{}:{}/peer", self.host, self.port)).unwrap(),
            identity: ServerIdentity::System,
            settings: [("username", self.username.to_owned()), ("connections_max", self.connections_max.to_string())]
                .map(|(k, v)| (k.to_owned(), v))
                .into(),
            secrets,
            tls: Some(pki.client_config(self.certificate)),
        };
        Account { opened: registry.get("mysql").unwrap().open(config, &cx).unwrap(), cx }
    }
}

/// An opened account.
#[derive(Clone)]
pub struct Account {
    pub opened: Arc<dyn DynConnector>,
    pub cx: Context,
}

impl Account {
    /// User `app` at the shared server.
    pub fn shared() -> Option<Self> {
        shared().map(|(pki, server)| Binding::app(server.port()).open(pki))
    }

    /// Who may do everything at the shared server, to look behind it.
    pub fn admin() -> Option<Self> {
        shared().map(|(pki, server)| Binding { username: "admin", ..Binding::app(server.port()) }.open(pki))
    }

    pub async fn invoke(&self, call: Call) -> Result<Answer, Error> {
        self.opened.clone().invoke(self.cx.clone(), call).await
    }

    pub async fn test(&self) -> Result<(), Error> {
        self.opened.clone().test(self.cx.clone(), soon()).await
    }

    pub async fn call(&self, operation: &str, sql: &str, parameters: Value) -> Result<Value, Error> {
        Ok(read(&self.invoke(call(operation, sql, parameters)).await?.output))
    }

    /// The rows of a query.
    pub async fn rows(&self, sql: &str, parameters: Value) -> Value {
        self.call("query", sql, parameters).await.unwrap_or_else(|e| panic!("{sql}: {e}, {}", e.private().reveal()))["rows"]
            .take()
    }

    /// The one value of a query.
    pub async fn value(&self, sql: &str, parameters: Value) -> Value {
        let mut rows = self.rows(sql, parameters).await;
        rows[0].as_object_mut().unwrap().values_mut().next().unwrap().take()
    }

    /// Loads what streams in.
    pub async fn load(&self, sql: &str, body: Body) -> Result<Value, Error> {
        Ok(read(&self.invoke(load(sql, body)).await?.output))
    }

    pub async fn execute(&self, sql: &str) -> Value {
        self.call("execute", sql, json!([])).await.unwrap_or_else(|e| panic!("{sql}: {e}, {}", e.private().reveal()))
    }

    /// The call must fail; nothing of it may tell a secret, and nothing private is logged.
    pub async fn fails(&self, operation: &str, sql: &str, parameters: Value) -> Error {
        let error = self.call(operation, sql, parameters).await.expect_err("the call must fail");
        tells_nothing(&error);
        error
    }

    /// All records of a streamed query.
    pub async fn records(&self, sql: &str) -> Result<Vec<Value>, Error> {
        self.records_of(call("query", sql, json!([]))).await
    }

    /// All records of a query's stream.
    pub async fn records_of(&self, query: Call) -> Result<Vec<Value>, Error> {
        let answer = self.invoke(Call { stream: true, ..query }).await?;
        let Some(Streamed::Records(mut records)) = answer.stream else { panic!("no records") };
        let mut all = Vec::new();
        while let Some(batch) = records.next().await.transpose()? {
            all.extend(read(&batch).as_array().unwrap().clone());
        }
        Ok(all)
    }
}

/// Enough for a busy machine, short enough for a hang to be seen.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub fn call(operation: &str, sql: &str, parameters: Value) -> Call {
    let input = json!({"sql": sql, "parameters": parameters});
    let input = Document::parse(input.to_string().as_bytes(), &Limits::default()).unwrap();
    Call::new(operation, input, soon())
}

pub fn load(sql: &str, body: Body) -> Call {
    let input = Document::parse(json!({"sql": sql}).to_string().as_bytes(), &Limits::default()).unwrap();
    Call { body: Some(body), ..Call::new("load", input, soon()) }
}

pub fn read(document: &Document) -> Value {
    serde_json::from_slice(&document.print(64 << 20).unwrap()).unwrap()
}

/// The text of a document, each number as it stands there.
pub fn text(document: &Document) -> String {
    String::from_utf8(document.print(64 << 20).unwrap()).unwrap()
}
