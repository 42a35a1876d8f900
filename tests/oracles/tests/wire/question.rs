//! Requests by chance that can be asked by HTTP, and how: credential, route, body, and by which status an allowed one
//! shows. What an allowed one would change is asked with something else that ends it, once access has said yes: a tag
//! that is not the thing's, a body that is none, a name that is taken. Runs and restarts run; adoptions adopt.
//!
//! Not to be asked by HTTP: schedules, polls and sub-flows, the console's page, calls through an API, and permissions
//! that docs/access.md has as reserved.

use std::net::Ipv4Addr;

use lockgate_model::RunId;
use lockgate_oracles::{
    generate,
    random::Random,
    sets::{self, Answer},
    world::{Caller, Channel, Execute, Kind, Place, Request, Shown, User, World},
};
use serde_json::json;

use crate::{
    projects::{self, TAKEN},
    server::{Ask, By, Told},
    tenant::{Tenant, bearer, own_key},
};

/// The hour at which the server's clock stands, and that of the generated grants.
const HOUR: i64 = lockgate_oracles::world::NOW / 3_600_000_000;
const HOUR_OF_GRANTS: i64 = 400_000;

/// Grants of the world are about the hour at which the server's clock stands.
pub fn move_grants(world: &mut World) {
    for grant in world.support.values_mut() {
        grant.from += HOUR - HOUR_OF_GRANTS;
        grant.until += HOUR - HOUR_OF_GRANTS;
    }
}

/// A request, and how it is asked.
#[derive(Debug, Clone)]
pub struct Question {
    pub request: Request,
    pub ask: Ask,
    /// Over a connection of its own.
    pub from: Option<Ipv4Addr>,
    /// What an allowed one is answered: a status, and what the body has where another could have it.
    yes: (&'static [u16], &'static str),
    /// Of a restart: there is such a run.
    run: bool,
}

const DONE: (&[u16], &str) = (&[200, 204], "");
const STALE: (&[u16], &str) = (&[412], "LG-STALE");
const NO_BODY: (&[u16], &str) = (&[400], "LG-BODY");
const NAME_TAKEN: (&[u16], &str) = (&[409], "LG-PUSH-NAME");
/// Of a body that nothing is.
const NONSENSE: &str = r#"{"nonsense": 1}"#;

/// How a caller shows itself, who may turn into one that has a key in the place of what cannot be had here.
fn shown(random: &mut Random, world: &World, tenant: &Tenant<'_>, caller: &mut Caller) -> By {
    if caller.foreign {
        return By::Bearer(tenant.foreign.clone());
    }
    if let Some(key) = &caller.key {
        return bearer(&key.name, key.right);
    }
    let user = world.users.get(&caller.principal);
    if user.is_some_and(|user| user.kind == Kind::Service) && random.percent(80) {
        caller.channel = if caller.channel == Channel::Console { Channel::Cli } else { caller.channel };
    }
    if caller.channel == Channel::Console {
        match (tenant.sessions.get(&caller.principal), user.is_some_and(|user| user.enabled)) {
            (Some(session), _) => return By::Bearer(session.clone()),
            (None, false) => return By::Bearer(format!("lgs_{}", "5".repeat(64))),
            // It could not sign in again: by single sign-on, or with a code.
            (None, true) => caller.channel = Channel::Cli,
        }
    }
    let alone = |user: &User| user.kind == Kind::Native && !user.second_factor && !world.asks_second_factor;
    let by_password = if user.is_none_or(alone) { 25 } else { 3 };
    if random.percent(by_password) {
        return By::Basic(caller.principal.clone());
    }
    let name = own_key(&caller.principal);
    caller.key = Some(Shown { name: name.clone(), right: true });
    bearer(&name, true)
}

/// By hand, or by a call.
fn by_http(channel: Channel) -> Channel {
    match channel {
        Channel::Rest | Channel::Soap | Channel::Poll => Channel::Rest,
        Channel::Cli | Channel::Schedule | Channel::SubFlow => Channel::Cli,
        Channel::Console => Channel::Console,
    }
}

fn caller_of(request: &mut Request) -> Option<&mut Caller> {
    match request {
        Request::Execute(asked) | Request::Restart(asked) => Some(&mut asked.caller),
        Request::Deploy(asked) => Some(&mut asked.caller),
        Request::Push(asked) => Some(&mut asked.caller),
        Request::Adopt { caller, .. } | Request::Act { caller, .. } | Request::Console(caller) => Some(caller),
        Request::Look { .. } => None,
    }
}

/// Where a permission is asked in the tenant.
fn of_tenant(random: &mut Random, permission: &str) -> Option<(&'static str, &'static str)> {
    let all: &[(&str, &str)] = match permission {
        "user-management" => &[("GET", "users?limit=1"), ("PUT", "groups/g9"), ("GET", "users/root/sessions")],
        "access-control" => &[("GET", "acls?limit=1"), ("GET", "support"), ("PUT", "profiles/p9")],
        "audit-log" => &[("GET", "audit?limit=1"), ("GET", "audit/heads")],
        "stages-administer" => &[("PUT", "environments/e9")],
        "advanced-security-administer" => &[("GET", "password-policy"), ("PUT", "password-policy")],
        "manage-personal-setup" => &[("GET", "passkeys"), ("GET", "second-factor"), ("POST", "second-factor")],
        _ => return None,
    };
    Some(all[random.below(all.len())])
}

/// Where a permission is asked in an environment.
fn of_environment(random: &mut Random, permission: &str) -> Option<(&'static str, String)> {
    Some(match permission {
        "deploy" => ("PUT", "deployments/x".to_owned()),
        "runs-control" => ("POST", format!("runs/{}/restart", RunId::new())),
        "logs-view" => ("GET", random.pick(&["runs?limit=1", "logs?limit=1"]).to_owned()),
        _ => return None,
    })
}

/// The next request that can be asked.
pub fn draw(random: &mut Random, world: &World, tenant: &Tenant<'_>) -> Question {
    loop {
        let mut request = generate::request(random, world);
        if let Some(caller) = caller_of(&mut request) {
            caller.channel = by_http(caller.channel);
        }
        if let Some(question) = asked(random, world, tenant, request) {
            return question;
        }
    }
}

fn asked(random: &mut Random, world: &World, tenant: &Tenant<'_>, mut request: Request) -> Option<Question> {
    let mut run = false;
    let (method, path, only_if, body, yes): (&'static str, String, _, Option<String>, _) = match &mut request {
        Request::Execute(Execute { caller, orchestration, through, environment }) => {
            *through = None;
            let name = &orchestration.name;
            if caller.channel == Channel::Rest {
                ("POST", format!("/{}/{environment}/{name}", tenant.id), None, None, DONE)
            } else {
                let body = json!({"name": name}).to_string();
                ("POST", format!("environments/{environment}/runs"), None, Some(body), DONE)
            }
        }
        Request::Restart(Execute { orchestration, through, environment, .. }) => {
            *through = None;
            let found = tenant.runs.get(&(environment.clone(), orchestration.project.clone()));
            run = found.is_some();
            let id = found.cloned().unwrap_or_else(|| RunId::new().to_string());
            let body = json!({"nothing": true}).to_string();
            ("POST", format!("environments/{environment}/runs/{id}/restart"), None, Some(body), DONE)
        }
        Request::Deploy(deploy) => {
            let flow = generate::orchestration(&deploy.project);
            if !world.pushed.contains(&flow) {
                return None;
            }
            // The version that all have: it needs no account, and has run well everywhere.
            deploy.needs.clear();
            deploy.hosts.clear();
            deploy.bound.clear();
            deploy.green = true;
            deploy.run_as = deploy.run_as.take().filter(|user| world.users.contains_key(user));
            let path = format!("environments/{}/deployments/{}", deploy.environment, deploy.project);
            ("PUT", path, Some("\"0\""), Some(json!({"run_as": deploy.run_as}).to_string()), STALE)
        }
        Request::Adopt { environment, project, ends: true, .. } => {
            ("DELETE", format!("environments/{environment}/deployments/{project}"), Some("\"0\""), None, STALE)
        }
        Request::Adopt { environment, project, ends: false, .. } => {
            ("POST", format!("environments/{environment}/deployments/{project}/adopt"), None, None, DONE)
        }
        Request::Push(push) => pushed(world, &push.project, &push.permission)?,
        Request::Act { permission, at: Place::Project(project), .. } => pushed(world, project, permission)?,
        Request::Act { permission, at: Place::Tenant, .. } => {
            let (method, path) = of_tenant(random, permission)?;
            let (body, yes) = if method == "GET" { (None, DONE) } else { (Some(NONSENSE.to_owned()), NO_BODY) };
            (method, path.to_owned(), None, body, yes)
        }
        Request::Act { permission, at: Place::Environment(environment), .. } => {
            let (method, path) = of_environment(random, permission)?;
            let (body, yes) = if method == "GET" { (None, DONE) } else { (Some(NONSENSE.to_owned()), NO_BODY) };
            (method, format!("environments/{environment}/{path}"), None, body, yes)
        }
        Request::Console(_) => return None,
        Request::Look { permission, environment, at } => {
            *at = HOUR;
            let what = match permission.as_str() {
                "logs-view" => random.pick(&["runs", "logs"]),
                "settings-view" => random.pick(&["deployments", "schedules"]),
                _ => return None,
            };
            let path = format!("/operator/support/{}/{environment}/{what}", tenant.id);
            let ask = Ask { by: By::Socket, method: "GET", path, only_if: None, body: None };
            return Some(Question { request, ask, from: None, yes: DONE, run });
        }
    };
    let path = if path.starts_with('/') { path } else { format!("/admin/v1/tenants/{}/{path}", tenant.id) };
    let by = shown(random, world, tenant, caller_of(&mut request)?);
    // Passwords are tried from everywhere: of one source each wrong one makes the next wait.
    let octet = |random: &mut Random| u8::try_from(random.below(250)).unwrap_or_default() + 1;
    let from = matches!(by, By::Basic(_)).then(|| Ipv4Addr::new(127, octet(random), octet(random), octet(random)));
    Some(Question { request, ask: Ask { by, method, path, only_if, body }, from, yes, run })
}

type Asked = (&'static str, String, Option<&'static str>, Option<String>, (&'static [u16], &'static str));

fn pushed(world: &World, project: &str, permission: &str) -> Option<Asked> {
    let pushed = world.pushed.iter().any(|target| target.project == project);
    let files = projects::push(project, pushed, permission)?;
    debug_assert!(files.keys().any(|path| path.starts_with(TAKEN)));
    let body = json!({"files": files}).to_string();
    Some(("POST", format!("projects/{project}/versions"), None, Some(body), NAME_TAKEN))
}

impl Question {
    /// An allowed one changes the tenant.
    pub fn changes(&self) -> bool {
        matches!(self.request, Request::Adopt { ends: false, .. })
    }

    /// What the set model says, in the places where HTTP says it.
    pub fn expected(&self, world: &World) -> Answer {
        let caller = sets::caller(&self.request);
        // A credential of another tenant is none here.
        if caller.is_some_and(|caller| caller.foreign) {
            return Answer::Unknown;
        }
        // docs/access.md: who has a second factor or has to have one is not let in by a password alone, which is for
        // native users.
        if let By::Basic(user) = &self.ask.by
            && let Some(user) = world.users.get(user)
            && (user.kind != Kind::Native || user.second_factor || world.asks_second_factor)
        {
            return Answer::Unknown;
        }
        // A service account has no sessions: the token of one that was a person is a stranger's.
        if let Some(caller) = caller.filter(|caller| caller.channel == Channel::Console)
            && world.users.get(&caller.principal).is_some_and(|user| user.kind == Kind::Service)
        {
            return Answer::Unknown;
        }
        let Request::Restart(asked) = &self.request else { return sets::answer(world, &self.request) };
        // docs/access.md: runs-control is asked first; who lacks it does not learn which runs there are.
        let (caller, at) = (asked.caller.clone(), Place::Environment(asked.environment.clone()));
        let first = sets::answer(world, &Request::Act { caller, permission: "runs-control".to_owned(), at });
        match (first, self.run) {
            (Answer::Allowed, true) => sets::answer(world, &self.request),
            (Answer::Allowed, false) => Answer::NotFound,
            (first, _) => first,
        }
    }

    /// What the server says; none for what it should never say.
    pub fn answer(&self, told: &Told) -> Option<Answer> {
        let (statuses, text) = self.yes;
        match told.status {
            status if statuses.contains(&status) && told.body.contains(text) => Some(Answer::Allowed),
            401 => Some(Answer::Unknown),
            403 => Some(Answer::Forbidden),
            404 => Some(Answer::NotFound),
            409 if told.body.contains(NOT_PUBLISHED) => Some(Answer::NotPublished),
            _ => None,
        }
    }

    /// The kind of request, for the count.
    pub fn kind(&self) -> &'static str {
        match &self.request {
            Request::Execute(asked) if asked.caller.channel == Channel::Rest => "call",
            Request::Execute(_) => "run",
            Request::Restart(_) => "restart",
            Request::Deploy(_) => "deploy",
            Request::Adopt { ends: false, .. } => "adopt",
            Request::Adopt { ends: true, .. } => "undeploy",
            Request::Push(_) | Request::Act { at: Place::Project(_), .. } => "push",
            Request::Act { at: Place::Tenant, .. } => "act in the tenant",
            Request::Act { at: Place::Environment(_), .. } => "act in an environment",
            Request::Console(_) => "console",
            Request::Look { .. } => "look",
        }
    }
}

const FORBIDDEN: &str = "not allowed: ";
const NOT_PUBLISHED: &str = "not published here: ";

/// The code of the rule that a refusal names.
pub fn rule(told: &Told) -> Option<&str> {
    let named = [FORBIDDEN, NOT_PUBLISHED].into_iter().find_map(|text| told.body.split_once(text));
    named.and_then(|(_, rule)| rule.split([' ', '"']).next())
}
