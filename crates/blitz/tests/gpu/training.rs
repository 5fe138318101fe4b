//! Training on the device: the optimizer, `fit`, the running loss, metrics, the example.

use blitz::optim::schedule::Schedule;
use blitz::prelude::*;
use blitz::train::metrics;
use serde_json::Value;

use crate::common::steps::net;
use crate::{assert_near, common, device, formula, formula_split, seeded};

/// TF32 rounds the inputs of convolutions to 10 bits.
const TF32: f64 = 1e-2;

/// Elementwise operations: at most the last bits differ.
#[test]
#[ignore = "needs a CUDA device"]
fn sgd_changes_parameters_as_on_the_cpu() {
    for options in [
        SgdOptions { lr: 0.1, ..Default::default() },
        SgdOptions { lr: 0.1, momentum: 0.9, weight_decay: 0.01, ..Default::default() },
        SgdOptions { lr: 0.1, momentum: 0.8, dampening: 0.3, ..Default::default() },
        SgdOptions { lr: 0.1, momentum: 0.8, nesterov: true, ..Default::default() },
    ] {
        let train = |device: Device| {
            let vs = nn::VarStore::new(device);
            let weight = (vs.root() / "fc").var_copy("weight", &formula(&[4, 3, 2, 5], device));
            let frozen = (vs.root() / "fc").var_copy("bias", &formula(&[7], device));
            let mut optimizer = Sgd::new(&vs, options).unwrap();
            for round in 1..4 {
                let loss = (&weight * formula(&[4, 3, 2, 5], device).sin()).square();
                optimizer.backward_step(&(loss.mean(Kind::Float) * f64::from(round))).unwrap();
            }
            assert_eq!(frozen.detach(), formula(&[7], device), "it had no gradient");
            let state = optimizer.state();
            assert!(state.iter().all(|(_, buffer)| buffer.device() == device));
            (weight.detach(), state)
        };
        let (got, expected) = (train(device()), train(Device::Cpu));
        assert_near(&got.0, &expected.0, 1e-5, 1e-5);
        assert_eq!(got.1.len(), expected.1.len());
        for ((name, got), (other, expected)) in got.1.iter().zip(&expected.1) {
            assert_eq!(name, other);
            assert_near(got, expected, 1e-5, 1e-5);
        }
    }
}

/// There and back, with an optimizer and a layer that exist already.
#[test]
#[ignore = "needs a CUDA device"]
fn a_net_moves_between_two_steps_and_sgd_goes_on() {
    let options = SgdOptions { lr: 0.1, momentum: 0.9, weight_decay: 0.01, ..Default::default() };
    let train = |devices: [Device; 4]| {
        let _turn = seeded(4);
        let mut vs = nn::VarStore::new(Device::Cpu);
        let net = linear(vs.root() / "fc", 7, 3);
        let norm = nn::batch_norm1d(vs.root() / "norm", 3, Default::default());
        let mut optimizer = Sgd::new(&vs, options).unwrap();
        for device in devices {
            vs.set_device(device);
            assert_eq!((net.weight.device(), norm.running_mean.device()), (device, device));
            let output = net.forward(&formula(&[5, 7], device)).apply_t(&norm, true);
            let loss = (output * formula(&[5, 3], device)).square().mean(Kind::Float);
            optimizer.backward_step(&loss).unwrap();
            assert!(optimizer.state().iter().all(|(_, buffer)| buffer.device() == device));
        }
        (net.weight.detach(), norm.running_var, optimizer.state())
    };
    let (cpu, other) = (Device::Cpu, device());
    let (got, expected) = (train([cpu, other, other, cpu]), train([cpu; 4]));
    assert_near(&got.0, &expected.0, 1e-4, 1e-4);
    assert_near(&got.1, &expected.1, 1e-4, 1e-4);
    assert_eq!((got.2.len(), expected.2.len()), (4, 4));
    for ((name, got), (other, expected)) in got.2.iter().zip(&expected.2) {
        assert_eq!(name, other);
        assert_near(got, expected, 1e-3, 1e-3);
    }
    // tch's own remembers on the first device; made after the move, it learns.
    let mut vs = nn::VarStore::new(cpu);
    let net = linear(vs.root() / "fc", 7, 3);
    vs.set_device(other);
    let mut adam = nn::adam(0.9, 0.999, 0.0).build(&vs, 0.1).unwrap();
    let loss = || net.forward(&formula(&[5, 7], other)).square().mean(Kind::Float);
    let before = loss();
    adam.backward_step(&before);
    assert!(loss().double_value(&[]) < before.double_value(&[]));
}

#[test]
#[ignore = "needs a CUDA device"]
fn the_running_loss_is_the_mean_of_the_losses_read() {
    let losses = formula(&[9], device()).abs();
    let mut running_loss = RunningLoss::default();
    for index in 0..9 {
        running_loss.add(&losses.get(index)).unwrap();
    }
    assert_eq!(running_loss.count(), 9);
    let expected = losses.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    assert!((running_loss.take_mean().unwrap().unwrap() - expected).abs() < 1e-12);
    assert_eq!(running_loss.take_mean().unwrap(), None);
}

#[test]
#[ignore = "needs a CUDA device"]
fn fit_learns_what_it_learns_on_the_cpu() {
    let train = |device: Device| {
        let _turn = seeded(0);
        let vs = nn::VarStore::new(device);
        let net = cifar10_net(&vs.root());
        let sgd = SgdOptions { lr: 0.01, momentum: 0.9, ..SgdOptions::default() };
        let mut optimizer = Sgd::new(&vs, sgd).unwrap();
        let shuffle = Order::Shuffled { seed: 5 };
        let loader = |shuffle| {
            let options = LoaderOptions { shuffle, device, ..LoaderOptions::default() };
            DataLoader::new(&formula_split(43), options).unwrap()
        };
        let (mut train_loader, mut test_loader) = (loader(shuffle), loader(Order::Sequential));
        let options = FitOptions {
            report_every: 4,
            schedule: Schedule::one_cycle(0.02),
            ..FitOptions::default()
        };
        let loaders = (&mut train_loader, &mut test_loader);
        let report = fit(&net, &mut optimizer, loaders, &options).unwrap();
        assert!(report.epochs.iter().all(|epoch| epoch.accuracy.is_some()));
        assert_eq!(optimizer.lr(), 0.01);
        report
    };
    let (got, expected) = (train(device()), train(Device::Cpu));
    assert_eq!(got.points.len(), expected.points.len());
    for (got, expected) in got.points.iter().zip(&expected.points) {
        assert_eq!((got.step, got.lr), (expected.step, expected.lr));
        assert!((got.loss / expected.loss - 1.0).abs() < TF32, "{got:?} {expected:?}");
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn predictions_and_counts_are_those_of_the_cpu() {
    let judge = |device: Device| {
        let (_vs, net) = net(device);
        let options = LoaderOptions { batch_size: 7, device, ..LoaderOptions::default() };
        let mut loader = DataLoader::new(&formula_split(30), options).unwrap();
        metrics::predict(&net, &mut loader, &CLASSES).unwrap()
    };
    let (got, expected) = (judge(device()), judge(Device::Cpu));
    for tensor in [&got.labels, &got.predicted, &got.probabilities] {
        assert_eq!(tensor.device(), Device::Cpu);
    }
    assert_eq!(got.labels, expected.labels);
    assert_near(&got.probabilities, &expected.probabilities, TF32, TF32);
    assert_eq!(got.evaluation().total(), 30);
    let mistakes = got.most_confident_mistakes(3);
    assert!(mistakes.iter().all(|mistake| mistake.label != mistake.predicted), "{mistakes:?}");
    assert!(got.mistake_grid(&formula_split(30), 3).is_ok());
}

/// tch's optimizers have kernels of their own.
#[test]
#[ignore = "needs a CUDA device"]
fn fit_takes_tchs_own_optimizers() {
    let (vs, net) = net(device());
    let before = vs.variables()["conv1.weight"].detach().copy();
    let mut adam = nn::adam(0.9, 0.999, 0.0).build(&vs, 0.001).unwrap();
    let options = LoaderOptions { device: device(), ..LoaderOptions::default() };
    let mut loader = DataLoader::new(&formula_split(10), options).unwrap();
    let options = FitOptions { epochs: 1, ..FitOptions::default() };
    assert_eq!(fit(&net, &mut adam, &mut loader, &options).unwrap().steps, 3);
    assert_ne!(vs.variables()["conv1.weight"].detach(), before);
}

/// The example on `device`, and the JSON on its last line.
fn example(device: Device, arguments: &[&str]) -> (String, Value) {
    let mut command = common::example();
    command.args(["--data", "builtin", "--images", "200", "--epochs", "1", "--json"]);
    command.args(["--device", &device::name(device)]).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let result = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (text, result)
}

#[test]
#[ignore = "needs a CUDA device"]
fn the_example_trains_as_on_the_cpu_and_saves_for_python() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("net.pth");
    let (text, got) = example(device(), &["--seed", "3", "--save", file.to_str().unwrap()]);
    let place = if device().is_cuda() { "Training on GPU 0 of " } else { "Training on the CPU, " };
    assert!(text.contains(place), "{text}");
    assert_eq!(got["batches"], 50);
    assert!(got["accuracy"].as_f64().is_some_and(|accuracy| (0.0..=1.0).contains(&accuracy)));
    let (_, expected) = example(Device::Cpu, &["--seed", "3", "--no-test"]);
    let loss = |result: &Value| result["losses"][0].as_f64().unwrap();
    assert!((loss(&got) / loss(&expected) - 1.0).abs() < TF32, "{got} {expected}");
    let mut vs = nn::VarStore::new(Device::Cpu);
    let _ = cifar10_net(&vs.root());
    checkpoint::load(&mut vs, &file).unwrap();
}

#[test]
#[ignore = "needs a CUDA device"]
fn the_example_goes_on_from_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let arguments = ["--no-test", "--checkpoints", path];
    let (_, half) = example(device(), &arguments);
    let (_, resumed) = example(device(), &[&arguments[..], &["--epochs", "2"]].concat());
    let (_, whole) = example(device(), &["--no-test", "--epochs", "2"]);
    assert_eq!(resumed["losses"][0], half["losses"][0]);
    for epoch in 0..2 {
        let loss = |result: &Value| result["losses"][epoch].as_f64().unwrap();
        assert!((loss(&resumed) / loss(&whole) - 1.0).abs() < 1e-3, "{resumed} {whole}");
    }
}
