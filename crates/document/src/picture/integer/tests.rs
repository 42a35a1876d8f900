use super::*;

fn check(value: f64, picture: &str, text: &str) {
    assert_eq!(format_integer(value, picture).as_deref(), Ok(text), "{value} as {picture}");
    assert_eq!(parse_integer(text, picture), Ok(Some(value.floor())), "{text} as {picture}");
}
fn refused(picture: &str, code: i32) {
    assert_eq!(format_integer(1.0, picture).map_err(Refusal::code), Err(code), "{picture}");
    assert_eq!(parse_integer("1", picture).map_err(Refusal::code), Err(code), "{picture}");
}

#[test]
fn pictures_without_digits_or_of_two_families_are_refused() {
    for picture in ["", "#", "#,###", "α", "ww", ";o"] {
        refused(picture, 3130);
    }
    refused("#0٠", 3131);
    assert_eq!(format_integer(f64::INFINITY, "0"), Err(Refusal::TooLarge));
}

#[test]
fn texts_that_are_no_number_give_none() {
    for (text, picture) in [
        ("", "0"),
        ("x", "0"),
        ("-", "0"),
        ("", "w"),
        ("one score", "w"),
        ("twelve ", "w"),
        ("MZ", "I"),
        ("a1", "a"),
        ("ä", "a"),
    ] {
        assert_eq!(parse_integer(text, picture), Ok(None), "{text} as {picture}");
    }
    assert_eq!(parse_integer(&"9".repeat(400), "0"), Ok(None));
    assert_eq!(parse_integer(&"z".repeat(400), "a"), Ok(None));
    assert_eq!(parse_integer("12 apples", "0"), Ok(Some(12.0)));
}

#[test]
fn decimal_digits() {
    check(7.0, "000", "007");
    check(12.9, "##0", "12");
    check(-3.0, "00", "-03");
    assert_eq!(format_integer(-3.5, "0").as_deref(), Ok("-4"));
    check(1234567.0, "#,##0", "1,234,567");
    check(1234567.0, "#.##0", "1.234.567");
    check(1234567.0, "#'#00,0", "123'456,7");
    check(34567.0, "##,##,##0", "34,567");
    check(12.0, "#'###,##0", "12");
    check(5.0, "0%", "5%");
    check(42.0, "٠٠٠", "٠٤٢");
    check(42.0, "𝟎", "𝟒𝟐");
    check(1e22, "0", "10000000000000000000000");
    check(0.0, "#0", "0");
}

#[test]
fn ordinals_of_digits() {
    for (value, text) in [(1.0, "1st"), (2.0, "2nd"), (3.0, "3rd"), (4.0, "4th"), (11.0, "11th"), (112.0, "112th")] {
        check(value, "0;o", text);
    }
    check(1021.0, "#,##0;o(-en)", "1,021st");
    check(1021.0, "#,##0;c", "1,021");
}

#[test]
fn letters_and_roman_numerals() {
    for (value, text) in [(0.0, ""), (1.0, "a"), (26.0, "z"), (27.0, "aa"), (702.0, "zz"), (703.0, "aaa")] {
        check(value, "a", text);
        check(value, "A", &text.to_uppercase());
    }
    for (value, text) in [(0.0, ""), (4.0, "iv"), (1994.0, "mcmxciv"), (3888.0, "mmmdccclxxxviii")] {
        check(value, "i", text);
        check(value, "I", &text.to_uppercase());
    }
    check(-4.0, "I", "-IV");
    assert_eq!(format_integer(1e6, "I").map(|text| text.len()), Ok(1000));
    assert_eq!(format_integer(1e15, "I").as_deref(), Ok("1000000000000000"));
}

#[test]
fn words() {
    check(0.0, "w", "zero");
    check(21.0, "Ww", "Twenty-One");
    check(105.0, "W", "ONE HUNDRED AND FIVE");
    check(2040.0, "w", "two thousand and forty");
    check(1999.0, "w", "one thousand, nine hundred and ninety-nine");
    check(-7.0, "w", "-seven");
    check(1e15, "w", "one thousand trillion");
    check(3e30, "w", "three million trillion trillion");
    check(90.0, "w;o", "ninetieth");
    check(1300.0, "Ww;o", "One Thousand, Three Hundredth");
    check(5_000_012.0, "w;o", "five million and twelfth");
    assert!(format_integer(f64::MAX, "w").is_ok_and(|text| text.len() < 2000));
    assert_eq!(parse_integer("nineteen hundred", "w"), Ok(Some(1900.0)));
    check(1_234e12, "w", "one thousand, two hundred and thirty-four trillion");
}
