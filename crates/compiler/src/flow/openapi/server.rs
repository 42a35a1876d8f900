//! Where an operation is: the https origin, and what all paths begin with.

use lockgate_document::schema::location::{is_address, resolve};
use lockgate_mapping::yaml::Node;

use super::description::{Described, Dialect};
use crate::documents::{At, Refusal, address};

/// Servers that are looked at.
const SERVERS_MAX: usize = 100;

/// The origin, and the path that those of operations are joined to.
pub(super) fn of(described: &Described<'_>) -> Result<(String, String), Refusal> {
    let (at, written) = match described.dialect {
        Dialect::Swagger => swagger(described.root),
        Dialect::OpenApi => open_api(described),
    };
    let found = written.iter().find_map(|written| {
        let url = resolve(at.location, written).filter(|url| is_address(url) && !url.contains('?'))?;
        address(&url).ok()?;
        split(&url)
    });
    found.ok_or_else(|| {
        let named = written.iter().take(5).map(|url| format!("`{url}`")).collect::<Vec<_>>().join(", ");
        let named = if named.is_empty() { "it names none".to_owned() } else { named };
        let message = format!("no server of this description is an https address: {named}");
        let help = "plain HTTP is refused, and a path alone is one of the address that the description was fetched \
                    from: mend a copy in documents/, or write `call: http`";
        at.refuse("LG-OPENAPI-DOCUMENT", message, help)
    })
}

/// `https://host/base` to its origin and `/base`.
fn split(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("https://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let origin = crate::flow::origin(authority).ok()?;
    Some((origin, path.trim_end_matches('/').to_owned()))
}

/// Those of the operation, of its path or of all, each with the defaults of its variables.
fn open_api<'d>(described: &Described<'d>) -> (At<'d>, Vec<String>) {
    for at in [described.operation, described.item, described.root] {
        let servers = at.node.get("servers").and_then(Node::items).unwrap_or_default();
        if let Some(first) = servers.first() {
            return (at.to(first), servers.iter().take(SERVERS_MAX).filter_map(filled).collect());
        }
    }
    // OpenAPI 3.0.3, "OpenAPI Object": without any it is `/`.
    (described.root, vec!["/".to_owned()])
}

/// A server's address; a variable without a default stays, and makes it none.
fn filled(server: &Node) -> Option<String> {
    let mut url = String::new();
    let mut rest = server.get("url")?.as_text()?;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let default = server.get("variables")?.get(name)?.get("default")?.scalar()?;
        url.push_str(before);
        url.push_str(&default.text);
        rest = after;
    }
    url.push_str(rest);
    Some(url)
}

fn swagger(root: At<'_>) -> (At<'_>, Vec<String>) {
    let text = |key: &str| root.node.get(key).and_then(Node::as_text);
    let schemes: Vec<&str> =
        root.node.get("schemes").and_then(Node::items).unwrap_or_default().iter().filter_map(Node::as_text).collect();
    // Swagger 2.0, "Swagger Object": without them they are those by which the description came.
    let scheme = match schemes.contains(&"https") || schemes.is_empty() && is_address(root.location) {
        true => "https",
        false => schemes.first().copied().unwrap_or("http"),
    };
    let base = text("basePath").unwrap_or("/");
    let written = match text("host") {
        Some(host) => format!("{scheme}://{host}{}{base}", if base.starts_with('/') { "" } else { "/" }),
        None if scheme == "https" => base.to_owned(),
        None => format!("{scheme}:"),
    };
    (root, vec![written])
}
