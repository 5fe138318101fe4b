//! The graph that libtorch records, against PyTorch's.

use crate::common::{self, floats, reference, seeded, values};
use crate::leaf;
use blitz::autograd::{Autograd, Edge, Node};
use blitz::tch::{Device, Kind, Reduction, Tensor, no_grad};
use serde_json::{Value, json};

/// A number as Python's operators take it. tch's record the overload for scalars instead, whose
/// node has another name and no edge for the number.
fn number(value: f64) -> Tensor {
    Tensor::from(value)
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
    let _turn = seeded(0);
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
fn the_whole_graph_of_a_lenet() {
    let expected = &reference("autograd")["lenet"];
    let _turn = seeded(0);
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
