//! Every example of docs/formats/xml.md holds: the XML becomes the JSON, and the JSON comes back from
//! the XML that it is written as.

use lockgate_document::{Document, xml};
use lockgate_model::Limits;

/// What a fence says after `xml`, the document, and its value.
type Example = (String, String, String);

fn examples(page: &str) -> Vec<Example> {
    let mut blocks = page.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    let mut examples = Vec::new();
    while let Some((fence, document)) = blocks.next() {
        let options = fence.strip_prefix("xml").unwrap_or_else(|| panic!("a document comes first, not `{fence}`"));
        let (fence, value) = blocks.next().unwrap();
        assert_eq!(fence, "json", "{document}");
        examples.push((options.trim().to_owned(), document.to_owned(), value.to_owned()));
    }
    examples
}

/// `arrays=a/b,c` and `namespaces=uri=prefix,uri=prefix`.
fn options(text: &str) -> xml::XmlOptions {
    let mut options = xml::XmlOptions::default();
    for option in text.split_whitespace() {
        let (name, entries) = option.split_once('=').unwrap();
        let entries = entries.split(',');
        match name {
            "arrays" => options.arrays = xml::Arrays::new(entries).unwrap(),
            "namespaces" => {
                let entries = entries.map(|entry| entry.rsplit_once('=').unwrap());
                options.namespaces = xml::Namespaces::new(entries).unwrap();
            }
            _ => panic!("there is no option `{name}`"),
        }
    }
    options
}

#[test]
fn every_example_of_the_page_holds() {
    let page = std::fs::read_to_string(lockgate_testkit::workspace_root().join("docs/formats/xml.md")).unwrap();
    let limits = Limits::default();
    let examples = examples(&page);
    for (fence, document, value) in &examples {
        let options = options(fence);
        let read =
            |bytes: &[u8]| xml::read(bytes, &options, &limits).unwrap_or_else(|error| panic!("{document}: {error}"));
        let json = |document: &Document| String::from_utf8(document.print(u64::MAX).unwrap()).unwrap();
        let expected = json(&Document::parse(value.as_bytes(), &limits).unwrap());
        let found = read(document.as_bytes());
        assert_eq!(json(&found), expected, "{document}");
        let mut written = Vec::new();
        xml::write(found.root(), &options, &mut written).unwrap();
        assert_eq!(json(&read(&written)), expected, "{}", String::from_utf8_lossy(&written));
    }
    assert!(examples.len() >= 10, "{} examples", examples.len());
}
