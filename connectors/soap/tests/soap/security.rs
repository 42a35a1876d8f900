//! Messages that are signed, answers that must be, and messages that know each other.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use lockgate_connector_api::{Error, Kind};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Block, Operation, Request, Wsdl,
    addressing::WSA,
    envelope::Envelope,
    security::{
        self, Lifetime, Presented,
        signature::{Signer, verified},
    },
};
use lockgate_testkit::{Pki, pki::Identity};
use serde_json::Value;

use crate::account::{Account, BASE, WEATHER, envelope, forecast, peer, told};

fn operation() -> Operation {
    let wsdl = Wsdl::read("w", WEATHER.to_owned(), |_| None).unwrap();
    wsdl.operation("WeatherPort", "forecast").unwrap()
}

fn parse(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap()
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the connector compares with the machine's clock")]
    Timestamp::now()
}

/// An answer that was made so long ago, signed by this identity.
fn signed(identity: &Identity, ago: SignedDuration, blocks: Vec<Block>) -> String {
    let created = now() - ago;
    let lifetime = Lifetime { created, expires: Some(created + SignedDuration::from_mins(1)) };
    signed_with(identity, Some(lifetime), &["TS-1", "Body-1"], blocks)
}

fn signed_with(identity: &Identity, lifetime: Option<Lifetime>, ids: &[&str], blocks: Vec<Block>) -> String {
    let (operation, limits) = (operation(), Limits::default());
    let signer = Signer::new(&identity.key_pem(), &identity.certificate).unwrap();
    let stamp = lifetime.map(|lifetime| lifetime.block("TS-1"));
    let children = stamp.into_iter().chain(signer.blocks(ids)).collect();
    let blocks: Vec<Block> = [security::header(operation.version, children)].into_iter().chain(blocks).collect();
    let (body, none) = (parse(r#"{"day": [{"name": "mon", "degrees": 7.5}]}"#), Document::undefined());
    let response = Request {
        body: body.root(),
        headers: none.root(),
        blocks: &blocks,
        body_id: Some("Body-1"),
        attachments: &BTreeSet::new(),
    };
    let bytes = operation.response(&response, &limits).unwrap();
    String::from_utf8(signer.sign(bytes).unwrap()).unwrap()
}

/// What a call with these settings says of an answer.
async fn answer(
    pki: &Pki,
    settings: &[(&str, &str)],
    secrets: &[(&str, String)],
    body: String,
) -> Result<Value, Error> {
    let peer = peer(pki).await;
    peer.answers(BASE, move |_| told(200, "text/xml", body.clone()));
    let address = format!("https://localhost:{}{BASE}", peer.port());
    Account::open(pki, &address, settings, secrets).call(forecast("Ulm")).await
}

#[tokio::test]
async fn an_answer_that_must_be_signed_is_taken_from_its_signer_alone() {
    let pki = Pki::new();
    let (theirs, other) = (pki.client("theirs", true), pki.client("other", true));
    let ago = SignedDuration::ZERO;
    let good = signed(&theirs, ago, Vec::new());
    let secrets = [("answer_certificate", other.certificate_pem() + &theirs.certificate_pem())];
    let refused = async |body: String, code: &str| {
        let error = answer(&pki, &[], &secrets, body.clone()).await.expect_err(&body);
        assert_eq!((error.kind(), error.code()), (Kind::Protocol, code), "{}: {body}", error.private().reveal());
    };
    refused(envelope("", crate::account::TOLD), "soap-signature").await;
    refused(good.replace("7.5", "8.5"), "soap-signature").await;
    refused(signed(&pki.client("third", true), ago, Vec::new()), "soap-signature").await;
    refused(signed(&theirs, SignedDuration::from_hours(1), Vec::new()), "soap-security").await;
    refused(signed(&theirs, SignedDuration::from_hours(-1), Vec::new()), "soap-security").await;
    assert!(answer(&pki, &[], &secrets, good.clone()).await.is_ok());
    // Faults are seldom signed; one is an error, whoever it is from.
    let fault = envelope("", "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>");
    let error = answer(&pki, &[], &secrets, fault.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Protocol, "soap-fault-unsigned"));
    assert_eq!(error.private().reveal(), "Sender: no");
    assert_eq!(answer(&pki, &[], &[], fault).await.unwrap_err().code(), "soap-fault");
    // Who asks for no signature looks at the time alone.
    assert!(answer(&pki, &[], &[], good).await.is_ok());
    let old = signed(&theirs, SignedDuration::from_hours(1), Vec::new());
    assert_eq!(answer(&pki, &[], &[], old).await.unwrap_err().code(), "soap-security");
}

#[tokio::test]
async fn an_answer_that_must_be_signed_says_how_long_it_is_good() {
    let pki = Pki::new();
    let theirs = pki.client("theirs", true);
    let secrets = [("answer_certificate", theirs.certificate_pem())];
    let made = |minutes: i64| Lifetime { created: now() - SignedDuration::from_mins(minutes), expires: None };
    let both = ["TS-1", "Body-1"];
    let code = async |settings: &[(&str, &str)], body: String| {
        answer(&pki, settings, &secrets, body).await.err().map(|error| error.code().to_owned())
    };
    let security = Some("soap-security".to_owned());
    assert_eq!(code(&[], signed_with(&theirs, None, &["Body-1"], Vec::new())).await, security);
    // Without an end, the lifetime of our own messages counts: 300 seconds, if the account says nothing. Clocks may
    // differ by 5 minutes.
    assert_eq!(code(&[], signed_with(&theirs, Some(made(9)), &both, Vec::new())).await, None);
    assert_eq!(code(&[], signed_with(&theirs, Some(made(11)), &both, Vec::new())).await, security);
    let hour = [("lifetime_seconds", "3600")];
    assert_eq!(code(&hour, signed_with(&theirs, Some(made(64)), &both, Vec::new())).await, None);
    assert_eq!(code(&hour, signed_with(&theirs, Some(made(66)), &both, Vec::new())).await, security);
    // The time goes where nobody reads it.
    let good = signed(&theirs, SignedDuration::from_hours(1), Vec::new());
    let (before, rest) = good.split_once("<wsu:Timestamp").unwrap();
    let (inner, after) = rest.split_once("</wsu:Timestamp>").unwrap();
    let (without, stamp) = (format!("{before}{after}"), format!("<wsu:Timestamp{inner}</wsu:Timestamp>"));
    for place in ["</soap:Header>", "</n1:forecastResponse>", "</ds:KeyInfo>"] {
        let moved = without.replacen(place, &format!("{stamp}{place}"), 1);
        assert_eq!(code(&[], moved).await.as_deref(), Some("soap-signature"), "{place}");
    }
}

#[tokio::test]
async fn an_answer_that_must_be_signed_says_so_to_which_message_it_is_one() {
    let pki = Pki::new();
    let (peer, theirs) = (peer(&pki).await, Arc::new(pki.client("theirs", true)));
    let address = format!("https://localhost:{}{BASE}", peer.port());
    let secrets = [("answer_certificate", theirs.certificate_pem())];
    let account = Account::open(&pki, &address, &[("addressing", "1.0")], &secrets);
    // An answer to this message, of which these are signed.
    let related = |theirs: &Identity, message_id: &str, ids: &[&str]| {
        let lifetime = Lifetime { created: now(), expires: Some(now() + SignedDuration::from_mins(1)) };
        let block = Block::new(WSA, "RelatesTo").attribute(security::WSU, "Id", "R-1").text(message_id);
        signed_with(theirs, Some(lifetime), ids, vec![block])
    };
    for (ids, kept, code) in [
        (vec!["TS-1", "Body-1", "R-1"], false, None),
        (vec!["TS-1", "Body-1"], false, Some("soap-signature")),
        (vec!["TS-1", "Body-1", "R-1"], true, Some("soap-addressing")),
    ] {
        let kept = kept.then(|| related(&theirs, "urn:uuid:1", &ids));
        let (theirs, ids) = (Arc::clone(&theirs), ids.clone());
        peer.answers(BASE, move |request| {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let id = text.split("MessageID>").nth(1).unwrap().trim_end_matches("</wsa:");
            let fresh = || related(&theirs, id, &ids);
            crate::account::told(200, "text/xml", kept.clone().unwrap_or_else(fresh))
        });
        let answer = account.call(forecast("Ulm")).await;
        assert_eq!(answer.err().map(|error| error.code().to_owned()).as_deref(), code, "{code:?}");
    }
    // One that names none may be one that was kept.
    peer.answers(BASE, move |_| {
        crate::account::told(200, "text/xml", signed(&theirs, SignedDuration::ZERO, Vec::new()))
    });
    assert_eq!(account.fails(forecast("Ulm")).await.code(), "soap-addressing");
}

#[tokio::test]
async fn a_fault_that_cannot_be_taken_is_not_believed() {
    let pki = Pki::new();
    let fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>";
    let with = |header: &str| envelope(&format!("<s:Header>{header}</s:Header>"), fault);
    let old = format!(
        "<o:Security xmlns:o='{}' xmlns:u='{}'><u:Timestamp><u:Created>2026-01-01T00:00:00Z</u:Created><u:Expires>2026-01-01T00:05:00Z</u:Expires></u:Timestamp></o:Security>",
        security::WSSE,
        security::WSU,
    );
    let another = format!("<a:RelatesTo xmlns:a='{WSA}'>urn:uuid:another</a:RelatesTo>");
    let addressing = [("addressing", "1.0")];
    for (header, code) in [
        ("", "soap-fault"),
        (&old, "soap-security"),
        (&another, "soap-addressing"),
        ("<x s:mustUnderstand='1' xmlns='urn:x'/>", "soap-envelope"),
    ] {
        let error = answer(&pki, &addressing, &[], with(header)).await.unwrap_err();
        assert_eq!(error.code(), code, "{header}");
    }
}

#[tokio::test]
async fn a_signed_message_is_verified_by_its_receiver() {
    let pki = Pki::new();
    let (peer, own, limits) = (peer(&pki).await, pki.client("own", true), Limits::default());
    peer.answers(BASE, |_| told(200, "text/xml", envelope("", crate::account::TOLD)));
    let address = format!("https://localhost:{}{BASE}", peer.port());
    let settings = [
        ("security", "username-digest"),
        ("token_username", "reader"),
        ("lifetime_seconds", "60"),
        ("addressing", "1.0"),
    ];
    let secrets = [
        ("token_password", "rain-4".to_owned()),
        ("signing_key", own.key_pem()),
        ("signing_certificate", own.certificate_pem()),
    ];
    let account = Account::open(&pki, &address, &settings, &secrets);
    for _ in 0..2 {
        account.call(forecast("Ulm")).await.unwrap();
    }
    let requests = peer.requests();
    let mut seen = BTreeSet::new();
    for request in &requests {
        let text = String::from_utf8_lossy(&request.body);
        assert!(!text.contains("rain-4") && text.contains("http://www.w3.org/2005/08/addressing"), "{text}");
        let message = verified(&request.body, &[&own.certificate], &limits).unwrap();
        let mut envelope = Envelope::signed(&message).unwrap();
        let lifetime = Lifetime::of(&mut envelope).unwrap().unwrap();
        assert_eq!(lifetime.expires.unwrap().duration_since(lifetime.created), SignedDuration::from_mins(1));
        lifetime.check(now(), SignedDuration::from_secs(5)).unwrap();
        let token = Presented::of(&mut envelope).unwrap().unwrap();
        assert!(token.user == "reader" && token.proves("rain-4") && !token.proves("rain-5"));
        seen.insert(token.nonce.unwrap());
        seen.insert(text.split("MessageID>").nth(1).unwrap().to_owned());
    }
    assert_eq!(seen.len(), 4, "each message has a nonce and an id of its own");
}

#[tokio::test]
async fn a_message_is_for_the_address_to_which_it_goes() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let address = format!("https://localhost:{}{BASE}", peer.port());
    let account = Account::open(&pki, &address, &[("addressing", "1.0")], &[]);
    for (path, to) in [(None, ""), (Some("v2/now?client=100&a=b"), "/v2/now?client=100&amp;a=b")] {
        peer.answers(&format!("{BASE}{}", if path.is_some() { "/v2/now" } else { "" }), |_| {
            told(200, "text/xml", envelope("", crate::account::TOLD))
        });
        let mut input = forecast("Ulm");
        if let Some(path) = path {
            input["path"] = path.into();
        }
        account.call(input).await.unwrap();
        let sent = String::from_utf8_lossy(&peer.requests().last().unwrap().body).into_owned();
        assert!(sent.contains(&format!("<wsa:To>{address}{to}</wsa:To>")), "{sent}");
    }
}

#[tokio::test]
async fn what_must_be_understood_is_looked_at_or_refused() {
    let pki = Pki::new();
    let (none, with) = (&[][..], &[("addressing", "1.0")][..]);
    let addressing = |local: &str| format!("<a:{local} xmlns:a='{WSA}' s:mustUnderstand='1'>x</a:{local}>");
    let (wsse, wsu) = (security::WSSE, security::WSU);
    let secured = |must: &str, inner: &str| {
        let stamp = format!("<u:Timestamp><u:Created>{}</u:Created></u:Timestamp>", now());
        format!("<w:Security xmlns:w='{wsse}' xmlns:u='{wsu}' s:mustUnderstand='{must}'>{stamp}{inner}</w:Security>")
    };
    let unknown = "<x:ReferenceList xmlns:x='http://www.w3.org/2001/04/xmlenc#'/>";
    for (settings, header, is_taken) in [
        (with, addressing("Action"), true),
        (none, addressing("Action"), false),
        (with, addressing("ReplyTo"), false),
        (none, addressing("Action").replace(" s:mustUnderstand='1'", ""), true),
        (none, secured("1", ""), true),
        (none, secured("1", "<w:BinarySecurityToken>x</w:BinarySecurityToken>"), true),
        (none, secured("1", unknown), false),
        (none, secured("1", "<w:UsernameToken/>"), false),
        (none, secured("0", unknown), true),
    ] {
        let answer =
            answer(&pki, settings, &[], envelope(&format!("<s:Header>{header}</s:Header>"), crate::account::TOLD));
        let code = answer.await.err().map(|error| error.code().to_owned());
        assert_eq!(code.as_deref(), (!is_taken).then_some("soap-envelope"), "{header}");
    }
}

#[tokio::test]
async fn an_answer_to_another_message_is_refused() {
    let pki = Pki::new();
    let related = |id: &str| {
        envelope(&format!("<s:Header><a:RelatesTo xmlns:a='{WSA}'>{id}</a:RelatesTo></s:Header>"), crate::account::TOLD)
    };
    let settings = [("addressing", "1.0")];
    let error = answer(&pki, &settings, &[], related("urn:uuid:another")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Protocol, "soap-addressing"));
    // One that names none may be of a service without WS-Addressing.
    assert!(answer(&pki, &settings, &[], envelope("", crate::account::TOLD)).await.is_ok());
    let peer = peer(&pki).await;
    peer.answers(BASE, move |arrived| {
        let text = String::from_utf8_lossy(&arrived.body);
        let id = text.split("MessageID>").nth(1).unwrap().split('<').next().unwrap();
        told(200, "text/xml", related(id))
    });
    let address = format!("https://localhost:{}{BASE}", peer.port());
    Account::open(&pki, &address, &settings, &[]).call(forecast("Ulm")).await.unwrap();
}
