//! The engine alone: one order (about 2 KB, five lines) parsed, mapped to an invoice and printed,
//! beside the same work written by hand on typed structs with serde_json, and beside serde_json's
//! untyped value read and written back without any mapping. All in one run; read the ratios.

use std::borrow::Cow;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lockgate_document::Document;
use lockgate_engine::{Engine, EngineConfig, Mocks};
use lockgate_model::{Limits, Timestamp};
use serde::{Deserialize, Serialize};

const ORDER: &str = include_str!("../orchestrations/order-to-erp/sample.json");
const INVOICE: &str = include_str!("invoice.jsonata");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    created_at: Cow<'a, str>,
    #[serde(borrow)]
    customer: Customer<'a>,
    shipping: Shipping,
    #[serde(borrow)]
    lines: Vec<Line<'a>>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    first_name: Cow<'a, str>,
    #[serde(borrow)]
    last_name: Cow<'a, str>,
    #[serde(borrow)]
    email: Cow<'a, str>,
    vip: bool,
    loyalty_points: i64,
    #[serde(borrow)]
    shipping_address: Address<'a>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address<'a> {
    #[serde(borrow)]
    street: Cow<'a, str>,
    #[serde(borrow)]
    house_number: Cow<'a, str>,
    #[serde(borrow)]
    postal_code: Cow<'a, str>,
    #[serde(borrow)]
    city: Cow<'a, str>,
    #[serde(borrow)]
    country: Cow<'a, str>,
}
#[derive(Deserialize)]
struct Shipping {
    cost: f64,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    line_no: i64,
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    quantity: f64,
    unit_price: f64,
    discount_pct: f64,
    tax_rate: f64,
    #[serde(borrow)]
    status: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invoice<'a> {
    document_type: &'static str,
    external_reference: &'a str,
    ordered_at: &'a str,
    document_date: &'a str,
    currency: &'a str,
    buyer: Buyer<'a>,
    ship_to: ShipTo<'a>,
    items: Vec<Item<'a>>,
    totals: Totals,
}
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Buyer<'a> {
    code: &'a str,
    full_name: String,
    email: String,
    segment: &'static str,
}
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShipTo<'a> {
    line1: String,
    zip: &'a str,
    city: &'a str,
    country_code: &'a str,
}
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    position: i64,
    product_code: &'a str,
    description: &'a str,
    qty: f64,
    net_amount: f64,
    tax_amount: f64,
}
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    line_count: usize,
    net: f64,
    tax: f64,
    shipping: f64,
    gross: f64,
}

fn cents(x: f64) -> f64 {
    (x * 100.0 + 0.5).floor() / 100.0
}

fn by_hand(json: &[u8]) -> Vec<u8> {
    let order: Order<'_> = serde_json::from_slice(json).unwrap();
    let (customer, address) = (&order.customer, &order.customer.shipping_address);
    let items: Vec<Item<'_>> = order
        .lines
        .iter()
        .filter(|line| line.status != "cancelled")
        .map(|line| {
            let net = cents(line.quantity * line.unit_price * (1.0 - line.discount_pct / 100.0));
            Item {
                position: line.line_no,
                product_code: &line.sku,
                description: &line.name,
                qty: line.quantity,
                net_amount: net,
                tax_amount: cents(net * line.tax_rate),
            }
        })
        .collect();
    let net = cents(items.iter().map(|i| i.net_amount).sum());
    let tax = cents(items.iter().map(|i| i.tax_amount).sum());
    let segment = match (customer.vip, customer.loyalty_points >= 1000) {
        (true, _) => "VIP",
        (false, true) => "GOLD",
        (false, false) => "STANDARD",
    };
    let invoice = Invoice {
        document_type: "INVOICE",
        external_reference: &order.order_id,
        ordered_at: &order.created_at,
        document_date: &order.created_at[..10],
        currency: &order.currency,
        buyer: Buyer {
            code: &customer.id,
            full_name: format!("{} {}", customer.first_name, customer.last_name),
            email: customer.email.to_lowercase(),
            segment,
        },
        ship_to: ShipTo {
            line1: format!("{} {}", address.street, address.house_number),
            zip: &address.postal_code,
            city: &address.city,
            country_code: &address.country,
        },
        totals: Totals {
            line_count: items.len(),
            net,
            tax,
            shipping: order.shipping.cost,
            gross: cents(net + tax + order.shipping.cost),
        },
        items,
    };
    serde_json::to_vec(&invoice).unwrap()
}

/// Numbers by value, so that `3` and `3.0` are the same answer.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as V;
    match (a, b) {
        (V::Number(a), V::Number(b)) => a.as_f64() == b.as_f64(),
        (V::Array(a), V::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (V::Object(a), V::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

fn mapping(c: &mut Criterion) {
    let order = serde_json::to_vec(&serde_json::from_str::<serde_json::Value>(ORDER).unwrap()).unwrap();
    let engine = Engine::new(EngineConfig::default()).unwrap();
    let compiled = lockgate_compiler::expression_module(INVOICE, false).unwrap();
    let module = engine.load(&compiled.wasm).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (limits, now) = (Limits::default(), Timestamp::from_ms(1_763_784_306_789));
    let ours = |json: &[u8]| {
        let input = Document::parse(json, &limits).unwrap();
        let outcome = runtime.block_on(engine.evaluate(&module, input, Mocks::default(), limits, now));
        outcome.result.unwrap().print(limits.reply_bytes_max).unwrap()
    };
    let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    assert!(same(&read(&ours(&order)), &read(&by_hand(&order))), "the outputs differ");

    let mut group = c.benchmark_group("order to invoice");
    group.throughput(Throughput::Bytes(order.len() as u64));
    group.bench_function("lockgate: parse, run in a fresh instance, print", |b| b.iter(|| ours(&order)));
    group.bench_function("typed structs by hand: serde_json", |b| b.iter(|| by_hand(&order)));
    group.bench_function("no mapping at all: serde_json value there and back", |b| {
        b.iter(|| serde_json::to_vec(&read(&order)).unwrap())
    });
    group.bench_function("lockgate: parse and print alone", |b| {
        b.iter(|| Document::parse(&order, &limits).unwrap().print(limits.reply_bytes_max).unwrap())
    });
    group.finish();
}

criterion_group!(benches, mapping);
criterion_main!(benches);
