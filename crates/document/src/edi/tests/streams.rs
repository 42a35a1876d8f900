//! Messages one at a time, whatever pieces the bytes come in.

use super::*;
use crate::{edi::Writer, format::RecordWriter};

/// Two interchanges: X12 of two groups and an acknowledgement, EDIFACT with UNA.
fn two() -> String {
    let x = x12("BEG*00~REF*A:B^C~").replacen("GS*", "TA1*1~GS*", 1);
    let group = "GS*PO*BUYER*SELLER*20261122*1305*8*X*005010~ST*850*0002~SE*2*0002~ST*850*0003~SE*2*0003~GE*2*8~";
    let x = x.replacen("IEA*1", &format!("{group}IEA*2"), 1);
    format!("{x}\r\nUNA:+,? '\r\n{}", edifact("FTX+A?'?+'"))
}

#[test]
fn a_message_is_given_before_the_mistake_after_it() {
    let text = two().replacen("SE*2*0003", "SE*3*0003", 1);
    let mut reader = Reader::new(Dialect::default(), &Limits::default());
    reader.push(text.as_bytes());
    assert!(reader.next().unwrap().is_some());
    assert!(reader.next().unwrap().is_some());
    let error = reader.next().unwrap_err();
    assert_eq!((error.code(), error.record(), error.offset()), ("LG-EDI-COUNT", Some(3), at(&text, "SE*3*0003")));
    assert_eq!(reader.next().unwrap_err(), error, "nothing comes after an error");
    // The interchange is checked when it ends.
    let text = two().replacen("IEA*2", "IEA*3", 1);
    let error = records([text.as_bytes()], &Dialect::default()).unwrap_err();
    assert_eq!((error.code(), error.record()), ("LG-EDI-COUNT", Some(3)));
}

#[test]
fn every_cut_gives_the_same_records() {
    let text = two();
    let expected: Vec<String> = records([text.as_bytes()], &Dialect::default()).unwrap().iter().map(shown).collect();
    assert_eq!(expected.len(), 4);
    for cut in 0..=text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        let found: Vec<String> = records([left, right], &Dialect::default()).unwrap().iter().map(shown).collect();
        assert_eq!(found, expected, "cut at {cut}");
    }
    let found: Vec<String> =
        records(text.as_bytes().chunks(1), &Dialect::default()).unwrap().iter().map(shown).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_cut_of_what_is_refused_is_refused_alike() {
    for text in [
        two().replacen("IEA*2", "IEA*9", 1),
        two().replacen("UNZ+1", "UNZ+9", 1),
        two().replacen("REF*A", "ref*A", 1),
        two().replacen("FTX+A", "FTX+a", 1),
        two().replacen("UNA:+,", "UNA:+;", 1),
        two().replacen("UNOA:3", "UNOQ:3", 1),
    ] {
        let whole = records([text.as_bytes()], &Dialect::default()).unwrap_err();
        for cut in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(cut);
            assert_eq!(records([left, right], &Dialect::default()).unwrap_err(), whole, "cut at {cut}");
        }
    }
}

#[test]
fn a_record_has_the_heads_around_it() {
    let all = records([two().as_bytes()], &Dialect::default()).unwrap();
    let first = shown(&all[0]);
    assert!(first.starts_with(r#"{"interchange":{"format":"x12","#), "{first}");
    assert!(first.contains(r#""notices":[{"tag":"TA1","elements":["1"]}]},"group":{"functional_id":"PO""#), "{first}");
    assert!(first.ends_with(concat!(
        r#""message":{"type":"850","control":"0001"},"segments":[{"tag":"BEG","elements":["00"]},"#,
        r#"{"tag":"REF","elements":[[["A","B"],["C"]]]}]}"#
    )));
    assert!(
        shown(&all[2]).contains(r#""control":"8""#) && shown(&all[2]).ends_with(r#""control":"0003"},"segments":[]}"#)
    );
    let last = shown(&all[3]);
    assert!(!last.contains("group") && last.ends_with(r#""segments":[{"tag":"FTX","elements":["A'+"]}]}"#), "{last}");
    // An acknowledgement alone is a record too.
    let text = format!("{ISA}TA1*1~IEA*0*000000007~");
    let all = records([text.as_bytes()], &Dialect::default()).unwrap();
    assert_eq!(all.len(), 1);
    assert!(shown(&all[0]).ends_with(r#""notices":[{"tag":"TA1","elements":["1"]}]}}"#));
    assert_eq!(stream(&all, "null").unwrap(), text);
    assert!(records([format!("{ISA}IEA*0*000000007~").as_bytes()], &Dialect::default()).unwrap().is_empty());
}

fn stream(records: &[Document], heads: &str) -> Result<String, FormatError> {
    let heads = json(heads);
    let none = Document::undefined();
    let heads = if heads.root().kind() == crate::Kind::Null { &none } else { &heads };
    let mut writer = Writer::new(Dialect::default(), heads.root())?;
    let mut out = Vec::new();
    for record in records {
        let before = out.len();
        if let Err(error) = writer.write(record.root(), &mut out) {
            assert_eq!(out.len(), before, "something was left of what was refused");
            assert_eq!(writer.write(record.root(), &mut out).unwrap_err(), error);
            assert_eq!(writer.finish(&mut out).unwrap_err(), error);
            return Err(error);
        }
    }
    writer.finish(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn records_that_cannot_be_written_are_refused() {
    let heads = r#"{"interchange":{"format":"edifact","syntax":{"id":"UNOA","version":"3"},"sender":{"id":"A"},
        "receiver":{"id":"B"},"prepared":{"date":"261122","time":"1305"},"control":"77"}}"#;
    let message = r#""message":{"control":"1","type":{"id":"ORDERS","version":"D","release":"96A","agency":"UN"}}"#;
    let good = format!(r#"{{{message},"segments":[]}}"#);
    let refused = |records: &[&str], heads: &str| {
        let records: Vec<Document> = records.iter().map(|text| json(text)).collect();
        let error = stream(&records, heads).unwrap_err();
        (error.code().to_owned(), error.record(), error.message().split('`').nth(1).unwrap_or_default().to_owned())
    };
    let is = |code: &str, record: Option<u64>, place: &str| (code.to_owned(), record, place.to_owned());
    assert_eq!(refused(&[&good], "null"), is("LG-EDI-MISSING", Some(1), "/interchange"));
    assert_eq!(refused(&[&good, "{}"], heads), is("LG-EDI-VALUE", Some(2), "/message"));
    assert_eq!(refused(&[&good, "5"], heads), is("LG-EDI-VALUE", Some(2), "/"));
    assert_eq!(refused(&[], r#"{"interchange":{}}"#), is("LG-EDI-VALUE", None, "/interchange/format"));
    assert_eq!(refused(&[], r#"{"else":{}}"#), is("LG-EDI-VALUE", None, "/"));
    let group = r#""group":{"control":"5"}"#;
    let grouped = format!(r#"{{{group},{message},"segments":[]}}"#);
    assert_eq!(refused(&[&good, &grouped], heads), is("LG-EDI-ENVELOPE", Some(2), "/group"));
    let x12 = shown(&records([two().as_bytes()], &Dialect::default()).unwrap()[0]);
    let without = format!(
        "{}{}",
        x12.split_once(r#","group""#).unwrap().0,
        r#","message":{"type":"850","control":"0001"},"segments":[]}"#
    )
    .replacen(r#","notices":[{"tag":"TA1","elements":["1"]}]"#, "", 1);
    assert_eq!(refused(&[&without], "null"), is("LG-EDI-MISSING", Some(1), "/group"));
    assert_eq!(stream(&[], heads).unwrap(), "", "no record, no interchange");
}

#[test]
fn what_was_read_as_a_stream_is_written_the_same() {
    let text = two();
    let all = records([text.as_bytes()], &Dialect::default()).unwrap();
    assert_eq!(stream(&all, "null").unwrap(), text.replace("\r\n", ""));
    // The heads once, the messages bare.
    let heads = r#"{"interchange":{"format":"edifact","syntax":{"id":"UNOA","version":"3"},"sender":{"id":"A"},
        "receiver":{"id":"B"},"prepared":{"date":"261122","time":"1305"},"control":"77"},"group":{"control":"5"}}"#;
    let message = |control: u32| {
        let kind = r#"{"id":"ORDERS","version":"D","release":"96A","agency":"UN"}"#;
        json(&format!(
            r#"{{"message":{{"control":"{control}","type":{kind}}},"segments":[{{"tag":"UNS","elements":["S"]}}]}}"#
        ))
    };
    assert_eq!(
        stream(&[message(1), message(2)], heads).unwrap(),
        concat!(
            "UNB+UNOA:3+A+B+261122:1305+77'UNG+++++5'UNH+1+ORDERS:D:96A:UN'UNS+S'UNT+3+1'",
            "UNH+2+ORDERS:D:96A:UN'UNS+S'UNT+3+2'UNE+2+5'UNZ+1+77'"
        )
    );
}

#[test]
fn memory_does_not_grow_with_the_interchange() {
    let mut reader = Reader::new(Dialect::default(), &Limits { arena_bytes_max: 1 << 16, ..Limits::default() });
    reader.push(format!("{ISA}{GS}").as_bytes());
    let mut largest = 0;
    for number in 0..5_000 {
        reader.push(format!("ST*850*{number:04}~REF*{}~SE*3*{number:04}~", "A".repeat(100)).as_bytes());
        largest = largest.max(reader.next().unwrap().unwrap().bytes_used() + reader.held() as u64);
        assert!(reader.next().unwrap().is_none());
    }
    reader.push(b"GE*5000*7~IEA*1*000000007~");
    reader.end();
    assert!(reader.next().unwrap().is_none());
    assert!(largest < 1 << 15, "{largest} bytes for a message of 130");
}
