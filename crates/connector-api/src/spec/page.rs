//! Writes a connector's docs page from its declaration. A test of `catalog` fails when a page
//! under `docs/connectors/` differs.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Field, FieldKind, Operation, Spec, content_name, schema_json};

impl Spec {
    /// The page in Markdown, ending in a newline.
    pub fn page(&self) -> String {
        let mut page = String::new();
        self.write_page(&mut page).map_or_else(|_| String::new(), |()| page)
    }

    fn write_page(&self, out: &mut String) -> std::fmt::Result {
        let Self { name, help, about, address, .. } = self;
        writeln!(
            out,
            "<!-- written from the connector's Spec by `UPDATE=1 cargo test -p lockgate-connector-catalog`; do not edit -->\n"
        )?;
        writeln!(out, "# {name}\n\n{help}\n")?;
        if !about.is_empty() {
            writeln!(out, "{}\n", about.trim())?;
        }
        let path = if address.path { "[/base]" } else { "" };
        writeln!(
            out,
            "## Account\n\nAddress: `{}://host[:port]{path}`, port {} where none is written.",
            address.scheme.name, address.scheme.port
        )?;
        writeln!(
            out,
            "Example: `{}`.\n\nThe server proves its identity in one of these ways; there is no way to leave it out:\n",
            address.example
        )?;
        for identity in self.identities {
            writeln!(out, "- `{}`: {}.", identity.as_str(), identity.help())?;
        }
        for (title, secret) in [("Settings", false), ("Secrets", true)] {
            let fields: Vec<&Field> = self.fields.iter().filter(|f| f.is_secret() == secret).collect();
            if fields.is_empty() {
                continue;
            }
            writeln!(out, "\n### {title}\n\n| name | value | needed | meaning |\n|---|---|---|---|")?;
            for field in fields {
                writeln!(out, "| `{}` | {} | {} | {} |", field.name, value(field), needed(field), field.help)?;
            }
        }
        writeln!(out, "\n## Operations\n\n| call | safe to repeat | streams | |\n|---|---|---|---|")?;
        for Operation { name: operation, version, idempotent, keyed, help, takes, gives, .. } in self.operations {
            let repeat = match (idempotent, keyed) {
                (true, _) => "yes",
                (false, true) => "with a key",
                (false, false) => "no",
            };
            let takes = takes.map(|member| format!("in as `{member}`"));
            let gives = gives.map(|content| format!("{} out", content_name(content)));
            let streams = takes.into_iter().chain(gives).collect::<Vec<_>>().join(", ");
            writeln!(out, "| `{name}.{operation}:{version}@default` | {repeat} | {streams} | {help} |")?;
        }
        self.write_schemas(out, "Input", |o| o.input)?;
        self.write_schemas(out, "Output", |o| o.output)
    }

    /// One table for each schema, however many operations share it.
    fn write_schemas(&self, out: &mut String, title: &str, schema: fn(&Operation) -> &'static str) -> std::fmt::Result {
        let mut written: Vec<&str> = Vec::new();
        for operation in self.operations {
            let text = schema(operation);
            if written.contains(&text) {
                continue;
            }
            written.push(text);
            let shared: Vec<String> =
                self.operations.iter().filter(|o| schema(o) == text).map(|o| format!("`{}`", o.name)).collect();
            if shared.len() == self.operations.len() {
                writeln!(out, "\n### {title}\n")?;
            } else {
                writeln!(out, "\n### {title} of {}\n", shared.join(", "))?;
            }
            write_schema(out, &schema_json(text))?;
        }
        Ok(())
    }
}

fn write_schema(out: &mut String, schema: &Value) -> std::fmt::Result {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return writeln!(out, "```json\n{schema:#}\n```");
    };
    let required = schema.get("required").and_then(Value::as_array);
    writeln!(out, "| name | type | needed | meaning |\n|---|---|---|---|")?;
    for (name, property) in properties {
        let needed = required.is_some_and(|list| list.iter().any(|r| r == name));
        let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default();
        writeln!(out, "| `{name}` | {} | {} | {meaning} |", types(property), if needed { "yes" } else { "no" })?;
    }
    Ok(())
}

fn types(property: &Value) -> String {
    let word = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    match (property.get("type"), property.get("enum")) {
        (Some(Value::Array(list)), _) => list.iter().map(word).collect::<Vec<_>>().join(", "),
        (Some(one), _) => word(one),
        (None, Some(Value::Array(list))) => {
            list.iter().map(|v| format!("`{}`", word(v))).collect::<Vec<_>>().join(", ")
        }
        (None, _) => "any".to_owned(),
    }
}

fn value(field: &Field) -> String {
    match field.kind {
        FieldKind::Text => "text".to_owned(),
        FieldKind::Integer { min, max } => format!("{min} to {max}"),
        FieldKind::Choice(values) => values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", "),
        FieldKind::Exception(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!(
                "an exception, which the audit log tells: one or several of {}, with blanks between them",
                names.join(", ")
            )
        }
        FieldKind::HostPort => "`host:port`".to_owned(),
        FieldKind::Secret => "sealed, write-only".to_owned(),
    }
}

fn needed(field: &Field) -> String {
    match (field.required, field.when, field.together_with, field.default) {
        (true, ..) => "yes".to_owned(),
        (_, Some(when), ..) if when.required => format!("when {}", when.words()),
        (_, Some(when), _, Some(default)) => format!("no, default `{default}`; only when {}", when.words()),
        (_, Some(when), ..) => format!("no; only when {}", when.words()),
        (_, _, Some(other), _) => format!("with `{other}`"),
        (_, _, _, Some(default)) => format!("no, default `{default}`"),
        _ => "no".to_owned(),
    }
}
