use std::collections::BTreeMap;

use super::*;

fn page(metrics: &Metrics) -> String {
    metrics.page(Gauges { engine_waiting: 3, accounts_open: 7, tenants_denied: 2 })
}

/// Everything counted once.
fn used() -> Metrics {
    let metrics = Metrics::new(Timestamp::from_ms(1_763_784_306_789));
    let took = Duration::from_millis(3);
    metrics.request(Route::Target, Some(200), took);
    metrics.request(Route::None, None, took);
    metrics.request_body(10);
    metrics.reply_body(20);
    metrics.refused();
    metrics.run_opened();
    let tenant = TenantId::parse("acme").unwrap();
    let (live, order) = (EnvironmentId::parse("live").unwrap(), TargetName::parse("order").unwrap());
    metrics.run_ended(&tenant, &live, &order, Phase::Completed, took);
    metrics.arena(70_000);
    metrics.called("https", "post", "ok", took);
    metrics.call_bytes("https", 5, 6);
    metrics.egress_refused("https");
    metrics.login_failed("login");
    metrics.committed(took);
    metrics.appended(took);
    metrics.spans_exported(4);
    metrics.spans_dropped("queue", 5);
    metrics
}

#[test]
fn the_page_has_what_is_described_and_nothing_else() {
    let page = page(&used());
    let mut kinds = BTreeMap::new();
    let mut helps = BTreeMap::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' ')) {
            let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
            kinds.insert(name, kind.to_owned());
        }
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            helps.insert(name.to_owned(), help.to_owned());
        }
    }
    assert_eq!(kinds.len(), DESCRIBED.len(), "{kinds:?}");
    for described in DESCRIBED {
        let kind = match described.kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        assert_eq!(kinds.get(described.name).map(String::as_str), Some(kind), "{}", described.name);
        let stem = described.name.strip_suffix("_total").unwrap_or(described.name);
        assert_eq!(helps[stem], format!("{}.", described.help));
        // Every series has exactly the labels that are described.
        for line in page.lines().filter(|l| l.split(['{', ' ']).next() == Some(described.name)) {
            let labels = line.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
            let names: Vec<&str> = labels.split(',').filter_map(|l| Some(l.split_once('=')?.0)).collect();
            assert_eq!(names, described.labels, "{line}");
        }
    }
}

#[test]
fn numbers_arrive_where_they_belong() {
    let page = page(&used());
    for line in [
        "lockgate_requests_total{route=\"target\",status=\"2xx\"} 1",
        "lockgate_requests_total{route=\"none\",status=\"gone\"} 1",
        "lockgate_runs_total{tenant=\"acme\",environment=\"live\",orchestration=\"order\",phase=\"completed\"} 1",
        "lockgate_runs_open 0",
        "lockgate_run_arena_bytes_bucket{le=\"65536.0\"} 0",
        "lockgate_run_arena_bytes_bucket{le=\"262144.0\"} 1",
        "lockgate_connector_calls_total{connector=\"https\",operation=\"post\",outcome=\"ok\"} 1",
        "lockgate_connector_bytes_total{connector=\"https\",direction=\"written\"} 6",
        "lockgate_engine_waiting 3",
        "lockgate_accounts_open 7",
        "lockgate_tenants_denied 2",
        "lockgate_spans_dropped_total{reason=\"queue\"} 5",
        "process_start_time_seconds 1763784306",
        "# EOF",
    ] {
        assert!(page.lines().any(|l| l == line), "no `{line}` in\n{page}");
    }
}

#[test]
fn a_thousand_orchestrations_do_not_make_a_thousand_series() {
    let metrics = Metrics::new(Timestamp(0));
    let live = EnvironmentId::parse("live").unwrap();
    for tenant in ["acme", "other"] {
        let tenant = TenantId::parse(tenant).unwrap();
        for n in 0..1_000 {
            let name = TargetName::parse(&format!("o{n}")).unwrap();
            metrics.run_ended(&tenant, &live, &name, Phase::Completed, Duration::ZERO);
        }
    }
    let page = page(&metrics);
    let series = page.lines().filter(|l| l.starts_with("lockgate_runs_total{")).count();
    assert_eq!(series, 2 * (crate::labels::NAMED_PER_TENANT_MAX + 1));
    let rest =
        "lockgate_runs_total{tenant=\"acme\",environment=\"other\",orchestration=\"other\",phase=\"completed\"} 900";
    assert!(page.lines().any(|l| l == rest), "{page}");
}

const BEGIN: &str = "<!-- counts: written by `UPDATE=1 cargo test -p lockgate-telemetry` -->\n";
const END: &str = "<!-- end of counts -->\n";

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test, not configuration of the product")]
fn the_page_of_operations_lists_every_count() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has its marks");
    let (_, after) = rest.split_once(END).expect("the page has its marks");
    let mut table = "| name | kind | labels | what it says |\n|---|---|---|---|\n".to_owned();
    for Described { name, kind, labels, help } in DESCRIBED {
        let kind = format!("{kind:?}").to_lowercase();
        table.push_str(&format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(" ")));
    }
    let fresh = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == fresh, "docs/operations.md is stale: UPDATE=1 cargo test -p lockgate-telemetry");
}
