//! Separators between the digits of a whole number.

/// Where separators stand, counted in digits to the right of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grouping {
    /// This separator after every so many digits, from the right; not 0.
    Every(usize, char),
    /// Each at its own place, from left to right.
    At(Vec<(usize, char)>),
}

impl Grouping {
    /// The separators of a picture, from left to right, each with the number of digits to its right.
    /// The same separator at 3, 6, 9 … goes on for ever (F&O 3.1 §4.6.1, §4.7.4).
    pub(super) fn of(separators: Vec<(usize, char)>) -> Grouping {
        let Some(&(step, separator)) = separators.last().filter(|(right, _)| *right > 0) else {
            return Grouping::At(separators);
        };
        let regular = separators.iter().rev().zip(1..).all(|(one, nth)| *one == (step * nth, separator));
        if regular { Grouping::Every(step, separator) } else { Grouping::At(separators) }
    }

    /// Does one separator go on for ever?
    pub(super) fn is_regular(&self) -> bool {
        matches!(self, Grouping::Every(..))
    }

    /// Is it one of the separators?
    pub(super) fn has(&self, c: char) -> bool {
        match self {
            Grouping::Every(_, separator) => *separator == c,
            Grouping::At(separators) => separators.iter().any(|(_, separator)| *separator == c),
        }
    }

    /// Appends digits with separators. None stands before the first digit.
    pub(super) fn write(&self, digits: &[char], out: &mut String) {
        let mut right = digits.len();
        let mut at = match self {
            Grouping::Every(..) => [].iter().peekable(),
            Grouping::At(separators) => separators.iter().peekable(),
        };
        while at.next_if(|(place, _)| *place >= right).is_some() {}
        for digit in digits {
            if let Grouping::Every(step, separator) = self
                && right < digits.len()
                && right.is_multiple_of(*step)
            {
                out.push(*separator);
            }
            while let Some((_, separator)) = at.next_if(|(place, _)| *place == right) {
                out.push(*separator);
            }
            out.push(*digit);
            right -= 1;
        }
        out.extend(at.map(|(_, separator)| *separator));
    }
}
