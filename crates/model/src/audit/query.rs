//! Which entries somebody looks for.

use serde::{Deserialize, Serialize};

use super::{Entry, Outcome};
use crate::{Channel, Timestamp};

/// Which entries; members that are absent do not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    /// From this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Of this user, `operator`, or `-`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// With this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// About an object whose name holds this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// That ended so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// By this way in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

impl AuditQuery {
    /// Whether an entry is one of them.
    pub fn finds(&self, entry: &Entry) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
            && same(&self.principal, &entry.principal)
            && same(&self.event, &entry.event)
            && self.object.as_deref().is_none_or(|part| entry.object.contains(part))
            && self.outcome.is_none_or(|outcome| entry.outcome == outcome)
            && self.channel.is_none_or(|channel| entry.channel == Some(channel))
    }
}
