//! What must hold of a thing for a change of it to be made: that it is at the revision that was read, or that it is
//! not there yet (RFC 9110 §13.1).
//!
//! It is asked on the very view that the change is made on, and asked again on each newer one: of two who
//! read the same revision and write, one is refused.

use lockgate_model::definition::Revision;

use crate::Error;

/// Revisions of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Whichever it has.
    Any,
    /// One of these.
    These(Vec<Revision>),
}

impl Named {
    /// It names this revision.
    pub fn has(&self, revision: Revision) -> bool {
        match self {
            Self::Any => true,
            Self::These(revisions) => revisions.contains(&revision),
        }
    }
}

/// A condition of a change; by default there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// It is there, at one of these (`If-Match`).
    pub at: Option<Named>,
    /// It is not there at any of these (`If-None-Match`).
    pub not_at: Option<Named>,
}

impl Condition {
    /// Refuses the change where the condition does not hold of what is there.
    pub(crate) fn of(&self, found: Option<Revision>) -> Result<(), Error> {
        if self.at.as_ref().is_some_and(|named| !found.is_some_and(|found| named.has(found))) {
            let message = match found {
                Some(_) => "somebody changed it since it was read; read it again, and change that",
                None => "it is not there any more; somebody deleted it since it was read",
            };
            return Err(Error::Precondition { code: "LG-STALE", message: message.to_owned() });
        }
        if self.not_at.as_ref().is_some_and(|named| found.is_some_and(|found| named.has(found))) {
            let message = "it is there already, and was to be created; read it, and change that".to_owned();
            return Err(Error::Precondition { code: "LG-EXISTS", message });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_refuses_what_it_is_for() {
        let these = |all: &[u64]| Some(Named::These(all.iter().map(|one| Revision(*one)).collect()));
        let (there, absent) = (Some(Revision(7)), None);
        for (at, not_at, found, refused) in [
            (None, None, there, None),
            (None, None, absent, None),
            (these(&[7]), None, there, None),
            (these(&[3, 7]), None, there, None),
            (these(&[3]), None, there, Some("LG-STALE")),
            (these(&[]), None, there, Some("LG-STALE")),
            (these(&[7]), None, absent, Some("LG-STALE")),
            (Some(Named::Any), None, there, None),
            (Some(Named::Any), None, absent, Some("LG-STALE")),
            (None, Some(Named::Any), absent, None),
            (None, Some(Named::Any), there, Some("LG-EXISTS")),
            (None, these(&[7]), there, Some("LG-EXISTS")),
            (None, these(&[8]), there, None),
            (these(&[7]), Some(Named::Any), there, Some("LG-EXISTS")),
        ] {
            let told = Condition { at: at.clone(), not_at: not_at.clone() }.of(found);
            assert_eq!(told.err().map(|error| error.code()), refused, "{at:?} {not_at:?} of {found:?}");
        }
    }
}
