//! Runs: opened with their decision, closed once, found again.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::{decide_deploy, decide_execute};
use lockgate_model::{
    Channel, Digest, RunId, RunRecord, TargetKind, Timestamp,
    audit::{self, Outcome},
    id::{AccountName, TargetName},
    run::{Bytes, Phase, RunEnd, RunError, TaskTime},
};
use lockgate_store::{Error, RunQuery, RunsKept, Store};

use super::{Backend, NOW, fixture::*};

/// More than one batch of removing takes.
const MANY: usize = 450;
/// Nothing is kept of what has ended.
const NOTHING: RunsKept = RunsKept { ended_since: Timestamp(i64::MAX), runs_max: 0 };
/// Everything is.
const ALL: RunsKept = RunsKept { ended_since: NOW, runs_max: u64::MAX };

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
    // Newest first: of the middle one and those behind it.
    let since = RunQuery { since: Some(ids[3]), before: Some(ids[0]), ..RunQuery::default() };
    let found = store.runs(&tenant(), since).await.unwrap();
    assert_eq!(found.iter().map(|r| r.id).collect::<Vec<_>>(), ids[1..=3]);
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

/// Runs of Ada in the order of their ids, opened in few appends.
async fn many(store: &impl Store, count: usize) -> Vec<RunRecord> {
    let (mut runs, mut receipts) = (Vec::new(), Vec::new());
    let snapshot = snapshot(store, &tenant()).await;
    for _ in 0..count {
        let ada = principal(&tenant(), "ada");
        let decision = decide_execute(&snapshot, &ada, order_in_live(), Channel::Rest, NOW);
        let run = decision.record(RunId::new()).unwrap();
        receipts.push(store.open_run(&decision, run.clone()).await.unwrap());
        runs.push(run);
    }
    for receipt in receipts {
        receipt.durable().await.unwrap();
    }
    runs
}

/// Ids of all runs of the tenant, the oldest first.
async fn all(store: &impl Store) -> Vec<RunId> {
    let mut ids: Vec<RunId> = Vec::new();
    loop {
        let query = RunQuery { before: ids.last().copied(), limit: 1_000, ..RunQuery::default() };
        let page = store.runs(&tenant(), query).await.unwrap();
        if page.is_empty() {
            ids.reverse();
            return ids;
        }
        ids.extend(page.into_iter().map(|run| run.id));
    }
}

pub async fn runs_that_are_open_or_kept_are_not_removed(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let runs = many(&store, MANY).await;
    let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
    assert_eq!(store.remove_runs(&tenant(), NOTHING).await.unwrap(), 0, "all are open");
    assert_eq!(all(&store).await, ids);
    for run in &ids {
        store.close_run(&tenant(), *run, end(Phase::Completed)).await;
    }
    settled(&store).await;
    let stranger = "other".parse().unwrap();
    assert_eq!(store.remove_runs(&stranger, NOTHING).await.unwrap(), 0);
    assert_eq!(store.remove_runs(&tenant(), ALL).await.unwrap(), 0);
    let (last, count) = (end(Phase::Completed).ended, MANY as u64);
    let to_the_edge = RunsKept { ended_since: last, runs_max: count };
    assert_eq!(store.remove_runs(&tenant(), to_the_edge).await.unwrap(), 0);
    assert_eq!(all(&store).await, ids);
}

pub async fn runs_that_are_not_kept_are_removed_and_nothing_else(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let runs = many(&store, MANY).await;
    let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
    // One in ten stays open; of the others the first half ended before that time.
    let since = NOW.plus_ms(60_000);
    let kept = RunsKept { ended_since: since, runs_max: u64::MAX };
    let (open, ended): (Vec<_>, Vec<_>) = (0..MANY).partition(|number| number % 10 == 0);
    for number in &ended {
        let ended = if *number < MANY / 2 { Timestamp(since.0 - 1) } else { since };
        store.close_run(&tenant(), ids[*number], RunEnd { ended, ..end(Phase::Completed) }).await;
    }
    settled(&store).await;
    let log = whole_log(&store, &tenant()).await;
    let id_of = |numbers: &[usize]| numbers.iter().map(|number| ids[*number]).collect::<Vec<_>>();

    // By time.
    let (old, mut left): (Vec<_>, Vec<_>) = (0..MANY).partition(|number| *number < MANY / 2 && !open.contains(number));
    assert_eq!(store.remove_runs(&tenant(), kept).await.unwrap(), old.len() as u64);
    assert_eq!(all(&store).await, id_of(&left));
    for gone in [old[0], old[old.len() - 1]] {
        assert_eq!(store.run(&tenant(), ids[gone]).await.unwrap(), None);
    }
    assert_eq!(store.remove_runs(&tenant(), kept).await.unwrap(), 0, "once");

    // By number: the newest so many, and those that are open.
    let kept = RunsKept { runs_max: 10, ..kept };
    let newest = left.split_off(left.len() - 10);
    left.retain(|number| open.contains(number));
    left.extend(newest);
    assert!(store.remove_runs(&tenant(), kept).await.unwrap() > 0);
    assert_eq!(all(&store).await, id_of(&left));
    assert_eq!(store.remove_runs(&tenant(), NOTHING).await.unwrap(), (left.len() - open.len()) as u64);
    assert_eq!(all(&store).await, id_of(&open));

    // What is open ends as ever; the log and what is green are as they were.
    store.close_run(&tenant(), ids[open[0]], end(Phase::Completed)).await;
    settled(&store).await;
    assert_eq!(store.run(&tenant(), ids[open[0]]).await.unwrap().unwrap().phase, Phase::Completed);
    let now = whole_log(&store, &tenant()).await;
    assert_eq!(now[..log.len()], log);
    audit::verify(&now).unwrap();
    let module = Digest::of(b"module");
    assert_eq!(store.green(&tenant(), &live(), BTreeSet::from([module])).await.unwrap(), BTreeSet::from([module]));
    drop(store);
    let store = at.open().await;
    assert_eq!(all(&store).await, id_of(&open));
}

pub async fn finds_runs_by_whatever_is_asked(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let runs = many(&store, 6).await;
    store.close_run(&tenant(), runs[4].id, end(Phase::Faulted)).await;
    settled(&store).await;
    for environment in [None, Some((live(), true)), Some(("test".parse().unwrap(), false))] {
        for name in [None, Some((order(), true)), Some((TargetName::parse("other").unwrap(), false))] {
            for phase in [None, Some(Phase::Running), Some(Phase::Faulted), Some(Phase::Completed)] {
                for before in [None, Some(5), Some(1)] {
                    let expected = runs[..before.unwrap_or(6)].iter().enumerate().rev().filter(|(number, _)| {
                        let is = if *number == 4 { Phase::Faulted } else { Phase::Running };
                        environment.as_ref().is_none_or(|e| e.1)
                            && name.as_ref().is_none_or(|n| n.1)
                            && phase.is_none_or(|phase| phase == is)
                    });
                    let query = RunQuery {
                        environment: environment.as_ref().map(|e| e.0.clone()),
                        name: name.as_ref().map(|n| n.0.clone()),
                        phase,
                        before: before.map(|number: usize| runs[number].id),
                        since: None,
                        limit: 0,
                    };
                    let found = store.runs(&tenant(), query.clone()).await.unwrap();
                    let found: Vec<_> = found.into_iter().map(|run| run.id).collect();
                    assert_eq!(found, expected.map(|(_, run)| run.id).collect::<Vec<_>>(), "{query:?}");
                }
            }
        }
    }
}
