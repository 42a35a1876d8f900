//! What is refused: servers with another key, sign-ins, accounts that cannot work.

use lockgate_connector_api::Kind as Is;
use lockgate_testkit::{
    contract::{
        CANARY,
        files::{Kind as _, Server as _},
        tells_nothing,
    },
    ssh_peer::{Openssh, Shown},
};
use serde_json::json;

use crate::account::{Fields, KEYS, Kind, Opening, sign_in};

#[tokio::test]
async fn a_server_with_another_key_hears_no_credential() {
    for kind in Kind::ALL.iter().copied() {
        let Some(server) = kind.start() else { continue };
        let others = [
            KEYS.fingerprint("host_other"),
            KEYS.public("host_other"),
            KEYS.public("host_other_rsa"),
            KEYS.fingerprint("host_other_rsa"),
        ];
        for host_key in others {
            let account = Opening { host_key: host_key.clone(), ..Opening::usual(kind) }.open(server.port()).unwrap();
            let error = account.fails("list", json!({})).await;
            assert_eq!(error.kind(), Is::Identity, "{kind:?} {host_key}: {error}");
        }
        assert_eq!(server.requests(), 0, "{kind:?}: a sign-in was tried");
    }
}

#[tokio::test]
async fn any_of_a_servers_keys_is_accepted_as_a_whole() {
    let Some(server) = Kind::Openssh.start() else { return };
    for key in [KEYS.public("host_ed25519"), KEYS.public("host_rsa"), KEYS.fingerprint("host_ed25519")] {
        let account = Opening { host_key: key, ..Opening::usual(Kind::Openssh) }.open(server.port()).unwrap();
        account.test().await.unwrap();
    }
}

#[tokio::test]
async fn credentials_that_are_not_accepted() {
    for kind in Kind::ALL.iter().copied() {
        let Some(server) = kind.start() else { continue };
        let usual = || Opening::usual(kind);
        let mut wrong = vec![Opening { settings: swapped(usual().settings, "username", "nobody-here"), ..usual() }];
        match kind {
            Kind::Openssh => wrong.push(Opening {
                secrets: swapped(sign_in(kind).1, "private_key", &KEYS.private("user_unknown")),
                ..usual()
            }),
            Kind::Proftpd => wrong.push(Opening { secrets: vec![("password", format!("{CANARY}x"))], ..usual() }),
        }
        for opening in wrong {
            let account = opening.open(server.port()).unwrap();
            let error = account.fails("list", json!({})).await;
            assert_eq!((error.kind(), error.error_type()), (Is::Authentication, "authentication"), "{kind:?}: {error}");
            assert_eq!(account.test().await.unwrap_err().kind(), Is::Authentication);
        }
    }
}

#[tokio::test]
async fn both_servers_take_rsa_keys_with_sha_2() {
    for kind in Kind::ALL.iter().copied() {
        let Some(server) = kind.start() else { continue };
        let settings = swapped(Opening::usual(kind).settings, "auth", "key");
        let secrets = vec![("private_key", KEYS.private("user_rsa"))];
        let account = Opening { settings, secrets, ..Opening::usual(kind) }.open(server.port()).unwrap();
        account.test().await.unwrap_or_else(|e| panic!("{kind:?}: {e} {}", e.private().reveal()));
    }
}

fn swapped(mut fields: Fields, name: &'static str, value: &str) -> Fields {
    fields.retain(|(n, _)| *n != name);
    fields.push((name, value.to_owned()));
    fields
}

#[tokio::test]
async fn accounts_that_cannot_work_are_refused_when_opened() {
    let usual = || Opening { secrets: sign_in(Kind::Openssh).1, ..Opening::usual(Kind::Openssh) };
    let secret =
        |name: &'static str, value: &str| Opening { secrets: swapped(usual().secrets, name, value), ..usual() };
    let sealed = KEYS.private("user_ed25519");
    let cut: String = sealed.lines().take(3).collect::<Vec<_>>().join("\n");
    for opening in [
        secret("passphrase", "not the passphrase"),
        Opening { secrets: vec![("private_key", sealed)], ..usual() },
        secret("private_key", &cut),
        secret("private_key", "canary-7f3a91c2-secret"),
        Opening { secrets: Vec::new(), ..usual() },
        Opening { settings: Vec::new(), ..usual() },
        Opening { host_key: "SHA256:".into(), ..usual() },
        Opening { host_key: "ssh-dss AAAA".into(), ..usual() },
    ] {
        let Err(error) = opening.open(22) else { panic!("opened") };
        assert_eq!(error.kind(), Is::Configuration, "{error}");
        tells_nothing(&error);
    }
}

#[tokio::test]
async fn a_servers_key_is_shown_before_it_is_trusted() {
    use lockgate_connector_api::{Address, Egress, Proxy, Registry, Scheme};
    use lockgate_model::definition::ServerIdentity;
    use lockgate_testkit::{
        ConnectProxy,
        connect_proxy::Behaviour,
        contract::{context, loopback, soon},
    };

    let Some(server) = Openssh::start(&KEYS, Shown::Own) else { return };
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_sftp::Sftp>();
    let sftp = registry.get("sftp").unwrap();
    let address = |port: u16| {
        Address::parse(Scheme { name: "sftp", port: 22 }, true, &format!("sftp://127.0.0.1:{port}/x")).unwrap()
    };
    let refused = sftp.shown_identity(address(server.port()), None, context(Egress::new(Vec::new())), soon()).await;
    assert_eq!(refused.unwrap_err().kind(), Is::Refused);
    let shown = sftp.shown_identity(address(server.port()), None, context(loopback()), soon()).await.unwrap();
    assert_eq!(shown, Some(ServerIdentity::HostKey(KEYS.fingerprint("host_ed25519"))));
    // Through a proxy, past which there is no way.
    for behaviour in [Behaviour::Tunnels, Behaviour::TunnelsAtOnce] {
        let proxy = ConnectProxy::start(behaviour).await;
        let named = Proxy::parse(&proxy.setting()).ok();
        let behind =
            Address::parse(Scheme { name: "sftp", port: 22 }, true, &format!("sftp://a.example:{}", server.port()));
        let shown =
            sftp.shown_identity(behind.unwrap(), named, context(proxy.egress(true, true)), soon()).await.unwrap();
        assert_eq!(shown, Some(ServerIdentity::HostKey(KEYS.fingerprint("host_ed25519"))));
    }
    assert_eq!(server.log("userauth-request"), 0, "somebody signed in");
    let gone = sftp.shown_identity(address(lockgate_testkit::free_port()), None, context(loopback()), soon()).await;
    assert_eq!(gone.unwrap_err().kind(), Is::Unreachable);
}
