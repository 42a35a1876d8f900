//! What hostile interchanges end at. No message of either standard comes near.

/// Bytes of one segment, its terminator left out.
pub const SEGMENT_BYTES_MAX: usize = 1 << 20;
/// Elements of a segment.
pub const ELEMENTS_MAX: u32 = 1_000;
/// Components of an element.
pub const COMPONENTS_MAX: u32 = 1_000;
/// Repetitions of an element.
pub const REPETITIONS_MAX: u32 = 10_000;
/// Acknowledgements (TA1, TA3) in the head of an interchange.
pub const NOTICES_MAX: usize = 1_000;
/// Bytes that they may hold together.
pub const NOTICES_BYTES_MAX: u64 = 1 << 20;
/// Loops within loops of a grammar.
pub const LOOPS_DEEP_MAX: usize = 16;
/// Digits of a number.
pub const DIGITS_MAX: usize = 400;
