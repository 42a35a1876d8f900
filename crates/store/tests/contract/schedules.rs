//! Schedules: an occurrence is claimed once, with what tells of it, and survives the process.

use lockgate_model::{
    id::TenantId,
    schedule::{ScheduleState, Stands, Step},
};
use lockgate_store::{ScheduleKey, Store};

use super::{Backend, NOW, fixture::*};

fn key() -> ScheduleKey {
    ScheduleKey { environment: live(), name: order() }
}

fn claim(ms: i64) -> Step {
    Step::Claim { occurrence: NOW.plus_ms(ms) }
}

async fn state(store: &impl Store, tenant: &TenantId) -> ScheduleState {
    let all = store.schedules(tenant).await.unwrap();
    assert!(all.len() <= 1);
    all.into_iter().find(|(found, _)| *found == key()).map(|(_, state)| state).unwrap_or_default()
}

pub async fn of_many_that_claim_an_occurrence_one_succeeds(at: impl Backend) {
    let store = at.open().await;
    let (tenant, key) = (tenant(), key());
    let all = (0..50).map(|_| store.schedule_step(&tenant, &key, claim(1), vec![entry("schedule-skip")]));
    let taken: Vec<_> = futures_util::future::join_all(all).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0], state(&store, &tenant).await);
    assert_eq!(events(&whole_log(&store, &tenant).await), ["schedule-skip"], "told once");
}

pub async fn a_step_that_is_not_possible_leaves_no_trace(at: impl Backend) {
    let store = at.open().await;
    let (tenant, key) = (tenant(), key());
    for step in [Step::End { at: NOW }, Step::Repeat, Step::Resume { at: NOW }, Step::GiveUp { at: NOW }] {
        let taken = store.schedule_step(&tenant, &key, step, vec![entry("schedule-skip")]).await.unwrap();
        assert_eq!(taken, None);
    }
    assert!(store.schedules(&tenant).await.unwrap().is_empty());
    assert!(whole_log(&store, &tenant).await.is_empty());
}

pub async fn schedules_of_two_tenants_are_two(at: impl Backend) {
    let store = at.open().await;
    let other = TenantId::parse("other").unwrap();
    assert!(store.schedule_step(&tenant(), &key(), claim(1), Vec::new()).await.unwrap().is_some());
    assert_eq!(state(&store, &other).await, ScheduleState::default());
    assert!(store.schedule_step(&other, &key(), claim(1), Vec::new()).await.unwrap().is_some());
    let pause = Step::Pause { by: user("ada"), at: NOW };
    assert!(store.schedule_step(&other, &key(), pause, Vec::new()).await.unwrap().is_some());
    assert_eq!(state(&store, &tenant()).await.paused, None);
}

pub async fn a_claimed_run_is_found_lost_after_reopening(at: impl Backend) {
    let stands = |state: ScheduleState| state.last.map(|last| last.stands);
    let store = at.open().await;
    store.schedule_step(&tenant(), &key(), claim(1), Vec::new()).await.unwrap().unwrap();
    assert_eq!(stands(state(&store, &tenant()).await), Some(Stands::Running));
    drop(store);
    let store = at.open().await;
    let lost = state(&store, &tenant()).await;
    assert_eq!(lost.through, Some(NOW.plus_ms(1)));
    assert_eq!(stands(lost), Some(Stands::Lost));
    assert_eq!(store.schedule_step(&tenant(), &key(), claim(1), Vec::new()).await.unwrap(), None);
    store.schedule_step(&tenant(), &key(), Step::Repeat, Vec::new()).await.unwrap().unwrap();
    let end = Step::End { at: NOW.plus_ms(9) };
    store.schedule_step(&tenant(), &key(), end, Vec::new()).await.unwrap().unwrap();
    drop(store);
    let store = at.open().await;
    assert_eq!(stands(state(&store, &tenant()).await), Some(Stands::Ended { at: NOW.plus_ms(9) }));
}
