//! Checks a binding against a declaration: all problems at once, each naming its field.

use std::fmt;

use lockgate_model::{
    HostKey,
    definition::{AccountBinding, ServerIdentity},
};

use super::{Field, FieldKind, IdentityKind, Spec};
use crate::Address;

/// What is wrong with one field of a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `connector`, `address`, `identity`, `settings.<name>` or `secrets.<name>`.
    pub field: String,
    /// What is wrong and what to write.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

/// Longest value of a setting in bytes.
const SETTING_BYTES_MAX: usize = 4096;

impl Spec {
    /// Checks a binding and gives its parsed address.
    ///
    /// # Errors
    /// All problems, in the order address, identity, settings, secrets.
    pub fn check(&self, binding: &AccountBinding) -> Result<Address, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut tell = |field: String, message: String| problems.push(Problem { field, message });
        if binding.connector != self.name {
            tell("connector".into(), format!("is `{}`, not `{}`", short(&binding.connector), self.name));
        }
        let address = Address::parse(self.address.scheme, self.address.path, &binding.address);
        if let Err(e) = &address {
            tell("address".into(), format!("{e} (for example `{}`)", self.address.example));
        }
        let identity = IdentityKind::of(&binding.identity);
        if !self.identities.contains(&identity) {
            let allowed: Vec<_> = self.identities.iter().map(|i| format!("`{}`", i.as_str())).collect();
            tell(
                "identity".into(),
                format!("`{}` cannot be used here: use {}", identity.as_str(), allowed.join(" or ")),
            );
        }
        // A key that no server can have would be told at the first call alone.
        if let ServerIdentity::HostKey(text) = &binding.identity
            && let Err(e) = text.parse::<HostKey>()
        {
            tell("identity".into(), format!("{e}"));
        }
        for name in binding.settings.keys().filter(|n| self.field(n).is_none_or(Field::is_secret)) {
            let hint = match self.field(name) {
                Some(_) => "is a secret: give it as one, it would be stored in the clear here".to_owned(),
                None => format!("is no setting of `{}` (see `lockgate connector doc {}`)", self.name, self.name),
            };
            tell(format!("settings.{}", short(name)), hint);
        }
        for name in binding.secrets.iter().filter(|n| !self.field(n).is_some_and(Field::is_secret)) {
            tell(format!("secrets.{}", short(name)), format!("is no secret of `{}`", self.name));
        }
        for field in self.fields {
            if let Some(message) = self.field_problem(field, binding) {
                let area = if field.is_secret() { "secrets" } else { "settings" };
                tell(format!("{area}.{}", field.name), message);
            }
        }
        match address {
            Ok(address) if problems.is_empty() => Ok(address),
            _ => Err(problems),
        }
    }

    fn field_problem(&self, field: &Field, binding: &AccountBinding) -> Option<String> {
        let is_set = |name: &str| binding.settings.contains_key(name) || binding.secrets.iter().any(|s| s == name);
        // A secret among the settings is told where it stands, and does not count as set.
        let set = if field.is_secret() {
            binding.secrets.iter().any(|s| s == field.name)
        } else {
            binding.settings.contains_key(field.name)
        };
        if let Some(when) = field.when {
            let holds = self.setting(when.name, binding).is_some_and(|value| when.values.contains(&value));
            match (holds, set) {
                (true, false) if when.required => return Some(format!("is needed when {}", when.words())),
                (false, true) => return Some(format!("has a meaning only when {}", when.words())),
                _ => {}
            }
        }
        if field.required && !set {
            return Some("is needed".to_owned());
        }
        if let Some(other) = field.together_with
            && set
            && !is_set(other)
        {
            return Some(format!("is set without `{other}`"));
        }
        if let Some(other) = field.instead_of
            && set
            && is_set(other)
        {
            return Some(format!("is set beside `{other}`: one of them is enough"));
        }
        binding.settings.get(field.name).and_then(|value| value_problem(field.kind, value))
    }

    fn setting<'a>(&self, name: &str, binding: &'a AccountBinding) -> Option<&'a str> {
        binding.settings.get(name).map(String::as_str).or_else(|| self.field(name)?.default)
    }
}

fn value_problem(kind: FieldKind, value: &str) -> Option<String> {
    if value.len() > SETTING_BYTES_MAX {
        return Some(format!("is longer than {SETTING_BYTES_MAX} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Some("must be one line without control characters".to_owned());
    }
    match kind {
        FieldKind::Text => value.is_empty().then(|| "must not be empty".to_owned()),
        FieldKind::Integer { min, max } => {
            let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            let fits = digits && value.parse().is_ok_and(|n: u64| (min..=max).contains(&n));
            (!fits).then(|| format!("must be a whole number from {min} to {max}"))
        }
        FieldKind::Choice(values) => {
            (!values.contains(&value)).then(|| format!("must be one of `{}`", values.join("`, `")))
        }
        FieldKind::Exception(names) => {
            let mut given = value.split(' ').filter(|name| !name.is_empty()).peekable();
            let fits = given.peek().is_some() && given.all(|name| names.contains(&name));
            (!fits).then(|| format!("must be one or several of `{}`, with blanks between them", names.join("`, `")))
        }
        FieldKind::HostPort => Address::host_port(value).err().map(|e| e.to_string()),
        FieldKind::Secret => None,
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
