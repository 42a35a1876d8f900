//! What stands before and behind: `$pad`, `$substringBefore` and `$substringAfter`.

/// `$substringBefore(text, mark)`: what stands before the first mark; the whole text without one.
pub fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(before, _)| before)
}

/// `$substringAfter(text, mark)`: what stands behind the first mark; the whole text without one.
pub fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(_, after)| after)
}

/// `$pad(text, width, filler)`: hands the text and what fills it up to `width` characters to `put`,
/// piece by piece: behind the text, before it when the width is negative. An empty filler is a blank.
///
/// The width is a number that nothing bounds, so `put` decides: its first error ends the work and is
/// the result. Each piece is as long as the filler at most, except the text.
pub fn pad<E>(text: &str, width: f64, filler: &str, mut put: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let filler = if filler.is_empty() { " " } else { filler };
    // A width past all numbers of characters saturates.
    let missing = (width.abs() as u64).saturating_sub(text.chars().count() as u64);
    let length = filler.chars().count() as u64;
    let part = filler.char_indices().nth((missing % length) as usize).and_then(|(end, _)| filler.get(..end));
    let fill = |put: &mut dyn FnMut(&str) -> Result<(), E>| {
        (0..missing / length).try_for_each(|_| put(filler)).and_then(|()| put(part.unwrap_or_default()))
    };
    if width < 0.0 {
        fill(&mut put)?;
    }
    put(text)?;
    if width >= 0.0 { fill(&mut put) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str, width: f64, filler: &str) -> String {
        let mut out = String::new();
        let written: Result<(), ()> = pad(text, width, filler, |piece| {
            out.push_str(piece);
            Ok(())
        });
        assert_eq!(written, Ok(()));
        out
    }

    #[test]
    fn a_refusal_ends_the_padding() {
        for width in [f64::MAX, f64::NEG_INFINITY] {
            let mut left = 10;
            let written = pad("x", width, "ab", |_| {
                left -= 1;
                if left == 0 { Err("full") } else { Ok(()) }
            });
            assert_eq!((written, left), (Err("full"), 0));
        }
    }

    #[test]
    fn widths_are_in_characters() {
        for (text, width, filler, out) in [
            ("foo", 5.0, "", "foo  "),
            ("foo", -5.0, "#", "##foo"),
            ("foo", 2.0, "#", "foo"),
            ("foo", 3.0, "#", "foo"),
            ("", 4.0, "abc", "abca"),
            ("é😀", -7.0, "ä€", "ä€ä€äé😀"),
            ("foo", -5.9, "-", "--foo"),
            ("foo", f64::NAN, "-", "foo"),
        ] {
            assert_eq!(padded(text, width, filler), out, "{text} {width} {filler}");
        }
    }

    #[test]
    fn before_and_after_a_mark() {
        assert_eq!((before("a-b-c", "-"), after("a-b-c", "-")), ("a", "b-c"));
        assert_eq!((before("abc", "x"), after("abc", "x")), ("abc", "abc"));
        assert_eq!((before("abc", ""), after("abc", "")), ("", "abc"));
        assert_eq!((before("abc", "abc"), after("abc", "abc")), ("", ""));
        assert_eq!((before("ä😀ö", "😀"), after("ä😀ö", "😀")), ("ä", "ö"));
    }
}
