//! A presented credential and what we know become a principal.
//!
//! [`Presented`] is what a request carries; [`Credentials`] is what a tenant's rows say at one
//! revision; together they make a [`Principal`](lockgate_model::Principal) or a [`Refused`] that
//! tells the caller nothing. Principals are made here and nowhere else: the fields of the type are
//! public so that it can be read and logged, not so that others fill them in.
//!
//! Two kinds of secrets, kept in two ways. A password is chosen by a person and costs Argon2id
//! ([`PasswordCheck`], to be run off the threads that serve requests). An API key, a one-time token
//! and a session token are drawn here with 256 bits, so a keyed digest is enough and quick
//! ([`DigestKey`]). No form of either can be read back from what is stored. The secret of an authenticator
//! ([`TotpSecret`]) has to be: it comes and goes sealed, and whoever stores it opens it.
//!
//! Unknown user, wrong password, disabled user and user without password cost the same work.
//!
//! Deliberately absent: what a principal may do (crate `access`), the table of live sessions and the
//! memory of verified credentials (crate `runtime`; the digests for both are made here), storage,
//! clocks, HTTP.

mod access_token;
mod api_key;
mod ceremony;
mod certificate;
mod credentials;
mod digest_key;
mod one_time;
mod passkey;
mod password;
mod password_check;
mod policy;
mod presented;
mod random;
mod second_factor;
mod session;
mod stored;
mod text;
mod totp;

pub use access_token::{ACCESS_TOKEN_SECONDS, AccessToken, Claims};
pub use api_key::{ApiKey, StoredKey};
pub use ceremony::Begun;
pub use certificate::{BoundBy, Certificate, StoredCertificate};
pub use credentials::{Credentials, Refused};
pub use digest_key::{BasicKey, DigestKey};
pub use one_time::{OneTime, StoredToken};
pub use passkey::{Asked, NoSite, PASSKEYS_MAX, Site, StoredPasskey};
pub use password::{Hash, HashFailed, Password};
pub use password_check::PasswordCheck;
pub use policy::{Policy, Weakness};
pub use presented::{Basic, Malformed, Presented};
pub use random::NoRandom;
pub use second_factor::{RecoveryCodes, SecondFactor, Spent};
pub use session::SessionToken;
pub use stored::{Credential, PasswordPolicy};
pub use totp::TotpSecret;
