//! Codes of the expression standard (JSONata 2.2) and ours for jq, and what each means in our words.

use std::fmt;

/// A code such as `T2001`. The standard gives every number to one letter, so the number is enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(u16);

pub(crate) const T0410: Code = Code(410);
pub(crate) const T0412: Code = Code(412);
pub(crate) const D1001: Code = Code(1001);
pub(crate) const T1003: Code = Code(1003);
pub(crate) const T1006: Code = Code(1006);
pub(crate) const D1009: Code = Code(1009);
pub(crate) const T1010: Code = Code(1010);
pub(crate) const T2003: Code = Code(2003);
pub(crate) const T2004: Code = Code(2004);
pub(crate) const T2007: Code = Code(2007);
pub(crate) const T2008: Code = Code(2008);
pub(crate) const T2009: Code = Code(2009);
pub(crate) const T2010: Code = Code(2010);
pub(crate) const D2014: Code = Code(2014);
pub(crate) const D3001: Code = Code(3001);
pub(crate) const D3020: Code = Code(3020);
pub(crate) const D3030: Code = Code(3030);
pub(crate) const D3060: Code = Code(3060);
pub(crate) const D3061: Code = Code(3061);
pub(crate) const D3070: Code = Code(3070);

pub(crate) const D3137: Code = Code(3137);
pub(crate) const D3141: Code = Code(3141);
pub(crate) const T2011: Code = Code(2011);
pub(crate) const T2012: Code = Code(2012);

/// jq has no codes of its own: these are ours, numbered past those of the standard.
pub(crate) const JQ_TYPE: Code = Code(9001);
pub(crate) const JQ_VALUE: Code = Code(9002);

impl Code {
    /// The code with this number; a number that fits no code stands for 0.
    pub(crate) fn from_number(number: i32) -> Code {
        Code(u16::try_from(number).unwrap_or_default())
    }

    fn letter(self) -> char {
        match self.0 {
            0..=409 | 500 => 'S',
            410..=412 | 1003 | 1005..=1008 | 1010 | 2001..=2004 | 2006..=2013 => 'T',
            _ => 'D',
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self.0 {
            410 => "the argument has the wrong type for this function",
            411 => "the context has the wrong type to stand for a missing argument",
            412 => "the argument must be an array of one type",
            1001 => "the result is too large for a number",
            1002 => "only a number can be negated",
            1003 => "a key of an object must be a string",
            1004 => "the regular expression matches an empty string",
            1005 | 1006 => "only a function can be called",
            1007 | 1008 => "only a function can be partially applied",
            1009 => "two entries of the object have the same key",
            1010 => "the matcher function gives no match object",
            1011 => "functions call each other too deeply",
            1012 => "the expression ran too long",
            1013 => "this key of an object is reserved",
            2001 => "the left side of the operator must be a number",
            2002 => "the right side of the operator must be a number",
            2003 => "the left side of the range must be a whole number",
            2004 => "the right side of the range must be a whole number",
            2006 => "the right side of ~> must be a function",
            2007 => "the order-by values must all be numbers or all be strings",
            2008 => "an order-by value must be a number or a string",
            2009 => "the two sides of the comparison must have the same type",
            2010 => "only numbers and strings can be compared by order",
            2011 => "the update of a transform must be an object",
            2012 => "the delete of a transform must be a string or an array of strings",
            2013 => "the transform cannot clone its input",
            2014 => "the range has more than ten million items",
            2015 => "the sequence is too long",
            3001 => "a number without limit has no text",
            3010 => "the pattern to replace must not be empty",
            3011 => "the limit of replacements must be a positive number",
            3012 => "the replacement must be a string",
            3020 => "the limit of a split must be a positive number",
            3030 => "the value cannot be read as a number",
            3040 => "the limit of matches must be a positive number",
            3050 => "the function to reduce with must take two arguments or more",
            3060 => "a negative number has no square root",
            3061 => "the power is too large for a number",
            3070 => "only numbers or only strings can be sorted without a function",
            3080..=3093 => "the picture of the number is malformed",
            3100 => "the radix must lie between 2 and 36",
            3110 => "the time is not in ISO 8601 form",
            3130..=3136 => "the picture of the date is malformed",
            3137 => "the expression calls `$error`",
            3138 => "more than one value matches",
            3139 => "no value matches",
            3140 => "the URL is malformed",
            3141 => "an assertion of the expression does not hold",
            9001 => "an operation of jq does not take a value of this type",
            9002 => "an operation of jq does not take this value",
            _ => "the expression failed",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            JQ_TYPE => f.write_str("LG-JQ-TYPE"),
            JQ_VALUE => f.write_str("LG-JQ-VALUE"),
            _ => write!(f, "{}{:04}", self.letter(), self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn numbers_find_their_letters() {
        for code in ["S0201", "T0410", "D1001", "D1002", "T1003", "D1004", "T1006", "D1009", "T2001", "T2010", "D2014"]
        {
            let number = code.get(1..).unwrap().parse().unwrap();
            assert_eq!(Code::from_number(number).to_string(), code);
        }
        assert_eq!(Code::from_number(-1).to_string(), "S0000");
    }
}
