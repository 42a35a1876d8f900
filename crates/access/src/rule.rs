//! The rule that decided, as a stable text: a code, then `name=value` pairs.
//!
//! Codes never change their meaning; audit entries of years ago are read with them. Values are ids
//! of the tenant, never data. The table in `docs/access.md` explains each code, and a test holds it
//! to the list below.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use lockgate_model::id::ProfileId;

use crate::key::Key;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $code;)*
        /// The code of every rule, in the order of the table in `docs/access.md`.
        pub const RULES: &[&str] = &[$($code,)*];
    };
}

rules! {
    OTHER_TENANT = "tenant.other";
    UNKNOWN_USER = "user.unknown";
    UNKNOWN_ENVIRONMENT = "environment.unknown";
    NO_PROFILE = "environment.no-profile";
    KEY_OTHER_ENVIRONMENT = "key.other-environment";
    PROJECT_NO_PROFILE = "project.no-profile";
    UNKNOWN_TARGET = "target.unknown";
    SUSPENDED = "tenant.suspended";
    DISABLED = "user.disabled";
    IDP_ON_API = "channel.idp-user";
    SERVICE_IN_CONSOLE = "channel.service-account";
    RUN_AS_BY_HAND = "channel.run-as";
    MUST_ENROL = "user.second-factor-needed";
    KEY_NARROWED = "key.narrowed";
    KEY_OTHER_TARGET = "key.other-target";
    NO_RUNS_CONTROL = "execute.no-runs-control";
    NO_ACL = "execute.no-acl";
    NOT_ON_ACL = "execute.not-on-acl";
    NO_EXECUTE = "execute.no-permission";
    NOT_DEPLOYED = "execute.not-deployed";
    RIGHT_FALLEN = "execute.publish-right-fallen";
    EXECUTE = "execute.allowed";
    NO_DEPLOY = "deploy.no-permission";
    NOTHING_DEPLOYED = "deploy.not-deployed";
    UNBOUND = "deploy.account-unbound";
    OTHER_CONNECTOR = "deploy.account-other-connector";
    OTHER_SCHEME = "deploy.account-other-scheme";
    NO_COVER = "deploy.origin-unbound";
    AMBIGUOUS = "deploy.origin-ambiguous";
    NO_GREEN_RUN = "deploy.no-green-run";
    OTHER_VERSION = "deploy.other-version";
    RUN_AS_OTHER = "deploy.run-as";
    UNCHECKED = "deploy.unchecked";
    DEPLOY = "deploy.allowed";
    NO_PUSH = "push.no-permission";
    PUSH = "push.allowed";
    NO_PERMISSION = "administer.no-permission";
    ADMINISTER = "administer.allowed";
    NO_CONSOLE = "console.no-user-interface-access";
    CONSOLE = "console.allowed";
    NO_SUPPORT = "support.no-grant";
    SUPPORT_NOT_SHOWN = "support.not-shown";
    SUPPORT_ENDED = "support.ended";
    SUPPORT_FALLEN = "support.right-fallen";
    SUPPORT_ELSEWHERE = "support.elsewhere";
    SUPPORT = "support.allowed";
    MIXED = "decision.mixed";
    NO_RUN = "permit.no-run";
    WRONG_ACT = "permit.wrong-act";
}

/// A rule's code with its pairs. Cheap to clone, and the allow path of execute makes no text: it is made
/// when it is read.
#[derive(Clone)]
pub struct RuleText(Text);

#[derive(Clone)]
enum Text {
    Code(&'static str),
    Pairs(Arc<str>),
    Executes { profile: ProfileId, acl: Key, text: OnceLock<Box<str>> },
}

impl RuleText {
    pub(crate) fn with(code: &'static str, pairs: &[(&str, &str)]) -> Self {
        let mut text = String::with_capacity(64);
        text.push_str(code);
        for (name, value) in pairs {
            text.push(' ');
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        Self(Text::Pairs(text.into()))
    }

    /// This profile, on this list, lets the user execute.
    pub(crate) fn executes(profile: &ProfileId, acl: &Key) -> Self {
        Self(Text::Executes { profile: profile.clone(), acl: acl.clone(), text: OnceLock::new() })
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Code(code) => code,
            Text::Pairs(text) => text,
            Text::Executes { profile, acl, text } => {
                text.get_or_init(|| format!("{EXECUTE} profile={profile} acl={acl}").into())
            }
        }
    }

    /// The code in front of the pairs.
    pub fn code(&self) -> &str {
        self.as_str().split(' ').next().unwrap_or_default()
    }
}

impl PartialEq for RuleText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for RuleText {}
impl From<&'static str> for RuleText {
    fn from(code: &'static str) -> Self {
        Self(Text::Code(code))
    }
}
impl fmt::Display for RuleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for RuleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
