//! A run that could not be closed is closed when the store can write again: nobody waits for it, and
//! until then its record says that it runs.

use std::{sync::Weak, time::Duration};

use super::{
    Files,
    runs::{EndOf, Job},
};
use crate::Error;

/// Pauses before it is tried again: the first, and the longest.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);

/// Tries again to write the end until it is durable, as long as the store is open and may come to take it.
pub(super) async fn again(files: Weak<Files>, end: Box<EndOf>, first: Error) {
    let (run, mut failed, mut pause) = (end.run, Err(first), AGAIN_MIN);
    while let Err(error) = failed {
        if !error.is_transient() {
            return tracing::error!(%error, %run, "a run could not be closed in the store");
        }
        if pause == AGAIN_MIN {
            tracing::error!(%error, %run, "a run could not be closed in the store; it is tried again");
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(AGAIN_MAX);
        let Some(files) = files.upgrade() else { return };
        // A store that is closed leaves it to the next start, which finds the run lost.
        let Ok(pending) = files.runs.queue(Job::Close(end.clone())).await else { return };
        drop(files);
        failed = pending.durable().await.map(|_| ());
    }
    tracing::info!(%run, "the run is closed in the store now");
}
