//! Why an operation on values did not give one.

use std::fmt;

use crate::standard::Code;

/// What an operation on an arena can fail with. Small, so that success costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An error that the expression standard names. Catchable.
    Expression(Box<ExpressionError>),
    /// The arena would outgrow `arena_bytes_max`.
    ArenaFull,
    /// The run would outgrow its cost budget.
    CostExceeded,
    /// A handle that names nothing: its region was emptied, or it never named anything.
    StaleHandle,
    /// A handle names a value of another kind than the operation works on: the module is wrong.
    WrongKind,
    /// A value nests deeper than `depth_max`.
    DepthExceeded,
    /// The printed reply would outgrow its limit.
    ReplyTooLarge,
    /// A function value where only data may be.
    FunctionValue,
    /// More regions are open at once than handles can name.
    RegionsExhausted,
}

/// An error of the expression standard: its code, and what only the caller may see.
#[derive(Clone, PartialEq, Eq)]
pub struct ExpressionError {
    code: Code,
    argument: Option<u32>,
    value: Option<String>,
    message: Option<String>,
}

impl Fault {
    /// The standard error with this number: see the `code` parameters in [`lockgate_model::abi`].
    #[cold]
    pub fn standard(number: i32) -> Fault {
        Fault::raise(Code::from_number(number))
    }
    #[cold]
    pub(crate) fn raise(code: Code) -> Fault {
        Fault::Expression(Box::new(ExpressionError::new(code, None, None)))
    }

    /// The code for logs and callers: the standard's (`T2001`), or ours (`LG-ARENA-FULL`).
    pub fn code(&self) -> String {
        match self {
            Fault::Expression(error) => error.code(),
            Fault::ArenaFull => "LG-ARENA-FULL".to_owned(),
            Fault::CostExceeded => "LG-COST-EXCEEDED".to_owned(),
            Fault::StaleHandle => "LG-STALE-HANDLE".to_owned(),
            Fault::WrongKind => "LG-WRONG-KIND".to_owned(),
            Fault::DepthExceeded => "LG-DEPTH-EXCEEDED".to_owned(),
            Fault::ReplyTooLarge => "LG-REPLY-TOO-LARGE".to_owned(),
            Fault::FunctionValue => "LG-FUNCTION-IN-SLOT".to_owned(),
            Fault::RegionsExhausted => "LG-REGIONS-EXHAUSTED".to_owned(),
        }
    }
}

impl ExpressionError {
    pub(crate) fn new(code: Code, argument: Option<u32>, value: Option<String>) -> ExpressionError {
        ExpressionError { code, argument, value, message: None }
    }
    /// An error whose message somebody gives.
    pub(crate) fn told(code: Code, message: String) -> ExpressionError {
        ExpressionError { code, argument: None, value: None, message: Some(message) }
    }
    /// The standard's code, such as `T2001`.
    pub fn code(&self) -> String {
        self.code.to_string()
    }
    /// Number of the argument at fault, from 1, where one is.
    pub fn argument(&self) -> Option<u32> {
        self.argument
    }
    /// The value at fault, as JSON, cut short. Private: application data, never for a log.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
    /// The whole story for the caller: what the expression says itself, or the meaning with the value
    /// at fault. Private: never for a log.
    pub fn message(&self) -> String {
        if let Some(message) = &self.message {
            return message.clone();
        }
        let mut message = self.to_string();
        if let Some(value) = &self.value {
            message.push_str(": ");
            message.push_str(value);
        }
        message
    }
}

/// Code, argument and meaning; never a value.
impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument {
            Some(argument) => write!(f, "{}: argument {argument}: {}", self.code, self.code.meaning()),
            None => write!(f, "{}: {}", self.code, self.code.meaning()),
        }
    }
}
impl fmt::Debug for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Expression(error) => return fmt::Display::fmt(error, f),
            Fault::ArenaFull => "the run needs more memory than its limit allows (arena_bytes_max)",
            Fault::CostExceeded => "the run costs more than its limit allows (cost_max)",
            Fault::StaleHandle => "a handle names no value any more",
            Fault::WrongKind => "a handle names a value of the wrong kind",
            Fault::DepthExceeded => "a value nests deeper than the limit allows (depth_max)",
            Fault::ReplyTooLarge => "the reply is larger than its limit allows (reply_bytes_max)",
            Fault::FunctionValue => "a function cannot leave its expression: only data can",
            Fault::RegionsExhausted => "too many regions are open at once",
        })
    }
}
impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Handle;
    use crate::standard::{D1001, T0410};

    #[test]
    fn success_stays_small() {
        assert!(size_of::<Result<Handle, Fault>>() <= 16);
        assert!(size_of::<Result<(), Fault>>() <= 16);
    }

    #[test]
    fn display_and_debug_never_show_the_value() {
        let error = ExpressionError::new(T0410, Some(2), Some("\"secret\"".to_owned()));
        let fault = Fault::Expression(Box::new(error.clone()));
        for text in [fault.to_string(), format!("{fault:?}"), error.to_string()] {
            assert!(text.contains("T0410: argument 2") && !text.contains("secret"), "{text}");
        }
        assert!(error.message().ends_with(": \"secret\""));
        assert_eq!((fault.code(), error.argument(), error.value()), ("T0410".to_owned(), Some(2), Some("\"secret\"")));
        assert_eq!(Fault::standard(1001), Fault::raise(D1001));
    }
}
