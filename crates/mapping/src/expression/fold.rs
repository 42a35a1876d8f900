//! Constants computed at compile time, and only where the result is what the run would give.

use super::ir::{Constant, Expr, Kind, Operator};

/// `-x`
pub(super) fn negate(operand: Box<Expr>) -> Kind {
    match operand.kind {
        Kind::Constant(Constant::Number(value, None)) => Kind::Constant(Constant::Number(-value, None)),
        _ => Kind::Negate(operand),
    }
}

/// An operator on two values.
pub(super) fn binary(operator: Operator, left: Box<Expr>, right: Box<Expr>) -> Kind {
    let folded = match (&left.kind, &right.kind) {
        (Kind::Constant(Constant::Number(a, _)), Kind::Constant(Constant::Number(b, _))) => number(operator, *a, *b),
        (Kind::Constant(Constant::Text(a)), Kind::Constant(Constant::Text(b))) if operator == Operator::Concat => {
            Some(Constant::Text(format!("{a}{b}")))
        }
        _ => None,
    };
    match folded {
        Some(constant) => Kind::Constant(constant),
        None => Kind::Binary(operator, left, right),
    }
}

/// Arithmetic, where it gives a finite number: all else is an error or undefined at run time.
fn number(operator: Operator, a: f64, b: f64) -> Option<Constant> {
    let value = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Remainder => a % b,
        _ => return None,
    };
    value.is_finite().then_some(Constant::Number(value, None))
}

/// The JSON digits of a number literal: whole numbers as written, so that long ids compare exactly;
/// others in the standard's form.
pub(super) fn json_number(value: f64, lexeme: &str) -> String {
    let digits = lexeme.strip_prefix('-').unwrap_or(lexeme);
    if digits.bytes().all(|b| b.is_ascii_digit()) && value != 0.0 {
        lexeme.to_owned()
    } else {
        super::number_text(value)
    }
}
