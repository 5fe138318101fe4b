//! The same seed gives the same numbers as in Python: creation, parameters, outputs, gradients and
//! the losses of 200 steps of the tutorial's nets.
//!
//! `reference/make_same_numbers.py` wrote what PyTorch computes. The stored file is compared within
//! 1e-5, for other machines have other vector instructions. With `BLITZ_REFERENCE` set to a
//! directory in which the script has just written on this very machine (`cargo blitz test` does
//! so), every bit is compared.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};

use blitz::data::split::Split;
use blitz::prelude::*;
use common::{floats, integers, values};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Largest relative difference from the stored file.
const TOLERANCE: f64 = 1e-5;

/// The tests of this file seed libtorch's one global generator, so they take turns.
fn seeded(seed: i64) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(seed);
    turn
}

/// PyTorch's numbers, and whether they were made here and now.
fn expected() -> (Value, bool) {
    let fresh = std::env::var_os("BLITZ_REFERENCE");
    let stored = common::crate_dir().join("tests/reference");
    let dir = fresh.as_ref().map_or(stored, Into::into);
    let text = std::fs::read(dir.join("same_numbers.json")).unwrap();
    (serde_json::from_slice(&text).unwrap(), fresh.is_some())
}

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
    let (expected, is_fresh) = expected();
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
    let (expected, is_fresh) = expected();
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

/// `count` pictures by formula, as the script makes them.
fn formula_split(count: i64) -> Split {
    let long = (Kind::Int64, Device::Cpu);
    let values = Tensor::arange(count * 3 * 32 * 32, long) * 37;
    let images = values.remainder(251).to_kind(Kind::Uint8).view([count, 3, 32, 32]);
    Split { images, labels: (Tensor::arange(count, long) * 3).remainder(10) }
}

#[test]
fn two_hundred_steps_lose_what_they_lose_in_pytorch() {
    let (expected, is_fresh) = expected();
    let expected = &expected["steps"];
    let _turn = seeded(0);
    let shuffle = Order::Shuffled { seed: 7 };
    let options = LoaderOptions { shuffle, ..Default::default() };
    let mut train_loader = DataLoader::new(&formula_split(320), options).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = net(&vs, 3);
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.001).unwrap();
    let (mut losses, mut labels) = (Vec::new(), Vec::new());
    while losses.len() < 200 {
        for batch in train_loader.iter().take(200 - losses.len()) {
            let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
            optimizer.backward_step(&loss);
            losses.push(loss.double_value(&[]));
            labels.extend(Vec::<i64>::try_from(&batch.labels).unwrap());
        }
    }
    assert_eq!(labels, integers(&expected["labels"]), "the order of the pictures");
    for (step, (got, expected)) in losses.iter().zip(floats(&expected["losses"])).enumerate() {
        assert!((got / expected - 1.0).abs() <= TOLERANCE, "step {step}: {got}, not {expected}");
        // As f32, which the losses are: serde_json may miss the last bit of an f64.
        assert!(!is_fresh || *got as f32 == expected as f32, "the bits of step {step}");
    }
    compare_named("parameter", &vs, &expected["parameters"], is_fresh, Tensor::shallow_clone);
}
