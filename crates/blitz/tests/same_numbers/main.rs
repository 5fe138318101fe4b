//! The same seed gives the same numbers as in Python: creation, parameters, outputs, gradients and
//! the losses of 200 steps of the tutorial's nets, with tch's optimizer, with this crate's `Sgd` and
//! `MaxPool2d`, in `fit`, and on several processes.
//!
//! `reference/make_same_numbers.py` and `make_distributed.py` wrote what PyTorch computes. The stored
//! files are compared within 1e-5, for other machines have other vector instructions. With
//! `BLITZ_REFERENCE` set to a directory in which the scripts have just written on this very machine
//! (`cargo blitz test` does so), every bit is compared.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod data_parallel;

use blitz::prelude::*;
use common::{expected, floats, formula_split, integers, seeded, values};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Largest relative difference from the stored file.
const TOLERANCE: f64 = 1e-5;

/// Compares one tensor with its entry, bit by bit where `is_fresh`.
fn compare(what: &str, tensor: &Tensor, expected: &Value, is_fresh: bool) {
    let tensor = tensor.detach().contiguous();
    assert_eq!(tensor.size(), integers(&expected["shape"]), "{what}");
    let all = values(&tensor);
    let mut got: Vec<f64> = all.iter().copied().take(4).collect();
    got.push(all.iter().sum());
    for (got, expected) in got.iter().zip(floats(&expected["values"])) {
        // A sum cancels; what was added says how exact it can be.
        let scale = expected.abs().max(all.iter().map(|value| value.abs()).sum::<f64>() / 100.0);
        assert!((got - expected).abs() <= TOLERANCE * scale, "{what}: {got}, expected {expected}");
    }
    if is_fresh {
        assert_eq!(digest(&tensor), expected["bits"].as_str().unwrap(), "the bits of {what}");
    }
}

/// SHA-256 of the tensor's bytes in memory.
fn digest(tensor: &Tensor) -> String {
    let mut bytes = vec![0u8; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn create(name: &str) -> Tensor {
    let float = (Kind::Float, Device::Cpu);
    let long = (Kind::Int64, Device::Cpu);
    match name {
        "rand" => Tensor::rand([5, 3], float),
        "rand large" => Tensor::rand([7, 33], float),
        "randn" => Tensor::randn([2, 3], float),
        "randn large" => Tensor::randn([7, 33], float),
        "randn double" => Tensor::randn([3, 5], (Kind::Double, Device::Cpu)),
        "randint" => Tensor::randint(10, [4, 6], long),
        "randperm" => Tensor::randperm(50, long),
        "bernoulli" => Tensor::full([4, 9], 0.3, float).bernoulli(),
        "normal" => Tensor::empty([3, 7], float).normal_(2.0, 0.5),
        "uniform_" => Tensor::empty([4, 5], float).uniform_(-2.0, 2.0),
        "rand_like" => Tensor::zeros([2, 2], long).to_kind(Kind::Float).rand_like(),
        "randn_like" => Tensor::zeros([2, 2], long).to_kind(Kind::Float).randn_like(),
        "arange" => Tensor::arange(12.0, float).view((3, 4)),
        "linspace" => Tensor::linspace(0.0, 1.0, 7, float),
        other => panic!("reference/make_same_numbers.py has an operation unknown here: {other}"),
    }
}

#[test]
fn creation_draws_the_same_numbers() {
    let (expected, is_fresh) = expected("same_numbers");
    let creations = expected["creations"].as_object().unwrap();
    assert!(creations.len() > 20);
    for (what, expected) in creations {
        let (name, seed) = what.split_once(", seed ").unwrap();
        let _turn = seeded(seed.parse().unwrap());
        compare(what, &create(name), expected, is_fresh);
    }
}

/// The tutorial's net for `[N, channels, 32, 32]`.
fn net(vs: &nn::VarStore, channels: i64) -> impl Module + use<> {
    let root = vs.root();
    nn::seq()
        .add(conv2d(&root / "conv1", channels, 6, 5))
        .add_fn(|images| images.relu().max_pool2d_default(2))
        .add(conv2d(&root / "conv2", 6, 16, 5))
        .add_fn(|images| images.relu().max_pool2d_default(2).flatten(1, -1))
        .add(linear(&root / "fc1", 400, 120))
        .add_fn(|features| features.relu())
        .add(linear(&root / "fc2", 120, 84))
        .add_fn(|features| features.relu())
        .add(linear(&root / "fc3", 84, 10))
}

fn compare_named(
    what: &str,
    vs: &nn::VarStore,
    expected: &Value,
    is_fresh: bool,
    of: impl Fn(&Tensor) -> Tensor,
) {
    let expected = expected.as_object().unwrap();
    let variables = vs.variables();
    assert_eq!(variables.len(), expected.len());
    for (name, expected) in expected {
        compare(&format!("{what} {name}"), &of(&variables[name]), expected, is_fresh);
    }
}

#[test]
fn the_net_of_the_third_page_agrees_forward_and_backward() {
    let (expected, is_fresh) = expected("same_numbers");
    let expected = &expected["lenet"];
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = net(&vs, 1);
    let input = Tensor::randn([1, 1, 32, 32], (Kind::Float, Device::Cpu));
    let output = net.forward(&input);
    let target = Tensor::randn([10], (Kind::Float, Device::Cpu)).view((1, -1));
    let loss = output.mse_loss(&target, tch::Reduction::Mean);
    loss.backward();
    compare_named("parameter", &vs, &expected["parameters"], is_fresh, Tensor::shallow_clone);
    compare("output", &output, &expected["output"], is_fresh);
    compare("loss", &loss, &expected["loss"], is_fresh);
    compare_named("gradient of", &vs, &expected["gradients"], is_fresh, Tensor::grad);
}

/// Compares the losses of all steps, and the parameters after the last.
fn compare_steps(
    losses: &[f64],
    expected_losses: &Value,
    vs: &nn::VarStore,
    parameters: &Value,
    is_fresh: bool,
) {
    assert_eq!(losses.len(), floats(expected_losses).len());
    for (step, (got, expected)) in losses.iter().zip(floats(expected_losses)).enumerate() {
        assert!((got / expected - 1.0).abs() <= TOLERANCE, "step {step}: {got}, not {expected}");
        // As f32, which the losses are: serde_json may miss the last bit of an f64.
        assert!(!is_fresh || *got as f32 == expected as f32, "the bits of step {step}");
    }
    compare_named("parameter", vs, parameters, is_fresh, Tensor::shallow_clone);
}

fn train_loader() -> DataLoader {
    let shuffle = Order::Shuffled { seed: 7 };
    let options = LoaderOptions { shuffle, ..Default::default() };
    DataLoader::new(&formula_split(320), options).unwrap()
}

/// The losses of 200 steps and the labels that they saw; `step` returns a step's loss.
fn two_hundred(mut step: impl FnMut(&Batch) -> Tensor) -> (Vec<f64>, Vec<i64>) {
    let mut train_loader = train_loader();
    let (mut losses, mut labels) = (Vec::new(), Vec::new());
    while losses.len() < 200 {
        for batch in train_loader.iter().take(200 - losses.len()) {
            losses.push(step(&batch).double_value(&[]));
            labels.extend(Vec::<i64>::try_from(&batch.labels).unwrap());
        }
    }
    (losses, labels)
}

#[test]
fn two_hundred_steps_lose_what_they_lose_in_pytorch() {
    let (expected, is_fresh) = expected("same_numbers");
    let expected = &expected["steps"];
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = net(&vs, 3);
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.001).unwrap();
    let (losses, labels) = two_hundred(|batch| {
        let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
        optimizer.backward_step(&loss);
        loss
    });
    assert_eq!(labels, integers(&expected["labels"]), "the order of the pictures");
    compare_steps(&losses, &expected["losses"], &vs, &expected["parameters"], is_fresh);
}

/// The optimizer of the tutorial, of this crate.
fn sgd(vs: &nn::VarStore) -> Sgd {
    Sgd::new(vs, SgdOptions { lr: 0.001, momentum: 0.9, ..SgdOptions::default() }).unwrap()
}

#[test]
fn two_hundred_steps_of_this_crates_sgd_and_pooling_lose_the_same() {
    let (expected, is_fresh) = expected("same_numbers");
    let expected = &expected["steps"];
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root()); // with MaxPool2d
    let mut optimizer = sgd(&vs);
    let (losses, labels) = two_hundred(|batch| {
        optimizer.zero_grad();
        let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
        loss.backward();
        optimizer.step().unwrap();
        loss
    });
    assert_eq!(labels, integers(&expected["labels"]), "the order of the pictures");
    compare_steps(&losses, &expected["losses"], &vs, &expected["parameters"], is_fresh);
}

#[test]
fn fit_loses_the_same_in_the_steps_of_three_epochs() {
    let (expected, is_fresh) = expected("same_numbers");
    // The 200 steps, and 40 more to the end of the third epoch.
    let (first, expected) = (&expected["steps"], &expected["epochs"]);
    assert_eq!(floats(&first["losses"]), floats(&expected["losses"])[..200]);
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let options = FitOptions { epochs: 3, report_every: 1, ..FitOptions::default() };
    let report = fit(&net, &mut sgd(&vs), &mut train_loader(), &options).unwrap();
    let losses: Vec<f64> = report.points.iter().map(|point| point.loss).collect();
    compare_steps(&losses, &expected["losses"], &vs, &expected["parameters"], is_fresh);
}
