//! A hostile publisher harms its own runs alone: an endless loop and an arena bomb end at their
//! limits, and the orders of a neighbour go through meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::house::{House, ORDER};

fn flow(name: &str, expression: &str) -> String {
    format!(
        "document:\n  dsl: '1.0.3'\n  namespace: default\n  name: {name}\n  version: '1.0.0'\nevaluate:\n  language: jsonata\ndo:\n  - harm:\n      set:\n        result: >-\n          ${{ {expression} }}\n"
    )
}

#[test]
fn an_endless_loop_and_an_arena_bomb_harm_nobody_else() {
    let house = House::start();
    let admin = house.administrator();
    let project = house.folder().join("hostile");
    std::fs::create_dir(&project).unwrap();
    let write = |file: &str, text: &str| std::fs::write(project.join(file), text).unwrap();
    write("project.yaml", "project: hostile\ntitle: Hostile\n");
    write("endless.flow.yaml", &flow("endless", "($f := function($x) { $f($x + 1) }; $f(1))"));
    write("bomb.flow.yaml", &flow("bomb", "$map([1..9000000], function($v) { {\"a\": $v, \"b\": $string($v)} })"));
    write("deep.flow.yaml", &flow("deep", "($f := function($x) { 1 + $f($x) }; $f(1))"));
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "hostile", "development"]);

    let harm = |name: &str| house.request(&admin, "POST", &format!("/demo/development/{name}"), Some("{}"), &[]);
    for (name, code) in [("bomb", "LG-LIMIT-ARENA"), ("deep", "U1001")] {
        let reply = harm(name);
        assert_eq!(reply.status, 500, "{name}: {reply:?}");
        assert!(reply.body.contains(code), "{name}: {reply:?}");
    }

    // While the loop burns its cost, the neighbour's orders go through.
    let (done, through) = (AtomicBool::new(false), std::sync::atomic::AtomicU32::new(0));
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| {
            let reply = harm("endless");
            done.store(true, Ordering::SeqCst);
            reply
        });
        while !done.load(Ordering::SeqCst) {
            assert_eq!(house.order(&admin, ORDER).status, 200);
            if !done.load(Ordering::SeqCst) {
                through.fetch_add(1, Ordering::SeqCst);
            }
        }
        let reply = looping.join().unwrap();
        assert!(matches!(reply.status, 500 | 504), "{reply:?}");
        assert!(reply.body.contains("LG-LIMIT-"), "{reply:?}");
    });
    assert!(through.load(Ordering::SeqCst) >= 2, "no order went through beside the loop");
    let runs = house.cli_json(&["runs", "list", "--env", "development", "--limit", "1000"]);
    let open = runs["items"].as_array().unwrap().iter().filter(|run| run["ended"].is_null());
    assert_eq!(open.count(), 0, "a run was left open: {runs}");
}
