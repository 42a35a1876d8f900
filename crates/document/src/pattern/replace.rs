//! `$replace`: what stands for a match, with references to its groups, and for a plain text.

use crate::refusal::Refusal;

use super::limit_of;

/// Hands a replacement to `put`, with what matched for its references; `group` knows the texts, 0 is
/// the match itself.
///
/// A group's number has as many digits as the number of groups, or one less when that gives no
/// group. A group that took no part, or that is not there, is empty; a dollar sign before anything
/// else stands for itself.
pub(crate) fn expand<'t, E>(
    replacement: &str,
    groups: usize,
    group: impl Fn(usize) -> Option<&'t str>,
    mut put: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = replacement;
    while let Some((plain, behind)) = rest.split_once('$') {
        put(plain)?;
        if let Some(behind) = behind.strip_prefix('$') {
            put("$")?;
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix('0') {
            put(group(0).unwrap_or_default())?;
            rest = behind;
        } else if let Some((number, behind)) = reference(behind, groups) {
            put(group(number).filter(|_| number > 0).unwrap_or_default())?;
            rest = behind;
        } else {
            put("$")?;
            rest = behind;
        }
    }
    put(rest)
}

/// The group's number at the start of a text, and what follows.
fn reference(text: &str, groups: usize) -> Option<(usize, &str)> {
    let digits_max = groups.max(1).ilog10() as usize + 1;
    let digits = text.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    let number = |digits: usize| {
        let (digits, behind) = text.split_at_checked(digits)?;
        Some((digits.parse().ok()?, behind))
    };
    match number(digits)? {
        (group, _) if digits > 1 && group > groups => number(digits - 1),
        reference => Some(reference),
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
