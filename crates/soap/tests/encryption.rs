//! Encrypted messages: who has the key reads what was written, everybody else nothing, and nothing else comes out of it.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "tests: a broken premise must fail on the spot")]

use std::{collections::BTreeSet, path::Path, process::Command};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Operation, Request, Version, Wsdl,
    security::{
        self,
        encryption::{KeyDigest, Reader, Recipient},
        signature::{Signer, verified},
    },
};
use lockgate_testkit::{Pki, pki::Identity};

const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

fn operation() -> Operation {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl/wrapped.wsdl");
    let text = std::fs::read_to_string(path).unwrap();
    Wsdl::read("wrapped.wsdl", text, |_| None).unwrap().operation("P", "op").unwrap()
}

/// A message before its body is encrypted, and encrypted.
fn messages(reader: &Identity, signer: Option<&Identity>) -> (String, String) {
    messages_by(KeyDigest::default(), reader, signer)
}

fn messages_by(digest: KeyDigest, reader: &Identity, signer: Option<&Identity>) -> (String, String) {
    let (mut children, key) = Recipient::new(&reader.certificate).unwrap().by(digest).blocks().unwrap();
    let signer = signer.map(|signer| Signer::new(&signer.key_pem(), &signer.certificate).unwrap());
    children.extend(signer.iter().flat_map(|signer| signer.blocks(&["Body-1"])));
    let limits = Limits::default();
    let body = Document::parse("{\"first\": \"pay 7 <EUR> für Öl\"}".as_bytes(), &limits).unwrap();
    let none = Document::undefined();
    let request = Request {
        body: body.root(),
        headers: none.root(),
        blocks: &[security::header(Version::Soap11, children)],
        body_id: Some("Body-1"),
        attachments: &BTreeSet::new(),
    };
    let plain = operation().request(&request, &limits).unwrap();
    let plain = signer.map_or(plain.clone(), |signer| signer.sign(plain).unwrap());
    let sealed = key.encrypted(plain.clone()).unwrap();
    (String::from_utf8(plain).unwrap(), String::from_utf8(sealed).unwrap())
}

fn decrypted(xml: &str, identity: &Identity) -> Result<String, String> {
    let reader = Reader::new(&identity.key_pem()).unwrap();
    let read = reader.decrypted(xml.as_bytes(), &Limits::default());
    read.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn who_has_the_key_reads_what_was_written_and_nobody_else() {
    let (theirs, other) = (Identity::of_rsa(), Identity::of_rsa());
    let (plain, sealed) = messages(&theirs, None);
    assert!(plain.contains("pay 7") && !sealed.contains("pay 7") && !sealed.contains("first"), "{sealed}");
    assert_eq!(decrypted(&sealed, &theirs).unwrap(), plain);
    assert!(decrypted(&sealed, &other).unwrap_err().contains("for another key"));
    // Each message has a key and a nonce of its own.
    assert_ne!(messages(&theirs, None).1, sealed);
}

#[test]
fn what_is_signed_and_encrypted_is_verified_when_it_is_decrypted() {
    let (theirs, ours) = (Identity::of_rsa(), Pki::new().client("ours", true));
    let (plain, sealed) = messages(&theirs, Some(&ours));
    let limits = Limits::default();
    assert!(verified(sealed.as_bytes(), &[&ours.certificate], &limits).is_err());
    let again = decrypted(&sealed, &theirs).unwrap();
    assert_eq!(again, plain);
    assert!(verified(again.as_bytes(), &[&ours.certificate], &limits).is_ok());
    let read = operation().asked(again.as_bytes(), &[security::name()], &limits).unwrap();
    assert_eq!(read.body.root().get("first").as_str(), Some("pay 7 <EUR> für Öl"));
}

#[test]
fn what_was_changed_is_told_in_the_same_words_wherever_it_was() {
    let theirs = Identity::of_rsa();
    let (_, sealed) = messages(&theirs, None);
    let mut told = BTreeSet::new();
    let values: Vec<usize> = sealed.match_indices("<xenc:CipherValue>").map(|(at, found)| at + found.len()).collect();
    assert_eq!(values.len(), 2);
    for start in values {
        let length = sealed[start..].find('<').unwrap();
        // The last characters of base64 may hold bits that mean nothing.
        for at in (start..start + length - 4).step_by(7) {
            let letter = if &sealed[at..=at] == "A" { "B" } else { "A" };
            told.insert(decrypted(&format!("{}{letter}{}", &sealed[..at], &sealed[at + 1..]), &theirs).unwrap_err());
        }
        told.insert(decrypted(&format!("{}{}", &sealed[..start], &sealed[start + length..]), &theirs).unwrap_err());
        told.insert(decrypted(&format!("{}!{}", &sealed[..start], &sealed[start..]), &theirs).unwrap_err());
    }
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn what_is_not_encrypted_as_it_must_be_is_refused() {
    let theirs = Identity::of_rsa();
    let (plain, sealed) = messages(&theirs, None);
    let refused = |xml: &str, why: &str| {
        let told = decrypted(xml, &theirs).unwrap_err();
        assert!(told.starts_with("LG-SOAP-ENCRYPTION") && told.contains(why), "{told}, not {why}: {xml}");
    };
    let changed = |from: &str, to: &str| {
        assert!(sealed.contains(from), "{from}");
        sealed.replacen(from, to, 1)
    };
    refused(&plain, "not that of each");
    refused("<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body/></e:Envelope>", "not encrypted");
    for (from, to) in [
        (OAEP, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
        ("xmldsig#sha1", "xmldsig-more#md5"),
        ("xmlenc11#aes256-gcm", "xmlenc11#aes192-gcm"),
        ("2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#aes256-cbc"),
        (
            "<xenc:CipherData><xenc:CipherValue>",
            "<xenc:CipherData><xenc:CipherReference URI=\"file:///etc/passwd\"/><xenc:X>",
        ),
    ] {
        let xml = changed(from, to);
        let xml = if to.ends_with("<xenc:X>") { xml.replacen("</xenc:CipherValue>", "</xenc:X>", 1) } else { xml };
        refused(&xml, "in a way that is not taken");
    }
    refused(&changed("URI=\"#ED-1\"", "URI=\"#ED-2\""), "not that of each");
    refused(&changed("<soap:Body", "<soap:Body Id=\"ED-1\""), "not that of each");
    refused(&changed("xmlenc#Content\"", "xmlenc#Element\""), "something else");
    refused(&changed("<xenc:EncryptedData", "<more/><xenc:EncryptedData"), "something else");
    let (start, end) = (sealed.find("<xenc:EncryptedKey").unwrap(), sealed.find("</xenc:EncryptedKey>").unwrap() + 20);
    let key = &sealed[start..end];
    refused(&changed(key, ""), "one encrypted key");
    refused(&changed(key, &format!("{key}{}", key.replace("EK-1", "EK-2"))), "one encrypted key");
    refused(&changed(key, &format!("<x xmlns=''>{key}</x>")), "where nobody reads it");
    // The body as it was, and something encrypted beside it.
    let (start, end) =
        (sealed.find("<xenc:EncryptedData").unwrap(), sealed.find("</xenc:EncryptedData>").unwrap() + 21);
    let data = sealed[start..end].replace("xmlenc#Content\"", "xmlenc#Element\"");
    let beside = plain.replacen("</wsse:Security>", &format!("{data}</wsse:Security>"), 1);
    refused(&beside, "the body is not encrypted");
}

/// Whoever knows a certificate can encrypt for it: so what comes out is held to its place.
#[test]
fn what_is_decrypted_stays_where_it_was_encrypted() {
    let theirs = Identity::of_rsa();
    let (plain, sealed) = messages(&theirs, None);
    let crafted = |content: &str| decrypted(&with(&sealed, &theirs, content.as_bytes(), &OAEP_SHA1_MGF1SHA1), &theirs);
    assert!(crafted("<n1:other xmlns:n1=\"urn:x\"/>").unwrap().contains("<n1:other"));
    assert!(crafted("text &amp; more").is_ok());
    for content in [
        "</soap:Body><soap:Body><a/>",
        "<a/></soap:Body><soap:Other>",
        "</soap:Body></soap:Envelope><!--",
        "<a>",
        "</a>",
        "<!--",
        "<![CDATA[",
        "<!DOCTYPE x>",
        "<undeclared:a/>",
        "\u{0}",
        "&unknown;",
    ] {
        assert!(crafted(content).unwrap_err().contains("cannot be decrypted"), "{content}");
    }
    let bytes = with(&sealed, &theirs, b"\xff\xfe", &OAEP_SHA1_MGF1SHA1);
    assert!(decrypted(&bytes, &theirs).unwrap_err().contains("cannot be decrypted"));
    // The other way of RSA-OAEP that is taken says its digest and its mask.
    let sha256 = with(&sealed, &theirs, b"<a/>", &OAEP_SHA256_MGF1SHA256);
    assert!(decrypted(&sha256, &theirs).is_err(), "with another digest than the message says");
    let says = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><m:MGF xmlns:m=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/>";
    let sha256 = sha256.replacen(OAEP, "http://www.w3.org/2009/xmlenc11#rsa-oaep", 1).replacen(
        "<ds:DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"/>",
        says,
        1,
    );
    assert!(decrypted(&sha256, &theirs).unwrap().contains("<a/>"), "{sha256}");
    assert!(plain.contains("first"));
}

/// The message with another content, encrypted by another key.
fn with(sealed: &str, reader: &Identity, content: &[u8], transport: &'static OaepAlgorithm) -> String {
    let private = PrivateDecryptingKey::from_pkcs8(reader.key.secret_der()).unwrap();
    let public = OaepPublicEncryptingKey::new(private.public_key()).unwrap();
    let mut room = vec![0; public.ciphertext_size()];
    let key = STANDARD.encode(public.encrypt(transport, &[7; 32], &mut room, None).unwrap());
    let mut data = content.to_vec();
    let by = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    by.seal_in_place_append_tag(Nonce::assume_unique_for_key([1; 12]), Aad::empty(), &mut data).unwrap();
    let data = STANDARD.encode([&[1; 12][..], &data].concat());
    let mut parts = sealed.split("<xenc:CipherValue>");
    let (before, first, second) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let after = |text: &str| text[text.find('<').unwrap()..].to_owned();
    format!("{before}<xenc:CipherValue>{key}{}<xenc:CipherValue>{data}{}", after(first), after(second))
}

#[test]
fn keys_that_are_none_are_refused() {
    let elliptic = Pki::new().client("ours", true);
    assert!(Recipient::new(&elliptic.certificate).is_err() && Recipient::new(b"no certificate").is_err());
    assert!(Reader::new(&elliptic.key_pem()).is_err() && Reader::new("no key").is_err());
    let (_, key) = Recipient::new(&Identity::of_rsa().certificate).unwrap().blocks().unwrap();
    assert!(key.encrypted(b"<no-envelope/>".to_vec()).is_err());
}

/// What xmlsec1, the implementation that most others compare with, makes of a document.
fn xmlsec1(arguments: &[&str], identity: &Identity, xml: &str, plain: &str) -> Option<std::process::Output> {
    if !Path::new("/usr/bin/xmlsec1").is_file() {
        lockgate_testkit::skip("xmlsec1", "it is not installed; `./test` installs it");
        return None;
    }
    let folder = lockgate_testkit::temp_dir();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("message.xml"), xml).unwrap();
    std::fs::write(at("plain.xml"), plain).unwrap();
    std::fs::write(at("key.pem"), identity.key_pem()).unwrap();
    std::fs::write(at("certificate.pem"), identity.certificate_pem()).unwrap();
    Some(Command::new("/usr/bin/xmlsec1").current_dir(folder.path()).args(arguments).output().unwrap())
}

/// With SHA-256 in digest and mask, which not every xmlsec1 knows: OpenSSL decrypts the key, and xmlsec1 by it the body.
#[test]
fn openssl_and_xmlsec1_decrypt_what_we_encrypt_by_sha_256() {
    let theirs = Identity::of_rsa();
    let (_, sealed) = messages_by(KeyDigest::Sha256, &theirs, None);
    assert!(decrypted(&sealed, &theirs).unwrap().contains("pay 7 &lt;EUR"), "{sealed}");
    for said in [
        "Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\"",
        "DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"",
        "MGF Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"",
    ] {
        assert!(sealed.contains(said), "{sealed}");
    }
    let value = |text: &str| text.split_once("CipherValue>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let wrapped = STANDARD.decode(value(&sealed)).unwrap();
    let folder = lockgate_testkit::temp_dir();
    std::fs::write(folder.path().join("key.pem"), theirs.key_pem()).unwrap();
    std::fs::write(folder.path().join("wrapped"), wrapped).unwrap();
    let unwrap = "pkeyutl -decrypt -inkey key.pem -in wrapped -out key -pkeyopt rsa_padding_mode:oaep \
                  -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256";
    let unwrapped =
        Command::new("openssl").current_dir(folder.path()).args(unwrap.split_whitespace()).output().unwrap();
    assert!(unwrapped.status.success(), "{}", String::from_utf8_lossy(&unwrapped.stderr));
    let (start, end) = (sealed.find("<xenc:EncryptedData").unwrap(), sealed.find("</xenc:EncryptedData>").unwrap());
    let data = format!("{}</xenc:EncryptedData>", &sealed[start..end]);
    // What would lead to the key, which it is given.
    let data = match (data.find("<ds:KeyInfo"), data.find("</ds:KeyInfo>")) {
        (Some(from), Some(to)) => format!("{}{}", &data[..from], &data[to + 13..]),
        _ => data,
    };
    let data = format!("<body>{data}</body>");
    let key = folder.path().join("key");
    let arguments = ["--decrypt", "--aeskey", key.to_str().unwrap(), "message.xml"];
    let Some(output) = xmlsec1(&arguments, &theirs, &data, "") else { return };
    let read = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && read.contains("pay 7 &lt;EUR"),
        "{read} {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// It knows nothing of security headers: there the key stands in the data that it is for.
#[test]
fn xmlsec1_decrypts_what_we_encrypt_and_we_what_it_encrypts() {
    let theirs = Identity::of_rsa();
    let (plain, sealed) = messages(&theirs, None);
    let (start, end) = (sealed.find("<xenc:EncryptedKey").unwrap(), sealed.find("</xenc:EncryptedKey>").unwrap() + 20);
    let key = sealed[start..end].replacen(
        "<xenc:EncryptedKey",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"",
        1,
    );
    let info = sealed.rfind("<wsse:SecurityTokenReference").unwrap();
    let info_end = sealed.rfind("</wsse:SecurityTokenReference>").unwrap() + 30;
    // A reference to a token tells it nothing.
    let from = key.find("<ds:KeyInfo>").unwrap();
    let to = key.find("</ds:KeyInfo>").unwrap() + 13;
    let key = format!("{}{}", &key[..from], &key[to..]);
    let moved = format!("{}{key}{}", &sealed[..info], &sealed[info_end..]);
    let Some(output) = xmlsec1(&["--decrypt", "--privkey-pem", "key.pem", "message.xml"], &theirs, &moved, "") else {
        return;
    };
    let read = String::from_utf8_lossy(&output.stdout);
    let inside = &plain[plain.find("<soap:Body").unwrap()..plain.find("</soap:Body>").unwrap()];
    let inside = &inside[inside.find('>').unwrap() + 1..];
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(read.contains("pay 7 &lt;EUR") && inside.contains("pay 7 &lt;EUR"), "{read}");

    // The other way: a template without values, whose key is then moved into the header.
    let empty = |text: &str| {
        let mut out = String::new();
        for (n, part) in text.split("<xenc:CipherValue>").enumerate() {
            match n {
                0 => out.push_str(part),
                _ => out.push_str(&format!("<xenc:CipherValue>{}", &part[part.find('<').unwrap()..])),
            }
        }
        out
    };
    let data =
        moved[moved.find("<xenc:EncryptedData").unwrap()..moved.find("</xenc:EncryptedData>").unwrap() + 21].to_owned();
    // What it encrypts is the content of the root of a document of its own.
    let content = "<root><n:op xmlns:n=\"urn:t\"><first>theirs</first></n:op></root>";
    let encrypt = [
        "--encrypt",
        "--pubkey-cert-pem",
        "certificate.pem",
        "--session-key",
        "aes-256",
        "--xml-data",
        "plain.xml",
        "--node-xpath",
        "/root",
        "message.xml",
    ];
    let template = empty(&data);
    let output = xmlsec1(&encrypt, &theirs, &template, content).unwrap();
    let made = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let values: Vec<String> = made
        .split("CipherValue>")
        .skip(1)
        .step_by(2)
        .map(|value| value.chars().take_while(|c| *c != '<').filter(|c| !c.is_whitespace()).collect())
        .collect();
    let mut parts = sealed.split("<xenc:CipherValue>");
    let (before, first, second) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let after = |text: &str| text[text.find('<').unwrap()..].to_owned();
    let theirs_in_ours = format!(
        "{before}<xenc:CipherValue>{}{}<xenc:CipherValue>{}{}",
        values[0],
        after(first),
        values[1],
        after(second)
    );
    let read = decrypted(&theirs_in_ours, &theirs).unwrap();
    assert!(read.contains("<first>theirs</first>"), "{read}");
}
