//! Client certificates (mutual TLS): bound to a user by the digest of the certificate or of its public key.

use lockgate_model::{
    Digest, Timestamp,
    id::{EnvironmentId, TargetName, UserId},
};
use serde::{Deserialize, Serialize};

/// A certificate that the client of a connection has shown and holds the key of; nothing else about it has
/// been found true yet.
#[derive(Debug, Clone, Copy)]
pub struct Certificate {
    /// SHA-256 of the certificate.
    pub certificate: Digest,
    /// SHA-256 of its public key.
    pub public_key: Digest,
    /// The first moment it is valid.
    pub from: Timestamp,
    /// The last moment it is valid.
    pub until: Timestamp,
}

/// Of what the digest is that a certificate is bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoundBy {
    /// Of the certificate: a renewed one has to be bound again.
    #[default]
    Certificate,
    /// Of its public key: a certificate that is renewed with the same key goes on.
    PublicKey,
}

/// A bound certificate as it is stored: the body of a row of kind `client-certificate`, whose id is the
/// digest in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredCertificate {
    /// Who comes with it.
    pub user: UserId,
    /// Of what the digest is.
    pub by: BoundBy,
    /// The only environment it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentId>,
    /// The orchestrations and APIs it may call, and do nothing else; empty for no such limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetName>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}
