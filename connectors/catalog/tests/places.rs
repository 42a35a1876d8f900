//! The least that an account's setting for calls at once takes is what its calls need beside each
//! other: fewer places would let them wait for each other.

use lockgate_connector_api::{FieldKind, Places};

#[test]
fn no_account_has_fewer_places_than_its_calls_need() {
    for spec in lockgate_connector_catalog::registry().specs() {
        let mut places = spec.fields.iter().filter(|field| field.name.ends_with("_max"));
        let (Some(field), None) = (places.next(), places.next()) else { panic!("`{}` has no one limit", spec.name) };
        let FieldKind::Integer { min, .. } = field.kind else { panic!("`{}` is no number", field.name) };
        assert_eq!(min, Places::least(spec) as u64, "{}: `{}`", spec.name, field.name);
    }
}
