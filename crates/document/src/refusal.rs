//! Why a pure function of the language refuses its arguments: the standard's code and a few words.
//!
//! Deliberately absent: the value at fault, which is application data; whoever calls has it.

use std::fmt;

use crate::fault::Fault;

/// What is wrong with a picture, a text or a number that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// T0410: a text for base64 holds a character that is no byte.
    NoByte,
    /// D1001: a number or a time is past what can be written.
    TooLarge,
    /// D1004: a pattern would match the empty string for ever.
    EmptyMatch,
    /// D3010: the text to replace is empty.
    EmptyPattern,
    /// D3011: the limit of replacements is negative.
    ReplaceLimit,
    /// D3020: the limit of a split is negative.
    SplitLimit,
    /// D3040: the limit of matches is negative.
    MatchLimit,
    /// D3080: a picture of a number has more than two sub-pictures.
    SubPictures,
    /// D3081: two decimal separators.
    DecimalTwice,
    /// D3082: two percent signs.
    PercentTwice,
    /// D3083: two per-mille signs.
    PerMilleTwice,
    /// D3084: a percent sign and a per-mille sign.
    PercentAndPerMille,
    /// D3085: no digit in the mantissa.
    NoDigit,
    /// D3086: a passive character between active ones.
    PassiveWithin,
    /// D3087: a grouping separator beside the decimal separator.
    GroupingAtDecimal,
    /// D3088: a grouping separator ends the integer part.
    GroupingAtEnd,
    /// D3089: two grouping separators side by side.
    GroupingTwice,
    /// D3090: an optional digit after a mandatory one in the integer part.
    OptionalAfterMandatory,
    /// D3091: a mandatory digit after an optional one in the fractional part.
    MandatoryAfterOptional,
    /// D3092: an exponent and a percent or per-mille sign.
    ExponentWithPercent,
    /// D3093: an exponent that is not of digits alone.
    Exponent,
    /// D3100: a radix outside 2 to 36.
    Radix,
    /// D3110: a text that is no time in ISO 8601 form.
    NoTime,
    /// D3130: a picture of an integer without a digit: a numbering sequence that is not supported.
    Sequence,
    /// D3131: digits of several families in one picture.
    DigitFamilies,
    /// D3132: a component that no time has.
    Component,
    /// D3132: a width that is no number below a thousand.
    Width,
    /// D3133: a name asked of a component that has none.
    NoName,
    /// D3134: a picture of a time zone with more than four digits, or none.
    ZonePicture,
    /// D3134: a time zone that is not of the form ±HHMM.
    Zone,
    /// D3135: a component without its closing bracket.
    Bracket,
    /// D3136: components that leave a gap, so that they give no time.
    Gap,
    /// D3140: a text that is no encoded URL.
    Url,
}

impl Refusal {
    /// Number of the standard's code: 3130 for D3130. No two letters share a number.
    pub fn code(self) -> i32 {
        self.story().0
    }

    fn story(self) -> (i32, &'static str) {
        match self {
            Refusal::NoByte => (410, "base64 is of bytes: the text has a character above U+00FF"),
            Refusal::TooLarge => (1001, "the number is too large to be written"),
            Refusal::EmptyMatch => (1004, "the regular expression matches an empty string"),
            Refusal::EmptyPattern => (3010, "the pattern to replace must not be empty"),
            Refusal::ReplaceLimit => (3011, "the limit of replacements must not be negative"),
            Refusal::SplitLimit => (3020, "the limit of a split must not be negative"),
            Refusal::MatchLimit => (3040, "the limit of matches must not be negative"),
            Refusal::SubPictures => (3080, "the picture has more than one pattern separator"),
            Refusal::DecimalTwice => (3081, "the picture has more than one decimal separator"),
            Refusal::PercentTwice => (3082, "the picture has more than one percent sign"),
            Refusal::PerMilleTwice => (3083, "the picture has more than one per-mille sign"),
            Refusal::PercentAndPerMille => (3084, "the picture has both a percent and a per-mille sign"),
            Refusal::NoDigit => (3085, "the picture has no digit"),
            Refusal::PassiveWithin => (3086, "the picture has other characters between its digits"),
            Refusal::GroupingAtDecimal => (3087, "the picture has a grouping separator beside the decimal separator"),
            Refusal::GroupingAtEnd => (3088, "a grouping separator ends the integer part of the picture"),
            Refusal::GroupingTwice => (3089, "the picture has two grouping separators side by side"),
            Refusal::OptionalAfterMandatory => {
                (3090, "an optional digit follows a mandatory one in the integer part of the picture")
            }
            Refusal::MandatoryAfterOptional => {
                (3091, "a mandatory digit follows an optional one in the fractional part of the picture")
            }
            Refusal::ExponentWithPercent => (3092, "the picture has an exponent and a percent or per-mille sign"),
            Refusal::Exponent => (3093, "the exponent of the picture must consist of mandatory digits"),
            Refusal::Radix => (3100, "the radix must lie between 2 and 36"),
            Refusal::NoTime => (3110, "the time is not in ISO 8601 form"),
            Refusal::Sequence => (3130, "the picture has no digit: such a numbering sequence is not supported"),
            Refusal::DigitFamilies => (3131, "the digits of a picture must be of one family"),
            Refusal::Component => (3132, "the picture asks for a component that no time has"),
            Refusal::Width => (3132, "a width in the picture must be a number below 1000"),
            Refusal::NoName => (3133, "only months, days and halves of the day have names"),
            Refusal::ZonePicture => (3134, "the picture of a time zone must have one to four digits"),
            Refusal::Zone => (3134, "the time zone must have the form ±HHMM"),
            Refusal::Bracket => (3135, "the picture has an opening bracket without a closing one"),
            Refusal::Gap => (3136, "the picture leaves out components that make up a time"),
            Refusal::Url => (3140, "the text is no encoded URL"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.story().1)
    }
}
impl std::error::Error for Refusal {}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault::standard(refusal.code())
    }
}
