//! What a tenant is now, in the words of [`super::declared`]: read over the admin API, kind by kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    administer::declared::{Kind, Thing, canonical},
    client::{Client, segment},
    exit::Exit,
};

/// A thing that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Stands {
    /// Its body in canonical form.
    pub body: Value,
    /// The revision that wrote it; none of what has no tag.
    pub revision: Option<u64>,
    /// Names of its secrets.
    pub secrets: Vec<String>,
}

/// What is there.
pub type Standing = BTreeMap<Thing, Stands>;

/// Where things of a kind are, below the tenant.
pub fn path(kind: Kind, id: &str) -> String {
    let parts: Vec<String> = id.split('/').map(segment).collect();
    let (first, rest) = parts.split_first().map(|(first, rest)| (first.as_str(), rest.join("/"))).unwrap_or_default();
    match kind {
        Kind::Assignment => format!("environments/{first}/acls/{rest}"),
        Kind::Account | Kind::Schedule => format!("environments/{first}/{}/{rest}", kind.plural()),
        _ => format!("{}/{}", kind.plural(), parts.join("/")),
    }
}

/// What there is of these kinds; of environments all where none is named.
pub fn read(
    client: &Client,
    kinds: &BTreeSet<Kind>,
    named: Option<&BTreeMap<Kind, BTreeSet<String>>>,
) -> Result<Standing, Exit> {
    let mut all = Standing::new();
    let within = |kind: &Kind| matches!(kind, Kind::Assignment | Kind::Account | Kind::Schedule);
    for kind in kinds.iter().filter(|kind| !within(kind)) {
        for item in items(&client.list(kind.plural())?) {
            let id = text(&item, "id");
            let body = item.get("body").cloned().unwrap_or_default();
            put(&mut all, (*kind, id), &body, &item)?;
        }
    }
    if !kinds.iter().any(within) {
        return Ok(all);
    }
    let there: Vec<String> = items(&client.list("environments")?).iter().map(|item| text(item, "id")).collect();
    for environment in &there {
        let is_named =
            |kind: &&Kind| named.is_none_or(|named| named.get(kind).is_some_and(|named| named.contains(environment)));
        for kind in kinds.iter().filter(|kind| within(kind)).filter(is_named) {
            let list = if *kind == Kind::Assignment { "acls" } else { kind.plural() };
            for item in items(&client.list(&format!("environments/{}/{list}", segment(environment)))?) {
                let name = text(&item, "name");
                let member = |name: &str| item.get(name).cloned().unwrap_or_default();
                let (id, body) = match kind {
                    Kind::Assignment => {
                        (format!("{environment}/{}/{name}", text(&item, "kind")), json!({"acl": member("acl")}))
                    }
                    Kind::Account => {
                        let [connector, address] = ["connector", "address"].map(member);
                        let [identity, settings] = ["identity", "settings"].map(member);
                        let body = json!({"connector": connector, "address": address, "identity": identity,
                            "settings": settings});
                        (format!("{environment}/{name}"), body)
                    }
                    _ => (format!("{environment}/{name}"), json!({"paused": !member("paused").is_null()})),
                };
                put(&mut all, (*kind, id), &body, &item)?;
            }
        }
    }
    Ok(all)
}

/// The projects that there are; none where the asker may not know.
pub fn projects(client: &Client) -> Result<Option<BTreeSet<String>>, Exit> {
    match client.list("projects") {
        Ok(list) => Ok(Some(items(&list).iter().map(|item| text(item, "id")).collect())),
        Err(Exit::Denied { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn put(all: &mut Standing, thing: Thing, body: &Value, item: &Value) -> Result<(), Exit> {
    let unread =
        |reason| Exit::failed("LG-ANSWER", format!("the server's {} `{}`: {reason}", thing.0.singular(), thing.1));
    let body = canonical(thing.0, &thing.1, body).map_err(unread)?;
    let revision = item.get("revision").and_then(Value::as_u64);
    let secrets = item.get("secrets").and_then(Value::as_array).into_iter().flatten();
    let secrets = secrets.filter_map(Value::as_str).map(str::to_owned).collect();
    all.insert(thing, Stands { body, revision, secrets });
    Ok(())
}

fn items(list: &Value) -> Vec<Value> {
    list.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn text(item: &Value, member: &str) -> String {
    item.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
