//! Reading a definition, changing a member of it, writing it back.

use serde_json::{Map, Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
};

/// A definition on the server.
pub struct Definition<'a> {
    client: &'a Client,
    path: String,
    /// Its body.
    pub body: Map<String, Value>,
}

impl<'a> Definition<'a> {
    /// Reads one: `kind` as in the URL (`users`).
    pub fn read(client: &'a Client, kind: &str, id: &str) -> Result<Self, Exit> {
        let path = format!("{kind}/{}", segment(id));
        let value = client.get(&path)?;
        let body = value.get("body").unwrap_or(&value).as_object().cloned().unwrap_or_default();
        Ok(Self { client, path, body })
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

    /// Writes it back.
    pub fn save(self) -> Result<Value, Exit> {
        self.client.put(&self.path, &Value::Object(self.body))
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
