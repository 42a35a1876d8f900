//! The description of a service, as the compiler puts it into a call: read once, and what came of it kept.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use lockgate_connector_api::{Error, Kind};
use lockgate_document::{Kind as Is, Node};
use lockgate_model::Digest;
use lockgate_soap::{Operation, Problem, Wsdl};

/// Bytes that the operations of an account take, as far as that can be said: for each those of its description, and those
/// of its regular expressions.
const KEPT_BYTES_MAX: usize = 32 << 20;
const PATTERN_BYTES: usize = 1 << 20;
/// Operations that it keeps.
const KEPT_MAX: usize = 256;

/// Operations of an account that were read, the one used last at the end.
#[derive(Default)]
pub(crate) struct Descriptions(Mutex<VecDeque<Kept>>);

struct Kept {
    key: Digest,
    bytes: usize,
    operation: Arc<Operation>,
}

/// A call's description, not read yet.
struct Given {
    main: String,
    documents: BTreeMap<String, String>,
    port: String,
    operation: String,
}

impl fmt::Debug for Descriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Descriptions")
    }
}

impl Descriptions {
    /// The operation that a call names.
    ///
    /// # Errors
    /// `Input` where it does not carry its description, `Configuration` where that cannot be read.
    pub async fn operation(&self, input: Node<'_>) -> Result<Arc<Operation>, Error> {
        let (key, bytes) = key(input)?;
        if let Some(operation) = self.kept(key) {
            return Ok(operation);
        }
        let given = Given::of(input)?;
        // A long one takes its time, and others share the thread.
        let read = tokio::task::spawn_blocking(move || given.read()).await.map_err(|_| unreadable(String::new()))??;
        let operation = Arc::new(read);
        let bytes = bytes + operation.patterns() * PATTERN_BYTES;
        self.keep(Kept { key, bytes, operation: Arc::clone(&operation) });
        Ok(operation)
    }

    fn kept(&self, key: Digest) -> Option<Arc<Operation>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|kept| kept.key == key)?;
        let kept = all.remove(place)?;
        let operation = Arc::clone(&kept.operation);
        all.push_back(kept);
        Some(operation)
    }

    fn keep(&self, kept: Kept) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.key != kept.key);
        all.push_back(kept);
        let bytes = |all: &VecDeque<Kept>| all.iter().map(|kept| kept.bytes).sum::<usize>();
        while all.len() > 1 && (all.len() > KEPT_MAX || bytes(&all) > KEPT_BYTES_MAX) {
            all.pop_front();
        }
    }
}

fn text<'a>(input: Node<'a>, key: &str) -> Result<&'a str, Error> {
    input.get(key).as_str().ok_or_else(|| {
        let text = "the call does not carry the description of its service, which the compiler puts there";
        Error::new(Kind::Input, "soap-description", text)
    })
}

/// One digest for all that is read, and the bytes of it.
fn key(input: Node<'_>) -> Result<(Digest, usize), Error> {
    let wsdl = input.get("wsdl");
    let mut parts = vec![text(wsdl, "main")?, text(input, "port")?, text(input, "operation")?];
    for (name, document) in wsdl.get("documents").entries() {
        parts.extend([name, document.as_str().unwrap_or_default()]);
    }
    let bytes = parts.iter().map(|part| part.len()).sum();
    Ok((Digest::of_parts(parts.into_iter().map(str::as_bytes)), bytes))
}

impl Given {
    fn of(input: Node<'_>) -> Result<Self, Error> {
        let wsdl = input.get("wsdl");
        let documents = wsdl.get("documents").entries().filter(|(_, text)| text.kind() == Is::String);
        Ok(Self {
            main: text(wsdl, "main")?.to_owned(),
            documents: documents
                .map(|(name, text)| (name.to_owned(), text.as_str().unwrap_or_default().to_owned()))
                .collect(),
            port: text(input, "port")?.to_owned(),
            operation: text(input, "operation")?.to_owned(),
        })
    }

    fn read(mut self) -> Result<Operation, Error> {
        let told = |problems: Vec<Problem>| unreadable(problems.first().map(ToString::to_string).unwrap_or_default());
        let main = self.documents.remove(&self.main).ok_or_else(|| unreadable(String::new()))?;
        let wsdl = Wsdl::read(&self.main, main, |name| self.documents.remove(name)).map_err(told)?;
        wsdl.operation(&self.port, &self.operation).map_err(told)
    }
}

fn unreadable(why: String) -> Error {
    let text = "the description that the call carries cannot be read: compile the flow again";
    Error::new(Kind::Configuration, "soap-description", text).with_private(why)
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::*;

    fn input(note: &str, operation: &str) -> Document {
        let text = include_str!("../../../crates/soap/tests/weather.wsdl");
        let text = text.replace("<types>", &format!("<!-- {note} --><types>"));
        let quoted = |text: &str| format!("{text:?}");
        let json = format!(
            "{{\"wsdl\": {{\"main\": \"w\", \"documents\": {{\"w\": {}}}}}, \"port\": \"WeatherPort\", \"operation\": {operation:?}}}",
            quoted(&text)
        );
        Document::parse(json.as_bytes(), &Limits::default()).unwrap()
    }

    #[tokio::test]
    async fn what_was_read_once_is_kept_until_others_need_the_room() {
        let all = Descriptions::default();
        let operation = async |note: &str| all.operation(input(note, "forecast").root()).await.unwrap();
        let first = operation("first").await;
        assert!(Arc::ptr_eq(&first, &operation("first").await));
        assert!(!Arc::ptr_eq(&first, &operation("another").await), "another description is another one");
        let long = "x".repeat(9 << 20);
        for n in 0..2 {
            operation(&format!("{long}{n}")).await;
            assert!(Arc::ptr_eq(&first, &operation("first").await), "what is used stays");
        }
        operation(&format!("{long}2")).await;
        let bytes: usize = all.0.lock().unwrap().iter().map(|kept| kept.bytes).sum();
        assert!(bytes <= KEPT_BYTES_MAX, "{bytes}");
        assert!(all.operation(input("first", "forecats").root()).await.is_err());
        assert!(Arc::ptr_eq(&first, &operation("first").await), "what fails takes no room");
    }
}
