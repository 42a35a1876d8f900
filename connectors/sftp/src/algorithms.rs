//! Which algorithms a connection may use: a strict list, and old ones that an account admits by name.
//!
//! Left out of the strict list on purpose: SHA-1 in any place, CBC, and the NIST curves' key exchange.
//! What an account admits comes last, so that a server which can do better does. Deliberately absent
//! even there: `none`, DES, RC4, and signatures with SHA-1 (`ssh-rsa`).

use russh::{AlgorithmKind, Names, cipher, kex, mac};

/// Best first. AES-GCM before ChaCha20, since processors do it by themselves.
const KEX: [kex::Name; 7] = [
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_GEX_SHA256,
    kex::DH_G14_SHA256,
];
/// What is told to the server in their company.
const EXTENSIONS: [kex::Name; 2] = [kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT];
const CIPHERS: [cipher::Name; 6] = [
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const MACS: [mac::Name; 4] = [mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM, mac::HMAC_SHA256, mac::HMAC_SHA512];

const OLD_KEX: [kex::Name; 6] = [
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G14_SHA1,
    kex::DH_GEX_SHA1,
    kex::DH_G1_SHA1,
];
const OLD_CIPHERS: [cipher::Name; 3] = [cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC];
const OLD_MACS: [mac::Name; 2] = [mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

/// The setting that admits old ones.
pub(crate) const SETTING: &str = "legacy_algorithms";
/// Those that it can admit; a test holds this to the lists above.
pub(crate) const OLD: [&str; 11] = [
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group1-sha1",
    "aes256-cbc",
    "aes192-cbc",
    "aes128-cbc",
    "hmac-sha1-etm@openssh.com",
    "hmac-sha1",
];

/// The algorithms of an account.
#[derive(Debug, Clone)]
pub(crate) struct Algorithms {
    pub kex: Vec<kex::Name>,
    pub ciphers: Vec<cipher::Name>,
    pub macs: Vec<mac::Name>,
}

impl Algorithms {
    /// The strict list, and those of the old ones that are named in a text, with blanks between them.
    pub fn admitting(names: &str) -> Self {
        let is_named = |name: &str| names.split_whitespace().any(|one| one == name);
        let old_kex = OLD_KEX.into_iter().filter(|name| is_named(name.as_ref()));
        let old_ciphers = OLD_CIPHERS.into_iter().filter(|name| is_named(name.as_ref()));
        let old_macs = OLD_MACS.into_iter().filter(|name| is_named(name.as_ref()));
        Self {
            kex: KEX.into_iter().chain(old_kex).chain(EXTENSIONS).collect(),
            ciphers: CIPHERS.into_iter().chain(old_ciphers).collect(),
            macs: MACS.into_iter().chain(old_macs).collect(),
        }
    }
}

/// Whether somebody in the middle could cut off the beginning of what is sent (CVE-2023-48795): with
/// these ciphers strict key exchange alone keeps them from it.
pub(crate) fn can_be_cut(names: &Names) -> bool {
    let is_etm = [names.client_mac, names.server_mac].iter().any(|mac| mac.as_ref().contains("-etm@"));
    let is_cbc = names.cipher.as_ref().ends_with("-cbc");
    !names.strict_kex() && (names.cipher == cipher::CHACHA20_POLY1305 || is_cbc && is_etm)
}

/// What an algorithm is for, in words.
pub(crate) fn purpose(kind: &AlgorithmKind) -> &'static str {
    match kind {
        AlgorithmKind::Kex => "key exchange",
        AlgorithmKind::Key => "host keys",
        AlgorithmKind::Cipher => "encryption",
        AlgorithmKind::Compression => "compression",
        AlgorithmKind::Mac => "integrity",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(algorithms: &Algorithms) -> Vec<&str> {
        let Algorithms { kex, ciphers, macs } = algorithms;
        let kex = kex.iter().map(AsRef::as_ref);
        kex.chain(ciphers.iter().map(AsRef::as_ref)).chain(macs.iter().map(AsRef::as_ref)).collect()
    }

    #[test]
    fn nothing_old_is_taken_unless_it_is_named() {
        let strict = Algorithms::admitting("");
        for name in names(&strict) {
            let is_old =
                ["sha1", "cbc", "nistp", "none", "3des", "arcfour", "clear"].iter().any(|old| name.contains(old));
            assert!(!is_old && !OLD.contains(&name), "{name}");
        }
        assert_eq!(names(&Algorithms::admitting("none ssh-rsa 3des-cbc aes")), names(&strict));
    }

    #[test]
    fn what_is_named_comes_last() {
        for name in OLD {
            let admitted = Algorithms::admitting(name);
            assert_eq!(names(&admitted).len(), names(&Algorithms::admitting("")).len() + 1, "{name}");
            assert!(names(&admitted).contains(&name));
        }
        let all = Algorithms::admitting(&OLD.join("  "));
        assert!(all.kex.starts_with(&KEX) && all.ciphers.starts_with(&CIPHERS) && all.macs.starts_with(&MACS));
    }
}
