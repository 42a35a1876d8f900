use lockgate_document::{Document, schema::Schema};
use lockgate_model::{Diagnostic, Limits};

use super::*;

mod arguments;
mod several;
mod suggestions;
mod together;

pub(super) fn schema(json: &str) -> Schema {
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e}: {json}"));
    Schema::from_json(document.root()).unwrap_or_else(|all| panic!("{}", all[0]))
}

const ORDER: &str = r##"{
    "type": "object",
    "required": ["orderId", "total", "customer", "lines"],
    "properties": {
        "orderId": {"type": "string"},
        "total": {"type": "number"},
        "count": {"type": "integer"},
        "status": {"enum": ["paid", "open"]},
        "paid": {"type": "boolean"},
        "note": {"type": ["string", "null"]},
        "customer": {"$ref": "#/$defs/customer"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "only": {"type": "array", "maxItems": 1, "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "extra": {"type": "object"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "tree": {"$ref": "#/$defs/tree"}
    },
    "$defs": {
        "customer": {"type": "object", "required": ["id", "firstName"], "properties": {
            "id": {"type": "string"}, "firstName": {"type": "string"}, "lastName": {"type": "string"},
            "address": {"anyOf": [
                {"type": "object", "properties": {"street": {"type": "string"}}},
                {"type": "object", "properties": {"box": {"type": "integer"}}}]}}},
        "line": {"type": "object", "required": ["sku", "quantity"], "properties": {
            "sku": {"type": "string"}, "quantity": {"type": "integer"}, "price": {"type": "number"},
            "serials": {"type": "array", "items": {"type": "string"}}}},
        "tree": {"type": "object", "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    }
}"##;

const ERP: &str = r##"{
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "amount": {"type": "number"},
        "pieces": {"type": "integer"},
        "kind": {"enum": ["ORDER", "RETURN"]},
        "flag": {"type": "boolean"},
        "short": {"type": "string", "maxLength": 3},
        "percent": {"type": "number", "maximum": 100, "multipleOf": 0.01},
        "note": {"type": ["string", "null"]},
        "buyer": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "country": {"type": "string"}}},
        "items": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {
            "sku": {"type": "string"}, "net": {"type": "number"}}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "anything": {},
        "closed": {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": false},
        "open": {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": true},
        "choice": {"oneOf": [
            {"type": "object", "required": ["iban"], "properties": {"iban": {"type": "string"}}},
            {"type": "object", "required": ["card"], "properties": {"card": {"type": "string"}, "until": {"type": "string"}}}]},
        "tree": {"$ref": "#/$defs/tree"}
    },
    "$defs": {"tree": {"type": "object", "properties": {
        "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}}
}"##;

const HEAD: &str = "mapping: m\nversion: 1\nsource: { type: order }\ntarget: { type: erp }\nrules:\n";

fn checked(rules: &str, target: &str) -> (String, Vec<Diagnostic>, bool) {
    let (source, target) = (schema(ORDER), schema(target));
    let text = format!("{HEAD}{rules}");
    let map = MapFile::parse("m.map.yaml", &text).unwrap_or_else(|all| panic!("{all}: {rules}"));
    let rows = |table: &str, field: Option<&str>| match (table, field) {
        ("plants", Some("code")) => Shape::constant("DE10"),
        ("plants", Some("size")) => Shape::whole(),
        _ => Shape::any(),
    };
    let source = Type { name: "order", schema: &source };
    let checked = check(&map, Some(source), Some(Type { name: "erp", schema: &target }), &rows);
    let problems = checked.problems.into_result(()).err().unwrap_or_default().0;
    (text, problems, checked.proven)
}

/// Code, marked text, message and help of each problem.
fn told(rules: &str, target: &str) -> Vec<(String, String, String, String)> {
    let (text, problems, _) = checked(rules, target);
    let marked = |p: &Diagnostic| text.get(p.span.start as usize..p.span.end as usize).unwrap().to_owned();
    problems.iter().map(|p| (p.code.clone(), marked(p), p.message.clone(), p.help.clone().unwrap())).collect()
}

/// One rule that is refused: code, marked text, parts of message and help.
#[track_caller]
fn refused(rule: &str, code: &str, marked: &str, message: &str, help: &str) {
    let told = told(&format!("  - {rule}\n"), ERP);
    let [(found, place, words, hint)] = told.as_slice() else { panic!("{rule}: {told:?}") };
    assert_eq!((found.as_str(), place.as_str()), (code, marked), "{rule}: {words}");
    assert!(words.contains(message), "{rule}: {words}");
    assert!(hint.contains(help), "{rule}: {hint}");
}

#[track_caller]
fn fine(rule: &str) {
    assert_eq!(told(&format!("  - {rule}\n"), ERP), [], "{rule}");
}

#[track_caller]
fn proven(rule: &str, expected: bool) {
    let (_, problems, proven) = checked(&format!("  - {rule}\n"), ERP);
    assert_eq!((problems.len(), proven), (0, expected), "{rule}: {problems:?}");
}

#[test]
fn a_field_that_the_source_does_not_have() {
    let has_no = "the type `order` has no";
    for (rule, marked, message, help) in [
        ("{ to: code, from: ordreId }", "ordreId", "`ordreId` here", "did you mean `orderId`?"),
        ("{ to: code, from: customer.fistName }", "fistName", "`fistName` here", "did you mean `firstName`?"),
        (
            "{ to: code, from: '$uppercase(customer.x)' }",
            "x",
            "`x` here",
            "its fields are `address`, `firstName`, `id`",
        ),
        ("{ to: code, from: 'customer.(firstName & xx)' }", "xx", "`xx` here", "its fields are"),
        ("{ to: amount, from: '$sum(lines.pric)' }", "pric", "`pric` here", "did you mean `price`?"),
        ("{ to: amount, from: '$sum(lines[quantty > 1].price)' }", "quantty", "`quantty` here", "`quantity`"),
        ("{ to: amount, from: '$sum(lines.(prize * quantity))' }", "prize", "`prize` here", "`price`"),
        ("{ to: anything, from: 'lines^(>prise).sku' }", "prise", "`prise` here", "`price`"),
        ("{ to: anything, from: '$map(lines, function($l) { $l.skuu })' }", "skuu", "`skuu` here", "`sku`"),
        ("{ to: anything, from: '($c := customer; $c.idd)' }", "idd", "`idd` here", "`id`"),
        ("{ to: anything, from: '{\"a\": lines.{\"b\": skus}}' }", "skus", "`skus` here", "`sku`"),
        ("{ to: anything, from: '$lookup(customer, \"idx\")' }", "\"idx\"", "`idx` here", "`id`"),
        ("{ to: anything, from: customer.address.strete }", "strete", "`strete` here", "`street`"),
        ("{ to: anything, from: tree.children.children.nam }", "nam", "`nam` here", "`name`"),
        ("{ to: code, from: orderId, when: statsu = 'x' }", "statsu", "`statsu` here", "`status`"),
        ("{ to: code, from: orderId, default: ttotal }", "ttotal", "`ttotal` here", "`total`"),
        ("{ to: code, lookup: { table: plants, key: 'lines[0].skoo', value: code } }", "skoo", "`skoo` here", "`sku`"),
        ("{ to: 'tags[]', each: tgas }", "tgas", "`tgas` here", "`tags`"),
    ] {
        refused(rule, "LG-MAP-SOURCE", marked, message, help);
        let told = told(&format!("  - {rule}\n"), ERP);
        assert!(told[0].2.starts_with(has_no), "{told:?}");
    }
    refused("{ to: code, from: orderId.x }", "LG-MAP-SOURCE", "x", "a string has no field `x`", "the value itself");
    refused("{ to: code, from: '{\"a\": 1}.b' }", "LG-MAP-SOURCE", "b", "this object has no `b`", "did you mean `a`?");
    // In an entry `$` is the item and `$$` the document.
    let rules = "  - to: items[]\n    each: lines\n    rules:\n      - { to: sku, from: skuu }\n      - { to: net, from: $$.totl }\n";
    let told = told(rules, ERP);
    let marked: Vec<_> = told.iter().map(|(code, marked, ..)| (code.as_str(), marked.as_str())).collect();
    assert_eq!(marked, [("LG-MAP-SOURCE", "skuu"), ("LG-MAP-SOURCE", "totl")]);
}

#[test]
fn the_place_is_shown_in_a_folded_expression() {
    let (text, problems, _) =
        checked("  - to: code\n    from: >-\n      customer.firstName &\n      customer.lstName\n", ERP);
    assert_eq!(
        problems[0].render(&text),
        "error[LG-MAP-SOURCE]: the type `order` has no `lstName` here\n \
         --> m.map.yaml:9:16\n  |\n9 |       customer.lstName\n  |                ^^^^^^^\n  = help: did you mean `lastName`?\n"
    );
}

#[test]
fn a_place_that_the_target_does_not_have() {
    refused(
        "{ to: cdoe, from: orderId }",
        "LG-MAP-TARGET",
        "cdoe",
        "the type `erp` has no `cdoe`",
        "did you mean `code`?",
    );
    let rules = "  - { to: buyer.name, from: orderId }\n  - { to: buyer.nmae, from: orderId }\n";
    let told = told(rules, ERP);
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("LG-MAP-TARGET", "nmae"), "{told:?}");
    assert!(told[0].2.contains("has no `buyer.nmae`"), "{told:?}");
    refused("{ to: closed.nr, from: orderId }", "LG-MAP-TARGET", "nr", "`closed.nr`", "its fields are `id`");
    refused("{ to: closed, from: '{\"nr\": orderId}' }", "LG-MAP-TARGET", "\"nr\"", "`closed.nr`", "build the object");
    refused(
        "{ to: buyer, from: '{\"nmae\": orderId, \"name\": \"x\"}' }",
        "LG-MAP-TARGET",
        "\"nmae\"",
        "`buyer.nmae`",
        "`name`?",
    );
    fine("{ to: open.nr, from: orderId }");
    fine("{ to: anything.at.all, from: orderId }");
}

#[test]
fn a_value_of_another_kind() {
    for (rule, marked, message, help) in [
        (
            "{ to: code, from: total }",
            "total",
            "`code` is a string by the type `erp`, and this gives a number",
            "$string",
        ),
        ("{ to: amount, from: orderId }", "orderId", "is a number by", "$number"),
        ("{ to: pieces, from: '\"x\"' }", "\"x\"", "is a whole number by", "$number"),
        ("{ to: flag, from: orderId }", "orderId", "is a boolean by", "a condition"),
        ("{ to: code, from: '$count(lines)' }", "$count(lines)", "gives a whole number", "$string"),
        ("{ to: code, from: 'total > 5' }", "total > 5", "gives a boolean", "$string"),
        ("{ to: amount, from: 'orderId & \"x\"' }", "orderId & \"x\"", "gives a string", "$number"),
        ("{ to: amount, from: '$now()' }", "$now()", "gives a string", "$number"),
        ("{ to: code, from: customer }", "customer", "gives an object", "kind of value"),
        ("{ to: code, from: 'null' }", "null", "gives null", "kind of value"),
        ("{ to: code, from: 'paid ? 1 : orderId' }", "1", "gives a whole number", "$string"),
        ("{ to: note, from: total }", "total", "is a string or null by", "$string"),
        (
            "{ to: amount, lookup: { table: plants, key: orderId, value: code } }",
            "plants",
            "gives a string",
            "kind of value",
        ),
        ("{ to: code, from: orderId, default: '0' }", "0", "gives a whole number", "$string"),
        ("{ to: buyer.name, from: total }", "total", "`buyer.name` is a string", "$string"),
        ("{ to: buyer, from: '{\"name\": total}' }", "{\"name\": total}", "`buyer.name` is a string", "$string"),
        ("{ to: buyer, from: orderId }", "orderId", "`buyer` is an object", "kind of value"),
        (
            "{ to: code.part, from: orderId }",
            "code",
            "`code` is a string by the type `erp`, and rules below it",
            "one rule",
        ),
    ] {
        let code = "LG-MAP-KIND";
        refused(rule, code, marked, message, help);
    }
}

#[test]
fn arrays_and_single_values_are_told_apart() {
    for (rule, marked, message, help) in [
        (
            "{ to: tags, from: orderId }",
            "orderId",
            "`tags` is an array by the type `erp`, and this gives a string",
            "`to: 'tags[]'`",
        ),
        ("{ to: tags, from: lines.sku }", "lines.sku", "may give a single value", "write `to: 'tags[]'` and `each`"),
        ("{ to: tags, from: 'tags[$ != \"x\"]' }", "tags[$ != \"x\"]", "may give a single value", "each"),
        ("{ to: code, from: tags }", "tags", "is a string by the type `erp`, and this gives an array", "$join"),
        ("{ to: code, from: '[orderId]' }", "[orderId]", "gives an array", "$join"),
        (
            "{ to: 'code[]', each: tags }",
            "'code[]'",
            "`code` is a string by the type `erp`, and `each` makes",
            "leave out `[]`",
        ),
        ("{ to: items.sku, from: orderId }", "items", "`items` is an array by", "write `to: 'items[].…'`"),
        ("{ to: 'buyer[]', each: lines, from: sku }", "'buyer[]'", "`buyer` is an object by", "leave out `[]`"),
        ("{ to: '[]', each: lines }", "'[]'", "the target is an object by", "a rule for each field"),
        (
            "{ to: 'tags[]', each: lines.sku, default: '\"none\"' }",
            "\"none\"",
            "`tags` is an array",
            "`'[\"none\"]'` is",
        ),
        ("{ to: tags, from: tags, default: '\"none\"' }", "\"none\"", "`tags` is an array", "is an array of any"),
    ] {
        refused(rule, "LG-MAP-ARRAY", marked, message, help);
    }
    // An array that surely is one may be copied.
    for rule in ["{ to: tags, from: tags }", "{ to: tags, from: 'lines.sku[]' }", "{ to: tags, from: '[lines.sku]' }"] {
        fine(rule);
    }
    let root = r#"{"type": "array", "items": {"type": "string"}}"#;
    let found = told("  - { to: x, from: orderId }\n", root);
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("LG-MAP-ARRAY", "erp"), "{found:?}");
    assert!(found[0].3.contains("begin each `to` with `[]`"), "{found:?}");
    assert_eq!(told("  - { to: '[]', each: lines, from: sku }\n", root), []);
}

#[test]
fn a_text_that_the_type_does_not_name() {
    let of = "`kind` is one of \"ORDER\", \"RETURN\" by the type `erp`, and this gives";
    refused("{ to: kind, from: '\"ODER\"' }", "LG-MAP-CONSTANT", "\"ODER\"", of, "did you mean \"ORDER\"?");
    refused("{ to: kind, from: status }", "LG-MAP-CONSTANT", "status", of, "write one of them");
    refused("{ to: kind, from: 'paid ? \"ORDER\" : \"B\"' }", "LG-MAP-CONSTANT", "\"B\"", of, "write one");
    refused("{ to: kind, from: 'orderId ?? \"RETRUN\"' }", "LG-MAP-CONSTANT", "\"RETRUN\"", of, "\"RETURN\"?");
    refused("{ to: kind, from: orderId, default: '\"X\"' }", "LG-MAP-CONSTANT", "\"X\"", of, "write one");
    let by = "does not take this value by the type `erp`: the type says";
    refused(
        "{ to: short, from: '\"abcd\"' }",
        "LG-MAP-CONSTANT",
        "\"abcd\"",
        &format!("`short` {by} at most 3 characters"),
        "a value",
    );
    refused("{ to: percent, from: '101' }", "LG-MAP-CONSTANT", "101", &format!("{by} at most 100"), "a value");
    refused(
        "{ to: percent, from: '0.015' }",
        "LG-MAP-CONSTANT",
        "0.015",
        &format!("{by} a multiple of 0.01"),
        "a value",
    );
    fine("{ to: percent, from: '99.99' }");
    fine("{ to: kind, from: orderId }");
}

#[test]
fn a_field_that_the_target_requires() {
    let required = ERP.replacen("\"properties\"", "\"required\": [\"code\", \"items\"], \"properties\"", 1);
    let found = told("  - { to: amount, from: total }\n", &required);
    let codes: Vec<_> = found.iter().map(|(code, marked, ..)| (code.as_str(), marked.as_str())).collect();
    assert_eq!(codes, [("LG-MAP-REQUIRED", "erp"); 2], "{found:?}");
    assert!(found[0].2.contains("requires `code`, and no rule sets it"), "{found:?}");
    assert_eq!(found[0].3, "add a rule: `- { to: code, from: … }`");
    // In the entries of an array, and in objects.
    let rules =
        "  - { to: code, from: orderId }\n  - { to: 'items[]', each: lines, rules: [{ to: net, from: price }] }\n";
    let found = told(rules, &required);
    assert_eq!((found.len(), found[0].1.as_str()), (1, "'items[]'"), "{found:?}");
    assert!(found[0].2.contains("requires `items[].sku`"), "{found:?}");
    refused(
        "{ to: buyer.country, from: orderId }",
        "LG-MAP-REQUIRED",
        "buyer",
        "requires `buyer.name`",
        "to: buyer.name",
    );
    refused(
        "{ to: buyer, from: '{\"country\": \"DE\"}' }",
        "LG-MAP-REQUIRED",
        "{\"country\": \"DE\"}",
        "`buyer.name`, and this gives none",
        "field by field",
    );
    refused("{ to: buyer, from: customer }", "LG-MAP-REQUIRED", "customer", "requires `buyer.name`", "field by field");
    refused(
        "{ to: 'items[]', each: tree.children }",
        "LG-MAP-REQUIRED",
        "tree.children",
        "requires `items[].sku`",
        "field",
    );
    // Only at times.
    let rules = "  - { to: code, from: orderId, when: paid }\n  - { to: 'items[]', each: lines }\n";
    let found = told(rules, &required);
    assert_eq!((found.len(), found[0].0.as_str(), found[0].1.as_str()), (1, "LG-MAP-REQUIRED", "paid"), "{found:?}");
    assert!(found[0].2.contains("sets it only at times") && found[0].3.contains("choose the value"), "{found:?}");
    // What may be left out in the source is no problem for certain.
    fine("{ to: buyer.name, from: customer.lastName }");
}

#[test]
fn of_several_alternatives_one_is_enough() {
    fine("{ to: choice.iban, from: orderId }");
    fine("{ to: choice.card, from: orderId }");
    refused("{ to: choice.ibna, from: orderId }", "LG-MAP-TARGET", "ibna", "`choice.ibna`", "did you mean `iban`?");
    refused("{ to: choice.until, from: orderId }", "LG-MAP-REQUIRED", "choice", "requires `choice.card`", "add a rule");
    fine("{ to: anything, from: customer.address.street }");
    fine("{ to: anything, from: customer.address.box }");
}

#[test]
fn what_is_not_known_is_no_problem() {
    for rule in [
        "{ to: code, from: extra.deep.down }",
        "{ to: code, from: labels.anything }",
        "{ to: amount, from: '$reduce(lines, function($a, $l) { $a + $l.priice }, 0)' }",
        "{ to: code, from: '*' }",
        "{ to: code, from: '**.sku' }",
        "{ to: code, from: 'lines@$l.($l.whatever)' }",
        "{ to: code, from: '($x := customer; paid ? $x := tree : 1; $x.nothing)' }",
        "{ to: code, from: '$merge([customer, tree]).nothing' }",
        "{ to: code, from: '($f := function($x) { $x.nothing }; $f(customer))' }",
        "{ to: code, from: 'customer ~> |$|{\"a\": 1}| ~> $string' }",
        "{ to: code, from: '$.orderId' }",
        "{ to: code, from: 'note' }",
        "{ to: pieces, from: total }",
        "{ to: code, from: 'lines[0].serials[0]' }",
        "{ to: tags, from: '$append(tags, extra.tags)' }",
        "{ to: tree, from: tree }",
        "{ to: tree.children, from: tree.children }",
    ] {
        fine(rule);
    }
}

#[test]
fn what_is_proven_is_said() {
    for (rule, expected) in [
        ("{ to: code, from: orderId }", true),
        ("{ to: code, from: 'customer.(firstName & \" \" & lastName)' }", true),
        ("{ to: pieces, from: '$count(lines)' }", true),
        ("{ to: pieces, from: 'count + 1' }", true),
        ("{ to: amount, from: '$sum(lines.price)' }", true),
        ("{ to: note, from: note }", true),
        ("{ to: kind, from: '\"ORDER\"' }", true),
        ("{ to: tree, from: tree }", true),
        ("{ to: 'tags[]', each: lines, from: sku }", true),
        ("{ to: 'tags[]', each: lines.sku }", true),
        ("{ to: tags, from: tags }", true),
        ("{ to: tags, from: '[lines.sku]' }", true),
        ("{ to: code, lookup: { table: plants, key: orderId, value: code } }", true),
        ("{ to: anything, from: extra }", true),
        ("{ to: code, from: extra.x }", false),
        ("{ to: code, from: note }", false),
        ("{ to: code, from: 'lines[sku = $$.orderId].sku' }", false),
        ("{ to: pieces, from: total }", false),
        ("{ to: kind, from: orderId }", false),
        ("{ to: buyer.name, from: customer.firstName }", true),
        ("{ to: buyer.name, from: customer.lastName }", false),
        ("{ to: buyer.name, from: customer.lastName, default: '\"?\"' }", true),
        ("{ to: buyer, from: '{\"name\": customer.firstName}' }", true),
        ("{ to: buyer, from: '{\"name\": customer.lastName}' }", false),
        ("{ to: choice.iban, from: orderId }", false),
    ] {
        proven(rule, expected);
    }
}

#[test]
fn shapes_that_would_grow_without_end_are_not_known() {
    let doubled: String =
        (0..200).map(|i| format!("$x{} := {{\"a\": $x{i}, \"b\": [$x{i}, $x{i}]}}; ", i + 1)).collect();
    fine(&format!("{{ to: code, from: '($x0 := orderId; {doubled}$x200.a)' }}"));
    let nested = (0..60).fold("tags".to_owned(), |list, _| format!("$map({list}, function($v) {{ [$v, [$v]] }})"));
    fine(&format!("{{ to: anything, from: '{nested}' }}"));
}
