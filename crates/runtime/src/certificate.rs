//! Client certificates of users: bound by an administrator, asked where a listener asks for certificates.

use std::collections::BTreeMap;

use lockgate_access::Scope;
use lockgate_identity::{BoundBy, Certificate, StoredCertificate};
use lockgate_keys::ShownCertificate;
use lockgate_model::{
    Channel, Digest, Kind, Permission, Timestamp,
    id::{EnvironmentId, TargetName, TenantId, UserId},
};
use serde::{Deserialize, Serialize};

use crate::{Caller, Error, Runtime, View, change::Plan, push::json};

/// Targets one certificate may be narrowed to.
const TARGETS_MAX: usize = 100;

/// A certificate to be bound.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateWanted {
    /// PEM text of the one certificate.
    pub certificate: String,
    /// What it is known by.
    #[serde(default)]
    pub by: BoundBy,
    /// The only environment it is good for; absent for all of the user's.
    #[serde(default)]
    pub environment: Option<EnvironmentId>,
    /// The orchestrations and APIs it may call, and do nothing else; empty for whatever the user may.
    #[serde(default)]
    pub targets: Vec<TargetName>,
    /// For people.
    #[serde(default)]
    pub title: String,
}

/// A bound certificate as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateInfo {
    /// SHA-256, in hex, of what it is known by.
    pub id: String,
    /// Who comes with it, by what it is known, and what it is narrowed to.
    #[serde(flatten)]
    pub bound: StoredCertificate,
}

/// A user's certificates.
pub(crate) fn certificates_of(view: &View, user: &str) -> Result<Vec<CertificateInfo>, Error> {
    let mut found = Vec::new();
    for row in view.rows(Kind::ClientCertificate, "") {
        let bound: StoredCertificate = row.read()?;
        if bound.user.as_str() == user {
            found.push(CertificateInfo { id: row.id.clone(), bound });
        }
    }
    Ok(found)
}

impl Runtime {
    /// Establishes who sends a request over a connection whose client may have shown a certificate (DER).
    /// Where the request has a credential of its own, that is what is meant.
    pub async fn authenticate_peer(
        &self,
        tenant: &str,
        authorization: Option<&str>,
        certificate: Option<&[u8]>,
        source: &str,
    ) -> Result<Caller, Error> {
        let (None, Some(certificate)) = (authorization, certificate) else {
            return self.authenticate(tenant, authorization, source).await;
        };
        let established = self.by_certificate(tenant, certificate, source);
        if established.as_ref().err() == Some(&Error::Unauthenticated) {
            self.note_attempt(tenant, source, (Channel::Rest, "authenticate"), ("-", "")).await;
        }
        established
    }

    fn by_certificate(&self, tenant: &str, der: &[u8], source: &str) -> Result<Caller, Error> {
        let refused = Error::Unauthenticated;
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        let (Some(view), Ok(shown)) = (view, ShownCertificate::from_der(der)) else { return Err(refused) };
        let principal = view.credentials.certificate(&presented(&shown), self.now()).map_err(|_| refused)?;
        Ok(Caller { principal, source: source.to_owned(), token: None })
    }

    /// Binds a certificate to a user.
    pub async fn add_certificate(
        &self,
        caller: &Caller,
        user: &UserId,
        wanted: &CertificateWanted,
    ) -> Result<CertificateInfo, Error> {
        self.change(caller, |view| {
            let decision = self.stands_for(view, caller);
            if !decision.is_allowed() {
                // The decision is all that is looked at.
                return Ok(Plan {
                    decision,
                    event: "add",
                    object: String::new(),
                    fields: Vec::new(),
                    detail: BTreeMap::new(),
                    puts: Vec::new(),
                    deletes: Vec::new(),
                    answer: None,
                });
            }
            if view.row(Kind::User, user.as_str()).is_none() {
                return Err(Error::not_found(format!("user `{user}`")));
            }
            if wanted.targets.len() > TARGETS_MAX {
                let text = format!("a certificate is narrowed to at most {TARGETS_MAX} orchestrations and APIs");
                return Err(Error::invalid("LG-KEY-TARGETS", text));
            }
            if let Some(environment) = &wanted.environment
                && view.row(Kind::Environment, environment.as_str()).is_none()
            {
                return Err(Error::not_found(format!("environment `{environment}`")));
            }
            let id = digest(wanted, self.now())?.hex();
            if view.row(Kind::ClientCertificate, &id).is_some() {
                let message = format!("certificate `{id}` is bound already: take it away first");
                return Err(Error::Conflict { code: "LG-CERTIFICATE-BOUND", message });
            }
            let bound = StoredCertificate {
                user: user.clone(),
                by: wanted.by,
                environment: wanted.environment.clone(),
                targets: wanted.targets.clone(),
                title: wanted.title.clone(),
            };
            Ok(Plan {
                decision,
                event: "add",
                object: format!("client-certificate/{id}"),
                fields: Vec::new(),
                detail: BTreeMap::from([("user".to_owned(), user.to_string())]),
                puts: vec![(Kind::ClientCertificate, id.clone(), json(&bound)?)],
                deletes: Vec::new(),
                answer: Some(CertificateInfo { id, bound }),
            })
        })
        .await?
        .ok_or(Error::Internal { what: "binding a certificate".into() })
    }

    /// A user's certificates.
    pub async fn certificates(&self, caller: &Caller, user: &UserId) -> Result<Vec<CertificateInfo>, Error> {
        let view = self.may_read(caller, Permission::UserManagement, Scope::Tenant).await?;
        certificates_of(&view, user.as_str())
    }

    /// Takes a certificate away from its user.
    pub async fn remove_certificate(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        self.change(caller, |view| {
            let row: Option<StoredCertificate> = view.read(Kind::ClientCertificate, id)?;
            let whose = row.as_ref().map_or(&caller.principal.user, |row| &row.user);
            let decision = self.manages(view, caller, whose)?;
            if decision.is_allowed() && row.is_none() {
                return Err(Error::not_found("such certificate"));
            }
            Ok(Plan {
                decision,
                event: "delete",
                object: format!("client-certificate/{id}"),
                fields: Vec::new(),
                detail: BTreeMap::new(),
                puts: Vec::new(),
                deletes: vec![(Kind::ClientCertificate, id.to_owned())],
                answer: (),
            })
        })
        .await
    }
}

fn presented(shown: &ShownCertificate) -> Certificate {
    let ShownCertificate { certificate, public_key, from, until } = *shown;
    Certificate { certificate, public_key, from, until }
}

/// What a certificate is to be known by; one that is over is not bound.
fn digest(wanted: &CertificateWanted, now: Timestamp) -> Result<Digest, Error> {
    let unusable = |reason: String| Error::invalid("LG-CERTIFICATE", reason);
    let shown = ShownCertificate::from_pem(&wanted.certificate).map_err(|error| unusable(error.to_string()))?;
    if shown.until < now {
        return Err(unusable("the certificate has expired: bind the one that follows it".to_owned()));
    }
    Ok(match wanted.by {
        BoundBy::Certificate => shown.certificate,
        BoundBy::PublicKey => shown.public_key,
    })
}
