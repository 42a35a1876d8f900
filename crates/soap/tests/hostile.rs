//! What comes from anybody ends soon, in bounded memory.

use std::{fmt::Write as _, path::Path, time::Instant};

use lockgate_document::Limits;
use lockgate_soap::Wsdl;

#[test]
fn hostile_envelopes_end_soon_and_small() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl/any-type.wsdl");
    let text = std::fs::read_to_string(path).unwrap();
    let operation = Wsdl::read("any-type.wsdl", text, |_| None).unwrap().operation("P", "op").unwrap();
    let begun = Instant::now();
    let soap = "http://schemas.xmlsoap.org/soap/envelope/";
    let body = |inner: &str| {
        format!(
            "<e:Envelope xmlns:e='{soap}' xmlns:t='urn:t'><e:Body><t:ask><t:payload>{inner}</t:payload></t:ask></e:Body></e:Envelope>"
        )
    };
    let asked = |inner: &str| operation.asked(body(inner).as_bytes(), &[], &Limits::default());
    let deep = |count: usize| format!("{}{}", "<a>".repeat(count), "</a>".repeat(count));
    assert_eq!(asked(&deep(100_000)).unwrap_err().code, "LG-DEPTH-EXCEEDED");
    assert!(asked(&deep(50)).is_ok());
    // Names that differ, names that come again apart, declarations at every level.
    let (mut names, mut apart, mut declared) = (String::new(), String::new(), String::new());
    for i in 0..50_000 {
        write!(names, "<a{i}/>").unwrap();
        write!(apart, "<a{}/>", i % 7).unwrap();
        write!(declared, "<p{i}:a xmlns:p{i}='urn:{i}' p{i}:x=''/>").unwrap();
    }
    for inner in [&names, &apart, &declared] {
        assert!(asked(inner).is_ok());
    }
    let limits = Limits { arena_bytes_max: 1 << 20, ..Limits::default() };
    assert_eq!(operation.asked(body(&names).as_bytes(), &[], &limits).unwrap_err().code, "LG-ARENA-FULL");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn hostile_descriptions_end_soon() {
    let begun = Instant::now();
    let head = "<definitions xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:xs='http://www.w3.org/2001/XMLSchema'";
    let read = |text: String| Wsdl::read("a.wsdl", text, |_| None).unwrap_err()[0].code;
    let deep = format!("{head}>{}{}</definitions>", "<a>".repeat(200_000), "</a>".repeat(200_000));
    assert_eq!(read(deep), "LG-WSDL-NONE");
    assert_eq!(read(format!("{head}>{}</definitions>", "<a/>".repeat(1_000_001))), "LG-WSDL-SIZE");
    assert_eq!(read(format!("{head}>{}</definitions>", " ".repeat(33 << 20))), "LG-WSDL-SIZE");
    let messages: String = (0..30_000).fold(String::new(), |mut all, i| {
        write!(all, "<message name='m{i}'/>").unwrap();
        all
    });
    assert_eq!(read(format!("{head}>{messages}</definitions>")), "LG-WSDL-SIZE");
    // A document that imports ever further ones.
    let mut number = 0;
    let import = |to: u32| format!("{head}><import namespace='urn:a' location='{to}.wsdl'/></definitions>");
    let problems = Wsdl::read("a.wsdl", import(0), |_| {
        number += 1;
        Some(import(number))
    });
    assert_eq!((problems.unwrap_err()[0].code, number), ("LG-WSDL-SIZE", 200));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// Many ports of a binding with many operations, and many headers of a message with many parts.
#[test]
fn descriptions_that_name_their_parts_often_end_soon() {
    let begun = Instant::now();
    let head = "<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'";
    let read = |text: String| Wsdl::read("a.wsdl", text, |_| None).unwrap_err()[0].code;
    let times = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<String>();
    let soap = "http://schemas.xmlsoap.org/wsdl/soap/";
    let service = |operations: usize, ports: usize, parts: usize, headers: usize, used: &str| {
        let parts = times(parts, &|i| format!("<part name='p{i}' element='x'/>"));
        let declared = times(operations, &|i| format!("<operation name='o{i}'><input message='m'/></operation>"));
        let header = times(headers, &|_| "<s:header message='h' part='p0' use='literal'/>".to_owned());
        let bound = times(operations, &|i| {
            format!("<operation name='o{i}'><input>{header}<s:body use='{used}'/></input></operation>")
        });
        let ports = times(ports, &|i| format!("<port name='p{i}' binding='b'/>"));
        format!(
            "{head} xmlns:s='{soap}'><message name='m'/><message name='h'>{parts}</message><portType name='t'>{declared}</portType>\
             <binding name='b' type='t'><s:binding transport='http://schemas.xmlsoap.org/soap/http'/>{bound}</binding>\
             <service name='s'>{ports}</service></definitions>"
        )
    };
    assert!(Wsdl::read("a.wsdl", service(100, 100, 1, 2, "literal"), |_| None).is_ok());
    assert_eq!(read(service(4_000, 30_000, 1, 0, "literal")), "LG-WSDL-SIZE");
    assert_eq!(read(service(4_000, 10_000, 1, 0, "literal")), "LG-WSDL-SIZE");
    assert_eq!(read(service(4_000, 10_000, 1, 0, "encoded")), "LG-WSDL-LATER");
    assert_eq!(read(service(9_000, 1, 1, 0, "wrong")), "LG-WSDL-LATER");
    assert_eq!(read(service(1, 1, 100_000, 1_000, "literal")), "LG-WSDL-SIZE");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
