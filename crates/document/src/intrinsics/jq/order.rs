//! jq's order of all values: null, false, true, numbers, strings, arrays, objects.

use std::cmp::Ordering;

use crate::arena::Arena;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::meter::Meter;
use crate::node::{Kind, Node};

impl Arena {
    pub(super) fn order_of(&mut self, a: Handle, b: Handle) -> Result<Ordering, Fault> {
        order(self.values.node(a), self.values.node(b), self.depth_max, &mut self.meter)
    }
}

fn rank(node: Node<'_>) -> u8 {
    match node.kind() {
        Kind::Undefined | Kind::Null | Kind::Function => 0,
        Kind::Boolean => 1 + u8::from(node.as_bool() == Some(true)),
        Kind::Number => 3,
        Kind::String => 4,
        Kind::Array => 5,
        Kind::Object => 6,
    }
}

/// Strings are ordered by code points, arrays item by item, objects by their sorted keys and then by the
/// values in the order of these.
fn order(a: Node<'_>, b: Node<'_>, depth: u32, meter: &mut Meter) -> Result<Ordering, Fault> {
    meter.charge(1)?;
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Ok(a.order(b));
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        meter.charge_bytes(a.len().min(b.len()))?;
        return Ok(a.cmp(b));
    }
    let inner = || depth.checked_sub(1).ok_or(Fault::DepthExceeded);
    match (a.kind(), b.kind()) {
        (Kind::Array, Kind::Array) => {
            for (x, y) in a.items().zip(b.items()) {
                let order = order(x, y, inner()?, meter)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            Ok(a.len().cmp(&b.len()))
        }
        (Kind::Object, Kind::Object) => {
            let (x, y) = (sorted(a, meter)?, sorted(b, meter)?);
            let keys = x.iter().map(|(key, _)| key).cmp(y.iter().map(|(key, _)| key));
            if keys.is_ne() {
                return Ok(keys);
            }
            for ((_, x), (_, y)) in x.into_iter().zip(y) {
                let order = order(x, y, inner()?, meter)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            Ok(Ordering::Equal)
        }
        _ => Ok(rank(a).cmp(&rank(b))),
    }
}

/// The fields of an object by the order of their keys.
pub(super) fn sorted<'a>(object: Node<'a>, meter: &mut Meter) -> Result<Vec<(&'a str, Node<'a>)>, Fault> {
    let count = object.len() as u64;
    meter.charge(count.saturating_mul(u64::from(count.max(1).ilog2() + 1)))?;
    let mut fields: Vec<_> = object.entries().collect();
    meter.charge_bytes(fields.iter().map(|(key, _)| key.len()).sum())?;
    fields.sort_by_key(|(key, _)| *key);
    Ok(fields)
}
