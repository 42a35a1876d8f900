//! Group *numbers*. A NaN is undefined; an infinity is D1001 where it becomes a value.

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::number::round_half_even;
use crate::standard::{Code, D1001, D2014, T2003, T2004};

use super::list::SEQUENCE;

/// Items that a range may have.
const RANGE_MAX: f64 = 1e7;

impl Arena {
    /// `num(h, code)`: the f64 of a number; anything else but undefined is error `code`.
    #[inline]
    pub fn num(&mut self, h: Handle, code: i32) -> Result<f64, Fault> {
        let datum = self.values.datum(h)?;
        match self.values.number(datum) {
            Some(number) => {
                let value = number.to_f64();
                if value.is_finite() { Ok(value) } else { Err(self.complain(D1001, None, h)) }
            }
            None if datum.is_undefined() => Ok(f64::NAN),
            None => Err(self.complain(Code::from_number(code), None, h)),
        }
    }

    /// `get_num(h, k, code)`: `num(get(h, k), code)`.
    #[inline]
    pub fn get_num(&mut self, h: Handle, k: u32, code: i32) -> Result<f64, Fault> {
        let field = self.get(h, k)?;
        self.num(field, code)
    }

    /// `new_num(n)`: a computed number.
    #[inline]
    pub fn new_num(&mut self, n: f64) -> Result<Handle, Fault> {
        if n.is_finite() {
            return self.put(Datum::Float(n));
        }
        if n.is_nan() { Ok(Handle::UNDEFINED) } else { Err(Fault::raise(D1001)) }
    }

    /// `rem(a, b)`: the remainder with the dividend's sign.
    #[inline]
    pub fn rem(&mut self, a: f64, b: f64) -> Result<f64, Fault> {
        Ok(a % b)
    }

    /// `round(n, digits)`: `$round`, half to even.
    #[inline]
    pub fn round(&mut self, n: f64, digits: f64) -> Result<f64, Fault> {
        Ok(round_half_even(n, digits))
    }

    /// `range(a, b)`: the whole numbers from `a` to `b`; none when `a` is the greater.
    pub fn range(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        let (from, to) = (self.end_of_range(a, T2003)?, self.end_of_range(b, T2004)?);
        let (Some(from), Some(to)) = (from, to) else { return Ok(Handle::UNDEFINED) };
        if from > to {
            return Ok(Handle::UNDEFINED);
        }
        let size = to - from + 1.0;
        if size > RANGE_MAX {
            return Err(Fault::raise(D2014));
        }
        // Past 2^53 a step of one does not change an f64: such a range has no end, so it is refused.
        if size < 2.0 || from.abs().max(to.abs()) > 9_007_199_254_740_991.0 {
            return if from == to { self.put(Datum::Float(from)) } else { Err(Fault::raise(D2014)) };
        }
        self.put(Datum::Range { flags: SEQUENCE, len: size as u32, first: from as i64 })
    }

    fn end_of_range(&self, h: Handle, code: Code) -> Result<Option<f64>, Fault> {
        let datum = self.values.datum(h)?;
        match self.values.number(datum).map(|number| number.to_f64()) {
            Some(number) if number.trunc() == number && number.is_finite() => Ok(Some(number)),
            None if datum.is_undefined() => Ok(None),
            _ => Err(self.complain(code, None, h)),
        }
    }
}
