//! `access why`: the path, or every missing link and the command that closes it.

use lockgate_access::{why, why_by};
use lockgate_model::{
    Channel, Kind, Permission, TargetKind,
    definition::{Tenant as TenantRow, User},
    principal::{CredentialKind, UserKind},
};

use crate::tenant::*;

fn text(tenant: &Tenant, user: &str) -> String {
    why(&tenant.snapshot(), &id(user), &target("live", "order")).to_string()
}

#[test]
fn a_user_without_the_profile_is_told_which_one_opens() {
    let mut tenant = Tenant::story();
    tenant.user("eve", UserKind::Native, &["user"]);
    assert_eq!(
        text(&tenant, "eve"),
        "eve may not execute integrations/order in live\n  \
           rule execute.not-on-acl acl=callers at revision 7\n  \
           missing: no profile of `eve` is on the ACL `callers`, valid in `live` and permits `integrations.execute`\n    \
             grant with: lockgate user grant eve --profile caller   (needs user-management and access-control: root)\n"
    );
}

#[test]
fn a_profile_held_already_is_the_first_remedy() {
    let mut tenant = Tenant::story();
    tenant.profile("partner", &[Permission::IntegrationsExecute], Some(&["live"]));
    tenant.user("eve", UserKind::Native, &["partner"]);
    let text = text(&tenant, "eve");
    let first = text.lines().find(|line| line.contains("grant with:")).unwrap();
    assert!(first.contains("lockgate acl add callers --profile partner   (needs access-control: root)"), "{text}");
    assert!(text.contains("or with:    lockgate user grant eve --profile caller"), "{text}");
}

#[test]
fn a_profile_of_ones_own_is_widened_and_a_shipped_one_is_not() {
    let mut tenant = Tenant::story();
    tenant.profile("partner", &[Permission::LogsView], Some(&["test"]));
    tenant.user("eve", UserKind::Native, &["partner", "user"]);
    let text = text(&tenant, "eve");
    for step in [
        "lockgate profile extend partner --permission integrations.execute",
        "and then:   lockgate profile extend partner --env live",
        "and then:   lockgate acl add callers --profile partner",
    ] {
        assert!(text.contains(step), "{text}");
    }
    assert!(!text.contains("permit user"), "{text}");
}

#[test]
fn an_administrators_profile_is_never_a_remedy() {
    let mut tenant = Tenant::story();
    tenant.assign("live/integrations/order", "default");
    tenant.user("eve", UserKind::Native, &["user"]);
    let text = text(&tenant, "eve");
    assert!(!text.contains("--profile admin"), "{text}");
    for step in [
        "lockgate profile add caller-live --permission integrations.execute --env live",
        "and then:   lockgate acl add default --profile caller-live",
        "and then:   lockgate user grant eve --profile caller-live",
    ] {
        assert!(text.contains(step), "{text}");
    }
}

#[test]
fn every_missing_link_is_told_at_once() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Tenant, "tenant", |t: &mut TenantRow| t.suspended = true);
    tenant.user("eve", UserKind::Idp, &[]);
    tenant.edit(Kind::User, "eve", |u: &mut User| u.enabled = false);
    tenant.edit(Kind::User, "pat", |u: &mut User| u.enabled = false);
    let principal = principal("eve", CredentialKind::ApiKey);
    let found = why_by(&tenant.snapshot(), &principal, &target("live", "order"), Channel::Restart);
    let links: Vec<&str> = found.missing.iter().map(|m| m.link.as_str()).collect();
    assert_eq!(
        links,
        [
            "the tenant is suspended",
            "user `eve` is disabled",
            "user `eve` comes by single sign-on and may not use API channels",
            "no profile of `eve` is on the ACL `callers`, valid in `live` and permits `integrations.execute`",
            "no profile of `eve` valid in `live` permits `runs-control`",
            "the publish right has fallen: its publisher `pat` is disabled",
        ]
    );
    assert!(found.missing.iter().all(|m| !m.remedies.is_empty()));
}

#[test]
fn what_is_not_there_is_said() {
    let tenant = Tenant::story();
    let ask = |user: &str, environment: &str, name: &str| {
        why(&tenant.snapshot(), &id(user), &target(environment, name)).to_string()
    };
    assert!(ask("eve", "live", "order").contains("there is no user `eve`"));
    assert!(ask("bob", "moon", "order").contains("lockgate env add moon   (needs stages-administer: root)"));
    assert!(ask("bob", "live", "ghost").contains("there is no `integrations/ghost` in any project"));
    assert!(ask("root", "test", "order").contains("lockgate deploy default test   (needs deploy: pat, root)"));
    let mut unlisted = Tenant::story();
    unlisted.remove(Kind::Assignment, "live/integrations/order");
    assert!(text(&unlisted, "bob").contains("lockgate acl assign default --to order --env live"));
}

#[test]
fn a_publish_right_that_fell_can_be_given_back_or_taken_over() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::User, "pat", |u: &mut User| u.profiles = ids(&["user"]));
    let shown = text(&tenant, "bob");
    assert!(shown.contains("`pat` does not hold `deploy` in `live` any more"), "{shown}");
    assert!(shown.contains("lockgate user grant pat --profile publisher"), "the narrowest that gives it: {shown}");
    assert!(shown.contains("or with:    lockgate deploy default live"), "{shown}");
    tenant.remove(Kind::User, "pat");
    assert!(text(&tenant, "bob").contains("`pat` is no more"));
}

#[test]
fn a_narrowed_key_has_no_remedy() {
    let principal =
        lockgate_model::Principal { only_environment: Some(id("test")), ..principal("bob", CredentialKind::ApiKey) };
    let found = why_by(&Tenant::story().snapshot(), &principal, &target("live", "order"), Channel::Rest);
    assert_eq!(found.missing.len(), 1);
    assert!(found.missing[0].link.contains("use another key") && found.missing[0].remedies.is_empty());
}

#[test]
fn the_path_is_told_with_the_group() {
    let mut tenant = Tenant::story();
    tenant.group("staff", &["caller"]);
    tenant.edit(Kind::User, "bob", |u: &mut User| (u.profiles, u.groups) = (vec![], ids(&["staff"])));
    tenant.api("orders", TargetKind::RestApis, "order");
    let found = why(&tenant.snapshot(), &id("bob"), &rest("live", "orders"));
    assert_eq!(
        found.to_string(),
        "bob may execute rest-apis/orders in live\n  \
           rule execute.allowed profile=caller acl=callers at revision 7\n  \
           bob (group staff) -> profile caller -> ACL callers -> rest-apis/orders in live, published by pat\n  \
           bob (group staff) -> profile caller -> ACL callers -> integrations/order in live, published by pat\n"
    );
}

#[test]
fn as_json_a_step_is_its_command() {
    let mut tenant = Tenant::story();
    tenant.user("eve", UserKind::Native, &["user"]);
    let found = why(&tenant.snapshot(), &id("eve"), &target("live", "order"));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(
        json["missing"][0]["remedies"][0][0],
        serde_json::json!({
            "command": "lockgate user grant eve --profile caller",
            "needs": "user-management and access-control",
            "who": ["root"],
        })
    );
    assert_eq!(
        (json["allowed"].as_bool(), json["rule"].as_str()),
        (Some(false), Some("execute.not-on-acl acl=callers"))
    );
}
