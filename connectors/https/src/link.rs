//! The header `Link` (RFC 8288 §3): where another page of a list is.

use http::{HeaderMap, header};

/// The address of the first link with this relation; a link of something else than the page is none (`anchor`, §3.2).
pub(crate) fn related(headers: &HeaderMap, relation: &str) -> Option<String> {
    let values = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(links).find(|link| link.is(relation)).map(|link| link.address.to_owned())
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

/// The links of one value, until something is none.
fn links(value: &str) -> impl Iterator<Item = Link<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let begun = rest.trim_start_matches([' ', '\t', ',']).strip_prefix('<')?;
        let address;
        (address, rest) = begun.split_once('>')?;
        let mut link = Link { address, relations: None, has_anchor: false };
        while let Some(parameter) = rest.trim_start().strip_prefix(';') {
            let (name, behind) = parameter.split_at(parameter.find(['=', ';', ',']).unwrap_or(parameter.len()));
            let (value, behind) = behind.strip_prefix('=').map_or((String::new(), behind), self::value);
            rest = behind;
            match name.trim().to_ascii_lowercase().as_str() {
                // What comes again does not count (§3.3).
                "rel" => _ = link.relations.get_or_insert(value),
                "anchor" => link.has_anchor = true,
                _ => {}
            }
        }
        Some(link)
    })
}

/// The value of a parameter, a token or a text in quotes (RFC 9110 §5.6.4), and what stands behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
        return (token.trim().to_owned(), rest);
    };
    let (mut value, mut characters) = (String::new(), quoted.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| _ = headers.append(header::LINK, value.parse().unwrap()));
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
            &["</other>; rel=next; anchor=\"#b\", </p?a=1,2;3>; rel=next; rel=prev"],
        ] {
            assert_eq!(next(values).as_deref(), Some("/p?a=1,2;3"), "{values:?}");
        }
    }

    #[test]
    fn what_is_no_link_is_none() {
        for value in
            ["", "next", "</a", "</a>; rel=prev", "</a>; rel", "</a>; rel=\"", "rel=next; </a>", "</a>; relnext=next"]
        {
            assert_eq!(next(&[value]), None, "{value}");
        }
    }
}
