//! A service that answers with what it was sent: no error tells what the account signed in with.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_testkit::{Arrived, Pki, contract::CANARY};

use crate::account::{Account, BASE, envelope, forecast, peer, read, told};

/// A request as a text.
fn said(arrived: &Arrived) -> String {
    let headers = arrived.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
    format!("{}\n{}", headers.collect::<String>(), String::from_utf8_lossy(&arrived.body))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[tokio::test]
async fn a_service_that_says_the_message_back_gives_no_secret_away() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let address = format!("https://localhost:{}{BASE}", peer.port());
    let basic = STANDARD.encode(format!("ada:{CANARY}"));
    let ways: [(&[(&str, &str)], &str); 3] = [
        (&[("auth", "bearer")], "token"),
        (&[("auth", "basic"), ("username", "ada")], "password"),
        (&[("security", "username-text"), ("token_username", "ada")], "token_password"),
    ];
    for (settings, secret) in ways {
        let account = Account::open(&pki, &address, settings, &[(secret, CANARY.to_owned())]);
        for how in ["text", "fault", "wrong status"] {
            peer.answers(BASE, move |arrived| {
                let said = said(arrived);
                let fault = envelope(
                    "",
                    &format!(
                        "<s:Fault><faultcode>s:Server</faultcode><faultstring>{0}</faultstring><detail><was>{0}</was></detail></s:Fault>",
                        escaped(&said)
                    ),
                );
                match how {
                    "text" => told(500, "text/plain", said),
                    "fault" => told(500, "text/xml", fault),
                    _ => told(200, "text/plain", said),
                }
            });
            let error = account.fails(forecast("Ulm")).await;
            let mut all = error.private().reveal().clone();
            if let Some(told) = error.told() {
                all.push_str(&read(told.value.reveal()).to_string());
            }
            assert_eq!(error.told().is_some(), how == "fault", "{error}");
            assert!(!all.contains(CANARY) && !all.contains(&basic), "{how} {secret}: {all}");
            assert!(all.contains("[secret]") && all.contains("Ulm"), "{how} {secret}: {all}");
        }
    }
}
