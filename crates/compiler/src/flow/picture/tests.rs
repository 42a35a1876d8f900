//! Pictures of flows.

use super::picture;

const HEAD: &str =
    "document: { dsl: '1.0.3', namespace: test, name: flow, version: '1.0.0' }\nevaluate: { language: jsonata }\n";

fn drawn(body: &str) -> String {
    picture("f.flow.yaml", &format!("{HEAD}{body}")).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_flow_with_problems_is_not_drawn() {
    assert!(picture("f.flow.yaml", HEAD).is_err());
    assert!(picture("f.flow.yaml", "{").is_err());
    let many: String = (0..501).map(|i| format!("  - t{i}: {{ set: {{ a: 1 }} }}\n")).collect();
    let problems = picture("f.flow.yaml", &format!("{HEAD}do:\n{many}")).unwrap_err();
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
    assert_eq!(drawn(&format!("do:\n{many}")).matches("class=\"data\"").count(), 300);
    let mut deep = "set: { a: 1 }".to_owned();
    for i in 0..30 {
        deep = format!("do: [{{ d{i}: {{ {deep} }} }}]");
    }
    drawn(&format!("{deep}\n"));
}
