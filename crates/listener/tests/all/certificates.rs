//! Mutual TLS: a certificate that was bound to a user lets that user in, and no other does.

use lockgate_keys::{Authority, Identity};
use lockgate_model::{
    Kind,
    id::{EnvironmentId, UserId},
};
use lockgate_runtime::{CertificateWanted, Error};
use serde_json::{Value, json};

use crate::{
    rest::{ECHO, House, PASSWORD, basic},
    support::{now, request},
};

const DAY_MS: i64 = 86_400_000;

fn wanted(own: &Identity) -> CertificateWanted {
    let own = Identity::chain_pem(own);
    let first = format!("{}-----END CERTIFICATE-----\n", own.split("-----END CERTIFICATE-----").next().unwrap());
    serde_json::from_value(json!({"certificate": first})).unwrap()
}

/// A certificate that only its authority vouches for, which nobody here knows.
fn identity(name: &str) -> Identity {
    Authority::create("of somebody", now()).unwrap().client(name, now()).unwrap()
}

struct Robot(House);

impl Robot {
    async fn new() -> Self {
        let house = House::open().await;
        let robot = json!({"kind": "service", "profiles": ["administrator"]});
        house.runtime.put_definition(&house.ada, Kind::User, "robot", robot).await.unwrap();
        Self(house)
    }

    async fn bind(&self, wanted: &CertificateWanted) -> Result<String, Error> {
        let robot = UserId::parse("robot").unwrap();
        self.0.runtime.add_certificate(&self.0.ada, &robot, wanted).await.map(|bound| bound.id)
    }

    async fn call(&self, own: &Identity, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let json_type = [("content-type", "application/json")];
        let headers: Vec<_> = json_type.iter().chain(headers).copied().collect();
        let reply = self.0.server.send_as(own, request("POST", path, &headers, "1")).await;
        (reply.status().as_u16(), serde_json::from_slice(reply.body()).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_not_bound_is_as_none() {
    let robot = Robot::new().await;
    let (own, other) = (identity("robot"), identity("robot"));
    let nobody = robot.0.ask(request("POST", ECHO, &[("content-type", "application/json")], "1")).await;
    assert_eq!(robot.call(&own, ECHO, &[]).await, (401, nobody.2.clone()), "its subject says nothing");
    let id = robot.bind(&wanted(&own)).await.unwrap();
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 200);
    assert_eq!(robot.call(&other, ECHO, &[]).await, (401, nobody.2.clone()), "another of the same subject");
    assert_eq!(robot.call(&own, "/other/development/echo", &[]).await, (401, nobody.2));
    // A credential of the request is what is meant, also one that is not true, and two of them.
    let (wrong, monitor) = (basic("monitor", "wrong"), basic("monitor", PASSWORD));
    assert_eq!(robot.call(&own, ECHO, &[("authorization", &wrong)]).await.0, 401);
    assert_eq!(robot.call(&own, ECHO, &[("authorization", &monitor)]).await.0, 403);
    assert_eq!(robot.call(&own, ECHO, &[("authorization", &monitor), ("authorization", &monitor)]).await.0, 401);

    assert_eq!(robot.bind(&wanted(&own)).await.unwrap_err().code(), "LG-CERTIFICATE-BOUND");
    let (runtime, ada) = (&robot.0.runtime, &robot.0.ada);
    runtime.remove_certificate(ada, &id).await.unwrap();
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 401, "it was taken away");
    assert!(matches!(runtime.remove_certificate(ada, &id).await, Err(Error::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_good_while_it_is_valid_and_its_user_may() {
    let robot = Robot::new().await;
    let (runtime, ada) = (&robot.0.runtime, &robot.0.ada);
    let authority = Authority::create("of somebody", now().plus_ms(-900 * DAY_MS)).unwrap();
    let old = authority.client("robot", now().plus_ms(-800 * DAY_MS)).unwrap();
    assert_eq!(robot.bind(&wanted(&old)).await.unwrap_err().code(), "LG-CERTIFICATE");
    let not_yet = authority.client("robot", now().plus_ms(30 * DAY_MS)).unwrap();
    robot.bind(&wanted(&not_yet)).await.unwrap();
    assert_eq!(robot.call(&not_yet, ECHO, &[]).await.0, 401, "not yet");
    for unusable in ["", "x", "-----BEGIN CERTIFICATE-----"] {
        let wanted = serde_json::from_value(json!({"certificate": unusable})).unwrap();
        assert_eq!(robot.bind(&wanted).await.unwrap_err().code(), "LG-CERTIFICATE", "{unusable}");
    }

    let own = identity("robot");
    robot.bind(&wanted(&own)).await.unwrap();
    let change = async |body: Value| runtime.put_definition(ada, Kind::User, "robot", body).await.unwrap();
    change(json!({"kind": "service", "profiles": ["monitor"]})).await;
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 403, "decided anew each time");
    change(json!({"kind": "service", "profiles": ["administrator"], "enabled": false})).await;
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 401);
    change(json!({"kind": "service", "profiles": ["administrator"]})).await;
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 200);
    runtime.delete_definition(ada, Kind::User, "robot").await.unwrap();
    change(json!({"kind": "service", "profiles": ["administrator"]})).await;
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 401, "a user of the same name is another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_can_be_known_by_its_key_and_be_narrowed() {
    let robot = Robot::new().await;
    let own = identity("robot");
    let by_key = CertificateWanted {
        by: serde_json::from_value(json!("public-key")).unwrap(),
        targets: vec!["tea".parse().unwrap()],
        ..wanted(&own)
    };
    let id = robot.bind(&by_key).await.unwrap();
    assert_ne!(id, own.fingerprint().hex());
    assert_eq!(robot.call(&own, ECHO, &[]).await.0, 403);
    assert_eq!(robot.call(&own, "/acme/development/tea", &[]).await.0, 418);
    let elsewhere = identity("robot");
    let environment = Some(EnvironmentId::parse("live").unwrap());
    robot.bind(&CertificateWanted { environment, ..wanted(&elsewhere) }).await.unwrap();
    assert_eq!(robot.call(&elsewhere, ECHO, &[]).await.0, 404);
}
