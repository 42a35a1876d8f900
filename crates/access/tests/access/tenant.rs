//! A tenant under test: its rows as typed values that a test bends, and the questions it asks.

use std::collections::BTreeMap;

use lockgate_access::{
    AuditReceipt, Decision, DeniedStatus, NotDurable, TenantSnapshot, Verdict, decide_execute, tenant_seed,
};
use lockgate_model::{
    Channel, Definition, Digest, Kind, Manifest, Permission, Principal, RunId, Target, TargetKind, Timestamp,
    definition::{
        Acl, Assignment, DeployedApi, DeployedModule, Deployment, Group, Profile, Revision, Unreadable, User, ValidIn,
    },
    id::TenantId,
    principal::{CredentialKind, UserKind},
};
use serde::{Serialize, de::DeserializeOwned};

pub const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
pub const ALLOW: Verdict = Verdict::Allow;
pub const E404: Verdict = Verdict::Deny(DeniedStatus::NotFound);
pub const E403: Verdict = Verdict::Deny(DeniedStatus::Forbidden);
pub const E409: Verdict = Verdict::Deny(DeniedStatus::NotPublished);

pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
pub fn ids<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| id(text)).collect()
}

/// Rows by kind and id.
#[derive(Clone, Default)]
pub struct Tenant(pub BTreeMap<(Kind, String), serde_json::Value>);

impl Tenant {
    /// The first rows of a tenant, with `root` as its administrator.
    pub fn seeded() -> Self {
        Self(tenant_seed("Acme", &id("root")).into_iter().map(|(kind, id, body)| ((kind, id), body)).collect())
    }

    /// The story of the crate's page: `bob` holds `caller`, valid in `live` with
    /// `integrations.execute`; the list `callers` names it; `order` uses that list in `live`, where
    /// `pat`, who holds `devops`, deployed it. The REST API `orders` stands in front of it.
    pub fn story() -> Self {
        let mut tenant = Self::seeded();
        tenant.profile("caller", &[Permission::IntegrationsExecute, Permission::RestApisExecute], Some(&["live"]));
        tenant.put(Kind::Acl, "callers", &Acl { title: String::new(), profiles: ids(&["caller"]) });
        tenant.user("bob", UserKind::Native, &["caller"]);
        tenant.user("pat", UserKind::Native, &["devops"]);
        tenant.deploy("live", "default", "pat", &["order"]);
        tenant.assign("live/integrations/order", "callers");
        tenant
    }

    pub fn put(&mut self, kind: Kind, id: &str, body: &impl Serialize) {
        self.0.insert((kind, id.to_owned()), serde_json::to_value(body).unwrap());
    }
    pub fn remove(&mut self, kind: Kind, id: &str) {
        assert!(self.0.remove(&(kind, id.to_owned())).is_some(), "{kind} {id} was not there");
    }
    pub fn edit<T: Serialize + DeserializeOwned>(&mut self, kind: Kind, id: &str, edit: impl FnOnce(&mut T)) {
        let row = self.0.get_mut(&(kind, id.to_owned())).unwrap();
        let mut body: T = serde_json::from_value(row.clone()).unwrap();
        edit(&mut body);
        *row = serde_json::to_value(body).unwrap();
    }

    pub fn user(&mut self, name: &str, kind: UserKind, profiles: &[&str]) {
        let user = User {
            kind,
            title: String::new(),
            enabled: true,
            api_allowed: false,
            profiles: ids(profiles),
            groups: Vec::new(),
        };
        self.put(Kind::User, name, &user);
    }
    pub fn group(&mut self, name: &str, profiles: &[&str]) {
        self.put(Kind::Group, name, &Group { title: String::new(), profiles: ids(profiles) });
    }
    /// `environments`: `None` for all.
    pub fn profile(&mut self, name: &str, permissions: &[Permission], environments: Option<&[&str]>) {
        let valid_in = environments.map_or(ValidIn::All, |named| ValidIn::Environments(ids(named)));
        let permissions = permissions.iter().copied().collect();
        self.put(Kind::Profile, name, &Profile { title: String::new(), permissions, valid_in });
    }
    pub fn assign(&mut self, place: &str, acl: &str) {
        self.put(Kind::Assignment, place, &Assignment { acl: id(acl) });
    }
    pub fn deploy(&mut self, environment: &str, project: &str, publisher: &str, orchestrations: &[&str]) {
        let deployment = deployment(project, publisher, orchestrations);
        self.put(Kind::Deployment, &format!("{environment}/{project}"), &deployment);
    }
    /// Puts an API in front of an orchestration of the deployment in `live`.
    pub fn api(&mut self, name: &str, kind: TargetKind, orchestration: &str) {
        self.edit(Kind::Deployment, "live/default", |d: &mut Deployment| {
            d.apis.insert(id(name), DeployedApi { kind, orchestration: id(orchestration) });
        });
    }

    pub fn definitions(&self) -> Vec<Definition> {
        let row = |((kind, id), body): (&(Kind, String), &serde_json::Value)| Definition {
            tenant: tenant(),
            kind: *kind,
            id: id.clone(),
            revision: Revision(3),
            body: body.clone(),
        };
        self.0.iter().map(row).collect()
    }
    pub fn build(&self) -> Result<TenantSnapshot, Unreadable> {
        TenantSnapshot::build(tenant(), Revision(7), &self.definitions())
    }
    pub fn snapshot(&self) -> TenantSnapshot {
        self.build().unwrap()
    }

    /// May the user execute `live/integrations/order` by REST?
    pub fn order(&self, user: &str) -> Answer {
        self.execute(&by_basic(user), target("live", "order"), Channel::Rest)
    }
    pub fn execute(&self, principal: &Principal, target: Target, channel: Channel) -> Answer {
        Answer::of(&decide_execute(&self.snapshot(), principal, target, channel, NOW))
    }
}

/// Verdict and rule: what a test compares.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer(pub Verdict, pub String);

impl Answer {
    pub fn of(decision: &Decision) -> Self {
        Self(decision.verdict(), decision.rule().to_owned())
    }
}
impl PartialEq<(Verdict, &str)> for Answer {
    fn eq(&self, other: &(Verdict, &str)) -> bool {
        (self.0, self.1.as_str()) == *other
    }
}

pub fn tenant() -> TenantId {
    id("acme")
}
pub fn principal(user: &str, credential: CredentialKind) -> Principal {
    Principal { tenant: tenant(), user: id(user), credential, only_environment: None, only_targets: Vec::new() }
}
pub fn by_basic(user: &str) -> Principal {
    principal(user, CredentialKind::Basic)
}
pub fn by_session(user: &str) -> Principal {
    principal(user, CredentialKind::Session)
}
pub fn target(environment: &str, name: &str) -> Target {
    Target { environment: id(environment), kind: TargetKind::Integrations, name: id(name) }
}
pub fn rest(environment: &str, name: &str) -> Target {
    Target { kind: TargetKind::RestApis, ..target(environment, name) }
}
pub fn module_of(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}
pub fn deployment(project: &str, publisher: &str, orchestrations: &[&str]) -> Deployment {
    let module = |name: &&str| {
        let module = DeployedModule { module: module_of(name), manifest: Manifest::default(), accounts: Vec::new() };
        (id(name), module)
    };
    Deployment {
        project: id(project),
        version: 4,
        source: Digest::of(project.as_bytes()),
        publisher: id(publisher),
        adopted_by: None,
        run_as: None,
        deployed_at: NOW,
        restores: None,
        orchestrations: orchestrations.iter().map(module).collect(),
        apis: BTreeMap::new(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test stands in for the store")]
pub fn receipt(run: Option<RunId>) -> AuditReceipt {
    AuditReceipt::issue(run, Box::pin(async { Ok::<(), NotDurable>(()) }))
}
