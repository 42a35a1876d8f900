//! Variable markers of a picture, `[M01]` or `[FNn,*-3]`: which component, and how it is shown
//! (F&O 3.1 §9.8.4.1 and §9.8.4.2).

use crate::picture::integer::{Case, Form, IntegerPicture};
use crate::refusal::Refusal;

use super::zone::ZonePicture;

/// A variable marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Marker {
    /// A component as a number; of a year as many of its last digits as are kept.
    Number { component: Component, picture: IntegerPicture, kept: Option<u32> },
    /// A name, cut to a width.
    Name { component: Named, case: Case, width: Option<usize> },
    /// The half of the day.
    Half { upper: bool },
    /// The offset from UTC.
    Zone(ZonePicture),
    /// The calendar or the era: `ISO`.
    Calendar,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    Year,
    Month,
    Day,
    DayOfYear,
    Weekday,
    WeekOfYear,
    WeekOfMonth,
    /// The year that the week belongs to.
    WeekYear,
    /// The month that the week belongs to.
    WeekMonth,
    Hour,
    HourOfHalf,
    Minute,
    Second,
    Fraction,
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Month,
    WeekMonth,
    Weekday,
}

/// Widths stay below.
const WIDTH_END: u32 = 1000;

impl Marker {
    /// Understands what stands between the brackets; blanks mean nothing.
    pub(super) fn parse(text: &str) -> Result<Marker, Refusal> {
        let text: String = text.split_whitespace().collect();
        let (shown, widths) = text.rsplit_once(',').unwrap_or((&text, ""));
        let (least, most) = widths.split_once('-').unwrap_or((widths, ""));
        let (least, most) = (width(least)?, width(most)?);
        let mut characters = shown.chars();
        let letter = characters.next().ok_or(Refusal::Component)?;
        let written = characters.as_str();
        let token = if written.is_empty() { default_token(letter) } else { written };
        let (token, modifier) = match token.char_indices().next_back() {
            Some((place, 'a' | 't' | 'c' | 'o')) if place > 0 => token.split_at_checked(place).unwrap_or((token, "")),
            _ => (token, ""),
        };
        let case = match token.as_bytes() {
            [b'n', ..] => Some(Case::Lower),
            [b'N', b'n', ..] => Some(Case::Title),
            [b'N', ..] => Some(Case::Upper),
            _ => None,
        };
        let component = match letter {
            'P' => return Ok(Marker::Half { upper: case == Some(Case::Upper) }),
            'C' | 'E' => return Ok(Marker::Calendar),
            'Z' | 'z' => {
                let picture = IntegerPicture::parse(token).map_err(|refusal| match refusal {
                    Refusal::Sequence => Refusal::ZonePicture,
                    other => other,
                })?;
                return ZonePicture::new(picture, letter == 'z', modifier == "t").map(Marker::Zone);
            }
            _ => component(letter).ok_or(Refusal::Component)?,
        };
        if let Some(case) = case {
            let component = match component {
                Component::Month => Named::Month,
                Component::WeekMonth => Named::WeekMonth,
                Component::Weekday => Named::Weekday,
                _ => return Err(Refusal::NoName),
            };
            return Ok(Marker::Name { component, case, width: most.map(|most| most as usize) });
        }
        let mut picture = IntegerPicture::parse(&format!("{token};{modifier}"))?;
        let mut kept = most.filter(|_| component == Component::Year);
        if let Form::Digits(digits) = &mut picture.form {
            digits.mandatory = digits.mandatory.max(least.unwrap_or(0) as usize);
            if component == Component::Year {
                match most {
                    Some(most) => digits.mandatory = most as usize,
                    // A single digit is for the whole year (F&O 3.1 §9.8.4.4).
                    None => kept = u32::try_from(digits.mandatory + digits.optional).ok().filter(|kept| *kept >= 2),
                }
            }
        }
        Ok(Marker::Number { component, picture, kept })
    }
}

/// A width is digits; `*` and anything else is none.
fn width(text: &str) -> Result<Option<u32>, Refusal> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().ok().filter(|width| *width < WIDTH_END).map(Some).ok_or(Refusal::Width)
}

/// How a component is shown when its marker does not say (F&O 3.1 §9.8.4.1).
fn default_token(letter: char) -> &'static str {
    match letter {
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => "1",
    }
}

fn component(letter: char) -> Option<Component> {
    Some(match letter {
        'Y' => Component::Year,
        'M' => Component::Month,
        'D' => Component::Day,
        'd' => Component::DayOfYear,
        'F' => Component::Weekday,
        'W' => Component::WeekOfYear,
        'w' => Component::WeekOfMonth,
        'X' => Component::WeekYear,
        'x' => Component::WeekMonth,
        'H' => Component::Hour,
        'h' => Component::HourOfHalf,
        'm' => Component::Minute,
        's' => Component::Second,
        'f' => Component::Fraction,
        _ => return None,
    })
}
