//! A graph as an indented text.

use std::collections::HashMap;

use super::nodes::Graph;

pub(super) fn text(graph: &Graph) -> String {
    let mut next = vec![Vec::new(); graph.nodes.len()];
    let mut uses = vec![0; graph.nodes.len()];
    for edge in &graph.edges {
        next[edge.from].push(edge.to);
        uses[edge.to] += 1;
    }
    let labels = labels(graph, &uses);
    let mut written = vec![false; graph.nodes.len()];
    let mut text = String::new();
    // A list of what is left to write, the next line last: graphs are too deep for recursion.
    let mut left = vec![(0, String::new(), String::new())];
    while let Some((node, branch, indent)) = left.pop() {
        let again = if written[node] { " (see above)" } else { "" };
        text += &format!("{branch}{}{again}\n", labels[node]);
        if std::mem::replace(&mut written[node], true) {
            continue;
        }
        for (index, child) in next[node].iter().enumerate().rev() {
            let (corner, line) = if index + 1 == next[node].len() {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            left.push((*child, format!("{indent}{corner}"), format!("{indent}{line}")));
        }
    }
    if graph.total > graph.nodes.len() {
        text += &format!("... the first {} of {} nodes\n", graph.nodes.len(), graph.total);
    }
    text
}

/// The nodes' labels, with numbers where another line will point at one of several.
fn labels(graph: &Graph, uses: &[usize]) -> Vec<String> {
    let mut labels: Vec<String> = graph.nodes.iter().map(|node| node.label()).collect();
    let mut same: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, label) in labels.iter().enumerate() {
        same.entry(label.clone()).or_default().push(index);
    }
    for nodes in same.values().filter(|nodes| nodes.len() > 1) {
        for (number, index) in nodes.iter().enumerate().filter(|(_, index)| uses[**index] > 1) {
            labels[*index] += &format!(" #{}", number + 1);
        }
    }
    labels
}
