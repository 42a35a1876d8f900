//! A sheet to text.

use super::{
    WIDTH, scalar,
    sheet::{Above, Form, Key, Scalar, Sheet},
};
use crate::expression;

/// The file.
pub(super) fn write(mut sheet: Sheet) -> String {
    let mut writer = Writer { out: String::new() };
    let above = std::mem::take(&mut sheet.above);
    writer.above(above, 0, true);
    let blank_first = writer.out.is_empty();
    if let Some(comment) = sheet.beside.take_if(|_| !matches!(sheet.form, Form::Scalar(_))) {
        writer.line(0, &comment);
    }
    match sheet.form {
        Form::Mapping { entries, below, .. } if !entries.is_empty() => writer.entries(entries, below, 0, blank_first),
        Form::Sequence { items, below, .. } if !items.is_empty() => writer.items(items, below, 0, blank_first),
        form => {
            let mut sheet = Sheet { form, ..sheet };
            let rest = below_nothing(&mut sheet);
            // A file without a value is null.
            let value = match &sheet.form {
                Form::Scalar(Scalar::Word(word)) if word == "null" => String::new(),
                Form::Scalar(scalar) => one_line(scalar, false),
                _ => inline(&sheet, false).unwrap_or_default(),
            };
            let line = format!("{value} {}", sheet.beside.unwrap_or_default());
            if !line.trim().is_empty() {
                writer.line(0, line.trim());
            }
            writer.above(rest, 0, false);
        }
    }
    writer.out
}

/// Takes the comments in an object or list that has no entries.
fn below_nothing(sheet: &mut Sheet) -> Vec<Above> {
    match &mut sheet.form {
        Form::Sequence { items, below, .. } if items.is_empty() => std::mem::take(below),
        Form::Mapping { entries, below, .. } if entries.is_empty() => std::mem::take(below),
        _ => Vec::new(),
    }
}

struct Writer {
    out: String,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Comments and blank lines; `first`: nothing of this list stands before them, so no blank line does.
    fn above(&mut self, above: Vec<Above>, indent: usize, first: bool) {
        let mut first = first;
        for line in above {
            match line {
                Above::Blank if !first && !self.out.ends_with("\n\n") => self.out.push('\n'),
                Above::Blank => {}
                Above::Comment(text) => {
                    self.line(indent, &text);
                    first = false;
                }
            }
        }
    }

    fn entries(&mut self, entries: Vec<(Key, Sheet)>, below: Vec<Above>, indent: usize, first: bool) {
        let mut first = first;
        for (key, sheet) in entries {
            self.entry(key, sheet, indent, first, true);
            first = false;
        }
        self.above(below, indent, false);
    }

    /// One entry of an object. `pad`: its line is not begun.
    fn entry(&mut self, key: Key, mut sheet: Sheet, indent: usize, first: bool, pad: bool) {
        let above = std::mem::take(&mut sheet.above);
        let rest = below_nothing(&mut sheet);
        self.above(above, indent, first);
        self.above(rest, indent, first);
        let key = format!("{}:", scalar::key(&key, false));
        if pad {
            self.out.push_str(&" ".repeat(indent));
        }
        self.out.push_str(&key);
        let column = indent + key.chars().count() + 1;
        let beside = sheet.beside.take().map(|comment| format!(" {comment}")).unwrap_or_default();
        match on_line(&sheet, column) {
            Some(text) => self.out.push_str(&format!(" {text}{beside}\n")),
            None => self.below(sheet, indent + 2, &beside),
        }
    }

    /// A value on the lines below its key.
    fn below(&mut self, sheet: Sheet, indent: usize, beside: &str) {
        match sheet.form {
            Form::Mapping { entries, below, .. } => {
                self.out.push_str(&format!("{beside}\n"));
                self.entries(entries, below, indent, true);
            }
            Form::Sequence { items, below, .. } => {
                self.out.push_str(&format!("{beside}\n"));
                self.items(items, below, indent, true);
            }
            Form::Scalar(scalar) => self.scalar(&scalar, indent, beside),
        }
    }

    /// A value that is not written on one line, where that can be.
    fn scalar(&mut self, scalar: &Scalar, indent: usize, beside: &str) {
        let lines = match scalar {
            Scalar::Word(_) => None,
            Scalar::Text { text, block } => scalar::block(text, block.as_ref(), indent),
            Scalar::Formula { text, enclosed } => Some(folded(text, *enclosed, WIDTH.saturating_sub(indent))),
        };
        match lines {
            Some(lines) => {
                let mut lines = lines.into_iter();
                self.out.push_str(&format!(" {}{beside}\n", lines.next().unwrap_or_default()));
                for line in lines {
                    let indent = if line.is_empty() { 0 } else { indent };
                    self.line(indent, &line);
                }
            }
            None => self.out.push_str(&format!(" {}{beside}\n", one_line(scalar, false))),
        }
    }

    fn items(&mut self, items: Vec<Sheet>, below: Vec<Above>, indent: usize, first: bool) {
        let mut first = first;
        for item in items {
            self.item(item, indent, first, true);
            first = false;
        }
        self.above(below, indent, false);
    }

    /// One item of a list.
    fn item(&mut self, mut sheet: Sheet, indent: usize, first: bool, pad: bool) {
        let mut above = std::mem::take(&mut sheet.above);
        let column = indent + 2;
        let line = on_line(&sheet, column);
        if line.is_none() && !matches!(sheet.form, Form::Scalar(_)) {
            // What stands over its first entry stands over the whole of it.
            above.extend(sheet.beside.take().map(Above::Comment));
            hoist(&mut sheet, column, &mut above);
        }
        above.extend(below_nothing(&mut sheet));
        self.above(above, indent, first);
        if pad {
            self.out.push_str(&" ".repeat(indent));
        }
        self.out.push('-');
        let beside = sheet.beside.take().map(|comment| format!(" {comment}")).unwrap_or_default();
        if let Some(text) = line {
            self.out.push_str(&format!(" {text}{beside}\n"));
            return;
        }
        match sheet.form {
            Form::Scalar(scalar) => self.scalar(&scalar, column, &beside),
            Form::Mapping { entries, below, .. } => {
                self.out.push(' ');
                for (i, (key, sheet)) in entries.into_iter().enumerate() {
                    self.entry(key, sheet, column, i == 0, i > 0);
                }
                self.above(below, column, false);
            }
            Form::Sequence { items, below, .. } => {
                self.out.push(' ');
                for (i, item) in items.into_iter().enumerate() {
                    self.item(item, column, i == 0, i > 0);
                }
                self.above(below, column, false);
            }
        }
    }
}

/// Takes the comments that would stand between a dash and what follows it.
fn hoist(sheet: &mut Sheet, column: usize, above: &mut Vec<Above>) {
    match &mut sheet.form {
        Form::Mapping { entries, .. } => {
            if let Some((_, first)) = entries.first_mut() {
                above.extend(comments(&mut first.above));
                above.extend(below_nothing(first));
            }
        }
        Form::Sequence { items, .. } => {
            let Some(first) = items.first_mut() else { return };
            above.extend(comments(&mut first.above));
            above.extend(below_nothing(first));
            if !matches!(first.form, Form::Scalar(_)) && on_line(first, column + 2).is_none() {
                above.extend(first.beside.take().map(Above::Comment));
                hoist(first, column + 2, above);
            }
        }
        Form::Scalar(_) => {}
    }
}

fn comments(above: &mut Vec<Above>) -> Vec<Above> {
    let mut taken = std::mem::take(above);
    taken.retain(|line| *line != Above::Blank);
    taken
}

fn is_empty(sheet: &Sheet) -> bool {
    match &sheet.form {
        Form::Sequence { items, .. } => items.is_empty(),
        Form::Mapping { entries, .. } => entries.is_empty(),
        Form::Scalar(_) => false,
    }
}

/// The value on one line from this column on, where it may and does fit.
fn on_line(sheet: &Sheet, column: usize) -> Option<String> {
    let must_not = match &sheet.form {
        Form::Scalar(Scalar::Text { block: Some((_, lines)), .. }) => !lines.is_empty(),
        Form::Sequence { items, line, .. } => !line && !items.is_empty(),
        Form::Mapping { entries, line, .. } => !line && !entries.is_empty(),
        Form::Scalar(_) => false,
    };
    if must_not {
        return None;
    }
    let text = inline(sheet, false)?;
    let fits = column + text.chars().count() <= WIDTH;
    (fits || is_empty(sheet) || matches!(sheet.form, Form::Scalar(Scalar::Word(_)))).then_some(text)
}

/// The value on one line, if nothing in it needs a line of its own.
fn inline(sheet: &Sheet, braces: bool) -> Option<String> {
    let quiet =
        |sheet: &Sheet| sheet.beside.is_none() && !sheet.above.iter().any(|line| matches!(line, Above::Comment(_)));
    match &sheet.form {
        Form::Scalar(Scalar::Text { text, .. }) if text.contains('\n') => None,
        Form::Scalar(scalar) => Some(one_line(scalar, braces)),
        Form::Sequence { items, below, .. } => {
            if items.is_empty() && !braces {
                return Some("[]".to_owned());
            }
            let inner = joined(items.iter().map(|item| inline(item, true).filter(|_| quiet(item))))?;
            below.is_empty().then(|| format!("[{inner}]"))
        }
        Form::Mapping { entries, below, .. } => {
            if entries.is_empty() && !braces {
                return Some("{}".to_owned());
            }
            let entry = |(key, sheet): &(Key, Sheet)| {
                let value = inline(sheet, true).filter(|_| quiet(sheet))?;
                Some(format!("{}: {value}", scalar::key(key, true)))
            };
            let inner = joined(entries.iter().map(entry)).filter(|_| below.is_empty())?;
            Some(if inner.is_empty() { "{}".to_owned() } else { format!("{{ {inner} }}") })
        }
    }
}

/// Parts with commas between them, as long as they may fit on a line.
fn joined(parts: impl Iterator<Item = Option<String>>) -> Option<String> {
    let mut out = String::new();
    let mut letters = 0;
    for (i, part) in parts.enumerate() {
        let part = part?;
        letters += part.chars().count();
        if letters > WIDTH {
            return None;
        }
        out.push_str(if i > 0 { ", " } else { "" });
        out.push_str(&part);
    }
    Some(out)
}

fn one_line(scalar: &Scalar, braces: bool) -> String {
    match scalar {
        Scalar::Word(word) => word.clone(),
        Scalar::Text { text, .. } => scalar::text(text, braces),
        Scalar::Formula { text, enclosed } if *enclosed => scalar::text(&format!("${{ {text} }}"), braces),
        Scalar::Formula { text, .. } => scalar::text(text, braces),
    }
}

/// An expression below its key.
fn folded(text: &str, enclosed: bool, width: usize) -> Vec<String> {
    let (open, close) = if enclosed { ("${ ", " }") } else { ("", "") };
    let width = width.saturating_sub(open.len() + close.len());
    // On one line it was formatted before.
    let broken = expression::format(text, Some(width)).unwrap_or_else(|_| text.to_owned());
    let pad = " ".repeat(open.len());
    let mut lines = vec![">-".to_owned()];
    for (i, line) in broken.lines().enumerate() {
        lines.push(format!("{}{line}", if i == 0 { open } else { &pad }));
    }
    if let Some(last) = lines.last_mut() {
        last.push_str(close);
    }
    lines
}
