//! Wrong passwords slow down whoever sends them: one account, asked from one source, is verified once
//! at a time and after a delay that doubles with each failure. Other sources are not delayed by it, so
//! that nobody can lock somebody else out.
//!
//! Tenant and user are the texts that were presented: what is not there is slowed down like what is.
//! Failures are in memory alone and of this node.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{Error, network::Network};

/// After the first failure; doubled with each one more.
const DELAY_FIRST: Duration = Duration::from_millis(100);
/// One failure is forgotten after so long.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Who would wait longer is answered 503.
const PATIENCE: Duration = Duration::from_secs(15);
/// Requests of one source for one account that may wait at a time, and of one source for all.
const ACCOUNT_MAX: usize = 128;
const SOURCE_MAX: usize = 512;
/// Accounts and sources whose failures are remembered: so many, and as many older ones.
const REMEMBERED_MAX: usize = 10_000;

/// How slow it gets.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The longest delay.
    delay_max: Duration,
    /// Failures that count: as many as it takes to come to it.
    failures_max: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { delay_max: Duration::from_secs(5), failures_max: 7 }
    }
}

/// Who guesses, and how often it was wrong.
#[derive(Default)]
pub(crate) struct Guesses {
    keyed: RandomState,
    book: Mutex<Book>,
}

/// An account as presented, asked from a source; a digest that strangers cannot foresee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Account(u64);

#[derive(Default)]
struct Book {
    pace: Pace,
    lines: HashMap<Account, Line>,
    by_source: HashMap<Network, usize>,
    /// Two generations, so that it is bounded without ever being searched through. Each failure costs
    /// its sender a hash, so that pushing an account out takes longer than waiting for it.
    failed: HashMap<Account, Failed>,
    failed_before: HashMap<Account, Failed>,
}

struct Line {
    turn: Arc<Semaphore>,
    waiting: usize,
}

#[derive(Clone, Copy)]
struct Failed {
    /// 1 to the most that count.
    times: u32,
    last: Instant,
}

impl Book {
    fn failed(&self, account: Account) -> Option<Failed> {
        self.failed.get(&account).or_else(|| self.failed_before.get(&account)).copied()
    }

    /// When the account may be tried next, if it was ever tried in vain.
    fn due(&self, account: Account) -> Option<Instant> {
        let failed = self.failed(account)?;
        let delay = DELAY_FIRST.saturating_mul(1 << (failed.times - 1)).min(self.pace.delay_max);
        Some(failed.last + delay)
    }

    fn fail(&mut self, account: Account, now: Instant) {
        let faded = |failed: Failed| {
            let minutes = now.duration_since(failed.last).as_secs() / FORGOTTEN.as_secs();
            failed.times.saturating_sub(u32::try_from(minutes).unwrap_or(u32::MAX))
        };
        let times = self.failed(account).map_or(0, faded).saturating_add(1).min(self.pace.failures_max);
        if self.failed.len() >= REMEMBERED_MAX && !self.failed.contains_key(&account) {
            self.failed_before = std::mem::take(&mut self.failed);
        }
        self.failed.insert(account, Failed { times, last: now });
    }

    fn forget(&mut self, account: Account) {
        self.failed.remove(&account);
        self.failed_before.remove(&account);
    }

    fn leave(&mut self, account: Account, source: Network) {
        if let Some(line) = self.lines.get_mut(&account) {
            line.waiting -= 1;
            if line.waiting == 0 {
                self.lines.remove(&account);
            }
        }
        if let Some(waiting) = self.by_source.get_mut(&source) {
            *waiting -= 1;
            if *waiting == 0 {
                self.by_source.remove(&source);
            }
        }
    }
}

impl Guesses {
    /// For codes of six digits, of which three are good at a time. Who has the password may try five a minute: even odds
    /// take a month, with each try in the log. A longer delay than callers wait would keep the right code out as well.
    pub(crate) fn of_codes() -> Self {
        let pace = Pace { delay_max: Duration::from_secs(12), failures_max: 8 };
        Self { book: Mutex::new(Book { pace, ..Book::default() }), ..Self::default() }
    }

    /// A digest of a text that strangers cannot foresee.
    pub(crate) fn digest(&self, text: &str) -> u64 {
        self.keyed.hash_one(text)
    }

    /// Waits until the account may be tried from this source: those before have been, and the delay of
    /// what they failed is over.
    pub(crate) async fn turn(&self, tenant: &str, user: &str, source: Network) -> Result<Turn<'_>, Error> {
        self.turn_of(Account(self.keyed.hash_one((tenant, user, source))), source).await
    }

    /// The same for an account that is one whatever the source: for what only they come to guess who
    /// have proved the password, so that no stranger slows anybody down.
    pub(crate) async fn turn_anywhere(&self, tenant: &str, user: &str, source: Network) -> Result<Turn<'_>, Error> {
        self.turn_of(Account(self.keyed.hash_one((tenant, user))), source).await
    }

    async fn turn_of(&self, account: Account, source: Network) -> Result<Turn<'_>, Error> {
        let busy = || Error::Unavailable { what: "password verification".into() };
        let (place, turn) = self.stand_in_line(account, source).ok_or_else(busy)?;
        let comes = async {
            let permit = turn.acquire_owned().await.map_err(|_| busy())?;
            let due = self.book().due(account);
            if let Some(due) = due {
                tokio::time::sleep_until(due).await;
            }
            Ok::<_, Error>(permit)
        };
        let permit = tokio::time::timeout(PATIENCE, comes).await.map_err(|_| busy())??;
        Ok(Turn { place, _permit: permit })
    }

    fn stand_in_line(&self, account: Account, source: Network) -> Option<(Place<'_>, Arc<Semaphore>)> {
        let mut book = self.book();
        let of_source = book.by_source.get(&source).copied().unwrap_or_default();
        let of_account = book.lines.get(&account).map_or(0, |line| line.waiting);
        if of_source >= SOURCE_MAX || of_account >= ACCOUNT_MAX {
            return None;
        }
        book.by_source.insert(source, of_source + 1);
        let line = book.lines.entry(account).or_insert_with(|| Line { turn: Arc::new(Semaphore::new(1)), waiting: 0 });
        line.waiting += 1;
        let turn = line.turn.clone();
        drop(book);
        Some((Place { guesses: self, account, source }, turn))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in line, given back on every path.
struct Place<'g> {
    guesses: &'g Guesses,
    account: Account,
    source: Network,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.guesses.book().leave(self.account, self.source);
    }
}

/// One's turn to try an account; the next comes when it is dropped.
pub(crate) struct Turn<'g> {
    place: Place<'g>,
    _permit: OwnedSemaphorePermit,
}

impl Turn<'_> {
    /// The password was wrong.
    pub(crate) fn failed(self) {
        self.place.guesses.book().fail(self.place.account, Instant::now());
    }

    /// It was right: what went before was a slip.
    pub(crate) fn right(self) {
        self.place.guesses.book().forget(self.place.account);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn at(address: &str) -> Network {
        Network::of_text(address)
    }

    #[test]
    fn each_wrong_guess_makes_the_next_wait_longer_and_it_fades() {
        let (mut book, account, mut now) = (Book::default(), Account(1), Instant::now());
        assert_eq!(book.due(account), None);
        let mut waits = Vec::new();
        for _ in 0..9 {
            book.fail(account, now);
            let due = book.due(account).unwrap();
            waits.push((due - now).as_millis());
            now = due;
        }
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
        assert_eq!(book.due(Account(2)), None, "another account is not slowed down");
        now += FORGOTTEN * 4;
        assert!(book.due(account).unwrap() < now);
        book.fail(account, now);
        assert_eq!((book.due(account).unwrap() - now).as_millis(), 800, "four of seven are forgotten");
        book.forget(account);
        assert_eq!(book.due(account), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.fail(Account(0), now);
        for account in 1..50_000 {
            book.fail(Account(account), now);
            assert!(book.failed.len() + book.failed_before.len() <= 2 * REMEMBERED_MAX);
            // Who goes on is not pushed out.
            if account % 1_000 == 0 {
                book.fail(Account(0), now);
            }
        }
        assert_eq!(book.failed(Account(0)).unwrap().times, book.pace.failures_max);
    }

    #[tokio::test]
    async fn guesses_side_by_side_wait_for_each_other_and_other_sources_do_not() {
        let guesses = Guesses::default();
        let began = Instant::now();
        let fails = async |source| guesses.turn("acme", "ada", at(source)).await.unwrap().failed();
        futures_util::future::join_all((0..4).map(|_| fails("192.0.2.1"))).await;
        assert!(began.elapsed() >= Duration::from_millis(100 + 200 + 400), "{:?}", began.elapsed());
        let now = Instant::now();
        for source in ["192.0.2.2", "2001:db8::1"] {
            fails(source).await;
        }
        guesses.turn("acme", "bob", at("192.0.2.1")).await.unwrap().right();
        assert!(now.elapsed() < Duration::from_millis(800), "{:?}", now.elapsed());
        assert!(guesses.book().lines.is_empty() && guesses.book().by_source.is_empty(), "places are given back");
    }

    #[tokio::test]
    async fn a_line_has_an_end() {
        let guesses = Guesses::default();
        let eve = |source| Box::pin(guesses.turn("acme", "eve", at(source)));
        let turn = eve("192.0.2.1").await.unwrap();
        let mut waiting: Vec<_> = (1..ACCOUNT_MAX).map(|_| eve("192.0.2.1")).collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        assert!(eve("192.0.2.1").await.is_err(), "one more is told to come again");
        assert!(eve("192.0.2.2").await.is_ok(), "another source is not");
        drop((turn, waiting));
        assert!(guesses.book().lines.is_empty());
    }
}
