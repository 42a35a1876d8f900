//! Digest authentication (RFC 7616): a digest over the server's challenge proves the password without sending it.
//!
//! The newest challenge is kept and answered beforehand, so that only the first request is sent twice. Of several the
//! strongest is taken. MD5 is among them because many servers know nothing else; TLS carries it all the same. Integrity
//! of bodies by digest (`auth-int`) is deliberately absent: TLS has it.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA512_256, digest};
use http::{HeaderMap, HeaderValue, Method, header};
use md5::{Digest as _, Md5};

use super::sensitive;
use crate::{Error, Secret};

/// The credentials, and the newest challenge.
pub(crate) struct Digest {
    username: String,
    password: Secret,
    challenge: Mutex<Option<Kept>>,
}

/// A challenge, and how often it was answered.
struct Kept {
    challenge: Challenge,
    count: u32,
    /// The client's text of the first answer, which a session goes on with (RFC 7616 §3.4.2).
    cnonce: Option<String>,
}

/// What a server asks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Challenge {
    algorithm: Algorithm,
    /// Digests cover a text of the client's too.
    session: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// Quality of protection `auth`; a server of RFC 2069 knows none.
    qop: bool,
    /// The user name itself is sent as a digest.
    userhash: bool,
    /// The credentials were right, only the nonce was too old.
    stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512_256,
}

impl Digest {
    /// Nothing is known of the server yet.
    pub fn new(username: String, password: Secret) -> Self {
        Self { username, password, challenge: Mutex::default() }
    }

    /// Whether there is a challenge to answer.
    pub fn is_challenged(&self) -> bool {
        self.kept().is_some()
    }

    /// The header for a request, where there is a challenge.
    pub fn header(&self, method: &Method, target: &str, cnonce: &str) -> Option<Result<HeaderValue, Error>> {
        let mut kept = self.kept();
        let kept = kept.as_mut()?;
        kept.count = kept.count.saturating_add(1);
        let first = kept.cnonce.get_or_insert_with(|| cnonce.to_owned()).clone();
        let cnonce = if kept.challenge.session { &first } else { cnonce };
        Some(sensitive(&self.answer(&kept.challenge, kept.count, method, target, cnonce)))
    }

    /// A 401 has come: keeps its challenge, and says whether answering it can help.
    pub fn challenged(&self, answer: &HeaderMap, used: Option<&HeaderValue>) -> bool {
        let offered = answer.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenge = offered.flat_map(challenges).max_by_key(|challenge| challenge.algorithm);
        let Some(challenge) = challenge else {
            *self.kept() = None;
            return false;
        };
        // Who was refused with a good nonce has the wrong password.
        let helps = used.is_none() || challenge.stale;
        let mut kept = self.kept();
        // The same nonce goes on being counted: answers of other calls may be on their way with it.
        if kept.as_ref().is_none_or(|kept| kept.challenge.nonce != challenge.nonce) {
            *kept = Some(Kept { challenge, count: 0, cnonce: None });
        }
        helps
    }

    fn answer(&self, challenge: &Challenge, count: u32, method: &Method, target: &str, cnonce: &str) -> Secret {
        let Challenge { algorithm, session, realm, nonce, opaque, qop, userhash, .. } = challenge;
        let h = |text: &str| algorithm.hex(text);
        let mut a1 = h(&format!("{}:{realm}:{}", self.username, self.password.expose()));
        if *session {
            a1 = h(&format!("{a1}:{nonce}:{cnonce}"));
        }
        let a2 = h(&format!("{method}:{target}"));
        let response = match qop {
            true => h(&format!("{a1}:{nonce}:{count:08x}:{cnonce}:auth:{a2}")),
            false => h(&format!("{a1}:{nonce}:{a2}")),
        };
        let username = match (userhash, self.username.is_ascii()) {
            (true, _) => format!("username={}, userhash=true", quoted(&h(&format!("{}:{realm}", self.username)))),
            (false, true) => format!("username={}", quoted(&self.username)),
            (false, false) => format!("username*=UTF-8''{}", extended(&self.username)),
        };
        let mut text = format!(
            "Digest {username}, realm={}, nonce={}, uri={}, response=\"{response}\", algorithm={}{}",
            quoted(realm),
            quoted(nonce),
            quoted(target),
            algorithm.name(),
            if *session { "-sess" } else { "" },
        );
        if *qop {
            text.push_str(&format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        } else if *session {
            text.push_str(&format!(", cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = opaque {
            text.push_str(&format!(", opaque={}", quoted(opaque)));
        }
        Secret::new(text)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Kept>> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Algorithm {
    fn of(name: &str) -> Option<(Self, bool)> {
        let name = name.to_ascii_lowercase();
        let (name, session) = name.strip_suffix("-sess").map_or((name.as_str(), false), |name| (name, true));
        let algorithm = match name {
            "md5" => Self::Md5,
            "sha-256" => Self::Sha256,
            "sha-512-256" => Self::Sha512_256,
            _ => return None,
        };
        Some((algorithm, session))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }

    fn hex(self, text: &str) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(digest(&SHA256, text.as_bytes()).as_ref()),
            Self::Sha512_256 => hex(digest(&SHA512_256, text.as_bytes()).as_ref()),
        }
    }
}

/// The digest challenges of a header that we can answer (RFC 9110 §11.6.1: several may stand in one).
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Vec<(String, String)>> = Vec::new();
    let mut within = false;
    let mut rest = header;
    while let Some((part, after)) = parameter(rest) {
        rest = after;
        match part {
            Part::Scheme(name) => {
                within = name.eq_ignore_ascii_case("digest");
                if within {
                    found.push(Vec::new());
                }
            }
            Part::Parameter(name, value) if within => {
                if let Some(last) = found.last_mut() {
                    last.push((name.to_ascii_lowercase(), value));
                }
            }
            Part::Parameter(..) => {}
        }
    }
    found.iter().filter_map(|parameters| challenge(parameters)).collect()
}

fn challenge(parameters: &[(String, String)]) -> Option<Challenge> {
    let find = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let is = |name: &str| find(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let (algorithm, session) = Algorithm::of(find("algorithm").unwrap_or("MD5"))?;
    let qop = find("qop").map(|offered| offered.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
    Some(Challenge {
        algorithm,
        session,
        realm: find("realm")?.to_owned(),
        nonce: find("nonce")?.to_owned(),
        opaque: find("opaque").map(str::to_owned),
        qop: match qop {
            Some(false) => return None,
            Some(true) => true,
            None => false,
        },
        userhash: is("userhash"),
        stale: is("stale"),
    })
}

enum Part<'a> {
    Scheme(&'a str),
    Parameter(&'a str, String),
}

/// The next scheme or parameter of a list of challenges, and what follows it.
fn parameter(text: &str) -> Option<(Part<'_>, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let end = text.find(['=', ' ', '\t', ',']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    let Some(value) = rest.trim_start().strip_prefix('=') else { return Some((Part::Scheme(name), rest)) };
    let value = value.trim_start();
    if let Some(inner) = value.strip_prefix('"') {
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in inner.char_indices() {
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (false, '"') => return Some((Part::Parameter(name, text), inner.get(at + 1..)?)),
                _ => {
                    text.push(c);
                    escaped = false;
                }
            }
        }
        return None;
    }
    let end = value.find([',', ' ', '\t']).unwrap_or(value.len());
    let (value, rest) = value.split_at_checked(end)?;
    Some((Part::Parameter(name, value.to_owned()), rest))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// RFC 8187 §3.2.1: bytes that are no attribute characters as `%XX`.
fn extended(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &str = r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn mufasa() -> Digest {
        Digest::new("Mufasa".into(), Secret::new("Circle of Life".into()))
    }

    /// RFC 7616 §3.9.1, as far as it goes without a random text: both algorithms.
    #[test]
    fn the_examples_of_the_standard_are_answered() {
        let all = challenges(RFC);
        assert_eq!(all.iter().map(|c| c.algorithm).collect::<Vec<_>>(), [Algorithm::Sha256, Algorithm::Md5]);
        for (challenge, response) in all.iter().zip([
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            "8ca523f5e9506fed4657c9700eebdbec",
        ]) {
            let text = mufasa().answer(challenge, 1, &Method::GET, "/dir/index.html", CNONCE);
            assert!(text.expose().contains(&format!("response=\"{response}\"")), "{}", text.expose());
            assert!(text.expose().contains("nc=00000001") && text.expose().contains("qop=auth,"));
        }
    }

    #[test]
    fn the_strongest_challenge_is_kept_and_counted_and_a_wrong_password_is_not_tried_again() {
        let digest = mufasa();
        assert!(!digest.is_challenged());
        assert!(digest.header(&Method::GET, "/", "c").is_none());
        let mut answer = HeaderMap::new();
        answer.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"x\", charset=\"UTF-8\""));
        assert!(!digest.challenged(&answer, None), "nothing to answer");
        answer.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(RFC));
        assert!(digest.challenged(&answer, None));
        let first = digest.header(&Method::GET, "/", "c").unwrap().unwrap();
        let second = digest.header(&Method::GET, "/", "c").unwrap().unwrap();
        assert!(first.is_sensitive());
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        assert!(text(&first).contains("algorithm=SHA-256") && text(&first).contains("nc=00000001"));
        assert!(text(&second).contains("nc=00000002"));
        assert!(!digest.challenged(&answer, Some(&first)), "the password is wrong");
        let mut stale = HeaderMap::new();
        stale.append(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("digest NONCE=\"n\",realm=\"a \\\"b\\\"\", stale=TRUE"),
        );
        assert!(digest.challenged(&stale, Some(&first)), "only the nonce was old");
        let third = text(&digest.header(&Method::GET, "/", "c").unwrap().unwrap());
        assert!(third.contains(r#"realm="a \"b\"""#) && !third.contains("qop"), "{third}");
    }

    #[test]
    fn what_cannot_be_answered_is_no_challenge() {
        for header in [
            "",
            "Digest",
            "Digest realm=\"x\"",
            "Digest realm=\"x\", nonce=\"n\", algorithm=SHA-1",
            "Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"x, nonce=\"n",
            "Bearer realm=\"x\", nonce=\"n\"",
            "=",
            "Digest =",
        ] {
            assert_eq!(challenges(header), [], "{header}");
        }
    }

    #[test]
    fn names_that_are_no_ascii_and_names_that_are_digests() {
        let digest = Digest::new("J\u{e4}s\u{f8}n Doe".into(), Secret::new("Secret, or not?".into()));
        let own = r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8"#;
        let answer = |header: &str| digest.answer(&challenges(header)[0], 1, &Method::GET, "/doe.json", CNONCE);
        assert!(answer(own).expose().contains("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe,"), "{}", answer(own).expose());
        let hashed = answer(&format!("{own}, userhash=true"));
        assert!(hashed.expose().contains("userhash=true") && !hashed.expose().contains("Doe"), "{}", hashed.expose());
    }
}
