//! Runs within runs: an orchestration that another one runs, for the same principal.
//!
//! Each is a run of its own, with its own decision, its own entry in the audit log and its own record. What bounds it
//! besides are the runs around it: their time, the cost they have left, how deep they lie in each other, and how many
//! are open below one that came from outside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use lockgate_engine::{Budget, SubEnd, SubFailure, SubRun};
use lockgate_model::{Channel, Limits, abi::Header};

use crate::{Ask, Error, connections::RunCalls};

/// Runs that may lie in each other.
const DEPTH_MAX: u32 = 16;
/// Runs that may be open at once below one that came from outside.
const OPEN_MAX: usize = 100;
/// A run that begins without this much time left would only fail later.
const NO_TIME_MS: u64 = 1;

/// Where a run lies.
#[derive(Clone, Default)]
pub(crate) struct Nest {
    depth: u32,
    /// Open runs below the one that came from outside.
    open: Arc<AtomicUsize>,
    /// What the run around it demands.
    demands: Option<Demands>,
}

/// What a run demands of one that it runs.
#[derive(Clone)]
struct Demands {
    namespace: String,
    version: String,
    /// When it must end, and what it may cost, where its end is waited for.
    bounds: Option<(Instant, Arc<Budget>)>,
}

/// A place among the open runs.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Nest {
    /// The place of a run that `sub` asks for.
    pub(crate) fn within(&self, sub: &SubRun) -> Self {
        let bounds = sub.subflow.awaits.then(|| (sub.deadline, Arc::clone(&sub.budget)));
        let (namespace, version) = (sub.subflow.namespace.clone(), sub.subflow.version.clone());
        let demands = Demands { namespace, version, bounds };
        Self { depth: self.depth + 1, open: Arc::clone(&self.open), demands: Some(demands) }
    }

    /// Takes a place, if there is one; a run from outside needs none.
    pub(crate) fn take(&self) -> Result<Option<Place>, Error> {
        if self.demands.is_none() {
            return Ok(None);
        }
        let full = |what: String| Error::Conflict { code: "LG-LIMIT-RUNS", message: what };
        if self.depth > DEPTH_MAX {
            return Err(full(format!(
                "runs lie more than {DEPTH_MAX} deep in each other: look for a flow that runs itself"
            )));
        }
        let place = Place(Arc::clone(&self.open));
        if self.open.fetch_add(1, Ordering::Relaxed) >= OPEN_MAX {
            return Err(full(format!("more than {OPEN_MAX} runs are open below one: run fewer at once")));
        }
        Ok(Some(place))
    }

    /// Is its time that of the run around it?
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounds().is_some()
    }

    /// What it may cost within that of the run around it.
    pub(crate) fn budget(&self) -> Option<Arc<Budget>> {
        self.bounds().map(|(_, budget)| Arc::clone(budget))
    }

    fn bounds(&self) -> Option<&(Instant, Arc<Budget>)> {
        self.demands.as_ref()?.bounds.as_ref()
    }

    /// The limits of a run here.
    pub(crate) fn limits(&self, mut limits: Limits) -> Limits {
        if let Some((deadline, budget)) = self.bounds() {
            let left = deadline.saturating_duration_since(Instant::now()).as_millis();
            limits.wall_ms_max = u64::try_from(left).unwrap_or(u64::MAX).clamp(NO_TIME_MS, limits.wall_ms_max);
            limits.cost_max = limits.cost_max.min(budget.left());
        }
        limits
    }

    /// Refuses another orchestration, or another version, than the one that is wanted. Modules of before may know no
    /// namespace: then none is wrong.
    pub(crate) fn check(&self, Header { namespace, name, version, .. }: &Header) -> Result<(), Error> {
        let is_other = |wanted: &str| ![wanted, namespace].contains(&"") && wanted != namespace;
        match &self.demands {
            Some(demands) if is_other(&demands.namespace) => Err(Error::Conflict {
                code: "LG-RUN-NAMESPACE",
                message: format!(
                    "`{name}` of namespace `{}` is wanted, and the one deployed is of `{namespace}`",
                    demands.namespace
                ),
            }),
            Some(demands) if demands.version != *version => Err(Error::Conflict {
                code: "LG-RUN-VERSION",
                message: format!("version {} of `{name}` is wanted, and {version} is deployed", demands.version),
            }),
            _ => Ok(()),
        }
    }
}

impl RunCalls {
    /// Runs an orchestration for the principal of this run.
    pub(crate) async fn run_below(self: Arc<Self>, sub: SubRun) -> SubEnd {
        let ask = Ask {
            idempotency_key: self.site_key(&sub.site, &sub.input),
            trace: self.watch.trace(),
            ..Ask::new(self.environment.as_str(), sub.subflow.name.as_str(), Channel::SubFlow)
        };
        let opened = self.runtime.open_run(&self.caller, &ask, self.nest.within(&sub)).await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return SubEnd { result: Err(refused(&error)), cost: 0 },
        };
        let input = async move { Ok(sub.input) };
        if !sub.subflow.awaits {
            // It is open, and ends as runs do that nobody waits for.
            self.runtime.0.open.aside(async move {
                let _ = opened.run(input).await;
            });
            return SubEnd { result: Ok(lockgate_document::Document::undefined()), cost: 0 };
        }
        match opened.run(input).await {
            Ok(finished) => {
                let result = finished.result.map_err(|failure| SubFailure::Failed(Box::new(failure)));
                SubEnd { result, cost: finished.cost }
            }
            Err(error) => SubEnd { result: Err(refused(&error)), cost: 0 },
        }
    }
}

/// What the run around it gets where a run is refused.
pub(crate) fn refused(error: &Error) -> SubFailure {
    let (kind, status) = match error {
        Error::Forbidden { .. } | Error::Unauthenticated => ("authorization", 403),
        Error::Unavailable { .. } => ("runtime", 503),
        Error::NotFound { .. } | Error::NotPublished { .. } | Error::Conflict { .. } => ("configuration", 500),
        _ => ("runtime", 500),
    };
    SubFailure::Refused { kind, code: error.code().to_owned(), status, detail: error.to_string() }
}
