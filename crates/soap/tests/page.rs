//! docs/soap.md: its example is what is sent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use lockgate_document::{Document, Limits};
use lockgate_soap::{Request, Wsdl};

fn block<'p>(page: &'p str, fence: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("```{fence}\n")).unwrap_or_else(|| panic!("no {fence}"));
    rest.split_once("```").unwrap().0
}

#[test]
fn the_example_of_the_page_is_what_is_sent() {
    let page = std::fs::read_to_string(lockgate_testkit::workspace_root().join("docs/soap.md")).unwrap();
    let wsdl = Wsdl::read("shop.wsdl", block(&page, "xml document shop.wsdl").to_owned(), |_| None).unwrap();
    let operation = wsdl.operation("ShopPort", "order").unwrap();
    let limits = Limits::default();
    let (body, none) =
        (Document::parse(block(&page, "json value").as_bytes(), &limits).unwrap(), Document::undefined());
    let request =
        Request { body: body.root(), headers: none.root(), blocks: &[], body_id: None, attachments: &BTreeSet::new() };
    let bytes = operation.request(&request, &limits).unwrap();
    let (_, sent) = str::from_utf8(&bytes).unwrap().split_once('\n').unwrap();
    assert_eq!(sent, block(&page, "xml request").replace('\n', ""));
}
