//! A module's constants: read once when the module is loaded, shared by all its runs.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use lockgate_model::Limits;
use lockgate_model::abi::{CONSTANT_REGION, NODE_FIRST, pattern};

use crate::datum::Datum;
use crate::handle::Handle;
use crate::json::{ParseError, ParseOptions, Pending, Source, Target, read};
use crate::memory::Memory;
use crate::pattern::Pattern;
use crate::plan::Plan;
use crate::region::Region;
use crate::schema::Schema;

/// The constants of one module, immutable. Their handles are known at compile time: see
/// [`lockgate_model::abi::constant`].
pub struct Constants {
    region: Region,
    count: u32,
    /// For each constant, once it was asked for as a pattern, what it is compiled to.
    patterns: Box<[OnceLock<Option<Box<Pattern>>>]>,
    /// The same for those asked for as plans.
    pub(crate) plans: Box<[OnceLock<Option<Box<Plan>>>]>,
    /// The same for those asked for as document types.
    schemas: Box<[OnceLock<Option<Box<Schema>>>]>,
}

impl Constants {
    /// Reads the section `lockgate.consts`: a JSON array, item `i` is constant `i`. What is no array
    /// is one constant.
    pub fn parse(json_array: &[u8]) -> Result<Constants, ParseError> {
        let mut region = Constants::literals();
        // A module's size is bounded where it is loaded; here only what cannot be addressed is refused.
        let mut memory = Memory::new(u64::MAX);
        let root = read(
            Source { bytes: json_array, options: ParseOptions::default(), depth_max: Limits::default().depth_max },
            Target {
                region: &mut region,
                slot: CONSTANT_REGION,
                memory: &mut memory,
                pending: &mut Pending::default(),
            },
        )?;
        Ok(Constants::arrange(region, root))
    }

    /// No constants: what an arena has until a module runs on it.
    pub(crate) fn none() -> Arc<Constants> {
        static NONE: LazyLock<Arc<Constants>> = LazyLock::new(|| Arc::new(Constants::of(Constants::literals(), 0)));
        Arc::clone(&NONE)
    }

    /// How many constants there are.
    pub fn len(&self) -> u32 {
        self.count
    }
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    fn of(region: Region, count: u32) -> Constants {
        let patterns = (0..count).map(|_| OnceLock::new()).collect();
        let plans = (0..count).map(|_| OnceLock::new()).collect();
        Constants { region, count, patterns, plans, schemas: (0..count).map(|_| OnceLock::new()).collect() }
    }

    /// The constant as a pattern, compiled when it is first asked for: see
    /// [`lockgate_model::abi::pattern`]. The module's compiler has held it to the same engine.
    pub(crate) fn pattern(&self, h: Handle) -> Option<&Pattern> {
        if h.slot() != CONSTANT_REGION {
            return None;
        }
        let slot = self.patterns.get(h.node().checked_sub(NODE_FIRST)? as usize)?;
        let compile = || {
            let text = |name| self.field(h, name);
            Pattern::parse(text(pattern::SOURCE)?, text(pattern::FLAGS)?).ok().map(Box::new)
        };
        slot.get_or_init(compile).as_deref()
    }

    /// Constant `k` as a document type, which is read when it is first asked for; the module's compiler has
    /// read it too.
    pub(crate) fn schema(&self, k: u32, read: impl FnOnce() -> Option<Schema>) -> Option<&Schema> {
        self.schemas.get(k as usize)?.get_or_init(|| read().map(Box::new)).as_deref()
    }

    /// A text of a constant object.
    fn field(&self, h: Handle, name: &str) -> Option<&str> {
        let text = |text: crate::text::Text| self.region.text.get(text.at as usize..(text.at + text.len) as usize);
        let Datum::Object { at, len, .. } = *self.region.nodes.get(h.node() as usize)? else { return None };
        let field = self.region.fields(at, len).iter().find(|field| text(field.key) == Some(name))?;
        text(self.region.nodes.get(field.value.node() as usize)?.as_text()?)
    }

    /// A region with the nodes that every module has: undefined, null, false, true.
    fn literals() -> Region {
        let nodes = vec![Datum::Undefined, Datum::Null, Datum::False, Datum::True];
        Region { nodes, ..Region::default() }
    }

    /// Puts the constants where the ABI wants them: after the literals, in order, before what they contain.
    fn arrange(mut region: Region, root: Handle) -> Constants {
        let node_of = |region: &Region, h: Handle| region.nodes.get(h.node() as usize).copied();
        let constants: Vec<Datum> = match node_of(&region, root) {
            Some(Datum::Array { at, len, .. }) => {
                region.items(at, len).iter().filter_map(|&item| node_of(&region, item)).collect()
            }
            single => single.into_iter().collect(),
        };
        let count = constants.len() as u32;
        let first = NODE_FIRST as usize;
        region.nodes.splice(first..first, constants);
        let relocate = |h: &mut Handle| {
            if h.node() >= NODE_FIRST {
                *h = Handle::new(CONSTANT_REGION, 0, h.node() + count);
            }
        };
        region.items.iter_mut().for_each(relocate);
        region.fields.iter_mut().map(|field| &mut field.value).for_each(relocate);
        Constants::of(region, count)
    }
}

/// How many, not which: a mapping may name what its tenant keeps to itself.
impl fmt::Debug for Constants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Constants({})", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arena;

    fn show(arena: &Arena, h: Handle) -> String {
        let mut out = Vec::new();
        arena.print_json(h, &mut out, 1_000).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn refuses_what_is_not_json() {
        assert_eq!(Constants::parse(b"[1,").unwrap_err().code(), "LG-JSON-END");
    }

    #[test]
    fn a_literal_never_takes_the_handle_of_a_parsed_node() {
        let constants = Arc::new(Constants::parse(br#"[10,11,12,13,null,true,{"a":[null,14,[15]]}]"#).unwrap());
        assert_eq!((constants.len(), constants.is_empty()), (7, false));
        let mut arena = Arena::new(&Limits::default());
        arena.set_constants(constants);
        let shown: Vec<String> = (0..7).map(|index| show(&arena, Handle::constant(index))).collect();
        assert_eq!(shown, ["10", "11", "12", "13", "null", "true", r#"{"a":[null,14,[15]]}"#]);
        assert_eq!(show(&arena, Handle::NULL), "null");
        assert_eq!(show(&arena, Handle::TRUE), "true");
        assert_eq!(arena.kind(Handle::constant(99)), Err(crate::Fault::StaleHandle));
    }
}
