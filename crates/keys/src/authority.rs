//! A small certificate authority: ECDSA P-256, server and client certificates, nothing below it.

use std::{path::Path, time::Duration};

use lockgate_model::{Digest, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use rustls::client::{WebPkiServerVerifier, danger::ServerCertVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use zeroize::Zeroizing;

use crate::{
    Error, Identity, Secret, TrustRoots,
    file::{private_directory, read_private, replace_private},
    provider,
};

/// Longest life of an issued certificate in days; browsers refuse longer ones.
pub const LEAF_DAYS_MAX: i64 = 397;

/// Life of the authority itself in days.
const AUTHORITY_DAYS: i64 = 3650;

/// A kept certificate that ends within so many days is renewed.
const RENEW_DAYS: i64 = 30;

/// Peers' clocks may be behind ours by this much.
const SKEW_MS: i64 = 60 * 60 * 1000;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const WHAT: &str = "the certificate authority";

/// File of a kept server certificate, with its key.
const SERVER_FILE: &str = "server.pem";

/// Files of a saved authority: `ca.pem` and `ca.key`.
const FILES: &str = "ca";

/// A certificate authority of our own: key and self-signed certificate.
#[derive(Debug)]
pub struct Authority {
    own: Identity,
    issuer: Issuer<'static, KeyPair>,
    expires: Timestamp,
}

impl Authority {
    /// A new one, in memory, valid for ten years from `now`.
    pub fn create(common_name: &str, now: Timestamp) -> Result<Self, Error> {
        let key = generate()?;
        let mut params = params(common_name, now, now.plus_ms(AUTHORITY_DAYS * DAY_MS))?;
        // Length 0: what it signs can sign nothing.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        let own = identity(certificate.der().clone(), &key)?;
        Self::from_identity(own)
    }

    /// The one that lies in a private directory; makes and saves it if there is none.
    pub fn open_or_create(dir: &Path, common_name: &str, now: Timestamp) -> Result<Self, Error> {
        if let Some(found) = Self::load(dir)? {
            return Ok(found);
        }
        let new = Self::create(common_name, now)?;
        new.save(dir)?;
        Ok(new)
    }

    /// Loads what [`Authority::save`] wrote; `None` if there is none.
    pub fn load(dir: &Path) -> Result<Option<Self>, Error> {
        Identity::load(dir, FILES)?.map(Self::from_identity).transpose()
    }

    /// Writes `ca.pem` and `ca.key` into a private directory. Refuses to replace them.
    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        self.own.save(dir, FILES)
    }

    fn from_identity(own: Identity) -> Result<Self, Error> {
        let key = own
            .key_pem()
            .expose_text()
            .and_then(|pem| KeyPair::from_pem(pem).ok())
            .ok_or_else(|| Error::unusable(WHAT, "its key cannot be read"))?;
        let certificate = own.chain().first().ok_or_else(|| Error::unusable(WHAT, "its certificate is missing"))?;
        let issuer = Issuer::from_ca_cert_der(certificate, key).map_err(failed)?;
        let expires = own.expires()?;
        Ok(Self { issuer, expires, own })
    }

    /// Its certificate as PEM text: what clients are given to trust.
    pub fn certificate_pem(&self) -> String {
        self.own.chain_pem()
    }

    /// Its certificate as trust roots.
    pub fn trust(&self) -> Result<TrustRoots, Error> {
        TrustRoots::from_pem(self.certificate_pem().as_bytes())
    }

    /// SHA-256 of its certificate.
    pub fn fingerprint(&self) -> Digest {
        self.own.fingerprint()
    }

    /// A certificate for a server with these names: DNS names and IP addresses. Valid from an hour
    /// before `now` for at most [`LEAF_DAYS_MAX`] days, and never longer than the authority.
    pub fn server(&self, names: &[&str], now: Timestamp) -> Result<Identity, Error> {
        let Some(first) = names.first() else {
            return Err(Error::unusable("the new certificate", "it needs a name: a DNS name or an IP address"));
        };
        for name in names {
            ServerName::try_from(*name).map_err(|_| {
                Error::unusable("the new certificate", "one of its names is neither a DNS name nor an IP address")
            })?;
        }
        let mut params = self.leaf(first, now)?;
        params.subject_alt_names = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())
            .map_err(failed)?
            .subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// The certificate that lies in a private directory, so that its fingerprint stays over restarts. One
    /// that is not of this authority, lacks a name or ends soon gives way to a new one.
    pub fn kept_server(&self, dir: &Path, names: &[&str], now: Timestamp) -> Result<Identity, Error> {
        private_directory(dir)?;
        let path = dir.join(SERVER_FILE);
        if let Some(text) = read_private(&path)?
            && let Ok(kept) = Identity::from_pem(&text, &text)
            && self.stands_for(&kept, names, now.plus_ms(RENEW_DAYS * DAY_MS))?
        {
            return Ok(kept);
        }
        let new = self.server(names, now)?;
        let mut text = Zeroizing::new(new.key_pem().expose().to_vec());
        text.extend_from_slice(new.chain_pem().as_bytes());
        replace_private(&path, &text)?;
        Ok(new)
    }

    /// Whether a client that trusts this authority would take it for each of the names, at that time.
    fn stands_for(&self, own: &Identity, names: &[&str], at: Timestamp) -> Result<bool, Error> {
        let unusable = |e: &dyn std::fmt::Display| Error::unusable(WHAT, e);
        let trust = self.trust()?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(trust.store(), provider()).build().map_err(|e| unusable(&e))?;
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at.0.div_euclid(1_000_000).max(0) as u64));
        let [certificate, ..] = own.chain() else { return Ok(false) };
        Ok(names.iter().all(|name| {
            ServerName::try_from(*name)
                .is_ok_and(|name| verifier.verify_server_cert(certificate, &[], &name, &[], at).is_ok())
        }))
    }

    /// A certificate for a client, named by its common name. Valid as long as a server's.
    pub fn client(&self, common_name: &str, now: Timestamp) -> Result<Identity, Error> {
        let mut params = self.leaf(common_name, now)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn leaf(&self, common_name: &str, now: Timestamp) -> Result<CertificateParams, Error> {
        let end = now.plus_ms(LEAF_DAYS_MAX * DAY_MS - SKEW_MS).min(self.expires);
        let mut params = params(common_name, now, end)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }

    fn sign(&self, params: &CertificateParams) -> Result<Identity, Error> {
        let key = generate()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        identity(certificate.der().clone(), &key)
    }
}

fn generate() -> Result<KeyPair, Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| Error::Provider("make a key pair"))
}

fn identity(certificate: CertificateDer<'static>, key: &KeyPair) -> Result<Identity, Error> {
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Identity::new(vec![certificate], der, Secret::from(key.serialize_pem()))
}

/// What all certificates have: a subject, a random serial (RFC 5280 §4.1.2.2), a span of time.
fn params(common_name: &str, from: Timestamp, to: Timestamp) -> Result<CertificateParams, Error> {
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| Error::Provider("draw random bytes"))?;
    let mut params = CertificateParams::default();
    // Positive, and of fixed length.
    let [first, ..] = &mut serial;
    *first = *first & 0x3f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    // X.520 allows 64 characters.
    params.distinguished_name.push(DnType::CommonName, common_name.chars().take(64).collect::<String>());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // 9999-12-31 is the last day that X.509 can say.
    let seconds = |t: Timestamp| Duration::from_secs(t.0.div_euclid(1_000_000).clamp(0, 253_402_214_400) as u64);
    params.not_before = epoch + seconds(from.plus_ms(-SKEW_MS));
    params.not_after = epoch + seconds(to);
    Ok(params)
}

fn failed(error: rcgen::Error) -> Error {
    Error::unusable(WHAT, error)
}
