//! The autograd graph against PyTorch's, and its picture.
#![allow(clippy::unwrap_used)]

mod common;

use blitz::autograd::graph::{Detail, Layout, NodeBox};
use blitz::display::Show;
use blitz::prelude::*;
use common::reference;
use serde_json::{Value, json};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn lenet(root: &nn::Path) -> nn::Sequential {
    nn::seq()
        .add(conv2d(root / "conv1", 1, 6, 5))
        .add_fn(|x| x.relu().max_pool2d_default(2))
        .add(conv2d(root / "conv2", 6, 16, 5))
        .add_fn(|x| x.relu().max_pool2d_default(2).flatten(1, -1))
        .add(linear(root / "fc1", 400, 120))
        .add(ReLU)
        .add(linear(root / "fc2", 120, 84))
        .add(ReLU)
        .add(linear(root / "fc3", 84, 10))
}

/// LeNet's loss, and options that name its parameters.
fn lenet_loss() -> (Tensor, GraphOptions) {
    let vs = nn::VarStore::new(Device::Cpu);
    let output = lenet(&vs.root()).forward(&Tensor::zeros([1, 1, 32, 32], FLOAT));
    let loss = mse_loss(&output, &Tensor::zeros([1, 10], FLOAT)).unwrap();
    (loss, GraphOptions { names: named_parameters(&vs), ..Default::default() })
}

fn leaf() -> Tensor {
    Tensor::ones([2, 3], FLOAT).set_requires_grad(true)
}

fn branches(x: &Tensor) -> Tensor {
    let parts = (x.exp() * x).split_with_sizes([1, 2], 1);
    let sum = (&parts[0] + &parts[1]).sum(Kind::Float);
    sum + parts[1].relu().sum(Kind::Float) + x.sum(Kind::Float)
}

/// Its graph has edges that skip layers, and nodes that several edges lead to.
fn skips() -> Tensor {
    let x = leaf();
    let (mut h, mut sum) = (x.shallow_clone(), x.shallow_clone());
    for _ in 0..4 {
        h = h.exp() * &h;
        sum = sum + &h + h.relu();
    }
    (sum + &x).sum(Kind::Float)
}

fn all() -> GraphOptions {
    GraphOptions { detail: Detail::All, ..Default::default() }
}

#[test]
fn nodes_and_edges_are_those_of_pytorch() {
    let x = leaf();
    // A number beside a tensor would run the operation AddBackward1; Python makes it a tensor.
    let y = &x + Tensor::from(2f32);
    let first = (&y * &y * Tensor::from(3f32)).mean(Kind::Float);
    let cases = [("lenet", lenet_loss().0), ("first", first), ("branches", branches(&x))];
    for (name, tensor) in cases {
        let graph = Graph::of(&tensor, &all()).unwrap();
        let shape = |leaf: &blitz::autograd::graph::Leaf| json!(leaf.shape);
        let nodes: Vec<Value> = graph
            .nodes
            .iter()
            .map(|node| json!([node.name, node.leaf.as_ref().map(shape)]))
            .collect();
        let edges: Vec<Value> =
            graph.edges.iter().map(|edge| json!([edge.from, edge.to, edge.input_nr])).collect();
        let expected = reference("graph")[name].clone();
        assert_eq!(json!({"nodes": nodes, "edges": edges}), expected, "{name}");
        assert_eq!(graph.total, nodes.len());
    }
}

#[test]
fn lenet_as_text() {
    let (loss, options) = lenet_loss();
    let graph = Graph::of(&loss, &options).unwrap();
    let text = "\
MseLossBackward0
└─ AddmmBackward0
   ├─ fc3.bias [10]
   ├─ ReluBackward0
   │  └─ AddmmBackward0
   │     ├─ fc2.bias [84]
   │     ├─ ReluBackward0
   │     │  └─ AddmmBackward0
   │     │     ├─ fc1.bias [120]
   │     │     ├─ ViewBackward0
   │     │     │  └─ MaxPool2DWithIndicesBackward0
   │     │     │     └─ ReluBackward0
   │     │     │        └─ ConvolutionBackward0
   │     │     │           ├─ MaxPool2DWithIndicesBackward0
   │     │     │           │  └─ ReluBackward0
   │     │     │           │     └─ ConvolutionBackward0
   │     │     │           │        ├─ conv1.weight [6, 1, 5, 5]
   │     │     │           │        └─ conv1.bias [6]
   │     │     │           ├─ conv2.weight [16, 6, 5, 5]
   │     │     │           └─ conv2.bias [16]
   │     │     └─ fc1.weight [120, 400]
   │     └─ fc2.weight [84, 120]
   └─ fc3.weight [10, 84]
";
    assert_eq!(graph.to_text(), text);
    assert_eq!(graph.to_string(), text);
    let weight = graph.nodes.iter().find(|node| node.label() == "fc3.weight [10, 84]").unwrap();
    assert_eq!(
        (weight.name.as_str(), weight.leaf.as_ref().unwrap().folded.len()),
        ("AccumulateGrad", 1)
    );
    assert_eq!((graph.total, graph.edges.len()), (23, 22));
}

#[test]
fn a_node_is_told_once_and_then_referred_to() {
    let x = leaf();
    let y = &x + Tensor::from(2f32);
    let z = &y + Tensor::from(1f32);
    let graph = Graph::of(&(&y * &z + &y), &Default::default()).unwrap();
    // The graph has three additions; the line that is referred to carries its number.
    assert_eq!(
        graph.to_text(),
        "AddBackward0\n\
         ├─ MulBackward0\n\
         │  ├─ AddBackward0 #2\n\
         │  │  └─ leaf [2, 3]\n\
         │  └─ AddBackward0\n\
         │     └─ AddBackward0 #2 (see above)\n\
         └─ AddBackward0 #2 (see above)\n"
    );
}

#[test]
fn views_of_a_leaf_are_folded_into_it() {
    let x = leaf();
    let t = x.tr();
    let graph = |tensor: &Tensor| Graph::of(tensor, &Default::default()).unwrap().to_text();
    assert_eq!(graph(&t.unsqueeze(0).exp()), "ExpBackward0\n└─ leaf [2, 3]\n");
    // Two uses of one view are two edges to the leaf.
    assert_eq!(
        graph(&(t.exp() + &t)),
        "AddBackward0\n├─ ExpBackward0\n│  └─ leaf [2, 3]\n└─ leaf [2, 3] (see above)\n"
    );
    // With an edge of the leaf's own, it would not be clear which goes through the view.
    assert_eq!(
        graph(&(t.sum(Kind::Float) + x.sum(Kind::Float))),
        "AddBackward0\n├─ SumBackward0\n│  └─ TBackward0\n│     └─ leaf [2, 3]\n\
         └─ SumBackward0\n   └─ leaf [2, 3] (see above)\n"
    );
    // The tensor's own operation stays, and so do operations that compute.
    assert_eq!(graph(&t), "TBackward0\n└─ leaf [2, 3]\n");
    assert_eq!(
        graph(&x.exp().sum(Kind::Float)),
        "SumBackward0\n└─ ExpBackward0\n   └─ leaf [2, 3]\n"
    );
}

#[test]
fn the_graph_is_there_after_backward_and_ids_stay() {
    let x = leaf();
    let out = (&x * &x).sum(Kind::Float);
    let before = Graph::of(&out, &Default::default()).unwrap();
    out.backward();
    assert_eq!(Graph::of(&out, &Default::default()).unwrap(), before);
    let again = Graph::of(&(&out + 1), &Default::default()).unwrap();
    assert_eq!(again.nodes[1].id, before.nodes[0].id);
    assert_ne!(again.nodes[0].id, before.nodes[0].id);
}

#[test]
fn a_tensor_without_a_graph_is_refused() {
    let message = |tensor: &Tensor| Graph::of(tensor, &all()).unwrap_err().to_string();
    let x = leaf();
    assert_eq!(
        message(&x),
        "Graph::of expected the result of an operation on tensors that require gradients, got a \
         leaf, which no operation made"
    );
    let text = message(&tch::no_grad(|| &x * 2));
    assert!(text.contains("without a history (made under no_grad"), "{text}");
    assert!(message(&x.grad()).ends_with("got an undefined tensor"));
    let options = GraphOptions { max_nodes: 0, ..Default::default() };
    let text = Graph::of(&(&x * 2), &options).unwrap_err().to_string();
    assert_eq!(text, "option max_nodes must be at least 1, got 0");
}

#[test]
fn a_large_graph_is_cut() {
    let mut x = leaf();
    for _ in 0..30_000 {
        x = x.exp();
    }
    let options = GraphOptions { max_nodes: 5, ..Default::default() };
    let graph = Graph::of(&x, &options).unwrap();
    assert_eq!((graph.nodes.len(), graph.edges.len(), graph.total), (5, 4, 30_001));
    assert!(graph.to_text().ends_with("\n... the first 5 of 30001 nodes\n"));
    let svg = graph.picture().0;
    assert!(svg.contains("; the first 5 of 30001 nodes</text>"));
    assert!(svg.contains("<title>Autograd graph from ExpBackward0: the first 5 of 30001 nodes<"));
    // The usual limit keeps the picture and the text of a deep graph from growing without end.
    let graph = Graph::of(&x, &Default::default()).unwrap();
    assert_eq!((graph.nodes.len(), graph.to_text().lines().count()), (400, 401));
}

fn overlap(a: &NodeBox, b: &NodeBox) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/// Boxes inside the picture, apart from each other, and no arrow through them.
fn check(name: &str, layout: &Layout) {
    let Layout { width, height, boxes, routes } = layout;
    for (index, a) in boxes.iter().enumerate() {
        let inside =
            a.x >= 0.0 && a.y >= 0.0 && a.x + a.width <= *width && a.y + a.height <= *height;
        assert!(inside && a.width > 10.0 && a.height > 10.0, "{name}: {a:?}");
        for b in &boxes[index + 1..] {
            assert!(!overlap(a, b), "{name}: {a:?} {b:?}");
        }
    }
    for route in routes {
        let (from, to) = (&boxes[route.from], &boxes[route.to]);
        let (first, last) = (route.points[0], route.points.last().unwrap());
        assert_eq!((first.x, first.y), (from.x + from.width / 2.0, from.y + from.height));
        assert_eq!((last.x, last.y), (to.x + to.width / 2.0, to.y));
        for (index, part) in route.points.windows(2).enumerate() {
            let (a, b) = (part[0], part[1]);
            assert!(a.y < b.y && a.x >= 0.0 && a.x <= *width, "{name}: {route:?}");
            let crossed = boxes.iter().filter(|each| each.y < b.y && a.y < each.y + each.height);
            if index % 2 == 0 {
                // Between two layers: nothing is there.
                assert_eq!(crossed.count(), 0, "{name}: {route:?}");
            } else {
                // Past a layer, straight down and beside its boxes.
                assert_eq!(a.x, b.x);
                for each in crossed {
                    let beside = a.x < each.x || a.x > each.x + each.width;
                    assert!(beside, "{name}: {route:?} {each:?}");
                }
            }
        }
    }
}

#[test]
fn boxes_keep_apart_and_arrows_beside_them() {
    let (loss, options) = lenet_loss();
    let resnet = nn::VarStore::new(Device::Cpu);
    let net = tch::vision::resnet::resnet18(&resnet.root(), 10);
    let output = nn::ModuleT::forward_t(&net, &Tensor::zeros([2, 3, 33, 32], FLOAT), true);
    let resnet = GraphOptions { names: named_parameters(&resnet), ..Default::default() };
    let x = leaf();
    for (name, graph) in [
        ("lenet", Graph::of(&loss, &options)),
        ("lenet, all", Graph::of(&loss, &all())),
        ("skips", Graph::of(&skips(), &options)),
        ("branches", Graph::of(&branches(&x), &options)),
        ("resnet", Graph::of(&output, &resnet)),
        ("one node", Graph::of(&(&x + 1), &GraphOptions { max_nodes: 1, ..Default::default() })),
        ("twice", Graph::of(&(&x * &x), &options)),
    ] {
        let graph = graph.unwrap();
        let layout = graph.layout();
        assert_eq!(layout.boxes.len(), graph.nodes.len(), "{name}");
        let mut pairs: Vec<_> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut routes: Vec<_> = layout.routes.iter().map(|route| (route.from, route.to)).collect();
        routes.sort_unstable();
        assert_eq!(routes, pairs, "{name}");
        check(name, &layout);
        // The same graph gives the same picture, each time.
        assert_eq!(graph.layout(), layout, "{name}");
    }
}

#[test]
fn any_graph_is_laid_out() {
    // A generator by hand (Knuth's constants), so that the graphs are the same each time.
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for size in 1..60 {
        let mut tensors = vec![leaf(), leaf()];
        for _ in 0..size {
            let (a, b) = (random(tensors.len()), random(tensors.len()));
            tensors.push(if random(3) == 0 { tensors[a].exp() } else { &tensors[a] * &tensors[b] });
        }
        let sum = tensors.iter().skip(size).fold(tensors[size].exp(), |sum, x| sum + x);
        let graph = Graph::of(&sum, &all()).unwrap();
        check(&format!("size {size}"), &graph.layout());
    }
}

/// The number of an attribute of the svg element.
fn attribute(svg: &str, name: &str) -> f64 {
    let (_, after) = svg.split_once(&format!(" {name}=\"")).unwrap();
    after.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn lenet_fits_a_notebook() {
    let (loss, options) = lenet_loss();
    let graph = Graph::of(&loss, &options).unwrap();
    let svg = graph.picture().0;
    let (width, height) = (attribute(&svg, "width"), attribute(&svg, "height"));
    assert!(
        (500.0..900.0).contains(&width) && (500.0..640.0).contains(&height),
        "{width} {height}"
    );
    assert!(attribute(&svg, "font-size") >= 12.0);
    for node in &graph.nodes {
        assert!(svg.contains(&format!(">{}</text>", node.label())), "{}", node.label());
    }
    assert_eq!(svg.matches("</g>").count(), svg.matches("<g").count());
    assert!(
        svg.contains("Green: the leaves (AccumulateGrad) with the TBackward0 before them</text>")
    );
    let title = "Autograd graph from MseLossBackward0: 13 operations and 10 leaves";
    assert!(svg.contains(&format!("<title>{title}</title>")));
    assert_eq!(graph.picture().bundle().alt(), Some(title));
    let bundle = graph.bundle();
    assert_eq!(bundle.form("image/svg+xml").unwrap().as_str().unwrap(), svg);
    assert_eq!(bundle.alt().unwrap(), format!("{title}\n{}", graph.to_text()));
}

#[test]
fn names_are_written_as_they_are_and_long_ones_cut() {
    let x = leaf();
    let long = "blöck<1>&".repeat(9);
    let names = vec![(long.clone(), x.shallow_clone())];
    let graph = Graph::of(&x.exp(), &GraphOptions { names, ..Default::default() }).unwrap();
    assert!(graph.to_text().contains(&long));
    let svg = graph.picture().0;
    assert!(svg.contains("blöck&lt;1&gt;&amp;") && svg.contains("…</text>"));
    assert!(!svg.contains("ck<1>"));
    check("long", &graph.layout());
    assert!(graph.layout().width < 500.0);
}
