//! The graph behind a tensor, as a picture and as text.
//!
//! libtorch records which operations made a tensor. `backward` walks this graph from the tensor,
//! usually a loss, to the leaves, the parameters. In Python one follows `loss.grad_fn` and
//! `next_functions`; the picture is what the package torchviz draws.
//!
//! The names are libtorch's, with one difference to Python: `&x + 2` is `AddBackward1` here, since
//! Python makes the number a tensor first (`AddBackward0`), and so with other operators.
//!
//! ```
//! use blitz::autograd::graph::{Graph, GraphOptions};
//! use blitz::tch::{Device, Kind, Tensor};
//!
//! let x = Tensor::ones([2, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let out = ((&x + 2) * &x).mean(Kind::Float);
//! let options = GraphOptions { names: vec![("x".to_owned(), x.shallow_clone())], ..Default::default() };
//! let graph = Graph::of(&out, &options)?;
//! assert_eq!(
//!     graph.to_text(),
//!     "MeanBackward0\n\
//!      └─ MulBackward0\n   \
//!         ├─ AddBackward1\n   \
//!         │  └─ x [2, 2]\n   \
//!         └─ x [2, 2] (see above)\n"
//! );
//! # Ok::<(), blitz::Error>(())
//! ```

mod fold;
mod layout;
mod nodes;
mod svg;
mod text;
mod walk;

use std::collections::HashMap;
use std::fmt;

use tch::Tensor;

use crate::display::{Bundle, Output, Show, Svg};
use crate::error::{Error, Result};
use crate::nn;

pub use layout::{Layout, NodeBox, Point, Route};
pub use nodes::{Graph, GraphEdge, GraphNode, Leaf};

/// What a [`Graph`] holds.
#[derive(Debug)]
pub struct GraphOptions {
    /// Names for the leaves, as [`nn::named_parameters`] gives them; none.
    pub names: Vec<(String, Tensor)>,
    /// How much is told about the leaves; [`Detail::Folded`].
    pub detail: Detail,
    /// The most nodes that are shown, at least 1; 400. Of a larger graph these are the ones
    /// nearest to the tensor.
    pub max_nodes: usize,
}

impl Default for GraphOptions {
    fn default() -> GraphOptions {
        GraphOptions { names: Vec::new(), detail: Detail::Folded, max_nodes: 400 }
    }
}

/// How much is told about the leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// A leaf and the operations that only look at it in another way, such as the `TBackward0` of
    /// a linear layer's weight, are one node.
    #[default]
    Folded,
    /// Each node of libtorch is a node.
    All,
}

impl Graph {
    /// The graph behind `tensor`, which is not modified. It stays the same after `backward`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a tensor without a history: one that no operation made, or made under
    /// `no_grad`, or from tensors that do not require gradients. [`Error::Option`] for
    /// `max_nodes` 0.
    pub fn of(tensor: &Tensor, options: &GraphOptions) -> Result<Graph> {
        if options.max_nodes == 0 {
            return Err(Error::option("max_nodes", "at least 1", "0"));
        }
        let walk = walk::walk(tensor)?;
        if walk.nodes.is_empty() {
            return Err(without_history(tensor));
        }
        let names: HashMap<usize, &str> = options
            .names
            .iter()
            .map(|(name, tensor)| (nn::identity(tensor), name.as_str()))
            .collect();
        let nodes = walk.nodes.into_iter().map(|found| GraphNode {
            id: found.id,
            name: found.name,
            leaf: found.leaf.map(|tensor| Leaf {
                name: names.get(&nn::identity(&tensor)).map(|name| (*name).to_owned()),
                shape: tensor.size(),
                kind: tensor.kind(),
                folded: Vec::new(),
            }),
        });
        let nodes: Vec<GraphNode> = nodes.collect();
        let edges = walk.links.into_iter();
        let edges =
            edges.map(|link| GraphEdge { from: link.from, to: link.to, input_nr: link.input_nr });
        let mut graph = Graph { total: nodes.len(), edges: edges.collect(), nodes };
        if options.detail == Detail::Folded {
            graph = fold::fold(graph);
        }
        graph.cut(options.max_nodes);
        Ok(graph)
    }

    /// The graph as an indented text. Each node appears once; where an edge leads to it again,
    /// `(see above)` stands behind it, with a number where several nodes are called the same.
    pub fn to_text(&self) -> String {
        text::text(self)
    }

    /// Where everything is in the picture, in pixels.
    pub fn layout(&self) -> Layout {
        layout::layout(self)
    }

    /// The graph as a picture: the tensor's own operation on top, the leaves in green.
    ///
    /// Its text alternative is one sentence; shown as a cell's last expression or by
    /// [`Graph::show`], the whole of [`Graph::to_text`] is the alternative.
    pub fn picture(&self) -> Svg<String> {
        Svg(svg::svg(self))
    }

    /// Shows the picture now: [`crate::display::show`].
    pub fn show(&self) {
        crate::display::show(self);
    }

    /// What evcxr calls when the graph is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

fn without_history(tensor: &Tensor) -> Error {
    let got = match () {
        () if !tensor.defined() => "an undefined tensor",
        () if tensor.requires_grad() => "a leaf, which no operation made",
        () => {
            "a tensor without a history (made under no_grad, or from tensors that do not require gradients)"
        }
    };
    Error::Shape {
        operation: "Graph::of",
        expected: "the result of an operation on tensors that require gradients".to_owned(),
        got: got.to_owned(),
    }
}

impl Show for Graph {
    fn bundle(&self) -> Bundle {
        self.picture().with_alt(format!("{}\n{}", self.title(), self.to_text()))
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
