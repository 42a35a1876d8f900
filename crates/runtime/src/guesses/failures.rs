//! Failures, counted by what failed, in two generations: bounded without ever being searched through. Each failure costs
//! its sender a hash, so that pushing one out takes longer than waiting for a delay; what is counted for a day can be
//! pushed out by who pays for that many.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::Key;

/// After the first failure that is not free; doubled with each one more.
const DELAY_FIRST: Duration = Duration::from_millis(100);
/// Counted at a time: so many, and as many older ones.
const COUNTED_MAX: usize = 100_000;

/// How slow it gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Failures without a delay.
    pub free: u32,
    /// The longest delay.
    pub delay_max: Duration,
    /// Failures that count.
    pub failures_max: u32,
    /// How they are forgotten.
    pub fades: Fades,
}

/// How failures are forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fades {
    /// One of them each time that so long has gone by without another.
    OneEach(Duration),
    /// All of them so long after the last.
    AllAfter(Duration),
}

impl Fades {
    pub(super) const ONE_A_MINUTE: Self = Self::OneEach(Duration::from_secs(60));
}

#[derive(Clone, Copy)]
struct Failed {
    /// 1 to the most that count.
    times: u32,
    last: Instant,
    /// The last slot that was given.
    slot: Instant,
}

pub(super) struct Failures {
    pace: Pace,
    failed: HashMap<Key, Failed>,
    failed_before: HashMap<Key, Failed>,
}

impl Failures {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, failed: HashMap::new(), failed_before: HashMap::new() }
    }

    fn failed(&self, key: Key) -> Option<Failed> {
        self.failed.get(&key).or_else(|| self.failed_before.get(&key)).copied()
    }

    fn put(&mut self, key: Key, failed: Failed) {
        if self.failed.len() >= COUNTED_MAX && !self.failed.contains_key(&key) {
            self.failed_before = std::mem::take(&mut self.failed);
        }
        self.failed.insert(key, failed);
    }

    fn delay(&self, failed: Failed) -> Duration {
        let doubled = failed.times.checked_sub(self.pace.free + 1);
        doubled.map_or(Duration::ZERO, |times| DELAY_FIRST.saturating_mul(1 << times.min(30)).min(self.pace.delay_max))
    }

    /// How often it failed that is not forgotten.
    pub(super) fn times(&self, key: Key, now: Instant) -> u32 {
        let Some(failed) = self.failed(key) else { return 0 };
        let gone = now.saturating_duration_since(failed.last);
        match self.pace.fades {
            Fades::OneEach(each) => {
                let forgotten = gone.as_secs() / each.as_secs().max(1);
                failed.times.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
            }
            Fades::AllAfter(long) if gone >= long => 0,
            Fades::AllAfter(_) => failed.times,
        }
    }

    /// When it may be tried next, if it was ever tried in vain.
    pub(super) fn due(&self, key: Key) -> Option<Instant> {
        self.failed(key).map(|failed| failed.last + self.delay(failed))
    }

    /// A time to try it, a delay after the one before, which is taken by that; none where it is past `until`.
    pub(super) fn slot(&mut self, key: Key, (now, until): (Instant, Instant)) -> Option<Instant> {
        let Some(mut failed) = self.failed(key) else { return Some(now) };
        failed.times = self.times(key, now);
        let delay = self.delay(failed);
        if delay.is_zero() {
            return Some(now);
        }
        let slot = now.max(failed.last.max(failed.slot) + delay);
        if slot > until {
            return None;
        }
        if let Some(stored) = self.failed.get_mut(&key).or_else(|| self.failed_before.get_mut(&key)) {
            stored.slot = slot;
        }
        Some(slot)
    }

    pub(super) fn fail(&mut self, key: Key, now: Instant) {
        let times = self.times(key, now).saturating_add(1).min(self.pace.failures_max);
        let slot = self.failed(key).map_or(now, |failed| failed.slot);
        self.put(key, Failed { times, last: now, slot });
    }

    pub(super) fn forget(&mut self, key: Key) {
        self.failed.remove(&key);
        self.failed_before.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { free: 0, delay_max: Duration::from_secs(5), failures_max: 7, fades: Fades::ONE_A_MINUTE };

    #[test]
    fn each_wrong_guess_makes_the_next_wait_longer_and_it_fades() {
        let (mut all, key, mut now) = (Failures::new(PACE), Key(1), Instant::now());
        assert_eq!(all.due(key), None);
        let mut waits = Vec::new();
        for _ in 0..9 {
            all.fail(key, now);
            let due = all.due(key).unwrap();
            waits.push((due - now).as_millis());
            now = due;
        }
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
        assert_eq!(all.due(Key(2)), None, "another is not slowed down");
        now += Duration::from_secs(240);
        assert!(all.due(key).unwrap() < now);
        all.fail(key, now);
        assert_eq!((all.due(key).unwrap() - now).as_millis(), 800, "four of seven are forgotten");
        all.forget(key);
        assert_eq!(all.due(key), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut all, now) = (Failures::new(PACE), Instant::now());
        all.fail(Key(0), now);
        for key in 1..5 * COUNTED_MAX as u64 {
            all.fail(Key(key), now);
            assert!(all.failed.len() + all.failed_before.len() <= 2 * COUNTED_MAX);
            // Who goes on is not pushed out.
            if key % 10_000 == 0 {
                all.fail(Key(0), now);
            }
        }
        assert_eq!(all.times(Key(0), now), PACE.failures_max);
    }

    #[test]
    fn slots_follow_each_other_and_nobody_waits_past_the_end() {
        let (mut all, key, now) = (Failures::new(Pace { free: 2, ..PACE }), Key(1), Instant::now());
        let slot = |all: &mut Failures| {
            all.slot(key, (now, now + Duration::from_millis(350))).map(|slot| (slot - now).as_millis())
        };
        for _ in 0..2 {
            all.fail(key, now);
            assert_eq!(slot(&mut all), Some(0), "two are free");
        }
        all.fail(key, now);
        assert_eq!([(); 4].map(|()| slot(&mut all)), [Some(100), Some(200), Some(300), None]);
    }
}
