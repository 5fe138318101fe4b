//! The graph, backward passes and higher derivatives, against PyTorch.
#![allow(clippy::unwrap_used)]

mod common;

use blitz::Error;
use blitz::autograd::{self, Autograd, BackwardOptions, Edge, GradOptions, Node};
use blitz::tch::{self, Device, Kind, Reduction, Tensor, no_grad};
use common::{floats, reference, values};
use serde_json::{Value, json};

fn leaf(values: &[f32]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}

/// A number as Python's operators take it. tch's record the overload for scalars instead, whose
/// node has another name and no edge for the number.
fn number(value: f64) -> Tensor {
    Tensor::from(value)
}

fn retained() -> BackwardOptions<'static> {
    BackwardOptions { retain_graph: Some(true), ..Default::default() }
}

/// As make_autograd.py's `tree`.
fn tree(node: Option<&Node>) -> Value {
    let Some(node) = node else { return Value::Null };
    let edges = node.next_functions();
    let edge = |edge: &Edge| json!([edge.input_nr, tree(edge.function.as_ref())]);
    json!([node.name(), edges.iter().map(edge).collect::<Vec<_>>()])
}

/// As make_autograd.py's `chain`.
fn chain(node: Option<Node>) -> Vec<String> {
    let next = |node: &Node| node.next_functions().into_iter().find_map(|edge| edge.function);
    std::iter::successors(node, next).map(|node| node.name()).collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Within 1e-6 of PyTorch, relative to the largest value.
fn assert_close(got: &Tensor, expected: &Value) {
    let expected = floats(expected);
    let scale = expected.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    let difference = common::difference(&values(got), &expected);
    assert!(difference <= 1e-6 * scale, "{difference} of {scale}");
}

fn assert_exact(got: &Tensor, expected: &Value) {
    assert_eq!(values(got), floats(expected));
}

#[track_caller]
fn assert_error<T>(result: blitz::Result<T>, parts: &[&str]) {
    let text = result.err().expect("an error").to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    assert!(!text.contains('\n') && !text.contains("frame #"), "{text}");
}

#[test]
fn q_of_the_tutorial() {
    let expected = &reference("autograd")["q"];
    let (a, b) = (leaf(&[2.0, 3.0]), leaf(&[6.0, 4.0]));
    let q = a.pow_tensor_scalar(3) * number(3.0) - b.pow_tensor_scalar(2);
    assert_exact(&q, &expected["q"]);
    assert_eq!(tree(q.grad_fn().as_ref()), expected["tree"]);
    q.backward_with(&Tensor::from_slice(&[1f32, 1.0])).unwrap();
    assert_exact(&a.grad(), &expected["a"]);
    assert_exact(&b.grad(), &expected["b"]);
}

#[test]
fn doubling_until_the_norm_reaches_1000() {
    let expected = &reference("autograd")["while"];
    tch::manual_seed(0);
    let x = Tensor::randn([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    assert_exact(&x, &expected["x"]);
    let (mut y, mut steps) = (&x * number(2.0), 0);
    while y.detach().norm().double_value(&[]) < 1000.0 {
        y = &y * number(2.0);
        steps += 1;
    }
    assert_eq!(steps, expected["steps"]);
    assert_eq!(chain(y.grad_fn()), strings(&expected["chain"]));
    y.backward_with(&Tensor::from_slice(&[0.1f32, 1.0, 0.0001])).unwrap();
    assert_exact(&y, &expected["y"]);
    assert_exact(&x.grad(), &expected["grad"]);
}

#[test]
fn products_of_a_vector_with_the_jacobian() {
    let expected = &reference("autograd")["jacobian_product"];
    let mut x = leaf(&[0.5, -1.25, 2.0]);
    let matrix = Tensor::from_slice(&[1f32, -2.0, 0.5, 0.25, 3.0, -1.0]).view([2, 3]);
    let mut w = matrix.set_requires_grad(true);
    let v = Tensor::from_slice(&[1f32, 0.5, -0.75, 2.0, -1.0, 0.1]).view([2, 3]);
    let y = (&w * &x).sin() + x.exp();
    y.backward_with(&v).unwrap();
    assert_close(&y, &expected["y"]);
    assert_close(&x.grad(), &expected["x"]);
    assert_close(&w.grad(), &expected["w"]);

    x.zero_grad();
    w.zero_grad();
    let (p, q) = (w.matmul(&x).tanh(), (&x * &x).sum(None));
    let gradients = [&Tensor::from_slice(&[0.3f32, -2.0]), &Tensor::from(1.5f32)];
    let options = BackwardOptions { gradients: Some(&gradients), ..Default::default() };
    autograd::backward(&[&p, &q], &options).unwrap();
    assert_close(&x.grad(), &expected["two"]["x"]);
    assert_close(&w.grad(), &expected["two"]["w"]);
}

#[test]
fn first_second_and_third_derivatives() {
    let expected = &reference("autograd")["higher_derivatives"];
    let x = Tensor::from_slice(&[0.5f64, 1.5, -2.0]).set_requires_grad(true);
    let y = (x.pow_tensor_scalar(3) * x.sin()).sum(None);
    let derive = |y: &Tensor, create_graph| {
        let options = GradOptions { create_graph, ..Default::default() };
        autograd::grad(&[y], &[&x], &options).unwrap().remove(0)
    };
    let first = derive(&y, true);
    let second = derive(&first.sum(None), true);
    let third = derive(&second.sum(None), false);
    assert_close(&first, &expected["first"]);
    assert_close(&second, &expected["second"]);
    assert_close(&third, &expected["third"]);
    assert!(second.requires_grad() && !third.requires_grad());
    assert!(!x.grad().defined());
}

#[test]
fn the_whole_graph_of_a_lenet() {
    let expected = &reference("autograd")["lenet"];
    tch::manual_seed(0);
    let shapes: [&[i64]; 10] = [
        &[6, 1, 5, 5],
        &[6],
        &[16, 6, 5, 5],
        &[16],
        &[120, 400],
        &[120],
        &[84, 120],
        &[84],
        &[10, 84],
        &[10],
    ];
    let float = (Kind::Float, Device::Cpu);
    let p = shapes.map(|shape| (Tensor::randn(shape, float) * 0.1).set_requires_grad(true));
    let x = Tensor::randn([1, 1, 32, 32], float);
    let target = Tensor::randn([10], float).view([1, -1]);
    let layer = |x: &Tensor, w: &Tensor, b: &Tensor| {
        x.conv2d(w, Some(b), 1, 0, 1, 1).relu().max_pool2d(2, 2, 0, 1, false)
    };
    let h = layer(&layer(&x, &p[0], &p[1]), &p[2], &p[3]).flatten(1, -1);
    let h = h.linear(&p[4], Some(&p[5])).relu();
    let h = h.linear(&p[6], Some(&p[7])).relu();
    let loss = h.linear(&p[8], Some(&p[9])).mse_loss(&target, Reduction::Mean);

    assert_close(&loss, &expected["loss"]);
    assert_eq!(tree(loss.grad_fn().as_ref()), expected["tree"]);
    assert_eq!(chain(loss.grad_fn()), strings(&expected["chain"]));
    // As the tutorial walks: loss, then twice the first of the next functions.
    let mut node = loss.grad_fn().unwrap();
    let mut walked = vec![node.name()];
    for _ in 0..2 {
        node = node.next_functions()[0].function.clone().unwrap();
        walked.push(node.name());
    }
    assert_eq!(walked, strings(&expected["tutorial"]));
    loss.backward();
    assert_close(&p[1].grad(), &expected["conv1_bias_grad"]);
    assert_close(&p[9].grad(), &expected["fc3_bias_grad"]);
}

#[test]
fn names_of_operations() {
    let expected = &reference("autograd")["names"];
    let a = Tensor::from_slice(&[1f32, 2.0, 3.0, 4.0]).view([2, 2]).set_requires_grad(true);
    let b = &a * 1.0;
    let _ = b.select(0, 0).fill_(7.0);
    let made = [
        ("add", &a + number(2.0)),
        ("sub", &a - &a),
        ("mul", &a * number(3.0)),
        ("div", &a / number(2.0)),
        ("mm", a.mm(&a)),
        ("mean", a.mean(None)),
        ("sum", a.sum(None)),
        ("t", a.tr()),
        ("index", a.select(0, 0)),
        ("double", a.to_kind(Kind::Double)),
        ("abs", a.abs()),
        ("softmax", a.log_softmax(1, None::<Kind>)),
        ("max", a.max_dim(1, false).0),
        ("cat", Tensor::cat(&[&a, &a], 0)),
        ("in_place_on_view", b),
    ];
    assert_eq!(made.len(), expected.as_object().unwrap().len());
    for (operation, tensor) in &made {
        assert_eq!(tensor.grad_fn().unwrap().name(), expected[operation], "{operation}");
    }
}

#[test]
fn numbers_record_the_overload_for_scalars() {
    let node = (leaf(&[1.0]) * 2.0).grad_fn().unwrap();
    assert_eq!((node.name().as_str(), node.next_functions().len()), ("MulBackward1", 1));
}

#[test]
fn nodes_have_identity_and_keep_their_graph() {
    let x = leaf(&[1.0, 2.0]);
    let y = &x * number(3.0);
    let (z, w) = (&y + 1.0, y.exp());
    let below = |tensor: &Tensor| tensor.grad_fn().unwrap().next_functions().remove(0);
    assert_eq!(below(&z).function, below(&w).function);
    assert_eq!(below(&z).function.unwrap().id(), y.grad_fn().unwrap().id());
    assert_ne!(z.grad_fn(), w.grad_fn());
    let later = w.grad_fn().unwrap().sequence_nr();
    assert!(later > z.grad_fn().unwrap().sequence_nr());

    let node = y.grad_fn().unwrap();
    assert_eq!(node.to_string(), "<MulBackward0>");
    assert_eq!(format!("{node:?}"), format!("<MulBackward0 at {:#x}>", node.id()));
    assert!(node.variable().is_none());
    let copy = node.clone();
    drop((y, z, w, node));
    let accumulate = copy.next_functions().remove(0).function.unwrap();
    assert_eq!(
        (accumulate.name().as_str(), accumulate.sequence_nr()),
        ("AccumulateGrad", u64::MAX)
    );
    assert!(accumulate.next_functions().is_empty());
    let variable = accumulate.variable().unwrap();
    assert_eq!(variable.data_ptr(), x.data_ptr());
    drop(x);
    assert_eq!(values(&variable), [1.0, 2.0]);
    // A node may be looked at on another thread.
    let name = std::thread::spawn(move || copy.name()).join().unwrap();
    assert_eq!(name, "MulBackward0");
}

#[test]
fn edges_say_which_output_they_come_from() {
    let x = leaf(&[3.0, 1.0, 2.0, 5.0]);
    let mut parts = x.split(2, 0);
    let second = parts.remove(1).exp();
    let edge = second.grad_fn().unwrap().next_functions().remove(0);
    assert_eq!((edge.function.unwrap().name().as_str(), edge.input_nr), ("SplitBackward0", 1));
}

#[test]
fn where_nothing_is_recorded_there_is_no_grad_fn() {
    let x = leaf(&[1.0]);
    assert!(x.grad_fn().is_none() && x.is_leaf());
    assert!(no_grad(|| &x * 2.0).grad_fn().is_none());
    let y = &x * 2.0;
    assert!(y.grad_fn().is_some() && !y.is_leaf());
    assert!(y.detach().grad_fn().is_none());
    assert!(Tensor::new().grad_fn().is_none());
    // A frozen parameter's edge leads nowhere.
    let frozen = leaf(&[4.0]).set_requires_grad(false);
    let edges = (&x * &frozen).grad_fn().unwrap().next_functions();
    let leads = edges.iter().map(|edge| edge.function.is_some()).collect::<Vec<_>>();
    assert_eq!(leads, [true, false]);
}

#[test]
fn retain_grad_keeps_the_gradient_of_an_intermediate() {
    let expected = &reference("autograd")["retain_grad"];
    tch::manual_seed(0);
    let x = Tensor::randn([2, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let y = &x * 2.0;
    y.retain_grad().unwrap();
    y.retain_grad().unwrap();
    x.retain_grad().unwrap();
    assert!(y.retains_grad() && !x.retains_grad());
    y.pow_tensor_scalar(3).mean(None).backward();
    assert_close(&y.grad(), &expected["y"]);
    assert_close(&x.grad(), &expected["x"]);
    let constant = Tensor::from(1.0);
    assert_error(constant.retain_grad(), &["retain_grad expected the tensor to require grad"]);
    assert_error(Tensor::new().retain_grad(), &["an undefined tensor"]);
}

#[test]
fn only_the_chosen_inputs_receive_gradients() {
    let (a, b) = (leaf(&[2.0]), leaf(&[5.0]));
    let product = &a * &b;
    let options = BackwardOptions { inputs: Some(&[&b]), ..Default::default() };
    autograd::backward(&[&product], &options).unwrap();
    assert!(!a.grad().defined());
    assert_eq!(values(&b.grad()), [2.0]);
    // An intermediate may be chosen too, as in Python.
    let inner = &a * 3.0;
    let options = BackwardOptions { inputs: Some(&[&inner]), ..Default::default() };
    autograd::backward(&[&inner.pow_tensor_scalar(2)], &options).unwrap();
    assert_eq!(values(&inner.grad()), [12.0]);
    assert!(!a.grad().defined());
}

#[test]
fn the_graph_can_be_used_twice_only_if_retained() {
    let x = leaf(&[3.0]);
    let y = x.pow_tensor_scalar(2);
    autograd::backward(&[&y], &retained()).unwrap();
    autograd::backward(&[&y], &BackwardOptions::default()).unwrap();
    assert_eq!(values(&x.grad()), [12.0]);
    let remedy = ["freed the graph", "run the forward pass again", "retain_graph: Some(true)"];
    assert_error(autograd::backward(&[&y], &retained()), &remedy);
    assert_error(autograd::grad(&[&y], &[&x], &GradOptions::default()), &remedy);
    assert_error(y.f_backward().map_err(Error::from), &remedy);
    // create_graph retains unless told otherwise.
    let y = x.pow_tensor_scalar(2);
    let create_graph = GradOptions { create_graph: true, ..Default::default() };
    autograd::grad(&[&y], &[&x], &create_graph).unwrap();
    let free = GradOptions { retain_graph: Some(false), ..create_graph };
    autograd::grad(&[&y], &[&x], &free).unwrap();
    assert_error(autograd::grad(&[&y], &[&x], &free), &remedy);
}

#[test]
fn backward_can_record_itself() {
    let x = leaf(&[2.0]);
    let options = BackwardOptions { create_graph: true, ..Default::default() };
    autograd::backward(&[&x.pow_tensor_scalar(3)], &options).unwrap();
    let first = x.grad();
    assert_eq!(values(&first), [12.0]);
    let second = autograd::grad(&[&first], &[&x], &GradOptions::default()).unwrap().remove(0);
    assert_eq!(values(&second), [12.0]);
}

#[test]
fn an_input_without_influence_is_named() {
    let (a, b) = (leaf(&[2.0]), leaf(&[5.0]));
    let y = &a * 4.0;
    let options = GradOptions { retain_graph: Some(true), ..Default::default() };
    let missing = ["outputs that depend on inputs[1]", "grad_allow_unused"];
    assert_error(autograd::grad(&[&y], &[&a, &b], &options), &missing);
    let found = autograd::grad_allow_unused(&[&y], &[&a, &b], &options).unwrap();
    assert_eq!(found[0].as_ref().map(values), Some(vec![4.0]));
    assert!(found[1].is_none());
}

#[test]
fn wrong_gradients_are_refused_before_the_pass() {
    let x = leaf(&[1.0, 2.0]);
    let y = &x * 2.0;
    let plain = BackwardOptions::default();
    let not_scalar = ["a gradient for tensors[0]", "none for Float [2]"];
    assert_error(autograd::backward(&[&y], &plain), &not_scalar);
    let like = "a gradient like tensors[0], Float [2], got";
    let three = Tensor::from_slice(&[1f32, 2.0, 3.0]);
    assert_error(y.backward_with(&three), &[like, "got Float [3]"]);
    let double = Tensor::from_slice(&[1f64, 2.0]);
    assert_error(y.backward_with(&double), &[like, "got Double [2]"]);
    assert_error(y.backward_with(&Tensor::new()), &[like, "an undefined tensor"]);
    let two = [&y, &y];
    let options = BackwardOptions { gradients: Some(&two), ..plain };
    assert_error(autograd::backward(&[&y], &options), &["one gradient per tensor, 1", "got 2"]);
    let complex = y.to_kind(Kind::ComplexFloat).sum(None);
    assert_error(autograd::backward(&[&complex], &plain), &["not a real scalar"]);
    // The graph is untouched.
    y.backward_with(&Tensor::from_slice(&[1f32, 0.0])).unwrap();
    assert_eq!(values(&x.grad()), [2.0, 0.0]);
}

#[test]
fn tensors_without_graph_are_refused() {
    let x = leaf(&[1.0]);
    let constant = Tensor::from(1.0);
    let y = &x * 2.0;
    let plain = BackwardOptions::default();
    let text = ["expected tensors[1] to require grad", "Double [] that does not"];
    assert_error(autograd::backward(&[&y, &constant], &plain), &text);
    assert_error(no_grad(|| &x * 2.0).backward_with(&x), &["tensors[0] to require grad"]);
    assert_error(autograd::backward(&[], &plain), &["at least one tensor in tensors"]);
    let options = BackwardOptions { inputs: Some(&[&constant]), ..plain };
    assert_error(autograd::backward(&[&y], &options), &["inputs[0] to require grad"]);
    let options = BackwardOptions { inputs: Some(&[]), ..plain };
    assert_error(autograd::backward(&[&y], &options), &["at least one tensor in inputs"]);
    let plain = GradOptions::default();
    assert_error(autograd::grad(&[&y], &[], &plain), &["at least one tensor in inputs"]);
    assert_error(autograd::grad(&[], &[&x], &plain), &["at least one tensor in outputs"]);
    assert_error(autograd::grad(&[&y], &[&x, &constant], &plain), &["inputs[1] to require grad"]);
    assert_error(autograd::grad(&[&Tensor::new()], &[&x], &plain), &["an undefined tensor"]);
}

#[test]
fn a_tensor_changed_in_place_is_reported() {
    let x = leaf(&[1.0, 2.0]);
    let mut y = &x * 1.0;
    let z = y.exp().sum(None) + y.pow_tensor_scalar(2).sum(None);
    let _ = y.fill_(0.0);
    let result = autograd::backward(&[&z], &BackwardOptions::default());
    assert_error(result, &["modified by an inplace operation"]);
}
