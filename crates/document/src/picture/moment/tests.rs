use super::*;

/// Sunday, 2024-12-29T21:04:05.067Z.
const NIGHT: f64 = 1_735_506_245_067.0;

fn shown(millis: f64, picture: &str, zone: Option<&str>) -> Result<String, i32> {
    from_millis(millis, Some(picture), zone).map_err(Refusal::code)
}
fn check(picture: &str, text: &str) {
    assert_eq!(shown(NIGHT, picture, None).as_deref(), Ok(text), "{picture}");
}
fn read(text: &str, picture: &str) -> Result<Option<String>, i32> {
    let millis = to_millis(text, Some(picture), NIGHT).map_err(Refusal::code)?;
    Ok(millis.map(|millis| from_millis(millis, None, None).unwrap()))
}
fn check_read(text: &str, picture: &str, time: &str) {
    assert_eq!(read(text, picture), Ok(Some(time.to_owned())), "{text} as {picture}");
}

#[test]
fn a_faulty_picture_is_refused_with_its_code() {
    for (picture, code) in [
        ("[Yα]", 3130),
        ("[Y0٠]", 3131),
        ("[q]", 3132),
        ("[q1]", 3132),
        ("[]", 3132),
        ("[Y,1000]", 3132),
        ("[M,4294967296]", 3132),
        ("[YN]", 3133),
        ("[fn]", 3133),
        ("[Z010101]", 3134),
        ("[ZN]", 3134),
        ("[Y", 3135),
        ("[YN]-[M", 3135),
    ] {
        assert_eq!(shown(0.0, picture, None), Err(code), "{picture}");
        assert_eq!(read("", picture), Err(code), "{picture}");
    }
}

#[test]
fn times_and_zones_that_are_none_are_refused() {
    for millis in [f64::NAN, 8.65e15, -8.65e15] {
        assert_eq!(shown(millis, "[Y]", None), Err(1001));
    }
    for zone in ["", "x", "+12345", "+1:00:00", "+1a", "--1", "Europe/Berlin", "+1:0"] {
        assert_eq!(shown(0.0, "[Y]", Some(zone)), Err(3134), "{zone}");
    }
}

#[test]
fn without_a_picture_a_time_is_in_iso_8601_form() {
    assert_eq!(from_millis(NIGHT, None, None).as_deref(), Ok("2024-12-29T21:04:05.067Z"));
    assert_eq!(from_millis(NIGHT, None, Some("-0330")).as_deref(), Ok("2024-12-29T17:34:05.067-03:30"));
    assert_eq!(from_millis(-1.0, None, None).as_deref(), Ok("1969-12-31T23:59:59.999Z"));
    assert_eq!(from_millis(1.9, None, None).as_deref(), Ok("1970-01-01T00:00:00.001Z"));
}

#[test]
fn numbers_and_widths() {
    check("[D]/[M]/[Y]", "29/12/2024");
    check("[Y,2]|[Y,*-2]|[Y01]|[Y0000001]|[Y,2-2]", "24|24|24|0002024|24");
    check("[H]:[m]:[s].[f001]", "21:04:05.067");
    check("[h] [P] [PN] [Pn]", "9 pm PM pm");
    check(
        "[d] [dwo] [D1o] [YI] [Da] [Yw]",
        "364 three hundred and sixty-fourth 29th MMXXIV ac two thousand and twenty-four",
    );
    check("[Y9,999,*]", "2,024");
    check("[ D 01 ][m#1,3]", "29004");
    check("[[[Y]]] ]] ] [C][E]", "[2024] ] ] ISOISO");
    assert_eq!(shown(-1e14, "[Y0001]", None).as_deref(), Ok("-1199"));
    assert_eq!(shown(NIGHT + 3.5 * 3_600_000.0, "[h]:[m] [P]", None).as_deref(), Ok("12:34 am"));
}

#[test]
fn names() {
    check("[FNn], [MNn]", "Sunday, December");
    check("[F]-[FN]-[Fn]-[F1]", "sunday-SUNDAY-sunday-7");
    check("[MNn,3-3] [FN,*-2] [Mn,99-999]", "Dec SU december");
}

#[test]
fn weeks_belong_where_their_thursday_lies() {
    // The 30th is a Monday, of the first week of 2025.
    check("[X]-[W] [xNn]-[w]", "2024-52 December-4");
    assert_eq!(shown(NIGHT + 86_400_000.0, "[X]-W[W01] [x]-[w]", None).as_deref(), Ok("2025-W01 1-1"));
    // 2021-01-01, a Friday.
    assert_eq!(shown(1_609_459_200_000.0, "[X]-W[W01] [xNn]-[w]", None).as_deref(), Ok("2020-W53 December-5"));
}

#[test]
fn zones() {
    let zone = |picture, zone| shown(NIGHT, picture, Some(zone));
    assert_eq!(zone("[H]:[m] [Z]", "+0530").as_deref(), Ok("2:34 +05:30"));
    assert_eq!(zone("[Z0]|[Z00]|[Z0000]|[Z00:00]|[z]", "-0330").as_deref(), Ok("-3:30|-03:30|-0330|-03:30|GMT-03:30"));
    assert_eq!(zone("[Z0]|[Z]|[Z01:01t]|[z0t]", "0000").as_deref(), Ok("+0|+00:00|Z|Z"));
    for same in ["+0100", "100", "+01:00", "0100", " +0100"] {
        assert_eq!(zone("[Z]", same).as_deref(), Ok("+01:00"), "{same}");
    }
    assert_eq!(zone("[Zt]", "-0000"), Err(3134));
    assert_eq!(zone("[Z0t]", "Z").as_deref(), Ok("Z"));
}

#[test]
fn texts_of_another_form_are_no_time() {
    for (text, picture) in [
        ("2024", "[Y]-[M]"),
        ("", "[Y]"),
        ("noon", "noon"),
        ("", ""),
        ("2024-12", "[Y0001][M01]"),
        ("12th", "[D01]"),
        ("2024-01-01Z", "[Y]-[M]-[D][Z]"),
        ("99999999", "[Y]"),
        ("one and", "[Yw]"),
    ] {
        assert_eq!(read(text, picture), Ok(None), "{text} as {picture}");
    }
    assert_eq!(to_millis(&"1".repeat(1 << 20), Some("[Y]"), NIGHT), Ok(None));
    assert_eq!(to_millis("2024", Some("[Y]"), f64::NAN), Ok(None));
}

#[test]
fn components_that_leave_a_gap_are_refused() {
    for (text, picture) in [
        ("2024 29", "[Y] [D]"),
        ("12-29 04", "[M]-[D] [m]"),
        ("2024-12-29 9", "[Y]-[M]-[D] [h]"),
        ("2024-52", "[X]-[W]"),
        ("2024-12-4", "[X]-[x]-[w]"),
        ("52", "[W]"),
    ] {
        assert_eq!(read(text, picture), Err(3136), "{text} as {picture}");
    }
    assert_eq!(read("ISO", "[E]"), Err(3133));
}

#[test]
fn times_are_read_by_pictures() {
    check_read("2024-02-30", "[Y]-[M]-[D]", "2024-03-01T00:00:00.000Z");
    check_read("20240229130507", "[Y0001][M01][D01][H01][m01][s01]", "2024-02-29T13:05:07.000Z");
    check_read("3rd march 2024", "[D1o] [MNn] [Y]", "2024-03-03T00:00:00.000Z");
    check_read("Sun, 3 Mar 2024", "[FNn,3-3], [D] [MNn,3-3] [Y]", "2024-03-03T00:00:00.000Z");
    check_read("third of March, two thousand and twenty-four", "[Dwo] of [MNn], [Yw]", "2024-03-03T00:00:00.000Z");
    check_read("MMXXIV/iii/c", "[YI]/[Mi]/[Da]", "2024-03-03T00:00:00.000Z");
    check_read("2024-060", "[Y]-[d001]", "2024-02-29T00:00:00.000Z");
    check_read("2024-060T10", "[Y]-[d001]T[H]", "2024-02-29T10:00:00.000Z");
    check_read("1/2/2024 12:05 am", "[D]/[M]/[Y] [h]:[m] [P]", "2024-02-01T00:05:00.000Z");
    check_read("1/2/2024 12:05 PM", "[D]/[M]/[Y] [h]:[m] [P]", "2024-02-01T12:05:00.000Z");
    check_read("5.0199", "[s].[f]", "2024-12-29T21:04:05.019Z");
    check_read("2024-01-01T10:00-03:30", "[Y]-[M]-[D]T[H]:[m][Z]", "2024-01-01T13:30:00.000Z");
    check_read("2024-01-01T10:00+0530", "[Y]-[M]-[D]T[H]:[m][Z0000]", "2024-01-01T04:30:00.000Z");
    check_read("2024-01-01T10:00gmt-5", "[Y]-[M]-[D]T[H]:[m][z0]", "2024-01-01T15:00:00.000Z");
    check_read("69", "[Y01]", "1969-01-01T00:00:00.000Z");
}

#[test]
fn now_gives_what_stands_before_the_first_component() {
    check_read("13:45", "[H]:[m]", "2024-12-29T13:45:00.000Z");
    check_read("1 March", "[D] [MNn]", "2024-03-01T00:00:00.000Z");
    check_read("Sunday", "[FNn]", "2024-12-29T21:04:05.067Z");
}

#[test]
fn texts_in_iso_8601_form() {
    let iso = |text: &str| to_millis(text, None, NIGHT).map_err(Refusal::code);
    for text in [
        "",
        "foo",
        "24",
        "2024-13",
        "2024-00",
        "2024-01-32",
        "2024-1-1",
        "2024-01-01 10:00:00",
        "2024-01-01T10:00",
        "2024-01-01T25:00:00",
        "2024-01-01T24:00:01",
        "2024-01-01T10:60:00",
        "2024-01-01T10:00:00.",
        "2024-01-01Z",
        "2024-01-01T10:00:00+1",
        "2024-01-01T10:00:00+24:00",
        "2024-01-01T10:00:00Zz",
        "２０２４",
    ] {
        assert_eq!(iso(text), Err(3110), "{text}");
    }
    assert_eq!(iso("2024-12-29T21:04:05.067Z"), Ok(Some(NIGHT)));
    assert_eq!(iso("2024-12-29T22:04:05.0679+01:00"), Ok(Some(NIGHT)));
    assert_eq!(iso("2024-12-29T17:34:05.067-0330"), Ok(Some(NIGHT)));
    assert_eq!(iso("1970-01-01T24:00:00"), Ok(Some(86_400_000.0)));
    assert_eq!(iso("1971"), iso("1971-01-01"));
    assert_eq!(iso("1971-01"), Ok(Some(365.0 * 86_400_000.0)));
    assert_eq!(iso("0000-01-01"), Ok(Some(-719_528.0 * 86_400_000.0)));
}
