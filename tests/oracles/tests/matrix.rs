//! Every shipped role × permission × environment × project, and who may run what.
//!
//! `matrix.csv` is what ACCESS.md §1 and §2 say: the tables below are copied from there, decided by the
//! set model. The product decides the same on the rows that a new tenant begins with. The file is
//! written anew by `UPDATE=1`, from the set model and not from the product.

use std::{collections::BTreeMap, env, fs};

use lockgate_access::{TenantSnapshot, project_seed, tenant_seed};
use lockgate_model::{Definition, Kind as Row, Permission, definition::Revision, id::TenantId};
use lockgate_oracles::{
    generate::{ENVIRONMENTS, api, orchestration},
    product,
    sets::{self, Answer},
    world::*,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/matrix.csv");
/// The Default Project, and two of the tenant's own.
const PROJECTS: [&str; 3] = ["default", "x", "y"];
/// Holds nothing but the "Developer" permission on project `x`.
const DEVELOPER_OF_X: &str = "developer-of-x";
/// Holds nothing.
const NOBODY: &str = "no-profile";

const GLOBAL: &str = "user-management access-control manage-personal-setup manage-company-capabilities \
    user-interface-access audit-log";
const FUNCTIONAL: &str = "deploy export stages-administer advanced-security-administer upgrade solution-create \
    solution-update solution-delete logs-view settings-view runs-control schedules-control";
const PROJECT: &str = "accounts.create accounts.update accounts.delete operations.create operations.update \
    operations.delete reference-data.create reference-data.update reference-data.delete document-types.create \
    document-types.update document-types.delete integrations.create integrations.update integrations.delete \
    integrations.execute rest-apis.create rest-apis.update rest-apis.delete rest-apis.execute soap-apis.create \
    soap-apis.update soap-apis.delete soap-apis.execute listeners.create listeners.update listeners.delete";
const GATEWAY: &str = "apis-manage apis-publish-to-portal apis-activate apis-deactivate applications-manage \
    aliases-manage global-policies-manage global-policies-activate global-policies-deactivate \
    policy-templates-manage threat-protection-manage packages-plans-manage packages-plans-activate \
    packages-plans-deactivate assets-import assets-export configurations-view general-configurations-manage \
    security-configurations-manage destination-configurations-manage system-settings-manage runtime-events-purge \
    runtime-events-restore result-cache-manage promotions-manage";
const PORTAL: &str = "portal-administer portal-provide";
/// Permissions that are asked in the tenant: those of §2a, and those that count from everywhere alone.
const OF_TENANT: &str = "user-management access-control manage-personal-setup manage-company-capabilities \
    user-interface-access audit-log stages-administer advanced-security-administer solution-create solution-update \
    solution-delete";

/// §1, "Role = shipped profile".
fn roles() -> BTreeMap<&'static str, Profile> {
    let all = [GLOBAL, FUNCTIONAL, PROJECT, GATEWAY, PORTAL].join(" ");
    let developer = format!("{PROJECT} deploy export runs-control schedules-control logs-view settings-view");
    let roles = [
        ("admin", all.as_str()),
        ("administrator", &all),
        ("publisher", "deploy export logs-view settings-view"),
        ("user", "logs-view settings-view"),
        ("monitor", "logs-view settings-view configurations-view"),
        ("developer", &developer),
        (
            "devops",
            "deploy export upgrade accounts.create accounts.update accounts.delete runs-control schedules-control \
             promotions-manage logs-view settings-view",
        ),
        ("api-gateway-administrator", GATEWAY),
        (
            "api-gateway-provider",
            "apis-manage apis-publish-to-portal apis-activate apis-deactivate applications-manage aliases-manage \
             policy-templates-manage assets-import assets-export configurations-view",
        ),
        ("api-portal-administrator", PORTAL),
        ("api-portal-provider", "portal-provide"),
    ];
    let shipped = |permissions: &str, valid| {
        let both = ["user-interface-access", "manage-personal-setup"];
        Profile { permissions: permissions.split_whitespace().chain(both).map(str::to_owned).collect(), valid }
    };
    let valid = |role| match role {
        "developer" => Valid::In(["development".to_owned()].into()),
        _ => Valid::Everywhere,
    };
    roles.map(|(role, permissions)| (role, shipped(permissions, valid(role)))).into()
}

/// A new tenant with a user of each role; what projects hold is deployed everywhere by one of them.
fn world() -> World {
    let mut world = World { environments: ENVIRONMENTS.map(str::to_owned).into(), ..World::default() };
    let user =
        |profiles| User { kind: Kind::Native, enabled: true, second_factor: false, profiles, groups: Names::new() };
    for (role, profile) in roles() {
        world.profiles.insert(role.to_owned(), profile);
        world.users.insert(role.to_owned(), user([role.to_owned()].into()));
    }
    for name in [DEVELOPER_OF_X, NOBODY] {
        world.users.insert(name.to_owned(), user(Names::new()));
    }
    world.acls.insert("default".to_owned(), ["admin", "administrator"].map(str::to_owned).into());
    // "A new project gets the shipped "Developer" one by itself."
    for (project, users) in [("x", [DEVELOPER_OF_X.to_owned()].into()), ("y", Names::new())] {
        let permissions = PROJECT.split_whitespace().map(str::to_owned).collect();
        let given = ProjectPermission { project: project.to_owned(), permissions, users, groups: Names::new() };
        world.project_permissions.insert(format!("developer-{project}"), given);
    }
    for project in PROJECTS {
        let (flow, api) = (orchestration(project), api(project));
        for environment in ENVIRONMENTS {
            for target in [&flow, &api] {
                world.assigned.insert((target.clone(), environment.to_owned()), "default".to_owned());
            }
            let holds = [(flow.kind, flow.name.clone()), (api.kind, api.name.clone())].into();
            let deployment = Deployment { publisher: "publisher".to_owned(), adopted: Names::new(), holds };
            world.deployments.insert((project.to_owned(), environment.to_owned()), deployment);
        }
    }
    world
}

/// The rows of such a tenant: what it begins with is the product's own.
fn snapshot(world: &World) -> TenantSnapshot {
    let tenant: TenantId = "acme".parse().unwrap();
    let shipped = [Row::Environment, Row::Profile, Row::Acl, Row::ProjectPermission];
    let mut rows = product::definitions("acme", world);
    rows.retain(|row| !shipped.contains(&row.kind));
    let mut seed = tenant_seed("", &"admin".parse().unwrap());
    for project in ["x", "y"] {
        seed.extend(project_seed(&project.parse().unwrap(), ""));
    }
    for (kind, id, mut body) in seed.into_iter().filter(|(kind, ..)| shipped.contains(kind)) {
        if kind == Row::ProjectPermission && id.starts_with("x/") {
            body["users"] = serde_json::json!([DEVELOPER_OF_X]);
        }
        rows.push(Definition { tenant: tenant.clone(), kind, id, revision: Revision(1), body });
    }
    TenantSnapshot::build(tenant, Revision(1), &rows).unwrap()
}

fn caller(role: &str) -> Caller {
    Caller::new(role, Channel::Cli)
}

fn cell(answer: Answer) -> &'static str {
    match answer {
        Answer::Allowed => "yes",
        Answer::Unknown => "401",
        Answer::NotFound => "404",
        Answer::Forbidden => "403",
        Answer::NotPublished => "409",
    }
}

/// The matrix, each cell by what answers requests.
fn matrix(answer: impl Fn(&Request) -> Answer) -> String {
    let permissions: Vec<_> =
        [GLOBAL, FUNCTIONAL, PROJECT, GATEWAY, PORTAL].iter().flat_map(|all| all.split_whitespace()).collect();
    let of_tenant: Vec<_> = OF_TENANT.split_whitespace().collect();
    let mut text = format!("role,action,tenant,{},project default,project x,project y\n", ENVIRONMENTS.join(","));
    for role in roles().keys().copied().chain([DEVELOPER_OF_X, NOBODY]) {
        let mut line = |action: &str, cells: Vec<&str>| text += &format!("{role},{action},{}\n", cells.join(","));
        for permission in &permissions {
            let ask = |at| {
                let permission = (*permission).to_owned();
                cell(answer(&Request::Act { caller: caller(role), permission, at }))
            };
            let tenant = if of_tenant.contains(permission) { ask(Place::Tenant) } else { "-" };
            let environments = ENVIRONMENTS.map(|name| ask(Place::Environment(name.to_owned())));
            let projects = PROJECTS.map(|name| ask(Place::Project(name.to_owned())));
            line(permission, [&[tenant][..], &environments, &projects].concat());
        }
        for project in PROJECTS {
            let asked = |environment: &str, through| Execute {
                caller: caller(role),
                orchestration: orchestration(project),
                through,
                environment: environment.to_owned(),
            };
            let run = ENVIRONMENTS.map(|name| cell(answer(&Request::Execute(asked(name, None)))));
            let call = ENVIRONMENTS.map(|name| cell(answer(&Request::Execute(asked(name, Some(api(project)))))));
            let restart = ENVIRONMENTS.map(|name| cell(answer(&Request::Restart(asked(name, None)))));
            let adopt = ENVIRONMENTS.map(|name| {
                let (environment, project) = (name.to_owned(), project.to_owned());
                cell(answer(&Request::Adopt { caller: caller(role), environment, project, ends: false }))
            });
            let kind = if project == "y" { "SOAP API" } else { "REST API" };
            for (verb, cells) in [
                (format!("run the orchestration of {project}"), run),
                (format!("call the {kind} of {project}"), call),
                (format!("restart a run of {project}"), restart),
                (format!("adopt {project}"), adopt),
            ] {
                line(&verb, [&["-"][..], &cells, &["-"; 3]].concat());
            }
        }
    }
    text
}

#[test]
fn the_permissions_are_those_of_the_access_model() {
    let mut written: Vec<_> =
        [GLOBAL, FUNCTIONAL, PROJECT, GATEWAY, PORTAL].iter().flat_map(|all| all.split_whitespace()).collect();
    let mut real: Vec<_> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    written.sort_unstable();
    real.sort_unstable();
    assert_eq!(real, written);
}

#[test]
fn every_cell_of_the_shipped_roles_is_as_the_file_says() {
    let world = world();
    let by_sets = matrix(|request| sets::answer(&world, request));
    if env::var_os("UPDATE").is_some() {
        fs::write(FILE, &by_sets).unwrap();
    }
    let file = fs::read_to_string(FILE).unwrap();
    let snapshot = snapshot(&world);
    let credentials = product::credentials(&world);
    let by_product = matrix(|request| product::answer(&snapshot, &credentials, request).0);
    for (who, answers) in [("the set model", by_sets), ("the product", by_product)] {
        for (expected, told) in file.lines().zip(answers.lines()) {
            assert_eq!(expected, told, "the file, and {who}");
        }
        assert_eq!(file, answers, "{who}");
    }
}
