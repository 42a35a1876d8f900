//! One text of an interchange and the value it stands for, both ways.

use std::borrow::Cow;

use super::{
    decimal, moment,
    syntax::{Mode, Syntax},
};
use crate::node::{Kind, Node};

/// What the text of an element or a component may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    pub kind: ScalarKind,
    /// Characters of a text, digits of all others.
    pub min: u32,
    pub max: u32,
    /// The only texts there may be; all, where empty.
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarKind {
    Text,
    /// With a decimal mark where there is one: X12 `R`, EDIFACT `n`.
    Number,
    /// Without a mark, this many digits being the fraction: X12 `N0` to `N9`.
    Implied(u8),
    /// Six or eight digits; `26-11-22` or `2026-11-22` as value.
    Date,
    /// Four to eight digits; `13:05`, `13:05:09`, `13:05:09.5`, `13:05:09.25` as value.
    Time,
}

/// The code and the rest of a sentence that begins with the place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub code: &'static str,
    pub what: Cow<'static, str>,
}

impl Wrong {
    pub fn new(code: &'static str, what: impl Into<Cow<'static, str>>) -> Wrong {
        Wrong { code, what: what.into() }
    }
}

/// A value as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    Text(Cow<'a, str>),
    /// The text of a JSON number.
    Number(String),
}

impl Scalar {
    /// The value of a text.
    pub fn read<'a>(&self, text: &'a str, mode: &Mode) -> Result<Shown<'a>, Wrong> {
        match self.kind {
            ScalarKind::Text => {
                self.text(text)?;
                Ok(Shown::Text(Cow::Borrowed(text)))
            }
            ScalarKind::Number | ScalarKind::Implied(_) => {
                let fraction = if let ScalarKind::Implied(digits) = self.kind { Some(digits) } else { None };
                let number = decimal::read(text, fraction, mode).ok_or(NO_NUMBER)?;
                self.length(number.digits)?;
                Ok(Shown::Number(number.lexeme))
            }
            ScalarKind::Date | ScalarKind::Time => {
                let is_date = self.kind == ScalarKind::Date;
                let shown = if is_date { moment::date(text) } else { moment::time(text) };
                let shown = shown.ok_or(if is_date { NO_DATE } else { NO_TIME })?;
                self.length(text.len())?;
                Ok(Shown::Text(Cow::Owned(shown)))
            }
        }
    }

    /// The text of a value.
    pub fn write<'a>(&self, node: Node<'a>, mode: &Mode) -> Result<Cow<'a, str>, Wrong> {
        let wanted = |kind: Kind, what: &'static str| {
            if node.kind() == kind { Ok(()) } else { Err(Wrong::new("LG-EDI-VALUE", what)) }
        };
        let text = || node.as_str().unwrap_or_default();
        match self.kind {
            ScalarKind::Text => {
                wanted(Kind::String, "must be a text")?;
                self.text(text())?;
                Ok(Cow::Borrowed(text()))
            }
            ScalarKind::Number | ScalarKind::Implied(_) => {
                wanted(Kind::Number, "must be a number")?;
                let lexeme = node.lexeme().unwrap_or_default();
                let fraction = if let ScalarKind::Implied(digits) = self.kind { Some(digits) } else { None };
                let (min, max) = (self.min as usize, self.max as usize);
                let number = decimal::write(&lexeme, fraction, mode, min, max)?;
                self.length(number.digits)?;
                Ok(Cow::Owned(number.lexeme))
            }
            ScalarKind::Date => {
                wanted(Kind::String, "must be a text: a date such as `2026-11-22`")?;
                let digits = moment::digits(text(), moment::date).ok_or(NO_DATE)?;
                self.length(digits.len())?;
                Ok(Cow::Owned(digits))
            }
            ScalarKind::Time => {
                wanted(Kind::String, "must be a text: a time such as `13:05`")?;
                let digits = moment::digits(text(), moment::time).ok_or(NO_TIME)?;
                self.length(digits.len())?;
                Ok(Cow::Owned(digits))
            }
        }
    }

    fn text(&self, text: &str) -> Result<(), Wrong> {
        self.length(text.chars().count())?;
        if self.codes.is_empty() || self.codes.iter().any(|code| code == text) {
            return Ok(());
        }
        Err(Wrong::new("LG-EDI-CODE", "this code is not one of those that the grammar lists"))
    }
    fn length(&self, length: usize) -> Result<(), Wrong> {
        let unit = if self.kind == ScalarKind::Text { "characters" } else { "digits" };
        if length > self.max as usize {
            return Err(Wrong::new("LG-EDI-LENGTH", format!("has more than {} {unit}", self.max)));
        }
        if length < self.min as usize {
            return Err(Wrong::new("LG-EDI-LENGTH", format!("has fewer than {} {unit}", self.min)));
        }
        Ok(())
    }
}

const NO_NUMBER: Wrong =
    Wrong { code: "LG-EDI-TYPE", what: Cow::Borrowed("is no number in the notation of its element") };
const NO_DATE: Wrong = Wrong { code: "LG-EDI-TYPE", what: Cow::Borrowed("is no date") };
const NO_TIME: Wrong = Wrong { code: "LG-EDI-TYPE", what: Cow::Borrowed("is no time of the day") };

/// May numbers have exponents? X12.6 lets a decimal number have one.
pub(super) fn has_exponents(mode: &Mode) -> bool {
    mode.syntax == Syntax::X12
}
