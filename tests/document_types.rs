//! Mappings made at random against two document types. What the check proves holds for every document
//! of the source's type; what it refuses as surely wrong is wrong whenever a value comes; what it refuses
//! as several values where one is meant is wrong for some document. All are tried by running the mapping.

use std::collections::BTreeMap;

use lockgate_compiler::{Tables, Types, map_module};
use lockgate_document::{Document, Kind, schema::Schema};
use lockgate_engine::{Engine, EngineConfig, Mocks, Module};
use lockgate_mapping::{
    MapFile,
    types::{Shape, Type, check},
};
use lockgate_model::{Limits, Timestamp};
use serde_json::{Value, json};

/// Numbers that look random and are the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

fn source() -> Value {
    json!({
        "type": "object",
        "required": ["id", "total", "items", "who", "one"],
        "properties": {
            "id": {"type": "string"},
            "total": {"type": "number"},
            "count": {"type": "integer"},
            "flag": {"type": "boolean"},
            "note": {"type": ["string", "null"]},
            "kind": {"enum": ["a", "b"]},
            "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "grid": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            "who": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "age": {"type": "integer"},
                "mail": {"type": "array", "items": {"type": "string"}}}},
            "items": {"type": "array", "items": {"type": "object", "required": ["sku", "count"], "properties": {
                "sku": {"type": "string"}, "count": {"type": "integer"}, "price": {"type": "number"},
                "parts": {"type": "array", "items": {"type": "object", "required": ["nr"],
                    "properties": {"nr": {"type": "string"}}}}}}},
            "one": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string"}}
        }
    })
}

fn target() -> Value {
    json!({
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "number": {"type": "number"},
            "whole": {"type": "integer"},
            "flag": {"type": "boolean"},
            "maybe": {"type": ["string", "null"]},
            "named": {"enum": ["a", "b", "c"]},
            "texts": {"type": "array", "items": {"type": "string"}},
            "numbers": {"type": "array", "items": {"type": "number"}},
            "lists": {"type": "array", "items": {"type": "array"}},
            "object": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "age": {"type": "integer"}}},
            "objects": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {
                "sku": {"type": "string"}, "count": {"type": "number"}}}},
            "choice": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "string"}}]}
        }
    })
}

/// A document of a type, as far as these types go.
fn sample(dice: &mut Dice, schema: &Value) -> Value {
    if let Some(values) = schema["enum"].as_array() {
        return dice.one(values).clone();
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = dice.one(choices).clone();
        return sample(dice, &choice);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => dice.one(kinds).as_str().unwrap().to_owned(),
        kind => kind.as_str().unwrap().to_owned(),
    };
    match kind.as_str() {
        "null" => Value::Null,
        "boolean" => json!(dice.below(2) == 0),
        "integer" => json!(dice.below(7) as i64 - 3),
        "number" => json!(dice.below(1000) as f64 / 8.0),
        "string" => json!(dice.one(&["", "x", "Anna", "12", "ö"])),
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or(0) as usize;
            let most = schema["maxItems"].as_u64().unwrap_or(3) as usize;
            let count = least + dice.below(most - least + 1);
            Value::Array((0..count).map(|_| sample(dice, &schema["items"])).collect())
        }
        _ => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let mut made = serde_json::Map::new();
            for (name, field) in schema["properties"].as_object().unwrap() {
                if required.contains(&json!(name)) || dice.below(3) > 0 {
                    made.insert(name.clone(), sample(dice, field));
                }
            }
            Value::Object(made)
        }
    }
}

/// A path of the source.
fn path(dice: &mut Dice) -> String {
    let paths = [
        "id",
        "total",
        "count",
        "flag",
        "note",
        "kind",
        "either",
        "tags",
        "grid",
        "who",
        "who.name",
        "who.age",
        "who.mail",
        "items",
        "items.sku",
        "items.count",
        "items.price",
        "items.parts",
        "items.parts.nr",
        "one",
        "tags[0]",
        "tags[-1]",
        "items[0].sku",
        "items[0].parts.nr",
        "items[count > 1].sku",
        "items[count > 1]",
        "items.(sku & \"!\")",
        "items.parts[0].nr",
        "items^(count).sku",
        "items^(>count)[0].price",
        "grid[0]",
        "who.mail[0]",
        "$",
        "$$.id",
        "items.sku[]",
        "who.mail[]",
        "items.{\"sku\": sku, \"count\": count}",
        "(items)[0].sku",
        "items.$uppercase(sku)",
    ];
    (*dice.one(&paths)).to_owned()
}

fn expression(dice: &mut Dice, deep: usize) -> String {
    if deep == 0 {
        return match dice.below(8) {
            0 => (*dice.one(&["\"a\"", "\"q\"", "1", "2.5", "true", "null", "[]", "[1, 2]"])).to_owned(),
            _ => path(dice),
        };
    }
    let mut inner = || expression(dice, deep - 1);
    let (a, b) = (inner(), inner());
    match dice.below(22) {
        0 => format!("$string({a})"),
        1 => format!("$count({a})"),
        2 => format!("[{a}]"),
        3 => format!("[{a}, {b}]"),
        4 => format!("{a} & {b}"),
        5 => format!("flag ? {a} : {b}"),
        6 => format!("flag ? {a}"),
        7 => format!("({a}) ?? ({b})"),
        8 => format!("({a}) ?: ({b})"),
        9 => format!("$append({a}, {b})"),
        10 => format!("$distinct({a})"),
        11 => format!("$map({a}, function($v) {{ $v }})"),
        12 => format!("$filter({a}, function($v) {{ $exists($v) }})"),
        13 => format!("($x := {a}; $x)"),
        14 => format!("{{\"name\": {a}, \"age\": {b}}}"),
        15 => format!("$sort({a})"),
        16 => format!("$reverse({a})"),
        17 => format!("{a} = {b}"),
        18 => format!("({a})[0]"),
        19 => format!("$exists({a}) and true"),
        20 => format!("$split($string({a}), \"x\")"),
        _ => format!("$sum({a}) + $count({b})"),
    }
}

fn rule(dice: &mut Dice) -> String {
    let (deep, deeper) = (dice.below(3), dice.below(2));
    let (from, each) = (expression(dice, deep), expression(dice, deeper));
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let singles = [
        "text", "number", "whole", "flag", "maybe", "named", "texts", "numbers", "lists", "object", "objects", "choice",
    ];
    match dice.below(5) {
        4 => {
            let to = *dice.one(&["text", "number", "whole", "maybe", "named"]);
            format!("  - {{ to: {to}, from: {} }}\n", quoted(&path(dice)))
        }
        0 => {
            let to = *dice.one(&["texts", "numbers", "objects", "lists", "choice"]);
            let from = ["sku", "count", "$", "$string($)", "$$.id"][dice.below(5)];
            format!("  - {{ to: '{to}[]', each: {}, from: {} }}\n", quoted(&each), quoted(from))
        }
        1 => {
            let to = *dice.one(&["objects", "texts"]);
            format!("  - {{ to: '{to}[]', each: {} }}\n", quoted(&each))
        }
        2 => {
            let to = *dice.one(&singles);
            let default = expression(dice, 0);
            format!("  - {{ to: {to}, from: {}, default: {} }}\n", quoted(&from), quoted(&default))
        }
        _ => format!("  - {{ to: {}, from: {} }}\n", *dice.one(&singles), quoted(&from)),
    }
}

struct Bench {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// What a mapping makes of a document; none: the run failed.
    fn run(&self, module: &std::sync::Arc<Module>, input: &Value) -> Option<Document> {
        let input = document(input);
        let outcome = self.engine.evaluate(
            module,
            input,
            Mocks::default(),
            Limits::default(),
            Timestamp::from_ms(1_763_800_000_000),
        );
        self.runtime.block_on(outcome).result.ok()
    }
}

fn document(value: &Value) -> Document {
    Document::parse(value.to_string().as_bytes(), &Limits::default()).unwrap()
}

fn schema(value: &Value) -> Schema {
    Schema::from_json(document(value).root()).unwrap_or_else(|all| panic!("{all:?}"))
}

/// Documents of which one is to show that a mapping may give several values.
const SAMPLES_MAX: usize = 200;

#[test]
fn what_the_check_proves_holds_and_what_it_refuses_is_wrong() {
    let (source, target) = (source(), target());
    let (of_source, of_target) = (schema(&source), schema(&target));
    let bench = Bench {
        engine: Engine::new(EngineConfig::default()).unwrap(),
        runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
    };
    let rows = |_: &str, _: Option<&str>| Shape::any();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let rounds = if lockgate_testkit::long() { 6_000 } else { 400 };
    for _ in 0..rounds {
        let rules = rule(&mut dice);
        let text = format!("mapping: m\nversion: 1\nrules:\n{rules}");
        let map = MapFile::parse("m.map.yaml", &text).unwrap_or_else(|all| panic!("{all}: {rules}"));
        let checked = check(
            &map,
            Some(Type { name: "source", schema: &of_source }),
            Some(Type { name: "target", schema: &of_target }),
            &rows,
        );
        // That something may come alone is no certainty, and refused all the same; a constant may never be reached.
        let misfit = |problem: &lockgate_model::Diagnostic| problem.message.contains("takes");
        let certain = |problem: &lockgate_model::Diagnostic| {
            !misfit(problem)
                && !problem.message.contains("may give")
                && !problem.message.contains("this value")
                && !rules.contains("null")
        };
        let whole = rules.contains("from: '") && !rules.contains("default") && !rules.contains('?');
        let refused = !checked.problems.is_empty() && checked.problems.0.iter().all(certain) && whole;
        let may_be_several = |problem: &lockgate_model::Diagnostic| problem.message.contains("may give several");
        let several = checked.problems.0.iter().any(may_be_several) && whole;
        // What a function refuses fails when there is something to refuse.
        let misfit = checked.problems.0.iter().any(misfit) && whole;
        let verdict = match (checked.proven, refused, several || misfit, checked.problems.is_empty()) {
            (true, ..) => "proven",
            (_, true, ..) => "refused",
            (_, _, true, _) if misfit => "misfit",
            (_, _, true, _) => "several",
            (.., true) => "open",
            _ => "told",
        };
        *counts.entry(verdict.to_owned()).or_default() += 1;
        if !checked.proven && !refused && !several && !misfit {
            continue;
        }
        let compiled = map_module("m.map.yaml", &text, &Tables::new(), &Types::default()).unwrap();
        let module = bench.engine.load(&compiled.wasm).unwrap();
        if misfit {
            let fails = (0..SAMPLES_MAX).any(|_| bench.run(&module, &sample(&mut dice, &source)).is_none());
            assert!(fails, "{rules} does not fail of {SAMPLES_MAX} documents; told: {}", checked.problems);
            continue;
        }
        if several {
            let wrong = (0..SAMPLES_MAX).any(|_| {
                let output = bench.run(&module, &sample(&mut dice, &source));
                output.is_none_or(|output| !of_target.validate(output.root(), &Limits::default()).is_empty())
            });
            assert!(wrong, "{rules} is fine of {SAMPLES_MAX} documents; told: {}", checked.problems);
            continue;
        }
        for _ in 0..8 {
            let input = sample(&mut dice, &source);
            assert_eq!(of_source.validate(document(&input).root(), &Limits::default()), [], "{input}");
            let Some(output) = bench.run(&module, &input) else { continue };
            let found = of_target.validate(output.root(), &Limits::default());
            if checked.proven {
                let printed = String::from_utf8(output.print(1 << 20).unwrap()).unwrap();
                assert_eq!(found, [], "{rules} of {input} gives {printed}");
            } else if !output.root().is_empty() {
                // An array may be empty, and then nothing in it is wrong.
                let empty = output.root().entries().all(|(_, value)| value.kind() == Kind::Array && value.is_empty());
                assert!(empty || !found.is_empty(), "{rules} of {input} is fine; told: {}", checked.problems);
            }
        }
    }
    println!("{counts:?}");
    assert!(counts["proven"] > rounds / 20 && counts["refused"] > rounds / 20, "{counts:?}");
    assert!(counts["several"] > rounds / 100 && counts["misfit"] > rounds / 200, "{counts:?}");
}
