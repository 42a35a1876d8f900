//! The mapping written by hand: typed structs, texts borrowed from the input where they can be.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invoices<'a> {
    documents: Vec<Invoice<'a>>,
    by_country: BTreeMap<&'a str, Country>,
}
#[derive(Serialize)]
struct Country {
    orders: usize,
    gross: f64,
}

fn cents(x: f64) -> f64 {
    (x * 100.0 + 0.5).floor() / 100.0
}

fn invoice<'a>(order: &'a Order<'a>) -> Invoice<'a> {
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
    Invoice {
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
    }
}

/// One order to its invoice.
pub fn one(json: &[u8]) -> Vec<u8> {
    let order: Order<'_> = serde_json::from_slice(json).unwrap();
    serde_json::to_vec(&invoice(&order)).unwrap()
}

/// Orders to the invoices of those that are paid, and sums by country.
pub fn many(json: &[u8]) -> Vec<u8> {
    let orders: Vec<Order<'_>> = serde_json::from_slice(json).unwrap();
    let documents: Vec<Invoice<'_>> = orders.iter().filter(|order| order.status == "paid").map(invoice).collect();
    let mut by_country: BTreeMap<&str, Country> = BTreeMap::new();
    for document in &documents {
        let country = by_country.entry(document.ship_to.country_code).or_insert(Country { orders: 0, gross: 0.0 });
        country.orders += 1;
        country.gross += document.totals.gross;
    }
    for country in by_country.values_mut() {
        country.gross = cents(country.gross);
    }
    serde_json::to_vec(&Invoices { documents, by_country }).unwrap()
}
