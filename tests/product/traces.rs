//! Traces: from the caller through a run to the endpoint, and to a collector. Real sockets all the
//! way; caller, endpoint and collector are the test's own.

use std::time::Duration;

use lockgate_testkit::{HttpsPeer, wait_until};

use crate::{
    house::House,
    peered::{GET, JSON, Peers, header, publish},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn parent(trace: &str, flags: &str) -> String {
    format!("traceparent: 00-{trace}-{CALLER}-{flags}")
}

/// Runs `get` with these headers; the headers of the endpoint's trace.
fn get(house: &House, peer: &HttpsPeer, headers: &[&str]) -> (Option<String>, Option<String>) {
    let reply = house.request(&house.administrator(), "POST", GET, Some(JSON), headers);
    assert_eq!((reply.status, reply.body.as_str()), (200, "{\"got\":200}"), "{reply:?}");
    let arrived = peer.requests().pop().unwrap();
    (header(&arrived, "traceparent"), header(&arrived, "tracestate"))
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn without_a_collector_the_callers_trace_goes_on_as_it_came() {
    let (house, peers) = (House::start(), Peers::new());
    let peer = peers.start();
    publish(&house, &peers, &peer);
    assert_eq!(get(&house, &peer, &[]), (None, None));
    for malformed in ["traceparent: 00-xyz-1-01", "traceparent: ", &parent(&"0".repeat(32), "01")] {
        assert_eq!(get(&house, &peer, &[malformed, "tracestate: a=1"]), (None, None), "{malformed}");
    }
    let came = format!("00-{TRACE}-{CALLER}-01");
    assert_eq!(
        get(&house, &peer, &[&parent(TRACE, "01"), "tracestate: a=1,b=2"]),
        (Some(came), Some("a=1,b=2".to_owned()))
    );
    let (_, state) = get(&house, &peer, &[&parent(TRACE, "00"), &format!("tracestate: a=1,b={}", "x".repeat(600))]);
    assert_eq!(state.as_deref(), Some("a=1"), "it is bounded");
}

#[test]
fn a_trace_goes_through_a_run_to_endpoint_and_collector() {
    let (house, peers) = (House::start(), Peers::new());
    let (peer, collector) = (peers.start(), peers.start());
    publish(&house, &peers, &peer);
    let ca = peers.ca(&house);
    let address = format!("https://localhost:{}", collector.port());
    let house = house.serve("", &["--otlp", &address, "--otlp-ca", &ca]);

    // A caller that does not record the trace: it is handed on, and we record nothing either.
    let unsampled = "11112222333344445555666677778888";
    let (sent, _) = get(&house, &peer, &[&parent(unsampled, "00")]);
    assert_eq!(sent, Some(format!("00-{unsampled}-{CALLER}-00")));
    // One that cannot be read is none: a trace of our own begins.
    let (own, _) = get(&house, &peer, &[&parent("nonsense", "01")]);
    let own = own.unwrap();
    let own_trace = &own[3..35];
    assert!(own.ends_with("-01") && own_trace != TRACE, "{own}");

    let canary = "Zq7-canary-9fA3";
    let (sent, state) = get(&house, &peer, &[&parent(TRACE, "01"), &format!("tracestate: v={canary}")]);
    let sent = sent.unwrap();
    let (trace, span) = (&sent[3..35], &sent[36..52]);
    assert_eq!((trace, state), (TRACE, Some(format!("v={canary}"))));
    assert_ne!(span, CALLER, "the call is a span of ours");

    let arrived = || -> Vec<u8> { collector.requests().iter().flat_map(|r| r.body.to_vec()).collect() };
    wait_until("the spans are exported", Duration::from_secs(30), || holds(&arrived(), &bytes(TRACE)));
    let request = collector.requests().pop().unwrap();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/traces"));
    assert_eq!(header(&request, "content-type").as_deref(), Some("application/x-protobuf"));
    let all = arrived();
    for there in [
        bytes(own_trace).as_slice(),
        &bytes(span),
        // The request is under the caller's span.
        &bytes(CALLER),
        b"request",
        b"decide",
        b"run",
        b"https.get",
        b"/do/0/fetch",
        b"lockgate.account",
        b"peer",
        b"completed",
    ] {
        assert!(holds(&all, there), "{} is not there", String::from_utf8_lossy(there));
    }
    for secret in [canary.as_bytes(), b"/json", house.text("password").as_bytes(), &bytes(unsampled)] {
        assert!(!holds(&all, secret), "{} is there", String::from_utf8_lossy(secret));
    }
    let page = house.cli(&["operator", "metrics", "--data", house.data.to_str().unwrap()]);
    let exported = page.lines().find_map(|l| l.strip_prefix("lockgate_spans_exported_total ")).unwrap();
    assert!(exported.parse::<u64>().unwrap() >= 10, "{page}");
}

#[test]
fn a_collector_that_is_not_there_or_not_itself_changes_nothing_for_runs() {
    let (house, peers, strangers) = (House::start(), Peers::new(), Peers::new());
    let (peer, impostor) = (peers.start(), strangers.start());
    publish(&house, &peers, &peer);
    let ca = peers.ca(&house);
    let address = format!("https://127.0.0.1:{}", impostor.port());
    let house = house.serve("", &["--otlp", &address, "--otlp-ca", &ca]);
    for _ in 0..3 {
        assert!(get(&house, &peer, &[]).0.is_some());
    }
    let page = || house.cli(&["operator", "metrics", "--data", house.data.to_str().unwrap()]);
    wait_until("the dropped spans are counted", Duration::from_secs(30), || {
        page().lines().any(|l| l.starts_with("lockgate_spans_dropped_total{reason=\"collector\"}"))
    });
    assert_eq!(impostor.requests().len(), 0, "it was sent spans");
    assert!(house.log().contains("does not take spans"), "{}", house.log());
    // Stopping does not wait for it for long.
    let asked = std::time::Instant::now();
    let house = house.restart(&[]);
    assert!(asked.elapsed() < Duration::from_secs(60));
    // Only over TLS, only an address.
    for wrong in ["http://127.0.0.1:4318", "https://user:pw@127.0.0.1:4318", "collector", "https://127.0.0.1:1/?a=b"] {
        let data = house.folder().join("second");
        let refused = house.cli_as(
            &data,
            &["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--otlp", wrong],
            "",
        );
        assert_eq!(refused.status.code(), Some(2), "{wrong}: {refused:?}");
    }
}
