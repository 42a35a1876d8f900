//! Envelopes as endpoints answer them: values, faults, headers, and what is refused.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: a broken premise must fail on the spot")]

use std::{collections::BTreeSet, path::Path};

use jiff::{SignedDuration, Timestamp};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Answer, Block, Operation, Request, SoapError, Version, Wsdl, XmlName,
    addressing::{self, Addressing},
    envelope::{Envelope, Fault, FaultCode, document, refusal},
    security::{self, Lifetime, Password, Presented, UsernameToken},
};

const ENV11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENV12: &str = "http://www.w3.org/2003/05/soap-envelope";

fn wsdl(name: &str) -> Wsdl {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    Wsdl::read(name, text, |name| std::fs::read_to_string(folder.join(name)).ok()).unwrap()
}

fn operation(name: &str) -> Operation {
    wsdl(name).operation("P", "op").unwrap()
}

fn parse(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap()
}

fn json(document: &Document) -> String {
    String::from_utf8(document.print(u64::MAX).unwrap()).unwrap()
}

fn answer(operation: &Operation, xml: &str) -> Result<Answer, SoapError> {
    operation.answer(xml.as_bytes(), &[], &Limits::default())
}

#[track_caller]
fn code(result: Result<Answer, SoapError>) -> String {
    result.unwrap_err().code.into_owned()
}

fn soap11(inner: &str) -> String {
    format!("<e:Envelope xmlns:e='{ENV11}' xmlns:t='urn:t'>{inner}</e:Envelope>")
}

#[track_caller]
fn fault(operation: &Operation, xml: &str) -> Fault {
    match answer(operation, xml) {
        Ok(Answer::Fault(fault)) => *fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fault_of_soap_11_has_code_reason_actor_and_a_typed_detail() {
    let operation = operation("faults.wsdl");
    let fault = fault(
        &operation,
        &soap11(
            "<e:Body><e:Fault><faultcode>e:Client.NotFound.Order</faultcode><faultstring xml:lang='en'> no order </faultstring>
             <faultactor>urn:orders</faultactor><detail><t:problem><t:code>7</t:code><t:hint>ask</t:hint></t:problem>
             <x xmlns='urn:x' a='1'>raw</x></detail></e:Fault></e:Body>",
        ),
    );
    assert_eq!((fault.version, &fault.code), (Version::Soap11, &FaultCode::Sender));
    assert_eq!(fault.subcodes, ["NotFound", "Order"]);
    assert_eq!((fault.reason.as_str(), fault.role.as_deref()), ("no order", Some("urn:orders")));
    // An array, though there is one hint: the description says so.
    assert_eq!(json(&fault.detail), r##"{"problem":{"code":"7","hint":["ask"]},"x":{"@a":"1","#text":"raw"}}"##);
    assert!(!format!("{fault:?}").contains("order"), "what the endpoint says is no log line");
}

#[test]
fn a_fault_of_soap_12_has_subcodes_and_the_english_reason() {
    let operation = operation("soap12-only.wsdl");
    let fault = fault(
        &operation,
        &format!(
            "<e:Envelope xmlns:e='{ENV12}' xmlns:m='urn:m'><e:Body><e:Fault><e:Code><e:Value>e:Receiver</e:Value><e:Subcode>
             <e:Value>m:Busy</e:Value><e:Subcode><e:Value>m:Queue</e:Value></e:Subcode></e:Subcode></e:Code>
             <e:Reason><e:Text xml:lang='de'>voll</e:Text><e:Text xml:lang='en-GB'>full</e:Text></e:Reason>
             <e:Role>urn:r</e:Role></e:Fault></e:Body></e:Envelope>"
        ),
    );
    assert_eq!((fault.version, &fault.code), (Version::Soap12, &FaultCode::Receiver));
    assert_eq!((fault.subcodes.join("/"), fault.reason.as_str()), ("Busy/Queue".to_owned(), "full"));
    assert_eq!(fault.role.as_deref(), Some("urn:r"));
    assert!(fault.detail.is_undefined());
}

#[test]
fn who_serves_refuses_by_a_fault_that_is_read_again() {
    for (name, version) in [("faults.wsdl", Version::Soap11), ("soap12-only.wsdl", Version::Soap12)] {
        let operation = operation(name);
        for code in [FaultCode::Sender, FaultCode::Receiver, FaultCode::MustUnderstand, FaultCode::VersionMismatch] {
            let bytes = refusal(version, &code, "not <now>", &Limits::default()).unwrap();
            let read = fault(&operation, str::from_utf8(&bytes).unwrap());
            assert_eq!((read.version, &read.code, read.reason.as_str()), (version, &code, "not <now>"));
        }
    }
}

#[test]
fn codes_are_known_by_their_namespace() {
    let operation = operation("faults.wsdl");
    for (written, expected) in [
        ("e:Server", FaultCode::Receiver),
        ("Server", FaultCode::Receiver),
        ("e:VersionMismatch", FaultCode::VersionMismatch),
        ("e:MustUnderstand", FaultCode::MustUnderstand),
        ("t:Server", FaultCode::Other(XmlName::new("urn:t", "Server"))),
        ("e:Odd", FaultCode::Other(XmlName::new(ENV11, "Odd"))),
    ] {
        let xml = soap11(&format!("<e:Body><e:Fault><faultcode>{written}</faultcode></e:Fault></e:Body>"));
        assert_eq!(fault(&operation, &xml).code, expected, "{written}");
    }
    let xml = soap11("<e:Body><e:Fault><faultstring>x</faultstring></e:Fault></e:Body>");
    assert_eq!(code(answer(&operation, &xml)), "LG-SOAP-ENVELOPE");
}

#[test]
fn what_is_no_envelope_is_refused() {
    let operation = operation("faults.wsdl");
    let body = "<e:Body><t:answer/></e:Body>";
    for (xml, expected) in [
        ("<html><body>busy</body></html>".to_owned(), "LG-SOAP-ENVELOPE"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_owned(), "LG-XML-DOCTYPE"),
        ("busy".to_owned(), "LG-XML-ROOT"),
        (format!("<e:Envelope xmlns:e='{ENV12}'><e:Body/></e:Envelope>"), "LG-SOAP-VERSION"),
        ("<e:Envelope xmlns:e='urn:other'><e:Body/></e:Envelope>".to_owned(), "LG-SOAP-VERSION"),
        (soap11(""), "LG-SOAP-ENVELOPE"),
        (soap11(&format!("{body}{body}")), "LG-SOAP-ENVELOPE"),
        (soap11(&format!("{body}<e:Header/>")), "LG-SOAP-ENVELOPE"),
        (soap11(&format!("<e:Header/><e:Header/>{body}")), "LG-SOAP-ENVELOPE"),
        (soap11(&format!("{body}<t:more/>")), "LG-SOAP-ENVELOPE"),
        (soap11(&format!("text{body}")), "LG-SOAP-ENVELOPE"),
        (soap11("<e:Body/>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><t:answer/><t:answer/></e:Body>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><answer/></e:Body>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><t:ask/></e:Body>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><t:answer><t:more/></t:answer></e:Body>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><t:answer>text</t:answer></e:Body>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><t:answer a='1'/></e:Body>"), "LG-SOAP-BODY"),
        (soap11("<e:Body><e:Fault><faultcode>e:Server</faultcode></e:Fault><t:answer/></e:Body>"), "LG-SOAP-ENVELOPE"),
    ] {
        assert_eq!(code(answer(&operation, &xml)), expected, "{xml}");
    }
    assert!(matches!(answer(&operation, &soap11(body)), Ok(Answer::Output(_))));
    // What says how to validate is nobody's data.
    let typed = "<e:Body><t:answer xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:type='t:a' x:schemaLocation='a b'/></e:Body>";
    assert!(matches!(answer(&operation, &soap11(typed)), Ok(Answer::Output(_))));
}

#[test]
fn an_element_in_another_namespace_is_not_that_of_the_type() {
    let operation = operation("unqualified.wsdl");
    let asked = |inner: &str| {
        let xml = soap11(&format!("<e:Body><t:ask>{inner}</t:ask></e:Body>"));
        operation.asked(xml.as_bytes(), &[], &Limits::default())
    };
    assert_eq!(json(&asked("<a>1</a><t:b>2</t:b>").unwrap().body), r#"{"a":"1","b":"2"}"#);
    let error = asked("<t:a>1</t:a><t:b>2</t:b>").unwrap_err();
    assert_eq!((error.code.as_ref(), error.pointer.as_deref()), ("LG-SOAP-BODY", Some("/a")));
    assert!(error.message.contains("another namespace"));
    assert_eq!(asked("<a>1</a><a>1</a><t:b>2</t:b>").unwrap_err().code, "LG-SOAP-BODY");
    assert_eq!(asked("<a>1</a>").unwrap_err().code, "LG-SOAP-BODY");
}

#[test]
fn a_header_that_must_be_understood_and_is_not_refuses_the_message() {
    let operation = operation("faults.wsdl");
    let with = |attributes: &str| {
        soap11(&format!("<e:Header><t:session {attributes}>1</t:session></e:Header><e:Body><t:answer/></e:Body>"))
    };
    for attributes in ["e:mustUnderstand='1'", "e:mustUnderstand='true'", "e:mustUnderstand='yes'"] {
        assert_eq!(code(answer(&operation, &with(attributes))), "LG-SOAP-UNDERSTAND", "{attributes}");
    }
    for attributes in ["", "e:mustUnderstand='0'", "mustUnderstand='1'", "e:mustUnderstand='1' e:actor='urn:other'"] {
        assert!(answer(&operation, &with(attributes)).is_ok(), "{attributes}");
    }
    let known = [XmlName::new("urn:t", "session")];
    let xml = with("e:mustUnderstand='1'");
    assert!(operation.answer(xml.as_bytes(), &known, &Limits::default()).is_ok());
    // A fault is no way around it.
    let xml = soap11(
        "<e:Header><t:s e:mustUnderstand='1'/></e:Header><e:Body><e:Fault><faultcode>e:Server</faultcode></e:Fault></e:Body>",
    );
    assert_eq!(code(answer(&operation, &xml)), "LG-SOAP-UNDERSTAND");
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sent(blocks: &[Block]) -> String {
    let operation = operation("faults.wsdl");
    let (body, none) = (parse("{}"), Document::undefined());
    let request =
        Request { body: body.root(), headers: none.root(), blocks, body_id: None, attachments: &BTreeSet::new() };
    String::from_utf8(operation.request(&request, &Limits::default()).unwrap()).unwrap()
}

fn opened<T>(xml: &str, show: impl FnOnce(&mut Envelope<'_>) -> T) -> T {
    let document = document(xml.as_bytes(), &Limits::default()).unwrap();
    show(&mut Envelope::of(&document).unwrap())
}

#[test]
fn a_user_proves_itself_by_text_and_by_digest() {
    let created = at("2026-11-23T06:00:00.123Z");
    for password in [Password::Text("Soap-pass-1"), Password::Digest("Soap-pass-1")] {
        let token = UsernameToken { user: "soapuser", password, nonce: &[7; 16], created };
        let block = security::header(Version::Soap11, vec![token.block()]);
        assert!(!format!("{block:?}").contains("Soap-pass-1"));
        let xml = sent(&[block]);
        assert_eq!(xml.contains("Soap-pass-1"), matches!(password, Password::Text(_)));
        assert!(xml.contains("<wsu:Created>2026-11-23T06:00:00.123Z</wsu:Created>"), "{xml}");
        let presented = opened(&xml, Presented::of).unwrap().unwrap();
        assert_eq!(presented.user, "soapuser");
        assert!(presented.proves("Soap-pass-1"));
        assert!(!presented.proves("Soap-pass-2") && !presented.proves(""));
        let (minute, second) = (SignedDuration::from_mins(1), SignedDuration::from_secs(1));
        assert!(presented.check(created + minute, minute, second).is_ok());
        assert!(presented.check(created + minute + minute, minute, second).is_err());
        assert!(presented.check(created - minute, minute, second).is_err());
    }
}

/// Base64 of SHA-1 over nonce, created and password, computed elsewhere:
/// `(printf '\7…(16 times)'; printf 2026-11-23T06:00:00.123ZSoap-pass-1) | openssl sha1 -binary | base64`.
#[test]
fn the_digest_is_that_of_the_profile() {
    let created = at("2026-11-23T06:00:00.123Z");
    let token = UsernameToken { user: "u", password: Password::Digest("Soap-pass-1"), nonce: &[7; 16], created };
    let xml = sent(&[security::header(Version::Soap11, vec![token.block()])]);
    assert!(xml.contains(">1qOiVe0ToG7I2uM1VPs9Ez7vvCU=</wsse:Password>"), "{xml}");
}

#[test]
fn a_token_that_says_two_things_or_too_little_is_refused() {
    const WSSE: &str = security::WSSE;
    const WSU: &str = security::WSU;
    let digest = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
    let user = "<w:Username>a</w:Username>";
    let password = "<w:Password>p</w:Password>";
    let token = |inner: &str| format!("<w:UsernameToken>{inner}</w:UsernameToken>");
    for inner in [
        token(user),
        token(password),
        token(&format!("{user}{user}{password}")),
        token(&format!("{user}{password}{password}")),
        token(&format!("{user}{password}<w:Other/>")),
        token(&format!("{user}<w:Password Type='{digest}'>p</w:Password>")),
        token(&format!("{user}<w:Password Type='{digest}'>p</w:Password><w:Nonce>AAAA</w:Nonce>")),
        token(&format!("{user}<w:Password Type='urn:other'>p</w:Password>")),
        token(&format!("{user}{password}<u:Created>yesterday</u:Created>")),
        token(&format!("{user}{password}<w:Nonce>{}</w:Nonce>", "A".repeat(300))),
        format!("{0}{0}", token(&format!("{user}{password}"))),
    ] {
        let xml = soap11(&format!(
            "<e:Header><w:Security xmlns:w='{WSSE}' xmlns:u='{WSU}'>{inner}</w:Security></e:Header><e:Body/>"
        ));
        assert_eq!(
            opened(&xml, Presented::of).err().map(|error| error.code),
            Some("LG-SOAP-SECURITY".into()),
            "{inner}"
        );
    }
    let xml =
        soap11(&format!("<e:Header><w:Security xmlns:w='{WSSE}'/><w:Security xmlns:w='{WSSE}'/></e:Header><e:Body/>"));
    assert!(opened(&xml, Presented::of).is_err());
    let xml = soap11("<e:Header/><e:Body/>");
    assert!(opened(&xml, Presented::of).unwrap().is_none());
}

#[test]
fn a_message_is_good_for_its_time() {
    let created = at("2026-11-23T06:00:00Z");
    let minute = SignedDuration::from_mins(1);
    let lifetime = Lifetime { created, expires: Some(created + minute) };
    let xml = sent(&[security::header(Version::Soap11, vec![lifetime.block("TS-1")])]);
    let read = opened(&xml, Lifetime::of).unwrap().unwrap();
    assert_eq!(read, lifetime);
    let skew = SignedDuration::from_secs(5);
    for (seconds, is_good) in [(-6, false), (-5, true), (0, true), (65, true), (66, false)] {
        let now = created + SignedDuration::from_secs(seconds);
        assert_eq!(read.check(now, skew).is_ok(), is_good, "{seconds}");
    }
    let never = Lifetime { created, expires: Some(created) };
    assert!(never.check(created, skew).is_err());
    let wsu = security::WSU;
    for inner in [
        "<u:Expires>2026-11-23T06:00:00Z</u:Expires>",
        "<u:Created>2026-11-23T06:00:00</u:Created>",
        "<u:Created>2026-11-23T06:00:00Z</u:Created><u:Created>2026-11-23T06:00:00Z</u:Created>",
        "<u:Created>2026-11-23T06:00:00Z</u:Created><u:Other/>",
    ] {
        let xml = soap11(&format!(
            "<e:Header><w:Security xmlns:w='{}' xmlns:u='{wsu}'><u:Timestamp>{inner}</u:Timestamp></w:Security></e:Header><e:Body/>",
            security::WSSE
        ));
        assert!(opened(&xml, Lifetime::of).is_err(), "{inner}");
    }
}

#[test]
fn what_the_body_declares_does_not_hold_in_the_header() {
    let (wsse, wsu) = (security::WSSE, security::WSU);
    let stamp = "<u:Timestamp><u:Created>2026-11-23T06:00:00Z</u:Created></u:Timestamp>";
    let xml = |body: &str| {
        format!(
            "<e:Envelope xmlns:e='{ENV11}' xmlns:u='{wsu}'><e:Header><w:Security xmlns:w='{wsse}'>{stamp}</w:Security></e:Header>{body}</e:Envelope>"
        )
    };
    for body in ["<e:Body/>", "<e:Body xmlns:u='urn:x'/>"] {
        assert!(opened(&xml(body), Lifetime::of).unwrap().is_some(), "{body}");
        // And what the header declares does not hold in the body, whatever was read before.
        let document = document(xml(body).as_bytes(), &Limits::default()).unwrap();
        let mut envelope = Envelope::of(&document).unwrap();
        Lifetime::of(&mut envelope).unwrap();
        assert_eq!(Lifetime::of(&mut envelope).unwrap(), Lifetime::of(&mut Envelope::of(&document).unwrap()).unwrap());
    }
}

#[test]
fn an_answer_belongs_to_its_request() {
    let operation = operation("faults.wsdl");
    let id = "urn:uuid:0195";
    let addressing = Addressing { to: "https://example.com/s", action: &operation.addressing_action, message_id: id };
    let xml = sent(&addressing.blocks());
    for part in [
        "<wsa:To>https://example.com/s</wsa:To>",
        "<wsa:Action>urn:t/op</wsa:Action>",
        "<wsa:MessageID>urn:uuid:0195</",
    ] {
        assert!(xml.contains(part), "{xml}");
    }
    let with = |header: &str| {
        soap11(&format!("<e:Header xmlns:a='{}'>{header}</e:Header><e:Body><t:answer/></e:Body>", addressing::WSA))
    };
    let related = |header: &str| opened(&with(header), |envelope| addressing::related(envelope, id));
    assert_eq!(related("<a:RelatesTo> urn:uuid:0195 </a:RelatesTo>"), Ok(true));
    assert_eq!(related(""), Ok(false));
    assert_eq!(related("<a:RelatesTo RelationshipType='urn:other'>urn:x</a:RelatesTo>"), Ok(false));
    assert_eq!(related("<a:RelatesTo>urn:uuid:0196</a:RelatesTo>").unwrap_err().code, "LG-SOAP-ADDRESSING");
    assert!(related("<a:RelatesTo>urn:uuid:0195</a:RelatesTo><a:RelatesTo>urn:uuid:0196</a:RelatesTo>").is_err());
}
