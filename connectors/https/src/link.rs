//! The header `Link` (RFC 8288 §3): where another page of a list is.

use http::{HeaderMap, header};

/// Something that is no link stands where the header says that links are: what follows it cannot be known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoLink;

/// The address of the first link with this relation; a link of something else than the page is none (`anchor`, §3.2).
pub(crate) fn related(headers: &HeaderMap, relation: &str) -> Result<Option<String>, NoLink> {
    for value in headers.get_all(header::LINK) {
        // Characters outside ASCII stand in there whatever the standard says.
        for link in links(&String::from_utf8_lossy(value.as_bytes())) {
            let link = link?;
            if link.is(relation) {
                return Ok(Some(link.address.to_owned()));
            }
        }
    }
    Ok(None)
}

/// One link.
struct Link<'v> {
    address: &'v str,
    /// Relations, between blanks.
    relations: Option<String>,
    has_anchor: bool,
}

impl Link<'_> {
    fn is(&self, relation: &str) -> bool {
        let relations = self.relations.as_deref().unwrap_or_default();
        !self.has_anchor && relations.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(relation))
    }
}

/// The links of one value; where something is none, that is the last.
fn links(value: &str) -> impl Iterator<Item = Result<Link<'_>, NoLink>> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let left = rest?.trim_start_matches([' ', '\t', ',']);
        rest = None;
        (!left.is_empty()).then(|| {
            let (link, behind) = link(left).ok_or(NoLink)?;
            rest = Some(behind);
            Ok(link)
        })
    })
}

/// The link that a text begins with, and what stands behind it.
fn link(text: &str) -> Option<(Link<'_>, &str)> {
    let (address, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let mut link = Link { address, relations: None, has_anchor: false };
    while let Some(parameter) = rest.trim_start().strip_prefix(';') {
        let (name, behind) = parameter.split_at(parameter.find(['=', ';', ',']).unwrap_or(parameter.len()));
        let (value, behind) = match behind.strip_prefix('=') {
            Some(behind) => self::value(behind)?,
            None => (String::new(), behind),
        };
        rest = behind;
        match name.trim().to_ascii_lowercase().as_str() {
            // What comes again does not count (§3.3).
            "rel" => _ = link.relations.get_or_insert(value),
            "anchor" => link.has_anchor = true,
            _ => {}
        }
    }
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with(',')).then_some((link, rest))
}

/// The value of a parameter, a token or a text in quotes (RFC 9110 §5.6.4), and what stands behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
        return Some((token.trim().to_owned(), rest));
    };
    let (mut value, mut characters) = (String::new(), quoted.chars());
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(values: &[&str]) -> Result<Option<String>, NoLink> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::LINK, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        related(&headers, "next")
    }

    #[test]
    fn the_link_with_the_relation_is_found_wherever_it_stands() {
        for values in [
            &["</p?a=1,2;3>; rel=next"][..],
            &["</p?a=1,2;3>;rel=\"next\""],
            &["</first>; rel=first, </p?a=1,2;3>; rel=\"next last\""],
            &["</first>; rel=first", " , </p?a=1,2;3> ; title=\"a, \\\"<b>; rel=no\" ; REL = NEXT"],
            &["</a>; rel=prev; rel=next, </p?a=1,2;3>; hreflang; rel=\"Next\""],
            &["</first>; rel=first; title=\"Müller\", </p?a=1,2;3>; rel=next, no link"],
            &["</other>; rel=next; anchor=\"#b\", </p?a=1,2;3>; rel=next; rel=prev"],
        ] {
            assert_eq!(next(values).unwrap().as_deref(), Some("/p?a=1,2;3"), "{values:?}");
        }
        assert_eq!(next(&["</Müller?page=2>; rel=next"]).unwrap().as_deref(), Some("/Müller?page=2"));
    }

    #[test]
    fn what_is_no_link_is_no_end_of_the_list() {
        for value in ["", " , ", "</a>; rel=prev", "</a>; rel", "</a>; relnext=next, </b>"] {
            assert_eq!(next(&[value]), Ok(None), "{value}");
        }
        for value in [
            "next",
            "</a",
            "</a>; rel=\"",
            "</a>; rel=\"next\\",
            "rel=next; </a>",
            "</a> rel=next",
            "</a>; title=\"a\"b",
        ] {
            assert_eq!(next(&[value]), Err(NoLink), "{value}");
            assert_eq!(next(&["</a>; rel=prev", value]), Err(NoLink), "{value}");
        }
    }
}
