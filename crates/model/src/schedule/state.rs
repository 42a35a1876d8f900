//! What is kept about the occurrences of one schedule in one environment.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, id::UserId};

/// A clock that is set back steps by less than this; what was done further ahead of now was done by a
/// clock that was wrong. In milliseconds.
const AHEAD_MS_MAX: i64 = 60 * 60 * 1_000;

/// What was done about the occurrences of a schedule. It outlives deployments: what was claimed is
/// never claimed again, and what somebody paused stays paused until somebody resumes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleState {
    /// Occurrences up to here are dealt with: claimed, skipped, or passed while paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Timestamp>,
    /// Set while `through` is an occurrence that somebody skipped, maybe long before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// The run claimed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// Set while it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
}

/// The run claimed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// The occurrence it is for; for a run by hand, when that was asked.
    pub occurrence: Timestamp,
    /// Whether it is repeated once, with the same keys, if the process ends before the run does.
    pub repeats: bool,
    /// Where it stands.
    pub stands: Stands,
}

/// Where a claimed run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// It goes on.
    Running,
    /// It ended: well, with an error, or refused.
    Ended {
        /// When.
        at: Timestamp,
    },
    /// The process ended before it did.
    Lost,
}

/// Who paused a schedule, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// One move of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An occurrence is about to run.
    Claim {
        /// Which; those before it are dealt with, too.
        occurrence: Timestamp,
    },
    /// Somebody runs it now; no occurrence is spent.
    ByHand {
        /// When that was asked.
        occurrence: Timestamp,
    },
    /// The lost run is about to be made again.
    Repeat,
    /// The lost run is not made again.
    GiveUp {
        /// When.
        at: Timestamp,
    },
    /// Occurrences are skipped.
    Skip {
        /// The last of them.
        through: Timestamp,
    },
    /// Somebody skips what is due next.
    SkipNext {
        /// Which.
        occurrence: Timestamp,
    },
    /// The claimed run ended.
    End {
        /// When.
        at: Timestamp,
    },
    /// Nothing fires from now on.
    Pause {
        /// Who says so.
        by: UserId,
        /// When.
        at: Timestamp,
    },
    /// It fires again; what passed while it was paused is not made up for.
    Resume {
        /// When.
        at: Timestamp,
    },
    /// What was done lies far ahead of now: the clock that said so was wrong, and it counts from now.
    SetBack {
        /// Now.
        at: Timestamp,
    },
}

impl ScheduleState {
    /// The state after a step; `None` when the step is not possible (any more).
    pub fn take(&self, step: &Step) -> Option<Self> {
        let mut next = self.clone();
        let stands = self.last.as_ref().map(|last| &last.stands);
        let free = matches!(stands, None | Some(Stands::Ended { .. }));
        let open = self.paused.is_none();
        match step {
            Step::Claim { occurrence } => {
                let new = self.through.is_none_or(|through| through < *occurrence);
                if !(free && open && new) {
                    return None;
                }
                (next.through, next.asked) = (Some(*occurrence), None);
                next.last = Some(Last { occurrence: *occurrence, repeats: true, stands: Stands::Running });
            }
            Step::ByHand { occurrence } => {
                if !free {
                    return None;
                }
                next.last = Some(Last { occurrence: *occurrence, repeats: false, stands: Stands::Running });
            }
            Step::Repeat => {
                let last = next.last.as_mut().filter(|last| last.stands == Stands::Lost && last.repeats && open)?;
                last.repeats = false;
                last.stands = Stands::Running;
            }
            Step::GiveUp { at } => {
                let last = next.last.as_mut().filter(|last| last.stands == Stands::Lost)?;
                last.stands = Stands::Ended { at: *at };
            }
            Step::Skip { through } => {
                if self.through.is_some_and(|before| before >= *through) {
                    return None;
                }
                (next.through, next.asked) = (Some(*through), None);
            }
            Step::SkipNext { occurrence } => {
                if !open || self.through.is_some_and(|before| before >= *occurrence) {
                    return None;
                }
                (next.through, next.asked) = (Some(*occurrence), Some(*occurrence));
            }
            Step::End { at } => {
                let last = next.last.as_mut().filter(|last| last.stands == Stands::Running)?;
                last.stands = Stands::Ended { at: *at };
            }
            Step::Pause { by, at } => {
                if !open {
                    return None;
                }
                next.paused = Some(Paused { by: by.clone(), at: *at });
            }
            Step::Resume { at } => {
                next.paused.take()?;
                next.count_from(*at);
                // What somebody skipped stays so.
                if let Some(skipped) = self.asked.filter(|skipped| skipped > at) {
                    (next.through, next.asked) = (Some(skipped), Some(skipped));
                }
            }
            Step::SetBack { at } => {
                if !self.is_ahead_of(*at) {
                    return None;
                }
                next.count_from(*at);
            }
        }
        Some(next)
    }

    /// Whether it tells of things done so far ahead of a time that the clock must have been wrong:
    /// nothing would be due before that time comes.
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        let ended = match self.last.as_ref().map(|last| &last.stands) {
            Some(Stands::Ended { at }) => Some(*at),
            _ => None,
        };
        let through = self.through.filter(|_| self.asked.is_none());
        through.max(ended).is_some_and(|done| done > now.plus_ms(AHEAD_MS_MAX))
    }

    /// Nothing later than a time was done.
    fn count_from(&mut self, time: Timestamp) {
        (self.through, self.asked) = (Some(time), None);
        if let Some(Last { stands: Stands::Ended { at }, .. }) = &mut self.last {
            *at = time.min(*at);
        }
    }

    /// The state after the process that ran the claimed run is gone; `None` if none went on.
    pub fn interrupted(&self) -> Option<Self> {
        let mut next = self.clone();
        next.last.as_mut().filter(|last| last.stands == Stands::Running)?.stands = Stands::Lost;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }
    fn pause() -> Step {
        Step::Pause { by: UserId::parse("ops").unwrap(), at: at(5) }
    }

    #[test]
    fn an_occurrence_is_claimed_once() {
        let state = ScheduleState::default();
        let claimed = state.take(&Step::Claim { occurrence: at(10) }).unwrap();
        assert_eq!(claimed.take(&Step::Claim { occurrence: at(20) }), None, "one goes on");
        assert_eq!(claimed.take(&Step::ByHand { occurrence: at(20) }), None, "one goes on");
        let ended = claimed.take(&Step::End { at: at(15) }).unwrap();
        assert_eq!(ended.take(&Step::End { at: at(16) }), None);
        for gone in [10, 9] {
            assert_eq!(ended.take(&Step::Claim { occurrence: at(gone) }), None);
        }
        assert_eq!(ended.interrupted(), None);
        let skipped = ended.take(&Step::Skip { through: at(30) }).unwrap();
        assert_eq!(skipped.take(&Step::Claim { occurrence: at(30) }), None);
        assert!(skipped.take(&Step::Claim { occurrence: at(31) }).is_some());
    }

    #[test]
    fn a_lost_run_is_repeated_once() {
        let claimed = ScheduleState::default().take(&Step::Claim { occurrence: at(10) }).unwrap();
        assert_eq!(claimed.take(&Step::Repeat), None, "it goes on");
        let lost = claimed.interrupted().unwrap();
        assert_eq!(lost.take(&Step::Claim { occurrence: at(20) }), None);
        let repeated = lost.take(&Step::Repeat).unwrap();
        assert_eq!(repeated.last.as_ref().unwrap().occurrence, at(10));
        let lost = repeated.interrupted().unwrap();
        assert_eq!(lost.take(&Step::Repeat), None);
        assert!(lost.take(&Step::GiveUp { at: at(30) }).unwrap().take(&Step::Claim { occurrence: at(20) }).is_some());
        let by_hand = ScheduleState::default().take(&Step::ByHand { occurrence: at(10) }).unwrap();
        assert_eq!(by_hand.interrupted().unwrap().take(&Step::Repeat), None, "whoever asked is gone");
    }

    #[test]
    fn a_clock_that_was_far_ahead_does_not_silence_it() {
        let (hour, far) = (AHEAD_MS_MAX, at(1_000_000_000_000));
        let ran = ScheduleState::default().take(&Step::Claim { occurrence: far }).unwrap();
        let ended = ran.take(&Step::End { at: far }).unwrap();
        for state in [&ran, &ended] {
            let back = state.take(&Step::SetBack { at: at(70) }).unwrap();
            assert_eq!((back.through, back.is_ahead_of(at(70))), (Some(at(70)), false));
            assert_eq!(back.take(&Step::SetBack { at: at(70) }), None);
        }
        let back = ended.take(&Step::SetBack { at: at(70) }).unwrap();
        assert_eq!(back.last.as_ref().unwrap().stands, Stands::Ended { at: at(70) });
        // A small step back waits: nothing is claimed twice.
        let near = ScheduleState::default().take(&Step::Claim { occurrence: at(70 + hour) }).unwrap();
        assert_eq!(near.take(&Step::SetBack { at: at(70) }), None);
        // Resumed, it counts from now, whatever the clock had said.
        let resumed = ended.take(&pause()).unwrap().take(&Step::Resume { at: at(70) }).unwrap();
        assert_eq!(resumed, back);
    }

    #[test]
    fn what_somebody_skipped_is_skipped_however_far_ahead_it_is() {
        let far = at(1_000_000_000_000);
        let skipped = ScheduleState::default().take(&Step::SkipNext { occurrence: far }).unwrap();
        assert!(!skipped.is_ahead_of(at(70)));
        for gone in [Step::Claim { occurrence: far }, Step::SkipNext { occurrence: far }, Step::Skip { through: far }] {
            assert_eq!(skipped.take(&gone), None, "{gone:?}");
        }
        let resumed = skipped.take(&pause()).unwrap().take(&Step::Resume { at: at(70) }).unwrap();
        assert_eq!(resumed, skipped);
        assert_eq!(skipped.take(&pause()).unwrap().take(&Step::SkipNext { occurrence: far.plus_ms(1) }), None);
        let claimed = skipped.take(&Step::Claim { occurrence: far.plus_ms(1) }).unwrap();
        assert!(claimed.asked.is_none() && claimed.is_ahead_of(at(70)));
    }

    #[test]
    fn a_paused_schedule_fires_by_hand_alone() {
        let paused = ScheduleState::default().take(&pause()).unwrap();
        assert_eq!(paused.take(&pause()), None);
        assert_eq!(paused.take(&Step::Claim { occurrence: at(10) }), None);
        assert!(paused.take(&Step::ByHand { occurrence: at(10) }).is_some());
        let resumed = paused.take(&Step::Resume { at: at(50) }).unwrap();
        assert_eq!(resumed.take(&Step::Resume { at: at(50) }), None);
        assert_eq!(resumed.take(&Step::Claim { occurrence: at(50) }), None);
        assert!(resumed.take(&Step::Claim { occurrence: at(51) }).is_some());
    }
}
