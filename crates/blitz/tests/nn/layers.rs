//! Layers, descriptions, summaries, parameters and losses against PyTorch.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::common::{difference, floats, integers, reference, seeded, values};
use blitz::nn::{LinearOptions, SummaryRow, linear_with};
use blitz::prelude::*;
use tch::Reduction;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// `wave` of make_nn.py: numbers by formula, different along each axis.
fn wave(shape: &[i64]) -> Tensor {
    let count: i64 = shape.iter().product();
    let numbers = (Tensor::arange(count, (Kind::Int64, Device::Cpu)) * 37).remainder(101);
    (numbers.to_kind(Kind::Float) / 50.0 - 1.0).view(shape)
}

#[derive(Debug)]
struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl LeNet {
    fn new(root: &nn::Path) -> LeNet {
        LeNet {
            conv1: conv2d(root / "conv1", 1, 6, 5),
            conv2: conv2d(root / "conv2", 6, 16, 5),
            fc1: linear(root / "fc1", 400, 120),
            fc2: linear(root / "fc2", 120, 84),
            fc3: linear(root / "fc3", 84, 10),
        }
    }
}

impl Module for LeNet {
    fn forward(&self, input: &Tensor) -> Tensor {
        let s2 = input.apply(&self.conv1).relu().max_pool2d_default(2);
        let s4 = s2.apply(&self.conv2).relu().max_pool2d_default(2);
        let f6 = s4.flatten(1, -1).apply(&self.fc1).relu().apply(&self.fc2).relu();
        f6.apply(&self.fc3)
    }
}

fn store() -> nn::VarStore {
    nn::VarStore::new(Device::Cpu)
}

fn convolutions(root: &nn::Path) -> Vec<Conv2d> {
    let strange = Conv2dOptions { stride: 2, padding: 1, dilation: 2, groups: 2, bias: false };
    let padded = Conv2dOptions { padding: 2, ..Default::default() };
    let grouped = Conv2dOptions { groups: 2, ..Default::default() };
    vec![
        conv2d_with(root / "0", 4, 6, 3, strange),
        conv2d_with(root / "1", 1, 2, 5, padded),
        conv2d_with(root / "2", 2, 2, 1, grouped),
    ]
}

fn sequential(root: &nn::Path) -> nn::Sequential {
    nn::seq()
        .add(conv2d(root / "0", 1, 6, 5))
        .add(ReLU)
        .add(MaxPool2d::new(2))
        .add(conv2d(root / "3", 6, 16, 5))
        .add(ReLU)
        .add(MaxPool2d::new(2))
        .add(Flatten::default())
        .add(linear(root / "7", 16 * 2 * 2, 120))
        .add(ReLU)
        .add(linear(root / "9", 120, 10))
}

fn pool_rounding_up() -> MaxPool2d {
    MaxPool2d { kernel_size: 3, stride: 2, padding: 1, dilation: 1, ceil_mode: true }
}

#[test]
fn layers_compute_what_pytorch_computes() {
    let _turn = seeded(3);
    let vs = store();
    let mut layers: Vec<Box<dyn Module>> = Vec::new();
    for conv in convolutions(&vs.root()) {
        layers.push(Box::new(conv));
    }
    layers.push(Box::new(linear(vs.root() / "3", 5, 3)));
    layers.push(Box::new(linear_with(vs.root() / "4", 5, 3, LinearOptions { bias: false })));
    layers.push(Box::new(MaxPool2d::new(2)));
    layers.push(Box::new(pool_rounding_up()));
    layers.push(Box::new(Flatten::default()));
    layers.push(Box::new(ReLU));
    let inputs: [&[i64]; 9] = [
        &[2, 4, 9, 8],
        &[2, 1, 5, 4],
        &[2, 2, 3], // one image, without a batch
        &[4, 5],
        &[2, 4, 5],
        &[2, 3, 7, 6],
        &[3, 7, 6],
        &[2, 3, 2, 4],
        &[2, 3],
    ];
    let expected = reference("nn")["outputs"].as_array().unwrap().clone();
    assert_eq!(expected.len(), layers.len());
    for ((layer, shape), expected) in layers.iter().zip(inputs).zip(&expected) {
        let input = wave(shape);
        let output = layer.forward(&input);
        assert_eq!(output.size(), integers(&expected["shape"]), "{layer:?}");
        let difference = difference(&values(&output), &floats(&expected["values"]));
        assert!(difference < 1e-6, "{layer:?}: {difference}");
        assert_eq!(input, wave(shape), "{layer:?} modified its input");
    }
}

fn message<T: Debug>(result: blitz::Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_convolution_says_what_does_not_fit() {
    let _turn = seeded(0);
    let vs = store();
    let conv = conv2d(vs.root() / "conv", 1, 6, 5);
    let text = |shape: &[i64]| message(conv.f_forward(&Tensor::zeros(shape, FLOAT)));
    let layer = "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1)) expected ";
    assert_eq!(
        text(&[32, 32]),
        format!(
            "{layer}an input of shape [N, 1, H, W], got [32, 32]. The channel and the batch \
             dimension are missing: add them with input.unsqueeze(0).unsqueeze(0)"
        )
    );
    assert!(text(&[32]).contains("[N, 1, H, W], got [32]"));
    assert!(text(&[1, 1, 1, 32, 32]).ends_with("[N, 1, H, W], got [1, 1, 1, 32, 32]"));
    assert!(text(&[1, 3, 32, 32]).contains("[N, 1, H, W], got [1, 3, 32, 32]. "));
    assert!(
        text(&[4, 32, 32])
            .ends_with("4 images without a channel dimension? Add it with input.unsqueeze(1)")
    );
    let small =
        "images of at least 5 x 5 pixels, got [2, 1, 4, 9]. Layers before it have made them";
    assert!(text(&[2, 1, 4, 9]).contains(small), "{}", text(&[2, 1, 4, 9]));
    let channels = text(&[2, 3, 9, 9]);
    assert!(channels.contains("3 channels: make the layer with in_channels=3"), "{channels}");
    let text = message(conv.f_forward(&Tensor::zeros([1, 1, 9, 8], (Kind::Int64, Device::Cpu))));
    assert!(text.contains("kind Float") && text.contains("input.to_kind(Kind::Float)"), "{text}");
    let color = conv2d(vs.root() / "color", 3, 6, 5);
    let text = message(color.f_forward(&Tensor::zeros([1, 32, 30, 3], FLOAT)));
    assert!(text.ends_with("input.movedim(-1, -3)"), "{text}");
    let panic = std::panic::catch_unwind(|| conv.forward(&Tensor::zeros([32, 32], FLOAT)));
    let panic = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(panic.starts_with("Conv2d(1, 6, ") && !panic.contains("frame"), "{panic}");
}

#[test]
fn a_linear_layer_says_what_does_not_fit() {
    let _turn = seeded(0);
    let vs = store();
    let fc1 = linear(vs.root() / "fc1", 400, 120);
    let text = |shape: &[i64]| message(fc1.f_forward(&Tensor::zeros(shape, FLOAT)));
    let start = "Linear(in_features=400, out_features=120, bias=True) expected an input of shape \
                 [.., 400], got ";
    for (shape, hint) in [
        (&[16, 25][..], "give the net input.unsqueeze(0)"),
        (&[3, 16, 5, 5], "Flatten it first: input.flatten(1, -1)"),
        (&[1, 64], "in_features=64"),
        (&[1, 64, 3], "[1, 64, 3]"),
        (&[], "[]"),
    ] {
        let text = text(shape);
        assert!(text.starts_with(&format!("{start}{shape:?}")), "{text}");
        assert!(text.ends_with(hint) || text.contains(hint), "{text}");
    }
    let integers = Tensor::zeros([1, 400], (Kind::Int64, Device::Cpu));
    let text = message(fc1.f_forward(&integers));
    assert!(text.contains("kind Float, as its weight, got Int64"), "{text}");
    assert_eq!(fc1.f_forward(&Tensor::zeros([400], FLOAT)).unwrap().size(), [120]);
}

#[test]
fn the_other_layers_say_what_does_not_fit() {
    let _turn = seeded(0);
    let text = message(MaxPool2d::new(2).f_forward(&Tensor::zeros([4, 5], FLOAT)));
    assert!(text.contains("expected an input of shape [N, C, H, W], got [4, 5]"), "{text}");
    let text = message(MaxPool2d::new(2).f_forward(&Tensor::zeros([1, 3, 1, 5], FLOAT)));
    assert!(text.contains("at least 2 x 2 pixels, got [1, 3, 1, 5]"), "{text}");
    let text = message(Flatten { start_dim: 2, end_dim: 3 }.f_forward(&wave(&[2, 3])));
    assert!(text.contains("at least 4 dimensions, got [2, 3]"), "{text}");
    let text = message(ReLU.f_forward(&Tensor::zeros([2], (Kind::Bool, Device::Cpu))));
    assert!(text.contains("libtorch refused ReLU()"), "{text}");
    for bad in [
        || drop(conv2d(store().root(), 0, 1, 1)),
        || drop(linear(store().root(), 3, 0)),
        || {
            let options = Conv2dOptions { groups: 2, ..Default::default() };
            drop(conv2d_with(store().root(), 3, 4, 1, options))
        },
    ] {
        let panic = std::panic::catch_unwind(bad).unwrap_err().downcast::<String>().unwrap();
        assert!(panic.contains("expected"), "{panic}");
    }
}

#[derive(Debug)]
#[allow(dead_code)]
struct Block {
    conv: Conv2d,
    act: ReLU,
}

/// Holds modules in every way, and things that are none.
#[derive(Debug)]
#[allow(dead_code)]
struct Nested {
    stem: Box<Conv2d>,
    blocks: Vec<Block>,
    empty: nn::Sequential,
    head: Option<nn::Sequential>,
    heads: BTreeMap<&'static str, Box<dyn Module>>,
    scale: Tensor,
    none: Option<Linear>,
    rate: f64,
    sizes: (i64, [i64; 2]),
    options: Conv2dOptions,
    history: Vec<Tensor>,
    name: String,
}

fn nested(root: &nn::Path) -> Nested {
    let plain = Conv2dOptions { padding: 1, bias: false, ..Default::default() };
    let block = |index: i64, channels| Block {
        conv: conv2d_with(root / index, channels, channels, 3, plain),
        act: ReLU,
    };
    let two = Conv2dOptions { stride: 2, ..Default::default() };
    let a: Box<dyn Module> = Box::new(linear(root / "a", 3, 1));
    Nested {
        stem: Box::new(conv2d_with(root / "stem", 3, 4, 3, two)),
        blocks: vec![block(0, 4), block(1, 4), block(2, 8)],
        empty: nn::seq(),
        head: Some(nn::seq().add(Flatten::default()).add(linear(root / "head", 8, 2))),
        heads: BTreeMap::from([("a", a), ("b", Box::new(ReLU) as Box<dyn Module>)]),
        scale: root.ones("scale", &[3]),
        none: None,
        rate: 0.5,
        sizes: (1, [2, 3]),
        options: two,
        history: vec![Tensor::zeros([2, 3], FLOAT)],
        name: "a (b) {\n  c: d".to_owned(),
    }
}

fn layers_of_tch(root: &nn::Path) -> Vec<Box<dyn nn::ModuleT>> {
    use tch::nn as t;
    let conv = t::ConvConfig::default();
    let strange =
        t::ConvConfig { stride: 2, padding: 1, dilation: 2, groups: 2, bias: false, ..conv };
    let reflect = t::ConvConfig { padding: 1, padding_mode: t::PaddingMode::Reflect, ..conv };
    let transposed = t::ConvTransposeConfig { stride: 2, output_padding: 1, ..Default::default() };
    let plain = t::LinearConfig { bias: false, ..Default::default() };
    let p = |index: i64| root / index;
    vec![
        Box::new(t::conv2d(p(0), 1, 6, 5, conv)),
        Box::new(t::conv2d(p(1), 4, 6, 3, strange)),
        Box::new(t::conv2d(p(2), 3, 6, 3, reflect)),
        Box::new(t::conv1d(p(3), 3, 6, 3, conv)),
        Box::new(t::conv_transpose2d(p(4), 3, 4, 5, transposed)),
        Box::new(t::linear(p(5), 84, 10, Default::default())),
        Box::new(t::linear(p(6), 84, 3, plain)),
        Box::new(t::batch_norm2d(p(7), 64, Default::default())),
        Box::new(t::batch_norm1d(p(8), 4, Default::default())),
        Box::new(t::layer_norm(p(9), vec![3, 4], Default::default())),
        Box::new(t::group_norm(p(10), 2, 4, Default::default())),
    ]
}

#[test]
fn descriptions_are_what_pytorch_prints() {
    let _turn = seeded(0);
    let expected = reference("nn")["printed"].clone();
    let check = |name: &str, net: &dyn Debug| {
        assert_eq!(describe(net).to_string(), expected[name].as_str().unwrap(), "{name}");
    };
    check("lenet", &LeNet::new(&store().root()));
    check("sequential", &sequential(&store().root()));
    check("nested", &nested(&store().root()));
    check("convolutions", &convolutions(&store().root()));
    check("pools", &[MaxPool2d::new(2), pool_rounding_up()]);
    check("flattens", &[Flatten::default(), Flatten { start_dim: 0, end_dim: 2 }]);
    check("tch", &layers_of_tch(&store().root()));
    // The crate's net has another name than Python's.
    let text = describe(&cifar10_net(&store().root())).to_string();
    assert_eq!(text, expected["net"].as_str().unwrap().replacen("Net", "CifarNet", 1));
}

#[test]
fn what_hides_its_structure_is_described_by_its_name() {
    let _turn = seeded(0);
    let text = |net: &dyn Debug| format!("{:?}", describe(net));
    assert_eq!(text(&nn::func(Tensor::relu)), "Func()");
    assert_eq!(text(&tch::vision::resnet::resnet18(&store().root(), 10)), "FuncT()");
    let net = nn::seq().add_fn(Tensor::relu).add(linear(store().root() / "a", 2, 3));
    assert_eq!(
        text(&net),
        "Sequential(\n  (0): Func()\n  (1): Linear(in_features=2, out_features=3, bias=True)\n)"
    );
    let lstm = nn::lstm(store().root(), 2, 3, Default::default());
    assert_eq!(text(&lstm), "LSTM()");
    #[derive(Debug)]
    struct Unit;
    assert_eq!(text(&Unit), "Unit()");
    // No net at all, but never nothing.
    assert_eq!(text(&5), "5");
    assert_eq!(text(&describe(&LeNet::new(&store().root()))), text(&LeNet::new(&store().root())));
}

/// PyTorch's rows, and those of `rows` that are layers with parameters.
fn compare_layers(name: &str, rows: &[SummaryRow]) {
    let expected = reference("nn")["summaries"][name].as_array().unwrap().clone();
    // Hooks see modules only: those without parameters have no name here.
    let layers: Vec<_> = expected.iter().filter(|row| row[3] != 0).collect();
    let got: Vec<_> = rows.iter().filter(|row| !row.name.is_empty()).collect();
    assert_eq!(got.len(), layers.len());
    for (row, expected) in got.iter().zip(layers) {
        assert_eq!(row.name, expected[0].as_str().unwrap());
        assert_eq!(row.kind, expected[1].as_str().unwrap());
        assert_eq!(row.output, integers(&expected[2]));
        assert_eq!(row.parameters as u64, expected[3].as_u64().unwrap());
    }
}

#[test]
fn a_summary_has_the_rows_of_pytorchs_hooks() {
    let _turn = seeded(0);
    let vs = store();
    let net = LeNet::new(&vs.root());
    let got = summary(&net, &vs, &Tensor::zeros([2, 1, 32, 32], FLOAT)).unwrap();
    compare_layers("lenet", &got.rows);
    let kinds: Vec<&str> = got.rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "Conv2d",
            "relu",
            "max_pool2d",
            "Conv2d",
            "relu",
            "max_pool2d",
            "flatten",
            "Linear",
            "relu",
            "Linear",
            "relu",
            "Linear"
        ]
    );
    assert_eq!(got.rows[6].output, [2, 400]);
    assert_eq!((got.parameters, got.trainable, got.bytes), (61_706, 61_706, 4 * 61_706));
    assert!(got.unused.is_empty() && got.input == [2, 1, 32, 32]);
    assert!(!vs.trainable_variables()[0].grad().defined());

    let vs = store();
    let net = sequential(&vs.root());
    let got = summary(&net, &vs, &Tensor::zeros([3, 1, 20, 20], FLOAT)).unwrap();
    compare_layers("sequential", &got.rows);
    // Here the operations are modules too, so that all rows must agree in their sizes.
    let expected = reference("nn")["summaries"]["sequential"].as_array().unwrap().clone();
    assert_eq!(got.rows.len(), expected.len());
    for (row, expected) in got.rows.iter().zip(&expected) {
        assert_eq!(row.output, integers(&expected[2]));
    }
}

#[test]
fn a_summary_knows_parameters_in_any_use() {
    let _turn = seeded(0);
    let mut vs = store();
    let root = vs.root();
    let weight = root.randn_standard("weight", &[3, 2]);
    let shared = linear(&root / "shared", 3, 3);
    let norm = tch::nn::batch_norm1d(&root / "norm", 3, Default::default());
    linear(&root / "idle", 1, 1);
    let net = nn::func_t(move |x, train| {
        x.matmul(&weight.tr()).apply(&shared).apply_t(&norm, train).apply(&shared)
    });
    vs.freeze();
    let got = summary(&net, &vs, &Tensor::zeros([5, 2], FLOAT)).unwrap();
    let rows: Vec<_> =
        got.rows.iter().map(|row| (row.name.as_str(), row.kind.as_str(), row.parameters)).collect();
    // The transposed weight shares its memory; a layer counts once; running means do not count.
    assert_eq!(
        rows,
        [
            ("weight", "matmul", 6),
            ("shared", "Linear", 12),
            ("norm", "BatchNorm1d", 6),
            ("shared", "Linear", 0)
        ]
    );
    assert_eq!((got.parameters, got.trainable), (26, 0));
    assert_eq!(got.unused, ["idle.weight", "idle.bias"]);
}

#[test]
fn a_summary_reads_well() {
    let _turn = seeded(0);
    let vs = store();
    let net = nn::seq().add(linear(vs.root() / "fc<1>", 4, 3)).add(ReLU);
    linear(vs.root() / "idle", 1, 1);
    let got = summary(&net, &vs, &wave(&[2, 4])).unwrap();
    assert_eq!(
        got.to_string(),
        "Layer  Type    Output shape  Parameters\n\
         ---------------------------------------\n\
         input          [2, 4]\n\
         fc<1>  Linear  [2, 3]                15\n       \
                relu    [2, 3]\n\
         ---------------------------------------\n\
         17 parameters, 17 trainable, 0 frozen; 0.00 MB\n\
         Not used in this forward pass: idle.weight, idle.bias\n"
    );
    let bundle = display::Show::bundle(&got);
    let html = bundle.form("text/html").unwrap().as_str().unwrap();
    assert!(html.contains("<th scope=\"row\" style=\"text-align: left\">fc&lt;1&gt;</th>"));
    assert!(html.contains("<tr><td style=\"text-align: left\"></td>"), "an empty heading: {html}");
    assert_eq!(html.matches("<tr>").count(), 4);
    assert_eq!(bundle.alt(), Some(got.to_string().as_str()));
}

#[test]
fn a_summary_says_where_the_net_fails() {
    let _turn = seeded(0);
    let vs = store();
    let net = LeNet::new(&vs.root());
    let text = message(summary(&net, &vs, &Tensor::zeros([1, 20, 20], FLOAT)));
    assert_eq!(
        text,
        "the forward pass failed at fc1: Linear(in_features=400, out_features=120, bias=True) \
         expected an input of shape [.., 400], got [16, 4]. Each row has 4 features: make the \
         layer with in_features=4, or change what comes before it. Sizes up to there: input \
         [1, 20, 20] -> conv1 [6, 16, 16] -> relu [6, 16, 16] -> max_pool2d [6, 8, 8] -> conv2 \
         [16, 4, 4] -> relu [16, 4, 4] -> max_pool2d [16, 2, 2] -> flatten [16, 4]"
    );
    // tch's own layers, whose panics carry a stack trace; and a net that fails by itself.
    let fc = tch::nn::linear(vs.root() / "tch", 3, 2, Default::default());
    let text = message(summary(&fc, &vs, &wave(&[2, 4])));
    assert!(text.starts_with("the forward pass failed at tch: mat1 and mat2 shapes"), "{text}");
    assert!(text.ends_with("(2x4 and 3x2). Sizes up to there: input [2, 4]"), "{text}");
    let net = nn::func(|x| {
        let _ = x.exp();
        panic!("no {}", "way")
    });
    let text = message(summary(&net, &vs, &wave(&[2])));
    assert!(text.contains("failed at a step after exp: no way. Sizes"), "{text}");
    let net = nn::func(|x| x.max_pool2d_default(2));
    let text = message(summary(&net, &vs, &wave(&[2])));
    assert!(text.starts_with("the forward pass failed at max_pool2d: "), "{text}");
}

#[test]
fn parameters_are_named_in_order_and_counted() {
    let _turn = seeded(0);
    let vs = store();
    let net = LeNet::new(&vs.root());
    let named = named_parameters(&vs);
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    let expected = reference("nn")["lenet_parameters"].clone();
    let expected: Vec<&str> =
        expected.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, expected);
    assert_eq!(named[0].1.data_ptr(), net.conv1.weight.data_ptr());
    assert_eq!(count_parameters(&vs), 61_706);
    // Buffers are no parameters, frozen ones are; two tensors without memory are told apart.
    let mut vs = store();
    tch::nn::batch_norm2d(vs.root() / "norm", 3, Default::default());
    let _ = vs.root().zeros("empty_a", &[0]);
    let _ = vs.root().zeros("empty_b", &[0]);
    vs.freeze();
    let names: Vec<String> = named_parameters(&vs).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["norm.weight", "norm.bias", "empty_a", "empty_b"]);
    assert_eq!(count_parameters(&vs), 6);
    assert!(named_parameters(&store()).is_empty());
}

#[test]
fn gradients_are_forgotten_as_in_pytorch() {
    let _turn = seeded(0);
    let vs = store();
    let fc = linear(vs.root() / "fc", 4, 3);
    let loss = || fc.forward(&wave(&[2, 4])).sum(Kind::Float);
    zero_grad(&vs);
    loss().backward();
    let first = fc.weight.grad().copy();
    zero_grad(&vs);
    assert!(!fc.weight.grad().defined() && !fc.bias.as_ref().unwrap().grad().defined());
    loss().backward();
    assert_eq!(fc.weight.grad(), first);
}

#[test]
fn losses_are_those_of_pytorch() {
    let _turn = seeded(0);
    let (output, target) = (wave(&[3, 4]), wave(&[4, 3]).tr());
    let classes = Tensor::from_slice(&[2i64, 0, 3]);
    let pairs = Tensor::from_slice(&[1i64, -1, 1]);
    let signs = (&target + 0.01).sign();
    let none = None::<Tensor>;
    let mean = Reduction::Mean;
    let got = [
        ("mse_loss", mse_loss(&output, &target).unwrap()),
        ("l1_loss", output.l1_loss(&target, mean)),
        ("smooth_l1_loss", output.smooth_l1_loss(&target, mean, 0.5)),
        ("huber_loss", output.huber_loss(&target, mean, 0.5)),
        ("cross_entropy", output.cross_entropy_for_logits(&classes)),
        (
            "cross_entropy_smoothed",
            output.cross_entropy_loss(&classes, none.as_ref(), mean, -100, 0.1),
        ),
        ("nll_loss", output.log_softmax(1, Kind::Float).nll_loss(&classes)),
        (
            "binary_cross_entropy",
            output.sigmoid().binary_cross_entropy(&target.sigmoid(), none.as_ref(), mean),
        ),
        (
            "binary_cross_entropy_with_logits",
            output.binary_cross_entropy_with_logits(
                &target.sigmoid(),
                none.as_ref(),
                none.as_ref(),
                mean,
            ),
        ),
        (
            "kl_div",
            output.log_softmax(1, Kind::Float).kl_div(
                &target.softmax(1, Kind::Float),
                Reduction::Sum,
                false,
            ) / 3.0,
        ),
        ("poisson_nll_loss", output.poisson_nll_loss(&target.sigmoid(), true, false, 1e-8, mean)),
        ("soft_margin_loss", output.soft_margin_loss(&signs, mean)),
        ("hinge_embedding_loss", output.hinge_embedding_loss(&signs, 1.0, mean)),
        ("margin_ranking_loss", Tensor::margin_ranking_loss(&output, &target, &signs, 0.0, mean)),
        (
            "cosine_embedding_loss",
            Tensor::cosine_embedding_loss(&output, &target, &pairs, 0.0, mean),
        ),
        (
            "triplet_margin_loss",
            Tensor::triplet_margin_loss(
                &output,
                &target,
                &target.sigmoid(),
                1.0,
                2.0,
                1e-6,
                false,
                mean,
            ),
        ),
    ];
    let expected = reference("nn")["losses"].clone();
    assert_eq!(got.len(), expected.as_object().unwrap().len());
    for (name, loss) in got {
        let difference = (loss.double_value(&[]) - expected[name].as_f64().unwrap()).abs();
        assert!(difference < 1e-6, "{name}: {difference}");
    }
}

#[test]
fn mse_loss_does_not_stretch() {
    let _turn = seeded(0);
    let text = message(mse_loss(&wave(&[4]), &wave(&[4, 1])));
    assert_eq!(text, "mse_loss expected a target of the output's shape [4], got [4, 1]");
    let integers = Tensor::from_slice(&[1i64, 2]);
    assert!(message(mse_loss(&integers, &integers)).starts_with("libtorch refused the mean"));
}
