//! Wrong passwords slow down whoever sends them, and an account takes so many of them and no more.
//!
//! Three things are counted. The *pair*: one account, asked from one source, is verified once at a time and after a
//! delay that doubles with each failure. The *source*: one that failed at many accounts waits before each one more, so
//! that a spray is slowed down too. The *account*: after a hundred failures in a row, whatever sources they came from, a
//! right password is answered as a wrong one.
//!
//! A source from which the account was entered before is *known* for it, and has the delays of its pair alone: nobody
//! elsewhere can lock somebody out. It is not known any more after a hundred failures in a row of its own.
//!
//! Tenant and user are the texts that were presented: what is not there is slowed down like what is.
//! Failures are in memory alone and of this node.

mod failures;

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

use self::failures::{Fades, Failures, Pace};
use crate::{Error, fair::Fair, network::Network};

/// Failures in a row that an account takes, of all sources that are not known together, and of each known one.
const IN_A_ROW_MAX: u32 = 100;
/// So long after the last of them it may be entered from anywhere again.
const SHUT: Duration = Duration::from_secs(24 * 3_600);
/// Accounts that a source may fail at before it is slowed down: people behind one address mistype too.
const SOURCE_FREE: u32 = 10;
/// Who would wait longer is answered 503.
const PATIENCE: Duration = Duration::from_secs(15);
/// Requests of one source for one account that may wait at a time, and of one source for all.
const ACCOUNT_MAX: usize = 128;
const SOURCE_MAX: usize = 512;
/// Known sources of accounts, of all tenants, and how long they stay known.
const KNOWN_MAX: usize = 200_000;
const KNOWN: Duration = Duration::from_secs(90 * 24 * 3_600);

/// Of passwords and of codes: the longest delay, and the failures it takes to come to it.
const PASSWORDS: Pace =
    Pace { free: 0, delay_max: Duration::from_secs(5), failures_max: 7, fades: Fades::ONE_A_MINUTE };
const CODES: Pace = Pace { free: 0, delay_max: Duration::from_secs(12), failures_max: 8, fades: Fades::ONE_A_MINUTE };
const SOURCES: Pace = Pace {
    free: SOURCE_FREE,
    delay_max: PASSWORDS.delay_max,
    failures_max: SOURCE_FREE + 7,
    fades: Fades::ONE_A_MINUTE,
};
const ACCOUNTS: Pace =
    Pace { free: u32::MAX, delay_max: Duration::ZERO, failures_max: IN_A_ROW_MAX, fades: Fades::AllAfter(SHUT) };

/// Who guesses, and how often it was wrong.
#[derive(Default)]
pub(crate) struct Guesses {
    keyed: RandomState,
    book: Mutex<Book>,
}

/// What failures are counted of; a digest that strangers cannot foresee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key(u64);

/// An account and a source, for what is counted of them apart from the pair.
#[derive(Debug, Clone, Copy)]
struct Apart {
    tenant: u64,
    account: Key,
    source: Key,
}

struct Book {
    pairs: Failures,
    sources: Failures,
    accounts: Failures,
    /// Accounts that took all they take: apart, so that pushing one out takes as many failures for each other.
    shut: Failures,
    /// By pair: the failures in a row of a source that is known for an account. What a tenant's users know is not pushed
    /// out by another's.
    known: Fair<u64, Key, u32, Instant>,
    lines: HashMap<Key, Line>,
    by_source: HashMap<Network, usize>,
}

struct Line {
    turn: Arc<Semaphore>,
    waiting: usize,
}

impl Default for Book {
    fn default() -> Self {
        Self::of(PASSWORDS)
    }
}

impl Book {
    fn of(pairs: Pace) -> Self {
        Self {
            pairs: Failures::new(pairs),
            sources: Failures::new(SOURCES),
            accounts: Failures::new(ACCOUNTS),
            shut: Failures::new(ACCOUNTS),
            known: Fair::new(KNOWN_MAX),
            lines: HashMap::new(),
            by_source: HashMap::new(),
        }
    }

    /// When this one may be tried, which is then taken; none where that is past `until`.
    fn slot(&mut self, pair: Key, apart: Apart, (now, until): (Instant, Instant)) -> Option<Instant> {
        match self.known.get(&pair, now) {
            Some(_) => Some(now),
            None => self.sources.slot(apart.source, (now, until)),
        }
    }

    fn fail(&mut self, pair: Key, apart: Option<Apart>, now: Instant) {
        let first = self.pairs.times(pair, now) == 0;
        self.pairs.fail(pair, now);
        let Some(apart) = apart else { return };
        if let Some(in_a_row) = self.known.get_mut(&pair, now) {
            *in_a_row += 1;
            if *in_a_row >= IN_A_ROW_MAX {
                self.known.remove(&pair);
            }
            return;
        }
        // A client that goes on with an old password is no spray: each account counts once.
        if first {
            self.sources.fail(apart.source, now);
        }
        if self.shut.times(apart.account, now) > 0 {
            return;
        }
        self.accounts.fail(apart.account, now);
        if self.accounts.times(apart.account, now) >= IN_A_ROW_MAX {
            self.accounts.forget(apart.account);
            self.shut.fail(apart.account, now);
        }
    }

    /// Whether a right one is taken for right.
    fn right(&mut self, pair: Key, apart: Option<Apart>, now: Instant) -> bool {
        if let Some(apart) = apart {
            let known = self.known.get(&pair, now).is_some();
            if !known && self.shut.times(apart.account, now) > 0 {
                self.fail(pair, Some(apart), now);
                return false;
            }
            self.known.insert(apart.tenant, pair, 0, (now, now + KNOWN));
            // Where the account is entered all day, as by a program, strangers would get a hundred more each time.
            if !known {
                self.accounts.forget(apart.account);
            }
        }
        self.pairs.forget(pair);
        true
    }

    /// By something that cannot be guessed.
    fn enter(&mut self, pair: Key, apart: Apart, now: Instant) {
        self.known.insert(apart.tenant, pair, 0, (now, now + KNOWN));
        self.accounts.forget(apart.account);
        self.shut.forget(apart.account);
    }

    fn leave(&mut self, pair: Key, source: Network) {
        if let Some(line) = self.lines.get_mut(&pair) {
            line.waiting -= 1;
            if line.waiting == 0 {
                self.lines.remove(&pair);
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
        Self { book: Mutex::new(Book::of(CODES)), ..Self::default() }
    }

    /// A digest of a text that strangers cannot foresee.
    pub(crate) fn digest(&self, text: &str) -> u64 {
        self.keyed.hash_one(text)
    }

    fn pair(&self, tenant: &str, user: &str, source: Network) -> (Key, Apart) {
        let account = Key(self.keyed.hash_one((tenant, user)));
        let apart = Apart { tenant: self.digest(tenant), account, source: Key(self.keyed.hash_one(source)) };
        (Key(self.keyed.hash_one((tenant, user, source))), apart)
    }

    /// Waits until the account may be tried from this source: those before have been, and the delay of
    /// what they failed is over.
    pub(crate) async fn turn(&self, tenant: &str, user: &str, source: Network) -> Result<Turn<'_>, Error> {
        let (pair, apart) = self.pair(tenant, user, source);
        self.turn_of(pair, Some(apart), source).await
    }

    /// The same for an account that is one whatever the source: for what only they come to guess who
    /// have proved the password, so that no stranger slows anybody down.
    pub(crate) async fn turn_anywhere(&self, tenant: &str, user: &str, source: Network) -> Result<Turn<'_>, Error> {
        self.turn_of(Key(self.keyed.hash_one((tenant, user))), None, source).await
    }

    /// The account was entered from this source by something that cannot be guessed: what was failed before is over.
    pub(crate) fn entered(&self, tenant: &str, user: &str, source: Network) {
        let (pair, apart) = self.pair(tenant, user, source);
        let mut book = self.book();
        book.enter(pair, apart, Instant::now());
        book.pairs.forget(pair);
    }

    async fn turn_of(&self, pair: Key, apart: Option<Apart>, source: Network) -> Result<Turn<'_>, Error> {
        let busy = || Error::Unavailable { what: "password verification".into() };
        let until = Instant::now() + PATIENCE;
        let (place, turn) = self.stand_in_line(pair, source).ok_or_else(busy)?;
        let comes = async {
            let permit = turn.acquire_owned().await.map_err(|_| busy())?;
            let due = self.book().pairs.due(pair);
            if let Some(due) = due {
                tokio::time::sleep_until(due).await;
            }
            if let Some(apart) = apart {
                let slot = self.book().slot(pair, apart, (Instant::now(), until));
                tokio::time::sleep_until(slot.ok_or_else(busy)?).await;
            }
            Ok::<_, Error>(permit)
        };
        let permit = tokio::time::timeout_at(until, comes).await.map_err(|_| busy())??;
        Ok(Turn { place, apart, _permit: permit })
    }

    fn stand_in_line(&self, pair: Key, source: Network) -> Option<(Place<'_>, Arc<Semaphore>)> {
        let mut book = self.book();
        let of_source = book.by_source.get(&source).copied().unwrap_or_default();
        let of_pair = book.lines.get(&pair).map_or(0, |line| line.waiting);
        if of_source >= SOURCE_MAX || of_pair >= ACCOUNT_MAX {
            return None;
        }
        book.by_source.insert(source, of_source + 1);
        let line = book.lines.entry(pair).or_insert_with(|| Line { turn: Arc::new(Semaphore::new(1)), waiting: 0 });
        line.waiting += 1;
        let turn = line.turn.clone();
        drop(book);
        Some((Place { guesses: self, pair, source }, turn))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in line, given back on every path.
struct Place<'g> {
    guesses: &'g Guesses,
    pair: Key,
    source: Network,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.guesses.book().leave(self.pair, self.source);
    }
}

/// One's turn to try an account; the next comes when it is dropped.
pub(crate) struct Turn<'g> {
    place: Place<'g>,
    apart: Option<Apart>,
    _permit: OwnedSemaphorePermit,
}

impl Turn<'_> {
    /// The password was wrong.
    pub(crate) fn failed(self) {
        self.place.guesses.book().fail(self.place.pair, self.apart, Instant::now());
    }

    /// It was right: what went before was a slip. False where the account took all the wrong ones that it takes: then
    /// this is one more.
    pub(crate) fn right(self) -> bool {
        self.place.guesses.book().right(self.place.pair, self.apart, Instant::now())
    }
}

#[cfg(test)]
mod tests;
