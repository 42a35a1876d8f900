//! Group *functions*: environments, function values, argument types.

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::node::Kind;
use crate::standard::{T0410, T0412, T1006};

use super::list::List;

/// Says in `check` that an array of the type is wanted.
const ARRAY_OF: i32 = 0x80;

impl Arena {
    /// `env_new(parent, n)`: an environment of `n` variables, all undefined.
    pub fn env_new(&mut self, parent: Handle, n: i32) -> Result<Handle, Fault> {
        let n = u32::try_from(n).map_err(|_| Fault::WrongKind)?;
        self.meter.charge(n.into())?;
        let Some(region) = self.values.regions.get_mut(usize::from(self.current)) else {
            return Err(Fault::StaleHandle);
        };
        let len = n as usize + 1;
        self.memory.room(&mut region.items, len)?;
        let at = region.items.len();
        region.items.push(parent);
        region.items.resize(at + len, Handle::UNDEFINED);
        self.put(Datum::Env { at: at as u32, len: len as u32 })
    }

    /// `env_get(env, up, i)`: variable `i`, `up` environments out.
    #[inline]
    pub fn env_get(&mut self, env: Handle, up: i32, i: i32) -> Result<Handle, Fault> {
        let mut env = env;
        for _ in 0..up {
            env = self.variable(env, 0)?;
        }
        self.variable(env, place(i)?)
    }

    /// `env_set(env, i, h)`.
    #[inline]
    pub fn env_set(&mut self, env: Handle, i: i32, h: Handle) -> Result<(), Fault> {
        let place = place(i)?;
        let Datum::Env { at, len } = self.values.datum(env)? else { return Err(Fault::WrongKind) };
        let region = self.values.region_mut(env)?;
        match region.items.get_mut((at + place) as usize).filter(|_| place < len) {
            Some(variable) => {
                *variable = h;
                Ok(())
            }
            None => Err(Fault::WrongKind),
        }
    }

    /// Place 0 is the parent.
    #[inline]
    fn variable(&self, env: Handle, place: u32) -> Result<Handle, Fault> {
        match self.values.found(env)? {
            (region, Datum::Env { at, len }) => {
                region.items(at, len).get(place as usize).copied().ok_or(Fault::WrongKind)
            }
            _ => Err(Fault::WrongKind),
        }
    }

    /// `fn_new(number, arity, env)`: a function value.
    pub fn fn_new(&mut self, number: i32, arity: i32, env: Handle) -> Result<Handle, Fault> {
        let number = u32::try_from(number).map_err(|_| Fault::WrongKind)?;
        let arity = u16::try_from(arity).map_err(|_| Fault::WrongKind)?;
        self.put(Datum::Function { arity, number, env })
    }

    /// `fn_number(h)`: its number; what is no function is T1006.
    #[inline]
    pub fn fn_number(&mut self, h: Handle) -> Result<i32, Fault> {
        self.function(h).map(|(number, _, _)| number as i32)
    }
    /// `fn_arity(h)`: how many parameters it takes.
    #[inline]
    pub fn fn_arity(&mut self, h: Handle) -> Result<i32, Fault> {
        self.function(h).map(|(_, arity, _)| arity.into())
    }
    /// `fn_env(h)`: the environment it was made in.
    #[inline]
    pub fn fn_env(&mut self, h: Handle) -> Result<Handle, Fault> {
        self.function(h).map(|(_, _, env)| env)
    }
    #[inline]
    fn function(&self, h: Handle) -> Result<(u32, u16, Handle), Fault> {
        match self.values.datum(h)? {
            Datum::Function { arity, number, env } => Ok((number, arity, env)),
            _ => Err(self.complain(T1006, None, h)),
        }
    }

    /// `check(h, type, argument)`: does argument `argument` have a type of the signature language?
    ///
    /// Undefined always passes. Where an array is wanted, a single value of the type becomes an array
    /// of one; the answer is the argument to use.
    pub fn check(&mut self, h: Handle, kind: i32, argument: i32) -> Result<Handle, Fault> {
        let symbol = self.symbol(h)?;
        let argument = u32::try_from(argument).ok();
        let wanted = (kind & !ARRAY_OF) as u8;
        if symbol == b'm' {
            return Ok(h);
        }
        if kind & ARRAY_OF != 0 {
            return self.check_array(h, wanted, argument);
        }
        match wanted {
            b'x' => Ok(h),
            b'j' if symbol != b'f' => Ok(h),
            b'a' if symbol != b'a' => self.arr_copy(h),
            _ if wanted == symbol => Ok(h),
            _ => Err(self.complain(T0410, argument, h)),
        }
    }

    fn check_array(&mut self, h: Handle, wanted: u8, argument: Option<u32>) -> Result<Handle, Fault> {
        let list = self.list(h)?;
        self.meter.charge(list.len().into())?;
        for i in 0..list.len() {
            let symbol = self.symbol(self.element(list, i))?;
            if symbol != wanted && wanted != b'x' && !(wanted == b'j' && symbol != b'f') {
                return Err(self.complain(T0412, argument, h));
            }
        }
        if matches!(list, List::Items(_)) { Ok(h) } else { self.arr_copy(h) }
    }

    /// The letter of the signature language for a value; `m` is missing.
    fn symbol(&self, h: Handle) -> Result<u8, Fault> {
        self.values.datum(h)?;
        Ok(match self.values.node(h).kind() {
            Kind::Undefined => b'm',
            Kind::Null => b'l',
            Kind::Boolean => b'b',
            Kind::Number => b'n',
            Kind::String => b's',
            Kind::Array => b'a',
            Kind::Object => b'o',
            Kind::Function => b'f',
        })
    }
}

/// The place of variable `i`, behind the parent.
fn place(i: i32) -> Result<u32, Fault> {
    u32::try_from(i).ok().and_then(|i| i.checked_add(1)).ok_or(Fault::WrongKind)
}
