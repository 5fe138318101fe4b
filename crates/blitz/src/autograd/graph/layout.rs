//! Where boxes and arrows are: in layers, each edge leading down (Sugiyama et al., 1981).

use std::collections::{BTreeSet, HashMap};

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

use super::nodes::Graph;
use crate::picture::font;

/// Letters, in pixels.
pub(super) const FONT_SIZE: f64 = 12.0;
/// Longer labels are cut in the picture.
pub(super) const LONGEST_LABEL: usize = 44;
const BOX_HEIGHT: f64 = 22.0;
/// Between letters and the sides of their box.
const PADDING: f64 = 8.0;
/// Between a layer and the next, and between boxes of one layer.
const GAP: (f64, f64) = (16.0, 22.0);
/// What an edge needs where it passes through a layer.
const LANE: f64 = 4.0;
const MARGIN: f64 = 10.0;

/// Where everything is in the picture, in pixels from its top left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Width of the picture, without a caption.
    pub width: f64,
    /// Height of the picture, without a caption.
    pub height: f64,
    /// A box for each of [`Graph::nodes`].
    pub boxes: Vec<NodeBox>,
    /// A route for each pair of nodes with an edge between them.
    pub routes: Vec<Route>,
}

/// The box of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeBox {
    /// Left side.
    pub x: f64,
    /// Upper side.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A point of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// The way of an edge. It runs straight down where it passes a layer, and bends between layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Position of the upper node in [`Graph::nodes`].
    pub from: usize,
    /// Position of the lower node.
    pub to: usize,
    /// From the lower side of one box to the upper side of the other; in between, where the route
    /// enters and leaves each layer that it passes.
    pub points: Vec<Point>,
}

pub(super) fn layout(graph: &Graph) -> Layout {
    let mut widths: Vec<f64> = graph.nodes.iter().map(|node| box_width(&node.label())).collect();
    let pairs = pairs(graph);
    let (_, layers) = place(&widths, &pairs);
    // Edges across several layers get a lane in each of them, as narrow vertices of the layout.
    let mut steps = Vec::new();
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    for &(from, to) in &pairs {
        let lane: Vec<usize> = (layers[from] + 1..layers[to])
            .map(|_| {
                widths.push(LANE);
                widths.len() - 1
            })
            .collect();
        let stops: Vec<usize> =
            std::iter::once(from).chain(lane.iter().copied()).chain([to]).collect();
        steps.extend(stops.windows(2).map(|stop| (stop[0], stop[1])));
        lanes.push(lane);
    }
    let (centers, layers) = place(&widths, &steps);
    let lefts = apart(&centers, &layers, &widths);
    let boxes: Vec<NodeBox> = (0..widths.len())
        .map(|index| NodeBox {
            x: lefts[index],
            y: MARGIN + layers[index] as f64 * (BOX_HEIGHT + GAP.1),
            width: widths[index],
            height: BOX_HEIGHT,
        })
        .collect();
    let routes = pairs.iter().zip(&lanes);
    let routes = routes.map(|(&(from, to), lane)| route(from, to, lane, &boxes)).collect();
    let right = boxes.iter().map(|b| b.x + b.width).fold(0.0, f64::max);
    let bottom = boxes.iter().map(|b| b.y + b.height).fold(0.0, f64::max);
    let boxes = boxes[..graph.nodes.len()].to_vec();
    Layout { width: right + MARGIN, height: bottom + MARGIN, boxes, routes }
}

/// The edges without repetitions, for each node its leaves on both sides of its operations, so
/// that a chain of operations runs straight down.
fn pairs(graph: &Graph) -> Vec<(usize, usize)> {
    let mut next = vec![Vec::new(); graph.nodes.len()];
    let mut seen = BTreeSet::new();
    for edge in &graph.edges {
        if seen.insert((edge.from, edge.to)) {
            next[edge.from].push(edge.to);
        }
    }
    let arranged = next.into_iter().enumerate().flat_map(|(from, next)| {
        let (mut leaves, operations): (Vec<_>, Vec<_>) =
            next.into_iter().partition(|to| graph.nodes[*to].leaf.is_some());
        // Weights on one side, biases on the other, whichever an operation names first.
        leaves.sort_by_key(|to| graph.nodes[*to].leaf.as_ref().map(|leaf| leaf.shape.len()));
        let right = leaves.split_off(leaves.len() / 2);
        let all = leaves.into_iter().chain(operations).chain(right);
        all.map(move |to| (from, to)).collect::<Vec<_>>()
    });
    arranged.collect()
}

/// The center of each vertex along its layer, and its layer, counted from the top.
fn place(widths: &[f64], edges: &[(usize, usize)]) -> (Vec<f64>, Vec<usize>) {
    let vertices: Vec<(u32, (f64, f64))> =
        widths.iter().enumerate().map(|(index, width)| (index as u32, (*width, 1.0))).collect();
    let edges: Vec<(u32, u32)> =
        edges.iter().map(|(from, to)| (*from as u32, *to as u32)).collect();
    let config = Config {
        vertex_spacing: GAP.0,
        ranking_type: RankingType::MinimizeEdgeLength,
        ..Config::default()
    };
    let mut centers = vec![0.0; widths.len()];
    let mut heights = vec![0_i64; widths.len()];
    // All nodes hang on the first one, so that there is one part.
    for (part, _, _) in from_vertices_and_edges(&vertices, &edges, &config) {
        for (index, (x, y)) in part {
            centers[index] = x;
            heights[index] = y.round() as i64;
        }
    }
    let levels: BTreeSet<i64> = heights.iter().copied().collect();
    let levels: HashMap<i64, usize> =
        levels.into_iter().enumerate().map(|(index, height)| (height, index)).collect();
    (centers, heights.iter().map(|height| levels[height]).collect())
}

/// The left sides, with the gap kept in each layer whatever the centers were.
fn apart(centers: &[f64], layers: &[usize], widths: &[f64]) -> Vec<f64> {
    let mut lefts: Vec<f64> =
        centers.iter().zip(widths).map(|(center, width)| center.round() - width / 2.0).collect();
    let mut order: Vec<usize> = (0..lefts.len()).collect();
    order.sort_by(|a, b| {
        (layers[*a], lefts[*a]).partial_cmp(&(layers[*b], lefts[*b])).expect("no NaN")
    });
    for pair in order.windows(2) {
        let (left, right) = (pair[0], pair[1]);
        if layers[left] == layers[right] {
            lefts[right] = lefts[right].max(lefts[left] + widths[left] + GAP.0);
        }
    }
    let least = lefts.iter().copied().fold(f64::INFINITY, f64::min);
    lefts.iter().map(|left| left - least + MARGIN).collect()
}

fn route(from: usize, to: usize, lane: &[usize], boxes: &[NodeBox]) -> Route {
    let above = |b: &NodeBox| Point { x: b.x + b.width / 2.0, y: b.y };
    let below = |b: &NodeBox| Point { x: b.x + b.width / 2.0, y: b.y + b.height };
    let mut points = vec![below(&boxes[from])];
    for index in lane {
        points.extend([above(&boxes[*index]), below(&boxes[*index])]);
    }
    points.push(above(&boxes[to]));
    Route { from, to, points }
}

/// Even, so that the middle of a box is a whole pixel and arrows run straight.
fn box_width(label: &str) -> f64 {
    let width = text_width(&shortened(label)) + 2.0 * PADDING;
    (width / 2.0).ceil() * 2.0
}

/// `label` as it stands in its box.
pub(super) fn shortened(label: &str) -> String {
    match label.char_indices().nth(LONGEST_LABEL) {
        None => label.to_owned(),
        Some((end, _)) => format!("{}…", &label[..end]),
    }
}

/// Width in pixels.
pub(super) fn text_width(text: &str) -> f64 {
    font::width(text, FONT_SIZE)
}
