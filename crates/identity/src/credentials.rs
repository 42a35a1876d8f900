//! What a tenant's rows say about who may prove to be whom, at one revision.

use std::sync::Arc;

use lockgate_model::{
    Definition, Digest, Kind, Principal, SharedMap, Timestamp,
    definition::{Revision, Unreadable, User},
    id::{EnvironmentId, KeyId, TenantId, UserId},
    principal::{CredentialKind, UserKind},
};

use serde::de::DeserializeOwned;

use crate::{
    AccessToken, ApiKey, Basic, BasicKey, BoundBy, Certificate, Credential, DigestKey, OneTime, PasswordPolicy,
    StoredCertificate, StoredKey, StoredToken,
};

/// Why a credential was not accepted. For the audit log and for tests: to the caller every reason is
/// the same 401, and `Display` says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the credential was not accepted")]
pub enum Refused {
    /// No such tenant.
    UnknownTenant,
    /// No such user.
    UnknownUser,
    /// The user is disabled.
    Disabled,
    /// A user of its kind has no such credential: an IDP user or a service account has no password,
    /// a service account no session.
    WrongKind,
    /// No password has been set yet.
    NoPassword,
    /// Another password.
    WrongPassword,
    /// No such API key.
    UnknownKey,
    /// Another secret.
    WrongSecret,
    /// Right, but past its end.
    Ended,
    /// No such one-time token, or it was used.
    NoToken,
    /// The password has to be changed before anything else.
    MustChange,
    /// Right, but not enough: a second factor is on.
    SecondFactor,
    /// No code of the second factor, or one that was used.
    WrongCode,
    /// No answer of a passkey that is this user's, for what was asked.
    WrongPasskey,
}

impl Refused {
    /// Stable code for the audit entry's detail.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownTenant => "unknown-tenant",
            Self::UnknownUser => "unknown-user",
            Self::Disabled => "disabled",
            Self::WrongKind => "wrong-kind",
            Self::NoPassword => "no-password",
            Self::WrongPassword => "wrong-password",
            Self::UnknownKey => "unknown-key",
            Self::WrongSecret => "wrong-secret",
            Self::Ended => "ended",
            Self::NoToken => "no-token",
            Self::MustChange => "must-change",
            Self::SecondFactor => "second-factor",
            Self::WrongCode => "wrong-code",
            Self::WrongPasskey => "wrong-passkey",
        }
    }
}

/// A tenant's credentials. Built beside the access snapshot, from the same rows.
#[derive(Debug, Clone)]
pub struct Credentials {
    tenant: TenantId,
    revision: Revision,
    users: SharedMap<UserId, Arc<Known>>,
    keys: SharedMap<KeyId, StoredKey>,
    certificates: SharedMap<Digest, StoredCertificate>,
    policy: PasswordPolicy,
    /// Whose each passkey is, by its id.
    passkeys: SharedMap<String, UserId>,
    /// By what the log names the operator.
    operator: UserId,
}

/// A user and its credential.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    kind: UserKind,
    enabled: bool,
    /// Revisions that wrote the user's row and its credential's: they move with any change.
    rows: (Revision, Revision),
    pub credential: Option<Credential>,
}

/// Passwords belong to native users alone.
pub(crate) fn native(user: &Known) -> Result<(), Refused> {
    match (user.enabled, user.kind) {
        (false, _) => Err(Refused::Disabled),
        (true, UserKind::Native) => Ok(()),
        (true, UserKind::Idp | UserKind::Service) => Err(Refused::WrongKind),
    }
}

/// Reads a row whose values must not be told, not even in an error.
fn secret_row<T: DeserializeOwned>(row: &Definition) -> Result<T, Unreadable> {
    row.read().map_err(|e| Unreadable { reason: "its members are not those of its kind".to_owned(), ..e })
}

impl Credentials {
    /// Reads users, credentials and API keys; other kinds are passed over.
    ///
    /// # Errors
    /// A row that cannot be read, or a credential whose user does not exist. Refuse everybody then.
    pub fn build(tenant: TenantId, revision: Revision, definitions: &[Definition]) -> Result<Self, Unreadable> {
        let operator = UserId::parse("operator").map_err(|e| Unreadable {
            kind: Kind::SupportGrant,
            id: String::new(),
            reason: e.to_string(),
        })?;
        let (users, keys, certificates, policy, passkeys) = Default::default();
        Self { tenant, revision, users, keys, certificates, policy, passkeys, operator }.with(definitions)
    }

    /// The same after a change that was made, for the cost of what changed. That what is deleted is named by nothing
    /// any more is not asked again: `access` asks it of the same rows.
    ///
    /// # Errors
    /// Those of [`Credentials::build`].
    pub fn follow(
        &self,
        revision: Revision,
        puts: &[Definition],
        deletes: &[(Kind, String)],
    ) -> Result<Self, Unreadable> {
        let mut next = Self { revision, ..self.clone() };
        for (kind, id) in deletes {
            match kind {
                Kind::User => {
                    next.set_credential(id, Revision(0), None);
                    next.users.remove(id.as_str());
                }
                Kind::Credential => next.set_credential(id, Revision(0), None),
                Kind::ApiKey => next.keys.remove(id.as_str()),
                Kind::ClientCertificate => {
                    if let Ok(digest) = id.parse::<Digest>() {
                        next.certificates.remove(&digest);
                    }
                }
                Kind::PasswordPolicy => next.policy = PasswordPolicy::default(),
                _ => {}
            }
        }
        next.with(puts)
    }

    /// Sets the credential of a user, if there is one, and with it whose passkeys are whose.
    fn set_credential(&mut self, user: &str, revision: Revision, credential: Option<Credential>) {
        let Some((user, known)) = self.users.entry(user) else { return };
        let (user, mut known) = (user.clone(), Known::clone(known));
        for gone in known.credential.iter().flat_map(|credential| &credential.passkeys) {
            // It may be another's by now, where one step follows several changes.
            if self.passkeys.get(gone.id.as_str()) == Some(&user) {
                self.passkeys.remove(gone.id.as_str());
            }
        }
        for passkey in credential.iter().flat_map(|credential| &credential.passkeys) {
            self.passkeys.insert(passkey.id.clone(), user.clone());
        }
        known.rows.1 = revision;
        known.credential = credential;
        self.users.insert(user, Arc::new(known));
    }

    /// The same with these rows, in place of those of the same ids.
    fn with(mut self, definitions: &[Definition]) -> Result<Self, Unreadable> {
        let id = |row: &Definition, reason: String| Unreadable { kind: row.kind, id: row.id.clone(), reason };
        for row in definitions.iter().filter(|row| row.kind == Kind::User) {
            let user: User = row.read()?;
            let before = self.users.get(row.id.as_str());
            let (of_credential, credential) =
                before.map(|known| (known.rows.1, known.credential.clone())).unwrap_or_default();
            let rows = (row.revision, of_credential);
            let known = Known { kind: user.kind, enabled: user.enabled, rows, credential };
            self.users.insert(UserId::parse(&row.id).map_err(|e| id(row, e.to_string()))?, Arc::new(known));
        }
        for row in definitions {
            match row.kind {
                Kind::Credential => {
                    let credential: Credential = secret_row(row)?;
                    if !self.users.contains_key(row.id.as_str()) {
                        return Err(id(row, "its user does not exist".to_owned()));
                    }
                    self.set_credential(&row.id, row.revision, Some(credential));
                }
                Kind::ApiKey => {
                    let key: StoredKey = secret_row(row)?;
                    if !self.users.contains_key(&key.user) {
                        return Err(id(row, format!("its user `{}` does not exist", key.user)));
                    }
                    self.keys.insert(KeyId::parse(&row.id).map_err(|e| id(row, e.to_string()))?, key);
                }
                Kind::ClientCertificate => {
                    let certificate: StoredCertificate = row.read()?;
                    if !self.users.contains_key(&certificate.user) {
                        return Err(id(row, format!("its user `{}` does not exist", certificate.user)));
                    }
                    let digest = row.id.parse().map_err(|_| id(row, "its id is no digest".to_owned()))?;
                    self.certificates.insert(digest, certificate);
                }
                Kind::PasswordPolicy => self.policy = row.read::<PasswordPolicy>()?,
                _ => {}
            }
        }
        Ok(self)
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// The revision of its rows.
    pub fn revision(&self) -> Revision {
        self.revision
    }
    /// What the tenant asks of passwords, and besides them.
    pub fn policy(&self) -> PasswordPolicy {
        self.policy
    }
    /// The user whom a passkey lets in by itself.
    pub fn by_passkey(&self, id: &str) -> Result<UserId, Refused> {
        let user = self.passkeys.get(id).ok_or(Refused::WrongPasskey)?;
        native(self.known(user.as_str())?)?;
        Ok(user.clone())
    }
    /// The policy asks a second factor of this user, who has none yet.
    fn must_enrol(&self, known: &Known) -> bool {
        let has = known.credential.as_ref().is_some_and(Credential::has_second_factor);
        self.policy.second_factor && known.kind == UserKind::Native && !has
    }
    /// What is stored for a user, to be changed and put back.
    pub fn stored(&self, user: &UserId) -> Option<&Credential> {
        self.users.get(user)?.credential.as_ref()
    }

    pub(crate) fn known(&self, user: &str) -> Result<&Known, Refused> {
        self.users.get(user).map(|known| &**known).ok_or(Refused::UnknownUser)
    }

    fn principal(&self, user: &str, credential: CredentialKind) -> Result<Principal, Refused> {
        let (user, known) = self.users.entry(user).ok_or(Refused::UnknownUser)?;
        if !known.enabled {
            return Err(Refused::Disabled);
        }
        Ok(Principal {
            tenant: self.tenant.clone(),
            user: user.clone(),
            credential,
            only_environment: None,
            only_targets: Vec::new(),
        })
    }

    pub(crate) fn by_password(&self, user: &str) -> Result<Principal, Refused> {
        self.principal(user, CredentialKind::Basic)
    }

    /// The digest by which a verified Basic credential is remembered: over tenant, user, password,
    /// and the revisions of the user's own rows, so that any change of them is a miss. `None` for an
    /// unknown user, who has nothing to remember; the digest is made all the same.
    pub fn basic_digest(&self, key: &BasicKey, basic: &Basic) -> Option<Digest> {
        let known = self.users.get(basic.user.as_str());
        let (user, credential) = known.map(|known| known.rows).unwrap_or_default();
        let digest = key.0.digest([
            self.tenant.as_str().as_bytes(),
            basic.user.as_bytes(),
            basic.password.expose().as_bytes(),
            &user.0.to_be_bytes(),
            &credential.0.to_be_bytes(),
        ]);
        known.map(|_| digest)
    }

    /// The principal of a Basic credential that is remembered: `holds` says whether its digest is.
    pub fn recall(&self, key: &BasicKey, basic: &Basic, holds: impl FnOnce(&Digest) -> bool) -> Option<Principal> {
        let digest = self.basic_digest(key, basic)?;
        if !holds(&digest) {
            return None;
        }
        native(self.known(&basic.user).ok()?).ok()?;
        self.by_password(&basic.user).ok()
    }

    /// A right password is enough for a request by itself: it need not be changed, and no second
    /// factor is on. Only a login can bring what is missing.
    pub fn password_alone(&self, user: &UserId) -> Result<(), Refused> {
        if self.users.get(user).is_some_and(|known| self.must_enrol(known)) {
            return Err(Refused::SecondFactor);
        }
        let Some(credential) = self.stored(user) else { return Ok(()) };
        match (credential.must_change, credential.has_second_factor()) {
            (true, _) => Err(Refused::MustChange),
            (false, true) => Err(Refused::SecondFactor),
            (false, false) => Ok(()),
        }
    }

    /// The principal of an API key. An unknown key costs the same digest and comparison.
    pub fn api_key(&self, presented: &ApiKey, key: &DigestKey, now: Timestamp) -> Result<Principal, Refused> {
        let stored = self.key(presented, key, now)?;
        if stored.client {
            return Err(Refused::WrongKind);
        }
        self.by_key(stored, CredentialKind::ApiKey)
    }

    /// The user of a client that proves itself at the token endpoint of an environment.
    pub fn client(
        &self,
        presented: &ApiKey,
        environment: &EnvironmentId,
        key: &DigestKey,
        now: Timestamp,
    ) -> Result<UserId, Refused> {
        let stored = self.key(presented, key, now)?;
        if !stored.client || stored.environment.as_ref().is_some_and(|only| only != environment) {
            return Err(Refused::WrongKind);
        }
        self.by_key(stored, CredentialKind::AccessToken).map(|principal| principal.user)
    }

    /// The principal of an access token whose signature was found to be of this environment's key. Client
    /// and user are asked again at each request: the token of one that is gone is refused.
    pub fn access_token(
        &self,
        token: &AccessToken,
        environment: &EnvironmentId,
        now: Timestamp,
    ) -> Result<Principal, Refused> {
        let claims = token.claims();
        if !claims.hold(&self.tenant, environment, now) {
            return Err(Refused::Ended);
        }
        let stored = self.keys.get(&claims.client_id).ok_or(Refused::UnknownKey)?;
        if !stored.client || stored.user != claims.sub {
            return Err(Refused::WrongKind);
        }
        if stored.has_ended(now) || stored.environment.as_ref().is_some_and(|only| only != environment) {
            return Err(Refused::Ended);
        }
        let principal = self.by_key(stored, CredentialKind::AccessToken)?;
        Ok(Principal { only_environment: Some(environment.clone()), ..principal })
    }

    /// The principal of a client certificate. It has to be bound, and valid now.
    pub fn certificate(&self, shown: &Certificate, now: Timestamp) -> Result<Principal, Refused> {
        let bound = |digest, by| self.certificates.get(digest).filter(|stored| stored.by == by);
        let stored = bound(&shown.certificate, BoundBy::Certificate)
            .or_else(|| bound(&shown.public_key, BoundBy::PublicKey))
            .ok_or(Refused::UnknownKey)?;
        if now < shown.from || shown.until < now {
            return Err(Refused::Ended);
        }
        let principal = self.principal(stored.user.as_str(), CredentialKind::Certificate)?;
        let (only_environment, only_targets) = (stored.environment.clone(), stored.targets.clone());
        Ok(Principal { only_environment, only_targets, ..principal })
    }

    fn key(&self, presented: &ApiKey, key: &DigestKey, now: Timestamp) -> Result<&StoredKey, Refused> {
        let stored = self.keys.get(presented.id());
        let nobody;
        let against = match stored {
            Some(stored) => stored,
            None => {
                nobody = StoredKey::nobody(presented)?;
                &nobody
            }
        };
        let fits = against.is(presented, key);
        let stored = stored.ok_or(Refused::UnknownKey)?;
        match (fits, stored.has_ended(now)) {
            (false, _) => Err(Refused::WrongSecret),
            (true, true) => Err(Refused::Ended),
            (true, false) => Ok(stored),
        }
    }

    fn by_key(&self, stored: &StoredKey, credential: CredentialKind) -> Result<Principal, Refused> {
        let principal = self.principal(stored.user.as_str(), credential)?;
        let (only_environment, only_targets) = (stored.environment.clone(), stored.targets.clone());
        Ok(Principal { only_environment, only_targets, ..principal })
    }

    /// The principal of a session that the table of live sessions has found. The user is asked
    /// again at each request: one that was disabled since is refused, and one of whom the policy asks a second
    /// factor may do nothing but enrol one.
    pub fn session(&self, user: &UserId) -> Result<Principal, Refused> {
        let known = self.known(user.as_str())?;
        let credential = if self.must_enrol(known) { CredentialKind::Enrolment } else { CredentialKind::Session };
        let principal = self.principal(user.as_str(), credential)?;
        match known.kind {
            UserKind::Native | UserKind::Idp => Ok(principal),
            UserKind::Service => Err(Refused::WrongKind),
        }
    }

    /// The principal a schedule or poll runs as: a name, for which nothing was presented. Whether the
    /// user exists, is enabled and may is asked of access at each fire, which records the answer.
    pub fn run_as(&self, user: &UserId) -> Principal {
        let (tenant, user) = (self.tenant.clone(), user.clone());
        Principal { tenant, user, credential: CredentialKind::RunAs, only_environment: None, only_targets: Vec::new() }
    }

    /// The operator, looking by a grant of support access: no user of the tenant, for which nothing was presented but the
    /// local socket. Whether a grant stands is asked of access at each look, which records the answer.
    pub fn support(&self) -> Principal {
        let (tenant, user, credential) = (self.tenant.clone(), self.operator.clone(), CredentialKind::Support);
        Principal { tenant, user, credential, only_environment: None, only_targets: Vec::new() }
    }

    /// The user of a one-time token that is good now. Store [`Credential::with_password`] at the
    /// same revision: that ends the token, and whoever comes second finds the revision moved on.
    pub fn one_time(&self, presented: &OneTime, key: &DigestKey, now: Timestamp) -> Result<UserId, Refused> {
        let known = self.users.entry(presented.user());
        let stored = known.and_then(|(_, known)| known.credential.as_ref()?.token.clone());
        let against = stored.clone().unwrap_or(StoredToken { digest: Digest([0; 32]), expires: now });
        let fits = against.is(presented, key);
        let (user, known) = known.ok_or(Refused::UnknownUser)?;
        let stored = stored.ok_or(Refused::NoToken)?;
        if !fits {
            return Err(Refused::WrongSecret);
        }
        if stored.expires <= now {
            return Err(Refused::Ended);
        }
        native(known)?;
        Ok(user.clone())
    }
}
