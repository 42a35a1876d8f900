//! Beside two libraries that many services run on: their descriptions are read, their operations called.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: a broken premise must fail on the spot")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Answer, Block, Operation, Request, Version, Wsdl,
    addressing::Addressing,
    envelope::FaultCode,
    security::{self, Lifetime, Password, UsernameToken},
};
use lockgate_testkit::{Pki, SoapPeer};

fn call(pki: &Pki, peer: &SoapPeer, path: &str, operation: &Operation, json: &str, blocks: &[Block]) -> (u16, Answer) {
    let limits = Limits::default();
    let (body, none) = (Document::parse(json.as_bytes(), &limits).unwrap(), Document::undefined());
    let request =
        Request { body: body.root(), headers: none.root(), blocks, body_id: None, attachments: &BTreeSet::new() };
    let bytes = operation.request(&request, &limits).unwrap();
    let mut head = format!("POST {path} HTTP/1.1\r\n");
    for (name, value) in operation.version.http_headers(&operation.action) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let (status, answer) = peer.exchange(pki, &head, &bytes);
    let read = operation.answer(&answer, &[security::name()], &limits);
    (status, read.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer))))
}

fn json(answer: &Answer) -> String {
    let Answer::Output(output) = answer else { panic!("{answer:?}") };
    String::from_utf8(output.body.print(u64::MAX).unwrap()).unwrap()
}

#[test]
fn spyne_describes_itself_and_answers_in_both_versions() {
    let pki = Pki::new();
    for (version, expected) in [("1.1", Version::Soap11), ("1.2", Version::Soap12)] {
        let Some(peer) = SoapPeer::spyne(&pki, version) else { return };
        let text = peer.description(&pki, "/?wsdl");
        let wsdl = Wsdl::read("https://localhost/?wsdl", text, |_| None).unwrap_or_else(|all| panic!("{}", all[0]));
        let port = &wsdl.services()[0].ports[0];
        assert_eq!(port.version, expected);
        let send = wsdl.operation(&port.name, "send").unwrap();
        // In any order: the schema says in which it goes.
        let parcel = r#"{"parcel": {"lines": {"Line": [{"weight": 1.5, "count": 2, "article": "pen & ink"},
            {"article": "Ä", "count": "1", "weight": "0.25"}]}, "number": "P-1", "sent": "2026-11-23T06:30:00Z"}}"#;
        let (status, answer) = call(&pki, &peer, "/", &send, parcel, &[]);
        assert_eq!((status, json(&answer).as_str()), (200, r#"{"sendResult":"3.25"}"#));
        let find = wsdl.operation(&port.name, "find").unwrap();
        let (_, answer) = call(&pki, &peer, "/", &find, r#"{"number": "P-1"}"#, &[]);
        assert_eq!(
            json(&answer),
            "{\"findResult\":{\"number\":\"P-1\",\"sent\":\"2026-11-23T06:30:00+00:00\",\"lines\":{\"Line\":[{\"article\":\
             \"pen & ink\",\"count\":\"2\",\"weight\":\"1.5\"},{\"article\":\"Ä\",\"count\":\"1\",\"weight\":\"0.25\"}]}}}"
        );
        let (status, answer) = call(&pki, &peer, "/", &find, r#"{"number": "P-2"}"#, &[]);
        let Answer::Fault(fault) = answer else { panic!("{answer:?}") };
        assert_eq!((fault.code, fault.reason.as_str()), (FaultCode::Sender, "there is no such parcel"));
        assert_eq!(fault.subcodes, ["Unknown"]);
        assert!(status >= 400);
    }
}

#[test]
fn npm_soap_lets_users_in_by_text_and_by_digest() {
    let pki = Pki::new();
    let Some(peer) = SoapPeer::node(&pki, include_str!("weather.wsdl")) else { return };
    let text = peer.description(&pki, "/weather?wsdl");
    let wsdl = Wsdl::read("https://localhost/weather?wsdl", text, |_| None).unwrap();
    let forecast = wsdl.operation("WeatherPort", "forecast").unwrap();
    let created: Timestamp = "2026-11-23T06:30:00Z".parse().unwrap();
    let header = |password| {
        let token = UsernameToken { user: "reader", password, nonce: &[9; 16], created };
        let lifetime = Lifetime { created, expires: Some(created + SignedDuration::from_mins(5)) };
        security::header(forecast.version, vec![lifetime.block("TS-1"), token.block()])
    };
    let ask = |town: &str, blocks: &[Block]| {
        call(&pki, &peer, "/weather", &forecast, &format!(r#"{{"town": "{town}"}}"#), blocks)
    };
    let addressing = Addressing { to: "https://localhost/weather", action: &forecast.action, message_id: "urn:uuid:1" };
    for password in [Password::Text("rain-4"), Password::Digest("rain-4")] {
        let blocks: Vec<Block> = [header(password)].into_iter().chain(addressing.blocks()).collect();
        let (status, answer) = ask("Ulm", &blocks);
        assert_eq!(status, 200);
        assert_eq!(json(&answer), r#"{"day":[{"name":"mon","degrees":"7.5"},{"name":"tue","degrees":"-1"}]}"#);
        let (_, answer) = ask("Atlantis", &blocks);
        let Answer::Fault(fault) = answer else { panic!("{answer:?}") };
        assert_eq!((fault.code, fault.reason.as_str()), (FaultCode::Sender, "the town is under water"));
    }
    for refused in [vec![header(Password::Text("sun-5"))], vec![header(Password::Digest("sun-5"))], Vec::new()] {
        let limits = Limits::default();
        let body = Document::parse(br#"{"town": "Ulm"}"#, &limits).unwrap();
        let none = Document::undefined();
        let request = Request {
            body: body.root(),
            headers: none.root(),
            blocks: &refused,
            body_id: None,
            attachments: &BTreeSet::new(),
        };
        let bytes = forecast.request(&request, &limits).unwrap();
        let head = "POST /weather HTTP/1.1\r\ncontent-type: text/xml\r\nsoapaction: \"\"\r\n";
        let (status, answer) = peer.exchange(&pki, head, &bytes);
        assert!(status >= 400 && !String::from_utf8_lossy(&answer).contains("degrees"), "{status}");
    }
}
