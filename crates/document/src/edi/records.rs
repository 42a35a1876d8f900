//! Messages one at a time: `{interchange, group, message, segments}`, or `content` by a grammar.

use lockgate_model::Limits;

use super::{
    Dialect,
    envelope::{Envelope, Event},
    outgoing::{Heads, Outgoing},
    path::Path,
    rule::{is_absent, members},
    service::Level,
    show::{self, Content},
};
use crate::{
    builder::Builder,
    document::Document,
    fault::Fault,
    format::{FormatError, RecordReader, RecordWriter},
    node::Node,
};

/// Reads interchanges, as many as come, and gives each message with the heads around it.
///
/// An interchange that has acknowledgements (X12 TA1) and no messages is one record without message.
pub struct Reader {
    envelope: Envelope,
    dialect: Dialect,
    limits: Limits,
    open: Option<(Builder, Content)>,
    /// Messages so far, and those of this interchange.
    records: u64,
    in_interchange: u64,
    failed: Option<FormatError>,
}

impl Reader {
    /// A reader whose records are under these limits, each by itself.
    pub fn new(dialect: Dialect, limits: &Limits) -> Reader {
        let envelope = Envelope::new(dialect.characters);
        Reader { envelope, dialect, limits: *limits, open: None, records: 0, in_interchange: 0, failed: None }
    }

    /// Bytes that wait for their segment to end.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.envelope.held()
    }

    fn record(&mut self) -> Result<Option<Document>, FormatError> {
        while let Some(event) = self.envelope.next()? {
            match event {
                Event::Begin(Level::Message) => {
                    (self.records, self.in_interchange) = (self.records + 1, self.in_interchange + 1);
                    let mut builder = self.heads()?;
                    let content = Content::begin(&self.envelope, &self.dialect, &self.limits, &mut builder)?;
                    self.open = Some((builder, content));
                }
                Event::Begin(level) => {
                    if level == Level::Interchange {
                        self.in_interchange = 0;
                    }
                    // Heads of no message are held to their rules too.
                    self.heads()?;
                }
                Event::Segment(segment) => {
                    if let Some((builder, content)) = &mut self.open {
                        content.segment(segment, &self.dialect, builder)?;
                    }
                }
                Event::End(Level::Message, trailer) => {
                    if let (Some((mut builder, content)), Some(mode)) = (self.open.take(), self.envelope.mode()) {
                        content.end(&trailer, mode, &self.dialect, &mut builder)?;
                        return finished(builder, trailer.offset).map(Some);
                    }
                }
                Event::End(Level::Interchange, trailer)
                    if self.in_interchange == 0 && !self.envelope.notices().is_empty() =>
                {
                    self.records += 1;
                    return finished(self.heads()?, trailer.offset).map(Some);
                }
                Event::End(Level::Group | Level::Interchange, _) => {}
            }
        }
        Ok(None)
    }

    fn heads(&self) -> Result<Builder, FormatError> {
        let mut builder = Builder::new(&self.limits);
        builder.begin_object().map_err(|fault| self.fault(&fault))?;
        show::head(&self.envelope, Level::Interchange, &mut builder)?;
        show::head(&self.envelope, Level::Group, &mut builder)?;
        Ok(builder)
    }
    fn fault(&self, fault: &Fault) -> FormatError {
        FormatError::fault(fault, self.envelope.offset())
    }
}

fn finished(mut builder: Builder, offset: u64) -> Result<Document, FormatError> {
    builder.end().and_then(|()| builder.finish()).map_err(|fault| FormatError::fault(&fault, offset))
}

impl RecordReader for Reader {
    fn push(&mut self, bytes: &[u8]) {
        // What nobody will read is not kept.
        if self.failed.is_none() {
            self.envelope.push(bytes);
        }
    }
    fn end(&mut self) {
        self.envelope.end();
    }
    fn next(&mut self) -> Result<Option<Document>, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.record().map_err(|error| {
            let error = if self.records > 0 { error.of_record(self.records) } else { error };
            self.failed = Some(error.clone());
            error
        })
    }
}

/// Writes records as one interchange after another.
///
/// A record whose `interchange` or `group` differs from what is open ends that and begins its own.
/// One that has none takes those of the options, or what is open.
pub struct Writer {
    outgoing: Outgoing,
    interchange: Option<Heads>,
    group: Option<Document>,
    records: u64,
    failed: Option<FormatError>,
}

impl Writer {
    /// A writer whose records have these heads, `{interchange, group}`, where they bring none of their
    /// own. Both may be absent, and so may the value.
    pub fn new(dialect: Dialect, heads: Node<'_>) -> Result<Writer, FormatError> {
        let mut writer =
            Writer { outgoing: Outgoing::new(dialect), interchange: None, group: None, records: 0, failed: None };
        if heads.is_undefined() {
            return Ok(writer);
        }
        members(heads, ["interchange", "group"].into_iter(), &Path::ROOT)?;
        let path = Path::ROOT.key("interchange");
        if !is_absent(heads.get("interchange")) {
            writer.interchange = Some(writer.outgoing.heads(heads.get("interchange"), &path)?);
        }
        if !is_absent(heads.get("group")) {
            let mut kept = Builder::new(&Limits::default());
            let kept = kept.value(heads.get("group")).and_then(|()| kept.finish());
            writer.group = Some(kept.map_err(|fault| FormatError::fault(&fault, 0))?);
        }
        Ok(writer)
    }

    fn record(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let path = Path::ROOT;
        members(record, ["interchange", "group", "message", "segments", "content"].into_iter(), &path)?;
        let own = record.get("interchange");
        let wanted = match is_absent(own) {
            false => Some(self.outgoing.heads(own, &path.key("interchange"))?),
            true => self.interchange.clone(),
        };
        match wanted {
            Some(heads) if !self.outgoing.is_open(&heads) => {
                self.outgoing.end_interchange(out)?;
                self.outgoing.begin_interchange(heads, &path.key("interchange"), out)?;
            }
            None if self.outgoing.mode().is_none() => {
                return Err(path.key("interchange").refused("LG-EDI-MISSING", "is missing, and the options have none"));
            }
            _ => {}
        }
        if is_absent(record.get("message")) && self.outgoing.is_notice() {
            return Ok(());
        }
        let group = match (record.get("group"), &self.group) {
            (own, _) if !is_absent(own) => Some(own),
            (_, Some(kept)) => Some(kept.root()),
            _ => None,
        };
        if let Some(group) = group {
            self.outgoing.group(group, &path.key("group"), out)?;
        }
        self.outgoing.message(record, &["interchange", "group"], &path, out)
    }

    /// Leaves `out` as it was when something is refused, and refuses all that follows.
    fn attempt(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Writer, &mut Vec<u8>) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let before = out.len();
        write(self, out).map_err(|error| {
            out.truncate(before);
            let error = if self.records > 0 { error.of_record(self.records) } else { error };
            self.failed = Some(error.clone());
            error
        })
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.records += 1;
        self.attempt(out, |writer, out| writer.record(record, out))
    }
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.attempt(out, |writer, out| writer.outgoing.end_interchange(out))
    }
}
