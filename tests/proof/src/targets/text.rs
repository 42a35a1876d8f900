//! Codes of texts are read back, and what is no code is refused.

use lockgate_document::{Refusal, affix, base64, radix, url};

/// One text.
///
/// # Panics
/// When what was encoded is decoded otherwise.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    assert_eq!(url::decode_component(&url::encode_component(text)).as_deref().ok(), Some(text));
    let _ = url::encode(text);
    let _ = url::decode(text);
    let _ = url::decode_component(text);
    let _ = base64::decode(text);
    if let Ok(encoded) = base64::encode(text) {
        let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        assert!(bytes.is_some(), "{encoded}: not all of it is a byte");
    }
    let ([first, second], rest) = super::lines(text);
    let _ = (affix::before(first, second), affix::after(first, second));
    let number = first.trim().parse().unwrap_or(255.0);
    let _ = radix::format_base(number, second.trim().parse().ok());
    let mut length = 0;
    let _ = affix::pad(rest, number.clamp(-5_000.0, 5_000.0), second, |part| -> Result<(), Refusal> {
        length += part.len();
        Ok(())
    });
    assert!(length >= rest.len());
}
