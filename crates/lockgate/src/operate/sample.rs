//! The orchestration quickstart deploys, carried in the program.

use std::collections::BTreeMap;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../orchestrations/order-to-erp/", $path)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "README.md",
    "cases/order-to-erp/accepted.yaml",
    "cases/order-to-erp/busy.yaml",
    "cases/order-to-erp/cancelled.yaml",
    "cases/order-to-erp/nothing-to-deliver.yaml",
    "cases/order-to-erp/refused-by-erp.yaml",
    "cases/order-to-erp/still-busy.yaml",
    "erp-order.map.yaml",
    "order-to-erp.flow.yaml",
    "project.yaml",
    "sample.json",
    "tables/plants.json",
];

/// The order that is sent through.
pub const ORDER: &str = include_str!("../../../../orchestrations/order-to-erp/sample.json");
/// Its project, and its orchestration.
pub const NAME: &str = "order-to-erp";

/// The files of the project by their path.
pub fn files() -> BTreeMap<String, String> {
    FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
