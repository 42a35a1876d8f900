//! What every connector promises whose accounts can name an HTTP proxy: refusals first.

use std::time::{Duration, Instant};

use lockgate_connector_api::{Allowance, Egress, Error, Kind, Proxy};

use super::{Peer, Proof, Subject, Wire, context, fails_with, loopback, open_with, soon, tells_nothing};
use crate::{
    ConnectProxy, Pki, Tinyproxy,
    connect_proxy::Behaviour,
    contract::{CANARY, IN_TIME},
};

/// All of it.
pub(super) async fn accounts_keep_to_their_proxy<S: Subject>(subject: &S, pki: &Pki) {
    if subject.registered().spec().field(Proxy::FIELD.name).is_none() {
        return;
    }
    both_ends_are_vetted(subject, pki).await;
    proxies_that_open_no_tunnel_are_told(subject, pki).await;
    a_proxy_cannot_stand_in_for_the_server(subject, pki).await;
    what_the_server_says_first_is_not_lost(subject, pki).await;
    an_allowance_withdrawn_ends_reuse(subject, pki).await;
    a_proxy_of_somebody_elses_is_gone_through(subject, pki).await;
}

/// With `localhost` behind that proxy.
async fn refused<S: Subject>(subject: &S, pki: &Pki, port: u16, proxy: &str, egress: Egress) -> Error {
    fails_with(subject, pki, "localhost", port, &[(Proxy::FIELD.name, proxy)], egress).await
}

async fn both_ends_are_vetted<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    let proxy = ConnectProxy::start(Behaviour::Tunnels).await;
    for (allows_proxy, allows_endpoint) in [(false, false), (true, false), (false, true)] {
        let egress = proxy.egress(allows_proxy, allows_endpoint);
        let error = refused(subject, pki, peer.port(), &proxy.setting(), egress).await;
        assert_eq!((error.kind(), error.code()), (Kind::Refused, "egress"), "{error}");
        assert!(error.private().reveal().contains("lockgate operator egress allow"), "the remedy is missing");
        // Which of the two it is.
        assert_eq!(error.text().contains("proxy"), allows_endpoint, "{error}");
    }
    let everything = Egress::new(vec![Allowance::parse("0.0.0.0/0", 1, u16::MAX).expect("a range")]);
    for (host, through) in [
        ("169.254.169.254", proxy.setting()),
        ("[::ffff:169.254.169.254]", proxy.setting()),
        ("127.0.0.1", "169.254.169.254:80".to_owned()),
    ] {
        let settings = [(Proxy::FIELD.name, through.as_str())];
        let error = fails_with(subject, pki, host, peer.port(), &settings, everything.clone()).await;
        assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
    }
    assert!(proxy.asked().is_empty(), "the proxy was asked");
    assert_eq!(peer.connections(), 0, "the endpoint was dialled past the proxy");
}

async fn proxies_that_open_no_tunnel_are_told<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    for (behaviour, kind, status) in [
        (Behaviour::Says("HTTP/1.1 403 Forbidden\r\n\r\n"), Kind::Configuration, Some(403)),
        (Behaviour::Says("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n"), Kind::Configuration, Some(407)),
        (
            Behaviour::Says("HTTP/1.1 302 Found\r\nlocation: https://evil.example\r\n\r\n"),
            Kind::Configuration,
            Some(302),
        ),
        (Behaviour::Says("HTTP/1.1 429 Too Many Requests\r\n\r\n"), Kind::Unreachable, Some(429)),
        (Behaviour::Says("HTTP/1.1 502 Bad Gateway\r\n\r\n"), Kind::Unreachable, Some(502)),
        (Behaviour::Says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 504 x\r\n\r\n"), Kind::Unreachable, Some(504)),
        (Behaviour::Says("HTTP/1.1 200 OK\r\nvia: x\r\n"), Kind::Unreachable, None),
        (Behaviour::Says(""), Kind::Unreachable, None),
        (Behaviour::Says("HTTP/1.1 200 OK\n\n"), Kind::Protocol, None),
        (Behaviour::Says("SSH-2.0-x\r\n\r\n"), Kind::Protocol, None),
        (Behaviour::Says("220 peer-words\r\n\r\n"), Kind::Protocol, None),
        (Behaviour::Endless, Kind::Protocol, None),
    ] {
        let proxy = ConnectProxy::start(behaviour).await;
        let error = refused(subject, pki, peer.port(), &proxy.setting(), proxy.egress(true, true)).await;
        let told = (error.kind(), error.code(), error.status());
        assert_eq!(told, (kind, "proxy", status), "{behaviour:?}: {error}, {}", error.private().reveal());
        assert!(error.text().contains("proxy"), "{error}");
    }
    // The tunnel is there, and what is in it ends.
    let proxy = ConnectProxy::start(Behaviour::Says("HTTP/1.1 200 OK\r\n\r\n")).await;
    let error = refused(subject, pki, peer.port(), &proxy.setting(), proxy.egress(true, true)).await;
    assert!([Kind::Unreachable, Kind::Protocol].contains(&error.kind()), "{error}");
    // Nobody listens.
    let nobody = format!("127.0.0.1:{}", crate::free_port());
    let error = refused(subject, pki, peer.port(), &nobody, loopback()).await;
    assert_eq!((error.kind(), error.code()), (Kind::Unreachable, "connect"), "{error}");
    assert!(error.text().contains("proxy"), "{error}");

    let proxy = ConnectProxy::start(Behaviour::Silent).await;
    let cx = context(proxy.egress(true, true));
    let setting = proxy.setting();
    let address = subject.address("localhost", peer.port());
    let account = open_with(subject, pki, &address, &[(Proxy::FIELD.name, &setting)], &cx);
    let begun = Instant::now();
    let error = account.invoke(cx, subject.probe(begun + IN_TIME)).await.expect_err("a silent proxy");
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    assert!(begun.elapsed() < IN_TIME * 3, "took {:?}", begun.elapsed());
    tells_nothing(&error);
    assert_eq!(peer.connections(), 0, "the endpoint was dialled past the proxy");
}

async fn a_proxy_cannot_stand_in_for_the_server<S: Subject>(subject: &S, pki: &Pki) {
    for proof in Proof::bad(subject.registered().spec().identities).into_iter().take(2) {
        let peer = subject.serve(pki, proof, Wire::Good).await;
        let proxy = ConnectProxy::start(Behaviour::Tunnels).await;
        let error = refused(subject, pki, peer.port(), &proxy.setting(), proxy.egress(true, true)).await;
        assert_eq!(error.kind(), Kind::Identity, "{proof:?}: {error}");
        assert!(peer.connections() > 0, "{proof:?}: the server was not even asked");
        assert_eq!(peer.requests(), 0, "{proof:?}: a request was sent");
    }
}

/// Servers that speak first may be heard in one piece with the proxy's answer. And every connection goes
/// through it: there is no other way to the address.
async fn what_the_server_says_first_is_not_lost<S: Subject>(subject: &S, pki: &Pki) {
    for behaviour in [Behaviour::Tunnels, Behaviour::TunnelsAtOnce] {
        let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
        let proxy = ConnectProxy::start(behaviour).await;
        answers(subject, pki, peer.port(), &proxy.setting(), proxy.egress(true, true)).await;
        let (asked, at_once) = (proxy.asked(), proxy.at_once());
        for head in &asked {
            assert!(head.starts_with("CONNECT 127.0.0.9:"), "the proxy is told a name, or another address: {head}");
            assert!(!head.contains("localhost") && !head.contains(CANARY), "{head}");
        }
        let is_expected = behaviour == Behaviour::TunnelsAtOnce && subject.speaks_first();
        assert_eq!(at_once > 0, is_expected, "{behaviour:?}: {at_once} of {}", asked.len());
    }
}

/// A kept connection is used only while the proxy and the endpoint are both allowed.
async fn an_allowance_withdrawn_ends_reuse<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    let proxy = ConnectProxy::start(Behaviour::Tunnels).await;
    let address = subject.address("localhost", peer.port());
    let cx = |proxied, endpoint| context(proxy.egress(proxied, endpoint));
    let setting = proxy.setting();
    let account = open_with(subject, pki, &address, &[(Proxy::FIELD.name, &setting)], &cx(true, true));
    for (proxied, endpoint) in [(false, true), (true, false)] {
        account.clone().invoke(cx(true, true), subject.probe(soon())).await.expect("the probe succeeds");
        let error = account.clone().invoke(cx(proxied, endpoint), subject.probe(soon())).await;
        assert_eq!(error.expect_err("it is not allowed any more").kind(), Kind::Refused);
    }
}

async fn a_proxy_of_somebody_elses_is_gone_through<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    for (more, status) in [("ConnectPort 1", 403), ("BasicAuth user word", 407)] {
        let Some(proxy) = Tinyproxy::start(more) else { return };
        let error = refused(subject, pki, peer.port(), &proxy.setting(), loopback()).await;
        assert_eq!((error.code(), error.status()), ("proxy", Some(status)), "{error}");
        assert!(!error.is_transient(), "{error}");
    }
    assert_eq!(peer.connections(), 0);
    let Some(proxy) = Tinyproxy::start("") else { return };
    // It cannot reach that one.
    let error = refused(subject, pki, crate::free_port(), &proxy.setting(), loopback()).await;
    assert_eq!((error.kind(), error.code()), (Kind::Unreachable, "proxy"), "{error}");
    let before = proxy.asked();
    answers(subject, pki, peer.port(), &proxy.setting(), loopback()).await;
    let opened = proxy.asked() - before;
    assert!(opened >= peer.connections() && opened > 0, "{opened} tunnels, {} connections", peer.connections());
}

/// The account's test and calls side by side pass.
async fn answers<S: Subject>(subject: &S, pki: &Pki, port: u16, proxy: &str, egress: Egress) {
    let cx = context(egress);
    let account = open_with(subject, pki, &subject.address("localhost", port), &[(Proxy::FIELD.name, proxy)], &cx);
    // Eight sign-ins at once take their time on a busy machine.
    let deadline = soon() + Duration::from_secs(25);
    account.clone().test(cx.clone(), deadline).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    let calls = (0..8).map(|_| tokio::spawn(account.clone().invoke(cx.clone(), subject.probe(deadline))));
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic").unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    }
}
