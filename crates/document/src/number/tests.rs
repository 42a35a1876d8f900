use super::*;

fn exact(text: &str) -> Number<'_> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    Number::Exact { mantissa: digits.parse().unwrap(), scale: scale as u8 }
}
fn lexeme(text: &str) -> Number<'_> {
    Number::Lexeme(text)
}
fn fifteen(value: f64) -> String {
    as_fifteen(value, str::to_owned)
}
fn script(value: f64) -> String {
    as_script(value, str::to_owned)
}

#[test]
fn neighbours_past_2_to_the_53_differ_while_untouched() {
    let (odd, even) = (exact("9007199254740993"), exact("9007199254740992"));
    assert!(!odd.same(even));
    assert_eq!(odd.order(even), Ordering::Greater);
    // The f64 of both is the even one: a computed number equals both.
    let computed = Number::Float(9_007_199_254_740_992.0);
    assert!(odd.same(computed) && even.same(computed));
    assert!(!lexeme("90071992547409930000").same(lexeme("90071992547409920000")));
    assert!(!lexeme("1e400").same(lexeme("1e401")));
    assert!(!exact("0.1").same(lexeme("0.1000000000000000000000001")));
}

#[test]
fn notations_of_one_number_are_equal() {
    let one = ["1", "1.0", "1.000"].map(exact);
    let others = ["1e0", "1E+0", "10e-1", "0.1e1", "0.01e2", "100e-2", "1.0e0", "1.00000000000000000000"].map(lexeme);
    for a in one.iter().chain(&others) {
        for b in one.iter().chain(&others) {
            assert!(a.same(*b), "{a:?} {b:?}");
        }
    }
    for zero in ["-0", "0e5", "0.0e-3", "-0.000", "0e999999999999999999999"] {
        assert!(lexeme(zero).same(exact("0")), "{zero}");
    }
}

#[test]
fn decimals_have_an_order() {
    let ascending = [
        "-1e999999999999999999999",
        "-1e400",
        "-123.5",
        "-1.5e0",
        "-1",
        "-0.5",
        "-1e-400",
        "0",
        "1e-999999999999999999",
        "1e-400",
        "0.05",
        "0.5",
        "0.50001",
        "5e-0",
        "49",
        "50",
        "1e2",
        "100.1",
        "1e400",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(lexeme(a).order(lexeme(b)), i.cmp(&j), "{a} {b}");
        }
    }
}

#[test]
fn the_lexeme_of_an_exact_number_follows_from_its_parts() {
    for text in [
        "0",
        "-1",
        "1.50",
        "0.05",
        "-0.05",
        "123456789012345678",
        "0.000000000000000001",
        "-1.0",
        "99999999999999999.9",
    ] {
        assert_eq!(exact(text).as_reply(str::to_owned), text);
        assert_eq!(exact(text).to_f64(), text.parse::<f64>().unwrap(), "{text}");
    }
}

#[test]
fn computed_numbers_print_as_ecmascript_does() {
    for (value, text) in [
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-7, "1e-7"),
        (0.000001, "0.000001"),
        (-1.5, "-1.5"),
        (5e-324, "5e-324"),
        (9007199254740993.0, "9007199254740992"),
        (f64::MAX, "1.7976931348623157e+308"),
    ] {
        assert_eq!(script(value), text);
    }
}

#[test]
fn strings_of_numbers_have_fifteen_digits_at_most() {
    // Each right side is what the reference implementation's $string gives.
    for (value, text) in [
        (0.1 + 0.2, "0.3"),
        (22.0 / 7.0, "3.14285714285714"),
        (1.0 / 3.0, "0.333333333333333"),
        (2.0 / 3.0, "0.666666666666667"),
        (1e100, "1e+100"),
        (1.1e-10 / 3.0, "3.66666666666667e-11"),
        (100000000000000.5, "100000000000001"),
        (100000000000001.5, "100000000000002"),
        (-100000000000000.5, "-100000000000001"),
        (999999999999999.5, "1000000000000000"),
        (1234567890123456.5, "1234567890123460"),
        (90.57000000000001, "90.57"),
        (5e-324, "5e-324"),
        (-0.0, "0"),
    ] {
        assert_eq!(fifteen(value), text);
    }
    assert_eq!(exact("1.50").as_string(str::to_owned), "1.5");
    assert_eq!(exact("123456789012345678").as_string(str::to_owned), "123456789012345678");
    assert_eq!(lexeme("12345678901234567890123").as_string(str::to_owned), "12345678901234567890123");
    assert_eq!(lexeme("1e2").as_string(str::to_owned), "100");
    assert_eq!(lexeme("-0").as_string(str::to_owned), "0");
}

#[test]
fn rounding_is_half_to_even_in_decimal() {
    for (value, digits, rounded) in [
        (4.5, 0.0, 4.0),
        (5.5, 0.0, 6.0),
        (-4.5, 0.0, -4.0),
        (0.5, f64::NAN, 0.0),
        (-0.5, 0.0, 0.0),
        (4.525, 2.0, 4.52),
        (4.515, 2.0, 4.52),
        (1.005, 2.0, 1.0),
        (8.575, 2.0, 8.58),
        (125.0, -1.0, 120.0),
        (135.0, -1.0, 140.0),
        (12345.6789, 3.0, 12345.679),
        (1e300, 2.0, 1e300),
        (1e-300, 2.0, 0.0),
        (1.5e-7, 7.0, 2e-7),
        (9.995, 2.0, 10.0),
        (0.285, 2.0, 0.28),
    ] {
        let result = round_half_even(value, digits);
        assert_eq!(result, rounded, "{value} {digits}");
        assert!(result != 0.0 || result.is_sign_positive());
    }
    assert!(round_half_even(1.5, 0.5).is_nan());
    assert!(round_half_even(f64::NAN, 2.0).is_nan());
}

#[test]
fn the_clear_cut_way_to_round_agrees_with_the_long_one() {
    let mut seed = 1u64;
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let value = (seed >> 20) as f64 / [7.0, 1e4, 1e7, 3e9, 1e3][(seed % 5) as usize];
        for digits in [1.0, 2.0, 3.0, 6.0] {
            if let Some(quick) = round_clear_cut(value, digits) {
                assert_eq!(quick, shift(nearest_even(shift(value, digits)), -digits), "{value} {digits}");
            }
        }
    }
}

#[test]
fn amounts_print_by_the_short_way_as_by_the_long_one() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    let mut amounts =
        vec![0.07, 0.1, 0.29, 1.005, 2.5, -0.01, -12.34, 1e12 - 0.01, 1e12 + 0.01, 1e-7, 0.005, 1e21, 4.35];
    for _ in 0..200_000 {
        let bits = random() % 50;
        let whole = (random() % (1 << bits).max(1)) as f64;
        // Just so, and one step of the f64 to either side.
        let amount = whole / [1.0, 10.0, 100.0, 1_000.0][random() as usize % 4];
        amounts.extend([amount, -amount, amount.next_up(), amount.next_down()]);
    }
    for amount in amounts {
        if amount != amount.trunc() {
            assert_eq!(script(amount), ryu_js::Buffer::new().format(amount), "{amount:e}");
        }
    }
}
