//! Refusals with their places, occurrences against a walk through every minute, and clocks that leap.

use super::*;

fn refused(text: &str) -> (&str, String) {
    match text.parse::<Cron>() {
        Ok(_) => panic!("`{text}` was taken"),
        Err(invalid) => (text.get(invalid.at).unwrap(), invalid.message),
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// The first occurrences after a time, as clocks in UTC show them.
fn occurrences(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let (cron, zone): (Cron, Zone) = (expression.parse().unwrap(), zone.parse().unwrap());
    let mut times = Vec::new();
    let mut last = time(after);
    while times.len() < count {
        let Some(next) = cron.next_after(&zone, last) else { break };
        assert!(next > last);
        times.push(next.to_string().replace(":00.000Z", "Z"));
        last = next;
    }
    times
}

#[test]
fn what_is_no_expression_is_refused_at_its_place() {
    for (text, at) in [
        ("", ""),
        ("* * * *", "* * * *"),
        ("0 * * * * *", "0 * * * * *"),
        ("@daily", "@daily"),
        ("60 * * * *", "60"),
        ("* 24 * * *", "24"),
        ("* * 0 * *", "0"),
        ("* * 32 * *", "32"),
        ("* * * 13 *", "13"),
        ("* * * * 8", "8"),
        ("* * * MOND *", "MOND"),
        ("* * * * MON,TUESDAY", "TUESDAY"),
        ("* * JAN * *", "JAN"),
        ("5-1 * * * *", "5-1"),
        ("* * * * FRI-MON", "FRI-MON"),
        ("1-2-3 * * * *", "2-3"),
        ("*/0 * * * *", "0"),
        ("*/90 * * * *", "90"),
        ("*/+5 * * * *", "+5"),
        ("+5 * * * *", "+5"),
        ("5/10 * * * *", "5/10"),
        ("1,,2 * * * *", ""),
        ("1, * * * *", ""),
        ("* * L * *", "L"),
        ("* * 15W * *", "15W"),
        ("* * * * 5#2", "5#2"),
        ("* * ? * *", "?"),
        ("** * * * *", "**"),
        ("ü * * * *", "ü"),
        ("0 0 31 4,6,9,11 *", "31"),
        ("0 0 30,31 FEB *", "30,31"),
    ] {
        let (found, message) = refused(text);
        assert_eq!(found, at, "{text}: {message}");
    }
    let spaced = "  1   2\t3  4  nine ".parse::<Cron>().unwrap_err();
    assert_eq!(spaced.at, 14..18);
}

#[test]
fn names_lists_ranges_and_steps() {
    let from = "2026-01-01T00:00:00Z";
    assert_eq!(
        occurrences("*/20 8-9 * jan Mon-WED", "UTC", from, 3),
        ["2026-01-05T08:00Z", "2026-01-05T08:20Z", "2026-01-05T08:40Z"]
    );
    assert_eq!(occurrences("0 12 * * 7", "UTC", from, 2), ["2026-01-04T12:00Z", "2026-01-11T12:00Z"]);
    assert_eq!(occurrences("0 12 * * 0", "UTC", from, 1), ["2026-01-04T12:00Z"]);
    assert_eq!(occurrences("0 12 * * 5-7", "UTC", from, 3).len(), 3);
    assert_eq!(occurrences("10-30/10,45 0 1 2 *", "UTC", from, 4).last().unwrap(), "2026-02-01T00:45Z");
    assert_eq!(occurrences("0 0 29 2 *", "UTC", from, 2), ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]);
    assert_eq!(occurrences("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00Z"]);
    // Both days: one is enough. A day that never comes is no matter then.
    assert_eq!(
        occurrences("0 0 13 * FRI", "UTC", from, 3),
        ["2026-01-02T00:00Z", "2026-01-09T00:00Z", "2026-01-13T00:00Z"]
    );
    assert_eq!(occurrences("0 0 31 2 SUN", "UTC", from, 1), ["2026-02-01T00:00Z"]);
}

/// Every minute of some weeks, asked one by one.
#[test]
fn occurrences_are_exactly_the_minutes_that_fit() {
    for text in
        ["7 * * * *", "*/13 3,17 * * *", "0 0 1-7 * MON", "30 23 * * 6-7", "5-59/18 1-3 29-31 2,3 *", "59 23 28 FEB *"]
    {
        let cron: Cron = text.parse().unwrap();
        let start = "2024-02-20T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let mut expected = Vec::new();
        for minute in 1..60 * 24 * 45 {
            let t = start + jiff::SignedDuration::from_mins(minute);
            let local = t.to_zoned(jiff::tz::TimeZone::UTC);
            let fits = has(cron.minutes, local.minute())
                && has(cron.hours, local.hour())
                && has(cron.months, local.month())
                && cron.on(local.date());
            if fits {
                expected.push(Timestamp(t.as_microsecond()));
            }
        }
        let mut found = Vec::new();
        let mut last = Timestamp(start.as_microsecond());
        while let Some(next) = cron
            .next_after(&Zone::utc(), last)
            .filter(|n| n.0 < last.0.max(start.as_microsecond()) + 46 * 86_400_000_000)
        {
            if next.0 >= start.as_microsecond() + 45 * 86_400_000_000 {
                break;
            }
            found.push(next);
            last = next;
        }
        assert!(!expected.is_empty() && found == expected, "{text}: {} and {}", found.len(), expected.len());
    }
}

#[test]
fn clocks_of_a_zone() {
    assert_eq!(
        occurrences("0 6 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T05:00Z", "2026-03-29T04:00Z", "2026-03-30T04:00Z"]
    );
    assert_eq!(occurrences("0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", 1), ["2026-01-01T18:15Z"]);
}

/// Europe/Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00Z.
#[test]
fn a_time_that_does_not_exist_occurs_once_right_after_the_gap() {
    let before = "2026-03-28T12:00:00Z";
    assert_eq!(occurrences("30 2 * * *", "Europe/Berlin", before, 2), ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]);
    assert_eq!(
        occurrences("*/20 2-3 29 3 *", "Europe/Berlin", before, 3),
        ["2026-03-29T01:00Z", "2026-03-29T01:20Z", "2026-03-29T01:40Z"],
        "those in the gap and the one at its end are one"
    );
    // Half an hour, Lord Howe; a whole day, Samoa.
    assert_eq!(occurrences("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1), ["2026-10-03T15:30Z"]);
    assert_eq!(
        occurrences("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3),
        ["2011-12-29T19:00Z", "2011-12-30T10:00Z", "2011-12-30T19:00Z"]
    );
}

/// Each hour means each hour: every minute that fits occurs, whichever pass it is in.
#[test]
fn what_runs_each_hour_runs_in_both_passes() {
    assert_eq!(
        occurrences("0 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4),
        ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z", "2026-10-25T03:00Z"]
    );
    for (zone, from) in [
        ("Europe/Berlin", "2026-10-24T12:00:00Z"),
        // Half an hour.
        ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
        // Midnight becomes 23:00 of the day before.
        ("America/Sao_Paulo", "2018-02-17T12:00:00Z"),
        ("America/New_York", "2026-10-31T12:00:00Z"),
        ("UTC", "2026-10-24T12:00:00Z"),
    ] {
        for text in
            ["*/5 * * * *", "7 */2 * * *", "59 * * * *", "30 1,*/23 * * *", "*/20 * 1,4,5,17,18,25 * *", "15 * * * SAT"]
        {
            let (cron, zone): (Cron, Zone) = (text.parse().unwrap(), zone.parse().unwrap());
            let start = from.parse::<jiff::Timestamp>().unwrap();
            let at = |minute| start + jiff::SignedDuration::from_mins(minute);
            let fits = |time: &jiff::Timestamp| {
                let local = zone.rules().to_datetime(*time);
                has(cron.minutes, local.minute()) && has(cron.hours, local.hour()) && cron.on(local.date())
            };
            let expected: Vec<_> = (1..60 * 36).map(at).filter(fits).collect();
            let mut found = Vec::new();
            let mut last = Timestamp(start.as_microsecond());
            while let Some(next) = cron.next_after(&zone, last).filter(|next| next.0 < at(60 * 36).as_microsecond()) {
                found.push(jiff::Timestamp::from_microsecond(next.0).unwrap());
                last = next;
            }
            assert!(!expected.is_empty() && found == expected, "{text} {zone}: {} and {}", found.len(), expected.len());
        }
    }
    // Asked from far before, and from within each pass.
    assert_eq!(
        occurrences("30 * 25 10 *", "Europe/Berlin", "2025-11-01T00:00:00Z", 5)[2..],
        ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"]
    );
    assert_eq!(occurrences("45 * * * *", "Europe/Berlin", "2026-10-25T00:50:00Z", 1), ["2026-10-25T01:45Z"]);
    assert_eq!(occurrences("45 * * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ["2026-10-25T01:45Z"]);
}

/// Europe/Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00Z.
#[test]
fn a_time_of_the_day_that_exists_twice_occurs_the_first_time() {
    let before = "2026-10-24T12:00:00Z";
    assert_eq!(occurrences("30 2 * * *", "Europe/Berlin", before, 2), ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
    assert_eq!(
        occurrences("0,30 2-3 25 10 *", "Europe/Berlin", before, 4),
        ["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T02:00Z", "2026-10-25T02:30Z"]
    );
    // Asked in the second pass.
    assert_eq!(occurrences("45 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ["2026-10-26T01:45Z"]);
}
