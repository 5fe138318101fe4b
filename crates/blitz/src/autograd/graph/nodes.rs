//! What a graph is made of.

use tch::Kind;

/// A node of the graph: an operation, or a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode {
    /// The same for the same node, as long as the tensor lives.
    pub id: usize,
    /// libtorch's name: `ConvolutionBackward0`; `AccumulateGrad` for a leaf.
    pub name: String,
    /// The tensor whose gradient ends here.
    pub leaf: Option<Leaf>,
}

/// A tensor whose gradient `backward` fills: a parameter, usually.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its name, where the options gave one.
    pub name: Option<String>,
    /// Its shape.
    pub shape: Vec<i64>,
    /// Its kind.
    pub kind: Kind,
    /// Operations that only look at the leaf in another way and were folded into this node, from
    /// the tensor's side: `TBackward0`.
    pub folded: Vec<String>,
}

/// From an operation to one that made an input of it; `backward` walks this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphEdge {
    /// Position of the operation in [`Graph::nodes`].
    pub from: usize,
    /// Position of the next node.
    pub to: usize,
    /// Which output of the next node it is.
    pub input_nr: u32,
}

/// The operations and leaves that a tensor was computed from.
///
/// As a cell's last expression it shows itself as a picture; `{}` is [`Graph::to_text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The nodes, the nearest to the tensor first.
    pub nodes: Vec<GraphNode>,
    /// The edges between them, in PyTorch's order.
    pub edges: Vec<GraphEdge>,
    /// How many nodes the whole graph has; more than `nodes` where they are too many to show.
    pub total: usize,
}

impl Graph {
    /// One sentence about the graph.
    pub(super) fn title(&self) -> String {
        let first = &self.nodes[0].name; // `of` makes no graph without nodes
        let leaves = self.nodes.iter().filter(|node| node.leaf.is_some()).count();
        let all = self.nodes.len();
        let shown = match self.total - all {
            0 => format!("{} and {}", counted(all - leaves, "operation"), counted(leaves, "leaf")),
            _ => format!("the first {all} of {} nodes", self.total),
        };
        format!("Autograd graph from {first}: {shown}")
    }

    /// Keeps the first `max_nodes` nodes.
    pub(super) fn cut(&mut self, max_nodes: usize) {
        self.nodes.truncate(max_nodes);
        self.edges.retain(|edge| edge.from.max(edge.to) < max_nodes);
    }
}

impl GraphNode {
    /// `ReluBackward0`, `conv1.weight [6, 1, 5, 5]`.
    pub fn label(&self) -> String {
        match &self.leaf {
            None => self.name.clone(),
            Some(Leaf { name, shape, .. }) => {
                format!("{} {shape:?}", name.as_deref().unwrap_or("leaf"))
            }
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    match (count, what) {
        (1, _) => format!("1 {what}"),
        (_, "leaf") => format!("{count} leaves"),
        _ => format!("{count} {what}s"),
    }
}
