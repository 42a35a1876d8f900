//! Connections of an account that are kept for its next call, and closed when none comes: after a
//! while of idleness, or with the account.
//!
//! Deliberately absent: opening connections and asking whether one still works. That differs by
//! protocol, and connectors do it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    task::AbortHandle,
    time::{self, Instant},
};

/// The kept connections of one account, the one used last at the end.
pub struct Kept<T: Send + 'static>(Arc<Shared<T>>);

struct Shared<T: Send + 'static> {
    most: usize,
    idle_max: Duration,
    close: fn(T),
    kept: Mutex<Inner<T>>,
}

struct Inner<T> {
    idle: Vec<Idle<T>>,
    /// Closes what stays idle; it ends when nothing is.
    reaper: Option<AbortHandle>,
}

struct Idle<T> {
    connection: T,
    since: Instant,
}

impl<T: Send + 'static> Kept<T> {
    /// Keeps at most so many, each idle for no longer than that; `close` ends a connection, within a
    /// runtime mostly, and does not wait for it.
    pub fn new(most: usize, idle_max: Duration, close: fn(T)) -> Self {
        let kept = Mutex::new(Inner { idle: Vec::new(), reaper: None });
        Self(Arc::new(Shared { most, idle_max, close, kept }))
    }

    /// Keeps a connection; one too many is closed instead.
    pub fn keep(&self, connection: T) {
        let mut kept = self.0.locked();
        if kept.idle.len() >= self.0.most {
            drop(kept);
            return (self.0.close)(connection);
        }
        kept.idle.push(Idle { connection, since: Instant::now() });
        if kept.reaper.as_ref().is_none_or(AbortHandle::is_finished) {
            kept.reaper = Some(tokio::spawn(reap(Arc::downgrade(&self.0), self.0.idle_max)).abort_handle());
        }
    }

    /// The connection used last that is fit for a call, and how long it was idle; it is kept no more.
    /// Those that are not fit are closed.
    pub fn take(&self, mut is_fit: impl FnMut(&mut T) -> bool) -> Option<(T, Duration)> {
        loop {
            let Idle { mut connection, since } = self.0.locked().idle.pop()?;
            let idle = since.elapsed();
            if idle < self.0.idle_max && is_fit(&mut connection) {
                return Some((connection, idle));
            }
            (self.0.close)(connection);
        }
    }

    /// As [`Kept::take`], of a connection that serves many calls at once: it stays and is not idle.
    pub fn share(&self, mut is_fit: impl FnMut(&mut T) -> bool) -> Option<T>
    where
        T: Clone,
    {
        loop {
            let mut kept = self.0.locked();
            let last = kept.idle.last_mut()?;
            if last.since.elapsed() < self.0.idle_max && is_fit(&mut last.connection) {
                last.since = Instant::now();
                return Some(last.connection.clone());
            }
            let unfit = kept.idle.pop();
            drop(kept);
            unfit.into_iter().for_each(|unfit| (self.0.close)(unfit.connection));
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    fn locked(&self) -> MutexGuard<'_, Inner<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what was idle for too long; gives when the next one will have been, or none.
    fn close_old(&self) -> Option<Instant> {
        let mut kept = self.locked();
        let old: Vec<_> = kept.idle.extract_if(.., |idle| idle.since.elapsed() >= self.idle_max).collect();
        let next = kept.idle.iter().map(|idle| idle.since + self.idle_max).min();
        if next.is_none() {
            kept.reaper = None;
        }
        drop(kept);
        old.into_iter().for_each(|old| (self.close)(old.connection));
        next
    }
}

async fn reap<T: Send + 'static>(shared: Weak<Shared<T>>, first: Duration) {
    let mut next = Instant::now() + first;
    loop {
        time::sleep_until(next).await;
        let Some(soonest) = shared.upgrade().and_then(|shared| shared.close_old()) else { return };
        next = soonest;
    }
}

impl<T: Send + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        kept.reaper.take().into_iter().for_each(|reaper| reaper.abort());
        kept.idle.drain(..).for_each(|idle| (self.close)(idle.connection));
    }
}

impl<T: Send + 'static> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("idle", &self.0.locked().idle.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Open as long as somebody has it.
    type Connection = Arc<()>;

    async fn closed(connection: &Weak<()>) {
        let begun = Instant::now();
        while connection.strong_count() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "it stays open");
            time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_stays_idle_is_closed_though_no_call_comes() {
        let kept = Kept::new(8, Duration::from_millis(30), drop::<Connection>);
        for _ in 0..2 {
            let connections = [(); 3].map(|()| Connection::default());
            let weak = connections.each_ref().map(Arc::downgrade);
            connections.into_iter().for_each(|connection| kept.keep(connection));
            for connection in &weak {
                closed(connection).await;
            }
            assert_eq!(kept.take(|_| true), None);
        }
    }

    #[tokio::test]
    async fn an_account_that_goes_closes_what_it_keeps_at_once() {
        let kept = Kept::new(8, Duration::from_secs(600), drop::<Connection>);
        let connection = Connection::default();
        let weak = Arc::downgrade(&connection);
        kept.keep(connection);
        let reaper = kept.0.locked().reaper.clone().unwrap();
        drop(kept);
        assert_eq!(weak.strong_count(), 0);
        while !reaper.is_finished() {
            time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn the_one_used_last_that_is_fit_is_taken() {
        let kept = Kept::new(3, Duration::from_secs(600), drop::<(u32, Connection)>);
        let connections = [0, 1, 2, 3].map(|n| (n, Connection::default()));
        let weak = connections.each_ref().map(|(_, connection)| Arc::downgrade(connection));
        connections.into_iter().for_each(|connection| kept.keep(connection));
        assert_eq!(weak[3].strong_count(), 0, "one too many");
        assert_eq!(kept.share(|(n, _)| *n != 2).unwrap().0, 1);
        assert_eq!(weak[2].strong_count(), 0, "not fit");
        assert_eq!(kept.take(|_| true).unwrap().0.0, 1);
        assert_eq!(kept.take(|_| true).unwrap().0.0, 0);
        assert!(kept.take(|_| true).is_none() && kept.share(|_| true).is_none());
    }

    #[tokio::test]
    async fn one_that_is_shared_is_not_idle() {
        let kept = Kept::new(1, Duration::from_millis(400), drop::<Connection>);
        kept.keep(Connection::default());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(900) {
            assert!(kept.share(|_| true).is_some(), "closed after {:?}", begun.elapsed());
            time::sleep(Duration::from_millis(10)).await;
        }
        let weak = Arc::downgrade(&kept.share(|_| true).unwrap());
        closed(&weak).await;
    }
}
