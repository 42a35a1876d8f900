//! The second oracle: the policies of `access.cedar`, decided by the crate `cedar-policy`.
//!
//! Here a world becomes entities, and a request becomes questions, asked in ACCESS.md's order of
//! answers. Who may what is in the policies; the set model is not looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request as Question,
};
use serde_json::{Map, Value, json};

use crate::{
    generate::PROJECTS,
    sets::Answer,
    world::{
        Caller, Channel, Deploy, Execute, Kind, NOW, Name, Names, Place, Request, Target, TargetKind, Valid, World,
    },
};

/// The policies, those of each profile and project permission for those of the world.
fn policies(world: &World) -> PolicySet {
    let (profiles, given) = (world.profiles.keys().collect(), world.project_permissions.keys().collect());
    let support = world.support.keys().collect();
    let kinds: [(&str, Vec<&Name>); 3] =
        [("Profile::\"each\"", profiles), ("Given::\"each\"", given), ("Support::\"each\"", support)];
    let of_each = |policy: &str| match kinds.iter().find(|(each, _)| policy.contains(each)) {
        Some((_, names)) => names.iter().map(|name| policy.replace("\"each\"", &format!("{name:?}"))).collect(),
        None => policy.to_owned(),
    };
    let lines: Vec<&str> = include_str!("access.cedar").lines().filter(|line| !line.starts_with("//")).collect();
    let policies: String = lines.join("\n").split_inclusive(';').map(of_each).collect();
    policies.parse().unwrap()
}

/// A tenant as Cedar knows it.
pub struct Cedar<'w> {
    world: &'w World,
    policies: PolicySet,
    entities: Entities,
    authorizer: Authorizer,
}

/// Parsed once: a question names three entities, and parsing their types costs more than answering it.
static TYPES: LazyLock<BTreeMap<&str, EntityTypeName>> = LazyLock::new(|| {
    ["Action", "Environment", "Operator", "Project", "Target", "Tenant", "User"]
        .map(|kind| (kind, kind.parse().unwrap()))
        .into()
});

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(TYPES[kind].clone(), EntityId::new(id))
}

fn reference(kind: &str, id: &str) -> Value {
    json!({"__entity": {"type": kind, "id": id}})
}

fn references<'a>(kind: &str, ids: impl IntoIterator<Item = &'a Name>) -> Vec<Value> {
    ids.into_iter().map(|id| reference(kind, id)).collect()
}

fn target_id(target: &Target, environment: &str) -> Name {
    format!("{environment}/{:?}/{}", target.kind, target.name)
}

fn execute(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Orchestration => "integrations.execute",
        TargetKind::RestApi => "rest-apis.execute",
        TargetKind::SoapApi => "soap-apis.execute",
    }
}

fn way(channel: Channel) -> &'static str {
    match channel {
        Channel::Rest => "rest",
        Channel::Soap => "soap",
        Channel::Cli => "cli",
        Channel::Console => "console",
        Channel::Schedule => "schedule",
        Channel::Poll => "poll",
        Channel::SubFlow => "sub-flow",
    }
}

/// The tenant's entities.
fn entities(world: &World) -> Entities {
    let mut all = Vec::new();
    let mut put = |kind: &str, id: &str, attrs: Value, parents: Vec<Value>| {
        all.push(json!({"uid": {"type": kind, "id": id}, "attrs": attrs, "parents": parents}));
    };
    put(
        "Tenant",
        "tenant",
        json!({"suspended": world.suspended, "asksSecondFactor": world.asks_second_factor}),
        vec![],
    );
    for (at, name) in world.environments.iter().enumerate() {
        let asks = world.ask_for_green_run.contains(name);
        let mut attrs = json!({"environment": reference("Environment", name), "asksForGreenRun": asks});
        if let Some(before) = at.checked_sub(1).and_then(|at| world.environments.get(at)) {
            attrs["before"] = reference("Environment", before);
        }
        put("Environment", name, attrs, vec![]);
    }
    let first = world.environments.first().unwrap();
    for project in PROJECTS.into_iter().chain(["new"]) {
        put("Project", project, json!({"environment": reference("Environment", first)}), vec![]);
    }
    for (name, profile) in &world.profiles {
        let (valid, everywhere) = match &profile.valid {
            Valid::Everywhere => (references("Environment", &world.environments), true),
            Valid::In(named) => (references("Environment", named), false),
        };
        let permissions = references("Action", &profile.permissions);
        put(
            "Profile",
            name,
            json!({"environments": valid, "everywhere": everywhere, "permissions": permissions}),
            vec![],
        );
    }
    for (name, given) in &world.project_permissions {
        let permissions = references("Action", &given.permissions);
        put(
            "Given",
            name,
            json!({"project": reference("Project", &given.project), "permissions": permissions}),
            vec![],
        );
    }
    put("Operator", "operator", json!({"enabled": true}), vec![]);
    for (name, grant) in &world.support {
        let environments = references("Environment", &grant.environments);
        let giver = reference("User", &grant.giver);
        let attrs = json!({"environments": environments, "giver": giver, "from": grant.from, "until": grant.until});
        put("Support", name, attrs, vec![]);
    }
    for (name, profiles) in &world.acls {
        put("Acl", name, json!({"profiles": references("Profile", profiles)}), vec![]);
    }
    let given_to = |is: &dyn Fn(&crate::world::ProjectPermission) -> bool| -> Names {
        world.project_permissions.iter().filter(|(_, given)| is(given)).map(|(name, _)| name.clone()).collect()
    };
    let parents =
        |profiles: &Names, given: &Names| [references("Profile", profiles), references("Given", given)].concat();
    for (name, group) in &world.groups {
        put("Group", name, json!({}), parents(&group.profiles, &given_to(&|given| given.groups.contains(name))));
    }
    for (name, user) in &world.users {
        let (kind, calls_apis) = match user.kind {
            Kind::Native => ("native", true),
            Kind::Idp { calls_apis } => ("idp", calls_apis),
            Kind::Service => ("service", true),
        };
        let of_user = parents(&user.profiles, &given_to(&|given| given.users.contains(name)));
        let attrs = json!({"kind": kind, "enabled": user.enabled, "callsApis": calls_apis,
            "secondFactor": user.second_factor});
        put("User", name, attrs, [of_user, references("Group", &user.groups)].concat());
    }
    let targets = targets(world);
    for environment in &world.environments {
        for target in &targets {
            let mut attrs = json!({"environment": reference("Environment", environment),
                "execute": reference("Action", execute(target.kind)), "known": known(world, target),
                "deployed": deployed(world, target, environment)});
            if let Some(list) = world.assigned.get(&(target.clone(), environment.clone())) {
                attrs["list"] = reference("Acl", list);
            }
            if target.kind != TargetKind::Orchestration && deployed(world, target, environment) {
                let behind = crate::generate::orchestration(&target.project);
                attrs["behind"] = reference("Target", &target_id(&behind, environment));
            }
            put("Target", &target_id(target, environment), attrs, vec![]);
        }
    }
    Entities::from_json_value(Value::Array(all), None).unwrap()
}

/// Whatever may be asked about: what the world speaks of, and what requests do.
fn targets(world: &World) -> BTreeSet<Target> {
    let drawn = PROJECTS.into_iter().flat_map(|of| [crate::generate::orchestration(of), crate::generate::api(of)]);
    let deployed = world.deployments.iter().flat_map(|((project, _), of)| {
        of.holds.iter().map(|(kind, name)| Target { project: project.clone(), kind: *kind, name: name.clone() })
    });
    drawn.chain(deployed).chain(world.pushed.iter().cloned()).collect()
}

/// Stands in a deployment of its project there.
fn deployed(world: &World, target: &Target, environment: &str) -> bool {
    let of = world.deployments.get(&(target.project.clone(), environment.to_owned()));
    of.is_some_and(|of| of.holds.contains(&(target.kind, target.name.clone())))
}

/// Stands in a deployment, wherever, or in a newest version.
fn known(world: &World, target: &Target) -> bool {
    let deployed = world
        .deployments
        .iter()
        .any(|((project, _), of)| *project == target.project && of.holds.contains(&(target.kind, target.name.clone())));
    deployed || world.pushed.contains(target)
}

impl<'w> Cedar<'w> {
    /// Translates a tenant.
    pub fn new(world: &'w World) -> Self {
        Self { world, policies: policies(world), entities: entities(world), authorizer: Authorizer::new() }
    }

    fn ask(&self, who: &str, action: &str, on: EntityUid, context: Value) -> bool {
        self.ask_as(uid("User", who), action, on, context)
    }

    fn ask_as(&self, who: EntityUid, action: &str, on: EntityUid, context: Value) -> bool {
        let context = Context::from_json_value(context, None).unwrap();
        let question = Question::new(who, uid("Action", action), on, context, None).unwrap();
        let answer = self.authorizer.is_authorized(&question, &self.policies, &self.entities);
        let errors: Vec<_> = answer.diagnostics().errors().collect();
        assert!(errors.is_empty(), "{question}: {errors:?}");
        answer.decision() == Decision::Allow
    }

    /// Asks for a caller as it came.
    fn may(&self, caller: &Caller, action: &str, on: EntityUid) -> bool {
        self.ask(&who(caller), action, on, Value::Object(self.context(caller)))
    }

    /// How a caller came: by which way, and by which key.
    fn context(&self, caller: &Caller) -> Map<String, Value> {
        let mut context = Map::new();
        context.insert("way".into(), way(caller.channel).into());
        let Some(shown) = &caller.key else { return context };
        let key = self.world.keys.get(&shown.name).filter(|_| shown.right);
        context.insert("byKey".into(), key.is_some().into());
        let Some(key) = key else { return context };
        if let Some(only) = &key.environment {
            context.insert("keyOf".into(), reference("Environment", only));
        }
        if !key.targets.is_empty() {
            context.insert("keyFor".into(), json!(key.targets));
        }
        if let Some(ends) = key.ends {
            context.insert("keyEnds".into(), ends.into());
            context.insert("now".into(), NOW.into());
        }
        context
    }

    /// What the policies make of a request.
    pub fn answer(&self, request: &Request) -> Answer {
        let (caller, seen) = match request {
            Request::Execute(asked) | Request::Restart(asked) => (&asked.caller, Some(environment(&asked.environment))),
            Request::Deploy(asked) => (&asked.caller, Some(environment(&asked.environment))),
            Request::Adopt { caller, environment: at, .. } => (caller, Some(environment(at))),
            Request::Push(asked) => (&asked.caller, Some(uid("Project", &asked.project))),
            Request::Act { caller, at, .. } => (
                caller,
                match at {
                    Place::Tenant => None,
                    Place::Environment(name) => Some(environment(name)),
                    Place::Project(name) => Some(uid("Project", name)),
                },
            ),
            Request::Console(caller) => (caller, None),
            Request::Look { permission, environment: at, at: hour } => return self.look(permission, at, *hour),
        };
        // Whoever is in force may enter as somebody's sub-flow: 401 for the others.
        let mut as_sub_flow = self.context(caller);
        as_sub_flow.insert("way".into(), "sub-flow".into());
        if !self.ask(&who(caller), "enter", tenant(), Value::Object(as_sub_flow)) {
            return Answer::Unknown;
        }
        if seen.is_some_and(|place| !self.may(caller, "see", place)) {
            return Answer::NotFound;
        }
        let mut entering = self.context(caller);
        entering.insert("byHand".into(), (!matches!(request, Request::Execute(_))).into());
        let enters = self.ask(&who(caller), "enter", tenant(), Value::Object(entering));
        let act = |permission: &str, on| {
            if enters && self.may(caller, permission, on) { Answer::Allowed } else { Answer::Forbidden }
        };
        match request {
            Request::Execute(asked) => self.execute(asked, enters, true),
            Request::Restart(asked) => {
                self.execute(asked, enters && self.may(caller, "runs-control", environment(&asked.environment)), false)
            }
            Request::Deploy(asked) => {
                if enters && self.deploy(asked) {
                    Answer::Allowed
                } else {
                    Answer::Forbidden
                }
            }
            Request::Adopt { environment: at, project, .. } => match act("deploy", environment(at)) {
                Answer::Allowed if !self.world.deployments.contains_key(&(project.clone(), at.clone())) => {
                    Answer::NotPublished
                }
                answer => answer,
            },
            Request::Push(asked) => act(&asked.permission, uid("Project", &asked.project)),
            Request::Act { permission, at, .. } => act(
                permission,
                match at {
                    Place::Tenant => tenant(),
                    Place::Environment(name) => environment(name),
                    Place::Project(name) => uid("Project", name),
                },
            ),
            Request::Console(_) | Request::Look { .. } => act("open-console", tenant()),
        }
    }

    /// §4, support access: who opened it is asked whether they could, without a way in of theirs.
    fn look(&self, permission: &str, at: &str, hour: i64) -> Answer {
        let opens = |who: &Name| {
            ["user-management", "access-control"].iter().all(|right| self.ask(who, right, tenant(), json!({})))
        };
        let givers: Names = self.world.support.values().map(|grant| grant.giver.clone()).filter(opens).collect();
        let context = json!({"permission": reference("Action", permission), "hour": hour,
            "administrators": references("User", &givers)});
        let allowed = self.ask_as(uid("Operator", "operator"), "look", environment(at), context);
        if allowed { Answer::Allowed } else { Answer::Forbidden }
    }

    fn execute(&self, asked: &Execute, may: bool, calls: bool) -> Answer {
        let called = asked.through.as_ref().unwrap_or(&asked.orchestration);
        let on = |target: &Target| uid("Target", &target_id(target, &asked.environment));
        if !self.may(&asked.caller, "see", on(called)) {
            return Answer::NotFound;
        }
        // What is behind an API is known of one that is deployed.
        let there = deployed(self.world, called, &asked.environment);
        let behind = Some(&asked.orchestration).filter(|orchestration| *orchestration != called && there);
        let asked_of: Vec<_> = [called].into_iter().chain(behind).collect();
        let mut context = self.context(&asked.caller);
        if calls {
            context.insert("called".into(), called.name.clone().into());
        }
        let asks = |target: &&Target| {
            self.ask(&who(&asked.caller), execute(target.kind), on(target), Value::Object(context.clone()))
        };
        if !may || !asked_of.iter().all(asks) {
            return Answer::Forbidden;
        }
        if asked_of.iter().all(|target| self.publish_right_stands(target, &asked.environment)) {
            Answer::Allowed
        } else {
            Answer::NotPublished
        }
    }

    /// §3: the publisher, or who adopted, still may deploy there.
    fn publish_right_stands(&self, target: &Target, at: &str) -> bool {
        let of = self.world.deployments.get(&(target.project.clone(), at.to_owned()));
        let of = of.filter(|_| deployed(self.world, target, at));
        let mut by = of.into_iter().flat_map(|of| of.adopted.iter().chain([&of.publisher]));
        by.any(|who| self.ask(who, "deploy", environment(at), json!({})))
    }

    fn deploy(&self, asked: &Deploy) -> bool {
        let mut context = self.context(&asked.caller);
        let text = |account: &Name, connector: &Name, scheme: &Option<Name>| {
            json!(format!("{account} {connector} {}", scheme.as_deref().unwrap_or_default()))
        };
        let needs = asked.needs.iter().map(|(account, connector, scheme)| text(account, connector, scheme));
        let bound = asked
            .bound
            .iter()
            .flat_map(|(account, of)| [&None, &of.scheme].map(|scheme| text(account, &of.connector, scheme)));
        let covers =
            |host: &&str| asked.bound.values().filter(|of| of.connector == "https" && of.host == **host).count() == 1;
        context.insert("needs".into(), needs.collect());
        context.insert("bound".into(), bound.collect());
        context.insert("hosts".into(), json!(asked.hosts));
        context.insert("covered".into(), asked.hosts.iter().map(String::as_str).filter(covers).collect());
        context.insert("green".into(), asked.green.into());
        if let Some(named) = &asked.run_as {
            context.insert("runAs".into(), reference("User", named));
            context.insert("controlsAccess".into(), self.may(&asked.caller, "access-control", tenant()).into());
        }
        self.ask(&who(&asked.caller), "deploy", environment(&asked.environment), Value::Object(context))
    }
}

/// The user; one of another tenant is nobody here.
fn who(caller: &Caller) -> Name {
    format!("{}{}", if caller.foreign { "other/" } else { "" }, caller.principal)
}

fn environment(name: &str) -> EntityUid {
    uid("Environment", name)
}

fn tenant() -> EntityUid {
    uid("Tenant", "tenant")
}
