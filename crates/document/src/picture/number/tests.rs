use super::*;

fn shown(value: f64, picture: &str, properties: &[(&str, &str)]) -> Result<String, Refusal> {
    let mut format = DecimalFormat::default();
    for (name, property) in properties {
        format.set(name, property);
    }
    format_number(value, picture, &format)
}
fn check(value: f64, picture: &str, text: &str) {
    assert_eq!(shown(value, picture, &[]).as_deref(), Ok(text), "{value} as {picture}");
}

#[test]
fn a_faulty_picture_is_refused_with_its_code() {
    for (picture, code) in [
        ("0;0;0", 3080),
        ("0.0.0", 3081),
        ("0%%", 3082),
        ("0‰‰", 3083),
        ("0%‰", 3084),
        (".", 3085),
        ("0 0", 3086),
        ("%%", 3086),
        ("", 3085),
        ("0,.0", 3087),
        ("0.,0", 3087),
        ("..,-", 3085),
        ("#0,", 3088),
        ("#,,#0", 3089),
        ("0,#", 3090),
        ("0.#0", 3091),
        ("0e0%", 3092),
        ("0.0e", 3093),
        ("0e#", 3093),
        ("0;0.0.0", 3081),
    ] {
        assert_eq!(shown(20.0, picture, &[]).map_err(Refusal::code), Err(code), "{picture}");
    }
}

#[test]
fn numbers_that_leave_the_range_are_refused() {
    assert_eq!(shown(1.0, &format!("{}e0", "0".repeat(400)), &[]), Err(Refusal::TooLarge));
    assert_eq!(shown(f64::MAX, "0%", &[]), Err(Refusal::TooLarge));
}

#[test]
fn digits_signs_and_rounding() {
    check(1234.5, "#,##0.00", "1,234.50");
    check(-1234.5, "#,##0.00", "-1,234.50");
    check(-12.5, "0.0;(0.0)", "(12.5)");
    check(12.5, "$0.0#", "$12.5");
    check(0.0, "#.#", ".0");
    check(0.0, "#", "0");
    check(7.25, "000.0000", "007.2500");
    check(2.5, "0", "2");
    check(3.5, "0 pieces", "4 pieces");
    check(0.5, "0%", "50%");
    check(0.0125, "0.0‰", "12.5‰");
    check(-0.2, "0", "-0");
    // Half-way between two texts the larger one stands.
    check(704_931_704_084_097.6, "0.00", "704931704084097.63");
    check(88_347_328_296_770.9, "0.000,0", "88347328296770.906,3");
    // Where rounding can tell, it goes to the even digit.
    check(2_199_023_255_552.062_5, "0.000", "2199023255552.062");
    check(5e-324, &format!("0.{}", "0".repeat(300)), &format!("0.{}", "0".repeat(300)));
}

#[test]
fn separators_stand_between_digits_alone() {
    check(1234567.0, "#,##0", "1,234,567");
    check(12345678.9, "9,999.99", "12,345,678.90");
    check(1234567.0, "##,##,##0", "12,34,567");
    check(12.0, "#,##,##0", "12");
    check(1e21, "#,##0", "1,000,000,000,000,000,000,000");
    check(0.123456, "0.00,00,00", "0.12,34,56");
    check(0.1, "0.0#,##", "0.1");
}

#[test]
fn exponents() {
    check(1234.0, "0.0e0", "1.2e3");
    check(-1234.0, "00.0e00", "-12.3e02");
    check(0.00012, "0.0e0", "1.2e-4");
    check(0.0, "0.00e0", "0.00e0");
    check(0.123, ".00e0", ".12e0");
    check(0.123, "#.e9", "0.1e0");
    check(5.0, "x 0.0e0", "x 5.0e0");
    // The bound of the mantissa is within, as in the reference.
    check(10.0, "0.0e0", "10.0e0");
}

#[test]
fn properties_change_what_a_picture_means() {
    let german = [("decimal-separator", ","), ("grouping-separator", ".")];
    assert_eq!(shown(1234.5, "#.##0,00", &german).as_deref(), Ok("1.234,50"));
    assert_eq!(shown(0.5, "0pc", &[("percent", "pc")]).as_deref(), Ok("50pc"));
    assert_eq!(shown(12.0, "٠٠٠", &[("zero-digit", "٠")]).as_deref(), Ok("٠١٢"));
    assert_eq!(shown(-1.0, "0", &[("minus-sign", "−")]).as_deref(), Ok("−1"));
    assert_eq!(shown(1.5, "0,0", &[("decimal-separator", ","), ("color", "red")]).as_deref(), Ok("1,5"));
    assert_eq!(shown(f64::NEG_INFINITY, "(0)", &[("infinity", "∞")]).as_deref(), Ok("-(∞)"));
    assert_eq!(shown(f64::NAN, "(0)", &[]).as_deref(), Ok("NaN"));
    assert_eq!(shown(1.0, "0;0", &[("pattern-separator", "")]).as_deref(), Ok("1"));
}
