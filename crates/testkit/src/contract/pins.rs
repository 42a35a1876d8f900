//! What every connector promises whose accounts can name a server by the digest of its certificate.

use std::{collections::BTreeMap, time::Instant};

use lockgate_connector_api::{Call, Error, IdentityKind, Kind, Registered};
use lockgate_model::{Digest, definition::ServerIdentity};

use super::{Peer, Proof, Subject, Wire, context, fails, loopback, open, soon};
use crate::pki::{self, Pki, Server};

/// A connector whose accounts expect a certificate of that digest.
struct Pinned<'a, S>(&'a S, Digest);

impl<S: Subject> Subject for Pinned<'_, S> {
    type Peer = S::Peer;

    fn registered(&self) -> Registered {
        self.0.registered()
    }

    fn address(&self, host: &str, port: u16) -> String {
        self.0.address(host, port)
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        self.0.settings()
    }

    fn identity(&self, _: &Pki) -> ServerIdentity {
        ServerIdentity::Pin(self.1)
    }

    fn shows(&self, pki: &Pki) -> Option<pki::Identity> {
        self.0.shows(pki)
    }

    fn secured_words(&self) -> Vec<String> {
        self.0.secured_words()
    }

    fn probe(&self, deadline: Instant) -> Call {
        self.0.probe(deadline)
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> S::Peer {
        self.0.serve(pki, proof, wire).await
    }
}

/// Another certificate is refused before anything is said to its server, be it as good as the pinned one or
/// that one made anew; the pinned one is enough, whatever else is wrong with it.
pub(super) async fn a_pin_is_what_counts<S: Subject>(subject: &S, pki: &Pki) {
    if !subject.registered().spec().identities.contains(&IdentityKind::Pin) {
        return;
    }
    let peer = subject.serve(pki, Proof::Good, Wire::Good).await;
    let shown = pki.shown();
    let another = lockgate_keys::fingerprint(&pki.server(Server::Good).certificate);
    for pin in [another, Digest([0; 32])] {
        let error = fails(&Pinned(subject, pin), pki, "localhost", peer.port(), loopback()).await;
        assert_eq!(error.kind(), Kind::Identity, "{error}");
        assert!(error.code().ends_with("-certificate"), "{}", error.code());
        // What to compare with whom, and not what was expected.
        let detail = error.private().reveal();
        assert!(detail.contains(&shown.to_string()) && !detail.contains(&pin.to_string()), "{detail}");
    }
    assert!(peer.connections() > 0, "the server was not even asked");
    assert_eq!((peer.requests(), peer.raw()), (0, Vec::new()), "something was said to it");
    let proofs = [Server::SelfSigned, Server::WrongHost, Server::Expired, Server::UnknownCa];
    for proof in [Proof::Good].into_iter().chain(proofs.map(Proof::Certificate)) {
        let peer = subject.serve(pki, proof, Wire::Good).await;
        let pinned = Pinned(subject, pki.shown());
        let cx = context(loopback());
        let account = open(&pinned, pki, &subject.address("localhost", peer.port()), &cx);
        let told = |error: &Error| format!("{proof:?}: {error}, {}", error.private().reveal());
        account.clone().test(cx.clone(), soon()).await.unwrap_or_else(|e| panic!("{}", told(&e)));
        account.invoke(cx, subject.probe(soon())).await.unwrap_or_else(|e| panic!("{}", told(&e)));
    }
}
