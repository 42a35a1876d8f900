//! Interchanges made to do harm end at a limit, not at the machine's.

use super::*;
use crate::edi::limits::{LOOPS_DEEP_MAX, NOTICES_MAX, SEGMENT_BYTES_MAX};

/// What comes of a text that goes on and on.
fn endless(head: &str, piece: &str, dialect: Dialect) -> (String, u64) {
    endless_in(16_384, head, piece, dialect)
}
/// The same in at most so many pieces of 64 KiB.
fn endless_in(pieces: usize, head: &str, piece: &str, dialect: Dialect) -> (String, u64) {
    let mut reader = Reader::new(dialect, &Limits { arena_bytes_max: 8 << 20, ..Limits::default() });
    reader.push(head.as_bytes());
    let piece = piece.repeat((1 << 16) / piece.len());
    for _ in 0..pieces {
        reader.push(piece.as_bytes());
        match reader.next() {
            Ok(_) => assert!(reader.held() < 4 << 20, "{} bytes are held", reader.held()),
            Err(error) => return (error.code().to_owned(), error.offset()),
        }
    }
    ("-".to_owned(), 0)
}

#[test]
fn a_terminator_that_never_comes_ends_at_the_limit() {
    let head = format!("{ISA}{GS}ST*850*0001~");
    let place = head.len() as u64;
    for piece in ["A", "A*", "*", "^", ":", "*A:B^C"] {
        assert_eq!(
            endless(&format!("{head}REF*"), piece, Dialect::default()),
            ("LG-EDI-LIMIT".into(), place),
            "{piece}"
        );
    }
    for piece in ["?'", "?", "A+", "A"] {
        assert_eq!(
            endless(&format!("{UNB}FTX+"), piece, Dialect::default()),
            ("LG-EDI-LIMIT".into(), UNB.len() as u64)
        );
    }
    assert_eq!(endless("UNB+", "A", Dialect::default()), ("LG-EDI-LIMIT".into(), 0));
    // Just below the limit is taken.
    let long = x12(&format!("REF*{}~", "A".repeat(SEGMENT_BYTES_MAX - 4)));
    read_whole(&long).unwrap();
    assert_eq!(
        refused(x12(&format!("REF*{}~", "A".repeat(SEGMENT_BYTES_MAX - 3))), &Dialect::default()).0,
        "LG-EDI-LIMIT"
    );
}

#[test]
fn what_comes_after_an_error_is_not_kept() {
    let mut reader = Reader::new(Dialect::default(), &Limits::default());
    reader.push(b"nothing");
    assert_eq!(reader.next().unwrap_err().code(), "LG-EDI-BEGIN");
    for _ in 0..100 {
        reader.push(&[b'A'; 1 << 16]);
        assert_eq!(reader.next().unwrap_err().code(), "LG-EDI-BEGIN");
    }
    assert!(reader.held() < 1 << 16);
}

#[test]
fn blanks_without_end_hold_nothing() {
    assert_eq!(endless_in(256, "", " \r\n", Dialect::default()).0, "-");
    assert_eq!(endless_in(256, &format!("{ISA}{GS}"), "\n", Dialect::default()).0, "-");
}

#[test]
fn a_million_elements_are_refused() {
    for (many, sign) in
        [(1_000_000, "*"), (1_000_000, ":"), (1_000_000, "^"), (1_001, "*"), (1_000, ":"), (10_000, "^")]
    {
        let text = x12(&format!("REF*{}A~", sign.repeat(many)));
        let (code, offset, _) = refused_whole(&text);
        assert_eq!((code.as_str(), offset), ("LG-EDI-LIMIT", at(&text, "REF")), "{many} {sign}");
    }
    read_whole(x12(&format!("REF{}A~", "*".repeat(1_000)))).unwrap();
    read_whole(x12(&format!("REF*{}A~", ":".repeat(999)))).unwrap();
    read_whole(x12(&format!("REF*{}A~", "^".repeat(9_999)))).unwrap();
}
fn refused_whole(text: &str) -> (String, u64, String) {
    let error = read_whole(text).unwrap_err();
    (error.code().to_owned(), error.offset(), error.message().to_owned())
}

#[test]
fn a_message_without_end_ends_at_the_arena() {
    let head = format!("{ISA}{GS}ST*850*0001~");
    assert_eq!(endless(&head, "REF*A~", Dialect::default()).0, "LG-ARENA-FULL");
    let loops = by(r#"{"grammar": "g", "syntax": "x12", "message": "850", "content": [
        {"name": "a", "max": 4000000000, "content": [
            {"segment": "N1", "name": "b", "elements": []},
            {"name": "c", "max": 4000000000, "content": [
                {"segment": "N2", "name": "d", "elements": []}]}]}]}"#);
    assert_eq!(endless(&head, "N1~N2~", loops).0, "LG-ARENA-FULL");
}

#[test]
fn loops_nest_as_deep_as_a_grammar_may_and_values_as_deep_as_the_limit() {
    let mut content = r#"[{"segment": "N1", "name": "last", "elements": ["id"]}]"#.to_owned();
    for _ in 0..LOOPS_DEEP_MAX {
        content = format!(
            r#"[{{"segment": "N1", "name": "first", "elements": ["id"]}}, {{"name": "inner", "max": 2, "content": {content}}}]"#
        );
    }
    let deep = by(&format!(r#"{{"grammar": "g", "syntax": "x12", "message": "850", "content": {content}}}"#));
    let text = x12(&"N1*A~".repeat(LOOPS_DEEP_MAX + 1));
    let value = read(text.as_bytes(), &deep, &Limits::default()).unwrap();
    assert_eq!(written(&value, &deep).unwrap(), text);
    let error = read(text.as_bytes(), &deep, &Limits { depth_max: 12, ..Limits::default() }).unwrap_err();
    assert_eq!(error.code(), "LG-DEPTH-EXCEEDED");
}

#[test]
fn acknowledgements_without_end_are_refused() {
    let text = format!("{ISA}{}", "TA1*1~".repeat(NOTICES_MAX + 1));
    assert_eq!(refused_whole(&text).0, "LG-EDI-LIMIT");
    let large = format!("TA1*{}~", "A".repeat(1 << 19));
    assert_eq!(refused_whole(&format!("{ISA}{large}{large}")).0, "LG-EDI-LIMIT");
}

/// Bytes next to good ones: what is taken of them comes back the same.
fn mutated(good: &[String], dialect: &Dialect, rounds: usize) -> usize {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut taken = 0;
    for round in 0..rounds {
        let mut bytes = good[round % good.len()].clone().into_bytes();
        for _ in 0..=(next() % 3) {
            if bytes.is_empty() {
                break;
            }
            let place = (next() % bytes.len() as u64) as usize;
            match next() % 4 {
                0 => bytes[place] = next() as u8,
                1 => drop(bytes.remove(place)),
                2 => bytes.insert(place, b"*~^:'+? \nA0.-\xc3"[(next() % 14) as usize]),
                _ => bytes[place] = b"0123456789.-EAZ"[(next() % 15) as usize],
            }
        }
        if let Ok(value) = read(&bytes, dialect, &Limits::default()) {
            taken += 1;
            let mut out = Vec::new();
            write(value.root(), dialect, &mut out)
                .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&bytes)));
            let again = read(&out, dialect, &Limits::default()).unwrap();
            assert_eq!(shown(&again), shown(&value), "{}", String::from_utf8_lossy(&bytes));
        }
    }
    taken
}

#[test]
fn bytes_of_any_kind_never_panic() {
    let good = [x12("BEG*00*NE~REF*A:B^C~"), format!("UNA:+.?*'{}", edifact("FTX+A?'B:C'"))];
    let taken = mutated(&good, &Dialect::default(), 10_000);
    assert!(taken > 500, "only {taken} were taken");
}

#[test]
fn messages_of_any_kind_never_panic() {
    let taken = mutated(&[x12(grammars::GOOD)], &by(grammars::ORDER), 10_000);
    assert!(taken > 500, "only {taken} were taken");
}
