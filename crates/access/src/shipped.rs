//! What a tenant begins with: the shipped profiles, and its first rows.

use lockgate_model::{
    Kind, Permission,
    definition::{Acl, Environment, Profile, Project, ProjectPermission, Retention, Tenant, User, ValidIn},
    id::{EnvironmentId, ProfileId, ProjectId, UserId},
    permission::{Area, Permissions},
    principal::UserKind,
};
use serde::Serialize;
use serde_json::Value;

use crate::snapshot::DEFAULT_ACL;

/// A row to be put: kind, id, body.
pub type Row = (Kind, String, Value);

/// The environments a tenant begins with, in promotion order.
const ENVIRONMENTS: [(&str, &str); 4] =
    [("development", "Development"), ("test", "Test"), ("prelive", "Prelive"), ("live", "Live")];

/// The roles that ship: ordinary access profiles with fixed permissions. All but `developer` are
/// valid in all environments. Another set or another place is another profile.
pub fn shipped_profiles() -> Vec<(ProfileId, Profile)> {
    use Permission as P;
    let all = || Permission::ALL.iter().copied().collect();
    let area = |area: Area| Permission::ALL.iter().copied().filter(move |p| p.area() == area);
    let watching = [P::LogsView, P::SettingsView];
    let developer = [P::Deploy, P::Export, P::RunsControl, P::SchedulesControl, P::LogsView, P::SettingsView];
    let devops = [
        P::Deploy,
        P::Export,
        P::Upgrade,
        P::AccountsCreate,
        P::AccountsUpdate,
        P::AccountsDelete,
        P::RunsControl,
        P::SchedulesControl,
        P::PromotionsManage,
        P::LogsView,
        P::SettingsView,
    ];
    let gateway_provider = [
        P::ApisManage,
        P::ApisPublishToPortal,
        P::ApisActivate,
        P::ApisDeactivate,
        P::ApplicationsManage,
        P::AliasesManage,
        P::PolicyTemplatesManage,
        P::AssetsImport,
        P::AssetsExport,
        P::ConfigurationsView,
    ];
    vec![
        shipped("admin", "Admin", all()),
        shipped("administrator", "Administrator", all()),
        shipped("publisher", "Publisher", [P::Deploy, P::Export].into_iter().chain(watching).collect()),
        shipped("user", "User", watching.into_iter().collect()),
        shipped("monitor", "Monitor", watching.into_iter().chain([P::ConfigurationsView]).collect()),
        only_in("development", shipped("developer", "Developer", area(Area::Project).chain(developer).collect())),
        shipped("devops", "DevOps", devops.into_iter().collect()),
        shipped("api-gateway-administrator", "API Gateway Administrator", area(Area::Gateway).collect()),
        shipped("api-gateway-provider", "API Gateway Provider", gateway_provider.into_iter().collect()),
        shipped("api-portal-administrator", "API Portal Administrator", area(Area::Portal).collect()),
        shipped("api-portal-provider", "API Portal Provider", [P::PortalProvide].into_iter().collect()),
    ]
}

fn shipped(id: &str, title: &str, permissions: Permissions) -> (ProfileId, Profile) {
    let everyone = [Permission::UserInterfaceAccess, Permission::ManagePersonalSetup].into_iter().collect();
    let permissions = permissions.union(everyone);
    (constant(id), Profile { title: title.to_owned(), permissions, valid_in: ValidIn::All })
}

fn only_in(environment: &str, (id, profile): (ProfileId, Profile)) -> (ProfileId, Profile) {
    (id, Profile { valid_in: ValidIn::Environments(vec![constant::<EnvironmentId>(environment)]), ..profile })
}

#[expect(clippy::expect_used, reason = "the texts are constants of this file, and the tests parse them all")]
fn constant<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a constant id is an id")
}

#[expect(clippy::expect_used, reason = "definitions are plain structs with text keys: they always have a JSON form")]
fn row(kind: Kind, id: impl Into<String>, body: &impl Serialize) -> Row {
    (kind, id.into(), serde_json::to_value(body).expect("a definition has a JSON form"))
}

/// The first rows of a tenant: itself, four environments, the shipped profiles, the list `default`
/// with `admin` and `administrator` alone, its administrator, and the project `default` that is
/// shared by all who hold the permission through an access profile.
///
/// The administrator's credential is `identity`'s; put it in the same change.
pub fn tenant_seed(title: &str, administrator: &UserId) -> Vec<Row> {
    let mut rows = vec![row(
        Kind::Tenant,
        "tenant",
        &Tenant { title: title.to_owned(), suspended: false, retention: Retention::default() },
    )];
    for (order, (id, title)) in (0..).zip(ENVIRONMENTS) {
        let environment = Environment { title: title.to_owned(), order, needs_green_run: false };
        rows.push(row(Kind::Environment, id, &environment));
    }
    rows.extend(shipped_profiles().iter().map(|(id, profile)| row(Kind::Profile, id.as_str(), profile)));
    let default = Acl { title: "Default".to_owned(), profiles: vec![constant("admin"), constant("administrator")] };
    rows.push(row(Kind::Acl, DEFAULT_ACL, &default));
    let user = User {
        kind: UserKind::Native,
        title: "Tenant administrator".to_owned(),
        enabled: true,
        api_allowed: false,
        profiles: vec![constant("administrator")],
        groups: Vec::new(),
    };
    rows.push(row(Kind::User, administrator.as_str(), &user));
    rows.push(row(Kind::Project, "default", &Project { title: "Default Project".to_owned(), head: 0 }));
    rows
}

/// The first rows of a project: itself, and the project permission `developer` with all permissions
/// of the project area, given to nobody yet.
pub fn project_seed(project: &ProjectId, title: &str) -> Vec<Row> {
    let developer = ProjectPermission {
        permissions: Permission::ALL.iter().copied().filter(|p| p.area() == Area::Project).collect(),
        users: Vec::new(),
        groups: Vec::new(),
    };
    vec![
        row(Kind::Project, project.as_str(), &Project { title: title.to_owned(), head: 0 }),
        row(Kind::ProjectPermission, format!("{project}/developer"), &developer),
    ]
}
