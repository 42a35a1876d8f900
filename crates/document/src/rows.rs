//! Records that share their keys, written into an arena without looking anything up.
//!
//! A reader of tables knows its columns before the records come. The characters of a record go into
//! the region in one piece, and its values are spans of it.
//!
//! Deliberately absent: finding fields that come twice. Who makes [`Columns`] has refused them.

use lockgate_model::Limits;

use crate::arena::Arena;
use crate::datum::{Datum, Field};
use crate::document::Document;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::memory::Memory;
use crate::number::exact;
use crate::region::Region;
use crate::text::Text;
use crate::values::INPUT_SLOT;

/// Names of columns, as they stand at the start of a fresh arena. No name is there twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    names: String,
    keys: Vec<Text>,
}

impl Columns {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut columns = Self::default();
        for name in names {
            let at = columns.names.len() as u32;
            columns.names.push_str(name);
            columns.keys.push(Text::of(INPUT_SLOT, at, name.as_bytes()));
        }
        columns
    }
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
    /// The names in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| self.names.get(key.at as usize..(key.at + key.len) as usize).unwrap_or_default())
    }
}

/// Where the names of [`Columns`] stand in an arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys(u32);

/// A document of one record or many, under construction. Between [`begin`](Rows::begin) and the end
/// of a record come its values, one after the other.
pub(crate) struct Rows {
    arena: Arena,
    /// Where the characters of the record at hand stand.
    base: u32,
    /// Where its fields and items begin.
    fields: u32,
    items: u32,
    /// Where the names of each kind of record stand, once they were written.
    named: Vec<Option<Keys>>,
    /// Records that have ended and are part of an array.
    kept: Vec<Handle>,
}

impl Rows {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { arena: Arena::new(limits), base: 0, fields: 0, items: 0, named: Vec::new(), kept: Vec::new() }
    }

    /// The names of the columns that records of this kind have; they are written once.
    pub(crate) fn keys(&mut self, kind: usize, columns: &Columns) -> Result<Keys, Fault> {
        if let Some(keys) = self.named.get(kind).copied().flatten() {
            return Ok(keys);
        }
        let (region, memory) = self.parts()?;
        let keys = append(region, memory, &columns.names).map(Keys)?;
        self.named.resize(self.named.len().max(kind + 1), None);
        if let Some(named) = self.named.get_mut(kind) {
            *named = Some(keys);
        }
        Ok(keys)
    }

    /// A record of this text begins. At most so many values follow, each of which is a field or an item.
    pub(crate) fn begin(&mut self, text: &str, values: usize, are_fields: bool) -> Result<(), Fault> {
        let (region, memory) = self.parts()?;
        let base = append(region, memory, text)?;
        memory.room(&mut region.nodes, values + 1)?;
        match are_fields {
            true => memory.room(&mut region.fields, values)?,
            false => memory.room(&mut region.items, values)?,
        }
        let (fields, items) = (region.fields.len() as u32, region.items.len() as u32);
        (self.base, self.fields, self.items) = (base, fields, items);
        Ok(())
    }

    /// A string: these characters, which stand at `start` of the record's text.
    #[inline]
    pub(crate) fn span(&mut self, characters: &str, start: usize) -> Result<Handle, Fault> {
        self.arena.put(Datum::text(Text::of(INPUT_SLOT, self.base + start as u32, characters.as_bytes())))
    }
    /// A string that does not stand in the record's text.
    pub(crate) fn text(&mut self, text: &str) -> Result<Handle, Fault> {
        self.arena.new_text(text)
    }
    /// A number by its lexeme; none when it is no JSON number.
    pub(crate) fn number(&mut self, lexeme: &str) -> Result<Option<Handle>, Fault> {
        if let Some((mantissa, scale)) = exact(lexeme.as_bytes()) {
            return self.arena.put(Datum::Exact { mantissa, scale }).map(Some);
        }
        // What JSON takes beside numbers begins or ends with other bytes.
        let is_trimmed = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        if !is_trimmed(lexeme.as_bytes().first()) || !is_trimmed(lexeme.as_bytes().last()) {
            return Ok(None);
        }
        match self.arena.parse_json(lexeme.as_bytes()) {
            Ok(number) => Ok(Some(number)),
            Err(error) => error.fault().map_or(Ok(None), |fault| Err(fault.clone())),
        }
    }

    /// The next field of the record.
    #[inline]
    pub(crate) fn field(&mut self, columns: &Columns, keys: Keys, column: usize, value: Handle) -> Result<(), Fault> {
        let key = *columns.keys.get(column).ok_or(Fault::WrongKind)?;
        let (region, memory) = self.parts()?;
        memory.room(&mut region.fields, 1)?;
        region.fields.push(Field { key: Text { at: key.at + keys.0, ..key }, value });
        Ok(())
    }
    /// The next item of the record.
    #[inline]
    pub(crate) fn item(&mut self, value: Handle) -> Result<(), Fault> {
        let (region, memory) = self.parts()?;
        memory.room(&mut region.items, 1)?;
        region.items.push(value);
        Ok(())
    }
    /// The record ends: an object of the fields that came since it began or the last one ended.
    pub(crate) fn end_object(&mut self) -> Result<Handle, Fault> {
        let (at, end) = (self.fields, self.parts()?.0.fields.len() as u32);
        self.fields = end;
        self.arena.put(Datum::Object { index: 0, at, len: end - at, room: end - at })
    }
    /// The record ends: an array of the items that came since it began.
    pub(crate) fn end_array(&mut self) -> Result<Handle, Fault> {
        let (at, end) = (self.items, self.parts()?.0.items.len() as u32);
        self.items = end;
        self.arena.put(Datum::Array { flags: 0, at, len: end - at, room: end - at })
    }

    /// Makes a record part of the array that [`finish`](Rows::finish) gives.
    pub(crate) fn keep(&mut self, record: Handle) -> Result<(), Fault> {
        self.arena.memory.room(&mut self.kept, 1)?;
        self.kept.push(record);
        Ok(())
    }
    /// How many records were kept.
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }
    /// The array of all records that were kept.
    pub(crate) fn finish(mut self) -> Result<Document, Fault> {
        let kept = std::mem::take(&mut self.kept);
        let (region, memory) = self.parts()?;
        memory.room(&mut region.items, kept.len())?;
        let first = region.items.len() as u32;
        region.items.extend_from_slice(&kept);
        memory.release((kept.capacity() * size_of::<Handle>()) as u64);
        self.items = first;
        let root = self.end_array()?;
        Ok(self.only(root))
    }
    /// The document of one record.
    pub(crate) fn only(self, record: Handle) -> Document {
        Document::from_parts(self.arena, record)
    }

    #[inline]
    fn parts(&mut self) -> Result<(&mut Region, &mut Memory), Fault> {
        let Arena { values, memory, .. } = &mut self.arena;
        let region = values.regions.get_mut(usize::from(INPUT_SLOT)).ok_or(Fault::StaleHandle)?;
        Ok((region, memory))
    }
}

/// Adds characters to the text of a region; answers where they stand.
fn append(region: &mut Region, memory: &mut Memory, text: &str) -> Result<u32, Fault> {
    memory.room_text(&mut region.text, text.len())?;
    let at = region.text.len() as u32;
    region.text.push_str(text);
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes_max: u64) -> Fault {
        let limits = Limits { arena_bytes_max: bytes_max, ..Limits::default() };
        let columns = Columns::new(["a", "b"]);
        let mut rows = Rows::new(&limits);
        let mut fill = || -> Result<(), Fault> {
            let keys = rows.keys(0, &columns)?;
            for _ in 0..1_000 {
                rows.begin("12", 2, true)?;
                let first = rows.span("1", 0)?;
                rows.field(&columns, keys, 0, first)?;
                let record = rows.end_object()?;
                rows.keep(record)?;
            }
            Ok(())
        };
        fill().unwrap_err()
    }

    #[test]
    fn records_are_refused_where_the_arena_is_full() {
        for bytes_max in [0, 1_000, 2_000, 10_000] {
            assert_eq!(refused(bytes_max), Fault::ArenaFull);
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let mut rows = Rows::new(&Limits::default());
        for wrong in [
            "", " 1", "1 ", "01", "-", "-01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1,5", "true", "\"1\"", "[1]",
            "1 2", "1\n2", "−1", "1_0",
        ] {
            assert_eq!(rows.number(wrong), Ok(None), "{wrong:?}");
        }
        for right in
            ["0", "-0", "-1", "1.50", "0.00", "1e5", "1E-05", "12345678901234567890.10", "-0.001", "999999999999999999"]
        {
            let number = rows.number(right).unwrap().unwrap();
            assert_eq!(rows.arena.view(number).lexeme().unwrap(), right);
        }
    }

    #[test]
    fn records_of_different_columns_share_a_document() {
        let (ab, c) = (Columns::new(["a", "größe"]), Columns::new(["c"]));
        let mut rows = Rows::new(&Limits::default());
        let (ab_keys, c_keys) = (rows.keys(0, &ab).unwrap(), rows.keys(3, &c).unwrap());
        rows.begin("xüy", 2, true).unwrap();
        let (first, second) = (rows.span("x", 0).unwrap(), rows.span("üy", 1).unwrap());
        rows.field(&ab, ab_keys, 0, first).unwrap();
        rows.field(&ab, ab_keys, 1, second).unwrap();
        let record = rows.end_object().unwrap();
        rows.keep(record).unwrap();
        rows.begin("", 1, true).unwrap();
        let text = rows.text("new").unwrap();
        rows.field(&c, c_keys, 0, text).unwrap();
        let record = rows.end_object().unwrap();
        rows.keep(record).unwrap();
        rows.begin("z", 1, false).unwrap();
        let item = rows.span("z", 0).unwrap();
        rows.item(item).unwrap();
        let record = rows.end_array().unwrap();
        rows.keep(record).unwrap();
        let printed = rows.finish().unwrap().print(1_000).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), r#"[{"a":"x","größe":"üy"},{"c":"new"},["z"]]"#);
        assert_eq!(ab.names().collect::<Vec<_>>(), ["a", "größe"]);
    }
}
