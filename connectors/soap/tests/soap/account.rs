//! An account of the connector and calls of it, as the tests here use them.

use std::sync::Arc;

use lockgate_connector_api::{Address, Answer, Call, Config, Context, DynConnector, Error, Registry, Scheme, Secret};
use lockgate_connector_soap::Soap;
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{context, loopback, soon, tells_nothing},
    https_peer::Told,
    pki::{Identity, Server},
};
use serde_json::{Value, json};

pub const WEATHER: &str = include_str!("../../../../crates/soap/tests/weather.wsdl");
/// The address of the peer's service.
pub const BASE: &str = "/weather";

pub struct Account {
    pub opened: Arc<dyn DynConnector>,
    pub cx: Context,
}

impl Account {
    pub fn open(pki: &Pki, address: &str, settings: &[(&str, &str)], secrets: &[(&str, String)]) -> Self {
        Self::try_open(pki, address, settings, secrets).unwrap()
    }

    pub fn try_open(
        pki: &Pki,
        address: &str,
        settings: &[(&str, &str)],
        secrets: &[(&str, String)],
    ) -> Result<Self, Error> {
        Self::as_whom(pki, None, address, settings, secrets)
    }

    /// One that shows a client certificate.
    pub fn as_whom(
        pki: &Pki,
        own: Option<Identity>,
        address: &str,
        settings: &[(&str, &str)],
        secrets: &[(&str, String)],
    ) -> Result<Self, Error> {
        let cx = context(loopback());
        let mut registry = Registry::new();
        registry.add::<Soap>();
        let scheme = Scheme { name: "https", port: 443 };
        let config = Config {
            address: Address::parse(scheme, true, address).unwrap(),
            identity: ServerIdentity::System,
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            secrets: secrets.iter().map(|(k, v)| ((*k).to_owned(), Secret::new(v.clone()))).collect(),
            tls: Some(pki.client_config(own)),
        };
        Ok(Self { opened: registry.get("soap").unwrap().open(config, &cx)?, cx })
    }

    /// At the weather of a peer.
    pub fn at(pki: &Pki, port: u16) -> Self {
        Self::open(pki, &format!("https://localhost:{port}{BASE}"), &[], &[])
    }

    pub async fn invoke(&self, call: Call) -> Result<Answer, Error> {
        self.opened.clone().invoke(self.cx.clone(), call).await
    }

    pub async fn call(&self, input: Value) -> Result<Value, Error> {
        Ok(read(&self.invoke(call("call", input)).await?.output))
    }

    /// The call must fail; nothing of it may tell a secret.
    pub async fn fails(&self, input: Value) -> Error {
        let error = self.call(input).await.expect_err("the call must fail");
        tells_nothing(&error);
        error
    }
}

/// A description as the compiler hands it over.
pub fn wsdl(text: &str) -> Value {
    json!({"main": "documents/a.wsdl", "documents": {"documents/a.wsdl": text}})
}

/// Asks for the weather of a town.
pub fn forecast(town: &str) -> Value {
    json!({"wsdl": wsdl(WEATHER), "port": "WeatherPort", "operation": "forecast", "input": {"town": town}})
}

pub fn call(operation: &str, input: Value) -> Call {
    let input = Document::parse(input.to_string().as_bytes(), &Limits::default()).unwrap();
    Call::new(operation, input, soon())
}

pub fn read(document: &Document) -> Value {
    serde_json::from_slice(&document.print(64 << 20).unwrap()).unwrap()
}

pub async fn peer(pki: &Pki) -> HttpsPeer {
    HttpsPeer::start(pki.server_config(Server::Good, false, &["h2", "http/1.1"])).await
}

/// An envelope of SOAP 1.1 with this header and body.
pub fn envelope(header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">{header}<s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// The weather of a town.
pub const TOLD: &str = "<forecastResponse xmlns=\"urn:lockgate:weather\"><day><name>mon</name><degrees>7.5</degrees></day></forecastResponse>";

pub fn told(status: u16, media_type: &str, body: impl Into<bytes::Bytes>) -> Told {
    Told { status, headers: vec![("content-type", media_type.to_owned())], body: body.into() }
}

/// What a call of the weather says when it is answered so.
pub async fn answered(status: u16, media_type: &str, body: &str) -> Result<Value, Error> {
    let (pki, body, media_type) = (Pki::new(), body.to_owned(), media_type.to_owned());
    let peer = peer(&pki).await;
    peer.answers(BASE, move |_| told(status, &media_type, body.clone()));
    Account::at(&pki, peer.port()).call(forecast("Ulm")).await
}
