//! Group *patterns*: regular expressions, and what is done with the matches of a matcher function.
//!
//! A pattern is a constant of the module. As a function value it gives a match object: `match`,
//! `start`, `end`, `groups`, and `next`, a function that goes on behind it. What such a function
//! needs stands in its environment: the text, the pattern and the place.

use std::ops::Range;
use std::sync::Arc;

use crate::arena::Arena;
use crate::constants::Constants;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::memory::Memory;
use crate::meter::Meter;
use crate::node::Kind;
use crate::pattern::{Found, Pattern, Place, expand, replace_text};
use crate::refusal::Refusal;
use crate::standard::{T0410, T1010};
use crate::text::{ASCII, PLAIN, Text};

/// What the environment of a `next` holds.
const TEXT: i32 = 0;
const PATTERN: i32 = 1;
const BYTE: i32 = 2;
const CHARACTER: i32 = 3;

/// Which members a match object has.
enum Form {
    /// `$match`: `match`, `index`, `groups`.
    Listed,
    /// A matcher function: `match`, `start`, `end`, `groups`, and its `next` of this number over the
    /// text and the pattern.
    Matcher(i32, Handle, Handle),
}

/// A pattern, held beside the arena whose values it searches.
struct Held {
    constants: Arc<Constants>,
    pattern: Handle,
}

impl Held {
    fn get(&self) -> Result<&Pattern, Fault> {
        self.constants.pattern(self.pattern).ok_or(Fault::WrongKind)
    }
}

impl Arena {
    fn held(&self, pattern: Handle) -> Held {
        Held { constants: Arc::clone(&self.values.constants), pattern }
    }

    pub(super) fn is_pattern(&self, h: Handle) -> bool {
        self.values.constants.pattern(h).is_some()
    }

    /// `contains` where the token is a pattern.
    pub(super) fn contains_match(&mut self, s: Handle, token: Handle) -> Result<Option<bool>, Fault> {
        if !self.is_pattern(token) {
            return Ok(None);
        }
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Some(false)) };
        let held = self.held(token);
        let pattern = held.get()?;
        self.meter.charge(pattern.work(text.len as usize))?;
        Ok(Some(pattern.contains(self.values.str(text))))
    }

    /// The matches of a pattern in a text, charged one by one; memory is claimed for as long as they
    /// are held.
    fn matches(&mut self, text: Text, pattern: &Pattern, limit: f64) -> Result<Vec<Found>, Fault> {
        let limit = (!limit.is_nan()).then_some(limit);
        let string = self.values.str(text);
        let (meter, memory) = (&mut self.meter, &mut self.memory);
        let (mut all, mut claimed, mut from) = (Vec::new(), 0, 0);
        let found = pattern.each(string, limit, |found| -> Result<(), Fault> {
            meter.charge(pattern.work_on(found.end.byte.saturating_sub(from), string.len().saturating_sub(from)))?;
            from = found.end.byte;
            let bytes = (size_of::<Found>() + found.groups.len() * size_of::<Option<Range<usize>>>()) as u64;
            memory.claim(bytes)?;
            claimed += bytes;
            all.push(found.clone());
            Ok(())
        });
        memory.release(claimed);
        found?;
        // The last search found nothing more.
        meter.charge(pattern.work(string.len().saturating_sub(from)))?;
        Ok(all)
    }

    /// `match(s, pattern, limit)`: `$match`.
    pub fn match_all(&mut self, s: Handle, pattern: Handle, limit: f64) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        let held = self.held(pattern);
        let all = self.matches(text, held.get()?, limit)?;
        let text = self.text_here(text)?;
        let acc = self.seq_new()?;
        for found in &all {
            let object = self.match_object(text, found, &Form::Listed)?;
            self.seq_add(acc, object)?;
        }
        self.seq_end(acc, 0)
    }

    /// `split` by a pattern.
    pub(super) fn split_by(&mut self, text: Text, pattern: Handle, limit: f64) -> Result<Handle, Fault> {
        let held = self.held(pattern);
        let all = self.matches(text, held.get()?, limit)?;
        let text = self.text_here(text)?;
        self.gathered.clear();
        let mut from = 0;
        for found in &all {
            let part = self.part(text, from, found.start.byte);
            let part = self.put_text(part)?;
            self.gather(part)?;
            from = found.end.byte;
        }
        if limit.is_nan() || (all.len() as f64) < limit {
            let part = self.part(text, from, text.len as usize);
            let part = self.put_text(part)?;
            self.gather(part)?;
        }
        self.gathered_array(0)
    }

    /// `replace(s, token, by, limit)`: `$replace` by a text.
    pub fn replace_in(&mut self, s: Handle, token: Handle, by: Handle, limit: f64) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        let Some(by_text) = self.string_argument(by, 3)? else { return Err(self.complain(T0410, Some(3), by)) };
        let held = self.held(token);
        let all = match held.constants.pattern(token) {
            Some(_) if limit < 0.0 => return Err(Refusal::ReplaceLimit.into()),
            Some(pattern) => Some(self.matches(text, pattern, limit)?),
            None => None,
        };
        let Some(plain) = (if all.is_some() { Some(Text::EMPTY) } else { self.string_argument(token, 2)? }) else {
            return Err(self.complain(T0410, Some(2), token));
        };
        let (string, by) = (self.values.str(text), self.values.str(by_text));
        let mut sheet = Sheet::new(&mut self.meter, &self.memory);
        match all {
            None => {
                let limit = (!limit.is_nan()).then_some(limit);
                sheet.meter.charge_bytes(string.len())?;
                replace_text(string, self.values.str(plain), by, limit, |piece| sheet.put(piece))?;
            }
            Some(all) => {
                let mut from = 0;
                for found in &all {
                    sheet.put(string.get(from..found.start.byte).unwrap_or_default())?;
                    from = found.end.byte;
                    let group = |number: usize| match number.checked_sub(1) {
                        None => string.get(found.range()),
                        Some(place) => found.groups.get(place).cloned().flatten().and_then(|range| string.get(range)),
                    };
                    expand(by, found.groups.len(), group, |piece| sheet.put(piece))?;
                }
                sheet.put(string.get(from..).unwrap_or_default())?;
            }
        }
        let replaced = sheet.written;
        self.new_text(&replaced)
    }

    /// `find(s, pattern, next)`: what the pattern gives as a function.
    pub fn find(&mut self, s: Handle, pattern: Handle, next: i32) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        let held = self.held(pattern);
        let searched = held.get()?;
        let found = searched.find_from(self.values.str(text), Place::default());
        self.meter.charge(searched_work(searched, text, 0, found.as_ref()))?;
        let Some(found) = found else { return Ok(Handle::UNDEFINED) };
        let text = self.text_here(text)?;
        let s = self.put_text(text)?;
        self.match_object(text, &found, &Form::Matcher(next, s, pattern))
    }

    /// `find_next(env, next)`: what the `next` of a match gives.
    pub fn find_next(&mut self, env: Handle, next: i32) -> Result<Handle, Fault> {
        let (s, pattern) = (self.env_get(env, 0, TEXT)?, self.env_get(env, 0, PATTERN)?);
        let mut number = |place| {
            let h = self.env_get(env, 0, place)?;
            Ok::<usize, Fault>(self.values.number(self.values.datum(h)?).ok_or(Fault::WrongKind)?.to_f64() as usize)
        };
        let end = Place { byte: number(BYTE)?, character: number(CHARACTER)? };
        let text = self.values.datum(s)?.as_text().ok_or(Fault::WrongKind)?;
        let held = self.held(pattern);
        let searched = held.get()?;
        let before = Found { start: end, end, groups: Vec::new() };
        let behind = searched.next(self.values.str(text), &before)?;
        self.meter.charge(searched_work(searched, text, end.byte, behind.as_ref()))?;
        match behind {
            Some(found) => self.match_object(text, &found, &Form::Matcher(next, s, pattern)),
            None => Ok(Handle::UNDEFINED),
        }
    }

    /// A match in a text that the current region may point to.
    fn match_object(&mut self, text: Text, found: &Found, form: &Form) -> Result<Handle, Fault> {
        let object = self.obj_new()?;
        let matched = self.part(text, found.start.byte, found.end.byte);
        let matched = self.put_text(matched)?;
        self.member(object, "match", matched)?;
        let start = self.new_num(found.start.character as f64)?;
        let mut last = None;
        match form {
            Form::Listed => self.member(object, "index", start)?,
            Form::Matcher(next, s, pattern) => {
                self.member(object, "start", start)?;
                let end = self.new_num(found.end.character as f64)?;
                self.member(object, "end", end)?;
                let env = self.env_new(Handle::UNDEFINED, 4)?;
                let byte = self.new_num(found.end.byte as f64)?;
                for (place, value) in [(TEXT, *s), (PATTERN, *pattern), (BYTE, byte), (CHARACTER, end)] {
                    self.env_set(env, place, value)?;
                }
                last = Some(self.fn_new(*next, 0, env)?);
            }
        }
        let groups = self.arr_new(0)?;
        for group in &found.groups {
            // One that took no part keeps its place.
            match group {
                Some(range) => {
                    let part = self.part(text, range.start, range.end);
                    let part = self.put_text(part)?;
                    self.arr_push(groups, part)?;
                }
                None => self.arr_hole(groups)?,
            }
        }
        self.member(object, "groups", groups)?;
        if let Some(next) = last {
            self.member(object, "next", next)?;
        }
        Ok(object)
    }

    fn member(&mut self, object: Handle, name: &str, value: Handle) -> Result<(), Fault> {
        let key = self.write(name)?;
        self.set_field(object, key, value)
    }

    /// `split_at(s, matches, limit)`: the parts between the matches of a matcher function.
    pub fn split_at(&mut self, s: Handle, matches: Handle, limit: f64) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        let text = self.text_here(text)?;
        let matches = self.list(matches)?;
        self.meter.charge(matches.len().into())?;
        let mut ruler = Ruler::default();
        let mut from = 0;
        self.gathered.clear();
        for i in 0..matches.len() {
            let found = self.element(matches, i);
            let start = self.place_in(text, found, "start", &mut ruler)?;
            let part = self.part(text, from.min(start), from.max(start));
            let part = self.put_text(part)?;
            self.gather(part)?;
            from = self.place_in(text, found, "end", &mut ruler)?;
        }
        if limit.is_nan() || f64::from(matches.len()) < limit {
            let part = self.part(text, from, text.len as usize);
            let part = self.put_text(part)?;
            self.gather(part)?;
        }
        self.gathered_array(0)
    }

    /// `expand(match, by)`: a replacement with the texts of a match.
    pub fn expand(&mut self, found: Handle, by: Handle) -> Result<Handle, Fault> {
        let (found, by) = (self.values.node(found), self.values.node(by));
        let Some(by) = by.as_str() else { return Err(Fault::WrongKind) };
        let groups = found.get("groups");
        let count = if groups.kind() == Kind::Array { groups.len() } else { 0 };
        let group = |number: usize| match number.checked_sub(1) {
            None => found.get("match").as_str(),
            Some(place) => groups.items().nth(place).and_then(|group| group.as_str()),
        };
        let mut sheet = Sheet::new(&mut self.meter, &self.memory);
        expand(by, count, group, |piece| sheet.put(piece))?;
        let expanded = sheet.written;
        self.new_text(&expanded)
    }

    /// `splice(s, matches, parts)`: a part stands for each match.
    pub fn splice(&mut self, s: Handle, matches: Handle, parts: Handle) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        let (matches, parts) = (self.list(matches)?, self.list(parts)?);
        self.meter.charge(matches.len().into())?;
        let mut traits = text.traits & (PLAIN | ASCII);
        let mut ruler = Ruler::default();
        let (start, mut from) = (self.text_end(self.current), 0);
        for i in 0..matches.len() {
            let found = self.element(matches, i);
            let at = self.place_in(text, found, "start", &mut ruler)?;
            let before = self.part(text, from.min(at), from.max(at));
            self.append_text(before, self.current)?;
            if let Some(part) = self.values.datum(self.element(parts, i))?.as_text() {
                traits &= part.traits;
                self.append_text(part, self.current)?;
            }
            let Some(matched) = self.values.node(found).get("match").as_str() else {
                return Err(self.complain(T1010, None, found));
            };
            let character = ruler.character + matched.chars().count();
            from = ruler.to(self.values.str(text), character);
        }
        let rest = self.part(text, from, text.len as usize);
        self.append_text(rest, self.current)?;
        let text = self.text_since(start, traits);
        self.put(Datum::text(text))
    }

    /// The byte at which a match starts or ends.
    fn place_in(&mut self, text: Text, found: Handle, member: &str, ruler: &mut Ruler) -> Result<usize, Fault> {
        let Some(character) = self.values.node(found).get(member).as_f64() else {
            return Err(self.complain(T1010, None, found));
        };
        let before = ruler.byte;
        let byte = ruler.to(self.values.str(text), character.max(0.0) as usize);
        self.meter.charge_bytes(if byte < before { byte } else { byte - before })?;
        Ok(byte)
    }
}

/// Units of work of a search from a byte on that found this.
fn searched_work(pattern: &Pattern, text: Text, from: usize, found: Option<&Found>) -> u64 {
    let left = (text.len as usize).saturating_sub(from);
    match found {
        Some(found) => pattern.work_on(found.end.byte.saturating_sub(from), left),
        None => pattern.work(left),
    }
}

/// A text that is written beside the arena, as long as the arena has room for at most.
struct Sheet<'a> {
    meter: &'a mut Meter,
    room: u64,
    written: String,
}

impl<'a> Sheet<'a> {
    fn new(meter: &'a mut Meter, memory: &Memory) -> Sheet<'a> {
        Sheet { meter, room: memory.max().saturating_sub(memory.used()), written: String::new() }
    }

    fn put(&mut self, piece: &str) -> Result<(), Fault> {
        self.meter.charge_bytes(piece.len() + 8)?;
        if (self.written.len() + piece.len()) as u64 > self.room {
            return Err(Fault::ArenaFull);
        }
        self.written.push_str(piece);
        Ok(())
    }
}

/// Counts characters along a text; going on from where it stands is cheap.
#[derive(Default)]
struct Ruler {
    byte: usize,
    character: usize,
}

impl Ruler {
    /// The byte of a character, the end for one that is past it.
    fn to(&mut self, text: &str, character: usize) -> usize {
        if character < self.character {
            *self = Ruler::default();
        }
        let rest = text.get(self.byte..).unwrap_or_default();
        let more = character - self.character;
        match rest.char_indices().nth(more) {
            Some((bytes, _)) => {
                self.byte += bytes;
                self.character = character;
            }
            None => {
                self.character += rest.chars().count();
                self.byte = text.len();
            }
        }
        self.byte
    }
}
