//! Deep equality, and a hash that agrees with it.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};

use crate::datum::{Datum, Field};
use crate::fault::Fault;
use crate::meter::Meter;
use crate::node::{Kind, Node};
use crate::region::LINEAR_MAX;

/// Whatever the limits say, comparing goes no deeper.
const DEPTH_MAX: u32 = 256;
/// Values that differ only below so many levels hash alike; comparing tells them apart.
const HASH_DEPTH_MAX: u32 = 8;

/// Deep and exact equality; undefined equals undefined.
impl PartialEq for Node<'_> {
    fn eq(&self, other: &Node<'_>) -> bool {
        same(*self, *other, DEPTH_MAX, &mut Meter::new(u64::MAX)).unwrap_or(false)
    }
}

/// Are two values equal: same kind, same content, keys in any order? Functions equal only themselves.
pub(crate) fn same(a: Node<'_>, b: Node<'_>, depth_max: u32, meter: &mut Meter) -> Result<bool, Fault> {
    let mut open = Vec::new();
    let mut next = Some((a, b));
    while let Some((a, b)) = next {
        match compare(a, b, meter)? {
            Verdict::Differ => return Ok(false),
            Verdict::Same => {}
            Verdict::Inside(_) if open.len() >= depth_max as usize => return Err(Fault::DepthExceeded),
            Verdict::Inside(pair) => open.push(pair),
        }
        next = loop {
            let Some(pair) = open.last_mut() else { break None };
            match pair.next() {
                Some(children) => break Some(children),
                None => open.pop(),
            };
        };
    }
    Ok(true)
}

/// What two values say before their children are asked.
enum Verdict<'a, 'b> {
    Same,
    Differ,
    Inside(Pair<'a, 'b>),
}

/// Two containers of the same size whose children are being compared.
struct Pair<'a, 'b> {
    a: Node<'a>,
    b: Node<'b>,
    next: usize,
    /// For each field of `a` the place of its key in `b`, where that is another.
    places: Option<Vec<u32>>,
}

fn compare<'a, 'b>(a: Node<'a>, b: Node<'b>, meter: &mut Meter) -> Result<Verdict<'a, 'b>, Fault> {
    let verdict = |is_same| if is_same { Verdict::Same } else { Verdict::Differ };
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Ok(verdict(a.same(b)));
    }
    if let (Some(x), Some(y)) = (a.as_text(), b.as_text()) {
        meter.charge_bytes(x.len as usize)?;
        return Ok(verdict(x.print == y.print && a.values.str(x) == b.values.str(y)));
    }
    match (a.datum, b.datum) {
        (Datum::Function { number: m, env: e, .. }, Datum::Function { number: n, env: f, .. }) => {
            Ok(verdict(m == n && e == f))
        }
        _ if a.kind() != b.kind() => Ok(Verdict::Differ),
        _ if !matches!(a.kind(), Kind::Array | Kind::Object) => Ok(verdict(a.as_bool() == b.as_bool())),
        _ if a.len() != b.len() => Ok(Verdict::Differ),
        _ => {
            meter.charge(a.len() as u64)?;
            match match_keys(a, b, meter)? {
                Keys::InStep => Ok(Verdict::Inside(Pair { a, b, next: 0, places: None })),
                Keys::At(places) => Ok(Verdict::Inside(Pair { a, b, next: 0, places: Some(places) })),
                Keys::Differ => Ok(Verdict::Differ),
            }
        }
    }
}

/// How the keys of two objects of the same size go together.
enum Keys {
    InStep,
    At(Vec<u32>),
    Differ,
}

fn match_keys(a: Node<'_>, b: Node<'_>, meter: &mut Meter) -> Result<Keys, Fault> {
    let (mine, theirs) = (fields(a), fields(b));
    let my_key = |field: &Field| a.values.str(field.key);
    let their_key = |field: &Field| b.values.str(field.key);
    let is_same = |x: &Field, y: &Field| x.key.print == y.key.print && my_key(x) == their_key(y);
    if mine.iter().zip(theirs).all(|(x, y)| is_same(x, y)) {
        return Ok(Keys::InStep);
    }
    if mine.len() <= LINEAR_MAX as usize {
        let place = |x: &Field| theirs.iter().position(|y| is_same(x, y)).map(|place| place as u32);
        return Ok(mine.iter().map(place).collect::<Option<_>>().map_or(Keys::Differ, Keys::At));
    }
    // Sorting both sides keeps many keys in another order from costing their square.
    meter.charge(mine.len() as u64 * u64::from(mine.len().ilog2()))?;
    let mut my_order: Vec<(&str, u32)> = mine.iter().zip(0..).map(|(field, place)| (my_key(field), place)).collect();
    let mut their_order: Vec<(&str, u32)> =
        theirs.iter().zip(0..).map(|(field, place)| (their_key(field), place)).collect();
    my_order.sort_unstable();
    their_order.sort_unstable();
    let mut places = vec![0; mine.len()];
    for ((x, at), (y, place)) in my_order.into_iter().zip(their_order) {
        match places.get_mut(at as usize) {
            Some(free) if x == y => *free = place,
            _ => return Ok(Keys::Differ),
        }
    }
    Ok(Keys::At(places))
}

impl<'a, 'b> Pair<'a, 'b> {
    /// The next two children.
    fn next(&mut self) -> Option<(Node<'a>, Node<'b>)> {
        if self.next >= self.a.len() {
            return None;
        }
        let (mine, mut theirs) = (self.next, self.next);
        self.next += 1;
        if let Some(places) = &self.places {
            theirs = places.get(mine).copied()? as usize;
        }
        match (fields(self.a).get(mine), fields(self.b).get(theirs)) {
            (Some(x), Some(y)) => Some((self.a.values.node(x.value), self.b.values.node(y.value))),
            _ => Some((self.a.at(mine), self.b.at(theirs))),
        }
    }
}

/// The fields of an object; none of all others.
fn fields<'a>(object: Node<'a>) -> &'a [Field] {
    match (object.datum, object.values.region(object.slot)) {
        (Datum::Object { at, len, .. }, Some(region)) => region.fields(at, len),
        _ => &[],
    }
}

/// A number that is the same for equal values.
///
/// Numbers go by their f64: those that are equal exactly, and those that are equal only as f64,
/// then both meet. Fields are added up, because their order does not count.
pub(crate) fn hash(value: Node<'_>, state: &impl BuildHasher, meter: &mut Meter) -> Result<u64, Fault> {
    hash_to(value, state, HASH_DEPTH_MAX, meter)
}

fn hash_to(value: Node<'_>, state: &impl BuildHasher, depth: u32, meter: &mut Meter) -> Result<u64, Fault> {
    meter.charge(1)?;
    let mut hasher = state.build_hasher();
    (value.kind(), value.len()).hash(&mut hasher);
    if let Some(number) = value.as_number() {
        // Minus zero equals zero.
        (number.to_f64() + 0.0).to_bits().hash(&mut hasher);
    } else if let Some(text) = value.as_str() {
        meter.charge_bytes(text.len())?;
        text.hash(&mut hasher);
    }
    value.as_bool().hash(&mut hasher);
    let Some(depth) = depth.checked_sub(1) else { return Ok(hasher.finish()) };
    for item in value.items() {
        hash_to(item, state, depth, meter)?.hash(&mut hasher);
    }
    let mut sum = 0u64;
    for (key, field) in value.entries() {
        sum = sum.wrapping_add(state.hash_one((key, hash_to(field, state, depth, meter)?)));
    }
    sum.hash(&mut hasher);
    Ok(hasher.finish())
}

/// Order of two strings as ECMAScript has it: by UTF-16 code units. It differs from the order of the
/// bytes only where a character beyond U+FFFF meets one between U+E000 and U+FFFF.
pub(crate) fn order_texts(a: &str, b: &str) -> Ordering {
    let mismatch = a.bytes().zip(b.bytes()).position(|(x, y)| x != y);
    let Some(place) = mismatch else { return a.len().cmp(&b.len()) };
    let start = a.floor_char_boundary(place);
    let first = |text: &str| text.get(start..).and_then(|rest| rest.chars().next());
    match (first(a), first(b)) {
        (Some(x), Some(y)) => {
            let (mut x_units, mut y_units) = ([0; 2], [0; 2]);
            x.encode_utf16(&mut x_units).iter().cmp(y.encode_utf16(&mut y_units).iter())
        }
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests;
