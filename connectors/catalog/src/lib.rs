//! The one list of the connectors that ship.
//!
//! A new connector is one dependency in `Cargo.toml` and one line here; its form, page and
//! listing follow from its `Spec`.
//!
//! Deliberately absent: anything else. No connector registers itself.

use lockgate_connector_api::Registry;

/// All connectors.
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_ftps::Ftps>();
    registry.add::<lockgate_connector_https::Https>();
    registry.add::<lockgate_connector_mysql::Mysql>();
    registry.add::<lockgate_connector_postgres::Postgres>();
    registry.add::<lockgate_connector_sftp::Sftp>();
    registry.add::<lockgate_connector_soap::Soap>();
    registry
}
