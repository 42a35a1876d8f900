//! A tenant that loops does not take another's turn.

use std::{sync::Arc, time::Duration};

use lockgate_model::{
    Limits,
    abi::{self, Op},
};

use super::{
    limits::endless,
    permit::{Counting, permit_of, written},
    wasm::{ENGINE, NOW, Wasm, code, document, output},
};
use crate::{CancelToken, Control};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_of_one_tenant_do_not_stop_the_short_runs_of_another() {
    let endless = endless().load();
    let short = Wasm::new(&[Op::Task, Op::SlotGet, Op::SlotSet]).task("/do/0").step(&[&|e| {
        e.task(0).copy(0, 1).end(abi::DONE);
    }]);
    let short = short.load();
    let (cancel, limits) = (CancelToken::new(), Limits { cost_max: u64::MAX, ..Limits::default() });
    let loops: Vec<_> = (0..100)
        .map(|_| {
            let endless = Arc::clone(&endless);
            let control = Control { cancel: cancel.clone(), ..Control::new() };
            tokio::spawn(async move {
                let permit = permit_of("greedy", endless.digest(), written());
                let calls = Arc::new(Counting::default());
                ENGINE.run(permit, &endless, document("{}"), calls, limits, NOW, control).await
            })
        })
        .collect();
    // The loops are under way, and some wait because their tenant has its share of stacks.
    while ENGINE.waiting() < 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for n in 0..100 {
        let permit = permit_of("modest", short.digest(), written());
        let calls = Arc::new(Counting::default());
        let run = ENGINE.run(permit, &short, document(&n.to_string()), calls, Limits::default(), NOW, Control::new());
        assert_eq!(output(&run.await), n.to_string());
    }
    assert!(loops.iter().all(|l| !l.is_finished()), "the loops turned all the while");
    cancel.cancel();
    for l in loops {
        assert_eq!(code(&l.await.unwrap()), "LG-CANCELLED");
    }
}
