//! Forms: names and values as `application/x-www-form-urlencoded` (WHATWG URL Standard, §5), and parts as
//! `multipart/form-data` (RFC 7578), one of which may be a stream.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{
    Body, Error,
    http::{Content, form::push_encoded},
};
use lockgate_document::{Kind as Is, Node};

use crate::request::{refused, scalar};

/// The media type of parts.
pub(crate) const MULTIPART: &str = "multipart/form-data";
/// Parts of one request.
const PARTS_MAX: usize = 1_000;

/// Refuses more than a run may hold, before more of it is made.
fn fits(bytes: usize, bytes_max: u64) -> Result<(), Error> {
    match bytes as u64 > bytes_max {
        true => Err(refused("the form is larger than the run's memory (`arena_bytes_max`)")),
        false => Ok(()),
    }
}

/// An object as names and values; a list repeats its name, null leaves it out.
pub(crate) fn url_encoded(fields: Node<'_>, bytes_max: u64) -> Result<Content, Error> {
    const WRONG: &str = "a form must be an object of texts, numbers, booleans and lists of these";
    if fields.kind() != Is::Object {
        return Err(refused(WRONG));
    }
    let mut out = String::new();
    for (name, value) in fields.entries() {
        let mut push = |value: Node<'_>| {
            if !out.is_empty() {
                out.push('&');
            }
            push_encoded(&mut out, name);
            out.push('=');
            push_encoded(&mut out, &scalar(value, WRONG)?);
            fits(out.len(), bytes_max)
        };
        match value.kind() {
            Is::Undefined | Is::Null => {}
            Is::Array => value.items().try_for_each(push)?,
            _ => push(value)?,
        }
    }
    Ok(Content::Full(out.into()))
}

/// Parts between boundaries, and the media type that names the boundary. `unique` is a text that nobody else makes.
pub(crate) fn multipart(
    parts: Node<'_>,
    body: Option<Body>,
    unique: &str,
    bytes_max: u64,
) -> Result<(Content, String), Error> {
    let boundary = format!("lockgate-{unique}");
    let media_type = format!("{MULTIPART}; boundary={boundary}");
    let mut written = Written::default();
    let mut body = body;
    match parts.kind() {
        Is::Array => {
            if parts.len() > PARTS_MAX {
                return Err(refused("`multipart` has more than 1,000 parts"));
            }
            for part in parts.items() {
                written.part(&boundary, part, &mut body)?;
                fits(written.bytes(), bytes_max)?;
            }
        }
        // As a form with fields alone.
        Is::Object => {
            for (name, value) in parts.entries() {
                for value in if value.kind() == Is::Array { value.items().collect() } else { vec![value] } {
                    written.head(&boundary, name, None, None)?;
                    written.text(&scalar(value, "a field of a form must be a text, a number or a boolean")?);
                    fits(written.bytes(), bytes_max)?;
                }
            }
        }
        _ => return Err(refused("`multipart` must be a list of parts, or an object of fields")),
    }
    if body.is_some() {
        return Err(refused("a streamed body needs a part with `stream: true`"));
    }
    written.now.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((written.content(), media_type))
}

/// What is written so far: before the streamed part, that part, and after it.
#[derive(Default)]
struct Written {
    before: Option<(Vec<u8>, Body)>,
    now: Vec<u8>,
}

impl Written {
    fn bytes(&self) -> usize {
        self.now.len() + self.before.as_ref().map_or(0, |(before, _)| before.len())
    }

    fn part(&mut self, boundary: &str, part: Node<'_>, body: &mut Option<Body>) -> Result<(), Error> {
        const KEYS: [&str; 6] = ["name", "filename", "type", "body", "body_base64", "stream"];
        if part.entries().any(|(key, _)| !KEYS.contains(&key)) || part.kind() != Is::Object {
            return Err(refused(
                "a part is an object of `name`, `filename`, `type` and one of `body`, `body_base64` and `stream`",
            ));
        }
        let text = |key: &str| match part.get(key) {
            absent if absent.is_undefined() => Ok(None),
            given => {
                given.as_str().map(Some).ok_or_else(|| refused("a part's `name`, `filename` and `type` are texts"))
            }
        };
        let name = text("name")?.ok_or_else(|| refused("a part has no `name`"))?;
        self.head(boundary, name, text("filename")?, text("type")?)?;
        let (plain, base64) = (part.get("body"), part.get("body_base64"));
        match (plain.is_undefined(), base64.as_str(), part.get("stream").as_bool()) {
            (false, None, None) => self.text(&scalar(plain, "a part's `body` must be a text, a number or a boolean")?),
            (true, Some(base64), None) => {
                let bytes = STANDARD.decode(base64).map_err(|_| refused("a part's `body_base64` is no base64"))?;
                self.now.extend_from_slice(&bytes);
                self.now.extend_from_slice(b"\r\n");
            }
            (true, None, Some(true)) => {
                let body = body.take().ok_or_else(|| refused("a part says `stream`, and no stream is left for it"))?;
                self.before = Some((std::mem::take(&mut self.now), body));
                self.now.extend_from_slice(b"\r\n");
            }
            _ => return Err(refused("a part has exactly one of `body`, `body_base64` and `stream: true`")),
        }
        Ok(())
    }

    fn head(
        &mut self,
        boundary: &str,
        name: &str,
        filename: Option<&str>,
        media_type: Option<&str>,
    ) -> Result<(), Error> {
        let mut head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", escaped(name));
        if let Some(filename) = filename {
            head.push_str(&format!("; filename=\"{}\"", escaped(filename)));
        }
        head.push_str("\r\n");
        if let Some(media_type) = media_type {
            if media_type.is_empty() || !media_type.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
                return Err(refused("a part's `type` is no media type"));
            }
            head.push_str(&format!("content-type: {media_type}\r\n"));
        }
        head.push_str("\r\n");
        self.now.extend_from_slice(head.as_bytes());
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.now.extend_from_slice(text.as_bytes());
        self.now.extend_from_slice(b"\r\n");
    }

    fn content(self) -> Content {
        let Some((before, body)) = self.before else { return Content::Full(self.now.into()) };
        let around = (before.len() + self.now.len()) as u64;
        let length = body.length().map(|length| length.saturating_add(around));
        let piece = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]);
        Content::Stream(Body::new(piece(before).chain(body).chain(piece(self.now))).with_length(length))
    }
}

/// A name between quotes, as browsers write it (WHATWG HTML, multipart/form-data encoding algorithm).
fn escaped(text: &str) -> String {
    text.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::*;

    fn document(json: &str) -> Document {
        Document::parse(json.as_bytes(), &Limits::default()).unwrap()
    }

    fn full(content: Content) -> String {
        match content {
            Content::Full(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Content::Stream(_) => panic!("a stream"),
        }
    }

    #[test]
    fn names_and_values_are_encoded_as_browsers_do() {
        let form = document(r#"{"a b":"1+1=2&x","n":1.50,"t":true,"none":null,"list":["x","~ä*"]}"#);
        let content = url_encoded(form.root(), 1_000).unwrap();
        assert_eq!(full(content), "a+b=1%2B1%3D2%26x&n=1.50&t=true&list=x&list=%7E%C3%A4*");
        for wrong in ["[]", "1", r#"{"a":{}}"#, r#"{"a":[[1]]}"#] {
            assert!(url_encoded(document(wrong).root(), 1_000).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn parts_stand_between_boundaries_and_one_may_be_a_stream() {
        let parts = document(
            r#"[{"name":"a\"\r\nb","body":"x"},{"name":"file","filename":"f.pdf","type":"application/pdf","stream":true},
                {"name":"raw","body_base64":"AAE="}]"#,
        );
        let (content, media_type) = multipart(parts.root(), Some(Body::full("content")), "u", 10_000).unwrap();
        assert_eq!(media_type, "multipart/form-data; boundary=lockgate-u");
        let Content::Stream(body) = content else { panic!("no stream") };
        let length = body.length().unwrap();
        let bytes = body.collect(10_000).await.unwrap();
        assert_eq!(length, bytes.len() as u64);
        assert_eq!(
            String::from_utf8(bytes.to_vec()).unwrap(),
            "--lockgate-u\r\ncontent-disposition: form-data; name=\"a%22%0D%0Ab\"\r\n\r\nx\r\n\
             --lockgate-u\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f.pdf\"\r\ncontent-type: application/pdf\r\n\r\ncontent\r\n\
             --lockgate-u\r\ncontent-disposition: form-data; name=\"raw\"\r\n\r\n\0\u{1}\r\n--lockgate-u--\r\n"
        );
        let fields = document(r#"{"a":1,"b":["x","y"]}"#);
        let text = full(multipart(fields.root(), None, "u", 10_000).unwrap().0);
        assert_eq!(text.matches("name=\"b\"").count(), 2);
    }

    #[test]
    fn a_form_that_outgrows_its_run_is_refused_on_the_way() {
        let long = document(&format!("{{\"a\":\"{}\"}}", "ä".repeat(1_000)));
        assert!(url_encoded(long.root(), 6_002).is_ok() && url_encoded(long.root(), 6_001).is_err());
        assert!(multipart(long.root(), None, "u", 4_000).is_ok() && multipart(long.root(), None, "u", 2_000).is_err());
    }

    #[test]
    fn parts_that_make_no_sense_are_refused() {
        for wrong in [
            "1",
            "[1]",
            r#"[{"body":"x"}]"#,
            r#"[{"name":"a"}]"#,
            r#"[{"name":"a","body":"x","body_base64":"AA=="}]"#,
            r#"[{"name":"a","body_base64":"!"}]"#,
            r#"[{"name":"a","stream":true}]"#,
            r#"[{"name":"a","body":{}}]"#,
            r#"[{"name":"a","body":"x","file":"y"}]"#,
            r#"[{"name":"a","type":"x\r\ny","body":"x"}]"#,
            r#"{"a":{}}"#,
        ] {
            assert!(multipart(document(wrong).root(), None, "u", 10_000).is_err(), "{wrong}");
        }
        let unused = multipart(document("[]").root(), Some(Body::full("x")), "u", 10_000);
        assert!(unused.is_err(), "a stream without a part");
    }
}
