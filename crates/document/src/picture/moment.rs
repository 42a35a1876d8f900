//! `$fromMillis` and `$toMillis`: points in time, in milliseconds since 1970-01-01T00:00Z, as pictures
//! such as `[Y0001]-[M01]-[D01]` show them (F&O 3.1 §9.8.4), and back; ISO 8601 without a picture.
//!
//! Beyond the specification there are `[X]`, the year that an ISO week belongs to, and `[x]`, the
//! month that it belongs to. As in the reference implementation a fraction of a second `[f]` is
//! written as the number of milliseconds, so `[f001]` is the picture to use, and `[C]` and `[E]` are
//! `ISO`. Names are English. The calendar is the Gregorian one, always.
//!
//! Reading follows the reference too: the first components that a picture leaves out come from `now`,
//! the last are at their least, a gap is refused; days beyond the month's last roll over; the years 0
//! to 99 are those of the twentieth century. What differs: zones west of Greenwich with minutes
//! (`-0330`) are right both ways, `[d]` goes together with a time of day, names match in any case.
//!
//! Deliberately absent: time zones by name and their summer times, and the clock: `now` is handed in.

use crate::refusal::Refusal;

use super::integer::Form;
use civil::Civil;
use zone::Zone;

mod civil;
mod iso;
mod marker;
mod matching;
mod read;
mod write;
mod zone;

use marker::Marker;

/// A picture of a point in time, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentPicture {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Marker(Marker),
}

/// `$fromMillis(millis, picture, timezone)`: the time as the picture shows it in the zone, which is
/// `±HHMM`, and UTC when there is none. Without a picture: `2017-10-30T16:25:32.935Z`.
///
/// Fails with D3130 to D3135 for what is wrong with the picture or the zone, and with D1001 outside
/// of the years -271821 to 275760.
pub fn from_millis(millis: f64, picture: Option<&str>, timezone: Option<&str>) -> Result<String, Refusal> {
    let picture = MomentPicture::parse(picture.unwrap_or("[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"))?;
    picture.format(millis, timezone)
}

/// `$toMillis(text, picture)`: the time that a text stands for; none when it has not the form of the
/// picture. `now` is the time of evaluation.
///
/// Without a picture the text is in ISO 8601 form: `YYYY`, perhaps with `-MM`, `-DD`,
/// `Thh:mm:ss`, a fraction and `Z` or `±hh:mm`; D3110 otherwise. Else fails with D3130 to D3136.
pub fn to_millis(text: &str, picture: Option<&str>, now: f64) -> Result<Option<f64>, Refusal> {
    match picture {
        None => iso::read(text).map(Some).ok_or(Refusal::NoTime),
        Some(picture) => MomentPicture::parse(picture)?.read(text, now),
    }
}

impl MomentPicture {
    /// Understands a picture: literal text, `[[` and `]]` for brackets, and markers. D3130 to D3135.
    pub fn parse(picture: &str) -> Result<MomentPicture, Refusal> {
        let mut parts = Vec::new();
        // A bracket that is not closed is told before what is wrong within brackets.
        let mut wrong = None;
        let mut rest = picture;
        while let Some((literal, behind)) = rest.split_once('[') {
            push_literal(literal, &mut parts);
            if let Some(behind) = behind.strip_prefix('[') {
                parts.push(Part::Literal("[".to_owned()));
                rest = behind;
                continue;
            }
            let (marker, behind) = behind.split_once(']').ok_or(Refusal::Bracket)?;
            match Marker::parse(marker) {
                Ok(marker) => parts.push(Part::Marker(marker)),
                Err(refusal) => wrong = wrong.or(Some(refusal)),
            }
            rest = behind;
        }
        push_literal(rest, &mut parts);
        wrong.map_or(Ok(MomentPicture { parts }), Err)
    }

    /// The time as the picture shows it. D1001, D3134.
    pub fn format(&self, millis: f64, timezone: Option<&str>) -> Result<String, Refusal> {
        let zone = timezone.map_or(Ok(Zone::UTC), Zone::parse)?;
        let civil = Civil::at(millis + zone.millis()).ok_or(Refusal::TooLarge)?;
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Marker(marker) => marker.write(&civil, zone, &mut out),
            }
        }
        Ok(out)
    }
}

/// Appends what stands between markers, with `]]` as one bracket.
fn push_literal(text: &str, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.replace("]]", "]")));
    }
}

#[cfg(test)]
mod tests;
