//! Signature wrapping: whoever can change a message that was signed moves what is signed to where nobody reads it, and puts
//! his own where it is read. Each of these has one genuine signature, and each is refused.

use std::collections::BTreeSet;

use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Answer, Block, Request, Version, Wsdl,
    addressing::{self, WSA},
    envelope::Envelope,
    security::{self, WSSE, WSU, signature::verified},
};
use lockgate_testkit::Pki;

use super::{BOTH, check, signed};

/// A message that was signed, in pieces.
struct Genuine(String);

impl Genuine {
    /// From the first of these to the end of the second.
    fn piece(&self, start: &str, end: &str) -> &str {
        let from = self.0.find(start).unwrap();
        let to = from + self.0[from..].find(end).unwrap() + end.len();
        &self.0[from..to]
    }
    fn body(&self) -> &str {
        self.piece("<soap:Body", "</soap:Body>")
    }
    fn stamp(&self) -> &str {
        self.piece("<wsu:Timestamp", "</wsu:Timestamp>")
    }
    fn signature(&self) -> &str {
        self.piece("<ds:Signature>", "</ds:Signature>")
    }
    fn info(&self) -> &str {
        self.piece("<ds:SignedInfo>", "</ds:SignedInfo>")
    }
    fn reference(&self) -> &str {
        self.piece("<ds:Reference URI=\"#Body-1\">", "</ds:Reference>")
    }
    fn security(&self) -> &str {
        self.piece("<wsse:Security", "</wsse:Security>")
    }
    /// With each first occurrence of these replaced, in order.
    fn with(&self, changes: &[(&str, &str)]) -> String {
        changes.iter().fold(self.0.clone(), |xml, (from, to)| {
            assert!(xml.contains(from), "{from} is not in {xml}");
            xml.replacen(from, to, 1)
        })
    }
    /// A header block at the end that holds this.
    fn beside(&self, changes: &[(&str, &str)], held: &str) -> String {
        let end = format!("<w:w xmlns:w=\"urn:w\">{held}</w:w></soap:Header>");
        self.with(&[changes, &[("</soap:Header>", end.as_str())]].concat())
    }
}

#[test]
fn what_is_wrapped_is_never_taken_for_what_is_signed() {
    let ours = Pki::new().client("ours", true);
    let genuine = Genuine(signed(&ours, &BOTH));
    let (body, stamp, signature) = (genuine.body(), genuine.stamp(), genuine.signature());
    let (info, reference, security) = (genuine.info(), genuine.reference(), genuine.security());
    // What the attacker wants to be read.
    let forged = body.replace("pay 7", "pay 9000");
    let (forged2, nameless) = (forged.replace("Body-1", "Body-2"), forged.replace(" wsu:Id=\"Body-1\"", ""));
    let late2 = stamp.replace("06:35:00", "09:35:00").replace("TS-1", "TS-2");
    let nameless_late = late2.replace(" wsu:Id=\"TS-2\"", "");
    let info2 = info.replace("#Body-1", "#Body-2").replace("#TS-1", "#TS-2");
    let wrapped = format!("{body}{stamp}");
    let both2 = [(body, forged2.as_str()), (stamp, late2.as_str())];
    let second = |place: &str, with: &str| {
        let added = [(place, with)];
        genuine.beside(&[&both2[..], &added].concat(), &wrapped)
    };
    let after_info = format!("{info}{info2}");
    let before_info = format!("{info2}{info}");
    let value = genuine.piece("<ds:SignatureValue>", "</ds:SignatureValue>");
    let key = genuine.piece("<ds:KeyInfo>", "</ds:KeyInfo>");
    let digest = genuine.piece("<ds:DigestValue>", "</ds:DigestValue>");
    let twice = |piece: &str| genuine.with(&[(piece, &piece.repeat(2))]);
    let method = genuine.piece("<ds:SignatureMethod", "/>");
    let canonical = genuine.piece("<ds:CanonicalizationMethod", "/>");
    let transform = genuine.piece("<ds:Transform ", "/>");
    let transforms = genuine.piece("<ds:Transforms>", "</ds:Transforms>");
    let digest_method = genuine.piece("<ds:DigestMethod", "/>");
    let other_actor = security.replace("<wsse:Security", "<wsse:Security soap:actor=\"urn:another\"");
    let unsigned_security = security.replace(signature, "").replace(stamp, &late2);
    let foreign = format!("<Security xmlns=\"urn:not-{WSSE}\">{signature}</Security>");
    let in_object = format!("<ds:Object>{body}</ds:Object></ds:Signature>");
    let inner = |holder: &str, held: &str| holder.replace("</soap:Body>", &format!("{held}</soap:Body>"));
    let end = "</soap:Body></soap:Envelope>";
    let envelope_in_body = format!("<soap:Envelope>{body}</soap:Envelope>");
    let inner_stamp = late2.replace("</wsu:Timestamp>", &format!("{stamp}</wsu:Timestamp>"));
    let hostile: Vec<(&str, String)> = vec![
        // A second statement of what is signed, which nobody signed.
        ("a second SignedInfo behind", second(info, &after_info)),
        ("a second SignedInfo before", second(info, &before_info)),
        ("a second SignedInfo at the end", second("</ds:Signature>", &format!("{info2}</ds:Signature>"))),
        ("a second SignedInfo in the key", second("<ds:KeyInfo>", &format!("<ds:KeyInfo>{info2}"))),
        ("the SignedInfo in an object", second(info, &format!("{info2}<ds:Object>{info}</ds:Object>"))),
        (
            "a second reference, not signed",
            second(reference, &format!("{reference}{}", reference.replace("#Body-1", "#Body-2"))),
        ),
        ("a second SignatureValue", twice(value)),
        ("a second KeyInfo", twice(key)),
        ("a second DigestValue", twice(digest)),
        ("a second SignatureMethod", twice(method)),
        ("a second CanonicalizationMethod", twice(canonical)),
        ("a second Transform", twice(transform)),
        ("a second Transforms", twice(transforms)),
        ("a second DigestMethod", twice(digest_method)),
        ("a second signature", twice(signature)),
        ("a signature in a signature", genuine.with(&[("</ds:KeyInfo>", &format!("</ds:KeyInfo>{signature}"))])),
        // The body that was signed goes somewhere else.
        ("body in a header, the same id", genuine.beside(&[(body, &forged)], body)),
        ("body in a header, another id", genuine.beside(&[(body, &forged2)], body)),
        ("body in a header, no id", genuine.beside(&[(body, &nameless)], body)),
        ("body in a header, Id", genuine.beside(&[(body, &forged.replace("wsu:Id", "Id"))], body)),
        ("body in a header, ID", genuine.beside(&[(body, &forged.replace("wsu:Id", "ID"))], body)),
        ("body in a header, xml:id", genuine.beside(&[(body, &forged.replace("wsu:Id", "xml:id"))], body)),
        ("body in a header, another Id", genuine.beside(&[(body, &forged.replace("wsu:Id", "soap:Id"))], body)),
        (
            "body in a header, its id as business data",
            genuine.beside(&[(body, &forged2.replace("<n1:ask", "<n1:ask id=\"Body-1\""))], body),
        ),
        ("body as a header", genuine.with(&[(body, &forged2), ("</soap:Header>", &format!("{body}</soap:Header>"))])),
        (
            "body in Security",
            genuine.with(&[(body, &forged2), ("</wsse:Security>", &format!("{body}</wsse:Security>"))]),
        ),
        ("body in an object of the signature", genuine.with(&[(body, &forged2), ("</ds:Signature>", &in_object)])),
        (
            "body in the timestamp",
            genuine.with(&[(body, &forged2), ("</wsu:Timestamp>", &format!("{body}</wsu:Timestamp>"))]),
        ),
        ("body in the body", genuine.with(&[(body, &inner(&forged2, body))])),
        ("body in a body without id", genuine.with(&[(body, &inner(&nameless, body))])),
        ("body in an envelope in the body", genuine.with(&[(body, &inner(&forged2, &envelope_in_body))])),
        ("two bodies, the forged one first", genuine.with(&[(body, &format!("{forged2}{body}"))])),
        ("two bodies, the forged one last", genuine.with(&[(body, &format!("{body}{forged2}"))])),
        ("two bodies without id", genuine.with(&[(body, &format!("{body}{nameless}"))])),
        ("body behind the body", genuine.with(&[(body, &format!("{forged2}<w xmlns=\"urn:w\">{body}</w>"))])),
        ("body before the header", genuine.with(&[(body, ""), ("<soap:Header>", &format!("{body}<soap:Header>"))])),
        ("two envelopes", genuine.with(&[(end, &format!("{end}{}", genuine.0))])),
        ("a second header", genuine.with(&[(body, &format!("<soap:Header/>{body}"))])),
        // The time that was signed goes somewhere else, so that the message is good for ever or until later.
        ("timestamp in a header, a later one", genuine.beside(&[(stamp, &late2)], stamp)),
        ("timestamp in a header, a later one without id", genuine.beside(&[(stamp, &nameless_late)], stamp)),
        (
            "timestamp in a header, a later one of the same id",
            genuine.beside(&[(stamp, &late2.replace("TS-2", "TS-1"))], stamp),
        ),
        ("timestamp in a header, none", genuine.beside(&[(stamp, "")], stamp)),
        ("timestamp as a header", genuine.with(&[(stamp, ""), ("</soap:Header>", &format!("{stamp}</soap:Header>"))])),
        (
            "timestamp in a token",
            genuine
                .with(&[(stamp, ""), ("</wsse:Security>", &format!("<w xmlns=\"urn:w\">{stamp}</w></wsse:Security>"))]),
        ),
        ("timestamp in a timestamp", genuine.with(&[(stamp, &inner_stamp)])),
        (
            "timestamp in the signature's key",
            genuine.with(&[(stamp, ""), ("</ds:KeyInfo>", &format!("{stamp}</ds:KeyInfo>"))]),
        ),
        ("timestamp in the body", genuine.with(&[(stamp, ""), (body, &inner(&forged2, &wrapped))])),
        ("a second timestamp", genuine.with(&[(stamp, &format!("{stamp}{late2}"))])),
        ("a second timestamp before", genuine.with(&[(stamp, &format!("{late2}{stamp}"))])),
        // The security header goes somewhere else.
        ("Security in a header", genuine.beside(&[(security, &unsigned_security)], security)),
        ("Security for another", genuine.with(&[(security, &format!("{unsigned_security}{other_actor}"))])),
        ("Security for another alone", genuine.with(&[(security, &other_actor)])),
        ("a second Security", genuine.with(&[(security, &format!("{unsigned_security}{security}"))])),
        ("a second Security behind", genuine.with(&[(security, &format!("{security}{unsigned_security}"))])),
        (
            "timestamp in a second Security",
            genuine.with(&[
                (stamp, ""),
                ("</soap:Header>", &format!("<wsse:Security>{stamp}</wsse:Security></soap:Header>")),
            ]),
        ),
        (
            "signature in another's Security",
            genuine.with(&[(signature, ""), ("</soap:Header>", &format!("{foreign}</soap:Header>"))]),
        ),
        (
            "signature as a header",
            genuine.with(&[(signature, ""), ("</soap:Header>", &format!("{signature}</soap:Header>"))]),
        ),
        ("signature in a header", genuine.beside(&[(signature, "")], signature)),
        ("signature in a token", genuine.with(&[(signature, &format!("<w xmlns=\"urn:w\">{signature}</w>"))])),
        ("signature in the body", genuine.with(&[(signature, ""), ("</n1:ask>", &format!("{signature}</n1:ask>"))])),
        // Names that mean something else where they stand.
        (
            "the prefix of ids means another namespace",
            genuine.with(&[("<soap:Body", &format!("<soap:Body xmlns:wsu=\"urn:not-{WSU}\""))]),
        ),
        ("the prefix of the body's element", genuine.with(&[("<n1:ask", "<n1:ask xmlns:n1=\"urn:x\"")])),
    ];
    let mut believed = Vec::new();
    for (what, xml) in &hostile {
        match check(xml, &ours) {
            Ok(read) => believed.push(format!("{what}: {read}")),
            Err(told) => {
                let known = ["LG-SOAP-SIGNATURE", "LG-SOAP-ENVELOPE", "LG-XML", "LG-FORMAT"];
                assert!(known.iter().any(|code| told.starts_with(code)), "{what}: {told}");
            }
        }
    }
    assert!(believed.is_empty(), "{believed:#?}");
    // None of them was refused because it had been broken in the making.
    assert_eq!(check(&genuine.beside(&[], "<x/>"), &ours).as_deref(), Ok("pay 7 <EUR>"));
    let moved = [(signature, ""), (stamp, &*format!("{signature}{stamp}"))];
    assert_eq!(check(&genuine.with(&moved), &ours).as_deref(), Ok("pay 7 <EUR>"));
}

/// Data may have ids, also one twice: what counts is that those that are signed stand once.
#[test]
fn ids_of_the_data_are_not_those_of_the_signature() {
    let ours = Pki::new().client("ours", true);
    let data = [
        "<line xmlns=\"urn:x\" id=\"1\"><address id=\"1\" ID=\"1\" Id=\"1\"/></line>",
        "<x AssertionID=\"2\"/><x AssertionID=\"2\"/>",
    ];
    for data in data {
        let with = |xml: String| {
            xml.replacen("</soap:Header>", &format!("<w:w xmlns:w=\"urn:w\">{data}</w:w></soap:Header>"), 1)
        };
        let unsigned = String::from_utf8(super::template(&super::signer(&ours), &BOTH)).unwrap();
        let sent = super::signer(&ours).sign(with(unsigned).into_bytes()).unwrap();
        assert!(verified(&sent, &[&ours.certificate], &Limits::default()).is_ok());
        assert!(check(&with(signed(&ours, &BOTH)), &ours).is_ok());
    }
}

/// Headers are read of a signed message where they are signed themselves.
#[test]
fn a_header_that_is_not_signed_is_not_read() {
    let ours = Pki::new().client("ours", true);
    let signer = super::signer(&ours);
    let relates = |id: Option<&str>| {
        let block = Block::new(WSA, "RelatesTo").text("urn:uuid:1");
        id.map_or(block.clone(), |id| block.attribute(WSU, "Id", id))
    };
    let read = |xml: &[u8]| {
        let message = verified(xml, &[&ours.certificate], &Limits::default()).unwrap();
        addressing::related(&mut Envelope::signed(&message).unwrap(), "urn:uuid:1").map_err(|error| error.code)
    };
    let sent = |block: Block, ids: &[&str]| signer.sign(super::template_with(&signer, ids, vec![block])).unwrap();
    let all = ["Body-1", "TS-1", "R-1"];
    assert_eq!(read(&sent(relates(Some("R-1")), &all)), Ok(true));
    for unsigned in [sent(relates(Some("R-1")), &BOTH), sent(relates(None), &BOTH)] {
        assert_eq!(read(&unsigned), Err("LG-SOAP-SIGNATURE".into()));
    }
    // Beside the one that is signed, for another; wrapped, with another in its place.
    let genuine = Genuine(String::from_utf8(sent(relates(Some("R-1")), &all)).unwrap());
    let block = genuine.piece("<wsa:RelatesTo", "</wsa:RelatesTo>");
    let forged = block.replace("R-1", "R-2");
    assert_eq!(read(genuine.with(&[(block, &format!("{forged}{block}"))]).as_bytes()), Err("LG-SOAP-ENVELOPE".into()));
    let wrapped = genuine.beside(&[(block, &forged)], block);
    assert_eq!(check(&wrapped, &ours).unwrap_err().split(':').next(), Some("LG-SOAP-SIGNATURE"));
}

#[test]
fn a_header_of_the_description_that_is_not_signed_is_not_read() {
    let ours = Pki::new().client("ours", true);
    let signer = super::signer(&ours);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl/document-with-headers.wsdl");
    let text = std::fs::read_to_string(path).unwrap();
    // The answer has the header of the request.
    let output = "<output><soap:body";
    let text = text.replace(
        output,
        &output.replace("<soap:body", "<soap:header message=\"t:in\" part=\"token\" use=\"literal\"/><soap:body"),
    );
    let operation = Wsdl::read("w", text, |_| None).unwrap().operation("P", "op").unwrap();
    let (limits, none) = (Limits::default(), Document::undefined());
    let headers = Document::parse(br#"{"token": "x"}"#, &limits).unwrap();
    let read = |ids: &[&str]| {
        let children = [super::lifetime().block("TS-1")].into_iter().chain(signer.blocks(ids));
        let response = Request {
            body: none.root(),
            headers: headers.root(),
            blocks: &[security::header(Version::Soap11, children.collect())],
            body_id: Some("Body-1"),
            attachments: &BTreeSet::new(),
        };
        let sent = String::from_utf8(operation.response(&response, &limits).unwrap()).unwrap();
        let sent = sent.replace(":token>x", ":token wsu:Id=\"H-1\">x");
        let message = verified(&signer.sign(sent.into_bytes()).unwrap(), &[&ours.certificate], &limits).unwrap();
        operation.answer_in(&mut Envelope::signed(&message).unwrap(), &[security::name()], &limits)
    };
    let Ok(Answer::Output(output)) = read(&["Body-1", "TS-1", "H-1"]) else { panic!("it is signed") };
    assert_eq!(output.headers.root().get("token").as_str(), Some("x"));
    assert_eq!(read(&BOTH).unwrap_err().code, "LG-SOAP-SIGNATURE");
}

/// Comments are not signed: they end no text, and hide nothing.
#[test]
fn comments_change_nothing() {
    let ours = Pki::new().client("ours", true);
    let genuine = Genuine(signed(&ours, &BOTH));
    for (from, to) in [
        ("pay 7", "pay<!-- --> 7"),
        ("pay 7", "<!-- -->pay 7"),
        ("06:35:00", "06:35<!-- -->:00"),
        ("06:30:00", "<!-- -->06:30:00"),
        ("</soap:Body>", "<!-- --></soap:Body>"),
        ("<ds:SignedInfo>", "<!-- --><ds:SignedInfo><!-- -->"),
        ("<ds:DigestValue>", "<ds:DigestValue><!-- -->"),
        ("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"),
        ("pay 7 &lt;EUR&gt;", "<![CDATA[pay 7 <EUR>]]>"),
        ("pay 7 &lt;EUR&gt;", "p<![CDATA[ay 7]]> &#60;EUR&#x3e;"),
    ] {
        assert_eq!(check(&genuine.with(&[(from, to)]), &ours).as_deref(), Ok("pay 7 <EUR>"), "{to}");
    }
    // Instructions are signed.
    assert!(check(&genuine.with(&[("pay 7", "pay<?x y?> 7")]), &ours).is_err());
}
