//! Each intrinsic against what the reference implementation (jsonata 2.2.2) does, refusals first.

use std::sync::Arc;

use lockgate_model::abi::{array, cmp, kind, seq};
use lockgate_model::{Limits, Timestamp};

use crate::{Arena, Constants, Fault, Handle, RegionId};

mod aggregate_and_arrange;
mod bounds;
mod build_and_functions;
mod inspect_and_numbers;
mod paths;
mod patterns;
mod strings;

/// An arena whose constants are strings and values that the tests write down.
pub(super) struct Bench {
    pub(super) arena: Arena,
    constants: Vec<String>,
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench::under(&Limits::default())
    }
    pub(super) fn under(limits: &Limits) -> Bench {
        Bench { arena: Arena::new(limits), constants: Vec::new() }
    }
    /// A value from JSON; `undefined` is none.
    pub(super) fn json(&mut self, text: &str) -> Handle {
        if text == "undefined" { Handle::UNDEFINED } else { self.arena.parse_json(text.as_bytes()).unwrap() }
    }
    /// The number of a string constant.
    fn key(&mut self, text: &str) -> u32 {
        let constant = serde_json::to_string(text).unwrap();
        if let Some(number) = self.constants.iter().position(|known| *known == constant) {
            return number as u32;
        }
        self.constants.push(constant);
        let json = format!("[{}]", self.constants.join(","));
        self.arena.set_constants(Arc::new(Constants::parse(json.as_bytes()).unwrap()));
        self.constants.len() as u32 - 1
    }
    pub(super) fn show(&self, h: Handle) -> String {
        if h.is_undefined() {
            return "undefined".to_owned();
        }
        let mut out = Vec::new();
        self.arena.print_json(h, &mut out, 1 << 24).unwrap();
        String::from_utf8(out).unwrap()
    }
    pub(super) fn shown(&self, result: Result<Handle, Fault>) -> String {
        match result {
            Ok(h) => self.show(h),
            Err(fault) => fault.code(),
        }
    }
    /// A new region beside the others.
    fn region(&mut self) -> RegionId {
        self.arena.open_region(self.arena.input_region()).unwrap()
    }
    /// A function value without environment.
    fn function(&mut self, number: i32) -> Handle {
        self.arena.fn_new(number, 1, Handle::UNDEFINED).unwrap()
    }
    /// A sequence of these items with these flags.
    fn sequence(&mut self, items: &[&str], flags: i32) -> Handle {
        let acc = self.arena.seq_new().unwrap();
        for item in items {
            let item = self.json(item);
            self.arena.seq_add(acc, item).unwrap();
        }
        self.arena.seq_end(acc, flags | seq::INNER).unwrap()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    result.unwrap_err().code()
}
