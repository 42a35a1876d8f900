//! Envelope sealing: each secret under a data key of its own, the data key under the tenant's key.
//!
//! Both layers are AES-256-GCM (NIST SP 800-38D) with random nonces and bind the row they are for
//! as additional data. A data key encrypts one secret once, so its nonce cannot repeat; wrapping
//! nonces repeat only after about 2^32 secrets of one tenant.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_model::{
    Digest,
    id::{EnvironmentId, TenantId},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    Error, Secret,
    master::{KEY_BYTES, random_key},
};

/// The form written today. The first form knew one key alone and bound no number of it.
const FORM: u8 = 2;

/// Which row a secret is sealed for. A sealed secret opens under the very same binding only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Where; `None` for a secret of the tenant itself.
    pub environment: Option<&'a EnvironmentId>,
    /// Which row, and which field of it.
    pub id: &'a str,
    /// Which version of it; kept beside the sealed form.
    pub version: u64,
}

impl Binding<'_> {
    /// Additional data for one of the two layers: a digest over length-prefixed parts.
    fn additional_data(&self, form: u8, layer: &str) -> [u8; 32] {
        let environment = self.environment.map(EnvironmentId::as_str);
        let form: &[u8] = if form == 1 { b"lockgate sealed v1" } else { b"lockgate sealed v2" };
        Digest::of_parts([
            form,
            layer.as_bytes(),
            self.tenant.as_str().as_bytes(),
            &[u8::from(environment.is_some())],
            environment.unwrap_or_default().as_bytes(),
            self.id.as_bytes(),
            &self.version.to_be_bytes(),
        ])
        .0
    }
}

/// A secret as it may lie in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Form: 2, or 1 of older versions.
    v: u8,
    /// Number of the key that it is under.
    #[serde(default, skip_serializing_if = "is_zero")]
    key: u32,
    /// Nonce and sealed data key.
    wrapped: Base64,
    /// Nonce of the secret.
    nonce: Base64,
    /// The sealed secret with its tag.
    ciphertext: Base64,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Sealed {
    /// Seals under the tenant's key of a number.
    pub(crate) fn seal(
        (key, tenant_key): (u32, &[u8; KEY_BYTES]),
        binding: &Binding<'_>,
        secret: &[u8],
    ) -> Result<Self, Error> {
        let data_key = random_key()?;
        let (nonce, ciphertext) = encrypt(&data_key, binding.additional_data(FORM, "secret"), secret)?;
        let wrapped = encrypt(tenant_key, binding.additional_data(FORM, "data key"), data_key.as_slice())?;
        let (wrap_nonce, wrapped) = wrapped;
        Ok(Self {
            v: FORM,
            key,
            wrapped: Base64([wrap_nonce.as_slice(), &wrapped].concat()),
            nonce: Base64(nonce.to_vec()),
            ciphertext: Base64(ciphertext),
        })
    }

    /// Number of the key that it is under.
    pub fn key(&self) -> u32 {
        self.key
    }

    /// Sealed for the very revision of its row. Of what older versions sealed the version is a revision before or at it.
    pub fn is_exact(&self) -> bool {
        self.v > 1
    }

    pub(crate) fn open(&self, tenant_key: &[u8; KEY_BYTES], binding: &Binding<'_>) -> Result<Secret, Error> {
        if !(1..=FORM).contains(&self.v) {
            return Err(Error::unusable(
                "a sealed secret",
                format!("its form is {}, this version reads forms up to {FORM}", self.v),
            ));
        }
        let (wrap_nonce, wrapped) = self.wrapped.0.split_at_checked(NONCE_LEN).ok_or(Error::NotSealedHere)?;
        let data_key = decrypt(tenant_key, wrap_nonce, binding.additional_data(self.v, "data key"), wrapped)?;
        let data_key: &[u8; KEY_BYTES] = data_key.as_slice().try_into().map_err(|_| Error::NotSealedHere)?;
        let mut secret =
            decrypt(data_key, &self.nonce.0, binding.additional_data(self.v, "secret"), &self.ciphertext.0)?;
        Ok(Secret::new(std::mem::take(&mut *secret)))
    }
}

pub(crate) fn encrypt(
    key: &[u8; KEY_BYTES],
    additional: [u8; 32],
    plain: &[u8],
) -> Result<([u8; NONCE_LEN], Vec<u8>), Error> {
    let failed = |_| Error::Provider("seal a secret");
    // Room for the tag from the start: a buffer that grows would leave an unwiped copy behind.
    let mut buffer = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
    buffer.extend_from_slice(plain);
    let sealed = RandomizedNonceKey::new(&AES_256_GCM, key)
        .and_then(|key| key.seal_in_place_append_tag(Aad::from(additional), &mut buffer));
    match sealed {
        Ok(nonce) => Ok((*nonce.as_ref(), buffer)),
        Err(e) => {
            buffer.zeroize();
            Err(failed(e))
        }
    }
}

pub(crate) fn decrypt(
    key: &[u8; KEY_BYTES],
    nonce: &[u8],
    additional: [u8; 32],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::NotSealedHere)?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let plain = RandomizedNonceKey::new(&AES_256_GCM, key)
        .and_then(|key| key.open_in_place(nonce, Aad::from(additional), &mut buffer))
        .map_err(|_| Error::NotSealedHere)?
        .len();
    buffer.truncate(plain);
    Ok(buffer)
}

/// Bytes, written as standard base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(&self.0))
    }
}
impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        STANDARD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("not base64"))
    }
}
