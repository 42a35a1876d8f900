//! What can be wrong with an XML text, or with a value that is to become one.

use crate::format::FormatError;

/// A problem, without its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    End,
    Doctype,
    Markup,
    Name,
    Tag,
    LessThan,
    Attribute,
    Duplicate,
    Mismatch,
    Unopened,
    TextOutside,
    SecondRoot,
    Character,
    NumberOfNone,
    Ampersand,
    Entity,
    Brackets,
    Hyphens,
    Instruction,
    LateDeclaration,
    Declaration,
    Version,
    Charset,
    OtherCharset,
    Prefix,
    Reserved,
    NoUri,
    Clash,
    NoNamespace,
    AttributeWithoutPrefix,
    NameLength,
    UriLength,
    Attributes,
    TagLength,
    DocumentLength,
    DeclarationLength,
    OtherRoot,
    Mixed,
    OptionNamespaces,
    OptionArrays,
    OptionPath,
    OptionName,
    ValueRoot,
    ValueArray,
    ValueAttribute,
    ValueText,
    ValueContent,
    ValueMixture,
    ValueFunction,
}

impl Problem {
    /// The problem at this byte of all that was pushed.
    #[cold]
    pub(super) fn at(self, offset: u64) -> FormatError {
        let (code, message) = self.story();
        FormatError::new(code, offset, message)
    }

    fn story(self) -> (&'static str, &'static str) {
        match self {
            Problem::End => ("LG-XML-END", "the text ends too early"),
            Problem::Doctype => {
                ("LG-XML-DOCTYPE", "a document type declaration is refused: send the document without it")
            }
            Problem::Markup => ("LG-XML-MARKUP", "after `<!` only a comment or a CDATA section can stand"),
            Problem::Tag => ("LG-XML-MARKUP", "the tag is malformed"),
            Problem::LessThan => ("LG-XML-MARKUP", "`<` cannot stand within a tag: write it as `&lt;`"),
            Problem::Name => ("LG-XML-NAME", "a name must stand here, with one colon at most"),
            Problem::Attribute => {
                ("LG-XML-ATTRIBUTE", "an attribute must stand here: white space, its name, `=`, its value in quotes")
            }
            Problem::Duplicate => ("LG-XML-DUPLICATE", "the element has this attribute already"),
            Problem::Mismatch => ("LG-XML-MISMATCH", "the end tag does not name the element that is open"),
            Problem::Unopened => ("LG-XML-MISMATCH", "no element is open that could end here"),
            Problem::TextOutside => ("LG-XML-ROOT", "text cannot stand outside the root element"),
            Problem::SecondRoot => ("LG-XML-ROOT", "there is one root element only"),
            Problem::Character => ("LG-XML-CHARACTER", "XML does not have this character"),
            Problem::NumberOfNone => ("LG-XML-CHARACTER", "the reference names no character that XML has"),
            Problem::Ampersand => ("LG-XML-REFERENCE", "the reference is malformed: write a lone `&` as `&amp;`"),
            Problem::Entity => {
                ("LG-XML-ENTITY", "the entity is not declared: there are lt, gt, amp, apos and quot only")
            }
            Problem::Brackets => ("LG-XML-TEXT", "`]]>` cannot stand in text: write its last character as `&gt;`"),
            Problem::Hyphens => ("LG-XML-COMMENT", "`--` cannot stand within a comment"),
            Problem::Instruction => ("LG-XML-INSTRUCTION", "the processing instruction is malformed"),
            Problem::LateDeclaration => {
                ("LG-XML-DECLARATION", "the XML declaration stands at the very start or not at all")
            }
            Problem::Declaration => ("LG-XML-DECLARATION", "the XML declaration is malformed"),
            Problem::Version => ("LG-XML-DECLARATION", "the version must be 1.0; XML 1.1 has other rules"),
            Problem::DeclarationLength => ("LG-XML-DECLARATION", "the XML declaration is longer than any should be"),
            Problem::Charset => ("LG-XML-ENCODING", "there is no such character set, or it is not one for documents"),
            Problem::OtherCharset => {
                ("LG-XML-ENCODING", "the bytes are not in the character set that the XML declaration names")
            }
            Problem::Prefix => ("LG-XML-PREFIX", "the prefix is not declared"),
            Problem::Reserved => (
                "LG-XML-PREFIX",
                "the prefixes `xml` and `xmlns` and their namespaces cannot be declared or used otherwise",
            ),
            Problem::NoUri => ("LG-XML-PREFIX", "a prefix cannot be declared for no namespace"),
            Problem::Clash => (
                "LG-XML-NAMESPACE",
                "the prefix is declared for another namespace than the option `namespaces` gives it to",
            ),
            Problem::NoNamespace => (
                "LG-XML-NAMESPACE",
                "the element is in no namespace, but the option `namespaces` gives names without prefix to one: give that a prefix",
            ),
            Problem::AttributeWithoutPrefix => (
                "LG-XML-NAMESPACE",
                "the attribute is in a namespace that the option `namespaces` gives no prefix: give it one",
            ),
            Problem::NameLength => ("LG-XML-LIMIT", "the name is longer than 1024 bytes"),
            Problem::UriLength => ("LG-XML-LIMIT", "the name of the namespace is longer than 2048 bytes"),
            Problem::Attributes => ("LG-XML-LIMIT", "the element has more than 1000 attributes"),
            Problem::TagLength => ("LG-XML-LIMIT", "the tag is longer than 4 MiB"),
            Problem::DocumentLength => ("LG-XML-LIMIT", "what is written takes more bytes than it may (bytes_max)"),
            Problem::OtherRoot => {
                ("LG-XML-PATH", "the root element is not the one that the path of the records begins with")
            }
            Problem::Mixed => (
                "LG-XML-RECORDS",
                "on the way to the records stands text, or a name again after another one: its elements would be `#content`; read the document as a whole",
            ),
            Problem::OptionNamespaces => (
                "LG-XML-OPTIONS",
                "the namespaces must have different names and different prefixes, and `xml` and `xmlns` are taken",
            ),
            Problem::OptionArrays => (
                "LG-XML-OPTIONS",
                "an array is named by the name of its elements or by their path from the root, as `orders/order`",
            ),
            Problem::OptionPath => {
                ("LG-XML-OPTIONS", "the path of records is names from the root on, as `orders/order`")
            }
            Problem::OptionName => {
                ("LG-XML-OPTIONS", "the elements of the root and of a record must have names that XML has")
            }
            Problem::ValueRoot => {
                ("LG-XML-VALUE", "a document is an object of one field, the root element, and that is no array")
            }
            Problem::ValueArray => ("LG-XML-VALUE", "an array within an array has no place in XML"),
            Problem::ValueAttribute => ("LG-XML-VALUE", "an attribute is a string, a number or a boolean"),
            Problem::ValueText => ("LG-XML-VALUE", "`#text` is a string, a number or a boolean"),
            Problem::ValueContent => ("LG-XML-VALUE", "`#content` is an array of texts and of objects of one field"),
            Problem::ValueMixture => {
                ("LG-XML-VALUE", "an element has either `#text`, or `#content`, or fields for its children")
            }
            Problem::ValueFunction => ("LG-XML-VALUE", "a function has no place in XML"),
        }
    }
}
