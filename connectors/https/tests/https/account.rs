//! An account of the connector and calls of it, as the tests here use them.

use std::{collections::BTreeMap, sync::Arc};

use lockgate_connector_api::{
    Address, Answer, Call, Config, Context, DynConnector, Egress, Error, Registry, Scheme, Secret,
};
use lockgate_connector_https::Https;
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{CANARY, context, loopback, soon, tells_nothing},
    pki::Server,
};
use serde_json::{Value, json};

/// One request a connection, and many.
pub const ALPNS: [&[&str]; 2] = [&["http/1.1"], &["h2", "http/1.1"]];

/// An account at a peer on localhost, base path `/base`.
pub struct Account {
    pub opened: Arc<dyn DynConnector>,
    pub cx: Context,
}

impl Account {
    pub fn open(pki: &Pki, port: u16, settings: &[(&str, &str)], secrets: &[&str]) -> Self {
        Self::open_with(pki.client_config(None), port, settings, secrets, loopback())
    }

    pub fn open_with(
        tls: Arc<rustls::ClientConfig>,
        port: u16,
        settings: &[(&str, &str)],
        secrets: &[&str],
        egress: Egress,
    ) -> Self {
        let cx = context(egress);
        let mut registry = Registry::new();
        registry.add::<Https>();
        let scheme = Scheme { name: "https", port: 443 };
        let config = Config {
            address: Address::parse(scheme, true, &format!("https://localhost:{port}/base")).unwrap(),
            identity: ServerIdentity::System,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
            secrets: secrets.iter().map(|s| ((*s).to_owned(), Secret::new(CANARY.into()))).collect(),
            tls: Some(tls),
        };
        Self { opened: registry.get("https").unwrap().open(config, &cx).unwrap(), cx }
    }

    pub async fn invoke(&self, call: Call) -> Result<Answer, Error> {
        self.opened.clone().invoke(self.cx.clone(), call).await
    }

    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, Error> {
        Ok(read(&self.invoke(call(operation, input)).await?.output))
    }

    /// The call must fail; nothing of it may tell a secret.
    pub async fn fails(&self, operation: &str, input: Value) -> Error {
        let error = self.call(operation, input).await.expect_err("the call must fail");
        tells_nothing(&error);
        error
    }
}

pub fn call(operation: &str, input: Value) -> Call {
    let input = Document::parse(input.to_string().as_bytes(), &Limits::default()).unwrap();
    Call::new(operation, input, soon())
}

pub fn read(document: &Document) -> Value {
    serde_json::from_slice(&document.print(64 << 20).unwrap()).unwrap()
}

pub async fn peer(pki: &Pki, alpn: &[&str]) -> HttpsPeer {
    HttpsPeer::start(pki.server_config(Server::Good, false, alpn)).await
}

/// A call that the peer answers with a redirect to `to`.
pub async fn redirect(
    account: &Account,
    operation: &str,
    status: u16,
    to: &str,
    mut input: Value,
) -> Result<Value, Error> {
    input["path"] = format!("redirect/{status}").into();
    input["query"] = json!({"to": to});
    account.call(operation, input).await
}
