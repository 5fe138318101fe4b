//! Parameters, losses and logits against PyTorch; accuracy by hand.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};

use blitz::prelude::*;
use common::{difference, floats, integers, numbered_split, reference, values};

/// The tests of this file seed libtorch's one global generator, so they take turns.
fn seeded(seed: i64) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(seed);
    turn
}

#[test]
fn parameters_start_as_in_pytorch() {
    for (seed, parameters) in reference("nn_init")["seeds"].as_object().unwrap() {
        let _turn = seeded(seed.parse().unwrap());
        let vs = nn::VarStore::new(Device::Cpu);
        cifar10_net(&vs.root());
        let got = vs.variables();
        let expected = parameters.as_object().unwrap();
        assert_eq!(got.len(), expected.len());
        for (name, expected) in expected {
            let tensor = &got[name];
            assert_eq!(tensor.size(), integers(&expected["shape"]), "{name}");
            assert!(tensor.requires_grad(), "{name}");
            let values = values(&tensor.detach());
            assert!(difference(&values[..5], &floats(&expected["first"])) < 1e-8, "{name}");
            let sum: f64 = values.iter().sum();
            assert!((sum - expected["sum"].as_f64().unwrap()).abs() < 1e-5, "{name}");
        }
    }
}

/// 40 pictures by formula, as make_reference.py makes them.
fn formula_split() -> Split {
    let values = Tensor::arange(40 * 3 * 32 * 32, (Kind::Int64, Device::Cpu)) * 37;
    let images = values.remainder(251).to_kind(Kind::Uint8).view([40, 3, 32, 32]);
    let labels = (Tensor::arange(40, (Kind::Int64, Device::Cpu)) * 3).remainder(10);
    Split { images, labels }
}

#[test]
fn twenty_steps_lose_what_they_lose_in_pytorch() {
    let expected = reference("train_steps");
    let _turn = seeded(0);
    let split = formula_split();
    let mut loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
    let options = TrainOptions { epochs: 2, report_every: 5 };
    let report = train(&net, &mut optimizer, &mut loader, &options).unwrap();

    assert_eq!(report.steps, 20);
    let points = expected["points"].as_array().unwrap();
    assert_eq!(report.points.len(), points.len());
    for (got, expected) in report.points.iter().zip(points) {
        let expected = floats(expected);
        assert_eq!(got.step as f64, expected[0]);
        assert!((got.loss / expected[1] - 1.0).abs() < 1e-5, "{got:?} {expected:?}");
    }
    let losses = floats(&expected["losses"]);
    for (epoch, got) in report.epoch_losses.iter().enumerate() {
        let expected = losses[epoch * 10..][..10].iter().sum::<f64>() / 10.0;
        assert!((got / expected - 1.0).abs() < 1e-5, "{got} {expected}");
    }
    let batch = loader.epoch().next().unwrap();
    let logits = tch::no_grad(|| net.forward(&batch.images.narrow(0, 0, 3)));
    assert!(difference(&values(&logits), &floats(&expected["logits"])) < 1e-4);
}

#[test]
fn the_loss_series_counts_steps_through_all_epochs() {
    let report = TrainReport {
        points: vec![LossPoint { step: 5, loss: 2.0 }, LossPoint { step: 10, loss: 1.5 }],
        ..TrainReport::default()
    };
    assert_eq!(report.series("a"), Series::new("a", [(5.0, 2.0), (10.0, 1.5)]));
}

#[test]
fn a_loss_that_is_not_finite_stops_the_training() {
    let _turn = seeded(0);
    let mut loader = DataLoader::new(&formula_split(), LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 1e9).unwrap();
    let text =
        train(&net, &mut optimizer, &mut loader, &TrainOptions::default()).unwrap_err().to_string();
    assert!(text.contains("in epoch 1, step") && text.contains("smaller lr"), "{text}");
}

#[test]
fn training_refuses_what_does_not_fit() {
    let _turn = seeded(0);
    let mut loader = DataLoader::new(&formula_split(), LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = nn::func(|images| images.mean_dim([2i64, 3].as_slice(), false, Kind::Float));
    linear(vs.root(), 1, 1);
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.1).unwrap();
    let mut message =
        |options| train(&net, &mut optimizer, &mut loader, &options).unwrap_err().to_string();
    let text = message(TrainOptions::default());
    // Three columns of logits, but labels up to 9.
    assert!(text.contains("cross-entropy") && !text.contains("frame"), "{text}");
    assert!(
        message(TrainOptions { report_every: 0, ..Default::default() }).contains("report_every")
    );
}
