//! What an answer is taken for: refusals first.

use lockgate_connector_api::{Call, Kind};
use lockgate_model::TraceContext;
use lockgate_testkit::{HttpsPeer, Pki, https_peer::Wire, pki::Server};
use serde_json::json;

use crate::account::{Account, BASE, TOLD, answered, call, envelope, forecast, peer, told, wsdl};

const XML: &str = "text/xml; charset=utf-8";

#[tokio::test]
async fn what_is_no_answer_of_the_service_is_no_success() {
    let body = |body: &str| envelope("", body);
    for (status, media_type, content, kind, code) in [
        (200, "text/html", "<html>welcome</html>".to_owned(), Kind::Protocol, "soap-content"),
        (200, "application/json", "{}".to_owned(), Kind::Protocol, "soap-content"),
        (200, "text/plain", String::new(), Kind::Protocol, "soap-content"),
        (202, "text/plain", String::new(), Kind::Protocol, "soap-content"),
        (200, XML, String::new(), Kind::Protocol, "soap-content"),
        (200, XML, "<html>welcome</html>".to_owned(), Kind::Protocol, "soap-envelope"),
        (200, XML, "no XML at all".to_owned(), Kind::Protocol, "soap-envelope"),
        (200, XML, envelope("", TOLD).replace("</day>", ""), Kind::Protocol, "soap-envelope"),
        (200, XML, format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{}", body(TOLD)), Kind::Protocol, "soap-envelope"),
        (200, XML, body(TOLD).replace("schemas.xmlsoap.org", "example.org"), Kind::Protocol, "soap-envelope"),
        (200, XML, body(""), Kind::Protocol, "soap-body"),
        (200, XML, body("<other/>"), Kind::Protocol, "soap-body"),
        (200, XML, body(&TOLD.replace("7.5", "warm")), Kind::Protocol, "soap-body"),
        (200, XML, body(&TOLD.replace("urn:lockgate:weather", "urn:other")), Kind::Protocol, "soap-body"),
        (200, XML, body(&format!("{TOLD}{TOLD}")), Kind::Protocol, "soap-body"),
        (
            200,
            XML,
            envelope("<s:Header><x xmlns='urn:x' s:mustUnderstand='1'/></s:Header>", TOLD),
            Kind::Protocol,
            "soap-envelope",
        ),
        (200, "multipart/related", "x".to_owned(), Kind::Protocol, "soap-attachment"),
        (200, "multipart/related; boundary=b", "--b\r\n\r\ncut".to_owned(), Kind::Protocol, "soap-attachment"),
        // An answer that is well, with a status that says that it is not.
        (500, XML, body(TOLD), Kind::Rejected, "https-status"),
        (404, "text/html", "<html>peer-words</html>".to_owned(), Kind::NotFound, "https-status"),
        (401, "text/html", "peer-words".to_owned(), Kind::Authentication, "https-status"),
        (403, XML, "<html/>".to_owned(), Kind::Authorization, "https-status"),
        (503, "text/plain", "peer-words".to_owned(), Kind::Unavailable, "https-status"),
        (500, XML, "cut".to_owned(), Kind::Rejected, "https-status"),
        (307, "text/html", "moved".to_owned(), Kind::Rejected, "https-status"),
    ] {
        let error = answered(status, media_type, &content).await.expect_err(&content);
        assert_eq!((error.kind(), error.code()), (kind, code), "{status} {media_type} {content}: {error}");
        assert!(!format!("{error} {error:?}").contains("peer-words"), "{error}");
        assert!(!error.is_transient() || status == 503, "{error}");
    }
}

#[tokio::test]
async fn a_fault_is_an_error_by_what_it_says() {
    let fault = |code: &str, more: &str| {
        let ns = "xmlns:wsse='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'";
        let text =
            format!("<s:Fault {ns}><faultcode>{code}</faultcode><faultstring>peer-words</faultstring>{more}</s:Fault>");
        envelope("", &text)
    };
    for (status, code, kind, says) in [
        (500, "s:Client.Unknown", Kind::Rejected, "Sender.Unknown: peer-words"),
        (400, "s:Client", Kind::Rejected, "Sender: peer-words"),
        // Many services tell faults so.
        (200, "s:Server", Kind::Rejected, "Receiver: peer-words"),
        (500, "wsse:FailedAuthentication", Kind::Authentication, "FailedAuthentication: peer-words"),
        (500, "s:Client.InvalidSecurityToken", Kind::Authentication, "Sender.InvalidSecurityToken"),
        (401, "s:Client", Kind::Authentication, "Sender"),
        (403, "s:Client", Kind::Authorization, "Sender"),
        (503, "s:Server", Kind::Unavailable, "Receiver"),
        (500, "s:VersionMismatch", Kind::Rejected, "VersionMismatch"),
    ] {
        let error = answered(status, XML, &fault(code, "")).await.expect_err(code);
        assert_eq!((error.kind(), error.code()), (kind, "soap-fault"), "{status} {code}: {error}");
        assert!(error.private().reveal().starts_with(says), "{}", error.private().reveal());
        assert!(!format!("{error} {error:?}").contains("peer-words"), "{error}");
        assert_eq!(error.status(), (status >= 400).then_some(status), "{code}");
    }
    let detail = "<faultactor>urn:gate</faultactor><detail><why xmlns='urn:w'><line>7</line></why></detail>";
    let error = answered(500, XML, &fault("s:Client", detail)).await.unwrap_err();
    assert_eq!(
        error.private().reveal(),
        "Sender: peer-words (by urn:gate): {\"why\":{\"line\":{\"@xmlns\":\"urn:w\",\"#text\":\"7\"}}}"
    );
    let long = format!("<detail><why>{}</why></detail>", "x".repeat(20_000));
    let error = answered(500, XML, &fault("s:Client", &long)).await.unwrap_err();
    assert_eq!(error.private().reveal(), "Sender: peer-words: its detail is longer than 16 KiB");
}

#[tokio::test]
async fn an_answer_becomes_a_value_and_a_message_says_what_it_is() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    peer.answers("/weather/v2/now", |_| told(200, XML, envelope("", TOLD)));
    let account = Account::at(&pki, peer.port());
    let mut input = forecast("Ulm & \"<so>\"");
    input["path"] = "v2/now?client=100".into();
    let trace = TraceContext::read("00-07070707070707070707070707070707-0707070707070707-01", None);
    let asked = Call { idempotency_key: Some("key-1".to_owned()), trace, ..call("call", input.clone()) };
    let answer = account.invoke(asked).await.unwrap();
    assert_eq!(crate::account::read(&answer.output), json!({"output": {"day": [{"name": "mon", "degrees": "7.5"}]}}));
    let requests = peer.requests();
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/weather/v2/now?client=100"));
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(header("soapaction"), "\"urn:lockgate:weather/forecast\"");
    assert_eq!(header("idempotency-key"), "key-1");
    assert!(header("traceparent").contains("0707"));
    assert!(String::from_utf8_lossy(&request.body).contains("<n1:town>Ulm &amp; \"&lt;so&gt;\"</n1:town>"));
    assert_eq!((answer.written, answer.read), (request.body.len() as u64, envelope("", TOLD).len() as u64));
    // What only reads needs no key.
    let read = Call { idempotency_key: Some("key-1".to_owned()), ..call("read", input) };
    account.invoke(read).await.unwrap();
    assert!(!peer.requests()[1].headers.contains_key("idempotency-key"));
}

#[tokio::test]
async fn an_operation_without_an_answer_is_well_without_one() {
    let text = include_str!("../../../../crates/soap/tests/wsdl/one-way.wsdl");
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let account = Account::at(&pki, peer.port());
    let input = json!({"wsdl": wsdl(text), "port": "P", "operation": "op", "input": {}});
    // What says something else is from another than the service: a proxy, a page to sign in.
    for (status, content) in [(200, "thanks"), (203, "<html>sign in</html>")] {
        peer.answers(BASE, move |_| told(status, "text/html", content));
        let error = account.fails(input.clone()).await;
        assert_eq!((error.kind(), error.code()), (Kind::Protocol, "soap-content"), "{status} {content}");
    }
    let answer = envelope("", TOLD);
    peer.answers(BASE, move |_| told(200, XML, answer.clone()));
    assert_eq!(account.fails(input.clone()).await.code(), "soap-body");
    // An answer that does not come to its end.
    peer.answers(BASE, |_| {
        let mut cut = told(200, "text/plain", "");
        cut.headers.push(("content-length", "10".to_owned()));
        cut
    });
    let error = account.fails(input.clone()).await;
    assert!(matches!(error.kind(), Kind::Unreachable | Kind::Protocol), "{error}");
    let empty = envelope("", "");
    for (status, media_type, content) in
        [(202, "text/plain", ""), (202, "text/html", "thanks"), (204, XML, ""), (200, XML, ""), (200, XML, &empty)]
    {
        let content = content.to_owned();
        peer.answers(BASE, move |_| told(status, media_type, content.clone()));
        let answer = account.call(input.clone()).await;
        assert_eq!(answer.unwrap(), json!({}), "{status} {media_type}");
    }
    let fault = envelope("", "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>");
    peer.answers(BASE, move |_| told(500, XML, fault.clone()));
    assert_eq!(account.fails(input).await.code(), "soap-fault");
}

#[tokio::test]
async fn an_answer_that_outgrows_the_limits_is_refused() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let days = "<day><name>mon</name><degrees>7.5</degrees></day>";
    let many = TOLD.replace(days, &days.repeat(2_000));
    peer.answers(BASE, move |_| told(200, XML, envelope("", &many)));
    let account = Account::at(&pki, peer.port());
    let mut asked = call("call", forecast("Ulm"));
    asked.limits.reply_bytes_max = 10_000;
    assert_eq!(account.invoke(asked).await.unwrap_err().kind(), Kind::TooLarge);
    let mut asked = call("call", forecast("Ulm"));
    asked.limits.arena_bytes_max = 20_000;
    let error = account.invoke(asked).await.unwrap_err();
    assert!(matches!(error.kind(), Kind::TooLarge | Kind::Protocol), "{error}");
}

#[tokio::test]
async fn a_message_that_may_have_been_taken_is_not_sent_again_unless_it_only_reads() {
    let pki = Pki::new();
    let peer = HttpsPeer::start_as(pki.server_config(Server::Good, false, &[]), Wire::OneAnswer).await;
    let account = Account::at(&pki, peer.port());
    // What this server answers is no SOAP, but an answer.
    for sessions in 1..4 {
        let error = account.invoke(call("read", forecast("Ulm"))).await.unwrap_err();
        assert_eq!((error.code(), peer.sessions()), ("soap-content", sessions));
    }
    let error = account.fails(forecast("Ulm")).await;
    assert_eq!((error.kind(), peer.sessions()), (Kind::Unreachable, 3));
}
