//! Who would gain and who would lose what by a batch of definitions. Nothing is changed.
//!
//! Each definition is asked and judged as [`Runtime::apply`] would, on the tenant as those before it would
//! leave it: what would be refused there is refused here.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use lockgate_access::{Decision, Difference, TenantSnapshot, difference};
use lockgate_model::{Kind, definition::Revision};
use serde::Serialize;
use serde_json::Value;

use crate::{Apply, Binding, Caller, Condition, Error, Runtime, View, account::row_of, change::refusal};

/// How long one batch is looked at.
const TIME_MAX: Duration = Duration::from_secs(20);
/// How long one waits for those before it.
const PATIENCE: Duration = Duration::from_secs(10);
const TOO_MUCH: &str = "the batch takes too long to be looked at as a whole: ask of a part of it";

/// What a batch would give and take.
#[derive(Debug, Clone, Serialize)]
pub struct WhatIf {
    /// The revision of the tenant that it was asked of.
    pub revision: Revision,
    /// Who gains and loses what.
    #[serde(flatten)]
    pub difference: Difference,
}

/// Why there is no answer.
enum No {
    /// The caller may not do this.
    Denied(Box<Decision>),
    Other(Error),
}

impl From<Error> for No {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Runtime {
    /// What [`Runtime::apply`] of the same batch would give and take; with the same rights.
    pub async fn what_if(&self, caller: &Caller, batch: Apply) -> Result<WhatIf, Error> {
        let busy = |_| Error::Unavailable { what: "looking at a batch, while others are looked at,".into() };
        let _alone = tokio::time::timeout(PATIENCE, self.0.imagining.lock()).await.map_err(busy)?;
        let view = self.view(caller.tenant())?;
        let (runtime, asker) = (self.clone(), caller.clone());
        let answer = tokio::task::spawn_blocking(move || {
            let after = runtime.imagine(&view, &asker, batch)?;
            let difference = after.map(|after| difference(&view.snapshot, &after)).unwrap_or_default();
            Ok(WhatIf { revision: view.revision, difference })
        });
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(No::Denied(decision))) => Err(self.refuse(&decision, caller).await),
            Ok(Err(No::Other(error))) => Err(error),
            Err(_) => Err(Error::Internal { what: "what a change would do".into() }),
        }
    }

    /// The tenant as the batch would leave it; `None` where the batch is empty.
    fn imagine(&self, view: &View, caller: &Caller, batch: Apply) -> Result<Option<TenantSnapshot>, No> {
        let mut imagined: Option<TenantSnapshot> = None;
        let mut written: BTreeMap<(Kind, String), Option<Value>> = BTreeMap::new();
        batch.names_accounts_once()?;
        let begun = Instant::now();
        for item in batch.items {
            if begun.elapsed() > TIME_MAX {
                return Err(Error::invalid("LG-BODY-TOO-LARGE", TOO_MUCH).into());
            }
            let key = (item.kind, item.id);
            let old = match written.get(&key) {
                Some(body) => body.as_ref(),
                None => view.row(key.0, &key.1).map(|row| &row.body),
            };
            let now = imagined.as_ref().unwrap_or(&view.snapshot);
            let plan = match (key.0, &item.body) {
                (Kind::Account, None) => {
                    let (environment, account) = row_of(&key.1)?;
                    self.unbinding(view, now, caller, &environment, &account)?
                }
                (Kind::Account, Some(body)) => {
                    let (environment, account) = row_of(&key.1)?;
                    let (binding, at) = (Binding::without_secrets(&key.1, body)?, (&environment, &account));
                    let (condition, next) = (Condition::default(), view.revision.next());
                    let bound = self.binding_of(view, now, caller, at, &binding, &condition, next)?;
                    bound.answering(())
                }
                _ => self.edit(view, now, caller, (key.0, &key.1), old, item.body.clone())?,
            };
            if !plan.decision.is_allowed() {
                // Also where what is imagined before decides: nobody tries unseen what they may.
                return Err(No::Denied(Box::new(plan.decision)));
            }
            let after = now.after(&plan.puts, &plan.deletes).map_err(refusal)?;
            imagined = Some(after);
            written.insert(key, item.body);
        }
        Ok(imagined)
    }
}
