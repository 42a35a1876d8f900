//! Who may prove to be whom, as a caller of the crate sees it; refusals first.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its rows has failed")]

use std::time::{Duration, Instant};

use lockgate_identity::{
    ApiKey, Basic, BasicKey, Credential, Credentials, DigestKey, Hash, OneTime, Password, PasswordCheck, Refused,
    SessionToken, StoredKey,
};
use lockgate_model::{
    Definition, Kind, Timestamp,
    definition::{Revision, User},
    id::{TenantId, UserId},
    principal::{CredentialKind, UserKind},
};
use serde::Serialize;

const PASSWORD: &str = "harbour-pilot-7";
const NOW: Timestamp = Timestamp(1_000_000_000);

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}
fn id(text: &str) -> UserId {
    text.parse().unwrap()
}
fn row(kind: Kind, id: &str, revision: u64, body: impl Serialize) -> Definition {
    Definition {
        tenant: tenant(),
        kind,
        id: id.to_owned(),
        revision: Revision(revision),
        body: serde_json::to_value(body).unwrap(),
    }
}
fn user(id: &str, kind: UserKind, enabled: bool) -> Definition {
    let user = User { kind, title: String::new(), enabled, api_allowed: true, profiles: vec![], groups: vec![] };
    row(Kind::User, id, 1, user)
}
fn with_password() -> Credential {
    Credential::default().with_password(Hash::of(&Password::new(PASSWORD.to_owned())).unwrap())
}
/// One user of each sort; all have the same password but `new`, who has none.
fn rows() -> Vec<Definition> {
    let hash = with_password();
    let mut rows = vec![
        user("ada", UserKind::Native, true),
        user("gone", UserKind::Native, false),
        user("idp", UserKind::Idp, true),
        user("robot", UserKind::Service, true),
        user("new", UserKind::Native, true),
    ];
    rows.extend(["ada", "gone", "idp", "robot"].map(|user| row(Kind::Credential, user, 2, &hash)));
    rows
}
fn credentials(rows: &[Definition]) -> Credentials {
    Credentials::build(tenant(), Revision(9), rows).unwrap()
}
fn basic(user: &str, password: &str) -> Basic {
    Basic { user: user.to_owned(), password: Password::new(password.to_owned()) }
}
fn verify(of: Option<&Credentials>, user: &str, password: &str) -> Result<lockgate_model::Principal, Refused> {
    let basic = basic(user, password);
    PasswordCheck::of(of, &basic).verify(&basic)
}
fn key() -> DigestKey {
    DigestKey::new([7; 32])
}

#[test]
fn passwords_refuse() {
    let of = credentials(&rows());
    for (user, password, refused) in [
        ("ada", "", Refused::WrongPassword),
        ("ada", "harbour-pilot-8", Refused::WrongPassword),
        ("nobody", PASSWORD, Refused::UnknownUser),
        ("", "", Refused::UnknownUser),
        ("Ada", PASSWORD, Refused::UnknownUser),
        ("../ada", PASSWORD, Refused::UnknownUser),
        ("new", PASSWORD, Refused::NoPassword),
        ("new", "", Refused::NoPassword),
        ("gone", PASSWORD, Refused::Disabled),
        ("idp", PASSWORD, Refused::WrongKind),
        ("robot", PASSWORD, Refused::WrongKind),
    ] {
        assert_eq!(verify(Some(&of), user, password).unwrap_err(), refused, "{user}");
    }
    assert_eq!(verify(None, "ada", PASSWORD).unwrap_err(), Refused::UnknownTenant);
}

#[test]
fn the_caller_learns_nothing_from_a_refusal() {
    let of = credentials(&rows());
    let texts = ["nobody", "new", "gone", "idp", "robot", "ada"]
        .map(|user| verify(Some(&of), user, "wrong").unwrap_err().to_string());
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

/// An early return takes microseconds, a hash of 19 MiB never less than this; a busy machine only
/// makes it longer.
#[test]
fn every_refusal_costs_a_hash() {
    let of = credentials(&rows());
    let costs_a_hash = |of: Option<&Credentials>, user: &str| {
        let start = Instant::now();
        assert!(verify(of, user, "wrong").is_err());
        start.elapsed() > Duration::from_millis(2)
    };
    for user in ["ada", "nobody", "", "new", "gone", "idp", "robot"] {
        assert!(costs_a_hash(Some(&of), user), "`{user}` is found out by time");
    }
    assert!(costs_a_hash(None, "ada"), "an unknown tenant is found out by time");
}

#[test]
fn a_native_user_with_the_right_password_is_a_principal() {
    let principal = verify(Some(&credentials(&rows())), "ada", PASSWORD).unwrap();
    assert_eq!((principal.tenant, principal.user), (tenant(), id("ada")));
    assert_eq!(principal.credential, CredentialKind::Basic);
    assert_eq!(principal.only_environment, None);
}

#[test]
fn api_keys_refuse() {
    let ends = NOW.plus_ms(1);
    let [good, short, of_gone, of_nobody] = [(); 4].map(|()| ApiKey::generate().unwrap());
    let mut all = rows();
    let narrowed = StoredKey {
        environment: Some("live".parse().unwrap()),
        targets: vec!["order".parse().unwrap()],
        ..good.stored(&key(), id("robot"))
    };
    all.push(row(Kind::ApiKey, good.id().as_str(), 3, narrowed));
    all.push(row(
        Kind::ApiKey,
        short.id().as_str(),
        3,
        StoredKey { expires: Some(ends), ..short.stored(&key(), id("ada")) },
    ));
    let client = ApiKey::generate().unwrap();
    all.push(row(
        Kind::ApiKey,
        client.id().as_str(),
        3,
        StoredKey { client: true, ..client.stored(&key(), id("robot")) },
    ));
    all.push(row(Kind::ApiKey, of_gone.id().as_str(), 3, of_gone.stored(&key(), id("gone"))));
    let of = credentials(&all);

    let forged = ApiKey::parse(&format!("lgk_{}_{}", good.id(), "0".repeat(64))).unwrap();
    let swapped = short.expose().replace(short.id().as_str(), good.id().as_str());
    for (presented, at, refused) in [
        (&of_nobody, NOW, Refused::UnknownKey),
        (&forged, NOW, Refused::WrongSecret),
        (&ApiKey::parse(&swapped).unwrap(), NOW, Refused::WrongSecret),
        (&short, ends, Refused::Ended),
        (&of_gone, NOW, Refused::Disabled),
        (&client, NOW, Refused::WrongKind),
    ] {
        assert_eq!(of.api_key(presented, &key(), at).unwrap_err(), refused);
    }
    assert_eq!(of.api_key(&good, &DigestKey::new([8; 32]), NOW).unwrap_err(), Refused::WrongSecret);

    assert_eq!(of.api_key(&short, &key(), NOW).unwrap().only_environment, None);
    let principal = of.api_key(&ApiKey::parse(&good.expose()).unwrap(), &key(), NOW).unwrap();
    assert_eq!((principal.user, principal.credential), (id("robot"), CredentialKind::ApiKey));
    assert_eq!(principal.only_environment.unwrap().as_str(), "live");
    assert_eq!(principal.only_targets, ["order".parse().unwrap()]);
}

#[test]
fn a_stored_key_moved_to_another_user_fits_nothing() {
    let api_key = ApiKey::generate().unwrap();
    let mut stored = api_key.stored(&key(), id("robot"));
    stored.user = id("ada");
    let mut all = rows();
    all.push(row(Kind::ApiKey, api_key.id().as_str(), 3, stored));
    assert_eq!(credentials(&all).api_key(&api_key, &key(), NOW).unwrap_err(), Refused::WrongSecret);
}

#[test]
fn one_time_tokens_refuse() {
    let good = OneTime::generate(id("new")).unwrap();
    let stored = good.stored(&key(), NOW);
    let mut all = rows();
    all.push(row(Kind::Credential, "new", 3, Credential::default().with_token(stored.clone())));
    let of = credentials(&all);

    let other = OneTime::generate(id("new")).unwrap();
    let of_nobody = OneTime::generate(id("nobody")).unwrap();
    let of_ada = OneTime::parse(&good.expose().replace("lgt_new_", "lgt_ada_")).unwrap();
    for (presented, at, refused) in [
        (&other, NOW, Refused::WrongSecret),
        (&of_nobody, NOW, Refused::UnknownUser),
        (&of_ada, NOW, Refused::NoToken),
        (&good, NOW.plus_ms(24 * 3_600_000), Refused::Ended),
    ] {
        assert_eq!(of.one_time(presented, &key(), at).unwrap_err(), refused);
    }
    assert_eq!(of.one_time(&good, &key(), NOW.plus_ms(24 * 3_600_000 - 1)).unwrap(), id("new"));

    // Used: setting the password ends it.
    let used = Credential::default()
        .with_token(stored)
        .with_password(Hash::parse(with_password().password.unwrap().as_str()).unwrap());
    *all.last_mut().unwrap() = row(Kind::Credential, "new", 4, used);
    assert_eq!(credentials(&all).one_time(&good, &key(), NOW).unwrap_err(), Refused::NoToken);
}

#[test]
fn a_one_time_token_is_no_credential_for_a_request() {
    let token = OneTime::generate(id("new")).unwrap().expose();
    assert!(lockgate_identity::Presented::parse(&format!("Bearer {token}")).is_err());
    assert!(verify(Some(&credentials(&rows())), "new", &token).is_err());
}

#[test]
fn sessions_ask_the_user_again_and_run_as_is_but_a_name() {
    let of = credentials(&rows());
    assert_eq!(of.session(&id("nobody")).unwrap_err(), Refused::UnknownUser);
    assert_eq!(of.session(&id("gone")).unwrap_err(), Refused::Disabled);
    assert_eq!(of.session(&id("robot")).unwrap_err(), Refused::WrongKind);
    assert_eq!(of.session(&id("idp")).unwrap().credential, CredentialKind::Session);
    for user in ["robot", "gone", "nobody"] {
        let principal = of.run_as(&id(user));
        assert_eq!((principal.user, principal.credential), (id(user), CredentialKind::RunAs));
    }
    let _ = SessionToken::generate().unwrap();
}

#[test]
fn a_remembered_credential_is_forgotten_when_anything_of_it_changes() {
    let process = BasicKey::random().unwrap();
    let of = credentials(&rows());
    let digest = of.basic_digest(&process, &basic("ada", PASSWORD)).unwrap();
    let recall = |of: &Credentials, key: &BasicKey, basic: &Basic| of.recall(key, basic, |d| *d == digest);
    assert!(recall(&of, &process, &basic("ada", PASSWORD)).is_some());

    assert!(recall(&of, &process, &basic("ada", "wrong")).is_none());
    assert!(recall(&of, &process, &basic("nobody", PASSWORD)).is_none());
    assert!(recall(&of, &BasicKey::random().unwrap(), &basic("ada", PASSWORD)).is_none(), "another process");
    for (kind, what) in [(Kind::User, "the user's row"), (Kind::Credential, "the password")] {
        let mut all = rows();
        all.iter_mut().find(|r| r.kind == kind && r.id == "ada").unwrap().revision = Revision(5);
        assert!(recall(&credentials(&all), &process, &basic("ada", PASSWORD)).is_none(), "{what} changed");
    }
    let mut others = rows();
    others.iter_mut().filter(|r| r.id != "ada").for_each(|r| r.revision = Revision(6));
    assert!(
        recall(&credentials(&others), &process, &basic("ada", PASSWORD)).is_some(),
        "other users' rows do not matter"
    );
    let all = |_: &lockgate_model::Digest| true;
    for user in ["gone", "idp", "robot", "nobody"] {
        assert!(of.recall(&process, &basic(user, PASSWORD), all).is_none(), "{user}");
    }
}

#[test]
fn what_cannot_be_read_refuses_everybody() {
    let orphan = row(Kind::Credential, "nobody", 2, with_password());
    let foreign = ApiKey::generate().unwrap();
    let key_of_nobody = row(Kind::ApiKey, foreign.id().as_str(), 2, foreign.stored(&key(), id("nobody")));
    let clear = row(Kind::Credential, "ada", 2, serde_json::json!({"password": "hunter2"}));
    let clear_token = row(Kind::Credential, "ada", 2, serde_json::json!({"token": "hunter2"}));
    let clear_key = row(Kind::ApiKey, "k", 2, serde_json::json!({"user": "ada", "digest": "hunter2"}));
    for bad in [orphan, key_of_nobody, clear, clear_token, clear_key] {
        let all = [vec![user("ada", UserKind::Native, true)], vec![bad]].concat();
        let error = Credentials::build(tenant(), Revision(1), &all).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_stolen_row_shows_no_secret() {
    let api_key = ApiKey::generate().unwrap();
    let token = OneTime::generate(id("new")).unwrap();
    let stored = [
        serde_json::to_string(&api_key.stored(&key(), id("ada"))).unwrap(),
        serde_json::to_string(&with_password().with_token(token.stored(&key(), NOW))).unwrap(),
    ]
    .concat();
    for secret in [PASSWORD, api_key.expose().rsplit('_').next().unwrap(), token.expose().rsplit('_').next().unwrap()] {
        assert!(!stored.contains(secret), "{stored}");
    }
    let shown = format!("{api_key:?} {token:?} {:?} {:?}", key(), BasicKey::random().unwrap());
    assert!(!shown.contains(api_key.expose().rsplit('_').next().unwrap()), "{shown}");
}
