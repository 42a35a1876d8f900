//! Passkeys of a user: added with the password, listed, named, taken away; and what a login by one begins
//! with. They stand beside codes of an authenticator: either is a second factor, and a passkey alone is
//! enough, for it asks its user who they are.

use std::collections::BTreeMap;

use lockgate_access::Scope;
use lockgate_identity::{
    Asked, Basic, Begun, Credential, NoSite, PASSKEYS_MAX, Password, RecoveryCodes, Refused, Site, Spent, StoredPasskey,
};
use lockgate_model::{
    Channel, Kind, Permission, Timestamp,
    id::{TenantId, UserId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Caller, Error, Runtime, View, account::SecretText, change::Plan, credential::no_random, login::Second, push::json,
};

/// Characters of a passkey's title.
const TITLE_CHARS_MAX: usize = 100;

/// What a browser answers to a ceremony that was begun.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// What it began with, as it was given.
    pub ceremony: String,
    /// The credential, as `PublicKeyCredential.toJSON()` gives it.
    pub credential: Value,
}

/// A passkey as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasskeyInfo {
    /// By what it can be named.
    pub id: String,
    /// For its user.
    pub title: String,
    /// When it was added.
    pub added: Timestamp,
}

impl PasskeyInfo {
    fn of(stored: &StoredPasskey) -> Self {
        Self { id: stored.id.clone(), title: stored.title.clone(), added: stored.added }
    }
}

/// A passkey that was added, and with the first one the recovery codes, shown once.
#[derive(Serialize)]
pub struct PasskeyAdded {
    /// The passkey.
    pub passkey: PasskeyInfo,
    /// Ten codes for who has lost it; none where there are some already.
    pub recovery_codes: Vec<String>,
}

impl Runtime {
    /// Says by what name browsers reach this server: passkeys are for it. Once; without it there are none.
    pub fn reached_by(&self, origin: &str) -> Result<(), NoSite> {
        let site = Site::new(origin)?;
        let _ = self.0.site.set(site);
        Ok(())
    }

    fn site(&self) -> Result<&Site, Error> {
        self.0.site.get().ok_or_else(|| Error::Conflict {
            code: "LG-PASSKEY-SITE",
            message:
                "this server has no name that passkeys could be for: start it with `--name NAME` or `--origin URL`"
                    .to_owned(),
        })
    }

    /// The caller's passkeys.
    pub async fn passkeys(&self, caller: &Caller) -> Result<Vec<PasskeyInfo>, Error> {
        let view = self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let stored = view.credentials.stored(&caller.principal.user);
        Ok(stored.map(|stored| stored.passkeys.iter().map(PasskeyInfo::of).collect()).unwrap_or_default())
    }

    /// Begins to add a passkey of the caller's. The password is asked again, as for codes.
    pub async fn begin_passkey(&self, caller: &Caller, password: SecretText) -> Result<Asked, Error> {
        self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        self.own_password(caller, password).await?;
        let (view, user) = (self.view(caller.tenant())?, &caller.principal.user);
        let has = view.credentials.stored(user).map(|stored| stored.passkeys.clone()).unwrap_or_default();
        if has.len() >= PASSKEYS_MAX {
            return Err(Error::invalid("LG-PASSKEY", format!("a user has at most {PASSKEYS_MAX} passkeys")));
        }
        let whose = (user, caller.token);
        self.site()?.add(view.tenant.as_str(), whose, &has, self.now(), &view.digest_key).map_err(not_begun)
    }

    /// Adds the passkey that the browser brings.
    pub async fn add_passkey(
        &self,
        caller: &Caller,
        answered: &PasskeyAnswer,
        title: &str,
    ) -> Result<PasskeyAdded, Error> {
        self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let (site, user, title) = (self.site()?, &caller.principal.user, titled(title)?);
        let begun = self.returned(&answered.ceremony, caller.tenant().as_str()).ok_or_else(wrong)?;
        let whose = (user, caller.token);
        let added = self
            .change(caller, |view| {
                let mut row = view.credentials.stored(user).cloned().unwrap_or_default();
                let key = &view.digest_key;
                let added = site.added(&begun, whose, &answered.credential, (title, self.now()), key);
                let added = added.map_err(|_| wrong())?;
                // Of two that are named the same nobody could say whose an answer is.
                if view.credentials.by_passkey(&added.id) != Err(Refused::WrongPasskey) {
                    return Err(wrong());
                }
                if row.passkeys.len() >= PASSKEYS_MAX {
                    return Err(Error::invalid("LG-PASSKEY", format!("a user has at most {PASSKEYS_MAX} passkeys")));
                }
                let mut recovery_codes = Vec::new();
                if row.recovery_left() == 0 {
                    let codes = RecoveryCodes::generate().map_err(no_random)?;
                    row.recovery = codes.stored(user, key);
                    recovery_codes.extend(codes.expose().map(str::to_owned));
                }
                let passkey = PasskeyInfo::of(&added);
                row.passkeys.push(added);
                let id = passkey.id.clone();
                self.own_passkeys(view, caller, "added", &id, &row, PasskeyAdded { passkey, recovery_codes })
            })
            .await;
        match &added {
            // Others that are open were never asked for it.
            Ok(_) => self.0.sessions.close_others(caller.tenant(), user, caller.token.as_ref()),
            Err(error) if *error == wrong() => {
                self.note_proved(caller.tenant(), &caller.source, "second-factor", user, "wrong-passkey").await;
            }
            Err(_) => {}
        }
        added
    }

    /// Names a passkey of the caller's otherwise.
    pub async fn rename_passkey(&self, caller: &Caller, id: &str, title: &str) -> Result<(), Error> {
        let title = titled(title)?;
        self.change(caller, |view| {
            let mut row = view.credentials.stored(&caller.principal.user).cloned().unwrap_or_default();
            let found = row.passkeys.iter_mut().find(|passkey| passkey.id == id);
            if let Some(passkey) = found {
                title.clone_into(&mut passkey.title);
            }
            self.own_passkeys(view, caller, "renamed", id, &row, ())
        })
        .await
    }

    /// Takes a passkey of the caller's away, for a code or an answer of a passkey.
    pub async fn remove_passkey(&self, caller: &Caller, id: &str, second: &Second) -> Result<(), Error> {
        let user = &caller.principal.user;
        self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let begun = self.taken(second, caller.tenant().as_str());
        let turn = self.turn_for(second, caller.tenant(), user, &caller.source).await?;
        let removed = self
            .change(caller, |view| {
                let old = view.credentials.stored(user).cloned().unwrap_or_default();
                if !old.passkeys.iter().any(|passkey| passkey.id == id) {
                    return Err(Error::not_found("such passkey"));
                }
                let spent = self.spent(view, user, old, second, begun.as_ref())?;
                let (row, _) = spent.ok_or_else(crate::second_factor::wrong_code)?;
                self.own_passkeys(view, caller, "removed", id, &row.without_passkey(id), ())
            })
            .await;
        self.judged(caller, turn, &removed).await;
        if removed.is_ok() {
            // Whoever came in by it is out.
            self.0.sessions.close_others(caller.tenant(), user, caller.token.as_ref());
        }
        removed
    }

    /// Begins a login by a passkey: whoever it is, or of a user whose password is proved with it.
    pub async fn begin_login(
        &self,
        tenant: &str,
        proved: Option<(&str, &SecretText)>,
        source: &str,
    ) -> Result<Asked, Error> {
        let site = self.site()?;
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        let Some((user, password)) = proved else {
            // What is asked names nobody: a tenant that is not there asks the same.
            let tenant = TenantId::parse(tenant).map_err(|_| Error::Unauthenticated)?;
            let key = self.0.views.digest_key(&tenant)?;
            return site.prove(None, self.now(), &key).map_err(not_begun);
        };
        let basic = Basic { user: user.to_owned(), password: Password::new(password.expose().to_owned()) };
        let principal = match self.basic(tenant, view, basic, source).await {
            Ok(principal) => principal,
            Err(error) => {
                if error == Error::Unauthenticated {
                    self.note_attempt(tenant, source, (Channel::Admin, "login"), ("-", user)).await;
                }
                return Err(error);
            }
        };
        // A right password is told of like one that came without a code.
        self.note_proved(&principal.tenant, source, "second-factor", &principal.user, "missing").await;
        let view = self.view(&principal.tenant)?;
        let has = view.credentials.stored(&principal.user).map(|stored| stored.passkeys.clone()).unwrap_or_default();
        if has.is_empty() {
            return Err(Error::invalid("LG-PASSKEY", "this user has no passkey"));
        }
        site.prove(Some((&principal.user, &has)), self.now(), &view.digest_key).map_err(not_begun)
    }

    /// The ceremony that an answer is for, if it is one of this tenant.
    pub(crate) fn taken(&self, second: &Second, tenant: &str) -> Option<Begun> {
        self.returned(&second.passkey.as_ref()?.ceremony, tenant)
    }

    fn returned(&self, ceremony: &str, tenant: &str) -> Option<Begun> {
        let key = self.0.views.digest_key(&TenantId::parse(tenant).ok()?).ok()?;
        Begun::read(ceremony, &key)
    }

    /// The credential after a passkey has answered; none if the answer is not true.
    pub(crate) fn answered(
        &self,
        view: &View,
        user: &UserId,
        mut credential: Credential,
        answered: &PasskeyAnswer,
        begun: Option<&Begun>,
    ) -> Result<Option<(Credential, Spent)>, Error> {
        let (Some(begun), Some(id)) = (begun, StoredPasskey::named_in(&answered.credential)) else { return Ok(None) };
        let site = self.site()?;
        let found = credential.passkeys.iter_mut().find(|passkey| passkey.id == id);
        let Some(stored) = found else { return Ok(None) };
        match site.proved(begun, user, stored, &answered.credential, self.now(), &view.digest_key) {
            Ok(after) => {
                *stored = after;
                Ok(Some((credential, Spent::Passkey)))
            }
            Err(_) => Ok(None),
        }
    }

    fn own_passkeys<T>(
        &self,
        view: &View,
        caller: &Caller,
        step: &str,
        id: &str,
        row: &Credential,
        answer: T,
    ) -> Result<Plan<T>, Error> {
        let decision = self.may_set_up(view, caller);
        if decision.is_allowed() && step == "renamed" && !row.passkeys.iter().any(|passkey| passkey.id == id) {
            return Err(Error::not_found("such passkey"));
        }
        let user = &caller.principal.user;
        let detail = [("step", step), ("how", "passkey"), ("passkey", id)];
        Ok(Plan {
            decision,
            event: "second-factor",
            object: format!("user/{user}"),
            fields: Vec::new(),
            detail: detail
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            puts: vec![(Kind::Credential, user.to_string(), json(row)?)],
            deletes: Vec::new(),
            answer,
        })
    }

    pub(crate) fn may_set_up(&self, view: &View, caller: &Caller) -> lockgate_access::Decision {
        let (asked, now) = (Permission::ManagePersonalSetup, self.now());
        lockgate_access::decide(&view.snapshot, &caller.principal, asked, Scope::Tenant, Channel::Admin, now)
    }
}

/// Which passkey an answer is of.
pub(crate) fn named_by(second: &Second) -> Result<String, Error> {
    let answered = second.passkey.as_ref().ok_or(Error::Unauthenticated)?;
    StoredPasskey::named_in(&answered.credential).ok_or(Error::Unauthenticated)
}

fn not_begun(_: Refused) -> Error {
    Error::Internal { what: "a ceremony of passkeys".into() }
}

fn wrong() -> Error {
    Error::invalid("LG-PASSKEY", "this is no answer of an authenticator to what was asked, or it came too late")
}

fn titled(title: &str) -> Result<&str, Error> {
    let title = title.trim();
    let fits = (1..=TITLE_CHARS_MAX).contains(&title.chars().count()) && !title.chars().any(char::is_control);
    let text = || format!("a passkey is named in 1 to {TITLE_CHARS_MAX} characters, none of them a control character");
    if fits { Ok(title) } else { Err(Error::invalid("LG-PASSKEY", text())) }
}
