//! Attempts by which nobody was established, in the audit log: one entry for many of one source, when the first comes,
//! and one for the rest when their time is over, with how many there were and at how many users.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lockgate_model::{
    Channel, Timestamp,
    audit::{Entry, Outcome},
    id::{TenantId, UserId},
};

use crate::{Runtime, network::Network};

/// Sources whose attempts are counted one by one at a time; those that come on top are `other`, all
/// in one.
const SOURCES_MAX: usize = 1_000;
/// Different users that are counted of one source at a time.
const USERS_MAX: usize = 1_000;
/// One entry tells of all attempts of a source in this time.
const ATTEMPTS_MS: i64 = 10_000;

/// Failed attempts since their last audit entry.
#[derive(Default)]
pub(crate) struct Attempts {
    keyed: RandomState,
    counted: Mutex<Counted>,
}

/// What was attempted, and by which way in.
pub(crate) type Attempted = (Channel, &'static str);

/// Whose attempts are counted as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counting {
    tenant: TenantId,
    attempted: Attempted,
    /// A source and, where the password was right, a user. `None`: all other sources.
    of: Option<(Network, Option<UserId>)>,
}

#[derive(Default)]
struct Counted {
    windows: HashMap<Counting, Window>,
    /// When it was last looked through for what is over.
    cleared: Option<Timestamp>,
}

/// What was not told yet since the last entry.
struct Window {
    since: Timestamp,
    attempts: u64,
    users: HashSet<u64>,
    why: Option<&'static str>,
}

/// What there is to tell: of whom, how many attempts, and at how many different users.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    source: String,
    attempts: u64,
    users: usize,
}

impl Window {
    fn is_over(&self, now: Timestamp) -> bool {
        self.since.plus_ms(ATTEMPTS_MS) <= now
    }

    fn told(&mut self, of: &Counting, now: Timestamp) -> Told {
        self.since = now;
        let source = of.of.as_ref().map_or_else(|| "other".to_owned(), |(source, _)| source.to_string());
        Told { source, attempts: std::mem::take(&mut self.attempts), users: std::mem::take(&mut self.users).len() }
    }
}

impl Told {
    fn entry(
        self,
        (channel, event): Attempted,
        who: &str,
        proved: Option<(&UserId, &'static str)>,
        now: Timestamp,
    ) -> Entry {
        let mut entry = Entry::new(now, event, Outcome::Failed, who);
        entry.channel = Some(channel);
        entry.source = self.source;
        entry.detail.insert("attempts".to_owned(), self.attempts.to_string());
        if self.users > 0 {
            entry.detail.insert("users".to_owned(), self.users.to_string());
        }
        if let Some((user, why)) = proved {
            entry.object = format!("user/{user}");
            entry.detail.insert("step".to_owned(), why.to_owned());
        }
        entry
    }
}

impl Attempts {
    /// Counts one at a user as presented; what to tell of, when it is time for an entry.
    fn note(&self, mut of: Counting, user: &str, why: Option<&'static str>, now: Timestamp) -> Option<Told> {
        let mut counted = self.counted();
        if counted.windows.len() >= SOURCES_MAX && !counted.windows.contains_key(&of) {
            if counted.cleared.is_none_or(|last| last.plus_ms(ATTEMPTS_MS) <= now) {
                counted.windows.retain(|_, window| window.attempts > 0 || !window.is_over(now));
                counted.cleared = Some(now);
            }
            if counted.windows.len() >= SOURCES_MAX {
                of.of = None;
            }
        }
        let first = || Window { since: Timestamp(i64::MIN), attempts: 0, users: HashSet::new(), why: None };
        let window = counted.windows.entry(of.clone()).or_insert_with(first);
        window.attempts += 1;
        window.why = why;
        if !user.is_empty() && window.users.len() < USERS_MAX {
            window.users.insert(self.keyed.hash_one(user));
        }
        window.is_over(now).then(|| window.told(&of, now))
    }

    /// What was not told yet of those whose time is over, or of `all`; of who has nothing more the time ends.
    fn rest(&self, now: Timestamp, all: bool) -> Vec<(Counting, Option<&'static str>, Told)> {
        let mut counted = self.counted();
        counted.windows.retain(|_, window| window.attempts > 0 || !window.is_over(now));
        let over = counted.windows.iter_mut().filter(|(_, window)| window.attempts > 0 && (all || window.is_over(now)));
        over.map(|(of, window)| (of.clone(), window.why, window.told(of, now))).collect()
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime {
    /// Tells of an attempt at a user as presented, by which nobody was established; `who` is named.
    pub(crate) async fn note_attempt(
        &self,
        tenant: &str,
        source: &str,
        attempted: Attempted,
        (who, user): (&str, &str),
    ) {
        self.note_all(tenant, source, attempted, (who, user, None)).await;
    }

    /// Tells of an attempt by who had the right password of this user and lacked what `why` says; counted by user.
    pub(crate) async fn note_proved(
        &self,
        tenant: &TenantId,
        source: &str,
        event: &'static str,
        user: &UserId,
        why: &'static str,
    ) {
        let who = (user.as_str(), user.as_str(), Some((user, why)));
        self.note_all(tenant.as_str(), source, (Channel::Admin, event), who).await;
    }

    async fn note_all(
        &self,
        tenant: &str,
        source: &str,
        attempted: Attempted,
        (who, user, proved): (&str, &str, Option<(&UserId, &'static str)>),
    ) {
        self.0.telemetry.metrics.login_failed(attempted.1);
        let Some(tenant) = TenantId::parse(tenant).ok().filter(|tenant| self.0.views.get(tenant).is_some()) else {
            return;
        };
        let now = self.now();
        let of = Some((Network::of_text(source), proved.map(|(user, _)| user.clone())));
        let of = Counting { tenant, attempted, of };
        let tenant = of.tenant.clone();
        let Some(told) = self.0.attempts.note(of, user, proved.map(|(_, why)| why), now) else { return };
        self.tell(&tenant, told.entry(attempted, who, proved, now)).await;
    }

    /// Tells what is left of attempts whose time is over, over and over, and all that is left at `stop`.
    pub async fn keep_attempts_told(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return self.tell_attempts(true).await,
                () = tokio::time::sleep(Duration::from_millis(ATTEMPTS_MS.unsigned_abs())) => {}
            }
            self.tell_attempts(false).await;
        }
    }

    /// Tells what is left of attempts whose time is over, or of `all`.
    pub async fn tell_attempts(&self, all: bool) {
        let now = self.now();
        for (Counting { tenant, attempted, of }, why, told) in self.0.attempts.rest(now, all) {
            let user = of.and_then(|(_, user)| user);
            let who = user.as_ref().map_or("-", UserId::as_str);
            self.tell(&tenant, told.entry(attempted, who, user.as_ref().zip(why), now)).await;
        }
    }

    /// Not awaited until it is on the disk: who guesses passwords does not wait for that, nor learns of the tenant by it.
    async fn tell(&self, tenant: &TenantId, entry: Entry) {
        if let Err(error) = self.0.store.append(tenant, entry).await {
            tracing::error!(%error, "a failed authentication could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str, attempts: u64, users: usize) -> Option<Told> {
        Some(Told { source: source.to_owned(), attempts, users })
    }

    fn of(source: Network, user: Option<&str>) -> Counting {
        let tenant = TenantId::parse("t").unwrap();
        let of = Some((source, user.map(|user| UserId::parse(user).unwrap())));
        Counting { tenant, attempted: (Channel::Admin, "login"), of }
    }

    #[test]
    fn a_flood_of_attempts_is_one_entry_that_counts_them() {
        let attempts = Attempts::default();
        let note = |source, user: i64, ms| {
            attempts.note(of(Network::of_text(source), None), &user.to_string(), None, Timestamp::from_ms(ms))
        };
        assert_eq!(note("192.0.2.1", 0, 0), told("192.0.2.1", 1, 1));
        assert!((1..1_000).all(|ms| note("192.0.2.1", ms % 7, ms).is_none()));
        assert_eq!(note("192.0.2.2", 0, 5), told("192.0.2.2", 1, 1), "another source");
        assert_eq!(note("192.0.2.1", 8, 10_000), told("192.0.2.1", 1_000, 8));
    }

    #[test]
    fn what_is_left_is_told_when_the_time_is_over_and_nobody_comes_again() {
        let attempts = Attempts::default();
        let at = Timestamp::from_ms;
        let note = |user, ms| attempts.note(of(Network::of_text("192.0.2.1"), None), user, None, at(ms));
        let rest = |ms, all| attempts.rest(at(ms), all).into_iter().map(|(_, _, told)| told).collect::<Vec<_>>();
        assert_eq!(note("ada", 0), told("192.0.2.1", 1, 1));
        assert!((0..500).all(|n| note(["ada", "ben", ""][n % 3], 1).is_none()));
        assert_eq!(rest(9_999, false), [], "not yet");
        assert_eq!(rest(10_000, false), [told("192.0.2.1", 500, 2).unwrap()]);
        assert_eq!(note("ada", 10_001), None, "it goes on as one");
        assert_eq!(rest(10_002, false), []);
        assert_eq!(rest(10_002, true), [told("192.0.2.1", 1, 1).unwrap()], "at a stop");
        assert_eq!((rest(20_002, false), attempts.counted().windows.len()), (vec![], 0));
    }

    #[test]
    fn many_addresses_make_few_entries() {
        let attempts = Attempts::default();
        let note = |source: Network, ms| attempts.note(of(source, None), "", None, Timestamp::from_ms(ms));
        let v6 = |network: u128, host: u128| {
            Network::of(std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (network << 64) | host).into())
        };
        let one_subscriber = (0..10_000).filter_map(|host| note(v6(7, host), 0)).collect::<Vec<_>>();
        assert_eq!(one_subscriber, [told("2001:db8:0:7::/64", 1, 0).unwrap()]);
        let entries: Vec<Told> = (0..50_000).filter_map(|network| note(v6(network, 1), 0)).collect();
        assert_eq!(entries.len(), SOURCES_MAX, "one each, and one for all others");
        assert_eq!(entries.last(), told("other", 1, 0).as_ref());
        assert!(attempts.counted().windows.len() <= SOURCES_MAX + 1);
        // Attempts of who has a right password are counted by user: another's do not hide them.
        let proved = |user, ms| {
            let of = of(Network::of_text("192.0.2.1"), Some(user));
            attempts.note(of, user, Some("wrong"), Timestamp::from_ms(ms))
        };
        assert_eq!(proved("ada", 20_000), told("192.0.2.1", 1, 1));
        assert_eq!(proved("ben", 20_000), told("192.0.2.1", 1, 1));
        assert_eq!(proved("ada", 20_001), None);
        // What is over makes room.
        assert_eq!(note(v6(60_000, 1), 20_000), told("2001:db8:0:ea60::/64", 1, 0));
    }
}
