use lockgate_model::Limits;

use crate::{Arena, Document, Fault, Handle, RegionId};

const TEXT: &str = r#"{"a":[1,1.50,1e400,"x\n",{"b":[]}],"c":null,"d":{"e":true}}"#;

fn show(arena: &Arena, h: Handle) -> String {
    let mut out = Vec::new();
    arena.print_json(h, &mut out, 1 << 20).unwrap();
    String::from_utf8(out).unwrap()
}
/// An arena with a frame and a scratch region in it; scratch is current.
fn frame_and_scratch() -> (Arena, RegionId, RegionId) {
    let mut arena = Arena::new(&Limits::default());
    let frame = arena.open_region(arena.input_region()).unwrap();
    let scratch = arena.open_region(frame).unwrap();
    arena.enter(scratch);
    (arena, frame, scratch)
}

#[test]
fn functions_are_no_data() {
    let (mut arena, frame, _) = frame_and_scratch();
    let function = arena.fn_new(1, 0, Handle::UNDEFINED).unwrap();
    let list = arena.arr_new(0).unwrap();
    arena.arr_push(list, function).unwrap();
    for h in [function, list] {
        assert_eq!(arena.copy_into(h, frame), Err(Fault::FunctionValue));
        assert_eq!(arena.export(h, &Limits::default()).unwrap_err(), Fault::FunctionValue);
    }
    // Also where the value would be shared.
    arena.enter(frame);
    let function = arena.fn_new(1, 0, Handle::UNDEFINED).unwrap();
    assert_eq!(arena.copy_into(function, frame), Err(Fault::FunctionValue));
}

#[test]
fn stale_values_are_not_copied() {
    let (mut arena, frame, scratch) = frame_and_scratch();
    let text = arena.new_text("gone").unwrap();
    arena.enter(frame);
    let list = arena.arr_new(0).unwrap();
    arena.arr_push(list, text).unwrap();
    arena.clear_region(scratch);
    assert_eq!(arena.copy_into(text, frame), Err(Fault::StaleHandle));
    assert_eq!(arena.export(text, &Limits::default()).unwrap_err(), Fault::StaleHandle);
    assert_eq!(arena.export(list, &Limits::default()).unwrap_err(), Fault::StaleHandle);
}

#[test]
fn copies_cost_and_are_bounded() {
    let (mut arena, frame, _) = frame_and_scratch();
    let value = arena.parse_json(format!("[{}0]", "1,".repeat(5_000)).as_bytes()).unwrap();
    let text = arena.new_text(&"x".repeat(50_000)).unwrap();
    for h in [value, text] {
        let before = arena.charged();
        arena.copy_into(h, frame).unwrap();
        assert!(arena.charged() - before >= 5_000);
    }
    arena.set_budget(arena.charged() + 100);
    assert_eq!(arena.copy_into(value, frame), Err(Fault::CostExceeded));
    let document = Document::parse(format!("[{}0]", "1,".repeat(5_000)).as_bytes(), &Limits::default()).unwrap();
    assert_eq!(arena.import(&document, frame), Err(Fault::CostExceeded));
    let small = Limits { arena_bytes_max: 10_000, ..Limits::default() };
    assert_eq!(arena.export(value, &small).unwrap_err(), Fault::ArenaFull);
    let mut small = Arena::new(&small);
    assert_eq!(small.import(&document, small.input_region()), Err(Fault::ArenaFull));
}

#[test]
fn a_copy_outlives_its_source() {
    let (mut arena, frame, scratch) = frame_and_scratch();
    let value = arena.parse_json(TEXT.as_bytes()).unwrap();
    let copy = arena.copy_into(value, frame).unwrap();
    arena.clear_region(scratch);
    arena.new_text(&"x".repeat(500)).unwrap();
    assert_eq!(show(&arena, copy), TEXT);
}

#[test]
fn what_lives_long_enough_is_shared() {
    let mut arena = Arena::new(&Limits::default());
    let input = arena.parse_json(br#"{"big":[1,2,3]}"#).unwrap();
    let frame = arena.open_region(arena.input_region()).unwrap();
    arena.enter(frame);
    let held = arena.parse_json(br#"["held"]"#).unwrap();
    let (slot, scratch) = (arena.open_region(frame).unwrap(), arena.open_region(frame).unwrap());
    let other = arena.open_region(frame).unwrap();
    arena.enter(other);
    let foreign = arena.parse_json(br#"["foreign"]"#).unwrap();
    arena.enter(scratch);
    let list = arena.arr_new(0).unwrap();
    for h in [input, held, foreign, Handle::TRUE] {
        arena.arr_push(list, h).unwrap();
    }
    let copy = arena.copy_into(list, slot).unwrap();
    assert_eq!(arena.at(copy, 0), Ok(input));
    assert_eq!(arena.at(copy, 1), Ok(held));
    assert_eq!(arena.at(copy, 3), Ok(Handle::TRUE));
    assert_ne!(arena.at(copy, 2), Ok(foreign));
    assert_eq!(arena.copy_into(input, slot), Ok(input));
    assert_eq!(arena.copy_into(copy, slot), Ok(copy));
    assert_eq!(arena.copy_into(Handle::UNDEFINED, slot), Ok(Handle::UNDEFINED));
    arena.close_region(scratch);
    arena.close_region(other);
    assert_eq!(show(&arena, copy), r#"[{"big":[1,2,3]},["held"],["foreign"],true]"#);
}

#[test]
fn a_value_can_be_built_on_after_it_was_copied() {
    let (mut arena, frame, scratch) = frame_and_scratch();
    let list = arena.parse_json(b"[[1],[2]]").unwrap();
    let copy = arena.copy_into(list, frame).unwrap();
    arena.clear_region(scratch);
    for _ in 0..10 {
        arena.arr_push(copy, Handle::NULL).unwrap();
    }
    let object = arena.parse_json(br#"{"a":1}"#).unwrap();
    let object = arena.copy_into(object, frame).unwrap();
    for n in 0..40 {
        let key = arena.new_text(&format!("k{n}")).unwrap();
        arena.obj_set_dyn(object, key, Handle::TRUE).unwrap();
    }
    assert!(show(&arena, copy).starts_with("[[1],[2],null,null"));
    assert_eq!(arena.view(object).len(), 41);
}

#[test]
fn documents_come_and_go_whole() {
    let document = Document::parse(TEXT.as_bytes(), &Limits::default()).unwrap();
    let (mut arena, frame, scratch) = frame_and_scratch();
    arena.parse_json(b"[\"something\",{\"before\":[1,2]}]").unwrap();
    let region = arena.copy_into(Handle::NULL, frame).map(|_| scratch).unwrap();
    let first = arena.import(&document, region).unwrap();
    let second = arena.import(&document, region).unwrap();
    drop(document);
    assert_eq!((show(&arena, first), show(&arena, second)), (TEXT.to_owned(), TEXT.to_owned()));
    let exported = arena.export(first, &Limits::default()).unwrap();
    drop(arena);
    assert_eq!(exported.print(1_000).unwrap(), TEXT.as_bytes());
}

#[test]
fn single_values_are_documents_too() {
    let mut arena = Arena::new(&Limits::default());
    for text in ["null", "true", "5", "1e400", "\"x\"", "[]", "{}"] {
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let h = arena.import(&document, arena.input_region()).unwrap();
        let exported = arena.export(h, &Limits::default()).unwrap();
        assert_eq!(exported, document);
        assert_eq!(exported.print(100).unwrap(), text.as_bytes());
    }
    let none = arena.import(&Document::undefined(), arena.input_region());
    assert_eq!(none, Ok(Handle::UNDEFINED));
    assert!(arena.export(Handle::UNDEFINED, &Limits::default()).unwrap().is_undefined());
    // A range is data as well.
    let (one, nine) = (arena.parse_json(b"1").unwrap(), arena.parse_json(b"9").unwrap());
    let range = arena.range(one, nine).unwrap();
    assert_eq!(arena.export(range, &Limits::default()).unwrap().print(100).unwrap(), b"[1,2,3,4,5,6,7,8,9]");
}

#[test]
fn a_value_that_is_shared_over_and_over_is_not_walked_over_and_over() {
    let (mut arena, _, scratch) = frame_and_scratch();
    let mut value = arena.parse_json(b"[1]").unwrap();
    for _ in 0..40 {
        let list = arena.arr_new(0).unwrap();
        for _ in 0..8 {
            arena.arr_push(list, value).unwrap();
        }
        value = list;
    }
    let before = arena.charged();
    assert_eq!(arena.lies_in(value, scratch), Ok(false));
    assert!(arena.charged() - before < 2_000, "{}", arena.charged() - before);
    let plain = arena.parse_json(br#"{"a":[1,"x",{"b":null}]}"#).unwrap();
    assert_eq!(arena.lies_in(plain, scratch), Ok(true));
}
