//! Numbers as digits in columns: to and from the lexeme of a JSON number, digit by digit.

/// How a number stands in its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Digits behind the point, whether it is written or not. None: as many as are written behind a
    /// point, or none at all where no point is.
    pub(super) decimals: Option<usize>,
    /// The point, where it is written.
    pub(super) point: Option<char>,
    pub(super) sign: Sign,
    /// A positive number has a `+`.
    pub(super) plus: bool,
}

/// Where the sign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nowhere: no number is negative.
    None,
    /// Before the digits; before the zeros that pad them.
    Leading,
    /// In the last column.
    Trailing,
    /// In the first digit, which is a letter then.
    OverpunchLeading,
    /// In the last digit.
    OverpunchTrailing,
}

/// Why a number has no place in its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    Negative,
    /// It has more digits behind the point.
    Fraction,
    Long,
}

const POSITIVE: &[u8; 10] = b"{ABCDEFGHI";
const NEGATIVE: &[u8; 10] = b"}JKLMNOPQR";

impl Decimal {
    /// The lexeme of what stands in a field, without its padding; none when it is no number.
    pub(super) fn read(&self, text: &str) -> Option<String> {
        let (is_negative, digits) = self.unsigned(text)?;
        let (whole, fraction) = match self.point {
            Some(point) => match digits.split_once(point) {
                Some((whole, fraction)) => (whole, fraction),
                None => (digits.as_str(), ""),
            },
            None => {
                let decimals = self.decimals.unwrap_or(0);
                // What is not written is zero.
                let whole = digits.len().saturating_sub(decimals);
                (digits.get(..whole)?, digits.get(whole..)?)
            }
        };
        let decimals = self.decimals.unwrap_or(fraction.len());
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let exact = self.point.is_none() || fraction.len() == decimals;
        let ends_well = self.point.is_none_or(|point| !digits.ends_with(point)) && !digits.is_empty();
        if !is_digits(whole)
            || !is_digits(fraction)
            || !exact
            || !ends_well
            || (self.point.is_some() && whole.is_empty())
        {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let mut lexeme = String::with_capacity(digits.len() + decimals + 3);
        lexeme.push_str(if is_negative { "-" } else { "" });
        lexeme.push_str(if whole.is_empty() { "0" } else { whole });
        if decimals > 0 {
            lexeme.push('.');
            lexeme.extend(std::iter::repeat_n('0', decimals.saturating_sub(fraction.len())));
            lexeme.push_str(fraction);
        }
        Some(lexeme)
    }

    /// Sign and digits of what stands in a field.
    fn unsigned(&self, text: &str) -> Option<(bool, String)> {
        let signed = |sign: char, digits: &str| Some((sign == '-', digits.to_owned()));
        let punched = |place: usize| {
            let byte = *text.as_bytes().get(place)?;
            let found = |table: &[u8; 10]| table.iter().position(|letter| *letter == byte);
            let (is_negative, digit) = match (found(POSITIVE), found(NEGATIVE)) {
                (Some(digit), _) => (false, digit),
                (_, Some(digit)) => (true, digit),
                _ if byte.is_ascii_digit() => (false, usize::from(byte - b'0')),
                _ => return None,
            };
            let (before, after) = (text.get(..place)?, text.get(place + 1..)?);
            Some((is_negative, format!("{before}{digit}{after}")))
        };
        match self.sign {
            Sign::None => signed('+', text),
            Sign::Leading => match text.chars().next()? {
                sign @ ('+' | '-' | ' ') => signed(sign, text.get(1..)?),
                _ => signed('+', text),
            },
            Sign::Trailing => match text.chars().next_back()? {
                sign @ ('+' | '-' | ' ') => signed(sign, text.get(..text.len() - 1)?),
                _ => None,
            },
            Sign::OverpunchLeading => punched(0),
            Sign::OverpunchTrailing => punched(text.len().checked_sub(1)?),
        }
    }

    /// What stands in a field of so many columns for a number of this lexeme: signed, and padded where
    /// it is by zeros.
    pub(super) fn write(&self, lexeme: &str, width: usize, pads_zeros: bool) -> Result<String, Misfit> {
        let (is_negative, digits, scale) = Self::parts(lexeme, width)?;
        let fraction = self.decimals.or(self.point.map(|_| scale)).unwrap_or(0);
        if fraction > width {
            return Err(Misfit::Long);
        }
        // Zeros at the end go; other digits would be lost.
        let kept = digits.len() - scale.saturating_sub(fraction).min(digits.len());
        let (kept, lost) = digits.split_at_checked(kept).ok_or(Misfit::Long)?;
        if lost.bytes().any(|digit| digit != b'0') {
            return Err(Misfit::Fraction);
        }
        let mut digits = kept.to_owned();
        digits.extend(std::iter::repeat_n('0', fraction.saturating_sub(scale)));
        // A digit stands before a point that is written.
        let least = if self.point.is_some() { fraction + 1 } else { 1 };
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        if let Some(point) = self.point.filter(|_| fraction > 0) {
            digits.insert(digits.len() - fraction, point);
        }
        if is_negative && self.sign == Sign::None {
            return Err(Misfit::Negative);
        }
        let sign = if is_negative {
            "-"
        } else if self.plus {
            "+"
        } else {
            ""
        };
        let signs = match self.sign {
            Sign::Trailing => 1,
            Sign::Leading => sign.len(),
            _ => 0,
        };
        let room = width.checked_sub(signs).filter(|room| digits.len() <= *room).ok_or(Misfit::Long)?;
        if pads_zeros {
            digits.insert_str(0, &"0".repeat(room - digits.len()));
        }
        let punch = |digit: char| {
            let table = if is_negative { NEGATIVE } else { POSITIVE };
            let place = digit.to_digit(10).unwrap_or(0) as usize;
            char::from(table.get(place).copied().unwrap_or(b'0'))
        };
        let mut characters = digits.chars();
        Ok(match self.sign {
            Sign::None => digits,
            Sign::Leading => format!("{sign}{digits}"),
            Sign::Trailing => format!("{digits}{}", if sign.is_empty() { " " } else { sign }),
            Sign::OverpunchLeading => {
                let first = characters.next().map(punch);
                first.into_iter().chain(characters).collect()
            }
            Sign::OverpunchTrailing => {
                let last = characters.next_back().map(punch);
                characters.chain(last).collect()
            }
        })
    }

    /// Sign, digits without leading zeros, and how many of the digits are behind the point.
    fn parts(lexeme: &str, width: usize) -> Result<(bool, String, usize), Misfit> {
        let (is_negative, rest) = lexeme.strip_prefix('-').map_or((false, lexeme), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        let is_zero = digits.is_empty();
        // Past an i64 it is past any field too.
        let beyond = if exponent.starts_with('-') { Misfit::Fraction } else { Misfit::Long };
        let exponent: i64 = if is_zero { 0 } else { exponent.parse().map_err(|_| beyond)? };
        let scale = (fraction.len() as i64).saturating_sub(exponent);
        let mut digits = digits.to_owned();
        if scale <= 0 {
            let zeros = scale.unsigned_abs() as usize;
            if zeros > width {
                return Err(Misfit::Long);
            }
            digits.extend(std::iter::repeat_n('0', zeros));
            return Ok((is_negative, digits, 0));
        }
        Ok((is_negative, digits, scale as usize))
    }
}
