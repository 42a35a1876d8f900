//! Group *aggregate*: one number from a list of numbers.

use crate::arena::Arena;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::node::Kind;
use crate::standard::T0412;

impl Arena {
    /// `sum(list)`: 0 for an empty list, NaN for undefined.
    pub fn sum(&mut self, list: Handle) -> Result<f64, Fault> {
        Ok(self.fold(list, 0.0, |sum, number| sum + number)?.map_or(f64::NAN, |(sum, _)| sum))
    }

    /// `get_sum(h, k)`: `sum(get(h, k))`.
    pub fn get_sum(&mut self, h: Handle, k: u32) -> Result<f64, Fault> {
        let list = self.get(h, k)?;
        self.sum(list)
    }

    /// `count(list)`: 0 for undefined, 1 for a single value.
    pub fn count(&mut self, list: Handle) -> Result<f64, Fault> {
        self.len(list).map(f64::from)
    }

    /// `max(list)`: NaN for undefined or an empty list.
    pub fn max(&mut self, list: Handle) -> Result<f64, Fault> {
        let folded = self.fold(list, f64::NEG_INFINITY, f64::max)?;
        Ok(folded.filter(|&(_, count)| count > 0).map_or(f64::NAN, |(max, _)| max))
    }

    /// `min(list)`: NaN for undefined or an empty list.
    pub fn min(&mut self, list: Handle) -> Result<f64, Fault> {
        let folded = self.fold(list, f64::INFINITY, f64::min)?;
        Ok(folded.filter(|&(_, count)| count > 0).map_or(f64::NAN, |(min, _)| min))
    }

    /// `average(list)`: NaN for undefined or an empty list.
    pub fn average(&mut self, list: Handle) -> Result<f64, Fault> {
        let folded = self.fold(list, 0.0, |sum, number| sum + number)?;
        Ok(folded.map_or(f64::NAN, |(sum, count)| sum / f64::from(count)))
    }

    /// Folds the numbers of a list; also how many there were. None for undefined; T0412 when an item is no number.
    fn fold(&mut self, list: Handle, start: f64, add: impl Fn(f64, f64) -> f64) -> Result<Option<(f64, u32)>, Fault> {
        if self.values.datum(list)?.is_undefined() {
            return Ok(None);
        }
        let node = self.values.node(list);
        if let Some(number) = node.as_number() {
            return Ok(Some((add(start, number.to_f64()), 1)));
        }
        if node.kind() != Kind::Array {
            return Err(self.complain(T0412, Some(1), list));
        }
        self.meter.charge(node.len() as u64)?;
        let mut result = start;
        for item in node.items() {
            match item.as_number() {
                Some(number) => result = add(result, number.to_f64()),
                None => return Err(self.complain(T0412, Some(1), list)),
            }
        }
        Ok(Some((result, node.len() as u32)))
    }
}
