//! Expressions and mapping rules: parse, check, one intermediate form.
