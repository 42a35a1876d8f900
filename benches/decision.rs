//! One execute decision over a tenant of realistic and of large size.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lockgate_access::{TenantSnapshot, decide_execute, tenant_seed};
use lockgate_model::{
    Channel, Definition, Principal, Target, TargetKind, Timestamp,
    definition::Revision,
    id::{EnvironmentId, TargetName, TenantId, UserId},
    principal::CredentialKind,
};
use serde_json::json;

fn snapshot(users: usize, profiles: usize) -> TenantSnapshot {
    let tenant = TenantId::parse("t").unwrap();
    let mut rows: Vec<(lockgate_model::Kind, String, serde_json::Value)> =
        tenant_seed("T", &UserId::parse("admin").unwrap()).into_iter().collect();
    use lockgate_model::Kind as K;
    for p in 0..profiles {
        let body =
            json!({"title": "p", "permissions": ["integrations.execute"], "valid_in": {"environments": ["live"]}});
        rows.push((K::Profile, format!("p{p}"), body));
    }
    let listed: Vec<String> = (0..profiles).step_by(2).map(|p| format!("p{p}")).collect();
    rows.push((K::Acl, "many".into(), json!({"title": "many", "profiles": listed})));
    for u in 0..users {
        let given: Vec<String> = (0..4).map(|n| format!("p{}", (u * 7 + n * 13) % profiles)).collect();
        rows.push((K::User, format!("u{u}"), json!({"kind": "native", "profiles": given})));
    }
    rows.push((K::Assignment, "live/integrations/order".into(), json!({"acl": "many"})));
    let digest = format!("sha256:{}", "0".repeat(64));
    let deployment = json!({
        "project": "default", "version": 1, "source": digest, "publisher": "admin", "deployed_at": 0,
        "orchestrations": {"order": {"module": digest, "manifest": {"operations": [], "runs": []}, "accounts": []}},
    });
    rows.push((K::Deployment, "live/default".into(), deployment));
    let rows: Vec<Definition> = rows
        .into_iter()
        .map(|(kind, id, body)| Definition { tenant: tenant.clone(), kind, id, revision: Revision(1), body })
        .collect();
    TenantSnapshot::build(tenant, Revision(1), &rows).unwrap()
}

fn decision(c: &mut Criterion) {
    let mut group = c.benchmark_group("execute decision");
    for (users, profiles) in [(20, 10), (2_000, 200), (100_000, 1_000)] {
        let snapshot = snapshot(users, profiles);
        let mut at = 0;
        group.bench_function(BenchmarkId::from_parameter(format!("{users} users, {profiles} profiles")), |b| {
            b.iter(|| {
                at = (at + 1) % users;
                let principal = Principal {
                    tenant: snapshot.tenant().clone(),
                    user: UserId::parse(&format!("u{at}")).unwrap(),
                    credential: CredentialKind::Basic,
                    only_environment: None,
                };
                let target = Target {
                    environment: EnvironmentId::parse("live").unwrap(),
                    kind: TargetKind::Integrations,
                    name: TargetName::parse("order").unwrap(),
                };
                decide_execute(&snapshot, &principal, target, Channel::Rest, Timestamp(0)).is_allowed()
            })
        });
    }
    group.finish();
}

criterion_group!(benches, decision);
criterion_main!(benches);
