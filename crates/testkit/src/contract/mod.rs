//! The contract suite: what every connector promises, refusals first.
//!
//! A connector's test implements [`Subject`] and calls [`run`]. Each check starts its own peer, so
//! that what a peer has seen belongs to that check alone. Which bad identities a server is given
//! follows from the connector's declaration: a connector that takes certificates must refuse every
//! bad certificate, one that takes host keys every bad host key. What a network does that breaks in
//! the middle is in [`faults`]; what connectors of databases and to servers of files promise besides, in [`sql`] and [`files`].

pub mod faults;
pub mod files;
mod pins;
mod proxies;
pub mod sql;
mod stranger;

pub use stranger::Stranger;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_connector_api::{
    Address, Allowance, Answer, Call, Config, Context, DynConnector, Egress, Error, IdentityKind, Kind, Registered,
    Secret,
};
use lockgate_model::{
    definition::{AccountBinding, ServerIdentity},
    id::AccountName,
};

use crate::{
    pki::{self, Pki, Server},
    ssh_peer::Shown,
};

/// Stands in every secret of the suite; it must be found in no error.
pub const CANARY: &str = "canary-7f3a91c2-secret";

/// The time of a call at a server that does not answer.
const IN_TIME: Duration = Duration::from_millis(700);

/// A server of the connector's protocol.
pub trait Peer {
    /// Its port on 127.0.0.1.
    fn port(&self) -> u16;
    /// Connections it accepted.
    fn connections(&self) -> usize;
    /// Requests (or sign-ins, commands) that reached it in the clear of an open session.
    fn requests(&self) -> usize;
    /// Bytes that reached it outside any session.
    fn raw(&self) -> Vec<u8>;
}

impl Peer for crate::HttpsPeer {
    fn port(&self) -> u16 {
        Self::port(self)
    }
    fn connections(&self) -> usize {
        Self::connections(self)
    }
    fn requests(&self) -> usize {
        Self::requests(self).len()
    }
    fn raw(&self) -> Vec<u8> {
        Self::raw(self)
    }
}

/// How a server proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// As it should.
    Good,
    /// By a certificate that is wrong.
    Certificate(Server),
    /// By a host key that is wrong.
    HostKey(Shown),
}

impl Proof {
    /// Every proof that a connector with such a declaration must refuse.
    fn bad(identities: &[IdentityKind]) -> Vec<Self> {
        let mut bad = Vec::new();
        if identities.iter().any(|kind| *kind != IdentityKind::HostKey) {
            bad.extend(Server::BAD.map(Self::Certificate));
        }
        if identities.contains(&IdentityKind::HostKey) {
            bad.extend(Shown::BAD.map(Self::HostKey));
        }
        bad
    }
}

/// How a server behaves below its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// As it should.
    Good,
    /// Accepts and says nothing.
    Silent,
    /// Speaks in the clear where a secured session is expected, and remembers what it hears.
    Plain,
    /// Ends the session once the connector has begun to talk in it.
    Closes,
    /// Resets the TCP connection then.
    Resets,
    /// Answers with bytes that are not of the protocol.
    Garbage,
}

/// A connector and a server it talks to.
pub trait Subject {
    /// The server.
    type Peer: Peer;
    /// The connector.
    fn registered(&self) -> Registered;
    /// Its address form, for a host and a port.
    fn address(&self, host: &str, port: u16) -> String;
    /// Settings that use secrets of the connector, and those secrets. One of them at least holds
    /// [`CANARY`].
    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>);
    /// The identity that accounts of the suite expect: of TLS by default.
    fn identity(&self, pki: &Pki) -> ServerIdentity {
        ServerIdentity::Ca(pki.ca_pem())
    }
    /// The client certificate that accounts of the suite show: none by default.
    fn shows(&self, _: &Pki) -> Option<pki::Identity> {
        None
    }
    /// Words that a server may hear in a secured session alone, besides secrets.
    fn secured_words(&self) -> Vec<String>;
    /// Whether the server speaks before the connector does.
    fn speaks_first(&self) -> bool {
        false
    }
    /// A call that succeeds at a good server and changes nothing.
    fn probe(&self, deadline: Instant) -> Call;
    /// Starts a server that proves itself so and behaves so.
    fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> impl Future<Output = Self::Peer>;
}

/// Five seconds from now: enough for loopback, short enough for a test.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

/// An egress rule that allows loopback and nothing else that is private.
pub fn loopback() -> Egress {
    Egress::new(vec![
        Allowance::parse("127.0.0.0/8", 1, u16::MAX).expect("a range"),
        Allowance::parse("::1/128", 1, u16::MAX).expect("a range"),
    ])
}

/// On behalf of account `subject`, under that rule.
pub fn context(egress: Egress) -> Context {
    Context { account: AccountName::parse("subject").expect("an account name"), egress: Arc::new(egress) }
}

/// Opens an account of a connector at an address, with the subject's identity and secrets.
///
/// # Panics
/// When the binding fails the check of its spec.
pub fn open<S: Subject>(subject: &S, pki: &Pki, address: &str, cx: &Context) -> Arc<dyn DynConnector> {
    open_with(subject, pki, address, &[], cx)
}

/// As [`open`], with more settings.
fn open_with<S: Subject>(
    subject: &S,
    pki: &Pki,
    address: &str,
    more: &[(&str, &str)],
    cx: &Context,
) -> Arc<dyn DynConnector> {
    let (mut settings, secrets) = subject.settings();
    settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let registered = subject.registered();
    let binding = AccountBinding {
        connector: registered.spec().name.to_owned(),
        address: address.to_owned(),
        identity: subject.identity(pki),
        settings: settings.clone(),
        secrets: secrets.iter().map(|(name, _)| (*name).to_owned()).collect(),
    };
    let address: Address = registered.spec().check(&binding).unwrap_or_else(|p| panic!("binding refused: {p:?}"));
    let tls = match &binding.identity {
        ServerIdentity::HostKey(_) => None,
        identity => Some(pki.client_config_for(identity, subject.shows(pki), &settings)),
    };
    let secrets = secrets.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    let config = Config { address, identity: binding.identity, settings, secrets, tls };
    registered.open(config, cx).expect("an account opens")
}

/// Runs the whole suite.
///
/// # Panics
/// At the first promise that is not kept, naming it.
pub async fn run<S: Subject>(subject: &S) {
    let pki = Pki::new();
    declaration_is_whole(subject);
    assert!(subject.settings().1.iter().any(|(_, value)| value == CANARY), "no secret holds the canary");
    bad_identities_get_no_request(subject, &pki).await;
    servers_in_the_clear_get_no_secret(subject, &pki).await;
    private_addresses_are_not_dialled(subject, &pki).await;
    metadata_is_never_dialled(subject, &pki).await;
    broken_servers_fail_in_time(subject, &pki).await;
    unknown_operations_are_refused(subject, &pki).await;
    good_servers_answer(subject, &pki).await;
    pins::a_pin_is_what_counts(subject, &pki).await;
    proxies::accounts_keep_to_their_proxy(subject, &pki).await;
}

/// The spec is complete: names, schemas, help, an example that passes its own check.
pub fn declaration_is_whole<S: Subject>(subject: &S) {
    let registered = subject.registered();
    let spec = registered.spec();
    assert!(AccountName::parse(spec.name).is_ok(), "`{}` is no name", spec.name);
    assert!(!spec.help.is_empty() && !spec.identities.is_empty() && !spec.operations.is_empty());
    Address::parse(spec.address.scheme, spec.address.path, spec.address.example).expect("the example is an address");
    let mut names = BTreeSet::new();
    for operation in spec.operations {
        assert!(names.insert(operation.name), "`{}` is declared twice", operation.name);
        assert!(!operation.help.is_empty(), "`{}` has no help", operation.name);
        assert_eq!(
            operation.version.split('.').filter(|n| n.parse::<u32>().is_ok()).count(),
            3,
            "{}",
            operation.version
        );
        for schema in [operation.input, operation.output] {
            let schema: serde_json::Value = serde_json::from_str(schema).expect("a schema is JSON");
            assert!(schema["properties"].is_object(), "`{}` has a schema that is no object's", operation.name);
        }
        let input: serde_json::Value = serde_json::from_str(operation.input).expect("a schema is JSON");
        let has = |member: &str| match member.split_once("[].") {
            Some((list, member)) => input["properties"][list]["items"]["properties"][member].is_object(),
            None => input["properties"][member].is_object(),
        };
        assert!(operation.constant.iter().chain(&operation.takes).all(|member| has(member)), "{}", operation.name);
    }
    let mut names = BTreeSet::new();
    for field in spec.fields {
        assert!(names.insert(field.name), "`{}` is declared twice", field.name);
        assert!(!field.help.is_empty(), "`{}` has no help", field.name);
        for other in [field.when.map(|when| when.name), field.together_with, field.instead_of].into_iter().flatten() {
            assert!(spec.field(other).is_some(), "`{}` refers to `{other}`, which is no field", field.name);
        }
    }
}

async fn bad_identities_get_no_request<S: Subject>(subject: &S, pki: &Pki) {
    let bad = Proof::bad(subject.registered().spec().identities);
    assert!(!bad.is_empty(), "every connector has identities to refuse");
    for proof in bad {
        let peer = subject.serve(pki, proof, Wire::Good).await;
        let error = fails(subject, pki, "localhost", peer.port(), loopback()).await;
        assert_eq!(error.kind(), Kind::Identity, "{proof:?}: {error}");
        assert!(peer.connections() > 0, "{proof:?}: the server was not even asked");
        assert_eq!(peer.requests(), 0, "{proof:?}: a request was sent");
    }
}

async fn servers_in_the_clear_get_no_secret<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Plain).await;
    let error = fails(subject, pki, "localhost", peer.port(), loopback()).await;
    assert!(!error.is_transient(), "trying again will not make it secure: {error}");
    let raw = String::from_utf8_lossy(&peer.raw()).into_owned();
    assert!(!raw.is_empty(), "the server heard nothing, so nothing is proved");
    let secrets = subject.settings().1.into_iter().map(|(_, value)| value);
    for word in secrets.chain(subject.secured_words()).chain([CANARY.to_owned()]) {
        assert!(!raw.contains(&word), "sent in the clear: {raw}");
    }
}

async fn private_addresses_are_not_dialled<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    let elsewhere = Egress::new(vec![Allowance::parse("127.0.0.0/8", 1, peer.port() - 1).expect("a range")]);
    for egress in [Egress::new(Vec::new()), elsewhere] {
        for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
            let error = fails(subject, pki, host, peer.port(), egress.clone()).await;
            assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
            assert!(
                error.private().reveal().contains("lockgate operator egress allow"),
                "{host}: the remedy is missing"
            );
        }
    }
    assert_eq!(peer.connections(), 0, "a private address was dialled");
}

async fn metadata_is_never_dialled<S: Subject>(subject: &S, pki: &Pki) {
    let everything = Egress::new(vec![
        Allowance::parse("0.0.0.0/0", 1, u16::MAX).expect("a range"),
        Allowance::parse("::/0", 1, u16::MAX).expect("a range"),
    ]);
    for host in
        ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200", "[64:ff9b::a9fe:a9fe]"]
    {
        let error = fails(subject, pki, host, 443, everything.clone()).await;
        assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
    }
}

async fn broken_servers_fail_in_time<S: Subject>(subject: &S, pki: &Pki) {
    for (wire, kinds) in [
        (Wire::Silent, &[Kind::Timeout][..]),
        (Wire::Closes, &[Kind::Unreachable, Kind::Protocol]),
        (Wire::Resets, &[Kind::Unreachable]),
        (Wire::Garbage, &[Kind::Protocol, Kind::Unreachable]),
    ] {
        let peer = subject.serve(pki, Proof::Good, wire).await;
        let cx = context(loopback());
        let account = open(subject, pki, &subject.address("localhost", peer.port()), &cx);
        let begun = Instant::now();
        let deadline = begun + IN_TIME;
        let error = account.invoke(cx, subject.probe(deadline)).await.expect_err(&format!("{wire:?} must fail"));
        assert!(kinds.contains(&error.kind()), "{wire:?}: {error}, {}", error.private().reveal());
        assert!(begun.elapsed() < IN_TIME * 3, "{wire:?}: took {:?}", begun.elapsed());
        tells_nothing(&error);
    }
    // Nobody listens at all.
    let error = fails(subject, pki, "localhost", crate::free_port(), loopback()).await;
    assert_eq!(error.kind(), Kind::Unreachable);
}

async fn unknown_operations_are_refused<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    let cx = context(loopback());
    let account = open(subject, pki, &subject.address("localhost", peer.port()), &cx);
    let call = Call { operation: "no-such-operation".into(), ..subject.probe(soon()) };
    let error = account.invoke(cx, call).await.expect_err("an unknown operation");
    assert_eq!((error.kind(), error.operation()), (Kind::Configuration, None));
    assert_eq!(peer.connections(), 0);
}

async fn good_servers_answer<S: Subject>(subject: &S, pki: &Pki) {
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    for host in ["localhost", "127.0.0.1"] {
        let cx = context(loopback());
        let account = open(subject, pki, &subject.address(host, peer.port()), &cx);
        account.clone().test(cx.clone(), soon()).await.expect("the account test passes");
        // Side by side, and one after the other.
        let calls = (0..40).map(|_| tokio::spawn(account.clone().invoke(cx.clone(), subject.probe(soon()))));
        for call in calls.collect::<Vec<_>>() {
            let _: Answer = call.await.expect("no panic").expect("the probe succeeds");
        }
        account.clone().invoke(cx, subject.probe(soon())).await.expect("the probe succeeds again");
    }
    // A server may write its log a moment after its answer.
    crate::wait_until_async("82 requests to arrive", Duration::from_secs(5), || peer.requests() >= 82).await;
}

/// The probe must fail; the error is named and tells no secret.
async fn fails<S: Subject>(subject: &S, pki: &Pki, host: &str, port: u16, egress: Egress) -> Error {
    fails_with(subject, pki, host, port, &[], egress).await
}

/// As [`fails`], with more settings.
async fn fails_with<S: Subject>(
    subject: &S,
    pki: &Pki,
    host: &str,
    port: u16,
    more: &[(&str, &str)],
    egress: Egress,
) -> Error {
    let cx = context(egress);
    let account = open_with(subject, pki, &subject.address(host, port), more, &cx);
    let tested = account.clone().test(cx.clone(), soon()).await.expect_err("the account test must fail too");
    tells_nothing(&tested);
    let call = subject.probe(soon());
    let operation = call.operation.clone();
    let error = account.invoke(cx, call).await.expect_err("the call must fail");
    for (name, value) in subject.settings().1 {
        let told = format!("{error} {error:?} {}", error.private().reveal());
        assert!(!value.lines().any(|line| told.contains(line)), "`{name}` is told: {told}");
    }
    assert_eq!(error.operation(), Some(operation.as_str()), "the error names its operation");
    assert_eq!(error.account().map(AccountName::as_str), Some("subject"), "the error names its account");
    tells_nothing(&error);
    error
}

/// No secret stands anywhere in an error, and nothing private in what is logged.
///
/// # Panics
/// When it does.
pub fn tells_nothing(error: &Error) {
    let logged = format!("{error} {error:?} {error:#?}");
    let private = error.private().reveal();
    assert!(!logged.contains(CANARY) && !private.contains(CANARY), "a secret is told: {logged} {private}");
    assert!(private.is_empty() || !logged.contains(private.as_str()), "what is private is logged: {logged}");
    for leak in ["127.0.0.1", "::1", "peer-words"] {
        assert!(!logged.contains(leak), "`{leak}` is logged: {logged}");
    }
}
