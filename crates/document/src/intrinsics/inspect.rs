//! Group *inspect*: kinds, truth, equality, order.

use std::cmp::Ordering;

use lockgate_model::abi::cmp;

use crate::arena::Arena;
use crate::datum::Datum;
use crate::equality::{order_texts, same};
use crate::fault::{ExpressionError, Fault};
use crate::handle::Handle;
use crate::node::{Kind, Node};
use crate::standard::{T2009, T2010};

impl Arena {
    /// `kind(h)`: see [`lockgate_model::abi::kind`].
    #[inline]
    pub fn kind(&self, h: Handle) -> Result<i32, Fault> {
        self.values.datum(h)?;
        Ok(self.values.node(h).kind().abi())
    }

    /// `truthy(h)`: does `$boolean` give true? Undefined does not.
    #[inline]
    pub fn truthy(&mut self, h: Handle) -> Result<bool, Fault> {
        match self.values.datum(h)? {
            Datum::True => Ok(true),
            Datum::Undefined | Datum::Null | Datum::False | Datum::Function { .. } | Datum::Env { .. } => Ok(false),
            Datum::Text { len, .. } | Datum::Object { len, .. } => Ok(len > 0),
            _ => truth(self.values.node(h), self.depth_max, &mut self.meter),
        }
    }

    /// `get_truthy(h, k)`: `truthy(get(h, k))`.
    #[inline]
    pub fn get_truthy(&mut self, h: Handle, k: u32) -> Result<bool, Fault> {
        let field = self.get(h, k)?;
        self.truthy(field)
    }

    /// `boolean(h)`: `$boolean`.
    pub fn boolean(&mut self, h: Handle) -> Result<Handle, Fault> {
        if h.is_undefined() { Ok(h) } else { self.truthy(h).map(Handle::boolean) }
    }

    /// `eq(a, b)`: deep and exact equality; false when either is undefined.
    #[inline]
    pub fn eq(&mut self, a: Handle, b: Handle) -> Result<bool, Fault> {
        let (x, y) = (self.values.datum(a)?, self.values.datum(b)?);
        if x.is_undefined() || y.is_undefined() { Ok(false) } else { self.are_same((a, x), (b, y)) }
    }
    /// `ne(a, b)`: both are defined and differ.
    #[inline]
    pub fn ne(&mut self, a: Handle, b: Handle) -> Result<bool, Fault> {
        let (x, y) = (self.values.datum(a)?, self.values.datum(b)?);
        if x.is_undefined() || y.is_undefined() { Ok(false) } else { Ok(!self.are_same((a, x), (b, y))?) }
    }
    /// Two values that are defined: strings, which are nearly all that is compared, at once.
    #[inline]
    fn are_same(&mut self, (a, x): (Handle, Datum), (b, y): (Handle, Datum)) -> Result<bool, Fault> {
        let (Some(x), Some(y)) = (x.as_text(), y.as_text()) else {
            return same(self.values.node(a), self.values.node(b), self.depth_max, &mut self.meter);
        };
        self.meter.charge_bytes(x.len.min(y.len) as usize)?;
        Ok(self.values.same_text(x, y))
    }
    /// `get_eq(h, k, b)`: `eq(get(h, k), b)`.
    #[inline]
    pub fn get_eq(&mut self, h: Handle, k: u32, b: Handle) -> Result<bool, Fault> {
        let field = self.get(h, k)?;
        self.eq(field, b)
    }
    /// `get_ne(h, k, b)`: `ne(get(h, k), b)`.
    #[inline]
    pub fn get_ne(&mut self, h: Handle, k: u32, b: Handle) -> Result<bool, Fault> {
        let field = self.get(h, k)?;
        self.ne(field, b)
    }
    /// `eq_text(h, k)`: is it a string equal to constant `k`?
    #[inline]
    pub fn eq_text(&mut self, h: Handle, k: u32) -> Result<bool, Fault> {
        let text = self.values.constant_text(k)?;
        Ok(self.values.datum(h)?.as_text().is_some_and(|other| self.values.same_text(text, other)))
    }

    /// `cmp(a, b, how)`: an order of numbers or of strings, see [`cmp`].
    #[inline]
    pub fn cmp(&mut self, a: Handle, b: Handle, how: i32) -> Result<Handle, Fault> {
        let (x, y) = (self.values.datum(a)?, self.values.datum(b)?);
        let order = match (self.values.number(x), self.values.number(y)) {
            (Some(x), Some(y)) => x.order(y),
            _ => match (x.as_text(), y.as_text()) {
                (Some(x), Some(y)) => {
                    self.meter.charge_bytes(x.len.min(y.len) as usize)?;
                    order_texts(self.values.str(x), self.values.str(y))
                }
                _ => return self.cannot_compare(a, b),
            },
        };
        Ok(Handle::boolean(match how {
            cmp::LT => order == Ordering::Less,
            cmp::LE => order != Ordering::Greater,
            cmp::GT => order == Ordering::Greater,
            _ => order != Ordering::Less,
        }))
    }

    /// `get_cmp(h, k, b, how)`: `cmp(get(h, k), b, how)`.
    #[inline]
    pub fn get_cmp(&mut self, h: Handle, k: u32, b: Handle, how: i32) -> Result<Handle, Fault> {
        let field = self.get(h, k)?;
        self.cmp(field, b, how)
    }

    /// Two values that have no order: undefined when either is, else the error that says why.
    #[cold]
    fn cannot_compare(&self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        let has_order = |h| matches!(self.values.node(h).kind(), Kind::Number | Kind::String | Kind::Undefined);
        if !has_order(a) || !has_order(b) {
            return Err(self.complain(T2010, None, if has_order(a) { b } else { a }));
        }
        if a.is_undefined() || b.is_undefined() {
            return Ok(Handle::UNDEFINED);
        }
        let both = [self.excerpt(a), self.excerpt(b)].map(Option::unwrap_or_default).join(", ");
        Err(Fault::Expression(Box::new(ExpressionError::new(T2009, None, Some(both)))))
    }

    /// `in(a, b)`: is `a` an item of `b`, or `b` itself? Arrays and objects are only themselves, as in
    /// the reference implementation. False when either is undefined.
    pub fn in_(&mut self, a: Handle, b: Handle) -> Result<bool, Fault> {
        if self.values.datum(a)?.is_undefined() {
            return Ok(false);
        }
        let list = self.list(b)?;
        self.meter.charge(list.len().into())?;
        for i in 0..list.len() {
            let item = self.element(list, i);
            if item == a {
                return Ok(true);
            }
            let (x, y) = (self.values.node(a), self.values.node(item));
            let is_scalar = !matches!(x.kind(), Kind::Array | Kind::Object | Kind::Function);
            if is_scalar && same(x, y, self.depth_max, &mut self.meter)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// `$boolean` of a value: an array is true when an item is.
fn truth(node: Node<'_>, depth: u32, meter: &mut crate::meter::Meter) -> Result<bool, Fault> {
    if let Some(number) = node.as_number() {
        return Ok(number.to_f64() != 0.0);
    }
    match node.kind() {
        Kind::Array => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            for item in node.items() {
                meter.charge(1)?;
                if truth(item, depth, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Kind::String => Ok(node.as_str().is_some_and(|text| !text.is_empty())),
        Kind::Object => Ok(!node.is_empty()),
        _ => Ok(node.as_bool() == Some(true)),
    }
}
