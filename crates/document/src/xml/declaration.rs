//! The XML declaration (XML 1.0 §2.8 and §4.3.3).

use super::names::is_space;
use super::problem::Problem;

/// What it says, as far as anybody reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) encoding: Option<&'a str>,
}

/// Reads what stands between `<?xml` and `?>`.
pub(super) fn parse(text: &str) -> Result<Declaration<'_>, Problem> {
    let mut rest = text;
    match member(&mut rest, "version")? {
        Some("1.1") => return Err(Problem::Version),
        // The fifth edition reads any 1.x as 1.0.
        Some(version) if is_version(version) => {}
        _ => return Err(Problem::Declaration),
    }
    let encoding = member(&mut rest, "encoding")?;
    let standalone = member(&mut rest, "standalone")?;
    let is_well = encoding.is_none_or(is_encoding_name)
        && matches!(standalone, None | Some("yes" | "no"))
        && rest.bytes().all(is_space);
    if is_well { Ok(Declaration { encoding }) } else { Err(Problem::Declaration) }
}

/// White space, the name, `=` and a value in quotes; none, and nothing taken, when another name comes.
fn member<'a>(rest: &mut &'a str, name: &str) -> Result<Option<&'a str>, Problem> {
    let start = trimmed(rest);
    let Some(after) = start.strip_prefix(name).filter(|_| start.len() < rest.len()) else { return Ok(None) };
    let after = trimmed(after).strip_prefix('=').map(trimmed).ok_or(Problem::Declaration)?;
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(Problem::Declaration)?;
    let (value, after) = after.get(1..).and_then(|after| after.split_once(quote)).ok_or(Problem::Declaration)?;
    *rest = after;
    Ok(Some(value))
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// Production \[26\].
fn is_version(version: &str) -> bool {
    let minor = version.strip_prefix("1.").unwrap_or_default();
    !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
}

/// Production \[81\].
fn is_encoding_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "",
            " ",
            "version='1.0'",
            " version='1.0",
            " version=1.0",
            " version '1.0'",
            " version='1'",
            " version='1.'",
            " version='2.0'",
            " version='1.0a'",
            " Version='1.0'",
            " versions='1.0'",
            " encoding='utf-8'",
            " encoding='utf-8' version='1.0'",
            " version='1.0'encoding='utf-8'",
            " version='1.0' encoding=''",
            " version='1.0' encoding=' utf-8'",
            " version='1.0' encoding='8utf'",
            " version='1.0' encoding='utf-8' encoding='utf-8'",
            " version='1.0' standalone='maybe'",
            " version='1.0' standalone='yes' encoding='utf-8'",
            " version='1.0' standalone='yes'x",
            " version='1.0' other='x'",
            " version='1.0\" ",
        ] {
            assert_eq!(parse(text), Err(Problem::Declaration), "{text:?}");
        }
        assert_eq!(parse(" version='1.1'"), Err(Problem::Version));
    }

    #[test]
    fn what_is_well_is_read() {
        assert_eq!(parse(" version='1.0'"), Ok(Declaration { encoding: None }));
        assert_eq!(parse("\tversion = \"1.7\"\r\n"), Ok(Declaration { encoding: None }));
        let whole = " version='1.0' encoding = 'ISO-8859-15' standalone=\"no\" ";
        assert_eq!(parse(whole), Ok(Declaration { encoding: Some("ISO-8859-15") }));
    }
}
