//! A training by formula, on any device: batches, a net, and steps done in two ways.

use super::values;
use blitz::prelude::*;

/// Every part of the step is at work.
pub const OPTIONS: SgdOptions =
    SgdOptions { lr: 0.01, momentum: 0.9, dampening: 0.0, weight_decay: 0.001, nesterov: false };

/// 22 pictures by formula: five batches of 4 and one of 2.
pub fn batches(device: Device) -> Vec<Batch> {
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
pub fn net(device: Device) -> (nn::VarStore, CifarNet) {
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
pub fn written_out(device: Device) -> (Vec<f64>, nn::VarStore) {
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

pub fn with_graphed_step(device: Device) -> (Vec<f64>, nn::VarStore, bool) {
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

pub fn parameters(vs: &nn::VarStore) -> Vec<f64> {
    nn::named_parameters(vs).iter().flat_map(|(_, tensor)| values(&tensor.detach())).collect()
}
