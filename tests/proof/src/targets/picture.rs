//! Any picture of numbers, whole numbers and times is understood or refused.

use lockgate_document::picture::{
    integer::{format_integer, parse_integer},
    moment::{from_millis, to_millis},
    number::{DecimalFormat, format_number},
};

/// The picture, a text, a number and a time zone, one line each.
pub fn target(data: &[u8]) {
    let Some(input) = super::text_of(data) else { return };
    let ([picture, text, number], zone) = super::lines(input);
    let number: f64 = number.trim().parse().unwrap_or(-1234.5);
    let mut format = DecimalFormat::default();
    let _ = format_number(number, picture, &format);
    format.set("decimal-separator", text);
    format.set("zero-digit", zone);
    let _ = format_number(number, picture, &format);
    if let Ok(written) = format_integer(number, picture) {
        let _ = parse_integer(&written, picture);
    }
    let _ = parse_integer(text, picture);
    let zone = (!zone.is_empty()).then_some(zone);
    if let Ok(written) = from_millis(number, Some(picture), zone) {
        let _ = to_millis(&written, Some(picture), 1_700_000_000_000.0);
    }
    let _ = to_millis(text, Some(picture), number);
    let _ = to_millis(text, None, number);
}
