use proptest::prelude::*;

use super::integer::{format_integer, parse_integer};
use super::moment::{from_millis, to_millis};
use super::number::{DecimalFormat, format_number};

/// Texts of what means something in pictures and what does not.
fn picture() -> impl Strategy<Value = String> {
    "[\\[\\]YMDdFWwXxHhPmsfZzCENnAaIiot0-9#.,;:%‰e*٠é𝟎 -]{0,24}"
}

proptest! {
    #[test]
    fn no_picture_panics(picture in picture(), text in picture(), value in any::<f64>(), zone in "[-+0-9:Z]{0,6}") {
        let _ = format_number(value, &picture, &DecimalFormat::default());
        let _ = format_integer(value, &picture);
        let _ = parse_integer(&text, &picture);
        let _ = from_millis(value % 1e16, Some(&picture), Some(&zone));
        let _ = to_millis(&text, Some(&picture), value % 1e16);
        let _ = to_millis(&text, None, 0.0);
    }

    #[test]
    fn whole_numbers_are_read_back(value in -9_007_199_254_740_991_i64..=9_007_199_254_740_991) {
        for picture in ["0", "#,##0", "0;o", "w", "Ww;o", "A", "#'##0.0"] {
            let text = format_integer(value as f64, picture).unwrap();
            prop_assert_eq!(parse_integer(&text, picture), Ok(Some(value as f64)), "{} as {}", text, picture);
        }
        let small = (value % 10_000) as f64;
        prop_assert_eq!(parse_integer(&format_integer(small, "I").unwrap(), "I"), Ok(Some(small)));
    }

    #[test]
    fn times_are_read_back(millis in -58_979_923_200_000_i64..253_402_300_800_000, west: bool, zone in 0..1400) {
        let zone = format!("{}{zone:04}", if west { '-' } else { '+' });
        let millis = millis as f64;
        let time = from_millis(millis, None, Some(&zone)).unwrap();
        // Sixty minutes and more are no zone in ISO 8601.
        if zone.as_bytes()[3] < b'6' && !time.starts_with("10000") {
            prop_assert_eq!(to_millis(&time, None, 0.0), Ok(Some(millis)), "{}", time);
        }
        let picture = "[FNn], [D1o] [MNn] [Y0001] [h]:[m]:[s].[f001] [P] [z]";
        let text = from_millis(millis, Some(picture), Some(&zone)).unwrap();
        if !time.starts_with("10000") {
            prop_assert_eq!(to_millis(&text, Some(picture), 0.0), Ok(Some(millis)), "{}", text);
        }
    }
}
