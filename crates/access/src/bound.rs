//! Which bound account covers an operation that a module can call.

use std::collections::BTreeMap;

use lockgate_model::{
    definition::AccountBinding,
    id::AccountName,
    manifest::{AccountRef, Authority},
};

use crate::{RuleText, rule};

/// The accounts bound in one environment, as far as covering a manifest goes.
#[derive(Debug, Clone, Default)]
pub struct Bound(BTreeMap<AccountName, Binding>);

#[derive(Debug, Clone)]
struct Binding {
    connector: String,
    address: String,
    /// How it proves who calls.
    scheme: Option<String>,
}

/// The setting that says how an account proves who calls.
const SCHEME: &str = "auth";

/// Why no account covers an operation. Its text is what the publisher is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncovered {
    /// The declaration has no binding there.
    #[error("account `{0}` is not bound in this environment: bind it with `lockgate account add {0}`")]
    Unbound(AccountName),
    /// The binding is of another connector than the declaration.
    #[error("account `{account}` is bound to connector `{bound}`, but the project declares `{declared}`")]
    OtherConnector {
        /// The account.
        account: AccountName,
        /// Connector of the binding.
        bound: String,
        /// Connector of the operation.
        declared: String,
    },
    /// The flow wants the account to prove who calls in another way than it does.
    #[error("the flow wants `{wanted}` credentials of account `{account}`: bind it with `--set auth={wanted}`")]
    OtherScheme {
        /// The account.
        account: AccountName,
        /// What is wanted.
        wanted: String,
    },
    /// No account's address covers a literal origin.
    #[error(
        "no {connector} account covers `{origin}`: bind one whose address is `{origin}` or a path under it that holds what is called"
    )]
    NoCover {
        /// Connector of the operation.
        connector: String,
        /// The origin.
        origin: String,
    },
    /// Several cover it equally well.
    #[error("accounts {} cover `{origin}` equally: unbind all but one, or declare the account and name it in the call", list(.accounts))]
    Ambiguous {
        /// The origin.
        origin: String,
        /// The accounts.
        accounts: Vec<AccountName>,
    },
}

fn list(accounts: &[AccountName]) -> String {
    accounts.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ")
}

impl Uncovered {
    pub(crate) fn rule(&self) -> RuleText {
        match self {
            Self::Unbound(account) => RuleText::with(rule::UNBOUND, &[("account", account.as_str())]),
            Self::OtherConnector { account, .. } => {
                RuleText::with(rule::OTHER_CONNECTOR, &[("account", account.as_str())])
            }
            Self::OtherScheme { account, .. } => RuleText::with(rule::OTHER_SCHEME, &[("account", account.as_str())]),
            Self::NoCover { origin, .. } => RuleText::with(rule::NO_COVER, &[("origin", origin)]),
            Self::Ambiguous { origin, .. } => RuleText::with(rule::AMBIGUOUS, &[("origin", origin)]),
        }
    }
}

impl<'a> FromIterator<(AccountName, &'a AccountBinding)> for Bound {
    fn from_iter<I: IntoIterator<Item = (AccountName, &'a AccountBinding)>>(bindings: I) -> Self {
        let pairs = bindings.into_iter();
        let binding = |b: &AccountBinding| Binding {
            connector: b.connector.clone(),
            address: b.address.clone(),
            scheme: b.settings.get(SCHEME).cloned(),
        };
        Self(pairs.map(|(name, b)| (name, binding(b))).collect())
    }
}

impl Bound {
    /// The account an operation goes through.
    ///
    /// A declared account is found by name and must be of the same connector. A literal origin is
    /// covered by the account of the same connector whose address has that origin, and whose base
    /// path holds every path named; the longest base wins.
    ///
    /// Where the flow says how the account proves who calls, it must.
    pub fn account_for(&self, authority: &Authority) -> Result<&AccountName, Uncovered> {
        let account = self.account(authority)?;
        match (&authority.scheme, self.0.get(account)) {
            (Some(wanted), Some(binding)) if binding.scheme.as_ref() != Some(wanted) => {
                Err(Uncovered::OtherScheme { account: account.clone(), wanted: wanted.clone() })
            }
            _ => Ok(account),
        }
    }

    fn account(&self, authority: &Authority) -> Result<&AccountName, Uncovered> {
        match &authority.account {
            AccountRef::Declared(name) => match self.0.get_key_value(name) {
                None => Err(Uncovered::Unbound(name.clone())),
                Some((_, Binding { connector, .. })) if *connector != authority.connector => {
                    Err(Uncovered::OtherConnector {
                        account: name.clone(),
                        bound: connector.clone(),
                        declared: authority.connector.clone(),
                    })
                }
                Some((name, _)) => Ok(name),
            },
            AccountRef::Origin(origin) => self.covering(authority, origin),
        }
    }

    fn covering(&self, authority: &Authority, origin: &str) -> Result<&AccountName, Uncovered> {
        let wanted = split(origin).0;
        let mut best: Vec<&AccountName> = Vec::new();
        let mut best_base = None;
        for (name, Binding { connector, address, .. }) in &self.0 {
            let (bound, base) = split(address);
            if *connector != authority.connector || bound != wanted || !holds(base, &authority.detail) {
                continue;
            }
            if best_base.is_none_or(|longest| base.len() > longest) {
                best.clear();
                best_base = Some(base.len());
            }
            if best_base == Some(base.len()) {
                best.push(name);
            }
        }
        match best.as_slice() {
            [] => Err(Uncovered::NoCover { connector: authority.connector.clone(), origin: origin.to_owned() }),
            [one] => Ok(one),
            several => Err(Uncovered::Ambiguous {
                origin: origin.to_owned(),
                accounts: several.iter().map(|name| (*name).clone()).collect(),
            }),
        }
    }
}

/// An address as comparable origin (scheme and host in lower case, the default port left out,
/// RFC 9110 §4.3.2) and base path without the last `/`.
fn split(address: &str) -> (String, &str) {
    let Some((scheme, rest)) = address.split_once("://") else { return (address.to_ascii_lowercase(), "") };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(at).unwrap_or((rest, ""));
    let origin = format!("{scheme}://{host}").to_ascii_lowercase();
    let origin = match origin.strip_suffix(":443") {
        Some(short) if scheme.eq_ignore_ascii_case("https") => short.to_owned(),
        _ => origin,
    };
    (origin, path.trim_end_matches('/'))
}

/// Every path named lies under the base. What is not fixed at compile time lies under no base.
fn holds(base: &str, paths: &[String]) -> bool {
    base.is_empty() || (!paths.is_empty() && paths.iter().all(|path| under(base, path)))
}

fn under(base: &str, path: &str) -> bool {
    let climbs = path
        .split('/')
        .any(|segment| matches!(segment.to_ascii_lowercase().as_str(), ".." | "%2e%2e" | ".%2e" | "%2e."));
    !climbs && path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests;
