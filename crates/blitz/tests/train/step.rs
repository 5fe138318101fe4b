//! The training step: its numbers against a loop written out with tch, and its refusals. CUDA graphs
//! are tested in tests/gpu.

use crate::common::steps::{OPTIONS, batches, net, parameters, with_graphed_step, written_out};
use crate::common::{seeded, turn};
use blitz::nn::loss::cross_entropy;
use blitz::prelude::*;

#[test]
fn steps_on_the_cpu_have_the_bits_of_the_loop_written_out() {
    let _turn = seeded(0);
    let (expected, reference) = written_out(Device::Cpu);
    let (losses, vs, is_graph) = with_graphed_step(Device::Cpu);
    assert!(!is_graph);
    assert_eq!(losses, expected);
    assert_eq!(parameters(&vs), parameters(&reference));
    assert!(expected.windows(2).all(|pair| pair[0] != pair[1]), "{expected:?}");
}

#[test]
fn train_step_and_the_plain_step_are_the_same() {
    let _turn = seeded(0);
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
    let _turn = turn();
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
fn a_step_of_an_optimizer_of_another_net_is_an_error() {
    let _turn = turn();
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
