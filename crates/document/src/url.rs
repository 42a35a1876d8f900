//! `$encodeUrlComponent`, `$encodeUrl`, `$decodeUrlComponent` and `$decodeUrl`: percent encoding of
//! UTF-8 as ECMA-262 §19.2.6 has it.
//!
//! Encoding cannot fail here: a text has no lone surrogates. Deliberately absent: what a URL is made
//! of; that is crate `url`'s.

use std::str;

use crate::refusal::Refusal;

/// What divides a URL into its parts.
const RESERVED: &str = ";/?:@&=+$,#";
/// Never encoded, besides ASCII letters and digits.
const MARKS: &str = "-_.!~*'()";

/// `$encodeUrlComponent(text)`: at most three times as long.
pub fn encode_component(text: &str) -> String {
    encode_but(text, "")
}

/// `$encodeUrl(text)`: leaves what divides a URL. At most three times as long.
pub fn encode(text: &str) -> String {
    encode_but(text, RESERVED)
}

/// `$decodeUrlComponent(text)`. Fails with D3140 when a percent sign does not begin the encoding of
/// a character in UTF-8.
pub fn decode_component(text: &str) -> Result<String, Refusal> {
    decode_but(text, "")
}

/// `$decodeUrl(text)`: what divides a URL stays encoded. Fails as [`decode_component`] does.
pub fn decode(text: &str) -> Result<String, Refusal> {
    decode_but(text, RESERVED)
}

fn encode_but(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || MARKS.contains(c) || kept.contains(c) {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(hex));
        }
    }
    out
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

fn decode_but(text: &str, kept: &str) -> Result<String, Refusal> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, behind)) = rest.split_once('%') {
        out.push_str(plain);
        // From the percent sign on.
        rest = rest.get(plain.len()..).unwrap_or_default();
        let first = encoded_byte(rest).ok_or(Refusal::Url)?;
        let count = match first {
            0..=0x7f => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => return Err(Refusal::Url),
        };
        let mut bytes = [0; 4];
        let bytes = bytes.get_mut(..count).unwrap_or_default();
        for (nth, byte) in bytes.iter_mut().enumerate() {
            *byte = rest.get(3 * nth..).and_then(encoded_byte).ok_or(Refusal::Url)?;
        }
        let character = str::from_utf8(bytes).map_err(|_| Refusal::Url)?;
        if kept.contains(character) {
            out.push('%');
            rest = behind;
            continue;
        }
        out.push_str(character);
        rest = rest.get(3 * count..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

/// The byte that `%XX` at the start of a text stands for.
fn encoded_byte(text: &str) -> Option<u8> {
    let [b'%', high, low, ..] = text.as_bytes() else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_encoding_is_refused() {
        for text in ["%", "a%2", "%zz", "%E4", "%E4%A", "%c3x", "%80", "%C0%80", "%ED%A0%80", "%F8%88%80%80%80", "%é0"]
        {
            assert_eq!(decode(text).map_err(Refusal::code), Err(3140), "{text}");
            assert_eq!(decode_component(text), Err(Refusal::Url), "{text}");
        }
    }

    #[test]
    fn components() {
        for (plain, encoded) in [
            ("", ""),
            ("aZ09-_.!~*'()", "aZ09-_.!~*'()"),
            ("?x=a b&y", "%3Fx%3Da%20b%26y"),
            ("ä€😀", "%C3%A4%E2%82%AC%F0%9F%98%80"),
            ("100%", "100%25"),
        ] {
            assert_eq!(encode_component(plain), encoded);
            assert_eq!(decode_component(encoded).as_deref(), Ok(plain));
        }
        assert_eq!(decode_component("%c3%a4+é").as_deref(), Ok("ä+é"));
    }

    #[test]
    fn whole_urls_keep_what_divides_them() {
        assert_eq!(encode("https://h/ä?q=a b&c=[1];,@:+$#x"), "https://h/%C3%A4?q=a%20b&c=%5B1%5D;,@:+$#x");
        assert_eq!(decode("%2F%3f%20%C3%A4%2523").as_deref(), Ok("%2F%3f ä%23"));
    }
}
