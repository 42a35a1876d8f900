//! How an [`HttpsPeer`] lets callers in: by digest (RFC 7616), and by tokens that it gives itself (RFC 6749 §4.4).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{Arrived, HttpsPeer, Told};

/// What [`digest`] wants of who shows nothing.
pub const CHALLENGE: &str = "Digest realm=\"r\", nonce=\"first\", qop=\"auth\", algorithm=SHA-256, opaque=\"o\"";
const STALE: &str = "Digest realm=\"r\", nonce=\"second\", qop=\"auth\", algorithm=SHA-256, stale=true";

/// An answer.
pub fn told(status: u16, headers: &[(&'static str, &str)], body: &str) -> Told {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Told { status, headers, body: body.to_owned().into() }
}

/// What a request shows.
pub fn authorization(arrived: &Arrived) -> Option<String> {
    arrived.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
}

/// Lets `ada` in at a path, to what answers `within`. The nonce `first` is good for two requests and `second` for ever;
/// uses must be counted, and the rest must be as it should.
pub fn digest(peer: &HttpsPeer, path: &str, within: impl Fn(&Arrived) -> Told + Send + Sync + 'static) {
    let counted = Arc::new(AtomicU32::new(0));
    peer.answers(path, move |arrived| {
        let Some(shown) = authorization(arrived) else { return told(401, &[("www-authenticate", CHALLENGE)], "") };
        let shown = parameters(&shown);
        assert_eq!((shown["uri"].as_str(), shown["username"].as_str()), (arrived.target.as_str(), "ada"));
        assert!(shown["response"].len() == 64 && shown["cnonce"].len() > 16 && shown["algorithm"] == "SHA-256");
        let count = u32::from_str_radix(&shown["nc"], 16).unwrap();
        match shown["nonce"].as_str() {
            "first" if count > 2 => told(401, &[("www-authenticate", STALE)], ""),
            "first" => {
                assert_eq!(count, counted.fetch_add(1, Ordering::SeqCst) + 1);
                within(arrived)
            }
            _ => within(arrived),
        }
    });
}

/// The parameters of a digest, without their quotes.
fn parameters(header: &str) -> BTreeMap<String, String> {
    let pairs = header.strip_prefix("Digest ").unwrap().split(", ");
    pairs.map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k.into(), v.trim_matches('"').into())).collect()
}

/// Gives tokens at `/token`: `t1`, `t2` and so on, and tells how many. `more` are further members of the answer, such as
/// `,"expires_in":3600`.
pub fn tokens(peer: &HttpsPeer, more: &'static str) -> Arc<AtomicU32> {
    let given = Arc::new(AtomicU32::new(0));
    let giving = Arc::clone(&given);
    peer.answers("/token", move |_| {
        let n = giving.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = format!("{{\"access_token\":\"t{n}\",\"token_type\":\"Bearer\"{more}}}");
        told(200, &[("content-type", "application/json")], &answer)
    });
    given
}
