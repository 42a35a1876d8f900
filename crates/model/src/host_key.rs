//! The host key that an SSH server must show: its SHA-256 digest, as OpenSSH prints it, or the whole
//! public key, as it stands in a `.pub` file (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4). With
//! `@cert-authority` before it, as in a `known_hosts` file, it is the key of the authority that has
//! certified the server's.

use std::{fmt, str::FromStr};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::Digest;

/// OpenSSH prints no padding; some tools do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What marks the key of an authority.
const AUTHORITY: &str = "@cert-authority";

/// The SHA-256 digest of a host key, or of the key of an authority. Its text is `SHA256:` and 43
/// characters of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostKey {
    digest: Digest,
    is_authority: bool,
}

/// The text is no host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no host key: `SHA256:` and 43 characters as `ssh-keygen -l` prints them, or a public key such as `ssh-ed25519 AAAA…`; before that of an authority stands `@cert-authority`"
)]
pub struct InvalidHostKey;

impl FromStr for HostKey {
    type Err = InvalidHostKey;
    fn from_str(text: &str) -> Result<Self, InvalidHostKey> {
        let mut words = text.split_ascii_whitespace().peekable();
        let is_authority = words.next_if_eq(&AUTHORITY).is_some();
        let of = |digest| Self { digest, is_authority };
        let first = words.next().ok_or(InvalidHostKey)?;
        if let Some(digest) = first.strip_prefix("SHA256:") {
            let digest = BASE64.decode(digest).ok().and_then(|bytes| bytes.try_into().ok());
            return digest.filter(|_| words.next().is_none()).map(|bytes| of(Digest(bytes))).ok_or(InvalidHostKey);
        }
        let blob = words.next().and_then(|blob| BASE64.decode(blob).ok()).ok_or(InvalidHostKey)?;
        let parts = parts(&blob).ok_or(InvalidHostKey)?;
        let [kind, rest @ ..] = parts.as_slice() else { return Err(InvalidHostKey) };
        let whole = match (first, rest) {
            ("ssh-ed25519", [key]) => key.len() == 32,
            ("ssh-rsa", [exponent, modulus]) => !exponent.is_empty() && modulus.len() >= 128,
            // An uncompressed point: 4 and two coordinates (SEC 1 §2.3.3).
            ("ecdsa-sha2-nistp256", [b"nistp256", [4, point @ ..]]) => point.len() == 2 * 32,
            ("ecdsa-sha2-nistp384", [b"nistp384", [4, point @ ..]]) => point.len() == 2 * 48,
            ("ecdsa-sha2-nistp521", [b"nistp521", [4, point @ ..]]) => point.len() == 2 * 66,
            _ => false,
        };
        if whole && *kind == first.as_bytes() { Ok(of(Digest::of(&blob))) } else { Err(InvalidHostKey) }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marker = if self.is_authority { "@cert-authority " } else { "" };
        write!(f, "{marker}SHA256:{}", BASE64.encode(self.digest.0))
    }
}

/// The strings of a blob, each with its length of four bytes before it (RFC 4251 §5).
fn parts(mut blob: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !blob.is_empty() {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        parts.push(part);
        blob = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made and printed by OpenSSH 9.2.
    const KEYS: [(&str, &str); 3] = [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmmmYIJTrd4J0Hlw0iqkxQ1YiMOkLO3BxKKHR02Tk9f",
            "SHA256:sDpzTmoykrmsYm5LY7cMKOEvhELVcZMN8pCqmHGz664",
        ),
        (
            "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBADYiQD6h9Urj7V3Tv1FTgoaSx1dhD7FRSUwQ82iFOuKXCfoKIQU265KRaQUH/Fbj/X3KV7AfFF9B3djI9llFx8C7QHe5ze5OAP12+sVOdpsgFOdMwRiHmFHjKTzGAGgXqXXdD94Oi9EVTT1D55UjbhMFb90ueKbmTx7PMhbdsq8E6IXJA==",
            "SHA256:3tZ8ijTN/ybFf83wk37e7nPX9r6/bXWILuRB+d0M6bo",
        ),
        (
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC50/2c2SwWunXTvDZRznChgLmL92QgfU4ylVJc7mCjarwNs/j930InG3dRI5UO3/xf94cHb27D07t1ikhCG5ohkK8ibNrVtzyWPNx5RG7S/OvXY9EZPUvbDbVu6WgjyuN6o2ISJmlBk7+bdNmBELn/QcC539L7jY/n3XrGRPNKoxEQ8bsiLEjoJZnQ3KeWDFBpZUt7RI5FNsJJUXEjnhYczThAE+XFg4hOTX1aJev4xq+iTLWzoiCSGE9iOjKmeJ05zC6otns8hApwVoMlYpwgSdO875TNtn7OSWbabHhHpMhrJ/FYfFRfijbdoORevLw0s9/rD3ikWM2PXB27pL3x",
            "SHA256:NTnV56R72gbONqA57ttGNUSk8adoFVSPdpyUaCjABAA",
        ),
    ];

    #[test]
    fn what_is_no_host_key_is_refused() {
        let (key, fingerprint) = KEYS[0];
        let cut = fingerprint.split_at(fingerprint.len() - 4).0;
        let long = format!("{fingerprint}AAAA");
        let two = format!("{fingerprint} {fingerprint}");
        let other_kind = key.replace("ssh-ed25519", "ssh-rsa");
        let shortened = key.split_at(key.len() - 8).0;
        let empty = ["", " ", "SHA256:", "SHA256:AAAA", "MD5:00:11", "md5:00", "ssh-ed25519", "ssh-ed25519 AAAA", "*"];
        for text in empty.into_iter().chain([cut, &long, &two, &other_kind, shortened, key.split_at(12).1]).chain([
            AUTHORITY,
            "@cert-authority @cert-authority SHA256:sDpzTmoykrmsYm5LY7cMKOEvhELVcZMN8pCqmHGz664",
            "@revoked SHA256:sDpzTmoykrmsYm5LY7cMKOEvhELVcZMN8pCqmHGz664",
            "@cert-authority *.example.com SHA256:sDpzTmoykrmsYm5LY7cMKOEvhELVcZMN8pCqmHGz664",
        ]) {
            assert_eq!(text.parse::<HostKey>(), Err(InvalidHostKey), "{text}");
        }
    }

    #[test]
    fn both_forms_are_the_key_that_openssh_prints() {
        for (key, fingerprint) in KEYS {
            let whole: HostKey = format!(" {key} root@host\n").parse().unwrap();
            assert_eq!(whole.to_string(), fingerprint);
            assert_eq!(fingerprint.parse(), Ok(whole));
            assert_eq!(format!("{fingerprint}=").parse(), Ok(whole), "with the padding of RFC 4648");
            let authority: HostKey = format!("@cert-authority {key} ca\n").parse().unwrap();
            assert_eq!(authority.to_string(), format!("@cert-authority {fingerprint}"));
            assert_eq!(authority.to_string().parse(), Ok(authority));
            assert_ne!(authority, whole);
        }
    }
}
