use lockgate_model::definition::ServerIdentity;

use super::*;

fn bound(bindings: &[(&str, &str, &str)]) -> Bound {
    let rows: Vec<_> = bindings
        .iter()
        .map(|(name, connector, address)| {
            let binding = AccountBinding {
                connector: (*connector).to_owned(),
                address: (*address).to_owned(),
                identity: ServerIdentity::System,
                settings: BTreeMap::new(),
                secrets: Vec::new(),
            };
            (AccountName::parse(name).unwrap(), binding)
        })
        .collect();
    rows.iter().map(|(name, binding)| (name.clone(), binding)).collect()
}

fn authority(account: AccountRef, detail: &[&str]) -> Authority {
    Authority {
        connector: "https".to_owned(),
        operation: "post".to_owned(),
        version: "1".to_owned(),
        account,
        detail: detail.iter().map(|d| (*d).to_owned()).collect(),
        scheme: None,
        parse: None,
        streams: false,
        takes: None,
    }
}
fn declared(name: &str) -> Authority {
    authority(AccountRef::Declared(AccountName::parse(name).unwrap()), &[])
}
fn origin(origin: &str, detail: &[&str]) -> Authority {
    authority(AccountRef::Origin(origin.to_owned()), detail)
}

#[test]
fn an_unbound_declaration_is_not_covered() {
    let error = bound(&[("erp", "https", "https://erp.example")]).account_for(&declared("crm")).unwrap_err();
    assert_eq!(error.rule().as_str(), "deploy.account-unbound account=crm");
    assert!(error.to_string().contains("lockgate account add crm"), "{error}");
}

#[test]
fn a_binding_of_another_connector_does_not_cover() {
    let error = bound(&[("erp", "sftp", "sftp://erp.example")]).account_for(&declared("erp")).unwrap_err();
    assert_eq!(error.rule().as_str(), "deploy.account-other-connector account=erp");
}

#[test]
fn a_binding_that_proves_who_calls_in_another_way_does_not_cover() {
    let bound = |scheme: Option<&str>| {
        let mut binding = AccountBinding {
            connector: "https".to_owned(),
            address: "https://erp.example".to_owned(),
            identity: ServerIdentity::System,
            settings: Default::default(),
            secrets: Default::default(),
        };
        binding.settings.extend(scheme.map(|scheme| ("auth".to_owned(), scheme.to_owned())));
        [(AccountName::parse("erp").unwrap(), &binding)].into_iter().collect::<Bound>()
    };
    for account in [declared("erp"), origin("https://erp.example", &["/x"])] {
        let wanted = Authority { scheme: Some("bearer".to_owned()), ..account.clone() };
        for scheme in [None, Some("none"), Some("basic")] {
            let error = bound(scheme).account_for(&wanted).unwrap_err();
            assert_eq!(error.rule().as_str(), "deploy.account-other-scheme account=erp");
            assert!(error.to_string().contains("--set auth=bearer"), "{error}");
            assert!(bound(scheme).account_for(&account).is_ok());
        }
        assert!(bound(Some("bearer")).account_for(&wanted).is_ok());
    }
}

#[test]
fn an_origin_is_not_covered_by() {
    for (address, connector) in [
        ("https://erp.example.org", "https"),
        ("https://erp.example:8443", "https"),
        ("http://erp.example", "https"),
        ("https://erp.example", "soap"),
        ("https://erp.example/api", "https"),
        ("https://erp.example/orde", "https"),
        ("erp.example", "https"),
        ("", "https"),
    ] {
        let found = bound(&[("erp", connector, address)]);
        let error = found.account_for(&origin("https://erp.example", &["/orders/*"])).unwrap_err();
        assert_eq!(error.rule().as_str(), "deploy.origin-unbound origin=https://erp.example", "{address}");
    }
}

#[test]
fn paths_do_not_climb_out_of_the_base() {
    let found = bound(&[("erp", "https", "https://erp.example/api")]);
    for path in ["/api/../admin", "/api/%2e%2E/admin", "/api/.%2e/x", "/apiary", "/", ""] {
        assert!(found.account_for(&origin("https://erp.example", &["/api/x", path])).is_err(), "`{path}`");
    }
    assert!(found.account_for(&origin("https://erp.example", &[])).is_err(), "a computed path lies under no base");
    assert!(found.account_for(&origin("https://erp.example", &["/api", "/api/x", "/api?q=1"])).is_ok());
}

#[test]
fn equal_cover_is_no_cover() {
    let found = bound(&[("a", "https", "https://erp.example"), ("b", "https", "https://ERP.example:443/")]);
    let error = found.account_for(&origin("https://erp.example", &["/x"])).unwrap_err();
    assert_eq!(error.rule().as_str(), "deploy.origin-ambiguous origin=https://erp.example");
    assert!(error.to_string().contains("`a`, `b`"), "{error}");
}

#[test]
fn the_longest_base_covers() {
    let found = bound(&[
        ("all", "https", "https://erp.example"),
        ("api", "https", "https://erp.example/api/"),
        ("v2", "https", "https://erp.example/api/v2"),
    ]);
    for (path, account) in [("/api/v2/orders", "v2"), ("/api/v3", "api"), ("/other", "all")] {
        assert_eq!(found.account_for(&origin("https://erp.example", &[path])).unwrap().as_str(), account, "{path}");
    }
    assert_eq!(found.account_for(&declared("v2")).unwrap().as_str(), "v2");
}
