//! A duck: the smallest connector, and what the registry adds to it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use lockgate_document::Document;
use lockgate_model::{Digest, definition::ServerIdentity, id::AccountName};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use super::*;
use crate::{Address, AddressForm, Body, Egress, IdentityKind, Records, Scheme, Secret, Streamed};

struct Duck;

const DUCKS: Scheme = Scheme { name: "ducks", port: 99 };

const fn operation(name: &'static str) -> Operation {
    Operation {
        name,
        version: "1.0.0",
        idempotent: true,
        keyed: false,
        help: "Quacks.",
        constant: &[],
        input: "{}",
        output: "{}",
        takes: None,
        gives: None,
    }
}

impl Connector for Duck {
    const SPEC: Spec = Spec {
        name: "duck",
        help: "Ducks.",
        about: "",
        address: AddressForm { scheme: DUCKS, path: false, example: "ducks://pond.example" },
        identities: &[IdentityKind::Pin],
        fields: &[],
        operations: &[operation("quack"), operation("sleep"), operation("drown"), operation("swim"), operation("dive")],
    };

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        match config.secrets.contains_key("egg") {
            true => Err(Error::new(Kind::Configuration, "egg", "an egg is no duck")),
            false => Ok(Self),
        }
    }

    async fn invoke(&self, _: &Context, call: Call) -> Result<Answer, Error> {
        match call.operation.as_str() {
            "quack" => Ok(Answer { output: call.input, stream: None, read: 0, written: 0 }),
            "swim" | "dive" => {
                let drowned = Error::new(Kind::Protocol, "drowned", "ducks do not drown");
                let stream = match call.operation.as_str() {
                    "swim" => Streamed::Bytes(Body::new(stream::iter([Err(drowned)])).with_length(Some(7))),
                    _ => Streamed::Records(Records::new(stream::iter([Err(drowned)])).with_fields(vec!["wing".into()])),
                };
                Ok(Answer { output: call.input, stream: Some(stream), read: 0, written: 0 })
            }
            "drown" => Err(Error::new(Kind::Protocol, "drowned", "ducks do not drown")),
            _ => std::future::pending().await,
        }
    }

    async fn test(&self, _: &Context, _: Instant) -> Result<(), Error> {
        std::future::pending().await
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own configuration, which is never used")]
fn config(secret: &str) -> Config {
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let tls = tls.with_safe_default_protocol_versions().unwrap();
    Config {
        address: Address::parse(DUCKS, false, "ducks://pond.example").unwrap(),
        identity: ServerIdentity::Pin(Digest([0; 32])),
        settings: BTreeMap::new(),
        secrets: BTreeMap::from([(secret.to_owned(), Secret::new("hidden".into()))]),
        tls: Some(Arc::new(tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth())),
    }
}

fn cx() -> Context {
    Context { account: AccountName::parse("pond").unwrap(), egress: Arc::new(Egress::new(Vec::new())) }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(50)
}

async fn invoke(operation: &str) -> Result<Answer, Error> {
    let mut registry = Registry::new();
    registry.add::<Duck>();
    let duck = registry.get("duck").unwrap().open(config("token"), &cx()).unwrap();
    duck.invoke(cx(), Call::new(operation, Document::undefined(), soon())).await
}

#[tokio::test]
async fn every_error_is_named_and_every_call_ends() {
    for (operation, kind, named) in [
        ("fly", Kind::Configuration, None),
        ("sleep", Kind::Timeout, Some("sleep")),
        ("drown", Kind::Protocol, Some("drown")),
    ] {
        let error = invoke(operation).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, named));
        assert_eq!(error.account().map(AccountName::as_str), Some("pond"));
    }
    assert!(invoke("quack").await.is_ok());
}

/// A stream breaks while another call reads it, which would take the failure for its own.
#[tokio::test]
async fn a_stream_that_breaks_names_the_call_it_came_out_of() {
    let mut errors = Vec::new();
    for operation in ["swim", "dive"] {
        match invoke(operation).await.unwrap().stream.unwrap() {
            Streamed::Bytes(mut body) => {
                assert_eq!(body.length(), Some(7));
                errors.extend(body.next().await.unwrap().err());
            }
            Streamed::Records(mut records) => {
                assert_eq!(records.fields(), Some(&["wing".to_owned()][..]));
                errors.extend(records.next().await.unwrap().err());
            }
        }
    }
    let named: Vec<_> = errors.iter().map(|e| (e.account().map(AccountName::as_str), e.operation())).collect();
    assert_eq!(named, [(Some("pond"), Some("swim")), (Some("pond"), Some("dive"))]);
}

#[tokio::test]
async fn an_account_test_ends_too() {
    let mut registry = Registry::new();
    registry.add::<Duck>();
    let duck = registry.get("duck").unwrap().open(config("token"), &cx()).unwrap();
    assert_eq!(duck.test(cx(), soon()).await.unwrap_err().kind(), Kind::Timeout);
    assert_eq!(
        registry.get("duck").unwrap().open(config("egg"), &cx()).err().unwrap().account().unwrap().as_str(),
        "pond"
    );
}

#[test]
fn the_list_knows_its_connectors() {
    let mut registry = Registry::new();
    registry.add::<Duck>();
    assert!(registry.get("goose").is_none());
    assert!(registry.operation("duck", "quack").is_some_and(|o| o.idempotent));
    assert!(registry.operation("duck", "fly").is_none());
    assert_eq!(registry.specs().map(|s| s.name).collect::<Vec<_>>(), ["duck"]);
}

#[test]
fn a_configuration_prints_no_secret() {
    let printed = format!("{:?}", config("token"));
    assert!(printed.contains("token") && printed.contains("[secret]") && !printed.contains("hidden"), "{printed}");
}
