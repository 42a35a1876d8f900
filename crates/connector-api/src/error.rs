//! The one error type of all connectors.
//!
//! What may be logged is fixed text chosen by the connector's author plus kind, code, account,
//! operation and status. Whatever a peer, a path or a statement said is [`Private`]: it goes to the
//! run's `catch` and to the caller, never to a log.

use std::{fmt, sync::Arc, time::Duration};

use lockgate_document::Document;
use lockgate_model::id::AccountName;

/// What went wrong, as far as behaviour depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The account's binding cannot work as it stands: address, setting or secret.
    Configuration,
    /// The call's input breaks the operation's rules; nothing was sent.
    Input,
    /// The egress rule refused the address; nothing was sent.
    Refused,
    /// The server did not prove its identity, or refused ours, while the connection was secured.
    Identity,
    /// No connection, or it broke.
    Unreachable,
    /// The deadline passed.
    Timeout,
    /// The endpoint does not accept our credentials.
    Authentication,
    /// The endpoint knows us and says no.
    Authorization,
    /// What was asked for is not there.
    NotFound,
    /// The endpoint's state forbids it (exists already, precondition failed).
    Conflict,
    /// The endpoint is overloaded or down for now, or says we ask too often.
    Unavailable,
    /// The endpoint refused the request for any other reason.
    Rejected,
    /// The answer is not what the protocol says.
    Protocol,
    /// The answer is larger than the limit.
    TooLarge,
}

impl Kind {
    /// Stable text form, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Configuration => "configuration",
            Kind::Input => "input",
            Kind::Refused => "refused",
            Kind::Identity => "identity",
            Kind::Unreachable => "unreachable",
            Kind::Timeout => "timeout",
            Kind::Authentication => "authentication",
            Kind::Authorization => "authorization",
            Kind::NotFound => "not-found",
            Kind::Conflict => "conflict",
            Kind::Unavailable => "unavailable",
            Kind::Rejected => "rejected",
            Kind::Protocol => "protocol",
            Kind::TooLarge => "too-large",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value that may be shown to the caller and never logged: `Debug` prints `[private]` and there
/// is no `Display`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Marks a value private.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the run's `catch` and the caller.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

/// A failed connector call.
///
/// `Display` is one line for logs: what failed, with which account, why in the author's fixed
/// words, and the status if there was one. [`Error::private`] holds the rest.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    code: &'static str,
    text: &'static str,
    operation: Option<Box<str>>,
    account: Option<AccountName>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    private: Private<String>,
    told: Option<Told>,
}

/// What the endpoint said in its protocol's own terms, as a member of the error object that a run's `catch` has.
#[derive(Debug, Clone)]
pub struct Told {
    /// Name of the member: `fault`, `sqlstate`.
    pub name: &'static str,
    /// Its value.
    pub value: Private<Arc<Document>>,
}

impl Error {
    /// An error with a stable code such as `https-redirect` and a fixed text that completes
    /// "cannot … with account …: ". Both are written by an author and may be logged.
    pub fn new(kind: Kind, code: &'static str, text: &'static str) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            text,
            operation: None,
            account: None,
            status: None,
            retry_after: None,
            private: Private::default(),
            told: None,
        }))
    }

    /// Adds what only the caller may see: the peer's words, a path, an address. Never a secret.
    #[must_use]
    pub fn with_private(mut self, detail: impl Into<String>) -> Self {
        self.0.private = Private::new(detail.into());
        self
    }

    /// Adds what the endpoint said in its protocol's own terms. Never a secret.
    #[must_use]
    pub fn with_told(mut self, name: &'static str, value: Document) -> Self {
        self.0.told = Some(Told { name, value: Private::new(Arc::new(value)) });
        self
    }

    /// Adds the status the endpoint answered with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the time the endpoint asks us to stay away.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Says which call it was, where that is not known yet; the [`crate::Registry`] does this for every connector.
    #[must_use]
    pub fn at(mut self, account: &AccountName, operation: Option<&str>) -> Self {
        self.0.account.get_or_insert_with(|| account.clone());
        self.0.operation = self.0.operation.or_else(|| operation.map(Box::from));
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Stable code, for people and programs.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The author's fixed words.
    pub fn text(&self) -> &'static str {
        self.0.text
    }

    /// The operation, once known.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The account, once known.
    pub fn account(&self) -> Option<&AccountName> {
        self.0.account.as_ref()
    }

    /// The endpoint's status, if it answered with one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How long the endpoint asks us to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the endpoint said in its protocol's own terms.
    pub fn told(&self) -> Option<&Told> {
        self.0.told.as_ref()
    }

    /// What only the caller may see; empty when there is nothing more to say.
    pub fn private(&self) -> &Private<String> {
        &self.0.private
    }

    /// Whether the same call may succeed later. Whether repeating it is *safe* is the operation's
    /// word (`idempotent`, or an idempotency key).
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, Kind::Unreachable | Kind::Timeout | Kind::Unavailable)
    }

    /// Last path segment of the error type of the Open Workflow DSL
    /// (`https://serverlessworkflow.io/spec/1.0.0/errors/<type>`).
    pub fn error_type(&self) -> &'static str {
        match self.0.kind {
            Kind::Configuration => "configuration",
            Kind::Input => "validation",
            Kind::Timeout => "timeout",
            Kind::Authentication => "authentication",
            Kind::Refused | Kind::Authorization => "authorization",
            Kind::Identity
            | Kind::Unreachable
            | Kind::NotFound
            | Kind::Conflict
            | Kind::Unavailable
            | Kind::Rejected
            | Kind::Protocol
            | Kind::TooLarge => "communication",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.operation {
            Some(operation) => write!(f, "cannot `{operation}`")?,
            None => f.write_str("cannot connect")?,
        }
        if let Some(account) = &self.0.account {
            write!(f, " with account `{account}`")?;
        }
        write!(f, ": {}", self.0.text)?;
        if let Some(status) = self.0.status {
            write!(f, " (status {status})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_private_is_printed() {
        let account = AccountName::parse("erp").unwrap();
        let error = Error::new(Kind::Rejected, "https-status", "the endpoint refused the request")
            .with_status(422)
            .with_private("iban DE02 is wrong")
            .at(&account, Some("post"));
        assert_eq!(
            error.to_string(),
            "cannot `post` with account `erp`: the endpoint refused the request (status 422)"
        );
        assert!(!format!("{error:?}{error:#?}").contains("iban"));
        assert_eq!(error.private().reveal(), "iban DE02 is wrong");
    }

    #[test]
    fn the_first_account_named_stays() {
        let (erp, crm) = (AccountName::parse("erp").unwrap(), AccountName::parse("crm").unwrap());
        let error = Error::new(Kind::Timeout, "t", "t").at(&erp, None).at(&crm, Some("get"));
        assert_eq!((error.account(), error.operation()), (Some(&erp), Some("get")));
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        for (kind, transient) in [
            (Kind::Unreachable, true),
            (Kind::Timeout, true),
            (Kind::Unavailable, true),
            (Kind::Identity, false),
            (Kind::Refused, false),
            (Kind::Authentication, false),
            (Kind::Rejected, false),
            (Kind::TooLarge, false),
        ] {
            assert_eq!(Error::new(kind, "c", "t").is_transient(), transient, "{kind}");
        }
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
