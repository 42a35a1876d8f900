//! Time-based one-time passwords (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, which is what
//! every authenticator speaks. A code is good in its own step and in the one before and after it.
//!
//! SHA-1 stands here in HMAC alone, where what is broken of it does not matter (decision 0035).

use hmac::{Hmac, KeyInit, Mac};
use lockgate_model::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{random, random::NoRandom};

/// RFC 4226 §4 recommends 160 bits.
const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
const DIGITS: u32 = 6;
/// Steps before and after the current one in which a code is taken: clocks differ, and people type.
const DRIFT_STEPS: i64 = 1;

/// A step of time: its number since 1970.
pub(crate) type Step = i64;

/// The secret that an authenticator shares with the server. Not readable by `Debug`.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// A new one.
    pub fn generate() -> Result<Self, NoRandom> {
        Ok(Self(random::bytes::<SECRET_BYTES>()?))
    }

    /// From its bytes, as they were sealed; `None` for another number of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == SECRET_BYTES).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Its bytes, to be sealed.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// As a person types it into an authenticator: base32 (RFC 4648 §6) without padding.
    pub fn base32(&self) -> Zeroizing<String> {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        // 20 bytes are 32 characters exactly.
        let mut text = Zeroizing::new(String::with_capacity(32));
        let (mut bits, mut held) = (0u32, 0u32);
        for byte in self.0.iter() {
            bits = (bits << 8) | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                let letter = ALPHABET.get((bits >> held) as usize & 31).copied().unwrap_or(b'A');
                text.push(char::from(letter));
            }
        }
        text
    }

    /// As an authenticator reads it off a screen: the `otpauth` address of its makers.
    pub fn address(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let secret = self.base32();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            secret.as_str()
        ))
    }

    /// The code of a step (RFC 4226 §5.3).
    fn code(&self, step: Step) -> u32 {
        // RFC 2104 §2: a key shorter than the block is padded with zeros.
        let mut block = Zeroizing::new([0u8; 64]);
        block.iter_mut().zip(self.0.iter()).for_each(|(to, from)| *to = *from);
        let mut hmac = <Hmac<Sha1> as KeyInit>::new((&*block).into());
        hmac.update(&step.to_be_bytes());
        let tag: [u8; 20] = hmac.finalize().into_bytes().into();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
        let four = tag.iter().skip(offset).take(4).fold(0u32, |number, byte| (number << 8) | u32::from(*byte));
        (four & 0x7fff_ffff) % 10u32.pow(DIGITS)
    }

    /// The step whose code this is, of those that are taken now and come after `last`; a code is good
    /// once. All steps are looked at, so that the time does not tell which one it was.
    pub(crate) fn step(&self, code: &str, last: Step, now: Timestamp) -> Option<Step> {
        let typed: u32 = (code.len() == DIGITS as usize && code.bytes().all(|b| b.is_ascii_digit()))
            .then(|| code.parse().ok())
            .flatten()?;
        let current = now.0.div_euclid(1_000_000).div_euclid(STEP_SECONDS);
        let mut found = None;
        for step in current - DRIFT_STEPS..=current + DRIFT_STEPS {
            let same = bool::from(self.code(step).to_be_bytes().ct_eq(&typed.to_be_bytes()));
            if same && step > last {
                found = Some(step);
            }
        }
        found
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1; the last six of its eight digits.
    const VECTORS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }
    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in VECTORS {
            assert_eq!(secret().step(code, 0, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for code in ["", "28708", "2870820", "28708a", "+87082", " 287082", "２87082", "287083"] {
            assert_eq!(secret().step(code, 0, at(59)), None, "`{code}`");
        }
    }

    #[test]
    fn a_code_is_good_one_step_around_its_own_and_once() {
        let good = |seconds| secret().step("287082", 0, at(seconds)).is_some();
        assert_eq!([-1, 0, 30, 59, 60, 89, 90].map(good), [false, true, true, true, true, true, false]);
        assert_eq!(secret().step("287082", 1, at(59)), None, "its step was used");
        assert_eq!(secret().step("287082", 2, at(59)), None, "a later one was used");
    }

    #[test]
    fn it_is_written_as_authenticators_read_it() {
        assert_eq!(secret().base32().as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            secret().address("acme", "ada").as_str(),
            "otpauth://totp/acme:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=acme&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{:?}", secret()), "[secret]");
        assert!(TotpSecret::from_bytes(b"short").is_none());
        assert_ne!(TotpSecret::generate().unwrap().expose(), TotpSecret::generate().unwrap().expose());
    }
}
