//! Passwords: what the tenant asks of them, new ones against that and the user's history, and those that
//! have to be changed.

use std::collections::BTreeMap;

use lockgate_access::Scope;
use lockgate_identity::{Credential, Hash, Password, PasswordPolicy, Policy};
use lockgate_model::{
    Channel, Kind, Permission,
    definition::{Revision, User},
    id::UserId,
};

use crate::{Caller, Condition, Error, Runtime, View, change::Plan, hashing::Share, push::json};

/// Id of the one row of its kind.
const POLICY: &str = "password-policy";

impl Runtime {
    /// What the caller's tenant asks of passwords, and the revision that says so; 0 where none ever did.
    pub async fn password_policy(&self, caller: &Caller) -> Result<(Revision, PasswordPolicy), Error> {
        let view = self.may_read(caller, Permission::AdvancedSecurityAdminister, Scope::Tenant).await?;
        Ok((policy_revision(&view), view.credentials.policy()))
    }

    /// Changes what the tenant asks of passwords. A password that falls short has to be changed by the next login; calls
    /// by Basic go on with it until then.
    pub async fn set_password_policy(
        &self,
        caller: &Caller,
        policy: PasswordPolicy,
        condition: &Condition,
    ) -> Result<(), Error> {
        self.change(caller, |view| {
            let (principal, now) = (&caller.principal, self.now());
            let asked = Permission::AdvancedSecurityAdminister;
            let decision =
                lockgate_access::decide(&view.snapshot, principal, asked, Scope::Tenant, Channel::Admin, now);
            if decision.is_allowed() {
                condition.of(Some(policy_revision(view)))?;
            }
            let old = view.credentials.policy();
            let differs = old != policy;
            let puts = if differs { vec![(Kind::PasswordPolicy, POLICY.to_owned(), json(&policy)?)] } else { vec![] };
            Ok(Plan {
                decision,
                event: "update",
                object: POLICY.to_owned(),
                fields: [
                    ("preset", old.preset != policy.preset),
                    ("second_factor", old.second_factor != policy.second_factor),
                ]
                .into_iter()
                .filter(|(_, differs)| *differs)
                .map(|(field, _)| field.to_owned())
                .collect(),
                detail: BTreeMap::from([
                    ("preset".to_owned(), policy.preset.as_str().to_owned()),
                    ("second-factor".to_owned(), policy.second_factor.to_string()),
                ]),
                puts,
                deletes: Vec::new(),
                answer: (),
            })
        })
        .await
    }

    /// Makes a user's password good for nothing but a login that sets another; its sessions end.
    pub async fn expire_password(&self, caller: &Caller, user: &UserId) -> Result<(), Error> {
        self.change(caller, |view| {
            let decision = self.manages(view, caller, user)?;
            let stored = view.credentials.stored(user);
            if decision.is_allowed() && view.row(Kind::User, user.as_str()).is_none() {
                return Err(Error::not_found(format!("user `{user}`")));
            }
            if decision.is_allowed() && stored.is_none_or(|stored| stored.password.is_none()) {
                let message = format!("user `{user}` has no password here");
                return Err(Error::Conflict { code: "LG-NO-PASSWORD", message });
            }
            let row = Credential { must_change: true, ..stored.cloned().unwrap_or_default() };
            Ok(Plan {
                decision,
                event: "update",
                object: format!("user/{user}"),
                fields: vec!["must-change-password".to_owned()],
                detail: BTreeMap::new(),
                puts: vec![(Kind::Credential, user.to_string(), json(&row)?)],
                deletes: Vec::new(),
                answer: (),
            })
        })
        .await?;
        self.0.sessions.close_user(caller.tenant(), user);
        Ok(())
    }

    /// A credential with another password, hashed when a slot is free.
    pub(crate) async fn with_password(
        &self,
        share: Share,
        old: Credential,
        password: Password,
    ) -> Result<Credential, Error> {
        let hash = self.0.hashing.run(share, move || Hash::of(&password)).await?;
        let hash = hash.map_err(|_| Error::Internal { what: "hashing the password".into() })?;
        Ok(old.with_password(hash))
    }

    /// The same for a password that a user chose, after asking the tenant's policy and the user's history.
    pub(crate) async fn with_new_password(
        &self,
        view: &View,
        user: &UserId,
        old: Credential,
        password: Password,
        source: &str,
    ) -> Result<Credential, Error> {
        let share = self.share(view.tenant.as_str(), source);
        takes(view, user, &password)?;
        let (used, old, password) = self
            .0
            .hashing
            .run(share, move || {
                let used = old.was_used(&password);
                (used, old, password)
            })
            .await?;
        if used {
            return Err(weak("it was used before"));
        }
        self.with_password(share, old, password).await
    }
}

fn policy_revision(view: &View) -> Revision {
    view.row(Kind::PasswordPolicy, POLICY).map(|row| row.revision).unwrap_or_default()
}

fn weak(reason: &str) -> Error {
    Error::invalid("LG-PASSWORD", format!("the new password cannot be taken: {reason}"))
}

/// The tenant's policy takes a new password of this user.
pub(crate) fn takes(view: &View, user: &UserId, password: &Password) -> Result<(), Error> {
    falls_short(view, user, password)?.map_or(Ok(()), |reasons| Err(weak(&reasons)))
}

/// What the tenant's policy has against a password of this user, in words.
pub(crate) fn falls_short(view: &View, user: &UserId, password: &Password) -> Result<Option<String>, Error> {
    let row: Option<User> = view.read(Kind::User, user.as_str())?;
    let title = row.map(|row| row.title).unwrap_or_default();
    let policy: Policy = view.credentials.policy().preset;
    let against = policy.check(&[user.as_str(), &title], password).err();
    Ok(against.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
}
