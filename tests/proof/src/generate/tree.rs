//! Expressions as trees of text: enough of a form to take them apart again when one is found that
//! fails.

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// Text without parts.
    Leaf(String),
    /// Pieces one after another.
    Form(Vec<Tree>),
    /// Pieces with a text between, any of which may be left out.
    List(&'static str, Vec<Tree>),
    /// What stands where an expression stands: it may be put in place of another.
    Whole(Box<Tree>),
}

impl Tree {
    /// A whole expression of these pieces.
    pub fn whole(pieces: Vec<Tree>) -> Tree {
        Tree::Whole(Box::new(Tree::Form(pieces)))
    }
    /// A whole expression without parts.
    pub fn atom(text: impl Into<String>) -> Tree {
        Tree::Whole(Box::new(Tree::Leaf(text.into())))
    }
    /// Text between expressions.
    pub fn text(text: impl Into<String>) -> Tree {
        Tree::Leaf(text.into())
    }

    /// As written.
    pub fn write(&self, out: &mut String) {
        match self {
            Tree::Leaf(text) => out.push_str(text),
            Tree::Form(pieces) => pieces.iter().for_each(|piece| piece.write(out)),
            Tree::List(between, pieces) => {
                for (at, piece) in pieces.iter().enumerate() {
                    if at > 0 {
                        out.push_str(between);
                    }
                    piece.write(out);
                }
            }
            Tree::Whole(inner) => inner.write(out),
        }
    }

    /// All trees that have one thing less, the boldest cuts first.
    pub fn smaller(&self) -> Vec<Tree> {
        let mut out = Vec::new();
        match self {
            Tree::Leaf(_) => {}
            Tree::Whole(inner) => {
                let mut inside = Vec::new();
                inner.wholes(&mut inside);
                out.extend(inside);
                if !matches!(**inner, Tree::Leaf(_)) {
                    out.extend(["1", "\"a\"", "$", "a", "[]"].map(Tree::atom));
                }
                out.extend(inner.smaller().into_iter().map(|less| Tree::Whole(Box::new(less))));
            }
            Tree::Form(pieces) => {
                for (at, piece) in pieces.iter().enumerate() {
                    out.extend(piece.smaller().into_iter().map(|less| {
                        let mut pieces = pieces.clone();
                        pieces[at] = less;
                        Tree::Form(pieces)
                    }));
                }
            }
            Tree::List(between, pieces) => {
                for at in 0..pieces.len() {
                    let mut less = pieces.clone();
                    less.remove(at);
                    out.push(Tree::List(between, less));
                }
                for (at, piece) in pieces.iter().enumerate() {
                    out.extend(piece.smaller().into_iter().map(|less| {
                        let mut pieces = pieces.clone();
                        pieces[at] = less;
                        Tree::List(between, pieces)
                    }));
                }
            }
        }
        out
    }

    /// All whole expressions in it, at any depth.
    pub fn parts(&self) -> Vec<Tree> {
        let mut found = Vec::new();
        self.wholes(&mut found);
        let mut at = 0;
        while let Some(Tree::Whole(inner)) = found.get(at).cloned() {
            inner.wholes(&mut found);
            at += 1;
        }
        found
    }

    /// The outermost whole expressions in it.
    fn wholes(&self, out: &mut Vec<Tree>) {
        match self {
            Tree::Leaf(_) => {}
            Tree::Whole(_) => out.push(self.clone()),
            Tree::Form(pieces) | Tree::List(_, pieces) => pieces.iter().for_each(|piece| piece.wholes(out)),
        }
    }
}

impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}
