//! Cutting a text into the parts of a picture.
//!
//! A picture is a row of steps; each takes a piece of the text, or as many pieces as it can get while
//! the steps behind it still get theirs. That is decided from the end of the text to its start, once
//! for each step and place, so that no text takes longer than its length times the number of steps.

use crate::picture::integer::vocabulary;

/// What a step takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// This character, in any case.
    Exactly(char),
    /// A digit of the family with this zero, or an ASCII one.
    Digit(char),
    /// An ASCII letter.
    Letter,
    /// A roman numeral.
    Numeral,
    /// `+` or `-`.
    Sign,
    /// `st`, `nd`, `rd` or `th`.
    Suffix,
    /// A word of a number, or what stands between two.
    Word,
}

/// One piece, or one and more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) piece: Piece,
    pub(super) many: bool,
}

/// Steps times characters: beyond, no text is a time.
const WORK_MAX: usize = 1 << 18;

/// Where each step ends, when the steps take the whole text.
pub(super) fn cut(steps: &[Step], text: &[char]) -> Option<Vec<usize>> {
    let places = text.len() + 1;
    if places.saturating_mul(steps.len()) > WORK_MAX {
        return None;
    }
    // Behind the last step nothing may be left.
    let mut behind = vec![false; places];
    *behind.last_mut()? = true;
    // From the last step to the first: from which places it and those behind it fit.
    let mut fits: Vec<Vec<bool>> = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let next = fits.last().unwrap_or(&behind);
        let mut here = vec![false; places];
        for place in (0..text.len()).rev() {
            let goes_on = |to: usize| at(next, to) || (step.many && at(&here, to));
            let fits_here = step.piece.longest(text, place, goes_on).is_some();
            if let Some(fits) = here.get_mut(place) {
                *fits = fits_here;
            }
        }
        fits.push(here);
    }
    // From the first step to the last: each takes as much as leaves the rest enough.
    let mut ends = Vec::with_capacity(steps.len());
    let mut place = 0;
    for (step, here) in steps.iter().zip(fits.iter().rev()) {
        let next = fits.len().checked_sub(ends.len() + 2).and_then(|nth| fits.get(nth)).unwrap_or(&behind);
        while let Some(to) = step.piece.longest(text, place, |to| step.many && at(here, to)) {
            place = to;
        }
        place = step.piece.longest(text, place, |to| at(next, to))?;
        ends.push(place);
    }
    (place == text.len()).then_some(ends)
}

fn at(table: &[bool], place: usize) -> bool {
    table.get(place).copied().unwrap_or(false)
}

impl Piece {
    /// End of the longest such piece at a place of which the end is wanted.
    fn longest(self, text: &[char], place: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let rest = text.get(place..).unwrap_or_default();
        let long = |word: &&str| begins(rest, word) && wanted(place + word.len());
        let longest = match self {
            Piece::Word => {
                let words = vocabulary().map(|(word, _)| word).chain(["and", "-", ",", " "]);
                words.filter(long).map(str::len).max()?
            }
            Piece::Suffix => ["st", "nd", "rd", "th"].iter().find(|word| long(word))?.len(),
            _ => usize::from(rest.first().is_some_and(|c| self.takes(*c)) && wanted(place + 1)),
        };
        (longest > 0).then_some(place + longest)
    }

    fn takes(self, c: char) -> bool {
        match self {
            Piece::Exactly(own) => own == c || own.to_lowercase().eq(c.to_lowercase()),
            Piece::Digit(zero) => c.is_ascii_digit() || (c as u32).wrapping_sub(zero as u32) < 10,
            Piece::Letter => c.is_ascii_alphabetic(),
            Piece::Numeral => "MDCLXVI".contains(c.to_ascii_uppercase()),
            Piece::Sign => matches!(c, '+' | '-'),
            Piece::Suffix | Piece::Word => false,
        }
    }
}

/// Does the text begin with this ASCII word, in any case?
fn begins(text: &[char], word: &str) -> bool {
    text.len() >= word.len() && text.iter().zip(word.chars()).all(|(a, b)| a.eq_ignore_ascii_case(&b))
}
