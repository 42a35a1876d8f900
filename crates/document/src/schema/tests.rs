use lockgate_model::Limits;

use super::*;

fn document(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e:?}: {json}"))
}

fn schema(json: &str) -> Schema {
    Schema::from_json(document(json).root()).unwrap_or_else(|all| panic!("{}: {json}", all[0]))
}

/// Code and pointer of each problem.
fn refused(json: &str) -> Vec<(&'static str, String)> {
    let pointer = |place| match place {
        SchemaPlace::Pointer(pointer) => pointer,
        SchemaPlace::Bytes { .. } => panic!("a JSON Schema has pointers"),
    };
    let problems = Schema::from_json(document(json).root()).err().unwrap_or_default();
    problems.into_iter().map(|problem| (problem.code, pointer(problem.place))).collect()
}

/// Pointer and code of each violation.
fn violations(schema: &Schema, json: &str) -> Vec<(String, &'static str)> {
    let found = schema.validate(document(json).root(), &Limits::default());
    found.into_iter().map(|violation| (violation.pointer, violation.code)).collect()
}

#[test]
fn all_problems_of_a_schema_come_at_once_with_their_places() {
    let found = refused(
        r##"{
            "type": ["object", "objekt"],
            "properties": {
                "a/b": {"type": 1, "pattern": "(?<=x)"},
                "c": {"$ref": "#/$defs/nothing"},
                "d": {"$ref": "other.json#/x"},
                "e": {"minLength": -1, "multipleOf": 0, "enum": 1},
                "f": {"required": true},
                "g": 5,
                "h": {"unevaluatedItems": false, "$id": "http://x/y"}
            },
            "allOf": {}
        }"##,
    );
    let found: Vec<_> = found.iter().map(|(code, at)| (*code, at.as_str())).collect();
    assert_eq!(
        found,
        [
            ("LG-TYPE-VALUE", "/type/1"),
            ("LG-TYPE-VALUE", "/properties/a~1b/type"),
            ("LG-TYPE-PATTERN", "/properties/a~1b/pattern"),
            ("LG-TYPE-REMOTE", "/properties/d/$ref"),
            ("LG-TYPE-VALUE", "/properties/e/minLength"),
            ("LG-TYPE-VALUE", "/properties/e/multipleOf"),
            ("LG-TYPE-VALUE", "/properties/e/enum"),
            ("LG-TYPE-VALUE", "/properties/f/required"),
            ("LG-TYPE-VALUE", "/properties/g"),
            ("LG-TYPE-LATER", "/properties/h/unevaluatedItems"),
            ("LG-TYPE-LATER", "/properties/h/$id"),
            ("LG-TYPE-VALUE", "/allOf"),
            ("LG-TYPE-REF", "/properties/c/$ref"),
        ]
    );
}

#[test]
fn a_schema_that_leads_back_to_itself_at_the_same_value_is_refused() {
    for json in [
        r##"{"$ref": "#"}"##,
        r##"{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}"##,
        r##"{"not": {"$ref": "#"}}"##,
        r##"{"if": true, "then": {"$ref": "#"}}"##,
        r##"{"dependentSchemas": {"a": {"$ref": "#"}}}"##,
    ] {
        let found = refused(json);
        assert!(!found.is_empty() && found.iter().all(|(code, _)| *code == "LG-TYPE-LOOP"), "{json}: {found:?}");
    }
    let tree = schema(r##"{"properties": {"children": {"items": {"$ref": "#"}}, "name": {"type": "string"}}}"##);
    assert_eq!(
        violations(&tree, r#"{"children": [{"children": [{"name": 1}]}]}"#),
        [("/children/0/children/0/name".to_owned(), "LG-VALUE-KIND")]
    );
}

#[test]
fn limits_end_what_has_none() {
    let many = (0..=PATTERNS_MAX).map(|i| format!("{{\"pattern\": \"a{{{i}}}\"}}")).collect::<Vec<_>>().join(",");
    assert_eq!(refused(&format!("{{\"anyOf\": [{many}]}}"))[0].0, "LG-TYPE-SIZE");
    let many = vec!["{}"; RULES_MAX + 9].join(",");
    assert_eq!(refused(&format!("{{\"anyOf\": [{many}]}}")), [("LG-TYPE-SIZE", format!("/anyOf/{}", RULES_MAX - 1))]);
    // A chain of references deeper than any stack.
    let chain: String =
        (0..20_000).map(|i| format!("\"a{i}\": {{\"anyOf\": [{{\"$ref\": \"#/$defs/a{}\"}}]}},", i + 1)).collect();
    let deep = schema(&format!("{{\"$ref\": \"#/$defs/a0\", \"$defs\": {{{chain} \"a20000\": {{}}}}}}"));
    assert_eq!(violations(&deep, "1"), [(String::new(), "LG-VALUE-DEPTH")]);
    // Two ways at each level: no more work than the limits allow.
    let levels: String = (0..60)
        .map(|i| {
            let next = format!("{{\"$ref\": \"#/$defs/a{}\"}}", i + 1);
            format!("\"a{i}\": {{\"anyOf\": [{next}, {{\"allOf\": [{next}]}}]}},")
        })
        .collect();
    let wide =
        schema(&format!("{{\"$ref\": \"#/$defs/a0\", \"$defs\": {{{levels} \"a60\": {{\"type\": \"null\"}}}}}}"));
    let limits = Limits { cost_max: 1_000_000, ..Limits::default() };
    let found = wide.validate(document("1").root(), &limits);
    assert_eq!(found.first().map(|violation| violation.code), Some("LG-VALUE-WORK"), "{found:?}");
    assert_eq!(wide.alternatives(&[wide.root()]), None);
    // A value as deep as documents may be, against a type that holds itself.
    let lists = schema(r##"{"type": "array", "items": {"$ref": "#"}}"##);
    let value = format!("{}{}", "[".repeat(120), "]".repeat(120));
    assert_eq!(violations(&lists, &value), []);
    let shallow = Limits { depth_max: 100, ..Limits::default() };
    assert_eq!(lists.validate(document(&value).root(), &shallow)[0].code, "LG-VALUE-DEPTH");
    // No more is told than anybody reads.
    let numbers = schema(r#"{"items": {"type": "string"}}"#);
    let found = violations(&numbers, &format!("[{}1]", "1,".repeat(10_000)));
    assert_eq!(found.len(), VIOLATIONS_MAX);
}

#[test]
fn numbers_are_compared_by_their_digits() {
    let exact = schema(r#"{"maximum": 9007199254740992, "multipleOf": 0.01}"#);
    assert_eq!(violations(&exact, "9007199254740993"), [(String::new(), "LG-VALUE-RANGE")]);
    assert_eq!(violations(&exact, "9007199254740992.00"), []);
    assert_eq!(violations(&exact, "19.99"), []);
    assert_eq!(violations(&exact, "19.999"), [(String::new(), "LG-VALUE-RANGE")]);
    let whole = schema(r#"{"type": "integer", "enum": [12345678901234567890123, 1]}"#);
    assert_eq!(violations(&whole, "12345678901234567890123"), []);
    assert_eq!(violations(&whole, "1.0"), []);
    assert_eq!(violations(&whole, "12345678901234567890124"), [(String::new(), "LG-VALUE-ENUM")]);
    assert_eq!(violations(&whole, "1.5"), [(String::new(), "LG-VALUE-KIND")]);
}

#[test]
fn violations_say_what_the_type_says_and_no_value() {
    let order = schema(
        r#"{"type": "object", "required": ["id"], "additionalProperties": false, "properties": {
            "id": {"type": "string", "maxLength": 3, "pattern": "^[A-Z]+$"},
            "tags": {"type": "array", "uniqueItems": true, "contains": {"const": "x"}},
            "pay": {"oneOf": [{"type": "object", "required": ["iban"]}, {"type": "string"}]}}}"#,
    );
    let found = order.validate(
        document(r#"{"tags": ["secret", "secret"], "pay": {"card": "4111"}, "more/less": 1}"#).root(),
        &Limits::default(),
    );
    let told: Vec<_> = found.iter().map(|v| (v.pointer.as_str(), v.code, v.message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("", "LG-VALUE-REQUIRED", "the type requires `id`"),
            ("/tags", "LG-VALUE-CHOICE", "the type says at least 1 item of a kind"),
            ("/tags", "LG-VALUE-UNIQUE", "the type says that no two items are the same"),
            ("/pay", "LG-VALUE-REQUIRED", "the type requires `iban`"),
            ("/more~1less", "LG-VALUE-FIELD", "the type has no such field"),
        ]
    );
    let found = violations(&order, r#"{"id": "secret"}"#);
    let codes: Vec<_> = found.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, ["LG-VALUE-LENGTH", "LG-VALUE-PATTERN"]);
}

#[test]
fn alternatives_join_what_holds_together() {
    let all = schema(
        r##"{"allOf": [{"properties": {"a": {"type": "string"}}}, {"$ref": "#/$defs/b"}],
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
            "$defs": {"b": {"properties": {"b": {"type": "integer"}}}}}"##,
    );
    let alternatives = all.alternatives(&[all.root()]).unwrap();
    assert_eq!(alternatives.len(), 2);
    for (alternative, required) in alternatives.iter().zip(["a", "b"]) {
        assert_eq!(alternative.names(&all).into_iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(alternative.required(&all).into_iter().collect::<Vec<_>>(), [required]);
        assert_eq!(alternative.types(&all), Types::OBJECT);
        assert_eq!(alternative.field(&all, "c"), Field::Undeclared);
        assert!(!alternative.is_open(&all));
    }
    let never = schema(r#"{"allOf": [{"type": "string"}, {"type": "number"}]}"#);
    assert_eq!(never.alternatives(&[never.root()]), Some(Vec::new()));
    assert_eq!(schema("true").alternatives(&[schema("true").root()]).map(|all| all.len()), Some(1));
    let shown = |json: &str| schema(json).rule(RuleId(0)).types.to_string();
    assert_eq!(shown(r#"{"type": ["null", "string", "integer"]}"#), "a string, a whole number or null");
    assert_eq!(shown(r#"{"type": ["integer", "number"]}"#), "a number");
}
