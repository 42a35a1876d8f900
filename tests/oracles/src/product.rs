//! The product's answer: the same world as rows, compiled to a snapshot, and asked.

use lockgate_access::{
    Decision, DeniedStatus, Scope, TenantSnapshot, Verdict, decide, decide_deploy, decide_execute, decide_push,
};
use lockgate_model::{
    Channel, Definition, Kind as Row, Principal, TargetKind, Timestamp, definition::Revision, id::TenantId,
    principal::CredentialKind,
};
use serde_json::{Value, json};

use crate::{
    sets::Answer,
    world::{self, Kind, Request, Valid, World},
};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn kind(kind: world::TargetKind) -> TargetKind {
    match kind {
        world::TargetKind::Orchestration => TargetKind::Integrations,
        world::TargetKind::RestApi => TargetKind::RestApis,
        world::TargetKind::SoapApi => TargetKind::SoapApis,
    }
}

/// The snapshot that the product compiles of the world's rows.
pub fn snapshot(world: &World) -> TenantSnapshot {
    let tenant: TenantId = id("acme");
    let definitions: Vec<Definition> = rows(world)
        .into_iter()
        .map(|(kind, id, body)| Definition { tenant: tenant.clone(), kind, id, revision: Revision(1), body })
        .collect();
    TenantSnapshot::build(tenant, Revision(1), &definitions).unwrap()
}

fn rows(world: &World) -> Vec<(Row, String, Value)> {
    let mut rows = vec![(Row::Tenant, "tenant".to_owned(), json!({"title": "", "suspended": world.suspended}))];
    let mut put = |kind, id: &str, body| rows.push((kind, id.to_owned(), body));
    for (order, name) in world.environments.iter().enumerate() {
        put(Row::Environment, name, json!({"title": "", "order": order}));
    }
    for (name, user) in &world.users {
        let (kind, api_allowed) = match user.kind {
            Kind::Native => ("native", false),
            Kind::Idp { calls_apis } => ("idp", calls_apis),
            Kind::Service => ("service", false),
        };
        let body = json!({"kind": kind, "enabled": user.enabled, "api_allowed": api_allowed,
            "profiles": user.profiles, "groups": user.groups});
        put(Row::User, name, body);
    }
    for (name, group) in &world.groups {
        put(Row::Group, name, json!({"profiles": group.profiles}));
    }
    for (name, profile) in &world.profiles {
        let valid = match &profile.valid {
            Valid::Everywhere => json!("all"),
            Valid::In(named) => json!({"environments": named}),
        };
        put(Row::Profile, name, json!({"title": "", "permissions": profile.permissions, "valid_in": valid}));
    }
    for (name, profiles) in &world.acls {
        put(Row::Acl, name, json!({"title": "", "profiles": profiles}));
    }
    for ((target, environment), acl) in &world.assigned {
        let place = format!("{environment}/{}/{}", kind(target.kind).as_str(), target.name);
        put(Row::Assignment, &place, json!({"acl": acl}));
    }
    for project in crate::generate::PROJECTS {
        put(Row::Project, project, json!({"title": ""}));
    }
    for (name, given) in &world.project_permissions {
        let body = json!({"permissions": given.permissions, "users": given.users, "groups": given.groups});
        put(Row::ProjectPermission, &format!("{}/{name}", given.project), body);
    }
    let digest = format!("sha256:{}", "0".repeat(64));
    for ((project, environment), deployment) in &world.deployments {
        let (mut orchestrations, mut apis) = (serde_json::Map::new(), serde_json::Map::new());
        for (of, name) in &deployment.holds {
            if *of == world::TargetKind::Orchestration {
                orchestrations.insert(name.clone(), json!({"module": digest, "manifest": {}}));
            } else {
                let behind = crate::generate::orchestration(project);
                apis.insert(name.clone(), json!({"kind": kind(*of).as_str(), "orchestration": behind.name}));
            }
        }
        let body = json!({"project": project, "version": 1, "source": digest, "publisher": deployment.publisher,
            "adopted_by": deployment.adopted.first(), "deployed_at": 0, "orchestrations": orchestrations, "apis": apis});
        put(Row::Deployment, &format!("{environment}/{project}"), body);
    }
    rows
}

fn principal(user: &str, channel: world::Channel) -> Principal {
    let credential = match channel {
        world::Channel::Console => CredentialKind::Session,
        world::Channel::Rest | world::Channel::Soap | world::Channel::Cli => CredentialKind::Basic,
        world::Channel::Schedule | world::Channel::Poll | world::Channel::SubFlow => CredentialKind::RunAs,
    };
    Principal { tenant: id("acme"), user: id(user), credential, only_environment: None }
}

fn execute(snapshot: &TenantSnapshot, asked: &world::Execute, restart: bool) -> Decision {
    let channel = match asked.channel {
        _ if restart => Channel::Restart,
        world::Channel::Rest => Channel::Rest,
        world::Channel::Soap => Channel::Soap,
        world::Channel::Cli | world::Channel::Console => Channel::Manual,
        world::Channel::Schedule => Channel::Schedule,
        world::Channel::Poll => Channel::Poll,
        world::Channel::SubFlow => Channel::SubFlow,
    };
    let called = asked.through.as_ref().unwrap_or(&asked.orchestration);
    let target =
        lockgate_model::Target { environment: id(&asked.environment), kind: kind(called.kind), name: id(&called.name) };
    decide_execute(snapshot, &principal(&asked.principal, asked.channel), target, channel, NOW)
}

/// What the product answers, and the code of the rule that decided.
pub fn answer(snapshot: &TenantSnapshot, request: &Request) -> (Answer, String) {
    let decision = match request {
        Request::Execute(asked) => execute(snapshot, asked, false),
        Request::Restart(asked) => execute(snapshot, asked, true),
        Request::Deploy(asked) => {
            let who = principal(&asked.principal, asked.channel);
            decide_deploy(snapshot, &who, id(&asked.environment), id("default"), Channel::Admin, NOW)
        }
        Request::Push(asked) => {
            let who = principal(&asked.principal, asked.channel);
            let needs = [id(&asked.permission)].into_iter().collect();
            decide_push(snapshot, &who, id(&asked.project), needs, Channel::Admin, NOW)
        }
        Request::Act { principal: user, channel, permission, environment } => {
            let scope = environment.as_ref().map_or(Scope::Tenant, |name| Scope::Environment(id(name)));
            decide(snapshot, &principal(user, *channel), id(permission), scope, Channel::Admin, NOW)
        }
    };
    let answer = match decision.verdict() {
        Verdict::Allow => Answer::Allowed,
        Verdict::Deny(DeniedStatus::NotFound) => Answer::NotFound,
        Verdict::Deny(DeniedStatus::Forbidden) => Answer::Forbidden,
        Verdict::Deny(DeniedStatus::NotPublished) => Answer::NotPublished,
    };
    (answer, decision.rule().split(' ').next().unwrap_or_default().to_owned())
}
