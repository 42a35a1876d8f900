mod envelopes;
mod grammars;
mod hostile;
mod properties;
mod scalars;
mod streams;
mod writing;

use lockgate_model::Limits;

use super::{Dialect, Grammar, Reader, read, write};
use crate::{
    document::Document,
    format::{FormatError, RecordReader},
};

/// ISA of 00501, with `*`, `^`, `:` and `~`.
const ISA: &str =
    "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *261122*1305*^*00501*000000007*0*P*:~";
const GS: &str = "GS*PO*BUYER*SELLER*20261122*1305*7*X*005010~";
const UNB: &str = "UNB+UNOA:3+BUYER:14+SELLER:14+261122:1305+77'";

/// An X12 interchange around the segments of one message.
fn x12(segments: &str) -> String {
    let count = segments.matches('~').count() + 2;
    format!("{ISA}{GS}ST*850*0001~{segments}SE*{count}*0001~GE*1*7~IEA*1*000000007~")
}
/// The same for EDIFACT.
fn edifact(segments: &str) -> String {
    let count = segments.replace("?'", "").matches('\'').count() + 2;
    format!("{UNB}UNH+1+ORDERS:D:96A:UN'{segments}UNT+{count}+1'UNZ+1+77'")
}

fn json(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}
fn shown(document: &Document) -> String {
    String::from_utf8(document.print(1 << 24).unwrap()).unwrap()
}
fn grammar(text: &str) -> Grammar {
    Grammar::read(json(text).root()).unwrap()
}
fn by(grammar: &str) -> Dialect {
    Dialect { grammars: [self::grammar(grammar)].into(), ..Dialect::default() }
}

fn read_whole(text: impl AsRef<[u8]>) -> Result<Document, FormatError> {
    read(text.as_ref(), &Dialect::default(), &Limits::default())
}
fn written(value: &Document, dialect: &Dialect) -> Result<String, FormatError> {
    let mut out = b"before".to_vec();
    let result = write(value.root(), dialect, &mut out);
    let out = String::from_utf8(out).unwrap();
    let out = out.strip_prefix("before").unwrap().to_owned();
    assert!(result.is_ok() || out.is_empty(), "something was left of what was refused");
    result.map(|()| out)
}
/// All records of these pieces.
fn records<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, dialect: &Dialect) -> Result<Vec<Document>, FormatError> {
    let mut reader = Reader::new(dialect.clone(), &Limits::default());
    let mut all = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(record) = reader.next()? {
            all.push(record);
        }
    }
    reader.end();
    while let Some(record) = reader.next()? {
        all.push(record);
    }
    Ok(all)
}
/// Code, byte and message of what must be refused, whole and as a stream, whatever the pieces.
fn refused(text: impl AsRef<[u8]>, dialect: &Dialect) -> (String, u64, String) {
    let text = text.as_ref();
    let whole = read(text, dialect, &Limits::default()).unwrap_err();
    let streamed = records(text.chunks(1), dialect).unwrap_err();
    assert_eq!(
        (whole.code(), whole.offset(), whole.message()),
        (streamed.code(), streamed.offset(), streamed.message())
    );
    (whole.code().to_owned(), whole.offset(), whole.message().to_owned())
}
/// The place of a text in another.
fn at(text: &str, part: &str) -> u64 {
    text.find(part).unwrap() as u64
}
