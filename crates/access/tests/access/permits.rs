//! Permits: from an allow verdict, with a receipt, and from nothing else. That they cannot be made,
//! copied or spent twice elsewhere is shown by the compile-fail examples of `permit.rs`.

use futures_util::FutureExt;
use lockgate_access::{
    AuditReceipt, Decision, Denied, DeniedStatus, NotDurable, Scope, Stage, decide, decide_deploy, decide_execute,
};
use lockgate_model::{Channel, Permission, RunId, TargetKind, audit::Outcome, definition::Revision, run::Phase};

use crate::tenant::*;

fn order(user: &str) -> Decision {
    decide_execute(&Tenant::story().snapshot(), &by_basic(user), target("live", "order"), Channel::Rest, NOW)
}
fn deploy(user: &str) -> Decision {
    let (environment, project) = (id("live"), id("default"));
    decide_deploy(&Tenant::story().snapshot(), &by_basic(user), environment, project, Channel::Admin, NOW)
}
fn control(user: &str) -> Decision {
    let scope = Scope::Environment(id("live"));
    decide(&Tenant::story().snapshot(), &by_basic(user), Permission::RunsControl, scope, Channel::Admin, NOW)
}
fn denied<T: std::fmt::Debug>(result: Result<T, Denied>) -> (DeniedStatus, String) {
    let denied = result.unwrap_err();
    (denied.status, denied.rule)
}
fn forbidden(rule: &str) -> (DeniedStatus, String) {
    (DeniedStatus::Forbidden, rule.to_owned())
}

#[test]
fn a_denial_gives_no_permit() {
    let run = Some(RunId::new());
    assert_eq!(denied(order("nobody").permit(receipt(run))), (DeniedStatus::NotFound, "user.unknown".to_owned()));
    assert_eq!(denied(order("root").permit(receipt(run))), forbidden("execute.not-on-acl acl=callers"));
    assert_eq!(denied(order("root").permit(receipt(None))), forbidden("execute.not-on-acl acl=callers"));
    assert_eq!(denied(deploy("bob").deploy_permit(receipt(None))), forbidden("deploy.no-permission environment=live"));
}

#[test]
fn a_receipt_without_a_run_gives_no_execute_permit() {
    assert_eq!(denied(order("bob").permit(receipt(None))), forbidden("permit.no-run"));
}

#[test]
fn a_decision_on_one_act_gives_no_permit_for_another() {
    let run = Some(RunId::new());
    assert_eq!(denied(control("pat").permit(receipt(run))), forbidden("permit.wrong-act"));
    assert_eq!(denied(deploy("pat").permit(receipt(run))), forbidden("permit.wrong-act"));
    assert_eq!(denied(order("bob").deploy_permit(receipt(run))), forbidden("permit.wrong-act"));
    assert_eq!(denied(control("pat").deploy_permit(receipt(run))), forbidden("permit.wrong-act"));
}

#[test]
fn deploying_unchecked_gives_no_permit() {
    assert_eq!(denied(deploy("pat").deploy_permit(receipt(None))), forbidden("deploy.unchecked"));
}

#[test]
fn the_permit_names_what_was_decided() {
    let run = RunId::new();
    let permit = order("bob").permit(receipt(Some(run))).unwrap();
    assert_eq!((permit.tenant(), permit.environment().as_str()), (&tenant(), "live"));
    assert_eq!((permit.target().kind, permit.target().name.as_str()), (TargetKind::Integrations, "order"));
    assert_eq!((permit.module(), permit.run(), permit.revision()), (module_of("order"), run, Revision(7)));
    assert_eq!(permit.principal(), &by_basic("bob"));
    assert_eq!(permit.receipt().durable().now_or_never(), Some(Ok(())));
}

#[test]
fn what_is_restarted_stands_in_the_entry_and_in_the_record() {
    let (old, new) = (RunId::new(), RunId::new());
    for who in ["bob", "root"] {
        let decision = order(who).of_restart(old);
        let named: Vec<_> = decision.entries(None).into_iter().map(|entry| entry.detail["restarts"].clone()).collect();
        assert_eq!(named, [old.to_string()], "{who}, allowed or not");
        assert_eq!(decision.record(new).unwrap().restarts, Some(old));
    }
    assert_eq!(order("bob").record(new).unwrap().restarts, None);
}

#[test]
fn the_deploy_permit_carries_the_row() {
    let version = deployment("default", "pat", &["order"]);
    let decision = deploy("pat").covered(version.clone(), &Default::default(), &Stage::default());
    let permit = decision.deploy_permit(receipt(None)).unwrap();
    assert_eq!(
        (permit.deployment(), permit.project().as_str(), permit.environment().as_str()),
        (&version, "default", "live")
    );
    assert_eq!(permit.durability().now_or_never(), Some(Ok(())));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test stands in for the store")]
fn an_entry_that_is_lost_is_known_to_all_who_wait() {
    let receipt = AuditReceipt::issue(Some(RunId::new()), Box::pin(async { Err(NotDurable) }));
    let waiting = receipt.durability();
    let permit = order("bob").permit(receipt).unwrap();
    assert_eq!(permit.receipt().durable().now_or_never(), Some(Err(NotDurable)));
    assert_eq!(waiting.clone().now_or_never(), Some(Err(NotDurable)));
    assert_eq!(waiting.now_or_never(), Some(Err(NotDurable)));
}

#[test]
fn both_of_two_decisions_are_needed() {
    let both = |first: Decision, then: Decision| Answer::of(&first.and_also(then));
    assert_eq!(both(control("pat"), order("bob")), (E403, "decision.mixed"), "of two principals");
    assert_eq!(both(control("bob"), order("bob")), (E403, "administer.no-permission permission=runs-control"));
    assert_eq!(both(control("root"), order("root")), (E403, "execute.not-on-acl acl=callers"));
    let old = Tenant::story();
    let scope = Scope::Environment(id("live"));
    let read =
        |snapshot| decide(&snapshot, &by_basic("bob"), Permission::IntegrationsExecute, scope, Channel::Admin, NOW);
    let newer = lockgate_access::TenantSnapshot::build(tenant(), Revision(8), &old.definitions()).unwrap();
    assert_eq!(both(read(newer), order("bob")), (E403, "decision.mixed"), "of two revisions");
}

#[test]
fn what_runs_is_what_was_asked_last() {
    let scope = Scope::Environment(id("live"));
    let first = decide(
        &Tenant::story().snapshot(),
        &by_basic("bob"),
        Permission::IntegrationsExecute,
        scope,
        Channel::Admin,
        NOW,
    );
    let both = first.and_also(order("bob"));
    assert_eq!(both.entries(None).iter().map(|e| e.event.as_str()).collect::<Vec<_>>(), ["administer", "execute"]);
    assert_eq!(both.permit(receipt(Some(RunId::new()))).unwrap().module(), module_of("order"));
}

#[test]
fn the_entry_and_the_record_tell_of_the_decision() {
    let run = RunId::new();
    let allowed = order("bob");
    let entry = &allowed.entries(Some(run))[0];
    assert_eq!((entry.event.as_str(), entry.outcome, entry.principal.as_str()), ("execute", Outcome::Allowed, "bob"));
    assert_eq!((entry.object.as_str(), entry.revision, entry.run), ("live/integrations/order", 7, Some(run)));
    assert_eq!(entry.rule, "execute.allowed profile=caller acl=callers");
    assert_eq!((entry.digest, entry.at, entry.channel), (Some(module_of("order")), NOW, Some(Channel::Rest)));
    let record = allowed.record(run).unwrap();
    assert_eq!((record.phase, record.version, record.module), (Phase::Running, 4, Some(module_of("order"))));
    assert_eq!((record.decision.as_str(), record.ended), (allowed.rule(), None));

    let refused = order("root");
    assert_eq!(refused.entries(None)[0].outcome, Outcome::Denied);
    let record = refused.record(run).unwrap();
    assert_eq!((record.phase, record.module, record.ended), (Phase::Denied, None, Some(NOW)));
    assert!(control("pat").record(run).is_none(), "an administrative act is no run");
    let entry = &control("pat").entries(None)[0];
    assert_eq!((entry.object.as_str(), entry.detail["permission"].as_str()), ("environment/live", "runs-control"));
}
