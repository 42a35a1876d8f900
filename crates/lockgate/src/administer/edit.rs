//! Reading a definition, changing members of it, writing it back: again where somebody else changed it in between.

use http::header;
use serde_json::{Map, Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
};

/// Times a change is made again when others were faster.
const ATTEMPTS: usize = 8;

/// Reads what is at a path, and puts what is made of it there if nobody was faster; else again.
pub fn changed(path: &str, client: &Client, change: impl Fn(&Value) -> Value) -> Result<Value, Exit> {
    let mut attempt = 0;
    loop {
        let (value, tag) = client.read(path)?;
        let tag = tag.ok_or_else(|| Exit::Unavailable("the server's answer has no tag".to_owned()))?;
        match client.put_if(path, &change(&value), (header::IF_MATCH, tag)) {
            Err(Exit::Failed { code, .. }) if code == "LG-STALE" && attempt < ATTEMPTS => attempt += 1,
            done => return done,
        }
    }
}

/// A definition on the server.
pub struct Definition {
    /// Its body.
    pub body: Map<String, Value>,
}

impl Definition {
    /// Changes one: `kind` as in the URL (`users`).
    pub fn change(client: &Client, kind: &str, id: &str, change: impl Fn(&mut Self)) -> Result<Value, Exit> {
        changed(&format!("{kind}/{}", segment(id)), client, |value| {
            let body = value.get("body").unwrap_or(value).as_object().cloned().unwrap_or_default();
            let mut definition = Self { body };
            change(&mut definition);
            Value::Object(definition.body)
        })
    }

    /// Adds texts to a list member; those that are there stay once.
    pub fn add(&mut self, member: &str, texts: &[String]) {
        let mut list = self.list(member);
        for text in texts {
            if !list.contains(text) {
                list.push(text.clone());
            }
        }
        self.body.insert(member.to_owned(), json!(list));
    }

    /// Removes texts from a list member.
    pub fn remove(&mut self, member: &str, texts: &[String]) {
        let mut list = self.list(member);
        list.retain(|text| !texts.contains(text));
        self.body.insert(member.to_owned(), json!(list));
    }

    fn list(&self, member: &str) -> Vec<String> {
        let list = self.body.get(member).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// The rows of a list answer: `(id, body)`.
pub fn rows(value: &Value) -> Vec<(String, Value)> {
    let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    list.into_iter()
        .map(|row| {
            let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            (id, row.get("body").cloned().unwrap_or(row))
        })
        .collect()
}

/// A text member of a body.
pub fn text(body: &Value, member: &str) -> String {
    body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A list member of a body, joined.
pub fn joined(body: &Value, member: &str) -> String {
    let list = body.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    list.collect::<Vec<_>>().join(" ")
}
