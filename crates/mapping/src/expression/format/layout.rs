//! Text that is broken over lines where it does not fit: the pretty printer of Wadler, with groups
//! that lie on one line or are broken as a whole.

/// A text with places where it may be broken.
#[derive(Debug)]
pub(super) enum Doc {
    Text(String),
    /// A blank, or a line break when the group around it is broken.
    Line,
    /// Nothing, or a line break.
    Soft,
    Join(Vec<Doc>),
    /// What is inside is indented.
    Nest(Box<Doc>),
    /// On one line where it fits.
    Group(Box<Doc>),
}

impl Doc {
    pub(super) fn text(text: impl Into<String>) -> Doc {
        Doc::Text(text.into())
    }

    pub(super) fn nest(inner: Vec<Doc>) -> Doc {
        Doc::Nest(Box::new(Doc::Join(inner)))
    }

    pub(super) fn group(inner: Vec<Doc>) -> Doc {
        Doc::Group(Box::new(Doc::Join(inner)))
    }

    /// The text, in lines of so many characters where its words allow it.
    pub(super) fn print(&self, width: usize) -> String {
        let mut out = String::new();
        let mut column = 0;
        let mut open = vec![(0, false, self)];
        while let Some((indent, flat, doc)) = open.pop() {
            match doc {
                Doc::Text(text) => {
                    out.push_str(text);
                    column += text.chars().count();
                }
                Doc::Line if flat => {
                    out.push(' ');
                    column += 1;
                }
                Doc::Soft if flat => {}
                Doc::Line | Doc::Soft => {
                    out.push('\n');
                    out.push_str(&" ".repeat(indent));
                    column = indent;
                }
                Doc::Join(parts) => open.extend(parts.iter().rev().map(|part| (indent, flat, part))),
                Doc::Nest(inner) => open.push((indent + INDENT, flat, inner)),
                Doc::Group(inner) => {
                    let flat = flat || fits(width.saturating_sub(column), inner, &open);
                    open.push((indent, flat, inner));
                }
            }
        }
        out
    }
}

/// Blanks of one level.
const INDENT: usize = 2;

/// Whether `doc` on one line, and what follows up to where a line may end, takes no more than this room.
fn fits(room: usize, doc: &Doc, after: &[(usize, bool, &Doc)]) -> bool {
    let mut room = room;
    let mut open = vec![(true, doc)];
    let mut after = after.iter().rev();
    loop {
        let (flat, doc) = match open.pop() {
            Some(next) => next,
            None => match after.next() {
                Some((_, flat, doc)) => (*flat, *doc),
                None => return true,
            },
        };
        let taken = match doc {
            Doc::Text(text) => text.chars().count(),
            Doc::Line if flat => 1,
            Doc::Line | Doc::Soft if !flat => return true,
            Doc::Line | Doc::Soft => 0,
            Doc::Join(parts) => {
                open.extend(parts.iter().rev().map(|part| (flat, part)));
                0
            }
            Doc::Nest(inner) | Doc::Group(inner) => {
                open.push((flat, inner));
                0
            }
        };
        match room.checked_sub(taken) {
            Some(left) => room = left,
            None => return false,
        }
    }
}
