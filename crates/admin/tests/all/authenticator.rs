//! An authenticator of the tests' own: what a browser and a security key do together (W3C Web Authentication
//! Level 3, §5 and §6), with every part of it open to be wrong.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// User present, user verified.
pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 4;
/// A credential is in it.
const ATTESTED: u8 = 64;

pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One key of one user.
pub struct Authenticator {
    key: EcdsaKeyPair,
    pub id: Vec<u8>,
    handle: String,
    pub counter: u32,
    pub origin: String,
    pub rp: String,
    pub flags: u8,
    pub cross_origin: bool,
}

impl Authenticator {
    /// A new one, in a browser that has this page open.
    pub fn new(origin: &str, rp: &str, id: &[u8]) -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: id.to_vec(),
            handle: String::new(),
            counter: 0,
            origin: origin.to_owned(),
            rp: rp.to_owned(),
            flags: PRESENT | VERIFIED,
            cross_origin: false,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({"type": kind, "challenge": options["publicKey"]["challenge"], "origin": self.origin,
            "crossOrigin": self.cross_origin});
        data.to_string().into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `navigator.credentials.create()`.
    pub fn create(&mut self, options: &Value) -> Value {
        self.handle = options["publicKey"]["user"]["id"].as_str().unwrap().to_owned();
        let mut data = self.data(self.flags | ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // COSE_Key (RFC 9053 §7.1): EC2, ES256, P-256, x, y.
        let point = self.key.public_key().as_ref();
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        let id = base64(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": {
            "attestationObject": base64(&object),
            "clientDataJSON": base64(&self.client_data("webauthn.create", options)),
            "transports": ["internal"]}})
    }

    /// `navigator.credentials.get()`; it counts.
    pub fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let (data, client) = (self.data(self.flags), self.client_data("webauthn.get", options));
        let signed = [data.as_slice(), digest(&SHA256, &client).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = base64(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": {
            "authenticatorData": base64(&data), "clientDataJSON": base64(&client),
            "signature": base64(signature.as_ref()), "userHandle": self.handle}})
    }
}
