//! What a peer says back of an account's secrets, taken out of what an error tells.
//!
//! A server may put the request that it refuses into its answer, headers and all. What of that goes to a run's `catch`
//! must not hold what the account signed in with, in any form in which answers are written.
//!
//! Deliberately absent: secrets in forms that a peer made of its own, such as reversed ones or hashes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_document::Document;
use lockgate_model::Limits;

use crate::{Error, Secret, Told, http::form};

/// What stands in the place of a secret.
const INSTEAD: &str = "[secret]";
/// The shortest beginning of a secret that is taken from the end of a text, which may have been cut there.
const BEGINNING_BYTES_MIN: usize = 4;

/// The forms of secrets, the longest first.
#[derive(Debug, Clone, Default)]
pub struct Withheld(Vec<Secret>);

impl Withheld {
    /// These secrets.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut withheld = Self::default();
        secrets.into_iter().for_each(|secret| withheld.add(secret));
        withheld
    }

    /// A secret more: as it is, in base64, and as JSON, XML and forms write it.
    pub fn add(&mut self, secret: &Secret) {
        let plain = secret.expose();
        // A key behind the name of its scheme is a secret without it as well.
        let key = plain.split_once(' ').map(|(_, key)| key).filter(|_| !plain.contains('\n')).unwrap_or(plain);
        for plain in [plain, key] {
            let json = Document::text(plain).print(u64::MAX).ok().and_then(|json| String::from_utf8(json).ok());
            let json = json.as_deref().and_then(|json| json.strip_prefix('"')?.strip_suffix('"')).map(str::to_owned);
            let in_text = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let in_attribute = in_text.replace('"', "&quot;");
            let form = form::encoded(plain);
            let with_spaces = form.replace('+', "%20");
            let all = [plain.to_owned(), in_attribute.replace('\'', "&apos;"), in_attribute.replace('\'', "&#39;")];
            let all = all.into_iter().chain([in_text, in_attribute, form, with_spaces, STANDARD.encode(plain)]);
            for form in all.chain(json).map(Secret::new).filter(|form| !form.expose().is_empty()) {
                if self.0.iter().all(|known| known.expose() != form.expose()) {
                    self.0.push(form);
                }
            }
        }
        self.0.sort_by_key(|form| std::cmp::Reverse(form.expose().len()));
    }

    /// The error without them, in what it tells the caller.
    #[must_use]
    pub fn out_of(&self, error: Error) -> Error {
        let told = error.told().and_then(|told| Some((told.name, self.out_of_value(told)?)));
        let error = match told {
            Some((name, value)) => error.with_told(name, value),
            None => error,
        };
        match self.out_of_text(error.private().reveal()) {
            Some(text) => error.with_private(text),
            None => error,
        }
    }

    /// A value without them; none where it has none of them.
    fn out_of_value(&self, told: &Told) -> Option<Document> {
        let json = told.value.reveal().print(u64::MAX).ok()?;
        let json = self.replaced(&String::from_utf8_lossy(&json))?;
        // What cannot be told without them is not told.
        Some(Document::parse(json.as_bytes(), &Limits::default()).unwrap_or_else(|_| Document::text(INSTEAD)))
    }

    fn out_of_text(&self, text: &str) -> Option<String> {
        let replaced = self.replaced(text);
        let whole = replaced.as_deref().unwrap_or(text);
        let beginning = |form: &Secret| {
            let form = form.expose();
            let mut lengths = (BEGINNING_BYTES_MIN..form.len()).rev();
            lengths.find(|length| form.get(..*length).is_some_and(|beginning| whole.ends_with(beginning)))
        };
        match self.0.iter().filter_map(beginning).max().and_then(|cut| whole.get(..whole.len() - cut)) {
            Some(rest) => Some(format!("{rest}{INSTEAD}")),
            None => replaced,
        }
    }

    fn replaced(&self, text: &str) -> Option<String> {
        let mut out: Option<String> = None;
        for form in &self.0 {
            let text = out.as_deref().unwrap_or(text);
            if text.contains(form.expose()) {
                out = Some(text.replace(form.expose(), INSTEAD));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn told(secret: &str, said: &str) -> String {
        let withheld = Withheld::of([&Secret::new(secret.to_owned())]);
        let error = Error::new(Kind::Rejected, "c", "t").with_private(said);
        withheld.out_of(error).private().reveal().clone()
    }

    #[test]
    fn no_form_of_a_secret_stays() {
        let secret = "p&s\"w<r>d 'é\\";
        for form in [
            secret.to_owned(),
            "p&amp;s&quot;w&lt;r&gt;d &#39;é\\".to_owned(),
            "p&amp;s\"w&lt;r&gt;d 'é\\".to_owned(),
            "p&s\\\"w<r>d 'é\\\\".to_owned(),
            "p%26s%22w%3Cr%3Ed+%27%C3%A9%5C".to_owned(),
            "p%26s%22w%3Cr%3Ed%20%27%C3%A9%5C".to_owned(),
            STANDARD.encode(secret),
        ] {
            assert_eq!(told(secret, &format!("a {form} b {form}")), "a [secret] b [secret]", "{form}");
        }
        assert_eq!(told("Token abc123xyz", "{\"key\": \"abc123xyz\"}"), "{\"key\": \"[secret]\"}");
        assert_eq!(told("hush", "nothing of it"), "nothing of it");
        assert_eq!(told("", "nothing of it"), "nothing of it");
    }

    #[test]
    fn what_is_cut_off_is_no_secret_either() {
        assert_eq!(told("correct horse", "said: correct ho"), "said: [secret]");
        assert_eq!(told("correct horse", "said: cor"), "said: cor");
        assert_eq!(told("ééééé", "said: éééé"), "said: [secret]");
    }

    #[test]
    fn a_value_loses_it_too() {
        let withheld = Withheld::of([&Secret::new("a\"b".to_owned())]);
        let value = Document::parse(br#"{"reason": "a\"b is wrong", "n": 1.50}"#, &Limits::default()).unwrap();
        let error = withheld.out_of(Error::new(Kind::Rejected, "c", "t").with_told("fault", value));
        let told = error.told().unwrap();
        assert_eq!(told.value.reveal().print(100).unwrap(), br#"{"reason":"[secret] is wrong","n":1.50}"#);
    }
}
