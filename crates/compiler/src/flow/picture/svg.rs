//! The picture's text.

use std::fmt::Write as _;

use lockgate_mapping::picture::ink::{SMALL, columns, escaped, n, rect, shortened, text};

use super::{
    Drawing, Look, Shape,
    layout::{Layout, NAME_MAX, Place, Point},
};
use crate::flow::tree::Flow;

const STYLE: &str = "\
.page{fill:#fafaf9}text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2430}\
.big{font-size:15px;font-weight:600}.dim{fill:#6a7180}.small{font-size:11px}.mid{text-anchor:middle}\
.frame{fill:#1f2430;fill-opacity:.03;stroke:#c9ccd3;stroke-dasharray:5 4}\
.edge{fill:#1f2430;stroke:none}.ends{fill:#fafaf9}\
.data{fill:#f4eefd;stroke:#c3a8ef}.call{fill:#e9f0fd;stroke:#9dbcf3}.control{fill:#fff;stroke:#c3c8d0}\
.wait{fill:#fdf3e1;stroke:#e4bd7f}.error{fill:#fdecec;stroke:#eda5a5}\
.way{fill:none;stroke:#7f8898;stroke-width:1.5}.aside{stroke-dasharray:4 3}.tip{fill:#7f8898}\
.label{fill:#fafaf9}\
@media (prefers-color-scheme:dark){\
.page{fill:#15171c}text{fill:#e4e7ec}.dim{fill:#98a0ae}.frame{fill:#fff;fill-opacity:.03;stroke:#3a404c}\
.edge{fill:#e4e7ec}.ends{fill:#15171c}\
.data{fill:#2c2340;stroke:#6d4fa6}.call{fill:#1b2a47;stroke:#3d63ab}.control{fill:#1d2027;stroke:#4c5361}\
.wait{fill:#3a2c14;stroke:#8a6524}.error{fill:#3d1d20;stroke:#94474c}.label{fill:#15171c}}";

pub(super) fn svg(flow: &Flow, drawing: &Drawing, layout: &Layout) -> String {
    let right = layout.shapes.iter().map(|place| place.x + place.width / 2.0);
    let points = layout.arrows.iter().flat_map(|(points, _)| points);
    let width = right.chain(points.clone().map(|(x, _)| *x)).fold(240.0, f64::max) + 24.0;
    let bottom = layout.shapes.iter().map(|place| place.y + place.height / 2.0);
    let bottom = bottom.chain(points.map(|(_, y)| *y)).fold(80.0, f64::max) + 24.0;
    let key = key(drawing);
    let width = key.iter().map(|(_, words)| LEFT + wide(words)).fold(width, f64::max);
    let mut rows = String::new();
    let height = write_key(&mut rows, &key, width, bottom);
    let mut out = String::new();
    let w = &mut out;
    let _ = write!(
        w,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         role=\"graphics-document document\">\n<title>{2}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 6 7\" refX=\"6\" refY=\"3.5\" markerWidth=\"6\" markerHeight=\"7\" \
         orient=\"auto\" markerUnits=\"userSpaceOnUse\"><path class=\"tip\" d=\"M0 0L6 3.5L0 7z\"/></marker></defs>\n\
         <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n",
        n(width),
        n(height),
        escaped(&format!("flow {}", flow.name)),
    );
    text(w, 24.0, 34.0, "big", &flow.name);
    for (shape, place) in drawing.shapes.iter().zip(&layout.shapes).filter(|(shape, _)| shape.look == Look::Frame) {
        write_shape(w, shape, *place);
    }
    for (arrow, (points, _)) in drawing.arrows.iter().zip(&layout.arrows) {
        let aside = if arrow.aside { " aside" } else { "" };
        let _ = writeln!(w, "<path class=\"way{aside}\" d=\"{}\" marker-end=\"url(#tip)\"/>", way(points));
    }
    for (shape, place) in drawing.shapes.iter().zip(&layout.shapes).filter(|(shape, _)| shape.look != Look::Frame) {
        write_shape(w, shape, *place);
    }
    for (arrow, (_, (x, y))) in drawing.arrows.iter().zip(&layout.arrows) {
        if !arrow.label.is_empty() {
            let shown = shortened(&arrow.label, NAME_MAX);
            let wide = columns(&shown) as f64 * SMALL + 6.0;
            rect(w, "label", [x - wide / 2.0, y - 8.0, wide, 16.0], 3.0);
            text(w, *x, y + 3.8, "small dim mid", &shown);
        }
    }
    out.push_str(&rows);
    out.push_str("</svg>\n");
    out
}

/// What is in the key: the looks that occur, or none for an arrow of dashes, each with its words.
fn key(drawing: &Drawing) -> Vec<(Option<Look>, &'static str)> {
    let occurs = |look: Look| drawing.shapes.iter().any(|shape| shape.look == look);
    let looks = MEANINGS.into_iter().filter(|(look, _)| occurs(*look)).map(|(look, words)| (Some(look), words));
    let aside = drawing.arrows.iter().any(|arrow| arrow.aside);
    looks.chain(aside.then_some((None, ASIDE))).collect()
}

/// The width of one of them with the space behind it.
fn wide(words: &str) -> f64 {
    CHIP + GAP + columns(words) as f64 * SMALL + LEFT
}

/// Writes the key in rows from `top` on; returns where the picture ends below them.
fn write_key(w: &mut String, key: &[(Option<Look>, &'static str)], width: f64, top: f64) -> f64 {
    let (mut x, mut y) = (LEFT, top + ROW / 2.0);
    for (look, words) in key {
        if x > LEFT && x + wide(words) > width {
            (x, y) = (LEFT, y + ROW);
        }
        match look {
            Some(look) => rect(w, class(*look), [x, y - CHIP / 2.0, CHIP, CHIP], 3.0),
            None => {
                let _ = writeln!(w, "<path class=\"way aside\" d=\"M{0} {1}L{2} {1}\"/>", n(x), n(y), n(x + CHIP));
            }
        }
        text(w, x + CHIP + GAP, y + 3.8, "small dim", words);
        x += wide(words);
    }
    y + ROW
}

/// The looks of boxes in the order of the key, and what tasks of each do.
const MEANINGS: [(Look, &str); 5] = [
    (Look::Data, "makes data"),
    (Look::Call, "calls or runs"),
    (Look::Control, "decides what is next"),
    (Look::Wait, "waits"),
    (Look::Error, "fails, or handles what failed"),
];
/// What an arrow of dashes means.
const ASIDE: &str = "on failure, or if not";
/// Of the key: its left margin and the space behind its words, the side of a box, the space before its words, and the
/// height of a row.
const LEFT: f64 = 24.0;
const CHIP: f64 = 12.0;
const GAP: f64 = 6.0;
const ROW: f64 = 20.0;

fn write_shape(w: &mut String, shape: &Shape, place: Place) {
    let (x, y) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
    let round = if shape.look == Look::Edge { place.height / 2.0 } else { 7.0 };
    w.push_str("<g>");
    if !shape.title.is_empty() {
        let _ = write!(w, "<title>{}</title>", escaped(&shortened(&shape.title, 2_000)));
    }
    rect(w, class(shape.look), [x, y, place.width, place.height], round);
    let name = shortened(&shape.name, NAME_MAX);
    match shape.look {
        Look::Frame => {}
        Look::Edge => text(w, place.x, place.y + 4.0, "ends mid", &name),
        _ if shape.does.is_empty() => text(w, place.x, place.y + 4.0, "mid", &name),
        _ => {
            text(w, place.x, place.y - 3.0, "mid", &name);
            text(w, place.x, place.y + 12.0, "small dim mid", &shortened(&shape.does, NAME_MAX));
        }
    }
    w.push_str("</g>\n");
}

/// A path through points, round where it bends.
fn way(points: &[Point]) -> String {
    let mut path = String::new();
    let Some(((first_x, first_y), rest)) = points.split_first() else { return path };
    let _ = write!(path, "M{} {}", n(*first_x), n(*first_y));
    for (place, (x, y)) in rest.iter().enumerate() {
        match rest.get(place + 1) {
            Some((next_x, next_y)) if place + 2 < rest.len() => {
                let _ = write!(path, "Q{} {} {} {}", n(*x), n(*y), n((x + next_x) / 2.0), n((y + next_y) / 2.0));
            }
            Some((next_x, next_y)) => {
                let _ = write!(path, "Q{} {} {} {}", n(*x), n(*y), n(*next_x), n(*next_y));
                return path;
            }
            None => {
                let _ = write!(path, "L{} {}", n(*x), n(*y));
            }
        }
    }
    path
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Edge => "edge",
        Look::Frame => "frame",
        Look::Data => "data",
        Look::Call => "call",
        Look::Control => "control",
        Look::Wait => "wait",
        Look::Error => "error",
    }
}
