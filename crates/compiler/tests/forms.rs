//! Forms of the language that bind names on the way, order, group and change: what each is, beside what
//! it is not. The public suite has many more cases; these say what a reader must know.
#![expect(clippy::panic, reason = "a broken premise must fail the test on the spot")]

use lockgate_compiler::expression_module;

fn refused(text: &str) -> Vec<String> {
    match expression_module(text, true) {
        Ok(_) => panic!("`{text}` compiles"),
        Err(problems) => problems.0.into_iter().map(|problem| problem.code).collect(),
    }
}

#[test]
fn a_parent_needs_a_step_whose_object_it_is() {
    expression_module("a.b.%.c", true).unwrap();
    expression_module("a.b[%.c = 1].(%.%.d)", true).unwrap();
    for text in ["%", "a.%.%.%", "$x.%", "[1].%"] {
        assert_eq!(refused(text), ["S0217"], "{text}");
    }
}

#[test]
fn names_are_bound_before_filters_and_order() {
    expression_module("a@$x.b[$x.c = d]^(e){f: $x}", true).unwrap();
    expression_module("a#$i[$i > 1]", true).unwrap();
    assert_eq!(refused("a[1]@$x"), ["S0215"]);
    assert_eq!(refused("a^(b)@$x"), ["S0216"]);
}

#[test]
fn an_order_has_as_many_terms_as_have_a_bit() {
    let order = |terms: usize| format!("a^({})", vec![">b"; terms].join(", "));
    expression_module(&order(31), true).unwrap();
    assert_eq!(refused(&order(32)), ["LG-EXPR-SIZE"]);
}

#[test]
fn a_grouping_ends_its_step() {
    expression_module("(a{b: c})[0]", true).unwrap();
    assert_eq!(refused("$x{b: c}[0]"), ["S0209"]);
    assert_eq!(refused("a{b: c}{d: e}"), ["S0210"]);
}

#[test]
fn a_regular_expression_is_held_to_linear_time_when_it_is_compiled() {
    expression_module("$match(a, /a(b|c)+?/im)", true).unwrap();
    for text in
        ["a ~> /(?=b)/", "$replace(a, /(?<!b)c/, 'd')", r"/(a)\1/(b)", "$split(a, /[b-a]/)", "/a{3,1}/", "/x/ii"]
    {
        assert_eq!(refused(text), ["LG-EXPR-REGEX"], "{text}");
    }
}

#[test]
fn a_module_has_so_many_regular_expressions() {
    let list = |count: usize| (0..count).map(|i| format!("$contains(a, /x{i}/)")).collect::<Vec<_>>().join(", ");
    expression_module(&format!("[{}]", list(100)), true).unwrap();
    assert_eq!(refused(&format!("[{}]", list(129))), ["LG-EXPR-SIZE"]);
    // The same one counts once.
    expression_module(&format!("[{}]", vec!["/x/(a)"; 300].join(", ")), true).unwrap();
}

/// A module must be one that an engine takes, however the forms are nested.
#[test]
fn what_compiles_validates() {
    for text in [
        "a.b@$x#$i.(c^(>%.d, <$i){$string(e): $sum(f), 'g': $x})",
        "$map(a, function($v){ $v ~> |b[c = $v.d]|{'e': $$.f}, ['g']| })",
        "$sift($each(a, function($v, $k){ {$k: $v} })[0], function($v){ $v })",
        "(a@$x.b@$y.{'x': $x, 'y': $y})[0]",
        "$single(a^(b), function($v, $i){ $i = 0 }).(%.c)",
        "$map([/a/, /b/i, function($s){ $s ~> /c/m }], function($p){ [$match(x, $p), $split(x, $p, 2), $replace(x, $p, function($m){ $m.next().match }), $contains(x, $p)] })",
        "$replace(?, /a/, 'b')(x) & x.$match(/d/, 2).groups & ($split ~> $count)(y, z)",
    ] {
        match expression_module(text, true) {
            Ok(module) => {
                wasmparser::validate(&module.wasm).unwrap_or_else(|e| panic!("`{text}`: {e}"));
            }
            Err(problems) => assert!(problems.0.iter().all(|p| p.code == "S0217"), "{text}: {problems}"),
        }
    }
}
