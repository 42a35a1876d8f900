//! Names and values as `application/x-www-form-urlencoded` (WHATWG URL Standard, §5).

/// The media type.
pub const URL_ENCODED: &str = "application/x-www-form-urlencoded";

/// A name or a value.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_encoded(&mut out, text);
    out
}

/// The same, behind what is there.
pub fn push_encoded(out: &mut String, text: &str) {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0').to_ascii_uppercase();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(char::from(byte)),
            other => out.extend(['%', digit(other >> 4), digit(other & 15)]),
        }
    }
}
