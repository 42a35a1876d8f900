//! A small order system in bounded memory.
//!
//! | request | answer |
//! |---|---|
//! | `POST /erp/orders` | 201 with `{id, order, lines, total}`; the same order or key again gives the same id with 200; 422 without its number in `order`, `order_id` or `id` |
//! | `GET /erp/customers/{id}` | 200 with a customer, 404 for ids that end in `404` |
//! | `GET /erp/products/{sku}` | 200 with a price, 404 for SKUs that end in `404` |
//! | `GET /erp/orders`, `GET /orders` | the orders that arrived, newest first |
//! | `GET /erp/orders/{id}` | one of them |
//!
//! A first `POST` of an order whose header `x-practice` is `unsteady`, or whose field `unsteady`
//! is true, answers 503 with `Retry-After: 1` and changes nothing: a retry then succeeds.

use std::collections::{BTreeSet, VecDeque};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

/// Orders that are remembered; the oldest goes first.
const ORDERS_MAX: usize = 1_000;
/// Bytes of orders that are remembered.
const ORDERS_BYTES_MAX: usize = 8 << 20;
/// Unsteady orders that are remembered as refused once.
const REFUSED_MAX: usize = 10_000;
/// Longest order number, SKU or customer id that is answered, in bytes.
const ID_BYTES_MAX: usize = 100;

/// What the system answers.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    /// Status.
    pub status: StatusCode,
    /// JSON content.
    pub body: Value,
    /// Seconds to wait before the next try.
    pub retry_after_s: Option<u32>,
}

#[derive(Debug)]
struct Order {
    id: String,
    number: String,
    key: Option<String>,
    body: Value,
    bytes: usize,
}

/// The system.
#[derive(Debug, Default)]
pub(crate) struct Erp {
    orders: VecDeque<Order>,
    bytes: usize,
    refused: BTreeSet<String>,
    last: u64,
}

impl Erp {
    /// Answers a request.
    pub fn answer(&mut self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
        let mut segments = path.trim_start_matches('/').split('/');
        let route = (method.as_str(), segments.next(), segments.next(), segments.next(), segments.next());
        match route {
            ("POST", Some("erp"), Some("orders"), None, None) => self.take(headers, body),
            ("GET", Some("erp"), Some("orders"), None, None) | ("GET", Some("orders"), None, ..) => self.list(),
            ("GET", Some("erp"), Some("orders"), Some(id), None) => self.find(id),
            ("GET", Some("erp"), Some("customers"), Some(id), None) => known(id, customer),
            ("GET", Some("erp"), Some("products"), Some(sku), None) => known(sku, product),
            (_, Some("erp"), Some("orders" | "customers" | "products"), ..) => {
                problem(StatusCode::METHOD_NOT_ALLOWED, "the practice ERP does not do that here")
            }
            _ => problem(
                StatusCode::NOT_FOUND,
                "the practice ERP knows /erp/orders, /erp/customers/{id}, /erp/products/{sku}",
            ),
        }
    }

    fn take(&mut self, headers: &HeaderMap, body: &[u8]) -> Reply {
        let bytes = body.len();
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return problem(StatusCode::BAD_REQUEST, "the order is no JSON");
        };
        let number = ["order", "order_id", "id"].into_iter().find_map(|name| body.get(name));
        let number = match number {
            Some(Value::String(text)) if !text.is_empty() && text.len() <= ID_BYTES_MAX => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                return problem(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "the order needs its number in `order`, `order_id` or `id`",
                );
            }
        };
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let key = header("idempotency-key").filter(|k| k.len() <= ID_BYTES_MAX).map(str::to_owned);
        let known = self.orders.iter().find(|o| o.number == number || (key.is_some() && o.key == key));
        if let Some(order) = known {
            return Reply { status: StatusCode::OK, body: receipt(order), retry_after_s: None };
        }
        let unsteady = header("x-practice") == Some("unsteady") || body.get("unsteady") == Some(&Value::Bool(true));
        if unsteady && self.refused.len() < REFUSED_MAX && self.refused.insert(number.clone()) {
            let busy = problem(StatusCode::SERVICE_UNAVAILABLE, "the practice ERP is busy the first time, as asked");
            return Reply { retry_after_s: Some(1), ..busy };
        }
        self.last += 1;
        let order = Order { id: format!("ERP-{:06}", self.last), number, key, body, bytes };
        let reply = Reply { status: StatusCode::CREATED, body: receipt(&order), retry_after_s: None };
        self.remember(order);
        reply
    }

    /// Remembers an order, and forgets the oldest ones past the limits.
    fn remember(&mut self, order: Order) {
        self.bytes += order.bytes;
        self.orders.push_front(order);
        while self.orders.len() > ORDERS_MAX || self.bytes > ORDERS_BYTES_MAX {
            let Some(oldest) = self.orders.pop_back() else { break };
            self.bytes -= oldest.bytes;
        }
    }

    fn list(&self) -> Reply {
        let orders: Vec<Value> = self.orders.iter().map(shown).collect();
        found(json!({"count": self.last, "orders": orders}))
    }

    fn find(&self, id: &str) -> Reply {
        let order = self.orders.iter().find(|o| o.id == id || o.number == id);
        order.map_or_else(|| problem(StatusCode::NOT_FOUND, "no such order"), |o| found(shown(o)))
    }
}

fn receipt(order: &Order) -> Value {
    let lines = order.body.get("lines").and_then(Value::as_array).map_or(0, Vec::len);
    json!({"id": order.id, "order": order.number, "lines": lines, "total": order.body.get("total")})
}

fn shown(order: &Order) -> Value {
    json!({"id": order.id, "order": order.number, "idempotency_key": order.key, "body": order.body})
}

fn known(id: &str, what: fn(&str) -> Value) -> Reply {
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.ends_with("404") {
        return problem(StatusCode::NOT_FOUND, "not on file");
    }
    found(what(id))
}

/// An invented customer, always the same for the same id.
fn customer(id: &str) -> Value {
    const CITIES: [(&str, &str); 4] = [("Bremen", "DE"), ("Gent", "BE"), ("Tampere", "FI"), ("Porto", "PT")];
    const GROUPS: [&str; 3] = ["retail", "wholesale", "partner"];
    let number = digest(id);
    let (city, country) = pick(&CITIES, number).unwrap_or_default();
    json!({
        "id": id,
        "name": format!("Customer {id}"),
        "group": pick(&GROUPS, number / 7),
        "city": city,
        "country": country,
        "credit_limit": 1_000 * (1 + number % 20),
    })
}

/// An invented product, always the same for the same SKU.
fn product(sku: &str) -> Value {
    let number = digest(sku);
    json!({"sku": sku, "name": format!("Article {sku}"), "price": 1.5 + (number % 200) as f64 / 4.0, "unit": "piece"})
}

/// FNV-1a: spreads ids, nothing more.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn pick<T: Copy>(list: &[T], number: u64) -> Option<T> {
    let index = usize::try_from(number % (list.len().max(1) as u64)).ok()?;
    list.get(index).copied()
}

fn found(body: Value) -> Reply {
    Reply { status: StatusCode::OK, body, retry_after_s: None }
}

fn problem(status: StatusCode, text: &str) -> Reply {
    Reply { status, body: json!({"error": text}), retry_after_s: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(erp: &mut Erp, method: &str, path: &str, headers: &[(&'static str, &str)], body: &str) -> (u16, Value) {
        let headers = headers.iter().map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap())).collect();
        let reply = erp.answer(&method.parse().unwrap(), path, &headers, body.as_bytes());
        (reply.status.as_u16(), reply.body)
    }

    #[test]
    fn what_it_does_not_know_it_refuses() {
        let mut erp = Erp::default();
        for (method, path, body, status) in [
            ("POST", "/erp/orders", "", 400),
            ("POST", "/erp/orders", "{", 400),
            ("POST", "/erp/orders", "[]", 422),
            ("POST", "/erp/orders", "{\"order\":\"\"}", 422),
            ("POST", "/erp/orders", "{\"order\":null}", 422),
            ("PUT", "/erp/orders", "{}", 405),
            ("DELETE", "/erp/customers/1", "", 405),
            ("GET", "/erp/customers", "", 405),
            ("GET", "/erp/customers/C-404", "", 404),
            ("GET", "/erp/customers/", "", 404),
            ("GET", "/erp/orders/none", "", 404),
            ("GET", "/", "", 404),
            ("GET", "/erp/orders/a/b", "", 405),
        ] {
            assert_eq!(ask(&mut erp, method, path, &[], body).0, status, "{method} {path} {body}");
        }
        assert_eq!(ask(&mut erp, "GET", "/erp/orders", &[], "").1["count"], 0);
    }

    #[test]
    fn an_order_gets_an_id_once() {
        let mut erp = Erp::default();
        let order = r#"{"order": "A-1", "lines": [1, 2], "total": 12.5}"#;
        let receipt = json!({"id": "ERP-000001", "order": "A-1", "lines": 2, "total": 12.5});
        assert_eq!(ask(&mut erp, "POST", "/erp/orders", &[], order), (201, receipt.clone()));
        assert_eq!(ask(&mut erp, "POST", "/erp/orders", &[], order), (200, receipt));
        let key = [("idempotency-key", "k")];
        assert_eq!(ask(&mut erp, "POST", "/erp/orders", &key, "{\"order\": 7}").0, 201);
        assert_eq!(ask(&mut erp, "POST", "/erp/orders", &key, "{\"order\": 8}").1["order"], "7");
        assert_eq!(ask(&mut erp, "GET", "/erp/orders", &[], "").1["orders"][0]["idempotency_key"], "k");
        assert_eq!(ask(&mut erp, "GET", "/erp/orders/A-1", &[], "").1["body"]["total"], 12.5);
    }

    #[test]
    fn an_unsteady_order_succeeds_the_second_time() {
        let mut erp = Erp::default();
        for (number, headers, field) in [(1, &[("x-practice", "unsteady")][..], false), (2, &[], true)] {
            let order = json!({"order": number, "unsteady": field}).to_string();
            assert_eq!(ask(&mut erp, "POST", "/erp/orders", headers, &order).0, 503);
            assert_eq!(ask(&mut erp, "POST", "/erp/orders", headers, &order).0, 201);
        }
    }

    #[test]
    fn the_same_id_is_the_same_customer() {
        let mut erp = Erp::default();
        let (status, customer) = ask(&mut erp, "GET", "/erp/customers/C-7", &[], "");
        assert_eq!((status, &customer["id"]), (200, &json!("C-7")));
        assert_eq!(ask(&mut erp, "GET", "/erp/customers/C-7", &[], "").1, customer);
        assert!(ask(&mut erp, "GET", "/erp/products/S-1", &[], "").1["price"].as_f64() > Some(1.0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut erp = Erp::default();
        for number in 0..ORDERS_MAX + 5 {
            ask(&mut erp, "POST", "/erp/orders", &[], &json!({"order": number}).to_string());
        }
        assert_eq!(erp.orders.len(), ORDERS_MAX);
        for number in 0..20 {
            let large = json!({"order_id": format!("L{number}"), "text": "x".repeat(1 << 20)}).to_string();
            assert_eq!(ask(&mut erp, "POST", "/erp/orders", &[], &large).0, 201);
        }
        assert_eq!(erp.orders.len(), 7);
        assert!(erp.bytes <= ORDERS_BYTES_MAX);
        assert_eq!(ask(&mut erp, "GET", "/orders", &[], "").1["count"], ORDERS_MAX + 25);
    }
}
