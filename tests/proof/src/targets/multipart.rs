//! Parts of a message are the same however it is cut.

use lockgate_soap::mtom::{Event, PartHead, Reader};

/// One message, with a boundary that is easily met.
///
/// # Panics
/// When a cut changes what parts there are.
pub fn target(data: &[u8]) {
    let (first, second) = data.split_at(data.len() / 3);
    let pieces: Vec<&[u8]> = data.chunks(1).collect();
    let whole = parts(&[data]);
    assert!(whole == parts(&[first, second]) && whole == parts(&pieces), "a cut changes what is read");
}

type Parts = (Vec<(PartHead, Vec<u8>)>, Option<String>);

fn parts(pieces: &[&[u8]]) -> Parts {
    let mut reader = Reader::new("multipart/related; boundary=b").unwrap_or_else(|e| panic!("{e}"));
    let (mut parts, mut pieces): (Vec<(PartHead, Vec<u8>)>, _) = (Vec::new(), pieces.iter());
    loop {
        match reader.event() {
            Ok(Event::Part(head)) => parts.push((head, Vec::new())),
            Ok(Event::Data(data)) => {
                if let Some((_, bytes)) = parts.last_mut() {
                    bytes.extend_from_slice(data);
                }
            }
            Ok(Event::EndOfPart) => {}
            Ok(Event::Done) => return (parts, None),
            Ok(Event::More) => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => reader.end(),
            },
            Err(error) => return (parts, Some(error.to_string())),
        }
    }
}
