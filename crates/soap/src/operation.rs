//! An operation with its types: values become requests, answers become values.

use std::collections::BTreeSet;

use lockgate_document::{
    Builder, Document, Fault as Limit, Kind, Limits, Node,
    schema::{Schema, XmlName, XsdFiles, XsdRef, XsdRoot},
};

use crate::{
    Block, Problem, SoapError, Style, Version, Wsdl,
    envelope::{self, Envelope, Fault, Parts, document},
    shape::{Decode, Find, hold_content, holds_scalars, texts},
    wsdl::{BodyParts, Contents, Described},
};

/// An operation that can be called.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// The version of SOAP that its port speaks.
    pub version: Version,
    /// How its messages are made.
    pub style: Style,
    /// `soapAction`, perhaps empty.
    pub action: String,
    /// The action of WS-Addressing.
    pub addressing_action: String,
    /// What goes in.
    pub input: Contract,
    /// What comes out; none where no answer comes.
    pub output: Option<Contract>,
    /// What faults may hold as their detail.
    pub faults: Vec<Message>,
}

/// What a message holds.
#[derive(Debug)]
pub struct Contract {
    /// The element of the body; none where it is empty.
    pub body: Option<Message>,
    /// Header blocks, none of which must be there.
    pub headers: Vec<Message>,
}

/// An element with its type.
#[derive(Debug)]
pub struct Message {
    /// Its name.
    pub name: XmlName,
    /// What its value is.
    pub schema: Schema,
}

impl Message {
    /// The type as JSON Schema.
    pub fn json_schema(&self, limits: &Limits) -> Result<Document, Limit> {
        self.schema.to_json(limits)
    }
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The value of the body's element.
    pub body: Node<'a>,
    /// An object with a field for each header block of the description that is sent, by its local name; undefined for none.
    pub headers: Node<'a>,
    /// Further header blocks, such as those of WS-Security.
    pub blocks: &'a [Block],
    /// `wsu:Id` of the body, for who signs it.
    pub body_id: Option<&'a str>,
    /// Content ids of attachments: where the type is `base64Binary`, a text `cid:ID` is a reference to one of them. Each is
    /// referred to once.
    pub attachments: &'a BTreeSet<String>,
}

/// What was answered.
#[derive(Debug)]
pub enum Answer {
    /// What the operation gives.
    Output(Output),
    /// What the endpoint says is wrong.
    Fault(Box<Fault>),
}

/// What an operation gives.
#[derive(Debug)]
pub struct Output {
    /// The value of the body's element; undefined where the body is empty.
    pub body: Document,
    /// An object with a field for each header block of the description that came; undefined for none.
    pub headers: Document,
    /// Content ids of the attachments to which body and headers refer, in order.
    pub attachments: Vec<String>,
}

impl Output {
    fn nothing() -> Output {
        Output { body: Document::undefined(), headers: Document::undefined(), attachments: Vec::new() }
    }
}

impl Wsdl {
    /// An operation of a port, with its types.
    pub fn operation(&self, port: &str, name: &str) -> Result<Operation, Vec<Problem>> {
        let found = self.port(port).and_then(|port| Some((port.version, port.operation(name)?)));
        let Some((version, described)) = found else {
            let file = self.mains.first().cloned().unwrap_or_default();
            let message = format!("there is no operation `{name}` of a port `{port}` that can be called");
            let help = "`left_out` tells what cannot be called, and why".to_owned();
            let problem = Problem { code: "LG-WSDL-REF", file, line: 1, column: 1, message, help };
            return Err([problem].into_iter().chain(self.left_out().iter().cloned()).collect());
        };
        let files = XsdFiles::parse(self.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let mains: Vec<&str> = self.mains.iter().map(String::as_str).collect();
        let mut types = Types { files: &files, mains: &mains, problems: Vec::new() };
        let read = types.operation(version, described);
        let mut problems: Vec<Problem> =
            types.problems.into_iter().map(|problem| Problem::of_schema(problem, &self.texts)).collect();
        // Input and output are often of the same types.
        let mut told: Vec<Problem> = Vec::new();
        problems.retain(|problem| {
            let is_new = !told.contains(problem);
            told.push(problem.clone());
            is_new
        });
        read.filter(|_| problems.is_empty()).ok_or(problems)
    }
}

/// Reads the types of messages.
struct Types<'t> {
    files: &'t XsdFiles<'t>,
    mains: &'t [&'t str],
    problems: Vec<lockgate_document::schema::SchemaProblem>,
}

impl Types<'_> {
    fn operation(&mut self, version: Version, described: &Described) -> Option<Operation> {
        let input = self.contract(&described.input);
        let output = described.output.as_ref().map(|output| self.contract(output));
        let faults: Vec<Option<Message>> = described.faults.iter().map(|(_, element)| self.element(element)).collect();
        Some(Operation {
            name: described.name.clone(),
            version,
            style: described.style,
            action: described.action.clone(),
            addressing_action: described.addressing_action.clone(),
            input: input?,
            output: match output {
                Some(output) => Some(output?),
                None => None,
            },
            faults: faults.into_iter().collect::<Option<_>>()?,
        })
    }

    fn contract(&mut self, contents: &Contents) -> Option<Contract> {
        let body = match &contents.body {
            BodyParts::Nothing => Some(None),
            BodyParts::Element(element) => self.element(element).map(Some),
            BodyParts::Wrapped { name, parts } => self.read(name, XsdRoot::Parts(parts)).map(Some),
        };
        let headers: Vec<Option<Message>> = contents.headers.iter().map(|header| self.element(header)).collect();
        Some(Contract { body: body?, headers: headers.into_iter().collect::<Option<_>>()? })
    }

    fn element(&mut self, element: &XsdRef) -> Option<Message> {
        self.read(&element.name, XsdRoot::Element(element))
    }

    fn read(&mut self, name: &XmlName, root: XsdRoot<'_>) -> Option<Message> {
        match Schema::from_xsd_within(self.files, self.mains, root) {
            Ok(schema) => Some(Message { name: name.clone(), schema }),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }
}

impl Operation {
    /// How many regular expressions its types have, which take most of its memory: up to 1 MiB each.
    pub fn patterns(&self) -> usize {
        let contracts = [&self.input].into_iter().chain(&self.output);
        let messages = contracts.flat_map(|contract| contract.body.iter().chain(&contract.headers)).chain(&self.faults);
        messages.map(|message| message.schema.patterns()).sum()
    }

    /// The envelope of a request, in UTF-8. Values are held to the types of the description; numbers and booleans
    /// are taken as the texts that XML has of them.
    pub fn request(&self, request: &Request<'_>, limits: &Limits) -> Result<Vec<u8>, SoapError> {
        self.envelope(&self.input, request, limits)
    }

    /// The envelope of an answer, for who serves the operation.
    pub fn response(&self, response: &Request<'_>, limits: &Limits) -> Result<Vec<u8>, SoapError> {
        match &self.output {
            Some(output) => self.envelope(output, response, limits),
            None => Err(SoapError::new("LG-SOAP-VALUE", "the operation gives no answer")),
        }
    }

    fn envelope(&self, contract: &Contract, request: &Request<'_>, limits: &Limits) -> Result<Vec<u8>, SoapError> {
        let empty = Document::object::<&str>([]);
        // An element without parameters needs no value.
        let body = if request.body.is_undefined() { empty.root() } else { request.body };
        let body_texts = as_texts(body, limits)?;
        let header_texts = as_texts(request.headers, limits)?;
        let (body, headers) = (
            body_texts.as_ref().map_or(body, Document::root),
            header_texts.as_ref().map_or(request.headers, Document::root),
        );
        let body = match &contract.body {
            Some(message) => {
                hold(&message.schema, body, limits, "")?;
                Some((&message.name, &message.schema, body))
            }
            None if body.is_empty() && body.as_str().is_none_or(str::is_empty) => None,
            None => return Err(SoapError::new("LG-SOAP-VALUE", "the operation takes nothing: its body is empty")),
        };
        let mut blocks = Vec::new();
        for (key, value) in headers.entries().filter(|(_, value)| !value.is_undefined()) {
            let Some(message) = contract.headers.iter().find(|header| header.name.local == key) else {
                let message = "the description has no header of this name";
                return Err(SoapError::new("LG-SOAP-VALUE", message).at(format!("/headers/{key}")));
            };
            hold(&message.schema, value, limits, &format!("/headers/{key}"))?;
            blocks.push((&message.name, &message.schema, value));
        }
        let parts = Parts {
            version: self.version,
            headers: blocks,
            blocks: request.blocks,
            body,
            body_id: request.body_id,
            attachments: request.attachments,
        };
        envelope::write(&parts, limits)
    }

    /// What an answer says. `known` are header blocks beside those of the description that the caller understands
    /// and looks at.
    pub fn answer(&self, bytes: &[u8], known: &[XmlName], limits: &Limits) -> Result<Answer, SoapError> {
        let document = document(bytes, limits)?;
        self.answer_in(&mut Envelope::of(&document)?, known, limits)
    }

    /// The same of an envelope that was opened.
    pub fn answer_in(
        &self,
        envelope: &mut Envelope<'_>,
        known: &[XmlName],
        limits: &Limits,
    ) -> Result<Answer, SoapError> {
        self.answer_with(envelope, known, &|_| None, limits)
    }

    /// The same, with what stands where an attachment is referred to: the base64 of the one with a content id. Where
    /// there is none, `cid:ID` stands there.
    pub fn answer_with(
        &self,
        envelope: &mut Envelope<'_>,
        known: &[XmlName],
        attachments: &dyn Fn(&str) -> Option<String>,
        limits: &Limits,
    ) -> Result<Answer, SoapError> {
        if envelope.version != self.version {
            return Err(SoapError::new("LG-SOAP-VERSION", "the answer is of another version of SOAP than the request"));
        }
        let declared: &[Message] = self.output.as_ref().map_or(&[], |output| &output.headers);
        let known: Vec<XmlName> = known.iter().chain(declared.iter().map(|header| &header.name)).cloned().collect();
        envelope.understood(&known)?;
        if let Some(fault) = envelope.fault(&self.faults, limits)? {
            return Ok(Answer::Fault(Box::new(fault)));
        }
        match &self.output {
            Some(output) => output.read(envelope, attachments, limits).map(Answer::Output),
            None if envelope.body.is_empty() => Ok(Answer::Output(Output::nothing())),
            None => Err(SoapError::new("LG-SOAP-BODY", "the operation has no answer, and something is answered")),
        }
    }

    /// What a request says, for who serves the operation.
    pub fn asked(&self, bytes: &[u8], known: &[XmlName], limits: &Limits) -> Result<Output, SoapError> {
        let document = document(bytes, limits)?;
        let mut envelope = Envelope::of(&document)?;
        let known: Vec<XmlName> =
            known.iter().chain(self.input.headers.iter().map(|header| &header.name)).cloned().collect();
        envelope.understood(&known)?;
        self.input.read(&mut envelope, &|_| None, limits)
    }
}

impl Contract {
    fn read(&self, envelope: &mut Envelope<'_>, find: Find<'_>, limits: &Limits) -> Result<Output, SoapError> {
        let mut found = Vec::new();
        let wrong = |message| Err(SoapError::new("LG-SOAP-BODY", message));
        let body = match (&self.body, envelope.body.as_slice()) {
            (None, []) => Document::undefined(),
            (None, _) => return wrong("the body holds an element where the description has none"),
            (Some(_), []) => return wrong("the body is empty"),
            (Some(message), &[(key, node)]) => {
                let mark = envelope.names.enter(node);
                let (namespace, local) = envelope.names.element(key);
                if (namespace, local) != (message.name.namespace.as_str(), message.name.local.as_str()) {
                    return wrong("the body holds another element than the description has");
                }
                let mut out = Builder::new(limits);
                let names = &mut envelope.names;
                let mut decode = Decode { names, out: &mut out, path: Vec::new(), find, found: &mut found };
                decode.value(&message.schema, message.schema.root(), node)?;
                envelope.names.leave(mark);
                let body = out.finish()?;
                hold(&message.schema, body.root(), limits, "")
                    .map_err(|error| SoapError { code: "LG-SOAP-BODY".into(), ..error })?;
                body
            }
            (Some(_), _) => return wrong("the body holds several elements"),
        };
        let headers = self.read_headers(envelope, find, &mut found, limits)?;
        Ok(Output { body, headers, attachments: found })
    }

    fn read_headers(
        &self,
        envelope: &mut Envelope<'_>,
        find: Find<'_>,
        found: &mut Vec<String>,
        limits: &Limits,
    ) -> Result<Document, SoapError> {
        let mut out = Builder::new(limits);
        let mut any = false;
        out.begin_object()?;
        for header in &self.headers {
            let shown = envelope.with_block(&header.name, |names, node| {
                out.key(&header.name.local)?;
                let path = vec!["headers".to_owned(), header.name.local.clone()];
                Decode { names, out: &mut out, path, find, found }.value(&header.schema, header.schema.root(), node)
            })?;
            any |= shown.is_some();
        }
        out.end()?;
        if any { Ok(out.finish()?) } else { Ok(Document::undefined()) }
    }
}

/// The value with texts for numbers and booleans, where it has some.
fn as_texts(value: Node<'_>, limits: &Limits) -> Result<Option<Document>, SoapError> {
    if !holds_scalars(value) {
        return Ok(None);
    }
    let mut out = Builder::new(limits);
    texts(value, &mut out)?;
    Ok(Some(out.finish()?))
}

fn hold(schema: &Schema, value: Node<'_>, limits: &Limits, within: &str) -> Result<(), SoapError> {
    if value.kind() == Kind::Function {
        return Err(SoapError::new("LG-SOAP-VALUE", "a function has no place in a message"));
    }
    match schema.validate(value, limits).into_iter().next() {
        Some(violation) => {
            let error = SoapError::from(violation);
            let pointer = format!("{within}{}", error.pointer.unwrap_or_default());
            Err(SoapError { pointer: Some(pointer), ..error })
        }
        None => hold_content(schema, schema.root(), value, limits),
    }
}
