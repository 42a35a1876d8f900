//! Places of an account: how many of its calls are at work at once, such that no two of them ever
//! wait for each other.
//!
//! A call whose answer streams keeps its place until the next call has read it, and that one waits
//! for a place too, often at the same account. Were all places taken by such calls, each would wait
//! for the others for ever, at one account or at two in a circle. So one place is kept free of them:
//! it goes round among calls that end by themselves. Where calls may take a stream and give one on,
//! a second place is kept free of those that begin a chain, and goes round among those that take.
//!
//! Deliberately absent: room for chains in which a stream passes two calls or more on its way. They
//! work, but many of them at once may wait for each other until their deadline.

use std::{sync::Arc, time::Instant};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{Call, Spec};

/// What a call is to the streams between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its answer streams: it ends when the next call has read it.
    Begins,
    /// The same, and it takes a stream itself.
    PassesOn,
    /// No call has to come after it: it ends by itself.
    Ends,
}

impl Part {
    /// The part of a call.
    pub fn of(call: &Call) -> Self {
        match (call.stream, call.body.is_some()) {
            (true, false) => Self::Begins,
            (true, true) => Self::PassesOn,
            (false, _) => Self::Ends,
        }
    }
}

/// The places of one account.
#[derive(Debug)]
pub struct Places {
    /// All; without one; and without two, where there are calls that pass a stream on.
    circles: Vec<Arc<Semaphore>>,
}

/// A call's place, until it is dropped. One whose answer streams holds it until the stream ends.
#[derive(Debug)]
pub struct Place {
    _held: Vec<OwnedSemaphorePermit>,
}

impl Places {
    /// So many places, at least [`Places::least`].
    pub fn new(spec: &Spec, total: usize) -> Self {
        let circles = 0..Self::least(spec);
        // A smaller total is a chain that waits, not one that can never begin.
        Self { circles: circles.map(|kept| Arc::new(Semaphore::new(total.saturating_sub(kept).max(1)))).collect() }
    }

    /// The fewest with which every call of a connector can be at work beside those it waits for.
    pub fn least(spec: &Spec) -> usize {
        if spec.operations.iter().any(|o| o.takes.is_some() && o.gives.is_some()) { 3 } else { 2 }
    }

    /// A place, or none when the deadline passed.
    pub async fn take(&self, part: Part, deadline: Instant) -> Option<Place> {
        let circles = match part {
            Part::Begins => self.circles.len(),
            Part::PassesOn => 2,
            Part::Ends => 1,
        };
        let taking = async {
            let mut held = Vec::with_capacity(circles);
            // The smallest circle first: who waits in it must hold nothing that others need.
            for circle in self.circles.iter().take(circles).rev() {
                held.push(Arc::clone(circle).acquire_owned().await.ok()?);
            }
            Some(Place { _held: held })
        };
        time::timeout_at(deadline.into(), taking).await.ok()?
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, sync::atomic::Ordering::SeqCst, time::Duration};

    use futures_util::future::join_all;
    use lockgate_model::manifest::StreamContent;

    use super::*;
    use crate::{AddressForm, Operation, Scheme};

    const fn operation(takes: Option<&'static str>) -> Operation {
        let gives = Some(StreamContent::Bytes);
        Operation {
            name: "o",
            version: "1.0.0",
            idempotent: true,
            keyed: false,
            help: "",
            constant: &[],
            input: "{}",
            output: "{}",
            takes,
            gives,
        }
    }

    const fn spec(operations: &'static [Operation]) -> Spec {
        let address = AddressForm { scheme: Scheme { name: "s", port: 1 }, path: false, example: "s://h" };
        Spec { name: "s", help: "", about: "", address, identities: &[], fields: &[], operations }
    }

    const PLAIN: Spec = spec(&[operation(None)]);
    const PASSING: Spec = spec(&[operation(None), operation(Some("body"))]);

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    /// A chain of calls: each keeps its place until all after it have ended.
    async fn chain(calls: &[(&Places, Part)]) {
        let mut held = Vec::new();
        for (places, part) in calls {
            held.push(places.take(*part, soon()).await.expect("no call waits for ever"));
            time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn many_copies_at_few_places_all_end() {
        for total in [2, 3, 8] {
            let (a, b) = (&Places::new(&PLAIN, total), &Places::new(&PLAIN, 2));
            let within = (0..100).map(|_| vec![(a, Part::Begins), (a, Part::Ends)]);
            let across = (0..100).map(|_| vec![(a, Part::Begins), (b, Part::Ends)]);
            let back = (0..100).map(|_| vec![(b, Part::Begins), (a, Part::Ends)]);
            let chains: Vec<_> = within.chain(across).chain(back).collect();
            join_all(chains.iter().map(|calls| chain(calls))).await;
        }
    }

    #[tokio::test]
    async fn streams_that_are_passed_on_all_end() {
        for total in [3, 4, 8] {
            let (a, b) = (&Places::new(&PASSING, total), &Places::new(&PASSING, 3));
            let plain = &Places::new(&PLAIN, 2);
            let chains: Vec<_> = [[a, a, a], [a, b, a], [b, a, b], [plain, a, plain], [plain, b, a], [a, b, plain]]
                .into_iter()
                .flat_map(|[x, y, z]| vec![vec![(x, Part::Begins), (y, Part::PassesOn), (z, Part::Ends)]; 50])
                .chain(vec![vec![(a, Part::Begins), (b, Part::Ends)]; 50])
                .collect();
            join_all(chains.iter().map(|calls| chain(calls))).await;
        }
    }

    #[tokio::test]
    async fn places_bound_what_is_at_work_and_come_back() {
        let places = Places::new(&PLAIN, 3);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let one = |n: usize| {
            let (places, now, most) = (&places, &now, &most);
            async move {
                let part = if n.is_multiple_of(2) { Part::Begins } else { Part::Ends };
                let _place = places.take(part, soon()).await.unwrap();
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                time::sleep(Duration::from_millis(1)).await;
                now.fetch_sub(1, SeqCst);
            }
        };
        join_all((0..60).map(one)).await;
        assert_eq!(most.into_inner(), 3);
        // Streams leave one place, and all take one whose deadline passes.
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(places.take(Part::Begins, soon()).await.unwrap());
        }
        let shortly = || Instant::now() + Duration::from_millis(20);
        assert!(places.take(Part::Begins, shortly()).await.is_none());
        held.push(places.take(Part::Ends, shortly()).await.unwrap());
        assert!(places.take(Part::Ends, shortly()).await.is_none());
        held.clear();
        assert!(places.take(Part::Begins, shortly()).await.is_some());
    }
}
