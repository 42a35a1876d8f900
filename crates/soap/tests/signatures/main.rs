//! Signed messages: what was signed is what is used, and nothing else passes.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "tests: a broken premise must fail on the spot")]

use std::{collections::BTreeSet, path::Path};

use jiff::{SignedDuration, Timestamp};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Block, Operation, Request, Version, Wsdl,
    envelope::Envelope,
    security::{
        self, Lifetime,
        signature::{Signer, verified},
    },
};
use lockgate_testkit::{Pki, pki::Identity};

mod wrapping;

fn operation() -> Operation {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl/wrapped.wsdl");
    let text = std::fs::read_to_string(path).unwrap();
    Wsdl::read("wrapped.wsdl", text, |_| None).unwrap().operation("P", "op").unwrap()
}

/// The message, not signed yet: whoever signs finds the places.
fn template(signer: &Signer, ids: &[&str]) -> Vec<u8> {
    template_with(signer, ids, Vec::new())
}

fn lifetime() -> Lifetime {
    let created: Timestamp = "2026-11-23T06:30:00Z".parse().unwrap();
    Lifetime { created, expires: Some(created + SignedDuration::from_mins(5)) }
}

fn template_with(signer: &Signer, ids: &[&str], blocks: Vec<Block>) -> Vec<u8> {
    let children = [lifetime().block("TS-1")].into_iter().chain(signer.blocks(ids)).collect();
    let blocks: Vec<Block> = [security::header(Version::Soap11, children)].into_iter().chain(blocks).collect();
    let limits = Limits::default();
    let (body, none) = (Document::parse(br#"{"first": "pay 7 <EUR>"}"#, &limits).unwrap(), Document::undefined());
    let request = Request {
        body: body.root(),
        headers: none.root(),
        blocks: &blocks,
        body_id: Some("Body-1"),
        attachments: &BTreeSet::new(),
    };
    operation().request(&request, &limits).unwrap()
}

fn signer(identity: &Identity) -> Signer {
    Signer::new(&identity.key_pem(), &identity.certificate).unwrap()
}

fn signed(identity: &Identity, ids: &[&str]) -> String {
    let signer = signer(identity);
    String::from_utf8(signer.sign(template(&signer, ids)).unwrap()).unwrap()
}

fn check(xml: &str, identity: &Identity) -> Result<String, String> {
    let limits = Limits::default();
    let message = verified(xml.as_bytes(), &[&identity.certificate], &limits).map_err(|error| error.to_string())?;
    let mut envelope = Envelope::signed(&message).map_err(|error| error.to_string())?;
    let lifetime = Lifetime::of(&mut envelope).map_err(|error| error.to_string())?;
    // What has no time is good for ever, as far as this test is concerned.
    let now = "2026-11-23T06:33:00Z".parse().unwrap();
    lifetime.map_or(Ok(()), |lifetime| lifetime.check(now, SignedDuration::ZERO)).map_err(|error| error.to_string())?;
    let read = operation().asked(xml.as_bytes(), &[security::name()], &limits).unwrap();
    Ok(read.body.root().get("first").as_str().unwrap().to_owned())
}

const BOTH: [&str; 2] = ["Body-1", "TS-1"];

#[test]
fn what_is_signed_is_verified_by_the_endpoints_certificate_alone() {
    let pki = Pki::new();
    let (ours, other) = (pki.client("ours", true), pki.client("other", true));
    let xml = signed(&ours, &BOTH);
    assert_eq!(check(&xml, &ours).as_deref(), Ok("pay 7 <EUR>"));
    // The certificate goes along; it is not what counts.
    assert!(check(&xml, &other).unwrap_err().starts_with("LG-SOAP-SIGNATURE"));
    let both: [&[u8]; 2] = [&other.certificate, &ours.certificate];
    assert!(verified(xml.as_bytes(), &both, &Limits::default()).is_ok());
    assert!(verified(xml.as_bytes(), &[], &Limits::default()).is_err());
    assert!(verified(xml.as_bytes(), &[b"no certificate"], &Limits::default()).is_err());
}

#[test]
fn what_was_changed_or_is_not_signed_is_refused() {
    let pki = Pki::new();
    let ours = pki.client("ours", true);
    let xml = signed(&ours, &BOTH);
    let refused = |xml: &str, why: &str| {
        let told = check(xml, &ours).unwrap_err();
        assert!(told.contains(why), "{told}, not {why}: {xml}");
    };
    let changed = |from: &str, to: &str| {
        assert!(xml.contains(from), "{from}");
        xml.replacen(from, to, 1)
    };
    refused(&changed("pay 7", "pay 8"), "not of this message");
    refused(&changed("06:35:00", "07:35:00"), "not of this message");
    refused(&changed("first>pay", "first xmlns:q='urn:q' q:a='1'>pay"), "not of this message");
    refused(&changed("wsu:Id=\"Body-1\"", "wsu:Id=\"Body-2\""), "body is not signed");
    let token = signed(&ours, &["Body-1", "TS-1", "X509-1"]);
    assert!(check(&token, &ours).is_ok(), "the token may be signed as well");
    refused(&token.replacen("wsu:Id=\"X509-1\"", "wsu:Id=\"X509-2\"", 1), "stands nowhere");
    refused(&signed(&ours, &["Body-1", "TS-1", "TS-1"]), "something twice");
    refused(&signed(&ours, &["TS-1"]), "body is not signed");
    refused(&signed(&ours, &["Body-1"]), "timestamp is not signed");
    let start = xml.find("<ds:Signature>").unwrap();
    let end = xml.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    refused(&format!("{}{}", &xml[..start], &xml[end..]), "not signed");
    refused(&format!("{}{}", &xml[..end], &xml[start..]), "one signature");
    // What the signature says of itself.
    for (from, to) in [
        ("xml-exc-c14n#\"/><ds:SignatureMethod", "xml-c14n-20010315\"/><ds:SignatureMethod"),
        ("ecdsa-sha256", "hmac-sha256"),
        ("ecdsa-sha256", "ecdsa-sha1"),
        ("xmlenc#sha256", "xmldsig#sha1"),
        ("<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", ""),
        (
            "<ds:Transforms>",
            "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
        ),
        ("URI=\"#Body-1\"", "URI=\"\""),
        ("URI=\"#Body-1\"", "URI=\"body.xml\""),
        ("URI=\"#Body-1\"", "URI=\"#xpointer(id('Body-1'))\""),
        ("URI=\"#Body-1\"", "URI=\"cid:Body-1\""),
        ("<ds:KeyInfo>", "<ds:KeyInfo><ds:RetrievalMethod URI=\"/etc/passwd\"/>"),
        ("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyValue/>"),
        ("<ds:KeyInfo>", "<ds:Object/><ds:KeyInfo>"),
    ] {
        refused(&changed(from, to), "LG-SOAP-SIGNATURE");
    }
    // Bytes that two readers may take for other characters.
    refused(&changed("encoding=\"utf-8\"", "encoding=\"iso-8859-1\""), "UTF-8");
    refused(&format!("\u{feff}{xml}"), "UTF-8");
}

#[test]
fn keys_and_certificates_that_are_none_are_refused() {
    let ours = Pki::new().client("ours", true);
    assert!(Signer::new("no key", &ours.certificate).is_err());
    assert!(Signer::new(&ours.key_pem(), b"no certificate").is_err());
    let other = Pki::new().client("other", true);
    assert!(Signer::new(&ours.key_pem(), &other.certificate).err().unwrap().message.contains("another key"));
    assert!(Signer::new(&Identity::of_rsa().key_pem(), &ours.certificate).is_err());
    let signer = signer(&ours);
    assert!(signer.sign(b"<no-place-for-a-signature/>".to_vec()).is_err());
}

/// What xmlsec1, the implementation that most others compare with, says.
fn xmlsec1(arguments: &[&str], identity: &Identity, xml: &[u8]) -> Option<std::process::Output> {
    if !Path::new("/usr/bin/xmlsec1").is_file() {
        lockgate_testkit::skip("xmlsec1", "it is not installed; `./test` installs it");
        return None;
    }
    let folder = lockgate_testkit::temp_dir();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("message.xml"), xml).unwrap();
    std::fs::write(at("key.pem"), identity.key_pem()).unwrap();
    std::fs::write(at("certificate.pem"), identity.certificate_pem()).unwrap();
    let mut command = std::process::Command::new("/usr/bin/xmlsec1");
    command.current_dir(folder.path()).args(arguments);
    command.args(["--id-attr:Id", "http://schemas.xmlsoap.org/soap/envelope/:Body"]);
    command.args(["--id-attr:Id", &format!("{}:Timestamp", security::WSU)]).arg("message.xml");
    Some(command.output().unwrap())
}

#[test]
fn xmlsec1_verifies_what_we_sign_and_we_what_it_signs() {
    for identity in [Pki::new().client("ours", true), Identity::of_rsa()] {
        let xml = signed(&identity, &BOTH);
        assert!(check(&xml, &identity).is_ok());
        let verify = ["--verify", "--pubkey-cert-pem", "certificate.pem"];
        let Some(output) = xmlsec1(&verify, &identity, xml.as_bytes()) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let changed = xml.replacen("pay 7", "pay 8", 1);
        assert!(!xmlsec1(&verify, &identity, changed.as_bytes()).unwrap().status.success());
        let signer = Signer::new(&identity.key_pem(), &identity.certificate).unwrap();
        let output = xmlsec1(&["--sign", "--privkey-pem", "key.pem"], &identity, &template(&signer, &BOTH)).unwrap();
        let theirs = String::from_utf8(output.stdout).unwrap();
        assert_eq!(check(&theirs, &identity).as_deref(), Ok("pay 7 <EUR>"), "{theirs}");
        // With declarations of prefixes that no name uses, as many services sign.
        let list = |element: &str, prefixes: &str| {
            let open = format!("<ds:{element} Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"");
            let inner = format!(
                "<e:InclusiveNamespaces xmlns:e=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{prefixes}\"/>"
            );
            (format!("{open}/>"), format!("{open}>{inner}</ds:{element}>"))
        };
        let mut listed = String::from_utf8(template(&signer, &BOTH)).unwrap();
        for (from, to) in [list("CanonicalizationMethod", "soap n1"), list("Transform", "wsse ds")] {
            assert!(listed.contains(&from));
            listed = listed.replace(&from, &to);
        }
        let output = xmlsec1(&["--sign", "--privkey-pem", "key.pem"], &identity, listed.as_bytes()).unwrap();
        let theirs = String::from_utf8(output.stdout).unwrap();
        assert_eq!(check(&theirs, &identity).as_deref(), Ok("pay 7 <EUR>"), "{theirs}");
        assert!(check(&theirs.replace("PrefixList=\"soap n1\"", "PrefixList=\"soap\""), &identity).is_err());
    }
}
