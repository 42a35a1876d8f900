//! What [`Op::Jq`](super::Op::Jq) is given: the operations of jq on values.
//!
//! jq knows no undefined: where an argument is undefined, it is null. Results are never undefined,
//! unless [`SOFT`] is set. What fails is error `LG-JQ-TYPE`, `LG-JQ-VALUE` or D1001.

/// Added to an operation's number: what would be an error of the expression gives undefined instead.
pub const SOFT: i32 = 1 << 8;

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $variant:ident;)*) => {
        /// The operations; the discriminant is what the intrinsic is given.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum Operation { $($(#[doc = $doc])* $variant,)* }
        impl Operation {
            /// All of them, by number.
            pub const ALL: &'static [Operation] = &[$(Operation::$variant,)*];
        }
    };
}

operations! {
    /// `a[b]`: a field by name or an item by place; nothing there is null.
    Index;
    /// `a[b:c]`: a part of an array or a string; null is no bound.
    Slice;
    /// `a[]` as an array: the items, or the values of an object in the order of its fields.
    Items;
    /// `..` as an array: the value and all below it.
    Recurse;
    /// `a + b`
    Add;
    /// `a - b`
    Subtract;
    /// `a * b`
    Multiply;
    /// `a / b`
    Divide;
    /// `a % b`
    Remainder;
    /// `-a`
    Negate;
    /// `a < b` in jq's order of all values.
    Less;
    /// `a <= b`
    LessOrEqual;
    /// `a | length`
    Length;
    /// `a | keys`
    Keys;
    /// `a | has(b)`
    Has;
    /// `a | add`
    Sum;
    /// `a | type`
    Type;
    /// `a | tostring`
    ToString;
    /// `a | tonumber`
    ToNumber;
    /// `a | join(b)`
    Join;
    /// `a | split(b)`
    Split;
    /// `a | to_entries`
    ToEntries;
    /// `a | from_entries`
    FromEntries;
    /// The object `a`, still being built, with the field `b` that has the value `c`.
    Set;
}

#[cfg(test)]
mod tests {
    use super::{Operation, SOFT};

    #[test]
    fn numbers_are_places_and_leave_room_for_the_flag() {
        for (place, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(*operation as usize, place);
        }
        assert!(Operation::ALL.len() < SOFT as usize);
    }
}
