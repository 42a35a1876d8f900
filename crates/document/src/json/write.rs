//! Records to a JSON array as they come.

use crate::fault::Fault;
use crate::format::{FormatError, RecordWriter};
use crate::node::Node;

/// Writes an array whose items are the records, compact, on one line. Until it is finished it is no
/// JSON: who reads a part of it cannot take it for the whole.
#[derive(Debug)]
pub struct JsonWriter {
    record_bytes_max: u64,
    records: u64,
}

impl JsonWriter {
    /// Nothing yet; no record may print to more than these bytes.
    pub fn new(record_bytes_max: u64) -> Self {
        Self { record_bytes_max, records: 0 }
    }
}

impl RecordWriter for JsonWriter {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.records += 1;
        let before = out.len();
        out.push(if self.records == 1 { b'[' } else { b',' });
        print(record, out, self.record_bytes_max, self.records).inspect_err(|_| out.truncate(before))
    }
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        out.extend_from_slice(if self.records == 0 { b"[]\n" } else { b"]\n" });
        Ok(())
    }
}

/// Appends one record, `null` where there is none.
pub(super) fn print(record: Node<'_>, out: &mut Vec<u8>, bytes_max: u64, number: u64) -> Result<(), FormatError> {
    if record.is_undefined() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let printed: Result<(), Fault> = record.print_json(out, bytes_max);
    printed.map_err(|fault| FormatError::fault(&fault, 0).of_record(number))
}
