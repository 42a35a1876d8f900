//! `lockgate audit export`: entries as JSON lines that `audit verify` reads, as CSV, to a syslog receiver, or to an
//! OpenTelemetry collector. The log is read page by page, so that it takes no more memory however long it is; the server
//! records an export before it begins.

use std::{ops::ControlFlow, path::PathBuf, time::Duration};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::Method;
use lockgate_model::{
    audit::{AuditQuery, Entry, Link, Outcome},
    definition::ServerIdentity,
};
use serde_json::{Value, json};

use super::{Signed, find::Which, log::Line, pages, syslog::Syslog};
use crate::{client::Client, exit::Exit, output::Output};

/// A collector that does not answer must not keep an export waiting for ever.
const COLLECTOR_TIME: Duration = Duration::from_secs(30);

/// Arguments of `audit export`.
#[derive(Args)]
pub struct Export {
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Where `syslog` (HOST:PORT, RFC 5425) or `otlp` (https://HOST:4318) goes.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// CA certificate (PEM) that the receiver proves itself with; this machine's roots when absent.
    #[arg(long, value_name = "FILE", requires = "to")]
    to_ca: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// A form of export.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON lines with signed heads.
    Jsonl,
    /// RFC 4180, with a header; cells that a spreadsheet would run are made harmless.
    Csv,
    /// RFC 5424 messages over TLS (RFC 5425).
    Syslog,
    /// OpenTelemetry logs over HTTPS, as JSON.
    Otlp,
}

impl Export {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let mut to = self.receiver(output)?;
        let client = Client::from_context()?;
        let query = self.which.query();
        let name = self.format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let asked = json!({"format": name, "query": query});
        let signed = Signed::read(&client.post("audit/export", &asked)?)?;
        let begins = signed.anchors.clone();
        to.begin(signed)?;
        let bar = output.progress("reading the audit log");
        let mut count = 0;
        let each = |links: Vec<Link>| {
            count += links.len();
            bar.set_message(format!("reading the audit log: {count} entries"));
            to.take(&links)
        };
        if query == AuditQuery::default() {
            pages(&client, each)?;
        } else {
            self.which.pages(&client, each)?;
        }
        bar.finish_and_clear();
        to.end()?;
        if Signed::read(&client.get("audit/heads")?)?.anchors != begins {
            return Err(Exit::failed(
                "LG-AUDIT",
                "entries that are no longer kept were removed meanwhile: export it again",
            ));
        }
        if self.to.is_some() {
            output.result(&json!({"sent": count}), || format!("{count} entries were sent"));
        }
        Ok(())
    }

    fn receiver<'a>(&self, output: &'a Output) -> Result<Receiver<'a>, Exit> {
        let identity = match &self.to_ca {
            None => ServerIdentity::System,
            Some(path) => ServerIdentity::Ca(
                std::fs::read_to_string(path)
                    .map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))?,
            ),
        };
        let whole = self.which.query() == AuditQuery::default();
        match (self.format, self.to.as_deref()) {
            (Format::Jsonl, None) => Ok(Receiver::Jsonl { output, whole }),
            (Format::Csv, None) => Ok(Receiver::Csv { output }),
            (Format::Syslog, Some(to)) => Syslog::connect(to, identity).map(Box::new).map(Receiver::Syslog),
            (Format::Otlp, Some(to)) => {
                let client = Client::new(to, identity, String::new(), None)?;
                Ok(Receiver::Otlp { client: Box::new(client) })
            }
            (_, None) => Err(Exit::Usage("name where it goes: --to ADDRESS".into())),
            (_, Some(_)) => Err(Exit::Usage("this form goes to standard output: leave out --to".into())),
        }
    }
}

/// Who takes the entries.
enum Receiver<'a> {
    Jsonl { output: &'a Output, whole: bool },
    Csv { output: &'a Output },
    Syslog(Box<Syslog>),
    Otlp { client: Box<Client> },
}

impl Receiver<'_> {
    fn begin(&mut self, signed: Signed) -> Result<(), Exit> {
        match self {
            // The heads first: a file that was cut lacks what they speak of. A part of the log has none.
            Self::Jsonl { output, whole: true } => {
                let heads = signed.heads.into_iter().map(|head| Line::Head { head });
                let anchors = signed.anchors.into_iter().map(|anchor| Line::Anchor { anchor });
                heads.chain(anchors).try_for_each(|line| output.bytes(line_of(&line)?.as_bytes()))
            }
            Self::Csv { output } => output.bytes(format!("{}\r\n", COLUMNS.join(",")).as_bytes()),
            _ => Ok(()),
        }
    }

    fn take(&mut self, links: &[Link]) -> Result<ControlFlow<()>, Exit> {
        match self {
            Self::Jsonl { output, .. } => {
                let lines: Result<String, Exit> =
                    links.iter().map(|link| line_of(&Line::Link(Box::new(link.clone())))).collect();
                output.part(lines?.as_bytes())
            }
            Self::Csv { output } => output.part(links.iter().map(csv).collect::<String>().as_bytes()),
            Self::Syslog(syslog) => syslog.send(links).map(ControlFlow::Continue),
            Self::Otlp { client } => otlp(client, links).map(ControlFlow::Continue),
        }
    }

    fn end(self) -> Result<(), Exit> {
        match self {
            Self::Syslog(syslog) => syslog.end(),
            _ => Ok(()),
        }
    }
}

fn line_of(line: &Line) -> Result<String, Exit> {
    serde_json::to_string(line).map(|text| text + "\n").map_err(|e| Exit::failed("LG-AUDIT", e.to_string()))
}

/// Columns of CSV.
const COLUMNS: [&str; 16] = [
    "at",
    "event",
    "outcome",
    "principal",
    "channel",
    "object",
    "fields",
    "rule",
    "revision",
    "digest",
    "run",
    "source",
    "detail",
    "writer",
    "seq",
    "hash",
];

/// A name as the log writes it.
fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn csv(link: &Link) -> String {
    let Entry { at, event, outcome, principal, channel, object, fields, rule, revision, digest, run, source, detail } =
        &link.entry;
    let shown = |value: Option<String>| value.unwrap_or_default();
    let detail = if detail.is_empty() { String::new() } else { serde_json::to_string(detail).unwrap_or_default() };
    let cells = [
        at.to_string(),
        event.clone(),
        name(outcome),
        principal.clone(),
        shown(channel.as_ref().map(name)),
        object.clone(),
        fields.join(" "),
        rule.clone(),
        revision.to_string(),
        shown(digest.map(|digest| digest.to_string())),
        shown(run.map(|run| run.to_string())),
        source.clone(),
        detail,
        link.writer.to_string(),
        link.seq.to_string(),
        link.hash.to_string(),
    ];
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A cell as RFC 4180 writes it. A spreadsheet takes what begins with one of these for a formula: an apostrophe before it
/// keeps it a text.
fn cell(text: &str) -> String {
    let harmless = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && text != "-" {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if harmless.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", harmless.replace('"', "\"\"")) } else { harmless }
}

/// Sends entries as one request (OTLP 1.x over HTTP, JSON).
fn otlp(client: &Client, links: &[Link]) -> Result<(), Exit> {
    if links.is_empty() {
        return Ok(());
    }
    let records: Vec<Value> = links.iter().map(record).collect();
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resource = [attribute("service.name", "lockgate"), attribute("service.version", env!("CARGO_PKG_VERSION"))];
    let body = json!({"resourceLogs": [{"resource": {"attributes": resource},
        "scopeLogs": [{"scope": {"name": "lockgate.audit"}, "logRecords": records}]}]});
    let answer = client.send_within(COLLECTOR_TIME, Method::POST, "/v1/logs", Bytes::from(body.to_string()))?;
    if !answer.status.is_success() {
        return Err(Exit::failed("LG-AUDIT", format!("the collector answered {}", answer.status)));
    }
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    // Numbers of 64 bits are strings in JSON.
    let refused = told.pointer("/partialSuccess/rejectedLogRecords").map(|count| count.to_string());
    match refused.as_deref().map(|count| count.trim_matches('"')) {
        None | Some("0" | "null") => Ok(()),
        Some(count) => Err(Exit::failed("LG-AUDIT", format!("the collector refused {count} entries"))),
    }
}

fn record(link: &Link) -> Value {
    let entry = &link.entry;
    let (number, text) = if is_warning(entry) { (13, "WARN") } else { (9, "INFO") };
    let time = format!("{}000", entry.at.0);
    let mut attributes = vec![json!({"key": "event.name", "value": {"stringValue": entry.event}})];
    let mut string = |key: &str, value: String| {
        if !value.is_empty() {
            attributes.push(json!({"key": key, "value": {"stringValue": value}}));
        }
    };
    string("lockgate.tenant", link.tenant.to_string());
    string("lockgate.outcome", name(&entry.outcome));
    string("lockgate.principal", entry.principal.clone());
    string("lockgate.channel", entry.channel.as_ref().map(name).unwrap_or_default());
    string("lockgate.object", entry.object.clone());
    string("lockgate.writer", link.writer.to_string());
    string("lockgate.seq", link.seq.to_string());
    let body = serde_json::to_string(link).unwrap_or_default();
    json!({"timeUnixNano": time, "observedTimeUnixNano": time, "severityNumber": number, "severityText": text,
        "body": {"stringValue": body}, "attributes": attributes})
}

/// Whether somebody should look: it was refused, or it failed.
pub fn is_warning(entry: &Entry) -> bool {
    matches!(entry.outcome, Outcome::Denied | Outcome::Failed | Outcome::NotApplied)
}

#[cfg(test)]
mod tests {
    use lockgate_model::{Timestamp, audit::GENESIS};

    use super::*;

    fn link(object: &str) -> Link {
        let mut entry = Entry::new(Timestamp(1_763_784_306_789_000), "execute", Outcome::Denied, "=ada");
        entry.object = object.to_owned();
        Link::new("demo".parse().unwrap(), "w-1".parse().unwrap(), 7, GENESIS, entry).unwrap()
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let cell = cell(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{cell}");
        }
        assert_eq!(cell("-"), "-", "nobody is no formula");
        assert_eq!(cell("live/integrations/order"), "live/integrations/order");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("=a\nb"), "\"'=a\nb\"");
        let row = csv(&link("a,b"));
        assert!(row.starts_with("2025-11-22T04:05:06.789Z,execute,denied,'=ada,,\"a,b\",,"), "{row}");
        assert!(row.ends_with("\r\n"));
        assert_eq!(row.matches(',').count() - 1, COLUMNS.len() - 1);
    }

    #[test]
    fn a_record_holds_the_whole_entry() {
        let link = link("live/integrations/order");
        let record = record(&link);
        assert_eq!(record["timeUnixNano"], "1763784306789000000");
        assert_eq!(record["severityText"], "WARN");
        let body: Link = serde_json::from_str(record["body"]["stringValue"].as_str().unwrap()).unwrap();
        assert_eq!(body, link);
    }
}
