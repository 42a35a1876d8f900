//! A generated tenant on the server. Rows come by the admin API where there is a route for what differs, so that its
//! answer promises that the change is decided on; and through the store, with a key as a mark to wait for, where there
//! is none: what is deployed by whom, keys with a given id, second factors.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use lockgate_access::{Bound, Decision, Stage, TenantSnapshot, decide_adopt, decide_deploy, decide_undeploy};
use lockgate_model::{
    Channel, Digest, Kind as Row, Principal, Timestamp,
    audit::{Entry, Outcome},
    definition::Deployment,
    id::{EnvironmentId, ProjectId, TenantId, UserId},
    principal::CredentialKind,
    run::Phase,
};
use lockgate_oracles::{
    generate::{ENVIRONMENTS, PROJECTS, orchestration},
    product::{Filling, definition, rows, shown},
    world::{Deployment as Published, Key, Kind, NOW, Name, Names, Profile, User, Valid, World},
};
use lockgate_store::{Change, Put, RunQuery, Store as _};
use serde_json::{Value, json};

use crate::{
    Shared,
    projects::{HOLDER, TAKEN},
    server::{Ask, By, Line, PASSWORD, Server, Told},
};

/// The user who may change the tenant, its profile and its key.
pub const ROOT: &str = "root";
/// Permissions of its profile.
const OF_ROOT: [&str; 6] =
    ["user-management", "access-control", "stages-administer", "deploy", "runs-control", "integrations.execute"];

/// A tenant, and what is known of it that its rows do not tell.
pub struct Tenant<'s> {
    pub server: &'s Server,
    pub id: String,
    pub line: Line,
    /// The session of each user that has one.
    pub sessions: BTreeMap<Name, String>,
    /// A run of each orchestration, by environment and project.
    pub runs: BTreeMap<(Name, Name), String>,
    /// A session of another tenant.
    pub foreign: String,
    /// Changes that were made by the admin API, and those by the store.
    pub changes: [usize; 2],
    filling: Filling,
    rows: BTreeMap<(Row, String), Value>,
    suspended: bool,
    /// The key that came last by the store.
    mark: Option<String>,
}

/// The world with somebody who may change it, and a key for each user that may do what its user may.
pub fn complete(world: &mut World) {
    let permissions = OF_ROOT.map(str::to_owned).into();
    world.profiles.insert(ROOT.to_owned(), Profile { permissions, valid: Valid::Everywhere });
    let profiles = [ROOT.to_owned()].into();
    let root = User { kind: Kind::Native, enabled: true, second_factor: false, profiles, groups: Names::new() };
    world.users.insert(ROOT.to_owned(), root);
    for user in world.users.keys() {
        let key = Key { user: user.clone(), environment: None, targets: Names::new(), ends: None };
        world.keys.insert(own_key(user), key);
    }
}

/// By what the key of a user is named.
pub fn own_key(user: &str) -> Name {
    format!("own-{user}")
}

/// The same tenant when everybody may still sign in, and ROOT may run everything.
fn before(world: &World) -> World {
    let mut world = World { suspended: false, asks_second_factor: false, ..world.clone() };
    world.ask_for_green_run.clear();
    for user in world.users.values_mut() {
        (user.kind, user.enabled, user.second_factor) = (Kind::Native, true, false);
    }
    world.acls.get_mut("default").unwrap().insert(ROOT.to_owned());
    for project in PROJECTS {
        let flow = orchestration(project);
        for environment in ENVIRONMENTS {
            world.assigned.insert((flow.clone(), environment.to_owned()), "default".to_owned());
            let holds = [(flow.kind, flow.name.clone())].into();
            let deployment = Published { publisher: ROOT.to_owned(), adopted: Names::new(), holds };
            world.deployments.insert((project.to_owned(), environment.to_owned()), deployment);
        }
    }
    world
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A key, as it is shown.
pub fn bearer(key: &str, right: bool) -> By {
    By::Bearer(shown(key, right).expose())
}

impl<'s> Tenant<'s> {
    /// Puts a tenant on the server. Its users have signed in and its orchestrations have run before its rights are
    /// those of the world.
    pub async fn begin(server: &'s Server, shared: &Shared, id: String, world: &World) -> Self {
        let tenant: TenantId = id.parse().unwrap();
        let filling = Filling {
            digest_key: server.digest_key(&tenant),
            password: Some(shared.password.clone()),
            sources: shared.projects.sources(),
            modules: shared.projects.modules(),
        };
        let (line, rows, suspended) = (server.line().await, BTreeMap::new(), false);
        let (sessions, runs) = Default::default();
        let foreign = shared.foreign.clone();
        let mut new =
            Self { server, id, line, sessions, runs, foreign, changes: [0; 2], filling, rows, suspended, mark: None };
        let made = json!({"id": new.id, "title": "", "administrator": ROOT});
        let told = new.operate("POST", "/operator/tenants".to_owned(), made).await;
        assert_eq!(told.status, 200, "{told:?}");
        shared.projects.store(&server.store, &tenant).await;
        let (_, seed) = server.store.definitions(&tenant).await.unwrap();
        let seed = seed.into_iter().map(|row| ((row.kind, row.id), row.body));
        new.rows = seed.filter(|(row, _)| row.0 != Row::Tenant).collect();
        let before = before(world);
        let wanted = new.wanted(&before);
        new.by_store(wanted).await;
        new.sign_in(&before).await;
        new.run_all().await;
        new.follow(world).await;
        new
    }

    fn wanted(&self, world: &World) -> BTreeMap<(Row, String), Value> {
        let none = Digest::of(b"");
        let version = json!({"source": none, "bundle": none, "pushed_by": ROOT, "pushed_at": 0, "objects": {},
            "orchestrations": [TAKEN]});
        let holder = [
            (Row::Project, HOLDER.to_owned(), json!({"title": "", "head": 1})),
            (Row::ProjectVersion, format!("{HOLDER}/{:010}", 1), version),
        ];
        // The tenant's own row is the operator's.
        let of_world = rows(world, &self.filling).into_iter().filter(|(kind, ..)| *kind != Row::Tenant);
        of_world.chain(holder).map(|(kind, id, body)| ((kind, id), body)).collect()
    }

    /// The world is what an answer of the server has made of it.
    pub fn became(&mut self, world: &World) {
        self.rows = self.wanted(world);
    }

    /// Makes the tenant what the world is now.
    pub async fn follow(&mut self, world: &World) {
        let wanted = self.wanted(world);
        if self.suspended != world.suspended {
            let told =
                self.operate("PUT", format!("/operator/tenants/{}", self.id), json!({"suspended": world.suspended}));
            assert_eq!(told.await.status, 204);
            self.suspended = world.suspended;
        }
        if wanted != self.rows {
            let by_api = !world.suspended && self.by_api(&wanted).await;
            if by_api {
                self.changes[0] += 1;
                self.rows = wanted;
            } else {
                self.by_store(wanted).await;
            }
        }
        self.sign_in(world).await;
    }

    /// Makes rows so by the admin API; no where it has no route for one of them, or keeps what is named elsewhere.
    async fn by_api(&self, wanted: &BTreeMap<(Row, String), Value>) -> bool {
        let gone: Vec<_> = self.rows.keys().filter(|row| !wanted.contains_key(*row)).collect();
        let user_goes = gone.iter().any(|(kind, _)| *kind == Row::User);
        let puts = wanted.iter().filter(|(row, body)| self.rows.get(*row) != Some(*body));
        let mut items: Vec<Value> = Vec::new();
        for ((kind, id), body) in puts.map(|(row, body)| (row, Some(body))).chain(gone.iter().map(|row| (*row, None))) {
            match kind {
                Row::Environment | Row::User | Row::Group | Row::Profile | Row::Acl => {}
                Row::Assignment | Row::ProjectPermission => {}
                Row::Credential | Row::ApiKey | Row::SupportGrant if body.is_none() && user_goes => continue,
                _ => return false,
            }
            items.push(json!({"kind": kind.as_str(), "id": id, "body": body}));
        }
        let body = Some(json!({"items": items}).to_string());
        let path = format!("/admin/v1/tenants/{}/apply", self.id);
        let ask = Ask { by: bearer(&own_key(ROOT), true), method: "POST", path, only_if: None, body };
        let told = self.server.ask(&self.line, &ask).await;
        assert!(matches!(told.status, 200 | 204 | 409), "{ask:?}: {told:?}");
        told.status != 409
    }

    async fn by_store(&mut self, wanted: BTreeMap<(Row, String), Value>) {
        let deployment = |row: &(Row, String)| row.0 == Row::Deployment;
        let differ = wanted.iter().filter(|(row, body)| self.rows.get(*row) != Some(*body));
        let (deployed, puts): (Vec<_>, Vec<_>) = differ.partition(|(row, _)| deployment(row));
        let gone = self.rows.keys().filter(|row| !wanted.contains_key(*row));
        let (ended, deletes): (Vec<_>, Vec<_>) = gone.cloned().partition(deployment);
        let puts = puts.into_iter().map(|((kind, id), body)| Put { kind: *kind, id: id.clone(), body: body.clone() });
        self.commit(puts.collect(), deletes).await;
        for (_, place) in &ended {
            self.publish(place, None).await;
        }
        for ((_, place), body) in deployed {
            self.publish(place, Some(serde_json::from_value(body.clone()).unwrap())).await;
        }
        self.changes[1] += 1;
        self.wait().await;
        self.rows = wanted;
    }

    fn change(&self, puts: Vec<Put>, deletes: Vec<(Row, String)>) -> Change {
        let entry = Entry::new(Timestamp(NOW), "update", Outcome::Done, ROOT);
        Change { tenant: id(&self.id), entry, expected: None, puts, deletes }
    }

    async fn commit(&self, puts: Vec<Put>, deletes: Vec<(Row, String)>) {
        if !puts.is_empty() || !deletes.is_empty() {
            self.server.store.commit(self.change(puts, deletes)).await.unwrap();
        }
    }

    /// Makes a deployment what it is to be. The store takes one for a permit alone: it is that of a tenant on paper, in
    /// which whoever is named may deploy.
    async fn publish(&self, place: &str, wanted: Option<Deployment>) {
        let (environment, project) = place.split_once('/').unwrap();
        let (environment, project): (EnvironmentId, ProjectId) = (id(environment), id(project));
        let paper = |who: &UserId| (who.clone(), environment.clone(), project.clone());
        let Some(wanted) = wanted else {
            let there = serde_json::from_value(self.rows[&(Row::Deployment, place.to_owned())].clone()).unwrap();
            let ends = |of: &TenantSnapshot, who: &Principal| {
                decide_undeploy(of, who, environment.clone(), project.clone(), Channel::Admin, Timestamp(NOW))
            };
            return self
                .activate(paper(&id(ROOT)), Some(&there), ends, vec![(Row::Deployment, place.to_owned())])
                .await;
        };
        let (adopter, first) = (wanted.adopted_by.clone(), Deployment { adopted_by: None, ..wanted });
        let deploys = |of: &TenantSnapshot, who: &Principal| {
            decide_deploy(of, who, environment.clone(), project.clone(), Channel::Admin, Timestamp(NOW)).covered(
                first.clone(),
                &Bound::default(),
                &Stage::default(),
            )
        };
        self.activate(paper(&first.publisher), None, deploys, Vec::new()).await;
        let Some(adopter) = adopter else { return };
        let adopts = |of: &TenantSnapshot, who: &Principal| {
            decide_adopt(of, who, environment.clone(), project.clone(), Channel::Admin, Timestamp(NOW))
        };
        self.activate(paper(&adopter), Some(&first), adopts, Vec::new()).await;
    }

    async fn activate(
        &self,
        (who, environment, project): (UserId, EnvironmentId, ProjectId),
        there: Option<&Deployment>,
        decide: impl Fn(&TenantSnapshot, &Principal) -> Decision,
        deletes: Vec<(Row, String)>,
    ) {
        let (store, tenant): (_, TenantId) = (&self.server.store, id(&self.id));
        let mut rows = vec![
            (Row::Tenant, "tenant".to_owned(), json!({"title": ""})),
            (Row::Environment, environment.to_string(), json!({"title": "", "order": 0})),
            (Row::Project, project.to_string(), json!({"title": "", "head": 0})),
            (Row::Profile, ROOT.to_owned(), json!({"title": "", "permissions": ["deploy"], "valid_in": "all"})),
            (Row::User, who.to_string(), json!({"kind": "native", "profiles": [ROOT]})),
        ];
        if let Some(there) = there {
            rows.push((Row::Deployment, format!("{environment}/{project}"), serde_json::to_value(there).unwrap()));
        }
        let rows: Vec<_> = rows.into_iter().map(|row| definition(&self.id, row)).collect();
        let (revision, _) = store.definitions(&tenant).await.unwrap();
        let paper = TenantSnapshot::build(tenant.clone(), revision, &rows).unwrap();
        let principal = Principal {
            tenant: tenant.clone(),
            user: who,
            credential: CredentialKind::Basic,
            only_environment: None,
            only_targets: Vec::new(),
        };
        let decision = decide(&paper, &principal);
        let mut receipt = None;
        for entry in decision.entries(None) {
            receipt = Some(store.append(&tenant, entry).await.unwrap());
        }
        let permit = decision.deploy_permit(receipt.unwrap()).unwrap();
        store.activate(permit, self.change(Vec::new(), deletes)).await.unwrap();
    }

    /// Waits until the server decides on what the store has: until it knows a key that came last.
    async fn wait(&mut self) {
        let mark = format!("mark-{}", self.changes[1]);
        let body = serde_json::to_value(shown(&mark, true).stored(&self.filling.digest_key, id(ROOT))).unwrap();
        let put = Put { kind: Row::ApiKey, id: mark.clone(), body };
        let before = self.mark.replace(mark.clone()).map(|mark| (Row::ApiKey, mark));
        self.commit(vec![put], before.into_iter().collect()).await;
        let path = format!("/admin/v1/tenants/{}/whoami", self.id);
        let ask = Ask { by: bearer(&mark, true), method: "GET", path, only_if: None, body: None };
        for _ in 0..10_000 {
            if self.server.ask(&self.line, &ask).await.status == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the server does not follow its store");
    }

    /// Signs in who has no session and may have one by a password; forgets those that have ended.
    async fn sign_in(&mut self, world: &World) {
        self.sessions.retain(|user, _| world.users.get(user).is_some_and(|user| user.enabled));
        let may = |user: &User| user.enabled && user.kind == Kind::Native && !user.second_factor && !world.suspended;
        let without = world.users.iter().filter(|(name, user)| may(user) && !self.sessions.contains_key(*name));
        let asked = without.map(async |(name, _)| {
            let path = format!("/admin/v1/tenants/{}/login", self.id);
            let body = Some(json!({"user": name, "password": PASSWORD}).to_string());
            let ask = Ask { by: By::Nothing, method: "POST", path, only_if: None, body };
            let told = self.server.ask(&self.line, &ask).await;
            // Who may not have the console has no session; the other oracles ask the rule itself.
            if told.status == 403
                && told.json()["detail"].as_str().unwrap().contains("console.no-user-interface-access")
            {
                return None;
            }
            assert_eq!(told.status, 200, "{name}: {told:?}");
            Some((name.clone(), told.json()["session"].as_str().unwrap().to_owned()))
        });
        let opened = join_all(asked).await;
        self.sessions.extend(opened.into_iter().flatten());
    }

    /// Runs each orchestration everywhere.
    async fn run_all(&mut self) {
        let places =
            ENVIRONMENTS.into_iter().flat_map(|at| PROJECTS.map(|project| (at.to_owned(), project.to_owned())));
        let asked = places.map(async |(at, project)| {
            let path = format!("/{}/{at}/{}", self.id, orchestration(&project).name);
            let ask = Ask { by: bearer(&own_key(ROOT), true), method: "POST", path, only_if: None, body: None };
            let told = self.server.ask(&self.line, &ask).await;
            assert_eq!(told.status, 200, "{told:?}");
            ((at, project), told.run.unwrap())
        });
        self.runs = join_all(asked).await.into_iter().collect();
        // Their ends are queued; the stage rule asks for them.
        let open = || RunQuery { phase: Some(Phase::Running), ..RunQuery::default() };
        while !self.server.store.runs(&id(&self.id), open()).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn operate(&self, method: &'static str, path: String, body: Value) -> Told {
        let ask = Ask { by: By::Socket, method, path, only_if: None, body: Some(body.to_string()) };
        self.server.ask(&self.line, &ask).await
    }
}
