//! How long a message is good for (WS-Security 1.1, §10).

use jiff::{SignedDuration, Timestamp, fmt::temporal::DateTimePrinter};

use super::{WSU, name};
use crate::{
    Block, SoapError,
    envelope::{Envelope, elements, text_of},
};

/// From when until when a message is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// When it was made.
    pub created: Timestamp,
    /// When it ends; none where it does not.
    pub expires: Option<Timestamp>,
}

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-SECURITY", message)
}

/// In UTC with milliseconds, as the profile asks for.
pub(super) fn written(at: Timestamp) -> String {
    DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&at)
}

/// A time with its zone.
pub(super) fn read(text: &str) -> Result<Timestamp, SoapError> {
    text.trim().parse().map_err(|_| wrong("a time of the security header is none, or has no zone"))
}

impl Lifetime {
    /// The element of a security header, with this `wsu:Id`.
    pub fn block(&self, id: &str) -> Block {
        let block = Block::new(WSU, "Timestamp").attribute(WSU, "Id", id);
        let block = block.child(Block::new(WSU, "Created").text(written(self.created)));
        match self.expires {
            Some(expires) => block.child(Block::new(WSU, "Expires").text(written(expires))),
            None => block,
        }
    }

    /// That of an envelope, where it has one.
    pub fn of(envelope: &mut Envelope<'_>) -> Result<Option<Lifetime>, SoapError> {
        let found = envelope.with_block(&name(), |names, security| {
            let mut found = None;
            for (key, node) in elements(security)? {
                let mark = names.enter(node);
                if names.element(key) == (WSU, "Timestamp") {
                    let (mut created, mut expires) = (None, None);
                    for (key, node) in elements(node)? {
                        let mark = names.enter(node);
                        let place = match names.element(key) {
                            (WSU, "Created") => &mut created,
                            (WSU, "Expires") => &mut expires,
                            _ => return Err(wrong("a timestamp holds when it was made and when it ends, alone")),
                        };
                        names.leave(mark);
                        if place.replace(read(text_of(node))?).is_some() {
                            return Err(wrong("a timestamp says something twice"));
                        }
                    }
                    let created = created.ok_or_else(|| wrong("a timestamp does not say when it was made"))?;
                    if found.replace(Lifetime { created, expires }).is_some() {
                        return Err(wrong("a security header holds two timestamps"));
                    }
                }
                names.leave(mark);
            }
            Ok(found)
        })?;
        Ok(found.flatten())
    }

    /// That of an envelope that must have one. Where it says no end, it ends so long after it was made.
    pub fn required(envelope: &mut Envelope<'_>, age_max: SignedDuration) -> Result<Lifetime, SoapError> {
        let Some(Lifetime { created, expires }) = Lifetime::of(envelope)? else {
            return Err(wrong("the message does not say when it was made: it would be good for ever"));
        };
        let end = || created.saturating_add(age_max).map_err(|_| wrong("the message was made at no time"));
        Ok(Lifetime { created, expires: Some(expires.map_or_else(end, Ok)?) })
    }

    /// Refuses a message that is not good now; clocks may differ by `skew`.
    pub fn check(&self, now: Timestamp, skew: SignedDuration) -> Result<(), SoapError> {
        let after = |earlier: Timestamp, later: Timestamp| later.duration_since(earlier) > skew;
        if after(now, self.created) {
            return Err(wrong("the message was made in the future: compare the clocks"));
        }
        if self.expires.is_some_and(|expires| expires <= self.created || after(expires, now)) {
            return Err(wrong("the message has expired"));
        }
        Ok(())
    }
}
