//! `Sgd` against `torch.optim.SGD` (optim.json), against libtorch's own in C++, and its refusals.
//!
//! The stored file is compared within one part in a million, for other machines may round
//! elsewhere. With `BLITZ_REFERENCE` set (see tests/same_numbers) every bit is compared.

use std::collections::HashMap;

use crate::common::{expected, floats, values};
use blitz::optim::{Sgd, SgdOptions};
use blitz::prelude::*;
use serde_json::Value;

const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);
const SHAPES: [(&str, &[i64]); 4] = [
    ("conv.weight", &[4, 3, 2, 5]),
    ("conv.bias", &[4]),
    ("fc.weight", &[7, 11]),
    ("fc.bias", &[7]),
];

/// As in make_optim.py: thirds.
fn formula(shape: &[i64], multiplier: i64, modulus: i64) -> Tensor {
    let count: i64 = shape.iter().product();
    let numbers = (Tensor::arange(count, (Kind::Int64, Device::Cpu)) * multiplier)
        .remainder(modulus)
        - modulus / 2;
    (numbers.to_kind(Kind::Float) / 3).reshape(shape)
}

fn store() -> nn::VarStore {
    let vs = nn::VarStore::new(Device::Cpu);
    for (name, shape) in SHAPES {
        let (layer, name) = name.split_once('.').unwrap();
        let _ = (vs.root() / layer).var_copy(name, &formula(shape, 37, 101));
    }
    vs
}

/// Gives the parameters the gradients of `step`; `missing` get none.
fn backward(vs: &nn::VarStore, step: i64, missing: &[&str]) {
    let variables = vs.variables();
    let with_gradient = SHAPES.iter().filter(|(name, _)| !missing.contains(name));
    let products = with_gradient.map(|(name, shape)| {
        (&variables[*name] * formula(shape, 29 + 2 * step, 97)).sum(Kind::Float)
    });
    products.reduce(|a, b| a + b).unwrap().backward();
}

fn options(value: &Value) -> SgdOptions {
    let number = |name: &str| value[name].as_f64().unwrap_or(0.0);
    SgdOptions {
        lr: number("lr"),
        momentum: number("momentum"),
        dampening: number("dampening"),
        weight_decay: number("weight_decay"),
        nesterov: value["nesterov"].as_bool().unwrap_or(false),
    }
}

fn compare(what: &str, tensor: &Tensor, expected: &Value, is_fresh: bool) {
    let (got, expected) = (values(tensor), floats(expected));
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() <= 1e-6 * expected.abs().max(0.1),
            "{what}: {got} {expected}"
        );
        // As f32, which they are: serde_json may miss the last bit of an f64.
        assert!(!is_fresh || *got as f32 == expected as f32, "the bits of {what}");
    }
}

#[test]
fn every_combination_of_options_gives_pytorchs_numbers() {
    let (reference, is_fresh) = expected("optim");
    let cases = reference["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 8);
    for (case, expected) in cases {
        let vs = store();
        let mut optimizer = Sgd::new(&vs, options(&expected["options"])).unwrap();
        for step in 0..reference["steps"].as_i64().unwrap() {
            optimizer.zero_grad();
            backward(
                &vs,
                step,
                match step {
                    0 => &["conv.bias"],
                    1 => &["conv.bias", "fc.bias"],
                    _ => &[],
                },
            );
            if step == 3 {
                optimizer.set_lr(optimizer.lr() * 0.1).unwrap();
            }
            optimizer.step().unwrap();
        }
        for (name, tensor) in vs.variables() {
            let what = format!("{name}, {case}");
            compare(&what, &tensor.detach(), &expected["parameters"][&name], is_fresh);
        }
        let buffers = expected["buffers"].as_object().unwrap();
        let state = optimizer.state();
        assert_eq!(state.len(), buffers.len(), "{case}");
        for (name, buffer) in state {
            compare(&format!("momentum of {name}, {case}"), &buffer, &buffers[&name], is_fresh);
        }
    }
}

fn same_bits(a: &nn::VarStore, b: &nn::VarStore) {
    let (a, b) = (a.variables(), b.variables());
    assert_eq!(a.len(), b.len());
    for (name, tensor) in a {
        assert_eq!(values(&tensor.detach()), values(&b[&name].detach()), "{name}");
    }
}

/// The last of `lengths` numbers are fewer than a vector register holds, or none.
#[test]
fn the_bits_of_tensors_of_any_length_are_libtorchs() {
    for length in [1, 7, 8, 9, 31, 32, 33, 100] {
        let start = formula(&[length], 37, 101);
        let (ours, theirs) = (nn::VarStore::new(Device::Cpu), nn::VarStore::new(Device::Cpu));
        let [a, b] = [&ours, &theirs].map(|vs| vs.root().var_copy("p", &start));
        let options = SgdOptions {
            lr: 0.07,
            momentum: 0.9,
            dampening: 0.1,
            weight_decay: 0.03,
            nesterov: false,
        };
        let mut sgd = Sgd::new(&ours, options).unwrap();
        let mut reference = nn::sgd(0.9, 0.1, 0.03, false).build(&theirs, 0.07).unwrap();
        for step in 0..20 {
            let gradient = formula(&[length], 29 + 2 * step, 97);
            sgd.backward_step(&(&a * &gradient).sum(Kind::Float)).unwrap();
            reference.backward_step(&(&b * &gradient).sum(Kind::Float));
        }
        same_bits(&ours, &theirs);
    }
}

/// Not in one piece of memory, and of another kind than f32: libtorch's operations, one by one.
#[test]
fn the_bits_of_unusual_tensors_are_libtorchs() {
    let start = formula(&[6, 5], 37, 101);
    for start in [start.tr(), start.to_kind(Kind::Double)] {
        let (ours, theirs) = (nn::VarStore::new(Device::Cpu), nn::VarStore::new(Device::Cpu));
        let [a, b] = [&ours, &theirs].map(|vs| {
            let mut parameter = vs.root().var_copy("p", &start);
            tch::no_grad(|| {
                parameter.set_data(&start.copy().as_strided(start.size(), start.stride(), 0))
            });
            parameter
        });
        let mut sgd = Sgd::new(&ours, MOMENTUM).unwrap();
        let mut reference = nn::sgd(0.9, 0.0, 0.01, false).build(&theirs, 0.05).unwrap();
        for _ in 0..5 {
            sgd.backward_step(&a.square().sum(a.kind())).unwrap();
            reference.backward_step(&b.square().sum(b.kind()));
        }
        same_bits(&ours, &theirs);
    }
}

#[test]
fn a_graph_that_saved_a_parameter_notices_the_step() {
    let vs = nn::VarStore::new(Device::Cpu);
    let parameter = vs.root().var_copy("p", &formula(&[9], 37, 101));
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    let saved = parameter.square().sum(Kind::Float);
    optimizer.backward_step(&parameter.square().sum(Kind::Float)).unwrap();
    let message = optimizer.backward_step(&saved).unwrap_err().to_string();
    assert!(message.contains("modified by an inplace operation"), "{message}");
}

#[test]
fn the_bits_are_those_of_libtorchs_own_sgd() {
    for (momentum, dampening, weight_decay, nesterov) in
        [(0.0, 0.0, 0.0, false), (0.9, 0.0, 0.01, true), (0.7, 0.2, 0.0, false)]
    {
        let (ours, theirs) = (store(), store());
        let options = SgdOptions { lr: 0.03, momentum, dampening, weight_decay, nesterov };
        let mut sgd = Sgd::new(&ours, options).unwrap();
        let config = nn::sgd(momentum, dampening, weight_decay, nesterov);
        let mut reference = config.build(&theirs, 0.03).unwrap();
        for step in 0..6 {
            sgd.zero_grad();
            reference.zero_grad();
            backward(&ours, step, &[]);
            backward(&theirs, step, &[]);
            sgd.step().unwrap();
            reference.step();
        }
        same_bits(&ours, &theirs);
    }
}

const MOMENTUM: SgdOptions =
    SgdOptions { lr: 0.05, momentum: 0.9, dampening: 0.0, weight_decay: 0.01, nesterov: false };

/// A loss of all parameters.
fn loss(vs: &nn::VarStore) -> Tensor {
    let mut parameters: Vec<_> = vs.variables().into_iter().collect();
    parameters.sort_by(|a, b| a.0.cmp(&b.0));
    parameters.iter().map(|(_, p)| p.square().sum(Kind::Float)).reduce(|a, b| a + b).unwrap()
}

#[test]
fn backward_step_is_its_three_parts() {
    let (one, three) = (store(), store());
    let mut together = Sgd::new(&one, MOMENTUM).unwrap();
    let mut apart = Sgd::new(&three, MOMENTUM).unwrap();
    for _ in 0..4 {
        together.backward_step(&loss(&one)).unwrap();
        apart.zero_grad();
        loss(&three).backward();
        apart.step().unwrap();
    }
    same_bits(&one, &three);
    assert_ne!(values(&one.variables()["fc.bias"]), values(&store().variables()["fc.bias"]));
}

#[test]
fn zero_grad_forgets_and_parameters_without_gradient_stay() {
    let vs = store();
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    backward(&vs, 0, &[]);
    optimizer.zero_grad();
    assert!(vs.variables().values().all(|parameter| !parameter.grad().defined()));
    optimizer.step().unwrap();
    same_bits(&vs, &store());
    assert!(optimizer.state().is_empty());
}

#[test]
fn a_move_to_the_same_device_changes_nothing() {
    let options = SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() };
    let train = |moved: bool| {
        let mut vs = store();
        let held: Vec<Tensor> = named_parameters(&vs).into_iter().map(|(_, p)| p).collect();
        let mut optimizer = Sgd::new(&vs, options).unwrap();
        for step in 0..4 {
            optimizer.zero_grad();
            backward(&vs, step, &[]);
            if moved && step == 2 {
                let place = |tensors: &[Tensor]| -> Vec<usize> {
                    tensors.iter().map(|tensor| tensor.data_ptr() as usize).collect()
                };
                let before = place(&held);
                vs.set_device(Device::Cpu);
                assert_eq!(place(&held), before);
                assert!(held.iter().all(|p| p.requires_grad() && p.grad().defined()));
            }
            optimizer.step().unwrap();
        }
        assert!(held[0].equal(&vs.variables()["conv.weight"]), "the layers' own handles");
        (vs, optimizer)
    };
    let ((stayed, one), (moved, other)) = (train(false), train(true));
    same_bits(&stayed, &moved);
    assert_eq!(one.state().len(), SHAPES.len());
    for ((name, one), (_, other)) in one.state().iter().zip(other.state()) {
        assert!(one.equal(&other), "{name}");
    }
}

#[test]
fn state_goes_to_another_run_bit_for_bit() {
    let (whole, begun, resumed) = (store(), store(), store());
    let mut uninterrupted = Sgd::new(&whole, MOMENTUM).unwrap();
    let mut first = Sgd::new(&begun, MOMENTUM).unwrap();
    for _ in 0..3 {
        uninterrupted.backward_step(&loss(&whole)).unwrap();
        first.backward_step(&loss(&begun)).unwrap();
    }
    let names: Vec<String> = first.state().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, SHAPES.map(|(name, _)| name));
    let mut second = Sgd::new(&resumed, MOMENTUM).unwrap();
    second.load_state(&first.state()).unwrap();
    tch::no_grad(|| {
        for (name, tensor) in begun.variables() {
            resumed.variables()[&name].shallow_clone().copy_(&tensor);
        }
    });
    first.backward_step(&loss(&begun)).unwrap(); // must not change what the second has loaded
    for _ in 0..3 {
        uninterrupted.backward_step(&loss(&whole)).unwrap();
        second.backward_step(&loss(&resumed)).unwrap();
    }
    same_bits(&whole, &resumed);
}

#[test]
fn state_that_does_not_fit_is_named_and_changes_nothing() {
    let vs = store();
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    optimizer.backward_step(&loss(&vs)).unwrap();
    let bits = |optimizer: &Sgd| -> HashMap<String, Vec<f64>> {
        optimizer.state().into_iter().map(|(name, tensor)| (name, values(&tensor))).collect()
    };
    let before = bits(&optimizer);
    let fits = || ("fc.bias".to_owned(), Tensor::ones([7], CPU));
    let named = |name: &str, tensor: Tensor| (name.to_owned(), tensor);
    let cases = [
        (
            named("fc.weight", Tensor::ones([11, 7], CPU)),
            "fc.weight, Float [7, 11], got Float [11, 7]",
        ),
        (
            named("fc.weight", Tensor::ones([7, 11], (Kind::Double, Device::Cpu))),
            "got Double [7, 11]",
        ),
        (named("fc.weight", Tensor::new()), "got an undefined tensor"),
        (
            named("fc3.bias", Tensor::ones([7], CPU)),
            "(conv.weight, conv.bias, fc.weight, fc.bias), got fc3.bias",
        ),
        (fits(), "got fc.bias twice"),
    ];
    for (wrong, expected) in cases {
        let message = optimizer.load_state(&[fits(), wrong]).unwrap_err().to_string();
        assert!(message.starts_with("load_state expected"), "{message}");
        assert!(message.contains(expected), "{message}");
        assert_eq!(bits(&optimizer), before);
    }
    let mut plain = Sgd::new(&vs, SgdOptions::default()).unwrap();
    let message = plain.load_state(&[fits()]).unwrap_err().to_string();
    assert!(message.contains("made with momentum 0, got that of fc.bias"), "{message}");
    plain.load_state(&[]).unwrap();
}

#[test]
fn options_outside_their_range_are_named() {
    let vs = store();
    let good = MOMENTUM;
    let cases = [
        (SgdOptions { lr: -0.1, ..good }, "option lr must be finite and at least 0, got -0.1"),
        (SgdOptions { lr: f64::NAN, ..good }, "option lr must be finite and at least 0, got NaN"),
        (SgdOptions { momentum: -1.0, ..good }, "option momentum"),
        (SgdOptions { momentum: f64::INFINITY, ..good }, "option momentum"),
        (SgdOptions { weight_decay: -1e-4, ..good }, "option weight_decay"),
        (SgdOptions { dampening: f64::NAN, ..good }, "option dampening must be finite"),
        (SgdOptions { nesterov: true, momentum: 0.0, ..good }, "got momentum 0 and dampening 0"),
        (SgdOptions { nesterov: true, dampening: 0.5, ..good }, "option nesterov"),
    ];
    for (options, expected) in cases {
        let message = Sgd::new(&vs, options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let mut optimizer = Sgd::new(&vs, good).unwrap();
    assert!(optimizer.set_lr(f64::INFINITY).is_err());
    assert_eq!(optimizer.lr(), 0.05);
    optimizer.set_lr(0.0).unwrap();
    assert_eq!(optimizer.options(), SgdOptions { lr: 0.0, ..good });
}

#[test]
fn a_loss_that_gives_no_gradient_is_refused_and_nothing_changes() {
    let vs = store();
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    let used = loss(&vs);
    used.backward();
    let cases = [
        (vs.variables()["fc.bias"].square(), "one element (mean or sum makes one), got shape [7]"),
        (loss(&vs).detach(), "a loss that requires grad"),
        (Tensor::new(), "an undefined tensor"),
        (used, "an earlier backward pass has freed the graph"),
    ];
    for (loss, expected) in cases {
        let message = optimizer.backward_step(&loss).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    same_bits(&vs, &store());
}

#[test]
fn a_gradient_of_another_shape_is_refused() {
    let vs = store();
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    optimizer.load_state(&[("fc.bias".to_owned(), Tensor::ones([7], CPU))]).unwrap();
    backward(&vs, 0, &[]);
    // As only tch allows it.
    let parameter = vs.variables().remove("fc.bias").unwrap();
    let mut gradient = parameter.grad();
    gradient.set_data(&Tensor::ones([3], CPU));
    let message = optimizer.step().unwrap_err().to_string();
    assert!(message.starts_with("libtorch refused the optimizer's step"), "{message}");
}

/// A store with a parameter that no other test's loss depends on.
fn stranger() -> nn::VarStore {
    let vs = nn::VarStore::new(Device::Cpu);
    let _ = vs.root().var_copy("stranger", &Tensor::ones([2], CPU));
    vs
}

fn message(result: blitz::Result<()>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, blitz::Error::NoGradient { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_loop_with_the_optimizer_of_another_net_ends_at_its_first_step() {
    let vs = store();
    let other = stranger();
    let mut optimizer = Sgd::new(&other, MOMENTUM).unwrap();
    optimizer.zero_grad();
    loss(&vs).backward();
    let text = message(optimizer.step());
    assert!(text.contains("its loss does not depend on its one parameter"), "{text}");
    let text = message(optimizer.backward_step(&loss(&vs)));
    assert!(text.starts_with("no parameter of this optimizer got a gradient from this loss: the"));
    same_bits(&other, &stranger());
    assert!(optimizer.state().is_empty());
    // It works for its own loss, and then says what a later loss does not give.
    optimizer.backward_step(&loss(&other)).unwrap();
    message(optimizer.backward_step(&loss(&vs)));
    // An optimizer of nothing.
    let mut optimizer = Sgd::new(&nn::VarStore::new(Device::Cpu), MOMENTUM).unwrap();
    loss(&vs).backward();
    assert!(message(optimizer.step()).contains("it has no parameters"));
    assert!(message(optimizer.backward_step(&loss(&vs))).contains("it has no parameters"));
}

#[test]
fn gradients_forgotten_before_each_step_are_noticed() {
    let vs = store();
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    let mut wrong_order = || {
        loss(&vs).backward();
        optimizer.zero_grad();
        optimizer.step()
    };
    wrong_order().unwrap(); // as in PyTorch
    let text = message(wrong_order());
    assert!(text.contains("zero_grad forgot") && text.contains("in this order"), "{text}");
    same_bits(&vs, &store());
    optimizer.backward_step(&loss(&vs)).unwrap();
    // From now on a step without gradients changes nothing, as in PyTorch.
    let before = values(&vs.variables()["fc.bias"]);
    for _ in 0..3 {
        optimizer.zero_grad();
        optimizer.step().unwrap();
    }
    assert_eq!(values(&vs.variables()["fc.bias"]), before);
}

#[test]
fn losses_without_a_way_to_the_parameters_are_named() {
    let mut vs = store();
    let mut optimizer = Sgd::new(&vs, MOMENTUM).unwrap();
    let refused =
        |optimizer: &mut Sgd, loss: &Tensor| optimizer.backward_step(loss).unwrap_err().to_string();
    let ones = Tensor::ones([3], (Kind::Int64, Device::Cpu));
    for loss in [tch::no_grad(|| loss(&vs)), loss(&vs).detach(), ones.sum(Kind::Int64)] {
        let text = refused(&mut optimizer, &loss);
        assert!(text.contains("requires grad") && text.contains("not detached"), "{text}");
    }
    vs.freeze();
    let text = refused(&mut optimizer, &loss(&vs));
    assert!(text.contains("all its 4 parameters are frozen"), "{text}");
    vs.unfreeze();
    // A gradient of zeros is one.
    optimizer.backward_step(&(loss(&vs) * 0.0)).unwrap();
    assert_eq!(optimizer.state().len(), 4);
    // Gradients that stay count for a second step, too.
    optimizer.step().unwrap();
}
