//! The shipped roles × permissions × places, as a page that a review reads: `access_matrix.txt`.
//! `UPDATE=1 cargo test -p lockgate-access` rewrites it.

use std::fmt::Write as _;

use lockgate_access::{Scope, decide, shipped_profiles};
use lockgate_model::{Channel, Kind, Permission, definition::Acl, principal::UserKind};

use crate::tenant::*;

const HEAD: &str = "\
Shipped profiles x permissions x places. A letter where a user with that profile alone may, `.` where not:
d development, t test, p prelive, l live, P a project, T the tenant itself.
The last three lines: who may execute in each environment what names an ACL with that profile on it.
";

const ENVIRONMENTS: [(&str, char); 4] = [("development", 'd'), ("test", 't'), ("prelive", 'p'), ("live", 'l')];

fn rendered() -> String {
    let mut tenant = Tenant::seeded();
    let profiles: Vec<String> = shipped_profiles().into_iter().map(|(id, _)| id.to_string()).collect();
    for profile in &profiles {
        tenant.user(&format!("u-{profile}"), UserKind::Native, &[profile]);
    }
    let places = ENVIRONMENTS.map(|(environment, letter)| (Scope::Environment(id(environment)), letter));
    let places: Vec<_> =
        places.into_iter().chain([(Scope::Project(id("default")), 'P'), (Scope::Tenant, 'T')]).collect();
    let snapshot = tenant.snapshot();

    let mut out = String::from(HEAD);
    let width = |profile: &String| profile.len().max(6);
    let row = |out: &mut String, name: &str, cells: Vec<String>| {
        write!(out, "\n{name:<34}").unwrap();
        for (profile, cell) in profiles.iter().zip(cells) {
            write!(out, " {cell:<w$}", w = width(profile)).unwrap();
        }
        out.truncate(out.trim_end_matches(' ').len());
    };
    row(&mut out, "permission", profiles.clone());
    for permission in Permission::ALL {
        let may = |profile: &String, scope: &Scope| {
            let user = by_session(&format!("u-{profile}"));
            decide(&snapshot, &user, *permission, scope.clone(), Channel::Admin, NOW).is_allowed()
        };
        let cell =
            |profile| places.iter().map(|(scope, letter)| if may(profile, scope) { *letter } else { '.' }).collect();
        row(&mut out, permission.as_str(), profiles.iter().map(cell).collect());
    }
    out.push('\n');

    // Everything deployed everywhere by `root`, on a list that holds every shipped profile.
    tenant.put(Kind::Acl, "all", &Acl { title: String::new(), profiles: profiles.iter().map(|p| id(p)).collect() });
    let kinds = ["integrations", "rest-apis", "soap-apis"];
    for (environment, _) in ENVIRONMENTS {
        tenant.deploy(environment, "default", "root", &["integrations"]);
        tenant.edit(
            Kind::Deployment,
            &format!("{environment}/default"),
            |d: &mut lockgate_model::definition::Deployment| {
                use lockgate_model::{TargetKind, definition::DeployedApi};
                for (name, kind) in [("rest-apis", TargetKind::RestApis), ("soap-apis", TargetKind::SoapApis)] {
                    d.apis.insert(id(name), DeployedApi { kind, orchestration: id("integrations") });
                }
            },
        );
        tenant.assign(&format!("{environment}/integrations/integrations"), "all");
    }
    let snapshot = tenant.snapshot();
    for (kind, name) in [
        lockgate_model::TargetKind::Integrations,
        lockgate_model::TargetKind::RestApis,
        lockgate_model::TargetKind::SoapApis,
    ]
    .into_iter()
    .zip(kinds)
    {
        let may = |profile: &String, environment: &str| {
            let target = lockgate_model::Target { environment: id(environment), kind, name: id(name) };
            let user = by_basic(&format!("u-{profile}"));
            lockgate_access::decide_execute(&snapshot, &user, target, Channel::Rest, NOW).is_allowed()
        };
        let cell =
            |profile| ENVIRONMENTS.iter().map(|(e, letter)| if may(profile, e) { *letter } else { '.' }).collect();
        row(&mut out, &format!("execute {name}"), profiles.iter().map(cell).collect());
    }
    out.push('\n');
    out
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test run itself, not configuration of the product")]
fn the_matrix_is_as_it_was_reviewed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access_matrix.txt");
    let now = rendered();
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    let differing = reviewed.lines().zip(now.lines()).find(|(then, now)| then != now);
    assert_eq!(
        reviewed, now,
        "who may do what has changed, first here: {differing:#?}; if it was meant, rewrite it with UPDATE=1"
    );
}
