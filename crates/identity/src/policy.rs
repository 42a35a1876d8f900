//! What a tenant asks of a new password.
//!
//! What is common stands in `common_passwords.txt`, which holds the 5,000 commonest and those of 12 characters and more of a public
//! list of 19,640 by their frequency: the one that Django carries (`django/contrib/auth/common-passwords.txt.gz`, Django 5.2), which
//! was made by Royce Williams from passwords that leaked. OWASP ASVS 5.0, 6.2.4 asks for 3,000. Most are shorter than a password may
//! be: they are refused with what is hung on them, which is how they would come.

use std::{collections::HashSet, fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{Password, password::PASSWORD_BYTES_MAX};

/// A preset. Both refuse what is common and what holds the user's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Policy {
    /// 12 characters, at least 3 of the 4 classes upper, lower, digit, other.
    #[default]
    #[serde(rename = "classic")]
    Classic,
    /// 15 characters and no classes (NIST SP 800-63B-4 §3.1.1.2).
    #[serde(rename = "nist-800-63b-4")]
    Nist,
}

/// What is wrong with a password; never the password itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weakness {
    /// Fewer characters than this.
    TooShort(usize),
    /// More bytes than are looked at.
    TooLong,
    /// Fewer than 3 of the 4 classes.
    FewClasses,
    /// On the list of common passwords, or one of them with ornaments.
    Common,
    /// Holds the user's name.
    HoldsName,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(least) => write!(f, "it needs at least {least} characters"),
            Self::TooLong => write!(f, "it may have at most {PASSWORD_BYTES_MAX} bytes"),
            Self::FewClasses => f.write_str("it needs three of: upper case, lower case, digits, other characters"),
            Self::Common => f.write_str("it is a common password, or one with ornaments"),
            Self::HoldsName => f.write_str("it must not contain the user's name"),
        }
    }
}

/// The text names no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no password policy of that name: use `classic` or `nist-800-63b-4`")]
pub struct UnknownPolicy;

impl FromStr for Policy {
    type Err = UnknownPolicy;
    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        [Self::Classic, Self::Nist].into_iter().find(|p| p.as_str() == text).ok_or(UnknownPolicy)
    }
}

impl Policy {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Nist => "nist-800-63b-4",
        }
    }

    /// Characters a password needs at least.
    pub fn length_min(self) -> usize {
        match self {
            Self::Classic => 12,
            Self::Nist => 15,
        }
    }

    /// Everything that is wrong with a new password. `names` are the user's id and title. The
    /// history is [`Credential::was_used`](crate::Credential::was_used), which is costly.
    pub fn check(self, names: &[&str], password: &Password) -> Result<(), Vec<Weakness>> {
        let text = password.expose();
        let mut found = Vec::new();
        if text.chars().count() < self.length_min() {
            found.push(Weakness::TooShort(self.length_min()));
        }
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(vec![Weakness::TooLong]);
        }
        if self == Self::Classic && classes(text) < 3 {
            found.push(Weakness::FewClasses);
        }
        if is_common(text) {
            found.push(Weakness::Common);
        }
        if holds_name(text, names) {
            found.push(Weakness::HoldsName);
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

fn classes(text: &str) -> usize {
    let any = |of: fn(char) -> bool| usize::from(text.chars().any(of));
    let other = |c: char| !c.is_uppercase() && !c.is_lowercase() && !c.is_numeric();
    any(char::is_uppercase) + any(char::is_lowercase) + any(char::is_numeric) + any(other)
}

/// The list, one entry a line, lower case.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Fewer different characters than this are a pattern, not a password.
const DIFFERENT_MIN: usize = 5;

/// On the list as it is, without what stands around its letters, with digits and signs read as the
/// letters they stand for (`P@ssw0rd2026!`), repeated, or hardly more than one character.
fn is_common(text: &str) -> bool {
    let lower = text.to_lowercase();
    if lower.chars().collect::<HashSet<_>>().len() < DIFFERENT_MIN {
        return true;
    }
    let plain = unleet(&lower);
    let core = bare(&lower);
    let forms =
        [lower.as_str(), core, bare(&plain), &unleet(core), bare(&unleet(trim_tail(&lower)))].map(str::to_owned);
    forms.iter().any(|form| COMMON.contains(form.as_str()) || repeats(form))
}

/// Without anything but letters at both ends.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// Without the digits and signs that are hung on at the end.
fn trim_tail(text: &str) -> &str {
    text.trim_end_matches(|c: char| !c.is_alphabetic())
}

fn unleet(text: &str) -> String {
    let letter = |c| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' | '+' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// An entry of the list, twice or more.
fn repeats(text: &str) -> bool {
    (3..=text.len() / 2)
        .filter(|length| text.len().is_multiple_of(*length))
        .filter_map(|length| text.split_at_checked(length))
        .any(|(unit, rest)| COMMON.contains(unit) && rest.replace(unit, "").is_empty())
}

/// Shorter names are in every other word.
const NAME_CHARS_MIN: usize = 3;

/// Holds the user's id, or a word of it or of the title, in any case.
fn holds_name(text: &str, names: &[&str]) -> bool {
    let lower = text.to_lowercase();
    let holds = |name: &str| name.chars().count() >= NAME_CHARS_MIN && lower.contains(name);
    names
        .iter()
        .map(|name| name.to_lowercase())
        .any(|name| holds(&name) || name.split(|c: char| !c.is_alphanumeric()).any(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: Policy, text: &str) -> Vec<Weakness> {
        policy
            .check(&["ada.lovelace", "Countess of Lovelace"], &Password::new(text.to_owned()))
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn classic_refuses() {
        use Weakness::*;
        for (text, weaknesses) in [
            ("", vec![TooShort(12), FewClasses, Common]),
            ("Short-1", vec![TooShort(12)]),
            ("Elevenchar1", vec![TooShort(12)]),
            ("onlylowercaseletters", vec![FewClasses]),
            ("lower1234and5digits", vec![FewClasses]),
            ("UPPERCASE-AND-SIGNS", vec![FewClasses]),
            ("Password1234", vec![Common]),
            ("P@ssw0rd2026!", vec![Common]),
            ("!!!Welcome!!!2026", vec![Common]),
            ("Qwertyuiop1!", vec![Common]),
            ("ChangeMe-2026", vec![Common]),
            ("Correcthorsebatterystaple1", vec![Common]),
            ("MonkeyMonkey1!", vec![Common]),
            ("Aa1Aa1Aa1Aa1", vec![Common]),
            ("My-Lovelace-99", vec![HoldsName]),
            ("x7-ADA.LOVELACE-x7", vec![HoldsName]),
            ("Ada-is-my-1-name", vec![HoldsName]),
            ("Countess#1815x", vec![HoldsName]),
        ] {
            assert_eq!(check(Policy::Classic, text), weaknesses, "`{text}`");
        }
        assert_eq!(check(Policy::Classic, &"aB3-".repeat(300)), [TooLong]);
    }

    #[test]
    fn classic_takes_any_three_classes() {
        for text in [
            "Harbour-pilot",
            "harbour-pilot-7",
            "HARBOUR-PILOT-7",
            "Harbourpilot7",
            "Ünterm-Kiel-wasser",
            "ab CD ef GH ij",
        ] {
            assert_eq!(check(Policy::Classic, text), [], "`{text}`");
        }
    }

    #[test]
    fn nist_asks_for_length_and_not_for_classes() {
        use Weakness::*;
        assert_eq!(check(Policy::Nist, "harbour pilots"), [TooShort(15)]);
        assert_eq!(check(Policy::Nist, "harbour pilots at dawn"), []);
        assert_eq!(check(Policy::Nist, "passwordpassword"), [Common]);
        assert_eq!(check(Policy::Nist, "correcthorsebatterystaple"), [Common]);
        assert_eq!(check(Policy::Nist, "the countess is in"), [HoldsName]);
    }

    #[test]
    fn length_is_in_characters() {
        assert_eq!(check(Policy::Nist, "äöüßéèêçñåøæœðþ"), []);
        assert_eq!(check(Policy::Nist, "äöüßéèêçñåøæœð"), [Weakness::TooShort(15)]);
    }

    #[test]
    fn a_short_name_forbids_nothing() {
        assert!(Policy::Classic.check(&["al", ""], &Password::new("Tall-Masts-44".to_owned())).is_ok());
    }

    #[test]
    fn the_list_is_as_it_is_read() {
        // OWASP ASVS 5.0, 6.2.4.
        assert!(COMMON.len() >= 3_000, "{}", COMMON.len());
        assert_eq!(COMMON.len(), include_str!("common_passwords.txt").lines().count(), "one stands twice");
        for entry in COMMON.iter() {
            assert_eq!(*entry, entry.to_lowercase().trim(), "an entry is lower case and has no spaces around");
            assert!(is_common(entry), "`{entry}` is not found as it is");
        }
    }

    #[test]
    fn names_of_policies_are_stable() {
        for policy in [Policy::Classic, Policy::Nist] {
            assert_eq!(policy.as_str().parse(), Ok(policy));
            assert_eq!(serde_json::to_value(policy).unwrap(), policy.as_str());
        }
        assert_eq!("none".parse::<Policy>(), Err(UnknownPolicy));
    }
}
