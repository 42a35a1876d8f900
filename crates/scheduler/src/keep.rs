//! A scheduler that ends by a defect is begun again: nobody restarts a server that seems to be well.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use lockgate_runtime::Runtime;

use crate::{Ended, Scheduler};

/// Pause before another one begins.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs a scheduler until `stop`, which is asked for anew for each one that has to be begun. From a
/// defect on until the next one does its work, the runtime is not ready.
pub async fn keep_running<F: Future<Output = ()>>(runtime: Runtime, stop: impl Fn() -> F, grace: Duration) -> Ended {
    loop {
        let runs = async { Scheduler::new(runtime.clone()).run(stop(), grace).await };
        if let Ok(ended) = AssertUnwindSafe(runs).catch_unwind().await {
            return ended;
        }
        runtime.note_scheduling(false);
        tracing::error!("a defect ended the scheduler: nothing fires until it is begun again");
        tokio::select! {
            () = stop() => return Ended { interrupted: 0 },
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}
