//! When an orchestration runs by itself: the `schedule` of the Open Workflow DSL 1.0, checked, and the
//! times that come of it. Pure: `now` is handed in.
//!
//! An *occurrence* is a time at which a schedule asks for a run. [`ScheduleState`] is what is kept
//! about them, and [`ScheduleState::take`] the only way it moves, so that every store keeps the same
//! promises: no occurrence is claimed twice, none while a run of the same orchestration goes on.
//!
//! Deliberately absent: seconds and the extensions of cron (`L`, `W`, `#`, `@daily`), waiting, storage.

mod cron;
mod state;
mod zone;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

pub use cron::{Cron, InvalidCron};
pub use state::{Last, Paused, ScheduleState, Stands, Step};
pub use zone::{InvalidZone, Zone};

/// Shortest interval and delay of a schedule, in milliseconds.
pub const SCHEDULE_MS_MIN: i64 = 1_000;
/// Missed occurrences are counted up to here.
pub const MISSED_MAX: u32 = 1_000;

/// When an orchestration runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// At the minutes that an expression names, by the clocks of a time zone.
    Cron {
        /// The expression.
        expression: Cron,
        /// The zone.
        timezone: Zone,
    },
    /// At a fixed distance from each other.
    Every {
        /// The distance in milliseconds.
        ms: i64,
    },
    /// Once at deployment, and then so long after the run before has ended.
    After {
        /// The delay in milliseconds.
        ms: i64,
    },
}

/// `cron 0 6 * * MON-FRI Europe/Berlin`, `every 60 s`, `after 1.5 s`.
impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = |ms: &i64| match ms % 1_000 {
            0 => format!("{} s", ms / 1_000),
            _ => format!("{ms} ms"),
        };
        match self {
            Self::Cron { expression, timezone } => write!(f, "cron {expression} {timezone}"),
            Self::Every { ms } => write!(f, "every {}", seconds(ms)),
            Self::After { ms } => write!(f, "after {}", seconds(ms)),
        }
    }
}

/// Occurrences whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// The first of them.
    pub first: Timestamp,
    /// The latest: the one that is still run.
    pub latest: Timestamp,
    /// The one before the latest; the latest where there is none.
    pub before: Timestamp,
    /// How many there are before the latest; counted up to [`MISSED_MAX`].
    pub missed: u32,
}

impl Schedule {
    /// The next occurrence that nothing was done about yet; it may lie in the past. `None`: not before
    /// something else happens (a run ends, the schedule is resumed), or never.
    ///
    /// Occurrences at or before the deployment are none of this schedule's.
    pub fn due(&self, deployed_at: Timestamp, state: &ScheduleState) -> Option<Timestamp> {
        if state.paused.is_some() {
            return None;
        }
        let from = state.through.map_or(deployed_at, |through| through.max(deployed_at));
        match self {
            Self::Cron { expression, timezone } => expression.next_after(timezone, from),
            Self::Every { ms } => next_step(state.through.unwrap_or(deployed_at), (*ms).max(SCHEDULE_MS_MIN), from),
            Self::After { ms } => {
                let ended = match state.last.as_ref().map(|last| &last.stands) {
                    Some(Stands::Running | Stands::Lost) => return None,
                    Some(Stands::Ended { at }) => Some(*at),
                    None => None,
                };
                match state.through.filter(|through| *through >= deployed_at) {
                    None => Some(deployed_at),
                    Some(through) => {
                        Some(ended.map_or(through, |at| at.max(through)).plus_ms((*ms).max(SCHEDULE_MS_MIN)))
                    }
                }
            }
        }
    }

    /// What has come due, when `first` (of [`Schedule::due`]) is not later than `now`.
    pub fn overdue(&self, first: Timestamp, now: Timestamp) -> Overdue {
        let mut overdue = Overdue { first, latest: first, before: first, missed: 0 };
        match self {
            Self::Cron { expression, timezone } => {
                let mut next = expression.next_after(timezone, first);
                while let Some(occurrence) = next.filter(|next| *next <= now) {
                    if overdue.missed == MISSED_MAX {
                        overdue.latest = expression.latest(timezone, occurrence, now);
                        break;
                    }
                    overdue.missed += 1;
                    overdue.latest = occurrence;
                    next = expression.next_after(timezone, occurrence);
                }
                overdue.before = expression.latest(timezone, first, Timestamp(overdue.latest.0.saturating_sub(1)));
            }
            Self::Every { ms } => {
                let us = (*ms).max(SCHEDULE_MS_MIN).saturating_mul(1_000);
                let steps = now.0.saturating_sub(first.0).max(0) / us;
                overdue.latest = Timestamp(first.0.saturating_add(steps.saturating_mul(us)));
                overdue.before = Timestamp(overdue.latest.0.saturating_sub(us)).max(first);
                overdue.missed = u32::try_from(steps).unwrap_or(MISSED_MAX).min(MISSED_MAX);
            }
            // The next one is counted from the end of a run: none can pile up.
            Self::After { .. } => {}
        }
        overdue
    }
}

/// The first of `origin + n × ms` (n ≥ 1) that is later than `from`.
fn next_step(origin: Timestamp, ms: i64, from: Timestamp) -> Option<Timestamp> {
    let us = ms.checked_mul(1_000)?;
    let steps = from.0.checked_sub(origin.0)?.max(0) / us;
    Some(Timestamp(origin.0.checked_add(steps.checked_add(1)?.checked_mul(us)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1_000)
    }
    fn taken(state: &ScheduleState, step: Step) -> ScheduleState {
        state.take(&step).unwrap_or_else(|| panic!("{step:?} is not possible on {state:?}"))
    }

    #[test]
    fn every_counts_from_the_deployment_and_then_from_what_was_done() {
        let schedule = Schedule::Every { ms: 60_000 };
        let mut state = ScheduleState::default();
        assert_eq!(schedule.due(at(1_000), &state), Some(at(1_060)));
        state = taken(&state, Step::Claim { occurrence: at(1_060) });
        assert_eq!(schedule.due(at(1_000), &state), Some(at(1_120)));
        // Deployed again: the rhythm stays, and what lies before is not made up for.
        assert_eq!(schedule.due(at(1_130), &state), Some(at(1_180)));
        let overdue = |now| {
            let Overdue { first, latest, before, missed } = schedule.overdue(at(1_120), at(now));
            assert_eq!(first, at(1_120));
            (latest, before, missed)
        };
        assert_eq!(overdue(1_179), (at(1_120), at(1_120), 0));
        assert_eq!(overdue(1_240), (at(1_240), at(1_180), 2));
        let far = schedule.overdue(at(0), at(60 * 1_000_000));
        assert_eq!((far.latest, far.missed), (at(60 * 1_000_000), MISSED_MAX));
    }

    #[test]
    fn after_fires_at_deployment_and_then_waits_for_the_end() {
        let schedule = Schedule::After { ms: 10_000 };
        let mut state = ScheduleState::default();
        assert_eq!(schedule.due(at(100), &state), Some(at(100)));
        state = taken(&state, Step::Claim { occurrence: at(100) });
        assert_eq!(schedule.due(at(100), &state), None, "its run goes on");
        state = taken(&state, Step::End { at: at(500) });
        assert_eq!(schedule.due(at(100), &state), Some(at(510)));
        assert_eq!(schedule.due(at(505), &state), Some(at(505)), "deployed again");
        state = taken(&state, Step::ByHand { occurrence: at(506) });
        assert_eq!(schedule.due(at(100), &state), None);
        state = taken(&state, Step::End { at: at(600) });
        assert_eq!(schedule.due(at(100), &state), Some(at(610)));
    }

    #[test]
    fn nothing_is_due_while_paused_and_nothing_is_made_up_for_afterwards() {
        let by = UserId::parse("ops").unwrap();
        for schedule in [
            Schedule::Every { ms: 60_000 },
            Schedule::Cron { expression: "* * * * *".parse().unwrap(), timezone: Zone::utc() },
        ] {
            let mut state = taken(&ScheduleState::default(), Step::Claim { occurrence: at(60) });
            state = taken(&state, Step::End { at: at(61) });
            state = taken(&state, Step::Pause { by: by.clone(), at: at(90) });
            assert_eq!(schedule.due(at(0), &state), None);
            state = taken(&state, Step::Resume { at: at(1_200) });
            assert_eq!(schedule.due(at(0), &state), Some(at(1_260)), "{schedule}");
        }
    }

    #[test]
    fn a_long_absence_ends_at_the_latest_occurrence() {
        let minutely = Schedule::Cron { expression: "* * * * *".parse().unwrap(), timezone: Zone::utc() };
        let overdue = minutely.overdue(at(60), at(60 * 500_000 + 59));
        assert_eq!((overdue.latest, overdue.before), (at(60 * 500_000), at(60 * 499_999)));
        assert_eq!(overdue.missed, MISSED_MAX);
        let yearly = Schedule::Cron { expression: "0 0 1 1 *".parse().unwrap(), timezone: Zone::utc() };
        let first = at(0).plus_ms(365 * 86_400_000);
        let overdue = yearly.overdue(first, first.plus_ms(3 * 366 * 86_400_000));
        assert_eq!((overdue.missed, overdue.latest.to_string().as_str()), (3, "1974-01-01T00:00:00.000Z"));
    }

    #[test]
    fn a_schedule_is_read_as_it_was_written() {
        let all = [
            Schedule::Cron {
                expression: "*/5 8-18 * JAN,6 MON-FRI".parse().unwrap(),
                timezone: "Europe/Berlin".parse().unwrap(),
            },
            Schedule::Every { ms: 1_500 },
            Schedule::After { ms: 60_000 },
        ];
        for schedule in all {
            let text = serde_json::to_string(&schedule).unwrap();
            assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule, "{text}");
        }
        for bad in [
            r#"{"cron":{"expression":"* * *","timezone":"UTC"}}"#,
            r#"{"cron":{"expression":"* * * * *","timezone":"Mars/Olympus"}}"#,
        ] {
            assert!(serde_json::from_str::<Schedule>(bad).is_err(), "{bad}");
        }
    }
}
