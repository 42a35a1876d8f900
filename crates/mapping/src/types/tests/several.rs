//! Several values where the target takes one.

use super::*;

#[test]
fn several_values_do_not_go_where_one_is_meant() {
    for (from, help) in [
        ("lines.sku", "take one of them, `'(lines.sku)[0]'`, or make one text of all: `$join(lines.sku)`"),
        // An index behind the last name is one of each line's.
        ("lines.sku[0]", "`'(lines.sku[0])[0]'`"),
        ("lines.serials[0]", "`'(lines.serials[0])[0]'`"),
        ("lines[0].serials", "`'(lines[0].serials)[0]'`"),
        ("tags", "take one of them, `'tags[0]'`, or make one text of all: `$join(tags)`"),
        ("lines^(price).sku", "$join"),
        ("lines.(sku & \"!\")", "$join"),
        ("$map(lines, function($l) { $l.sku })", "$join"),
        ("($l := lines; $l.sku)", "$join"),
        ("paid ? lines.sku : orderId", "$join"),
        ("lines.sku ?? orderId", "$join"),
        ("$lookup(lines, \"sku\")", "$join"),
        ("$$.lines.sku", "$join"),
        ("tree.children.children.name", "$join"),
        // What a condition picks still gives several of each.
        ("lines[quantity > 1].serials", "$join"),
        ("tree.children[name = \"a\"].children.name", "$join"),
    ] {
        let quoted = from.replace('\'', "''");
        refused(&format!("{{ to: code, from: '{quoted}' }}"), "LG-MAP-ARRAY", from, "`code` is a string by", help);
    }
    let may = "may give several values";
    refused(
        "{ to: amount, from: lines.price }",
        "LG-MAP-ARRAY",
        "lines.price",
        may,
        "add them up: `$sum(lines.price)`",
    );
    refused(
        "{ to: flag, from: lines.(quantity > 1) }",
        "LG-MAP-ARRAY",
        "lines.(quantity > 1)",
        may,
        "take one of them: ",
    );
    refused("{ to: buyer.name, from: lines.sku }", "LG-MAP-ARRAY", "lines.sku", may, "$join");
    refused("{ to: code, from: orderId, default: lines.sku }", "LG-MAP-ARRAY", "lines.sku", may, "$join");
    let written = "{\"name\": lines.sku}";
    let rule = format!("{{ to: buyer, from: '{written}' }}");
    refused(
        &rule,
        "LG-MAP-ARRAY",
        written,
        "`buyer.name` is a string by",
        "`(…)[0]`, or make one text of all: `$join(…)`",
    );
    refused(
        "{ to: 'items[]', each: tree.children, from: '{\"sku\": children.name}' }",
        "LG-MAP-ARRAY",
        written_sku(),
        may,
        "$join",
    );
}

fn written_sku() -> &'static str {
    "{\"sku\": children.name}"
}

#[test]
fn one_of_several_goes_where_one_is_meant() {
    for from in [
        "(lines.sku)[0]",
        "lines[0].sku",
        "lines[-1].sku",
        "lines[0].serials[0]",
        "$join(lines.sku)",
        "$single(lines, function($l) { $l.sku = \"a\" }).sku",
        // A condition may leave one: the type cannot tell.
        "lines[sku = \"a\"].sku",
        "lines[sku = \"a\"][0].sku",
        "lines[sku = \"a\"].(sku & \"!\")",
        "lines.(quantity > 1 ? sku)",
        "$filter(lines, function($l) { $l.sku = \"a\" }).sku",
        "$distinct(lines.sku)",
        // Nor how many items an array has that an expression makes.
        "$map([orderId], function($v) { $v })",
        "$map($split(orderId, \"-\"), function($v) { $v })",
        "$map(lines, function($l) { $l.quantity > 1 ? $l.sku })",
        "only.name",
        "orderId",
        "either",
    ] {
        fine(&format!("{{ to: code, from: '{from}' }}"));
    }
    fine("{ to: amount, from: $sum(lines.price) }");
    fine("{ to: 'items[]', each: lines, rules: [{ to: sku, from: sku }] }");
    fine("{ to: 'tags[]', each: lines.sku }");
    fine("{ to: anything, from: lines.sku }");
}
