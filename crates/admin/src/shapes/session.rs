//! Sessions and credentials.

use serde::Deserialize;
use utoipa::ToSchema;

/// A new session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The token, shown once; it goes as `Authorization: Bearer`.
    pub session: String,
    /// Whose.
    pub user: String,
    /// Whose tenant.
    pub tenant: String,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    pub expires: i64,
}

/// Who a credential belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The tenant.
    pub tenant: String,
    /// The user.
    pub user: String,
    /// `basic`, `api-key`, `session`, `certificate`, or `enrolment` for a session that has to enrol a second factor.
    pub credential: String,
    /// Set for an API key that is good for one environment alone.
    #[serde(default)]
    pub only_environment: Option<String>,
    /// The orchestrations and APIs that an API key may call, and do nothing else.
    #[serde(default)]
    pub only_targets: Vec<String>,
}

/// A live session as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionInfo {
    /// By what it can be ended.
    pub id: String,
    /// Whose.
    pub user: String,
    /// From where it was opened: an address without port; absent for the server's own machine.
    #[serde(default)]
    pub source: Option<String>,
    /// When it was opened, in microseconds since 1970-01-01T00:00:00Z.
    pub opened: i64,
    /// When it ends.
    pub expires: i64,
    /// The one that asks.
    pub own: bool,
}

/// What an API key is to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyWanted {
    /// The only environment it is good for; absent for all of the user's.
    #[serde(default)]
    #[schema(value_type = Option<super::Id>)]
    pub environment: Option<String>,
    /// The orchestrations and APIs it may call, and do nothing else; at most 100; none for whatever the user may.
    #[serde(default)]
    #[schema(value_type = Vec<super::Id>, max_items = 100)]
    pub targets: Vec<String>,
    /// It is a client's: sent to the token endpoint alone, for access tokens.
    #[serde(default)]
    pub client: bool,
    /// How many days it lasts; absent for 90.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 397)]
    pub days: Option<i64>,
    /// For people.
    #[serde(default)]
    pub title: String,
}

/// A client certificate to be bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateWanted {
    /// PEM text of the one certificate.
    pub certificate: String,
    /// What it is known by. Default `certificate`.
    #[serde(default)]
    pub by: Option<BoundBy>,
    /// The only environment it is good for; absent for all of the user's.
    #[serde(default)]
    #[schema(value_type = Option<super::Id>)]
    pub environment: Option<String>,
    /// The orchestrations and APIs it may call, and do nothing else; at most 100.
    #[serde(default)]
    #[schema(value_type = Vec<super::Id>, max_items = 100)]
    pub targets: Vec<String>,
    /// For people.
    #[serde(default)]
    pub title: String,
}

/// What a client certificate is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BoundBy {
    /// Its own digest: a renewed one has to be bound again.
    Certificate,
    /// The digest of its public key: one that is renewed with the same key goes on.
    PublicKey,
}

/// A bound client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateInfo {
    /// SHA-256, in hex, of what it is known by.
    pub id: String,
    /// Who comes with it.
    pub user: String,
    /// What it is known by.
    pub by: BoundBy,
    /// The only environment it is good for.
    #[serde(default)]
    #[schema(value_type = Option<super::Id>)]
    pub environment: Option<String>,
    /// The orchestrations and APIs it may call, and do nothing else.
    #[serde(default)]
    pub targets: Vec<String>,
    /// For people.
    #[serde(default)]
    pub title: String,
}

/// What the tenant asks of passwords.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordPolicy {
    /// The preset in force.
    pub preset: PasswordPreset,
    /// A user with a password has to have a second factor: until then its sessions are good for enrolling one.
    #[serde(default)]
    pub second_factor: bool,
}

/// A preset. Both refuse what is common, what holds the user's name, and the last five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum PasswordPreset {
    /// 12 characters, of three of the four classes upper, lower, digit, other.
    #[serde(rename = "classic")]
    Classic,
    /// 15 characters and no classes.
    #[serde(rename = "nist-800-63b-4")]
    Nist,
}

/// Whether one's own logins ask for a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorStatus {
    /// They do.
    pub on: bool,
    /// A code of an authenticator is one.
    pub codes: bool,
    /// So many passkeys are.
    pub passkeys: usize,
    /// The tenant asks it of who has a password.
    pub required: bool,
    /// Recovery codes that were not used.
    pub recovery_codes_left: usize,
}

/// A new secret for an authenticator, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// As a person types it: base32 without padding.
    pub secret: String,
    /// As an authenticator reads it off a screen: an `otpauth` address.
    pub address: String,
}

/// A ceremony that has begun: good once, for five minutes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What comes back with the answer as it is: some kilobytes that say nothing to anybody else.
    pub ceremony: String,
    /// For the browser: `publicKey`, as `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take it.
    pub options: serde_json::Value,
}

/// What a browser answers to a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// The `ceremony` that was given when it began.
    pub ceremony: String,
    /// The credential, as `PublicKeyCredential.toJSON()` gives it.
    pub credential: serde_json::Value,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyInfo {
    /// By what it can be named.
    pub id: String,
    /// What its user calls it.
    pub title: String,
    /// When it was added, in microseconds since 1970-01-01T00:00:00Z.
    pub added: i64,
}

/// A passkey that was added.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAdded {
    /// The passkey.
    pub passkey: PasskeyInfo,
    /// Ten codes for who has lost it, each good once, shown once; none where there are some already.
    pub recovery_codes: Vec<String>,
}

/// Codes for who has lost the authenticator, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Ten, each good once.
    pub recovery_codes: Vec<String>,
}

/// A new API key, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Its id, which may be shown again.
    pub id: String,
    /// The key, as it goes behind `Authorization: Bearer`.
    pub key: String,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub expires: Option<i64>,
}

/// An API key as it may be shown again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyInfo {
    /// Its id.
    pub id: String,
    /// On whose behalf it acts.
    pub user: String,
    /// The only environment it is good for.
    #[serde(default)]
    #[schema(value_type = Option<super::Id>)]
    pub environment: Option<String>,
    /// The orchestrations and APIs it may call, and do nothing else.
    #[serde(default)]
    pub targets: Vec<String>,
    /// It is a client's: good for access tokens alone.
    pub client: bool,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub expires: Option<i64>,
    /// For people.
    #[serde(default)]
    pub title: String,
    /// When this server saw it last, to the minute; absent if not since it started.
    #[serde(default)]
    pub last_used: Option<i64>,
}
