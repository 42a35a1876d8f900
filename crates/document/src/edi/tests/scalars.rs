//! Numbers, dates and times in both notations.

use crate::edi::{
    characters::Repertoire,
    decimal, moment,
    syntax::{Delimiters, Mode, Syntax},
};

const X12: Mode = Mode {
    syntax: Syntax::X12,
    delimiters: Delimiters::X12,
    characters: Repertoire::Ascii,
    version: 0,
    either_mark: false,
};
const EDIFACT: Mode = Mode {
    syntax: Syntax::Edifact,
    delimiters: Delimiters::EDIFACT,
    characters: Repertoire::Ascii,
    version: 3,
    either_mark: false,
};
const COMMA: Mode = Mode { delimiters: Delimiters { decimal: b',', ..Delimiters::EDIFACT }, ..EDIFACT };
const EITHER: Mode = Mode { either_mark: true, ..EDIFACT };

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "", "-", ".", "+1", "1 ", " 1", "1-", "--1", "1.2.3", "1,5", "0x1", "1e5", "E5", "1E", "1E+5", "1E5555",
        "1E999", "١", "1_0",
    ] {
        assert!(decimal::read(text, None, &X12).is_none(), "{text}");
    }
    for text in ["5.", "1E5", "1,5", ".", "-.", "1.5,", "1 000"] {
        assert!(decimal::read(text, None, &EDIFACT).is_none(), "{text}");
    }
    assert!(decimal::read("1.5", None, &COMMA).is_none());
    for text in ["1.5", "1E2", "", "-", "1,5"] {
        assert!(decimal::read(text, Some(2), &X12).is_none(), "{text}");
    }
    assert!(decimal::read(&"1".repeat(500), None, &X12).is_none());
    assert!(decimal::read(&"1".repeat(350), None, &X12).is_none(), "larger than any number of a document");
    assert!(decimal::read(&"1".repeat(300), None, &X12).is_some());
    assert!(decimal::read(&"0".repeat(350), None, &X12).is_some());
}

#[test]
fn what_an_element_cannot_hold_is_refused() {
    let refused =
        |lexeme: &str, implied, mode: &Mode| decimal::write(lexeme, implied, mode, 1, 15).err().map(|wrong| wrong.code);
    assert_eq!(refused("1.005", Some(2), &X12), Some("LG-EDI-TYPE"));
    assert_eq!(refused("0.1", Some(0), &X12), Some("LG-EDI-TYPE"));
    assert_eq!(refused("1e-3", Some(2), &X12), Some("LG-EDI-TYPE"));
    assert_eq!(refused("1e999", Some(2), &X12), Some("LG-EDI-TYPE"));
    assert_eq!(refused("1e-999", None, &EDIFACT), Some("LG-EDI-TYPE"));
    assert_eq!(refused("1e999", None, &EDIFACT), Some("LG-EDI-TYPE"));
    assert_eq!(refused("1e99999999999", None, &EDIFACT), Some("LG-EDI-TYPE"));
    let filled = decimal::write("1", Some(0), &X12, usize::MAX, usize::MAX).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(filled.digits, 400, "no memory is filled with zeros");
}

#[test]
fn numbers_keep_their_digits() {
    for (text, implied, mode, lexeme, again) in [
        ("0", None, X12, "0", "0"),
        ("-0", None, X12, "-0", "-0"),
        ("007", None, X12, "7", "7"),
        ("1.50", None, X12, "1.50", "1.50"),
        (".5", None, X12, "0.5", "0.5"),
        ("-.50", None, EDIFACT, "-0.50", "-0.50"),
        ("5.", None, X12, "5", "5"),
        ("1.5E3", None, X12, "1.5E3", "1.5E3"),
        ("1E-3", None, X12, "1E-3", "1E-3"),
        ("12345678901234567890.10", None, X12, "12345678901234567890.10", "12345678901234567890.10"),
        ("1250", Some(2), X12, "12.50", "1250"),
        ("5", Some(2), X12, "0.05", "5"),
        ("-5", Some(2), X12, "-0.05", "-5"),
        ("000", Some(2), X12, "0.00", "0"),
        ("0012", Some(0), X12, "12", "12"),
        ("123456789", Some(9), X12, "0.123456789", "123456789"),
        ("12,5", None, COMMA, "12.5", "12,5"),
        ("12,5", None, EITHER, "12.5", "12.5"),
        ("12.5", None, EITHER, "12.5", "12.5"),
        ("100", None, EDIFACT, "100", "100"),
    ] {
        let read = decimal::read(text, implied, &mode).unwrap();
        assert_eq!(read.lexeme, lexeme, "{text}");
        let written = decimal::write(&read.lexeme, implied, &mode, 1, 50).unwrap();
        assert_eq!(written.lexeme, again, "{text}");
        assert_eq!(decimal::read(&written.lexeme, implied, &mode).unwrap().lexeme, lexeme, "{text}");
    }
}

#[test]
fn numbers_of_json_find_their_notation() {
    for (lexeme, implied, mode, min, max, text, digits) in [
        ("12.5", Some(2), X12, 1, 9, "1250", 4),
        ("12.50000", Some(2), X12, 1, 9, "1250", 4),
        ("1.2e1", Some(2), X12, 1, 9, "1200", 4),
        ("1e2", Some(0), X12, 1, 9, "100", 3),
        ("100E-2", Some(0), X12, 1, 9, "1", 1),
        ("7", Some(0), X12, 4, 9, "0007", 4),
        ("-7", Some(0), X12, 4, 9, "-0007", 4),
        ("0", Some(2), X12, 1, 9, "0", 1),
        ("1e+3", None, X12, 1, 9, "1E3", 1),
        ("1.5e3", None, EDIFACT, 1, 9, "1500", 4),
        ("1.5e-3", None, EDIFACT, 1, 9, "0.0015", 5),
        ("1.5e-3", None, COMMA, 1, 9, "0,0015", 5),
        ("0.5", None, X12, 1, 1, ".5", 1),
        ("0.5", None, EDIFACT, 1, 1, ".5", 1),
        ("1.5", None, X12, 4, 9, "001.5", 4),
        ("0e5", None, EDIFACT, 1, 9, "0", 1),
    ] {
        let written = decimal::write(lexeme, implied, &mode, min, max).unwrap();
        assert_eq!((written.lexeme.as_str(), written.digits), (text, digits), "{lexeme}");
    }
}

#[test]
fn dates_and_times_are_of_the_calendar() {
    for wrong in [
        "", "2026", "20260230", "20261301", "20260001", "20260100", "21000229", "2026112", "2026-1-1", "260230",
        "2026112x", "é12345",
    ] {
        assert_eq!(moment::date(wrong), None, "{wrong}");
    }
    for (digits, shown) in [
        ("20261122", "2026-11-22"),
        ("20240229", "2024-02-29"),
        ("20000229", "2000-02-29"),
        ("261122", "26-11-22"),
        ("000229", "00-02-29"),
    ] {
        assert_eq!(moment::date(digits).as_deref(), Some(shown));
        assert_eq!(moment::digits(shown, moment::date).as_deref(), Some(digits));
    }
    for wrong in ["", "13", "2400", "1360", "130560", "13055", "130509123", "13:5", "1a05"] {
        assert_eq!(moment::time(wrong), None, "{wrong}");
    }
    for (digits, shown) in [
        ("1305", "13:05"),
        ("130509", "13:05:09"),
        ("1305095", "13:05:09.5"),
        ("13050925", "13:05:09.25"),
        ("0000", "00:00"),
    ] {
        assert_eq!(moment::time(digits).as_deref(), Some(shown));
        assert_eq!(moment::digits(shown, moment::time).as_deref(), Some(digits));
    }
    for wrong in ["20261122", "2026-1-122", "2026-11-22 ", "22.11.2026", "2026/11/22"] {
        assert_eq!(moment::digits(wrong, moment::date), None, "{wrong}");
    }
    assert_eq!(moment::digits("13.05", moment::time), None);
}
