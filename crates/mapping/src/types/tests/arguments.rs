//! Values that functions and operators refuse whatever they are.

use super::*;

#[test]
fn what_a_function_surely_refuses_is_told() {
    for (from, marked, message, help) in [
        ("$uppercase(lines)", "lines", "`$uppercase` takes a string, and this gives an array", "`(…)[0]`"),
        ("$uppercase(total)", "total", "`$uppercase` takes a string, and this gives a number", "`$string(…)`"),
        ("$substring(orderId, status)", "status", "takes a number, and this gives a string", "`$number(…)`"),
        (
            "$string($sum(lines.sku))",
            "lines.sku",
            "each item that `$sum` takes is a number, and this gives a string",
            "`(…).$number($)`",
        ),
        ("$join(lines.quantity)", "lines.quantity", "each item that `$join` takes is a string", "`(…).$string($)`"),
        ("$string(total * orderId)", "orderId", "`*` takes a number, and this gives a string", "`$number(…)`"),
        ("$string(paid + 1)", "paid", "`+` takes a number, and this gives a boolean", "kind of value"),
        (
            "$string($max(lines.(sku & quantity)))",
            "lines.(sku & quantity)",
            "each item that `$max`",
            "`(…).$number($)`",
        ),
        ("$string($round(customer))", "customer", "`$round` takes a number, and this gives an object", "kind of value"),
        ("$string(lines[0].(quantity - sku))", "sku", "`-` takes a number", "`$number(…)`"),
    ] {
        refused(&format!("{{ to: code, from: '{from}' }}"), "LG-MAP-KIND", marked, message, help);
    }
    for from in [
        "$string($sum(lines.(sku).$number($)))",
        "$join(lines.(quantity).$string($))",
        "$string(total * $number(orderId))",
    ] {
        fine(&format!("{{ to: code, from: '{from}' }}"));
    }
}

#[test]
fn what_a_function_may_take_is_fine() {
    for from in [
        "$uppercase(note)",
        "$uppercase(extra.x)",
        "$uppercase(lines.sku[0])",
        "$string($sum(lines.price))",
        "$string($sum(tags[0].$number($)))",
        "$string($sum([]))",
        "$string($sum(total))",
        "$join(orderId)",
        "$join(tags, \"-\")",
        "customer.$uppercase()",
        "customer.id.$substringBefore(\"-\")",
        "$replace(orderId, /a/, function($m) { $m.match })",
        "$split(orderId, \"-\")[0]",
        "$contains(orderId, \"a\") ? orderId",
        "$pad(orderId, 3)",
        "$string(count + total * -1)",
        "$string($count(lines) / 2)",
        "$fromMillis($millis())",
        "$string($lookup(customer, \"id\"))",
        "$string(extra.x * 2)",
    ] {
        fine(&format!("{{ to: code, from: '{from}' }}"));
    }
}
