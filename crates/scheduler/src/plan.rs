//! What to do about one schedule at a moment: from the deployment, the stored state and the time.

use lockgate_model::{
    Timestamp,
    schedule::{ScheduleState, Stands},
};
use lockgate_runtime::Planned;

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing before that time; without one, nothing before something else happens.
    Wait(Option<Timestamp>),
    /// An occurrence runs, the latest of those that are due.
    Fire {
        /// Which.
        occurrence: Timestamp,
        /// Those before it.
        missed: Option<Skipped>,
    },
    /// The run that was lost with its process is made again.
    Repeat {
        /// Its occurrence.
        occurrence: Timestamp,
    },
    /// Occurrences do not run.
    Skip(Skipped),
    /// The run that was lost is not made again.
    GiveUp(Skipped),
    /// What was done lies far in the future: the clock was wrong then.
    SetBack,
}

/// Occurrences that do not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// `overlap`: the run before goes on. `missed`: nothing fired in time. `lost`: its process ended.
    pub why: &'static str,
    /// The first.
    pub first: Timestamp,
    /// The last; for missed ones, the one that runs after all is not among them.
    pub last: Timestamp,
    /// How many, counted up to 1,000.
    pub count: u32,
}

pub(crate) fn plan(planned: &Planned, state: &ScheduleState, now: Timestamp) -> Deed {
    if state.paused.is_some() {
        return Deed::Wait(None);
    }
    if state.is_ahead_of(now) {
        return Deed::SetBack;
    }
    let last = state.last.as_ref();
    if let Some(lost) = last.filter(|last| last.stands == Stands::Lost) {
        let occurrence = lost.occurrence;
        // What was deployed since is another thing: it begins with its own occurrences.
        return if lost.repeats && occurrence >= planned.deployed_at {
            Deed::Repeat { occurrence }
        } else {
            Deed::GiveUp(Skipped { why: "lost", first: occurrence, last: occurrence, count: 1 })
        };
    }
    let Some(due) = planned.schedule.due(planned.deployed_at, state) else { return Deed::Wait(None) };
    if due > now {
        return Deed::Wait(Some(due));
    }
    let overdue = planned.schedule.overdue(due, now);
    if last.is_some_and(|last| last.stands == Stands::Running) {
        let (first, last, count) = (overdue.first, overdue.latest, overdue.missed.saturating_add(1));
        return Deed::Skip(Skipped { why: "overlap", first, last, count });
    }
    let missed = (overdue.missed > 0).then_some(Skipped {
        why: "missed",
        first: overdue.first,
        last: overdue.before,
        count: overdue.missed,
    });
    Deed::Fire { occurrence: overdue.latest, missed }
}

#[cfg(test)]
mod tests {
    use lockgate_model::schedule::{Last, Schedule, Step};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1_000)
    }
    fn planned(schedule: Schedule) -> Planned {
        Planned {
            tenant: "acme".parse().unwrap(),
            environment: "live".parse().unwrap(),
            name: "order".parse().unwrap(),
            project: "shop".parse().unwrap(),
            schedule,
            deployed_at: at(0),
            runs_as: "robot".parse().unwrap(),
        }
    }
    fn minutely() -> Planned {
        planned(Schedule::Every { ms: 60_000 })
    }
    fn after(steps: &[Step]) -> ScheduleState {
        steps.iter().fold(ScheduleState::default(), |state, step| state.take(step).unwrap())
    }

    #[test]
    fn nothing_before_its_time_and_nothing_while_paused() {
        assert_eq!(plan(&minutely(), &after(&[]), at(59)), Deed::Wait(Some(at(60))));
        let paused = after(&[Step::Pause { by: "ops".parse().unwrap(), at: at(10) }]);
        assert_eq!(plan(&minutely(), &paused, at(600)), Deed::Wait(None));
        let lost = Last { occurrence: at(60), repeats: true, stands: Stands::Lost };
        assert_eq!(plan(&minutely(), &ScheduleState { last: Some(lost), ..paused }, at(600)), Deed::Wait(None));
    }

    #[test]
    fn of_what_was_missed_the_latest_runs() {
        let fire = |occurrence, missed| Deed::Fire { occurrence, missed };
        assert_eq!(plan(&minutely(), &after(&[]), at(60)), fire(at(60), None));
        let missed = Skipped { why: "missed", first: at(60), last: at(180), count: 3 };
        assert_eq!(plan(&minutely(), &after(&[]), at(299)), fire(at(240), Some(missed)));
        let cron =
            planned(Schedule::Cron { expression: "*/10 * * * *".parse().unwrap(), timezone: "UTC".parse().unwrap() });
        let missed = Skipped { why: "missed", first: at(600), last: at(1_200), count: 2 };
        assert_eq!(plan(&cron, &after(&[]), at(1_801)), fire(at(1_800), Some(missed)));
        let delayed = planned(Schedule::After { ms: 60_000 });
        let ran = after(&[Step::Claim { occurrence: at(0) }, Step::End { at: at(5) }]);
        assert_eq!(plan(&delayed, &ran, at(9_999)), fire(at(65), None));
    }

    #[test]
    fn no_two_runs_at_a_time() {
        let running = after(&[Step::Claim { occurrence: at(60) }]);
        assert_eq!(plan(&minutely(), &running, at(119)), Deed::Wait(Some(at(120))));
        let skipped = Skipped { why: "overlap", first: at(120), last: at(120), count: 1 };
        assert_eq!(plan(&minutely(), &running, at(120)), Deed::Skip(skipped));
        let by_hand = after(&[Step::ByHand { occurrence: at(60) }]);
        let skipped = Skipped { why: "overlap", first: at(60), last: at(120), count: 2 };
        assert_eq!(plan(&minutely(), &by_hand, at(121)), Deed::Skip(skipped));
        let delayed = planned(Schedule::After { ms: 1_000 });
        assert_eq!(plan(&delayed, &running, at(9_999)), Deed::Wait(None), "it waits for the end");
    }

    #[test]
    fn a_lost_run_is_made_again_once() {
        let lost = |repeats| ScheduleState {
            through: Some(at(60)),
            last: Some(Last { occurrence: at(60), repeats, stands: Stands::Lost }),
            ..ScheduleState::default()
        };
        let given_up = Deed::GiveUp(Skipped { why: "lost", first: at(60), last: at(60), count: 1 });
        assert_eq!(plan(&minutely(), &lost(true), at(61)), Deed::Repeat { occurrence: at(60) });
        assert_eq!(plan(&minutely(), &lost(false), at(61)), given_up);
        let since = Planned { deployed_at: at(61), ..minutely() };
        assert_eq!(plan(&since, &lost(true), at(62)), given_up, "another version");
    }
}
