use lockgate_model::Limits;

use super::*;
use crate::keys::KEYS_MAX;

fn builder() -> Builder {
    Builder::new(&Limits::default())
}
fn finished(builder: Builder) -> String {
    String::from_utf8(builder.finish().unwrap().print(1_000).unwrap()).unwrap()
}

#[test]
fn pieces_out_of_place_are_refused() {
    assert_eq!(builder().end(), Err(Fault::WrongKind));
    assert_eq!(builder().key("a"), Err(Fault::WrongKind));
    let mut object = builder();
    object.begin_object().unwrap();
    assert_eq!(object.null(), Err(Fault::WrongKind), "a value without key");
    object.key("a").unwrap();
    assert_eq!(object.key("b"), Err(Fault::WrongKind), "two keys");
    assert_eq!(object.end(), Err(Fault::WrongKind), "a key without value");
    let mut array = builder();
    array.begin_array().unwrap();
    assert_eq!(array.key("a"), Err(Fault::WrongKind));
    assert_eq!(array.finish().unwrap_err(), Fault::WrongKind, "not ended");
    let mut two = builder();
    two.null().unwrap();
    assert_eq!(two.null(), Err(Fault::WrongKind), "two roots");
}

#[test]
fn numbers_are_checked() {
    for lexeme in ["", " 1", "1 ", "01", "+1", "1.", "x", "\"1\"", "[1]", "1,2", "NaN", "-", "1e"] {
        assert_eq!(builder().number_lexeme(lexeme), Err(Fault::WrongKind), "{lexeme:?}");
    }
    assert_eq!(builder().number(f64::NAN).unwrap_err().code(), "D1001");
    assert_eq!(builder().number(f64::INFINITY).unwrap_err().code(), "D1001");
}

#[test]
fn limits_hold() {
    let mut deep = builder();
    for _ in 0..128 {
        deep.begin_array().unwrap();
    }
    assert_eq!(deep.begin_array(), Err(Fault::DepthExceeded));
    let mut small = Builder::new(&Limits { arena_bytes_max: 1_000, ..Limits::default() });
    assert_eq!(small.text(&"x".repeat(2_000)), Err(Fault::ArenaFull));
}

#[test]
fn a_document_piece_by_piece() {
    let mut b = builder();
    b.begin_object().unwrap();
    b.key("list").unwrap();
    b.begin_array().unwrap();
    b.number_lexeme("1.50").unwrap();
    b.number(0.1 + 0.2).unwrap();
    b.integer(-7).unwrap();
    b.integer(i64::MAX).unwrap();
    b.boolean(true).unwrap();
    b.null().unwrap();
    b.end().unwrap();
    b.key("text").unwrap();
    b.text("ä").unwrap();
    b.key("empty").unwrap();
    b.begin_object().unwrap();
    b.end().unwrap();
    b.key("text").unwrap();
    b.text("again").unwrap();
    b.end().unwrap();
    assert_eq!(
        finished(b),
        r#"{"list":[1.50,0.30000000000000004,-7,9223372036854775807,true,null],"text":"again","empty":{}}"#
    );
    assert!(builder().finish().unwrap().is_undefined());
}

#[test]
fn values_of_other_documents_are_taken_in() {
    let other = Document::parse(br#"{"a":{"b":["x",1.0]}}"#, &Limits::default()).unwrap();
    let mut b = builder();
    b.begin_object().unwrap();
    b.key("gone").unwrap();
    b.value(other.root().get("missing")).unwrap();
    b.key("taken").unwrap();
    b.value(other.root().get("a")).unwrap();
    b.end().unwrap();
    drop(other);
    assert_eq!(finished(b), r#"{"taken":{"b":["x",1.0]}}"#);
}

#[test]
fn a_key_that_comes_again_is_written_once() {
    let mut records = builder();
    records.begin_array().unwrap();
    let mut used = Vec::new();
    for record in 0..200 {
        records.begin_object().unwrap();
        for field in 0..20 {
            // Now and then one is missing, or the order is another.
            if (record + field) % 7 == 0 {
                continue;
            }
            let field = if record % 5 == 0 { 19 - field } else { field };
            records.key(&format!("a key of some length {field}")).unwrap();
            records.integer(field).unwrap();
        }
        records.end().unwrap();
        used.push(records.arena.values.regions.iter().map(|region| region.text.len()).sum::<usize>());
    }
    records.end().unwrap();
    assert_eq!(used.last(), used.get(3), "all were written in the first records");
    let records = records.finish().unwrap();
    for (at, record) in records.root().items().enumerate() {
        assert!(
            record.entries().all(|(key, value)| key == format!("a key of some length {}", value.as_i64().unwrap()))
        );
        assert_eq!(record.len(), (0..20).filter(|field| (at + field) % 7 != 0).count());
    }
    // More keys than are kept.
    let mut many = builder();
    many.begin_object().unwrap();
    for key in (0..KEYS_MAX * 3).chain(0..KEYS_MAX * 3) {
        many.key(&key.to_string()).unwrap();
        many.integer(key as i64).unwrap();
    }
    many.end().unwrap();
    let many = many.finish().unwrap();
    assert_eq!(many.root().len(), KEYS_MAX * 3);
    assert!(many.root().entries().all(|(key, value)| Some(key) == value.lexeme().as_deref()));
}
