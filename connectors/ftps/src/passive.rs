//! Where the server waits for a data connection: the port that it names. The address that a reply to
//! PASV names as well is never read, since the connection goes to the address of the control
//! connection alone.

/// The port of a reply to EPSV (RFC 2428 §3): `(|||6446|)`.
pub(crate) fn extended(words: &str) -> Option<u16> {
    let (_, rest) = words.split_once('(')?;
    let (inside, _) = rest.split_once(')')?;
    let delimiter = inside.chars().next().filter(char::is_ascii_graphic)?;
    let mut parts = inside.split(delimiter);
    // Before the first delimiter, network and address; they must be empty here.
    if ![parts.next(), parts.next(), parts.next()].iter().all(|part| *part == Some("")) {
        return None;
    }
    let port = number::<u16>(parts.next()?)?;
    (parts.next() == Some("") && parts.next().is_none() && port > 0).then_some(port)
}

/// The port of a reply to PASV (RFC 959 §4.1.2): `h1,h2,h3,h4,p1,p2`, which some servers do not put
/// in brackets (RFC 1123 §4.1.2.6).
pub(crate) fn plain(words: &str) -> Option<u16> {
    let begin = words.find(|c: char| c.is_ascii_digit())?;
    let numbers = words.get(begin..)?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(numbers.len());
    let parts: Vec<u8> = numbers.get(..end)?.split(',').map(number::<u8>).collect::<Option<_>>()?;
    let [_, _, _, _, high, low] = parts.try_into().ok()?;
    let port = u16::from_be_bytes([high, low]);
    (port > 0).then_some(port)
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    // `+1` is a number to `parse`.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_port_is_refused() {
        for words in [
            "",
            "Entering Extended Passive Mode",
            "ok ()",
            "ok (|||)",
            "ok (||||)",
            "ok (|||0|)",
            "ok (|||65536|)",
            "ok (|||+21|)",
            "ok (|||21",
            "ok (|||21)",
            "ok (|||21||)",
            "ok (|1|10.0.0.1|21|)",
            "ok (|||21|22|)",
        ] {
            assert_eq!(extended(words), None, "{words}");
        }
        for words in ["", "ok", "(1,2,3,4,5)", "(1,2,3,4,5,6,7)", "(1,2,3,4,0,0)", "(1,2,3,4,256,1)", "(1,2,3,4,,1)"] {
            assert_eq!(plain(words), None, "{words}");
        }
    }

    #[test]
    fn ports() {
        assert_eq!(extended("Entering Extended Passive Mode (|||6446|)"), Some(6446));
        assert_eq!(extended("ok (!!!65535!)."), Some(65535));
        assert_eq!(plain("Entering Passive Mode (192,0,2,7,156,64)."), Some(40000));
        assert_eq!(plain("Entering Passive Mode. 192,0,2,7,0,21"), Some(21));
    }
}
