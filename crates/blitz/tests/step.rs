//! The training step: its numbers against a loop written out with tch, and its refusals. The tests
//! of CUDA graphs run where there is a GPU.
#![allow(clippy::unwrap_used)]

mod common;

use blitz::prelude::*;
use blitz::step::cross_entropy;
use common::values;

const OPTIONS: SgdOptions =
    SgdOptions { lr: 0.01, momentum: 0.9, dampening: 0.0, weight_decay: 0.001, nesterov: false };

/// 22 pictures by formula: five batches of 4 and one of 2.
fn batches(device: Device) -> Vec<Batch> {
    let numbers = Tensor::arange(22 * 3 * 32 * 32, (Kind::Float, device));
    let images = (numbers * 37.0).remainder(251.0).view([22, 3, 32, 32]) / 125.0 - 1.0;
    let labels = (Tensor::arange(22, (Kind::Int64, device)) * 3).remainder(10);
    let batch = |start: i64| {
        let size = (22 - start).min(4);
        let (images, labels) = (images.narrow(0, start, size), labels.narrow(0, start, size));
        Batch { images: images.copy(), labels: labels.copy() }
    };
    (0..6).map(|index| batch(4 * index)).collect()
}

/// A net whose parameters are drawn by formula, so that tests need not take turns.
fn net(device: Device) -> (nn::VarStore, CifarNet) {
    let vs = nn::VarStore::new(device);
    let net = cifar10_net(&vs.root());
    tch::no_grad(|| {
        for (_, mut parameter) in nn::named_parameters(&vs) {
            let count = parameter.numel() as i64;
            let numbers = (Tensor::arange(count, (Kind::Float, device)) * 29.0).remainder(101.0);
            let bound = 1.0 / (parameter.size()[1..].iter().product::<i64>() as f64).sqrt();
            let values = (numbers / 50.0 - 1.0) * bound;
            parameter.copy_(&values.view(parameter.size().as_slice()));
        }
    });
    (vs, net)
}

/// Two epochs of the tutorial's loop written out with tch alone; the losses and the net.
fn written_out(device: Device) -> (Vec<f64>, nn::VarStore) {
    let (vs, net) = net(device);
    let mut optimizer = nn::sgd(0.9, 0.0, 0.001, false).build(&vs, 0.01).unwrap();
    let mut losses = vec![];
    for epoch in 0..2 {
        for batch in batches(device) {
            optimizer.zero_grad();
            let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
            loss.backward();
            optimizer.step();
            losses.push(loss.double_value(&[]));
        }
        optimizer.set_lr(0.01 / f64::from(2 + epoch));
    }
    (losses, vs)
}

fn with_graphed_step(device: Device) -> (Vec<f64>, nn::VarStore, bool) {
    let (vs, net) = net(device);
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let mut step = GraphedStep::new(&net, &mut optimizer).unwrap();
    let mut losses = vec![];
    for epoch in 0..2 {
        for batch in batches(device) {
            losses.push(step.step(&batch).unwrap());
        }
        step.optimizer().set_lr(0.01 / f64::from(2 + epoch)).unwrap();
    }
    let is_graph = step.is_graph();
    // Read only now: no step may change the loss of another.
    (losses.iter().map(|loss| loss.double_value(&[])).collect(), vs, is_graph)
}

fn parameters(vs: &nn::VarStore) -> Vec<f64> {
    nn::named_parameters(vs).iter().flat_map(|(_, tensor)| values(&tensor.detach())).collect()
}

#[test]
fn steps_on_the_cpu_have_the_bits_of_the_loop_written_out() {
    let (expected, reference) = written_out(Device::Cpu);
    let (losses, vs, is_graph) = with_graphed_step(Device::Cpu);
    assert!(!is_graph);
    assert_eq!(losses, expected);
    assert_eq!(parameters(&vs), parameters(&reference));
    assert!(expected.windows(2).all(|pair| pair[0] != pair[1]), "{expected:?}");
}

#[test]
fn train_step_and_the_plain_step_are_the_same() {
    let (vs, plain) = net(Device::Cpu);
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let (other_vs, other) = net(Device::Cpu);
    let mut other_optimizer = Sgd::new(&other_vs, OPTIONS).unwrap();
    let mut step = GraphedStep::plain(&other, &mut other_optimizer);
    for batch in batches(Device::Cpu) {
        let loss = train_step(&plain, &mut optimizer, &batch).unwrap();
        assert!(!loss.requires_grad());
        assert_eq!(loss, step.step(&batch).unwrap());
    }
    assert_eq!(parameters(&vs), parameters(&other_vs));
}

#[test]
fn a_batch_that_does_not_fit_is_an_error_and_changes_nothing() {
    let (vs, net) = net(Device::Cpu);
    let before = parameters(&vs);
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let mut step = GraphedStep::new(&net, &mut optimizer).unwrap();
    let mut wrong = batches(Device::Cpu).remove(0);
    wrong.labels = Tensor::from_slice(&[1i64, 2, 3]);
    let message = step.step(&wrong).unwrap_err().to_string();
    assert!(message.starts_with("libtorch refused the cross-entropy"), "{message}");
    wrong.labels = Tensor::from_slice(&[1i64, 2, 3, 10]);
    let message = step.step(&wrong).unwrap_err().to_string();
    assert!(message.contains("10"), "{message}");
    assert_eq!(parameters(&vs), before);
    let _ = step.step(&batches(Device::Cpu)[0]).unwrap();
    assert_ne!(parameters(&vs), before);
}

#[test]
fn cross_entropy_is_the_mean_of_minus_the_logarithms() {
    let logits = Tensor::from_slice2(&[[1f32, 2.0, 3.0], [0.5, -1.0, 0.25]]);
    let labels = Tensor::from_slice(&[2i64, 0]);
    let by_hand =
        |row: [f64; 3], label: usize| row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[label];
    let expected = (by_hand([1.0, 2.0, 3.0], 2) + by_hand([0.5, -1.0, 0.25], 0)) / 2.0;
    let got = cross_entropy(&logits, &labels).unwrap().double_value(&[]);
    assert!((got - expected).abs() < 1e-6, "{got} {expected}");
}

#[test]
fn a_graph_on_a_gpu_trains_as_the_loop_written_out() {
    let Ok(device) = device::choose("cuda") else {
        return; // nothing to record on
    };
    let (expected, reference) = written_out(device);
    let (losses, vs, is_graph) = with_graphed_step(device);
    assert!(is_graph);
    let difference = common::difference(&losses, &expected);
    assert!(difference < 1e-4, "{losses:?} {expected:?}");
    assert!(common::difference(&parameters(&vs), &parameters(&reference)) < 1e-4);
}

#[test]
fn a_graph_on_a_gpu_notices_loaded_momentum_and_other_rates() {
    let Ok(device) = device::choose("cuda") else {
        return; // nothing to record on
    };
    let train = |graphed: bool| {
        let (vs, net) = net(device);
        let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
        let mut step = match graphed {
            true => GraphedStep::new(&net, &mut optimizer).unwrap(),
            false => GraphedStep::plain(&net, &mut optimizer),
        };
        let batch = &batches(device)[0];
        for index in 0..20 {
            let _ = step.step(batch).unwrap();
            if index == 8 {
                let halved = step.optimizer().state().into_iter();
                let halved = halved.map(|(name, tensor)| (name, tensor * 0.5)).collect::<Vec<_>>();
                step.optimizer().load_state(&halved).unwrap();
            }
            if index % 5 == 4 {
                step.optimizer().set_lr(0.01 / f64::from(index)).unwrap();
            }
        }
        parameters(&vs)
    };
    assert!(common::difference(&train(true), &train(false)) < 1e-4);
}

#[test]
fn a_step_of_an_optimizer_of_another_net_is_an_error() {
    let (_vs, net) = net(Device::Cpu);
    let (other, _) = self::net(Device::Cpu);
    let before = parameters(&other);
    let batch = &batches(Device::Cpu)[0];
    let mut optimizer = Sgd::new(&other, OPTIONS).unwrap();
    let mut texts = vec![train_step(&net, &mut optimizer, batch).unwrap_err().to_string()];
    texts.push(GraphedStep::plain(&net, &mut optimizer).step(batch).unwrap_err().to_string());
    let mut graphed = GraphedStep::new(&net, &mut optimizer).unwrap();
    texts.push(graphed.step(batch).unwrap_err().to_string());
    for text in texts {
        let expected = "no parameter of this optimizer got a gradient from this loss";
        assert!(text.starts_with(expected), "{text}");
    }
    assert_eq!(parameters(&other), before);
}

#[test]
fn a_graph_on_a_gpu_of_another_net_is_an_error() {
    let Ok(device) = device::choose("cuda") else {
        return; // nothing to record on
    };
    let (_vs, net) = net(device);
    let (other, _) = self::net(device);
    let mut optimizer = Sgd::new(&other, OPTIONS).unwrap();
    let mut step = GraphedStep::new(&net, &mut optimizer).unwrap();
    let text = step.step(&batches(device)[0]).unwrap_err().to_string();
    assert!(text.contains("got a gradient from this loss"), "{text}");
}
