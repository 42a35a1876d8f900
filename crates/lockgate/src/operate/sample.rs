//! The orchestrations quickstart deploys, carried in the program.

use std::collections::BTreeMap;

/// One project.
pub struct Project {
    /// Its id.
    pub name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! project {
    ($name:literal: $($path:literal),* $(,)?) => {
        Project {
            name: $name,
            files: &[$(($path, include_str!(concat!("../../../../orchestrations/", $name, "/", $path)))),*],
        }
    };
}

/// Web orders, looked up and handed to the ERP: the one whose sample is sent.
pub const ORDERS: Project = project!["order-to-erp":
    "README.md",
    "cases/order-to-erp/accepted.yaml",
    "cases/order-to-erp/busy.yaml",
    "cases/order-to-erp/cancelled.yaml",
    "cases/order-to-erp/erp-full.yaml",
    "cases/order-to-erp/express.yaml",
    "cases/order-to-erp/nothing-to-deliver.yaml",
    "cases/order-to-erp/still-busy.yaml",
    "cases/order-to-erp/unknown-customer.yaml",
    "erp-order.map.yaml",
    "order-to-erp.flow.yaml",
    "project.yaml",
    "sample.json",
    "tables/plants.json",
    "types/erp-order.json",
    "types/priced-order.json",
];

/// Those that need the practice database.
pub const WITH_DATABASE: [Project; 2] = [
    project!["customers-from-db":
        "README.md",
        "cases/customers-from-db/found.yaml",
        "cases/customers-from-db/no-amount.yaml",
        "cases/customers-from-db/no-country.yaml",
        "customers-from-db.flow.yaml",
        "partner-customers.map.yaml",
        "project.yaml",
        "sample.json",
        "types/partner-customers.json",
        "types/shop-customers.json",
    ],
    project!["nightly-export":
        "README.md",
        "cases/nightly-export/a-day.yaml",
        "cases/nightly-export/a-record-without-a-place.yaml",
        "nightly-export.flow.yaml",
        "project.yaml",
        "sample.json",
    ],
];

/// The order that is sent through.
pub const ORDER: &str = include_str!("../../../../orchestrations/order-to-erp/sample.json");

impl Project {
    /// Its files by their path.
    pub fn files(&self) -> BTreeMap<&'static str, &'static str> {
        self.files.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that was added to a project and not here would be missing in what is deployed.
    #[test]
    fn every_file_of_every_project_is_carried() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../orchestrations");
        for project in [&ORDERS].into_iter().chain(&WITH_DATABASE) {
            let found = crate::author::sources::folder(&root.join(project.name)).unwrap().0.0;
            assert_eq!(
                found.keys().map(String::as_str).collect::<Vec<_>>(),
                project.files().into_keys().collect::<Vec<_>>(),
                "{}",
                project.name
            );
        }
    }
}
