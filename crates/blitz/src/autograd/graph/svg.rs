//! A graph as an SVG picture.

use std::fmt::Write;

use super::layout::{FONT_SIZE, Layout, Point, Route, shortened, text_width};
use super::nodes::{Graph, GraphNode};
use crate::display::escape;

const CAPTION_HEIGHT: f64 = 20.0;
const CAPTION_SIZE: f64 = 11.0;
const INK: &str = "#1a1a1a";
/// Length and half the width of an arrow's head.
const HEAD: (f64, f64) = (6.0, 3.5);

pub(super) fn svg(graph: &Graph) -> String {
    let layout = graph.layout();
    let caption = caption(graph);
    let height = layout.height + CAPTION_HEIGHT;
    let width = layout.width.max(text_width(&caption) + 20.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         style=\"max-width: 100%; height: auto\" \
         font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" font-size=\"{FONT_SIZE}\">\n"
    );
    svg += &format!("<title>{}</title>\n", escape(&graph.title()));
    svg += &format!("<desc>{}</desc>\n", escape(&graph.to_text()));
    // White also in a dark notebook: the colours below are made for it.
    svg += &format!("<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#ffffff\"/>\n");
    // The picture in the middle, where the caption is wider.
    svg += &format!("<g transform=\"translate({} 0)\">\n", ((width - layout.width) / 2.0).floor());
    svg += &arrows(&layout);
    for (index, node) in graph.nodes.iter().enumerate() {
        svg += &node_box(node, &layout, index);
    }
    svg += "</g>\n";
    svg += &format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"{CAPTION_SIZE}\" \
         fill=\"#4d4d4d\">{}</text>\n",
        width / 2.0,
        height - 9.0,
        escape(&caption)
    );
    svg + "</svg>"
}

/// What the colours mean, and what is left out.
fn caption(graph: &Graph) -> String {
    let leaves = graph.nodes.iter().filter_map(|node| node.leaf.as_ref());
    let mut folded: Vec<&str> =
        leaves.flat_map(|leaf| leaf.folded.iter().map(String::as_str)).collect();
    folded.sort_unstable();
    folded.dedup();
    let mut caption = "Green: the leaves (AccumulateGrad)".to_owned();
    if !folded.is_empty() {
        caption += &format!(" with the {} before them", folded.join(" and "));
    }
    if graph.total > graph.nodes.len() {
        caption += &format!("; the first {} of {} nodes", graph.nodes.len(), graph.total);
    }
    caption
}

fn arrows(layout: &Layout) -> String {
    let mut svg = "<g fill=\"none\" stroke=\"#5c5c5c\" stroke-width=\"1.2\">\n".to_owned();
    for route in &layout.routes {
        let _ = writeln!(svg, "<path d=\"{}\"/>", path(route));
    }
    svg += "</g>\n<g fill=\"#5c5c5c\">\n";
    for Route { points, .. } in &layout.routes {
        if let Some(Point { x, y }) = points.last() {
            let (length, half) = HEAD;
            let (left, right, top) = (x - half, x + half, y - length);
            let _ = writeln!(svg, "<path d=\"M{x} {y} L{left} {top} L{right} {top} Z\"/>");
        }
    }
    svg + "</g>\n"
}

/// Down through the layers, and in an S from one to the next.
fn path(route: &Route) -> String {
    let mut path = String::new();
    let last = route.points.len() - 1;
    for (index, Point { x, y }) in route.points.iter().enumerate() {
        // The head of the arrow covers the end.
        let y = if index == last { y - HEAD.0 + 1.0 } else { *y };
        // Points come in pairs: one layer's lower side, the next one's upper side.
        let _ = match index % 2 {
            0 if index == 0 => write!(path, "M{x} {y}"),
            0 => write!(path, " L{x} {y}"),
            _ => {
                let Point { x: from_x, y: from_y } = route.points[index - 1];
                let middle = (from_y + y) / 2.0;
                write!(path, " C{from_x} {middle} {x} {middle} {x} {y}")
            }
        };
    }
    path
}

fn node_box(node: &GraphNode, layout: &Layout, index: usize) -> String {
    let place = layout.boxes[index];
    let (fill, stroke, radius) = match node.leaf {
        Some(_) => ("#e2f3dc", "#3f7a32", 10),
        None => ("#e9eff9", "#45639b", 3),
    };
    let (x, y) = (place.x, place.y);
    let middle = (x + place.width / 2.0, y + place.height / 2.0 + 0.35 * FONT_SIZE);
    format!(
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"{radius}\" \
         fill=\"{fill}\" stroke=\"{stroke}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"middle\" \
         fill=\"{INK}\">{}</text></g>\n",
        escape(&tooltip(node)),
        place.width,
        place.height,
        middle.0,
        middle.1,
        escape(&shortened(&node.label()))
    )
}

/// What the box of a node stands for, in full.
fn tooltip(node: &GraphNode) -> String {
    let Some(leaf) = &node.leaf else { return node.label() };
    let mut text = format!("{}: {}", node.label(), node.name);
    if !leaf.folded.is_empty() {
        text += &format!(" behind {}", leaf.folded.join(", "));
    }
    text
}
