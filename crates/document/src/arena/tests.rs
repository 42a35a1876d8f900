use super::*;

fn arena() -> Arena {
    Arena::new(&Limits::default())
}
fn show(arena: &Arena, h: Handle) -> String {
    let mut out = Vec::new();
    arena.print_json(h, &mut out, 1 << 20).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn handles_of_an_emptied_or_closed_region_are_stale() {
    let mut arena = arena();
    let region = arena.open_region(arena.input_region()).unwrap();
    let before = arena.enter(region);
    let old = arena.new_num(1.0).unwrap();
    arena.clear_region(region);
    assert_eq!(arena.kind(old), Err(Fault::StaleHandle));
    let new = arena.new_num(2.0).unwrap();
    assert_ne!(old, new);
    assert_eq!(arena.kind(old), Err(Fault::StaleHandle));
    assert_eq!(show(&arena, new), "2");
    arena.close_region(region);
    assert_eq!(arena.kind(new), Err(Fault::StaleHandle));
    assert_eq!(arena.enter(before), arena.input_region());
    // The slot is used again, by another generation.
    let next = arena.open_region(arena.input_region()).unwrap();
    arena.enter(next);
    let newest = arena.new_num(3.0).unwrap();
    assert_eq!(newest.slot(), new.slot());
    assert_eq!(arena.kind(new), Err(Fault::StaleHandle));
}

#[test]
fn a_closed_region_is_no_place_for_anything() {
    let mut arena = arena();
    let region = arena.open_region(arena.input_region()).unwrap();
    arena.enter(region);
    arena.close_region(region);
    arena.close_region(region);
    arena.clear_region(region);
    // What was current falls back to the parent.
    assert_eq!(arena.enter(region), arena.input_region());
    let number = arena.new_num(1.0).unwrap();
    assert_eq!(arena.copy_into(number, region), Err(Fault::StaleHandle));
    assert_eq!(arena.import(&crate::Document::null(), region), Err(Fault::StaleHandle));
}

#[test]
fn the_input_region_stays() {
    let mut arena = arena();
    let number = arena.parse_json(b"[1]").unwrap();
    arena.clear_region(arena.input_region());
    arena.close_region(arena.input_region());
    assert_eq!(show(&arena, number), "[1]");
}

#[test]
fn emptying_uses_the_same_memory_again() {
    let mut arena = arena();
    let region = arena.open_region(arena.input_region()).unwrap();
    arena.enter(region);
    let mut used = 0;
    for round in 0..100 {
        for _ in 0..1_000 {
            let list = arena.arr_new(0).unwrap();
            arena.arr_push(list, Handle::TRUE).unwrap();
            arena.new_text("some text").unwrap();
        }
        if round == 0 {
            used = arena.bytes_used();
        }
        assert_eq!(arena.bytes_used(), used);
        arena.clear_region(region);
    }
}

#[test]
fn a_large_region_gives_its_memory_back() {
    let mut arena = Arena::new(&Limits { arena_bytes_max: 1 << 20, ..Limits::default() });
    for _ in 0..20 {
        let region = arena.open_region(arena.input_region()).unwrap();
        arena.enter(region);
        arena.new_text(&"x".repeat(700_000)).unwrap();
        arena.clear_region(region);
        arena.new_text(&"x".repeat(700_000)).unwrap();
        arena.close_region(region);
    }
    assert!(arena.bytes_used() < 1 << 18);
    assert!(arena.bytes_peak() <= 1 << 20);
    assert_eq!(arena.new_text(&"x".repeat(2 << 20)), Err(Fault::ArenaFull));
}

#[test]
fn many_closed_regions_keep_little() {
    let mut arena = Arena::new(&Limits { arena_bytes_max: 1 << 20, ..Limits::default() });
    let regions: Vec<RegionId> = (0..40).map(|_| arena.open_region(arena.input_region()).unwrap()).collect();
    for region in &regions {
        arena.enter(*region);
        arena.new_text(&"x".repeat(20_000)).unwrap();
    }
    for region in regions {
        arena.close_region(region);
    }
    assert!(arena.bytes_used() <= (1 << 20) / 8);
}

#[test]
fn a_worn_out_slot_retires_and_the_region_goes_on() {
    let mut arena = arena();
    let region = arena.open_region(arena.input_region()).unwrap();
    arena.enter(region);
    let first = arena.new_num(0.0).unwrap();
    let mut last = first;
    for round in 0..70_000 {
        arena.clear_region(region);
        assert_eq!(arena.kind(last), Err(Fault::StaleHandle), "round {round}");
        last = arena.new_num(1.0).unwrap();
        assert_ne!(last.generation(), WORN_OUT);
    }
    assert_ne!(first.slot(), last.slot());
    assert_eq!(arena.kind(first), Err(Fault::StaleHandle));
    assert_eq!(show(&arena, last), "1");
    // Closing wears a slot out too.
    let mut slots = std::collections::BTreeSet::new();
    for _ in 0..70_000 {
        let region = arena.open_region(arena.input_region()).unwrap();
        arena.enter(region);
        slots.insert(arena.new_num(1.0).unwrap().slot());
        arena.close_region(region);
    }
    assert_eq!(slots.len(), 2);
}

#[test]
fn regions_run_out_in_an_orderly_way() {
    let mut arena = arena();
    let mut opened = 0u32;
    let fault = loop {
        match arena.open_region(arena.input_region()) {
            Ok(_) => opened += 1,
            Err(fault) => break fault,
        }
    };
    assert_eq!((fault, opened), (Fault::RegionsExhausted, 65_536 - 3));
}

#[test]
fn the_budget_is_a_hard_line() {
    let mut arena = Arena::new(&Limits { cost_max: 100, ..Limits::default() });
    assert_eq!(arena.charge(100), Ok(()));
    assert_eq!(arena.charge(1), Err(Fault::CostExceeded));
    assert_eq!(arena.charged(), 101);
    arena.set_budget(200);
    assert_eq!(arena.charge(99), Ok(()));
    assert_eq!(arena.charge(u64::MAX), Err(Fault::CostExceeded));
    arena.set_limits(&Limits::default());
    assert_eq!(arena.charged(), u64::MAX);
}

#[test]
fn no_handle_that_a_module_could_guess_panics() {
    let mut arena = arena();
    let value = arena.parse_json(br#"{"a":[1,2,{"b":"text"}]}"#).unwrap();
    let region = arena.open_region(arena.input_region()).unwrap();
    arena.enter(region);
    let mut raw = value.raw() as u64;
    for _ in 0..20_000 {
        raw = raw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Small parts, so that many of them meet something.
        let part = |shift: u32, max: u64| (raw >> shift) % max;
        let (x, y) = (
            Handle::new(part(3, 2) as u16, part(7, 5) as u16, part(11, 40) as u32),
            Handle::new(part(50, 5) as u16, part(23, 2) as u16, part(29, 40) as u32),
        );
        let _ = (arena.get_dyn(x, y), arena.at(x, 1), arena.wildcard(y), arena.descend(x), arena.keys(y));
        let _ = (arena.seq_push(x, y), arena.seq_end(y, 2), arena.arr_append(x, y), arena.arr_put(x, 0, y));
        let _ = (arena.obj_set_dyn(x, y, x), arena.concat(x, y), arena.split(x, y, 3.0), arena.sort(y));
        let _ = (arena.env_get(x, 2, 1), arena.env_set(y, 0, x), arena.eq(x, y), arena.distinct(x), arena.merge(y));
        if raw.is_multiple_of(50) {
            arena.clear_region(region);
        }
        if arena.charge(0).is_err() {
            arena.set_budget(u64::MAX);
        }
    }
}
