//! What once differed from the reference implementation, each case as small as it could be made.

use lockgate_proof::bench::{Answer, Bench};

#[test]
fn what_differed_once_agrees() {
    let bench = Bench::new();
    let value = |text: &str| Answer::Value(text.to_owned());
    let error = |code: &str| Answer::Error(code.to_owned());
    for (expression, document, expected) in [
        // A call with an argument too many was compiled to a module that no engine takes.
        ("$single([1], function($f, $w) { $w }, $$)", "1", error("T0410")),
        ("$reduce([1], function($a, $b, $i) { $i }, 1, 2)", "1", error("T0410")),
        // What is made of nothing at the end of a function is nothing, and no empty sequence.
        ("$map([1, 2], function($i) { $map(a, function($o) { $o }) })", "1", Answer::Undefined),
        ("$map([1, 2], function($i) { $filter(a, function($o) { $o }) })", "1", Answer::Undefined),
        ("($f := function($i) { $map(a, function($o) { $o }) }; $map([1, 2], $f))", "1", Answer::Undefined),
        ("$map([1, 2], function($i) { $match(a, /b/) })", "1", Answer::Undefined),
        ("$map([1, 2], function($i) { $map([], function($o) { $o }) })", "1", value("[[],[]]")),
        // Only a bound function that nobody reads may be left out, whatever else is bound to its name.
        ("($f := function($x) { 1 }; $f := $error(\"x\"); 2)", "1", error("D3137")),
        ("($f := $error(\"x\"); $f := function() { 1 }; 2)", "1", error("D3137")),
        ("($f := $y := 5; $f := function($x) { 1 }; $y)", "1", value("5")),
        // A text grows where it stands, also by three parts.
        ("$length($reduce([1..9000], function($p, $x) { $p & $x & \",\" }))", "1", value("43892")),
        // The first argument left out, the last given.
        ("(\"abc\").$pad(5, \"#\")", "1", value("\"abc##\"")),
        ("(1000).$fromMillis(\"[Y]\")", "1", value("\"1970\"")),
        ("(1000).$fromMillis(\"[H01] [z]\", \"+0100\")", "1", value("\"01 GMT+01:00\"")),
        ("(5).$formatNumber(\"0\", {\"zero-digit\": \"0\"})", "1", value("\"5\"")),
        ("$pad(a.a, \"x\")", "\"b\"", value("\"b\"")),
        // A range that is a step of a path stays whole.
        ("*.[-2..1]", "{\"a\":1,\"b\":1}", value("[[-2,-1,0,1],[-2,-1,0,1]]")),
        ("c.[1..2].$$", "{\"c\":1}", value("{\"c\":1}")),
        ("c.[1..2][]", "{\"c\":1}", value("[[1,2]]")),
        // A constructed array is one item of a path that goes on from it later.
        ("($x := a.[1, 2]; $x.($ & \"\"))", "{\"a\":1}", value("\"[1,2]\"")),
        ("(a.[1, 2]).($ & \"\")", "{\"a\":1}", value("\"[1,2]\"")),
        // An empty one at the start is the value.
        ("[].b", "1", value("[]")),
        ("[3..0].b.c", "1", value("[]")),
        ("[a].b", "{\"a\":{\"b\":2}}", value("2")),
        ("[a][0].b", "{\"a\":{\"b\":2}}", value("2")),
        // One array among the values: the result is an array whatever its length.
        ("*", "{\"a\":[]}", value("[]")),
        ("*", "{\"a\":[1]}", value("[1]")),
        ("*", "{\"a\":1}", value("1")),
        ("$spread([{\"a\": 1}])", "1", value("[{\"a\":1}]")),
        ("$spread({\"a\": 1})", "1", value("{\"a\":1}")),
        ("**[]", "1", value("1")),
        // `[]` behind an order or a name that is bound.
        ("b^(d)[]", "{\"b\":1}", value("[1]")),
        ("c@$v[]", "{\"c\":0}", value("[{\"c\":0}]")),
        // The root is one item, also for names that are bound on the way.
        ("1#$v", "[1,1]", value("1")),
        ("a#$i.$i", "[{\"a\":1},{\"a\":2}]", value("[0,1]")),
        // Nothing to order, nothing to filter.
        ("b^(>$)[$error()]", "1", Answer::Undefined),
        ("[]^($)", "1", Answer::Undefined),
        ("*[$error()]", "1", Answer::Undefined),
        // An empty array is grouped as nothing is.
        ("d{\"k\": 1}", "{\"d\":[]}", value("{\"k\":1}")),
        ("b.c#$v{1: 1}", "{\"b\":1}", value("{}")),
        // To no power at all 1 is no number; what starts a reduction is no function.
        ("$power(1, a)", "1", error("D3061")),
        ("$reduce([1], function($a, $b) { $a }, function() { 1 })", "1", error("T0410")),
        // What a transform finds beside its copy is left alone.
        ("a ~> |{\"x\": 1}|{\"y\": 2}, \"x\"|", "{\"a\":[1]}", value("[1]")),
        ("a ~> |$|b, [\"x\"]|", "{\"a\":[1]}", value("[1]")),
        // Keys come before values: two that are the same are an error whatever they hold.
        ("$$.b.{$$.b: d.c, $: $$.c}", "{\"b\":\"x\"}", error("D1009")),
        ("{3: 1}", "1", error("T1003")),
        // Without a text nothing is replaced by nothing, and no limit is looked at.
        ("$replace(a, \"a\", c)", "1", Answer::Undefined),
        ("$split(a, $uppercase, -1)", "1", Answer::Undefined),
        // Brackets that end with a path from an array constructor are one themselves.
        ("([].a).b", "1", value("[]")),
        ("([5..a].b).$$", "1", value("[]")),
        ("([1].[$, 2]).($ & \"\")", "1", value("[\"1\",\"2\"]")),
        ("{\"d\": [].b#$y}", "1", value("{\"d\":[]}")),
        ("[a].b@$x.$x", "{\"a\":{\"b\":2}}", value("2")),
        // One item that was ordered is no array any more.
        ("[a]^(>0)", "{\"a\":5}", value("5")),
        // Filters behind brackets at the start of a path keep the parents inside.
        ("(b.c)[0].%.e", "{\"b\":{\"e\":\"E\",\"c\":[{\"d\":1}]}}", value("\"E\"")),
        ("(b.c)[%.e = \"E\"].d", "{\"b\":{\"e\":\"E\",\"c\":[{\"d\":1},{\"d\":2}]}}", value("[1,2]")),
        ("(a)[$assert()].%", "1", Answer::Undefined),
        ("d.(a{\"b\": 1}).%", "{\"d\":[{\"a\":0}]}", Answer::Undefined),
        ("*.[].{\"b\": $abs()}", "{\"a\":1}", value("{}")),
        // Where a path ends before any names are bound, nothing is grouped as one item.
        ("a.b#$i{\"x\": 1}", "1", value("{\"x\":1}")),
        ("d^($)[0]", "{\"d\":[[1]]}", value("[1]")),
        // A name given twice is one variable: it was taken for the place alone.
        ("$map([\"x\"], function($v, $v) { $v })", "1", value("0")),
        ("$sum($map([1..5], function($v, $v) { $v % 3 }))", "1", value("4")),
        // A parameter left out keeps its place; of several arguments for one each becomes an array.
        ("(function($x, $y)<(nb)?x-a?> { [$x, $y] })()", "1", value("[1]")),
        ("(function($x, $y)<f?a<n>-b?:x> { $y })(b, true)", "1", Answer::Undefined),
        ("(function($x, $y)<a+> { [$type($x), $type($y)] })(1, 2)", "1", value("[\"array\",\"array\"]")),
        // One item that was picked from what was ordered is what the path goes on with, however it was made.
        ("b.[[1..3]]^(a)[-1].$", "{\"b\":1}", value("[1,2,3]")),
        ("b.[[1..2], [6]]^(a)[-1].$", "{\"b\":1}", value("[1,2,6]")),
        ("b.[[1..3]]^(a)[-1]", "{\"b\":1}", value("[[1,2,3]]")),
        // `[]` before a chain keeps what any function gives as a sequence.
        ("c[] ~> $lookup(?, \"a\")", "{\"c\":[{\"a\":1}]}", value("[1]")),
        ("c[] ~> $lookup(\"a\")", "{\"c\":[{\"a\":1}]}", value("[1]")),
        ("$lookup(c[], \"a\")", "{\"c\":[{\"a\":1}]}", value("1")),
        ("g[] ~> function($x) { $keys($x) }", "{\"g\":{\"a\":1}}", value("[\"a\"]")),
        ("($f := function($x) { $keys($x) }; $f(g)[])", "{\"g\":{\"a\":1}}", value("[\"a\"]")),
        ("($f := function($x) { $keys($x) }; $f(g))", "{\"g\":{\"a\":1}}", value("\"a\"")),
        ("c[].a ~> $map(?, function($x) { $x })", "{\"c\":[{\"a\":1}]}", value("[1]")),
        // It is kept on the way through functions.
        ("($f := function($y) { g[] }; $h := $f ~> function($x) { $x }; $h(1))", "{\"g\":5}", value("[5]")),
        ("($f := function($y) { $keys(g)[] }; $f(1))", "{\"g\":{\"a\":1}}", value("[\"a\"]")),
        ("($f := function() { g[] }; $h := function() { $keys($) }; $f())", "{\"g\":5}", value("[5]")),
        ("(function($y) { (function($x) { $keys($x) })(g) })(1)", "{\"g\":{\"a\":1}}", value("\"a\"")),
        ("($f := function($y) { $keys(g) }; $map([1], $f))", "{\"g\":{\"a\":1}}", value("\"a\"")),
        // A place where nothing is leaves no tuples, and nothing to group.
        ("b[1]#$z{\"a\": 1}", "{\"b\":1}", value("{}")),
        ("b#$z[1]{\"a\": 1}", "{\"b\":1}", value("{}")),
        ("b#$z[0]{\"a\": $z}", "{\"b\":1}", value("{\"a\":0}")),
        // All below nothing is nothing, which a filter is asked about; below an empty array there is none.
        ("b[**[$assert()]]", "1", error("T0410")),
        ("**[$assert()]", "[]", Answer::Undefined),
        ("d.(%^(d)).d", "{\"d\":1}", value("1")),
        // One array in a group is the group as it is; two and more items are one list.
        ("{\"m\":[[2]]}.m{\"k\": $}", "1", value("{\"k\":[2]}")),
        ("{\"m\":[1,[2]]}.m{$type($): $}", "1", value("{\"number\":1,\"array\":[2]}")),
        ("{\"m\":[1,[]]}.m{$type($): $}", "1", value("{\"number\":1,\"array\":[]}")),
        ("{\"m\":[1,[[2]]]}.m{$type($): $}", "1", value("{\"number\":1,\"array\":[[2]]}")),
        ("{\"m\":[[2],[3]]}.m{\"k\": $}", "1", value("{\"k\":[2,3]}")),
        ("{\"m\":[[],[3]]}.m{\"k\": $}", "1", value("{\"k\":[3]}")),
        ("{\"m\":[[2],3,[4],5]}.m{\"k\": $}", "1", value("{\"k\":[2,3,4,5]}")),
        ("{\"m\":[1,[2]]}.m{$type($): $string($)}", "1", value("{\"number\":\"1\",\"array\":\"[2]\"}")),
        (
            "($f := function() { $map([1], function($x) { 0 }) }; $g := function() { $map([1], function($x) { $f() }) }; $g())",
            "1",
            value("0"),
        ),
        // A parent is refused wherever there is none, and found behind brackets and filters.
        ("%^(b)", "1", error("S0217")),
        ("1 / %^(<a)", "1", error("S0217")),
        ("(%.a).b", "1", error("S0217")),
        ("[%].b", "1", error("S0217")),
        ("(b)[%.b = 1].$", "{\"b\":1}", value("1")),
        ("(b)[%.b = 1]^($)", "{\"b\":1}", value("1")),
        // `[]` at the root, where a list is one item.
        ("d[]", "[{\"d\":[[]]}]", value("[[]]")),
        ("d[]", "[{\"d\":[[1]]}]", value("[[1]]")),
        ("d", "[{\"d\":[[1]]}]", value("[1]")),
        // A copy is no array that was constructed.
        ("c.[0..-2].$clone()", "{\"c\":[1,1]}", Answer::Undefined),
        ("c.[0..-2].$", "{\"c\":[1,1]}", value("[[],[]]")),
        // Weeks of the year and of the month together are no date by weeks.
        ("$toMillis(\"1 1 7\", \"[W] [w] [s]\") % 60000", "1", value("7000")),
        ("$toMillis(\"1 7\", \"[W] [s]\")", "1", error("D3136")),
    ] {
        let given = match bench.compile(expression) {
            Ok(module) => bench.run(&module, document),
            Err(code) => Answer::Error(code),
        };
        assert_eq!(given, expected, "{expression} on {document}");
    }
}
