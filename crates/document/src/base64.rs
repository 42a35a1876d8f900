//! `$base64encode` and `$base64decode` (RFC 4648 §4) of binary strings: one character is one byte,
//! U+0000 to U+00FF.
//!
//! Decoding takes everything, as the reference implementation does: both alphabets, with or without
//! padding, passing over other characters. Encoding refuses a character that is no byte; the
//! reference cuts its number off to eight bits, which loses data.
//!
//! Deliberately absent: UTF-8. A text beyond U+00FF is encoded by its owner before.

use crate::refusal::Refusal;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `$base64encode(text)`. Fails with T0410 on a character above U+00FF. The result has four
/// characters for each three of the text.
pub fn encode(text: &str) -> Result<String, Refusal> {
    let bytes: Vec<u8> = text.chars().map(u8::try_from).collect::<Result<_, _>>().map_err(|_| Refusal::NoByte)?;
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let value = bits >> (18 - 6 * place) & 63;
            let digit = ALPHABET.get(value as usize).filter(|_| place <= group.len());
            out.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    Ok(out)
}

/// `$base64decode(text)`: ends at the first `=`; bits that make no byte are dropped. The result has
/// no more characters than the text, each two bytes long at most.
pub fn decode(text: &str) -> String {
    let mut out = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for value in text.bytes().take_while(|byte| *byte != b'=').filter_map(value) {
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(char::from((bits >> count) as u8));
        }
    }
    out
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_byte_is_refused() {
        for text in ["€", "aĀ", "😀"] {
            assert_eq!(encode(text).map_err(Refusal::code), Err(410), "{text}");
        }
    }

    #[test]
    fn bytes_there_and_back() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("é\u{0}ÿ", "6QD/"),
            ("ûï¾", "++++"),
        ] {
            assert_eq!(encode(bytes).as_deref(), Ok(text));
            assert_eq!(decode(text), bytes);
        }
        let all: String = (0..=255_u8).map(char::from).collect();
        assert_eq!(decode(&encode(&all).unwrap()), all);
    }

    #[test]
    fn decoding_takes_everything() {
        for (text, bytes) in [
            ("YQ", "a"),
            ("Y", ""),
            (" Y\nQ é", "a"),
            ("YQ==YQ==", "a"),
            ("=YQ", ""),
            ("YWJ=j", "ab"),
            ("_-", "ÿ"),
            ("€😀", ""),
        ] {
            assert_eq!(decode(text), bytes, "{text}");
        }
    }
}
