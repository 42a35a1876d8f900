//! The product's answer: the same world as rows, compiled to a snapshot and credentials, and asked. After a change
//! the snapshot is made of the one before, as a server makes it.

use std::collections::BTreeMap;

use lockgate_access::{
    Bound, Decision, DeniedStatus, Scope, Stage, TenantSnapshot, Verdict, decide, decide_adopt, decide_console,
    decide_deploy, decide_execute, decide_push, decide_support, decide_undeploy,
};
use lockgate_identity::{ApiKey, Credential, Credentials, DigestKey, Hash, PasswordPolicy, StoredKey};
use lockgate_model::{
    Channel, Definition, Digest, Kind as Row, Permission, Principal, TargetKind, Timestamp,
    definition::{AccountBinding, Deployment, Revision},
    id::AccountName,
    principal::CredentialKind,
};
use serde_json::{Value, json};

use crate::{
    sets::{self, Answer},
    world::{self, Caller, Kind, Place, Request, Valid, World},
};

const TENANT: &str = "acme";
const NOW: Timestamp = Timestamp(world::NOW);

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

/// A row: its kind, its id and its body.
pub type RowOf = (Row, String, Value);

/// What rows hold that no decision asks about: made up here, true where a server answers.
pub struct Filling {
    /// Keys the digests of API keys.
    pub digest_key: DigestKey,
    /// Everybody's password.
    pub password: Option<Hash>,
    /// The sources of each project, and what its version holds of them.
    pub sources: BTreeMap<String, Sources>,
    /// The module of each orchestration.
    pub modules: BTreeMap<String, Digest>,
}

/// What was pushed of a project.
#[derive(Clone)]
pub struct Sources {
    /// Digest of the sources.
    pub digest: Digest,
    /// The objects they hold.
    pub objects: BTreeMap<String, Digest>,
}

impl Filling {
    /// Made up.
    fn none() -> Self {
        Self { digest_key: digest_key(), password: None, sources: BTreeMap::new(), modules: BTreeMap::new() }
    }
}

/// A tenant as a server has it.
pub struct Tenant {
    /// For decisions.
    pub snapshot: TenantSnapshot,
    /// For authentication.
    pub credentials: Credentials,
    rows: BTreeMap<(Row, String), Value>,
}

impl Tenant {
    /// Of all rows.
    pub fn new(world: &World) -> Self {
        let rows = rows(world, &Filling::none()).into_iter().map(|(kind, id, body)| ((kind, id), body)).collect();
        Self { snapshot: snapshot(world), credentials: credentials(world), rows }
    }

    /// After a change.
    pub fn follow(&mut self, world: &World) {
        let rows: BTreeMap<_, _> =
            rows(world, &Filling::none()).into_iter().map(|(kind, id, body)| ((kind, id), body)).collect();
        let puts: Vec<_> = rows
            .iter()
            .filter(|(key, body)| self.rows.get(key) != Some(body))
            .map(|((kind, id), body)| (*kind, id.clone(), body.clone()))
            .collect();
        let deletes: Vec<_> = self.rows.keys().filter(|key| !rows.contains_key(key)).cloned().collect();
        let revision = self.snapshot.revision().next();
        self.snapshot = self.snapshot.follow(revision, &puts, &deletes).unwrap();
        let puts: Vec<_> = puts.into_iter().map(|row| definition(TENANT, row)).collect();
        self.credentials = self.credentials.follow(revision, &puts, &deletes).unwrap();
        self.rows = rows;
    }
}

/// What the product knows of the world's users and keys.
pub fn credentials(world: &World) -> Credentials {
    Credentials::build(id(TENANT), Revision(1), &definitions(TENANT, world)).unwrap()
}

/// The snapshot that the product compiles of the world's rows.
pub fn snapshot(world: &World) -> TenantSnapshot {
    TenantSnapshot::build(id(TENANT), Revision(1), &definitions(TENANT, world)).unwrap()
}

/// The world's rows, for a tenant of this name.
pub fn definitions(tenant: &str, world: &World) -> Vec<Definition> {
    rows(world, &Filling::none()).into_iter().map(|row| definition(tenant, row)).collect()
}

/// A row of a tenant, at the first revision.
pub fn definition(tenant: &str, (kind, row, body): RowOf) -> Definition {
    Definition { tenant: id(tenant), kind, id: row, revision: Revision(1), body }
}

/// The world's rows.
pub fn rows(world: &World, filling: &Filling) -> Vec<RowOf> {
    let mut rows = vec![(Row::Tenant, "tenant".to_owned(), json!({"title": "", "suspended": world.suspended}))];
    let mut put = |kind, id: &str, body| rows.push((kind, id.to_owned(), body));
    for (order, name) in world.environments.iter().enumerate() {
        let needs_green_run = world.ask_for_green_run.contains(name);
        put(Row::Environment, name, json!({"title": "", "order": order + 2, "needs_green_run": needs_green_run}));
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
        if user.second_factor || filling.password.is_some() {
            let mut credential = if user.second_factor { with_second_factor() } else { Credential::default() };
            credential.password.clone_from(&filling.password);
            put(Row::Credential, name, serde_json::to_value(credential).unwrap());
        }
    }
    let policy = PasswordPolicy { second_factor: world.asks_second_factor, ..PasswordPolicy::default() };
    put(Row::PasswordPolicy, "password-policy", serde_json::to_value(policy).unwrap());
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
    let digest = digest();
    for project in crate::generate::PROJECTS {
        let held: Vec<_> = world.pushed.iter().filter(|target| target.project == project).collect();
        put(Row::Project, project, json!({"title": "", "head": u8::from(!held.is_empty())}));
        if !held.is_empty() {
            let (flows, apis): (Vec<_>, Vec<_>) =
                held.into_iter().partition(|target| target.kind == world::TargetKind::Orchestration);
            let made_up = || Sources {
                digest,
                objects: apis.iter().map(|api| (format!("{}/{}", kind(api.kind).as_str(), api.name), digest)).collect(),
            };
            let Sources { digest: source, objects } = filling.sources.get(project).cloned().unwrap_or_else(made_up);
            let names: Vec<_> = flows.iter().map(|flow| flow.name.clone()).collect();
            let body = json!({"source": source, "bundle": digest, "pushed_by": "u0", "pushed_at": 0,
                "objects": objects, "orchestrations": names});
            put(Row::ProjectVersion, &format!("{project}/{:010}", 1), body);
        }
    }
    for (name, given) in &world.project_permissions {
        let body = json!({"permissions": given.permissions, "users": given.users, "groups": given.groups});
        put(Row::ProjectPermission, &format!("{}/{name}", given.project), body);
    }
    for (name, grant) in &world.support {
        let body = json!({"environments": grant.environments, "given_by": grant.giver, "from": hour(grant.from),
            "until": hour(grant.until)});
        put(Row::SupportGrant, name, body);
    }
    for ((project, environment), deployment) in &world.deployments {
        let (mut orchestrations, mut apis) = (serde_json::Map::new(), serde_json::Map::new());
        for (of, name) in &deployment.holds {
            if *of == world::TargetKind::Orchestration {
                let module = filling.modules.get(name).unwrap_or(&digest);
                orchestrations.insert(name.clone(), json!({"module": module, "manifest": {}}));
            } else {
                let behind = crate::generate::orchestration(project);
                apis.insert(name.clone(), json!({"kind": kind(*of).as_str(), "orchestration": behind.name}));
            }
        }
        let body = json!({"project": project, "version": 1, "source": digest, "publisher": deployment.publisher,
            "adopted_by": deployment.adopted.first(), "deployed_at": 0, "orchestrations": orchestrations, "apis": apis});
        put(Row::Deployment, &format!("{environment}/{project}"), body);
    }
    for (name, key) in &world.keys {
        let (user, environment, targets) = (id(&key.user), key.environment.as_deref().map(id), &key.targets);
        let stored = StoredKey {
            environment,
            targets: targets.iter().map(|name| id(name)).collect(),
            expires: key.ends.map(Timestamp),
            ..shown(name, true).stored(&filling.digest_key, user)
        };
        put(Row::ApiKey, name, serde_json::to_value(stored).unwrap());
    }
    rows
}

/// Of a user whose authenticator has shown a code.
fn with_second_factor() -> Credential {
    serde_json::from_value(json!({"second_factor": {"sealed": null, "last_step": 1}})).unwrap()
}

fn digest_key() -> DigestKey {
    DigestKey::new([7; 32])
}

/// A key with its secret, or with another.
pub fn shown(name: &str, right: bool) -> ApiKey {
    ApiKey::parse(&format!("lgk_{name}_{}", if right { "5" } else { "6" }.repeat(64))).unwrap()
}

fn digest() -> Digest {
    id(&format!("sha256:{}", "0".repeat(64)))
}

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_ms(hours * 3_600_000)
}

/// As `identity` makes it.
fn operator() -> Principal {
    let (tenant, user, credential) = (id(TENANT), id("operator"), CredentialKind::Support);
    Principal { tenant, user, credential, only_environment: None, only_targets: Vec::new() }
}

/// Who it is found to be; `None` for 401.
fn principal(credentials: &Credentials, caller: &Caller) -> Option<Principal> {
    let session = || credentials.session(&id(&caller.principal)).map(|found| found.credential);
    let credential = match caller.channel {
        // Whom no session would be given is asked as if it had one.
        world::Channel::Console => session().unwrap_or(CredentialKind::Session),
        world::Channel::Schedule | world::Channel::Poll | world::Channel::SubFlow => CredentialKind::RunAs,
        _ => CredentialKind::Basic,
    };
    let tenant = id(if caller.foreign { "other" } else { TENANT });
    let by_name =
        Principal { tenant, user: id(&caller.principal), credential, only_environment: None, only_targets: Vec::new() };
    match &caller.key {
        // A sub-flow is asked as the principal of its caller, whose key may be narrowed.
        Some(key) => credentials.api_key(&shown(&key.name, key.right), &digest_key(), NOW).ok(),
        None => Some(by_name),
    }
}

fn execute(snapshot: &TenantSnapshot, who: &Principal, asked: &world::Execute, restart: bool) -> Decision {
    let channel = match asked.caller.channel {
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
    decide_execute(snapshot, who, target, channel, NOW)
}

/// As the use case asks: the right alone; then, where another is named to run as, the right to name;
/// then what was compiled.
fn deploy(snapshot: &TenantSnapshot, who: &Principal, asked: &world::Deploy) -> Decision {
    let first = || decide_deploy(snapshot, who, id(&asked.environment), id(&asked.project), Channel::Admin, NOW);
    if !first().is_allowed() {
        return first();
    }
    let named = asked.run_as.as_ref().filter(|named| **named != asked.caller.principal);
    let decision = match named {
        Some(_) => {
            decide(snapshot, who, Permission::AccessControl, Scope::Tenant, Channel::Admin, NOW).and_also(first())
        }
        None => first(),
    };
    let declared = asked.needs.iter().map(|(account, connector, scheme)| {
        let mut operation = json!({"connector": connector, "operation": "post", "version": "1",
            "account": {"declared": account}});
        if let Some(scheme) = scheme {
            operation["scheme"] = json!(scheme);
        }
        operation
    });
    let literal = asked.hosts.iter().map(|host| {
        json!({"connector": "https", "operation": "get", "version": "1", "account": {"origin": format!("https://{host}")},
            "detail": ["/orders"]})
    });
    let operations: Vec<_> = declared.chain(literal).collect();
    let manifest = json!({"operations": operations, "runs": []});
    let flow = crate::generate::orchestration(&asked.project).name;
    let body = json!({"project": asked.project, "version": 1, "source": digest(), "publisher": asked.caller.principal,
        "run_as": named, "deployed_at": 0, "orchestrations": {flow: {"module": digest(), "manifest": manifest}}});
    let deployment: Deployment = serde_json::from_value(body).unwrap();
    let bindings: BTreeMap<AccountName, AccountBinding> = asked
        .bound
        .iter()
        .map(|(name, binding)| {
            let settings: BTreeMap<_, _> = binding.scheme.iter().map(|scheme| ("auth", scheme)).collect();
            let address = format!("{}://{}", binding.connector, binding.host);
            let body = json!({"connector": binding.connector, "address": address, "identity": "system",
                "settings": settings});
            (id(name), serde_json::from_value(body).unwrap())
        })
        .collect();
    let bound: Bound = bindings.iter().map(|(name, binding)| (name.clone(), binding)).collect();
    let stage = Stage { green: asked.green.then(digest).into_iter().collect() };
    decision.covered(deployment, &bound, &stage)
}

/// What the product answers, and the code of the rule that decided.
pub fn answer(snapshot: &TenantSnapshot, credentials: &Credentials, request: &Request) -> (Answer, String) {
    let who = match sets::caller(request).map(|caller| principal(credentials, caller)) {
        Some(Some(who)) => who,
        Some(None) => return (Answer::Unknown, "401".to_owned()),
        None => operator(),
    };
    let decision = match request {
        Request::Look { permission, environment, at } => {
            decide_support(snapshot, &who, id(permission), id(environment), hour(*at))
        }
        Request::Execute(asked) => execute(snapshot, &who, asked, false),
        Request::Restart(asked) => execute(snapshot, &who, asked, true),
        Request::Deploy(asked) => deploy(snapshot, &who, asked),
        Request::Adopt { environment, project, ends, .. } => {
            let decide = if *ends { decide_undeploy } else { decide_adopt };
            decide(snapshot, &who, id(environment), id(project), Channel::Admin, NOW)
        }
        Request::Push(asked) => {
            let needs = [id(&asked.permission)].into_iter().collect();
            decide_push(snapshot, &who, id(&asked.project), needs, Channel::Admin, NOW)
        }
        Request::Act { permission, at, .. } => {
            let scope = match at {
                Place::Tenant => Scope::Tenant,
                Place::Environment(name) => Scope::Environment(id(name)),
                Place::Project(name) => Scope::Project(id(name)),
            };
            decide(snapshot, &who, id(permission), scope, Channel::Admin, NOW)
        }
        Request::Console(_) => decide_console(snapshot, &who, Channel::Admin, NOW),
    };
    let answer = match decision.verdict() {
        Verdict::Allow => Answer::Allowed,
        Verdict::Deny(DeniedStatus::NotFound) => Answer::NotFound,
        Verdict::Deny(DeniedStatus::Forbidden) => Answer::Forbidden,
        Verdict::Deny(DeniedStatus::NotPublished) => Answer::NotPublished,
    };
    (answer, decision.rule().split(' ').next().unwrap_or_default().to_owned())
}
