use std::time::{Duration, Instant};

use lockgate_model::id::TenantId;

use super::{Account, HELD_MAX, Job, Queue, SLICE};

fn tenant(name: &str) -> Account {
    Some(TenantId::parse(name).unwrap())
}

/// Serves `slices` slices, each used up, and says whose they were; the steps never end.
fn serve(queue: &mut Queue<()>, slices: usize) -> Vec<String> {
    (0..slices)
        .map(|_| {
            let job = queue.pick().unwrap();
            queue.ran(&job, SLICE);
            let name = job.account.as_ref().unwrap().to_string();
            queue.push(job);
            name
        })
        .collect()
}

fn count(served: &[String], name: &str) -> usize {
    served.iter().filter(|n| *n == name).count()
}

#[test]
fn many_steps_of_one_tenant_do_not_delay_the_one_step_of_another() {
    let mut queue = Queue::new(1_000, 1_000);
    for _ in 0..100 {
        queue.wait(&tenant("greedy"), false, ());
    }
    serve(&mut queue, 50);
    queue.wait(&tenant("modest"), false, ());
    assert_eq!(count(&serve(&mut queue, 2), "modest"), 1);
}

#[test]
fn tenants_share_by_weight() {
    let mut queue = Queue::new(10, 10);
    queue.set_weight(&tenant("large"), 3);
    for name in ["large", "small"] {
        queue.wait(&tenant(name), false, ());
    }
    let served = serve(&mut queue, 40);
    assert_eq!((count(&served, "large"), count(&served, "small")), (30, 10));
}

#[test]
fn idleness_gathers_no_claim() {
    let mut queue = Queue::new(10, 10);
    queue.wait(&tenant("early"), false, ());
    let early = queue.pick().unwrap();
    queue.ended(&early.account);
    queue.wait(&tenant("busy"), false, ());
    serve(&mut queue, 100);
    queue.wait(&tenant("early"), false, ());
    let served = serve(&mut queue, 20);
    assert!((10..=11).contains(&count(&served, "early")), "{served:?}");
}

#[test]
fn what_was_used_alone_is_no_debt() {
    let mut queue = Queue::new(10, 10);
    let now = Instant::now();
    assert!(queue.begin_here(&tenant("alone"), now));
    queue.ran_here(&tenant("alone"), Duration::from_secs(60), now);
    queue.ended(&tenant("alone"));
    queue.wait(&tenant("other"), false, ());
    queue.wait(&tenant("alone"), false, ());
    assert_eq!(count(&serve(&mut queue, 10), "alone"), 5);
}

#[test]
fn at_the_cap_of_stacks_steps_wait_unbegun_and_begun_ones_go_on() {
    let mut queue = Queue::new(2, 2);
    let ids: Vec<u64> = (0..3).map(|_| queue.wait(&tenant("a"), false, ())).collect();
    let (first, second) = (queue.pick().unwrap(), queue.pick().unwrap());
    assert_eq!([first.id, second.id], [ids[0], ids[1]]);
    assert!(queue.pick().is_none());
    queue.push(first);
    assert_eq!(queue.pick().unwrap().id, ids[0]);
    queue.ended(&second.account);
    assert_eq!(queue.pick().unwrap().id, ids[2]);
}

#[test]
fn one_tenant_cannot_take_all_stacks() {
    let mut queue = Queue::new(10, 2);
    for _ in 0..5 {
        queue.wait(&tenant("greedy"), false, ());
    }
    queue.wait(&tenant("modest"), false, ());
    let mut served = Vec::new();
    while let Some(Job { account, .. }) = queue.pick() {
        served.push(account.unwrap().to_string());
    }
    assert_eq!((count(&served, "greedy"), count(&served, "modest")), (2, 1));
    assert!(!queue.begin_here(&tenant("greedy"), Instant::now()));
    assert!(queue.begin_here(&tenant("modest"), Instant::now()));
}

#[test]
fn steps_that_begin_and_steps_that_go_on_take_turns() {
    let mut queue = Queue::new(10, 10);
    let loops = queue.wait(&tenant("a"), true, ());
    for _ in 0..3 {
        queue.wait(&tenant("a"), false, ());
    }
    let mut looped = 0;
    for _ in 0..6 {
        let job = queue.pick().unwrap();
        queue.ran(&job, SLICE);
        if job.id == loops {
            looped += 1;
            queue.push(job);
        }
    }
    assert_eq!(looped, 3);
}

#[test]
fn a_stopped_step_goes_first_and_only_once() {
    let mut queue = Queue::new(10, 10);
    queue.wait(&tenant("a"), false, ());
    let stopped = queue.wait(&tenant("b"), true, ());
    assert!(queue.expedite(stopped, &tenant("b")));
    assert!(!queue.expedite(stopped, &tenant("b")));
    assert_eq!(queue.pick().unwrap().id, stopped);
    assert_eq!(queue.waiting(), 1);
}

#[test]
fn who_holds_callers_threads_loses_the_short_way_for_a_while() {
    let mut queue = Queue::<()>::new(10, 10);
    let (who, mut now) = (tenant("a"), Instant::now());
    let mut here = 0;
    while queue.begin_here(&who, now) {
        queue.ran_here(&who, Duration::from_millis(5), now);
        queue.ended(&who);
        here += 1;
        assert!(here < 100, "held for ever");
    }
    assert!(Duration::from_millis(5) * here > HELD_MAX);
    assert!(queue.begin_here(&tenant("b"), now), "another tenant pays for it");
    now += Duration::from_secs(1);
    assert!(queue.begin_here(&who, now), "it is never forgiven");
}

#[test]
fn short_steps_keep_the_short_way_however_many() {
    let mut queue = Queue::<()>::new(10, 10);
    let (who, now) = (tenant("a"), Instant::now());
    for _ in 0..100_000 {
        assert!(queue.begin_here(&who, now));
        queue.ran_here(&who, Duration::from_micros(10), now);
        queue.ended(&who);
    }
}

#[test]
fn who_is_ahead_while_others_wait_queues() {
    let mut queue = Queue::new(10, 10);
    let now = Instant::now();
    queue.wait(&tenant("waiting"), false, ());
    for _ in 0..100 {
        assert!(queue.begin_here(&tenant("ahead"), now));
        queue.ran_here(&tenant("ahead"), Duration::from_micros(500), now);
        queue.ended(&tenant("ahead"));
    }
    queue.ran_here(&tenant("ahead"), Duration::from_micros(500), now);
    assert!(!queue.begin_here(&tenant("ahead"), now));
}
