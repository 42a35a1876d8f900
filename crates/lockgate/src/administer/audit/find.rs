//! Which entries of the log: by time, user, code, object, outcome and way in.

use std::ops::ControlFlow;

use clap::Args;
use lockgate_model::{
    Channel, Timestamp,
    audit::{AuditQuery, Link, Outcome},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::links;
use crate::{
    client::{Client, segment},
    exit::Exit,
};

/// Which entries; all unless something is named.
#[derive(Args)]
pub struct Which {
    /// From this time on, as 2026-11-22T04:05:06Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Of this user, `operator`, or `-`.
    #[arg(long)]
    user: Option<String>,
    /// With this code, such as `login`; docs/audit.md has all.
    #[arg(long)]
    event: Option<String>,
    /// About an object whose name holds this.
    #[arg(long)]
    object: Option<String>,
    /// That ended so: allowed, denied, done, failed, not-applied.
    #[arg(long, value_parser = named::<Outcome>)]
    outcome: Option<Outcome>,
    /// By this way in: rest, soap, schedule, poll, sub-flow, manual, restart, resume, admin.
    #[arg(long, value_parser = named::<Channel>)]
    channel: Option<Channel>,
}

/// One of some names, as the log writes them.
fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| format!("`{text}` is none of them"))
}

impl Which {
    /// What is looked for.
    pub fn query(&self) -> AuditQuery {
        AuditQuery {
            from: self.since,
            to: self.until,
            principal: self.user.clone(),
            event: self.event.clone(),
            object: self.object.clone(),
            outcome: self.outcome,
            channel: self.channel,
        }
    }

    /// What is found, newest first, page by page, until `each` has enough.
    pub fn pages(
        &self,
        client: &Client,
        mut each: impl FnMut(Vec<Link>) -> Result<ControlFlow<()>, Exit>,
    ) -> Result<(), Exit> {
        let query = serde_json::to_value(self.query()).unwrap_or_default();
        let mut asked = "audit/find?".to_owned();
        for (name, value) in query.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            asked.push_str(&format!("{name}={}&", segment(&value)));
        }
        client.pages(asked.trim_end_matches(['?', '&']), |page| each(links(&page)?))
    }
}
