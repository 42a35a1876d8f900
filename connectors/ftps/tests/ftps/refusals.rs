//! What is refused: sign-ins, accounts that cannot work.

use lockgate_connector_api::Kind as Is;
use lockgate_testkit::contract::{
    CANARY,
    files::{Kind as _, Server as _},
    tells_nothing,
};
use serde_json::json;

use crate::account::{Fields, Kind, Opening};

#[tokio::test]
async fn credentials_that_are_not_accepted() {
    for kind in Kind::ALL.iter().copied() {
        let Some(server) = kind.start() else { continue };
        let usual = || Opening::usual(kind);
        let wrong = [
            Opening { settings: swapped(usual().settings, "username", "nobody-here"), ..usual() },
            Opening { secrets: vec![("password", format!("{CANARY}x"))], ..usual() },
        ];
        for opening in wrong {
            let account = opening.open(server.port()).unwrap();
            let error = account.fails("list", json!({})).await;
            assert_eq!((error.kind(), error.error_type()), (Is::Authentication, "authentication"), "{kind:?}: {error}");
            assert_eq!(account.test().await.unwrap_err().kind(), Is::Authentication);
        }
    }
}

fn swapped(mut fields: Fields, name: &'static str, value: &str) -> Fields {
    fields.retain(|(n, _)| *n != name);
    fields.push((name, value.to_owned()));
    fields
}

#[tokio::test]
async fn accounts_that_cannot_work_are_refused_when_opened() {
    let usual = || Opening::usual(Kind::Proftpd);
    let password = |value: &str| Opening { secrets: vec![("password", value.to_owned())], ..usual() };
    let setting = |name, value: &str| Opening { settings: swapped(usual().settings, name, value), ..usual() };
    for opening in [
        Opening { secrets: Vec::new(), ..usual() },
        password(&format!("{CANARY}\r\nDELE a")),
        password(&format!("{CANARY}\0")),
        password(""),
        setting("username", "a\r\nQUIT"),
        setting("username", ""),
        setting("auth", "anonymous"),
        setting("tls", "none"),
        Opening { settings: Vec::new(), ..usual() },
    ] {
        let Err(error) = opening.open(21) else { panic!("opened") };
        assert_eq!(error.kind(), Is::Configuration, "{error}");
        tells_nothing(&error);
    }
}
