//! An envelope that is accepted is written and read again as the same value.

use std::{collections::BTreeSet, sync::LazyLock};

use lockgate_document::Document;
use lockgate_soap::{Operation, Request, Wsdl};

/// An operation whose type has some of everything.
static OPERATION: LazyLock<Operation> = LazyLock::new(|| {
    let text = "<definitions targetNamespace='t' xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:t='t'
            xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:s='http://schemas.xmlsoap.org/wsdl/soap/'>
        <types><xs:schema targetNamespace='t' elementFormDefault='qualified'>
        <xs:element name='a'><xs:complexType><xs:sequence>
          <xs:element name='b' type='xs:int' nillable='true' minOccurs='0' maxOccurs='unbounded'/>
          <xs:element name='c' minOccurs='0' form='unqualified'><xs:complexType><xs:simpleContent>
            <xs:extension base='xs:string'><xs:attribute name='x' type='xs:string'/></xs:extension>
          </xs:simpleContent></xs:complexType></xs:element>
          <xs:element name='d' minOccurs='0'><xs:complexType mixed='true'><xs:choice minOccurs='0' maxOccurs='unbounded'>
            <xs:element name='e' type='xs:string'/><xs:element ref='t:a'/></xs:choice></xs:complexType></xs:element>
          <xs:element name='f' minOccurs='0'/>
          <xs:any minOccurs='0' maxOccurs='unbounded'/>
        </xs:sequence><xs:attribute name='x' type='xs:string'/></xs:complexType></xs:element>
        </xs:schema></types>
        <message name='in'><part name='p' element='t:a'/></message>
        <portType name='T'><operation name='o'><input message='t:in'/></operation></portType>
        <binding name='B' type='t:T'><s:binding transport='http://schemas.xmlsoap.org/soap/http'/>
        <operation name='o'><input><s:body use='literal'/></input></operation></binding>
        <service name='S'><port name='P' binding='t:B'/></service></definitions>";
    let wsdl = Wsdl::read("t.wsdl", text.to_owned(), |_| None).unwrap_or_else(|all| panic!("{all:?}"));
    wsdl.operation("P", "o").unwrap_or_else(|all| panic!("{all:?}"))
});

/// What stands in the body.
///
/// # Panics
/// When what was written is read otherwise.
pub fn target(data: &[u8]) {
    let limits = super::small();
    let begin = b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:t='t'><s:Body>".as_slice();
    let whole = [begin, data, b"</s:Body></s:Envelope>"].concat();
    let Ok(read) = OPERATION.asked(&whole, &[], &limits) else { return };
    let (none, attachments) = (Document::undefined(), BTreeSet::new());
    let request =
        Request { body: read.body.root(), headers: none.root(), blocks: &[], body_id: None, attachments: &attachments };
    match OPERATION.request(&request, &limits) {
        // A value can be longer than the text that it came from: its names repeat.
        Err(error) => assert_eq!(error.code, "LG-XML-LIMIT", "read, not written: {error}"),
        Ok(bytes) => {
            let again = OPERATION.asked(&bytes, &[], &limits).unwrap_or_else(|e| panic!("written, not read: {e}"));
            assert!(again.body == read.body, "read otherwise");
        }
    }
}
