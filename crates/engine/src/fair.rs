//! The order in which waiting steps are served: a weighted fair queue over tenants.
//!
//! Start-time fair queueing: each tenant has a virtual time, the CPU time it used divided by its
//! weight, and the tenant with the least is next. A tenant that was idle joins at the queue's own
//! virtual time, so that idleness gathers no claim; what was used while nobody waited is no debt.
//! Within a tenant, steps that begin and steps that go on take turns.
//!
//! Pure: no threads, no clock. `executor.rs` brings both.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};

use lockgate_model::id::TenantId;

/// What a worker's slice is expected to take; the true time replaces it when the slice ends.
pub(crate) const SLICE: Duration = Duration::from_millis(10);
/// How far ahead of the queue a tenant may be and still run on its caller's thread.
const AHEAD_MAX: Duration = Duration::from_millis(50);
/// A step on its caller's thread that takes longer holds up others there.
const SHORT: Duration = Duration::from_millis(1);
/// How long a tenant may have held callers' threads with steps that were not short…
const HELD_MAX: Duration = Duration::from_millis(20);
/// …where a tenth of the time that passes is forgiven.
const FORGIVEN: u32 = 10;
/// Tenants remembered before those without claim or debt are forgotten.
const TENANTS_SWEEP: usize = 1_024;

/// Who is charged; none is work outside any environment (`evaluate`).
pub(crate) type Account = Option<TenantId>;

/// One waiting step.
pub(crate) struct Job<W> {
    pub(crate) id: u64,
    pub(crate) account: Account,
    /// It holds a stack.
    pub(crate) begun: bool,
    /// It was charged a [`SLICE`] in advance.
    pub(crate) prepaid: bool,
    pub(crate) work: W,
}

/// The waiting steps of all tenants.
pub(crate) struct Queue<W> {
    /// Virtual time of the queue in nanoseconds; never goes back.
    clock: u64,
    tenants: HashMap<Account, Tenant<W>>,
    /// Tenants with waiting steps, least virtual time first.
    order: BTreeSet<(u64, Account)>,
    /// Stopped steps: they only need to end.
    first: VecDeque<Job<W>>,
    stacks_free: u32,
    stacks_per_tenant_max: u32,
    next_job: u64,
    waiting: usize,
}

struct Tenant<W> {
    virtual_ns: u64,
    weight: u32,
    /// Steps that hold a stack.
    begun: u32,
    fresh: VecDeque<Job<W>>,
    going_on: VecDeque<Job<W>>,
    /// Whose turn it is.
    fresh_next: bool,
    /// Callers' threads held by steps that were not short, as of `held_at`.
    held: Duration,
    held_at: Option<Instant>,
}

impl<W> Queue<W> {
    pub(crate) fn new(stacks_max: u32, stacks_per_tenant_max: u32) -> Self {
        Self {
            clock: 0,
            tenants: HashMap::new(),
            order: BTreeSet::new(),
            first: VecDeque::new(),
            stacks_free: stacks_max.max(1),
            stacks_per_tenant_max: stacks_per_tenant_max.max(1),
            next_job: 0,
            waiting: 0,
        }
    }

    /// Steps that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether somebody waits whom a free stack or worker could serve.
    pub(crate) fn is_contended(&self) -> bool {
        !self.order.is_empty()
    }

    pub(crate) fn set_weight(&mut self, account: &Account, weight: u32) {
        self.joined(account).weight = weight.max(1);
    }

    /// Whether a step may run on its caller's thread; if so it has begun.
    pub(crate) fn begin_here(&mut self, account: &Account, now: Instant) -> bool {
        let (contended, stacks_max) = (self.is_contended(), self.stacks_per_tenant_max);
        if self.stacks_free == 0 {
            return false;
        }
        let ahead_max = self.clock.saturating_add(nanoseconds(AHEAD_MAX));
        // Outside any environment nobody else is on the caller's thread.
        let alone = account.is_none();
        let tenant = self.joined(account);
        let in_turn = !contended || (tenant.virtual_ns <= ahead_max && tenant.fresh.is_empty());
        if !in_turn || tenant.begun >= stacks_max || (!alone && tenant.held(now) > HELD_MAX) {
            return false;
        }
        tenant.begun += 1;
        self.stacks_free -= 1;
        true
    }

    /// A slice on a caller's thread took `used`.
    pub(crate) fn ran_here(&mut self, account: &Account, used: Duration, now: Instant) {
        if let Some(tenant) = self.tenants.get_mut(account)
            && used > SHORT
        {
            tenant.held = tenant.held(now) + used;
            tenant.held_at = Some(now);
        }
        self.charge(account, |t| t.virtual_ns.saturating_add(t.weighed(used)));
    }

    /// A step begins to wait; returns its number.
    pub(crate) fn wait(&mut self, account: &Account, begun: bool, work: W) -> u64 {
        let id = self.next_job;
        self.next_job += 1;
        self.push(Job { id, account: account.clone(), begun, prepaid: false, work });
        id
    }

    /// The next step, its tenant charged a slice in advance.
    pub(crate) fn pick(&mut self) -> Option<Job<W>> {
        if let Some(job) = self.first.pop_front() {
            self.waiting -= 1;
            return Some(job);
        }
        let (stacks, stacks_max) = (self.stacks_free, self.stacks_per_tenant_max);
        // The first tenant, unless stacks have run out and it has nothing to go on with.
        let (at, mut job) = self.order.iter().find_map(|(at, account)| {
            let tenant = self.tenants.get_mut(account)?;
            let may_begin = stacks > 0 && tenant.begun < stacks_max;
            tenant.next(may_begin).map(|job| (*at, job))
        })?;
        self.clock = self.clock.max(at);
        self.order.remove(&(at, job.account.clone()));
        if let Some(tenant) = self.tenants.get_mut(&job.account) {
            if !job.begun {
                tenant.begun += 1;
                self.stacks_free -= 1;
            }
            tenant.virtual_ns = at.saturating_add(tenant.weighed(SLICE));
            if tenant.waiting() > 0 {
                self.order.insert((tenant.virtual_ns, job.account.clone()));
            }
        }
        self.waiting -= 1;
        job.begun = true;
        job.prepaid = true;
        Some(job)
    }

    /// A worker's slice of `job` took `used`.
    pub(crate) fn ran(&mut self, job: &Job<W>, used: Duration) {
        let prepaid = if job.prepaid { SLICE } else { Duration::ZERO };
        self.charge(&job.account, |t| t.virtual_ns.saturating_sub(t.weighed(prepaid)).saturating_add(t.weighed(used)));
    }

    /// The step goes on later.
    pub(crate) fn push(&mut self, job: Job<W>) {
        self.waiting += 1;
        let account = job.account.clone();
        let tenant = self.joined(&account);
        if job.begun {
            tenant.going_on.push_back(job)
        } else {
            tenant.fresh.push_back(job)
        }
        let key = (tenant.virtual_ns, account);
        self.order.insert(key);
    }

    /// A begun step has ended and gives its stack back.
    pub(crate) fn ended(&mut self, account: &Account) {
        self.stacks_free += 1;
        if let Some(tenant) = self.tenants.get_mut(account) {
            tenant.begun = tenant.begun.saturating_sub(1);
        }
    }

    /// Moves a stopped step to the front. False: it runs just now, or has ended.
    pub(crate) fn expedite(&mut self, id: u64, account: &Account) -> bool {
        let Some(tenant) = self.tenants.get_mut(account) else { return false };
        let found = [&mut tenant.going_on, &mut tenant.fresh].into_iter().find_map(|queue| {
            let at = queue.iter().position(|job| job.id == id)?;
            queue.remove(at)
        });
        let Some(mut job) = found else { return false };
        job.prepaid = false;
        if tenant.waiting() == 0 {
            self.order.remove(&(tenant.virtual_ns, account.clone()));
        }
        self.first.push_back(job);
        true
    }

    /// Takes all waiting steps, to be dropped.
    pub(crate) fn clear(&mut self) -> Vec<Job<W>> {
        self.order.clear();
        self.waiting = 0;
        let mut jobs: Vec<_> = self.first.drain(..).collect();
        for tenant in self.tenants.values_mut() {
            jobs.extend(tenant.fresh.drain(..).chain(tenant.going_on.drain(..)));
        }
        jobs
    }

    /// The tenant, no further back than the queue's clock.
    fn joined(&mut self, account: &Account) -> &mut Tenant<W> {
        let clock = self.clock;
        if self.tenants.len() > TENANTS_SWEEP && !self.tenants.contains_key(account) {
            // A weight other than 1 was set from outside and is remembered.
            self.tenants.retain(|_, t| t.begun > 0 || t.waiting() > 0 || t.virtual_ns > clock || t.weight > 1);
        }
        let tenant = self.tenants.entry(account.clone()).or_insert_with(|| Tenant::new(clock));
        if tenant.waiting() == 0 {
            tenant.virtual_ns = tenant.virtual_ns.max(clock);
        }
        tenant
    }

    /// Changes a tenant's virtual time and keeps the order true.
    fn charge(&mut self, account: &Account, change: impl FnOnce(&Tenant<W>) -> u64) {
        let Some(tenant) = self.tenants.get_mut(account) else { return };
        let was = tenant.virtual_ns;
        tenant.virtual_ns = change(tenant);
        let now = tenant.virtual_ns;
        if self.order.is_empty() {
            // Nobody waited for it: what was used is no debt.
            self.clock = self.clock.max(now);
        } else if tenant.waiting() > 0 && self.order.remove(&(was, account.clone())) {
            self.order.insert((now, account.clone()));
        }
    }
}

impl<W> Tenant<W> {
    fn new(clock: u64) -> Self {
        Self {
            virtual_ns: clock,
            weight: 1,
            begun: 0,
            fresh: VecDeque::new(),
            going_on: VecDeque::new(),
            fresh_next: true,
            held: Duration::ZERO,
            held_at: None,
        }
    }

    fn waiting(&self) -> usize {
        self.fresh.len() + self.going_on.len()
    }

    fn weighed(&self, used: Duration) -> u64 {
        nanoseconds(used) / u64::from(self.weight)
    }

    fn held(&self, now: Instant) -> Duration {
        let passed = self.held_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.held.saturating_sub(passed / FORGIVEN)
    }

    /// The next step: those that begin and those that go on take turns.
    fn next(&mut self, may_begin: bool) -> Option<Job<W>> {
        let fresh = may_begin && !self.fresh.is_empty() && (self.fresh_next || self.going_on.is_empty());
        let job = if fresh { self.fresh.pop_front() } else { self.going_on.pop_front() };
        self.fresh_next = !fresh;
        job
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
