use super::{format, is_same};

fn line(text: &str) -> String {
    format(text, None).unwrap()
}

#[test]
fn what_is_no_expression_is_refused() {
    for text in ["", "a +", "a b", "(a", "\"x", "/* a"] {
        assert!(format(text, None).is_err(), "{text}");
    }
}

#[test]
fn one_form_of_each_kind() {
    for (written, wanted) in [
        ("a.b . c", "a.b.c"),
        ("a+b*-c", "a + b * -c"),
        ("(a+b)*c", "(a + b) * c"),
        ("((a))", "((a))"),
        ("'it'&'\"'&'\\\"'", "\"it\" & '\"' & \"\\\"\""),
        ("a[ b=1 ][ ]", "a[][b = 1]"),
        ("a^( >b,<c , d )", "a^(>b, c, d)"),
        ("a@$x#$i.b", "a@$x#$i.b"),
        ("{'a':1,\"b\" :[1 .. 3]}", "{ \"a\": 1, \"b\": [1..3] }"),
        ("[1..$count(a)-1]", "[1 .. $count(a) - 1]"),
        ("a{b:c}", "a{ b: c }"),
        ("a?b:c", "a ? b : c"),
        ("a ?b", "a ? b"),
        ("a?:b ??c", "a ?: b ?? c"),
        ("( $x:=1 ;$x+1; )", "($x := 1; $x + 1)"),
        ("function ( $a,$b ) <n-n:n> {$a+$b}", "function($a, $b)<n-n:n> { $a + $b }"),
        ("λ($a){$a}(1)", "λ($a) { $a }(1)"),
        ("$map( a ,function($x){$x} )", "$map(a, function($x) { $x })"),
        ("$f(?,1)", "$f(?, 1)"),
        ("a~>$f~>$g(1)", "a ~> $f ~> $g(1)"),
        ("$~>|a.b|{'c':1},['d','e']|", "$ ~> |a.b|{ \"c\": 1 }, [\"d\", \"e\"]|"),
        ("$match(a,/a b\\/[/]/i)", "$match(a, /a b\\/[/]/i)"),
        ("`a b`.`c`", "`a b`.`c`"),
        ("and and or", "and and or"),
        ("a in[1,2]", "a in [1, 2]"),
        ("**.a.*.%.b", "**.a.*.%.b"),
        ("()", "()"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("- -a", "--a"),
        ("a.(b;c)", "a.(b; c)"),
    ] {
        assert_eq!(line(written), wanted, "{written}");
        assert!(is_same(written, wanted), "{written}");
        assert_eq!(line(wanted), wanted);
    }
}

#[test]
fn what_does_not_fit_is_broken_at_its_outermost_places_first() {
    let folded = |text: &str, width| format(text, Some(width)).unwrap();
    assert_eq!(folded("first & \" \" & last", 12), "first\n  & \" \"\n  & last");
    assert_eq!(
        folded("a = 1 ? \"one\" : a = 2 ? \"two\" : \"more\"", 20),
        "a = 1 ? \"one\"\n: a = 2 ? \"two\"\n: \"more\""
    );
    assert_eq!(
        folded("$map(lines, function($l) { $l.quantity * $l.price })", 30),
        "$map(lines, function($l) {\n  $l.quantity * $l.price\n})"
    );
    assert_eq!(folded("($x := 1; $y := 2; $x + $y)", 20), "(\n  $x := 1;\n  $y := 2;\n  $x + $y\n)");
    assert_eq!(folded("f[aaaaaaa = 1 and bbbbbbb = 2]", 20), "f[\n  aaaaaaa = 1\n    and bbbbbbb = 2\n]");
}

#[test]
fn what_has_comments_or_breaks_inside_its_words_stays_as_it_is() {
    for text in ["a  /* why */ +b", "\"a\nb\"&  c", "function($a)<n :n>{$a}", "`a\nb`+c"] {
        assert_eq!(line(&format!("\n {text}\t")), text);
    }
}

#[test]
fn trees_that_differ_are_not_the_same() {
    for (one, other) in [
        ("a", "b"),
        ("(a)", "a"),
        ("a[]", "a"),
        ("/a/i", "/a/m"),
        ("a^(b)", "a^(>b)"),
        ("1", "1.0"),
        ("f(1)", "f(1,2)"),
    ] {
        assert!(is_same(one, one) && !is_same(one, other), "{one} {other}");
    }
}
