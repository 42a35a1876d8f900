//! A description is read or refused; the types of its operations are JSON Schemas that can be read.

use lockgate_document::schema::Schema;
use lockgate_soap::Wsdl;

/// One description, which finds no other document.
///
/// # Panics
/// When the JSON Schema of a type is none.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    let Ok(wsdl) = Wsdl::read("service.wsdl", text.to_owned(), |_| None) else { return };
    for port in wsdl.services().iter().flat_map(|service| &service.ports) {
        for described in port.operations.iter().take(4) {
            let Ok(operation) = wsdl.operation(&port.name, &described.name) else { continue };
            let Some(message) = &operation.input.body else { continue };
            let printed = message.json_schema(&super::small()).unwrap_or_else(|e| panic!("not printed: {e}"));
            if let Err(problems) = Schema::from_json(printed.root()) {
                panic!("printed, not read: {problems:?}");
            }
        }
    }
}
