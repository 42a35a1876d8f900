use super::*;

/// Every module must be one that an engine without memories, tables and later proposals accepts.
pub(crate) fn validate(compiled: &Compiled) -> Result<(), String> {
    let features = wasmparser::WasmFeatures::MUTABLE_GLOBAL
        | wasmparser::WasmFeatures::FLOATS
        | wasmparser::WasmFeatures::SIGN_EXTENSION
        | wasmparser::WasmFeatures::SATURATING_FLOAT_TO_INT
        | wasmparser::WasmFeatures::MULTI_VALUE;
    wasmparser::Validator::new_with_features(features)
        .validate_all(&compiled.wasm)
        .map(|_| ())
        .map_err(|e| e.to_string())
}

#[test]
fn tiny() {
    for text in [
        "1",
        "a",
        "a.b.c",
        "a[0]",
        "a[b=1].c",
        "$sum(a.b)",
        "a*b",
        "a & b",
        "$map(a, function($x){$x*2})",
        "($f := function($n){$n <= 1 ? 1 : $n * $f($n-1)}; $f(5))",
        "[1,2,3][$>1]",
        "{'a': b, 'c': d*2}",
        "$sort(a, function($l,$r){$l>$r})",
        "a ~> $uppercase ~> $trim()",
        "$substring(?, 1)",
        "a.(b; c)",
        "$f(1)",
        "*.a",
        "**",
        "a[]",
        "$reduce(a, function($x,$y){$x+$y}, 0)",
        "a > b ? c : d",
        "$contains(a, 'x') ? 1",
        "a ?? b",
        "a ?: b",
        "$x := 1",
        "function($a)<n:n>{$a}(1)",
        "$map(a, $string)",
    ] {
        let compiled = expression_module(text, true).unwrap();
        if let Err(e) = validate(&compiled) {
            panic!("{text}: {e}");
        }
    }
}
