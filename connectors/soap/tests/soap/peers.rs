//! Beside two libraries that many services run on.

use lockgate_connector_api::Kind;
use lockgate_testkit::{Pki, SoapPeer};
use serde_json::{Value, json};

use crate::account::{Account, WEATHER, forecast, wsdl};

fn parcels(text: &str, operation: &str, input: Value) -> Value {
    json!({"wsdl": wsdl(text), "port": "Application", "operation": operation, "input": input})
}

#[tokio::test]
async fn spyne_takes_parcels_and_refuses_what_it_does_not_know() {
    for version in ["1.1", "1.2"] {
        spyne(version).await;
    }
}

async fn spyne(version: &str) {
    let pki = Pki::new();
    let Some(peer) = SoapPeer::spyne(&pki, version) else { return };
    let text = peer.description(&pki, "/?wsdl");
    let parcels = |operation: &str, input| parcels(&text, operation, input);
    let account = Account::open(&pki, &format!("https://localhost:{}", peer.port()), &[], &[]);
    let line = json!({"weight": 1.5, "count": 2, "article": "pen & ink"});
    let parcel = json!({"parcel": {"number": "P-1", "sent": "2026-11-23T06:30:00Z", "lines": {"Line": [line]}}});
    assert_eq!(account.call(parcels("send", parcel)).await.unwrap(), json!({"output": {"sendResult": "3.0"}}));
    let found = account.call(parcels("find", json!({"number": "P-1"}))).await.unwrap();
    assert_eq!(found["output"]["findResult"]["lines"]["Line"][0]["article"], "pen & ink");
    let error = account.fails(parcels("find", json!({"number": "P-2"}))).await;
    assert_eq!((error.kind(), error.code(), error.status()), (Kind::Rejected, "soap-fault", Some(500)));
    let told = error.told().unwrap();
    assert_eq!((told.name, told.value.reveal().root().get("code").as_str()), ("fault", Some("Sender")));
    assert_eq!(error.private().reveal(), "Sender.Unknown: there is no such parcel");
    // What its types do not allow is not sent.
    let wrong = account.fails(parcels("send", json!({"parcel": {"lines": {"Line": [{"count": 0}]}}}))).await;
    assert_eq!((wrong.kind(), wrong.code()), (Kind::Input, "soap-value"));
    assert!(wrong.private().reveal().ends_with("(at `/parcel/lines/Line/0/count`)"), "{}", wrong.private().reveal());
}

#[tokio::test]
async fn npm_soap_lets_users_in_and_nobody_else() {
    let pki = Pki::new();
    let Some(peer) = SoapPeer::node(&pki, WEATHER) else { return };
    let address = format!("https://localhost:{}/weather", peer.port());
    for security in ["username-text", "username-digest"] {
        let settings = [("security", security), ("token_username", "reader"), ("addressing", "1.0")];
        let open =
            |password: &str| Account::open(&pki, &address, &settings, &[("token_password", password.to_owned())]);
        let account = open("rain-4");
        let told = account.call(forecast("Ulm")).await.unwrap();
        assert_eq!(told["output"]["day"][1], json!({"name": "tue", "degrees": "-1"}));
        let error = account.fails(forecast("Atlantis")).await;
        assert_eq!(
            (error.code(), error.private().reveal().as_str()),
            ("soap-fault", "Sender: the town is under water")
        );
        let error = open("sun-5").fails(forecast("Ulm")).await;
        assert!(!format!("{error:?} {}", error.private().reveal()).contains("sun-5"));
    }
    let error = Account::open(&pki, &address, &[], &[]).fails(forecast("Ulm")).await;
    assert!(!error.is_transient(), "{error}");
}
