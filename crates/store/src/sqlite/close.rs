//! A run that could not be closed is closed when the store can write again: nobody waits for it, and
//! until then its record says that it runs.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::{
    Files,
    runs::{EndOf, Job, Place},
    writer::Pending,
};
use crate::Error;

/// Pauses before it is tried again: the first, and the longest.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);

/// Waits until the end is durable; tries again as long as the store is open and may come to take it.
pub(super) async fn watch(files: Weak<Files>, mut pending: Pending<Place>, end: EndOf) {
    let run = end.run;
    let mut pause = AGAIN_MIN;
    loop {
        let error = match pending.durable().await {
            Ok(_) if pause > AGAIN_MIN => return tracing::info!(%run, "the run is closed in the store now"),
            Ok(_) => return,
            Err(error) => error,
        };
        if !error.is_transient() {
            return tracing::error!(%error, %run, "a run could not be closed in the store");
        }
        if pause == AGAIN_MIN {
            tracing::error!(%error, %run, "a run could not be closed in the store; it is tried again");
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(AGAIN_MAX);
        pending = match queue(files.upgrade(), &end).await {
            Ok(pending) => pending,
            // The store was closed: the next start finds the run lost.
            Err(_) => return,
        };
    }
}

async fn queue(files: Option<Arc<Files>>, end: &EndOf) -> Result<Pending<Place>, Error> {
    files.ok_or(Error::Closed)?.runs.queue(Job::Close(Box::new(end.clone()))).await
}
