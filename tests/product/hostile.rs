//! Sources that nobody writes by hand, pushed and deployed end to end: each is taken or refused as
//! the author's mistake, and the server goes on serving.

use serde_json::json;

use crate::house::{House, ORDER};

fn flow(expression: &str) -> String {
    let expression = serde_json::to_string(&format!("${{ {expression} }}")).unwrap();
    format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: h, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\ndo:\n  - a: {{ set: {{ x: {expression} }} }}\n"
    )
}

#[test]
fn monstrous_sources_are_answered_and_harm_nobody() {
    let house = House::start();
    let admin = house.administrator();
    let head = flow("1").split("do:").next().unwrap().to_owned();
    let sources = [
        ("a path of many steps", flow(&format!("a{}", ".a".repeat(200_000)))),
        ("a long sum", flow(&format!("{}1", "1+".repeat(200_000)))),
        ("a long concatenation", flow(&format!("{}''", "'x'&".repeat(100_000)))),
        ("lambdas in lambdas", flow(&format!("{}1{}", "function(){".repeat(500), "}".repeat(500)))),
        ("blocks in blocks", flow(&format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)))),
        ("arrays in arrays", flow(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)))),
        ("conditions in conditions", flow(&"1?1:".repeat(50_000).to_string())),
        ("predicates", flow(&format!("a{}", "[0]".repeat(100_000)))),
        ("a long text", flow(&format!("'{}'", "x".repeat(8 << 20)))),
        ("an array of many items", flow(&format!("[{}0]", "0,".repeat(300_000)))),
        (
            "an object of many keys",
            flow(&format!("{{{}'z':0}}", (0..50_000).map(|i| format!("'k{i}':0,")).collect::<String>())),
        ),
        ("many variables", flow(&format!("({} 1)", (0..20_000).map(|i| format!("$v{i} := {i};")).collect::<String>()))),
        ("deep YAML", format!("{head}do:\n  - a: {{ set: {}1{} }}\n", "[".repeat(100_000), "]".repeat(100_000))),
        (
            "many tasks",
            format!(
                "{head}do:\n{}",
                (0..20_000).map(|i| format!("  - t{i}: {{ set: {{ a: 1 }} }}\n")).collect::<String>()
            ),
        ),
        ("an unclosed string", flow(&format!("'{}", "\\u0041".repeat(200_000)))),
        ("only operators", flow(&"*".repeat(200_000))),
        ("only quotes", flow(&"`".repeat(199_999))),
        ("a byte order mark and nothing", "\u{feff}".to_owned()),
        ("control characters", format!("{head}do: \u{1}\u{2}\n")),
    ];
    for (what, source) in sources {
        let body = json!({"files": {"project.yaml": "project: h\n", "h.flow.yaml": source}}).to_string();
        let pushed = house.request(&admin, "POST", "/admin/v1/tenants/demo/projects/h/versions", Some(&body), &[]);
        assert!(matches!(pushed.status, 200 | 422), "{what}: {} {:.300}", pushed.status, pushed.body);
        if pushed.status == 200 {
            let path = "/admin/v1/tenants/demo/environments/development/deployments/h";
            let deployed = house.request(&admin, "PUT", path, Some("{}"), &[]);
            assert!(matches!(deployed.status, 200 | 422), "{what}: {} {:.300}", deployed.status, deployed.body);
            if deployed.status == 200 {
                let run = house.request(&admin, "POST", "/demo/development/h", Some("{}"), &[]);
                assert!(matches!(run.status, 200 | 500), "{what}: {} {:.300}", run.status, run.body);
                assert!(run.status == 200 || !run.code().starts_with("LG-INTERNAL"), "{what}: {:.300}", run.body);
            }
        }
        eprintln!("{what}: {}", pushed.status);
        assert_eq!(house.order(&admin, ORDER).status, 200, "after {what}");
    }
}
