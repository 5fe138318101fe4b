//! Nets drawn as LeNet is.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::{self, seeded};
use blitz::display::Show;
use blitz::prelude::*;

fn store() -> nn::VarStore {
    nn::VarStore::new(Device::Cpu)
}

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

const LENET: &str = "input 1@32×32 → conv1 5×5 6@28×28 → max pool 2×2 6@14×14 → \
                     conv2 5×5 16@10×10 → max pool 2×2 16@5×5 → fc1 120 → fc2 84 → fc3 10";

/// The texts of an SVG's elements of this name, as Python's XML parser reads them; the parser
/// refuses what is not well-formed.
fn texts(svg: &str, element: &str) -> Vec<String> {
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  root = tree.fromstring(sys.stdin.buffer.read())\n\
                  assert root.get('role') == 'img', root.attrib\n\
                  found = root.iter('{http://www.w3.org/2000/svg}' + sys.argv[1])\n\
                  lines = '\\n'.join(each.text or '' for each in found)\n\
                  sys.stdout.buffer.write(lines.encode())";
    let mut python = Command::new(common::python())
        .args(["-B", "-c", script, element])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo blitz setup` makes .venv");
    python.stdin.take().unwrap().write_all(svg.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "not well-formed: {svg}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A number of an attribute of the svg element.
fn attribute(svg: &str, name: &str) -> f64 {
    let (_, after) = svg.split_once(&format!(" {name}=\"")).unwrap();
    after.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn lenet_reads_and_looks_as_in_its_paper() {
    let _turn = seeded(0);
    let vs = store();
    let drawn = diagram(&lenet(&vs.root()), &[1, 1, 32, 32]).unwrap();
    assert_eq!((drawn.to_text(), drawn.to_string()), (LENET.to_owned(), LENET.to_owned()));
    let bundle = drawn.bundle();
    assert_eq!(bundle.alt(), Some(LENET));
    let svg = bundle.form("image/svg+xml").unwrap().as_str().unwrap();
    assert_eq!(texts(svg, "desc"), [LENET]);
    let titles = texts(svg, "title");
    assert_eq!(titles[..2], ["Network from 1@32×32 to 10", "input: 1@32×32"]);
    assert_eq!(titles[2], "conv1: convolution 5×5, then relu: 6@28×28");
    assert_eq!(titles[8], "fc3: full connection: 10");
    let labels = texts(svg, "text");
    for label in ["6@28×28", "max pool", "2×2", "convolution", "5×5", "full", "connection", "84"]
    {
        assert!(labels.iter().any(|each| each == label), "{label}: {labels:?}");
    }
    // One background, one map of the input, 6 + 6 maps, 9 + 9 for 16, three bars.
    assert_eq!(svg.matches("<rect").count(), 1 + 1 + 12 + 18 + 3);
    let (width, height) = (attribute(svg, "width"), attribute(svg, "height"));
    assert!(
        (600.0..970.0).contains(&width) && (150.0..260.0).contains(&height),
        "{width} {height}"
    );
    // The batch is not in the picture, and nothing but the parameters is left in the store.
    assert_eq!(diagram(&lenet(&vs.root()), &[3, 1, 32, 32]).unwrap(), drawn);
    assert!(vs.trainable_variables().iter().all(|parameter| !parameter.grad().defined()));
}

#[test]
fn height_and_width_are_told_apart() {
    let _turn = seeded(0);
    let vs = store();
    let root = vs.root();
    let config = nn::ConvConfigND { stride: [2, 1], padding: [0, 1], ..Default::default() };
    let net = nn::seq()
        .add(nn::conv(&root / "a", 2, 3, [5, 2], config))
        .add_fn(|x| x.avg_pool2d([1, 3], [1, 3], [0, 0], false, true, None::<i64>).tanh());
    let drawn = diagram(&net, &[4, 2, 21, 11]).unwrap();
    let text = "input 2@21×11 → conv1 5×2 3@9×12 → average pool 1×3 3@9×4";
    assert_eq!(drawn.to_text(), text);
    assert_eq!(
        (drawn.stages[0].window.as_slice(), &drawn.input[..]),
        ([5, 2].as_slice(), &[2, 21, 11][..])
    );
    assert_eq!(drawn.stages[1].then, ["tanh"]);
    // Without a batch, as libtorch takes one image.
    assert_eq!(diagram(&net, &[2, 21, 11]).unwrap().to_text(), text);
    let svg = drawn.picture().0;
    let input = svg.split("<rect").nth(2).unwrap();
    assert!(attribute(input, "height") > attribute(input, "width"), "{input}");
    assert_eq!(texts(&svg, "title").len(), 4);
}

#[test]
fn other_shapes_and_operations_are_drawn_too() {
    let _turn = seeded(0);
    let vs = store();
    let text = |net: &dyn nn::ModuleT, shape: &[i64]| diagram(net, shape).unwrap().to_text();
    let fc = linear(vs.root() / "fc", 7, 3);
    assert_eq!(text(&fc, &[5, 7]), "input 7 → fc1 3");
    assert_eq!(text(&fc, &[7]), "input 7 → fc1 3");
    assert_eq!(text(&fc, &[5, 2, 7]), "input 2@7 → fc1 2@3");
    let conv = nn::conv1d(vs.root() / "1", 2, 3, 4, Default::default());
    assert_eq!(text(&conv, &[5, 2, 9]), "input 2@9 → conv1 4 3@6");
    let conv = nn::conv3d(vs.root() / "3", 2, 3, 2, Default::default());
    assert_eq!(text(&conv, &[5, 2, 4, 5, 6]), "input 2@4×5×6 → conv1 2×2×2 3@3×4×5");
    let conv = nn::conv_transpose2d(vs.root() / "t", 2, 3, 2, Default::default());
    assert_eq!(text(&conv, &[5, 2, 4, 6]), "input 2@4×6 → conv_transpose1 2×2 3@5×7");
    // A view is drawn where no layer behind it shows what it made.
    assert_eq!(text(&nn::func(|x| x.flatten(1, -1)), &[4, 2, 3]), "input 2@3 → flatten 6");
    assert_eq!(text(&nn::func(|x| x.relu()), &[4, 2, 3]), "input 2@3");
    assert_eq!(text(&nn::func(|x| x.view([-1, 3, 2])), &[4, 2, 3]), "input 2@3 → view 3@2");
    // A weight's transposition is no part of the way.
    let weight = vs.root().randn_standard("w", &[3, 2]);
    let net = nn::func(move |x| x.matmul(&weight.tr()));
    assert_eq!(text(&net, &[5, 2]), "input 2 → matmul 3");
    let global = nn::func(|x| x.adaptive_avg_pool2d([1, 1]).flat_view());
    assert_eq!(text(&global, &[2, 3, 8, 6]), "input 3@8×6 → adaptive average pool 3@1×1 → view 3");
    // Parameters of another kind tell it themselves.
    let mut half = store();
    let net = lenet(&half.root());
    half.double();
    assert_eq!(text(&net, &[1, 1, 32, 32]), LENET);
}

#[test]
fn branches_say_where_they_come_from() {
    let _turn = seeded(0);
    let vs = store();
    let net = tch::vision::resnet::resnet18(&vs.root(), 10);
    let drawn = diagram(&net, &[1, 3, 64, 48]).unwrap();
    let text = drawn.to_text();
    let start = "input 3@64×48 → conv1 7×7 64@32×24 → max pool 3×3 64@16×12 → \
                 conv2 3×3 64@16×12 → conv3 3×3 64@16×12 + max pool 3×3 → conv4 3×3 64@16×12 → \
                 conv5 3×3 64@16×12 + conv3 → conv6 3×3 128@8×6 → conv7 3×3 128@8×6 → \
                 conv8 1×1 128@8×6 (from conv5) + conv7 → conv9 3×3 128@8×6 → ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with(" → adaptive average pool 512@1×1 → fc1 10"), "{text}");
    assert_eq!(drawn.stages[0].then, ["batch norm", "relu"]);
    let svg = drawn.picture().0;
    assert!(texts(&svg, "text").iter().any(|label| label == "from conv5"));
    assert!(attribute(&svg, "width") < 970.0);
    assert!(svg.matches("<rect").count() < 22 * 12);
}

#[test]
fn a_long_net_is_cut_in_the_picture_and_not_in_the_text() {
    let _turn = seeded(0);
    let vs = store();
    let mut net = nn::seq();
    for layer in 0..130 {
        net = net.add(linear(vs.root() / layer, 2 + layer % 3, 2 + (layer + 1) % 3));
    }
    let drawn = diagram(&net, &[1, 2]).unwrap();
    assert_eq!(drawn.stages.len(), 130);
    assert!(drawn.to_text().ends_with(" → fc129 2 → fc130 3"), "{drawn}");
    let svg = drawn.picture().0;
    let titles = texts(&svg, "title");
    assert_eq!(titles[0], "Network from 2 to 3: the first 100 of 130 stages");
    assert_eq!(titles.len(), 1 + 1 + 100);
}

#[test]
fn a_diagram_refuses_what_a_summary_refuses() {
    let _turn = seeded(0);
    let vs = store();
    let net = lenet(&vs.root());
    let message = |shape: &[i64]| diagram(&net, shape).unwrap_err().to_string();
    assert_eq!(
        message(&[1, 1, 20, 22]),
        "the forward pass failed at fc1: Linear(in_features=400, out_features=120, bias=True) \
         expected an input of shape [.., 400], got [1, 64]. Each row has 64 features: make the \
         layer with in_features=64, or change what comes before it. Sizes up to there: input \
         [1, 1, 20, 22] -> conv1 [1, 6, 16, 18] -> relu [1, 6, 16, 18] -> max_pool2d \
         [1, 6, 8, 9] -> conv2 [1, 16, 4, 5] -> relu [1, 16, 4, 5] -> max_pool2d [1, 16, 2, 2] -> \
         flatten [1, 64]"
    );
    assert!(message(&[-1, 1, 32, 32]).contains("diagram"), "{}", message(&[-1, 1, 32, 32]));
    let error = diagram(&nn::func(|_| panic!("no way")), &[2, 3]).unwrap_err();
    assert!(matches!(error, blitz::Error::Forward { .. }), "{error}");
}
