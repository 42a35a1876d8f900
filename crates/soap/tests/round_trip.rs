//! Values of any type go to the other side and come back as they are.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{collections::BTreeSet, fmt::Write as _};

use lockgate_document::{Document, Limits};
use lockgate_soap::{Request, Wsdl};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A type, as an element has it.
#[derive(Debug, Clone)]
enum Type {
    Text,
    /// Text with an attribute.
    Marked,
    Element(Vec<Field>),
}

#[derive(Debug, Clone)]
struct Field {
    of: Type,
    optional: bool,
    many: bool,
    nillable: bool,
    /// In the target namespace, or in none.
    qualified: bool,
}

fn field() -> impl Strategy<Value = Field> {
    let leaf = prop_oneof![Just(Type::Text), Just(Type::Marked), Just(Type::Element(Vec::new()))];
    let types = leaf.prop_recursive(4, 30, 5, |inner| {
        let field = (inner, any::<[bool; 4]>()).prop_map(|(of, [optional, many, nillable, qualified])| Field {
            of,
            optional,
            many,
            nillable,
            qualified,
        });
        prop::collection::vec(field, 0..5).prop_map(Type::Element)
    });
    types.prop_map(|of| Field { of, optional: false, many: false, nillable: false, qualified: true })
}

/// The declaration of an element.
fn declare(out: &mut String, name: &str, field: &Field, is_global: bool) {
    write!(out, "<xs:element name='{name}' nillable='{}'", field.nillable).unwrap();
    if !is_global {
        let form = if field.qualified { "qualified" } else { "unqualified" };
        let max = if field.many { "unbounded" } else { "1" };
        write!(out, " form='{form}' minOccurs='{}' maxOccurs='{max}'", u8::from(!field.optional)).unwrap();
    }
    match &field.of {
        Type::Text => out.push_str(" type='xs:string'>"),
        Type::Marked => out.push_str(
            "><xs:complexType><xs:simpleContent><xs:extension base='xs:string'><xs:attribute name='m' type='xs:string' \
             use='required'/></xs:extension></xs:simpleContent></xs:complexType>",
        ),
        Type::Element(fields) => {
            out.push_str("><xs:complexType><xs:sequence>");
            for (place, field) in fields.iter().enumerate() {
                declare(out, &format!("f{place}"), field, false);
            }
            out.push_str("</xs:sequence></xs:complexType>");
        }
    }
    out.push_str("</xs:element>");
}

/// Some value of it.
fn value(field: &Field, chance: &mut impl FnMut(usize) -> usize) -> Value {
    const TEXTS: [&str; 6] = ["", "a", " b ", "<&>\"'", "Größe\n2", "cid:x"];
    fn one(chance: &mut impl FnMut(usize) -> usize) -> &'static str {
        TEXTS.get(chance(TEXTS.len())).copied().unwrap_or_default()
    }
    if field.nillable && chance(3) == 0 {
        return Value::Null;
    }
    match &field.of {
        Type::Text => json!(one(chance)),
        Type::Marked => json!({"@m": one(chance), "#text": one(chance)}),
        Type::Element(fields) => {
            let mut object = Map::new();
            for (place, field) in fields.iter().enumerate() {
                let key = format!("f{place}");
                match (field.optional && chance(2) == 0, field.many) {
                    (true, _) => {}
                    (false, true) => {
                        let items = (0..=chance(3)).map(|_| value(field, chance)).collect();
                        object.insert(key, Value::Array(items));
                    }
                    (false, false) => {
                        object.insert(key, value(field, chance));
                    }
                }
            }
            Value::Object(object)
        }
    }
}

fn description(root: &Field) -> String {
    let mut element = String::new();
    declare(&mut element, "ask", root, true);
    format!(
        "<definitions targetNamespace='urn:t' xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:t='urn:t'
            xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:s='http://schemas.xmlsoap.org/wsdl/soap12/'>
        <types><xs:schema targetNamespace='urn:t'>{element}</xs:schema></types>
        <message name='in'><part name='p' element='t:ask'/></message>
        <portType name='T'><operation name='op'><input message='t:in'/></operation></portType>
        <binding name='B' type='t:T'><s:binding transport='http://schemas.xmlsoap.org/soap/http'/>
        <operation name='op'><input><s:body use='literal'/></input></operation></binding>
        <service name='S'><port name='P' binding='t:B'/></service></definitions>"
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if lockgate_testkit::long() { 20_000 } else { 300 }))]

    #[test]
    fn what_is_written_is_read_as_it_was(root in field(), mut seed in any::<u64>()) {
        let mut chance = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let given = value(&root, &mut chance);
        let limits = Limits::default();
        let wsdl = Wsdl::read("a.wsdl", description(&root), |_| None).unwrap();
        let operation = wsdl.operation("P", "op").unwrap();
        let body = Document::parse(given.to_string().as_bytes(), &limits).unwrap();
        let (none, attachments) = (Document::undefined(), BTreeSet::new());
        let request =
            Request { body: body.root(), headers: none.root(), blocks: &[], body_id: None, attachments: &attachments };
        let bytes = operation.request(&request, &limits).unwrap();
        let read = operation.asked(&bytes, &[], &limits).unwrap();
        let read: Value = serde_json::from_slice(&read.body.print(u64::MAX).unwrap()).unwrap();
        prop_assert_eq!(read, given, "{}", String::from_utf8_lossy(&bytes));
    }

    /// Whatever comes, it is read or refused.
    #[test]
    fn no_bytes_break_the_readers(text in "[<>/=\"'a-c :&;!\\[\\]-]{0,60}", cut in 0usize..400) {
        let root = Field { of: Type::Text, optional: false, many: false, nillable: true, qualified: true };
        let whole = description(&root);
        let at = whole.char_indices().map(|(at, _)| at).nth(cut).unwrap();
        let mut spoiled = whole.clone();
        spoiled.insert_str(at, &text);
        if let Ok(wsdl) = Wsdl::read("a.wsdl", spoiled, |_| None) {
            let _ = wsdl.operation("P", "op");
        }
        let operation = Wsdl::read("a.wsdl", whole, |_| None).unwrap().operation("P", "op").unwrap();
        let envelope = format!("<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body>{text}</e:Body></e:Envelope>");
        let _ = operation.asked(envelope.as_bytes(), &[], &Limits::default());
    }
}
