//! An account of a database and calls of it, as the tests use them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use lockgate_connector_api::{
    Address, Answer, Call, Config, Context, DynConnector, Egress, Error, Registered, Scheme, Secret, Streamed,
};
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use serde_json::{Value, json};

use super::{Database, Server as _};
use crate::{
    Pki,
    contract::{CANARY, context, loopback, tells_nothing},
    pki::Identity,
};

/// How an account is bound.
pub struct Binding {
    /// The connector.
    pub connector: Registered,
    /// Its addresses.
    pub scheme: Scheme,
    /// The host.
    pub host: &'static str,
    /// The port.
    pub port: u16,
    /// Who signs in.
    pub username: &'static str,
    /// By this password.
    pub password: Option<&'static str>,
    /// And this certificate.
    pub certificate: Option<Identity>,
    /// Connections at once.
    pub connections_max: u32,
    /// Where it may go.
    pub egress: Egress,
    /// What it goes through.
    pub proxy: Option<String>,
}

impl Binding {
    /// User `app`, by password.
    pub fn app<D: Database>(port: u16) -> Self {
        Self {
            connector: D::registered(),
            scheme: D::SCHEME,
            host: "localhost",
            port,
            username: "app",
            password: Some(CANARY),
            certificate: None,
            connections_max: 10,
            egress: loopback(),
            proxy: None,
        }
    }

    /// Opens it; the server shows a certificate of that PKI.
    pub fn open(self, pki: &Pki) -> Account {
        let mut secrets =
            self.password.map(|p| ("password".to_owned(), Secret::new(p.to_owned()))).into_iter().collect();
        if self.certificate.is_some() {
            let add = |secrets: &mut std::collections::BTreeMap<_, _>, name: &str| {
                secrets.insert(name.to_owned(), Secret::new("in the TLS configuration".into()));
            };
            add(&mut secrets, "client_certificate");
            add(&mut secrets, "client_key");
        }
        let address = format!("{}://{}:{}/peer", self.scheme.name, self.host, self.port);
        let cx = context(self.egress);
        let (username, connections_max) = (self.username.to_owned(), self.connections_max.to_string());
        let settings =
            [("username", Some(username)), ("connections_max", Some(connections_max)), ("proxy", self.proxy)];
        let config = Config {
            address: Address::parse(self.scheme, true, &address).unwrap(),
            identity: ServerIdentity::System,
            settings: settings.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?))).collect(),
            secrets,
            tls: Some(pki.client_config(self.certificate)),
        };
        Account { opened: self.connector.open(config, &cx).unwrap(), cx }
    }
}

/// An opened account.
#[derive(Clone)]
pub struct Account {
    /// The connector.
    pub opened: Arc<dyn DynConnector>,
    /// On whose behalf.
    pub cx: Context,
}

impl Account {
    /// User `app` at the shared server.
    pub fn shared<D: Database>() -> Option<Self> {
        D::shared().map(|(pki, server)| Binding::app::<D>(server.port()).open(pki))
    }

    /// Who may do everything at the shared server, to look behind it.
    pub fn admin<D: Database>() -> Option<Self> {
        D::shared().map(|(pki, server)| Binding { username: "admin", ..Binding::app::<D>(server.port()) }.open(pki))
    }

    /// A call.
    pub async fn invoke(&self, call: Call) -> Result<Answer, Error> {
        self.opened.clone().invoke(self.cx.clone(), call).await
    }

    /// The account's own test.
    pub async fn test(&self) -> Result<(), Error> {
        self.opened.clone().test(self.cx.clone(), soon()).await
    }

    /// What a statement gives.
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

    /// The output of an operation with this input.
    pub async fn output(&self, operation: &str, input: Value) -> Result<Value, Error> {
        Ok(read(&self.invoke(call_of(operation, &input)).await?.output))
    }

    /// What a statement that must succeed gives.
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

/// A call with a statement and its parameters.
pub fn call(operation: &str, sql: &str, parameters: Value) -> Call {
    call_of(operation, &json!({"sql": sql, "parameters": parameters}))
}

/// A call with any input.
pub fn call_of(operation: &str, input: &Value) -> Call {
    Call::new(operation, document(input), soon())
}

/// A value as a document.
pub fn document(value: &Value) -> Document {
    Document::parse(value.to_string().as_bytes(), &Limits::default()).unwrap()
}

/// A document as a value.
pub fn read(document: &Document) -> Value {
    serde_json::from_slice(&document.print(64 << 20).unwrap()).unwrap()
}

/// The text of a document, each number as it stands there.
pub fn text(document: &Document) -> String {
    String::from_utf8(document.print(64 << 20).unwrap()).unwrap()
}
