//! The two versions of SOAP, and where they differ.

use std::fmt;

/// A version of SOAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// SOAP 1.1 (W3C Note of 8 May 2000).
    Soap11,
    /// SOAP 1.2 (W3C Recommendation, second edition).
    Soap12,
}

impl Version {
    /// Both.
    pub const ALL: [Version; 2] = [Version::Soap11, Version::Soap12];

    /// The namespace of the envelope.
    pub fn namespace(self) -> &'static str {
        match self {
            Version::Soap11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Version::Soap12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }
    /// The version whose envelopes are in this namespace.
    pub fn of(namespace: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.namespace() == namespace)
    }
    /// The media type of an envelope, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Version::Soap11 => "text/xml",
            Version::Soap12 => "application/soap+xml",
        }
    }
    /// The HTTP headers of a request: `content-type`, and the `SOAPAction` of SOAP 1.1 (§6.1.1), which
    /// SOAP 1.2 has as the parameter `action` (Part 2, §A.3).
    pub fn http_headers(self, action: &str) -> Vec<(&'static str, String)> {
        // A quotation mark ends the text, and a line the header.
        let action: String = action.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        let plain = format!("{}; charset=utf-8", self.media_type());
        match self {
            Version::Soap11 => vec![("content-type", plain), ("soapaction", format!("\"{action}\""))],
            Version::Soap12 if action.is_empty() => vec![("content-type", plain)],
            Version::Soap12 => vec![("content-type", format!("{plain}; action=\"{action}\""))],
        }
    }
    /// The attribute that says for whom a header is: `actor` or `role`.
    pub(crate) fn role_attribute(self) -> &'static str {
        match self {
            Version::Soap11 => "actor",
            Version::Soap12 => "role",
        }
    }
    /// Is a header of this role for who receives the message in the end (SOAP 1.1 §4.2.2, SOAP 1.2 §2.2)?
    pub(crate) fn is_ours(self, role: &str) -> bool {
        match self {
            Version::Soap11 => matches!(role, "" | "http://schemas.xmlsoap.org/soap/actor/next"),
            Version::Soap12 => matches!(
                role,
                "" | "http://www.w3.org/2003/05/soap-envelope/role/next"
                    | "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"
            ),
        }
    }
}

/// `SOAP 1.1`
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::Soap11 => "SOAP 1.1",
            Version::Soap12 => "SOAP 1.2",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn an_action_cannot_end_its_header() {
        let headers = Version::Soap11.http_headers("urn:a\"\r\nx: y");
        assert_eq!(headers[1], ("soapaction", "\"urn:ax: y\"".to_owned()));
        let headers = Version::Soap12.http_headers("urn:a");
        assert_eq!(headers[0].1, "application/soap+xml; charset=utf-8; action=\"urn:a\"");
    }
}
