//! The orders that are mapped: the shipped sample, and many like it. The same at each run.

use serde_json::{Value, json};

const ORDER: &str = include_str!("../../orchestrations/order-to-erp/sample.json");
const COUNTRIES: [&str; 10] = ["DE", "FR", "PL", "IT", "GB", "SE", "ES", "CZ", "AT", "BE"];
const STATES: [&str; 6] = ["paid", "paid", "paid", "shipped", "pending", "cancelled"];

/// One order, compact.
pub fn one() -> Vec<u8> {
    serde_json::to_vec(&sample()).unwrap()
}

/// An array of orders of at least so many bytes; half of them are paid.
pub fn many(bytes: usize) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut out, mut order) = (b"[".to_vec(), sample());
    for number in 0.. {
        order["orderId"] = json!(format!("SO-{:07}", 1_000_000 + number));
        order["status"] = json!(random.one_of(&STATES));
        order["customer"]["shippingAddress"]["country"] = json!(random.one_of(&COUNTRIES));
        for line in order["lines"].as_array_mut().unwrap() {
            line["quantity"] = json!(1 + random.below(9));
            line["unitPrice"] = json!((199 + random.below(49_800)) as f64 / 100.0);
            line["status"] = json!(if random.below(5) == 0 { "cancelled" } else { "active" });
        }
        serde_json::to_writer(&mut out, &order).unwrap();
        if out.len() >= bytes {
            break;
        }
        out.push(b',');
    }
    out.push(b']');
    out
}

fn sample() -> Value {
    serde_json::from_str(ORDER).unwrap()
}

/// A linear congruential generator: it has to be the same everywhere, not good.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}
