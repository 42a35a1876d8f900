//! Limits of a tenant's runs, as the operator sets them and the tenant sees them.

use std::str::FromStr;

use lockgate_model::Limit;
use serde_json::Value;

/// `NAME=VALUE`, or `NAME=default`, which lets it fall back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub limit: Limit,
    /// What it is to be.
    pub value: Option<u64>,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE, or NAME=default")?;
        let limit = name.parse()?;
        let number = || value.parse().map_err(|_| format!("`{value}` is no whole number, nor `default`"));
        Ok(Self { limit, value: if value == "default" { None } else { Some(number()?) } })
    }
}

/// For people: a line for each limit, and where an environment has another one, that below.
pub fn shown(held: &Value) -> String {
    let mut lines = Vec::new();
    for limit in Limit::ALL.map(Limit::as_str) {
        let of = |at: &Value| at.pointer(&format!("/limits/{limit}")).and_then(Value::as_u64).unwrap_or_default();
        let is_set = |at: &Value| at.pointer(&format!("/set/{limit}")).is_some();
        let default = if is_set(held) { "" } else { "  (default)" };
        lines.push(format!("  {limit:<20} {}{default}", of(held)));
        let environments = held.get("environments").and_then(Value::as_object).into_iter().flatten();
        for (environment, at) in environments.filter(|(_, at)| is_set(at)) {
            lines.push(format!("    {environment:<18} {}", of(at)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_known_name_and_a_number_or_default() {
        let set = |text: &str| text.parse::<Setting>();
        assert_eq!(set("depth_max=64"), Ok(Setting { limit: Limit::DepthMax, value: Some(64) }));
        assert_eq!(set("depth_max=default"), Ok(Setting { limit: Limit::DepthMax, value: None }));
        for wrong in ["depth_max", "depth=1", "depth_max=", "depth_max=-1", "depth_max=1k", "=1"] {
            assert!(set(wrong).is_err(), "{wrong}");
        }
    }
}
