//! What one manifest may touch that others may not.

use super::{AccountRef, Authority, Manifest};

/// What marks the end of a fixed beginning.
const ANY: char = '*';

/// What a detail may be named by, where an operation has several: `from /in/*`.
const NAMES: [&str; 4] = ["method", "from", "to", "column"];

impl Authority {
    /// May whoever holds `self` do all that `other` may? Formats, streams and versions change how something is done, not
    /// what is touched.
    pub fn covers(&self, other: &Self) -> bool {
        let same =
            |a: &Self, b: &Self| (&a.connector, &a.operation, &a.account) == (&b.connector, &b.operation, &b.account);
        // Nothing fixed is everything.
        let within = |wanted: &String| self.detail.is_empty() || self.detail.iter().any(|held| holds(held, wanted));
        let all = match other.detail.is_empty() {
            true => self.detail.is_empty() || self.detail.iter().any(|held| held == "*"),
            false => other.detail.iter().all(within),
        };
        same(self, other) && all
    }
}

/// Does a path, or a fixed beginning and `*`, hold another one of the same name?
fn holds(held: &str, wanted: &str) -> bool {
    let ((name, held), (wanted_as, wanted)) = (named(held), named(wanted));
    name == wanted_as && within(held, wanted)
}

/// The name of a detail, if it has one, and what it is.
fn named(detail: &str) -> (Option<&str>, &str) {
    match detail.split_once(' ') {
        Some((name, rest)) if NAMES.contains(&name) => (Some(name), rest),
        _ => (None, detail),
    }
}

fn within(held: &str, wanted: &str) -> bool {
    match held.strip_suffix(ANY) {
        Some(beginning) => wanted.strip_suffix(ANY).unwrap_or(wanted).starts_with(beginning),
        None => held == wanted,
    }
}

impl std::fmt::Display for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} through ", self.connector, self.operation)?;
        match &self.account {
            AccountRef::Declared(name) => write!(f, "account `{name}`")?,
            AccountRef::Origin(origin) => f.write_str(origin)?,
        }
        self.detail.iter().try_for_each(|detail| write!(f, " {detail}"))
    }
}

impl Manifest {
    /// What this may touch that none of `others` may: operations, and orchestrations it runs.
    pub fn beyond(&self, others: &[&Manifest]) -> Vec<String> {
        let known =
            |wanted: &&Authority| others.iter().any(|other| other.operations.iter().any(|held| held.covers(wanted)));
        let runs = |wanted: &&super::Subflow| {
            others.iter().any(|other| other.runs.iter().any(|held| held.name == wanted.name))
        };
        let operations = self.operations.iter().filter(|wanted| !known(wanted)).map(ToString::to_string);
        let runs = self.runs.iter().filter(|wanted| !runs(wanted)).map(|run| format!("run {}", run.name));
        let mut all: Vec<String> = operations.chain(runs).collect();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::AccountName, manifest::Subflow};

    fn authority(operation: &str, account: &str, detail: &[&str]) -> Authority {
        Authority {
            connector: "https".to_owned(),
            operation: operation.to_owned(),
            version: "1".to_owned(),
            account: AccountRef::Declared(AccountName::parse(account).unwrap()),
            detail: detail.iter().map(|d| (*d).to_owned()).collect(),
            scheme: None,
            parse: None,
            streams: false,
            takes: None,
        }
    }

    #[test]
    fn what_is_wider_is_new_and_what_is_narrower_is_not() {
        for (held, wanted, covered) in [
            (&["/orders/7"][..], &["/orders/7"][..], true),
            (&["/orders/7"], &["/orders/*"], false),
            (&["/orders/*"], &["/orders/7"], true),
            (&["/orders/*"], &["/orders/a*"], true),
            (&["/orders/*"], &["/*"], false),
            (&["/orders/*"], &["/ordersx"], false),
            (&["*"], &["/orders/*"], true),
            (&["*"], &[], true),
            (&[], &["/x"], true),
            (&["/x"], &[], false),
            (&["/x", "/y"], &["/y"], true),
            (&["/x"], &["/x", "/y"], false),
            (&["from *", "to /x"], &["from /a", "to /x"], true),
            (&["from *", "to /x"], &["from /a", "to /y"], false),
            (&["from /a", "to /x"], &["from *", "to *"], false),
            (&["*", "method GET"], &["/x", "method GET"], true),
            (&["*", "method GET"], &["/x", "method DELETE"], false),
        ] {
            let (held, wanted) = (authority("get", "erp", held), authority("get", "erp", wanted));
            assert_eq!(held.covers(&wanted), covered, "{held} of {wanted}");
        }
        assert!(!authority("get", "erp", &[]).covers(&authority("post", "erp", &[])));
        assert!(!authority("get", "erp", &[]).covers(&authority("get", "crm", &[])));
    }

    #[test]
    fn beyond_names_operations_and_flows_once() {
        let run = |name: &str, version: &str| Subflow {
            namespace: "shop".to_owned(),
            name: name.parse().unwrap(),
            version: version.to_owned(),
            awaits: true,
        };
        let manifest = |operations: Vec<Authority>, runs: Vec<Subflow>| Manifest { operations, runs, schedule: None };
        let old = manifest(vec![authority("get", "erp", &["/a"])], vec![run("known", "1.0.0")]);
        let new = manifest(
            vec![
                authority("get", "erp", &["/a"]),
                authority("post", "erp", &["/a"]),
                authority("post", "erp", &["/a"]),
            ],
            vec![run("known", "2.0.0"), run("other", "1.0.0")],
        );
        assert_eq!(new.beyond(&[&old]), ["https.post through account `erp` /a", "run other"]);
        assert_eq!(new.beyond(&[&old, &new]), Vec::<String>::new());
        assert_eq!(old.beyond(&[&new]), Vec::<String>::new());
    }
}
