//! Where shapes stand and arrows run: layers by the Sugiyama method, by the library `dagre`.

use dagre::{
    EdgeLabel, LayoutOptions, NodeLabel,
    graph::{Graph, GraphOptions},
    layout as arrange,
    layout::types::LabelPos,
};
use lockgate_mapping::picture::ink::{LETTER, SMALL, columns, shortened};

use super::{Drawing, Look, Shape};

/// Letters of a name, and of what a task does.
pub(super) const NAME_MAX: usize = 32;
const PAD: f64 = 14.0;
const HEIGHT: f64 = 40.0;
const EDGE: f64 = 26.0;

/// A shape's middle and size.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A place on the page.
pub(super) type Point = (f64, f64);

/// The layout of a drawing, in its order.
pub(super) struct Layout {
    pub shapes: Vec<Place>,
    /// The points of each arrow, and the middle of its label.
    pub arrows: Vec<(Vec<Point>, Point)>,
}

pub(super) fn layout(drawing: &Drawing) -> Layout {
    let mut graph: Graph<NodeLabel, EdgeLabel> =
        Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: true });
    for (index, shape) in drawing.shapes.iter().enumerate() {
        let (width, height) = size(shape);
        graph.set_node(index.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    for (index, shape) in drawing.shapes.iter().enumerate() {
        if let Some(frame) = shape.within {
            graph.set_parent(&index.to_string(), Some(&frame.to_string()));
        }
    }
    for arrow in &drawing.arrows {
        let width = if arrow.label.is_empty() { 0.0 } else { words(&arrow.label) as f64 * SMALL + 6.0 };
        let height = if arrow.label.is_empty() { 0.0 } else { 16.0 };
        let label = EdgeLabel { width, height, labelpos: LabelPos::Center, ..EdgeLabel::default() };
        graph.set_edge(arrow.from.to_string(), arrow.to.to_string(), Some(label), None);
    }
    let options = LayoutOptions {
        nodesep: 36.0,
        edgesep: 14.0,
        ranksep: 34.0,
        marginx: 24.0,
        marginy: 66.0,
        ..LayoutOptions::default()
    };
    arrange(&mut graph, Some(options));
    let place = |index: usize| {
        let node = graph.node(&index.to_string())?;
        Some(Place { x: node.x?, y: node.y?, width: node.width, height: node.height })
    };
    let shapes = (0..drawing.shapes.len()).map(|index| place(index).unwrap_or_default()).collect();
    let arrows = drawing.arrows.iter().map(|arrow| {
        let edge = graph.edge(&arrow.from.to_string(), &arrow.to.to_string(), None);
        let points = edge.map(|edge| edge.points.iter().map(|point| (point.x, point.y)).collect()).unwrap_or_default();
        let label = edge.and_then(|edge| Some((edge.x?, edge.y?))).unwrap_or_default();
        (points, label)
    });
    Layout { arrows: arrows.collect(), shapes }
}

fn size(shape: &Shape) -> (f64, f64) {
    let letters = words(&shape.name) as f64 * LETTER;
    match shape.look {
        Look::Frame => (0.0, 0.0),
        Look::Edge => (letters + 2.0 * PAD, EDGE),
        _ => (letters.max(words(&shape.does) as f64 * SMALL) + 2.0 * PAD, HEIGHT),
    }
}

fn words(text: &str) -> usize {
    columns(&shortened(text, NAME_MAX))
}
