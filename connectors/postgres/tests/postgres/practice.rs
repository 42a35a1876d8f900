//! The practice database, as a newcomer's flow sees it.

use lockgate_connector_api::{Address, Config, Registry, Secret};
use lockgate_connector_postgres::Postgres;
use lockgate_model::definition::ServerIdentity;
use lockgate_practice::postgres::{DATABASE, Database, USERNAME};
use lockgate_testkit::{
    Pki,
    contract::{context, loopback, sql::Database as _},
    pki::Server,
    skip,
};
use serde_json::json;

use crate::account::{Account, Tested};

#[tokio::test]
async fn the_practice_database_has_customers_and_orders() {
    let pki = Pki::new();
    let certificate = pki.server(Server::Good);
    let database = match Database::start(&certificate.certificate_pem(), &certificate.key_pem(), "Practice1") {
        Ok(database) => database,
        Err(reason) => return skip("the practice database", &reason.to_string()),
    };
    let cx = context(loopback());
    let mut registry = Registry::new();
    registry.add::<Postgres>();
    let address = format!("postgres://localhost:{}/{DATABASE}", database.port());
    let config = Config {
        address: Address::parse(Tested::SCHEME, true, &address).unwrap(),
        identity: ServerIdentity::System,
        settings: [("username".to_owned(), USERNAME.to_owned())].into(),
        secrets: [("password".to_owned(), Secret::new("Practice1".to_owned()))].into(),
        tls: Some(pki.client_config(None)),
    };
    let account = Account { opened: registry.get("postgres").unwrap().open(config, &cx).unwrap(), cx };
    account.test().await.unwrap();
    let sql =
        "select id, name, country, credit_limit, tags, since from customers where country = $1 order by id limit 1";
    assert_eq!(
        account.rows(sql, json!(["DE"])).await,
        json!([{"id": 5, "name": "Fjord Foods", "country": "DE", "credit_limit": 2250.00, "tags": [], "since": "2020-03-26"}])
    );
    let sql = "select count(*) as orders, sum(total) as total, count(distinct customer_id) as customers from orders";
    assert_eq!(account.rows(sql, json!([])).await[0]["orders"], 1000);
    let orders = account.records("select * from orders order by id").await.unwrap();
    assert_eq!(orders.len(), 1000);
    assert_eq!(orders[0]["placed_at"], "2026-11-01T06:47:00Z");
    assert_eq!(orders[0]["lines"], json!([{"sku": "A-101", "price": 12.35, "quantity": 2}]));
    // The role owns its tables and nothing else.
    assert_eq!(
        account.call("execute", "update orders set status = 'sent' where id = 1", json!([])).await.unwrap()["rows"],
        1
    );
    assert!(account.call("execute", "create database other", json!([])).await.is_err());
}
