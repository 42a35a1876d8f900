//! Refusals first: of the call, of the description, of what it imports.

use std::collections::BTreeMap;

use lockgate_model::manifest::AccountRef;

use crate::documents::lock::{Import, LOCK_FILE, Lock};
use crate::project::{OperationInfo, imports};
use crate::{Catalog, Project, Sources};

const ORDERS: &str = r#"<definitions targetNamespace="urn:o" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:o"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
  <types><xs:schema targetNamespace="urn:o" elementFormDefault="qualified">
    <xs:element name="place"><xs:complexType><xs:sequence>
      <xs:element name="customer" type="xs:string"/>
      <xs:element name="kind"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="new"/><xs:enumeration value="old"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="line" type="t:Line" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:complexType name="Line"><xs:sequence>
      <xs:element name="sku" type="xs:string"/><xs:element name="count" type="xs:int" minOccurs="0"/>
      <xs:element name="line" type="t:Line" minOccurs="0"/>
    </xs:sequence></xs:complexType>
    <xs:element name="placed" type="xs:string"/>
    <xs:element name="client" type="xs:string"/>
  </xs:schema></types>
  <message name="in"><part name="p" element="t:place"/></message><message name="out"><part name="p" element="t:placed"/></message>
  <message name="head"><part name="c" element="t:client"/></message>
  <portType name="O"><documentation>Of people.</documentation>
    <operation name="place"><input message="t:in"/><output message="t:out"/></operation>
    <operation name="coded"><input message="t:in"/><output message="t:out"/></operation>
  </portType>
  <binding name="B" type="t:O">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="place"><soap:operation soapAction="urn:o/place"/>
      <input><soap:header message="t:head" part="c" use="literal"/><soap:body use="literal"/></input>
      <output><soap:body use="literal"/></output></operation>
    <operation name="coded"><soap:operation soapAction="urn:o/coded"/>
      <input><soap:body use="encoded"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="S"><port name="OrdersPort" binding="t:B"/></service>
</definitions>"#;

const URL: &str = "https://erp.example/orders?wsdl";

fn catalog() -> Catalog {
    let info = OperationInfo {
        version: "1.0.0".to_owned(),
        idempotent: false,
        takes: Some("attachment".to_owned()),
        gives: None,
        constant: ["wsdl", "port", "operation", "path"].map(str::to_owned).into(),
        input: serde_json::json!({"type": "object", "required": ["wsdl", "operation"], "additionalProperties": false,
            "properties": {"wsdl": {"type": "string"}, "port": {"type": "string"}, "operation": {"type": "string"},
                "input": {}, "headers": {"type": "object"}, "path": {"type": "string"}, "attachment": {}}}),
    };
    Catalog { connectors: BTreeMap::from([("soap".to_owned(), BTreeMap::from([("call".to_owned(), info)]))]) }
}

/// A project of one call with this under `with`, the documents that are locked, and other files.
fn project(with: &str, locked: &[(&str, &str)], files: &[(&str, &str)]) -> Sources {
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\n\
         do: [a: {{ call: 'soap.call:1@default', with: {{ account: erp, {with} }} }}]\n"
    );
    let accounts = "project: p\naccounts: { erp: { connector: soap, operations: [call] } }\n";
    let mut sources = Sources(BTreeMap::from([
        ("project.yaml".to_owned(), accounts.to_owned()),
        ("f.flow.yaml".to_owned(), flow),
        ("documents/orders.wsdl".to_owned(), ORDERS.to_owned()),
    ]));
    let mut lock = Lock::default();
    for (url, text) in locked {
        let import = Import::of(text, "text/xml");
        sources.0.insert(import.file.clone(), (*text).to_owned());
        lock.imports.insert((*url).to_owned(), import);
    }
    if !locked.is_empty() {
        sources.0.insert(LOCK_FILE.to_owned(), lock.to_json());
    }
    sources.0.extend(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    sources
}

/// Codes, what they point at, and messages.
fn problems(sources: &Sources) -> Vec<(String, String, String)> {
    let found = Project::checked(sources, &catalog()).err().unwrap_or_default();
    let shown = |problem: &lockgate_model::Diagnostic| {
        let text = sources.0.get(&problem.file).map_or("", String::as_str);
        let at = text.get(problem.span.start as usize..problem.span.end as usize).unwrap_or("?");
        let help = problem.help.clone().unwrap_or_default();
        (problem.code.clone(), at.to_owned(), format!("{}; {help}", problem.message))
    };
    found.0.iter().map(shown).collect()
}

#[track_caller]
fn refused(with: &str, code: &str, at: &str, says: &str) {
    told(&project(with, &[], &[]), code, at, says);
}

#[track_caller]
fn told(sources: &Sources, code: &str, at: &str, says: &str) {
    let found = problems(sources);
    let [(first, place, text)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.as_str(), place.as_str()), (code, at), "{text}");
    assert!(text.contains(says), "{text}");
}

const WSDL: &str = "wsdl: documents/orders.wsdl";

#[test]
fn calls_that_do_not_fit_their_operation() {
    let with = |rest: &str| format!("{WSDL}, operation: place, {rest}");
    refused(&format!("{WSDL}, operation: plase"), "LG-WSDL-OPERATION", "plase", "did you mean `place`?");
    refused(&format!("{WSDL}, operation: coded"), "LG-WSDL-OPERATION", "coded", "left out is what cannot be called");
    refused(
        &format!("{WSDL}, operation: place, port: OrderPort"),
        "LG-WSDL-OPERATION",
        "OrderPort",
        "did you mean `OrdersPort`?",
    );
    refused(&format!("{WSDL}, operation: plase, port: OrdersPort"), "LG-WSDL-OPERATION", "plase", "at its port");
    refused(&with("input: { customer: A, kind: new, lin: [] }"), "LG-UNKNOWN-KEY", "lin", "did you mean `line`?");
    refused(&with("input: { customer: A }"), "LG-MISSING-KEY", "{ customer: A }", "needs `kind`");
    refused(&with("input: { customer: A, kind: nwe }"), "LG-FLOW-VALUE", "nwe", "did you mean `new`?");
    refused(&with("input: { customer: [], kind: new }"), "LG-WRONG-TYPE", "[]", "`customer`");
    refused(&with("input: { customer: A, kind: new, line: { sku: S } }"), "LG-WRONG-TYPE", "{ sku: S }", "an array");
    refused(
        &with("input: { customer: A, kind: new, line: [{ sku: S, line: { count: 1 } }] }"),
        "LG-MISSING-KEY",
        "{ count: 1 }",
        "needs `sku`",
    );
    refused(&with("input: { customer: A, kind: new }, headers: { cliend: x }"), "LG-UNKNOWN-KEY", "cliend", "`client`");
    refused(&with("inptu: {}, input: { customer: A, kind: new }"), "LG-UNKNOWN-KEY", "inptu", "did you mean `input`?");
    let none = format!("{{ account: erp, {WSDL}, operation: place }}");
    refused(&format!("{WSDL}, operation: place"), "LG-MISSING-KEY", &none, "needs `input`");
}

#[test]
fn what_a_deployment_must_know_is_written_out() {
    for (with, at) in [
        ("wsdl: '${ w }', operation: place", "'${ w }'"),
        ("wsdl: documents/orders.wsdl, operation: '${ o }'", "'${ o }'"),
        ("wsdl: documents/orders.wsdl, operation: place, input: '${ i }', port: '${ p }'", "'${ p }'"),
        ("wsdl: documents/orders.wsdl, operation: place, input: '${ i }', path: '${ p }'", "'${ p }'"),
    ] {
        refused(with, "LG-CALL-CONSTANT", at, "cannot be computed");
    }
    refused("wsdl: documents/orders.wsdl, operation: place, port: 5", "LG-WRONG-TYPE", "5", "a string");
    let nothing = "wsdl: documents/orders.wsdl, operation: place, port: null, input: '${ i }'";
    assert_eq!(problems(&project(nothing, &[], &[])), []);
    refused("operation: place", "LG-MISSING-KEY", "{ account: erp, operation: place }", "needs `wsdl`");
}

#[test]
fn descriptions_that_are_wrong_are_told_where_they_are_named() {
    let call = |wsdl: &str| format!("wsdl: '{wsdl}', operation: place, input: '${{ i }}'");
    let with = |text: &str| project(&call("documents/x.wsdl"), &[], &[("documents/x.wsdl", text)]);
    let at = "'documents/x.wsdl'";
    told(&with(&ORDERS.replace("t:place\"", "t:plaec\"")), "LG-TYPE-REF", at, "(documents/x.wsdl:");
    told(&with(&ORDERS.replace("part=\"c\"", "part=\"d\"")), "LG-WSDL-REF", at, "(documents/x.wsdl:25:");
    told(&with("<a/>"), "LG-WSDL-ROOT", at, "this is no WSDL");
    told(&with("{}"), "LG-WSDL-XML", at, "no XML");
    told(&with(&format!("<!DOCTYPE a>{ORDERS}")), "LG-WSDL-XML", at, "a document type declaration is refused");
    told(
        &project(&call("documents/order.wsdl"), &[], &[]),
        "LG-IMPORT-FILE",
        "'documents/order.wsdl'",
        "did you mean `documents/orders.wsdl`?",
    );
    let import = ORDERS.replacen("<types>", "<import namespace='urn:x' location='parts/y.wsdl'/><types>", 1);
    told(&with(&import), "LG-IMPORT-FILE", at, "there is no document `documents/parts/y.wsdl`");
    let big = ORDERS.replace("<types>", &format!("<types><x a='{}'/>", "x".repeat(5 << 20)));
    told(&with(&big), "LG-WSDL-SIZE", at, "more than 4 MiB");
    let header = |n: usize| {
        let part = |m: usize| {
            let type_ = format!("<xs:restriction base='xs:string'><xs:pattern value='{n}x{m}+'/></xs:restriction>");
            format!("<xs:element name='e{m}'><xs:simpleType>{type_}</xs:simpleType></xs:element>")
        };
        let parts: String = (0..50).map(part).collect();
        let type_ =
            format!("<xs:element name='h{n}'><xs:complexType><xs:all>{parts}</xs:all></xs:complexType></xs:element>");
        let message = format!("<message name='h{n}'><part name='c' element='t:h{n}'/></message>");
        (type_, message, format!("<soap:header message='t:h{n}' part='c' use='literal'/>"))
    };
    let all: Vec<_> = (0..3).map(header).collect();
    let join = |pick: fn(&(String, String, String)) -> &str| all.iter().map(pick).collect::<String>();
    let patterns = ORDERS
        .replace("</xs:schema>", &format!("{}</xs:schema>", join(|header| &header.0)))
        .replacen("<message", &format!("{}<message", join(|header| &header.1)), 1)
        .replacen("<soap:header", &format!("{}<soap:header", join(|header| &header.2)), 1);
    told(&with(&patterns), "LG-WSDL-SIZE", at, "more than 128 regular expressions");
    // What people alone read does not count.
    let long = ORDERS.replace("<types>", &format!("<documentation>{}</documentation><types>", "x".repeat(5 << 20)));
    assert_eq!(problems(&with(&long)), []);
}

#[test]
fn what_is_not_locked_is_asked_for_with_all_that_it_imports() {
    let call = format!("wsdl: '{URL}', operation: place, input: '${{ i }}'");
    let at = format!("'{URL}'");
    let bare = project(&call, &[], &[]);
    told(&bare, "LG-IMPORT-LOCK", &at, "lockgate build");
    assert_eq!(imports(&bare).into_keys().collect::<Vec<_>>(), [URL]);
    // Also where nobody may need it.
    let importing = "<types><xs:schema><xs:import namespace='urn:c' schemaLocation='common.xsd'/></xs:schema>";
    let orders = ORDERS.replacen("<types>", importing, 1);
    let half = project(&call, &[(URL, &orders)], &[]);
    told(&half, "LG-IMPORT-LOCK", &at, "`https://erp.example/common.xsd` is not locked");
    let common = "https://erp.example/common.xsd";
    assert_eq!(imports(&half).into_keys().collect::<Vec<_>>(), [common, URL]);
    let schema = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:c'/>";
    let whole = project(&call, &[(URL, &orders), (common, schema)], &[]);
    assert_eq!(problems(&whole), []);
    assert!(whole.0.keys().any(|path| path.ends_with(".wsdl") && path.starts_with("lock/")));
}

#[test]
fn the_module_carries_the_description_and_its_manifest_the_action() {
    let compiled = |with: &str, documents: &[(&str, &str)]| {
        let project = Project::checked(&project(with, &[], documents), &catalog()).unwrap();
        project.compile(&catalog()).unwrap().remove(0)
    };
    let call = "operation: place, path: 'orders?client=1', headers: { client: 7 }, \
                input: { customer: 12, kind: new, line: [{ sku: '${ s }', count: 2 }] }";
    let first = compiled(&format!("{WSDL}, {call}"), &[]);
    let [authority] = first.manifest.operations.as_slice() else { panic!("one operation") };
    assert_eq!(authority.detail, ["orders?client=1", "OrdersPort.place", "urn:o/place", "{urn:o}place"]);
    assert_eq!(authority.account, AccountRef::Declared("erp".parse().unwrap()));
    let holds = |wasm: &[u8], text: &str| wasm.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(holds(&first.wasm, "OrdersPort") && !holds(&first.wasm, "Of people."));
    // Neither a name nor an empty action hides what the service is asked for.
    let sly = ORDERS.replacen("urn:o/place", "", 1).replacen(
        "<input message",
        "<input a:Action='urn:admin/deleteAll' xmlns:a='http://www.w3.org/2006/05/addressing/wsdl' message",
        1,
    );
    let sly = compiled(&format!("{WSDL}, {call}"), &[("documents/orders.wsdl", &sly)]);
    let detail = &sly.manifest.operations[0].detail;
    assert_eq!(detail[1..], ["OrdersPort.place", "urn:admin/deleteAll", "{urn:o}place"]);
    // What people alone read changes no module.
    let again =
        compiled(&format!("{WSDL}, {call}"), &[("documents/orders.wsdl", &ORDERS.replace("Of people", "Of me"))]);
    assert_eq!(again.wasm, first.wasm);
}
