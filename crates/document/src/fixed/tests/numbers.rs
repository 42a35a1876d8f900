use proptest::prelude::*;

use crate::fixed::number::{Decimal, Misfit, Sign};

const PLAIN: Decimal = Decimal { decimals: None, point: None, sign: Sign::None, plus: false };

fn with(sign: Sign) -> Decimal {
    Decimal { sign, ..PLAIN }
}
fn implied(decimals: usize) -> Decimal {
    Decimal { decimals: Some(decimals), ..PLAIN }
}
fn pointed(decimals: Option<usize>) -> Decimal {
    Decimal { decimals, point: Some(','), ..PLAIN }
}

#[test]
fn what_is_no_number_is_none() {
    for (number, text) in [
        (PLAIN, ""),
        (PLAIN, "-1"),
        (PLAIN, "+1"),
        (PLAIN, "1 "),
        (PLAIN, " 1"),
        (PLAIN, "1.5"),
        (PLAIN, "1e5"),
        (PLAIN, "１"),
        (PLAIN, "é"),
        (with(Sign::Leading), "-"),
        (with(Sign::Leading), "--1"),
        (with(Sign::Leading), "1-"),
        (with(Sign::Leading), "é1"),
        (with(Sign::Trailing), "1"),
        (with(Sign::Trailing), "-"),
        (with(Sign::Trailing), "-1"),
        (with(Sign::Trailing), "1é"),
        (with(Sign::OverpunchTrailing), "1S"),
        (with(Sign::OverpunchTrailing), "A1"),
        (with(Sign::OverpunchTrailing), "1é"),
        (with(Sign::OverpunchLeading), "1A"),
        (with(Sign::OverpunchLeading), ""),
        (pointed(None), ","),
        (pointed(None), "1,"),
        (pointed(None), ",5"),
        (pointed(None), "1,2,3"),
        (pointed(None), "1.5"),
        (pointed(Some(2)), "1"),
        (pointed(Some(2)), "1,5"),
        (pointed(Some(2)), "1,500"),
    ] {
        assert_eq!(number.read(text), None, "{number:?} {text:?}");
    }
}

#[test]
fn what_has_no_place_in_a_field_is_refused() {
    for (number, lexeme, width, misfit) in [
        (PLAIN, "-1", 5, Misfit::Negative),
        (PLAIN, "-0", 5, Misfit::Negative),
        (PLAIN, "1.5", 5, Misfit::Fraction),
        (PLAIN, "1e-1", 5, Misfit::Fraction),
        (PLAIN, "1e-99999999999999999999", 5, Misfit::Fraction),
        (PLAIN, "1e-9000000000000000000", 5, Misfit::Fraction),
        (PLAIN, "1e5", 5, Misfit::Long),
        (PLAIN, "1e9000000000000000000", 5, Misfit::Long),
        (PLAIN, "1e99999999999999999999", 5, Misfit::Long),
        (PLAIN, "123456", 5, Misfit::Long),
        (implied(2), "0.001", 5, Misfit::Fraction),
        (implied(2), "1000", 5, Misfit::Long),
        (pointed(None), "1e-9000000000000000000", 5, Misfit::Long),
        (pointed(Some(2)), "100", 5, Misfit::Long),
        (with(Sign::Leading), "-1000", 4, Misfit::Long),
        (with(Sign::Trailing), "1000", 4, Misfit::Long),
        (with(Sign::Trailing), "0", 0, Misfit::Long),
    ] {
        assert_eq!(number.write(lexeme, width, true), Err(misfit), "{number:?} {lexeme}");
    }
}

#[test]
fn digits_are_kept() {
    for (number, text, lexeme) in [
        (PLAIN, "00012", "12"),
        (PLAIN, "00000", "0"),
        (implied(2), "00012", "0.12"),
        (implied(2), "12345", "123.45"),
        (implied(5), "00000", "0.00000"),
        (implied(0), "00012", "12"),
        (implied(2), "123456789012345678901234567890", "1234567890123456789012345678.90"),
        (pointed(None), "012,5", "12.5"),
        (pointed(Some(2)), "12,50", "12.50"),
        (pointed(None), "00012", "12"),
        (with(Sign::Leading), "-0012", "-12"),
        (with(Sign::Leading), "00012", "12"),
        (with(Sign::Trailing), "0012-", "-12"),
        (with(Sign::Trailing), "0012 ", "12"),
        (with(Sign::OverpunchTrailing), "0001}", "-10"),
        (with(Sign::OverpunchTrailing), "0001R", "-19"),
        (with(Sign::OverpunchTrailing), "0001{", "10"),
        (with(Sign::OverpunchTrailing), "0001I", "19"),
        (with(Sign::OverpunchLeading), "J0001", "-10001"),
        (with(Sign::OverpunchLeading), "{0001", "1"),
        (Decimal { plus: true, ..with(Sign::Leading) }, "+0012", "12"),
        (Decimal { plus: true, ..with(Sign::Trailing) }, "0012+", "12"),
        (Decimal { decimals: Some(2), ..with(Sign::Trailing) }, "0000-", "-0.00"),
    ] {
        assert_eq!(number.read(text).as_deref(), Some(lexeme), "{number:?} {text:?}");
        assert_eq!(number.write(lexeme, text.len(), true).as_deref(), Ok(text), "{number:?} {lexeme}");
    }
    // Other signs that mean the same.
    assert_eq!(with(Sign::Leading).read("+012").as_deref(), Some("12"));
    assert_eq!(with(Sign::Leading).read(" 012").as_deref(), Some("12"));
    assert_eq!(with(Sign::Trailing).read("012+").as_deref(), Some("12"));
    assert_eq!(with(Sign::OverpunchTrailing).read("012").as_deref(), Some("12"));
    // Other spellings of the same number.
    for lexeme in ["120", "1.2e2", "120.00", "0.12E+3", "12e1", "1200e-1", "120000e-3"] {
        assert_eq!(PLAIN.write(lexeme, 5, true).as_deref(), Ok("00120"), "{lexeme}");
    }
    assert_eq!(pointed(None).write("1e-3", 6, false).as_deref(), Ok("0,001"));
    assert_eq!(implied(2).write("0e-9000000000", 4, true).as_deref(), Ok("0000"));
    assert_eq!(PLAIN.write("7", 5, false).as_deref(), Ok("7"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_number(
        negative: bool,
        whole in "0|[1-9][0-9]{0,20}",
        decimals in prop::option::of(0usize..6),
        point in prop::option::of(prop::sample::select(vec!['.', ','])),
        plus: bool,
        zeros: bool,
        sign in prop::sample::select(vec![Sign::Leading, Sign::Trailing, Sign::OverpunchLeading, Sign::OverpunchTrailing]),
        digits in "[0-9]{5}",
    ) {
        let punched = matches!(sign, Sign::OverpunchLeading | Sign::OverpunchTrailing);
        let point = point.filter(|_| !punched);
        let number = Decimal { decimals, point, sign, plus: plus && !punched };
        let fraction = decimals.unwrap_or(if point.is_some() { 3 } else { 0 });
        let dot = if fraction > 0 { "." } else { "" };
        let lexeme = format!("{}{whole}{dot}{}", if negative { "-" } else { "" }, digits.split_at(fraction).0);
        let text = number.write(&lexeme, 30, zeros).unwrap();
        prop_assert_eq!(number.read(&text), Some(lexeme), "{:?}", text);
        prop_assert!(text.len() <= 30 && (!zeros || text.len() == 30));
    }
}
