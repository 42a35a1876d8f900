//! The rule against its corpus of address forms, and what a resolver may try.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::Kind;
use corpus::{NO_HOST, PUBLIC, REFUSED};

mod corpus;

fn open() -> Egress {
    Egress::new(Vec::new())
}
fn everything() -> Vec<Allowance> {
    vec![Allowance::parse("0.0.0.0/0", 1, 65535).unwrap(), Allowance::parse("::/0", 1, 65535).unwrap()]
}

#[test]
fn the_corpus_is_refused_by_class() {
    for (class, list) in REFUSED {
        for text in *list {
            let ip: IpAddr = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            let refused = open().vet(ip, 443).expect_err(text);
            assert_eq!(refused.class, *class, "{text}");
        }
    }
}

#[test]
fn the_neighbours_of_refused_ranges_are_public() {
    for text in PUBLIC {
        assert_eq!(open().vet(text.parse().unwrap(), 443).unwrap().addr().ip().to_string(), *text);
    }
}

#[test]
fn metadata_is_refused_whatever_is_allowed() {
    let egress = Egress::new(everything());
    for (class, list) in REFUSED {
        for text in *list {
            let verdict = egress.vet(text.parse().unwrap(), 443);
            assert_eq!(verdict.is_err(), *class == Class::Metadata, "{text}");
        }
    }
}

#[test]
fn an_allowance_of_metadata_alone_is_known_as_one() {
    let allowance = |cidr: &str| Allowance::parse(cidr, 80, 80).unwrap();
    for alone in
        ["169.254.169.254/32", "168.63.129.16", "fd00:ec2::254/128", "fd00:c1::a9fe:a9fe", "::ffff:169.254.169.254/128"]
    {
        assert!(allowance(alone).is_all_metadata(), "{alone}");
    }
    for (wider, held) in [("169.254.0.0/16", 8), ("fd00::/8", 8), ("10.0.0.0/8", 0), ("127.0.0.1/32", 0)] {
        assert!(!allowance(wider).is_all_metadata(), "{wider}");
        assert_eq!(allowance(wider).metadata().len(), held, "{wider}");
    }
}

/// Every form that can carry an IPv4 address carries every address the rule must find.
#[test]
fn every_disguise_of_every_non_public_v4_is_seen() {
    let (mut forms, egress) = (0, Egress::new(vec![Allowance::parse("::/0", 1, 65535).unwrap()]));
    // `::` and `::1` are addresses of their own, not 0.0.0.0 and 0.0.0.1 in disguise.
    let inner = REFUSED.iter().flat_map(|(_, list)| *list).filter_map(|t| t.parse::<Ipv4Addr>().ok());
    let inner = inner.filter(|v4| v4.octets()[0] != 0);
    for v4 in inner {
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let disguises = [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, high, c, d << 8, 0, 0),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 0),
            Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, !high, !low),
            Ipv6Addr::new(0x2a00, 1, 0, 0, 0, 0x5efe, high, low),
            Ipv6Addr::new(0x2a00, 1, 0, 0, 0x200, 0x5efe, high, low),
        ];
        for disguise in disguises {
            // Without any allowance, and with all IPv6 allowed, what is inside still counts.
            assert!(open().vet(disguise.into(), 443).is_err(), "{disguise} ({v4})");
            assert!(egress.vet(disguise.into(), 443).is_err(), "{disguise} ({v4}) with ::/0 allowed");
            forms += 2;
        }
    }
    assert!(forms > 400, "{forms} forms");
}

#[test]
fn spellings_that_could_be_read_twice_are_no_hosts() {
    for text in NO_HOST {
        assert!(Host::parse(text).is_err(), "`{text}` was taken");
    }
    let label = "a".repeat(64);
    assert!(Host::parse(&label).is_err());
    assert!(Host::parse(&vec!["abc"; 64].join(".")).is_err(), "longer than 253 bytes");
}

#[test]
fn plain_hosts_are_read() {
    for (text, shown) in [
        ("Example.COM", "example.com"),
        ("a", "a"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1a.example", "1a.example"),
        ("3com.com", "3com.com"),
        ("0xyz", "0xyz"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ] {
        assert_eq!(Host::parse(text).unwrap().to_string(), shown);
    }
    assert_eq!(Host::parse("[::1]").unwrap().bare(), "::1");
}

#[test]
fn an_allowance_is_its_range_and_its_ports() {
    let egress = Egress::new(vec![Allowance::parse("10.1.0.7/16", 443, 444).unwrap()]);
    for (ip, port, good) in [
        ("10.1.0.0", 443, true),
        ("10.1.255.255", 444, true),
        ("10.1.0.0", 442, false),
        ("10.1.0.0", 445, false),
        ("10.2.0.0", 443, false),
        ("10.0.255.255", 443, false),
        ("::ffff:10.1.0.1", 443, false),
        ("127.0.0.1", 443, false),
        ("8.8.8.8", 1, true),
        ("8.8.8.8", 0, false),
    ] {
        assert_eq!(egress.vet(ip.parse().unwrap(), port).is_ok(), good, "{ip}:{port}");
    }
    for (cidr, first, last) in [("10.0.0.0/33", 1, 2), ("x", 1, 2), ("", 1, 2), ("10.0.0.1", 0, 2), ("10.0.0.1", 3, 2)]
    {
        assert!(Allowance::parse(cidr, first, last).is_err(), "{cidr} {first} {last}");
    }
}

/// Both the form and what it carries must be allowed.
#[test]
fn a_disguised_private_address_needs_both_allowances() {
    let inner = Allowance::parse("10.0.0.0/8", 443, 443).unwrap();
    let outer = Allowance::parse("64:ff9b::/96", 443, 443).unwrap();
    let ip = "64:ff9b::10.0.0.1".parse().unwrap();
    assert_eq!(Egress::new(vec![inner.clone()]).vet(ip, 443).unwrap_err().class, Class::Transition);
    assert_eq!(Egress::new(vec![outer.clone()]).vet(ip, 443).unwrap_err().class, Class::Private);
    assert!(Egress::new(vec![inner, outer]).vet(ip, 443).is_ok());
}

#[test]
fn a_refusal_names_the_command_that_would_allow_it() {
    let refused = open().vet("10.0.0.5".parse().unwrap(), 8443).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`10.0.0.5` port 8443 is a private address; the operator can allow it: \
         `lockgate operator egress allow TENANT ENVIRONMENT 10.0.0.5/32 8443`"
    );
    let never = open().vet("169.254.169.254".parse().unwrap(), 80).unwrap_err();
    assert!(never.to_string().ends_with("is a metadata address and is never dialled"));
}

/// A resolver that follows a script: each look-up takes the next answer, the last one stays.
struct Scripted {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|t| t.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Scripted {
    fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[tokio::test]
async fn one_refused_answer_refuses_the_name() {
    for answers in [&["8.8.8.8", "10.0.0.1"][..], &["169.254.169.254", "8.8.8.8"], &["::ffff:127.0.0.1"], &["::1"]] {
        let egress = open().with_resolver(Scripted::new(&[answers]));
        let error = egress.dial(&Host::parse("a.example").unwrap(), 443, None, soon()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Refused, "egress"), "{answers:?}");
    }
}

#[tokio::test]
async fn a_name_without_answer_is_unreachable() {
    let egress = open().with_resolver(Scripted::new(&[&[]]));
    let error = egress.dial(&Host::parse("a.example").unwrap(), 443, None, soon()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

/// The name is asked once; the answer that was vetted is the address that is dialled, whatever the
/// resolver would say next.
#[tokio::test]
async fn rebinding_changes_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let resolver = Scripted::new(&[&["127.0.0.1"], &["127.0.0.2"], &["169.254.169.254"]]);
    let egress =
        Egress::new(vec![Allowance::parse("127.0.0.1/32", port, port).unwrap()]).with_resolver(resolver.clone());
    let host = Host::parse("rebinding.example").unwrap();
    let (stream, route) = egress.dial(&host, port, None, soon()).await.unwrap();
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    assert_eq!(stream.peer_addr().unwrap(), route.endpoint().addr());
    assert_eq!(route.endpoint().addr().to_string(), format!("127.0.0.1:{port}"));
    // The next two answers are refused before anything is dialled.
    for _ in 0..2 {
        assert_eq!(egress.dial(&host, port, None, soon()).await.unwrap_err().kind(), Kind::Refused);
    }
}

#[tokio::test]
async fn literals_are_vetted_without_a_resolver() {
    let resolver = Scripted::new(&[&["8.8.8.8"]]);
    let egress = open().with_resolver(resolver.clone());
    for text in ["127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:169.254.169.254]", "10.0.0.1"] {
        let error = egress.dial(&Host::parse(text).unwrap(), 443, None, soon()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{text}");
        assert!(!error.to_string().contains(text), "the address is private: {error}");
    }
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_deadline_ends_a_silent_resolver() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::pending())
        }
    }
    let egress = open().with_resolver(Arc::new(Silent));
    let deadline = Instant::now() + Duration::from_millis(30);
    let error = egress.dial(&Host::parse("a.example").unwrap(), 443, None, deadline).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_the_next_address_is_tried() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let allowed = vec![Allowance::parse("127.0.0.0/8", 1, 65535).unwrap()];
    let egress = Egress::new(allowed).with_resolver(Scripted::new(&[&["127.0.0.1", "127.0.0.2"], &["127.0.0.1"]]));
    let host = Host::parse("a.example").unwrap();
    assert_eq!(egress.dial(&host, port, None, soon()).await.unwrap().1.endpoint().addr().ip().to_string(), "127.0.0.2");
    assert_eq!(egress.dial(&host, port, None, soon()).await.unwrap_err().kind(), Kind::Unreachable);
}

/// An HTTP proxy that answers a tunnel to one of these addresses by its words and passes nothing on; other
/// addresses it cannot reach.
async fn proxy(answers: &'static [(&'static str, &'static str)]) -> (Proxy, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 1024];
            let read = stream.read(&mut head).await.unwrap();
            let asked = String::from_utf8(head[..read].to_vec()).unwrap();
            let to = asked.split(' ').nth(1).unwrap().to_owned();
            let answer = answers.iter().find(|(address, _)| *address == to).map_or(UNREACHED, |(_, words)| words);
            heard.lock().unwrap().push(to);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (Proxy { host: Host::parse("proxy.example").unwrap(), port }, asked)
}

const UNREACHED: &str = "HTTP/1.1 504 Gateway Timeout\r\n\r\n";

/// Names of their own for the proxy and the endpoint.
struct Named(&'static [&'static str], &'static [&'static str]);

impl Resolve for Named {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let answers = if name == "proxy.example" { self.0 } else { self.1 };
        Box::pin(async move { Ok(answers.iter().map(|text| text.parse().unwrap()).collect()) })
    }
}

#[tokio::test]
async fn a_proxy_is_given_the_next_address_where_it_does_not_reach_the_first() {
    let (there, no) = ("HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 403 Forbidden\r\n\r\n");
    let name = Host::parse("a.example").unwrap();
    for (answers, outcome, tried) in [
        (vec![("8.8.8.8:443", there)], Ok("8.8.8.8:443"), 1),
        (vec![("8.8.4.4:443", there)], Ok("8.8.4.4:443"), 2),
        (vec![], Err(Kind::Unreachable), 2),
        // What it refuses it would refuse again.
        (vec![("8.8.8.8:443", no), ("8.8.4.4:443", there)], Err(Kind::Configuration), 1),
    ] {
        let (proxy, asked) = proxy(answers.leak()).await;
        let allowed = vec![Allowance::parse("127.0.0.1", proxy.port, proxy.port).unwrap()];
        let named = Named(&["127.0.0.1"], &["8.8.8.8", "8.8.4.4"]);
        let egress = Egress::new(allowed).with_resolver(Arc::new(named));
        match (egress.dial(&name, 443, Some(&proxy), soon()).await, outcome) {
            (Ok((mut stream, route)), Ok(endpoint)) => {
                assert_eq!(route.endpoint().addr().to_string(), endpoint);
                assert_eq!(route.proxy().unwrap().addr(), stream.peer_addr().unwrap());
                // What came with the answer is the endpoint's.
                let mut first = String::new();
                stream.read_to_string(&mut first).await.unwrap();
                assert_eq!(first, "hello");
            }
            (Err(error), Err(kind)) => assert_eq!((error.kind(), error.code()), (kind, "proxy"), "{error}"),
            (outcome, expected) => panic!("{outcome:?} and not {expected:?}"),
        }
        assert_eq!(asked.lock().unwrap().len(), tried);
    }
}

/// Another connection of a session goes by the same addresses, whatever the names are by then.
#[tokio::test]
async fn a_second_connection_goes_by_the_way_of_the_first() {
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let (proxy, asked) = proxy(vec![("8.8.8.8:21", ok), ("8.8.8.8:40000", ok)].leak()).await;
    let allowed = vec![Allowance::parse("127.0.0.1", proxy.port, proxy.port).unwrap()];
    let named = |at, endpoint| Egress::new(allowed.clone()).with_resolver(Arc::new(Named(at, endpoint)));
    let name = Host::parse("a.example").unwrap();
    let (_, route) = named(&["127.0.0.1"], &["8.8.8.8"]).dial(&name, 21, Some(&proxy), soon()).await.unwrap();
    let rebound = named(&["127.0.0.2"], &["169.254.169.254"]);
    let (_, again) = rebound.dial_again(route, 40_000, soon()).await.unwrap();
    assert_eq!((again.endpoint().addr().to_string().as_str(), again.proxy()), ("8.8.8.8:40000", route.proxy()));
    assert_eq!(*asked.lock().unwrap(), ["8.8.8.8:21", "8.8.8.8:40000"]);
    // And each of them is vetted again.
    assert_eq!(open().dial_again(route, 40_000, soon()).await.unwrap_err().kind(), Kind::Refused);
}

#[tokio::test]
async fn an_allowance_withdrawn_ends_reuse() {
    let (proxy, _) = proxy(vec![("127.0.0.9:443", "HTTP/1.1 200 OK\r\n\r\n")].leak()).await;
    let to_proxy = Allowance::parse("127.0.0.1", proxy.port, proxy.port).unwrap();
    let to_endpoint = Allowance::parse("127.0.0.9", 443, 443).unwrap();
    let of = |allowed: &[&Allowance]| {
        Egress::new(allowed.iter().map(|one| (*one).clone()).collect())
            .with_resolver(Arc::new(Named(&["127.0.0.1"], &["127.0.0.9"])))
    };
    let both = of(&[&to_proxy, &to_endpoint]);
    let (_, route) = both.dial(&Host::parse("a.example").unwrap(), 443, Some(&proxy), soon()).await.unwrap();
    assert!(both.still_allows(route));
    for allowed in [&[][..], &[&to_proxy], &[&to_endpoint]] {
        assert!(!of(allowed).still_allows(route), "{allowed:?}");
    }
}
