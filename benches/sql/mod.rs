//! An account on a PostgreSQL database, as the benches use it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_connector_api::{
    Address, Answer, Body, Call, Config, Context, DynConnector, Registry, Scheme, Secret, Streamed,
};
use lockgate_connector_postgres::Postgres;
use lockgate_document::{Document, Value};
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    Pki,
    contract::{CANARY, context, loopback},
};

pub struct Account(Arc<dyn DynConnector>, Context);

impl Account {
    pub fn open(pki: &Pki, port: u16) -> Self {
        let cx = context(loopback());
        let mut registry = Registry::new();
        registry.add::<Postgres>();
        let scheme = Scheme { name: "postgres", port: 5432 };
        let config = Config {
            address: Address::parse(scheme, true, &format!("postgres://localhost:{port}/peer")).unwrap(),
            identity: ServerIdentity::System,
            settings: [("username".to_owned(), "app".to_owned())].into(),
            secrets: BTreeMap::from([("password".to_owned(), Secret::new(CANARY.to_owned()))]),
            tls: Some(pki.client_config(None)),
        };
        Self(registry.get("postgres").unwrap().open(config, &cx).unwrap(), cx)
    }

    /// Runs an operation with that input.
    pub async fn invoke(&self, operation: &str, input: Document, body: Option<Body>, stream: bool) -> Answer {
        let mut call = Call::new(operation, input, Instant::now() + Duration::from_secs(600));
        (call.body, call.stream) = (body, stream);
        self.0.clone().invoke(self.1.clone(), call).await.unwrap()
    }

    /// Runs a statement.
    pub async fn call(&self, operation: &str, sql: &str, parameters: Vec<Value>, stream: bool) -> Option<Streamed> {
        let input = Document::object([("sql", sql.into()), ("parameters", Value::Array(parameters))]);
        self.invoke(operation, input, None, stream).await.stream
    }
}
