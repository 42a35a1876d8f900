//! Pictures of flows.

use super::picture;
use crate::Sources;

const HEAD: &str =
    "document: { dsl: '1.0.3', namespace: test, name: flow, version: '1.0.0' }\nevaluate: { language: jsonata }\n";

fn drawn(body: &str) -> String {
    picture("some/f.flow.yaml", &format!("{HEAD}{body}"), &Sources::default())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_flow_with_problems_is_not_drawn() {
    assert!(picture("f.flow.yaml", HEAD, &Sources::default()).is_err());
    assert!(picture("f.flow.yaml", "{", &Sources::default()).is_err());
    let many: String = (0..501).map(|i| format!("  - t{i}: {{ set: {{ a: 1 }} }}\n")).collect();
    let problems = picture("some/f.flow.yaml", &format!("{HEAD}do:\n{many}"), &Sources::default()).unwrap_err();
    assert_eq!(problems.0[0].file, "some/f.flow.yaml");
    assert_eq!(problems.0.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), ["LG-DRAW-SIZE"]);
}

#[test]
fn ways_that_cannot_be_laid_out_in_time_are_refused() {
    let switches: String =
        (0..300).map(|i| format!("  - s{i}: {{ switch: [{{ a: {{ when: a, then: z }} }}] }}\n")).collect();
    let body = format!("do:\n{switches}  - z: {{ set: {{ a: 1 }} }}\n");
    let problems = picture("f.flow.yaml", &format!("{HEAD}{body}"), &Sources::default()).unwrap_err();
    assert_eq!(problems.0.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), ["LG-DRAW-SIZE"]);
}

#[test]
fn every_task_and_every_way_is_drawn_and_the_same_each_time() {
    let body = "do:
  - first: { set: { a: '<&>' }, if: '${ true }' }
  - choice: { switch: [{ big: { when: a > 1, then: loop } }, { small: { then: end } }] }
  - loop:
      for: { each: line, in: '${ lines }' }
      do:
        - send:
            try: [{ post: { call: http, with: { method: post, endpoint: 'https://h' } } }]
            catch:
              errors: { with: { type: https://open-workflow-specification.org/dsl/errors/types/communication, status: 503 } }
              retry: { delay: PT1S }
              do: [{ pause: { wait: PT1S } }, { fail: { raise: { error: { type: 'https://x/y', status: 500 } } } }]
";
    let svg = drawn(body);
    for name in ["first", "choice", "loop", "send", "post", "catch", "pause", "fail", "start", "end"] {
        assert_eq!(svg.matches(&format!(">{name}</text>")).count(), 1, "{name}");
    }
    for label in
        ["if not", "big", "small", "each line", "done", "error", "retry", "communication 503", "https.post https://h"]
    {
        assert!(svg.contains(&format!(">{label}</text>")), "{label}: {svg}");
    }
    assert_eq!(svg.matches("class=\"frame\"").count(), 2);
    assert!(svg.contains("&lt;&amp;&gt;") && !svg.contains("NaN") && !svg.contains("inf"));
    for _ in 0..5 {
        assert_eq!(drawn(body), svg);
    }
}

#[test]
fn loops_by_then_and_many_tasks_are_drawn() {
    drawn(
        "do:\n  - a: { set: { x: 1 } }\n  - b: { switch: [{ c: { when: x, then: a } }] }\n  - d: { set: { y: 1 } }\n",
    );
    drawn("do:\n  - a: { set: { x: 1 }, if: x, then: a }\n  - b: { set: { x: 1 } }\n");
    let many: String = (0..300).map(|i| format!("  - t{i}: {{ set: {{ a: 1 }} }}\n")).collect();
    assert_eq!(drawn(&format!("do:\n{many}")).matches("class=\"data\"").count(), 301);
    let mut deep = "set: { a: 1 }".to_owned();
    for i in 0..30 {
        deep = format!("do: [{{ d{i}: {{ {deep} }} }}]");
    }
    drawn(&format!("{deep}\n"));
}

#[test]
fn the_key_has_the_kinds_that_occur_and_no_other() {
    let words = [
        "makes data",
        "calls or runs",
        "decides what is next",
        "waits",
        "fails, or handles what failed",
        "on failure, or if not",
    ];
    let has = |body: &str, wanted: &[usize]| {
        let svg = drawn(body);
        for (at, words) in words.iter().enumerate() {
            assert_eq!(
                svg.matches(&format!(">{words}</text>")).count(),
                usize::from(wanted.contains(&at)),
                "{words}: {svg}"
            );
        }
    };
    has("do:\n  - a: { set: { x: 1 } }\n", &[0]);
    // Both ways on lead to the end: they are one arrow.
    has("do:\n  - a: { wait: PT1S, if: '${ x }' }\n", &[3]);
    has("do:\n  - a: { try: [{ b: { set: { x: 1 } } }], catch: { do: [{ c: { wait: PT1S } }] } }\n", &[0, 2, 3, 4, 5]);
    has(
        "do:\n  - a: { call: http, with: { method: get, endpoint: 'https://h' } }\n  - b: { do: [ { c: { raise: { error: { type: 'https://x/y', status: 500 } } } } ] }\n",
        &[1, 2, 4],
    );
}

#[test]
fn a_call_by_description_shows_its_origin_or_else_what_the_description_is_called() {
    let flow = format!(
        "{HEAD}do:\n  - a: {{ call: openapi, with: {{ document: {{ endpoint: documents/pets.json }}, operationId: findPets }} }}\n"
    );
    let api = r#"{"openapi":"3.0.3","info":{"title":"p","version":"1"},"servers":[{"url":"https://pets.example/v1"}],"paths":{"/pets":{"get":{"operationId":"findPets","responses":{"200":{"description":"ok"}}}}}}"#;
    let shows = |files: &[(&str, &str)], wanted: &str| {
        let beside = Sources(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
        let svg = picture("some/f.flow.yaml", &flow, &beside).unwrap();
        assert!(svg.contains(&format!(">{wanted}</text>")), "{wanted}: {svg}");
    };
    shows(&[], "findPets pets.json");
    shows(&[("documents/pets.json", "{")], "findPets pets.json");
    shows(&[("documents/pets.json", api)], "https.get https://pets.example");
}
