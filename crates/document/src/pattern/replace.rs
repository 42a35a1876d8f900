//! `$replace`: by a pattern with references to its groups, and by a plain text.

use crate::refusal::Refusal;

use super::{Found, Pattern, limit_of};

impl Pattern {
    /// `$replace(text, pattern, replacement, limit)`: hands the result to `put`, piece by piece; its
    /// first error ends the work. In the replacement `$0` is the match, `$1` a group and `$$` a dollar
    /// sign.
    ///
    /// The result may be as long as the text times the replacement, so `put` decides how much is too
    /// much. D3011 for a negative limit, D1004 for a second match that is empty.
    pub fn replace<E: From<Refusal>>(
        &self,
        text: &str,
        replacement: &str,
        limit: Option<f64>,
        mut put: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let limit = limit_of(limit, Refusal::ReplaceLimit)?;
        let mut from = 0;
        self.each(text, Some(limit), |found| -> Result<(), E> {
            put(text.get(from..found.start.byte).unwrap_or_default())?;
            from = found.end.byte;
            found.expand(text, replacement, &mut put)
        })?;
        put(text.get(from..).unwrap_or_default())
    }
}

impl Found {
    /// Hands a replacement to `put`, with what stands in the text for its references.
    ///
    /// A group's number has as many digits as the number of groups, or one less when that gives no
    /// group. A group that took no part, or that is not there, is empty; a dollar sign before anything
    /// else stands for itself.
    pub fn expand<E>(
        &self,
        text: &str,
        replacement: &str,
        mut put: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = replacement;
        while let Some((plain, behind)) = rest.split_once('$') {
            put(plain)?;
            if let Some(behind) = behind.strip_prefix('$') {
                put("$")?;
                rest = behind;
            } else if let Some(behind) = behind.strip_prefix('0') {
                put(text.get(self.range()).unwrap_or_default())?;
                rest = behind;
            } else if let Some((group, behind)) = self.reference(behind) {
                let range = group.checked_sub(1).and_then(|place| self.groups.get(place)).cloned().flatten();
                put(range.and_then(|range| text.get(range)).unwrap_or_default())?;
                rest = behind;
            } else {
                put("$")?;
                rest = behind;
            }
        }
        put(rest)
    }

    /// The group's number at the start of a text, and what follows.
    fn reference<'a>(&self, text: &'a str) -> Option<(usize, &'a str)> {
        let digits_max = self.groups.len().max(1).ilog10() as usize + 1;
        let digits = text.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
        let number = |digits: usize| {
            let (digits, behind) = text.split_at_checked(digits)?;
            Some((digits.parse().ok()?, behind))
        };
        match number(digits)? {
            (group, _) if digits > 1 && group > self.groups.len() => number(digits - 1),
            reference => Some(reference),
        }
    }
}

/// `$replace(text, pattern, replacement, limit)` with a plain text to replace: no references.
///
/// Hands the result to `put`, as [`Pattern::replace`] does. D3010 for an empty pattern, D3011 for a
/// negative limit.
pub fn replace_text<E: From<Refusal>>(
    text: &str,
    pattern: &str,
    replacement: &str,
    limit: Option<f64>,
    mut put: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    if pattern.is_empty() {
        return Err(Refusal::EmptyPattern.into());
    }
    let limit = limit_of(limit, Refusal::ReplaceLimit)?;
    let (mut rest, mut count) = (text, 0.0);
    while let Some((before, behind)) = rest.split_once(pattern).filter(|_| count < limit) {
        put(before)?;
        put(replacement)?;
        rest = behind;
        count += 1.0;
    }
    put(rest)
}
