//! The picture's layout and its text.
//!
//! Two boxes with a row for each field; between them a band where lines bend, then a band where the marks
//! stand, each in the row of the field that it sets, so that lines and marks never lie on each other.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Drawing, Look, Mark, Rule,
    ink::{LETTER, SMALL, columns, escaped, n, rect, shortened, text},
    tree::{Field, Row},
};
use crate::MapFile;

/// Pixels.
const ROW: f64 = 24.0;
const MARGIN: f64 = 24.0;
const HEAD: f64 = 62.0;
const PAD: f64 = 12.0;
const INDENT: f64 = 16.0;
const BEND: f64 = 190.0;
const GAP: f64 = 8.0;
const MARK: f64 = 17.0;
const BOX_MIN: f64 = 170.0;
const FOOT: f64 = 46.0;

/// Letters that are shown of a name and of the expressions in marks.
const NAME_MAX: usize = 36;
const MARK_MAX: usize = 34;
const SIDE_MAX: usize = 22;

const STYLE: &str = "\
.page{fill:#fafaf9}.box{fill:#fff;stroke:#d6d8dd}.head{fill:#f0f1f4}\
text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2430}\
.big{font-size:15px;font-weight:600}.dim{fill:#6a7180}.small{font-size:11px}.list{fill:#2458c5}\
.guide{fill:none;stroke:#dcdfe4}.rule path{fill:none;stroke:currentColor;stroke-width:1.5;stroke-opacity:.85}\
.rule .asks{stroke-dasharray:4 3;stroke-width:1.2}.rule circle,.rule .tip{fill:currentColor}\
.rule rect{stroke-width:1}.sign{font-weight:700}.rule:hover path{stroke-width:3;stroke-opacity:1}\
.copy{color:#7f8898}.computed{color:#8353d1}.lookup{color:#148578}.constant{color:#b87314}.each{color:#2f6ad8}\
rect.computed{fill:#f4eefd;stroke:#c3a8ef}rect.lookup{fill:#e6f6f3;stroke:#86cfc5}\
rect.constant{fill:#fdf3e1;stroke:#e4bd7f}rect.each{fill:#e9f0fd;stroke:#9dbcf3}\
rect.when,rect.default{fill:#f3f4f6;stroke:#c3c8d0}\
@media (prefers-color-scheme:dark){\
.page{fill:#15171c}.box{fill:#1d2027;stroke:#3a404c}.head{fill:#262a33}text{fill:#e4e7ec}.dim{fill:#98a0ae}\
.list{fill:#8fb4ff}.guide{stroke:#363c48}.copy{color:#8d96a5}.computed{color:#a87fec}.lookup{color:#36b3a3}.constant{color:#d99a3d}.each{color:#6c9cf5}\
rect.computed{fill:#2c2340;stroke:#6d4fa6}rect.lookup{fill:#16332f;stroke:#2d776d}\
rect.constant{fill:#3a2c14;stroke:#8a6524}rect.each{fill:#1b2a47;stroke:#3d63ab}\
rect.when,rect.default{fill:#2a2e37;stroke:#4c5361}}";

pub(super) fn svg(map: &MapFile, drawing: &Drawing) -> String {
    let (source, target) = (drawing.source.rows(), drawing.target.rows());
    let source_name = map.source_type.as_ref().map_or("source", |(name, _)| name.as_str());
    let target_name = map.target_type.as_ref().map_or("target", |(name, _)| name.as_str());
    let marks = drawing.rules.iter().map(|rule| marks_width(&rule.marks)).fold(0.0, f64::max);
    let left = Column { x: MARGIN, width: box_width(&source, source_name), rows: &source, name: source_name };
    let bend = left.x + left.width;
    let band = bend + BEND;
    let right = Column {
        x: band + marks + 2.0 * GAP,
        width: box_width(&target, target_name),
        rows: &target,
        name: target_name,
    };
    let rows = source.len().max(target.len()) as f64;
    let (width, height) = (right.x + right.width + MARGIN, HEAD + rows * ROW + PAD + FOOT);
    // The shorter box stands in the middle of the longer.
    let top = |own: usize| HEAD + ((rows - own as f64) * ROW / 2.0).floor();
    let (from, to) = (places(&source, top(source.len())), places(&target, top(target.len())));

    let mut out = String::new();
    let w = &mut out;
    let _ = write!(
        w,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         role=\"graphics-document document\">\n<title>{2}</title>\n<desc>{3}</desc>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n",
        n(width),
        n(height),
        escaped(&format!("mapping {} {}", map.name, map.version)),
        escaped(&format!("{} rules from {source_name} to {target_name}", drawing.rules.len())),
    );
    text(w, MARGIN, 34.0, "big", &map.name);
    let after = MARGIN + map.name.chars().count() as f64 * 9.1 + 12.0;
    text(w, after, 34.0, "dim", &map.version);
    left.write(w, top(source.len()));
    right.write(w, top(target.len()));
    for rule in &drawing.rules {
        write_rule(w, rule, &from, &to, [bend, band, right.x]);
    }
    legend(w, MARGIN, height - 20.0);
    out.push_str("</svg>\n");
    out
}

/// The heights of the middles of rows.
fn places(rows: &[Row], top: f64) -> BTreeMap<Field, f64> {
    rows.iter().enumerate().map(|(i, row)| (row.field, top + i as f64 * ROW + ROW / 2.0)).collect()
}

struct Column<'r> {
    x: f64,
    width: f64,
    rows: &'r [Row],
    name: &'r str,
}

impl Column<'_> {
    fn write(&self, w: &mut String, top: f64) {
        let height = self.rows.len() as f64 * ROW + PAD / 2.0;
        rect(w, "box", [self.x, top, self.width, height], 7.0);
        let _ = writeln!(
            w,
            "<path class=\"head\" d=\"M{} {}v-{}a6 6 0 0 1 6-6h{}a6 6 0 0 1 6 6v{}z\"/>",
            n(self.x + 1.0),
            n(top + ROW),
            n(ROW - 7.0),
            n(self.width - 14.0),
            n(ROW - 7.0)
        );
        // The last row of each depth so far.
        let mut lasts = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            let middle = top + i as f64 * ROW + ROW / 2.0;
            let x = self.x + PAD + row.depth.saturating_sub(1) as f64 * INDENT;
            self.guide(w, &mut lasts, row.depth, x, middle);
            let name = if row.depth == 0 { self.name } else { &row.name };
            let shown = shortened(name, NAME_MAX);
            let class = if row.depth == 0 {
                "sign"
            } else if row.inner {
                "dim"
            } else {
                ""
            };
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            let list = if row.list { "<tspan class=\"list\">[]</tspan>" } else { "" };
            let full = if shown == name { String::new() } else { format!("<title>{}</title>", escaped(name)) };
            let _ = writeln!(
                w,
                "<text{class} x=\"{}\" y=\"{}\">{full}{}{list}</text>",
                n(x),
                n(middle + 4.0),
                escaped(&shown)
            );
        }
    }
}

impl Column<'_> {
    /// The line from the field before at the same depth, or from the one around it.
    fn guide(&self, w: &mut String, lasts: &mut Vec<f64>, depth: usize, x: f64, middle: f64) {
        let around = depth.checked_sub(1).and_then(|depth| lasts.get(depth)).map(|y| y + 9.0);
        let from = lasts.get(depth).copied().or(around);
        lasts.truncate(depth);
        lasts.push(middle);
        if let (Some(from), true) = (from, depth > 1) {
            let (x, down) = (x - INDENT + 4.5, middle - from);
            let _ = writeln!(w, "<path class=\"guide\" d=\"M{} {}v{}h6\"/>", n(x), n(from), n(down));
        }
    }
}

fn write_rule(w: &mut String, rule: &Rule, from: &BTreeMap<Field, f64>, to: &BTreeMap<Field, f64>, x: [f64; 3]) {
    let [bend, band, end] = x;
    let Some(y) = to.get(&rule.to).copied() else { return };
    let _ = writeln!(
        w,
        "<g class=\"rule {}\" role=\"graphics-symbol img\"><title>{}</title>",
        class(rule.look),
        escaped(&rule.title)
    );
    let begin = end - 2.0 * GAP - marks_width(&rule.marks) + GAP;
    let reads = rule.from.iter().map(|field| (field, ""));
    let asks = rule.asks.iter().filter(|field| !rule.from.contains(field)).map(|field| (field, " class=\"asks\""));
    for (field, class) in reads.chain(asks) {
        let Some(start) = from.get(field).copied() else { continue };
        let (near, far) = (bend + BEND * 0.45, band - BEND * 0.45);
        let _ = writeln!(
            w,
            "<path{class} d=\"M{} {}C{} {} {} {} {} {}H{}\"/>",
            n(bend),
            n(start),
            n(near),
            n(start),
            n(far),
            n(y),
            n(band),
            n(y),
            n(if rule.marks.is_empty() { end } else { begin })
        );
        let _ = writeln!(w, "<circle cx=\"{}\" cy=\"{}\" r=\"2.5\"/>", n(bend), n(start));
    }
    if !rule.marks.is_empty() {
        let _ = writeln!(w, "<path d=\"M{} {}H{}\"/>", n(begin), n(y), n(end));
    }
    let mut x = begin;
    for mark in &rule.marks {
        let wide = mark_width(mark);
        rect(w, class(mark.look), [x, y - MARK / 2.0, wide, MARK], MARK / 2.0);
        let shown = shown(mark);
        let between = if shown.is_empty() { "" } else { " " };
        let _ = writeln!(
            w,
            "<text class=\"small\" x=\"{}\" y=\"{}\"><tspan class=\"sign\">{}</tspan>{between}{}</text>",
            n(x + GAP),
            n(y + 3.8),
            mark.sign,
            escaped(&shown)
        );
        x += wide + GAP;
    }
    let _ = writeln!(w, "<path class=\"tip\" d=\"M{} {}l-6 -3.5v7z\"/>", n(end), n(y));
    w.push_str("</g>\n");
}

fn legend(w: &mut String, x: f64, y: f64) {
    let kinds = [
        (Look::Copy, "copied"),
        (Look::Computed, "computed"),
        (Look::Lookup, "looked up"),
        (Look::Constant, "constant"),
        (Look::Each, "entries of a list"),
    ];
    let mut x = x;
    for (look, words) in kinds {
        let _ = writeln!(w, "<g class=\"rule {}\"><path d=\"M{} {}h22\"/></g>", class(look), n(x), n(y - 4.0));
        text(w, x + 28.0, y, "small dim", words);
        x += 28.0 + words.len() as f64 * SMALL + 20.0;
    }
    let _ = writeln!(w, "<g class=\"rule copy\"><path class=\"asks\" d=\"M{} {}h22\"/></g>", n(x), n(y - 4.0));
    text(w, x + 28.0, y, "small dim", "asked");
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Copy => "copy",
        Look::Computed => "computed",
        Look::Lookup => "lookup",
        Look::Constant => "constant",
        Look::Each => "each",
        Look::When => "when",
        Look::Default => "default",
    }
}

fn shown(mark: &Mark) -> String {
    let most = match mark.look {
        Look::When | Look::Default | Look::Each => SIDE_MAX,
        _ => MARK_MAX,
    };
    shortened(&mark.text, most)
}

fn mark_width(mark: &Mark) -> f64 {
    let shown = shown(mark);
    let between = usize::from(!shown.is_empty());
    (columns(mark.sign) + between + columns(&shown)) as f64 * SMALL + 2.0 * GAP
}

fn marks_width(marks: &[Mark]) -> f64 {
    marks.iter().map(|mark| mark_width(mark) + GAP).sum::<f64>()
}

fn box_width(rows: &[Row], name: &str) -> f64 {
    let row = |row: &Row| {
        let name = if row.depth == 0 { name } else { &row.name };
        let list = if row.list { 2 } else { 0 };
        let letters = columns(&shortened(name, NAME_MAX)) + list;
        row.depth.saturating_sub(1) as f64 * INDENT + letters as f64 * LETTER + 2.0 * PAD
    };
    rows.iter().map(row).fold(BOX_MIN, f64::max).ceil()
}
