//! Runs: opened with their decision, closed once, found again.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::decide_deploy;
use lockgate_model::{
    Channel, Digest, RunId, RunRecord, TargetKind,
    audit::Outcome,
    id::{AccountName, TargetName},
    run::{Bytes, Phase, RunEnd, RunError, TaskTime},
};
use lockgate_store::{Error, RunQuery, Store};

use super::{Backend, NOW, fixture::*};

fn end(phase: Phase) -> RunEnd {
    let bytes = Bytes { read: 10, written: 20, calls: 2 };
    RunEnd {
        ended: NOW.plus_ms(5),
        phase,
        error: (phase == Phase::Faulted).then(|| RunError {
            kind: "communication".to_owned(),
            code: "LG-1".to_owned(),
            task: "/do/0/fetch".to_owned(),
            status: 502,
        }),
        cost: 42,
        bytes: BTreeMap::from([(AccountName::parse("erp").unwrap(), bytes)]),
        tasks: vec![TaskTime {
            task: "/do/0/fetch".to_owned(),
            entered: 1,
            wall_us: 5_000,
            first_us: 10,
            last_us: 5_010,
        }],
    }
}

/// The run as it was opened, with what its end adds.
fn ended(run: RunRecord, end: RunEnd) -> RunRecord {
    RunRecord {
        ended: Some(end.ended),
        phase: end.phase,
        error: end.error,
        cost: end.cost,
        bytes: end.bytes,
        tasks: end.tasks,
        ..run
    }
}

/// Closing is queued: a durable append behind it shows that it is done.
async fn settled(store: &impl Store) {
    let receipt = store.append(&tenant(), entry("login")).await.unwrap();
    receipt.durable().await.unwrap();
}

pub async fn refuses_to_open_another_run_than_the_decided_one(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let log = whole_log(&store, &tenant()).await.len();
    let decision = asks(&store, &tenant(), "ada").await;
    let run = decision.record(RunId::new()).unwrap();
    let mut others = vec![run.clone(); 5];
    others[0].tenant = lockgate_model::id::TenantId::parse("other").unwrap();
    others[1].target.name = TargetName::parse("other").unwrap();
    others[2].principal = user("bob");
    others[3].module = Some(Digest::of(b"other"));
    others[4].phase = Phase::Completed;
    for other in others {
        let refused = store.open_run(&decision, other).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
    }
    // A decision on deploying opens no run, whatever it says.
    let snapshot = snapshot(&store, &tenant()).await;
    let ada = principal(&tenant(), "ada");
    let deploying = decide_deploy(&snapshot, &ada, live(), shop(), Channel::Admin, NOW);
    let refused = store.open_run(&deploying, run).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    let found = store.runs(&tenant(), RunQuery::default()).await.unwrap();
    assert!(found.is_empty());
    assert_eq!(whole_log(&store, &tenant()).await.len(), log);
}

pub async fn a_denial_is_recorded_and_opens_no_run(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let decision = asks(&store, &tenant(), "bob").await;
    assert!(!decision.is_allowed());
    let run = decision.record(RunId::new()).unwrap();
    let receipt = store.open_run(&decision, run).await.unwrap();
    receipt.durable().await.unwrap();
    assert_eq!(receipt.run(), None);
    let log = whole_log(&store, &tenant()).await;
    let last = &log.last().unwrap().entry;
    assert_eq!(last.event, "execute");
    assert_eq!(last.outcome, Outcome::Denied);
    assert_eq!((last.run, last.principal.as_str()), (None, "bob"));
    assert_eq!(last.rule, decision.rule());
    assert!(decision.permit(receipt).is_err());
    let found = store.runs(&tenant(), RunQuery::default()).await.unwrap();
    assert!(found.is_empty());
}

pub async fn a_run_is_opened_with_its_decision_and_closed_once(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let decision = asks(&store, &tenant(), "ada").await;
    assert!(decision.is_allowed(), "{}", decision.rule());
    let run = decision.record(RunId::new()).unwrap();
    let receipt = store.open_run(&decision, run.clone()).await.unwrap();
    receipt.durable().await.unwrap();
    assert_eq!(receipt.run(), Some(run.id));
    let permit = decision.permit(receipt).unwrap();
    assert_eq!(permit.run(), run.id);
    assert_eq!(store.run(&tenant(), run.id).await.unwrap(), Some(run.clone()));
    let log = whole_log(&store, &tenant()).await;
    let last = &log.last().unwrap().entry;
    assert_eq!((last.event.as_str(), last.run), ("execute", Some(run.id)));
    assert_eq!(last.object, "live/integrations/order");
    assert_eq!(last.digest, run.module);

    store.close_run(&tenant(), run.id, end(Phase::Faulted)).await;
    store.close_run(&tenant(), run.id, end(Phase::Completed)).await;
    store.close_run(&tenant(), RunId::new(), end(Phase::Completed)).await;
    settled(&store).await;
    let expected = ended(run.clone(), end(Phase::Faulted));
    assert_eq!(store.run(&tenant(), run.id).await.unwrap(), Some(expected));
}

pub async fn a_call_through_an_api_is_two_entries_of_one_append(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let api = asks(&store, &tenant(), "ada").await;
    let both = api.and_also(asks(&store, &tenant(), "ada").await);
    let before = whole_log(&store, &tenant()).await.len();
    let run = both.record(RunId::new()).unwrap();
    let receipt = store.open_run(&both, run.clone()).await.unwrap();
    receipt.durable().await.unwrap();
    let log = whole_log(&store, &tenant()).await;
    let new: Vec<_> = log.iter().skip(before).map(|l| l.entry.run).collect();
    assert_eq!(new, [Some(run.id), Some(run.id)]);
}

pub async fn finds_runs_page_by_page(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(opened(&store, &tenant()).await.id);
    }
    store.close_run(&tenant(), ids[3], end(Phase::Completed)).await;
    settled(&store).await;
    ids.reverse();
    let mut seen = Vec::new();
    let mut query = RunQuery { environment: Some(live()), name: Some(order()), limit: 3, ..RunQuery::default() };
    loop {
        let page = store.runs(&tenant(), query.clone()).await.unwrap();
        let Some(last) = page.last() else { break };
        query.before = Some(last.id);
        assert!(page.len() <= 3);
        seen.extend(page.into_iter().map(|r| r.id));
    }
    assert_eq!(seen, ids);
    let completed = RunQuery { phase: Some(Phase::Completed), ..RunQuery::default() };
    let found = store.runs(&tenant(), completed).await.unwrap();
    assert_eq!(found.iter().map(|r| r.id).collect::<Vec<_>>(), [ids[3]]);
    assert_eq!(found[0].target.kind, TargetKind::Integrations);
    let elsewhere = RunQuery { name: Some(TargetName::parse("other").unwrap()), ..RunQuery::default() };
    assert!(store.runs(&tenant(), elsewhere).await.unwrap().is_empty());
}

pub async fn a_module_is_green_where_a_run_of_it_completed(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let (module, other) = (Digest::of(b"module"), Digest::of(b"other"));
    let asked = BTreeSet::from([module, other]);
    for (phase, green) in [(Phase::Faulted, None), (Phase::Cancelled, None), (Phase::Completed, Some(module))] {
        let run = opened(&store, &tenant()).await;
        assert_eq!(run.module, Some(module));
        store.close_run(&tenant(), run.id, end(phase)).await;
        settled(&store).await;
        let found = store.green(&tenant(), &live(), asked.clone()).await.unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), green.into_iter().collect::<Vec<_>>(), "{phase:?}");
    }
    // Neither elsewhere nor for others, and only what was asked for.
    let elsewhere = "prelive".parse().unwrap();
    assert!(store.green(&tenant(), &elsewhere, asked.clone()).await.unwrap().is_empty());
    let stranger = "other".parse().unwrap();
    assert!(store.green(&stranger, &live(), asked.clone()).await.unwrap().is_empty());
    assert!(store.green(&tenant(), &live(), BTreeSet::from([other])).await.unwrap().is_empty());
    // What runs next takes nothing away, a second run of it is no fault, and it stays.
    for phase in [Phase::Completed, Phase::Faulted] {
        let run = opened(&store, &tenant()).await;
        store.close_run(&tenant(), run.id, end(phase)).await;
        settled(&store).await;
        assert_eq!(store.run(&tenant(), run.id).await.unwrap().unwrap().phase, phase);
    }
    drop(store);
    let store = at.open().await;
    assert_eq!(store.green(&tenant(), &live(), asked).await.unwrap(), BTreeSet::from([module]));
}
