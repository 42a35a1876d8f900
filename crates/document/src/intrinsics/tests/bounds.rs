//! What holds for all intrinsics: memory, cost and depth are bounded, whatever a module does.

use super::*;

/// Lists in lists; each holds the one below twice, so that nothing can take a short way through singletons.
fn nested(b: &mut Bench, depth: usize) -> Handle {
    let mut list = b.json("[0]");
    for _ in 1..depth {
        let outer = b.arena.arr_new(0).unwrap();
        b.arena.arr_push(outer, list).unwrap();
        b.arena.arr_push(outer, list).unwrap();
        list = outer;
    }
    list
}

#[test]
fn a_chain_too_deep_is_refused_by_everything_that_follows_it() {
    let mut b = Bench::new();
    let k = b.key("a");
    let (deep, other) = (nested(&mut b, 100_000), nested(&mut b, 100_000));
    let too_deep = Fault::DepthExceeded;
    let mut out = Vec::new();
    assert_eq!(b.arena.print_json(deep, &mut out, 1 << 20), Err(too_deep.clone()));
    assert_eq!(b.arena.eq(deep, other), Err(too_deep.clone()));
    assert_eq!(b.arena.truthy(deep), Err(too_deep.clone()));
    assert_eq!(b.arena.wildcard(deep), Err(too_deep.clone()));
    assert_eq!(b.arena.descend(deep), Err(too_deep.clone()));
    assert_eq!(b.arena.keys(deep), Err(too_deep.clone()));
    assert_eq!(b.arena.get(deep, k), Err(too_deep.clone()));
    assert_eq!(b.arena.to_string(deep, 0), Err(too_deep.clone()));
    assert_eq!(b.arena.export(deep, &Limits::default()).unwrap_err(), too_deep);
    let (scratch, target) = (b.region(), b.region());
    b.arena.enter(scratch);
    let deep = nested(&mut b, 1_000);
    assert_eq!(b.arena.copy_into(deep, target), Err(too_deep));
}

#[test]
fn a_cycle_is_only_a_very_deep_value() {
    let mut b = Bench::new();
    let list = b.arena.arr_new(0).unwrap();
    b.arena.arr_push(list, list).unwrap();
    let mut out = Vec::new();
    assert_eq!(b.arena.print_json(list, &mut out, 1 << 20), Err(Fault::DepthExceeded));
    assert_eq!(b.arena.eq(list, list), Err(Fault::DepthExceeded));
    assert_eq!(b.arena.export(list, &Limits::default()).unwrap_err(), Fault::DepthExceeded);
    b.arena.arr_push(list, list).unwrap();
    assert_eq!(b.arena.truthy(list), Err(Fault::DepthExceeded));
    assert_eq!(b.arena.descend(list), Err(Fault::DepthExceeded));
}

#[test]
fn doubling_doubles_cannot_outgrow_the_arena() {
    let mut b = Bench::under(&Limits { arena_bytes_max: 1 << 20, ..Limits::default() });
    let mut text = b.json("\"0123456789\"");
    let grown = loop {
        match b.arena.concat(text, text) {
            Ok(longer) => text = longer,
            Err(fault) => break fault,
        }
    };
    assert_eq!(grown, Fault::ArenaFull);
    let mut list = b.json("[1,2]");
    let grown = loop {
        match b.arena.append(list, list) {
            Ok(longer) => list = longer,
            Err(fault) => break fault,
        }
    };
    assert_eq!(grown, Fault::ArenaFull);
    assert!(b.arena.bytes_peak() <= 1 << 20);
}

#[test]
fn shared_parts_cannot_be_printed_or_copied_without_end() {
    // 2^60 leaves in 120 nodes.
    let mut b = Bench::under(&Limits { arena_bytes_max: 1 << 20, cost_max: 1_000_000, ..Limits::default() });
    let (scratch, frame) = (b.region(), b.region());
    b.arena.enter(scratch);
    let list = nested(&mut b, 60);
    let mut out = Vec::new();
    assert_eq!(b.arena.print_json(list, &mut out, 10_000), Err(Fault::ReplyTooLarge));
    assert_eq!(b.arena.to_string(list, 0), Err(Fault::ArenaFull));
    assert_eq!(b.arena.truthy(list), Err(Fault::CostExceeded));
    b.arena.set_budget(u64::MAX);
    assert_eq!(b.arena.copy_into(list, frame), Err(Fault::ArenaFull));
    let small = Limits { arena_bytes_max: 1 << 16, ..Limits::default() };
    assert_eq!(b.arena.export(list, &small).unwrap_err(), Fault::ArenaFull);
}

/// Does some work; says whether it succeeded.
type Work<'a> = &'a dyn Fn(&mut Arena) -> bool;

#[test]
fn work_on_bytes_and_items_is_charged() {
    let mut b = Bench::new();
    let text = b.json(&format!("\"{}\"", "ä ".repeat(10_000)));
    let list = b.json(&format!("[{}0]", "1,".repeat(10_000)));
    let (other, space, k) = (b.json(&format!("[{}0]", "1,".repeat(10_000))), b.json("\" \""), b.key("a"));
    let numbers = 0x80 | i32::from(b'n');
    let works: [(&str, Work<'_>); 15] = [
        ("length", &|a| a.length(text).is_ok()),
        ("upper", &|a| a.upper(text).is_ok()),
        ("trim", &|a| a.trim(text).is_ok()),
        ("contains", &|a| a.contains(text, space).is_ok()),
        ("split", &|a| a.split(text, space, f64::NAN).is_ok()),
        ("concat", &|a| a.concat(text, space).is_ok()),
        ("sum", &|a| a.sum(list).is_ok()),
        ("sort", &|a| a.sort(list).is_ok()),
        ("distinct", &|a| a.distinct(list).is_ok()),
        ("reverse", &|a| a.reverse(list).is_ok()),
        ("append", &|a| a.append(list, list).is_ok()),
        ("get", &|a| a.get(list, k).is_ok()),
        ("eq", &|a| a.eq(list, other).is_ok()),
        ("to_string", &|a| a.to_string(list, 0).is_ok()),
        ("check", &|a| a.check(list, numbers, 1).is_ok()),
    ];
    for (name, work) in works {
        let before = b.arena.charged();
        assert!(work(&mut b.arena), "{name}");
        assert!(b.arena.charged() - before >= 1_000, "{name} costs too little");
        b.arena.set_budget(b.arena.charged() + 10);
        assert!(!work(&mut b.arena), "{name} goes past the budget");
        b.arena.set_budget(u64::MAX);
    }
}
