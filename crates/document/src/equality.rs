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

/// Deep and exact equality; undefined equals undefined.
impl PartialEq for Node<'_> {
    fn eq(&self, other: &Node<'_>) -> bool {
        same(*self, *other, DEPTH_MAX, &mut Meter::new(u64::MAX)).unwrap_or(false)
    }
}

/// Are two values equal: same kind, same content, keys in any order? Functions equal only themselves.
pub(crate) fn same(a: Node<'_>, b: Node<'_>, depth: u32, meter: &mut Meter) -> Result<bool, Fault> {
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Ok(a.same(b));
    }
    if let (Some(x), Some(y)) = (a.as_text(), b.as_text()) {
        meter.charge_bytes(x.len as usize)?;
        return Ok(x.print == y.print && a.values.str(x) == b.values.str(y));
    }
    match (a.datum, b.datum) {
        (Datum::Function { number: m, env: e, .. }, Datum::Function { number: n, env: f, .. }) => Ok(m == n && e == f),
        _ if a.kind() != b.kind() => Ok(false),
        (Datum::Object { .. }, _) => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            same_fields(a, b, depth, meter)
        }
        _ if a.kind() == Kind::Array => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            if a.len() != b.len() {
                return Ok(false);
            }
            meter.charge(a.len() as u64)?;
            for (a, b) in a.items().zip(b.items()) {
                if !same(a, b, depth, meter)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(a.as_bool() == b.as_bool()),
    }
}

fn same_fields(a: Node<'_>, b: Node<'_>, depth: u32, meter: &mut Meter) -> Result<bool, Fault> {
    if a.len() != b.len() {
        return Ok(false);
    }
    meter.charge(a.len() as u64)?;
    let (mine, theirs) = (fields(a), fields(b));
    let key_of_mine = |field: &Field| a.values.str(field.key);
    let key_of_theirs = |field: &Field| b.values.str(field.key);
    let in_step =
        mine.iter().zip(theirs).all(|(x, y)| x.key.print == y.key.print && key_of_mine(x) == key_of_theirs(y));
    if in_step {
        return same_values(a, b, mine.iter().zip(theirs), depth, meter);
    }
    if mine.len() <= LINEAR_MAX as usize {
        for x in mine {
            let is_key = |y: &&Field| y.key.print == x.key.print && key_of_theirs(y) == key_of_mine(x);
            let Some(y) = theirs.iter().find(is_key) else { return Ok(false) };
            if !same(a.values.node(x.value), b.values.node(y.value), depth, meter)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    // Sorting both sides keeps many keys in another order from costing their square.
    meter.charge(mine.len() as u64 * u64::from(mine.len().ilog2()))?;
    let mut sorted_mine: Vec<&Field> = mine.iter().collect();
    let mut sorted_theirs: Vec<&Field> = theirs.iter().collect();
    sorted_mine.sort_unstable_by_key(|field| key_of_mine(field));
    sorted_theirs.sort_unstable_by_key(|field| key_of_theirs(field));
    let pairs = || sorted_mine.iter().copied().zip(sorted_theirs.iter().copied());
    if pairs().any(|(x, y)| key_of_mine(x) != key_of_theirs(y)) {
        return Ok(false);
    }
    same_values(a, b, pairs(), depth, meter)
}

fn same_values<'f>(
    a: Node<'_>,
    b: Node<'_>,
    pairs: impl Iterator<Item = (&'f Field, &'f Field)>,
    depth: u32,
    meter: &mut Meter,
) -> Result<bool, Fault> {
    for (x, y) in pairs {
        if !same(a.values.node(x.value), b.values.node(y.value), depth, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fields<'a>(object: Node<'a>) -> &'a [Field] {
    match (object.datum, object.values.region(object.slot)) {
        (Datum::Object { at, len, .. }, Some(region)) => region.fields(at, len),
        _ => &[],
    }
}

/// Feeds a value to a hasher so that equal values feed the same.
///
/// Numbers go by their f64: those that are equal exactly, and those that are equal only as f64,
/// then both meet. Fields are added up, because their order does not count.
pub(crate) fn hash(value: Node<'_>, start: &impl BuildHasher, depth: u32, meter: &mut Meter) -> Result<u64, Fault> {
    meter.charge(1)?;
    let mut hasher = start.build_hasher();
    value.kind().hash(&mut hasher);
    if let Some(number) = value.as_number() {
        // Minus zero equals zero.
        (number.to_f64() + 0.0).to_bits().hash(&mut hasher);
    } else if let Some(text) = value.as_str() {
        meter.charge_bytes(text.len())?;
        text.hash(&mut hasher);
    }
    match value.kind() {
        Kind::Boolean => value.as_bool().hash(&mut hasher),
        Kind::Array => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            for item in value.items() {
                hash(item, start, depth, meter)?.hash(&mut hasher);
            }
        }
        Kind::Object => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            let mut sum = 0u64;
            for (key, field) in value.entries() {
                let mut of_key = start.build_hasher();
                key.hash(&mut of_key);
                hash(field, start, depth, meter)?.hash(&mut of_key);
                sum = sum.wrapping_add(of_key.finish());
            }
            sum.hash(&mut hasher);
        }
        _ => {}
    }
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
