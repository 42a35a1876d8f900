use std::collections::BTreeMap;

use lockgate_model::{
    Digest,
    definition::{AccountBinding, ServerIdentity},
};

use super::*;

const SPEC: Spec = Spec {
    name: "duck",
    help: "Ducks.",
    about: "",
    address: AddressForm { scheme: Scheme { name: "ducks", port: 99 }, path: false, example: "ducks://pond.example" },
    identities: &[IdentityKind::Ca, IdentityKind::Pin],
    fields: &[
        Field::choice("auth", &["none", "basic"], "How we sign in.").default("none"),
        Field::text("username", "Who we are.").when("auth", &["basic"]),
        Field::secret("password", "Our password.").when("auth", &["basic"]),
        Field::integer("ducks_max", 1, 9, "Ducks at once.").default("3"),
        Field::text("pond", "Which pond.").required(),
        Field::host_port("proxy", "A proxy."),
        Field::CLIENT_CERTIFICATE,
        Field::CLIENT_KEY,
        Field::CLIENT_P12,
        Field::CLIENT_P12_PASSWORD,
    ],
    operations: &[Operation {
        name: "quack",
        version: "1.0.0",
        idempotent: true,
        keyed: false,
        help: "Quacks.",
        constant: &[],
        input: r#"{"type": "object", "properties": {"how": {"type": ["string", "number"], "description": "How loud."}}, "required": ["how"]}"#,
        output: r#"{"type": "string"}"#,
        takes: Some("how"),
        gives: Some(StreamContent::Bytes),
    }],
};

fn binding(settings: &[(&str, &str)], secrets: &[&str]) -> AccountBinding {
    AccountBinding {
        connector: "duck".into(),
        address: "ducks://pond.example".into(),
        identity: ServerIdentity::Pin(Digest([7; 32])),
        settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
        secrets: secrets.iter().map(|s| (*s).to_owned()).collect(),
    }
}

#[track_caller]
fn refused(binding: &AccountBinding, expect: &[&str]) {
    let problems = SPEC.check(binding).unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|p| p.field.as_str()).collect();
    assert_eq!(fields, expect, "{problems:?}");
}

#[test]
fn every_problem_names_its_field() {
    let p = ("pond", "x");
    refused(&binding(&[], &[]), &["settings.pond"]);
    refused(&binding(&[p, ("colour", "red")], &["egg"]), &["settings.colour", "secrets.egg"]);
    refused(&binding(&[p, ("password", "x")], &[]), &["settings.password"]);
    refused(&binding(&[p], &["ducks_max"]), &["secrets.ducks_max"]);
    refused(&binding(&[p, ("auth", "basic")], &[]), &["settings.username", "secrets.password"]);
    refused(&binding(&[p, ("username", "u")], &["password"]), &["settings.username", "secrets.password"]);
    refused(
        &binding(&[p, ("auth", "basic"), ("username", "u"), ("password", "x")], &[]),
        &["settings.password", "secrets.password"],
    );
    refused(&binding(&[p, ("auth", "digest")], &[]), &["settings.auth"]);
    refused(&binding(&[("pond", "a\nb")], &[]), &["settings.pond"]);
    refused(&binding(&[("pond", "")], &[]), &["settings.pond"]);
    refused(&binding(&[p], &["client_key"]), &["secrets.client_key"]);
    let both = ["client_certificate", "client_key", "client_p12", "client_p12_password"];
    refused(&binding(&[p], &both), &["secrets.client_p12"]);
    for bad in ["0", "10", "", "-1", "+3", " 3", "3.0", "99999999999999999999"] {
        refused(&binding(&[p, ("ducks_max", bad)], &[]), &["settings.ducks_max"]);
    }
    for bad in ["", "host", "host:", "host:0", ":80", "u@host:80", "http://host:80", "host:80/x", "0x7f.1:80"] {
        refused(&binding(&[p, ("proxy", bad)], &[]), &["settings.proxy"]);
    }
}

#[test]
fn address_connector_and_identity_are_checked() {
    let mut wrong = binding(&[("pond", "x")], &[]);
    wrong.connector = "goose".into();
    wrong.address = "http://pond.example".into();
    wrong.identity = ServerIdentity::System;
    refused(&wrong, &["connector", "address", "identity"]);
}

#[test]
fn a_good_binding_gives_its_address() {
    let good = binding(
        &[("pond", "x"), ("auth", "basic"), ("username", "u"), ("proxy", "proxy.example:3128")],
        &["password", "client_key", "client_certificate"],
    );
    assert_eq!(SPEC.check(&good).unwrap().port(), 99);
}

#[test]
fn page_and_json_show_every_field_and_operation() {
    let (page, json) = (SPEC.page(), SPEC.to_json());
    for field in SPEC.fields {
        assert!(page.contains(&format!("| `{}` |", field.name)), "{page}");
    }
    assert!(page.contains("| `duck.quack:1.0.0@default` | yes | in as `how`, bytes out | Quacks. |"), "{page}");
    assert!(page.contains("| `how` | string, number | yes | How loud. |"), "{page}");
    assert!(page.contains("| `password` | sealed, write-only | when `auth` is `basic` | Our password. |"));
    assert_eq!(json["operations"][0]["input"]["type"], "object");
    assert_eq!(json["fields"].as_array().unwrap().len(), SPEC.fields.len());
}

#[test]
fn a_host_key_that_no_server_can_have_is_told_before_anything_is_bound() {
    let spec = Spec { identities: &[IdentityKind::HostKey], ..SPEC };
    let bound = |key: &str| {
        let identity = ServerIdentity::HostKey(key.to_owned());
        spec.check(&AccountBinding { identity, ..binding(&[("pond", "x")], &[]) })
    };
    for malformed in ["", "SHA256:", "SHA256:AAAA", "md5:00", "ssh-ed25519 AAAA"] {
        let problems = bound(malformed).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(), ["identity"], "{malformed}");
        assert!(problems[0].message.contains("SHA256:"), "{problems:?}");
    }
    assert!(bound(&format!("SHA256:{}", "A".repeat(43))).is_ok());
}

#[test]
fn an_exception_is_by_name_and_told() {
    const FIELDS: &[Field] = &[Field::exception("old", &["a", "b"], "Old ones."), Field::text("other", "Another.")];
    let spec = Spec { fields: FIELDS, ..SPEC };
    let with = |value: &str| binding(&[("old", value)], &[]);
    for value in ["", " ", "c", "a c", "a,b", "a\tb"] {
        let problems = spec.check(&with(value)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.field == "settings.old"), "{value:?}: {problems:?}");
    }
    for value in ["a", "b a", " a  b "] {
        spec.check(&with(value)).unwrap_or_else(|problems| panic!("{value:?}: {problems:?}"));
    }
    assert_eq!(spec.exceptions(&with("a b").settings), [("old", "a b")].into());
    assert!(spec.exceptions(&[("other".to_owned(), "x".to_owned())].into()).is_empty());
}
