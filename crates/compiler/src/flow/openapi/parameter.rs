//! What an operation takes: parameters of the operation and of its path, and the request's body.

use lockgate_mapping::yaml::Node;

use super::description::{Described, Dialect, MEND, follow};
use crate::documents::{At, Documents, Named, Refusal};

/// Parameters of one operation.
const PARAMETERS_MAX: usize = 500;
/// Bytes of a parameter's name.
const NAME_BYTES_MAX: usize = 200;

/// Where a parameter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    Path,
    Query,
    Header,
    Cookie,
    Body,
    /// A field of a form, as Swagger 2.0 has them.
    Form,
}

impl Placed {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "path" => Self::Path,
            "query" => Self::Query,
            "header" => Self::Header,
            "cookie" => Self::Cookie,
            "body" => Self::Body,
            "formData" => Self::Form,
            _ => return None,
        })
    }

    pub fn noun(self) -> &'static str {
        match self {
            Self::Path => "in the path",
            Self::Query => "in the query",
            Self::Header => "in the headers",
            Self::Cookie => "in a cookie",
            Self::Body => "the body",
            Self::Form => "in a form",
        }
    }

    /// Why a flow cannot give it.
    pub fn refused(self) -> Option<&'static str> {
        match self {
            Self::Cookie => Some("cookies are refused: credentials belong to the account's binding"),
            Self::Form => {
                Some("parameters of forms are not supported yet: write the call as `http`, its fields as `body`")
            }
            _ => None,
        }
    }
}

/// One parameter.
pub(super) struct Parameter<'d> {
    pub name: &'d str,
    pub placed: Placed,
    pub required: bool,
    /// Where it is described.
    pub at: At<'d>,
    /// What its values are held to.
    pub schema: Option<At<'d>>,
    /// The body's type.
    pub media_type: Option<String>,
}

impl Parameter<'_> {
    /// Is it a header for credentials? These are the account's.
    pub fn is_credential(&self) -> bool {
        const HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];
        self.placed == Placed::Header && HEADERS.iter().any(|name| self.is_called(name))
    }

    /// Is it meant by this name? Of headers the case does not count.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.placed == Placed::Header && self.name.eq_ignore_ascii_case(name)
    }
}

/// All parameters of an operation, its body among them.
pub(super) fn all<'d>(
    described: &Described<'d>,
    documents: &'d Documents<'_>,
    named: &Named,
) -> Result<Vec<Parameter<'d>>, Refusal> {
    let mut all: Vec<Parameter<'d>> = Vec::new();
    // Those of the operation come first, and stand for those of the path.
    for holder in [described.operation, described.item] {
        for node in holder.node.get("parameters").and_then(Node::items).unwrap_or_default() {
            if all.len() >= PARAMETERS_MAX {
                let message = format!("an operation has more than {PARAMETERS_MAX} parameters");
                return Err(holder.refuse("LG-OPENAPI-DOCUMENT", message, MEND));
            }
            let parameter = parameter(follow(documents, holder.to(node), named)?, described.dialect)?;
            if !all.iter().any(|known| known.name == parameter.name && known.placed == parameter.placed) {
                all.push(parameter);
            }
        }
    }
    match described.dialect {
        Dialect::OpenApi => {
            if let Some(node) = described.operation.node.get("requestBody") {
                all.push(body(follow(documents, described.operation.to(node), named)?)?);
            }
        }
        Dialect::Swagger => {
            let consumes = described.operation.node.get("consumes").or_else(|| described.root.node.get("consumes"));
            let types: Vec<&str> =
                consumes.and_then(Node::items).unwrap_or_default().iter().filter_map(Node::as_text).collect();
            for parameter in all.iter_mut().filter(|parameter| parameter.placed == Placed::Body) {
                let chosen = if types.is_empty() { Some("application/json") } else { media_type(&types) };
                parameter.media_type = Some(chosen.ok_or_else(|| unsendable(parameter.at, &types))?.to_owned());
            }
        }
    }
    Ok(all)
}

fn parameter(at: At<'_>, dialect: Dialect) -> Result<Parameter<'_>, Refusal> {
    let name = at.node.get("name").and_then(Node::as_text);
    let placed = at.node.get("in").and_then(Node::as_text).and_then(Placed::named);
    let (Some(name), Some(placed)) = (name, placed) else {
        return Err(at.refuse("LG-OPENAPI-DOCUMENT", "a parameter has no `name`, or no `in` that is known", MEND));
    };
    if name.len() > NAME_BYTES_MAX {
        return Err(at.refuse(
            "LG-OPENAPI-DOCUMENT",
            format!("a parameter's name has more than {NAME_BYTES_MAX} bytes"),
            MEND,
        ));
    }
    let own = at.node.get("schema").map(|schema| at.to(schema));
    Ok(Parameter {
        name,
        placed,
        required: placed == Placed::Path || is_required(at.node),
        at,
        // In Swagger 2.0 all but the body are described in place.
        schema: if dialect == Dialect::Swagger && placed != Placed::Body { Some(at) } else { own },
        media_type: None,
    })
}

/// The body by OpenAPI 3, which `parameters.body` gives.
fn body(at: At<'_>) -> Result<Parameter<'_>, Refusal> {
    let content = at.node.get("content").and_then(Node::entries).unwrap_or_default();
    let types: Vec<&str> = content.iter().map(|(key, _)| key.text.as_str()).collect();
    let chosen = media_type(&types).ok_or_else(|| unsendable(at, &types))?;
    let schema = content.iter().find(|(key, _)| key.text == chosen).and_then(|(_, content)| content.get("schema"));
    Ok(Parameter {
        name: "body",
        placed: Placed::Body,
        required: is_required(at.node),
        at,
        schema: schema.map(|schema| at.to(schema)),
        media_type: Some(if chosen.contains('*') { "application/json".to_owned() } else { chosen.to_owned() }),
    })
}

fn is_required(node: &Node) -> bool {
    node.get("required").and_then(Node::as_bool) == Some(true)
}

/// Which of these types a body is sent as: JSON where that can be, else a text, else a form.
fn media_type<'t>(types: &[&'t str]) -> Option<&'t str> {
    let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = |media_type: &str| {
        let essence = essence(media_type);
        matches!(essence.as_str(), "application/json" | "text/json" | "*/*" | "application/*")
            || essence.ends_with("+json")
    };
    let is_text = |media_type: &str| {
        let essence = essence(media_type);
        let (kind, name) = essence.split_once('/').unwrap_or_default();
        kind == "text" && name != "*" || kind == "application" && (name == "xml" || name.ends_with("+xml"))
    };
    let find = |is: &dyn Fn(&str) -> bool| types.iter().copied().find(|media_type| is(media_type));
    let is_form =
        |media_type: &str| matches!(&*essence(media_type), "application/x-www-form-urlencoded" | "multipart/form-data");
    let chosen = find(&is_json).or_else(|| find(&is_text)).or_else(|| find(&is_form));
    chosen.filter(|chosen| chosen.bytes().all(|b| (0x20..0x7f).contains(&b)))
}

fn unsendable(at: At<'_>, types: &[&str]) -> Refusal {
    let named = types.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let message = format!("the body of this operation has no type that can be sent: {named}");
    at.refuse("LG-OPENAPI-DOCUMENT", message, "JSON, XML, texts and forms are sent")
}
