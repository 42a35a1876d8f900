use std::collections::BTreeMap;

use lockgate_model::Limits;

use super::super::{Schema, SchemaPlace, SchemaProblem, Written, XmlName, XsdFiles, XsdRef, XsdRoot};
use crate::document::Document;

fn read(body: &str) -> Result<Schema, Vec<SchemaProblem>> {
    let text = format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n{body}\n</xs:schema>");
    Schema::from_xsd(&XsdFiles::parse([("order.xsd", text.as_str())]), "order.xsd", "order")
}

#[track_caller]
fn schema(body: &str) -> Schema {
    read(body).unwrap_or_else(|all| panic!("{}: {body}", all[0]))
}

/// The only problem: code, the line it stands in, message.
#[track_caller]
fn refused(body: &str) -> (&'static str, String, String) {
    let text = format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n{body}\n</xs:schema>");
    let all = read(body).err().unwrap_or_default();
    let [SchemaProblem { code, place: SchemaPlace::Bytes { file, range }, message, .. }] = all.as_slice() else {
        panic!("{all:?}: {body}")
    };
    assert_eq!(file, "order.xsd");
    (code, text.get(range.clone()).unwrap_or("?").to_owned(), message.clone())
}

fn codes(schema: &Schema, json: &str) -> Vec<String> {
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let found = schema.validate(document.root(), &Limits::default());
    found.into_iter().map(|violation| format!("{} {}", violation.pointer, violation.code)).collect()
}

#[track_caller]
fn fits(schema: &Schema, json: &str) {
    assert_eq!(codes(schema, json), Vec::<String>::new(), "{json}");
}

#[track_caller]
fn fails(schema: &Schema, json: &str, expected: &[&str]) {
    assert_eq!(codes(schema, json), expected, "{json}");
}

#[test]
fn what_is_not_read_is_refused_by_its_name_and_place() {
    let element = "<xs:element name='order' type='xs:string'/>";
    for (body, code, marked, message) in [
        ("<xs:redefine schemaLocation='x'/>", "LG-TYPE-LATER", "<xs:redefine schemaLocation='x'/>", "`xs:redefine`"),
        ("<xs:notation name='n' public='p'/>", "LG-TYPE-LATER", "<xs:notation name='n' public='p'/>", "`xs:notation`"),
        (
            "<xs:include schemaLocation='http://x/other.xsd'/>",
            "LG-TYPE-REMOTE",
            "<xs:include schemaLocation='http://x/other.xsd'/>",
            "no `other.xsd`",
        ),
        ("<xs:element/>", "LG-TYPE-VALUE", "<xs:element/>", "needs a name"),
    ] {
        let (found, at, told) = refused(&format!("{element}{body}"));
        assert_eq!((found, at.as_str()), (code, marked), "{told}");
        assert!(told.contains(message), "{told}");
    }
    for (inner, code, marked, message) in [
        (
            "<xs:element name='order' type='xs:strin'/>",
            "LG-TYPE-REF",
            "<xs:element name='order' type='xs:strin'/>",
            "no type `strin`",
        ),
        (
            "<xs:element name='order' type='Order'/>",
            "LG-TYPE-REF",
            "<xs:element name='order' type='Order'/>",
            "no type `Order`",
        ),
        (
            "<xs:element name='order' type='xs:int' substitutionGroup='x'/>",
            "LG-TYPE-LATER",
            "<xs:element name='order' type='xs:int' substitutionGroup='x'/>",
            "`substitutionGroup`",
        ),
        ("<xs:element name='order'><xs:key name='k'/></xs:element>", "LG-TYPE-LATER", "<xs:key name='k'/>", "`xs:key`"),
        (
            "<xs:element name='order'><xs:complexType><xs:sequence maxOccurs='many'/></xs:complexType></xs:element>",
            "LG-TYPE-VALUE",
            "<xs:sequence maxOccurs='many'/>",
            "whole numbers",
        ),
        (
            "<xs:element name='order'><xs:complexType abstract='true'/></xs:element>",
            "LG-TYPE-LATER",
            "<xs:complexType abstract='true'/>",
            "`abstract`",
        ),
        (
            "<xs:element name='order'><xs:complexType><xs:assert test='1'/></xs:complexType></xs:element>",
            "LG-TYPE-LATER",
            "<xs:assert test='1'/>",
            "`xs:assert`",
        ),
        (
            "<xs:element name='order'><xs:simpleType><xs:restriction base='xs:string'><xs:pattern value='\\i+'/></xs:restriction></xs:simpleType></xs:element>",
            "LG-TYPE-LATER",
            "<xs:pattern value='\\i+'/>",
            "`\\i`",
        ),
        (
            "<xs:element name='order'><xs:simpleType><xs:restriction base='xs:date'><xs:minInclusive value='2020-01-01'/></xs:restriction></xs:simpleType></xs:element>",
            "LG-TYPE-LATER",
            "<xs:minInclusive value='2020-01-01'/>",
            "of what is no number",
        ),
        (
            "<xs:element name='order'><xs:simpleType><xs:restriction base='xs:NMTOKENS'><xs:length value='2'/></xs:restriction></xs:simpleType></xs:element>",
            "LG-TYPE-LATER",
            "<xs:length value='2'/>",
            "of a list",
        ),
        (
            "<xs:element name='a' type='xs:string'/><xs:element name='b' type='xs:string'/>",
            "LG-TYPE-ROOT",
            "<",
            "several elements",
        ),
        ("", "LG-TYPE-ROOT", "<", "declares no element"),
        (
            "<xs:element name='order' type='T'/><xs:simpleType name='T'><xs:restriction base='T'/></xs:simpleType>",
            "LG-TYPE-LOOP",
            "<",
            "back to itself",
        ),
    ] {
        let (found, at, told) = refused(inner);
        assert_eq!((found, at.as_str()), (code, marked), "{told}");
        assert!(told.contains(message), "{told}");
    }
}

#[test]
fn what_is_no_xml_schema_is_refused() {
    let of = |text: &str| {
        let all = Schema::from_xsd(&XsdFiles::parse([("order.xsd", text)]), "order.xsd", "order").unwrap_err();
        let SchemaPlace::Bytes { range, .. } = all[0].place.clone() else { panic!() };
        (all[0].code, range.start, all[0].message.clone())
    };
    let bomb = "<?xml version='1.0'?>\n<!DOCTYPE s [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]>\n<s>&c;</s>";
    assert_eq!((of(bomb).0, of(bomb).1), ("LG-TYPE-XML", 22));
    assert!(of(bomb).2.contains("document type declaration is refused"));
    let (code, at, message) =
        of("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n  <xs:element>\n</xs:schema>");
    assert_eq!((code, at), ("LG-TYPE-XML", 71), "{message}");
    assert_eq!(of("<schema/>").0, "LG-TYPE-XML");
    assert_eq!(of("").0, "LG-TYPE-XML");
    // Deep and wide: an end within limits.
    let deep = format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{}", "<a>".repeat(200_000));
    assert_eq!(of(&deep).0, "LG-TYPE-XML");
    let nested = "<xs:element name='order'><xs:complexType><xs:sequence>";
    let ends = "</xs:sequence></xs:complexType></xs:element>";
    let body = format!("{}{}", nested.repeat(1000), ends.repeat(1000));
    assert!(read(&body).unwrap_err().iter().all(|problem| problem.code == "LG-TYPE-SIZE"));
    let groups: String = (0..40)
        .map(|i| {
            let next = format!("<xs:group ref='g{}'/>", i + 1);
            format!("<xs:group name='g{i}'><xs:sequence>{next}{next}</xs:sequence></xs:group>")
        })
        .collect();
    let body = format!(
        "{groups}<xs:group name='g40'><xs:sequence/></xs:group>\
         <xs:element name='order'><xs:complexType><xs:group ref='g0'/></xs:complexType></xs:element>"
    );
    assert_eq!(refused(&body).0, "LG-TYPE-SIZE");
    for own in [
        "<xs:group name='g'><xs:sequence><xs:group ref='g'/></xs:sequence></xs:group><xs:element name='order'><xs:complexType><xs:group ref='g'/></xs:complexType></xs:element>",
        "<xs:attributeGroup name='g'><xs:attributeGroup ref='g'/></xs:attributeGroup><xs:element name='order'><xs:complexType><xs:attributeGroup ref='g'/></xs:complexType></xs:element>",
        "<xs:complexType name='T'><xs:complexContent><xs:extension base='T'/></xs:complexContent></xs:complexType><xs:element name='order' type='T'/>",
    ] {
        let code = refused(own).0;
        assert!(["LG-TYPE-SIZE", "LG-TYPE-LOOP"].contains(&code), "{code}: {own}");
    }
}

const ORDER: &str = "
<xs:element name='order'><xs:complexType>
  <xs:sequence>
    <xs:element name='id' type='xs:string'/>
    <xs:element name='total' type='Money'/>
    <xs:element name='line' type='Line' maxOccurs='unbounded'/>
    <xs:element name='note' type='xs:string' minOccurs='0' nillable='true'/>
    <xs:choice><xs:element name='iban' type='xs:string'/><xs:element name='card' type='Card'/></xs:choice>
  </xs:sequence>
  <xs:attribute name='version' type='xs:positiveInteger' use='required'/>
  <xs:attribute name='kind' type='Kind'/>
</xs:complexType></xs:element>
<xs:complexType name='Line'><xs:sequence>
  <xs:element name='sku' type='Sku'/><xs:element name='quantity' type='Quantity'/>
  <xs:element name='line' type='xs:string' minOccurs='0'/>
</xs:sequence></xs:complexType>
<xs:complexType name='Money'><xs:simpleContent><xs:extension base='Amount'>
  <xs:attribute name='currency' type='xs:string' use='required'/></xs:extension></xs:simpleContent></xs:complexType>
<xs:simpleType name='Amount'><xs:restriction base='xs:decimal'><xs:fractionDigits value='2'/><xs:minInclusive value='0'/></xs:restriction></xs:simpleType>
<xs:simpleType name='Quantity'><xs:restriction base='xs:int'><xs:maxExclusive value='1000'/></xs:restriction></xs:simpleType>
<xs:simpleType name='Sku'><xs:restriction base='xs:string'><xs:pattern value='[A-Z]{2}\\d+'/><xs:pattern value='X'/><xs:maxLength value='6'/></xs:restriction></xs:simpleType>
<xs:simpleType name='Kind'><xs:restriction base='xs:token'><xs:enumeration value='web'/><xs:enumeration value='shop'/></xs:restriction></xs:simpleType>
<xs:complexType name='Card'><xs:attribute name='until' type='xs:gYearMonth'/></xs:complexType>";

#[test]
fn values_are_those_that_xml_is_read_as() {
    let order = schema(ORDER);
    let with = |rest: &str| {
        format!(
            r##"{{"order": {{"@version": "1", "id": "x", "total": {{"@currency": "EUR", "#text": "4.50"}},
                "line": [{{"sku": "AB12", "quantity": "3"}}], "iban": "DE"{rest}}}}}"##
        )
    };
    fits(&order, &with(""));
    fits(&order, &with(r##", "note": null, "@kind": "web", "@xmlns:a": "urn:x", "@xsi:schemaLocation": "y""##));
    fails(&order, &with(r##", "@kind": "Web""##), &["/order/@kind LG-VALUE-ENUM"]);
    fails(&order, &with(r##", "nothing": "x""##), &["/order/nothing LG-VALUE-FIELD"]);
    fails(&order, &with("").replace("[{", "{").replace("}]", "}"), &["/order/line LG-VALUE-KIND"]);
    fails(&order, &with("").replace("\"4.50\"", "\"4.505\""), &["/order/total/#text LG-VALUE-RANGE"]);
    fails(&order, &with("").replace("\"4.50\"", "\"-1\""), &["/order/total/#text LG-VALUE-RANGE"]);
    fails(&order, &with("").replace("\"4.50\"", "\"4,50\""), &["/order/total/#text LG-VALUE-PATTERN"]);
    fails(&order, &with("").replace("\"4.50\"", "4.50"), &["/order/total/#text LG-VALUE-KIND"]);
    fails(&order, &with("").replace("\"3\"", "\"1000\""), &["/order/line/0/quantity LG-VALUE-RANGE"]);
    fails(&order, &with("").replace("\"3\"", "\"2.5\""), &["/order/line/0/quantity LG-VALUE-RANGE"]);
    fits(&order, &with("").replace("AB12", "X"));
    fails(&order, &with("").replace("AB12", "AB12345"), &["/order/line/0/sku LG-VALUE-LENGTH"]);
    fails(&order, &with("").replace("AB12", "xAB12x"), &["/order/line/0/sku LG-VALUE-PATTERN"]);
    fails(&order, &with("").replace(r##""iban": "DE""##, r##""note": """##), &["/order LG-VALUE-CHOICE"]);
    fails(&order, &with("").replace(r##""@version": "1", "##, ""), &["/order LG-VALUE-REQUIRED"]);
    // An element without anything in it is the empty text.
    fits(&order, &with("").replace(r##""iban": "DE""##, r##""card": """##));
    fits(&order, &with("").replace(r##""iban": "DE""##, r##""card": {"@until": "2030-01"}"##));
    fails(&order, r#"{"other": {}}"#, &[" LG-VALUE-REQUIRED", "/other LG-VALUE-FIELD"]);
    // Not every `line` is an array: the one of the order is.
    assert_eq!(order.arrays(), ["order/line"]);
}

#[test]
fn types_are_made_from_others() {
    let body = "
        <xs:element name='order' type='Special'/>
        <xs:complexType name='Base'><xs:sequence><xs:element name='a' type='xs:int'/></xs:sequence><xs:attribute name='x'/></xs:complexType>
        <xs:complexType name='Special'><xs:complexContent><xs:extension base='Base'>
          <xs:sequence><xs:element ref='b' maxOccurs='2'/><xs:group ref='g' minOccurs='0'/></xs:sequence>
          <xs:attributeGroup ref='ag'/></xs:extension></xs:complexContent></xs:complexType>
        <xs:element name='b'><xs:complexType><xs:sequence><xs:element ref='b' minOccurs='0'/></xs:sequence><xs:attribute name='n' use='required'/></xs:complexType></xs:element>
        <xs:group name='g'><xs:sequence><xs:element name='c' type='xs:boolean'/></xs:sequence></xs:group>
        <xs:attributeGroup name='ag'><xs:attribute name='y' type='xs:date' use='required'/></xs:attributeGroup>";
    let special = schema(body);
    let value =
        r##"{"order": {"@x": "1", "@y": "2026-11-22", "a": "1", "b": [{"@n": "1", "b": {"@n": "2"}}], "c": "true"}}"##;
    fits(&special, value);
    fails(&special, &value.replace("\"@n\": \"2\"", ""), &["/order/b/0/b LG-VALUE-REQUIRED"]);
    fails(&special, &value.replace("2026-11-22", "22.11.2026"), &["/order/@y LG-VALUE-PATTERN"]);
    fails(&special, &value.replace("\"true\"", "\"yes\""), &["/order/c LG-VALUE-PATTERN"]);
    fails(&special, &value.replace("\"a\": \"1\", ", ""), &["/order LG-VALUE-REQUIRED"]);
    assert_eq!(special.arrays(), ["order/b"]);

    // Text in between, and elements whose order fields could not keep.
    let loose = schema(
        "<xs:element name='order'><xs:complexType><xs:choice maxOccurs='unbounded'>
           <xs:element name='a' type='xs:string'/><xs:element name='p'><xs:complexType mixed='true'><xs:sequence><xs:element name='b' type='xs:string' minOccurs='0'/></xs:sequence></xs:complexType></xs:element>
         </xs:choice></xs:complexType></xs:element>",
    );
    fits(&loose, r##"{"order": {"#content": [{"a": "x"}, {"p": {"#content": ["y", {"b": ""}]}}, {"a": "z"}]}}"##);
    fits(&loose, r##"{"order": {"a": ["x"], "p": [{"b": ""}, "text"]}}"##);
    assert_eq!(loose.arrays(), ["a", "p"]);
}

#[test]
fn documents_include_and_import_each_other_by_name() {
    let main = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns='urn:m' xmlns:o='urn:o' targetNamespace='urn:m'>
        <xs:include schemaLocation='../x/common.xsd'/><xs:import namespace='urn:o' schemaLocation='other.xsd'/>
        <xs:element name='order'><xs:complexType><xs:sequence><xs:element name='id' type='Id'/><xs:element ref='o:part'/></xs:sequence></xs:complexType></xs:element></xs:schema>";
    // Without a namespace of its own it takes that of who includes it.
    let common = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:include schemaLocation='order.xsd'/>
        <xs:simpleType name='Id'><xs:restriction base='Short'/></xs:simpleType>
        <xs:simpleType name='Short'><xs:restriction base='xs:string'><xs:maxLength value='3'/></xs:restriction></xs:simpleType></xs:schema>";
    let other = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:o'><xs:element name='part' type='xs:string'/></xs:schema>";
    let mut files =
        BTreeMap::from([("types/order.xsd", main), ("types/common.xsd", common), ("types/other.xsd", other)]);
    let read = Schema::from_xsd(&XsdFiles::parse(files.clone()), "types/order.xsd", "order")
        .unwrap_or_else(|all| panic!("{}", all[0]));
    fits(&read, r#"{"order": {"id": "abc", "part": "x"}}"#);
    fails(&read, r#"{"order": {"id": "abcd", "part": "x"}}"#, &["/order/id LG-VALUE-LENGTH"]);
    files.insert("types/other.xsd", "<broken");
    let problems = Schema::from_xsd(&XsdFiles::parse(files.clone()), "types/order.xsd", "order").unwrap_err();
    assert!(matches!(&problems[0].place, SchemaPlace::Bytes { file, .. } if file == "types/other.xsd"), "{problems:?}");
}

const HOLDER: &str = "<d xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:a='urn:a' xmlns:b='urn:b'>
    <xs:schema targetNamespace='urn:a'><xs:import namespace='urn:b'/>
      <xs:element name='order'><xs:complexType><xs:sequence>
        <xs:element name='line' type='b:line' maxOccurs='9'/><xs:element name='note' type='xs:string' form='qualified' minOccurs='0'/>
      </xs:sequence><xs:attribute name='id' type='xs:int'/></xs:complexType></xs:element>
    </xs:schema>
    <xs:schema targetNamespace='urn:b' elementFormDefault='qualified'>
      <xs:complexType name='line'><xs:sequence><xs:element name='sku' type='xs:string'/></xs:sequence></xs:complexType>
    </xs:schema></d>";

fn held(root: XsdRoot<'_>) -> Result<Schema, Vec<SchemaProblem>> {
    Schema::from_xsd_within(&XsdFiles::parse([("d.xml", HOLDER)]), &["d.xml"], root)
}

fn named(namespace: &str, local: &str) -> XsdRef {
    XsdRef { name: XmlName::new(namespace, local), file: "d.xml".to_owned(), range: 3..5 }
}

#[test]
fn schemas_within_a_document_know_how_their_values_stand_in_xml() {
    let schema = held(XsdRoot::Element(&named("urn:a", "order"))).unwrap();
    let Written::Element(markup) = schema.written(schema.root()) else { panic!("no element") };
    let names: Vec<(&str, &str, bool)> = markup
        .children
        .iter()
        .map(|child| (child.name.namespace.as_str(), child.key.as_str(), child.is_array))
        .collect();
    assert_eq!(names, [("", "line", true), ("urn:a", "note", false)]);
    assert_eq!(markup.attributes[0].key, "@id");
    let line = schema.written(schema.item_rule(markup.children[0].rule));
    let Written::Element(line) = line else { panic!("{line:?}") };
    assert_eq!(line.children[0].name, XmlName::new("urn:b", "sku"));
    assert_eq!(schema.written(line.children[0].rule), Written::Text);
    assert_eq!(schema.namespaces(), ["urn:a", "urn:b"]);
    fits(&schema, r#"{"line": [{"sku": "1"}]}"#);
    fails(&schema, r#"{"line": {"sku": "1"}}"#, &["/line LG-VALUE-KIND"]);
}

#[test]
fn parts_are_an_object_and_what_is_missing_is_told_where_it_is_named() {
    let parts = [("one".to_owned(), named("urn:b", "line")), ("two".to_owned(), named(super::XSD, "int"))];
    let schema = held(XsdRoot::Parts(&parts)).unwrap();
    fits(&schema, r#"{"one": {"sku": "1"}, "two": "2"}"#);
    fails(&schema, r#"{"two": "2"}"#, &[" LG-VALUE-REQUIRED"]);
    let problems = held(XsdRoot::Element(&named("urn:b", "Order"))).unwrap_err();
    let place = SchemaPlace::Bytes { file: "d.xml".to_owned(), range: 3..5 };
    assert_eq!((problems[0].code, &problems[0].place), ("LG-TYPE-REF", &place));
}

#[test]
fn a_type_as_json_schema_says_the_same() {
    let schema = schema(
        "<xs:element name='order'><xs:complexType><xs:sequence><xs:element name='part' type='P'/></xs:sequence>
         <xs:attribute name='unit' use='required'><xs:simpleType><xs:restriction base='xs:string'><xs:enumeration value='kg'/>
         </xs:restriction></xs:simpleType></xs:attribute></xs:complexType></xs:element>
         <xs:complexType name='P'><xs:sequence><xs:element name='n' type='xs:int' nillable='true'/>
         <xs:element name='part' type='P' minOccurs='0' maxOccurs='unbounded'/></xs:sequence></xs:complexType>",
    );
    let printed = schema.to_json(&Limits::default()).unwrap();
    let again = Schema::from_json(printed.root()).unwrap();
    for (json, is_well) in [
        (r#"{"order": {"@unit": "kg", "part": {"n": "1", "part": [{"n": null}]}}}"#, true),
        (r#"{"order": {"@unit": "kg", "part": {"n": "x"}}}"#, false),
        (r#"{"order": {"@unit": "lb", "part": {"n": "1"}}}"#, false),
        (r#"{"order": {"@unit": "kg", "part": {"n": "1", "part": [{"m": "1"}]}}}"#, false),
        (r#"{"order": {"part": {"n": "1"}}}"#, false),
    ] {
        assert_eq!(codes(&schema, json).is_empty(), is_well, "{json}");
        assert_eq!(codes(&again, json).is_empty(), is_well, "{json}");
    }
}
