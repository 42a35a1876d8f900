//! A run under a permit: the right module, and no call before the audit entry is durable.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::{FutureExt, future::BoxFuture};
use lockgate_access::{AuditReceipt, ExecutePermit, NotDurable, TenantSnapshot, decide_execute};
use lockgate_connector_api::{Answer, Call, Error};
use lockgate_model::{
    Channel, Definition, Digest, Limits, Principal, RunId, Target, TargetKind,
    abi::{self, Op},
    definition::{Kind, Revision},
    id::AccountName,
    principal::CredentialKind,
};
use serde_json::json;

use super::wasm::{ENGINE, NOW, Wasm, code, document, output};
use crate::{CallSite, Calls, Control, Outcome, SubEnd, SubRun};

type Durable = BoxFuture<'static, Result<(), NotDurable>>;

/// A permit of tenant `acme` for a module.
pub(super) fn permit(module: Digest, durable: Durable) -> ExecutePermit {
    permit_of("acme", module, durable)
}

pub(super) fn permit_of(tenant: &str, module: Digest, durable: Durable) -> ExecutePermit {
    let tenant: lockgate_model::id::TenantId = tenant.parse().unwrap();
    let row = |kind, id: &str, body| Definition {
        tenant: tenant.clone(),
        kind,
        id: id.to_owned(),
        revision: Revision(1),
        body,
    };
    let digest = Digest::of(b"sources");
    let rows = [
        row(Kind::Tenant, "tenant", json!({"title": "Acme"})),
        row(Kind::Environment, "live", json!({"title": "Live", "order": 0})),
        row(
            Kind::Profile,
            "caller",
            json!({"title": "Caller", "permissions": ["integrations.execute", "deploy"], "valid_in": {"environments": ["live"]}}),
        ),
        row(Kind::User, "bob", json!({"kind": "service", "profiles": ["caller"]})),
        row(Kind::Acl, "default", json!({"title": "Default", "profiles": ["caller"]})),
        row(Kind::Assignment, "live/integrations/order", json!({"acl": "default"})),
        row(Kind::Project, "shop", json!({"title": "Shop", "head": 1})),
        row(
            Kind::ProjectVersion,
            "shop/1",
            json!({"source": digest, "bundle": digest, "pushed_by": "bob", "pushed_at": 0, "objects": {}, "orchestrations": ["order"]}),
        ),
        row(
            Kind::Deployment,
            "live/shop",
            json!({"project": "shop", "version": 1, "source": digest, "publisher": "bob", "deployed_at": 0,
                   "orchestrations": {"order": {"module": module, "manifest": {}}}}),
        ),
    ];
    let snapshot = TenantSnapshot::build(tenant.clone(), Revision(1), &rows).unwrap();
    let principal = Principal {
        tenant,
        user: "bob".parse().unwrap(),
        credential: CredentialKind::ApiKey,
        only_environment: None,
        only_targets: Vec::new(),
    };
    let target =
        Target { environment: "live".parse().unwrap(), kind: TargetKind::Integrations, name: "order".parse().unwrap() };
    let decision = decide_execute(&snapshot, &principal, target, Channel::Rest, NOW);
    #[expect(clippy::disallowed_methods, reason = "stands in for the store")]
    let receipt = AuditReceipt::issue(Some(RunId::new()), durable);
    decision.permit(receipt).unwrap()
}

pub(super) fn written() -> Durable {
    async { Ok(()) }.boxed()
}

/// Runs under a permit of its own, with default limits.
pub(super) async fn run(wasm: &Wasm, input: &str, calls: Arc<dyn Calls>) -> Outcome {
    run_within(wasm, input, calls, Limits::default()).await
}

pub(super) async fn run_within(wasm: &Wasm, input: &str, calls: Arc<dyn Calls>, limits: Limits) -> Outcome {
    let module = wasm.load();
    let permit = permit(module.digest(), written());
    ENGINE.run(permit, &module, document(input), calls, limits, NOW, Control::new()).await
}

/// Counts calls and answers null.
#[derive(Default)]
pub(super) struct Counting(pub(super) AtomicU32);
impl Calls for Counting {
    fn run(self: Arc<Self>, _: SubRun) -> BoxFuture<'static, SubEnd> {
        panic!("nothing is run here")
    }
    fn call(&self, _: CallSite, _: Call) -> BoxFuture<'static, Result<Answer, Error>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        async { Ok(Answer { output: document("null"), stream: None, read: 0, written: 0 }) }.boxed()
    }
    fn account(&self, _: u32) -> AccountName {
        "erp".parse().unwrap()
    }
}

fn calling() -> Wasm {
    Wasm::new(&[Op::Task, Op::SlotGet, Op::Call]).handled("/do/0", 1, 2).task("/do/1").step(&[
        &|e| {
            e.task(0).call(0, 1, 1);
        },
        &|e| e.task(1).end(abi::DONE),
    ])
}

#[tokio::test]
async fn another_module_than_the_permits_is_refused() {
    let module = calling().load();
    let calls = Arc::new(Counting::default());
    let permit = permit(Digest::of(b"another"), written());
    let outcome =
        ENGINE.run(permit, &module, document("{}"), calls.clone(), Limits::default(), NOW, Control::new()).await;
    assert_eq!(code(&outcome), "LG-WRONG-MODULE");
    assert_eq!(calls.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_call_is_made_before_the_receipt_is_durable() {
    let module = calling().load();
    let calls = Arc::new(Counting::default());
    let permit = permit(module.digest(), std::future::pending().boxed());
    let limits = Limits { wall_ms_max: 100, ..Limits::default() };
    let outcome = ENGINE.run(permit, &module, document("{}"), calls.clone(), limits, NOW, Control::new()).await;
    assert_eq!(code(&outcome), "LG-LIMIT-WALL");
    assert_eq!(calls.0.load(Ordering::SeqCst), 0);
    assert!(outcome.bytes.is_empty());
}

#[tokio::test]
async fn a_receipt_that_fails_drops_the_run_whatever_it_would_catch() {
    let module = calling().load();
    let calls = Arc::new(Counting::default());
    let permit = permit(module.digest(), async { Err(NotDurable) }.boxed());
    let outcome =
        ENGINE.run(permit, &module, document("{}"), calls.clone(), Limits::default(), NOW, Control::new()).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.error.code.as_str(), failure.error.status), ("LG-AUDIT-UNAVAILABLE", 503));
    assert_eq!(calls.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_durable_receipt_lets_calls_through() {
    let calls = Arc::new(Counting::default());
    assert_eq!(output(&run(&calling(), "{}", calls.clone()).await), "null");
    assert_eq!(calls.0.load(Ordering::SeqCst), 1);
}
