//! Where one document leads to another: https addresses, and paths within a project.
//!
//! Deliberately absent: every other scheme. `urn:`, `http:` and `file:` lead nowhere that is read.

/// What stands before the host of an address.
pub const HTTPS: &str = "https://";

/// Where `reference` leads from the document at `base`, an https address or a path within a project
/// (RFC 3986 §5.2). Its fragment is not part of that. None where it leads out of what can be read.
pub fn resolve(base: &str, reference: &str) -> Option<String> {
    let reference = reference.split_once('#').map_or(reference, |(document, _)| document).trim();
    let (origin, path) = origin_and_path(base);
    if reference.is_empty() {
        return Some(base.split_once('#').map_or(base, |(document, _)| document).to_owned());
    }
    if let Some(rest) = reference.strip_prefix("//") {
        return (!origin.is_empty()).then(|| normal(HTTPS.len(), &format!("{HTTPS}{rest}"))).flatten();
    }
    if has_scheme(reference) {
        let (scheme, rest) = reference.split_at_checked(HTTPS.len())?;
        return normal(HTTPS.len(), &format!("{HTTPS}{rest}")).filter(|_| scheme.eq_ignore_ascii_case(HTTPS));
    }
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let joined = match reference.as_bytes().first() {
        // What begins at the root of a folder of somebody's machine is not of the project.
        Some(b'/') if origin.is_empty() => return None,
        Some(b'/') => reference.to_owned(),
        Some(b'?') => format!("{path}{reference}"),
        _ => format!("{}{reference}", path.get(..path.rfind('/').map_or(0, |end| end + 1)).unwrap_or_default()),
    };
    let slash = if origin.is_empty() || joined.starts_with('/') { "" } else { "/" };
    normal(origin.len(), &format!("{origin}{slash}{joined}"))
}

/// Is this an https address?
pub fn is_address(location: &str) -> bool {
    location.starts_with(HTTPS)
}

/// `https://host:port` and what follows; a path within a project has no origin.
fn origin_and_path(location: &str) -> (&str, &str) {
    let Some(rest) = location.strip_prefix(HTTPS) else { return ("", location) };
    let end = rest.find(['/', '?', '#']).map_or(location.len(), |end| HTTPS.len() + end);
    location.split_at(end)
}

/// RFC 3986 §3.1: letters, digits, `+`, `-` and `.` before the first `:`.
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Without the segments `.` and `..` behind the first `start` bytes. A path within a project stays within.
fn normal(start: usize, location: &str) -> Option<String> {
    let (front, rest) = location.split_at_checked(start)?;
    let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let mut segments: Vec<&str> = Vec::new();
    let is_address = is_address(location);
    // Of an address the first is the host, or nothing before the first `/`: nothing climbs above it.
    let floor = usize::from(is_address);
    for segment in path.split('/') {
        match segment {
            "." if segments.len() >= floor => {}
            ".." if segments.len() > floor => drop(segments.pop()),
            ".." if !is_address => return None,
            ".." if segments.len() == floor => {}
            _ => segments.push(segment),
        }
    }
    // `a/..` is the folder itself, of which an address keeps the slash.
    if is_address && matches!(path.rsplit('/').next(), Some("." | "..")) {
        segments.push("");
    }
    let path = segments.join("/");
    (!path.is_empty() || is_address).then(|| format!("{front}{path}{query}"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn what_leads_out_of_what_can_be_read_leads_nowhere() {
        for (base, reference) in [
            ("https://h/a", "http://h/b"),
            ("https://h/a", "urn:b"),
            ("https://h/a", "file:///b"),
            ("types/a.json", "//h/b"),
            ("types/a.json", "/b"),
            ("types/a.json", "../../b"),
            ("types/a.json", "C:/b"),
            ("types/a.json", ".."),
        ] {
            assert_eq!(resolve(base, reference), None, "{base} {reference}");
        }
    }

    #[test]
    fn references_are_resolved() {
        for (base, reference, to) in [
            ("https://h/a/b.json?x=/y#z", "c.json#d", "https://h/a/c.json"),
            ("https://h/a/b.json", "#d", "https://h/a/b.json"),
            ("https://h/a/b.json", "?q=1", "https://h/a/b.json?q=1"),
            ("https://h/a/b.json", "/c", "https://h/c"),
            ("https://h/a/b.json", "//o:8/c", "https://o:8/c"),
            ("https://h/a/b.json", "../../../c/./d", "https://h/c/d"),
            ("https://h/a/b/c", "..", "https://h/a/"),
            ("https://h/a/b/c", ".", "https://h/a/b/"),
            ("https://h", "c", "https://h/c"),
            ("https://h?x", "c", "https://h/c"),
            ("types/a.json", "HTTPS://o/c/../d?e=..", "https://o/d?e=.."),
            ("types/a.json", "b.json#/c", "types/b.json"),
            ("types/a.json", "./b.json", "types/b.json"),
            ("types/a.json", "../documents/b.json", "documents/b.json"),
            ("f.flow.yaml", "types/b.json", "types/b.json"),
        ] {
            assert_eq!(resolve(base, reference).as_deref(), Some(to), "{base} {reference}");
        }
    }
}
