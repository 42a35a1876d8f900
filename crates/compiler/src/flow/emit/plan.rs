//! What `step` does, before it is bytes: segments of straight actions that end in a jump or a suspend.
//!
//! Every segment is an entry point: a task's beginning, what follows a suspend, a handler. No value
//! lives in a local across actions: whatever is needed later lies in a slot of the frame.

use crate::module::FunctionId;

/// An entry point, numbered in the order of making; its `pc` is its place in the order of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(pub usize);

/// The static handler of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Catch {
    /// Where it begins.
    pub label: Label,
    /// The slot that gets the error.
    pub slot: u32,
}

/// The time limit around a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// The i64 slot of its end.
    pub slot: u32,
    /// Where it was set, and fails.
    pub label: Label,
}

/// One entry point with its actions.
#[derive(Debug)]
pub(super) struct Segment {
    /// The task it belongs to.
    pub pointer: String,
    /// Where its errors go.
    pub catch: Option<Catch>,
    /// Its innermost time limit.
    pub limit: Option<Limit>,
    /// What it does.
    pub actions: Vec<Action>,
}

/// One action.
#[derive(Debug)]
pub(super) enum Action {
    /// `task(pc)` with this segment's own pc.
    Begin,
    /// Value slot := value.
    Store(u32, Value),
    /// i64 slot := number.
    StoreInt(u32, Number),
    /// Fail unless a value is of the schema in a constant; another one says what it is.
    Hold(Value, u32, u32),
    /// Go on elsewhere.
    Goto(Label),
    /// Go on elsewhere if the test holds.
    GotoIf(Test, Label),
    /// Go on elsewhere unless the test holds.
    GotoUnless(Test, Label),
    /// Suspend for an operation; its answer goes to `slot`.
    Call {
        /// Index of the manifest.
        op: u32,
        /// The connector's input.
        input: Value,
        /// Slot of the answer.
        slot: u32,
        /// Where to go on.
        then: Label,
    },
    /// Suspend for another orchestration; its output goes to `slot`.
    Run {
        /// Index of the manifest's orchestrations.
        n: u32,
        /// What it is given.
        input: Value,
        /// Slot of its output.
        slot: u32,
        /// Where to go on.
        then: Label,
    },
    /// Suspend for the next records of a stream.
    Pull {
        /// Slot of the records, which names the stream too.
        slot: u32,
        /// How many; 0 is as they come.
        size: u32,
        /// The stream begins here: it is the one that the call before opened.
        first: bool,
        /// Where to go on with records.
        then: Label,
        /// Where to go on without.
        done: Label,
    },
    /// The stream of that slot is not wanted any more.
    Shut(u32),
    /// The stream that the call behind takes goes by an entry point: it finds records in the slot.
    Feed(u32, Label),
    /// Suspend, the records of that entry point being these.
    Fed(Value),
    /// Suspend for some milliseconds.
    Wait(Number, Label),
    /// The fork that follows has so many more branches that begin there.
    Branch(Label, Number),
    /// Suspend for the branches; what they give goes to `slot`.
    Fork {
        /// How many may run at once; 0 is all.
        at_once: u32,
        /// How they come together: see [`lockgate_model::abi::fork`].
        how: u32,
        /// Slot of what they give.
        slot: u32,
        /// Where to go on.
        then: Label,
    },
    /// The branch has ended.
    Join,
    /// End the step with an error object.
    Raise(Value),
    /// The output is in its slot.
    Done,
}

/// A document value.
#[derive(Debug)]
pub(super) enum Value {
    /// Undefined.
    Undefined,
    /// A slot of the frame.
    Slot(u32),
    /// A constant of the module.
    Constant(u32),
    /// What a function makes of a value.
    Apply(FunctionId, Box<Value>),
    /// What a function makes of two values.
    Apply2(FunctionId, Box<Value>, Box<Value>),
    /// The item of the array in a value slot at the index in an i64 slot.
    Item(u32, u32),
    /// As many items of the array in a value slot as a batch has: those of the batch whose number is in an i64 slot.
    Batch(u32, u32, u32),
    /// An i64 slot as a number.
    Number(u32),
    /// A field.
    Field(Box<Value>, u32),
}

/// An i64.
#[derive(Debug)]
pub(super) enum Number {
    /// A constant.
    Constant(i64),
    /// An i64 slot.
    Slot(u32),
    /// An i64 slot plus one.
    Next(u32),
    /// Items of the array in a value slot.
    Length(u32),
    /// Batches of so many items of the array in a value slot.
    Batches(u32, u32),
    /// Which branch of its fork this is.
    Place,
    /// Milliseconds since the epoch.
    Clock,
    /// Milliseconds since the time in an i64 slot.
    Since(u32),
    /// A length times an i64 slot.
    Times(Box<Number>, u32),
    /// A length doubled (slot − 1) times, at most 20 times.
    Doubled(Box<Number>, u32),
    /// Milliseconds of a length of time that an expression gave.
    Duration(Value),
    /// By chance between the two.
    Between(Box<Number>, Box<Number>),
    /// The pause before another attempt: at least this, or what the error in a value slot says.
    Pause(Box<Number>, u32),
    /// The sum of the two.
    Sum(Box<Number>, Box<Number>),
}

/// A condition.
#[derive(Debug)]
pub(super) enum Test {
    /// A condition function holds for a value.
    Holds(FunctionId, Value),
    /// A field of the object in a slot equals one of some constants.
    OneOf {
        /// The object.
        slot: u32,
        /// Constant of the field's name.
        field: u32,
        /// Constants.
        any_of: Vec<u32>,
    },
    /// The one is less than the other.
    Less(Number, Number),
}

/// Segments under construction.
#[derive(Debug, Default)]
pub(super) struct Plan {
    segments: Vec<Segment>,
    order: Vec<Label>,
    /// Of the segments that are made now.
    pub limit: Option<Limit>,
}

impl Plan {
    /// A new entry point; its actions come once it is opened.
    pub fn label(&mut self, pointer: &str, catch: Option<Catch>) -> Label {
        self.segments.push(Segment { pointer: pointer.to_owned(), catch, limit: self.limit, actions: Vec::new() });
        Label(self.segments.len() - 1)
    }

    /// The actions that follow belong to this entry point.
    pub fn open(&mut self, label: Label) {
        self.order.push(label);
    }

    /// The entry point opened last.
    pub fn opened(&self) -> Label {
        self.order.last().copied().unwrap_or(Label(0))
    }

    /// Adds an action to the entry point opened last.
    pub fn act(&mut self, action: Action) {
        if let Some(segment) = self.order.last().and_then(|label| self.segments.get_mut(label.0)) {
            segment.actions.push(action);
        }
    }

    /// Segments in the order of their `pc`.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &Segment> {
        self.order.iter().filter_map(|label| self.segments.get(label.0)).collect::<Vec<_>>().into_iter()
    }

    /// `pc` of every label.
    pub fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.segments.len()];
        for (pc, label) in (0u32..).zip(&self.order) {
            if let Some(place) = places.get_mut(label.0) {
                *place = pc;
            }
        }
        places
    }
}
