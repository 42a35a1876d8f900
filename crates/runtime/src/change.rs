//! How definitions change: decide on a view, check what saving must refuse, announce, commit, and
//! wait until this node decides on the new revision. When somebody else was faster, the whole plan
//! is made again on the newer view.

use std::collections::BTreeMap;

use lockgate_access::{Decision, DeniedStatus, Refusal, validate_change};
use lockgate_model::{
    Kind,
    audit::{Entry, Outcome},
    definition::Revision,
};
use lockgate_store::{Change, Put};

use crate::{Caller, Error, Runtime, View};

/// Times a plan is made again before the caller is told to try later.
const ATTEMPTS: usize = 8;

/// What a use case is about to do, decided on one view.
pub(crate) struct Plan<T> {
    /// The decision; a denial ends it.
    pub decision: Decision,
    /// Audit event: `add`, `update`, `delete`, `push`, …
    pub event: &'static str,
    /// `kind/id` of the object.
    pub object: String,
    /// Names of the fields that change.
    pub fields: Vec<String>,
    /// What the audit log tells besides, by fixed keys.
    pub detail: BTreeMap<String, String>,
    /// Rows to write.
    pub puts: Vec<(Kind, String, serde_json::Value)>,
    /// Rows to delete.
    pub deletes: Vec<(Kind, String)>,
    /// What the use case answers.
    pub answer: T,
}

impl<T> Plan<T> {
    /// The same with another answer.
    pub(crate) fn answering<U>(self, answer: U) -> Plan<U> {
        let Self { decision, event, object, fields, detail, puts, deletes, .. } = self;
        Plan { decision, event, object, fields, detail, puts, deletes, answer }
    }
}

impl Runtime {
    /// Carries out a plan; see the module's page.
    pub(crate) async fn change<T>(
        &self,
        caller: &Caller,
        plan: impl Fn(&View) -> Result<Plan<T>, Error>,
    ) -> Result<T, Error> {
        for _ in 0..ATTEMPTS {
            let view = self.view(caller.tenant())?;
            let plan = plan(&view)?;
            if let Some((answer, _)) = self.attempt(caller, &view, plan, None).await? {
                return Ok(answer);
            }
        }
        Err(busy())
    }

    /// The same for what is good at one revision alone, as a secret is that is sealed for it: the plan is told which,
    /// and is made again if another is taken. Answers the revision too; `None` where nothing differed.
    pub(crate) async fn change_at<T>(
        &self,
        caller: &Caller,
        plan: impl Fn(&View, Revision) -> Result<Plan<T>, Error>,
    ) -> Result<(T, Option<Revision>), Error> {
        for _ in 0..ATTEMPTS {
            let next = self.0.store.next_revision(caller.tenant()).await?;
            let view = self.view(caller.tenant())?;
            let next = next.max(view.revision.next());
            let plan = plan(&view, next)?;
            if let Some(done) = self.attempt(caller, &view, plan, Some(next)).await? {
                return Ok(done);
            }
        }
        Err(busy())
    }

    /// `None`: somebody else was faster, or another revision was taken.
    async fn attempt<T>(
        &self,
        caller: &Caller,
        view: &View,
        plan: Plan<T>,
        at: Option<Revision>,
    ) -> Result<Option<(T, Option<Revision>)>, Error> {
        let tenant = caller.tenant();
        if !plan.decision.is_allowed() {
            return Err(self.refuse(&plan.decision, caller).await);
        }
        if plan.puts.is_empty() && plan.deletes.is_empty() {
            // Nothing differs; that it was asked is recorded all the same.
            for mut entry in plan.decision.entries(None) {
                entry.source.clone_from(&caller.source);
                self.record(tenant, entry).await?;
            }
            return Ok(Some((plan.answer, None)));
        }
        validate(view, &plan)?;
        let mut entry = Entry::new(self.now(), plan.event, Outcome::Done, caller.principal.user.as_str());
        entry.channel = Some(plan.decision.channel());
        entry.object = plan.object;
        entry.fields = plan.fields;
        entry.detail = plan.detail;
        entry.rule = plan.decision.rule().to_owned();
        entry.source = caller.source.clone();
        // The store takes none but this.
        entry.revision = at.unwrap_or_default().0;
        let change = Change {
            tenant: tenant.clone(),
            entry,
            expected: Some(view.revision),
            puts: plan.puts.into_iter().map(|(kind, id, body)| Put { kind, id, body }).collect(),
            deletes: plan.deletes,
        };
        let revision = self.settle(tenant, self.0.store.commit(change).await).await?;
        if let Some(revision) = revision {
            tracing::info!(%tenant, %revision, event = plan.event, "changed");
        }
        Ok(revision.map(|revision| (plan.answer, Some(revision))))
    }

    /// Commits what was made on one view, for an operator; a conflict where somebody else was faster.
    pub(crate) async fn commit_once(&self, change: Change) -> Result<(), Error> {
        let tenant = change.tenant.clone();
        let committed = self.0.store.commit(change).await;
        self.settle(&tenant, committed).await?.map(drop).ok_or_else(busy)
    }

    /// After a commit: this node decides on the new revision from here on. `None`: the tenant had
    /// moved on, and the view is current again.
    pub(crate) async fn settle(
        &self,
        tenant: &lockgate_model::id::TenantId,
        committed: Result<Revision, lockgate_store::Error>,
    ) -> Result<Option<Revision>, Error> {
        match committed {
            Ok(revision) => {
                self.0.views.refresh(tenant, Some(revision)).await?;
                if let Some(view) = self.0.views.get(tenant) {
                    self.0.connections.let_go(&view);
                }
                Ok(Some(revision))
            }
            Err(lockgate_store::Error::Conflict { found, .. }) => {
                self.0.views.refresh(tenant, Some(found)).await?;
                Ok(None)
            }
            Err(error) => Err(Error::from(error)),
        }
    }

    /// Records a denial, durably, and gives the answer for it.
    pub(crate) async fn refuse(&self, decision: &Decision, caller: &Caller) -> Error {
        let Some(denied) = decision.denied() else {
            return Error::Internal { what: "access".into() };
        };
        for mut entry in decision.entries(None) {
            entry.source.clone_from(&caller.source);
            if let Err(error) = self.record(decision.tenant(), entry).await {
                return error;
            }
        }
        match denied.status {
            DeniedStatus::NotFound => Error::not_found("such object"),
            DeniedStatus::Forbidden => Error::Forbidden { rule: denied.rule },
            DeniedStatus::NotPublished => Error::NotPublished { rule: denied.rule },
        }
    }

    /// Appends an audit entry and waits until it is durable.
    pub(crate) async fn record(&self, tenant: &lockgate_model::id::TenantId, entry: Entry) -> Result<(), Error> {
        let receipt = self.0.store.append(tenant, entry).await?;
        receipt.durable().await.map_err(|_| Error::Unavailable { what: "the audit log".into() })
    }

    /// Asks for a permission, for use cases that only read. A denial is recorded; a yes is not.
    pub(crate) async fn may_read(
        &self,
        caller: &Caller,
        permission: lockgate_model::Permission,
        scope: lockgate_access::Scope,
    ) -> Result<std::sync::Arc<View>, Error> {
        let view = self.view(caller.tenant())?;
        let decision = lockgate_access::decide(
            &view.snapshot,
            &caller.principal,
            permission,
            scope,
            lockgate_model::Channel::Admin,
            self.now(),
        );
        if decision.is_allowed() { Ok(view) } else { Err(self.refuse(&decision, caller).await) }
    }

    /// The same for what changes nothing here but does something elsewhere: a yes is recorded as well, before it is done,
    /// with what it is about.
    pub(crate) async fn may_act(
        &self,
        caller: &Caller,
        permission: lockgate_model::Permission,
        scope: lockgate_access::Scope,
        about: &[(&str, &str)],
    ) -> Result<std::sync::Arc<View>, Error> {
        let view = self.view(caller.tenant())?;
        let (principal, channel) = (&caller.principal, lockgate_model::Channel::Admin);
        let decision = lockgate_access::decide(&view.snapshot, principal, permission, scope, channel, self.now());
        if !decision.is_allowed() {
            return Err(self.refuse(&decision, caller).await);
        }
        for mut entry in decision.entries(None) {
            entry.source.clone_from(&caller.source);
            entry.detail.extend(about.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            self.record(caller.tenant(), entry).await?;
        }
        Ok(view)
    }
}

fn busy() -> Error {
    Error::Conflict { code: "LG-BUSY", message: "the tenant is being changed by others; try again".into() }
}

/// What saving must refuse, whoever asks.
fn validate<T>(view: &View, plan: &Plan<T>) -> Result<(), Error> {
    validate_change(&view.snapshot, &plan.puts, &plan.deletes).map_err(refusal)
}

pub(crate) fn refusal(refusal: Refusal) -> Error {
    Error::Conflict { code: refusal.code, message: refusal.message }
}

impl From<lockgate_store::Error> for Error {
    fn from(error: lockgate_store::Error) -> Self {
        use lockgate_store::Error as S;
        match error {
            S::Absent { kind, id } => Self::not_found(format!("{kind} `{id}`")),
            S::Refused(message) => Self::Invalid { code: "LG-STORE-REFUSED", message },
            S::Conflict { .. } => {
                Self::Conflict { code: "LG-BUSY", message: "the tenant was changed in between; try again".into() }
            }
            other => {
                tracing::error!(error = %other, "store");
                Self::Unavailable { what: "the store".into() }
            }
        }
    }
}

/// Names of the members that differ between two bodies; never their values.
pub(crate) fn changed_fields(old: Option<&serde_json::Value>, new: &serde_json::Value) -> Vec<String> {
    let (Some(new), old) = (new.as_object(), old.and_then(|o| o.as_object())) else { return Vec::new() };
    let mut fields: Vec<String> =
        new.iter().filter(|(k, v)| old.and_then(|o| o.get(*k)) != Some(v)).map(|(k, _)| k.clone()).collect();
    if let Some(old) = old {
        fields.extend(old.keys().filter(|k| !new.contains_key(*k)).cloned());
    }
    fields.sort();
    fields
}
