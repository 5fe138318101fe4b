//! Parameters, losses and logits against PyTorch, and against the loop written out by hand.

use crate::common::{difference, floats, formula_split, integers, reference, seeded, values};
use blitz::Error;
use blitz::prelude::*;

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

#[test]
fn twenty_steps_lose_what_they_lose_in_pytorch() {
    let expected = reference("train_steps");
    let _turn = seeded(0);
    let split = formula_split(40);
    let mut loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = sgd(&vs, 0.01);
    let options = FitOptions { report_every: 5, ..FitOptions::default() };
    let report = fit(&net, &mut optimizer, &mut loader, &options).unwrap();

    assert_eq!(report.steps, 20);
    let points = expected["points"].as_array().unwrap();
    assert_eq!(report.points.len(), points.len());
    for (got, expected) in report.points.iter().zip(points) {
        let expected = floats(expected);
        assert_eq!(got.step as f64, expected[0]);
        assert!((got.loss / expected[1] - 1.0).abs() < 1e-5, "{got:?} {expected:?}");
    }
    let losses = floats(&expected["losses"]);
    assert_eq!(report.epochs.len(), 2);
    for (epoch, got) in report.epochs.iter().enumerate() {
        let expected = losses[epoch * 10..][..10].iter().sum::<f64>() / 10.0;
        assert!((got.loss / expected - 1.0).abs() < 1e-5, "{got:?} {expected}");
    }
    let batch = loader.epoch().next().unwrap();
    let logits = tch::no_grad(|| net.forward(&batch.images.narrow(0, 0, 3)));
    assert!(difference(&values(&logits), &floats(&expected["logits"])) < 1e-4);
}

fn sgd(vs: &nn::VarStore, lr: f64) -> Sgd {
    Sgd::new(vs, SgdOptions { lr, momentum: 0.9, ..SgdOptions::default() }).unwrap()
}

fn shuffled() -> DataLoader {
    let options = LoaderOptions { shuffle: Order::Shuffled { seed: 5 }, ..Default::default() };
    DataLoader::new(&formula_split(40), options).unwrap()
}

fn bits(vs: &nn::VarStore) -> Vec<(String, Vec<f64>)> {
    named_parameters(vs).into_iter().map(|(name, tensor)| (name, values(&tensor))).collect()
}

#[test]
fn a_loop_written_out_by_hand_gives_the_same_bits() {
    let _turn = seeded(0);
    let by_hand = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&by_hand.root());
    let mut optimizer = sgd(&by_hand, 0.01);
    let mut loader = shuffled();
    let mut points = Vec::new();
    for _epoch in 0..3 {
        let mut running_loss = 0.0;
        for (i, batch) in loader.epoch().enumerate() {
            optimizer.zero_grad();
            let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
            loss.backward();
            optimizer.step().unwrap();
            running_loss += loss.double_value(&[]);
            if i % 4 == 3 {
                points.push(running_loss / 4.0);
                running_loss = 0.0;
            }
        }
        points.push(running_loss / 2.0); // steps 9 and 10
    }
    let options = FitOptions { epochs: 3, report_every: 4, ..FitOptions::default() };
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let report = fit(&net, &mut sgd(&vs, 0.01), &mut shuffled(), &options).unwrap();
    assert_eq!(report.points.iter().map(|point| point.loss).collect::<Vec<_>>(), points);
    let steps: Vec<usize> = report.points.iter().map(|point| point.step).collect();
    assert_eq!(steps, [4, 8, 10, 14, 18, 20, 24, 28, 30]);
    assert!(bits(&vs) == bits(&by_hand));

    // With tch's own optimizer too.
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
    let other = fit(&net, &mut optimizer, &mut shuffled(), &options).unwrap();
    assert_eq!(other.series("tch"), report.series("tch"));
    assert_eq!(other.points[0].lr, None);
    assert!(bits(&vs) == bits(&by_hand));
}

#[test]
fn schedules_set_the_rate_of_each_step_and_the_optimizer_gets_its_own_back() {
    let _turn = seeded(0);
    let by_hand = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&by_hand.root());
    let mut optimizer = sgd(&by_hand, 0.01);
    let mut loader = shuffled();
    for lr in [0.01, 0.01, 0.005, 0.005] {
        optimizer.set_lr(lr).unwrap();
        for batch in loader.epoch() {
            let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
            optimizer.backward_step(&loss).unwrap();
        }
    }
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = sgd(&vs, 0.01);
    let schedule = Schedule::Step { every: 2, gamma: 0.5 };
    let options = FitOptions { epochs: 4, report_every: 10, schedule, ..FitOptions::default() };
    let report = fit(&net, &mut optimizer, &mut shuffled(), &options).unwrap();
    assert!(bits(&vs) == bits(&by_hand));
    let rates: Vec<_> = report.epochs.iter().map(|epoch| epoch.lr.unwrap()).collect();
    assert_eq!(rates, [0.01, 0.01, 0.005, 0.005]);
    let series = report.lr_series("lr");
    assert_eq!(series.points, [(10.0, 0.01), (20.0, 0.01), (30.0, 0.005), (40.0, 0.005)]);
    assert_eq!(optimizer.lr(), 0.01);
}

#[test]
fn a_test_loader_gives_the_accuracy_after_each_epoch() {
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut test_loader = DataLoader::new(&formula_split(40), LoaderOptions::default()).unwrap();
    let mut train_loader = shuffled();
    let loaders = (&mut train_loader, &mut test_loader);
    let report = fit(&net, &mut sgd(&vs, 0.01), loaders, &FitOptions::default()).unwrap();
    let series = report.accuracy_series("test");
    // Over the steps, as the losses: both go into one plot.
    let steps: Vec<f64> = series.points.iter().map(|point| point.0).collect();
    assert_eq!(steps, [report.steps as f64 / 2.0, report.steps as f64]);
    let expected = evaluate(&net, &mut test_loader, &CLASSES).unwrap().accuracy();
    assert_eq!(report.epochs[1].accuracy, Some(expected));

    // It changes nothing of the training.
    tch::manual_seed(0);
    let other = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&other.root());
    let options = FitOptions::default();
    let report = fit(&net, &mut sgd(&other, 0.01), &mut shuffled(), &options).unwrap();
    assert_eq!(report.epochs[1].accuracy, None);
    assert!(bits(&vs) == bits(&other));
}

#[test]
fn the_loss_series_counts_steps_through_all_epochs() {
    let point = |step, loss| LossPoint { step, loss, lr: Some(0.1) };
    let report = FitReport { points: vec![point(5, 2.0), point(10, 1.5)], ..FitReport::default() };
    assert_eq!(report.series("a"), Series::new("a", [(5.0, 2.0), (10.0, 1.5)]));
}

#[test]
fn a_loss_that_is_not_finite_stops_the_training() {
    let _turn = seeded(0);
    let mut loader = DataLoader::new(&formula_split(40), LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = sgd(&vs, 1e9);
    let text =
        fit(&net, &mut optimizer, &mut loader, &FitOptions::default()).unwrap_err().to_string();
    assert!(text.contains("in epoch 1, step") && text.contains("smaller lr"), "{text}");
}

#[test]
fn training_refuses_what_does_not_fit() {
    let _turn = seeded(0);
    let mut loader = DataLoader::new(&formula_split(40), LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = nn::func(|images| images.mean_dim([2i64, 3].as_slice(), false, Kind::Float));
    linear(vs.root(), 1, 1);
    let mut optimizer = sgd(&vs, 0.1);
    let mut message =
        |options| fit(&net, &mut optimizer, &mut loader, &options).unwrap_err().to_string();
    let text = message(FitOptions::default());
    // Three columns of logits, but labels up to 9.
    assert!(text.contains("cross-entropy") && !text.contains("frame"), "{text}");
    assert!(message(FitOptions { report_every: 0, ..Default::default() }).contains("report_every"));
}

#[test]
fn each_epoch_ends_with_a_point_however_short_it_is() {
    let _turn = seeded(0);
    // 10 steps in each of 2 epochs.
    for (report_every, expected) in [
        (2_000, vec![10, 20]),
        (11, vec![10, 20]),
        (10, vec![10, 20]),
        (9, vec![9, 10, 19, 20]),
        (5, vec![5, 10, 15, 20]),
        (usize::MAX, vec![10, 20]),
    ] {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = cifar10_net(&vs.root());
        let options = FitOptions { report_every, ..FitOptions::default() };
        let report = fit(&net, &mut sgd(&vs, 0.01), &mut shuffled(), &options).unwrap();
        let steps: Vec<usize> = report.points.iter().map(|point| point.step).collect();
        assert_eq!(steps, expected, "{report_every}");
        assert!(report.points.iter().all(|point| point.lr == Some(0.01)), "{report_every}");
        loss_plot(&[report.series("loss")], LossPlotOptions::default()).unwrap();
        if report_every >= 10 {
            for (point, epoch) in report.points.iter().zip(&report.epochs) {
                assert_eq!(point.loss, epoch.loss, "the mean of the whole epoch");
            }
        }
    }
    // A single step.
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let loader_options = LoaderOptions { batch_size: 40, ..LoaderOptions::default() };
    let mut loader = DataLoader::new(&formula_split(40), loader_options).unwrap();
    let options = FitOptions { epochs: 1, ..FitOptions::default() };
    let report = fit(&net, &mut sgd(&vs, 0.01), &mut loader, &options).unwrap();
    assert_eq!(report.points.iter().map(|point| point.step).collect::<Vec<_>>(), [1]);
}

/// A net in a store of its own, and its parameters.
fn other_net() -> nn::VarStore {
    let vs = nn::VarStore::new(Device::Cpu);
    cifar10_net(&vs.root());
    vs
}

#[test]
fn an_optimizer_of_another_net_is_an_error_at_the_first_step() {
    const EXPECTED: &str = "no parameter of this optimizer got a gradient from this loss: ";
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let before = bits(&vs);
    let mut loader = shuffled();
    let options = FitOptions::default();
    let other = other_net();
    let others_before = bits(&other);
    let weight_decay = SgdOptions { weight_decay: 0.1, ..SgdOptions::default() };
    let text = fit(&net, &mut Sgd::new(&other, weight_decay).unwrap(), &mut loader, &options)
        .unwrap_err()
        .to_string();
    assert!(text.starts_with(EXPECTED) && text.contains("any of its 10 parameters"), "{text}");
    assert!(text.contains("VarStore of the net that computes the loss"), "{text}");
    assert_eq!(loader.state().images_taken, 4, "the first step");
    let empty = nn::VarStore::new(Device::Cpu);
    let text = fit(&net, &mut sgd(&empty, 0.1), &mut loader, &options).unwrap_err().to_string();
    assert!(text.starts_with(EXPECTED) && text.contains("it has no parameters"), "{text}");

    // tch's own optimizers.
    for store in [&other, &empty] {
        let adam = nn::adam(0.9, 0.999, 0.1).build(store, 0.01);
        let decaying = nn::sgd(0.9, 0.0, 0.1, false).build(store, 0.01);
        for mut optimizer in [adam.unwrap(), decaying.unwrap()] {
            let error = fit(&net, &mut optimizer, &mut loader, &options).unwrap_err();
            assert!(matches!(error, Error::NoGradient { .. }), "{error}");
        }
    }
    assert!(bits(&vs) == before && bits(&other) == others_before);

    // A continued training, too.
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = Some(CheckpointOptions::new(dir.path(), &vs));
    let options = FitOptions { epochs: 1, checkpoint, ..options };
    fit(&net, &mut sgd(&vs, 0.01), &mut shuffled(), &options).unwrap();
    let options = FitOptions { epochs: 2, ..options };
    let error = resume(&net, &mut sgd(&other, 0.01), &mut shuffled(), &options).unwrap_err();
    assert!(error.to_string().contains("got one of another net"), "{error}");
}

#[test]
fn checkpoints_of_another_net_are_refused_before_the_first_step() {
    let _turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let before = bits(&vs);
    let dir = tempfile::tempdir().unwrap();
    let train = |of: &nn::VarStore, existing| {
        let checkpoint = CheckpointOptions { existing, ..CheckpointOptions::new(dir.path(), of) };
        let options = FitOptions { epochs: 1, checkpoint: Some(checkpoint), ..Default::default() };
        fit(&net, &mut sgd(&vs, 0.01), &mut shuffled(), &options)
    };
    for existing in [Existing::Refuse, Existing::Replace, Existing::Continue] {
        for store in [other_net(), nn::VarStore::new(Device::Cpu)] {
            let text = train(&store, existing).unwrap_err().to_string();
            assert!(text.starts_with("option checkpoint must be of the net that"), "{text}");
        }
    }
    assert!(bits(&vs) == before && dir.path().read_dir().unwrap().next().is_none());
    train(&vs, Existing::Continue).unwrap();
}

#[test]
fn a_frozen_net_is_an_error_and_one_that_is_partly_frozen_or_unused_trains() {
    let _turn = seeded(0);
    let mut vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    linear(vs.root() / "unused", 3, 2);
    let options = FitOptions { epochs: 1, ..FitOptions::default() };
    vs.freeze();
    let mut tchs = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
    for text in [
        fit(&net, &mut sgd(&vs, 0.01), &mut shuffled(), &options).unwrap_err().to_string(),
        fit(&net, &mut tchs, &mut shuffled(), &options).unwrap_err().to_string(),
    ] {
        assert!(text.contains("all its 12 parameters are frozen. Let those"), "{text}");
    }
    let _ = vs.variables()["fc3.bias"].set_requires_grad(true);
    for with_tchs in [false, true] {
        let before = vs.variables().into_iter().map(|(name, tensor)| (name, tensor.copy()));
        let before: Vec<_> = before.collect();
        match with_tchs {
            false => fit(&net, &mut sgd(&vs, 0.01), &mut shuffled(), &options).unwrap(),
            true => fit(&net, &mut tchs, &mut shuffled(), &options).unwrap(),
        };
        for (name, tensor) in before {
            assert_eq!(vs.variables()[&name] != tensor, name == "fc3.bias", "{name}");
        }
    }
}
