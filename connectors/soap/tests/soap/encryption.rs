//! Messages whose bodies are encrypted, and answers that must be.

use std::{collections::BTreeSet, sync::Arc};

use lockgate_connector_api::Kind;
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Operation, Request, Wsdl,
    security::{
        self,
        encryption::{Reader, Recipient},
        signature::{Signer, verified},
    },
};
use lockgate_testkit::{Pki, pki::Identity};

use crate::account::{Account, BASE, TOLD, WEATHER, envelope, forecast, peer, told};

fn operation() -> Operation {
    let wsdl = Wsdl::read("w", WEATHER.to_owned(), |_| None).unwrap();
    wsdl.operation("WeatherPort", "forecast").unwrap()
}

/// An answer for who has this key, signed by whom it says.
fn answer(reader: &Identity, signer: Option<&Identity>) -> String {
    let (operation, limits) = (operation(), Limits::default());
    let (mut children, key) = Recipient::new(&reader.certificate).unwrap().blocks().unwrap();
    let signer = signer.map(|signer| Signer::new(&signer.key_pem(), &signer.certificate).unwrap());
    if let Some(signer) = &signer {
        #[expect(clippy::disallowed_methods, reason = "the connector compares with the machine's clock")]
        let created = jiff::Timestamp::now();
        children.push(security::Lifetime { created, expires: None }.block("TS-1"));
        children.extend(signer.blocks(&["TS-1", "Body-1"]));
    }
    let body = Document::parse(br#"{"day": [{"name": "mon", "degrees": 7.5}]}"#, &limits).unwrap();
    let none = Document::undefined();
    let response = Request {
        body: body.root(),
        headers: none.root(),
        blocks: &[security::header(operation.version, children)],
        body_id: Some("Body-1"),
        attachments: &BTreeSet::new(),
    };
    let plain = operation.response(&response, &limits).unwrap();
    let plain = signer.map_or(plain.clone(), |signer| signer.sign(plain).unwrap());
    String::from_utf8(key.encrypted(plain).unwrap()).unwrap()
}

#[tokio::test]
async fn a_call_and_its_answer_are_read_by_whom_they_are_for_alone() {
    let pki = Pki::new();
    let (ours, theirs, signs) = (Arc::new(Identity::of_rsa()), Identity::of_rsa(), pki.client("signs", true));
    let peer = peer(&pki).await;
    let address = format!("https://localhost:{}{BASE}", peer.port());
    let answers = Arc::clone(&ours);
    peer.answers(BASE, move |_| told(200, "text/xml", answer(&answers, None)));
    let mut secrets = vec![("encryption_certificate", theirs.certificate_pem()), ("decryption_key", ours.key_pem())];
    let account = Account::open(&pki, &address, &[], &secrets);
    assert_eq!(account.call(forecast("Ulm")).await.unwrap()["output"]["day"][0]["degrees"], "7.5");
    let sent = peer.requests().pop().unwrap().body;
    let text = String::from_utf8_lossy(&sent);
    assert!(!text.contains("Ulm") && text.contains("EncryptedData"), "{text}");
    let read = Reader::new(&theirs.key_pem()).unwrap().decrypted(&sent, &Limits::default()).unwrap();
    assert!(String::from_utf8_lossy(&read).contains("Ulm"));
    assert!(Reader::new(&ours.key_pem()).unwrap().decrypted(&sent, &Limits::default()).is_err());

    // By the digest that the account says.
    assert!(text.contains("#rsa-oaep-mgf1p\""), "{text}");
    let account = Account::open(&pki, &address, &[("encryption_digest", "sha256")], &secrets);
    account.call(forecast("Ulm")).await.unwrap();
    let sent = peer.requests().pop().unwrap().body;
    assert!(String::from_utf8_lossy(&sent).contains("xmlenc11#rsa-oaep\""));
    let read = Reader::new(&theirs.key_pem()).unwrap().decrypted(&sent, &Limits::default()).unwrap();
    assert!(String::from_utf8_lossy(&read).contains("Ulm"));

    // Signed as well, both ways: the receiver decrypts, and then verifies.
    let signer = Arc::new(pki.client("answers", true));
    secrets.push(("signing_key", signs.key_pem()));
    secrets.push(("signing_certificate", signs.certificate_pem()));
    secrets.push(("answer_certificate", signer.certificate_pem()));
    let account = Account::open(&pki, &address, &[], &secrets);
    assert_eq!(account.fails(forecast("Ulm")).await.code(), "soap-signature");
    let answers = Arc::clone(&ours);
    peer.answers(BASE, move |_| told(200, "text/xml", answer(&answers, Some(&signer))));
    account.call(forecast("Ulm")).await.unwrap();
    let sent = peer.requests().pop().unwrap().body;
    let read = Reader::new(&theirs.key_pem()).unwrap().decrypted(&sent, &Limits::default()).unwrap();
    verified(&read, &[&signs.certificate], &Limits::default()).unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_encrypted_for_the_account_is_refused() {
    let pki = Pki::new();
    let (ours, other, signer) = (Identity::of_rsa(), Identity::of_rsa(), pki.client("signs", true));
    let fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>";
    let plain = [("decryption_key", ours.key_pem())];
    let signed = [("decryption_key", ours.key_pem()), ("answer_certificate", signer.certificate_pem())];
    for (secrets, body, code) in [
        (&plain[..], envelope("", TOLD), "soap-encryption"),
        (&plain, answer(&other, None), "soap-encryption"),
        (&plain, answer(&ours, None).replacen("Id=\"ED-1\"", "Id=\"ED-2\"", 1), "soap-encryption"),
        // A fault that is not encrypted is one; where answers must be signed, nobody knows whose.
        (&plain, envelope("", fault), "soap-fault"),
        (&signed, envelope("", fault), "soap-fault-unsigned"),
        (&signed, answer(&ours, None), "soap-signature"),
    ] {
        let peer = peer(&pki).await;
        let address = format!("https://localhost:{}{BASE}", peer.port());
        let told_body = body.clone();
        peer.answers(BASE, move |_| told(200, "text/xml", told_body.clone()));
        let error = Account::open(&pki, &address, &[], secrets).fails(forecast("Ulm")).await;
        assert_eq!(error.code(), code, "{body}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_refused_when_the_account_is_bound() {
    let pki = Pki::new();
    let elliptic = pki.client("ours", true);
    for secret in [
        ("encryption_certificate", elliptic.certificate_pem()),
        ("encryption_certificate", "no certificate".to_owned()),
        ("decryption_key", elliptic.key_pem()),
        ("decryption_key", "no key".to_owned()),
    ] {
        let error = Account::try_open(&pki, "https://localhost:1/x", &[], &[secret]).err().unwrap();
        assert_eq!(error.kind(), Kind::Configuration);
    }
    // An attachment would not be encrypted.
    let theirs = Identity::of_rsa();
    let secrets = [("encryption_certificate", theirs.certificate_pem())];
    let account = Account::open(&pki, "https://localhost:1/x", &[], &secrets);
    let mut input = forecast("Ulm");
    input["attachment"] = "text".into();
    assert_eq!(account.fails(input).await.kind(), Kind::Input);
}
