//! The nodes behind a tensor.

use std::collections::HashMap;

use tch::Tensor;

use crate::autograd::Node;
use crate::error::Result;

/// A function of the graph.
pub(super) struct Found {
    pub id: usize,
    /// `MulBackward0`, `AccumulateGrad`.
    pub name: String,
    /// The tensor whose gradient an `AccumulateGrad` fills.
    pub leaf: Option<Tensor>,
}

/// From one node to the next, by their positions.
pub(super) struct Link {
    pub from: usize,
    pub to: usize,
    pub input_nr: u32,
}

#[derive(Default)]
pub(super) struct Walk {
    /// The nearest first, each once; empty for a tensor without a history.
    pub nodes: Vec<Found>,
    /// In the order of `next_functions`.
    pub links: Vec<Link>,
}

/// Everything that `tensor` was computed from.
pub(super) fn walk(tensor: &Tensor) -> Result<Walk> {
    let mut walk = Walk::default();
    let mut nodes: Vec<Node> = Node::of(tensor)?.into_iter().collect();
    let mut positions: HashMap<usize, usize> = nodes.iter().map(|node| (node.id(), 0)).collect();
    let mut from = 0;
    while let Some(node) = nodes.get(from).cloned() {
        walk.nodes.push(Found { id: node.id(), name: node.name(), leaf: node.variable() });
        for edge in node.next_functions() {
            let Some(function) = edge.function else { continue };
            let to = *positions.entry(function.id()).or_insert(nodes.len());
            if to == nodes.len() {
                nodes.push(function);
            }
            walk.links.push(Link { from, to, input_nr: edge.input_nr });
        }
        from += 1;
    }
    Ok(walk)
}
