//! Leaves together with the operations that only look at them in another way.

use super::nodes::{Graph, GraphEdge};

/// Operations that compute nothing: their output shares the memory of their one input.
const VIEWS: [&str; 10] = [
    "TBackward0",
    "TransposeBackward0",
    "PermuteBackward0",
    "ViewBackward0",
    "UnsafeViewBackward0",
    "ReshapeAliasBackward0",
    "ExpandBackward0",
    "UnsqueezeBackward0",
    "SqueezeBackward0",
    "SqueezeBackward1",
];

/// Folds views between operations and a leaf into the leaf, where all edges to it go through them.
pub(super) fn fold(mut graph: Graph) -> Graph {
    let mut before = vec![Vec::new(); graph.nodes.len()];
    for edge in &graph.edges {
        before[edge.to].push(edge.from);
    }
    let mut gone = vec![false; graph.nodes.len()];
    // What an edge to a folded node leads to instead.
    let mut target: Vec<usize> = (0..graph.nodes.len()).collect();
    for leaf in 0..graph.nodes.len() {
        let mut near = leaf;
        while let [view] = before[near][..] {
            // The picture begins with the tensor's own operation, whatever it is; and a view of
            // several things is no view.
            if view == 0 || !VIEWS.contains(&graph.nodes[view].name.as_str()) {
                break;
            }
            let name = graph.nodes[view].name.clone();
            let Some(leaf_of) = &mut graph.nodes[leaf].leaf else { break };
            leaf_of.folded.insert(0, name);
            gone[view] = true;
            target[view] = leaf;
            near = view;
        }
    }
    without(graph, &gone, &target)
}

/// The graph without the nodes that are `gone`; edges to those lead to their `target`.
fn without(graph: Graph, gone: &[bool], target: &[usize]) -> Graph {
    let mut position = vec![0; gone.len()];
    let mut kept = 0;
    for (index, gone) in gone.iter().enumerate() {
        position[index] = kept;
        kept += usize::from(!gone);
    }
    let edges = graph.edges.into_iter().filter(|edge| !gone[edge.from]);
    let edges = edges.map(|edge| GraphEdge {
        from: position[edge.from],
        to: position[target[edge.to]],
        input_nr: edge.input_nr,
    });
    let edges = edges.collect();
    let nodes = graph.nodes.into_iter().zip(gone).filter(|(_, gone)| !**gone);
    let nodes: Vec<_> = nodes.map(|(node, _)| node).collect();
    Graph { total: nodes.len(), nodes, edges }
}
