//! A way to sign in that MariaDB has as a plugin.

use lockgate_connector_api::Kind;
use lockgate_testkit::{
    contract::{CANARY, tells_nothing},
    skip,
};
use serde_json::json;

use crate::account::{Binding, admin, binding, shared};

#[tokio::test]
async fn a_password_is_proved_by_a_signature() {
    let Some((pki, server)) = shared() else { return };
    let admin = admin().unwrap();
    if admin.call("execute", "install soname 'auth_ed25519'", json!([])).await.is_err() {
        return skip(
            "signing in by ed25519",
            "the plugin `auth_ed25519` is not installed (Debian package `mariadb-server`)",
        );
    }
    // The key that the server makes of a password is the one that we sign with.
    for password in [CANARY, "ä😀", "x"] {
        let user = format!("signs_{}", password.len());
        admin
            .execute(&format!(
                "create user `{user}`@'%' identified via ed25519 using password('{password}') require ssl"
            ))
            .await;
        admin.execute(&format!("grant all on peer.* to `{user}`@'%'")).await;
        let bound =
            |password| Binding { username: user.clone().leak(), password: Some(password), ..binding(server.port()) };
        // What is signed is made up anew each time.
        for _ in 0..20 {
            bound(password).open(pki).test().await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
        }
        let error = bound("wrong").open(pki).test().await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Authentication);
    }
}
