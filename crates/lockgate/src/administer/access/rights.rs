//! Rights as lines: the matrix of a tenant, and what a change gives and takes.

use std::{ops::ControlFlow, path::Path};

use clap::ValueEnum;
use lockgate_model::Timestamp;
use serde_json::{Value, json};

use super::list;
use crate::{
    administer::{apply::batch, edit::text},
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// How the matrix is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// Comma-separated, with a line of names first (RFC 4180).
    Csv,
    /// One JSON value, as the server tells it.
    Json,
}

const COLUMNS: &str = "user,scope,right,profile,acl,project_permission,group,support,until";

/// Page by page: a tenant of many users is never held whole.
pub fn matrix(output: &Output, user: Option<String>, environment: Option<String>, format: Format) -> Result<(), Exit> {
    let client = Client::from_context()?;
    let query: String = [("user", user), ("environment", environment)]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}&", segment(&value?))))
        .collect();
    let format = if output.is_json() { Format::Json } else { format };
    let (mut opened, mut first) = (false, true);
    let mut each = |page: Value| {
        let revision = page.get("revision").and_then(Value::as_u64).unwrap_or_default();
        if !std::mem::replace(&mut opened, true) {
            output.bytes(
                match format {
                    Format::Json => format!("{{\"revision\":{revision},\"cells\":["),
                    Format::Csv => format!("{COLUMNS}\r\n"),
                    Format::Text => String::new(),
                }
                .as_bytes(),
            )?;
        }
        let support: Vec<Value> = list(&page, "support").map(by_support).collect();
        for cell in list(&page, "cells").chain(&support) {
            let line = match format {
                Format::Json => format!("{}{cell}", if first { "\n" } else { ",\n" }),
                Format::Csv => format!("{}\r\n", fields(cell).join(",")),
                Format::Text => format!("{}\n", line(cell)),
            };
            first = false;
            if output.part(line.as_bytes())?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    client.pages(format!("access/matrix?{query}").trim_end_matches(['?', '&']), &mut each)?;
    match format {
        Format::Json => output.line("\n]}"),
        Format::Text if first => output.line("nobody may do anything here"),
        _ => {}
    }
    Ok(())
}

/// What would be gained, and what lost.
pub fn what_if(output: &Output, file: &Path) -> Result<(), Exit> {
    let client = Client::from_context()?;
    let value = client.post("access/what-if", &batch(&client, file)?)?;
    output.result(&value, || {
        let of = |member, sign: char| list(&value, member).map(move |cell| format!("{sign} {}", line(cell)));
        let mut lines: Vec<String> = of("gained", '+').chain(of("lost", '-')).collect();
        if value.get("more") == Some(&Value::Bool(true)) {
            lines.push("and more".to_owned());
        }
        if lines.is_empty() { "nobody gains or loses a right".to_owned() } else { lines.join("\n") }
    });
    Ok(())
}

/// What the operator may look at, as a cell.
fn by_support(right: &Value) -> Value {
    let until = right.get("until").and_then(Value::as_i64).map(|us| Timestamp(us).to_string()).unwrap_or_default();
    json!({"user": "operator", "scope": format!("environment/{}", text(right, "environment")), "right": text(right, "right"),
        "support": text(right, "grant"), "until": until})
}

/// The cells of a row of the file: ids hold nothing that would have to be quoted.
fn fields(cell: &Value) -> [String; 9] {
    let group = cell.get("via").map(|via| text(via, "group")).unwrap_or_default();
    let of = |member| text(cell, member);
    [
        of("user"),
        of("scope"),
        of("right"),
        of("profile"),
        of("acl"),
        of("project_permission"),
        group,
        of("support"),
        of("until"),
    ]
}

fn line(cell: &Value) -> String {
    let [user, scope, right, profile, acl, project_permission, group, support, until] = fields(cell);
    let mut shown = format!("{user}  {scope}  {right}  by ");
    shown.push_str(&match (profile.as_str(), acl.as_str()) {
        ("", _) if !support.is_empty() => format!("support access {support} until {until}"),
        ("", _) => format!("project permission {project_permission}"),
        (_, "") => format!("profile {profile}"),
        _ => format!("profile {profile} on ACL {acl}"),
    });
    if !group.is_empty() {
        shown.push_str(&format!(" of group {group}"));
    }
    shown
}
