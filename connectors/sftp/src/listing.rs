//! `list` and `stat`.

use std::collections::VecDeque;

use lockgate_connector_api::{Error, Kind};

use crate::{
    failure,
    path::{Remote, is_temporary},
    session::Session,
    wire::{Attributes, Named, Request},
};

/// Requests for entries that are out at once.
const AHEAD: usize = 4;

/// Entries of a folder, by name, and whether there are more than were asked for.
pub(crate) async fn list(
    session: &mut Session,
    folder: &Remote,
    pattern: Option<&str>,
    entries_max: usize,
) -> Result<(Vec<(String, Attributes)>, bool), Error> {
    let handle = session.handle(&Request::OpenFolder(folder.as_str())).await?;
    let mut found = Vec::new();
    let (mut more, mut at_end) = (false, false);
    let mut out = VecDeque::new();
    loop {
        while !at_end && out.len() < AHEAD {
            out.push_back(session.send(&Request::ReadFolder(&handle)).await?);
        }
        let Some(id) = out.pop_front() else { break };
        // What is out is taken in to the end, so that the session stays whole.
        match session.entries(id).await? {
            None => at_end = true,
            Some(entries) => {
                for entry in entries {
                    let Some(entry) = visible(entry, pattern)? else { continue };
                    if found.len() < entries_max {
                        found.push(entry);
                    } else {
                        (more, at_end) = (true, true);
                    }
                }
            }
        }
    }
    session.order(&Request::Close(&handle)).await?;
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((found, more))
}

/// An entry that is shown: not the folder itself and its parent, not a file that is being written.
fn visible(entry: Named, pattern: Option<&str>) -> Result<Option<(String, Attributes)>, Error> {
    if entry.name.contains(&b'/') || entry.name.contains(&0) {
        return Err(failure::malformed());
    }
    let name = String::from_utf8_lossy(&entry.name);
    let hidden = matches!(&*name, "" | "." | "..") || is_temporary(&name);
    if hidden || pattern.is_some_and(|pattern| !matches(pattern, &name)) {
        return Ok(None);
    }
    Ok(Some((name.into_owned(), entry.attributes)))
}

/// What a path leads to.
pub(crate) async fn stat(session: &mut Session, path: &Remote) -> Result<Attributes, Error> {
    session.attributes(&Request::Stat(path.as_str())).await.map_err(|error| match error.kind() {
        Kind::NotFound => failure::status(2, error.private().reveal()),
        _ => error,
    })
}

/// Whether a name fits a pattern of `*` (any characters) and `?` (one character). Takes at most
/// name times pattern steps.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => match star {
                // The last star takes one character more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "a", true),
            ("", "a", false),
            ("*.csv", "a.csv", true),
            ("*.csv", ".csv", true),
            ("*.csv", "a.csv.tmp", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*ab*ab", "abxab", true),
            ("*ab*ab", "xab", false),
            ("[a]", "a", false),
            ("?", "ü", true),
            (&"*a".repeat(60), &"a".repeat(4000), true),
            (&format!("{}b", "*a".repeat(60)), &"a".repeat(4000), false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
