//! Numbers and times as pictures show them: the functions behind `$formatNumber`, `$formatInteger`,
//! `$parseInteger`, `$fromMillis` and `$toMillis`.
//!
//! A picture is a text that shows what the result looks like (XPath and XQuery Functions and
//! Operators 3.1, §4.6, §4.7 and §9.8). All functions here are pure: text and numbers in, text and
//! numbers out, English names, no clock. Work and output are bounded by the lengths of what comes in;
//! widths that a picture gives as numbers stay below a thousand.
//!
//! They answer as the reference implementation of JSONata 2.2 does. Where it yields `NaN`, a piece of
//! `undefined` or an endless loop, they follow the specification or refuse.
//!
//! Deliberately absent: other languages and calendars, time zones by name, numbering sequences.

mod grouping;
pub mod integer;
pub mod moment;
pub mod number;

#[cfg(test)]
mod tests;
