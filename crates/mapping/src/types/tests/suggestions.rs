//! What is suggested is accepted when it is put into the file.

use super::*;

/// What stands in backticks in the only help.
fn suggested(rules: &str, target: &str) -> Vec<String> {
    let told = told(rules, target);
    let [(.., help)] = told.as_slice() else { panic!("{rules}: {told:?}") };
    help.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn a_suggested_value_is_accepted_in_its_rule() {
    for (rule, written) in [
        ("- { to: code, from: lines.sku }", "lines.sku"),
        ("- { to: code, from: tags }", "tags"),
        ("- { to: code, from: 'lines[0].serials' }", "'lines[0].serials'"),
        ("- { to: amount, from: lines.price }", "lines.price"),
        ("- { to: flag, from: 'lines.(quantity > 1)' }", "'lines.(quantity > 1)'"),
        (
            "- { to: code, from: '$map(lines, function($l) { $l.sku & \"it''s\" })' }",
            "'$map(lines, function($l) { $l.sku & \"it''s\" })'",
        ),
        ("- { to: code, from: orderId, default: lines.sku }", "lines.sku"),
        ("- { to: code, from: total }", "total"),
        ("- { to: amount, from: orderId }", "orderId"),
        ("- { to: flag, from: orderId }", "orderId"),
        ("- { to: tags, from: tags, default: status }", "status"),
    ] {
        let all = suggested(&format!("  {rule}\n"), ERP);
        assert!(!all.is_empty());
        for one in all {
            let pasted = rule.replace(written, &one);
            assert_ne!(pasted, rule);
            assert_eq!(told(&format!("  {pasted}\n"), ERP), [], "{pasted}");
        }
    }
    // A part of what an expression writes.
    let rule = "- { to: buyer, from: '{\"name\": lines.sku}' }";
    for one in suggested(&format!("  {rule}\n"), ERP) {
        let pasted = rule.replace("lines.sku", &one.replace('…', "lines.sku"));
        assert_eq!(told(&format!("  {pasted}\n"), ERP), [], "{pasted}");
    }
}

#[test]
fn a_suggested_key_is_accepted_in_its_rule() {
    for (rule, from) in [
        ("- { to: tags, from: orderId }", "from: orderId"),
        ("- { to: tags, from: lines.sku }", "from: lines.sku"),
        ("- { to: tree.children, from: tree }", "from: tree"),
    ] {
        let all = suggested(&format!("  {rule}\n"), ERP);
        let [to, each, key] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((each.as_str(), key.as_str()), ("each", "from"));
        let (before, _) = rule.split_once("to: ").unwrap();
        let pasted = format!("{before}{to}, {} }}", from.replace("from", each));
        assert_eq!(told(&format!("  {pasted}\n"), ERP), [], "{pasted}");
    }
    // Beside `each`.
    for (rule, from) in [
        ("- { to: 'tags[]', each: lines.quantity }", "$string"),
        ("- { to: 'numbers[]', each: tags }", "$number"),
        ("- { to: 'flags[]', each: tags }", "yes"),
        ("- { to: 'lists[]', each: tags }", "[$]"),
        ("- { to: 'tags[]', each: '[[\"a\", \"b\"]]' }", "$join"),
    ] {
        let lists = r#""tags": {"type": "array", "items": {"type": "string"}}, "numbers": {"type": "array", "items": {"type": "number"}},
            "flags": {"type": "array", "items": {"type": "boolean"}},
            "lists": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}"#;
        let target = format!("{{\"type\": \"object\", \"properties\": {{{lists}}}}}");
        let all = suggested(&format!("  {rule}\n"), &target);
        assert!(all.iter().any(|one| one.contains(from)), "{all:?}");
        for one in all.iter().filter(|one| *one != "each") {
            let pasted = rule.replace(" }", &format!(", {one} }}"));
            assert_eq!(told(&format!("  {pasted}\n"), &target), [], "{pasted}");
        }
    }
}

#[test]
fn a_suggested_rule_is_accepted() {
    let required = |names: &str| ERP.replacen("\"properties\"", &format!("\"required\": [{names}], \"properties\""), 1);
    let odd = r#"{"type": "object", "required": ["@odd name"], "properties": {"@odd name": {"type": "string"}}}"#;
    let matrix = r#"{"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}"#;
    let root = r#"{"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}"#;
    let lines = "  - { to: 'items[]', each: lines, rules: [{ to: net, from: price }] }\n";
    for (rules, keep, target, filled) in [
        ("  - { to: amount, from: total }\n", true, required("\"code\""), &["orderId"][..]),
        ("  - { to: amount, from: total }\n", true, required("\"tags\""), &["lines.sku"]),
        ("  - { to: amount, from: total }\n", true, required("\"items\""), &["lines"]),
        (lines, true, ERP.to_owned(), &["sku"]),
        ("  []\n", false, odd.to_owned(), &["orderId"]),
        ("  - { to: code.part, from: orderId }\n", false, ERP.to_owned(), &["orderId"]),
        (
            "  - { to: 'tags[]', each: lines, rules: [{ to: sku, from: sku }] }\n",
            false,
            matrix.to_owned(),
            &["lines", "sku"],
        ),
        (
            "  - { to: '[]', each: lines, rules: [{ to: net, from: price }] }\n",
            true,
            root.replace("{\"sku\": ", "{\"net\": {}, \"sku\": "),
            &["sku"],
        ),
    ] {
        let told = told(rules, &target);
        let [(.., help)] = told.as_slice() else { panic!("{rules}: {told:?}") };
        let rule = help.rsplit_once("`- ").unwrap().1;
        // A name may have backticks of its own.
        let mut rule = format!("- {}", rule.strip_suffix('`').unwrap());
        for one in filled {
            rule = rule.replacen('…', one, 1);
        }
        let pasted = if keep { format!("{rules}  {rule}\n") } else { format!("  {rule}\n") };
        assert_eq!(super::told(&pasted, &target), [], "{pasted}");
    }
    // A target that is an array, and a place in one.
    let told_of = |rules: &str, target: &str| told(rules, target)[0].3.clone();
    let help = told_of("  - { to: sku, from: orderId }\n", root);
    assert!(help.contains("`- { to: '[]', each: … }`"), "{help}");
    assert_eq!(told("  - { to: '[].sku', from: sku }\n  - { to: '[]', each: lines }\n", root), []);
    let help = told_of("  - { to: items.sku, from: orderId }\n", ERP);
    assert!(help.contains("`to: 'items[].…'`") && help.contains("`- { to: 'items[]', each: … }`"), "{help}");
    assert_eq!(told("  - { to: 'items[].sku', from: sku }\n  - { to: 'items[]', each: lines }\n", ERP), []);
}
